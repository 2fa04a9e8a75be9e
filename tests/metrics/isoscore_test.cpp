#include <collapse/metrics/isoscore.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <Eigen/QR>

#include <cmath>
#include <limits>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The published algorithm, step by step: principal axes of the points, the covariance along them, its diagonal brought
/// to the length sqrt(D), its distance from isotropy, the isotropy defect, the share of dimensions that are used, and
/// that share on a scale from 0 to 1.
template <class Derived>
Real by_algorithm(const Eigen::DenseBase<Derived>& z) {
  const reference::Matrix centred = reference::centred(reference::widened(z));
  const Real n = static_cast<Real>(centred.rows());
  const Real d = static_cast<Real>(centred.cols());
  const reference::Matrix covariance = centred.transpose() * centred / (n - 1.0L);
  const Eigen::SelfAdjointEigenSolver<reference::Matrix> axes(covariance);
  const reference::Matrix turned = centred * axes.eigenvectors();
  const reference::Vector diagonal = (turned.transpose() * turned / (n - 1.0L)).diagonal();
  const reference::Vector normalised = std::sqrt(d) * diagonal / diagonal.norm();
  const Real distance = (normalised - reference::Vector::Ones(diagonal.size())).norm();
  const Real defect = distance / std::sqrt(2.0L * (d - std::sqrt(d)));
  const Real used = std::pow(d - defect * defect * (d - std::sqrt(d)), 2.0L) / (d * d);
  return (d * used - 1.0L) / (d - 1.0L);
}

/// Rows +a_k e_k and -a_k e_k.
Dense<double> plus_minus(const Eigen::VectorXd& lengths) {
  const Index dims = lengths.size();
  Dense<double> z = Dense<double>::Zero(2 * dims, dims);
  for (Index k = 0; k < dims; ++k) {
    z(2 * k, k) = lengths(k);
    z(2 * k + 1, k) = -lengths(k);
  }
  return z;
}

}  // namespace

TEST_CASE("IsoScore is what the published algorithm computes", "[isoscore]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {2, 5, 30, 90}) {
    for (const Index d : {2, 3, 25, 60}) {
      for (const double decay : {0.0, 0.1, 1.0}) {
        CAPTURE(n, d, decay);
        Dense<double> z = reference::gaussian<double>(n, d, 3, 1.0);
        for (Index k = 0; k < d; ++k) z.col(k) *= std::exp(-decay * static_cast<double>(k));
        CHECK(std::abs(static_cast<Real>(isoscore(z)) - by_algorithm(z)) < 1e-13L);
      }
    }
  }
  CHECK(std::abs(static_cast<Real>(isoscore(reference::gaussian<float>(80, 20, 4, 3.0))) -
                 by_algorithm(reference::gaussian<float>(80, 20, 4, 3.0))) < 1e-12L);
  // What is asked for near collapse.
  const Dense<double> near = reference::around_a_point<double>(60, 20, 1e-7, 5);
  CHECK(std::abs(static_cast<Real>(isoscore(near)) - by_algorithm(near)) < 1e-8L);
}

TEST_CASE("IsoScore of k equal variances is k - 1 of D - 1", "[isoscore]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index d : {2, 3, 10, 70}) {
    for (const Index k : {Index{1}, Index{2}, d / 2 + 1, d}) {
      CAPTURE(d, k);
      Eigen::VectorXd lengths = Eigen::VectorXd::Zero(d);
      lengths.head(k).setConstant(0.7);
      const double expected = static_cast<double>(k - 1) / static_cast<double>(d - 1);
      CHECK(std::abs(isoscore(plus_minus(lengths)) - expected) < 1e-14);
      // A far mean is no part of it.
      CHECK(std::abs(isoscore(plus_minus(lengths).rowwise() + Eigen::RowVectorXd::Constant(d, 8.0)) - expected) <
            1e-13);
    }
  }
}

TEST_CASE("IsoScore does not change with shift and scale and rotation and copies", "[isoscore]") {
  [[maybe_unused]] const test::OneThread one;
  const Dense<double> z = reference::gaussian<double>(60, 12, 7, 0.0) * reference::gaussian<double>(12, 12, 8);
  const double expected = isoscore(z);
  const Dense<double> rotation =
      Eigen::HouseholderQR<Dense<double>>(reference::gaussian<double>(12, 12, 9)).householderQ();
  CHECK(std::abs(isoscore(z * rotation) - expected) < 1e-13);
  CHECK(std::abs(isoscore(z.replicate(4, 1)) - expected) < 1e-13);
  CHECK(std::abs(isoscore(z * 1e-250) - expected) < 1e-13);
  CHECK(std::abs(isoscore(z * 1e250) - expected) < 1e-13);
}

TEST_CASE("N rows cannot fill more than N - 1 dimensions of IsoScore", "[isoscore]") {
  // A simplex is as isotropic as its rows can be.
  CHECK(std::abs(isoscore(Dense<double>::Identity(10, 40)) - 8.0 / 39.0) < 1e-14);
}

TEST_CASE("IsoScore is undefined without variance and in one dimension", "[isoscore]") {
  CHECK(std::isnan(isoscore(Dense<double>::Ones(5, 3))));
  CHECK(std::isnan(isoscore(Dense<double>::Zero(5, 3))));
  CHECK(std::isnan(isoscore(reference::gaussian<double>(1, 3))));
  CHECK(std::isnan(isoscore(reference::gaussian<double>(9, 1))));
  Dense<double> bad = reference::gaussian<double>(9, 3);
  bad(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(isoscore(bad), NonFiniteError);
  CHECK(std::isfinite(isoscore(bad, {.nonfinite = NonFinite::skip_rows})));
  CHECK_THROWS_AS(isoscore(Dense<double>(4, 0)), ShapeError);
}
