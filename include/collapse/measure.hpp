#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/streams/origin.hpp>

#include <Eigen/Core>

namespace collapse {

/// Measures the embeddings Z: every number of the core catalogue, each statistic computed once, and the diagnosis.
///
/// @param Z        N x D, rows are samples: any dense Eigen expression of float, double, Eigen::half or
///                 Eigen::bfloat16, of any storage order and stride; read in place where it lies in memory, evaluated
///                 once otherwise
/// @param options  see Options; an aggregate: `measure(Z, {.pair_rows = 8192})`
/// @return the report. It depends on Z and the options alone, not on the number of threads
/// @throws ShapeError when Z has no rows or no columns, NonFiniteError for the first NaN or infinity (or see
///         Options::nonfinite), OptionError; everything derives from collapse::Error
/// Cost: about 2 N D m flops for m = min(N, D), min(N, pair_rows)^2 D for the cosine quantiles and one reduction of a
///       symmetric matrix of order m, 4/3 m^3; Options::resamples times that again, if any. Memory: a few m x m
///       matrices of double, and pair_rows x D floats or doubles; never a copy of Z.
template <class Derived>
[[nodiscard]] Report measure(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  return streams::measure(evaluated.view(), options);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/measure_rows.hpp>
#endif
