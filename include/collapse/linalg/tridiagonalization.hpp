#pragma once

#include <collapse/linalg/band_reduction.hpp>
#include <collapse/linalg/block_reflector.hpp>
#include <collapse/linalg/bulge_chasing.hpp>
#include <collapse/linalg/lapack.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace collapse::linalg {

/// As `tridiagonalize`, one column after the other: for matrices that lie in the first-level cache, and whose squares
/// neither overflow nor vanish. 4/3 n^3 flops (Golub & Van Loan, algorithm 8.3.1).
/// @param lower  destroyed
[[nodiscard]] inline Tridiagonal tridiagonalize_by_columns(const ColumnsView<double>& lower) {
  const Index order = lower.rows();
  Tridiagonal result{Eigen::VectorXd(order), Eigen::VectorXd(order - 1)};
  std::vector<double> memory(2 * static_cast<std::size_t>(order));
  double* const v = memory.data();
  double* const w = v + order;
  for (Index k = 0; k < order; ++k) {
    const Index rest = order - k - 1;
    result.diagonal(k) = lower(k, k);
    if (rest == 0) break;
    const double factor = householder(lower.col(k) + k + 1, v, rest);
    result.beside(k) = lower(k + 1, k);
    if (factor == 0.0) continue;
    // A - v w^T - w v^T with w = p - (scale p.v / 2) v and p = scale A v.
    const ColumnsView<double> a = lower.block(k + 1, k + 1, rest, rest);
    std::fill_n(w, rest, 0.0);
    for (Index j = 0; j < rest; ++j) {
      w[j] += a(j, j) * v[j] + dot(a.col(j) + j + 1, v + j + 1, rest - j - 1);
      add_scaled(w + j + 1, v[j], a.col(j) + j + 1, rest - j - 1);
    }
    scale(w, factor, rest);
    add_scaled(w, -0.5 * factor * dot(w, v, rest), v, rest);
    for (Index j = 0; j < rest; ++j) {
      double* const column = a.col(j);
      for (Index i = j; i < rest; ++i) column[i] -= v[i] * w[j] + w[i] * v[j];
    }
  }
  return result;
}

/// Q^T A Q for an orthogonal Q that leaves the first unit vector as it is. Large orders in two stages, or by LAPACK
/// where the program asks for it (lapack.hpp).
///
/// @param lower  the lower triangle of A
/// Cost: 4/3 n^3 flops in matrix products and 6 n^2 Band::width beside them; O(n^2) memory.
[[nodiscard]] inline Tridiagonal tridiagonalize(Eigen::MatrixXd lower) {
  const Index order = lower.rows();
  if (order == 0) return {};
  double largest = 0.0;
  for (Index j = 0; j < order; ++j) {
    largest = std::max(largest, largest_magnitude(lower.data() + j * order + j, order - j));
  }
  if (largest == 0.0) return {Eigen::VectorXd::Zero(order), Eigen::VectorXd::Zero(order - 1)};
  // Squares of the entries must neither overflow nor vanish.
  int exponent = 0;
  std::frexp(largest, &exponent);
  // Of the largest and the denormal entries a power of two and its inverse cannot both be a double.
  exponent = std::clamp(exponent, -1022, 1022);
  scale(lower.data(), std::ldexp(1.0, -exponent), lower.size());
  Tridiagonal result;
  if (order <= 2 * Band::width) {
    result = tridiagonalize_by_columns(lower);
  } else {
#ifdef COLLAPSE_USE_LAPACK
    result = lapack_tridiagonalize(lower);
#else
    result = chase_bulges(reduce_to_band(lower));
#endif
  }
  scale(result.diagonal.data(), std::ldexp(1.0, exponent), order);
  scale(result.beside.data(), std::ldexp(1.0, exponent), order - 1);
  return result;
}

}  // namespace collapse::linalg
