#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pair_distances.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/gram.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>
#include <cmath>

/// @page family_cosine Cosines
/// How alike the directions of the rows are: `norms`, `cosine` and, of the rows of unit length,
/// `variance.normalized_std`.
///
/// - **Mean cosine.** Ours is over all pairs i < j, without the pairs of a row with itself. Codes that average the
///   whole N x N matrix of cosines are (1 - mean) / N higher, which a small batch feels. A mean over neighbours in a
///   shuffled order, or of rows against their mean direction, is another number: the latter is near sqrt(mean) for a
///   cone.
/// - **Spread.** `cosine.std` is over all pairs, right to 1e-8 of itself, also where all cosines are near 1. Formed as
///   E[c^2] - E[c]^2 in float it reads rounding: about 1e-4 for rows that differ by 1e-6.
/// - **Quantiles** are those of all pairs up to Options::pair_rows rows and of a sample of rows above, never of pairs
///   drawn one by one: cosines of pairs that share a row are correlated, and the standard error accounts for that.
/// - **Std of normalised rows** (SimSiam) uses N - 1 here, as torch does; with N it is lower by a share of 1 / (2 N).
///   Healthy is 1 / sqrt(D).

namespace collapse {

/// Mean and standard deviation of all pairwise cosines.
struct CosineMoments {
  double mean = undefined;
  double std = undefined;
  double mean_distance = undefined;  ///< 1 - mean, with full relative accuracy also near collapse
};

/// The mean alone, 1 - T / (M - 1) with the letters of `cosine_moments`. Needs no scatter of the directions; O(D).
[[nodiscard]] inline CosineMoments mean_cosine(const DirectionSums& directions) {
  CosineMoments result;
  if (directions.count < 2) return result;
  const double m = static_cast<double>(directions.count);
  const double total = directions.total();
  result.mean_distance = total / (m - 1.0);
  result.mean = std::clamp(directions.mean().squaredNorm() - total / (m * (m - 1.0)), -1.0, 1.0);
  return result;
}

/// Mean and standard deviation of the cosines over all pairs, without forming them.
///
/// With u_i = m + v_i and sum v_i = 0, write T = sum ||v_i||^2 and P = M (M - 1) for the ordered pairs. Since
/// ||u_i|| = 1, m . v_i = a_i = (T / M - ||v_i||^2) / 2 and w_ij = c_ij - m . m = a_i + a_j + v_i . v_j has the
/// diagonal w_ii = T / M. Sums over all i, j collapse because sum v_i = sum a_i = 0:
///   sum_{i != j} w    = -T                                          so  mean = ||m||^2 - T / P = 1 - T / (M - 1)
///   sum_{i != j} w^2  = 2 M sum a_i^2 + ||V^T V||_F^2 - T^2 / M     so  var  = that / P - (T / P)^2
/// Every term is built from the small parts alone: nothing of size 1 is subtracted when all cosines are near 1. Where
/// V V^T is at hand (N <= D), the variance is summed over its entries, which also avoids the last subtraction.
///
/// @param directions  sums over the directions, with their scatter unless `products` is given
/// @param products    lower triangle of V V^T, N x N, or null
/// @return mean in [-1, 1] and std (ddof 0) in [0, 1]; undefined with fewer than two directions. Healthy: mean 0,
///         std 1 / sqrt(D)
/// Cost: O(min(N, D)^2).
[[nodiscard]] inline CosineMoments cosine_moments(const DirectionSums& directions,
                                                  const Eigen::MatrixXd* products = nullptr) {
  CosineMoments result = mean_cosine(directions);
  if (directions.count < 2) return result;
  const double m = static_cast<double>(directions.count);
  const double total = directions.total();
  const double pairs = m * (m - 1.0);

  double variance = 0.0;
  if (products != nullptr) {
    const Eigen::MatrixXd& lower = *products;
    // h_ij = 1 - c_ij = (q_i + q_j) / 2 - v_i . v_j, q_i = v_i . v_i. A row of length 0 has none (unless all v_i are 0,
    // when every term is).
    for (Index j = 0; j < lower.cols(); ++j) {
      if (lower(j, j) == 0.0) continue;
      double column = 0.0;
      for (Index i = j + 1; i < lower.rows(); ++i) {
        if (lower(i, i) == 0.0) continue;
        const double h = 0.5 * (lower(i, i) + lower(j, j)) - lower(i, j);
        const double deviation = h - result.mean_distance;
        column += deviation * deviation;
      }
      variance += 2.0 * column;
    }
    variance /= pairs;
  } else {
    const double alignment = 0.25 * directions.squared_spread();  // sum a_i^2
    variance =
        (2.0 * m * alignment + statistics::symmetric_squared_norm(directions.scatter) - total * total / m) / pairs -
        (total / pairs) * (total / pairs);
  }
  result.std = std::sqrt(std::max(variance, 0.0));
  return result;
}

/// The cosine block of the report from its statistics.
[[nodiscard]] inline Cosine pairwise_cosine(const CosineMoments& moments, const PairDistances& pairs) {
  const auto cosine = [](double distance) { return std::clamp(1.0 - distance, -1.0, 1.0); };
  const auto quantiles = [](CosineQuantiles& to, const std::array<double, 7>& from, const auto& map) {
    to.p01 = map(from[0]);
    to.p05 = map(from[1]);
    to.p25 = map(from[2]);
    to.p50 = map(from[3]);
    to.p75 = map(from[4]);
    to.p95 = map(from[5]);
    to.p99 = map(from[6]);
  };
  Cosine result;
  result.mean = moments.mean;
  result.std = moments.std;
  result.pairs = pairs.pairs;
  result.sampled_rows = pairs.rows;
  result.exact = pairs.exact;
  result.histogram = pairs.histogram;
  result.min = cosine(pairs.max);
  result.max = cosine(pairs.min);
  quantiles(result, pairs.quantile, cosine);
  quantiles(result.standard_error, pairs.standard_error, [](double error) { return error; });
  return result;
}

/// Pairwise cosine spread of the rows of Z.
///
/// c_ij = z_i . z_j / (||z_i|| ||z_j||) over the unordered pairs of rows that have a direction.
/// @param Z        N x D embeddings
/// @param options  `pair_rows`, `all_pairs`, `seed`, `nonfinite`
/// @return mean and std over all pairs; extremes, quantiles and histogram over all pairs or those of a row sample (with
///         standard errors). Range [-1, 1]. Healthy: centred on 0 with std 1 / sqrt(D); all near 1 is collapse
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: N D min(N, D) flops for the std, min(N, pair_rows)^2 D for the quantiles; O(min(N, D)^2 + pair_rows D) memory.
template <class Derived>
[[nodiscard]] Cosine pairwise_cosine(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  const statistics::DirectionStatistics statistics = statistics::direction_statistics(evaluated.view(), rows);
  const CosineMoments moments = cosine_moments(statistics.sums, statistics.products());
  return pairwise_cosine(
      moments,
      statistics::pair_distances(evaluated.view(), rows, statistics::select_pairs(evaluated.view(), rows, options),
                                 statistics.sums.mean(), statistics.products(), moments.mean_distance, moments.std));
}

}  // namespace collapse
