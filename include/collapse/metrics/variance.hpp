#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/directions.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/rows.hpp>
#include <collapse/statistics/sums.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace collapse {

namespace detail {

/// Whether dimension d is constant up to the rounding of the input: std_d <= eps * rms_d.
[[nodiscard]] inline bool is_dead(const Moments& moments, Index d) {
  const double n = static_cast<double>(moments.count);
  const double variance = moments.sum_squares(d) / (n - 1.0);
  const double mean = std::ldexp(moments.mean(d), -moments.exponent(d));
  const double mean_square = moments.sum_squares(d) / n + mean * mean;
  return std::sqrt(variance) <= moments.input_epsilon * std::sqrt(mean_square);
}

[[nodiscard]] inline double median(Eigen::VectorXd values) {
  const Index half = values.size() / 2;
  std::nth_element(values.data(), values.data() + half, values.data() + values.size());
  const double upper = values(half);
  if (values.size() % 2 == 1) return upper;
  return 0.5 * (*std::max_element(values.data(), values.data() + half) + upper);
}

}  // namespace detail

/// The variance block of the report from its statistics. With a single row only `dispersion` and the counts have a
/// meaning, and all are left undefined (0 for the counts).
[[nodiscard]] inline Variance per_dimension_variance(const Moments& moments, const DirectionSums& directions) {
  Variance result;
  const Index dims = moments.dims;
  const double n = static_cast<double>(moments.count);
  if (moments.count >= 2) {
    result.per_dimension.resize(dims);
    double hinge = 0.0;
    double relative_total = 0.0;  // in units of 2^(2 common_exponent)
    const Eigen::VectorXd common = moments.common_sum_squares();
    for (Index d = 0; d < dims; ++d) {
      const double variance = std::ldexp(moments.sum_squares(d) / (n - 1.0), 2 * moments.exponent(d));
      result.per_dimension(d) = variance;
      relative_total += common(d) / (n - 1.0);
      hinge += std::max(0.0, 1.0 - std::sqrt(variance + 1e-4));
      if (detail::is_dead(moments, d)) ++result.dead_dimensions;
    }
    const double rms_std = std::sqrt(relative_total / static_cast<double>(dims));
    for (Index d = 0; d < dims; ++d) {
      if (std::sqrt(common(d) / (n - 1.0)) < 1e-2 * rms_std) ++result.low_dimensions;
    }
    result.min = result.per_dimension.minCoeff();
    result.max = result.per_dimension.maxCoeff();
    result.median = detail::median(result.per_dimension);
    result.total = std::ldexp(relative_total, 2 * moments.common_exponent());
    result.mean = std::ldexp(relative_total / static_cast<double>(dims), 2 * moments.common_exponent());
    result.hinge = hinge / static_cast<double>(dims);
  } else {
    result.per_dimension = Eigen::VectorXd::Constant(dims, undefined);
  }
  if (directions.count >= 2) {
    const double m = static_cast<double>(directions.count);
    result.normalized_std = (directions.sum_squares / (m - 1.0)).cwiseSqrt().mean();
  }
  const double spread = moments.common_sum_squares().sum();
  const double length = spread + n * moments.common_mean().squaredNorm();
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
/// at
///         1 / sqrt(D). Undefined with one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: O(N D) time, O(N + D) memory.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 1-2 (hinge); Chen & He, SimSiam, 2021, fig. 2 (normalized_std).
template <class Derived>
[[nodiscard]] Variance per_dimension_variance(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const detail::Evaluated<Derived> evaluated(Z);
  const Rows rows = detail::scan_rows(evaluated.view(), options.nonfinite);
  const Sums sums = detail::sum_rows(evaluated.view(), rows, {.scatter = false, .direction_scatter = false});
  return per_dimension_variance(sums.moments, sums.directions);
}

}  // namespace collapse
