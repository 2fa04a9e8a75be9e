#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/lengths.hpp>

#include <cmath>

namespace collapse {

/// Mean, standard deviation (ddof 0), smallest and largest row length.
[[nodiscard]] inline Norms norms(const Lengths& lengths, Index zero_rows = 0, Index skipped_rows = 0) {
  Norms result;
  result.zero_rows = zero_rows;
  result.skipped_rows = skipped_rows;
  if (lengths.count == 0) return result;
  result.mean = lengths.mean;
  result.std = std::ldexp(std::sqrt(lengths.sum_squares / static_cast<double>(lengths.count)), lengths.exponent());
  result.min = lengths.min;
  result.max = lengths.max;
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
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  Lengths lengths;
  lengths.add(rows.norm);
  return norms(lengths, rows.zero, rows.skipped);
}

}  // namespace collapse
