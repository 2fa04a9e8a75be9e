#pragma once

#include <collapse/compiled.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pairs.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/gram_spectra.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/gram.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/jackknife.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <utility>

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
  report.norms = norms(sums.lengths, sums.zero_rows, sums.skipped_rows);
  report.variance = per_dimension_variance(moments, sums.directions);
  report.decorrelation = metrics::decorrelation(moments, sums.scatter);
  if (with_spectra) {
    measure_spectra(report, statistics::GramSpectra::of_dims(std::move(sums.scatter), moments), moments, options);
  }
  sums.scatter.resize(0, 0);
}

/// Where rows come from, when they are held in another scalar or some were left out before.
struct Origin {
  double epsilon;     ///< of the scalar they came in
  Index skipped = 0;  ///< rows left out already
};

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
    report.norms = norms(sums.lengths, sums.zero_rows, sums.skipped_rows);
    report.variance = per_dimension_variance(moments, sums.directions);
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
  report.diagnosis = diagnose(report, options.thresholds);
  return report;
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Report measure(const linalg::MatrixView<Scalar>& z, const Options& options,
                             const Origin& origin = {linalg::input_epsilon<Scalar>()}) {
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

/// Measures the embeddings Z: every number of the core catalogue, each statistic computed once, and the diagnosis.
///
/// @param Z        N x D, rows are samples: any dense Eigen expression of float, double, Eigen::half or
///                 Eigen::bfloat16, of any storage order and stride; read in place where it lies in memory, evaluated
///                 once otherwise
/// @param options  see Options; an aggregate: `measure(Z, {.pair_rows = 8192})`
/// @return the report. It depends on Z and the options alone, not on the number of threads
/// @throws ShapeError when Z has no rows or no columns, NonFiniteError for the first NaN or infinity (or see
///         Options::nonfinite), OptionError; everything derives from collapse::Error
/// Cost: about 2 N D m flops for m = min(N, D), min(N, pair_rows)^2 D for the cosine quantiles and one reduction of a
///       symmetric matrix of order m, 4/3 m^3; Options::resamples times that again, if any. Memory: a few m x m
///       matrices of double, and pair_rows x D floats or doubles; never a copy of Z.
template <class Derived>
[[nodiscard]] Report measure(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  return streams::measure(evaluated.view(), options);
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_MEASURE_INSTANCES(Keyword, Scalar)                                                                    \
  Keyword template Report streams::measure(const linalg::MatrixView<Scalar>&, const Options&, const streams::Origin&); \
  Keyword template Report streams::measure_rows(const linalg::MatrixView<Scalar>&, const Rows&, const Options&,        \
                                                const streams::Origin&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_MEASURE_INSTANCES)
#endif

}  // namespace collapse
