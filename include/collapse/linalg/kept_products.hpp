#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <optional>

namespace collapse::linalg {

/// Products of matrices on all threads, in memory that grows to the largest and is kept: equal shapes allocate once.
/// The bits do not depend on the number of threads.
class KeptProducts {
 public:
  using Matrix = Eigen::Ref<const Eigen::MatrixXd>;

  /// sums += a b
  void add(const Matrix& a, const Matrix& b, Eigen::Ref<Eigen::MatrixXd> sums) {
    left_.pack_rows(a);
    right_.pack_columns(b);
    add(a.cols(), sums);
  }

  /// sums += a^T b
  void add_transposed_left(const Matrix& a, const Matrix& b, Eigen::Ref<Eigen::MatrixXd> sums) {
    left_.pack_columns(a);
    right_.pack_columns(b);
    add(a.rows(), sums);
  }

  /// sums += a b^T
  void add_transposed_right(const Matrix& a, const Matrix& b, Eigen::Ref<Eigen::MatrixXd> sums) {
    left_.pack_rows(a);
    right_.pack_rows(b);
    add(a.cols(), sums);
  }

  /// result = a a^T, both triangles.
  void rows_with_rows(const Matrix& a, Eigen::MatrixXd& result) {
    left_.pack_rows(a);
    symmetric(a.rows(), a.cols(), result);
  }

  /// Whether the smaller product of a matrix with itself is that of its rows.
  [[nodiscard]] static bool by_rows(const Matrix& a) { return a.rows() <= a.cols(); }

  /// result = the smaller of a a^T and a^T a, both triangles.
  void smaller_gram(const Matrix& a, Eigen::MatrixXd& result) {
    if (by_rows(a)) return rows_with_rows(a, result);
    left_.pack_columns(a);
    symmetric(a.cols(), a.rows(), result);
  }

  /// sums += f(a a^T) a = a f(a^T a), from f of the smaller of both.
  void add_function_of_gram(const Matrix& f, const Matrix& a, Eigen::Ref<Eigen::MatrixXd> sums) {
    if (by_rows(a)) return add(f, a, sums);
    add(a, f, sums);
  }

 private:
  static constexpr Index tile = PackedVectors::tile;

  static Index tiles(Index count) { return (count + tile - 1) / tile; }

  class Kept {
   public:
    void pack_rows(const Matrix& a) {
      prepare(a.rows(), a.cols());
      for_strips(a.rows(), a.cols(), [&](Index first, Index count) {
        // The columns of a, as rows.
        packed_->pack_columns(first, count, transposed(a.data() + first, a.cols(), count, a.outerStride()));
      });
    }

    void pack_columns(const Matrix& a) {
      prepare(a.cols(), a.rows());
      for_strips(a.cols(), a.rows(), [&](Index first, Index count) {
        packed_->pack_rows(first, transposed(a.data() + first * a.outerStride(), count, a.rows(), a.outerStride()));
      });
    }

    [[nodiscard]] const PackedVectors& operator*() const { return *packed_; }

   private:
    /// A view that is only read.
    static Panel::View transposed(const double* data, Index rows, Index cols, Index stride) {
      return {const_cast<double*>(data), rows, cols, stride};
    }

    void prepare(Index count, Index depth) {
      if (packed_ && count <= count_ && depth <= depth_) return;
      count_ = std::max(count_, count);
      depth_ = std::max(depth_, depth);
      packed_.emplace(count_, depth_);
    }

    template <class Body>
    static void for_strips(Index count, Index depth, const Body& body) {
      parallel_for({tiles(count), tile, depth}, [&](Index s) { body(s * tile, std::min(tile, count - s * tile)); });
    }

    std::optional<PackedVectors> packed_;
    Index count_ = 0;
    Index depth_ = 0;
  };

  void add(Index depth, Eigen::Ref<Eigen::MatrixXd> sums) {
    const ColumnsView<double> to(sums.data(), sums.rows(), sums.cols(), sums.outerStride());
    const Index down = tiles(sums.rows());
    parallel_for({down * tiles(sums.cols()), tile, tile, depth}, [&](Index t) {
      const Index i = t % down * tile;
      const Index j = t / down * tile;
      add_products(*left_, i, *right_, j, depth,
                   to.block(i, j, std::min(tile, to.rows() - i), std::min(tile, to.cols() - j)));
    });
  }

  void symmetric(Index order, Index depth, Eigen::MatrixXd& result) {
    result.resize(order, order);
    const ColumnsView<double> all(result);
    const Index across = tiles(order);
    parallel_for({across * across, tile, tile, depth / 2}, [&](Index t) {
      const Index i = t % across * tile;
      const Index j = t / across * tile;
      if (i < j) return;
      const ColumnsView<double> block = all.block(i, j, std::min(tile, order - i), std::min(tile, order - j));
      block.set_zero();
      add_products(*left_, i, *left_, j, depth, block);
      for (Index c = 0; i != j && c < block.cols(); ++c) {
        for (Index r = 0; r < block.rows(); ++r) all(j + c, i + r) = block(r, c);
      }
    });
  }

  Kept left_, right_;
};

}  // namespace collapse::linalg
