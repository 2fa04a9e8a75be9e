#pragma once

#include <collapse/error.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <Eigen/Core>

#include <cmath>

namespace collapse {

namespace metrics {

inline void require_order(double order) {
  if (!(order >= 0.0)) {
    throw OptionError(
        fmt::format("the order of the entropy is {}; orders are numbers from 0 to infinity, 1 is Shannon's", order));
  }
}

/// Renyi entropy of the shares of positive weights, the largest of which comes first and is 1.
///
/// With p_1 the largest share and r_k = p_k / p_1, ln p_1 = -ln(1 + sum_{k > 1} r_k) and
///   ln sum p_k^q = q ln p_1 + ln(1 + sum_{k > 1} r_k^q):
/// nothing is subtracted from 1 when one share holds nearly all, and no power underflows that counts. Near q = 1, where
/// this would be divided by almost 0, sum p_k^q = 1 + sum p_k (exp((q - 1) ln p_k) - 1).
[[nodiscard]] inline double renyi_entropy(const Eigen::VectorXd& weights, double order) {
  const auto sum_of = [&weights](const auto& term) {
    double total = 0.0;
    for (Index k = 1; k < weights.size(); ++k) total += term(weights(k));
    return total;
  };
  const double rest = sum_of([](double r) { return r; });
  const double log_first = -std::log1p(rest);
  if (std::isinf(order)) return -log_first;
  const double excess = order - 1.0;
  if (std::abs(excess) > 0.0625) {
    const double others = order == 0.0 ? static_cast<double>(weights.size() - 1)
                                       : sum_of([order](double r) { return std::pow(r, order); });
    return -(order / excess) * log_first - std::log1p(others) / excess;
  }
  const auto surprise = [excess](double log_share) {
    return excess == 0.0 ? -log_share : -std::expm1(excess * log_share) / excess;
  };
  const double others = sum_of([&](double r) { return r * surprise(std::log(r) + log_first); });
  const double mean = (surprise(log_first) + others) / (1.0 + rest);
  return excess == 0.0 ? mean : -std::log1p(-excess * mean) / excess;
}

}  // namespace metrics

/// Matrix-based Renyi entropy of order alpha, ln(sum_k p_k^alpha) / (1 - alpha) with p_k = sigma_k^2 / sum sigma^2: the
/// entropy of the eigenvalues of the Gram matrix Z Z^T divided by its trace.
///
/// Its exponential is, at order 0 the numerical rank, 1 the entropy rank (the entropy is then von Neumann's), 2 the
/// participation ratio, infinity the stable rank; at 1 and infinity as a limit of the formula. Of the directions
/// z_i / ||z_i|| in place of the rows it is the Vendi score of that order.
/// @param spectrum  uncentred in the literature
/// @param order     alpha, in [0, infinity]
/// @return in [0, ln min(N, D)], never growing with the order; 0 is complete collapse. Undefined for a spectrum of
///         zeros
/// @throws OptionError when the order is negative or NaN
/// Source: Sanchez Giraldo, Rao & Principe, Measures of entropy from data using infinitely divisible kernels, 2015;
///         Skean et al., Layer by layer, 2025, eq. 1, of the hidden states of a prompt.
[[nodiscard]] inline double matrix_entropy(const SingularValues& spectrum, double order = 1.0) {
  metrics::require_order(order);
  const Eigen::VectorXd weights = metrics::relative_energies(spectrum);
  return weights.size() > 0 ? metrics::renyi_entropy(weights, order) : undefined;
}

/// Matrix-based entropy of the rows of Z as they are; see matrix_entropy(SingularValues).
///
/// @param Z         N x D embeddings
/// @param options   `method`, `nonfinite`
/// @param order     alpha, in [0, infinity]
/// @param centring  whether the mean row is removed first; in the literature it is not
/// @return in [0, ln min(N, D)], ln min(N - 1, D) when centred
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double matrix_entropy(const Eigen::DenseBase<Derived>& Z, const Options& options = {}, double order = 1.0,
                                    Centring centring = Centring::uncentred) {
  metrics::require_order(order);
  return matrix_entropy(collapse::singular_values(Z, options, centring), order);
}

}  // namespace collapse
