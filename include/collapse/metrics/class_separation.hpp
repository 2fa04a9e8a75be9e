#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>
#include <collapse/statistics/pairs/row_distances.hpp>
#include <collapse/statistics/sums/class_means.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace collapse {

/// Class-distance normalised variance, or the two classes that leave it undefined.
struct ClassDistances {
  double cdnv = undefined;
  std::optional<std::array<Index, 2>> coincident;  ///< places of two classes whose means are equal up to rounding
};

/// CDNV: mean over pairs of classes of (var_i + var_j) / (2 ||m_i - m_j||^2), var_c = mean ||z - m_c||^2 (ddof 0).
///
/// @return >= 0, 0 for complete collapse within each class; undefined for one class and when two class means are the
///         same up to rounding
/// Cost: K^2 D flops, O(K D) memory.
/// Source: Galanti, Gyoergy & Hutter, On the role of neural collapse in transfer learning, 2022.
[[nodiscard]] inline ClassDistances class_distances(const ClassMeans& means) {
  const Index classes = means.classes();
  ClassDistances result;
  if (classes < 2) return result;
  const Eigen::VectorXd lengths = means.centred.rowwise().squaredNorm();
  Eigen::VectorXd sums = Eigen::VectorXd::Zero(classes);
  std::vector<Index> coincident(static_cast<std::size_t>(classes), -1);
  statistics::for_products_below(means.centred, [&](Index i, const auto& products) {
    for (Index j = 0; j < i; ++j) {
      double square = lengths(i) + lengths(j) - 2.0 * products(j);
      if (square < 1e-3 * (lengths(i) + lengths(j))) {
        square = (means.centred.row(i) - means.centred.row(j)).squaredNorm();
      }
      if (std::sqrt(square) <= means.rounding) {
        coincident[static_cast<std::size_t>(i)] = j;
        return;
      }
      sums(i) += 0.5 * (means.variance(i) + means.variance(j)) / square;
    }
  });
  for (Index i = 0; i < classes; ++i) {
    const Index j = coincident[static_cast<std::size_t>(i)];
    if (j < 0) continue;
    result.coincident = {j, i};
    return result;
  }
  result.cdnv = sums.sum() / (0.5 * static_cast<double>(classes) * static_cast<double>(classes - 1));
  return result;
}

/// Mean cosine over pairs of class means as they are, seen from the origin; see class_angles for that seen from m_G.
///
/// @return in [-1, 1]; undefined with fewer than two class means that are not zero up to rounding
/// Cost: O(K D).
[[nodiscard]] inline double centroid_cosine(const ClassMeans& means) {
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(means.centred.cols());
  const Eigen::RowVectorXd mean = means.moments.mean.transpose();
  double count = 0.0;
  for (Index c = 0; c < means.classes(); ++c) {
    const Eigen::RowVectorXd of_class = mean + means.centred.row(c);
    const double length = of_class.norm();
    if (length <= means.rounding) continue;
    sum += of_class / length;
    count += 1.0;
  }
  if (count < 2.0) return undefined;
  return std::clamp((sum.squaredNorm() - count) / (count * (count - 1.0)), -1.0, 1.0);
}

namespace metrics {

enum class Distance { euclidean, cosine };

/// The distance that a squared difference stands for: between points, or 1 - cos between directions.
[[nodiscard]] inline double distance_of(Distance distance, double square) {
  return distance == Distance::euclidean ? std::sqrt(std::max(square, 0.0)) : 0.5 * std::max(square, 0.0);
}

/// Silhouettes of a strip of rows.
class SilhouetteWorker {
 public:
  SilhouetteWorker(const std::vector<Index>& class_of, const Eigen::VectorXd& counts, Distance distance,
                   Eigen::VectorXd& result)
      : class_of_(&class_of), counts_(&counts), result_(&result), distance_(distance) {}

  void begin(Index first, Index count) {
    first_ = first;
    sums_.setZero(counts_->size(), count);
  }
  void add(Index other_first, const Eigen::MatrixXd& squares) {
    for (Index j = 0; j < squares.cols(); ++j) {
      const Index other = (*class_of_)[static_cast<std::size_t>(other_first + j)];
      for (Index i = 0; i < squares.rows(); ++i) sums_(other, i) += distance_of(distance_, squares(i, j));
    }
  }
  void end() {
    for (Index i = 0; i < sums_.cols(); ++i) (*result_)(first_ + i) = of_row(i);
  }

 private:
  [[nodiscard]] double of_row(Index i) const {
    const Index own = (*class_of_)[static_cast<std::size_t>(first_ + i)];
    const double size = (*counts_)(own);
    if (size < 2.0) return 0.0;
    double nearest = std::numeric_limits<double>::infinity();
    for (Index c = 0; c < sums_.rows(); ++c) {
      if (c != own && (*counts_)(c) > 0.0) nearest = std::min(nearest, sums_(c, i) / (*counts_)(c));
    }
    const double within = sums_(own, i) / (size - 1.0);
    const double larger = std::max(within, nearest);
    return larger > 0.0 ? (nearest - within) / larger : 0.0;
  }

  const std::vector<Index>* class_of_;
  const Eigen::VectorXd* counts_;
  Eigen::VectorXd* result_;
  Distance distance_;
  Index first_ = 0;
  Eigen::MatrixXd sums_;  ///< K x strip
};

/// Silhouette: mean over rows of (b - a) / max(a, b), a the mean distance to the other rows of the class, b the
/// smallest mean distance to the rows of another class; 0 for a row that is alone in its class.
///
/// @param source    rows to be looked at
/// @param class_of  the class of each, below `classes`
/// @return in [-1, 1], near 1 for tight and separate classes, 0 where they overlap; undefined with fewer than two
///         classes that have rows
/// Cost: 2 N^2 D flops; O(D + K) memory for each of a few rows, never N x N.
/// Source: Rousseeuw, Silhouettes, 1987.
template <class Source>
[[nodiscard]] double silhouette(const Source& source, const std::vector<Index>& class_of, Index classes,
                                Distance distance) {
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(classes);
  for (const Index c : class_of) counts(c) += 1.0;
  if ((counts.array() > 0.0).count() < 2) return undefined;
  Eigen::VectorXd values(source.count());
  statistics::for_each_row_distance(source, [&] { return SilhouetteWorker(class_of, counts, distance, values); });
  return values.mean();
}

/// Share of rows whose class is that of most of their nearest other rows, ties for the class of the nearest: leave one
/// out, exact.
///
/// @param neighbours  of each row
/// @param class_of    of each line of that table, below `classes`
/// @return in [0, 1]; undefined for fewer than two rows
/// Cost: O(N k).
[[nodiscard]] inline double neighbour_accuracy(const Neighbours& neighbours, const std::vector<Index>& class_of,
                                               Index classes) {
  if (neighbours.k() == 0) return undefined;
  std::vector<Index> votes(static_cast<std::size_t>(classes));
  Index right = 0;
  for (Index i = 0; i < neighbours.count(); ++i) {
    const auto class_at = [&](Index j) { return class_of[static_cast<std::size_t>(neighbours.place(i, j))]; };
    const auto votes_for = [&](Index j) -> Index& { return votes[static_cast<std::size_t>(class_at(j))]; };
    std::fill(votes.begin(), votes.end(), 0);
    Index most = 0;
    for (Index j = 0; j < neighbours.k(); ++j) most = std::max(most, ++votes_for(j));
    Index elected = 0;
    while (votes_for(elected) != most) ++elected;
    right += class_at(elected) == class_of[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(neighbours.count());
}

}  // namespace metrics
}  // namespace collapse
