#pragma once

#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

namespace collapse {

using Eigen::Index;

/// Which product of a matrix A with itself a Gram holds.
enum class Side {
  dims,    ///< A^T A, D x D
  samples  ///< A A^T, N x N
};

/// The smaller product of a matrix with itself: both have the same non-zero eigenvalues and the same Frobenius norm.
/// Only the lower triangle is filled.
struct Gram {
  Side side = Side::dims;
  Eigen::MatrixXd lower;
};

namespace statistics {

/// Sum of squares of all entries of a symmetric matrix given by its lower triangle.
[[nodiscard]] inline double symmetric_squared_norm(const Eigen::MatrixXd& lower) {
  double off_diagonal = 0.0;
  double diagonal = 0.0;
  for (Index j = 0; j < lower.cols(); ++j) {
    diagonal += lower(j, j) * lower(j, j);
    off_diagonal += linalg::squared_norm(lower.data() + j * lower.rows() + j + 1, lower.rows() - j - 1);
  }
  return diagonal + 2.0 * off_diagonal;
}

[[nodiscard]] inline Side smaller_side(Index samples, Index dims) {
  return samples <= dims ? Side::samples : Side::dims;
}

}  // namespace statistics
}  // namespace collapse
