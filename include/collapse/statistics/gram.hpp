#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/statistics/directions.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

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

  /// Sum of squares of all entries, both triangles.
  [[nodiscard]] double squared_norm() const {
    double off_diagonal = 0.0;
    double diagonal = 0.0;
    for (Index j = 0; j < lower.cols(); ++j) {
      diagonal += lower(j, j) * lower(j, j);
      off_diagonal += lower.col(j).tail(lower.rows() - j - 1).squaredNorm();
    }
    return diagonal + 2.0 * off_diagonal;
  }
};

namespace detail {

[[nodiscard]] inline Side smaller_side(Index samples, Index dims) { return samples <= dims ? Side::samples : Side::dims; }

/// The lower triangle of A^T A for a matrix A of depth x order that is never held as a whole: `fill(first, rows)` writes
/// its rows [first, first + rows.rows()). Each tile of the result belongs to one thread at a time and adds the blocks of
/// A in order, so its bits do not depend on the number of threads. depth * order^2 flops, O(order^2) memory.
template <class Fill>
[[nodiscard]] Eigen::MatrixXd accumulate_gram(Index depth, Index order, Fill&& fill) {
  constexpr Index block = 256;  // rows of A per step: the panel of one tile stays in the second-level cache
  constexpr Index tile = 96;    // a multiple of the 24 and 12 rows that Eigen's kernels take at a time
  constexpr Index strip = 16;

  std::vector<std::pair<Index, Index>> tiles;
  for (Index j = 0; j < order; j += tile) {
    for (Index i = j; i < order; i += tile) tiles.emplace_back(i, j);
  }
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(order, order);
  Panel panel(std::min(block, depth), order);
  for (Index first = 0; first < depth; first += block) {
    const Index count = std::min(block, depth - first);
    parallel_for((count + strip - 1) / strip, [&](Index s) {
      fill(first + s * strip, panel.rows(s * strip, std::min(strip, count - s * strip), order));
    });
    const Panel::View a = panel.view(count, order);
    parallel_for(static_cast<Index>(tiles.size()), [&](Index t) {
      const auto [i, j] = tiles[static_cast<std::size_t>(t)];
      const Index rows = std::min(tile, order - i);
      const Index cols = std::min(tile, order - j);
      result.block(i, j, rows, cols).noalias() += a.middleCols(i, rows).transpose() * a.middleCols(j, cols);
    });
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

/// The Gram of the centred rows. On the side of the dimensions, entry (d, e) is in units of
/// 2^(exponent(d) + exponent(e)); on the side of the samples, in units of 2^(2 common_exponent()).
template <EmbeddingScalar Scalar>
[[nodiscard]] Gram centred_gram(const MatrixView<Scalar>& z, const Rows& rows, const Moments& moments) {
  const Side side = smaller_side(rows.samples, rows.dims);
  if (side == Side::dims) {
    const CentredTransform transform(moments, false);
    return {side, accumulate_gram(rows.samples, rows.dims, [&](Index first, Panel::View out) {
              load_centred(z, rows, transform, first, out);
            })};
  }
  const CentredTransform transform(moments, true);
  return {side, accumulate_gram(rows.dims, rows.samples, [&](Index first, Panel::View out) {
            load_centred_transposed(z, rows, transform, first, out);
          })};
}

/// The Gram of the directions with their mean removed, v_i; zero rows (and columns) for rows of length 0.
template <EmbeddingScalar Scalar>
[[nodiscard]] Gram direction_gram(const MatrixView<Scalar>& z, const Rows& rows, const Directions& directions) {
  const Side side = smaller_side(rows.samples, rows.dims);
  if (side == Side::dims) {
    const DirectionTransform transform(rows, directions.mean);
    return {side, accumulate_gram(rows.samples, rows.dims, [&](Index first, Panel::View out) {
              load(z, rows.selection(), first, 0, out);
              for (Index i = 0; i < out.rows(); ++i) {
                transform(first + i, {out.data() + i * out.outerStride(), out.cols()});
              }
            })};
  }
  const Eigen::RowVectorXd inverse = rows.inverse_norm.transpose();
  const Eigen::RowVectorXd prescale = rows.prescale.transpose();
  const Eigen::RowVectorXd directed = (inverse.array() > 0.0).cast<double>();
  return {side, accumulate_gram(rows.dims, rows.samples, [&](Index first, Panel::View out) {
            load_transposed(z, rows.selection(), 0, first, out);
            for (Index d = 0; d < out.rows(); ++d) {
              Eigen::Map<Eigen::RowVectorXd> values(out.data() + d * out.outerStride(), out.cols());
              if (prescale.size() > 0) values.array() *= prescale.array();
              values = (values.array() * inverse.array() - directions.mean(first + d) * directed.array()).matrix();
            }
          })};
}

}  // namespace detail

/// The smaller Gram matrix of the centred rows X = Z - 1 mean^T: X^T X (D x D) when N > D, X X^T (N x N) otherwise.
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return the lower triangle, accumulated in double from rows whose mean was removed first, in input units squared
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: N D min(N, D) flops, O(min(N, D)^2) memory.
template <class Derived>
[[nodiscard]] Gram gram(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const detail::Evaluated<Derived> evaluated(Z);
  const Rows rows = detail::scan_rows(evaluated.view(), options.nonfinite);
  const Moments moments = detail::moments(evaluated.view(), rows);
  Gram result = detail::centred_gram(evaluated.view(), rows, moments);
  for (Index j = 0; moments.scaled() && j < result.lower.cols(); ++j) {
    for (Index i = j; i < result.lower.rows(); ++i) {
      const int exponent = result.side == Side::dims ? moments.exponent(i) + moments.exponent(j) : 2 * moments.common_exponent();
      result.lower(i, j) = std::ldexp(result.lower(i, j), exponent);
    }
  }
  return result;
}

}  // namespace collapse
