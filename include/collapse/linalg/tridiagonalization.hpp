#pragma once

#include <collapse/linalg/band_reduction.hpp>
#include <collapse/linalg/bulge_chasing.hpp>
#include <collapse/linalg/lapack.hpp>
#include <collapse/linalg/tridiagonal.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <utility>

namespace collapse::linalg {

/// Q^T A Q for an orthogonal Q that leaves the first unit vector as it is. Large orders in two stages, or by LAPACK
/// where the program asks for it (lapack.hpp).
///
/// @param lower  the lower triangle of A
/// Cost: 4/3 n^3 flops in matrix products and 6 n^2 Band::width beside them; O(n^2) memory.
/// A template, so that only who calls it compiles it; as is whatever calls it in turn.
template <class = void>
[[nodiscard]] Tridiagonal tridiagonalize(Eigen::MatrixXd lower) {
  const Index order = lower.rows();
  if (order == 0) return {};
  double largest = 0.0;
  for (Index j = 0; j < order; ++j) largest = std::max(largest, lower.col(j).tail(order - j).cwiseAbs().maxCoeff());
  if (largest == 0.0) return {Eigen::VectorXd::Zero(order), Eigen::VectorXd::Zero(order - 1)};
  // Squares of the entries must neither overflow nor vanish.
  int exponent = 0;
  std::frexp(largest, &exponent);
  // Of the largest and the denormal entries a power of two and its inverse cannot both be a double.
  exponent = std::clamp(exponent, -1022, 1022);
  lower *= std::ldexp(1.0, -exponent);
  Tridiagonal result;
  if (order <= 2 * Band::width) {
    const Eigen::Tridiagonalization<Eigen::MatrixXd> reduced(lower);
    result = {reduced.diagonal(), reduced.subDiagonal()};
  } else {
#ifdef COLLAPSE_USE_LAPACK
    result = lapack_tridiagonalize(lower);
#else
    result = chase_bulges(reduce_to_band(lower));
#endif
  }
  result.diagonal *= std::ldexp(1.0, exponent);
  result.beside *= std::ldexp(1.0, exponent);
  return result;
}

}  // namespace collapse::linalg
