#pragma once

#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

namespace diagnosis {

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

/// The verdict that a kind of finding leads to; none for what can be wrong with healthy embeddings.
[[nodiscard]] inline std::optional<Verdict> verdict_of(FindingKind kind) {
  if (kind == FindingKind::below_precision || kind == FindingKind::complete_collapse) return Verdict::complete_collapse;
  if (kind == FindingKind::cluster_collapse) return Verdict::cluster_collapse;
  if (kind == FindingKind::class_collapse || kind == FindingKind::merged_classes) return Verdict::class_collapse;
  if (kind == FindingKind::dimensional_collapse || kind == FindingKind::correlated_dimensions)
    return Verdict::dimensional_collapse;
  if (kind == FindingKind::anisotropy) return Verdict::anisotropic;
  if (kind == FindingKind::no_shared_signal) return Verdict::complete_collapse;
  if (kind == FindingKind::different_axes) return Verdict::undetermined;
  if (kind == FindingKind::too_few_samples) return Verdict::undetermined;
  return std::nullopt;
}

/// Whether the numbers that could have spoken against health are there.
[[nodiscard]] inline bool is_conclusive(const Report& report) {
  return std::isfinite(report.variance.dispersion) && std::isfinite(report.spectrum.effective_rank_vs_expected) &&
         std::isfinite(report.cosine.mean);
}

/// Sorts findings, gravest first, and draws the verdict from the first that leads to one. One that is not grave at all
/// leads to none, but for the want of rows.
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
  const auto first = std::find_if(result.findings.begin(), result.findings.end(), [](const Finding& finding) {
    const std::optional<Verdict> verdict = verdict_of(finding.kind);
    return verdict && (finding.severity > 0.0 || *verdict == Verdict::undetermined);
  });
  if (first != result.findings.end()) {
    first->decisive = true;
    result.verdict = *verdict_of(first->kind);
  } else {
    result.verdict = conclusive ? Verdict::healthy : Verdict::undetermined;
  }
  return result;
}

/// Collects what the numbers of a report say, one method per kind of finding.
class Examination {
 public:
  Examination(const Report& report, const Thresholds& thresholds) : report_(report), thresholds_(thresholds) {}

  [[nodiscard]] COLLAPSE_COLD Diagnosis run() {
    const bool complete = complete_collapse();
    // Of rows that are all but equal, everything below describes the remains.
    const bool enough = report_.samples >= thresholds_.minimum_samples;
    if (!complete && enough) {
      clusters();
      dimensional_collapse();
      redundancy();
      anisotropy();
    }
    if (!complete && !enough) too_few_samples();
    if (report_.samples >= 2) {
      dead_dimensions();
      if (!complete && enough) redundant_dimensions();
    }
    norm_out_of_range();
    rows_left_out();
    undefined_numbers();

    return decide(std::move(findings_), is_conclusive(report_));
  }

 private:
  static constexpr const char* complete_remedy =
      "give the objective something that pushes embeddings apart: negatives (SimCLR, MoCo), a predictor with "
      "stop-gradient (BYOL, SimSiam), or a variance term (VICReg); check that the learning rate has not diverged";

  static constexpr const char* dimensional_remedy =
      "decorrelate the dimensions (covariance penalty of VICReg, off-diagonal term of Barlow Twins, whitening), soften "
      "the augmentations, or measure before the projection head";
  [[nodiscard]] static std::string by_law() {
    return threshold_origin<&Thresholds::dimensional_ratio>(", at this N and D by the Marchenko-Pastur law");
  }

  COLLAPSE_COLD void add(FindingKind kind, double severity, MetricPath metric, double value, double threshold,
                         std::string explanation, const char* remedy = "", std::string origin = {}) {
    findings_.push_back({kind, severity, metric, value, threshold, std::move(explanation), remedy, std::move(origin)});
  }

  COLLAPSE_COLD bool complete_collapse() {
    const std::size_t before = findings_.size();
    const Spectrum& spectrum = report_.spectrum;
    if (report_.samples >= 2 && spectrum.numerical_rank == 0) {
      const double largest = spectrum.singular_values.size() > 0 ? spectrum.singular_values(0) : 0.0;
      add(FindingKind::below_precision, 1.0, metric_path<&Report::spectrum, &Spectrum::numerical_rank>, 0.0, 1.0,
          largest > 0.0 ? fmt::format("the rows are equal up to the rounding of the input: complete collapse below the "
                                      "input's precision (largest singular value {:.3g}, noise floor {:.3g})",
                                      largest, spectrum.noise_floor)
                        : std::string("all rows are equal"),
          complete_remedy, "the rounding of the input scalar");
    }
    const double dispersion = report_.variance.dispersion;
    if (dispersion <= thresholds_.complete_dispersion) {
      add(FindingKind::complete_collapse, graded(dispersion, thresholds_.complete_dispersion, 0.0, 0.8, 1.0),
          metric_path<&Report::variance, &Variance::dispersion>, dispersion, thresholds_.complete_dispersion,
          fmt::format("the rows spread by only {:.3g} of their squared length around one point", dispersion),
          complete_remedy, threshold_origin<&Thresholds::complete_dispersion>());
    }
    const double cosine = report_.cosine.mean;
    // In one dimension there are two directions, and data of one sign have nothing to say about it.
    if (report_.dims >= 2 && cosine >= thresholds_.complete_cosine) {
      add(FindingKind::complete_collapse, graded(cosine, thresholds_.complete_cosine, 1.0, 0.8, 1.0),
          metric_path<&Report::cosine, &Cosine::mean>, cosine, thresholds_.complete_cosine,
          fmt::format("different rows point the same way: two of them have cosine {:.4f} on average", cosine),
          complete_remedy, threshold_origin<&Thresholds::complete_cosine>());
    }
    return findings_.size() > before;
  }

  /// Rows on few points: pairs within a cluster point the same way, and a gap parts them from the others. Rows on a
  /// line also come in two directions, with lengths of every size.
  COLLAPSE_COLD void clusters() {
    const Cosine& cosine = report_.cosine;
    if (report_.dims < 2 || cosine.pairs < 1 || !(report_.norms.std <= 0.5 * report_.norms.mean)) return;
    constexpr std::size_t gap = 52;   // cosines from 0.625
    constexpr std::size_t same = 60;  // ... and from 0.875
    const auto& histogram = cosine.histogram;
    const auto from = [&histogram](std::size_t bin) { return histogram.begin() + static_cast<std::ptrdiff_t>(bin); };
    const auto together = std::accumulate(from(same), histogram.end(), std::int64_t{0});
    const auto between = std::accumulate(from(gap), from(same), std::int64_t{0});
    const double share = static_cast<double>(together) / static_cast<double>(cosine.pairs);
    // Above a half there is one main direction: that is a cone with outliers.
    if (!(share >= thresholds_.cluster_pairs && share <= 0.6) || together < 5 * between) return;
    add(FindingKind::cluster_collapse, graded(share, thresholds_.cluster_pairs, 0.6, 0.91, 0.95),
        metric_path<&Report::cosine, &Cosine::histogram>, share, thresholds_.cluster_pairs,
        fmt::format("{:.3g} % of the pairs point the same way and few come near: the rows sit on about {:.3g} points",
                    100.0 * share, 1.0 / share),
        "push samples of one cluster apart: more or harder negatives (SimCLR, MoCo), a larger batch, a uniformity "
        "term; for a generator, a minibatch statistic",
        threshold_origin<&Thresholds::cluster_pairs>(
            "; random directions have no such pairs from a few dimensions on"));
  }

  /// Participation ratio of the population: 1 / sample = 1 / population + kurtosis / (N - 1), where the kurtosis of the
  /// lengths, E[l^4] / E[l^2]^2, is 1 for equal ones. From their mean and deviation it follows for log-normal lengths,
  /// and for all to first order; without it rows with heavy tails would seem to have few directions.
  [[nodiscard]] double population_participation() const {
    const double variation = report_.norms.std / report_.norms.mean;
    const double kurtosis = std::isfinite(variation) ? std::pow(1.0 + variation * variation, 4) : 1.0;
    const double excess =
        1.0 / report_.spectrum.participation_ratio - kurtosis / static_cast<double>(report_.samples - 1);
    const double most = static_cast<double>(report_.dims);
    return excess * most <= 1.0 ? most : 1.0 / excess;
  }

  /// With more rows than a collapsed population has directions the effective rank shows them. With fewer, both a flat
  /// spectrum of few directions and a steep one of many fill the rank that the sample allows, and the effective rank
  /// tells nothing; but dead dimensions, and values missing below that rank, bound the directions of the population.
  COLLAPSE_COLD void dimensional_collapse() {
    const Spectrum& spectrum = report_.spectrum;
    const double ratio = spectrum.effective_rank_vs_expected;
    if (report_.dims < 2 || std::isnan(ratio)) return;
    const double share = thresholds_.dimensional_ratio;
    const double few = std::max(1.0, share * static_cast<double>(report_.dims));
    const auto found = [&](double threshold) {
      add(FindingKind::dimensional_collapse, graded(std::min(ratio, share), share, 0.0, 0.5, 0.9),
          metric_path<&Report::spectrum, &Spectrum::effective_rank_vs_expected>, ratio, threshold,
          fmt::format("the rows vary along about {:.3g} directions, where isotropic rows of this shape use {:.4g}",
                      spectrum.effective_rank, spectrum.expected_effective_rank),
          dimensional_remedy, by_law());
    };
    if (ratio <= share) return found(share);
    const Index freedom = report_.samples - 1;
    if (freedom >= report_.dims || std::isnan(spectrum.participation_ratio)) return;
    const bool all_seen = spectrum.numerical_rank < freedom;
    const Index live = report_.dims - report_.variance.dead_dimensions;
    const Index directions = all_seen ? std::min(live, spectrum.numerical_rank) : live;
    const bool bounded = static_cast<double>(directions) <= few;
    if (bounded || all_seen) {
      // Of rows in so many directions the same law holds, and the share of them in use carries over.
      const double threshold = few / static_cast<double>(directions) * expected_effective_rank(freedom, directions) /
                               spectrum.expected_effective_rank;
      if (bounded || ratio <= threshold) found(threshold);
      return;
    }
    // The effective rank is never below the participation ratio.
    if (population_participation() > few) return;
    // From three rows for two such directions on, the effective rank tells by itself.
    const Index needed = static_cast<Index>(1.5 * few) + 1;
    if (report_.samples >= needed) return;
    add(FindingKind::too_few_samples, 0.0, metric_path<&Report::samples>, static_cast<double>(report_.samples),
        static_cast<double>(needed),
        fmt::format("{} rows cannot tell a steep spectrum from a collapsed one; {} could", report_.samples, needed),
        "measure more rows", by_law());
  }

  /// Mean squared correlation of independent dimensions: 1 / (N - 1).
  COLLAPSE_COLD void redundancy() {
    const double value = report_.decorrelation.redundancy;
    const double chance = 1.0 / static_cast<double>(report_.samples - 1);
    const double threshold = thresholds_.redundancy + (1.0 - thresholds_.redundancy) * chance;
    // Two or three dimensions are correlated at no loss worth the name.
    if (report_.dims < 4 || !(value >= threshold)) return;
    add(FindingKind::correlated_dimensions, graded(value, threshold, 1.0, 0.5, 0.9),
        metric_path<&Report::decorrelation, &Decorrelation::redundancy>, value, threshold,
        fmt::format("two dimensions have squared correlation {:.3g} on average, independent ones {:.3g}", value,
                    chance),
        dimensional_remedy, threshold_origin<&Thresholds::redundancy>(", beyond 1 / (N - 1) by chance"));
  }

  COLLAPSE_COLD void anisotropy() {
    const double cosine = report_.cosine.mean;
    if (report_.dims < 2 || !(cosine >= thresholds_.anisotropic_cosine)) return;
    add(FindingKind::anisotropy, graded(cosine, thresholds_.anisotropic_cosine, 1.0, 0.3, 0.5),
        metric_path<&Report::cosine, &Cosine::mean>, cosine, thresholds_.anisotropic_cosine,
        fmt::format("the rows share a common direction (mean cosine {:.3f}): they fill a cone, not the space", cosine),
        "remove the mean before using cosines, normalise (batch norm or whitening at the output), or add a uniformity "
        "term",
        threshold_origin<&Thresholds::anisotropic_cosine>("; unbiased at every N, random directions have mean 0"));
  }

  COLLAPSE_COLD void norm_out_of_range() {
    const double mean = report_.norms.mean;
    if (mean < thresholds_.smallest_norm) {
      add(FindingKind::norm_collapse, 0.4, metric_path<&Report::norms, &Norms::mean>, mean, thresholds_.smallest_norm,
          fmt::format("the rows are {:.3g} long on average", mean), "normalise the output, or lower weight decay",
          threshold_origin<&Thresholds::smallest_norm>());
    }
    if (mean > thresholds_.largest_norm) {
      add(FindingKind::norm_explosion, 0.4, metric_path<&Report::norms, &Norms::mean>, mean, thresholds_.largest_norm,
          fmt::format("the rows are {:.3g} long on average", mean),
          "normalise the output, clip gradients, or lower the learning rate",
          threshold_origin<&Thresholds::largest_norm>());
    }
  }

  COLLAPSE_COLD void dead_dimensions() {
    const Index dead = report_.variance.dead_dimensions;
    if (dead == 0 || report_.spectrum.numerical_rank == 0) return;
    const double share = static_cast<double>(dead) / static_cast<double>(report_.dims);
    add(FindingKind::dead_dimensions, 0.1 + 0.6 * share, metric_path<&Report::variance, &Variance::dead_dimensions>,
        static_cast<double>(dead), 0.0,
        fmt::format("{} of {} never {}", counted(dead, "dimension", "dimensions"), report_.dims,
                    dead == 1 ? "changes" : "change"),
        "look for dead units (ReLU, pruning, a constant input); a variance term keeps dimensions alive");
  }

  COLLAPSE_COLD void redundant_dimensions() {
    const Decorrelation& decorrelation = report_.decorrelation;
    if (!(decorrelation.max_abs_correlation >= thresholds_.redundant_correlation) || !decorrelation.max_pair) return;
    add(FindingKind::redundant_dimensions, 0.2,
        metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>, decorrelation.max_abs_correlation,
        thresholds_.redundant_correlation,
        fmt::format("dimensions {} and {} repeat each other", (*decorrelation.max_pair)[0],
                    (*decorrelation.max_pair)[1]),
        "decorrelate the dimensions (covariance penalty, Barlow Twins, whitening) or make the embedding smaller",
        threshold_origin<&Thresholds::redundant_correlation>());
  }

  COLLAPSE_COLD void too_few_samples() {
    add(FindingKind::too_few_samples, 0.0, metric_path<&Report::samples>, static_cast<double>(report_.samples),
        static_cast<double>(thresholds_.minimum_samples),
        fmt::format("{} cannot tell more than a complete collapse", counted(report_.samples, "row", "rows")),
        "measure more rows", threshold_origin<&Thresholds::minimum_samples>());
  }

  COLLAPSE_COLD void rows_left_out() {
    if (report_.norms.zero_rows > 0) {
      const double share = static_cast<double>(report_.norms.zero_rows) / static_cast<double>(report_.samples);
      add(FindingKind::zero_rows, 0.5 * share, metric_path<&Report::norms, &Norms::zero_rows>,
          static_cast<double>(report_.norms.zero_rows), 0.0,
          fmt::format("{} no direction and {} left out of every cosine",
                      counted(report_.norms.zero_rows, "row of length 0 has", "rows of length 0 have"),
                      report_.norms.zero_rows == 1 ? "is" : "are"),
          "look for inputs that the encoder maps to zero (padding, dead units)");
    }
    if (report_.norms.skipped_rows > 0) {
      add(FindingKind::skipped_rows, 0.1, metric_path<&Report::norms, &Norms::skipped_rows>,
          static_cast<double>(report_.norms.skipped_rows), 0.0,
          fmt::format("{} a NaN or an infinity and {} left out",
                      counted(report_.norms.skipped_rows, "row holds", "rows hold"),
                      report_.norms.skipped_rows == 1 ? "was" : "were"),
          "find where the encoder overflows");
    }
  }

  COLLAPSE_COLD void undefined_numbers() {
    const auto because = [this](MetricPath metric, std::string reason) {
      add(FindingKind::undefined_number, 0.0, metric, undefined, undefined, std::move(reason));
    };
    if (std::isnan(report_.norms.mean)) {
      because(metric_path<&Report::norms>,
              "lengths and cosines of the rows are unknown: of some of them only moments were given");
    }
    const Index directed = report_.samples - report_.norms.zero_rows;
    if (report_.samples < 2) {
      because(metric_path<&Report::variance>,
              "variance, correlation and centred spectrum of a single row are undefined");
    } else {
      if (report_.spectrum.numerical_rank == 0) {
        because(metric_path<&Report::spectrum>,
                "shares of a spectrum without a value above the noise floor are undefined");
      }
      if (std::isnan(report_.variance.dispersion))
        because(metric_path<&Report::variance, &Variance::dispersion>, "all rows are zero");
      if (report_.dims < 2) {
        because(metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>,
                "a single dimension has nothing to correlate with");
      } else if (report_.dims - report_.variance.dead_dimensions < 2) {
        because(metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>,
                "fewer than two dimensions vary; constant ones have no correlation");
      }
    }
    if (directed < 2) {
      because(metric_path<&Report::cosine>,
              fmt::format("{}: no pair to compare", counted(directed, "row has a direction", "rows have a direction")));
    }
    if (report_.spectrum_uncentered.numerical_rank == 0) {
      because(metric_path<&Report::spectrum_uncentered>,
              "shares of a spectrum without a value above the noise floor are undefined");
    }
    if (std::isnan(report_.spectrum.alpha) && report_.spectrum.numerical_rank > 0) {
      because(metric_path<&Report::spectrum, &Spectrum::alpha>,
              fmt::format("fewer than 3 of the {} lie in the range of the power-law fit",
                          counted(report_.spectrum.numerical_rank, "eigenvalue", "eigenvalues")));
    }
  }

  const Report& report_;
  const Thresholds& thresholds_;
  std::vector<Finding> findings_;
};

}  // namespace diagnosis

/// Reads a report and says whether the embeddings collapse, in which way, how badly, and what usually cures it.
///
/// Complete collapse: dispersion or mean cosine beyond its threshold, or no singular value above the noise floor.
/// Cluster collapse: pairs that point the same way, apart from all others. Dimensional collapse: effective rank far
/// below that of isotropic rows of the same shape, or dimensions correlated far beyond chance. Anisotropic: a common
/// direction. The verdict is the gravest of these, and the finding it rests on is marked; every observation is a
/// finding. Undetermined where the rows are too few, with the number that could tell.
/// @param report      its numbers; its own diagnosis is not read
/// @param thresholds  where each finding begins
/// @return verdict and findings, gravest first
/// @throws OptionError for a threshold out of its range
/// Cost: O(1).
/// Source: Jing, Vincent, LeCun & Tian, Understanding dimensional collapse in contrastive self-supervised learning,
/// 2022 (complete against dimensional); Ethayarajh, How contextual are contextualized word representations?, 2019
/// (anisotropy).
[[nodiscard]] COLLAPSE_COLD inline Diagnosis diagnose(const Report& report, const Thresholds& thresholds = {}) {
  validate(thresholds);
  return diagnosis::Examination(report, thresholds).run();
}

}  // namespace collapse
