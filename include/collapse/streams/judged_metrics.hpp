#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/observation.hpp>

#include <array>
#include <string>

namespace collapse::streams {

/// A number that is judged; each falls when embeddings collapse.
struct JudgedMetric {
  MetricPath metric;
  const char* before;  ///< what stands before its path in the name of the quantity that falls
  bool of_dims;        ///< and whether that is a share of the dimensions
  double rounding;     ///< what the arithmetic makes of equal rows; anything below is 0
  /// Whether it tells how far apart rows are, or how many dimensions they use. An untrained encoder uses many, for want
  /// of features, and learning takes some of them: their level is that after the warm-up. Rows need never be nearer to
  /// each other than an untrained encoder makes them.
  bool is_spread;
  double (*of)(const Observation&);
  double (*threshold)(const Thresholds&) = nullptr;  ///< of a complete collapse

  /// What falls: the metric, or what is left of it.
  [[nodiscard]] std::string quantity() const {
    std::string name = std::string(before).append(metric);
    if (of_dims) name.append(" / ").append(metric_path<&Report::dims>);
    return name;
  }
};

/// Lengths are not among them, which a loss that normalises its embeddings leaves free, nor is the effective rank,
/// which follows the number of rows.
inline constexpr std::array<JudgedMetric, 6> judged_metrics{{
    {metric_path<&Report::variance, &Variance::dispersion>, "", false, 0x1p-100, true,
     [](const Observation& seen) { return seen.dispersion; },
     [](const Thresholds& thresholds) { return thresholds.complete_dispersion; }},
    {metric_path<&Report::variance, &Variance::normalized_std>, "", false, 0x1p-50, true,
     [](const Observation& seen) { return seen.normalized_std; }},
    {metric_path<&Report::variance, &Variance::dead_dimensions>, "1 - ", true, 0.0, false,
     [](const Observation& seen) {
       // A single row has no dead dimensions, and none that is known to be alive.
       return seen.samples < 2 || seen.dims < 1
                  ? undefined
                  : 1.0 - static_cast<double>(seen.dead_dimensions) / static_cast<double>(seen.dims);
     }},
    {metric_path<&Report::cosine, &Cosine::mean>, "1 - ", false, 0x1p-100, true,
     // In one dimension there are two directions, and data of one sign have nothing to say about it.
     [](const Observation& seen) { return seen.dims == 1 ? undefined : seen.mean_cosine_distance; },
     [](const Thresholds& thresholds) { return 1.0 - thresholds.complete_cosine; }},
    {metric_path<&Observation::population_participation_ratio>, "", false, 0.0, false,
     [](const Observation& seen) { return seen.population_participation_ratio; }},
    {metric_path<&Report::spectrum, &Spectrum::effective_rank_vs_expected>, "", false, 0.0, false,
     [](const Observation& seen) { return seen.effective_rank_vs_expected; }},
}};

/// Observations that a sudden fall is judged by.
inline constexpr Index sudden_window = 20;

/// Of the noise in these, that a sudden fall exceeds.
inline constexpr double sudden_deviations = 4.0;

}  // namespace collapse::streams
