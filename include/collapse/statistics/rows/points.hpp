#pragma once

#include <collapse/linalg/differences.hpp>
#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/report/metric.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/lengths.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

namespace statistics {

/// The rows between which there are distances, as vectors of double: z_i, or u_i for the cosine. They are read when
/// they are asked for, never held all at once.
template <EmbeddingScalar Scalar>
class Points {
 public:
  Points(const linalg::MatrixView<Scalar>& z, const Rows& rows, Metric metric) : z_(z), metric_(metric) {
    const linalg::RowSelection selection = rows.selection();
    const bool directions = metric == Metric::cosine;
    const Index count = directions ? rows.directed() : rows.samples;
    rows_.reserve(static_cast<std::size_t>(count));
    lengths_.resize(count);
    if (directions) scales_.resize(count, 2);
    for (Index i = 0; i < rows.samples; ++i) {
      if (directions && rows.inverse_norm(i) == 0.0) continue;
      const auto line = static_cast<Index>(rows_.size());
      rows_.push_back(selection(i));
      // Of entries near the end of double the length may lie beyond.
      lengths_(line) = directions ? 1.0 : std::min(rows.norm(i), std::numeric_limits<double>::max());
      if (directions) scales_.row(line) << rows.scale(i), rows.inverse_norm(i);
    }
    if (!directions && count > 0) exponent_ = range_exponent(lengths_.maxCoeff());
  }

  [[nodiscard]] Index count() const { return lengths_.size(); }
  [[nodiscard]] Index dims() const { return z_.cols; }
  [[nodiscard]] Metric metric() const { return metric_; }

  /// The row of Z that each point is.
  [[nodiscard]] const std::vector<Index>& rows() const { return rows_; }

  /// ||z_i|| in input units; 1 for directions.
  [[nodiscard]] const Eigen::VectorXd& lengths() const { return lengths_; }

  /// The vectors are in units of 2^exponent() of the input: 0 unless their squares would leave the range of double.
  [[nodiscard]] int exponent() const { return exponent_; }

  /// A panel for vectors, with the zeros at their ends that `distances` asks for.
  [[nodiscard]] linalg::Panel panel(Index most) const {
    linalg::Panel result(most, linalg::padded_depth(dims()));
    const linalg::RowsView all = result.view(most, linalg::padded_depth(dims()));
    for (Index i = 0; i < most; ++i) std::fill_n(all.row(i), all.cols(), 0.0);
    return result;
  }

  /// Writes the points first, first + 1, ... to the rows of `out`.
  void load(Index first, linalg::Panel::View out) const {
    linalg::load(z_, linalg::RowSelection{&rows_}, first, 0, out);
    for (Index r = 0; r < out.rows(); ++r) {
      // In two steps: a single factor might leave the range itself.
      const auto scale = [&](double first_factor, double second_factor) {
        linalg::scale(out.row(r), first_factor, out.cols());
        linalg::scale(out.row(r), second_factor, out.cols());
      };
      if (metric_ == Metric::cosine) {
        scale(scales_(first + r, 0), scales_(first + r, 1));
      } else if (exponent_ != 0) {
        scale(std::ldexp(1.0, -exponent_ / 2), std::ldexp(1.0, -exponent_ + exponent_ / 2));
      }
    }
  }

  /// By what points are ranked, from how far apart their vectors are.
  [[nodiscard]] double ranked(double distance) const {
    return metric_ == Metric::cosine ? std::min(0.5 * distance * distance, 2.0) : distance;
  }

  /// The same in input units.
  [[nodiscard]] double reported(double ranked) const { return std::ldexp(ranked, exponent_); }

  /// How far apart points are in space, in input units, whose vectors are so far apart.
  [[nodiscard]] double separation(double distance) const { return std::ldexp(distance, exponent_); }

 private:
  linalg::MatrixView<Scalar> z_;
  Metric metric_;
  std::vector<Index> rows_;
  Eigen::VectorXd lengths_;
  Eigen::MatrixX2d scales_;  ///< factors that make a row a direction; of each, a power of two and the rest
  int exponent_ = 0;
};

/// Up to `most` of `count` places, ascending, drawn uniformly without replacement.
[[nodiscard]] inline std::vector<Index> sample_places(Index count, Index most, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, Index>> keys(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    keys[static_cast<std::size_t>(i)] = {linalg::hash(seed, static_cast<std::uint64_t>(i)), i};
  }
  const auto taken = static_cast<std::ptrdiff_t>(std::min(count, most));
  if (taken < count) std::nth_element(keys.begin(), keys.begin() + taken, keys.end());
  std::vector<Index> places(static_cast<std::size_t>(taken));
  std::transform(keys.begin(), keys.begin() + taken, places.begin(), [](const auto& key) { return key.second; });
  std::sort(places.begin(), places.end());
  return places;
}

}  // namespace statistics
}  // namespace collapse
