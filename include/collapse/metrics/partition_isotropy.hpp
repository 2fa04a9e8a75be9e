#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/partition_function.hpp>

#include <cmath>

namespace collapse {

/// Logarithm of `partition_isotropy`, for rows so long (some hundreds) that the number itself is 0 in double.
///
/// @param Z        N x D embeddings, as they are
/// @param options  only `nonfinite` matters
/// @return in [-infinity, 0]; about -2 ||mean|| when the mean is long against the spread
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost and source: those of `partition_isotropy`.
template <class Derived>
[[nodiscard]] double log_partition_isotropy(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  return statistics::log_partition_ratio(evaluated.view(), statistics::scan_rows(evaluated.view(), options.nonfinite));
}

/// Isotropy by the partition function, min_c F(c) / max_c F(c) with F(c) = sum_i exp(c . z_i), c over the D unit
/// eigenvectors of Z^T Z and their negatives.
///
/// The sign of an eigenvector is arbitrary; the paper leaves it to the solver, whose choice moves the value, and so
/// both signs are taken. Where eigenvalues coincide any basis of their space is one of eigenvectors, and the value
/// depends on the one that the solver finds.
/// @param Z        N x D embeddings, as they are: the number is not scale free, and tends to 1 as rows become short.
///                 Rows of zeros take part
/// @param options  only `nonfinite` matters
/// @return in [0, 1]; healthy: 1. Word vectors are near 0 as they come and near 1 without mean and top directions
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: 3 N D m flops and the eigenvectors of a matrix of order m = min(N, D), 9 m^3 flops on one thread; O(m^2)
///       memory.
/// Source: Mu & Viswanath, All-but-the-top, 2018, eq. 5, after Arora et al., A latent variable model approach to
///         PMI-based word embeddings, 2016.
template <class Derived>
[[nodiscard]] double partition_isotropy(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return std::exp(log_partition_isotropy(Z, options));
}

}  // namespace collapse
