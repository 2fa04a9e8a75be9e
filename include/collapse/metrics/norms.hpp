#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/rows.hpp>

#include <algorithm>
#include <cmath>

namespace collapse {

/// Mean, standard deviation (ddof 0), smallest and largest row length, from the pass over the rows.
[[nodiscard]] inline Norms norms(const Rows& rows) {
  Norms result;
  result.zero_rows = rows.zero;
  result.skipped_rows = rows.skipped;
  result.min = rows.norm.minCoeff();
  result.max = rows.norm.maxCoeff();
  if (result.max == 0.0) {
    result.mean = result.std = 0.0;
    return result;
  }
  // In units of the largest, so that neither the sum nor the squares leave the range of double.
  const Eigen::VectorXd relative = rows.norm / result.max;
  const double mean = relative.mean();
  result.mean = std::clamp(mean * result.max, result.min, result.max);
  result.std = std::sqrt((relative.array() - mean).square().mean()) * result.max;
  return result;
}

/// Row lengths ||z_i|| of Z.
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return mean, std (ddof 0), min and max in input units, >= 0; how many rows have length 0, how many were skipped
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: O(N D) time, O(N) memory.
template <class Derived>
[[nodiscard]] Norms norms(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const detail::Evaluated<Derived> evaluated(Z);
  return norms(detail::scan_rows(evaluated.view(), options.nonfinite));
}

}  // namespace collapse
