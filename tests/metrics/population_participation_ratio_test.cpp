#include <collapse/metrics/population_participation_ratio.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/effective_rank.hpp>

#include <Eigen/QR>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The definition: averages over all ways to take four different rows.
template <class Derived>
Real by_quadruples(const Eigen::DenseBase<Derived>& z) {
  const reference::Matrix x = reference::centred(reference::widened(z)).transpose();
  Real trace_squared = 0.0L;
  Real square_trace = 0.0L;
  const Index n = x.cols();
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      for (Index k = 0; k < n; ++k) {
        for (Index l = 0; l < n; ++l) {
          if (i == j || i == k || i == l || j == k || j == l || k == l) continue;
          const reference::Vector a = x.col(i) - x.col(j);
          const reference::Vector b = x.col(k) - x.col(l);
          trace_squared += a.squaredNorm() * b.squaredNorm();
          square_trace += a.dot(b) * a.dot(b);
        }
      }
    }
  }
  return trace_squared / square_trace;
}

/// Gaussian rows whose dimension k has the variance values(k).
Dense<double> with_variances(Index rows, const Eigen::VectorXd& values, std::uint64_t seed) {
  Dense<double> z = reference::gaussian<double>(rows, values.size(), seed);
  for (Index k = 0; k < values.size(); ++k) z.col(k) *= std::sqrt(values(k));
  return z;
}

struct Spread {
  double bias;       ///< of the mean, relative to the truth
  double deviation;  ///< of one estimate, relative
};

/// Of 1 / ratio, whose numerator is the noisy part.
Spread simulate(Index rows, const Eigen::VectorXd& variances, int draws) {
  [[maybe_unused]] const test::OneThread one;
  const double truth = variances.squaredNorm() / (variances.sum() * variances.sum());
  double sum = 0.0;
  double squares = 0.0;
  for (int draw = 1; draw <= draws; ++draw) {
    const auto seed = static_cast<std::uint64_t>(draw);
    const double inverse = 1.0 / population_participation_ratio(with_variances(rows, variances, seed), {.seed = seed});
    sum += inverse / truth;
    squares += inverse / truth * inverse / truth;
  }
  const double mean = sum / draws;
  return {mean - 1.0, std::sqrt(squares / draws - mean * mean)};
}

Eigen::VectorXd flat(Index rank, Index dims) {
  Eigen::VectorXd variances = Eigen::VectorXd::Zero(dims);
  variances.head(rank).setOnes();
  return variances;
}

}  // namespace

TEST_CASE("the population's participation ratio is that of all differences of four rows", "[participation]") {
  for (const Index n : {4, 5, 6, 9}) {
    for (const Index d : {2, 3, 7}) {
      CAPTURE(n, d);
      const Dense<double> z = reference::gaussian<double>(n, d, 7, 2.0);
      const Real expected = std::min(by_quadruples(z), static_cast<Real>(d));
      CHECK(std::abs(static_cast<Real>(population_participation_ratio(z)) - expected) < 1e-12L * expected);
    }
  }
}

TEST_CASE("rows along one line participate in one direction", "[participation]") {
  for (const Index n : {4, 5, 16, 91, 300, 1200}) {
    CAPTURE(n);
    const Dense<float> line = reference::gaussian<float>(n, 1, 3) * Dense<float>::Constant(1, 20, 0.5F);
    const double ratio = population_participation_ratio(line);
    CHECK(ratio >= 1.0);
    CHECK(ratio < 1.0 + 1e-12);
  }
  CHECK(population_participation_ratio(reference::gaussian<double>(50, 1)) == 1.0);
}

TEST_CASE("rows of which no two are alike in any way are taken to fill the space", "[participation]") {
  // The differences of any four of them are orthogonal, so nothing but the number of dimensions limits the ratio.
  CHECK(population_participation_ratio(Eigen::MatrixXd::Identity(20, 20)) == 20.0);
  CHECK(population_participation_ratio(Eigen::MatrixXd::Identity(20, 30)) == 30.0);
}

TEST_CASE("the population's participation ratio does not depend on the number of rows", "[participation]") {
  constexpr Index dims = 60;
  for (const Index n : {16, 40, 150}) {
    CAPTURE(n);
    constexpr int draws = 80;
    const Spread spread = simulate(n, flat(12, dims), draws);
    CHECK(std::abs(spread.bias) < 3.5 * spread.deviation / std::sqrt(static_cast<double>(draws)));
  }
  // That of the sample does: 16 rows of 60 flat dimensions have about 12.
  CHECK(participation_ratio(with_variances(16, flat(dims, dims), 1)) < 15.0);
  CHECK(population_participation_ratio(with_variances(16, flat(dims, dims), 1)) > 35.0);
}

TEST_CASE("the standard error of the participation ratio is as documented", "[participation]") {
  constexpr Index dims = 60;
  constexpr int draws = 80;
  const auto pairs = [](Index n) { return static_cast<double>(std::min<Index>(n * (n - 1) / 2, 4096)); };
  for (const Index n : {24, 100}) {
    CAPTURE(n);
    const double expected = std::sqrt(2.0 / pairs(n));
    // The deviation of so many draws is known to 8 %. A rank of 30 is not quite "many".
    CHECK(std::abs(simulate(n, flat(30, dims), draws).deviation / expected - 1.0) < 0.25);
  }
  Eigen::VectorXd decaying(dims);
  for (Index k = 0; k < dims; ++k) decaying(k) = 1.0 / static_cast<double>(k + 1);
  const Eigen::VectorXd differences = decaying / decaying.sum() - decaying.cwiseAbs2() / decaying.squaredNorm();
  const double expected = std::sqrt(2.0 / pairs(100) + 8.0 / 100.0 * differences.squaredNorm());
  const Spread spread = simulate(100, decaying, draws);
  CHECK(std::abs(spread.deviation / expected - 1.0) < 0.25);
  CHECK(std::abs(spread.bias) < 3.5 * spread.deviation / std::sqrt(static_cast<double>(draws)));
}

TEST_CASE("heavy tails do not bias the population's participation ratio", "[participation]") {
  // Rows of a Gaussian times a random length: the covariance stays flat, and ||z||^4 is far from a Gaussian's.
  [[maybe_unused]] const test::OneThread one;
  constexpr Index n = 60;
  constexpr int draws = 150;
  double sum = 0.0;
  double squares = 0.0;
  for (int draw = 1; draw <= draws; ++draw) {
    Dense<double> z = reference::gaussian<double>(n, 40, static_cast<std::uint64_t>(draw));
    reference::Random random(static_cast<std::uint64_t>(1000 + draw));
    for (Index i = 0; i < n; ++i) z.row(i) *= std::exp(0.6 * random.normal());
    const double inverse = 40.0 / population_participation_ratio(z);
    sum += inverse;
    squares += inverse * inverse;
  }
  const double mean = sum / draws;
  const double deviation = std::sqrt(squares / draws - mean * mean);
  // Estimates are limited to the 40 dimensions, which lifts the mean of the inverse by 0.4 deviations.
  CHECK(std::abs(mean - 1.0 - 0.4 * deviation) < 0.25 * deviation);
  CHECK(deviation < 0.2);
}

TEST_CASE("the population's participation ratio does not turn with the space", "[participation]") {
  Eigen::VectorXd variances(20);
  for (Index k = 0; k < 20; ++k) variances(k) = 1.0 / static_cast<double>(k + 1);
  const Dense<double> z = with_variances(200, variances, 4);
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(reference::gaussian<double>(20, 20, 6));
  const Dense<double> turned = z * qr.householderQ();
  const double expected = population_participation_ratio(z);
  CHECK(std::abs(population_participation_ratio(turned) - expected) < 1e-12 * expected);
  CHECK(std::abs(population_participation_ratio((turned.array() + 5.0).matrix()) - expected) < 1e-10 * expected);
  CHECK(population_participation_ratio(z * 0x1p-700) == population_participation_ratio(z));
}

TEST_CASE("another order of the rows changes the participation ratio within its error", "[participation]") {
  const Dense<double> z = with_variances(400, flat(25, 50), 8);
  const Dense<double> reversed = z.colwise().reverse();
  const double a = population_participation_ratio(z);
  const double b = population_participation_ratio(reversed);
  CHECK(a != b);
  CHECK(std::abs(std::log(a / b)) < 4.0 * std::sqrt(2.0 * 2.0 / 4096.0));
  CHECK(population_participation_ratio(z, {.seed = 9}) != a);
  // Where all pairs are taken there is no such error.
  const Dense<double> few = z.topRows(80);
  const double expected = population_participation_ratio(few);
  CHECK(std::abs(population_participation_ratio(few.colwise().reverse()) - expected) < 1e-12 * expected);
}

TEMPLATE_TEST_CASE("the participation ratio near collapse is that of the differences", "[participation]", float,
                   double) {
  // 1e-6 apart around a unit vector: float holds some 30 steps of that.
  const Dense<TestType> z = reference::around_a_point<TestType>(80, 64, 1e-6);
  CHECK(population_participation_ratio(z) > 56.0);
}

TEMPLATE_TEST_CASE("a participation ratio of rows in low precision is that of their values", "[participation]",
                   Eigen::half, Eigen::bfloat16, float) {
  const Dense<TestType> z = reference::gaussian<TestType>(40, 12, 3, 0.5);
  const reference::Matrix widened = reference::widened(z);
  const Dense<double> wide = widened.cast<double>();
  const double expected = population_participation_ratio(wide);
  CHECK(std::abs(population_participation_ratio(z) - expected) < 1e-12 * expected);
}

TEST_CASE("too few different rows have no participation ratio of a population", "[participation]") {
  CHECK(std::isnan(population_participation_ratio(reference::gaussian<float>(1, 9))));
  CHECK(std::isnan(population_participation_ratio(reference::gaussian<float>(3, 9))));
  CHECK_FALSE(std::isnan(population_participation_ratio(reference::gaussian<float>(4, 9))));
  CHECK(std::isnan(population_participation_ratio(Eigen::MatrixXd::Zero(10, 3))));
  CHECK(std::isnan(population_participation_ratio(Eigen::MatrixXd::Constant(10, 3, 0.1))));
  for (const Index n : {4, 30, 200, 1000}) {
    CAPTURE(n);
    Dense<double> z = Dense<double>::Constant(n, 3, 0.1);
    z(n / 2, 1) = 7.0;
    CHECK(std::isnan(population_participation_ratio(z)));
  }
}

TEST_CASE("the population's participation ratio takes options and expressions", "[participation]") {
  Dense<float> z = reference::gaussian<float>(60, 5);
  const double expected = population_participation_ratio(Dense<float>(2.0F * z.topRows(50)));
  CHECK(population_participation_ratio(2.0F * z.topRows(50)) == expected);
  z(50, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(population_participation_ratio(z), NonFiniteError);
  CHECK(population_participation_ratio(z.topRows(51), {.nonfinite = NonFinite::skip_rows}) == expected);
  CHECK_THROWS_AS(population_participation_ratio(Eigen::MatrixXf(0, 3)), ShapeError);
}
