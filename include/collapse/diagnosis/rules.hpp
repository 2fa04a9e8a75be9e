#pragma once

#include <collapse/compiled.hpp>
#include <collapse/diagnosis.hpp>
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

COLLAPSE_COLD COLLAPSE_INLINE Diagnosis diagnose(const Report& report, const Thresholds& thresholds) {
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
