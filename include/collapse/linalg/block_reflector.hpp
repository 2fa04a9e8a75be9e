#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

/// Functions here are templates although nothing about them varies: only who calls them compiles them, and they take
/// long.
namespace collapse::linalg {

/// Q = I - V T V^T, the product of the reflections that take the columns of a panel in turn to multiples of the unit
/// vectors (compact WY form; Schreiber & Van Loan 1989).
struct BlockReflector {
  Eigen::MatrixXd v;   ///< rows x at most 32, unit lower trapezoidal
  Eigen::MatrixXd vt;  ///< V T: whatever Q is applied to needs no other part of T
};

/// The columns of a column-major matrix, each as a row.
[[nodiscard]] inline Panel::View columns_as_rows(Eigen::Ref<Eigen::MatrixXd> columns) {
  return {columns.data(), columns.cols(), columns.rows(), Eigen::OuterStride<>(columns.outerStride())};
}

/// Takes a panel to Q^T panel: upper triangular, with zeros below.
///
/// Entries must leave room for their squares. About 2 rows cols^2 flops and as many for V T.
template <class = void>
[[nodiscard]] BlockReflector eliminate(Eigen::Ref<Eigen::MatrixXd> panel) {
  using Columns = Eigen::Ref<const Eigen::MatrixXd>;
  using Column = Eigen::Ref<const Eigen::VectorXd>;
  const Index rows = panel.rows();
  const Index count = std::min(rows, panel.cols());
  BlockReflector q{Eigen::MatrixXd::Zero(rows, count), Eigen::MatrixXd(rows, count)};
  Eigen::VectorXd along(panel.cols());
  for (Index k = 0; k < count; ++k) {
    auto column = panel.col(k).tail(rows - k);
    auto v = q.v.col(k).tail(rows - k);
    const double tail = column.tail(rows - k - 1).squaredNorm();
    double scale = 0.0;
    if (tail > std::numeric_limits<double>::min()) {
      const double head = column(0);
      const double norm = std::copysign(std::sqrt(head * head + tail), head);
      v = column / (head + norm);
      scale = (head + norm) / norm;
      column(0) = -norm;
    }
    v(0) = 1.0;
    column.tail(rows - k - 1).setZero();
    // One type for all of these products: each takes its second to compile.
    const auto products = [&](const Columns& columns) {
      along.head(columns.cols()).noalias() = columns.transpose() * Column(v);
      return scale * along.head(columns.cols());
    };
    auto rest = panel.block(k, k + 1, rows - k, panel.cols() - k - 1);
    rest.noalias() -= v * products(rest).transpose();
    q.vt.col(k) = scale * q.v.col(k);
    q.vt.col(k).noalias() -= Columns(q.vt.leftCols(k)) * products(q.v.block(k, 0, rows - k, k));
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
  template <class = void>
  void apply(BlockReflector& q, Eigen::Ref<Eigen::MatrixXd> a) {
    const Index depth = q.v.cols();
    v_.pack_columns(0, a.rows(), columns_as_rows(q.v));
    vt_.pack_rows(0, columns_as_rows(q.vt));
    parallel_for({(a.cols() + tile - 1) / tile, a.rows(), tile, depth}, scratch_, [&](Index s, Scratch& scratch) {
      auto strip = a.middleCols(s * tile, std::min(tile, a.cols() - s * tile));
      scratch.columns.pack_rows(0, columns_as_rows(strip));
      auto products = scratch.products.topLeftCorner(depth, strip.cols());
      products.setZero();
      add_products(vt_, 0, scratch.columns, 0, a.rows(), products);
      products = -products;
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
template <class = void>
void triangularize(Eigen::Ref<Eigen::MatrixXd> a) {
  constexpr Index width = 32;
  LeftUpdate update(a.rows(), width);
  for (Index first = 0; first < std::min(a.rows(), a.cols()); first += width) {
    const Index count = std::min(width, a.cols() - first);
    BlockReflector q = eliminate(a.block(first, first, a.rows() - first, count));
    const Index rest = a.cols() - first - count;
    if (rest > 0) update.apply(q, a.bottomRightCorner(a.rows() - first, rest));
  }
}

}  // namespace collapse::linalg
