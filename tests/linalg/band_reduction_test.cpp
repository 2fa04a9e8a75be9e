#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/band_reduction.hpp>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace collapse;
using linalg::Band;
using linalg::Index;
using linalg::TwoSidedUpdate;
using reference::farthest;
using reference::lower_only;
using reference::random_symmetric;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

/// The whole matrix, after a look at what must be zero.
Eigen::MatrixXd dense(const Band& band) {
  const Index order = band.order();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(order, order);
  bool nothing_beside = true;
  for (Index j = 0; j < order + Band::stride; ++j) {
    for (Index i = 0; i < Band::stride; ++i) {
      const double value = band.column(j)[i];
      if (i <= Band::width && j + i < order) {
        a(j + i, j) = a(j, j + i) = value;
      } else {
        nothing_beside = nothing_beside && value == 0.0;
      }
    }
  }
  REQUIRE(nothing_beside);
  return a;
}

Eigen::MatrixXd reduced(Eigen::MatrixXd a) {
  a = lower_only(std::move(a));
  return dense(linalg::reduce_to_band(a));
}

/// By reflections of one column at a time, and halving: the QL method is off by more than the reduction.
Eigen::VectorXd values_of(const Eigen::MatrixXd& a) {
  const Eigen::Tridiagonalization<Eigen::MatrixXd> t(a);
  return linalg::eigenvalues({t.diagonal(), t.subDiagonal()});
}

}  // namespace

TEST_CASE("a band has the eigenvalues of the matrix it was made of", "[band_reduction]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    const reference::Vector expected = reference::spread_values(order, static_cast<std::uint64_t>(order));
    const Eigen::MatrixXd band = reduced(reference::with_eigenvalues(expected));
    CHECK(farthest(values_of(band), expected) < 20.0L * epsilon);
  }
}

TEST_CASE("a band of small order has them to the last digits, by rotations in long double", "[band_reduction]") {
  for (const Index order : {33, 34, 35, 40, 66}) {
    CAPTURE(order);
    const Eigen::MatrixXd a = random_symmetric(order, 5);
    const reference::Vector expected = reference::jacobi_eigenvalues(a.cast<Real>());
    const reference::Vector values = reference::jacobi_eigenvalues(reduced(a).cast<Real>());
    CHECK(farthest(values, expected) < 4.0L * epsilon * expected.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("the reduction to a band keeps trace and norm, and the first unit vector", "[band_reduction]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    const Eigen::MatrixXd a = random_symmetric(order, 7);
    const Eigen::MatrixXd band = reduced(a);
    const Real norm = a.cast<Real>().norm();
    CHECK(std::abs(band.cast<Real>().trace() - a.cast<Real>().trace()) < 4.0L * epsilon * norm);
    CHECK(std::abs(band.cast<Real>().norm() / norm - 1.0L) < 4.0L * epsilon);
    // Nothing is moved before row Band::width.
    const Index kept = std::min(order, Band::width);
    CHECK(band.topLeftCorner(kept, kept) == a.topLeftCorner(kept, kept));
    CHECK(std::abs(band.cast<Real>().col(0).norm() - a.cast<Real>().col(0).norm()) < 4.0L * epsilon * norm);
    const reference::Matrix unit_norm = a.cast<Real>() / norm;
    const auto expected = reference::first_moments(unit_norm);
    const auto moments = reference::first_moments(band.cast<Real>() / norm);
    for (std::size_t k = 0; k < moments.size(); ++k) CHECK(std::abs(moments[k] - expected[k]) < 4.0L * epsilon);
  }
}

TEST_CASE("what is a band already stays as it is", "[band_reduction]") {
  for (const Index order : {1, 40, 130}) {
    CAPTURE(order);
    Eigen::MatrixXd a = random_symmetric(order, 9);
    for (Index j = 0; j < order; ++j) {
      for (Index i = 0; i < order; ++i) {
        if (std::abs(i - j) > Band::width) a(i, j) = 0.0;
      }
    }
    CHECK(reduced(a) == a);
    CHECK(reduced(Eigen::MatrixXd::Identity(order, order)) == Eigen::MatrixXd::Identity(order, order));
    CHECK(reduced(Eigen::MatrixXd::Zero(order, order)) == Eigen::MatrixXd::Zero(order, order));
  }
}

TEST_CASE("a matrix of rank one becomes a band of rank one", "[band_reduction]") {
  for (const Index order : {34, 97, 200}) {
    CAPTURE(order);
    const Eigen::VectorXd x = reference::gaussian<double>(order, 1, 3).normalized();
    const Eigen::VectorXd values = values_of(reduced(x * x.transpose()));
    CHECK(std::abs(values(order - 1) - 1.0) < 4e-15);
    CHECK(values.head(order - 1).cwiseAbs().maxCoeff() < 4e-16);
  }
}

TEST_CASE("blocks that fall apart stay apart from the first ones", "[band_reduction]") {
  constexpr Index order = 150;
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(order, order);
  a.topLeftCorner(70, 70) = random_symmetric(70, 1);
  a.bottomRightCorner(80, 80) = random_symmetric(80, 2);
  const Eigen::MatrixXd band = reduced(a);
  CHECK(band.bottomLeftCorner(80, 70).isZero(0));
  CHECK((values_of(band) - values_of(a)).cwiseAbs().maxCoeff() < 1e-14 * a.norm());
}

TEST_CASE("no digits are lost by columns of different sizes", "[band_reduction]") {
  // The shape of a Gram matrix near collapse with the mean first: 1, e, e^2.
  for (const double e : {1e-3, 1e-6, 1e-9}) {
    CAPTURE(e);
    constexpr Index order = 130;
    Eigen::MatrixXd a = random_symmetric(order, 4) * (e * e);
    a.col(0).tail(order - 1) /= e;
    a.row(0).tail(order - 1) /= e;
    a(0, 0) = 1.0;
    const Eigen::MatrixXd band = reduced(a);
    CHECK(band(0, 0) == 1.0);
    const auto rest = [](const Eigen::MatrixXd& m) {
      return Eigen::MatrixXd(m.bottomRightCorner(order - 1, order - 1));
    };
    CHECK(band.col(0).head(Band::width) == a.col(0).head(Band::width));
    CHECK((values_of(rest(band)) - values_of(rest(a))).cwiseAbs().maxCoeff() < 1e-14 * rest(a).norm());
  }
}

TEST_CASE("entries at both ends of the range that squares allow", "[band_reduction]") {
  for (const double unit : {1e-140, 1e140}) {
    CAPTURE(unit);
    const reference::Vector expected = reference::spread_values(100) * static_cast<Real>(unit);
    const Eigen::MatrixXd band = reduced(reference::with_eigenvalues(expected));
    CHECK(farthest(values_of(band), expected) < 20.0L * epsilon * static_cast<Real>(unit));
  }
}

TEST_CASE("the reduction to a band has the same bits whatever the number of threads", "[band_reduction]") {
  for (const Index order : {40, 193, 400}) {
    const Eigen::MatrixXd a = random_symmetric(order, 3);
    const Eigen::MatrixXd band = reduced(a);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(order, threads);
      CHECK(reference::same_bits(reduced(a), band));
    });
  }
}

TEST_CASE("a two-sided update is Q^T A Q and reads and gives the lower triangle", "[band_reduction]") {
  TwoSidedUpdate update(193);
  for (const Index order : {193, 192, 191, 97, 96, 32, 5, 1}) {
    for (const Index depth : {32, 31, 7, 1}) {
      if (depth > order) continue;
      CAPTURE(order, depth);
      // Not orthogonal, and T no more than upper triangular: what is checked is the algebra of A - V W^T - W V^T, for
      // which T + T^T = T^T V^T V T need not hold.
      const Eigen::MatrixXd a = random_symmetric(order, 11);
      const Eigen::MatrixXd v = reference::gaussian<double>(order, depth, 12) / std::sqrt(static_cast<double>(order));
      Eigen::MatrixXd t = reference::gaussian<double>(depth, depth, 13) / std::sqrt(static_cast<double>(depth));
      t.triangularView<Eigen::StrictlyLower>().setZero();
      Eigen::MatrixXd lower = lower_only(a);
      linalg::BlockReflector reflector{v, v * t};
      update.apply(lower, reflector);
      const reference::Matrix q =
          reference::Matrix::Identity(order, order) - v.cast<Real>() * t.cast<Real>() * v.cast<Real>().transpose();
      const reference::Matrix expected = q.transpose() * a.cast<Real>() * q;
      Real worst = 0.0L;
      for (Index j = 0; j < order; ++j) {
        worst = std::max(worst, farthest(lower.col(j).tail(order - j), expected.col(j).tail(order - j)));
      }
      CHECK(worst < 40.0L * epsilon * expected.cwiseAbs().maxCoeff());
    }
  }
}
