#pragma once

#include <collapse/linalg/vectors.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

/// @page family_variance Variance and decorrelation
/// How far each dimension spreads and how far dimensions repeat each other: `variance` and `decorrelation`.
///
/// - **Dead dimensions** are constant up to the rounding of the input, relative to their own size, not below an
///   absolute threshold: a code that counts std < 1e-5 calls a small network dead and a large constant alive.
/// - **Hinge** is VICReg's variance term with gamma = 1 and epsilon = 1e-4 under the root. It is not scale free: meant
///   for embeddings that are trained towards unit variance.
/// - **Dispersion** is the share of the mean squared length that is variance. It equals 1 - ||mean||^2 / mean ||z||^2,
///   computed from the variance, so that 1e-12 is a number and not a rounding error.
/// - **Covariance penalty** is VICReg's, summed over all pairs in both orders and divided by D. Codes that divide by
///   D (D - 1), or that take correlations instead, give another number: the latter is `decorrelation.redundancy`.

namespace collapse {

namespace metrics {

[[nodiscard]] inline double median(Eigen::VectorXd values) {
  const Index half = values.size() / 2;
  std::nth_element(values.data(), values.data() + half, values.data() + values.size());
  const double upper = values(half);
  if (values.size() % 2 == 1) return upper;
  return std::midpoint(*std::max_element(values.data(), values.data() + half), upper);
}

}  // namespace metrics

/// The variance block of the report from its statistics. Of a single row all numbers are undefined, and the counts 0.
[[nodiscard]] inline Variance per_dimension_variance(const Moments& moments, const DirectionSums& directions) {
  Variance result;
  const Index dims = moments.dims;
  const double n = static_cast<double>(moments.count);
  if (moments.count >= 2) {
    result.per_dimension.resize(dims);
    double hinge = 0.0;
    Eigen::VectorXd deviation(dims);  // in units of 2^unit
    const int unit = statistics::spread_exponent(moments, true);
    for (Index d = 0; d < dims; ++d) {
      const double variance = std::ldexp(moments.sum_squares(d) / (n - 1.0), 2 * moments.exponent(d));
      result.per_dimension(d) = variance;
      deviation(d) = std::ldexp(std::sqrt(moments.sum_squares(d) / (n - 1.0)), moments.exponent(d) - unit);
      hinge += std::max(0.0, 1.0 - std::sqrt(variance + 1e-4));
      if (statistics::is_dead(moments, d)) ++result.dead_dimensions;
    }
    const double mean_square = linalg::squared_norm(deviation) / static_cast<double>(dims);
    result.min = result.max = result.per_dimension(0);
    for (Index d = 0; d < dims; ++d) {
      if (deviation(d) < 1e-2 * std::sqrt(mean_square)) ++result.low_dimensions;
      result.min = std::min(result.min, result.per_dimension(d));
      result.max = std::max(result.max, result.per_dimension(d));
    }
    result.median = metrics::median(result.per_dimension);
    result.total = std::ldexp(linalg::squared_norm(deviation), 2 * unit);
    result.mean = std::ldexp(mean_square, 2 * unit);
    result.hinge = hinge / static_cast<double>(dims);
  } else {
    result.per_dimension = Eigen::VectorXd::Constant(dims, undefined);
  }
  if (directions.count >= 2) {
    const double m = static_cast<double>(directions.count);
    double sum = 0.0;
    for (const double squares : directions.sum_squares) sum += std::sqrt(squares / (m - 1.0));
    result.normalized_std = sum / static_cast<double>(dims);
  }
  const double spread = linalg::sum(moments.common_sum_squares());
  const double length = spread + n * linalg::squared_norm(moments.common_mean());
  if (moments.count >= 2 && length > 0.0) result.dispersion = spread / length;
  return result;
}

/// Spread of each dimension of Z, C_dd = sum_i (z_id - mu_d)^2 / (N - 1), and its summaries.
///
/// `dispersion` = tr C_0 / mean ||z_i||^2 (C_0 with ddof 0); `normalized_std` = mean_d std_d of z_i / ||z_i||;
/// `hinge` = mean_d max(0, 1 - sqrt(C_dd + 1e-4)).
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return variances >= 0 in squared input units; dispersion in [0, 1], 0 is complete collapse; normalized_std healthy
///         at 1 / sqrt(D). Undefined with one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: O(N D) time, O(N + D) memory.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 1-2 (hinge); Chen & He, SimSiam, 2021, fig. 2 (normalized_std).
template <class Derived>
[[nodiscard]] Variance per_dimension_variance(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  const Sums sums = statistics::sum_rows(evaluated.view(), rows, {.scatter = false, .direction_scatter = false});
  return per_dimension_variance(sums.moments, sums.directions);
}

}  // namespace collapse
