#pragma once

#include <collapse/report/cosine.hpp>
#include <collapse/report/variance.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace collapse {

/// Which dimensions carry the mean cosine, and what is left without them: a cone that one to three dimensions make is
/// another thing than one of all.
///
/// With the mean ubar of the M directions and their variance s_d (ddof 0), dimension d adds ubar_d^2 - s_d / (M - 1) to
/// `cosine.mean`; all add up to it. `mean_of_others` is the sum over the dimensions that remain, over the mean of
/// their squared part of u: the mean cosine of the rows without the others where these parts are about alike.
/// `dispersion_of_others` is the dispersion over the same dimensions. Left out are dead ones, and of the rest the
/// largest, an eighth of them but at most three. Each is a sum over what remains, so nothing is subtracted that might
/// be a million times as large.
///
/// @param directions  of the rows
/// @param moments     of the same rows
/// Cost: O(D).
/// Source: Timkey & van Schijndel, All bark and no bite: rogue dimensions in transformer language models, 2021.
inline void dominant_dimensions(const DirectionSums& directions, const Moments& moments, Cosine& cosine,
                                Variance& variance) {
  const Index dims = moments.dims;
  if (moments.count < 2) return;
  Eigen::VectorXd added = Eigen::VectorXd::Zero(dims);
  Eigen::VectorXd square = added;
  const bool directed = directions.count >= 2;
  if (directed) {
    const double m = static_cast<double>(directions.count);
    const Eigen::VectorXd mean = directions.mean();
    for (Index d = 0; d < dims; ++d) {
      added(d) = mean(d) * mean(d) - directions.sum_squares(d) / (m * (m - 1.0));
      square(d) = mean(d) * mean(d) + directions.sum_squares(d) / m;
    }
  }
  std::vector<Index> order;
  for (Index d = 0; d < dims; ++d) order.push_back(d);
  const auto first = static_cast<std::ptrdiff_t>(std::min<Index>(5, dims));
  std::partial_sort(order.begin(), order.begin() + first, order.end(),
                    [&](Index a, Index b) { return added(a) > added(b) || (added(a) == added(b) && a < b); });

  std::vector<char> others(static_cast<std::size_t>(dims), 1);
  Index live = 0;
  for (Index d = 0; d < dims; ++d) {
    if (statistics::is_dead(moments, d)) {
      others[static_cast<std::size_t>(d)] = 0;
    } else {
      ++live;
    }
  }
  if (directed) {
    cosine.dominant_dimensions.assign(order.begin(), order.begin() + first);
    cosine.dominant_shares.resize(first);
    for (std::ptrdiff_t k = 0; k < first; ++k) cosine.dominant_shares(k) = added(order[static_cast<std::size_t>(k)]);
    cosine.mean_without_dominant = cosine.mean;
    for (std::ptrdiff_t k = 0; k < std::min<std::ptrdiff_t>(3, first); ++k) {
      cosine.mean_without_dominant -= cosine.dominant_shares(k);
    }
    Index left_out = std::min<Index>(3, live / 8);
    for (std::ptrdiff_t k = 0; k < first && left_out > 0; ++k) {
      char& kept = others[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
      left_out -= kept;
      kept = 0;
    }
  }
  const Eigen::VectorXd sum_squares = moments.common_sum_squares();
  const Eigen::VectorXd mean = moments.common_mean();
  const double n = static_cast<double>(moments.count);
  double cosines = 0.0;
  double squares = 0.0;
  double spread = 0.0;
  double length = 0.0;
  for (Index d = 0; d < dims; ++d) {
    if (others[static_cast<std::size_t>(d)] == 0) continue;
    cosines += added(d);
    squares += square(d);
    spread += sum_squares(d);
    length += sum_squares(d) + n * mean(d) * mean(d);
  }
  if (directed && squares > 0.0) cosine.mean_of_others = std::clamp(cosines / squares, -1.0, 1.0);
  if (length > 0.0) variance.dispersion_of_others = spread / length;
}

}  // namespace collapse
