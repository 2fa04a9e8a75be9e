#pragma once

#include <collapse/linalg/products.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace collapse::statistics {

using Eigen::Index;

/// As LowerTriangle, but multiplied in float, at half the time, for sums S of which only ||S||_F^2 is asked for: the
/// rounding of one entry is up to 1e-6 of it, but has nothing to do with that of the next, and little of it is left in
/// the sum of all squares. Hence from `least_order` columns on alone.
///
/// Columns are brought by powers of two to a range that all floats have. A column whose entries repeat rounds one way in
/// all its products: its squares in float against those in double tell how much, and its products are divided by that.
/// Products are added up in float over a few rows (`rows_in_float` and, of these, `run`), then in double. Equal products
/// round one way in a run too, which their number does not mend: see `suffices`.
class FloatTriangle {
 public:
  static constexpr Index tile = linalg::BasicPackedVectors<float>::tile;
  static constexpr Index least_order = 256;

  FloatTriangle(Index order, Index max_depth)
      : order_(order),
        packed_(order, max_depth),
        factor_(Eigen::VectorXd::Zero(order)),
        square_(Eigen::VectorXd::Zero(order)),
        rounding_(Eigen::VectorXd::Zero(order)),
        corners_(linalg::lower_tiles(order, tile)) {
    // The kernel multiplies whole groups; of the last one `pack` may fill a part.
    if (order > 0)
      std::fill_n(packed_.vector((order - 1) / Kernel::group * Kernel::group), Kernel::group * max_depth, 0.0F);
  }

  /// Packs `count` entries of each of columns [first, first + group), entry k of all from values[k * group] on.
  void pack(Index first, Index count, const double* values) {
    double largest = std::numeric_limits<double>::min();
    for (Index k = 0; k < count * group; ++k) largest = std::max(largest, std::abs(values[k]));
    const double unit = std::ldexp(1.0, std::ilogb(largest));
    const double scale = 1.0 / unit;
    double squares[group] = {};
    double rounded_squares[group] = {};
    double sums_of_floats[group] = {};
    float* to = packed_.vector(first);
    for (Index begin = 0; begin < count; begin += run) {
      float sums[group] = {};
      for (Index k = begin; k < std::min(begin + run, count); ++k, to += Kernel::group, values += group) {
        for (Index d = 0; d < group; ++d) {
          const double value = values[d] * scale;
          to[d] = static_cast<float>(value);
          const double rounded = static_cast<double>(to[d]);
          squares[d] += value * value;
          rounded_squares[d] += rounded * rounded;
          sums[d] += to[d] * to[d];
        }
      }
      for (Index d = 0; d < group; ++d) sums_of_floats[d] += static_cast<double>(sums[d]);
    }
    for (Index d = 0; d < std::min(group, order_ - first); ++d) {
      factor_(first + d) = rounded_squares[d] > 0.0 ? unit * std::sqrt(squares[d] / rounded_squares[d]) : 0.0;
      square_(first + d) = (unit * unit) * squares[d];
      rounding_(first + d) = (unit * unit) * (sums_of_floats[d] - rounded_squares[d]);
    }
  }

  /// Whether ||S||_F of what is packed will be right to 5e-9 with near certainty: a third of that is one standard
  /// deviation of its error, or less.
  ///
  /// The squares of each column are summed as the products will be, and what rounding does to these is seen: r_d of
  /// q_d. If the error of S_de is as large in proportion to sqrt(q_d q_e), S of rank one, where that makes the most of
  /// it, and errors independent of each other, then that of ||S||_F is sqrt(sum r^2) / sum q, in proportion to it, but
  /// for a factor below one.
  [[nodiscard]] bool suffices() const {
    const double total = square_.sum();
    return 3.0 * std::sqrt(rounding_.squaredNorm() * square_.squaredNorm()) <= 5e-9 * total * total || total == 0.0;
  }

  [[nodiscard]] Index tiles() const { return static_cast<Index>(corners_.size()); }

  /// Adds the products of `depth` packed entries.
  void add(Index t, Index depth, Eigen::MatrixXd& sums) const {
    const auto [i, j] = corners_[static_cast<std::size_t>(t)];
    const Index rows = std::min(tile, order_ - i);
    const Index cols = std::min(tile, order_ - j);
    alignas(64) float products[static_cast<std::size_t>(tile * tile)];
    for (Index begin = 0; begin < depth; begin += rows_in_float) {
      const linalg::ColumnsView<float> part(products, rows, cols, tile);
      part.set_zero();
      linalg::add_products(packed_, i, packed_, j, std::min(rows_in_float, depth - begin), part, i == j, begin, run);
      for (Index c = 0; c < cols; ++c) {
        const float* const from = part.col(c);
        double* const to = sums.data() + (j + c) * order_ + i;
        const double* const factor = factor_.data() + i;
        for (Index r = i == j ? c : 0; r < rows; ++r)
          to[r] += static_cast<double>(from[r]) * factor[r] * factor_(j + c);
      }
    }
  }

 private:
  using Kernel = linalg::BasicMicroKernel<float>;
  /// Columns come in the groups of the kernel for doubles; a group of that for floats holds one or two.
  static constexpr Index group = linalg::MicroKernel::group;
  static_assert(Kernel::group % group == 0);
  static constexpr Index run = 64;
  static constexpr Index rows_in_float = 256;

  Index order_;
  linalg::BasicPackedVectors<float> packed_;
  Eigen::VectorXd factor_;             ///< what a float of a column stands for
  Eigen::VectorXd square_, rounding_;  ///< squares of a column, and what float does to their sum
  std::vector<std::pair<Index, Index>> corners_;
};

}  // namespace collapse::statistics
