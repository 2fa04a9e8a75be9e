#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>

namespace collapse {

/// SelfCluster, (D ||U U^T||_F^2 - M (D + M - 1)) / (M (M - 1) (D - 1)): how much the directions of M rows cluster,
/// from the mean and the standard deviation of their cosines.
///
/// ||U U^T||_F^2 = M + M (M - 1) E[c^2], so this is (D E[c^2] - 1) / (D - 1); with h = 1 - mean c,
/// 1 - E[c^2] = h (2 - h) - std^2.
/// @param cosines  of all pairs
/// @param dims     D
/// @return in [-1 / (D - 1), 1]: 0 for directions uniform on the sphere, 1 when all lie on one axis, below 0 when they
///         are more nearly orthogonal than chance makes them. Undefined with fewer than two directions and for D = 1
/// Source: Tsitsulin, Munkhoeva & Perozzi, Unsupervised embedding quality evaluation, 2023, def. 3.5. It prints the
///         norm without the square, which its expectation, its maximum and the published code have.
[[nodiscard]] inline double self_cluster(const CosineMoments& cosines, Index dims) {
  if (dims < 2) return undefined;
  const double d = static_cast<double>(dims);
  const double h = cosines.mean_distance;
  return 1.0 - d / (d - 1.0) * (h * (2.0 - h) - cosines.std * cosines.std);
}

/// SelfCluster of the rows of Z that have a direction; see self_cluster(CosineMoments, Index).
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: N D min(N, D) flops, O(min(N, D)^2) memory.
template <class Derived>
[[nodiscard]] double self_cluster(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  const statistics::DirectionStatistics statistics = statistics::direction_statistics(evaluated.view(), rows);
  return self_cluster(cosine_moments(statistics.sums, statistics.products()), rows.dims);
}

}  // namespace collapse
