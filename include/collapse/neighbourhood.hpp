#pragma once

#include <collapse/compiled.hpp>
#include <collapse/metrics/duplicates.hpp>
#include <collapse/metrics/hubness.hpp>
#include <collapse/metrics/intrinsic_dimension.hpp>
#include <collapse/report.hpp>
#include <collapse/report/neighbourhood.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// @page family_neighbours Neighbours
/// What the nearest neighbours of each row tell: `neighbourhood`, on demand. The search is exact.
///
/// - **TwoNN** (Facco et al. 2017) by maximum likelihood, (n - 1) / sum ln(r2 / r1), which is unbiased; the fit of a
///   line with the last tenth left out, as in the paper's code, is TwoNnFit::linear.
/// - **MLE** (Levina & Bickel 2005) averages the inverse dimensions (MacKay & Ghahramani 2005); averaging the
///   dimensions themselves is biased upwards.
/// - Rows that have a duplicate say nothing about a dimension and are left out of both, not given a small distance.
/// - **Hubness** is the skewness of how often a row is among the k = 10 nearest of others; codes with other k differ.

namespace collapse {

/// How neighbourhoods are measured. An aggregate: `neighbourhood(Z, {.metric = Metric::cosine})`.
struct NeighbourhoodOptions {
  Metric metric = Metric::euclidean;
  NonFinite nonfinite = NonFinite::reject;
  TwoNnFit two_nn_fit = TwoNnFit::maximum_likelihood;
  Index mle_k = 20;        ///< neighbours for `intrinsic_dimension.mle`, at least 2
  Index hubness_k = 10;    ///< neighbours for `hubness`, at least 1
  double near = 1e-3;      ///< share of the median distance up to which rows are near duplicates, [0, 1)
  Index pair_rows = 512;   ///< rows that the median distance is taken between, at least 2
  std::uint64_t seed = 0;  ///< of the sample of these rows
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const NeighbourhoodOptions& options) {
  if (options.mle_k < 2) {
    throw OptionError(
        fmt::format("NeighbourhoodOptions::mle_k is {}; at least 2 neighbours are needed", options.mle_k));
  }
  statistics::require_neighbours(options.hubness_k, "NeighbourhoodOptions::hubness_k");
  validate(DuplicateOptions{options.metric, options.nonfinite, options.near, options.pair_rows, options.seed});
}

namespace detail {

template <EmbeddingScalar Scalar>
[[nodiscard]] Neighbourhood neighbourhood(const linalg::MatrixView<Scalar>& z, const NeighbourhoodOptions& options) {
  const Rows rows = statistics::scan_rows(z, options.nonfinite);
  const statistics::Points<Scalar> points(z, rows, options.metric);
  const Neighbours nearest = neighbours(points, std::max({options.mle_k, options.hubness_k, Index{2}}));
  Neighbourhood result;
  result.samples = points.count();
  result.dims = points.dims();
  result.metric = options.metric;
  result.zero_rows = rows.zero;
  result.skipped_rows = rows.skipped;
  const auto explain = [&result](MetricPath metric, std::string reason) {
    if (!reason.empty()) result.undefined_numbers.push_back({metric.in_result(), std::move(reason)});
  };

  DimensionEstimate by_two = two_nn(nearest, options.two_nn_fit);
  DimensionEstimate by_many = mle_dimension(nearest, options.mle_k);
  result.intrinsic_dimension = {by_two.value, by_two.standard_error, by_many.value, by_many.standard_error,
                                by_many.k,    by_many.rows};
  explain(metric_path<&Neighbourhood::intrinsic_dimension, &IntrinsicDimension::two_nn>, std::move(by_two.reason));
  explain(metric_path<&Neighbourhood::intrinsic_dimension, &IntrinsicDimension::mle>, std::move(by_many.reason));

  Hubness hubs = hubness(nearest, options.hubness_k);
  result.hubness = hubs.skewness;
  result.hubness_k = hubs.k;
  result.k_occurrence = std::move(hubs.occurrence);
  explain(metric_path<&Neighbourhood::hubness>, std::move(hubs.reason));

  const Duplicates copies = metrics::duplicates(
      points, nearest, {options.metric, options.nonfinite, options.near, options.pair_rows, options.seed});
  result.duplicate_rows = copies.duplicate_rows;
  result.near_duplicates = copies.near_duplicates;
  result.distinct_modes = copies.distinct_modes;
  result.median_distance = copies.median_distance;
  if (points.count() < 2) {
    const std::string reason =
        fmt::format("{} {} part; a distance needs 2", points.count(), points.count() == 1 ? "row takes" : "rows take");
    for (const MetricPath metric :
         {metric_path<&Neighbourhood::duplicate_rows>, metric_path<&Neighbourhood::near_duplicates>,
          metric_path<&Neighbourhood::median_distance>}) {
      explain(metric, reason);
    }
    if (points.count() == 0) explain(metric_path<&Neighbourhood::distinct_modes>, reason);
  }
  return result;
}

}  // namespace detail

/// The neighbourhoods of the rows: intrinsic dimension, hubness, duplicates and distinct modes, from one search for the
/// nearest neighbours of all rows.
///
/// @param Z        N x D, rows are samples: any dense Eigen expression of float, double, Eigen::half or
///                 Eigen::bfloat16, of any storage order and stride
/// @param options  see NeighbourhoodOptions
/// @return see Neighbourhood, two_nn, mle_dimension, hubness, duplicates. Where there are fewer rows than neighbours
///         asked for, all are used, and mle_k and hubness_k say how many
/// @throws ShapeError when Z has no rows or no columns, NonFiniteError for the first NaN or infinity (or see
///         NeighbourhoodOptions::nonfinite), OptionError
/// Cost: that of neighbours(Z, max(mle_k, hubness_k)): about 2 N^2 D flops in float. Memory: O(N k) and about 1500 rows
///       of double for each thread.
template <class Derived>
[[nodiscard]] Neighbourhood neighbourhood(const Eigen::DenseBase<Derived>& Z,
                                          const NeighbourhoodOptions& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  return detail::neighbourhood(evaluated.view(), options);
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_NEIGHBOURHOOD_INSTANCES(Keyword, Scalar) \
  Keyword template Neighbourhood detail::neighbourhood(const linalg::MatrixView<Scalar>&, const NeighbourhoodOptions&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_NEIGHBOURHOOD_INSTANCES)
#endif

}  // namespace collapse
