#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/norms.hpp>

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

Real relative(double measured, Real expected) {
  return std::abs(static_cast<Real>(measured) - expected) / std::abs(expected);
}

/// Lengths of the rows by plain loops.
template <class Scalar>
std::vector<Real> lengths_of(const Dense<Scalar>& z) {
  const reference::Matrix wide = reference::widened(z);
  std::vector<Real> result;
  for (Index i = 0; i < wide.rows(); ++i) {
    Real square = 0.0L;
    for (Index d = 0; d < wide.cols(); ++d) square += wide(i, d) * wide(i, d);
    result.push_back(std::sqrt(square));
  }
  return result;
}

template <class Scalar>
void check_against(const Norms& measured, const Dense<Scalar>& z, Real tolerance) {
  const std::vector<Real> lengths = lengths_of(z);
  const reference::MeanStd expected = reference::mean_std(lengths);
  CHECK(relative(measured.mean, expected.mean) < tolerance);
  // The lengths themselves are rounded.
  CHECK(std::abs(static_cast<Real>(measured.std) - expected.std) <=
        tolerance * expected.std + 0.1L * tolerance * expected.mean);
  CHECK(relative(measured.min, *std::min_element(lengths.begin(), lengths.end())) < tolerance);
  CHECK(relative(measured.max, *std::max_element(lengths.begin(), lengths.end())) < tolerance);
}

Lengths lengths(const Eigen::VectorXd& values) {
  Lengths result;
  result.add(values);
  return result;
}

bool same(const Norms& a, const Norms& b) {
  return a.mean == b.mean && a.std == b.std && a.min == b.min && a.max == b.max && a.zero_rows == b.zero_rows &&
         a.skipped_rows == b.skipped_rows;
}

}  // namespace

TEMPLATE_TEST_CASE("lengths of Pythagorean rows are whole numbers", "[norms]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  Dense<TestType> z(4, 3);
  const double values[4][3] = {{3, 4, 0}, {-2, 3, 6}, {0, 0, -9}, {8, -4, -1}};  // 5, 7, 9, 9
  for (Index i = 0; i < 4; ++i) {
    for (Index d = 0; d < 3; ++d) z(i, d) = reference::narrow<TestType>(values[i][d]);
  }
  const Norms result = norms(z);
  CHECK(result.mean == 7.5);
  CHECK(std::abs(result.std - std::sqrt(2.75)) < 1e-15);  // ddof 0: 11 / 4 and not 11 / 3
  CHECK(result.min == 5.0);
  CHECK(result.max == 9.0);
  CHECK(result.zero_rows == 0);
  CHECK(result.skipped_rows == 0);
}

TEST_CASE("the length of a row of ones is the root of the number of dimensions", "[norms]") {
  for (const Index d : {1, 4, 9, 64, 225, 400}) {
    CAPTURE(d);
    const Norms result = norms(Dense<float>::Ones(13, d));
    CHECK(result.mean == std::sqrt(static_cast<double>(d)));
    CHECK(result.std == 0.0);
    CHECK(result.min == result.mean);
    CHECK(result.max == result.mean);
  }
}

TEST_CASE("lengths 1 to n have mean (n + 1) / 2 and variance (n^2 - 1) / 12", "[norms]") {
  for (const Index n : {2, 3, 17, 64, 65, 1000}) {
    CAPTURE(n);
    Dense<double> z = Dense<double>::Zero(n, 5);
    for (Index i = 0; i < n; ++i) z(i, i % 5) = static_cast<double>(i % 2 == 0 ? i + 1 : -i - 1);
    const Norms result = norms(z);
    const auto count = static_cast<Real>(n);
    CHECK(relative(result.mean, (count + 1.0L) / 2.0L) < 1e-15L);
    CHECK(relative(result.std, std::sqrt((count * count - 1.0L) / 12.0L)) < 1e-15L);
    CHECK(result.min == 1.0);
    CHECK(result.max == static_cast<double>(n));
  }
}

TEMPLATE_TEST_CASE("norms are those of long double loops", "[norms]", float, double, Eigen::half, Eigen::bfloat16) {
  for (const Index n : {2, 15, 16, 17, 65, 257, 2000}) {
    for (const Index d : {1, 2, 8, 63, 65, 130}) {
      if (n > 1000 && d > 8) continue;
      CAPTURE(n, d);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 121, 0.5);
      check_against(norms(z), z, 4e-15L);
    }
  }
}

TEST_CASE("a spread that is small against the mean length keeps its digits", "[norms]") {
  // Whole numbers, which double and their sum hold exactly.
  for (const double offset : {1e3, 1e8, 1e11}) {
    CAPTURE(offset);
    Dense<double> z(1000, 1);
    for (Index i = 0; i < 1000; ++i) z(i, 0) = offset + static_cast<double>(i);
    const Norms result = norms(z);
    CHECK(relative(result.mean, static_cast<Real>(offset) + 499.5L) < 1e-15L);
    CHECK(relative(result.std, std::sqrt(999999.0L / 12.0L)) < 1e-13L);
  }
}

TEST_CASE("equal lengths have no spread beyond the rounding of their mean", "[norms]") {
  for (const Index n : {3, 10, 1000}) {
    CAPTURE(n);
    const Norms result = norms(Dense<float>::Constant(n, 1, 0.1F));
    CHECK(result.mean == static_cast<double>(0.1F));
    CHECK(result.std <= 1e-15 * result.mean);
    CHECK(result.min == result.mean);
    CHECK(result.max == result.mean);
  }
}

TEMPLATE_TEST_CASE("norms have the same bits in every layout", "[norms]", float, double, Eigen::half, Eigen::bfloat16) {
  Dense<TestType> z = reference::gaussian<TestType>(131, 37, 123);
  z.row(7).setZero();
  const Norms expected = norms(z);
  CHECK(expected.zero_rows == 1);
  CHECK(same(norms(reference::RowMajor<TestType>(z)), expected));
  const Dense<TestType> dims_as_rows = z.transpose();
  CHECK(same(norms(dims_as_rows.transpose()), expected));
  Dense<TestType> larger =
      Dense<TestType>::Constant(140, 50, reference::narrow<TestType>(std::numeric_limits<double>::quiet_NaN()));
  larger.block(3, 5, 131, 37) = z;
  CHECK(same(norms(larger.block(3, 5, 131, 37)), expected));
  CHECK(same(norms(z.rowwise().reverse().rowwise().reverse()), expected));
  CHECK(same(norms(z.array()), expected));
}

TEST_CASE("norms have the same bits whatever the number of threads", "[norms]") {
  const Dense<double> z = reference::gaussian<double>(3000, 11, 125);
  const Norms expected = norms(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(norms(z), expected));
  });
}

TEST_CASE("the order of rows and dimensions, signs and rotations leave the norms", "[norms]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{200, 12}, {12, 200}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 127, 0.5);
    const Norms expected = norms(z);
    const auto alike = [&](const Norms& other) {
      return std::abs(other.mean - expected.mean) < 1e-14 * expected.mean &&
             std::abs(other.std - expected.std) < 1e-13 * expected.std &&
             std::abs(other.min - expected.min) < 1e-14 * expected.min &&
             std::abs(other.max - expected.max) < 1e-14 * expected.max;
    };
    CHECK(alike(norms(z.colwise().reverse())));
    CHECK(alike(norms(z.rowwise().reverse())));
    CHECK(same(norms(-z), expected));
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(reference::gaussian<double>(d, d, 129));
    CHECK(alike(norms(z * Eigen::MatrixXd(qr.householderQ()))));
  }
}

TEST_CASE("norms scale with the data", "[norms]") {
  const Dense<double> plain = reference::gaussian<double>(150, 7, 131, 0.3);
  const Norms expected = norms(plain);
  // Powers of two change no digit, also across the ends of the range that is squared as it is.
  for (const int exponent : {-1000, -520, -400, -201, -3, 3, 201, 400, 520, 1000}) {
    CAPTURE(exponent);
    const Norms result = norms(plain * std::ldexp(1.0, exponent));
    CHECK(relative(std::ldexp(result.mean, -exponent), static_cast<Real>(expected.mean)) < 1e-14L);
    CHECK(relative(std::ldexp(result.std, -exponent), static_cast<Real>(expected.std)) < 1e-14L);
    CHECK(relative(std::ldexp(result.min, -exponent), static_cast<Real>(expected.min)) < 1e-15L);
    CHECK(relative(std::ldexp(result.max, -exponent), static_cast<Real>(expected.max)) < 1e-15L);
  }
  for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
    CAPTURE(scale);
    const Dense<double> z = plain * scale;
    check_against(norms(z), z, 4e-15L);
  }
}

TEST_CASE("rows of many magnitudes at once have the mean and spread of the largest", "[norms]") {
  Dense<double> z = reference::gaussian<double>(61, 4, 133);
  for (Index i = 0; i < 61; ++i) z.row(i) *= std::pow(10.0, -300.0 + 10.0 * static_cast<double>(i));
  check_against(norms(z), z, 4e-15L);
}

TEST_CASE("the largest half has a length, and its square too", "[norms]") {
  // 65504, whose square no half holds.
  const Dense<Eigen::half> z = Dense<Eigen::half>::Constant(20, 4, std::numeric_limits<Eigen::half>::max());
  const Norms result = norms(z);
  CHECK(result.mean == 2.0 * 65504.0);
  CHECK(result.max == 2.0 * 65504.0);
  CHECK(result.std == 0.0);
}

TEMPLATE_TEST_CASE("denormal rows have a length", "[norms]", float, double, Eigen::half) {
  const TestType least = std::numeric_limits<TestType>::denorm_min();
  const double unit = linalg::to_double(least);
  Dense<TestType> z = Dense<TestType>::Zero(3, 2);
  z(0, 0) = z(1, 1) = least;
  z(2, 0) = reference::narrow<TestType>(3.0 * unit);
  z(2, 1) = reference::narrow<TestType>(4.0 * unit);
  const Norms result = norms(z);
  CHECK(result.zero_rows == 0);
  CHECK(result.min == unit);
  CHECK(result.max == 5.0 * unit);
  // 7/3 units on average, with a spread of sqrt(32/9); of a double both are whole units.
  const Real rounding = static_cast<Real>(unit) * (std::is_same_v<TestType, double> ? 0.5L : 1e-15L);
  CHECK(std::abs(static_cast<Real>(result.mean) - 7.0L / 3.0L * static_cast<Real>(unit)) <= rounding);
  CHECK(std::abs(static_cast<Real>(result.std) - std::sqrt(32.0L) / 3.0L * static_cast<Real>(unit)) <= rounding);
}

TEST_CASE("one row has its own length and no spread", "[norms]") {
  for (const Index d : {1, 2, 100}) {
    CAPTURE(d);
    const Dense<double> z = Dense<double>::Constant(1, d, -3.0);
    const Norms result = norms(z);
    CHECK(relative(result.mean, 3.0L * std::sqrt(static_cast<Real>(d))) < 1e-15L);
    CHECK(result.std == 0.0);
    CHECK(result.min == result.mean);
    CHECK(result.max == result.mean);
  }
}

TEST_CASE("with one dimension the length is the absolute value", "[norms]") {
  Dense<float> z(4, 1);
  z << -2.0F, 2.0F, -6.0F, 6.0F;
  const Norms result = norms(z);
  CHECK(result.mean == 4.0);
  CHECK(result.std == 2.0);
  CHECK(result.min == 2.0);
  CHECK(result.max == 6.0);
}

TEST_CASE("rows of length 0 are counted and take part in the norms", "[norms]") {
  Dense<double> z = Dense<double>::Zero(8, 2);
  z.row(2) << 3, 4;
  z.row(7) << 0, -5;
  z(5, 1) = -0.0;
  const Norms result = norms(z);
  CHECK(result.zero_rows == 6);
  CHECK(result.mean == 1.25);
  CHECK(std::abs(result.std - std::sqrt(4.6875)) < 1e-15);
  CHECK(result.min == 0.0);
  CHECK(result.max == 5.0);

  const Norms zeros = norms(Dense<float>::Zero(9, 3));
  CHECK(zeros.zero_rows == 9);
  CHECK(zeros.mean == 0.0);
  CHECK(zeros.std == 0.0);
  CHECK(zeros.min == 0.0);
  CHECK(zeros.max == 0.0);
}

TEST_CASE("repeating all rows leaves the norms", "[norms]") {
  const Dense<double> z = reference::gaussian<double>(40, 3, 135, 0.2);
  const Norms once = norms(z);
  const Norms thrice = norms(z.replicate(3, 1));
  CHECK(relative(thrice.mean, static_cast<Real>(once.mean)) < 1e-14L);
  CHECK(relative(thrice.std, static_cast<Real>(once.std)) < 1e-14L);
  CHECK(thrice.min == once.min);
  CHECK(thrice.max == once.max);
}

TEMPLATE_TEST_CASE("norms refuse non-finite rows, or leave them out and count them", "[norms]", float, double,
                   Eigen::half) {
  const Dense<TestType> rest = reference::gaussian<TestType>(30, 5, 137, 1.0);
  for (const double bad : {not_a_number, infinity, -infinity}) {
    CAPTURE(bad);
    Dense<TestType> z(32, 5);
    z << rest.topRows(9), rest.topRows(1), rest.bottomRows(21), rest.topRows(1);
    z(9, 3) = z(31, 0) = reference::narrow<TestType>(bad);
    try {
      static_cast<void>(norms(z));
      FAIL("accepted");
    } catch (const NonFiniteError& error) {
      CHECK(error.row() == 9);
      CHECK(error.col() == 3);
    }
    Norms result = norms(z, {.nonfinite = NonFinite::skip_rows});
    CHECK(result.skipped_rows == 2);
    result.skipped_rows = 0;
    CHECK(same(result, norms(rest)));
  }
  const Dense<TestType> nothing = Dense<TestType>::Constant(4, 2, reference::narrow<TestType>(infinity));
  CHECK_THROWS_AS(norms(nothing, {.nonfinite = NonFinite::skip_rows}), ShapeError);
  CHECK_THROWS_AS(norms(Dense<TestType>(0, 3)), ShapeError);
  CHECK_THROWS_AS(norms(Dense<TestType>(3, 0)), ShapeError);
}

TEST_CASE("norms of no lengths are undefined, and the counts are handed on", "[norms]") {
  const Norms result = norms(Lengths{}, 3, 4);
  CHECK(std::isnan(result.mean));
  CHECK(std::isnan(result.std));
  CHECK(std::isnan(result.min));
  CHECK(std::isnan(result.max));
  CHECK(result.zero_rows == 3);
  CHECK(result.skipped_rows == 4);
}

TEST_CASE("lengths of parts merge into those of the whole, in any order", "[norms]") {
  Eigen::VectorXd values = reference::gaussian<double>(301, 1, 139, 3.0).cwiseAbs();
  for (const double scale : {1.0, 1e-200, 1e200}) {
    const Eigen::VectorXd scaled = values * scale;
    std::vector<Real> all;
    for (const double value : scaled) all.push_back(static_cast<Real>(value));
    const reference::MeanStd expected = reference::mean_std(all);
    for (const Index cut : {0, 1, 150, 300, 301}) {
      CAPTURE(scale, cut);
      const Lengths head = lengths(scaled.head(cut));
      const Lengths tail = lengths(scaled.tail(301 - cut));
      Lengths forward = head;
      forward.merge(tail);
      Lengths backward = tail;
      backward.merge(head);
      Lengths added = head;
      added.add(scaled.tail(301 - cut));
      for (const Lengths& merged : {forward, backward, added}) {
        CHECK(merged.count == 301);
        const Norms result = norms(merged);
        CHECK(relative(result.mean, expected.mean) < 2e-15L);
        CHECK(relative(result.std, expected.std) < 4e-15L);
        CHECK(result.min == scaled.minCoeff());
        CHECK(result.max == scaled.maxCoeff());
      }
    }
  }
}

TEST_CASE("lengths merge one by one and across hundreds of orders of magnitude", "[norms]") {
  for (const bool ascending : {true, false}) {
    CAPTURE(ascending);
    Lengths merged;
    std::vector<Real> all;
    for (int i = 0; i <= 24; ++i) {
      const double value = std::pow(10.0, -300.0 + 25.0 * (ascending ? i : 24 - i));
      merged.add(Eigen::VectorXd::Constant(1, value));
      all.push_back(static_cast<Real>(value));
    }
    const reference::MeanStd expected = reference::mean_std(all);
    CHECK(merged.count == 25);
    const Norms result = norms(merged);
    CHECK(relative(result.mean, expected.mean) < 4e-15L);
    CHECK(relative(result.std, expected.std) < 1e-14L);
    CHECK(result.min == 1e-300);
    CHECK(result.max == 1e300);
  }
}

TEST_CASE("merging lengths around a far mean costs no digits", "[norms]") {
  Lengths merged;
  for (int i = 0; i < 100; ++i) merged.add(Eigen::VectorXd::Constant(10, 1e9 + i));
  const Norms result = norms(merged);
  CHECK(relative(result.mean, 1e9L + 49.5L) < 1e-15L);
  CHECK(relative(result.std, std::sqrt(9999.0L / 12.0L)) < 1e-15L);
}
