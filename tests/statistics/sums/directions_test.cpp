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
DirectionSums directions_of(const linalg::MatrixView<Scalar>& view, NonFinite policy = NonFinite::reject) {
  return statistics::sum_rows(view, statistics::scan_rows(view, policy)).directions;
}

template <class Scalar>
DirectionSums directions_of(const Dense<Scalar>& z, NonFinite policy = NonFinite::reject) {
  return directions_of(linalg::Evaluated<Dense<Scalar>>(z).view(), policy);
}

struct Deviation {
  Real mean = 0.0L;         ///< absolute
  Real spread = 0.0L;       ///< of squared_spread(), relative to total^2 / count
  Real sum_squares = 0.0L;  ///< relative
  Real total = 0.0L;        ///< relative
};

template <class Scalar>
Deviation deviation(const Dense<Scalar>& z, const DirectionSums& directions) {
  const reference::Matrix wide = reference::widened(z);
  const reference::Matrix units = reference::unit_rows(wide);
  const reference::Matrix v = reference::centred(units);
  const Real total = v.squaredNorm();
  Deviation worst;
  worst.mean = (directions.mean().cast<Real>() - reference::mean_row(units)).cwiseAbs().maxCoeff();
  Real spread = 0.0L;
  const Real n = static_cast<Real>(units.rows());
  for (Index i = 0; i < units.rows(); ++i) {
    const Real difference = v.row(i).squaredNorm() - total / n;
    spread += difference * difference;
  }
  if (total > 0.0L)
    worst.spread = std::abs(static_cast<Real>(directions.squared_spread()) - spread) / (total * total / n);
  for (Index d = 0; d < z.cols(); ++d) {
    const Real expected = v.col(d).squaredNorm();
    const Real difference = std::abs(static_cast<Real>(directions.sum_squares(d)) - expected);
    worst.sum_squares = std::max(worst.sum_squares, expected > 0.0L ? difference / expected : difference);
  }
  worst.total = std::abs(static_cast<Real>(directions.total()) - total) / (total > 0.0L ? total : 1.0L);
  return worst;
}

bool same(const DirectionSums& a, const DirectionSums& b) {
  using reference::same_bits;
  return a.count == b.count && same_bits(a.reference, b.reference) && same_bits(a.shift, b.shift) &&
         same_bits(a.sum_squares, b.sum_squares) && same_bits(a.scatter, b.scatter) && same_bits(a.cubic, b.cubic) &&
         a.quartic == b.quartic;
}

}  // namespace

TEMPLATE_TEST_CASE("moments of the directions are those of long double loops", "[directions]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const Index n : {2, 15, 16, 17, 63, 64, 65, 96, 257, 4097}) {
    for (const Index d : {2, 8, 65}) {
      if (n > 1000 && d > 8) continue;
      CAPTURE(n, d);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 21, 0.5);
      const DirectionSums result = directions_of(z);
      CHECK(result.count == n);
      const Deviation worst = deviation(z, result);
      CHECK(worst.mean < 1e-15L);
      CHECK(worst.spread < 1e-14L);
      CHECK(worst.sum_squares < 1e-13L);
      CHECK(worst.total < 1e-14L);
    }
  }
}

TEST_CASE("near collapse the small parts keep their digits", "[directions]") {
  for (const double e : {1e-3, 1e-6, 1e-8}) {
    CAPTURE(e);
    const Dense<double> z = reference::around_a_point<double>(500, 12, e);
    const Deviation worst = deviation(z, directions_of(z));
    // The u_i are rounded at 1e-16, the v_i are of size e.
    CHECK(worst.spread < 1e-14L + 4e-15L / static_cast<Real>(e));
    CHECK(worst.sum_squares < 1e-14L + 4e-15L / static_cast<Real>(e));
    CHECK(worst.total < 1e-14L + 1e-15L / static_cast<Real>(e));
  }
}

TEST_CASE("rows of length 0 take no part in the directions", "[directions]") {
  Dense<float> z = reference::gaussian<float>(100, 5, 3, 1.0);
  for (const Index i : {0, 31, 64, 99}) z.row(i).setZero();
  const DirectionSums result = directions_of(z);
  CHECK(result.count == 96);
  const Deviation worst = deviation(z, result);
  CHECK(worst.mean < 1e-15L);
  CHECK(worst.spread < 1e-14L);
  CHECK(worst.total < 1e-14L);

  const DirectionSums none = directions_of<float>(Dense<float>::Zero(10, 3));
  CHECK(none.count == 0);
  CHECK(none.total() == 0.0);
  CHECK(none.sum_squares.isZero(0));
}

TEST_CASE("lengths have no influence on directions, whatever the scale", "[directions]") {
  const Dense<double> plain = reference::gaussian<double>(130, 6, 4, 0.3);
  const DirectionSums expected = directions_of(plain);
  for (const int exponent : {-1000, -500, 500, 1000}) {
    CAPTURE(exponent);
    Dense<double> z = plain;
    for (Index i = 0; i < 130; ++i) z.row(i) *= std::ldexp(1.0, i % 3 == 0 ? exponent : -exponent / 2);
    const DirectionSums result = directions_of(z);
    CHECK((result.mean() - expected.mean()).cwiseAbs().maxCoeff() < 1e-15);
    CHECK(std::abs(result.squared_spread() - expected.squared_spread()) < 1e-12 * expected.squared_spread());
    CHECK(std::abs(result.total() - expected.total()) < 1e-13 * expected.total());
  }
}

TEST_CASE("equal directions of different lengths have nothing left", "[directions]") {
  Dense<double> z(64, 3);
  for (Index i = 0; i < 64; ++i)
    z.row(i) << std::ldexp(1.0, static_cast<int>(i)), std::ldexp(2.0, static_cast<int>(i)), 0.0;
  const DirectionSums result = directions_of(z);
  CHECK(result.total() < 1e-31);
  CHECK(std::abs(result.mean().norm() - 1.0) < 1e-15);
}

TEMPLATE_TEST_CASE("directions have the same bits in every layout", "[directions]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(131, 37);
  const DirectionSums expected = directions_of(z);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    CHECK(same(directions_of(view), expected));
  });
}

TEST_CASE("directions have the same bits whatever the number of threads", "[directions]") {
  const Dense<double> z = reference::gaussian<double>(5000, 33, 1, 2.0);
  const DirectionSums expected = directions_of(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(directions_of(z), expected));
  });
}

TEST_CASE("skipped rows take no part in the directions", "[directions]") {
  Dense<double> z = reference::gaussian<double>(100, 4, 2, 1.0);
  z(0, 3) = std::numeric_limits<double>::quiet_NaN();
  z(70, 0) = std::numeric_limits<double>::infinity();
  Dense<double> rest(98, 4);
  rest << z.middleRows(1, 69), z.bottomRows(29);
  const DirectionSums result = directions_of(z, NonFinite::skip_rows);
  CHECK(result.count == 98);
  const Deviation worst = deviation(rest, result);
  CHECK(worst.mean < 1e-15L);
  CHECK(worst.spread < 1e-14L);
  CHECK(worst.total < 1e-14L);
}
