#include <collapse/metrics/cross_correlation.hpp>

#include "support/catch.hpp"
#include "support/reference_views.hpp"

#include <cmath>
#include <limits>

using namespace collapse;
using reference::Dense;
using reference::near;
using reference::Real;

TEMPLATE_TEST_CASE("cross-correlation is that of long double loops", "[cross_correlation]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {2, 3, 17, 600}) {
    for (const Index d : {1, 2, 33}) {
      CAPTURE(n, d);
      const Dense<TestType> a = reference::gaussian<TestType>(n, d, 1, 0.5);
      Dense<double> b = reference::gaussian<double>(n, d, 2, 0.1);
      b += reference::widened(a).template cast<double>();
      const reference::Barlow expected = reference::barlow(reference::widened(a), reference::widened(b));
      const CrossCorrelation measured = cross_correlation(a, b);
      CHECK(near(measured.on_diagonal, expected.on_diagonal, 1e-13L * (1.0L + expected.on_diagonal)));
      CHECK(near(measured.off_diagonal, expected.off_diagonal, 1e-13L * (1.0L + expected.off_diagonal)));
    }
  }
}

TEST_CASE("cross-correlation over several tiles is that of long double loops", "[cross_correlation]") {
  const Dense<float> a = reference::gaussian<float>(70, 130, 1, 0.5);
  const Dense<float> b = reference::gaussian<float>(70, 130, 2) + a;
  const reference::Barlow expected = reference::barlow(reference::widened(a), reference::widened(b));
  CHECK(near(cross_correlation(a, b).on_diagonal, expected.on_diagonal, 1e-12L));
  CHECK(near(cross_correlation(a, b).off_diagonal, expected.off_diagonal, 1e-11L));
}

TEST_CASE("decorrelated dimensions have no term of Barlow Twins beside themselves", "[cross_correlation]") {
  Dense<double> a(4, 3);
  a << 1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1;
  CHECK(cross_correlation(a, a).on_diagonal < 1e-30);
  CHECK(cross_correlation(a, a).off_diagonal < 1e-30);
  // Opposite views: K = -I. Columns one place on: K is a permutation without a fixed point.
  CHECK(std::abs(cross_correlation(a, Dense<double>(-a)).on_diagonal - 12.0) < 1e-14);
  Dense<double> turned(4, 3);
  turned << a.col(1), a.col(2), a.col(0);
  CHECK(std::abs(cross_correlation(a, turned).on_diagonal - 3.0) < 1e-14);
  CHECK(std::abs(cross_correlation(a, turned).off_diagonal - 3.0) < 1e-14);
}

TEST_CASE("correlation of one dimension repeated is 1 everywhere", "[cross_correlation]") {
  const Dense<double> column = reference::gaussian<double>(40, 1);
  const CrossCorrelation result = cross_correlation(column.replicate(1, 5), column.replicate(1, 5));
  CHECK(result.on_diagonal < 1e-26);
  CHECK(std::abs(result.off_diagonal - 20.0) < 1e-12);
}

TEST_CASE("cross-correlation does not ask for scale or shift of a dimension", "[cross_correlation]") {
  const Dense<double> a = reference::gaussian<double>(50, 4, 1);
  const Dense<double> b = reference::gaussian<double>(50, 4, 2) + a;
  const CrossCorrelation plain = cross_correlation(a, b);
  Dense<double> moved = b;
  for (Index d = 0; d < 4; ++d) moved.col(d) *= std::pow(10.0, 20.0 * static_cast<double>(d) - 30.0);
  CHECK(std::abs(cross_correlation(a, moved).on_diagonal - plain.on_diagonal) < 1e-13);
  for (const double scale : {1e-150, 1e150, 1e290}) {
    CAPTURE(scale);
    const CrossCorrelation scaled = cross_correlation(Dense<double>(a * scale), moved);
    CHECK(std::abs(scaled.off_diagonal - plain.off_diagonal) < 1e-13);
  }
  const Dense<double> far = (a.array() * 1e-6 + 1.0).matrix();
  const reference::Barlow expected = reference::barlow(reference::widened(far), reference::widened(b));
  CHECK(near(cross_correlation(far, b).on_diagonal, expected.on_diagonal, 1e-12L));
}

TEST_CASE("a constant dimension adds one to the diagonal and nothing beside it", "[cross_correlation]") {
  Dense<float> a = reference::gaussian<float>(50, 3, 1);
  const Dense<float> b = a;
  const CrossCorrelation before = cross_correlation(a.rightCols(2), b.rightCols(2));
  const CrossCorrelation with_first = cross_correlation(a, b);
  a.col(0).setConstant(0.1F);
  const CrossCorrelation dead = cross_correlation(a, b);
  CHECK(std::abs(dead.on_diagonal - before.on_diagonal - 1.0) < 1e-14);
  CHECK(dead.off_diagonal < with_first.off_diagonal);
  CHECK(dead.off_diagonal > before.off_diagonal);  // the first dimension of b still has its correlations
  a.setConstant(0.1F);
  CHECK(std::isnan(cross_correlation(a, b).on_diagonal));
  CHECK(std::isnan(cross_correlation(b, a).off_diagonal));
}

TEST_CASE("cross-correlation is undefined for one pair and for different dimensions", "[cross_correlation]") {
  const Dense<double> a = reference::gaussian<double>(9, 4);
  CHECK(std::isnan(cross_correlation(a.topRows(1), a.topRows(1)).on_diagonal));
  CHECK(std::isnan(cross_correlation(a, a.leftCols(3)).on_diagonal));
  CHECK(std::isnan(cross_correlation(a, a.leftCols(3)).off_diagonal));
  CHECK_THROWS_AS(cross_correlation(a, a.topRows(3)), ShapeError);
}
