#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace collapse::statistics {

/// Rows about their mean: distances between them are Euclidean, in units of 2^common_exponent().
template <EmbeddingScalar Scalar>
class CentredRows {
 public:
  CentredRows(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments)
      : z_(z), rows_(rows), transform_(moments, true) {}

  [[nodiscard]] Index count() const { return rows_.samples; }
  [[nodiscard]] Index dims() const { return rows_.dims; }
  void load(Index first, linalg::Panel::View out) const { load_centred(z_, rows_, transform_, first, out); }

 private:
  const linalg::MatrixView<Scalar>& z_;
  const Rows& rows_;
  CentredTransform transform_;
};

/// Directions of rows about their mean, one of them for each row that has one: half the square of a distance between
/// two is 1 - cos.
template <EmbeddingScalar Scalar>
class CentredDirections {
 public:
  CentredDirections(const linalg::MatrixView<Scalar>& z, const Rows& rows)
      : z_(z), rows_(rows), mean_(Eigen::RowVectorXd::Zero(rows.dims)) {
    for (Index i = 0; i < rows.samples; ++i) {
      if (rows.inverse_norm(i) > 0.0) places_.push_back(i);
    }
    constexpr Index strip = 16;
    linalg::Panel panel(strip, rows.dims);
    Eigen::RowVectorXd sum = mean_;
    for (Index first = 0; first < count(); first += strip) {
      const linalg::Panel::View some = panel.view(std::min(strip, count() - first), rows.dims);
      load(first, some);
      for (Index r = 0; r < some.rows(); ++r) linalg::add_scaled(sum.data(), 1.0, some.row(r), sum.size());
    }
    if (count() > 0) mean_ = sum / static_cast<double>(count());
  }

  [[nodiscard]] Index count() const { return static_cast<Index>(places_.size()); }
  [[nodiscard]] Index dims() const { return rows_.dims; }

  void load(Index first, linalg::Panel::View out) const {
    for (Index r = 0; r < out.rows(); ++r) {
      const Index i = places_[static_cast<std::size_t>(first + r)];
      linalg::load(z_, rows_.selection(), i, 0, out.only_row(r));
      double* const row = out.row(r);
      for (Index d = 0; d < out.cols(); ++d) row[d] = (row[d] * rows_.scale(i)) * rows_.inverse_norm(i) - mean_(d);
    }
  }

 private:
  const linalg::MatrixView<Scalar>& z_;
  const Rows& rows_;
  Eigen::RowVectorXd mean_;
  std::vector<Index> places_;  ///< where the rows stand among all
};

/// The squared distance of every row to every row, tile by tile: for each strip of rows a worker of the thread sees
/// `begin(first, count)`, `add(first_other, squares)` with `count` rows and as many columns as others, in order of the
/// others, and `end()`. Distances of rows that lie close together against their distance from the mean come from the
/// differences themselves. What a worker stores for a row does not depend on the number of threads.
///
/// Cost: 2 N^2 D flops; memory of a few strips of rows for each thread.
template <class Source, class MakeWorker>
void for_each_row_distance(const Source& source, MakeWorker&& make_worker) {
  constexpr Index tile = linalg::PackedVectors::tile;
  const Index count = source.count();
  const Index dims = source.dims();
  using Worker = std::decay_t<decltype(make_worker())>;
  struct Scratch {
    linalg::Panel own, other;
    linalg::PackedVectors packed_own, packed_other;
    Eigen::MatrixXd squares;
    Eigen::VectorXd length_own, length_other;
    Worker worker;
  };
  const Index strips = (count + tile - 1) / tile;
  linalg::parallel_for(
      {strips, count, count, dims},
      [&] {
        return Scratch{linalg::Panel(tile, dims),
                       linalg::Panel(tile, dims),
                       linalg::PackedVectors(tile, dims),
                       linalg::PackedVectors(tile, dims),
                       Eigen::MatrixXd(0, 0),
                       Eigen::VectorXd(tile),
                       Eigen::VectorXd(tile),
                       make_worker()};
      },
      [&](Index s, Scratch& scratch) {
        const auto take = [&](Index first, linalg::Panel& panel, linalg::PackedVectors& packed,
                              Eigen::VectorXd& length) {
          const linalg::Panel::View rows = panel.view(std::min(tile, count - first), dims);
          source.load(first, rows);
          packed.pack_rows(0, rows);
          for (Index r = 0; r < rows.rows(); ++r) length(r) = linalg::squared_norm(rows.row(r), dims);
          return rows;
        };
        const linalg::Panel::View own = take(s * tile, scratch.own, scratch.packed_own, scratch.length_own);
        scratch.worker.begin(s * tile, own.rows());
        for (Index other_first = 0; other_first < count; other_first += tile) {
          const linalg::Panel::View other =
              take(other_first, scratch.other, scratch.packed_other, scratch.length_other);
          Eigen::MatrixXd& squares = scratch.squares;
          squares.setZero(own.rows(), other.rows());
          linalg::add_products(scratch.packed_own, 0, scratch.packed_other, 0, dims, squares);
          for (Index j = 0; j < other.rows(); ++j) {
            for (Index i = 0; i < own.rows(); ++i) {
              const double lengths = scratch.length_own(i) + scratch.length_other(j);
              double square = lengths - 2.0 * squares(i, j);
              if (square < 1e-3 * lengths) {
                square = 0.0;
                for (Index d = 0; d < dims; ++d) {
                  const double difference = own.row(i)[d] - other.row(j)[d];
                  square += difference * difference;
                }
              }
              squares(i, j) = square;
            }
          }
          scratch.worker.add(other_first, squares);
        }
        scratch.worker.end();
      });
}

}  // namespace collapse::statistics
