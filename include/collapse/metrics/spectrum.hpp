#pragma once

#include <collapse/linalg/vectors.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <Eigen/Core>

#include <utility>

namespace collapse {

/// Information abundance, sum sigma / sigma_1. Uncentred it is the number of the paper, for embedding tables of
/// recommenders, where it falls towards 1 as a table collapses; centred it is the same of the rows about their mean.
///
/// @return in [1, largest_rank()], k for k equal singular values; undefined for a spectrum of zeros
/// Source: Guo et al., On the embedding collapse when scaling up recommendation models, 2024, def. 3.1.
[[nodiscard]] inline double information_abundance(const SingularValues& spectrum) {
  const Eigen::VectorXd values = metrics::relative_values(spectrum);
  return values.size() > 0 ? linalg::sum(values) : undefined;
}

/// The spectrum block of the report: every rank and shape of one list of singular values.
///
/// @param values   with their noise floor
/// @param options  `alpha_first`, `alpha_last`
/// Cost: O(min(N, D)).
[[nodiscard]] inline Spectrum spectrum(SingularValues values, const Options& options = {}) {
  Spectrum result;
  result.noise_floor = values.noise_floor;
  result.method = values.method;
  result.numerical_rank = values.above_floor();
  for (const double value : values.values) {
    if (value > values.noise_floor && value > 0.01 * values.values(0)) ++result.leading_rank;
  }
  result.certified_rank = values.certified_rank;
  result.below_noise_floor = values.values.size() - result.numerical_rank;
  result.effective_rank = effective_rank(values);
  result.effective_rank_ratio = result.effective_rank / static_cast<double>(values.largest_rank());
  result.entropy_rank = entropy_rank(values);
  result.participation_ratio = participation_ratio(values);
  result.stable_rank = stable_rank(values);
  result.information_abundance = information_abundance(values);
  result.condition_number = condition_number(values);
  result.top1_share = energy_share(values, 1);
  result.top10_share = energy_share(values, 10);
  result.rank_90 = rank_for_share(values, 0.90);
  result.rank_95 = rank_for_share(values, 0.95);
  result.rank_99 = rank_for_share(values, 0.99);
  const PowerLaw fit = power_law(values, options.alpha_first, options.alpha_last);
  result.alpha = fit.alpha;
  result.alpha_r2 = fit.r2;
  result.expected_effective_rank =
      expected_effective_rank(values.centred ? values.samples - 1 : values.samples, values.dims);
  result.effective_rank_vs_expected = result.effective_rank / result.expected_effective_rank;
  result.singular_values = std::move(values.values);
  return result;
}

/// Singular values of Z and everything the report says of their shape.
///
/// @param Z         N x D embeddings
/// @param options   `method`, `alpha_first`, `alpha_last`, `nonfinite`
/// @param centring  whether the mean row is removed first
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] Spectrum spectrum(const Eigen::DenseBase<Derived>& Z, const Options& options = {},
                                Centring centring = Centring::centred) {
  validate(options);
  return spectrum(collapse::singular_values(Z, options, centring), options);
}

}  // namespace collapse
