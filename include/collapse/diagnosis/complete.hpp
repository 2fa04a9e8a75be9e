#pragma once

#include <collapse/diagnosis/findings.hpp>
#include <collapse/diagnosis/noise.hpp>
#include <collapse/diagnosis/scales.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string>

/// Complete collapse: the rows are one point, or one direction, or noise around a point.
namespace collapse::diagnosis {

inline constexpr const char* complete_remedy =
    "give the objective something that pushes embeddings apart: negatives (SimCLR, MoCo), a predictor with "
    "stop-gradient (BYOL, SimSiam), or a variance term (VICReg); check that the learning rate has not diverged";

COLLAPSE_COLD inline void below_precision(const Evidence& evidence) {
  const Spectrum& spectrum = evidence.report.spectrum;
  if (evidence.report.samples < 2 || spectrum.numerical_rank != 0) return;
  const double largest = spectrum.singular_values.size() > 0 ? spectrum.singular_values(0) : 0.0;
  evidence.add(FindingKind::below_precision, 1.0, metric_path<&Report::spectrum, &Spectrum::numerical_rank>, 0.0, 1.0,
               largest > 0.0 || evidence.report.variance.total > 0.0
                   ? fmt::format("the rows are equal up to the rounding of the input: complete collapse below the "
                                 "input's precision (largest singular value {:.3g}, noise floor {:.3g})",
                                 largest, spectrum.noise_floor)
                   : std::string("all rows are equal"),
               complete_remedy, "the rounding of the input scalar");
}

/// Three ways to have lost the differences between the inputs. None may rest on a few dimensions that are large, and
/// none but the first on the mean alone, which any affine layer removes.
/// @return whether one of them was found; of such rows everything else describes the remains
COLLAPSE_COLD inline bool complete_collapse(const Evidence& evidence) {
  const std::size_t before = evidence.findings.size();
  const Report& report = evidence.report;
  const Thresholds& thresholds = evidence.thresholds;
  below_precision(evidence);

  const double dispersion = report.variance.dispersion;
  // Without the dimensions that hold most of the common direction rows spread further, up to about twice as far.
  constexpr double leave = 2.0;
  const double others = report.variance.dispersion_of_others / leave;
  const MetricPath spread = metric_path<&Report::variance, &Variance::dispersion>;
  if (dispersion <= thresholds.complete_dispersion && !(others > thresholds.complete_dispersion)) {
    evidence.add(FindingKind::complete_collapse, graded(dispersion, thresholds.complete_dispersion, 0.0, 0.8, 1.0),
                 spread, dispersion, thresholds.complete_dispersion,
                 fmt::format("the rows spread by only {:.3g} of their squared length around one point", dispersion),
                 complete_remedy, threshold_origin<&Thresholds::complete_dispersion>());
  }
  const bool near_a_point = dispersion <= thresholds.complete_spread && !(others > thresholds.complete_spread);
  if (report.dims < 2 || !near_a_point || unequal_scales(report, thresholds)) {
    return evidence.findings.size() > before;
  }
  const double cosine = report.cosine.mean;
  const double distance = (1.0 - report.cosine.mean_of_others) / leave;
  // Lengths along the one direction spread too.
  const bool one_direction = dispersion <= 0.5 * thresholds.complete_spread ||
                             report.spectrum.participation_ratio <= thresholds.line_participation;
  if (cosine >= thresholds.complete_cosine && one_direction && !(distance > 1.0 - thresholds.complete_cosine)) {
    evidence.add(FindingKind::complete_collapse, graded(cosine, thresholds.complete_cosine, 1.0, 0.8, 1.0),
                 metric_path<&Report::cosine, &Cosine::mean>, cosine, thresholds.complete_cosine,
                 fmt::format("different rows point the same way: two of them have cosine {:.4f} on average", cosine),
                 complete_remedy, threshold_origin<&Thresholds::complete_cosine>());
  }
  if (evidence.findings.size() == before && evidence.enough_rows() &&
      is_noise_beyond(report, 0, thresholds.isotropic_ratio)) {
    evidence.add(FindingKind::complete_collapse, graded(dispersion, thresholds.complete_spread, 0.0, 0.6, 0.8), spread,
                 dispersion, thresholds.complete_spread,
                 fmt::format("the rows lie around one point (dispersion {:.3g}), and about it they vary alike in all "
                             "directions, as noise does",
                             dispersion),
                 complete_remedy,
                 threshold_origin<&Thresholds::complete_spread>(" with Thresholds::isotropic_ratio, by the "
                                                                "Marchenko-Pastur law"));
  }
  return evidence.findings.size() > before;
}

}  // namespace collapse::diagnosis
