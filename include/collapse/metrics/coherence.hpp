#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/leverage.hpp>

#include <Eigen/Core>

namespace collapse {

/// Coherence from the leverages of all rows, (N / D) max_i leverage_i.
///
/// @return in [rank / D, N / D]: 1 when N >= D rows share D directions evenly, N / D when one row alone holds a
///         direction, which for N <= D independent rows each does. Undefined when all rows are zero
/// Source: Tsitsulin, Munkhoeva & Perozzi, Unsupervised embedding quality evaluation, 2023, def. 3.4, after Candes &
///         Recht, Exact matrix completion via convex optimization, 2009, def. 1.2. The published code divides by
///         min(N, D), the columns of its thin singular vectors, and takes those of zeros for directions too.
[[nodiscard]] inline double coherence(const Eigen::VectorXd& leverages, Index dims) {
  const double largest = leverages.maxCoeff();
  if (largest == 0.0) return undefined;
  return static_cast<double>(leverages.size()) / static_cast<double>(dims) * largest;
}

/// Coherence of the rows of Z as they are; see coherence(VectorXd, Index).
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of leverages(Z).
template <class Derived>
[[nodiscard]] double coherence(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  return coherence(collapse::leverages(Z, options), Z.cols());
}

}  // namespace collapse
