#pragma once

#include <collapse/error.hpp>
#include <collapse/report.hpp>
#include <collapse/report/path.hpp>

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace collapse {

/// What a baseline keeps of a report: numbers that do not depend on the number of rows.
struct Baseline {
  Verdict verdict = Verdict::undetermined;
  double effective_rank_vs_expected = undefined;
  double dispersion = undefined;
  double mean_cosine = undefined;
};

/// How far a number may fall. The shares are those of a Monitor: dimensions may be used up by learning, spread far more.
struct BaselineOptions {
  double relative_drop = 0.5;  ///< of the effective rank over what is expected, above 0 and below 1
  double spread_drop = 0.75;   ///< of the dispersion and of 1 - mean cosine, above 0 and below 1
};

/// A number that fell too far.
struct Fall {
  MetricPath metric;
  double before = undefined;
  double now = undefined;
  double allowed = undefined;  ///< where it would still do
};

/// What a later report is compared with.
[[nodiscard]] inline Baseline baseline_of(const Report& report) {
  return {.verdict = report.diagnosis.verdict,
          .effective_rank_vs_expected = report.spectrum.effective_rank_vs_expected,
          .dispersion = report.variance.dispersion,
          .mean_cosine = report.cosine.mean};
}

/// What fell since a baseline: effective rank over the expected one below half, dispersion or the distance of the mean
/// cosine from 1 below a quarter of what they were. A number that was defined and is not any more has fallen, too; one
/// that was undefined says nothing. Unlike a verdict, which asks whether embeddings collapsed, this asks whether they
/// are worse than those that were found good.
///
/// @param before   of the report that was found good
/// @param now      of embeddings of the same kind; the number of rows may differ
/// @return empty when nothing fell; the rank first
/// @throws OptionError for a share that is not above 0 and below 1
/// Cost: O(1).
[[nodiscard]] inline std::vector<Fall> falls_since(const Baseline& before, const Report& now,
                                                   const BaselineOptions& options = {}) {
  for (const double share : {options.relative_drop, options.spread_drop}) {
    if (!(share > 0.0 && share < 1.0)) {
      throw OptionError(fmt::format("BaselineOptions: {} is no share above 0 and below 1", share));
    }
  }
  const Baseline after = baseline_of(now);
  std::vector<Fall> falls;
  const auto compare = [&falls](MetricPath metric, double was, double is, double allowed, bool low_is_bad) {
    if (!std::isfinite(was)) return;
    const bool holds = std::isfinite(is) && (low_is_bad ? is >= allowed : is <= allowed);
    if (!holds) falls.push_back({metric, was, is, allowed});
  };
  compare(metric_path<&Report::spectrum, &Spectrum::effective_rank_vs_expected>, before.effective_rank_vs_expected,
          after.effective_rank_vs_expected, (1.0 - options.relative_drop) * before.effective_rank_vs_expected, true);
  compare(metric_path<&Report::variance, &Variance::dispersion>, before.dispersion, after.dispersion,
          (1.0 - options.spread_drop) * before.dispersion, true);
  compare(metric_path<&Report::cosine, &Cosine::mean>, before.mean_cosine, after.mean_cosine,
          1.0 - (1.0 - options.spread_drop) * (1.0 - before.mean_cosine), false);
  return falls;
}

/// Whether embeddings that were healthy are found to collapse. What cannot be told is no fall.
[[nodiscard]] inline bool verdict_fell(const Baseline& before, const Report& now) {
  const Verdict verdict = now.diagnosis.verdict;
  return before.verdict == Verdict::healthy && verdict != Verdict::healthy && verdict != Verdict::undetermined;
}

}  // namespace collapse
