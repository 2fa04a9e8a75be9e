#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/variance.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <array>
#include <bit>
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

/// Columns 1 .. n - 1 of the Sylvester-Hadamard matrix: +-1, of mean 0, orthogonal to each other. n is a power of two.
Dense<double> hadamard(Index n) {
  Dense<double> z(n, n - 1);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 1; j < n; ++j)
      z(i, j - 1) = std::popcount(static_cast<unsigned>(i) & static_cast<unsigned>(j)) % 2 == 0 ? 1.0 : -1.0;
  }
  return z;
}

struct Expected {
  reference::Matrix correlation;  ///< 0 with a dead dimension
  Real penalty = 0.0L;
  Real mean_abs = 0.0L;
  Real redundancy = 0.0L;
  Real largest = 0.0L;
};

/// The block by plain loops over the definitions, pair by pair.
template <class Scalar>
Expected expected_of(const Dense<Scalar>& z) {
  const reference::Matrix wide = reference::widened(z);
  const reference::Matrix x = reference::centred(wide);
  const Index dims = z.cols();
  const auto n = static_cast<Real>(z.rows());
  std::vector<bool> live;
  for (Index d = 0; d < dims; ++d) {
    live.push_back(std::sqrt(x.col(d).squaredNorm() / (n - 1.0L)) >
                   static_cast<Real>(linalg::input_epsilon<Scalar>()) * std::sqrt(wide.col(d).squaredNorm() / n));
  }
  Expected result;
  result.correlation = reference::Matrix::Zero(dims, dims);
  Real pairs = 0.0L;
  for (Index d = 0; d < dims; ++d) {
    for (Index e = 0; e < dims; ++e) {
      if (d == e) continue;
      const Real covariance = x.col(d).dot(x.col(e)) / (n - 1.0L);
      result.penalty += covariance * covariance / static_cast<Real>(dims);
      if (!live[static_cast<std::size_t>(d)] || !live[static_cast<std::size_t>(e)]) continue;
      const Real r =
          std::abs(covariance) / std::sqrt(x.col(d).squaredNorm() / (n - 1.0L) * x.col(e).squaredNorm() / (n - 1.0L));
      result.correlation(d, e) = r;
      pairs += 1.0L;
      result.mean_abs += r;
      result.redundancy += r * r;
      result.largest = std::max(result.largest, r);
    }
  }
  result.mean_abs /= pairs;
  result.redundancy /= pairs;
  return result;
}

/// All but the penalty: that is not scale free.
void check_correlations(const Decorrelation& measured, const Expected& expected, Real tolerance) {
  CHECK(near(measured.mean_abs_correlation, expected.mean_abs, tolerance));
  CHECK(near(measured.rms_correlation, std::sqrt(expected.redundancy), tolerance));
  CHECK(near(measured.redundancy, expected.redundancy, tolerance));
  CHECK(near(measured.max_abs_correlation, expected.largest, tolerance));
  REQUIRE(measured.max_pair.has_value());
  const auto [first, second] = *measured.max_pair;
  CHECK(first < second);
  CHECK(expected.correlation(first, second) >= expected.largest * (1.0L - tolerance));
}

void check_undefined_correlations(const Decorrelation& result) {
  CHECK(std::isnan(result.mean_abs_correlation));
  CHECK(std::isnan(result.rms_correlation));
  CHECK(std::isnan(result.max_abs_correlation));
  CHECK(std::isnan(result.redundancy));
  CHECK_FALSE(result.max_pair.has_value());
}

bool same(const Decorrelation& a, const Decorrelation& b) {
  return a.covariance_penalty == b.covariance_penalty && a.mean_abs_correlation == b.mean_abs_correlation &&
         a.rms_correlation == b.rms_correlation && a.max_abs_correlation == b.max_abs_correlation &&
         a.redundancy == b.redundancy && a.max_pair == b.max_pair;
}

bool alike(const Decorrelation& a, const Decorrelation& b) {
  return near(a.mean_abs_correlation, static_cast<Real>(b.mean_abs_correlation), 1e-12L) &&
         near(a.rms_correlation, static_cast<Real>(b.rms_correlation), 1e-12L) &&
         near(a.redundancy, static_cast<Real>(b.redundancy), 1e-12L) &&
         near(a.max_abs_correlation, static_cast<Real>(b.max_abs_correlation), 1e-12L);
}

}  // namespace

TEST_CASE("orthogonal dimensions are not correlated", "[decorrelation]") {
  for (const Index n : {4, 16, 128}) {
    CAPTURE(n);
    // n - 1 dimensions: more rows than dimensions. With a constant dimension as well they are as many.
    Dense<double> square(n, n);
    square << hadamard(n), Dense<double>::Ones(n, 1);
    for (const Decorrelation& result : {decorrelation(hadamard(n)), decorrelation(square)}) {
      CHECK(result.covariance_penalty == 0.0);
      CHECK(result.mean_abs_correlation == 0.0);
      CHECK(result.rms_correlation == 0.0);
      CHECK(result.max_abs_correlation == 0.0);
      CHECK(result.redundancy == 0.0);
    }
  }
}

TEMPLATE_TEST_CASE("a dimension and a multiple of it have correlation 1", "[decorrelation]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<double> columns = hadamard(8);
  for (const double factor : {1.0, -3.0, 0.125}) {
    CAPTURE(factor);
    // Columns 1 and 4 of five repeat each other; one is dead.
    Dense<double> z(8, 5);
    z << columns.col(0), columns.col(1), Eigen::VectorXd::Constant(8, 2.0), columns.col(2), factor * columns.col(1);
    const Decorrelation result =
        decorrelation(z.unaryExpr([](double value) { return reference::narrow<TestType>(value); }));
    // Six pairs of four live dimensions, one of them correlated; C_14 = factor 8 / 7; the penalty is over five.
    CHECK(near(result.mean_abs_correlation, 1.0L / 6.0L, 1e-15L));
    CHECK(near(result.redundancy, 1.0L / 6.0L, 1e-15L));
    CHECK(near(result.rms_correlation, 1.0L / std::sqrt(6.0L), 1e-15L));
    CHECK(near(result.max_abs_correlation, 1.0L, 1e-15L));
    CHECK(result.max_pair == std::array<Index, 2>{1, 4});
    const Real covariance = static_cast<Real>(factor) * 8.0L / 7.0L;
    CHECK(near(result.covariance_penalty, 2.0L * covariance * covariance / 5.0L, 1e-15L));
  }
}

TEST_CASE("two dimensions and their sum", "[decorrelation]") {
  // a and b are orthogonal: R(a, a + b) = R(b, a + b) = 1 / sqrt(2), C = 4/3 each.
  Dense<double> z(4, 3);
  z << hadamard(4).leftCols(2), hadamard(4).col(0) + hadamard(4).col(1);
  for (const double offset : {0.0, 1000.0}) {
    const Decorrelation result = decorrelation((z.array() + offset).matrix());
    CHECK(near(result.mean_abs_correlation, std::sqrt(2.0L) / 3.0L, 1e-15L));
    CHECK(near(result.redundancy, 1.0L / 3.0L, 1e-15L));
    CHECK(near(result.rms_correlation, 1.0L / std::sqrt(3.0L), 1e-15L));
    CHECK(near(result.max_abs_correlation, 1.0L / std::sqrt(2.0L), 1e-15L));
    CHECK(near(result.covariance_penalty, 4.0L * (16.0L / 9.0L) / 3.0L, 1e-15L));
  }
}

TEST_CASE("dimensions that share a part are equally correlated", "[decorrelation]") {
  // z_d = a h_0 + 2 h_d: every pair has R = a^2 / (a^2 + 4) and C = a^2 n / (n - 1).
  for (const Index n : {8, 128, 256}) {
    for (const double a : {0.5, 1.0, 4.0}) {
      CAPTURE(n, a);
      const Dense<double> columns = hadamard(n);
      Dense<double> z = 2.0 * columns.rightCols(n - 2);
      z.colwise() += a * columns.col(0);
      const Decorrelation result = decorrelation(z);
      const Real square = static_cast<Real>(a) * static_cast<Real>(a);
      const Real r = square / (square + 4.0L);
      CHECK(near(result.mean_abs_correlation, r, 1e-14L));
      CHECK(near(result.rms_correlation, r, 1e-14L));
      CHECK(near(result.redundancy, r * r, 1e-14L));
      CHECK(near(result.max_abs_correlation, r, 1e-13L));
      const Real covariance = square * static_cast<Real>(n) / static_cast<Real>(n - 1);
      CHECK(near(result.covariance_penalty, covariance * covariance * static_cast<Real>(n - 3), 1e-14L));
    }
  }
}

TEST_CASE("copies of orthogonal dimensions are correlated with their own kind alone", "[decorrelation]") {
  // Fewer rows than dimensions, or more: 8 k dimensions are 7 columns (and a dead one), k of each, times +-1, +-2, ...
  for (const Index copies : {2, 11, 25, 30}) {
    CAPTURE(copies);
    Dense<double> kinds(8, 8);
    kinds << hadamard(8), Eigen::VectorXd::Constant(8, 0.1);
    for (const Index repeats : {1, 40}) {
      Dense<double> z = kinds.replicate(repeats, copies);
      Real penalty = 0.0L;
      const Real variance = static_cast<Real>(8 * repeats) / static_cast<Real>(8 * repeats - 1);
      const auto factor = [](Index copy) { return static_cast<double>((copy % 2 == 0 ? 1 : -1) * (1 + copy % 3)); };
      for (Index k = 0; k < copies; ++k) {
        z.middleCols(8 * k, 8) *= factor(k);
        for (Index l = 0; l < k; ++l)
          penalty += 2.0L * 7.0L * std::pow(static_cast<Real>(factor(k) * factor(l)) * variance, 2.0L);
      }
      const auto c = static_cast<Real>(copies);
      const Real share = 7.0L * c * (c - 1.0L) / (7.0L * c * (7.0L * c - 1.0L));
      const Decorrelation result = decorrelation(z);
      CHECK(near(result.mean_abs_correlation, share, 1e-14L));
      CHECK(near(result.redundancy, share, 1e-14L));
      CHECK(near(result.max_abs_correlation, 1.0L, 1e-15L));
      CHECK(result.max_abs_correlation <= 1.0);
      CHECK(near(result.covariance_penalty, penalty / (8.0L * c), 1e-14L));
      REQUIRE(result.max_pair.has_value());
      const auto [first, second] = *result.max_pair;
      CHECK(first < second);
      CHECK(first % 8 == second % 8);
      CHECK(first % 8 != 7);
    }
  }
}

TEMPLATE_TEST_CASE("correlations are those of long double loops", "[decorrelation]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{3, 2},
                             {2, 3},
                             {17, 16},
                             {16, 17},
                             {40, 40},
                             {300, 7},
                             {120, 97},
                             {9, 95},
                             {9, 96},
                             {9, 97},
                             {5, 193}}) {
    CAPTURE(n, d);
    Dense<double> wide = reference::gaussian<double>(n, d, 191, 0.5);
    for (Index j = 1; j < d; ++j) wide.col(j) += 0.7 * wide.col(j - 1);
    const Dense<TestType> z = wide.unaryExpr([](double value) { return reference::narrow<TestType>(value); });
    const Expected expected = expected_of(z);
    const Decorrelation result = decorrelation(z);
    check_correlations(result, expected, 1e-13L);
    CHECK(near(result.covariance_penalty, expected.penalty, 1e-13L));
  }
}

TEST_CASE("independent dimensions have the correlations of chance", "[decorrelation]") {
  // E[R^2] = 1 / (N - 1) exactly for Gaussian data. Over 4950 pairs it is known to some 2 %.
  for (const Index n : {30, 101, 400}) {
    CAPTURE(n);
    const Decorrelation result = decorrelation(reference::gaussian<float>(n, 100, 193));
    CHECK(near(result.redundancy, 1.0L / static_cast<Real>(n - 1), 0.1L));
    CHECK(result.mean_abs_correlation < result.rms_correlation);
    CHECK(result.max_abs_correlation < 7.0 * result.rms_correlation);
  }
}

TEST_CASE("the pair of the largest correlation is named wherever it lies", "[decorrelation]") {
  for (const Index n : {60, 400}) {
    const Dense<double> plain = reference::gaussian<double>(n, 200, 195, 1.0);
    for (const auto& [first, second] :
         {std::pair<Index, Index>{0, 1}, {0, 199}, {95, 96}, {3, 95}, {96, 191}, {100, 192}, {198, 199}, {50, 150}}) {
      CAPTURE(n, first, second);
      Dense<double> z = plain;
      z.col(second) = 0.01 * z.col(second) - 2.0 * z.col(first);
      const Decorrelation result = decorrelation(z);
      CHECK(result.max_pair == std::array<Index, 2>{first, second});
      CHECK(result.max_abs_correlation > 0.99);
    }
  }
}

TEMPLATE_TEST_CASE("correlations have the same bits in every layout", "[decorrelation]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{131, 37}, {37, 131}}) {
    CAPTURE(n, d);
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 197, 0.5);
    const Decorrelation expected = decorrelation(z);
    CHECK(same(decorrelation(reference::RowMajor<TestType>(z)), expected));
    const Dense<TestType> dims_as_rows = z.transpose();
    CHECK(same(decorrelation(dims_as_rows.transpose()), expected));
    Dense<TestType> larger = Dense<TestType>::Constant(140, 150, reference::narrow<TestType>(not_a_number));
    larger.block(3, 5, n, d) = z;
    CHECK(same(decorrelation(larger.block(3, 5, n, d)), expected));
    CHECK(same(decorrelation(z.rowwise().reverse().rowwise().reverse()), expected));
  }
}

TEST_CASE("correlations have the same bits whatever the number of threads", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{700, 200}, {20, 400}}) {
    const Dense<double> z = reference::gaussian<double>(n, d, 199, 0.5);
    const Decorrelation expected = decorrelation(z);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(threads);
      CHECK(same(decorrelation(z), expected));
    });
  }
}

TEST_CASE("the order of rows and of dimensions leaves the correlations", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{150, 110}, {20, 110}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 201, 0.5);
    const Decorrelation expected = decorrelation(z);
    for (const Decorrelation& result : {decorrelation(z.colwise().reverse()), decorrelation(-z)}) {
      CHECK(alike(result, expected));
      CHECK(result.max_pair == expected.max_pair);
      CHECK(near(result.covariance_penalty, static_cast<Real>(expected.covariance_penalty), 1e-12L));
    }
    const Decorrelation reversed = decorrelation(z.rowwise().reverse());
    CHECK(alike(reversed, expected));
    CHECK(near(reversed.covariance_penalty, static_cast<Real>(expected.covariance_penalty), 1e-12L));
    REQUIRE(expected.max_pair.has_value());
    const auto [first, second] = *expected.max_pair;
    CHECK(reversed.max_pair == std::array<Index, 2>{d - 1 - second, d - 1 - first});
  }
}

TEST_CASE("shift, scale and sign of each dimension leave its correlations", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{80, 13}, {13, 80}}) {
    CAPTURE(n, d);
    // Whole numbers: neither shift nor scale rounds anything.
    const Dense<double> plain = reference::gaussian<double>(n, d, 203, 0.0, 1000.0).array().round();
    const Decorrelation expected = decorrelation(plain);
    Dense<double> z = plain;
    for (Index j = 0; j < d; ++j)
      z.col(j) = (z.col(j).array() + 1e6 * static_cast<double>(j % 5)) *
                 std::ldexp(j % 2 == 0 ? 1.0 : -3.0, static_cast<int>(j % 40) - 20);
    const Decorrelation result = decorrelation(z);
    CHECK(alike(result, expected));
    CHECK(result.max_pair == expected.max_pair);
  }
}

TEST_CASE("a rotation leaves the penalty and the squared variances together", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{100, 20}, {20, 100}}) {
    CAPTURE(n, d);
    Dense<double> z = reference::gaussian<double>(n, d, 205, 0.5);
    z.leftCols(3) *= 4.0;
    const Eigen::MatrixXd rotation =
        Eigen::HouseholderQR<Eigen::MatrixXd>(reference::gaussian<double>(d, d, 207)).householderQ();
    const auto squared_covariance = [&](const Dense<double>& data) {
      return static_cast<double>(data.cols()) * decorrelation(data).covariance_penalty +
             per_dimension_variance(data).per_dimension.squaredNorm();
    };
    const double expected = squared_covariance(z);
    CHECK(near(squared_covariance(z * rotation), static_cast<Real>(expected), 1e-13L));
    CHECK_FALSE(near(decorrelation(z * rotation).covariance_penalty,
                     static_cast<Real>(decorrelation(z).covariance_penalty), 0.1L));
  }
}

TEST_CASE("the penalty scales with the fourth power of the data, the correlations not at all", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 9}, {9, 60}}) {
    const Dense<double> plain = reference::gaussian<double>(n, d, 209, 0.5);
    const Decorrelation expected = decorrelation(plain);
    for (const int exponent : {-1000, -500, -240, -3, 3, 240, 500, 1000}) {
      CAPTURE(n, exponent);
      const Decorrelation result = decorrelation(plain * std::ldexp(1.0, exponent));
      CHECK(alike(result, expected));
      CHECK(result.max_pair == expected.max_pair);
      if (std::abs(exponent) <= 240) {
        CHECK(near(std::ldexp(result.covariance_penalty, -4 * exponent), static_cast<Real>(expected.covariance_penalty),
                   1e-14L));
      } else {
        // Beyond the range of double.
        CHECK(result.covariance_penalty == (exponent > 0 ? infinity : 0.0));
      }
    }
    for (const double scale : {1e-300, 1e-150, 1e-75, 1e75, 1e150, 1e300}) {
      CAPTURE(n, scale);
      const Dense<double> z = plain * scale;
      const Decorrelation result = decorrelation(z);
      check_correlations(result, expected_of(z), 1e-12L);
      if (scale > 1e-100 && scale < 1e100)
        CHECK(near(result.covariance_penalty / scale / scale / scale / scale,
                   static_cast<Real>(expected.covariance_penalty), 1e-12L));
    }
  }
}

TEST_CASE("dimensions of wildly different scales are correlated as they are", "[decorrelation]") {
  for (const Index n : {60, 6}) {
    CAPTURE(n);
    Dense<double> plain = reference::gaussian<double>(n, 8, 211, 0.5);
    for (Index j = 1; j < 8; ++j) plain.col(j) += plain.col(j - 1);
    Dense<double> z = plain;
    for (Index j = 0; j < 8; ++j) z.col(j) *= std::ldexp(1.0, static_cast<int>(280 * j - 1000));
    const Decorrelation result = decorrelation(z);
    CHECK(alike(result, decorrelation(plain)));
    CHECK(result.max_pair == decorrelation(plain).max_pair);
    CHECK(result.covariance_penalty == infinity);

    // A penalty within range is that of the largest dimensions.
    Dense<double> small = plain;
    for (Index j = 0; j < 8; ++j) small.col(j) *= std::pow(10.0, 80.0 * static_cast<double>(j) - 490.0);
    CHECK(near(decorrelation(small).covariance_penalty, expected_of(small).penalty, 1e-13L));
  }
}

TEST_CASE("a mean that is huge against the spread leaves the correlations", "[decorrelation]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{100, 12}, {12, 100}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 213, 1e6, 1e-2);
    const Expected expected = expected_of(z);
    const Decorrelation result = decorrelation(z);
    check_correlations(result, expected, 1e-12L);
    CHECK(near(result.covariance_penalty, expected.penalty, 1e-12L));
  }
}

TEMPLATE_TEST_CASE("correlations leave dead dimensions out, the penalty counts them", "[decorrelation]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const Index n : {90, 7}) {
    CAPTURE(n);
    const Dense<TestType> live = reference::gaussian<TestType>(n, 9, 215, 0.5);
    Dense<TestType> z(n, 12);
    z << live.leftCols(1), live.rightCols(8), live.leftCols(3);
    z.col(0).setZero();
    z.col(5).setConstant(reference::narrow<TestType>(0.1));
    z.col(11).setConstant(reference::narrow<TestType>(-700.0));
    const Expected expected = expected_of(z);
    const Decorrelation result = decorrelation(z);
    check_correlations(result, expected, 1e-13L);
    CHECK(near(result.covariance_penalty, expected.penalty, 1e-13L));
    // Column 10 repeats column 1.
    CHECK(result.max_pair == std::array<Index, 2>{1, 10});
  }
}

TEST_CASE("a dimension lost in the rounding of its offset has no correlation", "[decorrelation]") {
  for (const Index n : {60, 4}) {
    CAPTURE(n);
    Dense<double> z = reference::gaussian<double>(n, 4, 217);
    // In float 1000 is held to 6e-5. Without the rule, the two would be alike in what rounding has left of them.
    z.col(1) = z.col(0).array() * 3e-5 + 1000.0;
    z.col(3) = z.col(1);
    CHECK(near(decorrelation(z).max_abs_correlation, 1.0L, 1e-15L));
    const Dense<float> narrow = z.cast<float>();
    const Decorrelation result = decorrelation(narrow);
    CHECK(result.max_pair == std::array<Index, 2>{0, 2});
    CHECK(near(result.max_abs_correlation, expected_of(narrow).largest, 1e-13L));
    CHECK(result.mean_abs_correlation == result.max_abs_correlation);
  }
}

TEST_CASE("with two rows all dimensions are fully correlated", "[decorrelation]") {
  for (const Index d : {2, 3, 130}) {
    CAPTURE(d);
    const Dense<double> z = reference::gaussian<double>(2, d, 219, 0.5);
    const Decorrelation result = decorrelation(z);
    CHECK(near(result.mean_abs_correlation, 1.0L, 1e-15L));
    CHECK(near(result.rms_correlation, 1.0L, 1e-15L));
    CHECK(near(result.redundancy, 1.0L, 1e-15L));
    CHECK(near(result.max_abs_correlation, 1.0L, 1e-15L));
    for (const double value :
         {result.mean_abs_correlation, result.rms_correlation, result.redundancy, result.max_abs_correlation}) {
      CHECK(value <= 1.0);
    }
  }
}

TEST_CASE("one row has neither penalty nor correlations", "[decorrelation]") {
  for (const Index d : {1, 2, 130}) {
    CAPTURE(d);
    const Decorrelation result = decorrelation(reference::gaussian<double>(1, d, 221));
    CHECK(std::isnan(result.covariance_penalty));
    check_undefined_correlations(result);
  }
}

TEST_CASE("fewer than two live dimensions have a penalty and no correlations", "[decorrelation]") {
  for (const Index n : {2, 3, 50}) {
    CAPTURE(n);
    // One dimension.
    const Decorrelation single = decorrelation(reference::gaussian<float>(n, 1, 223));
    CHECK(single.covariance_penalty == 0.0);
    check_undefined_correlations(single);
    // One live dimension of four.
    Dense<float> z = Dense<float>::Constant(n, 4, 0.3F);
    z.col(2) = reference::gaussian<float>(n, 1, 223);
    const Decorrelation alone = decorrelation(z);
    CHECK(alone.covariance_penalty == 0.0);
    check_undefined_correlations(alone);
    // None: constant, zero, equal rows.
    for (const Dense<float>& collapsed :
         {Dense<float>(Dense<float>::Constant(n, 4, 0.3F)), Dense<float>(Dense<float>::Zero(n, 4)),
          Dense<float>(reference::gaussian<float>(1, 4, 225).replicate(n, 1))}) {
      const Decorrelation result = decorrelation(collapsed);
      CHECK(result.covariance_penalty == 0.0);
      check_undefined_correlations(result);
    }
  }
}

TEST_CASE("rows of length 0 and repeated rows take part in the correlations", "[decorrelation]") {
  for (const Index d : {5, 120}) {
    CAPTURE(d);
    Dense<double> z = Dense<double>::Zero(40, d);
    z.topRows(20) = reference::gaussian<double>(20, d, 227, 0.5);
    z.middleRows(20, 5) = z.topRows(5);
    const Expected expected = expected_of(z);
    const Decorrelation result = decorrelation(z);
    check_correlations(result, expected, 1e-12L);
    CHECK(near(result.covariance_penalty, expected.penalty, 1e-12L));
  }
}

TEMPLATE_TEST_CASE("denormal dimensions have correlations", "[decorrelation]", float, double, Eigen::half) {
  const double unit = linalg::to_double(std::numeric_limits<TestType>::denorm_min());
  for (const Index n : {30, 4}) {
    CAPTURE(n);
    const Dense<double> plain = reference::gaussian<double>(n, 5, 229, 0.0, 30.0).array().round();
    const Dense<TestType> z =
        plain.unaryExpr([unit](double value) { return reference::narrow<TestType>(value * unit); });
    check_correlations(decorrelation(z), expected_of(plain), 1e-13L);
  }
}

TEST_CASE("values near the largest double have correlations", "[decorrelation]") {
  // Each dimension has one row of four against the others: R = -1/3 for every pair. The difference of that row to the
  // mean exceeds the largest double.
  for (const Index d : {2, 3, 4}) {
    CAPTURE(d);
    Dense<double> z = Dense<double>::Constant(4, d, 1.6e308);
    for (Index j = 0; j < d; ++j) z(j, j) = -1.6e308;
    const Decorrelation result = decorrelation(z);
    CHECK(near(result.mean_abs_correlation, 1.0L / 3.0L, 1e-14L));
    CHECK(near(result.redundancy, 1.0L / 9.0L, 1e-14L));
    CHECK(near(result.max_abs_correlation, 1.0L / 3.0L, 1e-14L));
    CHECK(result.covariance_penalty == infinity);
  }
}

TEMPLATE_TEST_CASE("correlations refuse non-finite rows, or leave them out", "[decorrelation]", float, double,
                   Eigen::half) {
  for (const Index d : {5, 70}) {
    const Dense<TestType> rest = reference::gaussian<TestType>(30, d, 231, 1.0);
    for (const double bad : {not_a_number, infinity, -infinity}) {
      CAPTURE(d, bad);
      Dense<TestType> z(32, d);
      z << rest.topRows(9), rest.topRows(1), rest.bottomRows(21), rest.topRows(1);
      z(9, 3) = z(31, 0) = reference::narrow<TestType>(bad);
      try {
        static_cast<void>(decorrelation(z));
        FAIL("accepted");
      } catch (const NonFiniteError& error) {
        CHECK(error.row() == 9);
        CHECK(error.col() == 3);
      }
      CHECK(same(decorrelation(z, {.nonfinite = NonFinite::skip_rows}), decorrelation(rest)));
    }
  }
  CHECK_THROWS_AS(decorrelation(Dense<TestType>(0, 3)), ShapeError);
  CHECK_THROWS_AS(decorrelation(Dense<TestType>(3, 0)), ShapeError);
}
