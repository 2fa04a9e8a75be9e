#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/population_participation_ratio.hpp>
#include <collapse/monitor.hpp>
#include <collapse/report.hpp>
#include <collapse/report/observation.hpp>
#include <collapse/statistics/pairs/row_products.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/spread.hpp>

#include <cstdint>

namespace collapse {
namespace streams {

template <EmbeddingScalar Scalar>
Observation observed(std::int64_t step, const linalg::MatrixView<Scalar>& z, const MonitorOptions& options) {
  const Rows rows = statistics::scan_rows(z, options.nonfinite);
  if (rows.samples < 2) {
    throw ShapeError(fmt::format("a batch of shape {} x {} with {} usable row has no spread to watch; observe at least "
                                 "2 rows",
                                 z.rows, z.cols, rows.samples),
                     z.rows, z.cols);
  }
  const Sums sums = statistics::sum_rows(z, rows, {.scatter = false, .direction_scatter = false});
  const CosineMoments cosines = mean_cosine(sums.directions);
  Report report;
  report.samples = rows.samples;
  report.dims = rows.dims;
  measure_spread(report, sums);
  report.cosine.mean = cosines.mean;
  Observation seen = observed(step, report);
  seen.mean_cosine_distance = cosines.mean_distance;
  // The estimate from fewer rows is too rough to be judged.
  if (rows.samples >= Thresholds{}.minimum_samples) {
    // Other pairs each time: the errors of two steps are independent.
    const std::uint64_t seed = linalg::hash(options.seed, static_cast<std::uint64_t>(step));
    seen.population_participation_ratio =
        population_participation_ratio(statistics::row_products(z, rows, sums.moments, seed), rows.dims);
  }
  return seen;
}

}  // namespace streams

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_MONITOR_INSTANCES(Keyword, Scalar)                                               \
  Keyword template Observation streams::observed(std::int64_t, const linalg::MatrixView<Scalar>&, \
                                                 const MonitorOptions&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_MONITOR_INSTANCES)
#endif

}  // namespace collapse
