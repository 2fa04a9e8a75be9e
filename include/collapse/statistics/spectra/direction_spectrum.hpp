#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

namespace collapse {
namespace statistics {

template <EmbeddingScalar Scalar>
[[nodiscard]] SingularValues direction_spectrum(const linalg::MatrixView<Scalar>& z, const Rows& rows);

}  // namespace statistics

/// Singular values of the directions u_i = z_i / ||z_i|| of Z, as they are, without a mean removed. Their squares are
/// M times the eigenvalues of the cosine kernel U U^T / M.
///
/// @param Z        N x D embeddings, of which M rows have a direction
/// @param options  only `nonfinite` matters: the method is always that of the smaller Gram matrix
/// @return min(M, D) values with their noise floor; none when no row has a direction
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: N D m flops and an eigenvalue problem of order m = min(N, D), O(m^2) memory.
template <class Derived>
[[nodiscard]] SingularValues direction_spectrum(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  return statistics::direction_spectrum(evaluated.view(), rows);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/spectra/direction_singular_values.hpp>
#endif
