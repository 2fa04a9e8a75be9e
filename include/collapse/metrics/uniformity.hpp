#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pair_potential.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <cmath>
#include <cstdint>

namespace collapse {

/// The logarithm of the average pairwise Gaussian potential, and which pairs it is over.
struct Uniformity {
  double value = undefined;           ///< ln of the mean
  double standard_error = undefined;  ///< of the value; 0 when exact
  std::int64_t pairs = 0;
  Index sampled_rows = 0;
  bool exact = false;  ///< whether the pairs are all there are
};

/// Uniformity from the mean potential over pairs.
[[nodiscard]] inline Uniformity uniformity(const PairPotential& pairs) {
  return {std::log1p(pairs.mean_less_one), pairs.standard_error, pairs.pairs, pairs.rows, pairs.exact};
}

/// Uniformity on the sphere: the logarithm of the average pairwise Gaussian potential, ln mean_{i < j}
/// exp(-2 ||u_i - u_j||^2) with u_i = z_i / ||z_i||, over rows that have a direction.
///
/// @param Z        N x D embeddings
/// @param options  `pair_rows`, `all_pairs`, `seed`: the pairs are those of the quantiles of `pairwise_cosine`;
///                 `nonfinite`
/// @return in [-8, 0]: 0 is complete collapse, to full relative accuracy however near. Healthy, for rows
///         uniform on the sphere: -4 + 8 / D - 64 / D^3 + ... (ln of the mean of exp(4 c - 4) over the cosine c). With
///         a standard error where the pairs are a sample; undefined with fewer than two directions
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: O(N D), and min(N, pair_rows)^2 D flops; O(pair_rows D) memory.
/// Source: Wang & Isola, Understanding contrastive representation learning through alignment and uniformity on the
///         hypersphere, 2020, sec. 4.1.2, with the t = 2 of its experiments.
template <class Derived>
[[nodiscard]] Uniformity uniformity(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  const Sums sums = statistics::sum_rows(evaluated.view(), rows, {.scatter = false, .direction_scatter = false});
  return uniformity(statistics::pair_potential(evaluated.view(), rows,
                                               statistics::select_pairs(evaluated.view(), rows, options),
                                               sums.directions.mean(), nullptr));
}

}  // namespace collapse
