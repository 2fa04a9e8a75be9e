#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/statistics/pairs/distance_distribution.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

namespace collapse {

namespace statistics {

/// Distribution of 1 - cos over the selected pairs. `mean` and `std` of it over all pairs place the cells; they need
/// not be exact. O(m^2 D) time for m selected rows, most of it in float where that leaves few pairs open.
template <EmbeddingScalar Scalar>
[[nodiscard]] PairDistances pair_distances(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                           const PairSelection& selection, const Eigen::VectorXd& mean_direction,
                                           const Eigen::MatrixXd* products, double mean, double std);

}  // namespace statistics
}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/pairs/pairs.hpp>
#endif
