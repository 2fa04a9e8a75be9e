#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/report/undefined.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <cstdint>

namespace collapse {

/// The mean of exp(-2 ||u_i - u_j||^2) over the selected pairs of directions. Kept as its distance from 1, because near
/// collapse that is the number with digits in it.
struct PairPotential {
  std::int64_t pairs = 0;
  Index rows = 0;  ///< that the pairs come from
  bool exact = false;
  double mean_less_one = undefined;   ///< mean exp(...) - 1, in [-1, 0] but for rounding
  double standard_error = undefined;  ///< of ln mean exp(...); 0 when exact
};

namespace statistics {

/// O(m^2 D) time for m selected rows; memory as for the distances, and m^2 / 192 doubles for a sample's standard error.
/// Each tile has a place of its own for its sums, so the bits do not depend on the number of threads.
/// @param products  V V^T of all usable rows, or null
template <EmbeddingScalar Scalar>
[[nodiscard]] PairPotential pair_potential(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                           const PairSelection& selection, const Eigen::VectorXd& mean_direction,
                                           const Eigen::MatrixXd* products);

}  // namespace statistics
}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/pairs/mean_potential.hpp>
#endif
