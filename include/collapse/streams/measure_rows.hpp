#pragma once

#include <collapse/compiled.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/correlation_sums.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pairs.hpp>
#include <collapse/statistics/pairs/selected_directions.hpp>
#include <collapse/statistics/rows/scan_rows.hpp>
#include <collapse/statistics/spectra/gram_spectra.hpp>
#include <collapse/statistics/spectra/singular_values.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/streams/jackknife.hpp>
#include <collapse/streams/origin.hpp>
#include <collapse/streams/points.hpp>
#include <collapse/streams/spread.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <utility>

/// The one way from sums to a report: `measure`, the accumulators and the monitor differ in how they come by the sums.
namespace collapse {
namespace streams {

/// Both spectra of the report by the Gram method.
inline void measure_spectra(Report& report, const statistics::GramSpectra& spectra, const Moments& moments,
                            const Options& options) {
  for (const bool centred : {true, false}) {
    Eigen::VectorXd values = spectra.singular_values(centred);
    // Moments of fewer rows than dimensions may come from elsewhere.
    values.conservativeResize(std::min(values.size(), moments.count));
    (centred ? report.spectrum : report.spectrum_uncentered) =
        spectrum(statistics::with_floor(std::move(values), moments, centred, SpectrumMethod::gram), options);
  }
}

/// All that follows from the sums alone, when N > D: everything but the distribution of the cosines, the spectra only
/// by the Gram method. `sums` give up their scatter.
inline void measure_sums(Report& report, Sums& sums, const Options& options, bool with_spectra) {
  const Moments& moments = sums.moments;
  measure_spread(report, sums);
  report.decorrelation = metrics::decorrelation(moments, sums.scatter);
  if (with_spectra) {
    measure_spectra(report, statistics::GramSpectra::of_dims(std::move(sums.scatter), moments), moments, options);
  }
  sums.scatter.resize(0, 0);
}

/// One report on some rows of a matrix.
template <EmbeddingScalar Scalar>
[[nodiscard]] Report measure_rows(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Options& options,
                                  const Origin& origin) {
  Report report;
  report.samples = rows.samples;
  report.dims = rows.dims;
  report.input_epsilon = origin.epsilon;

  const bool by_dims = statistics::smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = statistics::sum_rows(z, rows, {.scatter = by_dims, .direction_scatter = by_dims});
  sums.moments.input_epsilon = origin.epsilon;
  sums.skipped_rows += origin.skipped;
  const Moments& moments = sums.moments;
  {
    Eigen::MatrixXd products;
    if (!by_dims) products = statistics::direction_products(z, rows, sums.directions.mean());
    const Eigen::MatrixXd* const known = by_dims ? nullptr : &products;
    const CosineMoments cosines = cosine_moments(sums.directions, known);
    sums.directions.scatter.resize(0, 0);
    report.cosine = pairwise_cosine(
        cosines, statistics::pair_distances(z, rows, statistics::select_pairs(z, rows, options), sums.directions.mean(),
                                            known, cosines.mean_distance, cosines.std));
  }

  const SpectrumMethod method = statistics::resolve_method(options, origin.epsilon, rows.samples, rows.dims);
  if (by_dims) {
    measure_sums(report, sums, options, method == SpectrumMethod::gram);
  } else {
    measure_spread(report, sums);
    report.decorrelation = metrics::decorrelation(z, rows, moments);
    if (method == SpectrumMethod::gram) {
      measure_spectra(report,
                      statistics::GramSpectra::of_samples(z, rows, moments,
                                                          statistics::samples_gram(z, rows, moments, false).lower),
                      moments, options);
    }
  }
  if (method == SpectrumMethod::svd) {
    linalg::parallel_for(2, [&](Index which) {
      const bool centred = which == 0;
      (centred ? report.spectrum : report.spectrum_uncentered) = spectrum(
          statistics::with_floor(statistics::qr_singular_values(z, rows, moments, centred), moments, centred, method),
          options);
    });
  }
  report_points(report, z, rows, sums, false, [&](const Rows& some) { return measure_rows(z, some, options, origin); });
  report.diagnosis = diagnose(report, options.thresholds);
  return report;
}

/// The report on rows of which there are the sums and a sample.
/// @param sums    of all rows, with both scatters
/// @param sample  rows that have a direction; none when directions are unknown
[[nodiscard]] inline Report measure_sample(Sums sums, const linalg::MatrixView<double>& sample, bool knows_directions,
                                           const Options& options, const Origin& origin) {
  sums.moments.input_epsilon = origin.epsilon;
  sums.skipped_rows = origin.skipped;

  Report report;
  report.samples = sums.moments.count;
  report.dims = sums.moments.dims;
  report.input_epsilon = origin.epsilon;
  const CosineMoments cosines = cosine_moments(sums.directions);
  sums.directions.scatter.resize(0, 0);

  Rows rows;
  statistics::scan_rows(sample, NonFinite::reject, rows);
  PairSelection selection;
  selection.population = knows_directions ? sums.directions.count : sums.moments.count;
  for (Index i = 0; i < rows.samples; ++i) selection.rows.push_back(i);
  report.cosine = pairwise_cosine(cosines, statistics::pair_distances(sample, rows, selection, sums.directions.mean(),
                                                                      nullptr, cosines.mean_distance, cosines.std));
  measure_sums(report, sums, options, true);
  report_points(report, sample, rows, sums, true, [&](const Rows& some) {
    return measure_rows(sample, some, options, Origin{origin.epsilon, 0});
  });
  report.diagnosis = diagnose(report, options.thresholds);
  return report;
}

template <EmbeddingScalar Scalar>
Report measure(const linalg::MatrixView<Scalar>& z, const Options& options, const Origin& origin) {
  const Rows rows = statistics::scan_rows(z, options.nonfinite);
  Report report = measure_rows(z, rows, options, origin);
  if (options.resamples > 0 && rows.samples > 1) {
    Jackknife errors(report, options.confidence_level);
    const RowGroups groups(rows.samples, options.resamples, options.seed);
    for (Index g = 0; g < groups.size(); ++g) {
      errors.add(measure_rows(z, rows.only(groups.all_but(g)), options, origin));
    }
    report.confidence = errors.result(groups.variance_factor());
  }
  return report;
}

}  // namespace streams

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_MEASURE_INSTANCES(Keyword, Scalar)                                                                    \
  Keyword template Report streams::measure(const linalg::MatrixView<Scalar>&, const Options&, const streams::Origin&); \
  Keyword template Report streams::measure_rows(const linalg::MatrixView<Scalar>&, const Rows&, const Options&,        \
                                                const streams::Origin&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_MEASURE_INSTANCES)
#endif

}  // namespace collapse
