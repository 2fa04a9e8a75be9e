#pragma once

#include <collapse/linalg/vectors.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <optional>

/// @page family_spectrum Spectrum
/// How many directions the embeddings use: `spectrum` of the centred rows and `spectrum_uncentered`.
///
/// One name stands for several numbers, of which we report each under its own:
/// - **Effective rank** (Roy & Vetterli 2007) takes the singular values, p = sigma / sum sigma. Taken of the
///   eigenvalues of the covariance, p = sigma^2 / sum sigma^2, it is `entropy_rank`: 613 instead of 814 for 1000 x 1024
///   Gaussians.
/// - **RankMe** (Garrido et al. 2023) is the effective rank of the rows as they are, with 1e-7 added to each share. One
///   code takes the eigenvalues of the centred covariance under this name (that is `entropy_rank` with an epsilon), one
///   adds 1e-5, which reads 6 % high on the same data. Ours adds nothing; the epsilon is an argument.
/// - **Rank scores** of the form 1 - effective_rank / min(N, D) call healthy data collapsed, because no sample has a
///   flat spectrum: 0.12 for 1024 x 768 Gaussians, 0.01 for 64 x 768. `effective_rank_vs_expected` divides by what a
///   healthy sample of this shape has; `effective_rank_ratio` divides by min(N - 1, D), for centring takes one
///   direction.
/// - **Numerical rank** counts what lies above the noise floor of input and method. A float32 Gram matrix has a floor
///   of 3e-4 of the largest value, which codes without a floor count as directions.
/// - **alpha** is the weighted fit of the reference code of alpha-ReQ over ranks 11 to 100; other ranges are an option.
/// - **Stable rank** and NESum are one number. The participation ratio is that of the sample;
///   `population_participation_ratio` estimates that of the population.

/// Ranks of a spectrum: how many directions the embeddings use, counted in the ways of the literature. Each function
/// takes the singular values with their noise floor; what lies below the floor counts as zero. Each is O(min(N, D)).
namespace collapse {

namespace metrics {

/// The values above the floor relative to the largest, so that powers of them neither overflow nor vanish.
[[nodiscard]] inline Eigen::VectorXd relative_values(const SingularValues& spectrum) {
  Eigen::VectorXd values(spectrum.above_floor());
  for (Index k = 0; k < values.size(); ++k) values(k) = spectrum.values(k) / spectrum.values(0);
  return values;
}

/// Their squares: eigenvalues of the covariance relative to the largest.
[[nodiscard]] inline Eigen::VectorXd relative_energies(const SingularValues& spectrum) {
  Eigen::VectorXd energies = relative_values(spectrum);
  for (double& energy : energies) energy *= energy;
  return energies;
}

/// exp of the Shannon entropy of the shares w_k / sum w of positive weights. `epsilon` is added to each share, and to
/// the zeros that bring the shares to `count`: that is what the codes with an epsilon do.
[[nodiscard]] inline double exp_entropy(const Eigen::VectorXd& weights, double epsilon = 0.0, Index count = 0) {
  const double total = linalg::sum(weights);
  double entropy = 0.0;
  for (const double weight : weights) {
    const double share = weight / total + epsilon;
    if (share > 0.0) entropy -= share * std::log(share);
  }
  if (epsilon > 0.0) entropy -= static_cast<double>(count - weights.size()) * epsilon * std::log(epsilon);
  return std::exp(entropy);
}

/// Fewest of the leading weights, of which there is at least one, that hold a share of the sum of all.
[[nodiscard]] inline Index leading_that_hold(const Eigen::VectorXd& weights, double share) {
  const double wanted = share * linalg::sum(weights);
  double held = 0.0;
  for (Index k = 0; k < weights.size(); ++k) {
    held += weights(k);
    if (held >= wanted) return k + 1;
  }
  return weights.size();
}

}  // namespace metrics

/// Effective rank, exp(-sum p_k ln p_k) with p_k = sigma_k / sum sigma.
///
/// @param spectrum  centred: the effective rank of the representation; uncentred: RankMe
/// @param epsilon   added to each share, for comparison with codes that do so (1e-7 in the RankMe paper); the formula
///                  has 0
/// @return in [1, largest_rank()], largest for equal singular values. 0 for two or more rows that are all equal (no
///         centred spectrum at all); undefined for one centred row and for the uncentred spectrum of zeros
/// Source: Roy & Vetterli, The effective rank, 2007, def. 1; Garrido et al., RankMe, 2023, eq. 1-2.
[[nodiscard]] inline double effective_rank(const SingularValues& spectrum, double epsilon = 0.0) {
  const Eigen::VectorXd values = metrics::relative_values(spectrum);
  if (values.size() > 0) return metrics::exp_entropy(values, epsilon, spectrum.values.size());
  return spectrum.centred && spectrum.samples >= 2 ? 0.0 : undefined;
}

/// Entropy rank, exp(-sum p_k ln p_k) with p_k = sigma_k^2 / sum sigma^2: exp of the von Neumann entropy of the
/// covariance.
///
/// @param epsilon  added to each share: one popular code reports this number, with 1e-7, as RankMe, which is defined by
///                 the singular values themselves; the formula has 0
/// @return in [1, largest_rank()]; undefined for a spectrum of zeros
/// Source: Friedman & Dieng, The Vendi Score, 2023, sec. 3 (of a kernel); Roy & Vetterli 2007 for the form.
[[nodiscard]] inline double entropy_rank(const SingularValues& spectrum, double epsilon = 0.0) {
  const Eigen::VectorXd energies = metrics::relative_energies(spectrum);
  return energies.size() > 0 ? metrics::exp_entropy(energies, epsilon, spectrum.values.size()) : undefined;
}

/// Participation ratio, (sum lambda)^2 / sum lambda^2 with lambda_k = sigma_k^2.
///
/// @return in [1, largest_rank()]; undefined for a spectrum of zeros
/// Source: Gao et al., A theory of multineuronal dimensionality, 2017, eq. 2.
[[nodiscard]] inline double participation_ratio(const SingularValues& spectrum) {
  const Eigen::VectorXd energy = metrics::relative_energies(spectrum);
  if (energy.size() == 0) return undefined;
  const double total = linalg::sum(energy);
  return total * total / linalg::squared_norm(energy);
}

/// Stable rank, sum lambda / lambda_1, also known as NESum.
///
/// @return in [1, largest_rank()]; undefined for a spectrum of zeros
/// Source: Rudelson & Vershynin, Sampling from large matrices, 2007; He & Ozay, NESum, 2022.
[[nodiscard]] inline double stable_rank(const SingularValues& spectrum) {
  const Eigen::VectorXd energy = metrics::relative_energies(spectrum);
  return energy.size() > 0 ? linalg::sum(energy) : undefined;
}

/// sigma_1 over the smallest singular value above the noise floor: >= 1, undefined for a spectrum of zeros.
[[nodiscard]] inline double condition_number(const SingularValues& spectrum) {
  const Eigen::VectorXd values = metrics::relative_values(spectrum);
  return values.size() > 0 ? 1.0 / values(values.size() - 1) : undefined;
}

/// Share of sum lambda that the `components` largest hold: in (0, 1], undefined for a spectrum of zeros.
[[nodiscard]] inline double energy_share(const SingularValues& spectrum, Index components) {
  const Eigen::VectorXd energy = metrics::relative_energies(spectrum);
  if (energy.size() == 0) return undefined;
  return linalg::sum(energy.data(), std::min(components, energy.size())) / linalg::sum(energy);
}

/// Fewest components that hold at least `share` of sum lambda: in [1, largest_rank()], none for a spectrum of zeros.
[[nodiscard]] inline std::optional<Index> rank_for_share(const SingularValues& spectrum, double share) {
  const Eigen::VectorXd energy = metrics::relative_energies(spectrum);
  if (energy.size() == 0) return std::nullopt;
  return metrics::leading_that_hold(energy, share);
}

/// Effective rank of the centred rows of Z; see effective_rank(SingularValues).
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @return in [1, min(N - 1, D)], or 0 when all rows are equal; undefined for one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double effective_rank(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return effective_rank(collapse::singular_values(Z, options, Centring::centred));
}

/// RankMe: the effective rank of the rows as they are, without the mean removed.
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @param epsilon  added to each share; the paper and its code use 1e-7, the formula has none
/// @return in [1, min(N, D)]; undefined when all rows are zero
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
/// Source: Garrido, Balestriero, Najman & LeCun, RankMe, 2023, eq. 1-2.
template <class Derived>
[[nodiscard]] double rankme(const Eigen::DenseBase<Derived>& Z, const Options& options = {}, double epsilon = 0.0) {
  return effective_rank(collapse::singular_values(Z, options, Centring::uncentred), epsilon);
}

/// Entropy rank of the centred rows of Z; see entropy_rank(SingularValues).
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @param epsilon  added to each share; the formula has 0
/// @return in [1, min(N - 1, D)]; undefined when all rows are equal and for one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double entropy_rank(const Eigen::DenseBase<Derived>& Z, const Options& options = {},
                                  double epsilon = 0.0) {
  return entropy_rank(collapse::singular_values(Z, options), epsilon);
}

/// Participation ratio of the centred rows of Z; see participation_ratio(SingularValues).
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @return in [1, min(N - 1, D)]; undefined when all rows are equal and for one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double participation_ratio(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return participation_ratio(collapse::singular_values(Z, options));
}

/// Stable rank of the centred rows of Z; see stable_rank(SingularValues).
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @return in [1, min(N - 1, D)]; undefined when all rows are equal and for one row
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double stable_rank(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return stable_rank(collapse::singular_values(Z, options));
}

}  // namespace collapse
