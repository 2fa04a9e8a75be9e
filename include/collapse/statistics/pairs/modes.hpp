#pragma once

#include <collapse/linalg/differences.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/disjoint_sets.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>
#include <collapse/statistics/rows/points.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

/// What the table of neighbours does not tell: how far apart rows usually are, and which hang together.
namespace collapse::statistics {

/// Median separation over all pairs of up to `most` points drawn uniformly, in input units; undefined without a pair.
template <EmbeddingScalar Scalar>
[[nodiscard]] double median_separation(const Points<Scalar>& points, Index most, std::uint64_t seed) {
  const std::vector<Index> places = sample_places(points.count(), most, seed);
  const auto count = static_cast<Index>(places.size());
  if (count < 2) return undefined;
  linalg::Panel panel = points.panel(count);
  for (Index i = 0; i < count; ++i) {
    points.load(places[static_cast<std::size_t>(i)], panel.rows(i, 1, points.dims()));
  }
  std::vector<double> all;
  all.reserve(static_cast<std::size_t>(count * (count - 1) / 2));
  const Index depth = linalg::padded_depth(points.dims());
  for (Index i = 0; i < count; ++i) {
    Index j = 0;
    for (; j + 4 <= i; j += 4) {
      const double* const x = panel.row(i);
      const std::array<double, 4> four = linalg::distances<4>(
          {x, x, x, x}, {panel.row(j), panel.row(j + 1), panel.row(j + 2), panel.row(j + 3)}, depth);
      all.insert(all.end(), four.begin(), four.end());
    }
    for (; j < i; ++j) all.push_back(linalg::distance(panel.row(i), panel.row(j), depth));
  }
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), half, all.end());
  const double below = all.size() % 2 == 1 ? *half : *std::max_element(all.begin(), half);
  return points.separation(std::midpoint(below, *half));
}

/// The sets of points that hang together by links, a link being a separation of at most `radius`, or of no more than
/// rounding may have put between two equal rows.
///
/// Links between neighbours are in the table, and a pair that is in neither row's table is linked only if each of the
/// two has all its k neighbours within reach: few rows have that many so near, and where they do they are clusters, far
/// apart for their size. So the sets that the table gives are compared as balls first, and row by row only where these
/// touch.
template <EmbeddingScalar Scalar>
class LinkedPoints {
 public:
  LinkedPoints(const Points<Scalar>& points, const Neighbours& neighbours, double radius)
      : points_(points),
        neighbours_(neighbours),
        radius_(radius),
        depth_(linalg::padded_depth(points.dims())),
        sets_(points.count()) {
    link_neighbours();
    if (neighbours.k() > 0 && neighbours.k() < points.count() - 1) link_crowds();
  }

  [[nodiscard]] Index sets() const { return sets_.sets(); }

 private:
  /// Points of one set, all of which have k others within reach.
  struct Crowd {
    std::vector<Index> places;
    double radius = 0.0;  ///< of the ball around the first that holds them
  };

  [[nodiscard]] bool is_link(Index i, Index j, double separation) const {
    return separation <= std::max(radius_, neighbours_.resolution(i, j));
  }

  void link_neighbours() {
    for (Index i = 0; i < neighbours_.count(); ++i) {
      for (Index j = 0; j < neighbours_.k(); ++j) {
        if (is_link(i, neighbours_.place(i, j), neighbours_.separation(i, j))) sets_.unite(i, neighbours_.place(i, j));
      }
    }
  }

  void link_crowds() {
    Index longest = 0;
    neighbours_.length.maxCoeff(&longest);
    const double reach = std::max(radius_, neighbours_.resolution(longest, longest));
    std::map<Index, Crowd> by_set;
    for (Index i = 0; i < neighbours_.count(); ++i) {
      if (neighbours_.separation(i, neighbours_.k() - 1) <= reach) by_set[sets_.find(i)].places.push_back(i);
    }
    if (by_set.size() < 2) return;
    std::vector<Crowd> crowds;
    for (auto& [set, crowd] : by_set) crowds.push_back(std::move(crowd));
    const auto count = static_cast<Index>(crowds.size());
    linalg::Panel centres = points_.panel(count);
    linalg::Panel one = points_.panel(1);
    for (Index c = 0; c < count; ++c) {
      Crowd& crowd = crowds[static_cast<std::size_t>(c)];
      points_.load(crowd.places.front(), centres.rows(c, 1, points_.dims()));
      for (const Index place : crowd.places) {
        points_.load(place, one.rows(0, 1, points_.dims()));
        crowd.radius = std::max(crowd.radius, points_.separation(linalg::distance(centres.row(c), one.row(0), depth_)));
      }
    }
    for (Index a = 0; a < count; ++a) {
      for (Index b = 0; b < a; ++b) {
        const Crowd& first = crowds[static_cast<std::size_t>(a)];
        const Crowd& second = crowds[static_cast<std::size_t>(b)];
        const double between = points_.separation(linalg::distance(centres.row(a), centres.row(b), depth_));
        if (between * (1.0 - 1e-12) > (reach + first.radius + second.radius) * (1.0 + 1e-12)) continue;
        if (sets_.find(first.places.front()) != sets_.find(second.places.front())) link(first, second);
      }
    }
  }

  /// Unites two sets if any point of one is linked with any of the other.
  void link(const Crowd& a, const Crowd& b) {
    constexpr std::size_t block = 64;
    linalg::Panel panel = points_.panel(block);
    linalg::Panel one = points_.panel(1);
    for (std::size_t first = 0; first < a.places.size(); first += block) {
      const std::size_t end = std::min(a.places.size(), first + block);
      for (std::size_t i = first; i < end; ++i) {
        points_.load(a.places[i], panel.rows(static_cast<Index>(i - first), 1, points_.dims()));
      }
      for (const Index other : b.places) {
        points_.load(other, one.rows(0, 1, points_.dims()));
        for (std::size_t i = first; i < end; ++i) {
          const double apart = linalg::distance(panel.row(static_cast<Index>(i - first)), one.row(0), depth_);
          if (!is_link(a.places[i], other, points_.separation(apart))) continue;
          sets_.unite(a.places[i], other);
          return;
        }
      }
    }
  }

  const Points<Scalar>& points_;
  const Neighbours& neighbours_;
  double radius_;
  Index depth_;
  DisjointSets sets_;
};

}  // namespace collapse::statistics
