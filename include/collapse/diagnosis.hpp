#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace collapse {

namespace detail {

/// `mild` at the threshold, `grave` at the far end of the scale, linear in between.
[[nodiscard]] inline double graded(double value, double threshold, double worst, double mild, double grave) {
  if (threshold == worst) return grave;
  return mild + (grave - mild) * std::clamp((value - threshold) / (worst - threshold), 0.0, 1.0);
}

[[nodiscard]] inline std::string counted(Index count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// Collects what the numbers of a report say, one method per kind of finding.
class Examination {
 public:
  Examination(const Report& report, const Thresholds& thresholds) : report_(report), thresholds_(thresholds) {}

  [[nodiscard]] Diagnosis run() {
    const bool complete = complete_collapse();
    // Of rows that are all but equal, everything below describes the remains.
    const bool enough = report_.samples >= thresholds_.minimum_samples;
    bool dimensional = false;
    bool anisotropic = false;
    if (!complete && enough) {
      dimensional = dimensional_collapse();
      anisotropic = anisotropy();
    }
    if (!complete && !enough) too_few_samples();
    if (report_.samples >= 2) {
      dead_dimensions();
      if (!complete && enough) redundant_dimensions();
    }
    rows_left_out();
    undefined_numbers();

    result_.verdict = complete       ? Verdict::complete_collapse
                      : !enough      ? Verdict::undetermined
                      : dimensional  ? Verdict::dimensional_collapse
                      : anisotropic  ? Verdict::anisotropic
                      : conclusive() ? Verdict::healthy
                                     : Verdict::undetermined;
    std::stable_sort(result_.findings.begin(), result_.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    return std::move(result_);
  }

 private:
  static constexpr const char* complete_remedy =
      "give the objective something that pushes embeddings apart: negatives (SimCLR, MoCo), a predictor with "
      "stop-gradient (BYOL, SimSiam), or a variance term (VICReg); check that the learning rate has not diverged";

  void add(const char* kind, double severity, const char* metric, double value, double threshold,
           std::string explanation, const char* remedy = "") {
    result_.findings.push_back({kind, severity, metric, value, threshold, std::move(explanation), remedy});
  }

  bool complete_collapse() {
    const std::size_t before = result_.findings.size();
    const Spectrum& spectrum = report_.spectrum;
    if (report_.samples >= 2 && spectrum.numerical_rank == 0) {
      const double largest = spectrum.singular_values.size() > 0 ? spectrum.singular_values(0) : 0.0;
      add("below_precision", 1.0, "spectrum.numerical_rank", 0.0, 1.0,
          largest > 0.0 ? fmt::format("the rows are equal up to the rounding of the input: complete collapse below the "
                                      "input's precision (largest singular value {:.3g}, noise floor {:.3g})",
                                      largest, spectrum.noise_floor)
                        : std::string("all rows are equal"),
          complete_remedy);
    }
    const double dispersion = report_.variance.dispersion;
    if (dispersion <= thresholds_.complete_dispersion) {
      add("complete_collapse", graded(dispersion, thresholds_.complete_dispersion, 0.0, 0.8, 1.0),
          "variance.dispersion", dispersion, thresholds_.complete_dispersion,
          fmt::format("the rows spread by only {:.3g} of their squared length around one point", dispersion),
          complete_remedy);
    }
    const double cosine = report_.cosine.mean;
    // In one dimension there are two directions, and data of one sign have nothing to say about it.
    if (report_.dims >= 2 && cosine >= thresholds_.complete_cosine) {
      add("complete_collapse", graded(cosine, thresholds_.complete_cosine, 1.0, 0.8, 1.0), "cosine.mean", cosine,
          thresholds_.complete_cosine,
          fmt::format("different rows point the same way: two of them have cosine {:.4f} on average", cosine),
          complete_remedy);
    }
    return result_.findings.size() > before;
  }

  bool dimensional_collapse() {
    const Spectrum& spectrum = report_.spectrum;
    const double ratio = spectrum.effective_rank_vs_expected;
    if (report_.dims < 2 || !(ratio <= thresholds_.dimensional_ratio)) return false;
    add("dimensional_collapse", graded(ratio, thresholds_.dimensional_ratio, 0.0, 0.5, 0.9),
        "spectrum.effective_rank_vs_expected", ratio, thresholds_.dimensional_ratio,
        fmt::format("the rows vary along about {:.3g} directions, where isotropic rows of this shape use {:.4g}",
                    spectrum.effective_rank, spectrum.expected_effective_rank),
        "decorrelate the dimensions (covariance penalty of VICReg, off-diagonal term of Barlow Twins, whitening), "
        "soften "
        "the augmentations, or measure before the projection head");
    return true;
  }

  bool anisotropy() {
    const double cosine = report_.cosine.mean;
    if (report_.dims < 2 || !(cosine >= thresholds_.anisotropic_cosine)) return false;
    add("anisotropy", graded(cosine, thresholds_.anisotropic_cosine, 1.0, 0.3, 0.6), "cosine.mean", cosine,
        thresholds_.anisotropic_cosine,
        fmt::format("the rows share a common direction (mean cosine {:.3f}): they fill a cone, not the space", cosine),
        "remove the mean before using cosines, normalise (batch norm or whitening at the output), or add a uniformity "
        "term");
    return true;
  }

  void dead_dimensions() {
    const Index dead = report_.variance.dead_dimensions;
    if (dead == 0 || report_.spectrum.numerical_rank == 0) return;
    const double share = static_cast<double>(dead) / static_cast<double>(report_.dims);
    add("dead_dimensions", 0.1 + 0.6 * share, "variance.dead_dimensions", static_cast<double>(dead), 0.0,
        fmt::format("{} of {} never {}", counted(dead, "dimension", "dimensions"), report_.dims,
                    dead == 1 ? "changes" : "change"),
        "look for dead units (ReLU, pruning, a constant input); a variance term keeps dimensions alive");
  }

  void redundant_dimensions() {
    const Decorrelation& decorrelation = report_.decorrelation;
    if (!(decorrelation.max_abs_correlation >= thresholds_.redundant_correlation) || !decorrelation.max_pair) return;
    add("redundant_dimensions", 0.2, "decorrelation.max_abs_correlation", decorrelation.max_abs_correlation,
        thresholds_.redundant_correlation,
        fmt::format("dimensions {} and {} repeat each other", (*decorrelation.max_pair)[0],
                    (*decorrelation.max_pair)[1]),
        "decorrelate the dimensions (covariance penalty, Barlow Twins, whitening) or make the embedding smaller");
  }

  void too_few_samples() {
    add("too_few_samples", 0.0, "samples", static_cast<double>(report_.samples),
        static_cast<double>(thresholds_.minimum_samples),
        fmt::format("{} cannot tell more than a complete collapse", counted(report_.samples, "row", "rows")),
        "measure more rows");
  }

  void rows_left_out() {
    if (report_.norms.zero_rows > 0) {
      const double share = static_cast<double>(report_.norms.zero_rows) / static_cast<double>(report_.samples);
      add("zero_rows", 0.5 * share, "norms.zero_rows", static_cast<double>(report_.norms.zero_rows), 0.0,
          fmt::format("{} no direction and {} left out of every cosine",
                      counted(report_.norms.zero_rows, "row of length 0 has", "rows of length 0 have"),
                      report_.norms.zero_rows == 1 ? "is" : "are"),
          "look for inputs that the encoder maps to zero (padding, dead units)");
    }
    if (report_.norms.skipped_rows > 0) {
      add("skipped_rows", 0.1, "norms.skipped_rows", static_cast<double>(report_.norms.skipped_rows), 0.0,
          fmt::format("{} a NaN or an infinity and {} left out",
                      counted(report_.norms.skipped_rows, "row holds", "rows hold"),
                      report_.norms.skipped_rows == 1 ? "was" : "were"),
          "find where the encoder overflows");
    }
  }

  void undefined_numbers() {
    const auto because = [this](const char* metric, std::string reason) {
      add("undefined", 0.0, metric, undefined, undefined, std::move(reason));
    };
    if (std::isnan(report_.norms.mean)) {
      because("norms", "lengths and cosines of the rows are unknown: of some of them only moments were given");
    }
    const Index directed = report_.samples - report_.norms.zero_rows;
    if (report_.samples < 2) {
      because("variance", "variance, correlation and centred spectrum of a single row are undefined");
    } else {
      if (report_.spectrum.numerical_rank == 0) {
        because("spectrum", "shares of a spectrum without a value above the noise floor are undefined");
      }
      if (std::isnan(report_.variance.dispersion)) because("variance.dispersion", "all rows are zero");
      if (report_.dims < 2) {
        because("decorrelation.max_abs_correlation", "a single dimension has nothing to correlate with");
      } else if (report_.dims - report_.variance.dead_dimensions < 2) {
        because("decorrelation.max_abs_correlation",
                "fewer than two dimensions vary; constant ones have no correlation");
      }
    }
    if (directed < 2) {
      because("cosine",
              fmt::format("{}: no pair to compare", counted(directed, "row has a direction", "rows have a direction")));
    }
    if (report_.spectrum_uncentered.numerical_rank == 0) {
      because("spectrum_uncentered", "shares of a spectrum without a value above the noise floor are undefined");
    }
    if (std::isnan(report_.spectrum.alpha) && report_.spectrum.numerical_rank > 0) {
      because("spectrum.alpha", fmt::format("fewer than 3 of the {} lie in the range of the power-law fit",
                                            counted(report_.spectrum.numerical_rank, "eigenvalue", "eigenvalues")));
    }
  }

  /// Whether the numbers that could have spoken against health are there.
  [[nodiscard]] bool conclusive() const {
    return std::isfinite(report_.variance.dispersion) && std::isfinite(report_.spectrum.effective_rank_vs_expected) &&
           std::isfinite(report_.cosine.mean);
  }

  const Report& report_;
  const Thresholds& thresholds_;
  Diagnosis result_;
};

}  // namespace detail

/// Reads a report and says whether the embeddings collapse, in which way, how badly, and what usually cures it.
///
/// Complete collapse: dispersion or mean cosine beyond its threshold, or no singular value above the noise floor.
/// Dimensional collapse: effective rank far below that of isotropic rows of the same shape. Anisotropic: a common
/// direction with a healthy centred spectrum. The verdict is the gravest of these; every observation is a finding.
/// @param report      its numbers; its own diagnosis is not read
/// @param thresholds  where each finding begins
/// @return verdict and findings, gravest first
/// Cost: O(1).
/// Source: Jing, Vincent, LeCun & Tian, Understanding dimensional collapse in contrastive self-supervised learning,
/// 2022 (complete against dimensional); Ethayarajh, How contextual are contextualized word representations?, 2019
/// (anisotropy).
[[nodiscard]] inline Diagnosis diagnose(const Report& report, const Thresholds& thresholds = {}) {
  return detail::Examination(report, thresholds).run();
}

}  // namespace collapse
