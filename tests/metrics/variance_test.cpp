#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/variance.hpp>

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

struct Expected {
  std::vector<Real> per_dimension;
  Real total = 0.0L;
  Real median = 0.0L;
  Real hinge = 0.0L;
  Real dispersion = 0.0L;
  Real normalized_std = 0.0L;
  Index dead = 0;
  Index low = 0;
};

std::vector<Real> sample_variances(const reference::Matrix& z) {
  std::vector<Real> result;
  for (Index d = 0; d < z.cols(); ++d) {
    Real mean = 0.0L;
    for (Index i = 0; i < z.rows(); ++i) mean += (z(i, d) - z(0, d)) / static_cast<Real>(z.rows());
    Real sum = 0.0L;
    for (Index i = 0; i < z.rows(); ++i) sum += std::pow((z(i, d) - z(0, d)) - mean, 2.0L);
    result.push_back(sum / static_cast<Real>(z.rows() - 1));
  }
  return result;
}

/// The block by plain loops over the definitions.
template <class Scalar>
Expected expected_of(const Dense<Scalar>& z) {
  const reference::Matrix wide = reference::widened(z);
  const auto n = static_cast<Real>(z.rows());
  const auto dims = static_cast<Real>(z.cols());
  Expected result;
  result.per_dimension = sample_variances(wide);
  for (const Real variance : result.per_dimension) {
    result.total += variance;
    result.hinge += std::max(0.0L, 1.0L - std::sqrt(variance + 1e-4L)) / dims;
  }
  for (Index d = 0; d < z.cols(); ++d) {
    const Real std = std::sqrt(result.per_dimension[static_cast<std::size_t>(d)]);
    const Real rms = std::sqrt(wide.col(d).squaredNorm() / n);
    if (std <= static_cast<Real>(linalg::input_epsilon<Scalar>()) * rms) ++result.dead;
    if (std < 1e-2L * std::sqrt(result.total / dims)) ++result.low;
  }
  std::vector<Real> ascending = result.per_dimension;
  std::sort(ascending.begin(), ascending.end());
  result.median = reference::quantile(ascending, 0.5L);
  result.dispersion = result.total * (n - 1.0L) / n / (wide.squaredNorm() / n);
  for (const Real variance : sample_variances(reference::unit_rows(wide)))
    result.normalized_std += std::sqrt(variance) / dims;
  return result;
}

template <class Scalar>
void check_against(const Variance& measured, const Dense<Scalar>& z, Real tolerance) {
  const Expected expected = expected_of(z);
  REQUIRE(measured.per_dimension.size() == z.cols());
  for (Index d = 0; d < z.cols(); ++d)
    CHECK(near(measured.per_dimension(d), expected.per_dimension[static_cast<std::size_t>(d)], tolerance));
  CHECK(measured.min == measured.per_dimension.minCoeff());
  CHECK(measured.max == measured.per_dimension.maxCoeff());
  CHECK(near(measured.median, expected.median, tolerance));
  CHECK(near(measured.total, expected.total, tolerance));
  CHECK(near(measured.mean, expected.total / static_cast<Real>(z.cols()), tolerance));
  CHECK(std::abs(static_cast<Real>(measured.hinge) - expected.hinge) < tolerance);
  CHECK(near(measured.dispersion, expected.dispersion, tolerance));
  CHECK(near(measured.normalized_std, expected.normalized_std, tolerance));
  CHECK(measured.dead_dimensions == expected.dead);
  CHECK(measured.low_dimensions == expected.low);
}

bool same(const Variance& a, const Variance& b) {
  return reference::same_bits(a.per_dimension, b.per_dimension) && a.min == b.min && a.mean == b.mean &&
         a.max == b.max && a.median == b.median && a.total == b.total && a.hinge == b.hinge &&
         a.normalized_std == b.normalized_std && a.dispersion == b.dispersion &&
         a.dead_dimensions == b.dead_dimensions && a.low_dimensions == b.low_dimensions;
}

void check_undefined(const Variance& variance, Index dims) {
  CHECK(variance.per_dimension.size() == dims);
  for (const double value : variance.per_dimension) CHECK(std::isnan(value));
  for (const double value : {variance.min, variance.mean, variance.max, variance.median, variance.total, variance.hinge,
                             variance.dispersion, variance.normalized_std}) {
    CHECK(std::isnan(value));
  }
  CHECK(variance.dead_dimensions == 0);
  CHECK(variance.low_dimensions == 0);
}

Eigen::MatrixXd rotation(Index d) {
  return Eigen::HouseholderQR<Eigen::MatrixXd>(reference::gaussian<double>(d, d, 149)).householderQ();
}

}  // namespace

TEMPLATE_TEST_CASE("variances of small whole numbers are known", "[variance]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  Dense<TestType> z(4, 4);
  const double values[4][4] = {{1, 0, 5, 3}, {-1, 0, 5, 3}, {1, 0, 5, 3}, {-1, 6, 5, 9}};
  for (Index i = 0; i < 4; ++i) {
    for (Index d = 0; d < 4; ++d) z(i, d) = reference::narrow<TestType>(values[i][d]);
  }
  const Variance result = per_dimension_variance(z);
  REQUIRE(result.per_dimension.size() == 4);
  CHECK(near(result.per_dimension(0), 4.0L / 3.0L, 1e-15L));
  CHECK(result.per_dimension(1) == 9.0);
  CHECK(result.per_dimension(2) == 0.0);
  CHECK(result.per_dimension(3) == 9.0);
  CHECK(result.min == 0.0);
  CHECK(result.max == 9.0);
  CHECK(near(result.median, 31.0L / 6.0L, 1e-15L));
  CHECK(near(result.total, 58.0L / 3.0L, 1e-15L));
  CHECK(near(result.mean, 29.0L / 6.0L, 1e-15L));
  CHECK(result.dead_dimensions == 1);
  CHECK(result.low_dimensions == 1);
  // Only the constant dimension is short of 1: by 1 - sqrt(1e-4).
  CHECK(near(result.hinge, 0.99L / 4.0L, 1e-15L));
  // tr C_0 = 58/4; mean square length = (4 + 36 + 100 + 108) / 4.
  CHECK(near(result.dispersion, 58.0L / 248.0L, 1e-15L));
}

TEST_CASE("the standard basis has variance 1 / D everywhere", "[variance]") {
  for (const Index d : {2, 3, 17, 64, 100}) {
    CAPTURE(d);
    const auto dims = static_cast<Real>(d);
    const Variance result = per_dimension_variance(Dense<float>::Identity(d, d));
    CHECK(near(result.min, 1.0L / dims, 1e-14L));
    CHECK(near(result.max, 1.0L / dims, 1e-14L));
    CHECK(near(result.median, 1.0L / dims, 1e-14L));
    CHECK(near(result.total, 1.0L, 1e-14L));
    CHECK(near(result.dispersion, 1.0L - 1.0L / dims, 1e-14L));
    CHECK(near(result.normalized_std, 1.0L / std::sqrt(dims), 1e-14L));
    CHECK(near(result.hinge, 1.0L - std::sqrt(1.0L / dims + 1e-4L), 1e-14L));
    CHECK(result.dead_dimensions == 0);
    CHECK(result.low_dimensions == 0);
  }
}

TEST_CASE("rows in opposite pairs have dispersion 1", "[variance]") {
  for (const Index d : {1, 5, 40}) {
    CAPTURE(d);
    const Dense<double> half = reference::gaussian<double>(30, d, 141);
    Dense<double> z(60, d);
    z << half, -half;
    const double dispersion = per_dimension_variance(z).dispersion;
    CHECK(std::abs(dispersion - 1.0) < 1e-14);
    CHECK(dispersion <= 1.0);
  }
}

TEST_CASE("normalized std of plus and minus the basis is that of unit vectors without a mean", "[variance]") {
  for (const Index d : {1, 4, 50}) {
    CAPTURE(d);
    Dense<double> z(2 * d, d);
    z << Dense<double>::Identity(d, d), -Dense<double>::Identity(d, d);
    // Lengths have no influence.
    for (Index i = 0; i < 2 * d; ++i) z.row(i) *= static_cast<double>(1 + i * i);
    CHECK(near(per_dimension_variance(z).normalized_std, std::sqrt(2.0L / static_cast<Real>(2 * d - 1)), 1e-14L));
  }
}

TEST_CASE("the median is the middle variance, or the mean of the two in the middle", "[variance]") {
  const auto with_variances = [](const std::vector<double>& variances) {
    Dense<double> z(2, static_cast<Index>(variances.size()));
    for (Index d = 0; d < z.cols(); ++d) {
      // 2 a^2 is the variance of -a, a.
      const double a = std::sqrt(variances[static_cast<std::size_t>(d)] / 2.0);
      z.col(d) << -a, a;
    }
    return per_dimension_variance(z).median;
  };
  CHECK(near(with_variances({8}), 8.0L, 1e-15L));
  CHECK(near(with_variances({2, 18}), 10.0L, 1e-15L));
  CHECK(near(with_variances({98, 2, 18}), 18.0L, 1e-15L));
  CHECK(near(with_variances({98, 2, 50, 18}), 34.0L, 1e-15L));
  CHECK(near(with_variances({2, 2, 2, 98, 98}), 2.0L, 1e-15L));
  CHECK(near(with_variances({98, 32, 2, 2, 98, 8}), 20.0L, 1e-15L));
  CHECK(with_variances({0, 0, 0, 2}) == 0.0);
}

TEST_CASE("the hinge looks at each dimension alone, and at 1 only from below", "[variance]") {
  // Variances 0, 0.25, 1, 4 and 100.
  Dense<double> z(2, 5);
  z << 0, 0.5, 1, 2, 10, 0, 0, 0, 0, 0;
  z *= std::sqrt(2.0);
  const Real expected = (0.99L + 1.0L - std::sqrt(0.2501L)) / 5.0L;
  CHECK(near(per_dimension_variance(z).hinge, expected, 1e-15L));
  CHECK(near(per_dimension_variance(Dense<float>::Ones(7, 3)).hinge, 0.99L, 1e-15L));
  CHECK(per_dimension_variance(reference::gaussian<float>(50, 6, 143, 0.0, 10.0)).hinge == 0.0);
}

TEMPLATE_TEST_CASE("the variance block is that of long double loops", "[variance]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] :
       {std::pair<Index, Index>{2, 2}, {3, 1}, {2, 70}, {17, 16}, {16, 17}, {255, 5}, {256, 5}, {600, 9}, {30, 130}}) {
    for (const double offset : {0.0, 3.0}) {
      CAPTURE(n, d, offset);
      Dense<double> wide = reference::gaussian<double>(n, d, 145, offset);
      for (Index j = 0; j < d; ++j) wide.col(j) *= std::pow(1.7, static_cast<double>(-(j % 12)));
      const Dense<TestType> z = wide.unaryExpr([](double value) { return reference::narrow<TestType>(value); });
      if (d > 1) {
        check_against(per_dimension_variance(z), z, 1e-13L);
        continue;
      }
      // All directions are alike or opposite.
      const Expected expected = expected_of(z);
      const Variance measured = per_dimension_variance(z);
      CHECK(near(measured.total, expected.total, 1e-13L));
      CHECK(near(measured.dispersion, expected.dispersion, 1e-13L));
      CHECK(std::abs(static_cast<Real>(measured.normalized_std) - expected.normalized_std) < 1e-15L);
    }
  }
}

TEST_CASE("a mean that is huge against the spread leaves the variance and a tiny dispersion", "[variance]") {
  for (const double spread : {1.0, 1e-3}) {
    CAPTURE(spread);
    const Dense<double> z = reference::gaussian<double>(400, 6, 147, 1e6, spread);
    const Expected expected = expected_of(z);
    const Variance result = per_dimension_variance(z);
    for (Index d = 0; d < 6; ++d)
      CHECK(near(result.per_dimension(d), expected.per_dimension[static_cast<std::size_t>(d)], 1e-13L));
    CHECK(near(result.total, expected.total, 1e-13L));
    CHECK(near(result.dispersion, expected.dispersion, 1e-13L));
    // Directions are rounded at 1e-16 and differ by spread / 1e6.
    CHECK(near(result.normalized_std, expected.normalized_std, 1e-10L / static_cast<Real>(spread)));
    CHECK(result.dead_dimensions == 0);
  }
}

TEMPLATE_TEST_CASE("the variance block has the same bits in every layout", "[variance]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  Dense<TestType> z = reference::gaussian<TestType>(131, 37, 151, 0.5);
  z.row(9).setZero();
  const Variance expected = per_dimension_variance(z);
  CHECK(same(per_dimension_variance(reference::RowMajor<TestType>(z)), expected));
  const Dense<TestType> dims_as_rows = z.transpose();
  CHECK(same(per_dimension_variance(dims_as_rows.transpose()), expected));
  Dense<TestType> larger = Dense<TestType>::Constant(140, 50, reference::narrow<TestType>(not_a_number));
  larger.block(3, 5, 131, 37) = z;
  CHECK(same(per_dimension_variance(larger.block(3, 5, 131, 37)), expected));
  CHECK(same(per_dimension_variance(z.rowwise().reverse().rowwise().reverse()), expected));
}

TEST_CASE("the variance block has the same bits whatever the number of threads", "[variance]") {
  const Dense<double> z = reference::gaussian<double>(1500, 70, 153, 0.5);
  const Variance expected = per_dimension_variance(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(per_dimension_variance(z), expected));
  });
}

TEST_CASE("the order of rows leaves the variance block, the order of dimensions moves with it", "[variance]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{300, 11}, {11, 80}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 155, 0.5);
    const Variance expected = per_dimension_variance(z);
    const auto summaries_alike = [&](const Variance& other) {
      return near(other.total, static_cast<Real>(expected.total), 1e-13L) &&
             near(other.median, static_cast<Real>(expected.median), 1e-13L) &&
             near(other.hinge, static_cast<Real>(expected.hinge), 1e-13L) &&
             near(other.dispersion, static_cast<Real>(expected.dispersion), 1e-13L) &&
             near(other.normalized_std, static_cast<Real>(expected.normalized_std), 1e-13L);
    };
    const Variance by_rows = per_dimension_variance(z.colwise().reverse());
    CHECK(summaries_alike(by_rows));
    CHECK((by_rows.per_dimension - expected.per_dimension).cwiseAbs().maxCoeff() < 1e-14 * expected.max);
    const Variance by_dims = per_dimension_variance(z.rowwise().reverse());
    CHECK(summaries_alike(by_dims));
    CHECK(reference::same_bits(by_dims.per_dimension.reverse(), expected.per_dimension));
    CHECK(summaries_alike(per_dimension_variance(-z)));
  }
}

TEST_CASE("a rotation leaves the total and the dispersion", "[variance]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{200, 12}, {12, 60}}) {
    CAPTURE(n, d);
    Dense<double> z = reference::gaussian<double>(n, d, 157, 0.3);
    z.col(0) *= 10.0;
    const Variance expected = per_dimension_variance(z);
    const Variance turned = per_dimension_variance(z * rotation(d));
    CHECK(near(turned.total, static_cast<Real>(expected.total), 1e-13L));
    CHECK(near(turned.mean, static_cast<Real>(expected.mean), 1e-13L));
    CHECK(near(turned.dispersion, static_cast<Real>(expected.dispersion), 1e-13L));
    CHECK(turned.max < 0.9 * expected.max);
  }
}

TEST_CASE("a shift leaves the variances and takes the dispersion to what the lengths give", "[variance]") {
  // Whole numbers: the shift rounds nothing.
  const Dense<double> z = reference::gaussian<double>(100, 5, 159, 0.0, 100.0).array().round();
  const Variance expected = per_dimension_variance(z);
  const Dense<double> moved = z.array() + 100000.0;
  const Variance shifted = per_dimension_variance(moved);
  CHECK((shifted.per_dimension - expected.per_dimension).cwiseAbs().maxCoeff() < 1e-14 * expected.max);
  CHECK(near(shifted.dispersion,
             0.99L * static_cast<Real>(expected.total) * 100.0L / reference::widened(moved).squaredNorm(), 1e-14L));
}

TEST_CASE("variances scale with the square of the data, dispersion and normalized std not at all", "[variance]") {
  for (const Index n : {70, 6}) {
    const Dense<double> plain = reference::gaussian<double>(n, 9, 161, 0.4);
    const Variance expected = per_dimension_variance(plain);
    for (const int exponent : {-1000, -490, -300, -3, 3, 300, 490, 1000}) {
      CAPTURE(n, exponent);
      const Variance result = per_dimension_variance(plain * std::ldexp(1.0, exponent));
      CHECK(near(result.dispersion, static_cast<Real>(expected.dispersion), 1e-14L));
      CHECK(near(result.normalized_std, static_cast<Real>(expected.normalized_std), 1e-14L));
      CHECK(result.dead_dimensions == 0);
      CHECK(result.low_dimensions == 0);
      if (std::abs(exponent) > 490) continue;
      for (Index d = 0; d < 9; ++d)
        CHECK(near(std::ldexp(result.per_dimension(d), -2 * exponent), static_cast<Real>(expected.per_dimension(d)),
                   1e-14L));
      CHECK(near(std::ldexp(result.total, -2 * exponent), static_cast<Real>(expected.total), 1e-14L));
      CHECK(near(std::ldexp(result.mean, -2 * exponent), static_cast<Real>(expected.mean), 1e-14L));
      CHECK(near(std::ldexp(result.median, -2 * exponent), static_cast<Real>(expected.median), 1e-14L));
    }
    const Dense<double> large = plain * 1e150;
    check_against(per_dimension_variance(large), large, 1e-13L);
    const Dense<double> small = plain * 1e-150;
    check_against(per_dimension_variance(small), small, 1e-13L);
  }
}

TEST_CASE("variances beyond the range of double are infinite or 0, and what is scale free stays", "[variance]") {
  const Dense<double> plain = reference::gaussian<double>(50, 4, 163, 1.0);
  const Variance large = per_dimension_variance(plain * 1e200);
  CHECK(large.min == infinity);
  CHECK(large.median == infinity);
  CHECK(large.total == infinity);
  CHECK(large.hinge == 0.0);
  const Variance small = per_dimension_variance(plain * 1e-200);
  CHECK(small.max == 0.0);
  CHECK(small.total == 0.0);
  CHECK(near(small.hinge, 0.99L, 1e-15L));
  for (const Variance& result : {large, small}) {
    CHECK(near(result.dispersion, expected_of(plain).dispersion, 1e-13L));
    CHECK(near(result.normalized_std, expected_of(plain).normalized_std, 1e-13L));
    CHECK(result.dead_dimensions == 0);
    CHECK(result.low_dimensions == 0);
  }
}

TEST_CASE("the largest variances have a median", "[variance]") {
  // 2 a^2 = 1.28e308 and 1.62e308: each a double, their sum not.
  Dense<double> z(2, 2);
  z << 8e153, 9e153, -8e153, -9e153;
  const Variance result = per_dimension_variance(z);
  CHECK(near(result.max, 1.62e308L, 1e-15L));
  CHECK(near(result.median, 1.45e308L, 1e-15L));
  CHECK(near(result.mean, 1.45e308L, 1e-15L));
}

TEST_CASE("values near the largest double have a dispersion", "[variance]") {
  for (const Index d : {2, 6}) {
    CAPTURE(d);
    Dense<double> z(4, d);
    z.topRows(3).setConstant(1.7e308);
    z.row(3).setConstant(-1.7e308);
    // Mean 1/2 of the largest: 1 - 1/4 is spread.
    CHECK(near(per_dimension_variance(z).dispersion, 0.75L, 1e-14L));
  }
}

TEST_CASE("dimensions of wildly different scales each have their variance", "[variance]") {
  for (const Index n : {80, 4}) {
    Dense<double> z = reference::gaussian<double>(n, 7, 165, 0.4);
    for (Index d = 0; d < 7; ++d) z.col(d) *= std::pow(10.0, -150.0 + 50.0 * static_cast<double>(d));
    const Expected expected = expected_of(z);
    const Variance result = per_dimension_variance(z);
    for (Index d = 0; d < 7; ++d)
      CHECK(near(result.per_dimension(d), expected.per_dimension[static_cast<std::size_t>(d)], 1e-13L));
    CHECK(near(result.total, expected.total, 1e-13L));
    CHECK(near(result.dispersion, expected.dispersion, 1e-13L));
    CHECK(result.low_dimensions == 6);
    CHECK(result.dead_dimensions == 0);
  }
}

TEST_CASE("lengths of rows have no influence on the normalized std", "[variance]") {
  const Dense<double> plain = reference::gaussian<double>(90, 8, 167, 0.4);
  Dense<double> z = plain;
  reference::Random random(169);
  for (Index i = 0; i < 90; ++i) z.row(i) *= std::pow(10.0, 200.0 * random.uniform() - 100.0);
  CHECK(near(per_dimension_variance(z).normalized_std, expected_of(plain).normalized_std, 1e-13L));
  CHECK(near(per_dimension_variance(plain).normalized_std, expected_of(plain).normalized_std, 1e-13L));
}

TEMPLATE_TEST_CASE("a dimension is dead up to a std of one rounding of its values", "[variance]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  const double epsilon = linalg::input_epsilon<TestType>();
  for (const double size : {1.0, -512.0, 0.0625}) {
    CAPTURE(size);
    // Two rows a and a (1 + k eps): the std is k eps a / sqrt(2), ddof 1.
    const auto dead = [&](double steps, Index copies) {
      Dense<TestType> z(2 * copies, 1);
      for (Index i = 0; i < z.rows(); ++i)
        z(i, 0) = reference::narrow<TestType>(size * (i < copies ? 1.0 : 1.0 + steps * epsilon));
      return per_dimension_variance(z).dead_dimensions == 1;
    };
    CHECK(dead(0.0, 1));
    CHECK(dead(1.0, 1));
    CHECK_FALSE(dead(2.0, 1));
    // With many rows the std is half of the step.
    CHECK(dead(0.0, 50));
    CHECK(dead(1.0, 50));
    CHECK_FALSE(dead(3.0, 50));
  }
}

TEMPLATE_TEST_CASE("a constant dimension is dead whatever its value", "[variance]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {2, 300}) {
    Dense<TestType> z = reference::gaussian<TestType>(n, 6, 171);
    z.col(1).setZero();
    z.col(2).setConstant(reference::narrow<TestType>(0.1));
    z.col(4).setConstant(reference::narrow<TestType>(-3e4));
    z.col(5).setConstant(std::numeric_limits<TestType>::denorm_min());
    const Variance result = per_dimension_variance(z);
    CHECK(result.dead_dimensions == 4);
    CHECK(result.low_dimensions == 4);
    for (const Index d : {1, 2, 4, 5}) CHECK(result.per_dimension(d) == 0.0);
    CHECK(result.min == 0.0);
  }
}

TEST_CASE("a dimension lost in the rounding of its offset is dead, in the scalar of the input", "[variance]") {
  Dense<double> z = reference::gaussian<double>(200, 3, 173);
  z.col(1) = z.col(1).array() * 1e-5 + 1000.0;
  // Float holds 1000 to 6e-5, double to 1e-13.
  CHECK(per_dimension_variance(z).dead_dimensions == 0);
  const Dense<float> narrow = z.cast<float>();
  const Variance result = per_dimension_variance(narrow);
  CHECK(result.dead_dimensions == 1);
  CHECK(result.low_dimensions == 1);
  CHECK(result.per_dimension(1) < 1e-8);
}

TEST_CASE("a dimension is low below one hundredth of the root mean square std", "[variance]") {
  // The rms of 1 and s is sqrt((1 + s^2) / 2): the border lies at s = 0.0070714.
  const auto low = [](double s, double scale) {
    Dense<double> z(4, 2);
    z << 1, s, -1, -s, 1, s, -1, -s;
    return per_dimension_variance(z * scale).low_dimensions;
  };
  for (const double scale : {1.0, 1e-120, 1e120}) {
    CAPTURE(scale);
    CHECK(low(1.0, scale) == 0);
    CHECK(low(0.00708, scale) == 0);
    CHECK(low(0.00707, scale) == 1);
    CHECK(low(0.0, scale) == 1);
  }
  // Nothing is low where all dimensions are constant.
  CHECK(per_dimension_variance(Dense<float>::Constant(5, 3, 2.0F)).low_dimensions == 0);
}

TEST_CASE("a huge constant dimension does not hide which of the others are low", "[variance]") {
  for (const double constant : {0.0, 1.0, 1e100}) {
    CAPTURE(constant);
    Dense<double> z(4, 3);
    z << 1, 1e-9, 0, -1, -1e-9, 0, 1, 1e-9, 0, -1, -1e-9, 0;
    z *= 1e-100;
    z.col(2).setConstant(constant);
    const Variance result = per_dimension_variance(z);
    CHECK(result.low_dimensions == 2);
    CHECK(result.dead_dimensions == 1);
  }
}

TEST_CASE("equal rows have no variance and dispersion 0", "[variance]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 3}, {40, 3}, {5, 70}}) {
    CAPTURE(n, d);
    const Variance result = per_dimension_variance(reference::gaussian<float>(1, d, 175).replicate(n, 1));
    CHECK(result.per_dimension.isZero(0));
    CHECK(result.total == 0.0);
    CHECK(result.median == 0.0);
    CHECK(result.dispersion == 0.0);
    CHECK(result.normalized_std == 0.0);
    CHECK(result.dead_dimensions == d);
    CHECK(result.low_dimensions == 0);
    CHECK(near(result.hinge, 0.99L, 1e-15L));
  }
}

TEST_CASE("zeros have variance 0, and neither dispersion nor directions", "[variance]") {
  const Variance result = per_dimension_variance(Dense<float>::Zero(12, 4));
  CHECK(result.per_dimension.isZero(0));
  CHECK(result.dead_dimensions == 4);
  CHECK(result.total == 0.0);
  CHECK(std::isnan(result.dispersion));
  CHECK(std::isnan(result.normalized_std));
}

TEST_CASE("rows of length 0 take part in the variance and not in the normalized std", "[variance]") {
  const Dense<double> rest = reference::gaussian<double>(60, 5, 177, 0.5);
  Dense<double> z = Dense<double>::Zero(64, 5);
  z.middleRows(2, 60) = rest;
  const Variance result = per_dimension_variance(z);
  check_against(result, z, 1e-13L);
  CHECK(near(result.normalized_std, static_cast<Real>(per_dimension_variance(rest).normalized_std), 1e-14L));
  CHECK_FALSE(near(result.total, static_cast<Real>(per_dimension_variance(rest).total), 1e-3L));

  // One direction has no spread, but two rows have.
  Dense<double> single = Dense<double>::Zero(2, 2);
  single.row(1) << 3, 4;
  const Variance lonely = per_dimension_variance(single);
  CHECK(std::isnan(lonely.normalized_std));
  CHECK(lonely.total == 12.5);
  CHECK(lonely.dispersion == 0.5);
}

TEST_CASE("one row has no variance, whatever it holds", "[variance]") {
  for (const Index d : {1, 2, 80}) {
    CAPTURE(d);
    check_undefined(per_dimension_variance(reference::gaussian<float>(1, d, 179)), d);
    check_undefined(per_dimension_variance(Dense<double>::Zero(1, d)), d);
    check_undefined(per_dimension_variance(Dense<double>::Constant(1, d, 1e300)), d);
  }
}

TEST_CASE("repeating all rows scales the variances by what ddof 1 asks for", "[variance]") {
  const Dense<double> z = reference::gaussian<double>(20, 6, 181, 0.5);
  const Variance once = per_dimension_variance(z);
  const Variance thrice = per_dimension_variance(z.replicate(3, 1));
  CHECK(near(thrice.total, static_cast<Real>(once.total) * (3.0L * 19.0L) / 59.0L, 1e-14L));
  CHECK(near(thrice.normalized_std, static_cast<Real>(once.normalized_std) * std::sqrt(57.0L / 59.0L), 1e-14L));
  CHECK(near(thrice.dispersion, static_cast<Real>(once.dispersion), 1e-14L));
}

TEMPLATE_TEST_CASE("denormal dimensions are alive and have a dispersion", "[variance]", float, double, Eigen::half) {
  const double unit = linalg::to_double(std::numeric_limits<TestType>::denorm_min());
  Dense<TestType> z(4, 2);
  const double values[4][2] = {{0, 3}, {10, 5}, {20, 5}, {30, 3}};
  Dense<double> plain(4, 2);
  for (Index i = 0; i < 4; ++i) {
    for (Index d = 0; d < 2; ++d) {
      plain(i, d) = values[i][d];
      z(i, d) = reference::narrow<TestType>(values[i][d] * unit);
    }
  }
  const Variance result = per_dimension_variance(z);
  CHECK(result.dead_dimensions == 0);
  CHECK(result.low_dimensions == 0);
  CHECK(near(result.dispersion, expected_of(plain).dispersion, 1e-14L));
  CHECK(near(result.normalized_std, expected_of(plain).normalized_std, 1e-14L));
  if (!std::is_same_v<TestType, double>)
    CHECK(near(result.per_dimension(0), 500.0L / 3.0L * static_cast<Real>(unit * unit), 1e-14L));
}

TEMPLATE_TEST_CASE("the variance block refuses non-finite rows, or leaves them out", "[variance]", float, double,
                   Eigen::half) {
  const Dense<TestType> rest = reference::gaussian<TestType>(30, 5, 183, 1.0);
  for (const double bad : {not_a_number, infinity, -infinity}) {
    CAPTURE(bad);
    Dense<TestType> z(32, 5);
    z << rest.topRows(9), rest.topRows(1), rest.bottomRows(21), rest.topRows(1);
    z(9, 3) = z(31, 0) = reference::narrow<TestType>(bad);
    try {
      static_cast<void>(per_dimension_variance(z));
      FAIL("accepted");
    } catch (const NonFiniteError& error) {
      CHECK(error.row() == 9);
      CHECK(error.col() == 3);
    }
    CHECK(same(per_dimension_variance(z, {.nonfinite = NonFinite::skip_rows}), per_dimension_variance(rest)));
  }
  // One row left.
  Dense<TestType> lonely = rest.topRows(2);
  lonely(0, 0) = reference::narrow<TestType>(infinity);
  check_undefined(per_dimension_variance(lonely, {.nonfinite = NonFinite::skip_rows}), 5);
  CHECK_THROWS_AS(per_dimension_variance(Dense<TestType>(0, 3)), ShapeError);
  CHECK_THROWS_AS(per_dimension_variance(Dense<TestType>(3, 0)), ShapeError);
}
