#pragma once

#include <collapse/diagnosis/clusters.hpp>
#include <collapse/diagnosis/complete.hpp>
#include <collapse/diagnosis/dimensions.hpp>
#include <collapse/diagnosis/findings.hpp>
#include <collapse/diagnosis/partial.hpp>
#include <collapse/diagnosis/remarks.hpp>
#include <collapse/diagnosis/scales.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <utility>
#include <vector>

namespace collapse {

namespace diagnosis {

/// What the numbers of rows without outliers say.
COLLAPSE_COLD inline void examine(const Evidence& evidence) {
  // Of rows on one point, and of rows that are all but equal, everything else describes the remains.
  const bool partial = evidence.report.spectrum.numerical_rank > 0 && partial_collapse(evidence);
  const bool complete = !partial && complete_collapse(evidence);
  const bool enough = evidence.enough_rows();
  if (!partial && !complete && enough) {
    clusters(evidence);
    dimensional_collapse(evidence);
    common_direction(evidence);
    scales(evidence);
  }
  if (!complete && !enough) too_few_samples(evidence);
  if (evidence.report.samples < 2) return;
  dead_dimensions(evidence);
  if (!complete && enough) redundant_dimensions(evidence);
  if (!partial && !complete) repeated_rows(evidence);
}

}  // namespace diagnosis

/// Reads a report and says whether the embeddings have lost the differences between their inputs, in which way, how
/// badly, and what usually cures it.
///
/// - Partial collapse: a tenth of the rows or more on one point. Rows on few points are a cluster collapse.
/// - Complete collapse: dispersion near 0, or rows near a point that all point the same way or are noise about it, or no
///   singular value above the noise floor.
/// - Cluster collapse: pairs that point the same way, apart from all others, and noise about these points.
/// - Dimensional collapse: one direction, or few behind which the spectrum ends, or one factor that all dimensions
///   follow, with noise beside it. Not a small share of D: a wide encoder has lost nothing by being wide.
///
/// A common direction (a cone), dominant dimensions, columns of unequal scale, outlier rows, repeated rows and dead
/// dimensions are findings that lead to no verdict, and no verdict rests on what they alone make. The verdict is the
/// gravest finding of severity 0.5 or more, which is marked. Undetermined where the rows are too few, and where they sit
/// on points that may be classes.
/// @param report      its numbers; its own diagnosis is not read
/// @param thresholds  where each finding begins
/// @return verdict and findings, gravest first
/// @throws OptionError for a threshold out of its range
/// Cost: O(D).
/// Source: Jing, Vincent, LeCun & Tian, Understanding dimensional collapse in contrastive self-supervised learning,
/// 2022 (complete against dimensional); Ethayarajh, How contextual are contextualized word representations?, 2019
/// (anisotropy).
[[nodiscard]] COLLAPSE_COLD inline Diagnosis diagnose(const Report& report, const Thresholds& thresholds = {}) {
  validate(thresholds);
  std::vector<Finding> findings;
  const Report& judged = report.without_outliers.empty() ? report : report.without_outliers.front();
  diagnosis::examine({judged, thresholds, findings});
  const diagnosis::Evidence all{report, thresholds, findings};
  diagnosis::outliers(all);
  diagnosis::norm_out_of_range(all);
  diagnosis::rows_left_out(all);
  diagnosis::undefined_numbers(all);
  return diagnosis::decide(std::move(findings), diagnosis::is_conclusive(report));
}

}  // namespace collapse
