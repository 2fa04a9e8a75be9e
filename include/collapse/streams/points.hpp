#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/metrics/dominant_dimensions.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/crowds.hpp>
#include <collapse/statistics/rows/outliers.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// Single rows and single dimensions that make the numbers of all: what a report says of them.
namespace collapse::streams {

/// The numbers of `crowds`.
/// @param sampled    whether the rows are a sample of those that have a direction, whose places tell nothing
/// @param zero_rows  of all `samples`, those that are zero and were not among these
inline void report_crowds(Variance& to, const Crowds& found, bool sampled, Index zero_rows, Index samples) {
  if (found.rows + zero_rows == 0) return;
  const double looked = static_cast<double>(found.rows);
  const double zero = static_cast<double>(zero_rows) / static_cast<double>(samples);
  to.duplicate_rows = zero_rows > 1 ? zero : 0.0;
  if (found.rows > 0) to.duplicate_rows += (1.0 - zero) * static_cast<double>(found.repeated) / looked;
  to.largest_point = zero;
  to.largest_point_error = 0.0;
  to.crowded_rows = 0.0;
  const auto count = [&to](double share) {
    if (share < 0.05) return;
    ++to.crowded_points;
    to.crowded_rows += share;
  };
  count(zero);
  for (const Crowd& point : found.points) {
    const double share = (1.0 - zero) * static_cast<double>(point.rows) / looked;
    count(share);
    if (share <= to.largest_point) continue;
    to.largest_point = share;
    to.largest_point_row.reset();
    if (!sampled) {
      if (point.rows > 1) to.largest_point_row = point.row;
      continue;
    }
    // That all rows of a sample agree does not say that all do (one more of either kind; Agresti & Coull 1998).
    const double seen = (static_cast<double>(point.rows) + 1.0) / (looked + 2.0);
    to.largest_point_error = (1.0 - zero) * std::sqrt(seen * (1.0 - seen) / (looked + 2.0));
  }
}

/// Adds what single rows and dimensions make of the numbers to a report on these rows.
///
/// @param z         the rows, or a sample of those that have a direction
/// @param sums      of all rows
/// @param measure   measure(kept rows) gives a report on some of them
/// @param sampled   whether z is a sample, whose places tell nothing
template <EmbeddingScalar Scalar, class Measure>
void report_points(Report& report, const linalg::MatrixView<Scalar>& z, const Rows& rows, const Sums& sums,
                   bool sampled, const Measure& measure) {
  dominant_dimensions(sums.directions, sums.moments, report.cosine, report.variance);
  if (rows.samples < 2) return;
  const Outliers outliers = statistics::outliers(rows.norm);
  report.norms.outlier_share = outliers.share;
  if (outliers.rows.empty()) {
    report_crowds(report.variance, statistics::crowds(z, rows, sums.moments), sampled, sampled ? sums.zero_rows : 0,
                  sums.moments.count);
    return;
  }
  std::vector<Index> kept;
  std::size_t next = 0;
  for (Index i = 0; i < rows.samples; ++i) {
    if (next < outliers.rows.size() && outliers.rows[next] == i) {
      report.norms.outlier_rows.push_back(rows.selection()(i));
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  report.without_outliers.push_back(measure(rows.only(kept)));
  const Variance& others = report.without_outliers.front().variance;
  report.variance.duplicate_rows = others.duplicate_rows;
  report.variance.largest_point = others.largest_point;
  report.variance.largest_point_error = others.largest_point_error;
  report.variance.largest_point_row = others.largest_point_row;
  report.variance.crowded_points = others.crowded_points;
  report.variance.crowded_rows = others.crowded_rows;
}

}  // namespace collapse::streams
