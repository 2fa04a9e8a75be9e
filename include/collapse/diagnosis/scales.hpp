#pragma once

#include <collapse/diagnosis/findings.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

/// What few rows or few dimensions make of the numbers of all, and what a common direction makes of cosines: things to
/// know and to mend, none of which is a collapse.
namespace collapse::diagnosis {

/// Dimensions that hold the variance, (sum of variances)^2 / sum of their squares.
[[nodiscard]] inline double dimensions_in_use(const Report& report) {
  const Eigen::VectorXd& variances = report.variance.per_dimension;
  double largest = 0.0;
  for (const double variance : variances) largest = std::max(largest, variance);
  if (!(largest > 0.0)) return undefined;
  double sum = 0.0;
  double squares = 0.0;
  for (const double variance : variances) {
    sum += variance / largest;
    squares += variance / largest * (variance / largest);
  }
  return sum * sum / squares;
}

/// Whether a few dimensions hold nearly all the variance because they are in other units: the largest deviates 30 times
/// as far as the median one. An encoder mixes its dimensions, also when it collapses: what they have in common then is a
/// direction, not a dimension.
[[nodiscard]] inline bool unequal_scales(const Report& report, const Thresholds& thresholds) {
  const double live = static_cast<double>(report.dims - report.variance.dead_dimensions);
  constexpr double apart = 30.0 * 30.0;
  return dimensions_in_use(report) < thresholds.unequal_scales * live &&
         report.variance.max >= apart * report.variance.median;
}

COLLAPSE_COLD inline void scales(const Evidence& evidence) {
  const Report& report = evidence.report;
  if (!unequal_scales(report, evidence.thresholds)) return;
  const double used = dimensions_in_use(report);
  Index largest = 0;
  report.variance.per_dimension.maxCoeff(&largest);
  evidence.add(
      FindingKind::unequal_scales, 0.2, metric_path<&Report::variance, &Variance::max>, used,
      evidence.thresholds.unequal_scales * static_cast<double>(evidence.live()),
      fmt::format("{:.3g} of {} dimensions hold nearly all the variance, dimension {} alone {:.3g} %: distances and "
                  "cosines see little else; standardised they have {:.3g} directions",
                  used, report.dims, largest, 100.0 * report.variance.max / report.variance.total,
                  report.decorrelation.participation_ratio),
      "standardise the columns if they are in different units; if they come from one encoder, look for units that died",
      threshold_origin<&Thresholds::unequal_scales>());
}

COLLAPSE_COLD inline void outliers(const Evidence& evidence) {
  const Norms& norms = evidence.report.norms;
  if (norms.outlier_rows.empty()) return;
  std::string places;
  for (std::size_t k = 0; k < std::min<std::size_t>(5, norms.outlier_rows.size()); ++k) {
    places += fmt::format("{}{}", k == 0 ? "" : ", ", norms.outlier_rows[k]);
  }
  if (norms.outlier_rows.size() > 5) places += ", ...";
  std::string explanation = fmt::format("{} ({}) {} {:.3g} % of the sum of squared lengths",
                                        counted(static_cast<Index>(norms.outlier_rows.size()), "row", "rows"), places,
                                        norms.outlier_rows.size() == 1 ? "holds" : "hold", 100.0 * norms.outlier_share);
  for (const Report& others : evidence.report.without_outliers) {
    explanation += fmt::format(
        "; without: effective rank {:.4g}, dispersion {:.3g}, mean cosine {:.3f}, by which the "
        "others are judged",
        others.spectrum.effective_rank, others.variance.dispersion, others.cosine.mean);
  }
  evidence.add(
      FindingKind::outlier_rows, 0.25, metric_path<&Report::norms, &Norms::outlier_share>, norms.outlier_share, 0.5,
      std::move(explanation),
      "look at these inputs and drop them, or clip the length of rows; numbers of all rows describe them alone");
}

/// A common direction, or the few dimensions that make one.
COLLAPSE_COLD inline void common_direction(const Evidence& evidence) {
  const Cosine& cosine = evidence.report.cosine;
  const double least = evidence.thresholds.anisotropic_cosine;
  if (evidence.report.dims < 2 || !(cosine.mean >= least)) return;
  if (cosine.mean_of_others < 0.5 * cosine.mean && cosine.dominant_shares.size() > 0) {
    std::string places;
    double carried = 0.0;
    for (Index k = 0; k < std::min<Index>(3, cosine.dominant_shares.size()); ++k) {
      if (cosine.dominant_shares(k) < 0.1 * cosine.mean) break;
      carried += cosine.dominant_shares(k);
      places += fmt::format("{}{}", k == 0 ? "" : ", ", cosine.dominant_dimensions[static_cast<std::size_t>(k)]);
    }
    evidence.add(FindingKind::dominant_dimensions, 0.2, metric_path<&Report::cosine, &Cosine::mean_of_others>,
                 cosine.mean_of_others, 0.5 * cosine.mean,
                 fmt::format("dimensions {} alone make {:.3g} % of the mean cosine {:.3f}; in the others it is {:.3f} "
                             "and the dispersion {:.3g}",
                             places, 100.0 * carried / cosine.mean, cosine.mean, cosine.mean_of_others,
                             evidence.report.variance.dispersion_of_others),
                 "centre: remove the mean of each column, or leave these columns out, before cosines are used");
    return;
  }
  evidence.add(
      FindingKind::anisotropy, graded(cosine.mean, least, 1.0, 0.1, 0.3), metric_path<&Report::cosine, &Cosine::mean>,
      cosine.mean, least,
      fmt::format("the rows share a common direction (mean cosine {:.3f}): they fill a cone, not the space",
                  cosine.mean),
      "remove the mean before using cosines; it is no collapse, as any affine layer removes it",
      threshold_origin<&Thresholds::anisotropic_cosine>("; unbiased at every N, random directions have mean 0"));
}

}  // namespace collapse::diagnosis
