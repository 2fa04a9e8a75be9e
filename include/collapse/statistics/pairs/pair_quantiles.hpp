#pragma once

#include <collapse/statistics/pairs/distance_distribution.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace collapse::statistics {

/// Equal cells over [low, high]; what lies outside goes to the first or the last.
template <std::int32_t Count>
class BasicCells {
 public:
  static constexpr std::int32_t count = Count;

  BasicCells(double low, double high) : low_(low), width_((high - low) / count), per_unit_(1.0 / width_) {
    if (!(std::isfinite(per_unit_) && per_unit_ > 0.0)) per_unit_ = 0.0;
  }

  /// Eight deviations hold nearly all pairs of any distribution; the outer cells take the rest.
  [[nodiscard]] static BasicCells around(double mean, double std) {
    return {std::max(0.0, mean - 8.0 * std), mean + 8.0 * std};
  }

  [[nodiscard]] std::uint16_t operator()(double value) const {
    const double cell = std::min(std::max((value - low_) * per_unit_, 0.0), static_cast<double>(count - 1));
    return static_cast<std::uint16_t>(static_cast<std::int32_t>(cell));
  }
  [[nodiscard]] double lower_edge(std::int32_t cell) const { return low_ + width_ * static_cast<double>(cell); }
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double per_unit() const { return per_unit_; }  ///< cells per unit of h; 0 when they have no width

 private:
  double low_;
  double width_;
  double per_unit_;
};

using Cells = BasicCells<(1 << 14)>;

/// The bin of the histogram: cos = 1 - h; the last bin is closed on both sides.
[[nodiscard]] inline std::int32_t histogram_bin(double h) {
  return static_cast<std::int32_t>(std::min(std::max((2.0 - h) * 32.0, 0.0), 63.0));
}

/// The tiles on and below the diagonal of the square of pairs, and where each begins when all stand in one array.
class TileOrder {
 public:
  TileOrder(Index count, Index tile) : count_(count), tile_(tile) {
    for (Index i = 0; i * tile < count; ++i) {
      for (Index j = 0; j <= i; ++j) {
        tiles_.emplace_back(i, j);
        offset_.push_back(size_);
        size_ += static_cast<std::size_t>(width(i)) * static_cast<std::size_t>(width(j));
      }
    }
  }

  [[nodiscard]] Index tiles() const { return static_cast<Index>(tiles_.size()); }
  [[nodiscard]] const std::pair<Index, Index>& operator()(Index t) const { return tiles_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] std::size_t offset(Index t) const { return offset_[static_cast<std::size_t>(t)]; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Index width(Index i) const { return std::min(tile_, count_ - i * tile_); }

  /// Up to so many pairs, two bytes are kept for each.
  static constexpr std::int64_t most_remembered = std::int64_t{1} << 24;

 private:
  Index count_;
  Index tile_;
  std::vector<std::pair<Index, Index>> tiles_;
  std::vector<std::size_t> offset_;
  std::size_t size_ = 0;
};

/// Hands each thread a worker of its own and keeps them all, to be added up afterwards.
template <class Worker>
class Pool {
 public:
  template <class... Arguments>
  Worker* make(const Arguments&... arguments) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return &workers_.emplace_back(arguments...);
  }
  [[nodiscard]] const std::deque<Worker>& all() const { return workers_; }
  [[nodiscard]] std::deque<Worker>& all() { return workers_; }

 private:
  std::mutex mutex_;
  std::deque<Worker> workers_;
};

/// Two ranks (from 0) for each quantile, between which it is interpolated linearly, as numpy's and R's default.
using Ranks = std::array<std::int64_t, 14>;

/// Quantile p of the cosine is quantile 1 - p of the distance: how far into the sorted pairs it lies.
[[nodiscard]] inline double quantile_place(std::size_t q, std::int64_t pairs) {
  return (1.0 - cosine_probabilities[q]) * static_cast<double>(pairs - 1);
}

[[nodiscard]] inline Ranks quantile_ranks(std::int64_t pairs) {
  Ranks ranks{};
  for (std::size_t q = 0; q < 7; ++q) {
    ranks[2 * q] = static_cast<std::int64_t>(std::floor(quantile_place(q, pairs)));
    ranks[2 * q + 1] = std::min(ranks[2 * q] + 1, pairs - 1);
  }
  return ranks;
}

/// The quantiles from the order statistics of these ranks.
inline void set_quantiles(PairDistances& result, const std::array<double, 14>& values) {
  for (std::size_t q = 0; q < 7; ++q) {
    const double at = quantile_place(q, result.pairs);
    const double fraction = at - std::floor(at);
    // Rounding, and ties that are taken as one value, must not change the order of the quantiles.
    const double above = q == 0 ? result.max : result.quantile[q - 1];
    result.quantile[q] = std::clamp(values[2 * q] + fraction * (values[2 * q + 1] - values[2 * q]), result.min, above);
  }
}

/// For each row, how many of its pairs lie at or below each quantile.
using PairsBelow = Eigen::Matrix<std::int32_t, Eigen::Dynamic, 7>;

/// Adds 1 to the row of each pair of a strip that lies at or below the limit; how many there are.
template <class Value, class Count>
[[nodiscard]] Count count_below(const Value* values, Index count, Value limit, Count* rows) {
  Count total = 0;
  for (Index k = 0; k < count; ++k) {
    const Count is_below = values[k] <= limit ? 1 : 0;
    rows[k] = static_cast<Count>(rows[k] + is_below);
    total = static_cast<Count>(total + is_below);
  }
  return total;
}

/// Delete-one-row jackknife of the distribution function at each quantile, carried over to the quantile by its inverse
/// (Woodruff 1952); the finite population is accounted for. Rows, not pairs, are what was drawn.
/// @return the ranks one standard error below and above each quantile
[[nodiscard]] inline Ranks standard_error_ranks(const PairsBelow& below, std::int64_t pair_count, Index population) {
  const double n = static_cast<double>(below.rows());
  const double pairs = static_cast<double>(pair_count);
  const double unsampled = 1.0 - n / static_cast<double>(population);
  Ranks ranks{};
  for (std::size_t q = 0; q < 7; ++q) {
    const std::int32_t* const of_row = below.data() + static_cast<Index>(q) * below.rows();
    std::int64_t total = 0;
    for (Index i = 0; i < below.rows(); ++i) total += of_row[i];
    // Of the distribution function without row i in turn; what all have in common leaves no spread.
    const double mean_of_row = static_cast<double>(total) / n;
    double squares = 0.0;
    for (Index i = 0; i < below.rows(); ++i) {
      const double difference = (static_cast<double>(of_row[i]) - mean_of_row) / (pairs - (n - 1.0));
      squares += difference * difference;
    }
    const double variance = (n - 1.0) / n * squares;
    const double error = std::sqrt(variance * unsampled);
    const double p = 1.0 - cosine_probabilities[q];
    const auto rank = [pairs](double share) {
      return static_cast<std::int64_t>(std::round(std::clamp(share, 0.0, 1.0) * (pairs - 1.0)));
    };
    ranks[2 * q] = rank(p - error);
    ranks[2 * q + 1] = rank(p + error);
  }
  return ranks;
}

/// The standard errors from the order statistics of these ranks.
inline void set_standard_errors(PairDistances& result, const std::array<double, 14>& values) {
  for (std::size_t q = 0; q < 7; ++q) {
    result.standard_error[q] = 0.5 * std::max(values[2 * q + 1] - values[2 * q], 0.0);
  }
}

/// A cell with more of all pairs than that is not collected but divided again.
[[nodiscard]] inline std::int64_t most_collected(std::int64_t pairs) {
  return std::clamp(pairs / 1024, std::int64_t{1} << 16, std::int64_t{1} << 20);
}

}  // namespace collapse::statistics
