#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/bulge_chasing.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace collapse;
using linalg::Band;
using linalg::Index;
using linalg::Reflector;
using linalg::Tridiagonal;
using reference::farthest;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

/// Random entries within `width` of the diagonal.
Eigen::MatrixXd random_band(Index order, Index width, std::uint64_t seed) {
  const Eigen::MatrixXd random = reference::gaussian<double>(order, order, seed);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(order, order);
  for (Index j = 0; j < order; ++j) {
    for (Index i = j; i < std::min(order, j + width + 1); ++i) a(i, j) = a(j, i) = random(i, j);
  }
  return a;
}

Band band_of(const Eigen::MatrixXd& a) {
  Band band(a.rows());
  for (Index j = 0; j < a.rows(); ++j) {
    for (Index i = j; i < std::min(a.rows(), j + Band::width + 1); ++i) band.column(j)[i - j] = a(i, j);
  }
  return band;
}

Tridiagonal chased(const Eigen::MatrixXd& a) { return linalg::chase_bulges(band_of(a)); }

}  // namespace

TEST_CASE("a reflector takes a column to a multiple of the first unit vector", "[bulge_chasing]") {
  for (const double unit : {1.0, -1.0, 1e-140, 1e140}) {
    for (const Index filled : {2, 5, 32}) {
      CAPTURE(unit, filled);
      Eigen::VectorXd x = Eigen::VectorXd::Zero(Reflector::size);
      x.head(filled) = unit * reference::gaussian<double>(filled, 1, 3);
      Eigen::VectorXd column = x;
      Reflector reflector;
      reflector.eliminate(column.data());
      const reference::Vector v = Eigen::VectorXd::Map(reflector.v, Reflector::size).cast<Real>();
      const auto scale = static_cast<Real>(reflector.scale);
      CHECK(v(0) == 1.0L);
      CHECK(std::abs(scale * v.squaredNorm() - 2.0L) < 8.0L * epsilon);
      const reference::Vector image = x.cast<Real>() - scale * v.dot(x.cast<Real>()) * v;
      CHECK(farthest(image, column) < 8.0L * epsilon * x.cast<Real>().norm());
      CHECK(column.tail(Reflector::size - 1).isZero(0));
      CHECK(std::abs(std::abs(static_cast<Real>(column(0))) - x.cast<Real>().norm()) <
            4.0L * epsilon * x.cast<Real>().norm());
      // Away from the first entry: nothing cancels.
      CHECK(std::signbit(column(0)) != std::signbit(x(0)));
    }
  }
}

TEST_CASE("a reflector leaves what is a multiple of the first unit vector as it is", "[bulge_chasing]") {
  for (const double first : {0.0, 3.0, -2.0}) {
    for (const double rest : {0.0, 1e-170}) {
      CAPTURE(first, rest);
      Eigen::VectorXd column = Eigen::VectorXd::Constant(Reflector::size, rest);
      column(0) = first;
      Reflector reflector;
      reflector.eliminate(column.data());
      CHECK(reflector.scale == 0.0);
      CHECK(column == first * Eigen::VectorXd::Unit(Reflector::size, 0));
      CHECK(Eigen::VectorXd(Eigen::VectorXd::Map(reflector.v, Reflector::size)) ==
            Eigen::VectorXd::Unit(Reflector::size, 0));
    }
  }
}

TEST_CASE("eigenvalues of a chased band are those of rotations in long double", "[bulge_chasing]") {
  for (const Index order : {1, 2, 3, 4, 33, 34, 35, 66}) {
    for (const Index width : {32, 5}) {
      CAPTURE(order, width);
      const Eigen::MatrixXd a = random_band(order, width, static_cast<std::uint64_t>(order));
      const reference::Vector expected = reference::jacobi_eigenvalues(a.cast<Real>());
      const Real norm = expected.cwiseAbs().maxCoeff();
      CHECK(farthest(linalg::eigenvalues(chased(a)), expected) < 8.0L * epsilon * norm);
    }
  }
}

TEST_CASE("chasing keeps trace and norm, and the first unit vector", "[bulge_chasing]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    const Eigen::MatrixXd a = random_band(order, Band::width, 2);
    const Tridiagonal t = chased(a);
    REQUIRE(t.order() == order);
    REQUIRE(t.beside.size() == order - 1);
    const reference::Matrix wide = a.cast<Real>();
    const reference::Matrix result = reference::dense(t);
    const Real norm = wide.norm();
    CHECK(std::abs(result.trace() - wide.trace()) < 8.0L * epsilon * norm);
    CHECK(std::abs(result.norm() / norm - 1.0L) < 8.0L * epsilon);
    CHECK(t.diagonal(0) == a(0, 0));
    CHECK(std::abs(result.col(0).norm() - wide.col(0).norm()) < 8.0L * epsilon * norm);
    const auto expected = reference::first_moments(wide / norm);
    const auto moments = reference::first_moments(result / norm);
    for (std::size_t k = 0; k < moments.size(); ++k) CHECK(std::abs(moments[k] - expected[k]) < 8.0L * epsilon);
  }
}

TEST_CASE("a toeplitz band of two diagonals away has the eigenvalues of its two halves", "[bulge_chasing]") {
  // 2 on the diagonal and -1 two beside it: two second differences, of the even and of the odd rows.
  for (const Index order : {3, 64, 65, 130, 193, 300}) {
    CAPTURE(order);
    Eigen::MatrixXd a = 2.0 * Eigen::MatrixXd::Identity(order, order);
    a.diagonal(-2).setConstant(-1.0);
    reference::Vector expected(order);
    for (Index k = 0; k < order; ++k) {
      const Index half = k % 2 == 0 ? (order + 1) / 2 : order / 2;
      const Real angle = static_cast<Real>(k / 2 + 1) * std::acos(-1.0L) / static_cast<Real>(half + 1);
      expected(k) = 2.0L - 2.0L * std::cos(angle);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(farthest(linalg::eigenvalues(chased(a)), expected) < 8.0L * epsilon * 4.0L);
  }
}

TEST_CASE("what is tridiagonal already stays as it is", "[bulge_chasing]") {
  for (const Index order : {0, 1, 2, 3, 65, 130}) {
    CAPTURE(order);
    const Eigen::MatrixXd a = random_band(order, 1, 4);
    const Tridiagonal t = chased(a);
    CHECK(t.diagonal == a.diagonal());
    CHECK(t.beside.size() == std::max<Index>(order - 1, 0));
    if (order > 1) CHECK(t.beside == a.diagonal(-1));
    const Tridiagonal identity = chased(Eigen::MatrixXd::Identity(order, order));
    CHECK(identity.diagonal == Eigen::VectorXd::Ones(order));
    CHECK(identity.beside.isZero(0));
  }
}

TEST_CASE("parts that a band falls into keep their eigenvalues", "[bulge_chasing]") {
  constexpr Index order = 66;
  Eigen::MatrixXd a = random_band(order, Band::width, 8);
  a.block(20, 0, order - 20, 20).setZero();
  a.block(41, 0, order - 41, 41).setZero();
  a.triangularView<Eigen::StrictlyUpper>() = a.transpose();
  const Tridiagonal t = chased(a);
  CHECK(t.beside(19) == 0.0);
  CHECK(t.beside(40) == 0.0);
  const reference::Vector expected = reference::jacobi_eigenvalues(a.cast<Real>());
  CHECK(farthest(linalg::eigenvalues(t), expected) < 8.0L * epsilon * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("a band graded over twenty decades keeps its norm and its large eigenvalues", "[bulge_chasing]") {
  for (const bool descending : {true, false}) {
    CAPTURE(descending);
    constexpr Index order = 66;
    Eigen::MatrixXd a = random_band(order, Band::width, 8);
    for (Index k = 0; k < order; ++k) {
      const double unit = std::pow(10.0, (descending ? -0.3 : 0.3) * static_cast<double>(k));
      a.row(k) *= unit;
      a.col(k) *= unit;
    }
    const reference::Vector expected = reference::jacobi_eigenvalues(a.cast<Real>());
    CHECK(farthest(linalg::eigenvalues(chased(a)), expected) < 8.0L * epsilon * expected.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("chasing has the same bits whatever the number of threads", "[bulge_chasing]") {
  for (const Index order : {3, 40, 193}) {
    const Eigen::MatrixXd a = random_band(order, Band::width, 6);
    const Tridiagonal t = chased(a);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(order, threads);
      const Tridiagonal other = chased(a);
      CHECK(reference::same_bits(other.diagonal, t.diagonal));
      CHECK(reference::same_bits(other.beside, t.beside));
    });
  }
}
