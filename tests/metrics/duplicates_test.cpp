#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/duplicates.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// Sets of rows linked up to `radius`, by comparing all pairs in long double until nothing changes.
Index linked_sets(const reference::Matrix& z, Real radius) {
  const reference::Matrix points = z.transpose();
  std::vector<Index> set(static_cast<std::size_t>(z.rows()));
  for (std::size_t i = 0; i < set.size(); ++i) set[i] = static_cast<Index>(i);
  Index sets = z.rows();
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index j = 0; j < i; ++j) {
      const Index a = set[static_cast<std::size_t>(i)];
      const Index b = set[static_cast<std::size_t>(j)];
      if (a == b || (points.col(i) - points.col(j)).squaredNorm() > radius * radius) continue;
      std::replace(set.begin(), set.end(), a, b);
      --sets;
    }
  }
  return sets;
}

/// `count` rows within 1e-6 of each of the given points on a line, in 3 dimensions.
Dense<double> crowds(const std::vector<double>& at, Index count) {
  Dense<double> z = reference::gaussian<double>(static_cast<Index>(at.size()) * count, 3, 5, 0.0, 1e-7);
  for (Index i = 0; i < z.rows(); ++i) z(i, 0) += at[static_cast<std::size_t>(i / count)];
  return z;
}

}  // namespace

TEMPLATE_TEST_CASE("clusters of copies have one mode each", "[duplicates]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index count : {1, 2, 7, 40}) {
    for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
      CAPTURE(count, metric == Metric::cosine);
      const Dense<TestType> z = synthetic::clusters<TestType>(250, 12, count, 0.0);
      const Duplicates copies = duplicates(z, {.metric = metric});
      CHECK(copies.distinct_modes == count);
      CHECK(copies.duplicate_rows == 1.0);
      CHECK(copies.near_duplicates == 1.0);
    }
  }
}

TEST_CASE("clusters that are narrow for their distance have one mode each", "[duplicates]") {
  for (const Index count : {2, 5, 9}) {
    const Duplicates copies = duplicates(synthetic::clusters<float>(400, 12, count, 1e-5));
    CHECK(copies.distinct_modes == count);
    CHECK(copies.duplicate_rows < 0.01);
    CHECK(copies.near_duplicates == 1.0);
  }
}

TEST_CASE("healthy rows are as many modes as rows", "[duplicates]") {
  for (const double e : {1.0, 1e-3, 1e-6}) {
    CAPTURE(e);
    const Duplicates copies = duplicates(reference::around_a_point<double>(300, 20, e));
    CHECK(copies.distinct_modes == 300);
    CHECK(copies.duplicate_rows == 0.0);
    CHECK(copies.near_duplicates == 0.0);
    // Two points of the noise are sqrt(2 D) apart.
    CHECK(std::abs(copies.median_distance / (e * std::sqrt(40.0)) - 1.0) < 0.05);
  }
}

TEST_CASE("shares and modes of a few rows are those counted by hand", "[duplicates]") {
  Dense<double> z(6, 1);
  z << 0.0, 0.0, 1000.0, 1000.5, 2000.0, 4000.0;
  // Median of the 15 differences.
  const Duplicates copies = duplicates(z, {.near = 5e-4});
  CHECK(copies.median_distance == 1000.5);
  CHECK(copies.near_distance == 5e-4 * 1000.5);
  CHECK(copies.duplicate_rows == 2.0 / 6.0);
  CHECK(copies.near_duplicates == 4.0 / 6.0);
  CHECK(copies.distinct_modes == 4);
  CHECK(duplicates(z, {.near = 4e-4}).distinct_modes == 5);
  CHECK(duplicates(z, {.near = 0.0}).near_duplicates == 2.0 / 6.0);
  // An even number of pairs: halfway between the two in the middle.
  CHECK(duplicates(z.bottomRows(4)).median_distance == (1000.0 + 2000.0) / 2.0);
}

TEST_CASE("rows hang together in chains longer than a link", "[duplicates]") {
  Dense<double> z(202, 1);
  for (Index i = 0; i < 200; ++i) z(i, 0) = static_cast<double>(i);
  z(200, 0) = 1e4;
  z(201, 0) = 3e4;
  const double median = duplicates(z).median_distance;
  CHECK(duplicates(z, {.near = 1.01 / median}).distinct_modes == 3);
  CHECK(duplicates(z, {.near = 0.99 / median}).distinct_modes == 202);
}

TEST_CASE("crowds are linked though no row of one is among the nearest of the other", "[duplicates]") {
  // Of 30 rows of a crowd, the 20 nearest of each are in it.
  const Dense<double> z = crowds({0.0, 1e-4, 3e-4, 0.9, 1.0, 1.00005}, 30);
  const double median = duplicates(z).median_distance;
  for (const double radius : {3e-5, 7e-5, 1.5e-4, 2.5e-4, 0.2}) {
    CAPTURE(radius);
    const Duplicates copies = duplicates(z, {.near = radius / median});
    CHECK(copies.distinct_modes == linked_sets(reference::widened(z), static_cast<Real>(copies.near_distance)));
  }
  CHECK(duplicates(z, {.near = 1.5e-4 / median}).distinct_modes == 4);
}

TEST_CASE("long crowds are linked by their ends", "[duplicates]") {
  // Two rows of points that follow each other, 0.9 of the reach apart; the first point of each is farther.
  for (const double gap : {0.9, 1.1}) {
    CAPTURE(gap);
    Dense<double> z(122, 1);
    for (Index i = 0; i < 60; ++i) {
      z(i, 0) = 0.02 * static_cast<double>(i);
      z(60 + i, 0) = z(i, 0) + 59 * 0.02 + gap;
    }
    z(120, 0) = 100.0;
    z(121, 0) = 300.0;
    const double median = duplicates(z).median_distance;
    CHECK(duplicates(z, {.near = 1.0 / median}).distinct_modes == (gap < 1.0 ? 3 : 4));
  }
}

TEST_CASE("modes are the sets that all pairs within reach link", "[duplicates]") {
  const test::OneThread one_thread;
  for (const Index dims : {1, 2, 3}) {
    const Dense<double> z = reference::gaussian<double>(180, dims, 9);
    const double median = duplicates(z).median_distance;
    for (const double near : {0.01, 0.03, 0.1, 0.2, 0.4, 0.8}) {
      CAPTURE(dims, near);
      const Duplicates copies = duplicates(z, {.near = near});
      CHECK(copies.median_distance == median);
      CHECK(copies.distinct_modes == linked_sets(reference::widened(z), static_cast<Real>(copies.near_distance)));
    }
  }
}

TEST_CASE("rows that only rounding parts are duplicates and one mode", "[duplicates]") {
  // Complete collapse below the precision of float.
  const Dense<float> z = reference::around_a_point<float>(200, 30, 1e-9);
  const Duplicates copies = duplicates(z);
  CHECK(copies.duplicate_rows == 1.0);
  CHECK(copies.distinct_modes == 1);
  CHECK(duplicates(reference::around_a_point<double>(200, 30, 1e-9)).distinct_modes == 200);
}

TEST_CASE("duplicates do not change with scale rotation or the order of rows", "[duplicates]") {
  Dense<double> z = synthetic::clusters<double>(120, 3, 4, 1e-5);
  z.topRows(30) = reference::gaussian<double>(30, 3);
  const Duplicates expected = duplicates(z);
  CHECK(*expected.distinct_modes > 4);
  const auto check = [&](const Dense<double>& other, double scale) {
    const Duplicates copies = duplicates(other);
    CHECK(copies.distinct_modes == expected.distinct_modes);
    CHECK(copies.near_duplicates == expected.near_duplicates);
    CHECK(copies.duplicate_rows == expected.duplicate_rows);
    CHECK(std::abs(copies.median_distance / (scale * expected.median_distance) - 1.0) < 1e-12);
  };
  check(z * 1e-150, 1e-150);
  check(z * 1e150, 1e150);
  check(z.colwise().reverse(), 1.0);
  Dense<double> turned = z;
  turned.col(0) = 0.6 * z.col(0) - 0.8 * z.col(1);
  turned.col(1) = 0.8 * z.col(0) + 0.6 * z.col(1);
  check(turned, 1.0);
}

TEST_CASE("the median distance is over a sample of the rows", "[duplicates]") {
  const Dense<double> z = reference::gaussian<double>(1500, 16, 3);
  const double first = duplicates(z, {.pair_rows = 300}).median_distance;
  CHECK(first == duplicates(z, {.pair_rows = 300}).median_distance);
  CHECK(first != duplicates(z, {.pair_rows = 300, .seed = 1}).median_distance);
  CHECK(std::abs(first / std::sqrt(2.0 * 15.5) - 1.0) < 0.03);
  // Of the directions of a Gaussian half the pairs lie beyond a right angle.
  CHECK(std::abs(duplicates(z, {.metric = Metric::cosine}).median_distance / std::sqrt(2.0) - 1.0) < 0.02);
}

TEST_CASE("duplicates of few or equal rows are defined", "[duplicates]") {
  const Dense<double> z = reference::gaussian<double>(5, 3);
  const Duplicates alone = duplicates(z.topRows(1));
  CHECK(std::isnan(alone.duplicate_rows));
  CHECK(std::isnan(alone.near_duplicates));
  CHECK(std::isnan(alone.median_distance));
  CHECK(alone.distinct_modes == 1);
  CHECK(duplicates(z.topRows(2)).distinct_modes == 2);
  const Duplicates equal = duplicates(z.topRows(1).replicate(60, 1));
  CHECK(equal.duplicate_rows == 1.0);
  CHECK(equal.median_distance == 0.0);
  CHECK(equal.distinct_modes == 1);
  const Dense<double> zeros = Dense<double>::Zero(4, 2);
  CHECK(duplicates(zeros).duplicate_rows == 1.0);
  CHECK(duplicates(zeros).distinct_modes == 1);
  const Duplicates no_direction = duplicates(zeros, {.metric = Metric::cosine});
  CHECK(std::isnan(no_direction.duplicate_rows));
  CHECK_FALSE(no_direction.distinct_modes.has_value());
}

TEST_CASE("multiples of a row are its duplicates by the cosine alone", "[duplicates]") {
  Dense<double> z = reference::gaussian<double>(40, 6);
  for (Index i = 20; i < 40; ++i) z.row(i) = z.row(i - 20) * (0.1 + static_cast<double>(i));
  CHECK(duplicates(z).duplicate_rows == 0.0);
  const Duplicates copies = duplicates(z, {.metric = Metric::cosine});
  CHECK(copies.duplicate_rows == 1.0);
  CHECK(copies.near_duplicates == 1.0);
  CHECK(copies.distinct_modes == 20);
}

TEST_CASE("duplicates name what is wrong with their arguments", "[duplicates]") {
  const Dense<double> z = reference::gaussian<double>(5, 3);
  for (const double near : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(duplicates(z, {.near = near}), OptionError);
  }
  CHECK_THROWS_AS(duplicates(z, {.pair_rows = 1}), OptionError);
  CHECK_THROWS_AS(duplicates(z.topRows(0)), ShapeError);
  Dense<double> broken = z;
  broken(1, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(duplicates(broken), NonFiniteError);
  CHECK(duplicates(broken, {.nonfinite = NonFinite::skip_rows}).distinct_modes == 4);
}
