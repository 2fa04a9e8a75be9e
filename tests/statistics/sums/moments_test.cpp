#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/sums/sums.hpp>

#include <limits>
#include <string>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

template <class Scalar>
Moments moments_of(const linalg::MatrixView<Scalar>& view, NonFinite policy = NonFinite::reject) {
  return statistics::sum_rows(view, statistics::scan_rows(view, policy)).moments;
}

struct Deviation {
  Real mean = 0.0L;         ///< of mean + mean_low, over the standard deviation (over 1 where that is 0)
  Real sum_squares = 0.0L;  ///< relative
};

template <class Scalar>
Deviation deviation(const Dense<Scalar>& z, const Moments& moments) {
  const reference::Matrix wide = reference::widened(z);
  const reference::Matrix shifted = wide.rowwise() - wide.row(0);
  const reference::Vector mean = reference::mean_row(shifted);
  const reference::Matrix x = reference::centred(wide);
  Deviation worst;
  for (Index d = 0; d < z.cols(); ++d) {
    const Real expected = x.col(d).squaredNorm();
    const Real std = std::sqrt(expected / static_cast<Real>(z.rows()));
    const Real measured = std::ldexp(static_cast<Real>(moments.sum_squares(d)), 2 * moments.exponent(d));
    // Relative to the first row: of a mean far from 0, long double too would lose what mean_low holds.
    const Real unit = std::ldexp(1.0L, moments.exponent(d));
    const Real from_first =
        (static_cast<Real>(moments.mean(d)) * unit - wide(0, d)) + static_cast<Real>(moments.mean_low(d)) * unit;
    const Real difference = std::abs(from_first - mean(d));
    worst.mean = std::max(worst.mean, std > 0.0L ? difference / std : difference);
    if (z.rows() > 1 && expected > 0.0L)
      worst.sum_squares = std::max(worst.sum_squares, std::abs(measured - expected) / expected);
  }
  return worst;
}

bool same(const Moments& a, const Moments& b) {
  using reference::same_bits;
  return a.count == b.count && a.dims == b.dims && same_bits(a.mean, b.mean) && same_bits(a.mean_low, b.mean_low) &&
         same_bits(a.sum_squares, b.sum_squares) && a.exponent == b.exponent && a.input_epsilon == b.input_epsilon;
}

}  // namespace

TEMPLATE_TEST_CASE("mean and sum of squares are those of long double loops", "[moments]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {2, 15, 16, 17, 63, 64, 65, 96, 257, 4097}) {
    for (const Index d : {1, 2, 8, 65}) {
      if (n > 1000 && d > 8) continue;
      CAPTURE(n, d);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 11, 0.5);
      const Moments result = moments(z);
      CHECK(result.count == n);
      CHECK(result.dims == d);
      CHECK(result.input_epsilon == linalg::input_epsilon<TestType>());
      CHECK_FALSE(result.scaled());
      const Deviation worst = deviation(z, result);
      CHECK(worst.mean < 2e-15L);
      CHECK(worst.sum_squares < 1e-14L);
    }
  }
}

TEMPLATE_TEST_CASE("moments have the same bits in every layout", "[moments]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(131, 37);
  const Moments expected = moments(z);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    CHECK(same(moments_of(view), expected));
  });
}

TEST_CASE("moments have the same bits whatever the number of threads", "[moments]") {
  const Dense<double> z = reference::gaussian<double>(5000, 33, 1, 100.0);
  const Moments expected = moments(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(moments(z), expected));
  });
}

TEST_CASE("a mean that is huge against the spread costs no digits", "[moments]") {
  for (const double spread : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(spread);
    // Rounding to double has made z what it is; the moments are those of the rounded numbers. Near 1e6 the spacing is
    // 1e-10: the mean needs its second part to be right to a small fraction of the spread.
    const Dense<double> z = reference::gaussian<double>(3000, 7, 5, 1e6, spread);
    const Deviation worst = deviation(z, moments(z));
    CHECK(worst.mean < 1e-13L);
    CHECK(worst.sum_squares < 1e-13L);
  }
  const Dense<float> rows = reference::around_a_point<float>(2000, 20, 1e-6);
  const Deviation worst = deviation(rows, moments(rows));
  CHECK(worst.mean < 1e-13L);
  CHECK(worst.sum_squares < 1e-13L);
}

TEST_CASE("a first row far from the others costs no digits", "[moments]") {
  Dense<double> z = reference::gaussian<double>(1000, 5, 8, 1.0, 1e-3);
  z.row(0).setConstant(1e9);
  const Deviation worst = deviation(z, moments(z));
  CHECK(worst.mean < 1e-15L);
  CHECK(worst.sum_squares < 1e-14L);
}

TEST_CASE("a constant dimension has exactly no spread", "[moments]") {
  Dense<float> z = reference::gaussian<float>(777, 4);
  z.col(1).setConstant(0.1F);
  z.col(2).setConstant(-3e30F);
  z.col(3).setZero();
  const Moments result = moments(z);
  CHECK(result.sum_squares(0) > 0.0);
  CHECK(result.sum_squares(1) == 0.0);
  CHECK(result.sum_squares(2) == 0.0);
  CHECK(result.sum_squares(3) == 0.0);
  CHECK(result.mean(1) == static_cast<double>(0.1F));
  CHECK(result.mean_low(1) == 0.0);
}

TEST_CASE("one row is its own mean without a spread", "[moments]") {
  const Dense<double> z = reference::gaussian<double>(1, 6);
  const Moments result = moments(z);
  CHECK(result.count == 1);
  CHECK(reference::same_bits(result.mean, z.row(0).transpose()));
  CHECK(result.sum_squares.isZero(0));
}

TEST_CASE("moments keep their digits at every scale", "[moments]") {
  for (const double scale : {1e-300, 1e-150, 1e-80, 1e80, 1e150, 1e300}) {
    CAPTURE(scale);
    const Dense<double> z = reference::gaussian<double>(200, 5, 3, 0.7) * scale;
    const Moments result = moments(z);
    CHECK(result.scaled());
    CHECK(result.sum_squares.allFinite());
    const Deviation worst = deviation(z, result);
    CHECK(worst.mean < 2e-15L);
    CHECK(worst.sum_squares < 1e-14L);
  }
  CHECK_FALSE(moments(Dense<double>(reference::gaussian<double>(20, 3) * 1e60)).scaled());
}

TEST_CASE("denormal dimensions have a spread", "[moments]") {
  Dense<double> z(4, 2);
  z << 0, 1, 10 * 5e-324, 2, 20 * 5e-324, 3, 30 * 5e-324, 4;
  const Moments result = moments(z);
  // 500 squared units of the smallest denormal.
  const Real sum = std::ldexp(static_cast<Real>(result.sum_squares(0)), 2 * result.exponent(0));
  CHECK(std::abs(sum / (static_cast<Real>(5e-324) * static_cast<Real>(5e-324)) - 500.0L) < 1e-9L);
  CHECK(std::abs(std::ldexp(result.sum_squares(1), 2 * result.exponent(1)) - 5.0) < 1e-14);
}

TEST_CASE("dimensions of wildly different scales each keep their digits", "[moments]") {
  Dense<double> z = reference::gaussian<double>(300, 9, 6, 0.4);
  for (Index d = 0; d < 9; ++d) z.col(d) *= std::pow(10.0, -300.0 + 75.0 * static_cast<double>(d));
  const Moments result = moments(z);
  const Deviation worst = deviation(z, result);
  CHECK(worst.mean < 1e-14L);
  CHECK(worst.sum_squares < 1e-14L);
  CHECK(result.common_exponent() == result.exponent.maxCoeff());
  const reference::Matrix wide = reference::widened(z);
  const int common = result.common_exponent();
  const Real largest = std::ldexp(reference::centred(wide).col(8).squaredNorm(), -2 * common);
  CHECK(std::abs(static_cast<Real>(result.common_sum_squares()(8)) - largest) <= 1e-14L * largest);
  CHECK(result.common_sum_squares()(0) == 0.0);
  CHECK(std::abs(static_cast<Real>(result.common_mean()(8)) - std::ldexp(reference::mean_row(wide)(8), -common)) <
        1e-14L);
  const Real rms = std::ldexp(std::sqrt(wide.squaredNorm() / 2700.0L), -common);
  CHECK(std::abs(static_cast<Real>(result.common_rms()) - rms) <= 1e-14L * rms);
}

TEST_CASE("a dimension of zeros does not set the unit of tiny ones", "[moments]") {
  Dense<double> z = reference::gaussian<double>(50, 3) * 1e-290;
  z.col(1).setZero();
  const Moments result = moments(z);
  CHECK(result.common_exponent() < -900);
  CHECK(result.common_rms() > 0.1);
  CHECK(result.common_sum_squares()(1) == 0.0);
}

TEST_CASE("the root mean square counts the mean", "[moments]") {
  const Dense<double> z = reference::gaussian<double>(400, 6, 2, 5.0, 2.0);
  const Real rms = std::sqrt(reference::widened(z).squaredNorm() / 2400.0L);
  CHECK(std::abs(static_cast<Real>(moments(z).common_rms()) - rms) < 1e-14L);
  CHECK(moments(Dense<double>(Dense<double>::Zero(5, 2))).common_rms() == 0.0);
}

TEST_CASE("skipped rows take no part in the moments", "[moments]") {
  Dense<double> z = reference::gaussian<double>(100, 4, 2, 7.0);
  z(0, 3) = std::numeric_limits<double>::quiet_NaN();
  z(70, 0) = std::numeric_limits<double>::infinity();
  Dense<double> rest(98, 4);
  rest << z.middleRows(1, 69), z.bottomRows(29);
  const Moments result = moments(z, {.nonfinite = NonFinite::skip_rows});
  CHECK(result.count == 98);
  const Deviation worst = deviation(rest, result);
  CHECK(worst.mean < 1e-14L);
  CHECK(worst.sum_squares < 1e-14L);
  CHECK_THROWS_AS(moments(z), NonFiniteError);
}

TEST_CASE("moments of an expression are those of its value", "[moments]") {
  const Dense<float> z = reference::gaussian<float>(60, 5);
  CHECK(same(moments(2.0F * z.topRows(50)), moments(Dense<float>(2.0F * z.topRows(50)))));
}

TEST_CASE("equal rows have their own mean, exactly", "[moments]") {
  const Dense<float> row = reference::gaussian<float>(1, 50);
  const Moments result = moments(row.replicate(1000, 1));
  for (Index d = 0; d < 50; ++d) CHECK(result.mean(d) == static_cast<double>(row(0, d)));
  CHECK(result.mean_low.isZero(0));
  CHECK(result.sum_squares.isZero(0));
}

TEST_CASE("values near the largest double have a mean", "[moments]") {
  Dense<double> z(4, 2);
  z << 1.6e308, 1.0, -1.6e308, 2.0, 1.5e308, 3.0, -1.5e308, 4.0;
  const Moments result = moments(z);
  CHECK(result.mean.allFinite());
  CHECK(result.sum_squares.allFinite());
  CHECK(std::abs(std::ldexp(result.mean(0), result.exponent(0))) < 1e293);
}
