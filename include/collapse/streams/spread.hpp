#pragma once

#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/sums/sums.hpp>

namespace collapse::streams {

/// The lengths of the rows and the spread of the dimensions: the part of a report that needs no products of dimensions.
inline void measure_spread(Report& report, const Sums& sums) {
  report.norms = norms(sums.lengths, sums.zero_rows, sums.skipped_rows);
  report.variance = per_dimension_variance(sums.moments, sums.directions);
}

}  // namespace collapse::streams
