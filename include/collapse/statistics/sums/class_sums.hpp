#pragma once

#include <collapse/linalg/capacity.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace collapse {

/// Counts, means and spreads of labelled classes, and the scatter within all of them together: K D + D^2 numbers.
/// Additive: the sums of two sets of rows merge into those of their union.
///
/// Lengths are in units of 2^exponent(), which is 1 unless rows leave the range where squares can be summed; each mean
/// is an unevaluated sum of two doubles, so that classes are told apart also where the mean is huge against what lies
/// between them.
struct ClassSums {
  Index dims = 0;
  std::vector<std::int64_t> label;  ///< of each class, in order of appearance
  std::vector<Index> count;         ///< rows of each class
  std::vector<double> mean;         ///< K x D, one class after the other
  std::vector<double> mean_low;     ///< K x D, what rounding took from the means
  std::vector<double> sum_squares;  ///< of each class, sum ||z - m_c||^2
  Eigen::MatrixXd scatter;          ///< D x D, lower triangle of sum (z - m_c)(z - m_c)^T over all rows
  double largest = 0.0;             ///< length of the longest row
  double input_epsilon = 0.0;       ///< of the scalar that the rows came in
  Index unlabelled_rows = 0;
  Index skipped_rows = 0;

  [[nodiscard]] Index classes() const { return static_cast<Index>(label.size()); }
  [[nodiscard]] int exponent() const { return statistics::range_exponent(largest); }
  [[nodiscard]] Index samples() const {
    Index total = 0;
    for (const Index n : count) total += n;
    return total;
  }

  /// The places of all classes in ascending order of their labels.
  [[nodiscard]] const std::vector<Index>& ascending() const { return ascending_; }

  /// The place of a class; -1 when no row had this label.
  [[nodiscard]] Index find(std::int64_t wanted) const {
    const auto at = lower_bound(wanted);
    return at != ascending_.end() && label[static_cast<std::size_t>(*at)] == wanted ? *at : -1;
  }

  /// Makes room for the classes in a list of labels and adds those that are new, without rows. Throws before it changes
  /// anything or not at all.
  void add_classes(std::vector<std::int64_t> labels) {
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    std::erase_if(labels, [this](std::int64_t wanted) { return find(wanted) >= 0; });
    if (labels.empty()) return;
    const auto reserve = [](auto& values, std::size_t more) { linalg::grow_capacity(values, values.size() + more); };
    const std::size_t width = static_cast<std::size_t>(dims);
    reserve(label, labels.size());
    reserve(count, labels.size());
    reserve(ascending_, labels.size());
    reserve(sum_squares, labels.size());
    reserve(mean, labels.size() * width);
    reserve(mean_low, labels.size() * width);
    for (const std::int64_t fresh : labels) {
      ascending_.insert(lower_bound(fresh), classes());
      label.push_back(fresh);
    }
    count.resize(label.size(), 0);
    sum_squares.resize(label.size(), 0.0);
    mean.resize(label.size() * width, 0.0);
    mean_low.resize(label.size() * width, 0.0);
  }

  /// Lets the unit grow with a row of this length.
  void rescale_for(double length) {
    const int before = exponent();
    largest = std::max(largest, length);
    const int change = before - exponent();
    if (change == 0 || samples() == 0) return;
    for (double& value : mean) value = std::ldexp(value, change);
    for (double& value : mean_low) value = std::ldexp(value, change);
    for (double& value : sum_squares) value = std::ldexp(value, 2 * change);
    for (double& value : scatter.reshaped()) value = std::ldexp(value, 2 * change);
  }

 private:
  [[nodiscard]] std::vector<Index>::const_iterator lower_bound(std::int64_t wanted) const {
    return std::lower_bound(ascending_.begin(), ascending_.end(), wanted, [this](Index place, std::int64_t value) {
      return label[static_cast<std::size_t>(place)] < value;
    });
  }

  std::vector<Index> ascending_;
};

namespace statistics {

/// Adds labelled rows to ClassSums. Of a block of rows those of one class are centred on their own mean; with the row
/// that the merge formula asks for, one for each class (Chan, Golub & LeVeque 1983, eq. 2.1), the scatter within all
/// classes together is one symmetric product. A class that has one row in a block has that row of the formula alone.
class ClassFolder {
 public:
  static constexpr Index block = 512;

  explicit ClassFolder(Index dims)
      : dims_(dims),
        panel_(most_rows, dims),
        triangle_(dims, most_rows),
        squares_((dims + strip - 1) / strip, block),
        order_(block),
        source_(block) {
    groups_.reserve(static_cast<std::size_t>(block));
  }

  [[nodiscard]] ClassSums empty() const {
    ClassSums sums;
    sums.dims = dims_;
    sums.scatter = Eigen::MatrixXd::Zero(dims_, dims_);
    return sums;
  }

  /// Adds rows. Throws before it changes anything or not at all.
  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z, const LabelledRows& labelled, ClassSums& sums) {
    const Rows& rows = labelled.rows;
    sums.add_classes(labelled.label);
    sums.unlabelled_rows += labelled.unlabelled;
    sums.skipped_rows += rows.skipped - labelled.unlabelled;
    if (rows.samples == 0) return;
    sums.input_epsilon = std::max(sums.input_epsilon, linalg::input_epsilon<Scalar>());
    sums.rescale_for(rows.norm.maxCoeff());
    for (Index first = 0; first < rows.samples; first += block) {
      const Index count = std::min(block, rows.samples - first);
      const Index packed = arrange(labelled, first, count, sums);
      const double scale = std::ldexp(1.0, -sums.exponent());
      linalg::parallel_for({squares_.rows(), count, dims_}, [&](Index s) {
        const Index width = std::min(strip, dims_ - s * strip);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
          const Group& group = groups_[g];
          linalg::Panel::View values = part(group.row, group.count, s * strip, width);
          load(z, linalg::RowSelection{&source_}, group.source, s * strip, values);
          if (scale != 1.0) values.scale(scale);
          squares_(s, static_cast<Index>(g)) = centre(values, group, s * strip, sums);
        }
      });
      finish(packed, sums);
    }
  }

  /// Adds other sums of as many dimensions.
  void merge(const ClassSums& other, ClassSums& sums) {
    sums.add_classes(other.label);
    sums.unlabelled_rows += other.unlabelled_rows;
    sums.skipped_rows += other.skipped_rows;
    if (other.samples() == 0) return;
    sums.input_epsilon = std::max(sums.input_epsilon, other.input_epsilon);
    sums.rescale_for(other.largest);
    const int change = other.exponent() - sums.exponent();
    for (Index first = 0; first < other.classes(); first += block) {
      const Index count = std::min(block, other.classes() - first);
      groups_.clear();
      for (Index k = 0; k < count; ++k) {
        const std::size_t from = static_cast<std::size_t>(first + k);
        const Index slot = sums.find(other.label[from]);
        groups_.push_back({slot, other.count[from], k, 0});
        sums.sum_squares[static_cast<std::size_t>(slot)] += std::ldexp(other.sum_squares[from], 2 * change);
        join(other, first + k, change, groups_.back(), sums, squares_(0, k));
      }
      squares_.bottomRows(squares_.rows() - 1).leftCols(count).setZero();
      finish(count, sums);
    }
    for (Index j = 0; j < dims_; ++j) {
      for (Index i = j; i < dims_; ++i) sums.scatter(i, j) += std::ldexp(other.scatter(i, j), 2 * change);
    }
  }

 private:
  static constexpr Index strip = 64;
  static constexpr Index most_rows = block + block / 2;
  using Lanes = Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor, 1, strip>;

  /// The rows of one class in a block.
  struct Group {
    Index slot;    ///< of the class
    Index count;   ///< rows
    Index row;     ///< the first one's in the panel
    Index source;  ///< the first one's among the sources
  };

  [[nodiscard]] linalg::Panel::View part(Index row, Index count, Index first, Index width) {
    return {panel_.row(row) + first, count, width, panel_.view(1, 1).stride()};
  }

  /// Sorts the rows of a block by class; how many rows of the panel they take.
  Index arrange(const LabelledRows& labelled, Index first, Index count, const ClassSums& sums) {
    const linalg::RowSelection at = labelled.rows.selection();
    for (Index k = 0; k < count; ++k) {
      order_[static_cast<std::size_t>(k)] = {sums.find(labelled.label[static_cast<std::size_t>(first + k)]),
                                             at(first + k)};
    }
    std::sort(order_.begin(), order_.begin() + count);
    groups_.clear();
    Index row = 0;
    for (Index k = 0; k < count; ++k) {
      const auto [slot, source] = order_[static_cast<std::size_t>(k)];
      source_[static_cast<std::size_t>(k)] = source;
      if (groups_.empty() || groups_.back().slot != slot) {
        if (!groups_.empty()) row += rows_of(groups_.back());
        groups_.push_back({slot, 0, row, k});
      }
      ++groups_.back().count;
    }
    return row + rows_of(groups_.back());
  }

  [[nodiscard]] static Index rows_of(const Group& group) { return group.count == 1 ? 1 : group.count + 1; }

  /// Centres some columns of the rows of a class where they stand, appends the row of the merge formula (in place of a
  /// single row) and moves the mean; the sum of the squares of all.
  double centre(linalg::Panel::View values, const Group& group, Index first, ClassSums& sums) {
    const Index width = values.cols();
    const auto slot = static_cast<std::size_t>(group.slot);
    Eigen::Map<Lanes> mean(sums.mean.data() + group.slot * dims_ + first, width);
    Eigen::Map<Lanes> low(sums.mean_low.data() + group.slot * dims_ + first, width);
    const double n = static_cast<double>(sums.count[slot]);
    const double b = static_cast<double>(group.count);
    Lanes origin = mean;
    if (n == 0.0) std::copy_n(values.row(0), width, origin.data());
    Lanes sum = Lanes::Zero(width);
    for (Index i = 0; i < group.count; ++i) {
      double* const row = values.row(i);
      for (Index d = 0; d < width; ++d) sum(d) += row[d] -= origin(d);
    }
    for (double& value : sum) value /= b;
    Lanes left = Lanes::Zero(width);
    double squares = 0.0;
    for (Index i = 0; i < group.count; ++i) {
      double* const row = values.row(i);
      for (Index d = 0; d < width; ++d) left(d) += row[d] -= sum(d);
      squares += linalg::squared_norm(row, width);
    }
    for (double& value : left) value /= b;
    double* const merge = part(group.row + (group.count == 1 ? 0 : group.count), 1, first, width).row(0);
    for (Index d = 0; d < width; ++d) merge[d] = std::sqrt(n * b / (n + b)) * ((sum(d) - low(d)) + left(d));
    const double share = b / (n + b);
    for (Index d = 0; d < width; ++d) {
      const auto [moved, rounding] = two_sum(origin(d), sum(d) * share);
      std::tie(mean(d), low(d)) = two_sum(moved, rounding + (low(d) + (left(d) - low(d)) * share));
    }
    return squares + linalg::squared_norm(merge, width);
  }

  /// The same of a class whose mean is known.
  void join(const ClassSums& other, Index from, int change, const Group& group, ClassSums& sums, double& squares) {
    const double n = static_cast<double>(sums.count[static_cast<std::size_t>(group.slot)]);
    const double m = static_cast<double>(group.count);
    double* const mean = sums.mean.data() + group.slot * dims_;
    double* const low = sums.mean_low.data() + group.slot * dims_;
    double* const row = panel_.row(group.row);
    squares = 0.0;
    for (Index d = 0; d < dims_; ++d) {
      const std::size_t at = static_cast<std::size_t>(from * dims_ + d);
      const double other_mean = std::ldexp(other.mean[at], change);
      const double other_low = std::ldexp(other.mean_low[at], change);
      if (n == 0.0) {
        mean[d] = other_mean;
        low[d] = other_low;
        row[d] = 0.0;
        continue;
      }
      const double delta = (other_mean - mean[d]) + (other_low - low[d]);
      std::tie(mean[d], low[d]) = two_sum(mean[d], low[d] + delta * (m / (n + m)));
      row[d] = std::sqrt(n * m / (n + m)) * delta;
      squares += row[d] * row[d];
    }
  }

  /// Adds the products of the rows in the panel, and counts those of the groups.
  void finish(Index packed, ClassSums& sums) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto slot = static_cast<std::size_t>(groups_[g].slot);
      sums.sum_squares[slot] += squares_.col(static_cast<Index>(g)).sum();
      sums.count[slot] += groups_[g].count;
    }
    constexpr Index rows = 16;
    linalg::parallel_for({(packed + rows - 1) / rows, packed, dims_}, [&](Index s) {
      triangle_.pack(s * rows, panel_.rows(s * rows, std::min(rows, packed - s * rows), dims_));
    });
    linalg::parallel_for({triangle_.tiles(), packed, dims_, dims_},
                         [&](Index t) { triangle_.add(t, packed, sums.scatter); });
  }

  Index dims_;
  linalg::Panel panel_;
  LowerTriangle triangle_;
  Eigen::MatrixXd squares_;  ///< of each group, strip by strip
  std::vector<std::pair<Index, Index>> order_;
  std::vector<Index> source_;
  std::vector<Group> groups_;
};

/// The sums of all labelled rows of a matrix.
template <EmbeddingScalar Scalar>
[[nodiscard]] ClassSums sum_classes(const linalg::MatrixView<Scalar>& z, const LabelledRows& labelled) {
  ClassFolder folder(labelled.rows.dims);
  ClassSums sums = folder.empty();
  folder.add(z, labelled, sums);
  return sums;
}

}  // namespace statistics
}  // namespace collapse
