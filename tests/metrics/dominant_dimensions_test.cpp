#include "support/catch.hpp"

#include <collapse/measure.hpp>
#include <collapse/synthetic.hpp>

#include <cmath>
#include <vector>

using namespace collapse;

TEST_CASE("dimensions add up to the mean cosine, as they do over all pairs in long double", "[dominant_dimensions]") {
  Eigen::MatrixXd z = synthetic::isotropic<double>(60, 5, 3);
  z.col(1).array() += 2.0;
  z.col(3).array() -= 1.0;
  const Cosine cosine = measure(z).cosine;
  REQUIRE(cosine.dominant_dimensions.size() == 5);
  REQUIRE(cosine.dominant_shares.size() == 5);
  CHECK(std::abs(cosine.dominant_shares.sum() - cosine.mean) < 1e-12);
  CHECK(cosine.dominant_dimensions[0] == 1);
  CHECK(cosine.dominant_dimensions[1] == 3);
  for (std::size_t k = 0; k < 5; ++k) {
    const Index d = cosine.dominant_dimensions[k];
    long double sum = 0.0L;
    for (Index i = 0; i < 60; ++i) {
      for (Index j = 0; j < 60; ++j) {
        if (i == j) continue;
        sum += static_cast<long double>(z(i, d)) * static_cast<long double>(z(j, d)) /
               (static_cast<long double>(z.row(i).norm()) * static_cast<long double>(z.row(j).norm()));
      }
    }
    CHECK(std::abs(static_cast<double>(sum / (60.0L * 59.0L)) - cosine.dominant_shares(static_cast<Index>(k))) < 1e-13);
  }
  CHECK(std::abs(cosine.mean_without_dominant - (cosine.mean - cosine.dominant_shares.head(3).sum())) < 1e-14);
}

TEST_CASE("without one column that is far off the rest is as it would be", "[dominant_dimensions]") {
  for (const double mean : {50.0, 1e4, 1e9}) {
    CAPTURE(mean);
    Eigen::MatrixXd z = synthetic::isotropic<double>(400, 32, 3);
    const Report before = measure(z);
    z.col(9).array() += mean;
    const Report after = measure(z);
    CHECK(after.cosine.dominant_dimensions[0] == 9);
    CHECK(after.cosine.mean > 0.98);
    CHECK(std::abs(after.cosine.mean_of_others) < 0.02);
    CHECK(after.variance.dispersion < 0.02);
    CHECK(std::abs(after.variance.dispersion_of_others - before.variance.dispersion) < 0.02);
  }
  // Dead ones are left out, however large.
  Eigen::MatrixXd z = synthetic::isotropic<double>(100, 40, 3);
  z.leftCols(4).setConstant(-3.7e9);
  CHECK(measure(z).variance.dispersion_of_others > 0.95);
  CHECK(std::abs(measure(z).cosine.mean_of_others) < 0.05);
}

TEST_CASE("a common direction of all dimensions stays without the largest", "[dominant_dimensions]") {
  const Report report = measure(synthetic::cone<double>(300, 64, 0.9, 4));
  CHECK(std::abs(report.cosine.mean_of_others - report.cosine.mean) < 0.05);
  const Report one = measure(Eigen::MatrixXd(Eigen::MatrixXd::Ones(1, 4)));
  CHECK(one.cosine.dominant_dimensions.empty());
  CHECK(std::isnan(one.cosine.mean_of_others));
  CHECK(std::isnan(one.variance.dispersion_of_others));
}
