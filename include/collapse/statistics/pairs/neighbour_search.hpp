#pragma once

#include <collapse/linalg/differences.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/points.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

/// The k nearest of all points to each, exactly, at the speed of products in float: a float says which points cannot be
/// among them, and the distance to the few others is computed from differences in double.
namespace collapse::statistics {

/// Bound on how far off h = ||x_i - x_j||^2 / 2 is when it is formed in float as q_i / 2 + q_j / 2 - x_i . x_j, as a
/// multiple of q_i + q_j, where q = ||x||^2 and |x| <= 1.
///
/// With u = 2^-24, gamma_k = k u / (1 - k u), and sum_d |x_id x_jd| <= (q_i + q_j) / 2 (Higham 2002, section 3.1;
/// roundings of one term add up to one gamma):
///   2                 the factors are rounded to float,
///   min(D, run)       a run of products is summed, fused or not,
///   ceil(D / run) - 1 the runs are added up,
/// hence gamma_k / 2. The two constants, their sum and its difference with the product add 2 u; twice that holds the
/// terms of second order as well, and the roundings of the doubles that all this starts from, 2^-29 times as large.
[[nodiscard]] inline double float_distance_error(Index dims) {
  constexpr double u = 0x1p-24;
  const double roundings = static_cast<double>(std::min(dims, linalg::product_run) +
                                               (dims + linalg::product_run - 1) / linalg::product_run + 1) *
                           u;
  if (!(roundings < 0.01)) return std::numeric_limits<double>::infinity();
  return 0.5 * roundings / (1.0 - roundings) + 4.0 * u;
}

/// Another point, and how far it is; ordered by the distance, and by the place where that is the same.
struct Candidate {
  double ranked = 0.0;
  Index place = 0;

  [[nodiscard]] bool operator<(const Candidate& other) const {
    return ranked < other.ranked || (ranked == other.ranked && place < other.place);
  }
};

/// Points in float around one of them, with a lower bound on the distance between two.
template <EmbeddingScalar Scalar>
class ScreenedPoints {
 public:
  using Packed = linalg::BasicPackedVectors<float>;

  explicit ScreenedPoints(const Points<Scalar>& points) : points_(points), centre_(centre()), bound_(points.count()) {
    Eigen::VectorXd half_squares(points.count());
    constexpr Index strip = Packed::tile;
    linalg::parallel_for(
        {(points.count() + strip - 1) / strip, points.count(), points.dims()},
        [&] { return linalg::Panel(strip, points.dims()); },
        [&](Index s, linalg::Panel& panel) {
          const Index count = std::min(strip, points.count() - s * strip);
          linalg::Panel::View x = panel.view(count, points.dims());
          points.load(s * strip, x);
          for (Index r = 0; r < count; ++r) {
            double* const row = x.row(r);
            for (Index d = 0; d < x.cols(); ++d) row[d] -= centre_(d);
            half_squares(s * strip + r) = 0.5 * linalg::squared_norm(row, x.cols());
          }
        });
    const double largest = std::sqrt(2.0 * half_squares.maxCoeff());
    // What is smaller has squares that have lost digits.
    if (largest > 0x1p-450) scale_ = std::ldexp(1.0, -std::ilogb(largest) - 1);
    const double error = float_distance_error(points.dims());
    for (Index i = 0; i < points.count(); ++i) {
      const double half = half_squares(i) * scale_ * scale_;
      bound_(i) = std::isfinite(error) ? static_cast<float>(half - 2.0 * error * half - slack())
                                       : -std::numeric_limits<float>::infinity();
    }
  }

  /// Packs the points in the rows of `x`.
  void pack(const linalg::Panel::View& x, linalg::Panel& scratch, Packed& to) const {
    constexpr Index group = Packed::Kernel::group;
    for (Index i = 0; i < x.rows(); i += group) {
      const Index count = std::min(group, x.rows() - i);
      linalg::Panel::View scaled = scratch.view(count, points_.dims());
      for (Index r = 0; r < count; ++r) {
        const double* const from = x.row(i + r);
        double* const row = scaled.row(r);
        for (Index d = 0; d < x.cols(); ++d) row[d] = (from[d] - centre_(d)) * scale_;
      }
      to.pack_rows(i, scaled);
    }
  }

  /// bound(i) + bound(j) - x_i . x_j, in float, is no more than h.
  [[nodiscard]] const float* bound() const { return bound_.data(); }

  /// No h above this float belongs to a pair that is ranked at or below `ranked`.
  [[nodiscard]] float limit(double ranked) const {
    const double half = points_.metric() == Metric::cosine ? ranked : 0.5 * ranked * ranked;
    // The rounding of the ranked distances, and then of this one.
    const double margin = static_cast<double>(points_.dims() + 16) * 0x1p-51 + 0x1p-22;
    return static_cast<float>(half * scale_ * scale_ * (1.0 + margin) + slack());
  }

 private:
  /// More than what underflows in a float, whether denormal numbers are kept or not.
  [[nodiscard]] double slack() const { return static_cast<double>(points_.dims() + 16) * 0x1p-122; }

  /// The median of some points, one dimension at a time. The smaller the floats the smaller their rounding; unlike the
  /// mean, the median stays among the points when a few are far out.
  [[nodiscard]] Eigen::RowVectorXd centre() const {
    const std::vector<Index> places = sample_places(points_.count(), 31, 0);
    linalg::Panel panel(static_cast<Index>(places.size()), points_.dims());
    for (std::size_t s = 0; s < places.size(); ++s) {
      points_.load(places[s], panel.rows(static_cast<Index>(s), 1, points_.dims()));
    }
    Eigen::RowVectorXd result(points_.dims());
    Eigen::VectorXd values(static_cast<Index>(places.size()));
    for (Index d = 0; d < points_.dims(); ++d) {
      for (Index s = 0; s < values.size(); ++s) values(s) = panel.row(s)[d];
      std::nth_element(values.data(), values.data() + values.size() / 2, values.data() + values.size());
      result(d) = values(values.size() / 2);
    }
    return result;
  }

  const Points<Scalar>& points_;
  Eigen::RowVectorXd centre_;
  Eigen::ArrayXf bound_;
  double scale_ = 1.0;
};

/// Visits, for a block of points at a time, all other points tile by tile.
template <EmbeddingScalar Scalar>
class NeighbourSearch {
 public:
  /// @param k  at least 1 and less than the number of points
  NeighbourSearch(const Points<Scalar>& points, Index k) : points_(points), screened_(points), k_(k) {}

  /// Calls found(place, candidates) once for each point, with its k nearest in ascending order; from several threads.
  template <class Found>
  void run(Found&& found) const {
    const Index block = block_size();
    linalg::parallel_for(
        {(points_.count() + block - 1) / block, points_.count(), points_.count(), points_.dims()},
        [&] { return Worker(*this, block); },
        [&](Index b, Worker& worker) {
          worker.search(b * block, std::min(block, points_.count() - b * block));
          for (Index i = 0; i < std::min(block, points_.count() - b * block); ++i) {
            found(b * block + i, worker.sorted(i));
          }
        });
  }

 private:
  using Packed = typename ScreenedPoints<Scalar>::Packed;
  static constexpr Index tile = 2 * Packed::tile;

  /// Every tile of the others is loaded once for each block: large blocks, unless they leave threads idle or the cache
  /// too small.
  [[nodiscard]] Index block_size() const {
    const Index wanted = std::min(points_.count() / 16, (Index{1} << 20) / points_.dims());
    return std::clamp(wanted / Packed::tile * Packed::tile, tile, 4 * tile);
  }

  class Worker {
   public:
    Worker(const NeighbourSearch& search, Index block)
        : search_(search),
          depth_(linalg::padded_depth(search.points_.dims())),
          queries_(search.points_.panel(block)),
          others_(search.points_.panel(tile)),
          scratch_(Packed::Kernel::group, search.points_.dims()),
          packed_queries_(block, search.points_.dims()),
          packed_others_(tile, search.points_.dims()),
          products_(block, tile),
          limits_(block),
          nearest_(static_cast<std::size_t>(block)) {}

    void search(Index first, Index count) {
      const Points<Scalar>& points = search_.points_;
      first_ = first;
      linalg::Panel::View queries = queries_.view(count, points.dims());
      points.load(first, queries);
      search_.screened_.pack(queries, scratch_, packed_queries_);
      limits_.setConstant(std::numeric_limits<float>::infinity());
      for (Index i = 0; i < count; ++i) nearest_[static_cast<std::size_t>(i)].clear();
      // Rows that follow each other are often alike: the first tiles then exclude most of what comes later.
      const Index tiles = (points.count() + tile - 1) / tile;
      for (Index s = 0; s < tiles; ++s) visit((first / tile + s) % tiles * tile, count);
    }

    [[nodiscard]] const std::vector<Candidate>& sorted(Index i) {
      std::vector<Candidate>& nearest = nearest_[static_cast<std::size_t>(i)];
      std::sort_heap(nearest.begin(), nearest.end());
      return nearest;
    }

   private:
    static constexpr std::size_t at_once = 4;

    void visit(Index first, Index queries) {
      const Points<Scalar>& points = search_.points_;
      first_other_ = first;
      const Index others = std::min(tile, points.count() - first);
      linalg::Panel::View x = others_.view(others, points.dims());
      points.load(first, x);
      search_.screened_.pack(x, scratch_, packed_others_);
      const linalg::ColumnsView<float> products = linalg::ColumnsView<float>(products_).block(0, 0, queries, others);
      products.set_zero();
      linalg::add_products(packed_queries_, 0, packed_others_, 0, points.dims(), products);
      for (Index j = 0; j < others; ++j) screen(j, queries);
      for (std::size_t p = 0; p < waiting_; ++p) evaluate<1>(p);
      waiting_ = 0;
    }

    /// Few pass: sixteen are asked at once.
    void screen(Index j, Index queries) {
      const float* const left = search_.screened_.bound() + first_;
      const float right = search_.screened_.bound()[first_other_ + j];
      const float* const product = products_.data() + j * products_.rows();
      const float* const limit = limits_.data();
      constexpr Index strip = 16;
      for (Index i = 0; i < queries; i += strip) {
        const Index end = std::min(queries, i + strip);
        int any = end < i + strip ? 1 : 0;
        if (any == 0) {
          for (Index s = 0; s < strip; ++s) any |= (left[i + s] + right) - product[i + s] <= limit[i + s] ? 1 : 0;
        }
        if (any == 0) continue;
        for (Index q = i; q < end; ++q) {
          if ((left[q] + right) - product[q] <= limit[q]) consider(q, j);
        }
      }
    }

    void consider(Index i, Index j) {
      const Index place = first_other_ + j;
      if (place == first_ + i) return;
      // Among equal points there is nothing nearer, and later ones come after.
      const std::vector<Candidate>& nearest = nearest_[static_cast<std::size_t>(i)];
      if (is_full(nearest) && nearest.front().ranked == 0.0 && place > nearest.front().place) return;
      wait_[waiting_++] = {i, j};
      if (waiting_ == at_once) {
        evaluate<at_once>(0);
        waiting_ = 0;
      }
    }

    template <std::size_t Pairs>
    void evaluate(std::size_t first) {
      std::array<const double*, Pairs> x;
      std::array<const double*, Pairs> y;
      for (std::size_t p = 0; p < Pairs; ++p) {
        x[p] = queries_.row(wait_[first + p].first);
        y[p] = others_.row(wait_[first + p].second);
      }
      const std::array<double, Pairs> distance = linalg::distances<Pairs>(x, y, depth_);
      for (std::size_t p = 0; p < Pairs; ++p) {
        offer(wait_[first + p].first, {search_.points_.ranked(distance[p]), first_other_ + wait_[first + p].second});
      }
    }

    void offer(Index i, const Candidate& candidate) {
      std::vector<Candidate>& nearest = nearest_[static_cast<std::size_t>(i)];
      if (is_full(nearest)) {
        if (!(candidate < nearest.front())) return;
        std::pop_heap(nearest.begin(), nearest.end());
        nearest.back() = candidate;
      } else {
        nearest.push_back(candidate);
      }
      std::push_heap(nearest.begin(), nearest.end());
      if (is_full(nearest)) limits_(i) = search_.screened_.limit(nearest.front().ranked);
    }

    [[nodiscard]] bool is_full(const std::vector<Candidate>& nearest) const {
      return static_cast<Index>(nearest.size()) == search_.k_;
    }

    const NeighbourSearch& search_;
    Index depth_;
    linalg::Panel queries_, others_, scratch_;
    Packed packed_queries_, packed_others_;
    Eigen::MatrixXf products_;
    Eigen::ArrayXf limits_;                        ///< of each query: what lies above cannot be among its nearest
    std::vector<std::vector<Candidate>> nearest_;  ///< of each query, a heap with the farthest in front
    Index first_ = 0, first_other_ = 0;
    std::array<std::pair<Index, Index>, at_once> wait_{};  ///< pairs of query and other to be evaluated together
    std::size_t waiting_ = 0;
  };

  const Points<Scalar>& points_;
  ScreenedPoints<Scalar> screened_;
  Index k_;
};

}  // namespace collapse::statistics
