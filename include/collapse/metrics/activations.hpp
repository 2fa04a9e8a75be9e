#pragma once

#include <collapse/compiled.hpp>
#include <collapse/metrics/srank.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/statistics/sums/unit_activity.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

/// @page family_activations Activations
/// How the units of a layer take part: `activations`, and `layer_profile` along the depth.
///
/// - **Dormant** units are those of Sokar et al. 2023 with tau = 0.025, relative to the mean of the layer; **dead**
///   ones are never anything but 0. Codes that call tau = 0 dormant report our `dead_units`.
/// - **Active units** of an autoencoder (Burda et al. 2016) go by the variance of the posterior mean over the data.
/// - **srank** takes singular values, not their squares, without centring, delta = 0.01 (Kumar et al. 2021).

namespace collapse {

/// What counts as dormant, active, saturated. An aggregate: `activations(H, {.bounds = {.low = -0.99, .high = 0.99}})`.
struct ActivationOptions {
  NonFinite nonfinite = NonFinite::reject;
  double tau = 0.025;             ///< dormant up to this share of the mean activity of all units, >= 0
  double active_variance = 0.01;  ///< active above this variance, >= 0
  SaturationBounds bounds{};      ///< e.g. {-0.99, 0.99} of tanh, {0.01, 0.99} of a sigmoid; none: no saturation
  double saturated_share = 0.95;  ///< saturated at or beyond a bound for at least this share of the inputs, (0, 1]
  double delta = 0.01;            ///< share of the sum of singular values that srank leaves out, [0, 1)
  bool with_srank = true;         ///< the one number here that costs more than a pass over H
  SpectrumMethod method = SpectrumMethod::automatic;  ///< of the singular values for srank
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const ActivationOptions& options) {
  const auto require = [](bool in_range, const char* name, double value, const char* range) {
    if (!in_range) throw OptionError(fmt::format("ActivationOptions::{} is {}; it must be {}", name, value, range));
  };
  require(options.tau >= 0.0, "tau", options.tau, "at least 0");
  require(options.active_variance >= 0.0, "active_variance", options.active_variance, "at least 0");
  require(options.saturated_share > 0.0 && options.saturated_share <= 1.0, "saturated_share", options.saturated_share,
          "above 0 and at most 1");
  require(options.delta >= 0.0 && options.delta < 1.0, "delta", options.delta, "at least 0 and below 1");
  const double low = options.bounds.low.value_or(-std::numeric_limits<double>::infinity());
  const double high = options.bounds.high.value_or(std::numeric_limits<double>::infinity());
  if (!(low < high)) {
    throw OptionError(
        fmt::format("ActivationOptions::bounds are {} and {}; the low one must be below the high one", low, high));
  }
}

/// How the units of a layer take part.
struct Activations {
  Index samples = 0;  ///< inputs
  Index units = 0;
  Eigen::VectorXd score;                ///< mean |h| of each unit over its mean over the units; healthy near 1
  double dormant_fraction = undefined;  ///< [0, 1], units with a score of at most tau
  Index dormant_units = 0;
  Index dead_units = 0;                  ///< units that are 0 for every input
  std::optional<Index> active_units;     ///< units whose variance exceeds active_variance
  std::optional<Index> saturated_units;  ///< units at a bound for at least saturated_share of the inputs
  double saturation = undefined;         ///< [0, 1], share of all activations at or beyond a bound
  std::optional<Index> srank;            ///< fewest singular values that hold 1 - delta of their sum
  Index skipped_rows = 0;                ///< inputs dropped for a non-finite value
};

namespace metrics {

/// The counts that follow from one pass.
inline void count_units(const UnitActivity& activity, const ActivationOptions& options, Activations& result) {
  const double mean = activity.mean_abs.mean();
  result.samples = activity.samples;
  result.units = activity.mean_abs.size();
  result.dead_units = (activity.non_zero.array() == 0).count();
  if (mean > 0.0) {
    result.score = activity.mean_abs / mean;
    result.dormant_units = (result.score.array() <= options.tau).count();
  } else {
    // 0 / 0: nothing is active, so every unit is as dormant as it can be.
    result.score = Eigen::VectorXd::Zero(result.units);
    result.dormant_units = result.units;
  }
  result.dormant_fraction = static_cast<double>(result.dormant_units) / static_cast<double>(result.units);
  if (!options.bounds.low && !options.bounds.high) return;
  const double n = static_cast<double>(activity.samples);
  const Eigen::ArrayXd share = activity.at_bound.cast<double>().array() / n;
  result.saturated_units = (share >= options.saturated_share).count();
  result.saturation = share.mean();
}

/// Units whose variance, ddof 1, exceeds `least`.
[[nodiscard]] inline Index count_active(const Moments& moments, double least) {
  Index active = 0;
  for (Index d = 0; d < moments.dims; ++d) {
    const double variance = moments.sum_squares(d) / (static_cast<double>(moments.count) - 1.0);
    active += std::ldexp(variance, 2 * moments.exponent(d)) > least ? 1 : 0;
  }
  return active;
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Activations activations(const linalg::MatrixView<Scalar>& h, const ActivationOptions& options) {
  const Rows rows = statistics::scan_rows(h, options.nonfinite);
  Activations result;
  result.skipped_rows = rows.skipped;
  count_units(statistics::unit_activity(h, rows, options.bounds), options, result);
  if (rows.samples >= 2) {
    const Sums sums = statistics::sum_rows(h, rows, statistics::moments_only);
    result.active_units = count_active(sums.moments, options.active_variance);
  }
  if (options.with_srank) {
    Options spectral;
    spectral.method = options.method;
    result.srank = srank(statistics::singular_values(h, rows, spectral, Centring::uncentred), options.delta);
  }
  return result;
}

}  // namespace metrics

/// How the units of one layer take part: which are dormant, dead, active or saturated, and how many directions their
/// activations span (srank).
///
/// With s_k = mean_i |h_ik|, unit k is dormant when s_k / mean_l s_l <= tau; dead when h_ik = 0 for all i; active when
/// var_i h_ik > 0.01 (ddof 1; h is the posterior mean in the source); saturated when h_ik lies at or beyond a bound for
/// at least saturated_share of the inputs.
/// @param H        N x D, rows are inputs, columns units: any dense Eigen expression of float, double, Eigen::half or
///                 Eigen::bfloat16
/// @param options  see ActivationOptions
/// @return see Activations. Healthy: dormant_fraction and dead_units 0, active_units D. In a layer that is 0 throughout
///         all units are dormant, and srank is undefined. `active_units` is undefined for a single input,
///         `saturated_units` and `saturation` without a bound
/// @throws ShapeError, NonFiniteError as `moments`, OptionError
/// Cost: O(N D), and that of singular_values(H) for srank.
/// Source: Sokar, Agarwal, Castro & Evci, The dormant neuron phenomenon, 2023, def. 3.1; Burda, Grosse & Salakhutdinov,
///         Importance weighted autoencoders, 2016, sec. 5.2; Kumar, Agarwal, Ghosh & Levine 2021.
template <class Derived>
[[nodiscard]] Activations activations(const Eigen::DenseBase<Derived>& H, const ActivationOptions& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(H);
  return metrics::activations(evaluated.view(), options);
}

/// Share of units that are dormant; see `activations`.
///
/// @param H    N x D, rows are inputs, columns units
/// @param tau  dormant up to this share of the mean activity of all units, >= 0
/// @return [0, 1]; healthy is 0
/// @throws ShapeError, NonFiniteError as `moments`, OptionError
/// Cost: O(N D).
template <class Derived>
[[nodiscard]] double dormant_fraction(const Eigen::DenseBase<Derived>& H, double tau = 0.025) {
  return activations(H, {.tau = tau, .with_srank = false}).dormant_fraction;
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ACTIVATIONS_INSTANCES(Keyword, Scalar) \
  Keyword template Activations metrics::activations(const linalg::MatrixView<Scalar>&, const ActivationOptions&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ACTIVATIONS_INSTANCES)
#endif

}  // namespace collapse
