#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What all rules share: how a finding is made, and how a verdict follows from findings.
namespace collapse::diagnosis {

/// From this severity on a finding leads to a verdict; below it, it is something to know.
inline constexpr double deciding_severity = 0.5;

/// `mild` at the threshold, `grave` at the far end of the scale, linear in between.
[[nodiscard]] inline double graded(double value, double threshold, double worst, double mild, double grave) {
  if (threshold == worst) return grave;
  return mild + (grave - mild) * std::clamp((value - threshold) / (worst - threshold), 0.0, 1.0);
}

[[nodiscard]] inline std::string counted(Index count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// Names a threshold as the origin of itself, with what is to be said of it.
template <auto Threshold>
[[nodiscard]] std::string threshold_origin(std::string_view words = {}) {
  return std::string("Thresholds::").append(member_name<Threshold>).append(words);
}

/// The findings so far, and what a rule reads.
struct Evidence {
  const Report& report;
  const Thresholds& thresholds;
  std::vector<Finding>& findings;

  COLLAPSE_COLD void add(FindingKind kind, double severity, MetricPath metric, double value, double threshold,
                         std::string explanation, const char* remedy = "", std::string origin = {}) const {
    findings.push_back({kind, severity, metric, value, threshold, std::move(explanation), remedy, std::move(origin)});
  }

  /// Whether there are rows enough to tell more than that all are equal.
  [[nodiscard]] bool enough_rows() const { return report.samples >= thresholds.minimum_samples; }
  [[nodiscard]] Index live() const { return report.dims - report.variance.dead_dimensions; }
};

/// The verdict that a finding leads to; none for what can be wrong with healthy embeddings.
[[nodiscard]] inline std::optional<Verdict> verdict_of(const Finding& finding) {
  const FindingKind kind = finding.kind;
  if (kind == FindingKind::too_few_samples || kind == FindingKind::different_axes) return Verdict::undetermined;
  const bool decides = finding.severity >= deciding_severity;
  // Rows on points that may well be classes: the rows alone cannot tell.
  if (kind == FindingKind::cluster_collapse && finding.severity > 0.0 && !decides) return Verdict::undetermined;
  if (!decides) return std::nullopt;
  if (kind == FindingKind::below_precision || kind == FindingKind::complete_collapse ||
      kind == FindingKind::no_shared_signal) {
    return Verdict::complete_collapse;
  }
  if (kind == FindingKind::partial_collapse) return Verdict::partial_collapse;
  if (kind == FindingKind::cluster_collapse) return Verdict::cluster_collapse;
  if (kind == FindingKind::class_collapse || kind == FindingKind::merged_classes) return Verdict::class_collapse;
  if (kind == FindingKind::dimensional_collapse || kind == FindingKind::correlated_dimensions)
    return Verdict::dimensional_collapse;
  return std::nullopt;
}

/// Whether the numbers that could have spoken against health are there.
[[nodiscard]] inline bool is_conclusive(const Report& report) {
  return std::isfinite(report.variance.dispersion) && std::isfinite(report.spectrum.effective_rank_vs_expected) &&
         std::isfinite(report.cosine.mean);
}

/// Sorts findings, gravest first, and draws the verdict from the first that leads to one.
[[nodiscard]] COLLAPSE_COLD inline Diagnosis decide(std::vector<Finding> findings, bool conclusive) {
  Diagnosis result;
  result.findings = std::move(findings);
  for (Finding& finding : result.findings) finding.decisive = false;
  // Stable, and a sort of the standard library costs a second of the compiler's time for what is a dozen at most.
  std::vector<Finding>& sorted = result.findings;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    for (std::size_t j = i; j > 0 && sorted[j - 1].severity < sorted[j].severity; --j) {
      std::swap(sorted[j - 1], sorted[j]);
    }
  }
  const auto first = std::find_if(sorted.begin(), sorted.end(),
                                  [](const Finding& finding) { return verdict_of(finding).has_value(); });
  if (first != sorted.end()) {
    first->decisive = true;
    result.verdict = *verdict_of(*first);
  } else {
    result.verdict = conclusive ? Verdict::healthy : Verdict::undetermined;
  }
  return result;
}

}  // namespace collapse::diagnosis
