#pragma once

#include <collapse/diagnosis/findings.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

/// What is worth knowing beside the verdict: dead and repeated dimensions, lengths, rows that were left out, numbers
/// that are undefined.
namespace collapse::diagnosis {

COLLAPSE_COLD inline void norm_out_of_range(const Evidence& evidence) {
  const Report& report = evidence.report;
  const double mean = report.norms.mean;
  if (mean < evidence.thresholds.smallest_norm) {
    evidence.add(FindingKind::norm_collapse, 0.4, metric_path<&Report::norms, &Norms::mean>, mean,
                 evidence.thresholds.smallest_norm, fmt::format("the rows are {:.3g} long on average", mean),
                 "normalise the output, or lower weight decay", threshold_origin<&Thresholds::smallest_norm>());
  }
  if (mean > evidence.thresholds.largest_norm) {
    evidence.add(FindingKind::norm_explosion, 0.4, metric_path<&Report::norms, &Norms::mean>, mean,
                 evidence.thresholds.largest_norm, fmt::format("the rows are {:.3g} long on average", mean),
                 "normalise the output, clip gradients, or lower the learning rate",
                 threshold_origin<&Thresholds::largest_norm>());
  }
}

COLLAPSE_COLD inline void dead_dimensions(const Evidence& evidence) {
  const Report& report = evidence.report;
  const Index dead = report.variance.dead_dimensions;
  if (dead == 0 || report.spectrum.numerical_rank == 0) return;
  const double share = static_cast<double>(dead) / static_cast<double>(report.dims);
  evidence.add(FindingKind::dead_dimensions, 0.1 + 0.6 * share,
               metric_path<&Report::variance, &Variance::dead_dimensions>, static_cast<double>(dead), 0.0,
               fmt::format("{} of {} never {}", counted(dead, "dimension", "dimensions"), report.dims,
                           dead == 1 ? "changes" : "change"),
               "look for dead units (ReLU, pruning, a constant input); a variance term keeps dimensions alive");
}

COLLAPSE_COLD inline void redundant_dimensions(const Evidence& evidence) {
  const Report& report = evidence.report;
  const Decorrelation& decorrelation = report.decorrelation;
  if (!(decorrelation.max_abs_correlation >= evidence.thresholds.redundant_correlation) || !decorrelation.max_pair)
    return;
  evidence.add(
      FindingKind::redundant_dimensions, 0.2, metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>,
      decorrelation.max_abs_correlation, evidence.thresholds.redundant_correlation,
      fmt::format("dimensions {} and {} repeat each other", (*decorrelation.max_pair)[0], (*decorrelation.max_pair)[1]),
      "decorrelate the dimensions (covariance penalty, Barlow Twins, whitening) or make the embedding smaller",
      threshold_origin<&Thresholds::redundant_correlation>());
}

COLLAPSE_COLD inline void too_few_samples(const Evidence& evidence) {
  const Report& report = evidence.report;
  evidence.add(FindingKind::too_few_samples, 0.0, metric_path<&Report::samples>, static_cast<double>(report.samples),
               static_cast<double>(evidence.thresholds.minimum_samples),
               fmt::format("{} cannot tell more than a complete collapse", counted(report.samples, "row", "rows")),
               "measure more rows", threshold_origin<&Thresholds::minimum_samples>());
}

COLLAPSE_COLD inline void rows_left_out(const Evidence& evidence) {
  const Report& report = evidence.report;
  if (report.norms.zero_rows > 0) {
    const double share = static_cast<double>(report.norms.zero_rows) / static_cast<double>(report.samples);
    evidence.add(FindingKind::zero_rows, 0.5 * share, metric_path<&Report::norms, &Norms::zero_rows>,
                 static_cast<double>(report.norms.zero_rows), 0.0,
                 fmt::format("{} no direction and {} left out of every cosine",
                             counted(report.norms.zero_rows, "row of length 0 has", "rows of length 0 have"),
                             report.norms.zero_rows == 1 ? "is" : "are"),
                 "look for inputs that the encoder maps to zero (padding, dead units)");
  }
  if (report.norms.skipped_rows > 0) {
    evidence.add(FindingKind::skipped_rows, 0.1, metric_path<&Report::norms, &Norms::skipped_rows>,
                 static_cast<double>(report.norms.skipped_rows), 0.0,
                 fmt::format("{} a NaN or an infinity and {} left out",
                             counted(report.norms.skipped_rows, "row holds", "rows hold"),
                             report.norms.skipped_rows == 1 ? "was" : "were"),
                 "find where the encoder overflows");
  }
}

COLLAPSE_COLD inline void undefined_numbers(const Evidence& evidence) {
  const Report& report = evidence.report;
  const auto because = [&evidence](MetricPath metric, std::string reason) {
    evidence.add(FindingKind::undefined_number, 0.0, metric, undefined, undefined, std::move(reason));
  };
  if (std::isnan(report.norms.mean)) {
    because(metric_path<&Report::norms>,
            "lengths and cosines of the rows are unknown: of some of them only moments were given");
  }
  const Index directed = report.samples - report.norms.zero_rows;
  if (report.samples < 2) {
    because(metric_path<&Report::variance>, "variance, correlation and centred spectrum of a single row are undefined");
  } else {
    if (report.spectrum.numerical_rank == 0) {
      because(metric_path<&Report::spectrum>,
              "shares of a spectrum without a value above the noise floor are undefined");
    }
    if (std::isnan(report.variance.dispersion))
      because(metric_path<&Report::variance, &Variance::dispersion>, "all rows are zero");
    if (report.dims < 2) {
      because(metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>,
              "a single dimension has nothing to correlate with");
    } else if (report.dims - report.variance.dead_dimensions < 2) {
      because(metric_path<&Report::decorrelation, &Decorrelation::max_abs_correlation>,
              "fewer than two dimensions vary; constant ones have no correlation");
    }
  }
  if (directed < 2) {
    because(metric_path<&Report::cosine>,
            fmt::format("{}: no pair to compare", counted(directed, "row has a direction", "rows have a direction")));
  }
  if (report.spectrum_uncentered.numerical_rank == 0) {
    because(metric_path<&Report::spectrum_uncentered>,
            "shares of a spectrum without a value above the noise floor are undefined");
  }
  if (std::isnan(report.spectrum.alpha) && report.spectrum.numerical_rank > 0) {
    because(metric_path<&Report::spectrum, &Spectrum::alpha>,
            fmt::format("fewer than 3 of the {} lie in the range of the power-law fit",
                        counted(report.spectrum.numerical_rank, "eigenvalue", "eigenvalues")));
  }
}

}  // namespace collapse::diagnosis
