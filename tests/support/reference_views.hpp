#pragma once

#include "reference_statistics.hpp"

#include <cmath>

/// The numbers of two views by their definitions, in long double.
namespace collapse::reference {

struct Cka {
  Real biased = 0.0L;
  Real debiased = 0.0L;
};

/// The unbiased estimate of the Hilbert-Schmidt independence criterion from N x N kernels, times n (n - 3): Song et al.
/// 2012, eq. 5, term by term.
[[nodiscard]] inline Real unbiased_hsic(Matrix k, Matrix l) {
  const Real n = static_cast<Real>(k.rows());
  k.diagonal().setZero();
  l.diagonal().setZero();
  const Vector k1 = k.rowwise().sum();
  const Vector l1 = l.rowwise().sum();
  return k.cwiseProduct(l).sum() + k1.sum() * l1.sum() / ((n - 1.0L) * (n - 2.0L)) - 2.0L / (n - 2.0L) * k1.dot(l1);
}

/// From the kernels of all pairs of rows.
[[nodiscard]] inline Cka linear_cka(const Matrix& a, const Matrix& b) {
  const Matrix x = centred(a);
  const Matrix y = centred(b);
  const Matrix k = x * x.transpose();
  const Matrix l = y * y.transpose();
  Cka result;
  result.biased = k.cwiseProduct(l).sum() / std::sqrt(k.squaredNorm()) / std::sqrt(l.squaredNorm());
  result.debiased = unbiased_hsic(k, l) / std::sqrt(unbiased_hsic(k, k)) / std::sqrt(unbiased_hsic(l, l));
  return result;
}

struct Barlow {
  Real on_diagonal = 0.0L;
  Real off_diagonal = 0.0L;
};

[[nodiscard]] inline Barlow barlow(const Matrix& a, const Matrix& b) {
  const Matrix x = centred(a);
  const Matrix y = centred(b);
  Barlow result;
  for (Eigen::Index d = 0; d < x.cols(); ++d) {
    for (Eigen::Index e = 0; e < y.cols(); ++e) {
      const Real k = x.col(d).dot(y.col(e)) / std::sqrt(x.col(d).squaredNorm()) / std::sqrt(y.col(e).squaredNorm());
      if (d == e) {
        result.on_diagonal += (1.0L - k) * (1.0L - k);
      } else {
        result.off_diagonal += k * k;
      }
    }
  }
  return result;
}

struct Pairs {
  Real alignment = 0.0L;
  Real invariance = 0.0L;
  Real paired_cosine = 0.0L;
  Real unpaired_cosine = 0.0L;
  Real modality_gap = 0.0L;
};

/// By loops over all pairs of rows, none of length 0.
[[nodiscard]] inline Pairs pairs(const Matrix& a, const Matrix& b) {
  const Matrix u = unit_rows(a);
  const Matrix v = unit_rows(b);
  const Real n = static_cast<Real>(a.rows());
  Pairs result;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    result.alignment += (u.row(i) - v.row(i)).squaredNorm() / n;
    result.invariance += (a.row(i) - b.row(i)).squaredNorm() / n / static_cast<Real>(a.cols());
    for (Eigen::Index j = 0; j < a.rows(); ++j) {
      const Real cosine = u.row(i).dot(v.row(j));
      if (i == j) {
        result.paired_cosine += cosine / n;
      } else {
        result.unpaired_cosine += cosine / (n * (n - 1.0L));
      }
    }
  }
  result.modality_gap = std::sqrt(mean_row(u - v).squaredNorm());
  return result;
}

/// A rotation: the orthogonal factor of a random matrix.
[[nodiscard]] inline Dense<double> rotation(Eigen::Index dims, std::uint64_t seed) {
  Dense<double> q = gaussian<double>(dims, dims, seed);
  for (Eigen::Index j = 0; j < dims; ++j) {
    for (int twice = 0; twice < 2; ++twice) {
      for (Eigen::Index k = 0; k < j; ++k) q.col(j) -= q.col(k).dot(q.col(j)) * q.col(k);
      q.col(j).normalize();
    }
  }
  return q;
}

[[nodiscard]] inline bool near(double value, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(value) - expected) <= tolerance;
}

}  // namespace collapse::reference
