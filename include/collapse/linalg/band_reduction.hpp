#pragma once

#include <collapse/linalg/block_reflector.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace collapse::linalg {

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

/// The trailing part of a symmetric matrix and the transformation Q = I - V T V^T that comes next from both sides:
/// A - V W^T - W V^T with X = A V T and W = X - V (T^T V^T X) / 2 (Dongarra, Sorensen & Hammarling 1989).
///
/// Rows are taken in strips of a tile; a strip belongs to one thread at a time and forms its sums in one order, so bits
/// do not depend on the number of threads.
class TwoSidedUpdate {
 public:
  static constexpr Index tile = PackedVectors::tile;

  explicit TwoSidedUpdate(Index order)
      : left_(order, 2 * Band::width),
        right_(order, 2 * Band::width),
        half_(Band::width, Band::width),
        corners_(lower_tiles(order, tile)),
        scratch_(max_threads()),
        x_(order, Band::width) {
    for (Index i = 0; i < order; i += tile) strips_.emplace_back(Band::width, tile);
  }

  /// @param a  lower triangle, changed in place
  /// @param q  as many rows as `a`, at most Band::width columns
  void apply(const ColumnsView<double>& a, BlockReflector& q) {
    const Index order = a.rows();
    const Index depth = q.v.cols();
    const Index strips = (order + tile - 1) / tile;
    const auto height = [order](Index s) { return std::min(tile, order - s * tile); };
    const ColumnsView<double> v(q.v);
    const ColumnsView<double> vt(q.vt);
    const ColumnsView<double> all_x(x_);

    for (Index s = 0; s < strips; ++s) {
      strip(s).pack_rows(0, columns_as_rows(vt.block(s * tile, 0, height(s), depth)));
    }
    Eigen::MatrixXd products = Eigen::MatrixXd::Zero(depth, strips * depth);
    const ColumnsView<double> all_products(products);
    parallel_for({strips, order, order, depth}, scratch_, [&](Index s, Scratch& scratch) {
      // Close together: rows of x_ lie pages apart.
      const ColumnsView<double> x = ColumnsView<double>(scratch.product).block(0, 0, height(s), depth);
      x.set_zero();
      for (Index d = 0; d < strips; ++d) {
        pack_tile(a, s, d, height(s), height(d), scratch);
        add_products(scratch.packed, 0, strip(d), 0, height(d), x);
      }
      scratch.packed.pack_rows(0, columns_as_rows(x));
      add_products(strip(s), 0, scratch.packed, 0, height(s), all_products.block(0, s * depth, depth, depth));
      for (Index j = 0; j < depth; ++j) std::copy_n(x.col(j), height(s), all_x.col(j) + s * tile);
    });
    Eigen::MatrixXd half = Eigen::MatrixXd::Zero(depth, depth);
    for (Index s = 0; s < strips; ++s) {
      add_scaled(half.data(), -0.5, products.data() + s * depth * depth, depth * depth);
    }
    half_.pack_rows(0, columns_as_rows(half));

    parallel_for({strips, order, depth, depth}, scratch_, [&](Index s, Scratch& scratch) {
      const ColumnsView<double> own_v = v.block(s * tile, 0, height(s), depth);
      const ColumnsView<double> w = all_x.block(s * tile, 0, height(s), depth);
      left_.pack_columns(s * tile, height(s), columns_as_rows(own_v));
      add_products(left_, s * tile, half_, 0, depth, w);
      left_.pack_columns(s * tile, height(s), columns_as_rows(w), depth);
      // Exchanged, and with the sign that turns the sum into a difference.
      const ColumnsView<double> negative = ColumnsView<double>(scratch.mirrored).block(0, 0, height(s), depth);
      const auto negate = [&](const ColumnsView<double>& from) {
        for (Index j = 0; j < depth; ++j) {
          for (Index i = 0; i < height(s); ++i) negative(i, j) = -from(i, j);
        }
      };
      negate(w);
      right_.pack_columns(s * tile, height(s), columns_as_rows(negative));
      negate(own_v);
      right_.pack_columns(s * tile, height(s), columns_as_rows(negative), depth);
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
    Eigen::MatrixXd product{tile, Band::width};
    Eigen::MatrixXd mirrored{tile, tile};
  };

  /// Of V T, by its columns: the vectors that rows of A are multiplied with.
  [[nodiscard]] PackedVectors& strip(Index s) { return strips_[static_cast<std::size_t>(s)]; }

  /// Packs rows of tile (s, d) of the whole matrix, of which only the lower triangle is there.
  static void pack_tile(const ColumnsView<double>& a, Index s, Index d, Index rows, Index cols, Scratch& scratch) {
    const Index i = s * tile;
    const Index j = d * tile;
    if (s > d) {
      scratch.packed.pack_columns(0, rows, columns_as_rows(a.block(i, j, rows, cols)));
    } else if (s < d) {
      scratch.packed.pack_rows(0, columns_as_rows(a.block(j, i, cols, rows)));
    } else {
      const ColumnsView<double> whole = ColumnsView<double>(scratch.mirrored).block(0, 0, rows, cols);
      for (Index c = 0; c < cols; ++c) {
        for (Index r = c; r < rows; ++r) whole(r, c) = whole(c, r) = a(i + r, j + c);
      }
      scratch.packed.pack_columns(0, rows, columns_as_rows(whole));
    }
  }

  PackedVectors left_;
  PackedVectors right_;
  PackedVectors half_;
  std::vector<PackedVectors> strips_;
  std::vector<std::pair<Index, Index>> corners_;
  std::vector<Scratch> scratch_;
  Eigen::MatrixXd x_;
};

/// The first stage of a tridiagonalisation: Q^T A Q is a band, by a QR of each block of columns below the band and its
/// two-sided application to the rest (Schreiber & Parlett 1988; Bischof, Lang & Sun 2000). Q leaves the first unit
/// vector as it is. 4/3 n^3 flops, all but O(n^2) of them per column in matrix products.
///
/// @param a  lower triangle; destroyed
[[nodiscard]] inline Band reduce_to_band(const ColumnsView<double>& a) {
  const Index order = a.rows();
  constexpr Index width = Band::width;
  Band band(order);
  TwoSidedUpdate update(std::max<Index>(order - width, 0));
  for (Index first = 0; first < order; first += width) {
    const Index below = first + width;  // the first row of what is to vanish, above its diagonal
    const Index count = std::min(width, order - first);
    const Index rows = order - below;
    if (rows > 1) {
      BlockReflector q = eliminate(a.block(below, first, rows, count));
      update.apply(a.block(below, below, rows, rows), q);
    }
    for (Index j = first; j < first + count; ++j) {
      const Index end = std::min(order, j + width + 1);
      for (Index i = j; i < end; ++i) band.column(j)[i - j] = a(i, j);
    }
  }
  return band;
}

}  // namespace collapse::linalg
