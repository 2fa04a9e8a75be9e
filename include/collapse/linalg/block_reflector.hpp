#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace collapse::linalg {

/// The Householder reflection that takes x to a multiple of the first unit vector: I - scale v v^T with v(0) = 1. Writes
/// v and what x becomes; `scale` is 0, and v the first unit vector, where x is there already. Squares of the entries
/// must neither overflow nor vanish.
[[nodiscard]] inline double householder(double* x, double* v, Index n) {
  const double tail = squared_norm(x + 1, n - 1);
  double divisor = std::numeric_limits<double>::infinity();
  double scale = 0.0;
  if (tail > std::numeric_limits<double>::min()) {
    const double head = x[0];
    const double norm = std::copysign(std::sqrt(head * head + tail), head);
    divisor = head + norm;
    scale = divisor / norm;
    x[0] = -norm;
  }
  v[0] = 1.0;
  for (Index i = 1; i < n; ++i) v[i] = x[i] / divisor;
  std::fill(x + 1, x + n, 0.0);
  return scale;
}

/// Q = I - V T V^T, the product of the reflections that take the columns of a panel in turn to multiples of the unit
/// vectors (compact WY form; Schreiber & Van Loan 1989).
struct BlockReflector {
  Eigen::MatrixXd v;   ///< rows x at most 32, unit lower trapezoidal
  Eigen::MatrixXd vt;  ///< V T: whatever Q is applied to needs no other part of T
};

/// Takes a panel to Q^T panel: upper triangular, with zeros below.
///
/// Entries must leave room for their squares. About 2 rows cols^2 flops and as many for V T.
[[nodiscard]] inline BlockReflector eliminate(const ColumnsView<double>& panel) {
  const Index rows = panel.rows();
  const Index count = std::min(rows, panel.cols());
  BlockReflector q{Eigen::MatrixXd::Zero(rows, count), Eigen::MatrixXd::Zero(rows, count)};
  const ColumnsView<double> all_v(q.v);
  const ColumnsView<double> all_vt(q.vt);
  std::vector<double> along(static_cast<std::size_t>(panel.cols()));
  for (Index k = 0; k < count; ++k) {
    const Index length = rows - k;
    double* const v = all_v.col(k) + k;
    const double factor = householder(panel.col(k) + k, v, length);
    if (factor == 0.0) continue;

    const Index others = panel.cols() - k - 1;
    const ColumnsView<double> rest = panel.block(k, k + 1, length, others);
    dot_columns(rest.data(), rest.stride(), others, v, length, along.data());
    for (Index j = 0; j < others; ++j) {
      add_scaled(rest.col(j), -factor * along[static_cast<std::size_t>(j)], v, length);
    }

    // Column k of V T is scale (v_k - (V T)_before V_before^T v_k).
    dot_columns(all_v.col(0) + k, rows, k, v, length, along.data());
    for (Index j = 0; j < k; ++j) along[static_cast<std::size_t>(j)] *= -factor;
    double* const vt = all_vt.col(k);
    for (Index i = 0; i < length; ++i) vt[k + i] = factor * v[i];
    add_columns(vt, all_vt.data(), rows, k, along.data(), rows);
  }
  return q;
}

/// Applies transformations to matrices from the left.
class LeftUpdate {
 public:
  static constexpr Index tile = PackedVectors::tile;

  /// @param rows   of the largest matrix
  /// @param depth  reflections of a transformation, at most
  LeftUpdate(Index rows, Index depth) : v_(rows, depth), vt_(depth, rows) {
    while (scratch_.size() < max_threads()) scratch_.emplace_back(rows, depth);
  }

  /// a := Q^T a. 4 rows cols depth flops.
  void apply(BlockReflector& q, const ColumnsView<double>& a) {
    const Index depth = q.v.cols();
    v_.pack_columns(0, a.rows(), columns_as_rows(q.v));
    vt_.pack_rows(0, columns_as_rows(q.vt));
    parallel_for({(a.cols() + tile - 1) / tile, a.rows(), tile, depth}, scratch_, [&](Index s, Scratch& scratch) {
      const ColumnsView<double> strip = a.block(0, s * tile, a.rows(), std::min(tile, a.cols() - s * tile));
      scratch.columns.pack_rows(0, columns_as_rows(strip));
      const ColumnsView<double> products = ColumnsView<double>(scratch.products).block(0, 0, depth, strip.cols());
      products.set_zero();
      add_products(vt_, 0, scratch.columns, 0, a.rows(), products);
      for (Index j = 0; j < products.cols(); ++j) scale(products.col(j), -1.0, depth);
      scratch.coefficients.pack_rows(0, columns_as_rows(products));
      add_products(v_, 0, scratch.coefficients, 0, depth, strip);
    });
  }

 private:
  struct Scratch {
    Scratch(Index rows, Index depth) : columns(tile, rows), coefficients(tile, depth), products(depth, tile) {}

    PackedVectors columns, coefficients;
    Eigen::MatrixXd products;
  };

  PackedVectors v_, vt_;
  std::vector<Scratch> scratch_;
};

/// Takes a matrix to the triangular factor of its QR decomposition, with zeros below. 2 rows cols^2 flops.
inline void triangularize(const ColumnsView<double>& a) {
  constexpr Index width = 32;
  LeftUpdate update(a.rows(), width);
  for (Index first = 0; first < std::min(a.rows(), a.cols()); first += width) {
    const Index count = std::min(width, a.cols() - first);
    BlockReflector q = eliminate(a.block(first, first, a.rows() - first, count));
    const Index rest = a.cols() - first - count;
    if (rest > 0) update.apply(q, a.block(first, first + count, a.rows() - first, rest));
  }
}

}  // namespace collapse::linalg
