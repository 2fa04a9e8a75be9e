#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/cosine.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

bool near(double measured, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::abs(expected);
}

bool within(double measured, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance;
}

/// The same rows with as many zero dimensions behind as it takes to have more dimensions than rows: the same cosines,
/// from V V^T in place of V^T V.
template <class Scalar>
Dense<Scalar> padded(const Dense<Scalar>& z) {
  Dense<Scalar> result = Dense<Scalar>::Zero(z.rows(), std::max(z.cols(), z.rows() + 3));
  result.leftCols(z.cols()) = z;
  return result;
}

template <class Scalar>
Dense<Scalar> narrowed(const Dense<double>& z) {
  return z.unaryExpr([](double value) { return reference::narrow<Scalar>(value); });
}

/// Of the distances 1 - cos over all pairs, from the differences of the unit rows.
template <class Scalar>
reference::MeanStd distances_of(const Dense<Scalar>& z) {
  return reference::mean_std(reference::distances(reference::unit_rows(reference::widened(z))));
}

/// Mean and std of the cosines, absolute.
template <class Scalar>
void check_cosines(const Dense<Scalar>& z, Real mean, Real std, Real tolerance) {
  for (const Dense<Scalar>& form : {z, padded(z)}) {
    CAPTURE(form.rows(), form.cols());
    const Cosine result = pairwise_cosine(form);
    CAPTURE(result.mean, result.std);
    CHECK(within(result.mean, mean, 2e-15L));
    CHECK(within(result.std, std, tolerance));
    CHECK(result.mean >= -1.0);
    CHECK(result.mean <= 1.0);
    CHECK(result.exact);
  }
}

/// Where all cosines are equal, on the side of the dimensions the root of what rounding leaves of their variance.
constexpr Real root_of_rounding = 1e-7L;

void check_undefined(const Cosine& cosine) {
  for (const double value : {cosine.mean, cosine.std, cosine.min, cosine.max, cosine.p01, cosine.p05, cosine.p25,
                             cosine.p50, cosine.p75, cosine.p95, cosine.p99}) {
    CHECK(std::isnan(value));
  }
  CHECK(cosine.pairs == 0);
  CHECK(std::all_of(cosine.histogram.begin(), cosine.histogram.end(), [](auto count) { return count == 0; }));
}

bool alike(const Cosine& a, const Cosine& b, Real tolerance = 1e-14L) {
  const auto same = [tolerance](double x, double y) { return within(x, static_cast<Real>(y), tolerance); };
  return same(a.mean, b.mean) && same(a.std, b.std) && same(a.min, b.min) && same(a.max, b.max) && same(a.p01, b.p01) &&
         same(a.p50, b.p50) && same(a.p99, b.p99) && a.pairs == b.pairs;
}

bool same_moments(const Cosine& a, const Cosine& b) { return a.mean == b.mean && a.std == b.std; }

}  // namespace

TEST_CASE("orthogonal rows have cosine 0", "[cosine]") {
  for (const Index d : {2, 3, 50}) {
    CAPTURE(d);
    Dense<double> z = Dense<double>::Identity(d, d);
    for (Index i = 0; i < d; ++i) z(i, i) = i % 2 == 0 ? 3.0 : -0.25;
    const Cosine result = pairwise_cosine(z);
    CHECK(std::abs(result.mean) < 1e-15);
    CHECK(result.std < 1e-15);
    CHECK(std::abs(result.min) < 2e-15);
    CHECK(std::abs(result.max) < 4e-15);
  }
}

TEMPLATE_TEST_CASE("copies of an orthogonal basis have a share of cosines of 1", "[cosine]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index d : {2, 5, 30}) {
    for (const Index copies : {2, 3, 7}) {
      CAPTURE(d, copies);
      // k copies of each of D directions: (k - 1) / (M - 1) of the pairs are alike, the others orthogonal.
      Dense<double> z = Dense<double>::Identity(d, d).replicate(copies, 1);
      for (Index i = 0; i < z.rows(); ++i) z.row(i) *= std::ldexp(1.0, static_cast<int>(i % 4));
      const Real share = static_cast<Real>(copies - 1) / static_cast<Real>(copies * d - 1);
      check_cosines(narrowed<TestType>(z), share, std::sqrt(share * (1.0L - share)), 1e-13L);
    }
  }
}

TEST_CASE("n rows one way and m the other have mean ((n - m)^2 - M) / (M (M - 1))", "[cosine]") {
  for (const Index d : {1, 2, 5}) {
    for (const auto& [ahead, back] : {std::pair<Index, Index>{1, 2}, {2, 2}, {7, 3}, {50, 50}, {99, 1}}) {
      CAPTURE(d, ahead, back);
      Dense<double> z(ahead + back, d);
      for (Index i = 0; i < ahead + back; ++i) {
        z.row(i).setConstant((1.0 + static_cast<double>(i)) * (i < ahead ? 1.0 : -1.0));
      }
      const auto m = static_cast<Real>(ahead + back);
      const auto difference = static_cast<Real>(ahead - back);
      const Real mean = (difference * difference - m) / (m * (m - 1.0L));
      check_cosines(z, mean, std::sqrt(1.0L - mean * mean), 1e-13L);
    }
  }
}

TEST_CASE("the corners of a regular simplex all have cosine -1 / D", "[cosine]") {
  for (const Index d : {2, 3, 20}) {
    CAPTURE(d);
    // The basis of D + 1 dimensions without its mean, turned into D of them.
    const Index corners = d + 1;
    const Dense<double> centred =
        Dense<double>::Identity(corners, corners).array() - 1.0 / static_cast<double>(corners);
    Dense<double> basis(corners, corners);
    basis << Dense<double>::Ones(corners, 1), reference::gaussian<double>(corners, d, 241);
    const Eigen::MatrixXd turn = Eigen::HouseholderQR<Eigen::MatrixXd>(basis).householderQ();
    const Dense<double> z = centred * turn.rightCols(d);
    CHECK(z.rows() > z.cols());
    check_cosines(z, -1.0L / static_cast<Real>(d), 0.0L, root_of_rounding);
    CHECK(pairwise_cosine(padded(z)).std < 1e-14);
  }
}

TEST_CASE("evenly spaced directions on a circle are balanced", "[cosine]") {
  // sum u = 0 and U^T U = M/2 I: E[c] = -1 / (M - 1), E[c^2] = (M/2 - 1) / (M - 1).
  for (const Index m : {3, 4, 7, 64, 101}) {
    CAPTURE(m);
    Dense<double> z(m, 2);
    for (Index i = 0; i < m; ++i) {
      const long double angle = 2.0L * std::acos(-1.0L) * static_cast<long double>(i) / static_cast<long double>(m);
      z.row(i) << static_cast<double>(std::cos(angle)), static_cast<double>(std::sin(angle));
    }
    const auto count = static_cast<Real>(m);
    const Real mean = -1.0L / (count - 1.0L);
    const Real square = (count / 2.0L - 1.0L) / (count - 1.0L);
    // Three of them make a simplex, whose cosines are equal.
    check_cosines(z, mean, m == 3 ? 0.0L : std::sqrt(square - mean * mean), m == 3 ? root_of_rounding : 1e-14L);
  }
}

TEST_CASE("two rows have one cosine and no spread", "[cosine]") {
  for (const double angle : {0.0, 1e-3, 0.5, 1.5, 3.0}) {
    CAPTURE(angle);
    Dense<double> z(2, 2);
    z << 2.0, 0.0, 3.0 * std::cos(angle), 3.0 * std::sin(angle);
    const Cosine result = pairwise_cosine(z);
    CHECK(within(result.mean, std::cos(static_cast<Real>(angle)), 4e-16L));
    CHECK(result.std < 1e-15);
    CHECK(result.pairs == 1);
    CHECK(std::abs(result.min - result.mean) < 4e-16);
    CHECK(std::abs(result.max - result.mean) < 4e-16);
    // Zero rows make it a matrix of more rows than dimensions.
    Dense<double> longer = Dense<double>::Zero(9, 2);
    longer.row(3) = z.row(0);
    longer.row(7) = z.row(1);
    CHECK(within(pairwise_cosine(longer).mean, std::cos(static_cast<Real>(angle)), 4e-16L));
    CHECK(within(pairwise_cosine(longer).std, 0.0L, root_of_rounding));
  }
}

TEST_CASE("two clusters near each other have the spread of their small distance, at any distance", "[cosine]") {
  // Directions (1, t) and (1, -t), n of each: 1 - cos = 2 t^2 / (1 + t^2) between them, for n / (2 n - 1) of the pairs.
  for (const double t : {0.5, 1e-2, 1e-5, 1e-8, 1e-12, 1e-30, 1e-60}) {
    for (const Index n : {2, 10, 150}) {
      CAPTURE(t, n);
      Dense<double> z(2 * n, 2);
      for (Index i = 0; i < 2 * n; ++i) z.row(i) << 1.0, (i % 2 == 0 ? t : -t);
      const auto step = static_cast<Real>(t);
      const Real distance = 2.0L * step * step / (1.0L + step * step);
      const Real share = static_cast<Real>(n) / static_cast<Real>(2 * n - 1);
      for (const Dense<double>& form : {z, padded(z)}) {
        if (n == 150 && form.cols() > 2) continue;
        const Cosine result = pairwise_cosine(form);
        CHECK(near(result.std, distance * std::sqrt(share * (1.0L - share)), 1e-13L));
        CHECK(within(result.mean, 1.0L - share * distance, 4e-16L));
      }
    }
  }
}

TEMPLATE_TEST_CASE("mean and std of the cosines are those of long double over all pairs", "[cosine]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const auto& [n, d] :
       {std::pair<Index, Index>{3, 2}, {3, 3}, {5, 4}, {4, 5}, {97, 96}, {96, 97}, {260, 11}, {11, 150}}) {
    for (const double offset : {0.0, 1.0, 30.0}) {
      CAPTURE(n, d, offset);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 243, offset);
      const reference::MeanStd distance = distances_of(z);
      const Cosine result = pairwise_cosine(z);
      CHECK(within(result.mean, 1.0L - distance.mean, 1e-15L));
      CHECK(within(result.std, distance.std, 1e-12L * distance.std + 1e-14L * distance.mean));
    }
  }
}

TEMPLATE_TEST_CASE("near collapse the std keeps its digits on both sides", "[cosine]", float, double, Eigen::half) {
  // The spread lies above what the scalar resolves: half 1e-3, float 1e-7.
  const double least = std::is_same_v<TestType, Eigen::half> ? 1e-2 : std::is_same_v<TestType, float> ? 1e-5 : 1e-7;
  for (const double e : {1e-1, 1e-2, 1e-3, 1e-5, 1e-7}) {
    if (e < least) continue;
    for (const auto& [n, d] : {std::pair<Index, Index>{120, 9}, {9, 60}}) {
      CAPTURE(e, n, d);
      const Dense<TestType> z = reference::around_a_point<TestType>(n, d, e, 245);
      const reference::MeanStd distance = distances_of(z);
      // Directions are rounded at 1e-16 and differ by e.
      const Real tolerance = 1e-13L + 4e-15L / static_cast<Real>(e);
      CHECK(near(pairwise_cosine(z).std, distance.std, tolerance));
      CHECK(within(pairwise_cosine(z).mean, 1.0L - distance.mean, 4e-16L));
      CHECK(near(pairwise_cosine(padded(z)).std, distance.std, tolerance));
    }
  }
}

TEST_CASE("the mean is exact where a few rows differ from a tight cloud", "[cosine]") {
  for (const Index d : {4, 90}) {
    CAPTURE(d);
    Dense<double> z = reference::around_a_point<double>(80, d, 1e-6, 247);
    // The first row is what all are taken relative to.
    z.row(0) *= -1.0;
    z.row(40) = reference::gaussian<double>(1, d, 249);
    const reference::MeanStd distance = distances_of(z);
    const Cosine result = pairwise_cosine(z);
    CHECK(within(result.mean, 1.0L - distance.mean, 1e-15L));
    CHECK(near(result.std, distance.std, 1e-13L));
  }
}

TEST_CASE("isotropic rows have cosines around 0 with std 1 / sqrt(D)", "[cosine]") {
  for (const Index d : {3, 40, 300}) {
    CAPTURE(d);
    const Cosine result = pairwise_cosine(reference::gaussian<float>(200, d, 251));
    const double std = 1.0 / std::sqrt(static_cast<double>(d));
    // Over 19900 pairs, each with variance 1 / D exactly.
    CHECK(std::abs(result.std / std - 1.0) < 0.03);
    CHECK(std::abs(result.mean) < 0.03 * std);
  }
}

TEST_CASE("repeating all rows adds pairs of cosine 1", "[cosine]") {
  const Dense<double> z = reference::gaussian<double>(25, 6, 253, 0.4);
  const Cosine once = pairwise_cosine(z);
  // Of 100 rows: 4 * 25 * 3 ordered pairs of a row with its copies; every other pair 16 times.
  const Real mean = (300.0L + 16.0L * 600.0L * static_cast<Real>(once.mean)) / 9900.0L;
  const Real square = static_cast<Real>(once.std) * static_cast<Real>(once.std) +
                      static_cast<Real>(once.mean) * static_cast<Real>(once.mean);
  const Real repeated = (300.0L + 16.0L * 600.0L * square) / 9900.0L;
  check_cosines(Dense<double>(z.replicate(4, 1)), mean, std::sqrt(repeated - mean * mean), 1e-14L);
}

TEST_CASE("the order of rows and dimensions, a common sign and a rotation leave the cosines", "[cosine]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{150, 12}, {12, 80}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 255, 0.4);
    const Cosine expected = pairwise_cosine(z);
    CHECK(alike(pairwise_cosine(z.colwise().reverse()), expected));
    CHECK(alike(pairwise_cosine(z.rowwise().reverse()), expected));
    CHECK(same_moments(pairwise_cosine(-z), expected));
    const Eigen::MatrixXd rotation =
        Eigen::HouseholderQR<Eigen::MatrixXd>(reference::gaussian<double>(d, d, 257)).householderQ();
    CHECK(alike(pairwise_cosine(z * rotation), expected));
    CHECK(alike(pairwise_cosine(padded(z)), expected));
  }
}

TEST_CASE("the length of no row has an influence on the cosines", "[cosine]") {
  for (const Index d : {7, 90}) {
    const Dense<double> plain = reference::gaussian<double>(60, d, 259, 0.4);
    const Cosine expected = pairwise_cosine(plain);
    for (const int exponent : {-1000, -500, -3, 3, 500, 1000}) {
      CAPTURE(d, exponent);
      CHECK(alike(pairwise_cosine(plain * std::ldexp(1.0, exponent)), expected));
      Dense<double> z = plain;
      for (Index i = 0; i < 60; ++i) z.row(i) *= std::ldexp(1.0, i % 3 == 0 ? exponent : -exponent / 2);
      CHECK(alike(pairwise_cosine(z), expected));
    }
    for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
      CAPTURE(d, scale);
      CHECK(alike(pairwise_cosine(plain * scale), expected));
    }
  }
}

TEMPLATE_TEST_CASE("mean and std of the cosines have the same bits in every layout", "[cosine]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{101, 37}, {37, 101}}) {
    CAPTURE(n, d);
    Dense<TestType> z = reference::gaussian<TestType>(n, d, 261, 0.4);
    z.row(0).setZero();
    const Cosine expected = pairwise_cosine(z);
    CHECK(same_moments(pairwise_cosine(reference::RowMajor<TestType>(z)), expected));
    const Dense<TestType> dims_as_rows = z.transpose();
    CHECK(same_moments(pairwise_cosine(dims_as_rows.transpose()), expected));
    Dense<TestType> larger = Dense<TestType>::Constant(120, 120, reference::narrow<TestType>(not_a_number));
    larger.block(3, 5, n, d) = z;
    CHECK(same_moments(pairwise_cosine(larger.block(3, 5, n, d)), expected));
    CHECK(same_moments(pairwise_cosine(z.rowwise().reverse().rowwise().reverse()), expected));
  }
}

TEST_CASE("mean and std of the cosines have the same bits whatever the number of threads", "[cosine]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{700, 110}, {110, 300}}) {
    const Dense<double> z = reference::gaussian<double>(n, d, 263, 0.4);
    const Options few{.pair_rows = 3};
    const Cosine expected = pairwise_cosine(z, few);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(threads);
      CHECK(same_moments(pairwise_cosine(z, few), expected));
    });
  }
}

TEST_CASE("mean and std are over all pairs also where the quantiles are over a sample", "[cosine]") {
  for (const Index d : {8, 120}) {
    const Dense<float> z = reference::gaussian<float>(90, d, 265, 0.4);
    const Cosine all = pairwise_cosine(z);
    for (const Index rows : {3, 20, 89}) {
      CAPTURE(d, rows);
      const Cosine sampled = pairwise_cosine(z, {.pair_rows = rows});
      CHECK_FALSE(sampled.exact);
      CHECK(sampled.pairs == rows * (rows - 1) / 2);
      CHECK(same_moments(sampled, all));
    }
  }
  CHECK_THROWS_AS(pairwise_cosine(Dense<float>::Ones(5, 5), {.pair_rows = 1}), OptionError);
}

TEST_CASE("equal rows have cosine 1 without a spread", "[cosine]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 1}, {2, 2}, {60, 5}, {60, 1}, {5, 60}}) {
    CAPTURE(n, d);
    const Dense<float> row = reference::gaussian<float>(1, d, 267);
    const Cosine result = pairwise_cosine(row.replicate(n, 1));
    CHECK(within(result.mean, 1.0L, 1e-15L));
    CHECK(result.mean <= 1.0);
    CHECK(result.std == 0.0);
    CHECK(result.min == 1.0);
    CHECK(result.max == 1.0);
    CHECK(result.histogram[63] == n * (n - 1) / 2);
    // The same direction at other lengths is rounded once more.
    Dense<double> longer = row.cast<double>().replicate(n, 1);
    for (Index i = 0; i < n; ++i) longer.row(i) *= 1.0 + 0.3 * static_cast<double>(i);
    const Cosine stretched = pairwise_cosine(longer);
    CHECK(within(stretched.mean, 1.0L, 1e-15L));
    CHECK(stretched.std < 1e-30);
  }
}

TEST_CASE("with one dimension cosines are 1 or -1", "[cosine]") {
  Dense<double> z(4, 1);
  z << 1, -7, 1e-300, 1e300;
  const Cosine result = pairwise_cosine(z);
  CHECK(std::abs(result.mean) < 1e-15);
  CHECK(std::abs(result.std - 1.0) < 1e-15);
  CHECK(result.min == -1.0);
  CHECK(result.max == 1.0);
  CHECK(result.pairs == 6);
}

TEST_CASE("rows of length 0 take no part in mean and std", "[cosine]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{80, 6}, {20, 60}, {50, 55}}) {
    CAPTURE(n, d);
    const Dense<double> rest = reference::gaussian<double>(n, d, 269, 0.4);
    Dense<double> z = Dense<double>::Zero(n + 4, d);
    z.middleRows(1, n - 2) = rest.topRows(n - 2);
    z.middleRows(n + 1, 2) = rest.bottomRows(2);
    CHECK(alike(pairwise_cosine(z), pairwise_cosine(rest)));
    const reference::MeanStd distance = distances_of(rest);
    CHECK(within(pairwise_cosine(z).mean, 1.0L - distance.mean, 1e-15L));
    CHECK(near(pairwise_cosine(z).std, distance.std, 1e-13L));
  }
  // Among equal rows too: where all that is left of the directions is 0.
  for (const Index d : {2, 30}) {
    Dense<double> z = Dense<double>::Zero(9, d);
    z.topRows(5).setConstant(0.7);
    const Cosine result = pairwise_cosine(z);
    CHECK(within(result.mean, 1.0L, 1e-15L));
    CHECK(result.std == 0.0);
    CHECK(result.pairs == 10);
  }
}

TEST_CASE("a row equal to the mean direction is a row like any other", "[cosine]") {
  // Directions at -60, 0 and 60 degrees in a plane: what is left of the middle one is along the mean.
  const double half = std::sqrt(0.75);
  Dense<double> z(3, 2);
  z << 0.5, half, 1.0, 0.0, 0.5, -half;
  // Cosines 1/2, 1/2 and -1/2.
  check_cosines(z, 1.0L / 6.0L, std::sqrt(2.0L) / 3.0L, 1e-14L);
}

TEST_CASE("fewer than two directions have no cosine", "[cosine]") {
  for (const Index d : {1, 2, 40}) {
    CAPTURE(d);
    check_undefined(pairwise_cosine(reference::gaussian<double>(1, d, 271)));
    check_undefined(pairwise_cosine(Dense<double>::Zero(1, d)));
    check_undefined(pairwise_cosine(Dense<double>::Zero(12, d)));
    Dense<double> single = Dense<double>::Zero(12, d);
    single(5, 0) = 1e-320;
    check_undefined(pairwise_cosine(single));
  }
}

TEMPLATE_TEST_CASE("denormal rows have cosines", "[cosine]", float, double, Eigen::half) {
  const double unit = linalg::to_double(std::numeric_limits<TestType>::denorm_min());
  for (const Index d : {4, 50}) {
    CAPTURE(d);
    const Dense<double> plain = reference::gaussian<double>(30, d, 273, 5.0, 30.0).array().round();
    CHECK(alike(pairwise_cosine(narrowed<TestType>(plain * unit)), pairwise_cosine(plain)));
  }
}

TEST_CASE("rows whose length exceeds the largest double have cosines", "[cosine]") {
  Dense<double> z(3, 2);
  z << 1.7e308, 1.7e308, -1.7e308, 1.7e308, 1.7e308, 0.0;
  // Cosines 0, sqrt(1/2) and -sqrt(1/2).
  check_cosines(z, 0.0L, std::sqrt(1.0L / 3.0L), 1e-14L);
}

TEMPLATE_TEST_CASE("cosines refuse non-finite rows, or leave them out", "[cosine]", float, double, Eigen::half) {
  for (const Index d : {5, 70}) {
    const Dense<TestType> rest = reference::gaussian<TestType>(30, d, 275, 1.0);
    for (const double bad : {not_a_number, infinity, -infinity}) {
      CAPTURE(d, bad);
      Dense<TestType> z(32, d);
      z << rest.topRows(9), rest.topRows(1), rest.bottomRows(21), rest.topRows(1);
      z(9, 3) = z(31, 0) = reference::narrow<TestType>(bad);
      try {
        static_cast<void>(pairwise_cosine(z));
        FAIL("accepted");
      } catch (const NonFiniteError& error) {
        CHECK(error.row() == 9);
        CHECK(error.col() == 3);
      }
      const Cosine skipped = pairwise_cosine(z, {.nonfinite = NonFinite::skip_rows});
      CHECK(same_moments(skipped, pairwise_cosine(rest)));
      CHECK(skipped.pairs == 435);
    }
  }
  Dense<TestType> lonely = reference::gaussian<TestType>(2, 3, 277);
  lonely(0, 1) = reference::narrow<TestType>(not_a_number);
  check_undefined(pairwise_cosine(lonely, {.nonfinite = NonFinite::skip_rows}));
  CHECK_THROWS_AS(pairwise_cosine(Dense<TestType>(0, 3)), ShapeError);
  CHECK_THROWS_AS(pairwise_cosine(Dense<TestType>(3, 0)), ShapeError);
}

TEST_CASE("cosine moments know the mean distance to all its digits", "[cosine]") {
  for (const double t : {1e-3, 1e-8, 1e-30}) {
    CAPTURE(t);
    Dense<double> z(6, 2);
    for (Index i = 0; i < 6; ++i) z.row(i) << 2.0, (i % 2 == 0 ? 2.0 * t : -2.0 * t);
    const linalg::Evaluated<Dense<double>> evaluated(z);
    const auto statistics =
        statistics::direction_statistics(evaluated.view(), statistics::scan_rows(evaluated.view(), NonFinite::reject));
    CHECK(statistics.products() == nullptr);
    const auto step = static_cast<Real>(t);
    CHECK(
        near(cosine_moments(statistics.sums).mean_distance, 0.6L * 2.0L * step * step / (1.0L + step * step), 1e-14L));
  }
  const CosineMoments none = cosine_moments(DirectionSums(3, 3));
  CHECK(std::isnan(none.mean));
  CHECK(std::isnan(none.std));
  CHECK(std::isnan(none.mean_distance));
}

TEST_CASE("a sample of two rows is one pair, and tells nothing about its error", "[cosine]") {
  for (const Index d : {8, 120}) {
    CAPTURE(d);
    const Dense<float> z = reference::gaussian<float>(90, d, 279, 0.4);
    const Cosine sampled = pairwise_cosine(z, {.pair_rows = 2});
    CHECK_FALSE(sampled.exact);
    CHECK(sampled.pairs == 1);
    CHECK(sampled.sampled_rows == 2);
    CHECK(sampled.min == sampled.max);
    CHECK(sampled.p50 == sampled.min);
    CHECK(std::isnan(sampled.standard_error.p50));
    CHECK(same_moments(sampled, pairwise_cosine(z)));
  }
}
