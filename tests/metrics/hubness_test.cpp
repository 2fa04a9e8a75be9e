#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/hubness.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

TEST_CASE("a star has one hub", "[hubness]") {
  // The middle is the nearest of every tip; its own nearest is the first of them.
  Dense<double> z(7, 6);
  z.topRows(6).setIdentity();
  z.row(6).setZero();
  const Hubness hubs = hubness(z, 1);
  CHECK(hubs.occurrence == (Hubness::Counts(7) << 1, 0, 0, 0, 0, 0, 6).finished());
  CHECK(hubs.largest == 6);
  CHECK(hubs.orphans == 5);
  CHECK(hubs.k == 1);
  // Deviations from 1: 0, five times -1, and 5.
  const double expected = (120.0 / 7.0) / std::pow(30.0 / 7.0, 1.5);
  CHECK(std::abs(hubs.skewness - expected) < 1e-14);
  CHECK(hubs.reason.empty());
}

TEST_CASE("k-occurrence counts the rows of all sorted lists", "[hubness]") {
  const Dense<double> z = reference::gaussian<double>(150, 8, 21);
  const reference::Matrix points = reference::widened(z).transpose();
  for (const Index k : {1, 5, 10}) {
    Eigen::Matrix<Index, Eigen::Dynamic, 1> expected = Eigen::Matrix<Index, Eigen::Dynamic, 1>::Zero(150);
    for (Index i = 0; i < 150; ++i) {
      std::vector<std::pair<Real, Index>> others;
      for (Index j = 0; j < 150; ++j) {
        if (j != i) others.emplace_back((points.col(i) - points.col(j)).squaredNorm(), j);
      }
      std::sort(others.begin(), others.end());
      for (Index j = 0; j < k; ++j) ++expected(others[static_cast<std::size_t>(j)].second);
    }
    const Hubness hubs = hubness(z, k);
    CHECK(hubs.occurrence == expected);
    CHECK(hubs.occurrence.sum() == 150 * k);
    Real second = 0.0L;
    Real third = 0.0L;
    for (const Index count : expected) {
      const Real deviation = static_cast<Real>(count - k);
      second += deviation * deviation / 150.0L;
      third += deviation * deviation * deviation / 150.0L;
    }
    CHECK(std::abs(static_cast<Real>(hubs.skewness) - third / std::pow(second, 1.5L)) < 1e-13L);
  }
}

TEST_CASE("hubs grow with the dimension", "[hubness]") {
  const double low = hubness(reference::gaussian<double>(600, 3, 2)).skewness;
  const double high = hubness(reference::gaussian<double>(600, 60, 2)).skewness;
  CHECK(std::abs(low) < 0.6);
  CHECK(high > 1.5);
}

TEST_CASE("hubness does not change with scale or the order of rows", "[hubness]") {
  const Dense<double> z = reference::gaussian<double>(200, 10, 6);
  const Hubness expected = hubness(z);
  CHECK(hubness(Dense<double>(z * 0x1p-500)).occurrence == expected.occurrence);
  CHECK(hubness(reference::RowMajor<double>(z)).occurrence == expected.occurrence);
  CHECK(hubness(z.colwise().reverse()).occurrence == expected.occurrence.reverse());
  CHECK(std::abs(hubness(z.colwise().reverse()).skewness - expected.skewness) < 1e-14);
  const Dense<float> narrow = z.cast<float>();
  CHECK(hubness(narrow).occurrence == hubness(narrow.cast<double>()).occurrence);
}

TEST_CASE("hubness that is undefined says why", "[hubness]") {
  const Dense<double> z = reference::gaussian<double>(8, 3);
  const Hubness alone = hubness(z.topRows(1));
  CHECK(std::isnan(alone.skewness));
  CHECK(alone.k == 0);
  CHECK(alone.reason == "1 rows; there are no neighbours");
  // All 7 others are among the 10 nearest.
  const Hubness all = hubness(z);
  CHECK(all.k == 7);
  CHECK(std::isnan(all.skewness));
  CHECK(all.occurrence == Hubness::Counts::Constant(8, 7));
  CHECK(all.reason.find("among the 7 nearest of 7 others") != std::string::npos);
  CHECK(std::isfinite(hubness(z, 6).skewness));
  // Of equal rows the first are the neighbours of all.
  const Hubness equal = hubness(z.topRows(1).replicate(50, 1));
  CHECK(equal.largest == 49);
  CHECK(equal.orphans == 39);
}

TEST_CASE("hubness names what is wrong with its arguments", "[hubness]") {
  const Dense<double> z = reference::gaussian<double>(8, 3);
  CHECK_THROWS_AS(hubness(z, 0), OptionError);
  CHECK_THROWS_AS(hubness(neighbours(z, 2), 0), OptionError);
  CHECK_THROWS_AS(hubness(z.leftCols(0)), ShapeError);
  Dense<double> broken = z;
  broken(0, 0) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(hubness(broken), NonFiniteError);
}
