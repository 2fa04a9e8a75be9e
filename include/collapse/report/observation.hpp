#pragma once

#include <collapse/report.hpp>

#include <cstdint>
#include <string>

namespace collapse {

/// What a Monitor saw at one step: numbers as in the report, and one of its own. What is undefined is NaN. The catalogue
/// lists what a line of the log holds.
struct Observation {
  std::int64_t step = 0;
  Index samples = 0;
  Index dims = 0;
  double mean_norm = undefined;
  double mean_cosine = undefined;
  double mean_cosine_distance = undefined;  ///< 1 - mean_cosine, of a batch with all its digits near collapse
  Index dead_dimensions = 0;
  double normalized_std = undefined;
  double dispersion = undefined;
  double population_participation_ratio = undefined;  ///< of batches of at least Thresholds::minimum_samples rows
  double effective_rank = undefined;                  ///< of reports, as the next
  double effective_rank_vs_expected = undefined;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("step", &Observation::step, {.tells = "step of the training run"}));
    visit(same_number<&Report::samples>(&Observation::samples));
    visit(same_number<&Report::norms, &Norms::mean>(&Observation::mean_norm));
    visit(same_number<&Report::cosine, &Cosine::mean>(&Observation::mean_cosine));
    visit(same_number<&Report::variance, &Variance::dead_dimensions>(&Observation::dead_dimensions));
    visit(same_number<&Report::variance, &Variance::normalized_std>(&Observation::normalized_std));
    visit(same_number<&Report::variance, &Variance::dispersion>(&Observation::dispersion));
    visit(field("spectrum.population_participation_ratio", &Observation::population_participation_ratio,
                {.tells = "directions that the population behind a batch uses, from products of pairs of its rows",
                 .range = "[1, D]",
                 .healthy = "many",
                 .cost = "(4096 + 8 N) D",
                 .source = "Gao et al. 2017",
                 .formula = "metrics/population_participation_ratio.hpp"}));
    visit(same_number<&Report::spectrum, &Spectrum::effective_rank>(&Observation::effective_rank));
    visit(same_number<&Report::spectrum, &Spectrum::effective_rank_vs_expected>(
        &Observation::effective_rank_vs_expected));
  }
};

/// A metric has fallen against its own past, or to where there is nothing left, and stayed there.
struct Alarm {
  MetricPath metric;             ///< e.g. variance.dispersion
  std::string quantity;          ///< what fell: the metric, or what is left of it, e.g. "1 - cosine.mean"
  std::int64_t since = 0;        ///< step of the first low observation
  std::int64_t step = 0;         ///< at which the alarm was raised
  Index observations = 0;        ///< low ones, `since` to `step`
  double value = undefined;      ///< of the quantity at `step`
  double baseline = undefined;   ///< its level, or the median of what went before a sudden fall
  double drop = undefined;       ///< 1 - value / baseline
  double threshold = undefined;  ///< that the value lies at or below; undefined where it has only fallen
  bool sudden = false;           ///< whether it fell against the last observations, not yet far below its level
};

}  // namespace collapse
