#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/intrinsic_dimension.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// A random isometry into more dimensions.
Dense<double> isometry(Index from, Index to, std::uint64_t seed) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(reference::gaussian<double>(to, from, seed));
  return Eigen::MatrixXd(qr.householderQ() * Eigen::MatrixXd::Identity(to, from)).transpose();
}

/// Uniform on the flat torus of `dims` circles, in `space` >= 2 dims dimensions: no boundary, and locally flat.
Dense<double> torus(Index rows, Index dims, Index space, std::uint64_t seed) {
  reference::Random random(seed);
  Dense<double> angles(rows, 2 * dims);
  for (Index i = 0; i < rows; ++i) {
    for (Index d = 0; d < dims; ++d) {
      const double angle = 6.283185307179586 * random.uniform();
      angles(i, 2 * d) = std::cos(angle);
      angles(i, 2 * d + 1) = std::sin(angle);
    }
  }
  return angles * isometry(2 * dims, space, seed + 1);
}

Dense<double> sphere(Index rows, Index space, std::uint64_t seed) {
  Dense<double> z = reference::gaussian<double>(rows, space, seed);
  for (Index i = 0; i < rows; ++i) z.row(i).normalize();
  return z;
}

/// A table that a test writes itself: one-dimensional places do not matter, only distances.
Neighbours table(const std::vector<std::vector<double>>& distances) {
  Neighbours result;
  const auto n = static_cast<Index>(distances.size());
  const auto k = static_cast<Index>(distances.front().size());
  result.place.resize(n, k);
  result.distance.resize(n, k);
  result.length = Eigen::VectorXd::Zero(n);
  for (Index i = 0; i < n; ++i) {
    result.rows.push_back(i);
    for (Index j = 0; j < k; ++j) {
      result.place(i, j) = (i + j + 1) % n;
      result.distance(i, j) = distances[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
  }
  return result;
}

}  // namespace

TEST_CASE("two_nn and mle_dimension are their formulas", "[intrinsic_dimension]") {
  const Neighbours found = table({{1.0, 2.0, 4.0}, {0.5, 0.5, 1.0}, {3.0, 24.0, 24.0}, {1e-300, 4e-300, 8e-300}});
  const double ln2 = std::log(2.0);
  const DimensionEstimate by_two = two_nn(found);
  CHECK(std::abs(by_two.value - 3.0 / ((1.0 + 0.0 + 3.0 + 2.0) * ln2)) < 1e-15);
  CHECK(by_two.rows == 4);
  CHECK(by_two.k == 2);
  CHECK(by_two.reason.empty());
  // m_i = (ln(r3/r1) + ln(r3/r2)) / 2.
  const DimensionEstimate by_many = mle_dimension(found, 3);
  CHECK(std::abs(by_many.value - 4.0 / ((1.5 + 1.0 + 1.5 + 2.0) * ln2)) < 1e-15);
  CHECK(by_many.k == 3);
  // Of two neighbours both read the same, but for n - 1.
  CHECK(std::abs(mle_dimension(found, 2).value - by_two.value * 4.0 / 3.0) < 1e-15);
  CHECK(mle_dimension(found, 50).value == by_many.value);
  CHECK(mle_dimension(found, 50).k == 3);
}

TEST_CASE("the linear fit recovers the dimension from exact quantiles and leaves the upper tenth out",
          "[intrinsic_dimension]") {
  constexpr Index n = 200;
  std::vector<std::vector<double>> distances;
  for (Index i = 1; i <= n; ++i) {
    // 1 - mu^-d = i / n for d = 3.5; beyond nine tenths any ratio.
    const double share = static_cast<double>(i) / n;
    distances.push_back({1.0, i <= n * 9 / 10 ? std::pow(1.0 - share, -1.0 / 3.5) : 1e30});
  }
  const DimensionEstimate fit = two_nn(table(distances), TwoNnFit::linear);
  CHECK(std::abs(fit.value - 3.5) < 1e-13);
  // The places of this table link all rows: no groups are independent.
  CHECK(std::isnan(fit.standard_error));
  CHECK(two_nn(table(distances)).value < 1.0);
}

TEST_CASE("the dimension of a torus is read whatever the space it lies in", "[intrinsic_dimension]") {
  for (const Index d : {1, 2, 4}) {
    CAPTURE(d);
    const Neighbours found = neighbours(torus(1500, d, 24, 5), 20);
    for (const DimensionEstimate& estimate :
         {two_nn(found), two_nn(found, TwoNnFit::linear), mle_dimension(found, 20)}) {
      CAPTURE(estimate.k, estimate.value, estimate.standard_error);
      // Neighbours are as far as the circles bend, the more so the higher the dimension.
      const double truth = static_cast<double>(d);
      CHECK(std::abs(estimate.value - truth) < 4.0 * estimate.standard_error + 0.015 * truth * truth);
      CHECK(estimate.standard_error < 0.08 * truth);
    }
  }
}

TEST_CASE("a sphere has one dimension less than its space by either metric", "[intrinsic_dimension]") {
  const Dense<double> z = sphere(1500, 4, 8);
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    const Neighbours found = neighbours(z, 10, {.metric = metric});
    CHECK(std::abs(two_nn(found).value - 3.0) < 0.3);
    CHECK(std::abs(mle_dimension(found, 10).value - 3.0) < 0.15);
  }
  // Lengths do not matter for the cosine.
  Dense<double> scaled = z;
  for (Index i = 0; i < z.rows(); ++i) scaled.row(i) *= std::exp(static_cast<double>(i % 7));
  const NeighbourOptions cosine{.metric = Metric::cosine};
  CHECK(std::abs(two_nn(scaled, cosine).value - two_nn(z, cosine).value) < 1e-9);
}

TEST_CASE("standard errors are the spread over samples", "[intrinsic_dimension]") {
  const test::OneThread one_thread;
  constexpr Index samples = 150;
  Eigen::ArrayXXd value(samples, 3);
  Eigen::ArrayXXd error(samples, 3);
  for (Index s = 0; s < samples; ++s) {
    const Neighbours found = neighbours(torus(200, 2, 4, 100 + static_cast<std::uint64_t>(s)), 12);
    const DimensionEstimate estimates[] = {two_nn(found), mle_dimension(found, 12), two_nn(found, TwoNnFit::linear)};
    for (Index e = 0; e < 3; ++e) {
      value(s, e) = estimates[e].value;
      error(s, e) = estimates[e].standard_error;
    }
  }
  for (Index e = 0; e < 3; ++e) {
    const double spread = std::sqrt((value.col(e) - value.col(e).mean()).square().sum() / (samples - 1.0));
    CAPTURE(e, spread, error.col(e).mean());
    // The spread of 150 samples is itself known to 6 %; were rows independent the first two would be 20 % less.
    CHECK(std::abs(error.col(e).mean() / spread - 1.0) < 0.15);
  }
}

TEST_CASE("dimensions do not change with scale rotation or the order of rows", "[intrinsic_dimension]") {
  const Dense<double> z = torus(300, 2, 6, 3);
  const double expected = two_nn(z).value;
  const double expected_mle = mle_dimension(z, 8).value;
  CHECK(std::abs(two_nn(Dense<double>(z * 1e150)).value / expected - 1.0) < 1e-12);
  CHECK(std::abs(two_nn(Dense<double>(z * isometry(6, 6, 4))).value / expected - 1.0) < 1e-12);
  CHECK(std::abs(two_nn(z.colwise().reverse()).value / expected - 1.0) < 1e-13);
  CHECK(std::abs(two_nn(reference::RowMajor<double>(z)).value / expected - 1.0) < 1e-15);
  CHECK(std::abs(mle_dimension(z.colwise().reverse(), 8).value / expected_mle - 1.0) < 1e-13);
  const Eigen::RowVectorXd far = Eigen::RowVectorXd::Constant(6, 1e3);
  CHECK(std::abs(mle_dimension(z.rowwise() + far, 8).value / expected_mle - 1.0) < 1e-9);
}

TEST_CASE("dimensions are read near collapse", "[intrinsic_dimension]") {
  const Dense<double> z = torus(300, 2, 6, 3);
  const Eigen::RowVectorXd far = Eigen::RowVectorXd::Constant(6, 0.4);
  const Dense<double> collapsed = (z * 1e-6).rowwise() + far;
  CHECK(std::abs(two_nn(collapsed).value / two_nn(z).value - 1.0) < 1e-6);
  // In float, about a thousandth of the spread is rounded away.
  const Dense<float> rounded = ((z * 1e-4).rowwise() + far).cast<float>();
  CHECK(std::abs(mle_dimension(rounded, 20).value / mle_dimension(z, 20).value - 1.0) < 0.02);
}

TEMPLATE_TEST_CASE("dimensions of every scalar are those of its numbers", "[intrinsic_dimension]", float, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(120, 10);
  Dense<double> wide(120, 10);
  for (Index i = 0; i < 120; ++i) {
    for (Index j = 0; j < 10; ++j) wide(i, j) = static_cast<double>(reference::widen(z(i, j)));
  }
  CHECK(two_nn(z).value == two_nn(wide).value);
  CHECK(mle_dimension(z, 9).value == mle_dimension(wide, 9).value);
  CHECK(mle_dimension(z, 9).standard_error == mle_dimension(wide, 9).standard_error);
}

TEST_CASE("a dimension that is undefined says why", "[intrinsic_dimension]") {
  const Dense<double> z = reference::gaussian<double>(30, 4);
  for (const Index n : {1, 2}) {
    const DimensionEstimate estimate = two_nn(z.topRows(n));
    CHECK(std::isnan(estimate.value));
    CHECK(std::isnan(estimate.standard_error));
    CHECK(estimate.reason == std::to_string(n) + " rows; two neighbours of each need at least 3");
    CHECK(std::isnan(mle_dimension(z.topRows(n)).value));
    CHECK(mle_dimension(z.topRows(n)).reason.find("at least 2 of each are needed") != std::string::npos);
  }
  CHECK(two_nn(z.topRows(3)).value > 0.0);

  const Dense<double> equal = z.topRows(1).replicate(9, 1);
  CHECK(std::isnan(two_nn(equal).value));
  CHECK(two_nn(equal).reason.find("duplicate") != std::string::npos);
  CHECK(std::isnan(mle_dimension(equal, 4).value));
  CHECK(mle_dimension(equal, 4).reason.find("duplicate") != std::string::npos);
  CHECK(std::isnan(two_nn(Dense<double>(Dense<double>::Zero(5, 2))).value));

  const Dense<double> simplex = Dense<double>::Identity(9, 9);
  for (const TwoNnFit fit : {TwoNnFit::maximum_likelihood, TwoNnFit::linear}) {
    CHECK(std::isnan(two_nn(simplex, {}, fit).value));
    CHECK(two_nn(simplex, {}, fit).reason.find("equally far") != std::string::npos);
  }
  CHECK(std::isnan(mle_dimension(simplex, 4).value));
  CHECK(mle_dimension(simplex, 4).reason.find("equally far") != std::string::npos);
}

TEST_CASE("rows with a duplicate say nothing about the dimension", "[intrinsic_dimension]") {
  Dense<double> z(102, 3);
  z.topRows(100) = reference::gaussian<double>(100, 3);
  z.row(100) = z.row(0);
  z.row(101) = z.row(1);
  CHECK(two_nn(z).rows == 98);
  CHECK(mle_dimension(z, 5).rows == 98);
  CHECK(std::isfinite(two_nn(z).value));
  CHECK(std::isfinite(mle_dimension(z, 5).value));
}

TEST_CASE("dimensions name what is wrong with their arguments", "[intrinsic_dimension]") {
  const Dense<double> z = reference::gaussian<double>(30, 4);
  CHECK_THROWS_AS(mle_dimension(z, 1), OptionError);
  CHECK_THROWS_AS(mle_dimension(z, 0), OptionError);
  CHECK_THROWS_AS(two_nn(neighbours(z, 1)), ShapeError);
  CHECK_THROWS_AS(two_nn(z.topRows(0)), ShapeError);
  Dense<double> broken = z;
  broken(3, 2) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(two_nn(broken), NonFiniteError);
}
