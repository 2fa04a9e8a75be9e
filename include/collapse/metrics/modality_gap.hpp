#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>

#include <Eigen/Core>

namespace collapse {

/// The distance between the mean directions of the views, as the length of the mean of u_i - v_i, which loses no digits
/// where the gap is small. From sums over pairs; no scatter is needed.
[[nodiscard]] inline double modality_gap(const CrossSums& sums) {
  if (!sums.same_dims() || sums.directed == 0) return undefined;
  return (sums.direction_distance / static_cast<double>(sums.directed)).norm();
}

/// How far the directions of A lie from those of B as a whole: ||mean a_i / ||a_i|| - mean b_i / ||b_i|| ||.
///
/// @param A, B     N x D embeddings of two modalities, of any scalars; row i of both is one sample
/// @param options  only `nonfinite` matters: a pair is left out when either row is not finite
/// @return [0, 2]; 0 is no gap. Pairs with a row of length 0 take no part. Undefined when A and B differ in columns or
///         no pair is left
/// @throws ShapeError when A and B differ in rows or have none, NonFiniteError
/// Cost: O(N D) time, O(N + D) memory.
/// Source: Liang et al., Mind the gap, 2022.
template <class DerivedA, class DerivedB>
[[nodiscard]] double modality_gap(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B,
                                  const Options& options = {}) {
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite, [](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index) {
        return modality_gap(statistics::cross_sums(a, rows_a, b, rows_b, false));
      });
}

}  // namespace collapse
