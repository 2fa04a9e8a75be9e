#include <collapse/metrics/uniformity.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/cosine.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The definition in long double, from differences of unit rows; of all pairs, or of those of some rows.
template <class Derived>
Real by_differences(const Eigen::DenseBase<Derived>& z) {
  Real sum = 0.0L;
  const std::vector<Real> distances = reference::distances(reference::unit_rows(reference::widened(z)));
  for (const Real h : distances) sum += std::expm1(-4.0L * h);
  return std::log1p(sum / static_cast<Real>(distances.size()));
}

/// E exp(k c) over the cosine c of two directions uniform on the sphere in D dimensions: Gamma(D / 2) (2 / k)^(D/2 - 1)
/// I_(D/2 - 1)(k) by the series of the Bessel function, sum_j (k^2 / 4)^j / (j! (D/2)(D/2 + 1)...(D/2 + j - 1)).
Real exponential_moment(Real k, Index dims) {
  Real term = 1.0L;
  Real sum = 1.0L;
  for (int j = 0; j < 200; ++j) {
    term *= k * k / 4.0L / static_cast<Real>(j + 1) / (static_cast<Real>(dims) / 2.0L + static_cast<Real>(j));
    sum += term;
  }
  return sum;
}

/// K unit vectors with the same angle between any two, in K dimensions.
Dense<double> simplex(Index k) {
  return Dense<double>::Identity(k, k) - Dense<double>::Constant(k, k, 1.0 / static_cast<double>(k));
}

}  // namespace

TEST_CASE("uniformity of two rows is four times their distance", "[uniformity]") {
  for (const double angle : {1e-5, 0.1, 0.25, 1.0, 2.0, 3.0}) {
    CAPTURE(angle);
    Dense<double> z(2, 2);
    z << 3.0, 0.0, 0.5 * std::cos(angle), 0.5 * std::sin(angle);
    const Real half = std::sin(static_cast<Real>(angle) / 2.0L);
    const Real expected = -8.0L * half * half;
    // The row is rounded: its angle is off by half a rounding, and ln of exp(-8) keeps that of 1.
    CHECK(std::abs(static_cast<Real>(uniformity(z).value) - expected) < 1e-10L * -expected + 1e-17L);
  }
  Dense<double> antipodal(2, 3);
  antipodal << 1.0, 2.0, 3.0, -2.0, -4.0, -6.0;
  CHECK(std::abs(uniformity(antipodal).value + 8.0) < 1e-12);
}

TEST_CASE("uniformity of an orthonormal basis is -4 and of a simplex -4 K / (K - 1) and of equal rows 0",
          "[uniformity]") {
  for (const Index k : {2, 3, 10, 193, 250}) {
    CAPTURE(k);
    CHECK(std::abs(uniformity(Dense<double>::Identity(k, k)).value + 4.0) < 1e-12);
    const double expected = -4.0 * static_cast<double>(k) / (static_cast<double>(k) - 1.0);
    CHECK(std::abs(uniformity(simplex(k)).value - expected) < 1e-11);
    CHECK(uniformity(Dense<double>::Constant(k, 5, 0.3)).value == 0.0);
  }
}

TEST_CASE("uniformity is the definition in any shape and scalar and layout", "[uniformity]") {
  const auto check = [](const auto& z, Real tolerance) {
    const Real expected = by_differences(z);
    const Uniformity measured = uniformity(z);
    CHECK(std::abs(static_cast<Real>(measured.value) - expected) < tolerance);
    CHECK(measured.exact);
    CHECK(measured.standard_error == 0.0);
  };
  for (const Index n : {2, 3, 11, 192, 193, 390}) {
    for (const Index d : {1, 2, 17, 200}) {
      CAPTURE(n, d);
      check(reference::gaussian<double>(n, d, 5, 0.3), 1e-13L);
    }
  }
  check(reference::gaussian<float>(60, 20, 6, 1.0), 1e-13L);
  check(reference::gaussian<Eigen::half>(60, 20, 7, 1.0), 1e-13L);
  check(reference::gaussian<Eigen::bfloat16>(60, 20, 8, 1.0), 1e-13L);
  const Dense<float> z = reference::gaussian<float>(50, 7, 9, 0.5);
  const double expected = uniformity(z).value;
  const reference::RowMajor<float> other = z;
  CHECK(std::abs(uniformity(other).value - expected) < 1e-14);
  CHECK(std::abs(uniformity(other.transpose().transpose()).value - expected) < 1e-14);
  CHECK(std::abs(uniformity(z + Dense<float>::Zero(50, 7)).value - expected) < 1e-14);
}

TEST_CASE("uniformity keeps its digits near collapse", "[uniformity]") {
  for (const double e : {1e-1, 1e-2, 3e-3, 1e-4, 1e-6, 1e-8}) {
    CAPTURE(e);
    const Dense<double> z = reference::around_a_point<double>(70, 30, e, 3);
    const Real expected = by_differences(z);
    // Lengths and means are rounded at 1e-16, the spread is e.
    CHECK(std::abs(static_cast<Real>(uniformity(z).value) / expected - 1.0L) < 1e-13L + 1e-16L / static_cast<Real>(e));
  }
  const Dense<float> z = reference::around_a_point<float>(300, 30, 1e-5, 4);
  CHECK(std::abs(static_cast<Real>(uniformity(z).value) / by_differences(z) - 1.0L) < 1e-9L);
}

TEST_CASE("uniformity of uniform directions is what the Bessel function says", "[uniformity]") {
  for (const Index d : {2, 3, 8, 40}) {
    CAPTURE(d);
    const Index n = 1200;
    const Real mean = exponential_moment(4.0L, d);
    const Real variance = exponential_moment(8.0L, d) - mean * mean;
    // Seen from one row all directions are alike, so the values of two pairs are uncorrelated also where they share
    // one.
    const Real error = std::sqrt(variance / (static_cast<Real>(n) * static_cast<Real>(n - 1) / 2.0L)) / mean;
    const double measured = uniformity(reference::gaussian<double>(n, d, 17)).value;
    CHECK(std::abs(static_cast<Real>(measured) - (std::log(mean) - 4.0L)) < 3.5L * error);
    CHECK(error < 5e-3L);
  }
  // On the circle c = cos t, and the mean of exp(4 cos t) is I_0(4).
  CHECK(std::abs(exponential_moment(4.0L, 2) - std::cyl_bessel_i(0.0L, 4.0L)) < 1e-12L);
  // In space c is uniform on [-1, 1].
  CHECK(std::abs(exponential_moment(4.0L, 3) - std::sinh(4.0L) / 4.0L) < 1e-15L);
  // The series that the documentation gives.
  for (const Index d : {128, 768, 4096}) {
    const Real x = static_cast<Real>(d);
    CHECK(std::abs(std::log(exponential_moment(4.0L, d)) - (8.0L / x - 64.0L / (x * x * x))) <
          500.0L / (x * x * x * x));
  }
}

TEST_CASE("uniformity is over the pairs of the quantiles of the cosine", "[uniformity]") {
  Dense<double> z = reference::gaussian<double>(120, 6, 21, 0.4);
  z.row(7).setZero();
  for (const Options& options : {Options{}, Options{.pair_rows = 50}, Options{.pair_rows = 50, .seed = 3},
                                 Options{.pair_rows = 50, .all_pairs = true}}) {
    const Uniformity potential = uniformity(z, options);
    const Cosine cosine = pairwise_cosine(z, options);
    CHECK(potential.pairs == cosine.pairs);
    CHECK(potential.sampled_rows == cosine.sampled_rows);
    CHECK(potential.exact == cosine.exact);
    const auto view = linalg::Evaluated<Dense<double>>(z).view();
    const Rows rows = statistics::scan_rows(view, NonFinite::reject);
    const PairSelection selection = statistics::select_pairs(view, rows, options);
    Dense<double> selected(potential.sampled_rows, z.cols());
    for (Index i = 0; i < selected.rows(); ++i) selected.row(i) = z.row(selection.rows[static_cast<std::size_t>(i)]);
    CHECK(std::abs(static_cast<Real>(potential.value) - by_differences(selected)) < 1e-13L);
    CHECK((potential.standard_error > 0.0) == !potential.exact);
  }
}

TEST_CASE("the standard error of a sampled uniformity is the deviation of samples", "[uniformity]") {
  [[maybe_unused]] const test::OneThread one;
  // Rows of two kinds: what a row adds depends on the row.
  Dense<double> z = reference::gaussian<double>(900, 3, 31);
  z.topRows(300).rowwise() += Eigen::RowVector3d(4.0, 0.0, 0.0);
  const double truth = uniformity(z).value;
  for (const Index rows : {60, 200, 600}) {
    constexpr int draws = 150;
    double squares = 0.0;
    double mean = 0.0;
    for (int draw = 0; draw < draws; ++draw) {
      const Uniformity sampled = uniformity(z, {.pair_rows = rows, .seed = static_cast<std::uint64_t>(draw)});
      const double score = (sampled.value - truth) / sampled.standard_error;
      squares += score * score / draws;
      mean += score / draws;
    }
    CAPTURE(rows, squares, mean);
    // 150 squares of normal deviates: 1 with a deviation of 0.12.
    CHECK(squares > 0.65);
    CHECK(squares < 1.5);
    CHECK(std::abs(mean) < 0.35);
  }
}

TEST_CASE("the standard error is the jackknife over rows", "[uniformity]") {
  // Two strips of tiles, so that rows meet both.
  const Dense<double> z = reference::gaussian<double>(240, 4, 33, 0.5);
  constexpr Index taken = 200;
  const Options options{.pair_rows = taken, .seed = 5};
  const auto view = linalg::Evaluated<Dense<double>>(z).view();
  const Rows rows = statistics::scan_rows(view, NonFinite::reject);
  const PairSelection selection = statistics::select_pairs(view, rows, options);
  reference::Matrix selected(taken, z.cols());
  for (Index i = 0; i < taken; ++i) {
    selected.row(i) = z.row(selection.rows[static_cast<std::size_t>(i)]).cast<Real>();
  }
  const reference::Matrix units = reference::unit_rows(selected);
  const reference::Matrix cosines = units * units.transpose();
  const reference::Matrix potential = ((cosines.array() - 1.0L) * 4.0L).exp().matrix();
  reference::Vector logs(taken);
  for (Index left_out = 0; left_out < taken; ++left_out) {
    Real sum = 0.0L;
    for (Index i = 0; i < taken; ++i) {
      for (Index j = 0; j < i; ++j) sum += i == left_out || j == left_out ? 0.0L : potential(i, j);
    }
    logs(left_out) = std::log(sum / (static_cast<Real>(taken - 1) * static_cast<Real>(taken - 2) / 2.0L));
  }
  const Real variance = static_cast<Real>(taken - 1) / static_cast<Real>(taken) *
                        (logs.array() - logs.mean()).square().sum() * (1.0L - static_cast<Real>(taken) / 240.0L);
  CHECK(std::abs(static_cast<Real>(uniformity(z, options).standard_error) / std::sqrt(variance) - 1.0L) < 1e-10L);
}

TEST_CASE("uniformity sees directions alone", "[uniformity]") {
  const Dense<double> z = reference::gaussian<double>(40, 9, 41, 0.5);
  const double expected = uniformity(z).value;
  reference::Random random(2);
  Dense<double> scaled = z;
  for (Index i = 0; i < z.rows(); ++i) scaled.row(i) *= std::exp(20.0 * random.normal());
  CHECK(std::abs(uniformity(scaled).value - expected) < 1e-13);
  for (const double unit : {1e-300, 1e-150, 1e150, 1e300}) {
    CHECK(std::abs(uniformity(z * unit).value - expected) < 1e-13);
  }
  Dense<double> with_zeros(43, 9);
  with_zeros << Dense<double>::Zero(2, 9), z, Dense<double>::Zero(1, 9);
  CHECK(std::abs(uniformity(with_zeros).value - expected) < 1e-13);
  CHECK(uniformity(with_zeros).pairs == 40 * 39 / 2);
}

TEST_CASE("the products of all directions give the same uniformity", "[uniformity]") {
  Dense<double> z = reference::gaussian<double>(210, 230, 43, 0.1);
  z.row(4).setZero();
  const auto view = linalg::Evaluated<Dense<double>>(z).view();
  const Rows rows = statistics::scan_rows(view, NonFinite::reject);
  const statistics::DirectionStatistics directions = statistics::direction_statistics(view, rows);
  REQUIRE(directions.products() != nullptr);
  for (const Options& options : {Options{}, Options{.pair_rows = 100}}) {
    const PairPotential pairs = statistics::pair_potential(view, rows, statistics::select_pairs(view, rows, options),
                                                           directions.sums.mean(), directions.products());
    const Uniformity expected = uniformity(z, options);
    CHECK(std::abs(uniformity(pairs).value - expected.value) < 1e-14);
    CHECK(std::abs(uniformity(pairs).standard_error - expected.standard_error) < 1e-12);
  }
}

TEST_CASE("uniformity has the same bits for any number of threads", "[uniformity]") {
  const Dense<float> z = reference::gaussian<float>(500, 10, 44, 0.2);
  for (const Options& options : {Options{}, Options{.pair_rows = 400}}) {
    std::vector<double> values;
    reference::for_thread_counts([&](int) {
      const Uniformity potential = uniformity(z, options);
      values.push_back(potential.value + potential.standard_error);
    });
    for (const double value : values) CHECK(value == values.front());
  }
}

TEST_CASE("uniformity needs two directions", "[uniformity]") {
  CHECK(std::isnan(uniformity(Dense<double>::Ones(1, 4)).value));
  CHECK(std::isnan(uniformity(Dense<double>::Zero(5, 4)).value));
  Dense<double> one = Dense<double>::Zero(5, 4);
  one(3, 1) = 2.0;
  CHECK(std::isnan(uniformity(one).value));
  CHECK(uniformity(one).pairs == 0);
  one(0, 1) = 1.0;
  CHECK(uniformity(one).value == 0.0);
  // Of two sampled rows nothing tells how far samples scatter.
  const Uniformity two = uniformity(reference::gaussian<double>(9, 4), {.pair_rows = 2});
  CHECK(std::isfinite(two.value));
  CHECK(std::isnan(two.standard_error));

  Dense<double> bad = reference::gaussian<double>(10, 4, 3);
  const double expected = uniformity(bad.bottomRows(9)).value;
  bad(0, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(uniformity(bad), NonFiniteError);
  CHECK(std::abs(uniformity(bad, {.nonfinite = NonFinite::skip_rows}).value - expected) < 1e-14);
  CHECK_THROWS_AS(uniformity(Dense<double>(0, 4)), ShapeError);
  CHECK_THROWS_AS(uniformity(bad, {.pair_rows = 1}), OptionError);
}
