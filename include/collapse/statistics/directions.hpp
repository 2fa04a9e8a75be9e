#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

#include <cmath>
#include <vector>

namespace collapse {

/// First and second moments of the directions u_i = z_i / ||z_i|| of the rows that have one.
///
/// Near collapse all u_i are almost the mean direction m, and only v_i = u_i - m carries information. Because every u_i
/// has length 1, 1 - c_ij = ||v_i - v_j||^2 / 2 holds exactly: every cosine follows from small parts alone.
struct Directions {
  Index count = 0;  ///< rows that have a direction
  Index dims = 0;
  Eigen::VectorXd mean;         ///< m, D
  Eigen::VectorXd squared;      ///< q_i = ||v_i||^2, one per usable row; 0 for rows of length 0
  Eigen::VectorXd sum_squares;  ///< D, sum over rows of v_id^2
  double total = 0.0;           ///< sum over rows of q_i
};

namespace detail {

/// v_i in place of the row z_i.
class DirectionTransform {
 public:
  DirectionTransform(const Rows& rows, const Eigen::VectorXd& mean) : rows_(rows), mean_(mean.transpose()) {}

  void operator()(Index i, Eigen::Map<Eigen::RowVectorXd> row) const {
    const double inverse = rows_.inverse_norm(i);
    if (inverse == 0.0) {
      row.setZero();
    } else if (rows_.prescale.size() > 0) {
      row = (row * rows_.prescale(i)) * inverse - mean_;
    } else {
      row = row * inverse - mean_;
    }
  }

 private:
  const Rows& rows_;
  Eigen::RowVectorXd mean_;
};

/// One pass over the rows, O(N D) time, O(N + D) memory.
template <EmbeddingScalar Scalar>
[[nodiscard]] Directions directions(const MatrixView<Scalar>& z, const Rows& rows) {
  constexpr Index block = 16;
  Directions result;
  result.count = rows.directed();
  result.dims = rows.dims;
  result.mean = rows.mean_direction;
  result.squared.resize(rows.samples);

  const DirectionTransform transform(rows, result.mean);
  const Chunks chunks(rows.samples);
  std::vector<Eigen::RowVectorXd> partials(static_cast<std::size_t>(chunks.size()));
  parallel_for(
      chunks.size(), [&] { return Panel(block, rows.dims); },
      [&](Index chunk, Panel& panel) {
        Eigen::RowVectorXd& squares = partials[static_cast<std::size_t>(chunk)];
        squares = Eigen::RowVectorXd::Zero(rows.dims);
        for (Index first = chunks.begin(chunk); first < chunks.end(chunk); first += block) {
          const Index count = std::min(block, chunks.end(chunk) - first);
          load(z, rows.selection(), first, 0, panel.view(count, rows.dims));
          for (Index i = 0; i < count; ++i) {
            const Eigen::Map<Eigen::RowVectorXd> row(panel.rows(i, 1, rows.dims).data(), rows.dims);
            transform(first + i, row);
            result.squared(first + i) = row.squaredNorm();
            squares.array() += row.array().square();
          }
        }
      });
  Eigen::RowVectorXd squares = Eigen::RowVectorXd::Zero(rows.dims);
  for (const Eigen::RowVectorXd& partial : partials) squares += partial;
  result.sum_squares = squares.transpose();
  result.total = result.squared.sum();
  return result;
}

}  // namespace detail
}  // namespace collapse
