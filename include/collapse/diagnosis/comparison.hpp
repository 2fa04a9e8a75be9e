#pragma once

#include <collapse/diagnosis.hpp>
#include <collapse/diagnosis/findings.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/comparison.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace collapse {

namespace diagnosis {

/// Collects what two views of the same inputs say of the encoder behind them.
class ViewExamination {
 public:
  ViewExamination(const Comparison& comparison, const Thresholds& thresholds)
      : comparison_(comparison), thresholds_(thresholds) {}

  [[nodiscard]] COLLAPSE_COLD Diagnosis run() {
    const Signal& signal = comparison_.signal;
    of_both_views();
    bool conclusive = false;
    if (comparison_.samples < thresholds_.minimum_samples) {
      too_few(metric_path<&Comparison::samples>, static_cast<double>(comparison_.samples),
              static_cast<double>(thresholds_.minimum_samples),
              fmt::format("{} tell too little of what the views share", counted(comparison_.samples, "pair", "pairs")),
              threshold_origin<&Thresholds::minimum_samples>());
    } else if (std::isfinite(signal.share) && !different_axes()) {
      conclusive = true;
      if (!no_shared_signal()) few_shared_directions();
    }
    return decide(std::move(findings_), conclusive);
  }

 private:
  COLLAPSE_COLD void add(FindingKind kind, double severity, MetricPath metric, double value, double threshold,
                         std::string explanation, const char* remedy, std::string origin) {
    findings_.push_back(
        {kind, severity, metric.in_result(), value, threshold, std::move(explanation), remedy, std::move(origin)});
  }

  COLLAPSE_COLD void too_few(MetricPath metric, double value, double threshold, std::string explanation,
                             std::string origin) {
    add(FindingKind::too_few_samples, 0.0, metric, value, threshold, std::move(explanation), "measure more pairs",
        std::move(origin));
  }

  /// Whether a view has a finding that decides, which is then returned.
  [[nodiscard]] static const Finding* find(const Report& view, FindingKind kind) {
    for (const Finding& finding : view.diagnosis.findings) {
      if (finding.kind == kind && finding.severity >= deciding_severity) return &finding;
    }
    return nullptr;
  }

  /// What rows at one point, or at few, have in common says nothing of those at the same point: that each view tells.
  COLLAPSE_COLD void of_both_views() {
    for (const FindingKind kind :
         {FindingKind::below_precision, FindingKind::partial_collapse, FindingKind::cluster_collapse}) {
      const Finding* const a = find(comparison_.a, kind);
      const Finding* const b = find(comparison_.b, kind);
      const bool one_is_enough = kind == FindingKind::below_precision;
      if (!(a != nullptr && b != nullptr) && !(one_is_enough && (a != nullptr || b != nullptr))) continue;
      Finding finding = a != nullptr && (b == nullptr || a->severity <= b->severity) ? *a : *b;
      finding.explanation += a == nullptr ? ", in view b" : b == nullptr ? ", in view a" : ", in both views";
      findings_.push_back(std::move(finding));
    }
  }

  /// Two encoders may tell inputs apart in the same way, each in directions of its own.
  COLLAPSE_COLD bool different_axes() {
    constexpr double related = 0.1;
    constexpr double symmetric = 0.5;
    const Signal& signal = comparison_.signal;
    if (!(comparison_.linear_cka_debiased >= related && signal.symmetry <= symmetric)) return false;
    add(FindingKind::different_axes, 0.0, metric_path<&Comparison::signal, &Signal::symmetry>, signal.symmetry,
        symmetric,
        fmt::format(
            "the views correspond (debiased linear CKA {:.2f}), but not axis by axis: they are of two encoders, or "
            "of two layers, and their shared variance tells nothing",
            comparison_.linear_cka_debiased),
        "compare two views through one encoder", {});
    return true;
  }

  COLLAPSE_COLD bool no_shared_signal() {
    const Signal& signal = comparison_.signal;
    const double threshold = thresholds_.signal_share;
    const double error = std::isnan(signal.share_standard_error) ? 0.0 : signal.share_standard_error;
    constexpr auto metric = metric_path<&Comparison::signal, &Signal::share>;
    const std::string origin = threshold_origin<&Thresholds::signal_share>();
    if (std::abs(signal.share - threshold) <= 2.0 * error) {
      too_few(
          metric, signal.share, threshold,
          fmt::format("the views share {:.3g} +- {:.2g} of their variance, and whether that is too little is within "
                      "the error",
                      signal.share, error),
          origin);
      return true;
    }
    if (signal.share > threshold) return false;
    add(FindingKind::no_shared_signal, graded(signal.share, threshold, 0.0, 0.8, 1.0), metric, signal.share, threshold,
        fmt::format(
            "two views of one input share {:.3g} of their variance: the rest is what the augmentation made, and "
            "the differences between inputs are lost, whatever the spectrum of one view looks like",
            signal.share),
        "give the objective something that pushes different inputs apart: negatives (SimCLR, MoCo), a predictor with "
        "stop-gradient (BYOL, SimSiam), or a variance term (VICReg); if it has that, check that row i of both views is "
        "the same input, and soften the augmentations",
        origin);
    return true;
  }

  COLLAPSE_COLD void few_shared_directions() {
    const Signal& signal = comparison_.signal;
    const double threshold = thresholds_.signal_rank;
    // One dimension, or two, leave no choice.
    if (std::min(comparison_.a.dims, comparison_.samples - 1) < 3) {
      if (signal.effective_rank <= threshold) {
        too_few(
            metric_path<&Comparison::signal, &Signal::effective_rank>, signal.effective_rank, threshold,
            fmt::format("{} leave no room for more directions", counted(comparison_.a.dims, "dimension", "dimensions")),
            threshold_origin<&Thresholds::signal_rank>());
      }
      return;
    }
    if (!(signal.effective_rank <= threshold)) return;
    add(FindingKind::dimensional_collapse, graded(signal.effective_rank, threshold, 1.0, 0.6, 0.9),
        metric_path<&Comparison::signal, &Signal::effective_rank>, signal.effective_rank, threshold,
        fmt::format("what two views of one input share lies along {:.3g} directions of {}: inputs differ along a line",
                    signal.effective_rank, comparison_.a.dims),
        "decorrelate the dimensions (covariance penalty of VICReg, off-diagonal term of Barlow Twins, whitening) or "
        "add "
        "negatives",
        threshold_origin<&Thresholds::signal_rank>());
  }

  const Comparison& comparison_;
  const Thresholds& thresholds_;
  std::vector<Finding> findings_;
};

}  // namespace diagnosis

/// Reads what two views of the same inputs share, and says whether the encoder behind them has lost the differences
/// between its inputs.
///
/// - `no_shared_signal`: next to nothing is shared, so that rows differ by their augmentation alone: complete collapse;
/// - `dimensional_collapse`: what is shared lies along a line;
/// - `below_precision`, `partial_collapse` and `cluster_collapse` as each view tells them;
/// - `different_axes`, `too_few_samples`: what would be healthy is undetermined.
///
/// A cone, unequal scales, or few directions in one view lead to no verdict here: what matters is what is shared.
/// @param comparison  of two views through one encoder
/// @throws OptionError for a threshold out of its range
/// Cost: O(1).
[[nodiscard]] inline Diagnosis diagnose(const Comparison& comparison, const Thresholds& thresholds = {}) {
  validate(thresholds);
  return diagnosis::ViewExamination(comparison, thresholds).run();
}

}  // namespace collapse
