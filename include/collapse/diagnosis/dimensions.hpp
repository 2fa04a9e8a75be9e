#pragma once

#include <collapse/diagnosis/findings.hpp>
#include <collapse/diagnosis/noise.hpp>
#include <collapse/diagnosis/scales.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

/// Dimensional collapse: the rows vary along few directions.
///
/// Not a share of D: one objective at D = 64 and at D = 512 uses about as many directions, and a wide encoder that uses
/// fifty of them has lost nothing. What tells is how few there are, and whether the spectrum ends behind them.
namespace collapse::diagnosis {

inline constexpr const char* dimensional_remedy =
    "decorrelate the dimensions (covariance penalty of VICReg, off-diagonal term of Barlow Twins, whitening), soften "
    "the augmentations, or measure before the projection head";

/// One direction holds nearly all: of the rows as they are, and of standardised dimensions.
COLLAPSE_COLD inline bool one_line(const Evidence& evidence, bool unequal) {
  const Report& report = evidence.report;
  const Thresholds& thresholds = evidence.thresholds;
  const double ratio = report.spectrum.participation_ratio;
  // A dimension that is alone has no correlations.
  const double scale_free = evidence.live() == 1 ? 1.0 : report.decorrelation.participation_ratio;
  if (!(scale_free <= 1.2 * thresholds.line_participation && (unequal || ratio <= thresholds.line_participation))) {
    return false;
  }
  evidence.add(FindingKind::dimensional_collapse, graded(ratio, thresholds.line_participation, 1.0, 0.6, 0.9),
               metric_path<&Report::spectrum, &Spectrum::participation_ratio>, ratio, thresholds.line_participation,
               fmt::format("one direction holds {:.3g} % of the variance: participation ratio {:.3g}, and {:.3g} of "
                           "standardised dimensions",
                           100.0 * report.spectrum.top1_share, ratio, scale_free),
               dimensional_remedy, threshold_origin<&Thresholds::line_participation>());
  return true;
}

/// Few directions, behind which the spectrum falls off a cliff.
COLLAPSE_COLD inline bool few_directions(const Evidence& evidence) {
  const Report& report = evidence.report;
  const Spectrum& spectrum = report.spectrum;
  const double exponent = evidence.thresholds.few_directions;
  const double live = static_cast<double>(evidence.live());
  const double most = static_cast<double>(std::min(report.samples - 1, evidence.live()));
  const double few = std::pow(most, exponent);
  const double end = std::pow(live, exponent + 0.2);
  const bool cliff = spectrum.effective_rank <= few && static_cast<double>(spectrum.leading_rank) <= end;
  // Nothing at all behind them, and rows enough to have seen more.
  const bool ends = spectrum.numerical_rank < report.samples - 1 && static_cast<double>(spectrum.numerical_rank) <= end;
  if (!cliff && !ends) return false;
  const double threshold = cliff ? few : end;
  evidence.add(
      FindingKind::dimensional_collapse, graded(spectrum.effective_rank, threshold, 1.0, 0.5, 0.9),
      metric_path<&Report::spectrum, &Spectrum::effective_rank>, spectrum.effective_rank, threshold,
      fmt::format("the rows vary along about {:.3g} directions, where isotropic rows of this shape use {:.4g}; "
                  "behind {} of them the spectrum ends",
                  spectrum.effective_rank, spectrum.expected_effective_rank,
                  cliff ? spectrum.leading_rank : spectrum.numerical_rank),
      dimensional_remedy,
      threshold_origin<&Thresholds::few_directions>(" as a power of the directions there could be"));
  return true;
}

/// Against a baseline of one's own the share of the expected rank is enough.
COLLAPSE_COLD inline bool below_baseline(const Evidence& evidence) {
  const Spectrum& spectrum = evidence.report.spectrum;
  const double ratio = spectrum.effective_rank_vs_expected;
  const double share = evidence.thresholds.dimensional_ratio;
  if (!(share > 0.0) || !(ratio <= share)) return false;
  evidence.add(FindingKind::dimensional_collapse, graded(ratio, share, 0.0, 0.5, 0.9),
               metric_path<&Report::spectrum, &Spectrum::effective_rank_vs_expected>, ratio, share,
               fmt::format("the rows vary along about {:.3g} directions, where isotropic rows of this shape use {:.4g}",
                           spectrum.effective_rank, spectrum.expected_effective_rank),
               dimensional_remedy,
               threshold_origin<&Thresholds::dimensional_ratio>(", at this N and D by the Marchenko-Pastur law"));
  return true;
}

/// Dimensions that all follow one, and beside it are noise. Mean squared correlation of independent dimensions is
/// 1 / (N - 1); its standard error where one factor is common is at most 0.42 / sqrt(N - 1), of which two are allowed.
COLLAPSE_COLD inline void one_factor(const Evidence& evidence) {
  const Report& report = evidence.report;
  const double value = report.decorrelation.redundancy;
  const double freedom = static_cast<double>(report.samples - 1);
  const double least = evidence.thresholds.redundancy;
  const double threshold = std::clamp(least + (1.0 - least) / freedom - 0.84 / std::sqrt(freedom), 0.2, 1.0);
  if (!(value >= threshold) || !is_noise_beyond(report, 1, evidence.thresholds.isotropic_ratio)) return;
  evidence.add(FindingKind::correlated_dimensions, graded(value, threshold, 1.0, 0.5, 0.9),
               metric_path<&Report::decorrelation, &Decorrelation::redundancy>, value, threshold,
               fmt::format("two dimensions have squared correlation {:.3g} on average, independent ones {:.3g}; beside "
                           "what they share the rows vary alike in all directions, as noise does",
                           value, 1.0 / freedom),
               dimensional_remedy,
               threshold_origin<&Thresholds::redundancy>(", beyond chance, less two standard errors"));
}

COLLAPSE_COLD inline void dimensional_collapse(const Evidence& evidence) {
  const Report& report = evidence.report;
  // Two or three dimensions are few by nature, and correlated at no loss worth the name.
  if (report.dims < 4 || evidence.live() < 1 || std::isnan(report.spectrum.effective_rank_vs_expected)) return;
  const bool unequal = unequal_scales(report, evidence.thresholds);
  const bool found = one_line(evidence, unequal) || (!unequal && few_directions(evidence)) || below_baseline(evidence);
  if (!found) one_factor(evidence);
}

}  // namespace collapse::diagnosis
