#include "support/catch.hpp"

#include <collapse/statistics/rows/outliers.hpp>

#include <Eigen/Core>

#include <cmath>
#include <vector>

using namespace collapse;

TEST_CASE("few rows that hold half of the sum of squares are outliers", "[outliers]") {
  Eigen::VectorXd lengths = Eigen::VectorXd::Ones(400);
  CHECK(statistics::outliers(lengths).rows.empty());
  CHECK(statistics::outliers(lengths).share == 0.0);
  // 399 ones and one of sqrt(399): exactly a half.
  lengths(17) = std::sqrt(399.0) * (1.0 + 1e-12);
  const Outliers one = statistics::outliers(lengths);
  CHECK(one.rows == std::vector<Index>{17});
  CHECK(std::abs(one.share - 0.5) < 1e-9);
  lengths(17) = std::sqrt(399.0) * (1.0 - 1e-12);
  CHECK(statistics::outliers(lengths).rows.empty());
  lengths(17) = lengths(3) = 30.0;
  const Outliers two = statistics::outliers(lengths);
  CHECK(two.rows == std::vector<Index>{3, 17});
  CHECK(std::abs(two.share - 1800.0 / 2198.0) < 1e-12);
}

TEST_CASE("rows that are more than one in 200 are no outliers", "[outliers]") {
  Eigen::VectorXd lengths = Eigen::VectorXd::Ones(400);
  lengths.head(2).setConstant(1000.0);
  CHECK(statistics::outliers(lengths).rows.size() == 2);
  lengths(2) = 1000.0;
  CHECK(statistics::outliers(lengths).rows.empty());
  lengths(2) = 9.9;
  CHECK(statistics::outliers(lengths).rows.size() == 2);
  // Where most are zero, the others are no outliers either.
  lengths.setZero();
  lengths.head(4).setOnes();
  CHECK(statistics::outliers(lengths).rows.empty());
  lengths.setZero();
  CHECK(statistics::outliers(lengths).rows.empty());
}

TEST_CASE("outliers do not depend on scale, and few rows have none", "[outliers]") {
  for (const double scale : {1e-300, 1e-150, 1.0, 1e150, 1e300}) {
    CAPTURE(scale);
    Eigen::VectorXd lengths = Eigen::VectorXd::Constant(100, scale);
    lengths(99) = 50.0 * scale;
    const Outliers found = statistics::outliers(lengths);
    CHECK(found.rows == std::vector<Index>{99});
    CHECK(std::abs(found.share - 2500.0 / 2599.0) < 1e-12);
  }
  for (const Index count : {0, 1, 2, 15}) {
    Eigen::VectorXd lengths = Eigen::VectorXd::Ones(count);
    if (count > 0) lengths(0) = 1e6;
    CHECK(statistics::outliers(lengths).rows.empty());
  }
  Eigen::VectorXd lengths = Eigen::VectorXd::Ones(16);
  lengths(0) = 1e6;
  CHECK(statistics::outliers(lengths).rows == std::vector<Index>{0});
}
