#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/neighbour_search.hpp>
#include <collapse/statistics/rows/points.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <vector>

namespace collapse {

/// The nearest neighbours of every row: line i of the table is about row `rows[i]` of Z.
struct Neighbours {
  using Places = Eigen::Matrix<Index, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Distances = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  Places place;        ///< n x k, lines of this table, nearest first; of equal distances the smaller line first
  Distances distance;  ///< n x k, ascending; see Metric
  Metric metric = Metric::euclidean;
  std::vector<Index> rows;     ///< n, ascending: all rows but those skipped and, for the cosine, those of length 0
  Eigen::VectorXd length;      ///< n, ||z_i||; 1 for the cosine
  double input_epsilon = 0.0;  ///< of the scalar that the rows came in

  [[nodiscard]] Index count() const { return place.rows(); }
  [[nodiscard]] Index k() const { return place.cols(); }  ///< neighbours of each row

  /// How far apart line i and its neighbour number j are in space: the distance itself, or ||u - u'|| for the cosine.
  [[nodiscard]] double separation(Index i, Index j) const {
    return metric == Metric::cosine ? std::sqrt(2.0 * distance(i, j)) : distance(i, j);
  }

  /// The separation that rounding alone may have put between two equal rows of the lengths of these two lines: half an
  /// epsilon of each, and for the cosine what forming the directions in double adds.
  [[nodiscard]] double resolution(Index i, Index other) const {
    const double own = metric == Metric::cosine ? 0x1p-50 : 0.0;
    return 0.5 * input_epsilon * length(i) + 0.5 * input_epsilon * length(other) + own;
  }

  /// Whether line i and its neighbour number j may be one row but for rounding.
  [[nodiscard]] bool is_duplicate(Index i, Index j) const { return separation(i, j) <= resolution(i, place(i, j)); }
};

/// Between which rows neighbours are looked for, and how. An aggregate:
/// `neighbours(Z, 10, {.metric = Metric::cosine})`.
struct NeighbourOptions {
  Metric metric = Metric::euclidean;
  NonFinite nonfinite = NonFinite::reject;
};

namespace statistics {

template <EmbeddingScalar Scalar>
[[nodiscard]] Neighbours neighbours(const Points<Scalar>& points, Index k) {
  const Index n = points.count();
  Neighbours result;
  result.metric = points.metric();
  result.rows = points.rows();
  result.length = points.lengths();
  result.input_epsilon = linalg::input_epsilon<Scalar>();
  const Index kept = std::clamp<Index>(n - 1, 0, k);
  result.place.resize(n, kept);
  result.distance.resize(n, kept);
  if (kept == 0) return result;
  NeighbourSearch<Scalar>(points, kept).run([&](Index i, const std::vector<Candidate>& nearest) {
    for (Index j = 0; j < kept; ++j) {
      const Candidate& candidate = nearest[static_cast<std::size_t>(j)];
      result.place(i, j) = candidate.place;
      result.distance(i, j) = points.reported(candidate.ranked);
    }
  });
  return result;
}

inline void require_neighbours(Index k, const char* name) {
  if (k < 1) throw OptionError(fmt::format("{} is {}; at least 1 neighbour must be asked for", name, k));
}

}  // namespace statistics

/// The k nearest neighbours of every row among all other rows, exactly.
///
/// @param Z        N x D embeddings
/// @param k        neighbours of each row, at least 1; where fewer other rows take part, all of them
/// @param options  `metric`, `nonfinite`
/// @return n x min(k, n - 1) places and distances, n the rows that take part (N, less those skipped and, for the
///         cosine, those of length 0). A distance is that of the differences z_i - z_j (or u_i - u_j) in double, so it
///         keeps its digits where all rows are almost equal. The same bits whatever the number of threads
/// @throws ShapeError, NonFiniteError as `moments`, OptionError for k < 1
/// Cost: about 2 N^2 D flops in float, and N k log(N / k) distances in double: those that float cannot exclude. Where
///       the spread that matters is below float's resolution (clusters far apart whose own width is 1e-4 of that), up
///       to all N^2 distances in double, several times the cost. Memory: O(N k), and about 1500 rows of double for each
///       thread.
template <class Derived>
[[nodiscard]] Neighbours neighbours(const Eigen::DenseBase<Derived>& Z, Index k, const NeighbourOptions& options = {}) {
  statistics::require_neighbours(k, "k");
  const linalg::Evaluated<Derived> evaluated(Z);
  const linalg::MatrixView<typename Derived::Scalar> view = evaluated.view();
  const Rows rows = statistics::scan_rows(view, options.nonfinite);
  return statistics::neighbours(statistics::Points<typename Derived::Scalar>(view, rows, options.metric), k);
}

}  // namespace collapse
