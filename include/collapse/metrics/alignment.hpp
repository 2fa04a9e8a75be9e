#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace collapse {

/// How near the two rows of a pair are, and how near rows of different pairs. Undefined when the views differ in
/// dimensions. u = a / ||a|| and v = b / ||b|| are directions, over the pairs in which both rows have one.
struct Alignment {
  Index directed_pairs = 0;            ///< pairs in which neither row has length 0
  double alignment = undefined;        ///< mean ||u_i - v_i||^2, [0, 4]; 0 is the same direction
  double invariance = undefined;       ///< mean over rows and dimensions of (a_id - b_id)^2, in squared input units
  double paired_cosine = undefined;    ///< mean u_i . v_i = 1 - alignment / 2
  double unpaired_cosine = undefined;  ///< mean u_i . v_j over i != j; near paired_cosine the pairs say nothing
};

/// From the sums over pairs; no scatter is needed. Differences are summed before anything is averaged, so that nothing
/// is lost when the views are almost the same.
[[nodiscard]] inline Alignment alignment(const CrossSums& sums) {
  Alignment result;
  if (!sums.same_dims() || sums.count == 0) return result;
  const double entries = static_cast<double>(sums.count) * static_cast<double>(sums.a.sum.size());
  result.invariance = std::ldexp(sums.difference_squares / entries, 2 * sums.common_exponent());
  result.directed_pairs = sums.directed;
  if (sums.directed == 0) return result;
  const double m = static_cast<double>(sums.directed);
  result.alignment = std::min(sums.direction_squares / m, 4.0);
  result.paired_cosine = 1.0 - 0.5 * result.alignment;
  if (sums.directed < 2) return result;
  // sum_{i, j} u_i . v_j less the pairs themselves.
  const double all = sums.directions.dot(sums.directions - sums.direction_distance);
  result.unpaired_cosine = std::clamp((all - m * result.paired_cosine) / (m * (m - 1.0)), -1.0, 1.0);
  return result;
}

/// How near the rows of A are to those of B.
///
/// `alignment` = mean ||a_i / ||a_i|| - b_i / ||b_i|| ||^2 over pairs without a row of length 0, `invariance` = mean of
/// (a_id - b_id)^2 over rows and dimensions, and the mean cosine of pairs and of non-pairs.
/// @param A, B     N x D embeddings of two views of the same samples, of any scalars; row i of both is one sample
/// @param options  only `nonfinite` matters: a pair is left out when either row is not finite
/// @return alignment in [0, 4], invariance >= 0 in squared input units, cosines in [-1, 1]. Healthy: paired_cosine near
///         1 and unpaired_cosine near 0. All are undefined when A and B differ in columns, `unpaired_cosine` also when
///         there is a single pair
/// @throws ShapeError when A and B differ in rows or have none, NonFiniteError
/// Cost: O(N D) time, O(N + D) memory.
/// Source: Wang & Isola, Understanding contrastive representation learning, 2020 (alignment); Bardes, Ponce & LeCun,
///         VICReg, 2022 (invariance, averaged over dimensions as in its Algorithm 1).
template <class DerivedA, class DerivedB>
[[nodiscard]] Alignment alignment(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B,
                                  const Options& options = {}) {
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite, [](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index) {
        return alignment(statistics::cross_sums(a, rows_a, b, rows_b, false));
      });
}

}  // namespace collapse
