#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/detail/products.hpp>

#include <Eigen/Core>
#include <Eigen/Householder>
#include <Eigen/QR>

#include <algorithm>
#include <vector>

namespace collapse::detail {

/// A symmetric matrix with nothing beyond `width` diagonals below the main one, by its lower half.
///
/// Each column is stored from its diagonal entry downwards and twice as long as the band is wide: room for what grows
/// out of the band while it is narrowed. Behind the last column stand columns of zeros, so that a window of `width`
/// columns and twice as many rows may begin at every column.
class Band {
 public:
  /// Diagonals below the main one. Wider, more of the reduction to a band are matrix products that come from the
  /// cache; narrower, less is left for what follows. Whole packets, and few enough for the first-level cache.
  static constexpr Index width = 32;
  static constexpr Index stride = 2 * width;

  explicit Band(Index order) : order_(order), values_(Eigen::MatrixXd::Zero(stride, order + stride)) {}

  [[nodiscard]] Index order() const { return order_; }

  /// Entry (column, column); those below it follow.
  [[nodiscard]] double* column(Index column) { return values_.data() + column * stride; }
  [[nodiscard]] const double* column(Index column) const { return values_.data() + column * stride; }

 private:
  Index order_;
  Eigen::MatrixXd values_;
};

/// The trailing part of a symmetric matrix and the orthogonal transformation I - V T V^T that comes next from both
/// sides: A - V W^T - W V^T with X = A V T and W = X - V (T^T V^T X) / 2 (Dongarra, Sorensen & Hammarling 1989).
///
/// Rows are taken in strips of a tile; a strip belongs to one thread at a time and forms its sums in one order, so bits
/// do not depend on the number of threads.
template <class Matrix>
class TwoSidedUpdate {
 public:
  static constexpr Index tile = PackedVectors::tile;

  explicit TwoSidedUpdate(Index order)
      : left_(order, 2 * Band::width), right_(order, 2 * Band::width), scratch_(max_threads()) {
    for (Index j = 0; j < order; j += tile) {
      for (Index i = j; i < order; i += tile) corners_.emplace_back(i, j);
    }
    strips_.reserve(static_cast<std::size_t>((order + tile - 1) / tile));
    for (Index i = 0; i < order; i += tile) strips_.emplace_back(Band::width, tile);
    x_.resize(order, Band::width);
  }

  /// @param a  lower triangle, changed in place
  /// @param v  as many rows as `a`, at most Band::width columns
  /// @param t  upper triangular
  void apply(Eigen::Ref<Matrix> a, const Matrix& v, const Matrix& t) {
    const Index order = a.rows();
    const Index depth = v.cols();
    const Index strips = (order + tile - 1) / tile;
    const auto height = [order](Index s) { return std::min(tile, order - s * tile); };

    for (Index s = 0; s < strips; ++s) pack_depth(s, v.middleRows(s * tile, height(s)));
    Matrix products(depth, strips * depth);
    parallel_for({strips, order, order, depth}, scratch_, [&](Index s, Scratch& scratch) {
      const Index rows = height(s);
      auto x = x_.block(s * tile, 0, rows, depth);
      auto av = scratch.product.topLeftCorner(rows, depth);
      av.setZero();
      for (Index d = 0; d < strips; ++d) {
        pack_tile(a, s, d, rows, height(d), scratch);
        add_products(scratch.packed, 0, strips_[static_cast<std::size_t>(d)], 0, height(d), av);
      }
      x.noalias() = av * t;
      products.middleCols(s * depth, depth).noalias() = v.middleRows(s * tile, rows).transpose() * x;
    });
    Matrix vx = Matrix::Zero(depth, depth);
    for (Index s = 0; s < strips; ++s) vx += products.middleCols(s * depth, depth);
    const Matrix half = 0.5 * (t.transpose() * vx);

    parallel_for({strips, order, depth, depth}, scratch_, [&](Index s, Scratch& scratch) {
      const Index rows = height(s);
      const auto part = v.middleRows(s * tile, rows);
      auto factors = scratch.factors.topLeftCorner(rows, 2 * depth);
      factors.leftCols(depth) = part;
      factors.rightCols(depth) = x_.block(s * tile, 0, rows, depth);
      factors.rightCols(depth).noalias() -= part * half;
      left_.pack_columns(s * tile, rows, columns_as_rows(scratch.factors, rows, 0, 2 * depth));
      // The same vectors with their halves exchanged and the sign that turns the sum into a difference.
      scratch.swapped.topLeftCorner(rows, depth) = -factors.rightCols(depth);
      scratch.swapped.block(0, depth, rows, depth) = -part;
      right_.pack_columns(s * tile, rows, columns_as_rows(scratch.swapped, rows, 0, 2 * depth));
    });
    parallel_for({static_cast<Index>(corners_.size()), order, order, depth}, [&](Index c) {
      const auto [i, j] = corners_[static_cast<std::size_t>(c)];
      if (i >= order || j >= order) return;
      add_products(left_, i, right_, j, 2 * depth, a.block(i, j, std::min(tile, order - i), std::min(tile, order - j)),
                   i == j);
    });
  }

 private:
  struct Scratch {
    PackedVectors packed{tile, tile};
    Matrix product{tile, Band::width};
    Matrix mirrored{tile, tile};
    Matrix factors{tile, 2 * Band::width};
    Matrix swapped{tile, 2 * Band::width};
  };

  /// Columns [first, first + count) of a column-major matrix, each as a row.
  static Panel::View columns_as_rows(Matrix& m, Index rows, Index first, Index count) {
    return {m.data() + first * m.rows(), count, rows, Eigen::OuterStride<>(m.rows())};
  }

  /// Packs a strip of V by its columns, the vectors that rows of A are multiplied with, and zeros up to the end of the
  /// last group.
  void pack_depth(Index s, const Eigen::Ref<const Matrix>& v) {
    PackedVectors& to = strips_[static_cast<std::size_t>(s)];
    constexpr Index group = MicroKernel::group;
    const Index whole = (v.cols() + group - 1) / group * group;
    for (Index c = 0; c < whole; ++c) {
      double* const vector = to.vector(c);
      for (Index k = 0; k < v.rows(); ++k) vector[k * group] = c < v.cols() ? v(k, c) : 0.0;
    }
  }

  /// Packs rows of tile (s, d) of the whole matrix, of which only the lower triangle is there.
  static void pack_tile(Eigen::Ref<Matrix> a, Index s, Index d, Index rows, Index cols, Scratch& scratch) {
    const Index i = s * tile;
    const Index j = d * tile;
    const Index stride = a.outerStride();
    if (s > d) {
      scratch.packed.pack_columns(0, rows, {a.data() + j * stride + i, cols, rows, Eigen::OuterStride<>(stride)});
    } else if (s < d) {
      scratch.packed.pack_rows(0, {a.data() + i * stride + j, rows, cols, Eigen::OuterStride<>(stride)});
    } else {
      auto whole = scratch.mirrored.topLeftCorner(rows, cols);
      whole = a.block(i, j, rows, cols).template selfadjointView<Eigen::Lower>();
      scratch.packed.pack_columns(0, rows, columns_as_rows(scratch.mirrored, rows, 0, cols));
    }
  }

  PackedVectors left_;
  PackedVectors right_;
  std::vector<PackedVectors> strips_;
  std::vector<std::pair<Index, Index>> corners_;
  std::vector<Scratch> scratch_;
  Matrix x_;
};

/// The first stage of a tridiagonalisation: Q^T A Q is a band, by a QR of each block of columns below the band and its
/// two-sided application to the rest (Schreiber & Parlett 1988; Bischof, Lang & Sun 2000). Q leaves the first unit
/// vector as it is. 4/3 n^3 flops, all but O(n^2) of them per column in matrix products.
///
/// @param a  lower triangle; destroyed
/// A template, so that only who calls it compiles it, and a program may do so once (`extern template`).
template <class Matrix>
[[nodiscard]] Band reduce_to_band(Matrix& a) {
  const Index order = a.rows();
  constexpr Index width = Band::width;
  Band band(order);
  TwoSidedUpdate<Matrix> update(std::max<Index>(order - width, 0));
  Matrix v;
  Matrix t;
  for (Index first = 0; first < order; first += width) {
    const Index below = first + width;  // the first row of what is to vanish, above its diagonal
    const Index count = std::min(width, order - first);
    const Index rows = order - below;
    if (rows > 1) {
      auto panel = a.block(below, first, rows, count);
      const Index reflectors = std::min(rows, count);
      Eigen::VectorXd scales(reflectors);
      Eigen::VectorXd workspace(count);
      Eigen::Ref<Matrix> reduced(panel);
      Eigen::internal::householder_qr_inplace_blocked<Eigen::Ref<Matrix>, Eigen::VectorXd>::run(reduced, scales, 8,
                                                                                                workspace.data());
      v = reduced.leftCols(reflectors).template triangularView<Eigen::UnitLower>();
      t = Matrix::Zero(reflectors, reflectors);
      Eigen::internal::make_block_householder_triangular_factor(t, v, scales);
      update.apply(a.bottomRightCorner(rows, rows), v, t);
    }
    for (Index j = first; j < first + count; ++j) {
      const Index end = std::min(order, j + width + 1);
      for (Index i = j; i < end; ++i) band.column(j)[i - j] = a(i, j);
    }
  }
  return band;
}

}  // namespace collapse::detail
