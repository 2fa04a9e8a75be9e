#pragma once

#include <collapse/diagnosis/findings.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>

/// Partial collapse: many rows on one point, whatever the others do.
namespace collapse::diagnosis {

[[nodiscard]] COLLAPSE_COLD inline std::string place_of_largest_point(const Report& report) {
  if (report.variance.largest_point_row) return fmt::format("that of row {}", *report.variance.largest_point_row);
  return report.norms.zero_rows > 0 ? "the origin" : "of the row sample";
}

/// Rows that cannot be told from each other have lost the differences between their inputs, and no number of all rows
/// shows it: what is left of them sets the means.
/// @return whether it was found; what else the numbers say is then made by it. Rows on few points are clusters, which
///         also have few directions
COLLAPSE_COLD inline bool partial_collapse(const Evidence& evidence) {
  const Report& report = evidence.report;
  const double share = report.variance.largest_point;
  const double least = evidence.thresholds.partial_share;
  const double error = report.variance.largest_point_error;
  if (!evidence.enough_rows() || !(share >= least) || (share >= 1.0 && !(error > 0.0))) return false;
  // Of few rows along a line some lie side by side by chance, and so do some of a small sample.
  const double rows = share * static_cast<double>(report.samples);
  if (share < 3.0 * error || (rows < 8.0 && !(report.spectrum.participation_ratio > 3.0))) return false;
  const double rest = report.variance.crowded_rows - share;
  const MetricPath metric = metric_path<&Report::variance, &Variance::largest_point>;
  const std::string sure = error > 0.0 ? fmt::format(" (+- {:.2g} %, from a sample of rows)", 100.0 * error) : "";
  if (report.variance.crowded_points >= 2 && rest >= 0.25 && share + rest >= 0.9) {
    evidence.add(
        FindingKind::cluster_collapse, 0.92, metric, share, least,
        fmt::format("{:.3g} % of the rows{} sit on {} points, and on each of them the rows are the same",
                    100.0 * (share + rest), sure, report.variance.crowded_points),
        "look for inputs that are the same, for a codebook of which few codes are in use, or for a generator "
        "with few modes; push samples of one cluster apart (negatives, a uniformity term, resets of dead codes)",
        threshold_origin<&Thresholds::partial_share>());
    return false;
  }
  evidence.add(FindingKind::partial_collapse, graded(share, least, 1.0, 0.7, 0.95), metric, share, least,
               fmt::format("{:.3g} % of the rows{}, about {}, lie on one point, {}: their differences are below a "
                           "fiftieth of the usual ones",
                           100.0 * share, sure, static_cast<Index>(std::lround(rows)), place_of_largest_point(report)),
               "look at these inputs first (padding, empty or repeated ones, a failed decoder), then for what maps "
               "them together (dead units, a token that attention ends on, a code that is always chosen)",
               threshold_origin<&Thresholds::partial_share>());
  return true;
}

/// Rows that repeat others: nothing that the encoder has done.
COLLAPSE_COLD inline void repeated_rows(const Evidence& evidence) {
  const double share = evidence.report.variance.duplicate_rows;
  if (!evidence.enough_rows() || !(share >= evidence.thresholds.partial_share)) return;
  evidence.add(FindingKind::duplicate_rows, graded(share, 0.0, 1.0, 0.1, 0.3),
               metric_path<&Report::variance, &Variance::duplicate_rows>, share, evidence.thresholds.partial_share,
               fmt::format("{:.3g} % of the rows equal another bit for bit", 100.0 * share),
               "check the loader and the gather across processes for rows that come twice; codes and one-hot columns "
               "repeat by nature",
               threshold_origin<&Thresholds::partial_share>());
}

}  // namespace collapse::diagnosis
