#pragma once

#include <collapse/report.hpp>

#include <algorithm>
#include <cmath>

namespace collapse {

/// Effective rank of an isotropic Gaussian sample: what a perfectly healthy encoder shows at this shape.
///
/// The eigenvalues of the sample covariance follow the Marchenko-Pastur law with y = min / max of (degrees of freedom,
/// D). With lambda = 1 + y + 2 sqrt(y) cos t its density becomes sin^2(t) / lambda dt on [0, pi], up to a factor. For
/// s = sqrt(lambda), exp of the entropy of the shares s_k / sum s over r values tends to r E[s]
/// exp(-E[s ln s] / E[s]) / E[1], by the midpoint rule.
/// @param degrees_of_freedom  N - 1 for centred rows, N for rows as they are
/// @param dims                D
/// @return in [1, min(degrees_of_freedom, D)]; undefined when either is below 1. Exact in the limit of large shapes,
///         and for a single eigenvalue
/// Cost: O(1), 2048 evaluations.
/// Source: Marchenko & Pastur, Distribution of eigenvalues for some sets of random matrices, 1967.
[[nodiscard]] inline double expected_effective_rank(Index degrees_of_freedom, Index dims) {
  const Index rank = std::min(degrees_of_freedom, dims);
  if (rank < 1) return undefined;
  if (rank == 1) return 1.0;
  const double y = static_cast<double>(rank) / static_cast<double>(std::max(degrees_of_freedom, dims));
  constexpr int nodes = 2048;
  constexpr double pi = 3.14159265358979323846;
  // Known: the integral is pi / 2 for every y <= 1. The rule would miss it near y = 1, where the density is singular.
  const double mass = 0.5 * nodes;
  double mean = 0.0;
  double mean_log = 0.0;
  for (int i = 0; i < nodes; ++i) {
    const double t = (static_cast<double>(i) + 0.5) * pi / nodes;
    const double lambda = 1.0 + y + 2.0 * std::sqrt(y) * std::cos(t);
    const double weight = std::sin(t) * std::sin(t) / lambda;
    const double s = std::sqrt(lambda);
    mean += weight * s;
    mean_log += weight * s * std::log(s);
  }
  mean /= mass;
  mean_log /= mass;
  return std::max(1.0, static_cast<double>(rank) * mean * std::exp(-mean_log / mean));
}

}  // namespace collapse
