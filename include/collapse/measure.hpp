#pragma once

#include <collapse/detail/parallel.hpp>
#include <collapse/detail/view.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/directions.hpp>
#include <collapse/statistics/gram.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/pairs.hpp>
#include <collapse/statistics/rows.hpp>
#include <collapse/statistics/spectrum.hpp>

namespace collapse {
namespace detail {

template <EmbeddingScalar Scalar>
[[nodiscard]] Report measure(const MatrixView<Scalar>& z, const Options& options) {
  Report report;
  const Rows rows = scan_rows(z, options.nonfinite);
  report.samples = rows.samples;
  report.dims = rows.dims;
  report.input_epsilon = input_epsilon<Scalar>();
  report.norms = norms(rows);

  const Directions directions = detail::directions(z, rows);
  {
    const Gram gram = direction_gram(z, rows, directions);
    const CosineMoments moments = cosine_moments(directions, gram);
    report.cosine = pairwise_cosine(
        moments, pair_distances(z, rows, directions, gram, moments.mean_distance, moments.std, options));
  }

  const Moments moments = detail::moments(z, rows);
  report.variance = per_dimension_variance(moments, directions);

  const Gram gram = centred_gram(z, rows, moments);
  report.decorrelation = decorrelation(z, rows, moments, gram);

  const SpectrumMethod method = resolve_method(options.method, moments.input_epsilon, rows.samples, rows.dims);
  Eigen::MatrixXd uncentred;
  if (method == SpectrumMethod::gram) uncentred = uncentred_gram(z, rows, moments, gram);
  parallel_for(2, [&](Index which) {
    const bool centred = which == 0;
    Eigen::VectorXd values;
    if (method == SpectrumMethod::svd) {
      values = qr_singular_values(z, rows, moments, centred);
    } else {
      values = root_eigenvalues(centred ? in_common_units(gram, moments) : uncentred);
    }
    (centred ? report.spectrum : report.spectrum_uncentered) =
        spectrum(with_floor(std::move(values), moments, centred, method), options);
  });

  report.diagnosis = diagnose(report, options.thresholds);
  return report;
}

}  // namespace detail

/// Measures the embeddings Z: every number of the core catalogue, each statistic computed once, and the diagnosis.
///
/// @param Z        N x D, rows are samples: any dense Eigen expression of float, double, Eigen::half or
///                 Eigen::bfloat16, of any storage order and stride; read in place where it lies in memory, evaluated
///                 once otherwise
/// @param options  see Options; an aggregate: `measure(Z, {.pair_rows = 8192})`
/// @return the report. It depends on Z and the options alone, not on the number of threads
/// @throws ShapeError when Z has no rows or no columns, NonFiniteError for the first NaN or infinity (or see
///         Options::nonfinite), OptionError; everything derives from collapse::Error
/// Cost: about 2 N D m flops for m = min(N, D), min(N, pair_rows)^2 D for the cosine quantiles and two eigenvalue problems
///       of order m. Memory: a few m x m matrices of double, and pair_rows x D doubles; never a copy of Z.
template <class Derived>
[[nodiscard]] Report measure(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const detail::Evaluated<Derived> evaluated(Z);
  return detail::measure(evaluated.view(), options);
}

}  // namespace collapse
