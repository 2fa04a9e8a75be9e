#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/path.hpp>
#include <collapse/report/undefined.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace collapse {

/// The answer to "have these representations lost the differences between their inputs, and in which way?"
enum class Verdict {
  healthy,
  partial_collapse,      ///< many rows on one point
  dimensional_collapse,  ///< few directions
  cluster_collapse,      ///< few points
  class_collapse,        ///< single classes, or two that are one
  complete_collapse,     ///< one point, one direction, or noise around a point
  undetermined           ///< the rows cannot tell
};

[[nodiscard]] constexpr std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::healthy: return "healthy";
    case Verdict::partial_collapse: return "partial_collapse";
    case Verdict::dimensional_collapse: return "dimensional_collapse";
    case Verdict::cluster_collapse: return "cluster_collapse";
    case Verdict::class_collapse: return "class_collapse";
    case Verdict::complete_collapse: return "complete_collapse";
    case Verdict::undetermined: return "undetermined";
  }
  return "unknown";
}

/// What a finding is about.
enum class FindingKind {
  below_precision,        ///< the rows are equal up to the rounding of the input
  complete_collapse,      ///< they are nearly one point, or one direction
  partial_collapse,       ///< many of them are on one point
  cluster_collapse,       ///< they sit on few points
  dimensional_collapse,   ///< they vary along few directions
  correlated_dimensions,  ///< dimensions repeat each other, on average
  no_shared_signal,       ///< two views of the same inputs share next to nothing
  different_axes,         ///< two views that correspond, but not axis by axis
  class_collapse,         ///< single classes have collapsed
  merged_classes,         ///< two classes are one
  neural_collapse,        ///< rows lie at class means that are apart: a remark
  anisotropy,             ///< the rows share a direction
  dominant_dimensions,    ///< one to three dimensions make that direction
  outlier_rows,           ///< few rows make the numbers of all
  unequal_scales,         ///< few dimensions hold the variance, by their units
  duplicate_rows,         ///< rows that repeat others
  dead_dimensions,        ///< constant ones
  redundant_dimensions,   ///< two that are the same
  norm_collapse,          ///< lengths below Thresholds::smallest_norm
  norm_explosion,         ///< lengths above Thresholds::largest_norm
  zero_rows,              ///< rows of length 0
  skipped_rows,           ///< rows left out for a value that is not finite
  too_few_samples,        ///< too few rows to tell
  undefined_number        ///< why a number is undefined
};

inline constexpr std::array finding_kinds{
    FindingKind::below_precision,     FindingKind::complete_collapse,    FindingKind::partial_collapse,
    FindingKind::cluster_collapse,    FindingKind::dimensional_collapse, FindingKind::correlated_dimensions,
    FindingKind::no_shared_signal,    FindingKind::different_axes,       FindingKind::class_collapse,
    FindingKind::merged_classes,      FindingKind::neural_collapse,      FindingKind::anisotropy,
    FindingKind::dominant_dimensions, FindingKind::outlier_rows,         FindingKind::unequal_scales,
    FindingKind::duplicate_rows,      FindingKind::dead_dimensions,      FindingKind::redundant_dimensions,
    FindingKind::norm_collapse,       FindingKind::norm_explosion,       FindingKind::zero_rows,
    FindingKind::skipped_rows,        FindingKind::too_few_samples,      FindingKind::undefined_number};

[[nodiscard]] constexpr std::string_view to_string(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::below_precision: return "below_precision";
    case FindingKind::complete_collapse: return "complete_collapse";
    case FindingKind::partial_collapse: return "partial_collapse";
    case FindingKind::cluster_collapse: return "cluster_collapse";
    case FindingKind::dimensional_collapse: return "dimensional_collapse";
    case FindingKind::correlated_dimensions: return "correlated_dimensions";
    case FindingKind::no_shared_signal: return "no_shared_signal";
    case FindingKind::different_axes: return "different_axes";
    case FindingKind::class_collapse: return "class_collapse";
    case FindingKind::merged_classes: return "merged_classes";
    case FindingKind::neural_collapse: return "neural_collapse";
    case FindingKind::anisotropy: return "anisotropy";
    case FindingKind::dominant_dimensions: return "dominant_dimensions";
    case FindingKind::outlier_rows: return "outlier_rows";
    case FindingKind::unequal_scales: return "unequal_scales";
    case FindingKind::duplicate_rows: return "duplicate_rows";
    case FindingKind::dead_dimensions: return "dead_dimensions";
    case FindingKind::redundant_dimensions: return "redundant_dimensions";
    case FindingKind::norm_collapse: return "norm_collapse";
    case FindingKind::norm_explosion: return "norm_explosion";
    case FindingKind::zero_rows: return "zero_rows";
    case FindingKind::skipped_rows: return "skipped_rows";
    case FindingKind::too_few_samples: return "too_few_samples";
    case FindingKind::undefined_number: return "undefined";
  }
  return "unknown";
}

/// One observation that speaks for or against health.
struct Finding {
  FindingKind kind = FindingKind::undefined_number;
  double severity = 0.0;         ///< 0 (a remark) to 1 (as bad as it gets)
  MetricPath metric;             ///< the evidence, e.g. variance.dispersion
  double value = undefined;      ///< what was measured
  double threshold = undefined;  ///< where the finding begins
  std::string explanation;       ///< what it means, in a sentence
  std::string remedy;            ///< what usually cures it; empty when there is nothing to cure
  std::string origin{};          ///< where the threshold comes from; empty when there is none
  bool decisive = false;         ///< the verdict rests on this one; at most one in a diagnosis

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("kind", &Finding::kind, {.tells = "what it is about, see `FindingKind`"}));
    visit(field("severity", &Finding::severity,
                {.tells = "0 a remark, from 0.5 on it leads to a verdict, 1 as bad as it gets",
                 .range = "[0, 1]",
                 .healthy = "0"}));
    visit(field("metric", &Finding::metric, {.tells = "path of the evidence"}));
    visit(field("value", &Finding::value, {.tells = "its value"}));
    visit(field("threshold", &Finding::threshold, {.tells = "where the finding begins"}));
    visit(field("explanation", &Finding::explanation, {.tells = "what it means, in a sentence"}));
    visit(field("remedy", &Finding::remedy, {.tells = "what usually cures it"}));
    visit(field("origin", &Finding::origin, {.tells = "where the threshold comes from"}));
    visit(field("decisive", &Finding::decisive, {.tells = "whether the verdict rests on it", .range = "true, false"}));
  }
};

struct Diagnosis {
  Verdict verdict = Verdict::undetermined;
  std::vector<Finding> findings;  ///< gravest first

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("verdict", &Diagnosis::verdict,
                {.tells = "whether the embeddings have lost the differences between their inputs, and in which way",
                 .range = "see `Verdict`",
                 .healthy = "healthy",
                 .source = "Jing et al. 2022",
                 .formula = "diagnosis.hpp"}));
    visit(field("findings", &Diagnosis::findings,
                {.tells = "what speaks for or against health, gravest first",
                 .healthy = "none of severity above 0",
                 .formula = "diagnosis.hpp"}));
  }
};

}  // namespace collapse
