#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/metrics/matrix_entropy.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/direction_spectrum.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <Eigen/Core>

#include <cmath>

namespace collapse {
namespace metrics {

/// Of a square kernel whose entries came with a relative error of `input_epsilon`.
[[nodiscard]] COLLAPSE_INLINE double kernel_vendi_score(Eigen::MatrixXd kernel, double input_epsilon, double order);

}  // namespace metrics

/// Vendi score from the singular values of the directions, exp(matrix_entropy): order 1 is exp(-sum p ln p), others
/// (sum p^q)^(1 / (1 - q)), infinity 1 / max p, with p the eigenvalues of the cosine kernel U U^T / M.
///
/// @param directions  of `direction_spectrum`
/// @param order       q, in [0, infinity]
/// @return in [1, min(M, D)]; undefined when no row has a direction
/// @throws OptionError when the order is negative or NaN
[[nodiscard]] inline double vendi_score(const SingularValues& directions, double order = 1.0) {
  return std::exp(matrix_entropy(directions, order));
}

/// Vendi score of the rows of Z under the cosine kernel: how many different directions there seem to be. On the smaller
/// side: U^T U has the same non-zero eigenvalues as the kernel U U^T.
///
/// @param Z        N x D embeddings; M of the rows have a direction, the others are left out
/// @param options  only `nonfinite` matters
/// @param order    q, in [0, infinity]: small orders weigh rare directions, large ones the common
/// @return in [1, min(M, D)], never growing with the order; 1 is complete collapse. Healthy, at q = 1 and for random
///         directions: a exp(-a / (2 b)) with a the smaller and b the larger of M and D (Page 1993)
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: N D m flops and an eigenvalue problem of order m = min(N, D), O(m^2) memory.
/// Source: Friedman & Dieng, The Vendi score, 2023, def. 3.1; Pasarkar & Dieng, Cousins of the Vendi score, 2024
///         (orders).
template <class Derived>
[[nodiscard]] double vendi_score(const Eigen::DenseBase<Derived>& Z, const Options& options = {}, double order = 1.0) {
  metrics::require_order(order);
  return vendi_score(collapse::direction_spectrum(Z, options), order);
}

/// Vendi score over the most that the shape allows, vendi / min(M, D): in (0, 1]. Peers that divide by M report a
/// number that falls with every row beyond D.
[[nodiscard]] inline double vendi_ratio(const SingularValues& directions, double order = 1.0) {
  return vendi_score(directions, order) / static_cast<double>(directions.largest_rank());
}

/// Vendi score of M items of any kind, from the similarities of all pairs of them.
///
/// @param kernel  M x M, symmetric, positive semi-definite, with ones on the diagonal (any other diagonal is taken as
///                weights: eigenvalues are divided by the trace, which is M otherwise)
/// @param order   q, in [0, infinity]
/// @return in [1, M]: 1 when all items are alike, M when no two are
/// @throws ShapeError when the kernel is not square or has no rows; Error, which names the entry, when it holds a
///         non-finite value or is not symmetric, or when an eigenvalue is negative beyond rounding; OptionError
/// Cost: an eigenvalue problem of order M.
/// Source: Friedman & Dieng 2023, def. 3.1.
template <class Derived>
[[nodiscard]] double kernel_vendi_score(const Eigen::DenseBase<Derived>& kernel, double order = 1.0) {
  metrics::require_order(order);
  if (kernel.rows() != kernel.cols() || kernel.rows() == 0) {
    throw ShapeError(fmt::format("the kernel is {} x {}; it needs a row and a column for each item, at least one",
                                 kernel.rows(), kernel.cols()),
                     kernel.rows(), kernel.cols());
  }
  return metrics::kernel_vendi_score(kernel.derived().matrix().template cast<double>(),
                                     static_cast<double>(Eigen::NumTraits<typename Derived::Scalar>::epsilon()), order);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/metrics/kernel_vendi.hpp>
#endif
