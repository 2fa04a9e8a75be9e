#pragma once

#include "reference_statistics.hpp"

#include <collapse/linalg/tridiagonal.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

/// Symmetric matrices whose eigenvalues are known, and Jacobi's methods in long double: what the tests of the
/// reductions compare with.
namespace collapse::reference {

inline constexpr Real double_epsilon = std::numeric_limits<double>::epsilon();

/// On both sides of every tile, band and packet.
inline constexpr std::array<Eigen::Index, 19> edge_orders{1,  2,  3,  31, 32,  33,  34,  63,  64, 65,
                                                          66, 95, 96, 97, 127, 128, 130, 193, 300};

/// Eigenvalues of a symmetric matrix, ascending, by plane rotations (Jacobi 1846).
[[nodiscard]] inline Vector jacobi_eigenvalues(Matrix a) {
  const Eigen::Index n = a.rows();
  for (int sweep = 0; sweep < 40; ++sweep) {
    Real off = 0.0L;
    for (Eigen::Index p = 0; p < n; ++p) {
      for (Eigen::Index q = p + 1; q < n; ++q) {
        if (a(p, q) == 0.0L) continue;
        off = std::max(off, std::abs(a(p, q)));
        const Real theta = (a(q, q) - a(p, p)) / (2.0L * a(p, q));
        const Real t = (theta >= 0.0L ? 1.0L : -1.0L) / (std::abs(theta) + std::sqrt(theta * theta + 1.0L));
        const Real c = 1.0L / std::sqrt(t * t + 1.0L);
        const Real s = t * c;
        const Vector left = a.col(p);
        a.col(p) = c * left - s * a.col(q);
        a.col(q) = s * left + c * a.col(q);
        const Eigen::Matrix<Real, 1, Eigen::Dynamic> upper = a.row(p);
        a.row(p) = c * upper - s * a.row(q);
        a.row(q) = s * upper + c * a.row(q);
        a(p, q) = a(q, p) = 0.0L;
      }
    }
    if (off <= 1e-21L * a.diagonal().cwiseAbs().maxCoeff()) break;
  }
  Vector values = a.diagonal();
  std::sort(values.begin(), values.end());
  return values;
}

/// Singular values, descending, min(rows, cols) of them, by rotations of the columns (Hestenes 1958): to the last
/// digits of the largest in long double, and better where columns differ in length.
[[nodiscard]] inline Vector jacobi_singular_values(Matrix a) {
  const Eigen::Index values = std::min(a.rows(), a.cols());
  if (a.rows() < a.cols()) a = Matrix(a.transpose());
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (Eigen::Index p = 0; p < a.cols(); ++p) {
      for (Eigen::Index q = p + 1; q < a.cols(); ++q) {
        const Real x = a.col(p).squaredNorm();
        const Real y = a.col(q).squaredNorm();
        const Real xy = a.col(p).dot(a.col(q));
        if (std::abs(xy) <= 1e-20L * std::sqrt(x) * std::sqrt(y)) continue;
        rotated = true;
        const Real theta = (y - x) / (2.0L * xy);
        const Real t = (theta >= 0.0L ? 1.0L : -1.0L) / (std::abs(theta) + std::sqrt(theta * theta + 1.0L));
        const Real c = 1.0L / std::sqrt(t * t + 1.0L);
        const Vector left = a.col(p);
        a.col(p) = c * left - t * c * a.col(q);
        a.col(q) = t * c * left + c * a.col(q);
      }
    }
    if (!rotated) break;
  }
  Vector result = a.colwise().norm().transpose();
  std::sort(result.begin(), result.end(), [](Real x, Real y) { return x > y; });
  return result.head(values);
}

/// A dense symmetric matrix with these eigenvalues: two random reflections in long double, rounded once.
[[nodiscard]] inline Eigen::MatrixXd with_eigenvalues(const Vector& values, std::uint64_t seed = 1) {
  Random random(seed);
  Matrix a = values.asDiagonal();
  for (int times = 0; times < 2; ++times) {
    Vector v(values.size());
    for (Real& entry : v) entry = static_cast<Real>(random.normal());
    v.normalize();
    Vector w = 2.0L * (a * v);
    w -= w.dot(v) * v;
    a -= v * w.transpose() + w * v.transpose();
  }
  return a.cast<double>();
}

/// A dense symmetric matrix of sums of Gaussians.
[[nodiscard]] inline Eigen::MatrixXd random_symmetric(Eigen::Index order, std::uint64_t seed) {
  const Eigen::MatrixXd a = gaussian<double>(order, order, seed);
  return a + a.transpose();
}

/// Numbers in [-1, 1), ascending, with every tenth a repetition of the one before it.
[[nodiscard]] inline Vector spread_values(Eigen::Index order, std::uint64_t seed = 1) {
  Random random(seed);
  Vector values(order);
  for (Real& value : values) value = static_cast<Real>(2.0 * random.uniform() - 1.0);
  std::sort(values.begin(), values.end());
  for (Eigen::Index k = 9; k < order; k += 10) values(k) = values(k - 1);
  return values;
}

/// The lower triangle, and NaN above it: who reads what is not there shows.
[[nodiscard]] inline Eigen::MatrixXd lower_only(Eigen::MatrixXd a) {
  for (Eigen::Index j = 0; j < a.cols(); ++j) a.col(j).head(j).setConstant(std::numeric_limits<double>::quiet_NaN());
  return a;
}

[[nodiscard]] inline Matrix dense(const linalg::Tridiagonal& t) {
  Matrix a = Matrix::Zero(t.order(), t.order());
  for (Eigen::Index k = 0; k < t.order(); ++k) a(k, k) = static_cast<Real>(t.diagonal(k));
  for (Eigen::Index k = 0; k + 1 < t.order(); ++k) a(k, k + 1) = a(k + 1, k) = static_cast<Real>(t.beside(k));
  return a;
}

/// e_0^T A^k e_0 for k = 1, ..., 6: they do not change where A is transformed by what leaves e_0 as it is, and all but
/// surely change where it is moved.
[[nodiscard]] inline std::array<Real, 6> first_moments(const Matrix& a) {
  std::array<Real, 6> result{};
  if (a.rows() == 0) return result;
  Vector v = Vector::Unit(a.rows(), 0);
  for (Real& moment : result) {
    v = Vector(a * v);
    moment = v(0);
  }
  return result;
}

/// Largest |x_k - y_k|; a large number when the sizes differ or something is NaN.
template <class X, class Y>
[[nodiscard]] Real farthest(const Eigen::MatrixBase<X>& x, const Eigen::MatrixBase<Y>& y) {
  if (x.rows() != y.rows() || x.cols() != y.cols()) return 1e300L;
  const auto& a = x.derived().eval();
  const auto& b = y.derived().eval();
  Real worst = 0.0L;
  for (Eigen::Index j = 0; j < x.cols(); ++j) {
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      const Real difference = std::abs(static_cast<Real>(a(i, j)) - static_cast<Real>(b(i, j)));
      if (!(difference <= worst)) worst = std::isnan(difference) ? 1e300L : difference;
    }
  }
  return worst;
}

}  // namespace collapse::reference
