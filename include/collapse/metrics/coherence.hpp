#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/leverage.hpp>

#include <Eigen/Core>

namespace collapse {

/// Coherence from the leverages of all rows, (N / rank) max_i leverage_i: the largest leverage over their mean, since they
/// add up to the rank.
///
/// @return in [1, N / rank]: 1 when all rows share the directions evenly, as N <= D independent ones do; N / rank when one
///         row alone holds a direction. Undefined when all rows are zero
/// Source: Tsitsulin, Munkhoeva & Perozzi, Unsupervised embedding quality evaluation, 2023, def. 3.4, after Candes &
///         Recht, Exact matrix completion via convex optimization, 2009, def. 1.2: a subspace of that dimension. The
///         published code divides by min(N, D), the columns of its thin singular vectors, and takes those of zeros for
///         directions too.
[[nodiscard]] inline double coherence(const Eigen::VectorXd& leverages) {
  const double largest = leverages.maxCoeff();
  if (largest == 0.0) return undefined;
  return static_cast<double>(leverages.size()) * largest / leverages.sum();
}

/// Coherence of the rows of Z as they are; see coherence(VectorXd).
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of leverages(Z).
template <class Derived>
[[nodiscard]] double coherence(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return coherence(collapse::leverages(Z, options));
}

}  // namespace collapse
