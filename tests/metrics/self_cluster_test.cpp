#include <collapse/metrics/self_cluster.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <cmath>
#include <limits>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The definition: (Q - expected) / (M^2 - expected) with Q the sum of all squared cosines.
template <class Derived>
Real by_definition(const Eigen::DenseBase<Derived>& z) {
  const reference::Matrix units = reference::unit_rows(reference::widened(z));
  const Real m = static_cast<Real>(units.rows());
  const Real d = static_cast<Real>(units.cols());
  const reference::Matrix cosines = units * units.transpose();
  return (d * cosines.squaredNorm() - m * (d + m - 1.0L)) / (m * (m - 1.0L) * (d - 1.0L));
}

}  // namespace

TEST_CASE("SelfCluster is the definition", "[self_cluster]") {
  [[maybe_unused]] const test::OneThread one;
  for (const double offset : {0.0, 0.3, 10.0}) {
    for (const Index n : {2, 3, 20, 90}) {
      for (const Index d : {2, 5, 40}) {
        CAPTURE(offset, n, d);
        const Dense<double> z = reference::gaussian<double>(n, d, 3, offset);
        CHECK(std::abs(static_cast<Real>(self_cluster(z)) - by_definition(z)) < 1e-13L);
      }
    }
  }
  const Dense<float> narrow = reference::gaussian<float>(50, 20, 4, 0.5);
  CHECK(std::abs(static_cast<Real>(self_cluster(narrow)) - by_definition(narrow)) < 1e-13L);
  const Dense<Eigen::half> narrower = reference::gaussian<Eigen::half>(20, 50, 4, 0.5);
  CHECK(std::abs(static_cast<Real>(self_cluster(narrower)) - by_definition(narrower)) < 1e-13L);
}

TEST_CASE("SelfCluster of equal rows and of rows on one axis is 1", "[self_cluster]") {
  for (const Index n : {2, 9, 50}) {
    CHECK(self_cluster(Dense<double>::Constant(n, 12, -0.2)) == 1.0);
    Dense<double> axis = Dense<double>::Constant(n, 12, 0.3);
    for (Index i = 0; i < n; i += 2) axis.row(i) *= -5.0;
    CHECK(std::abs(self_cluster(axis) - 1.0) < 1e-14);
  }
  const double near = self_cluster(reference::around_a_point<double>(40, 12, 1e-3));
  CHECK(near < 1.0);
  CHECK(near > 0.999);
}

TEST_CASE("SelfCluster of an orthonormal basis is -1 / (D - 1) and of a simplex -1 / D", "[self_cluster]") {
  for (const Index d : {2, 3, 10, 40}) {
    CAPTURE(d);
    const double dims = static_cast<double>(d);
    CHECK(std::abs(self_cluster(Dense<double>::Identity(d, d)) + 1.0 / (dims - 1.0)) < 1e-14);
    // D + 1 vertices in D dimensions: columns of a basis of what is orthogonal to the ones, by Helmert's matrix.
    Dense<double> simplex = Dense<double>::Zero(d + 1, d);
    for (Index k = 0; k < d; ++k) {
      const double j = static_cast<double>(k + 1);
      simplex.col(k).head(k + 1).setConstant(1.0 / std::sqrt(j * (j + 1.0)));
      simplex(k + 1, k) = -j / std::sqrt(j * (j + 1.0));
    }
    CHECK(std::abs(self_cluster(simplex) + 1.0 / dims) < 1e-13);
  }
}

TEST_CASE("SelfCluster of both ends of all axes is 0 but for the rows themselves", "[self_cluster]") {
  // 2 D rows, each of cosine 1 or -1 with itself and one other: E[c^2] = 1 / (2 D - 1).
  for (const Index d : {2, 5, 30}) {
    Dense<double> z(2 * d, d);
    z << Dense<double>::Identity(d, d), -Dense<double>::Identity(d, d);
    const double dims = static_cast<double>(d);
    CHECK(std::abs(self_cluster(z) - (dims / (2.0 * dims - 1.0) - 1.0) / (dims - 1.0)) < 1e-14);
  }
}

TEST_CASE("SelfCluster of uniform directions is 0 within its error", "[self_cluster]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index d : {2, 8, 60}) {
    for (const Index n : {30, 300}) {
      CAPTURE(n, d);
      // E c^4 = 3 / (D (D + 2)), and values of two pairs are uncorrelated.
      const double dims = static_cast<double>(d);
      const double variance = 3.0 / (dims * (dims + 2.0)) - 1.0 / (dims * dims);
      const double pairs = 0.5 * static_cast<double>(n) * static_cast<double>(n - 1);
      const double error = dims / (dims - 1.0) * std::sqrt(variance / pairs);
      CHECK(std::abs(self_cluster(reference::gaussian<double>(n, d, 11))) < 3.5 * error);
    }
  }
}

TEST_CASE("SelfCluster sees directions alone", "[self_cluster]") {
  const Dense<double> z = reference::gaussian<double>(30, 9, 13, 0.5);
  const double expected = self_cluster(z);
  Dense<double> other(33, 9);
  other << Dense<double>::Zero(2, 9), z, Dense<double>::Zero(1, 9);
  for (Index i = 0; i < 33; ++i) other.row(i) *= static_cast<double>(1 + i % 5);
  CHECK(std::abs(self_cluster(other) - expected) < 1e-14);
  CHECK(std::abs(self_cluster(z * 1e300) - expected) < 1e-14);
  CHECK(std::abs(self_cluster(z * 1e-300) - expected) < 1e-14);
}

TEST_CASE("SelfCluster needs two directions and two dimensions", "[self_cluster]") {
  CHECK(std::isnan(self_cluster(Dense<double>::Ones(1, 4))));
  CHECK(std::isnan(self_cluster(Dense<double>::Zero(4, 4))));
  CHECK(std::isnan(self_cluster(reference::gaussian<double>(4, 1))));
  Dense<double> bad = reference::gaussian<double>(9, 3);
  bad(4, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(self_cluster(bad), NonFiniteError);
  CHECK(std::isfinite(self_cluster(bad, {.nonfinite = NonFinite::skip_rows})));
}
