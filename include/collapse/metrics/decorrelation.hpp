#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

namespace collapse {
namespace metrics {

/// Of the rows of a matrix, on the side that is smaller.
template <EmbeddingScalar Scalar>
[[nodiscard]] Decorrelation decorrelation(const linalg::MatrixView<Scalar>& z, const Rows& rows);

}  // namespace metrics

/// How far the dimensions of Z repeat each other.
///
/// C = X^T X / (N - 1), R_de = C_de / sqrt(C_dd C_ee): `covariance_penalty` = sum_{d != e} C_de^2 / D; mean, root mean
/// square and maximum of |R_de| over pairs of dimensions that are not dead; `redundancy` = mean of R_de^2.
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return correlations in [0, 1]; healthy is what chance gives, rms 1 / sqrt(N - 1). The penalty is in input units to
///         the fourth power. Undefined with one row; correlations undefined with fewer than two live dimensions
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: N D^2 flops; O(min(N, D)^2) memory.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 3-4 (penalty); Zbontar et al., Barlow Twins, 2021 (redundancy).
template <class Derived>
[[nodiscard]] Decorrelation decorrelation(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  return metrics::decorrelation(evaluated.view(), rows);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/metrics/correlation_sums.hpp>
#endif
