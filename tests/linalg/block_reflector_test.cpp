#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/block_reflector.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace collapse;
using linalg::BlockReflector;
using linalg::Index;
using reference::farthest;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

reference::Matrix orthogonal(const BlockReflector& q) {
  return reference::Matrix::Identity(q.v.rows(), q.v.rows()) - q.vt.cast<Real>() * q.v.cast<Real>().transpose();
}

bool upper_triangular(const Eigen::MatrixXd& a) {
  for (Index j = 0; j < a.cols(); ++j) {
    for (Index i = j + 1; i < a.rows(); ++i) {
      if (a(i, j) != 0.0) return false;
    }
  }
  return true;
}

/// Of a QR by Gram and Schmidt in long double, twice over, rows in the sign of `like`.
reference::Matrix triangle_of(reference::Matrix a, const Eigen::MatrixXd& like) {
  reference::Matrix r = reference::Matrix::Zero(a.cols(), a.cols());
  for (Index j = 0; j < a.cols(); ++j) {
    for (int times = 0; times < 2; ++times) {
      for (Index i = 0; i < j; ++i) {
        const Real along = a.col(i).dot(a.col(j));
        r(i, j) += along;
        a.col(j) -= along * a.col(i);
      }
    }
    r(j, j) = std::copysign(a.col(j).norm(), static_cast<Real>(like(j, j)));
    a.col(j) /= r(j, j);
  }
  return r;
}

}  // namespace

TEST_CASE("a panel becomes triangular by an orthogonal transformation", "[block_reflector]") {
  for (const auto& [rows, cols] :
       {std::pair<Index, Index>{1, 1}, {1, 32}, {2, 1}, {5, 32}, {32, 32}, {33, 32}, {300, 7}}) {
    CAPTURE(rows, cols);
    const Eigen::MatrixXd panel = reference::gaussian<double>(rows, cols, 1);
    Eigen::MatrixXd r = panel;
    const BlockReflector q = linalg::eliminate(r);
    CHECK(upper_triangular(r));
    CHECK(upper_triangular(q.v.transpose()));
    const reference::Matrix whole = orthogonal(q);
    CHECK(farthest(whole.transpose() * whole, reference::Matrix::Identity(rows, rows)) < 8.0L * epsilon);
    CHECK(farthest(whole * r.cast<Real>(), panel.cast<Real>()) < 8.0L * epsilon * panel.cast<Real>().norm());
  }
}

TEST_CASE("a panel that is triangular stays as it is", "[block_reflector]") {
  Eigen::MatrixXd panel = reference::gaussian<double>(40, 9, 2);
  panel.triangularView<Eigen::StrictlyLower>().setZero();
  // Too small for its square, so it is no more than dropped.
  panel(20, 3) = 1e-160;
  Eigen::MatrixXd r = panel;
  const BlockReflector q = linalg::eliminate(r);
  panel(20, 3) = 0.0;
  CHECK(r == panel);
  CHECK(q.vt.isZero(0));
}

TEST_CASE("an update from the left is Q^T A, whatever part of its room it takes", "[block_reflector]") {
  linalg::LeftUpdate update(200, 32);
  for (const Index rows : {200, 131, 97, 24, 3}) {
    for (const Index cols : {1, 95, 96, 97, 193}) {
      for (const Index depth : {32, 31, 1}) {
        if (depth > rows) continue;
        CAPTURE(rows, cols, depth);
        Eigen::MatrixXd panel = reference::gaussian<double>(rows, depth, 3);
        BlockReflector q = linalg::eliminate(panel);
        const Eigen::MatrixXd a = reference::gaussian<double>(rows, cols, 4);
        Eigen::MatrixXd updated = a;
        update.apply(q, updated);
        const reference::Matrix expected = orthogonal(q).transpose() * a.cast<Real>();
        CHECK(farthest(updated, expected) < 30.0L * epsilon * expected.cwiseAbs().maxCoeff());
      }
    }
  }
}

TEST_CASE("the triangular factor is that of Gram and Schmidt", "[block_reflector]") {
  for (const auto& [rows, cols] : {std::pair<Index, Index>{1, 1}, {7, 3}, {64, 64}, {65, 33}, {250, 129}}) {
    CAPTURE(rows, cols);
    const Eigen::MatrixXd a = reference::gaussian<double>(rows, cols, 5);
    Eigen::MatrixXd r = a;
    linalg::triangularize(r);
    CHECK(upper_triangular(r));
    // A square random matrix is ill-conditioned now and then, and its factor with it.
    const Real allowed = (rows == cols ? 2000.0L : 40.0L) * epsilon;
    CHECK(farthest(r.topRows(cols), triangle_of(a.cast<Real>(), r)) < allowed * a.cast<Real>().norm());
  }
}

TEST_CASE("a wide matrix becomes a trapezoid with the same Gram matrix", "[block_reflector]") {
  const Eigen::MatrixXd a = reference::gaussian<double>(40, 100, 6);
  Eigen::MatrixXd r = a;
  linalg::triangularize(r);
  CHECK(upper_triangular(r));
  const reference::Matrix expected = a.cast<Real>().transpose() * a.cast<Real>();
  const reference::Matrix gram = r.cast<Real>().transpose() * r.cast<Real>();
  CHECK(farthest(gram, expected) < 20.0L * epsilon * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("a triangular factor has the same bits whatever the number of threads", "[block_reflector]") {
  const Eigen::MatrixXd a = reference::gaussian<double>(300, 250, 7);
  Eigen::MatrixXd r = a;
  linalg::triangularize(r);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    Eigen::MatrixXd again = a;
    linalg::triangularize(again);
    CHECK(reference::same_bits(again, r));
  });
}
