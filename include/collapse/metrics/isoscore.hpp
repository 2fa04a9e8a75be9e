#pragma once

#include <collapse/metrics/effective_rank.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

namespace collapse {

/// IsoScore, how evenly the variance is spread over all D dimensions: (participation_ratio - 1) / (D - 1).
///
/// Published as an algorithm: with s the D variances along the principal axes, s' = sqrt(D) s / ||s||, the defect
/// delta = ||s' - 1|| / sqrt(2 (D - sqrt D)), the share phi = (D - delta^2 (D - sqrt D))^2 / D^2 and
/// IsoScore = (D phi - 1) / (D - 1). Now ||s' - 1||^2 = 2 D - 2 sqrt(D) sum s / ||s||, so the bracket in phi is
/// sqrt(D) sum s / ||s||, and D phi = (sum s)^2 / sum s^2 is the participation ratio.
/// @param spectrum  centred
/// @return in [0, 1], but at most (min(N - 1, D) - 1) / (D - 1), for N rows have no more variances: 0 is a line, 1
///         isotropy. Undefined for a spectrum of zeros and for D = 1
/// Source: Rudman, Gillman, Rayne & Eickhoff, IsoScore: measuring the uniformity of embedding space utilization, 2022,
///         algorithm 1.
[[nodiscard]] inline double isoscore(const SingularValues& spectrum) {
  if (spectrum.dims < 2) return undefined;
  return (participation_ratio(spectrum) - 1.0) / (static_cast<double>(spectrum.dims) - 1.0);
}

/// IsoScore of the rows of Z; see isoscore(SingularValues).
///
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] double isoscore(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return isoscore(collapse::singular_values(Z, options, Centring::centred));
}

}  // namespace collapse
