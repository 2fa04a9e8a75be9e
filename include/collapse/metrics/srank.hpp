#pragma once

#include <collapse/error.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <Eigen/Core>

#include <optional>

namespace collapse {

/// srank_delta: the smallest k for which the k largest singular values hold a share of at least 1 - delta of the sum of
/// all. Of the values themselves; `rank_for_share` is the same of their squares.
///
/// @param spectrum  uncentred in the literature
/// @param delta     in [0, 1); the paper uses 0.01
/// @return in [1, min(N, D)]; none for a spectrum of zeros
/// @throws OptionError when delta is out of its range
/// Source: Kumar, Agarwal, Ghosh & Levine, Implicit under-parameterization inhibits data-efficient deep reinforcement
///         learning, 2021, def. 1.
[[nodiscard]] inline std::optional<Index> srank(const SingularValues& spectrum, double delta = 0.01) {
  if (!(delta >= 0.0 && delta < 1.0)) {
    throw OptionError(fmt::format("delta of srank is {}; it is the share left out, from 0 to below 1", delta));
  }
  const Eigen::VectorXd values = metrics::relative_values(spectrum);
  if (values.size() == 0) return std::nullopt;
  return metrics::leading_that_hold(values, 1.0 - delta);
}

/// srank_delta of the rows of Z as they are; see srank(SingularValues).
///
/// @param Z        N x D embeddings, or activations of a layer
/// @param options  `method`, `nonfinite`
/// @param delta    in [0, 1)
/// @return in [1, min(N, D)]; none when all rows are zero
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: that of singular_values(Z).
template <class Derived>
[[nodiscard]] std::optional<Index> srank(const Eigen::DenseBase<Derived>& Z, const Options& options = {},
                                         double delta = 0.01) {
  return srank(collapse::singular_values(Z, options, Centring::uncentred), delta);
}

}  // namespace collapse
