#pragma once

#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace collapse {

/// Rows that lie on one point.
struct Crowd {
  Index row = 0;   ///< the first of them
  Index rows = 0;  ///< how many there are
};

/// How rows gather on single points.
struct Crowds {
  Index rows = 0;             ///< that were looked at
  Index repeated = 0;         ///< of these equal another bit for bit
  std::vector<Crowd> points;  ///< fullest first: the fullest of all, and others that hold a twentieth or more
};

namespace statistics {

/// Finds the points that rows gather on, without looking at pairs: rows on one point have nearly the same product with
/// any vector, so that a random one, sorted, shows where to look, and distances to one row there tell how many it is.
///
/// Differences count in units of the deviation of their dimension, or of the median one where that is larger: a
/// dimension in other units is no more than any other, and rounding errors in a dead one are nothing.
template <EmbeddingScalar Scalar>
class CrowdSearch {
 public:
  static constexpr double tolerance = 0.02;  ///< root mean square difference of a dimension on one point
  static constexpr double least = 0.05;      ///< share of rows of a further point
  static constexpr Index most_points = 24;

  CrowdSearch(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments)
      : z_(z), rows_(rows), weights_(weights(moments)) {
    direction_.resize(rows.dims);
    // Uniform, not a sign: rows of zeros and ones would meet in the same product.
    for (Index d = 0; d < rows.dims; ++d) {
      const auto bits = static_cast<double>(linalg::hash(0x706f696e74ULL, static_cast<std::uint64_t>(d)) >> 11);
      direction_(d) = (bits * 0x1p-52 - 1.0) * std::sqrt(3.0 / static_cast<double>(live_)) * weights_(d);
    }
  }

  [[nodiscard]] Crowds run() {
    Crowds result;
    result.rows = rows_.samples;
    if (rows_.samples < 2) return result;
    if (live_ == 0) {
      result.repeated = rows_.samples;
      result.points = {{rows_.selection()(0), rows_.samples}};
      return result;
    }
    project();
    result.repeated = repeated();
    std::vector<Index> members;
    while (static_cast<Index>(result.points.size()) < most_points && !order_.empty()) {
      const Crowd point = fullest(members);
      if (!result.points.empty() && static_cast<double>(point.rows) < least * static_cast<double>(result.rows)) break;
      result.points.push_back(point);
      if (static_cast<double>(point.rows) < least * static_cast<double>(result.rows)) break;
      remove(members);
    }
    for (Crowd& point : result.points) point.row = rows_.selection()(point.row);
    // A later one may be fuller: the densest place of the projection need not be the fullest point.
    std::stable_sort(result.points.begin(), result.points.end(),
                     [](const Crowd& a, const Crowd& b) { return a.rows > b.rows; });
    return result;
  }

 private:
  using Key = std::pair<double, Index>;

  /// 1 / max(std_d, median std) of dimensions that live, 0 of others.
  [[nodiscard]] Eigen::VectorXd weights(const Moments& moments) {
    Eigen::VectorXd result = Eigen::VectorXd::Zero(moments.dims);
    std::vector<double> deviations;
    const double freedom = std::max(1.0, static_cast<double>(moments.count) - 1.0);
    for (Index d = 0; d < moments.dims; ++d) {
      if (moments.sum_squares(d) <= 0.0 || is_dead(moments, d)) continue;
      result(d) = std::ldexp(std::sqrt(moments.sum_squares(d) / freedom), moments.exponent(d));
      deviations.push_back(result(d));
    }
    live_ = static_cast<Index>(deviations.size());
    if (deviations.empty()) return result;
    const auto middle = deviations.begin() + static_cast<std::ptrdiff_t>(deviations.size() / 2);
    std::nth_element(deviations.begin(), middle, deviations.end());
    for (double& deviation : result) {
      if (deviation > 0.0) deviation = 1.0 / std::max(deviation, *middle);
    }
    return result;
  }

  /// The product of each row with the direction, in ascending order. Equal rows have equal products.
  void project() {
    constexpr Index strip = 16;
    constexpr Index chunk = 256;
    Eigen::VectorXd products(rows_.samples);
    const linalg::RowSelection at = rows_.selection();
    linalg::parallel_for(
        {(rows_.samples + strip - 1) / strip, rows_.samples, rows_.dims}, [] { return linalg::Panel(strip, chunk); },
        [&](Index s, linalg::Panel& panel) {
          const Index first = s * strip;
          const Index count = std::min(strip, rows_.samples - first);
          for (Index i = 0; i < count; ++i) products(first + i) = 0.0;
          for (Index d = 0; d < rows_.dims; d += chunk) {
            const Index width = std::min(chunk, rows_.dims - d);
            const linalg::Panel::View block = panel.view(count, width);
            linalg::load(z_, at, first, d, block);
            for (Index i = 0; i < count; ++i) {
              products(first + i) += linalg::dot(block.row(i), direction_.data() + d, width);
            }
          }
        });
    order_.reserve(static_cast<std::size_t>(rows_.samples));
    for (Index i = 0; i < rows_.samples; ++i) order_.emplace_back(products(i), i);
    std::sort(order_.begin(), order_.end());
  }

  /// Rows that equal another bit for bit.
  [[nodiscard]] Index repeated() const {
    const linalg::RowSelection at = rows_.selection();
    const auto equal = [&](Index a, Index b) {
      for (Index d = 0; d < rows_.dims; ++d) {
        if (!(z_.at(at(a), d) == z_.at(at(b), d))) return false;
      }
      return true;
    };
    Index count = 0;
    bool before = false;
    for (std::size_t k = 0; k < order_.size(); ++k) {
      const bool next = k + 1 < order_.size() && order_[k].first == order_[k + 1].first &&
                        equal(order_[k].second, order_[k + 1].second);
      count += before || next ? 1 : 0;
      before = next;
    }
    return count;
  }

  /// The fuller of two candidates: where most products are equal, and where most lie near each other.
  [[nodiscard]] Crowd fullest(std::vector<Index>& members) const {
    Crowd best;
    std::vector<Index> found;
    for (const double width : {1e-9, 4.0 * tolerance}) {
      std::size_t first = 0;
      std::size_t from = 0;
      std::size_t to = 0;
      for (std::size_t last = 0; last < order_.size(); ++last) {
        while (order_[last].first - order_[first].first > width) ++first;
        if (last + 1 - first > to - from) {
          from = first;
          to = last + 1;
        }
      }
      if (static_cast<Index>(to - from) <= best.rows) continue;
      const Index centre = order_[from + (to - from) / 2].second;
      near(centre, from, to, found);
      if (static_cast<Index>(found.size()) > best.rows) {
        best = {centre, static_cast<Index>(found.size())};
        members.swap(found);
      }
    }
    best.row = *std::min_element(members.begin(), members.end());
    return best;
  }

  /// Rows within the tolerance of one, among those whose products lie in a range or beside it.
  void near(Index centre, std::size_t from, std::size_t to, std::vector<Index>& found) const {
    constexpr Index chunk = 256;
    const double reach = 4.0 * tolerance;
    while (from > 0 && order_[from].first - order_[from - 1].first <= reach &&
           order_[to - 1].first - order_[from - 1].first <= 2.0 * reach) {
      --from;
    }
    while (to < order_.size() && order_[to].first - order_[from].first <= 2.0 * reach) ++to;
    const linalg::RowSelection at = rows_.selection();
    linalg::Panel middle(1, rows_.dims);
    linalg::load(z_, at, centre, 0, middle.view(1, rows_.dims));
    linalg::Panel panel(1, chunk);
    const double limit = tolerance * tolerance * static_cast<double>(live_);
    found.clear();
    for (std::size_t k = from; k < to; ++k) {
      double square = 0.0;
      for (Index d = 0; d < rows_.dims && square <= limit; d += chunk) {
        const Index width = std::min(chunk, rows_.dims - d);
        const linalg::Panel::View block = panel.view(1, width);
        linalg::load(z_, at, order_[k].second, d, block);
        for (Index j = 0; j < width; ++j) {
          const double difference = (block.row(0)[j] - middle.row(0)[d + j]) * weights_(d + j);
          square += difference * difference;
        }
      }
      if (square <= limit) found.push_back(order_[k].second);
    }
  }

  void remove(std::vector<Index>& members) {
    std::sort(members.begin(), members.end());
    std::erase_if(order_,
                  [&](const Key& key) { return std::binary_search(members.begin(), members.end(), key.second); });
  }

  const linalg::MatrixView<Scalar>& z_;
  const Rows& rows_;
  Index live_ = 0;
  Eigen::VectorXd weights_;
  Eigen::VectorXd direction_;
  std::vector<Key> order_;
};

/// The points that rows gather on, and how many rows repeat another.
///
/// @param z        the embeddings
/// @param rows     those that count
/// @param moments  of the same rows
/// Cost: N D multiplications and a sort, and N D again for rows near the densest place.
template <EmbeddingScalar Scalar>
[[nodiscard]] Crowds crowds(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments) {
  return CrowdSearch<Scalar>(z, rows, moments).run();
}

}  // namespace statistics
}  // namespace collapse
