#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/tridiagonalization.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace collapse;
using linalg::Index;
using linalg::Tridiagonal;
using linalg::tridiagonalize;
using reference::farthest;
using reference::lower_only;
using reference::random_symmetric;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

bool same(const Tridiagonal& a, const Tridiagonal& b) {
  return reference::same_bits(a.diagonal, b.diagonal) && reference::same_bits(a.beside, b.beside);
}

}  // namespace

TEST_CASE("a tridiagonalisation keeps the eigenvalues, at every order and by the lower triangle alone",
          "[tridiagonalization]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    const reference::Vector expected = reference::spread_values(order, static_cast<std::uint64_t>(order));
    const Tridiagonal t = tridiagonalize(lower_only(reference::with_eigenvalues(expected)));
    REQUIRE(t.order() == order);
    REQUIRE(t.beside.size() == order - 1);
    CHECK(farthest(linalg::eigenvalues(t), expected) < 16.0L * epsilon);
  }
}

TEST_CASE("a tridiagonalisation keeps trace and norm, and the first unit vector", "[tridiagonalization]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    const Eigen::MatrixXd a = random_symmetric(order, 7);
    const Tridiagonal t = tridiagonalize(lower_only(a));
    const reference::Matrix wide = a.cast<Real>();
    const reference::Matrix result = reference::dense(t);
    const Real norm = wide.norm();
    CHECK(t.diagonal(0) == a(0, 0));
    CHECK(std::abs(result.col(0).norm() - wide.col(0).norm()) < 4.0L * epsilon * norm);
    CHECK(std::abs(result.trace() - wide.trace()) < 8.0L * epsilon * norm);
    CHECK(std::abs(result.norm() / norm - 1.0L) < 8.0L * epsilon);
    const auto expected = reference::first_moments(wide / norm);
    const auto moments = reference::first_moments(result / norm);
    for (std::size_t k = 0; k < moments.size(); ++k) CHECK(std::abs(moments[k] - expected[k]) < 8.0L * epsilon);
  }
}

TEST_CASE("what is added to the first entry may be added afterwards", "[tridiagonalization]") {
  for (const Index order : {1, 2, 20, 64, 65, 98}) {
    for (const double added : {0.5, -3.0, 1e6}) {
      CAPTURE(order, added);
      Eigen::MatrixXd a = random_symmetric(order, 5);
      Tridiagonal t = tridiagonalize(a);
      t.diagonal(0) += added;
      a(0, 0) += added;
      const Eigen::VectorXd at_once = linalg::eigenvalues(tridiagonalize(a));
      CHECK(farthest(linalg::eigenvalues(t), at_once) < 8.0L * epsilon * at_once.cwiseAbs().maxCoeff());
      if (order <= 65) {
        const reference::Vector expected = reference::jacobi_eigenvalues(a.cast<Real>());
        CHECK(farthest(linalg::eigenvalues(t), expected) < 8.0L * epsilon * expected.cwiseAbs().maxCoeff());
      }
    }
  }
}

TEST_CASE("closed forms through a tridiagonalisation", "[tridiagonalization]") {
  for (const Index order : {1, 2, 3, 64, 65, 66, 130}) {
    CAPTURE(order);
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(order, order);
    CHECK(farthest(linalg::eigenvalues(tridiagonalize(identity)), Eigen::VectorXd::Ones(order)) <= epsilon);

    const Tridiagonal zero = tridiagonalize(Eigen::MatrixXd::Zero(order, order));
    CHECK(zero.diagonal == Eigen::VectorXd::Zero(order));
    CHECK(zero.beside == Eigen::VectorXd::Zero(order - 1));

    const Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(order, order);
    const Eigen::VectorXd of_ones = static_cast<double>(order) * Eigen::VectorXd::Unit(order, order - 1);
    // Equal entries are rounded alike: errors add up instead of averaging out.
    CHECK(farthest(linalg::eigenvalues(tridiagonalize(ones)), of_ones) < 1e-14L * static_cast<Real>(order));

    // min(i, j): the inverse of a second difference; 1 / (4 sin^2((2k - 1) pi / (4n + 2))).
    Eigen::MatrixXd least(order, order);
    reference::Vector expected(order);
    for (Index j = 0; j < order; ++j) {
      for (Index i = 0; i < order; ++i) least(i, j) = static_cast<double>(std::min(i, j) + 1);
      const Real angle = static_cast<Real>(2 * (order - j) - 1) * std::acos(-1.0L) / static_cast<Real>(4 * order + 2);
      expected(j) = 1.0L / (4.0L * std::sin(angle) * std::sin(angle));
    }
    CHECK(farthest(linalg::eigenvalues(tridiagonalize(least)), expected) < 8.0L * epsilon * expected(order - 1));
  }
}

TEST_CASE("clusters stay together through a tridiagonalisation", "[tridiagonalization]") {
  reference::Vector expected(120);
  expected << reference::Vector::Constant(50, -1.0L), reference::Vector::Constant(40, 1e-3L),
      reference::Vector::Constant(29, 1e-3L + 1e-12L), 1.0L;
  const Eigen::VectorXd values = linalg::eigenvalues(tridiagonalize(reference::with_eigenvalues(expected)));
  CHECK(farthest(values, expected) < 16.0L * epsilon);
}

TEST_CASE("a tridiagonalisation of entries at both ends of the range of double", "[tridiagonalization]") {
  for (const Index order : {1, 2, 40, 100}) {
    const Eigen::MatrixXd a = reference::with_eigenvalues(reference::spread_values(order, 2));
    const Tridiagonal t = tridiagonalize(a);
    int largest = 0;
    std::frexp(a.cwiseAbs().maxCoeff(), &largest);
    // The largest entry in the highest and in the lowest binade of normal numbers, and between.
    for (const int power : {1023 - largest, 500, -500, -1000}) {
      CAPTURE(order, power);
      const Tridiagonal scaled = tridiagonalize(a * std::ldexp(1.0, power));
      CHECK(same(scaled, {t.diagonal * std::ldexp(1.0, power), t.beside * std::ldexp(1.0, power)}));
    }
  }
  const double huge = std::numeric_limits<double>::max();
  CHECK(tridiagonalize(Eigen::MatrixXd::Constant(1, 1, huge)).diagonal(0) == huge);
  CHECK(tridiagonalize(huge * Eigen::MatrixXd::Identity(70, 70)).diagonal == huge * Eigen::VectorXd::Ones(70));
  for (const double tiny : {5e-324, 1e-310, 1e-300}) {
    CAPTURE(tiny);
    CHECK(tridiagonalize(Eigen::MatrixXd::Constant(1, 1, tiny)).diagonal(0) == tiny);
    const Tridiagonal diagonal = tridiagonalize(tiny * Eigen::MatrixXd::Identity(70, 70));
    CHECK(diagonal.diagonal == tiny * Eigen::VectorXd::Ones(70));
    CHECK(diagonal.beside.isZero(0));
  }
}

TEST_CASE("a matrix graded over three hundred decades keeps its largest eigenvalue", "[tridiagonalization]") {
  for (const bool descending : {true, false}) {
    for (const Index order : {31, 91}) {
      CAPTURE(descending, order);
      Eigen::MatrixXd a = random_symmetric(order, 5);
      for (Index k = 0; k < order; ++k) {
        const double place = static_cast<double>(k) / static_cast<double>(order - 1);
        const double unit = std::pow(10.0, descending ? 75.0 - 150.0 * place : 150.0 * place - 75.0);
        a.row(k) *= unit;
        a.col(k) *= unit;
      }
      const Eigen::VectorXd values = linalg::eigenvalues(tridiagonalize(lower_only(a)));
      REQUIRE(values.allFinite());
      // The rest is below the last digit of the largest entries.
      const Index kept = 20;
      const Eigen::MatrixXd corner = descending ? a.topLeftCorner(kept, kept) : a.bottomRightCorner(kept, kept);
      const reference::Vector expected = reference::jacobi_eigenvalues(corner.cast<Real>());
      const Real norm = expected.cwiseAbs().maxCoeff();
      CHECK(std::abs(static_cast<Real>(values.cwiseAbs().maxCoeff()) - norm) < 8.0L * epsilon * norm);
      CHECK(std::abs(static_cast<Real>(values.sum()) - a.cast<Real>().trace()) < 8.0L * epsilon * norm);
    }
  }
}

TEST_CASE("a matrix of no rows has a tridiagonal form of none", "[tridiagonalization]") {
  const Tridiagonal t = tridiagonalize(Eigen::MatrixXd());
  CHECK(t.order() == 0);
  CHECK(t.beside.size() == 0);
}

TEST_CASE("a tridiagonalisation has the same bits whatever the number of threads", "[tridiagonalization]") {
  for (const Index order : {64, 65, 193}) {
    const Eigen::MatrixXd a = random_symmetric(order, 3);
    const Tridiagonal t = tridiagonalize(a);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(order, threads);
      CHECK(same(tridiagonalize(a), t));
    });
  }
}
