#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace collapse {

/// Which product of a matrix A with itself a Gram holds.
enum class Side {
  dims,    ///< A^T A, D x D
  samples  ///< A A^T, N x N
};

/// The smaller product of a matrix with itself: both have the same non-zero eigenvalues and the same Frobenius norm.
/// Only the lower triangle is filled.
struct Gram {
  Side side = Side::dims;
  Eigen::MatrixXd lower;
};

namespace detail {

/// Sum of squares of all entries of a symmetric matrix given by its lower triangle.
[[nodiscard]] inline double symmetric_squared_norm(const Eigen::MatrixXd& lower) {
  double off_diagonal = 0.0;
  double diagonal = 0.0;
  for (Index j = 0; j < lower.cols(); ++j) {
    diagonal += lower(j, j) * lower(j, j);
    off_diagonal += lower.col(j).tail(lower.rows() - j - 1).squaredNorm();
  }
  return diagonal + 2.0 * off_diagonal;
}

[[nodiscard]] inline Side smaller_side(Index samples, Index dims) {
  return samples <= dims ? Side::samples : Side::dims;
}

/// The lower triangle of a square matrix of sums, divided in tiles that belong to one thread at a time.
class LowerTiles {
 public:
  static constexpr Index tile = 96;  // a multiple of the 24 and 12 rows that Eigen's kernels take at a time

  explicit LowerTiles(Index order) {
    for (Index j = 0; j < order; j += tile) {
      for (Index i = j; i < order; i += tile) corners_.emplace_back(i, j);
    }
  }

  [[nodiscard]] Index size() const { return static_cast<Index>(corners_.size()); }

  /// Adds a^T a to tile t of `sums`.
  void add(Index t, const Panel::View& a, Eigen::MatrixXd& sums) const {
    // Eigen packs both factors of a product this deep on the stack; deeper ones would allocate.
    constexpr Index depth = 128;
    const auto [i, j] = corners_[static_cast<std::size_t>(t)];
    const Index rows = std::min(tile, sums.rows() - i);
    const Index cols = std::min(tile, sums.cols() - j);
    for (Index first = 0; first < a.rows(); first += depth) {
      const Index count = std::min(depth, a.rows() - first);
      sums.block(i, j, rows, cols).noalias() +=
          a.block(first, i, count, rows).transpose() * a.block(first, j, count, cols);
    }
  }

 private:
  std::vector<std::pair<Index, Index>> corners_;
};

/// The lower triangle of A^T A for a matrix A of depth x order that is never held as a whole: `fill(first, rows)`
/// writes its rows [first, first + rows.rows()). Each tile of the result belongs to one thread at a time and adds the
/// blocks of A in order, so its bits do not depend on the number of threads. depth * order^2 flops, O(order^2) memory.
template <class Fill>
[[nodiscard]] Eigen::MatrixXd accumulate_gram(Index depth, Index order, Fill&& fill) {
  constexpr Index block = 256;  // rows of A per step: the panel of one tile stays in the second-level cache
  constexpr Index strip = 16;
  const LowerTiles tiles(order);
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(order, order);
  Panel panel(std::min(block, depth), order);
  for (Index first = 0; first < depth; first += block) {
    const Index count = std::min(block, depth - first);
    parallel_for((count + strip - 1) / strip, [&](Index s) {
      fill(first + s * strip, panel.rows(s * strip, std::min(strip, count - s * strip), order));
    });
    const Panel::View a = panel.view(count, order);
    parallel_for(tiles.size(), [&](Index t) { tiles.add(t, a, result); });
  }
  return result;
}

/// Writes rows of the centred matrix, in the unit of each dimension (or one unit for all).
class CentredTransform {
 public:
  CentredTransform(const Moments& moments, bool common_unit)
      : mean_(moments.mean.transpose()), low_(moments.mean_low.transpose()), scaled_(moments.scaled()) {
    if (!scaled_) return;
    scale_.resize(moments.dims);
    for (Index d = 0; d < moments.dims; ++d) {
      scale_(d) = std::ldexp(1.0, -(common_unit ? moments.common_exponent() : moments.exponent(d)));
    }
  }

  void row(Eigen::Map<Eigen::RowVectorXd> values, Index first_dim = 0) const {
    const Index count = values.size();
    values = (values - mean_.segment(first_dim, count)) - low_.segment(first_dim, count);
    if (scaled_) values.array() *= scale_.segment(first_dim, count).array();
  }

  void dimension(Index d, Eigen::Map<Eigen::RowVectorXd> values) const {
    values = ((values.array() - mean_(d)) - low_(d)).matrix();
    if (scaled_) values *= scale_(d);
  }

 private:
  Eigen::RowVectorXd mean_, low_, scale_;
  bool scaled_;
};

/// Loads rows [first, first + out.rows()) of the centred matrix.
template <EmbeddingScalar Scalar>
void load_centred(const MatrixView<Scalar>& z, const Rows& rows, const CentredTransform& transform, Index first,
                  Panel::View out) {
  load(z, rows.selection(), first, 0, out);
  for (Index i = 0; i < out.rows(); ++i) transform.row({out.data() + i * out.outerStride(), out.cols()});
}

/// Loads dimensions [first, first + out.rows()) of the centred matrix, samples along the row.
template <EmbeddingScalar Scalar>
void load_centred_transposed(const MatrixView<Scalar>& z, const Rows& rows, const CentredTransform& transform,
                             Index first, Panel::View out) {
  load_transposed(z, rows.selection(), 0, first, out);
  for (Index d = 0; d < out.rows(); ++d) {
    transform.dimension(first + d, {out.data() + d * out.outerStride(), out.cols()});
  }
}

/// The N x N Gram of the centred rows, in units of 2^(2 common_exponent()).
template <EmbeddingScalar Scalar>
[[nodiscard]] Gram samples_gram(const MatrixView<Scalar>& z, const Rows& rows, const Moments& moments) {
  const CentredTransform transform(moments, true);
  return {Side::samples, accumulate_gram(rows.dims, rows.samples, [&](Index first, Panel::View out) {
            load_centred_transposed(z, rows, transform, first, out);
          })};
}

/// Lower triangle of V V^T, N x N, for the directions with `mean` removed, v_i; zero rows (and columns) for rows of
/// length 0.
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::MatrixXd direction_products(const MatrixView<Scalar>& z, const Rows& rows,
                                                 const Eigen::VectorXd& mean) {
  const Eigen::RowVectorXd inverse = rows.inverse_norm.transpose();
  const Eigen::RowVectorXd prescale = rows.prescale.transpose();
  const Eigen::RowVectorXd directed = (inverse.array() > 0.0).cast<double>();
  return accumulate_gram(rows.dims, rows.samples, [&](Index first, Panel::View out) {
    load_transposed(z, rows.selection(), 0, first, out);
    for (Index d = 0; d < out.rows(); ++d) {
      Eigen::Map<Eigen::RowVectorXd> values(out.data() + d * out.outerStride(), out.cols());
      if (prescale.size() > 0) values.array() *= prescale.array();
      values = (values.array() * inverse.array() - mean(first + d) * directed.array()).matrix();
    }
  });
}

}  // namespace detail

}  // namespace collapse
