#pragma once

#include <collapse/diagnosis.hpp>
#include <collapse/diagnosis/findings.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/classes.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

namespace diagnosis {

/// Collects what labels add to the findings of a report.
class ClassExamination {
 public:
  ClassExamination(const Report& report, const ClassCollapse& classes, const Thresholds& thresholds)
      : report_(report), classes_(classes), thresholds_(thresholds) {}

  [[nodiscard]] Diagnosis run() {
    Diagnosis alone = diagnose(report_, thresholds_);
    findings_ = std::move(alone.findings);
    // Of rows that are equal, labels describe the remains.
    if (report_.spectrum.numerical_rank > 0) excuse();
    if (alone.verdict == Verdict::complete_collapse && !is_excused(Verdict::complete_collapse)) {
      return decide(std::move(findings_), is_conclusive(report_));
    }
    neural_collapse();
    if (single_classes()) {
      // The points are then those of classes that have collapsed.
      for (Finding& finding : findings_) {
        if (finding.kind == FindingKind::cluster_collapse) finding.severity = std::min(finding.severity, 0.55);
      }
    }
    return decide(std::move(findings_), is_conclusive(report_));
  }

 private:
  [[nodiscard]] static std::string by_threshold() { return threshold_origin<&Thresholds::neural_collapse>(); }

  void add(FindingKind kind, double severity, MetricPath metric, double value, double threshold,
           std::string explanation, const char* remedy, std::string origin) {
    findings_.push_back({kind, severity, metric, value, threshold, std::move(explanation), remedy, std::move(origin)});
  }

  /// Rows at their class means. Where these are apart and fill the space that so many can, few points and few
  /// directions are what the labels ask for.
  void neural_collapse() {
    const double ratio = classes_.nc1_ratio;
    if (classes_.classes < 2 || !(ratio <= thresholds_.neural_collapse)) return;
    if (!(classes_.cdnv <= thresholds_.neural_collapse)) {
      add(FindingKind::merged_classes, 0.96, metric_path<&ClassCollapse::cdnv>, classes_.cdnv,
          thresholds_.neural_collapse,
          std::isnan(classes_.cdnv)
              ? std::string("rows lie at their class means, and two classes at the same")
              : fmt::format("rows lie at their class means, but some of these lie together: the spread of two classes "
                            "is {:.3g} of their distance on average",
                            classes_.cdnv),
          "give rare classes their weight (balanced batches, a weighted loss), or check their labels", by_threshold());
      return;
    }
    add(FindingKind::neural_collapse, 0.0, metric_path<&ClassCollapse::nc1_ratio>, ratio, thresholds_.neural_collapse,
        fmt::format("the spread within classes is {:.3g} of that between them: rows lie at their class means, as at "
                    "the end of supervised training",
                    ratio),
        "", by_threshold());
  }

  /// Where the classes are apart, few points are what the labels ask for; where their means also fill the space that so
  /// many can, few directions and a common one are too. On held-out rows that comes long before rows lie at their means.
  void excuse() {
    if (classes_.classes < 2 || !(classes_.cdnv <= thresholds_.parted_classes)) return;
    const double possible = expected_effective_rank(classes_.classes - 1, classes_.dims);
    const bool fill = classes_.class_effective_rank > thresholds_.class_ratio * possible;
    for (Finding& finding : findings_) {
      if (finding.severity == 0.0 || !follows_from_labels(finding)) continue;
      if (!fill && finding.kind != FindingKind::cluster_collapse) continue;
      finding.severity = 0.0;
      finding.explanation +=
          fmt::format("; {} classes that are apart (cdnv {:.3g}) ask for no more", classes_.classes, classes_.cdnv);
    }
  }

  [[nodiscard]] bool follows_from_labels(const Finding& finding) const {
    const FindingKind kind = finding.kind;
    // Rows that hardly differ have collapsed, whatever the little tells: a common direction is no more than that.
    if (kind == FindingKind::complete_collapse) {
      return report_.variance.dispersion > thresholds_.complete_dispersion;
    }
    return kind == FindingKind::cluster_collapse || kind == FindingKind::dimensional_collapse ||
           kind == FindingKind::correlated_dimensions || kind == FindingKind::anisotropy;
  }

  [[nodiscard]] bool is_excused(Verdict verdict) const {
    for (const Finding& finding : findings_) {
      if (verdict_of(finding) == verdict) return false;
    }
    return true;
  }

  void too_few(Index least) {
    std::vector<Index> rows = classes_.per_class.samples;
    std::sort(rows.begin(), rows.end(), std::greater<>());
    const Index second = rows[1];
    add(FindingKind::too_few_samples, 0.0, metric_path<&ClassCollapse::per_class, &PerClass::samples>,
        static_cast<double>(second), static_cast<double>(least),
        fmt::format("whether a class has collapsed by itself takes two classes of {} rows; the second largest has {}",
                    least, second),
        "measure more rows", threshold_origin<&Thresholds::minimum_samples>(", half of it"));
  }

  /// Each class against the median of all, of two against the other: what all classes share is no matter of single
  /// ones. Half the rows that a whole report takes are enough, as one class is the measure of the other.
  /// @return whether one has collapsed
  bool single_classes() {
    const PerClass& each = classes_.per_class;
    if (each.label.size() < 2) return false;
    const Index least = std::max<Index>(2, thresholds_.minimum_samples / 2);
    std::vector<Index> told;
    for (Index c = 0; c < static_cast<Index>(each.label.size()); ++c) {
      if (each.samples[static_cast<std::size_t>(c)] >= least) told.push_back(c);
    }
    if (told.size() < 2) {
      if (each.label.size() > 2) too_few(least);
      return false;
    }
    const std::size_t before = findings_.size();
    single_classes(told, each.variance, thresholds_.complete_dispersion,
                   metric_path<&ClassCollapse::per_class, &PerClass::variance>,
                   threshold_origin<&Thresholds::complete_dispersion>(" of the median class"),
                   [](double value, double usual) {
                     return fmt::format("its rows spread by {:.3g} where those of the median class spread by {:.3g}",
                                        value, usual);
                   });
    single_classes(told, each.effective_rank_vs_expected, thresholds_.class_ratio,
                   metric_path<&ClassCollapse::per_class, &PerClass::effective_rank_vs_expected>,
                   threshold_origin<&Thresholds::class_ratio>(" of the median class"), [](double value, double usual) {
                     return fmt::format(
                         "its rows use {:.3g} of the directions expected of so many, those of the median "
                         "class {:.3g}",
                         value, usual);
                   });
    return findings_.size() > before;
  }

  template <class Explain>
  void single_classes(const std::vector<Index>& told, const Eigen::VectorXd& values, double share, MetricPath metric,
                      const std::string& origin, const Explain& explain) {
    Eigen::VectorXd known(static_cast<Index>(told.size()));
    for (std::size_t i = 0; i < told.size(); ++i) known(static_cast<Index>(i)) = values(told[i]);
    if (!known.allFinite()) return;
    // Of two, the other one.
    const double usual = known.size() == 2 ? known.maxCoeff() : metrics::median(known);
    const double threshold = share * usual;
    if (!(usual > 0.0)) return;
    Index worst = told.front();
    Index fallen = 0;
    for (const Index c : told) {
      if (values(c) <= threshold) ++fallen;
      if (values(c) < values(worst)) worst = c;
    }
    if (fallen == 0) return;
    const double part = static_cast<double>(fallen) / static_cast<double>(told.size());
    const std::int64_t label = classes_.per_class.label[static_cast<std::size_t>(worst)];
    add(FindingKind::class_collapse, 0.6 + 0.3 * part, metric, values(worst), threshold,
        (fallen == 1 ? fmt::format("class {} has collapsed by itself: ", label)
                     : fmt::format("{} of {} classes have collapsed by themselves, class {} most: ", fallen,
                                   told.size(), label)) +
            explain(values(worst), usual),
        "see more of the class (balanced batches, augmentation), or spread it (a supervised contrastive loss with "
        "instance terms, a variance term by class)",
        origin);
  }

  const Report& report_;
  const ClassCollapse& classes_;
  const Thresholds& thresholds_;
  std::vector<Finding> findings_;
};

}  // namespace diagnosis

/// Reads a report and what labels tell about the same rows. To the findings of `diagnose(report)` it adds
///
/// - `class_collapse`: single classes whose rows spread, or use directions, far below the median class;
/// - `merged_classes`: rows at their class means, and some of these together;
/// - `neural_collapse`, a remark: rows at class means that are apart, the end of supervised training (Papyan, Han &
///   Donoho 2020).
///
/// Where the classes are apart (`cdnv` at or below Thresholds::parted_classes) and their means fill the space that so
/// many can, clusters, few directions and a common one are what the labels ask for, and lead to no verdict.
///
/// @param report   of the rows that `classes` describes
/// @param classes  with per_class, or nothing is said of single classes; those of fewer rows than
///                 half of Thresholds::minimum_samples are not judged, and where that leaves one of more than two,
///                 what would be healthy is undetermined
/// @throws OptionError for a threshold out of its range
/// Cost: O(K).
/// Source: Papyan, Han & Donoho, Prevalence of neural collapse during the terminal phase of deep learning training,
/// 2020; Fang, He, Long & Su, Exploring deep neural networks via layer-peeled model: minority collapse in imbalanced
/// training, 2021 (merged classes).
[[nodiscard]] inline Diagnosis diagnose(const Report& report, const ClassCollapse& classes,
                                        const Thresholds& thresholds = {}) {
  return diagnosis::ClassExamination(report, classes, thresholds).run();
}

}  // namespace collapse
