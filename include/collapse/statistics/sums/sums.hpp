#pragma once

#include <collapse/linalg/vectors.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/gram.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/two_sum.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace collapse {

/// The sums over rows from which every number of a report follows, those about pairs excepted. Additive: the sums of
/// two sets of rows merge into those of their union, in any order, without losing digits where the mean is huge against
/// the spread.
struct Sums {
  Moments moments;          ///< count, mean and centred sums of squares of the rows
  Eigen::MatrixXd scatter;  ///< lower triangle of sum (z - mean)(z - mean)^T; (d, e) in units of 2^(exponent d + e)
  Lengths lengths;
  DirectionSums directions;
  Index zero_rows = 0;
  Index skipped_rows = 0;

  /// Adds the sums of other rows, which hold the same parts and have as many dimensions.
  void merge(const Sums& other);

  /// Keeps what follows from the moments and the scatter: no lengths, no directions.
  void drop_directions() {
    lengths = {};
    directions = DirectionSums(moments.dims, 0);
    zero_rows = 0;
  }
};

/// Which sums to form: those of order D x D cost N D^2 flops each, the others N D.
struct SumParts {
  bool scatter = true;
  bool directions = true;  ///< and lengths
  bool direction_scatter = true;
};

namespace statistics {

inline constexpr SumParts moments_only{.scatter = false, .directions = false, .direction_scatter = false};

/// Brings sums in units of `before` to those of moments.exponent.
inline void rescale(Moments& moments, Eigen::MatrixXd& scatter, const Eigen::VectorXi& before) {
  if (std::equal(before.begin(), before.end(), moments.exponent.begin())) return;
  for (Index d = 0; d < moments.dims; ++d) {
    const int change = before(d) - moments.exponent(d);
    moments.mean(d) = std::ldexp(moments.mean(d), change);
    moments.mean_low(d) = std::ldexp(moments.mean_low(d), change);
    moments.sum_squares(d) = std::ldexp(moments.sum_squares(d), 2 * change);
  }
  for (Index e = 0; e < scatter.cols(); ++e) {
    for (Index d = e; d < scatter.rows(); ++d) {
      scatter(d, e) = std::ldexp(scatter(d, e), before(d) - moments.exponent(d) + before(e) - moments.exponent(e));
    }
  }
}

/// The sums of all usable rows of a matrix.
template <EmbeddingScalar Scalar>
[[nodiscard]] Sums sum_rows(const linalg::MatrixView<Scalar>& z, const Rows& rows, const SumParts& parts = {});

/// The moments of a matrix and the smaller Gram of its centred rows. On the side of the dimensions entry (d, e) is in
/// units of 2^(exponent d + exponent e), on the side of the samples all are in units of 2^(2 common_exponent()).
struct CentredGram {
  Moments moments;
  Gram gram;
};

template <EmbeddingScalar Scalar>
[[nodiscard]] CentredGram centred_gram(const linalg::MatrixView<Scalar>& z, const Rows& rows);

/// Sums over the directions of a matrix, and V V^T where that is the smaller side.
struct DirectionStatistics {
  DirectionSums sums;
  Eigen::MatrixXd lower;

  [[nodiscard]] const Eigen::MatrixXd* products() const { return lower.size() > 0 ? &lower : nullptr; }
};

template <EmbeddingScalar Scalar>
[[nodiscard]] DirectionStatistics direction_statistics(const linalg::MatrixView<Scalar>& z, const Rows& rows);

}  // namespace statistics

inline void Sums::merge(const Sums& other) {
  zero_rows += other.zero_rows;
  skipped_rows += other.skipped_rows;
  lengths.merge(other.lengths);
  directions.merge(other.directions);
  if (other.moments.count == 0) return;
  if (moments.count == 0) {
    const double epsilon = moments.input_epsilon;
    moments = other.moments;
    moments.input_epsilon = std::max(moments.input_epsilon, epsilon);
    scatter = other.scatter;
    return;
  }
  Moments added = other.moments;
  Eigen::MatrixXd added_scatter = other.scatter;
  const Eigen::VectorXi before = moments.exponent;
  const Eigen::VectorXi added_before = added.exponent;
  for (Index d = 0; d < moments.dims; ++d) {
    if (added.is_empty(d)) added.exponent(d) = moments.exponent(d);
    if (moments.is_empty(d)) moments.exponent(d) = added.exponent(d);
    moments.exponent(d) = added.exponent(d) = std::max(moments.exponent(d), added.exponent(d));
  }
  statistics::rescale(moments, scatter, before);
  statistics::rescale(added, added_scatter, added_before);

  const double n = static_cast<double>(moments.count);
  const double m = static_cast<double>(added.count);
  const double weight = n * m / (n + m);
  Eigen::VectorXd delta(moments.dims);
  for (Index d = 0; d < moments.dims; ++d) {
    delta(d) = (added.mean(d) - moments.mean(d)) + (added.mean_low(d) - moments.mean_low(d));
    std::tie(moments.mean(d), moments.mean_low(d)) =
        statistics::two_sum(moments.mean(d), moments.mean_low(d) + delta(d) * (m / (n + m)));
  }
  for (Index d = 0; d < moments.dims; ++d) {
    moments.sum_squares(d) += added.sum_squares(d) + weight * (delta(d) * delta(d));
  }
  if (scatter.size() > 0) {
    linalg::add_lower(scatter, added_scatter);
    linalg::add_symmetric_product(scatter, weight, delta, delta);
  }
  moments.count += added.count;
  moments.input_epsilon = std::max(moments.input_epsilon, added.input_epsilon);
}

/// Count, mean and centred sum of squares of each dimension of Z.
///
/// @param Z        N x D embeddings, rows are samples
/// @param options  only `nonfinite` matters
/// @return the moments; means and sums are right to a few double roundings also where mean >> spread
/// @throws ShapeError for an empty matrix, NonFiniteError for a NaN or infinity unless such rows are skipped
/// Cost: O(N D) time, O(N + D) memory.
/// Source: Chan, Golub & LeVeque, Algorithms for computing the sample variance, 1983.
template <class Derived>
[[nodiscard]] Moments moments(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  return statistics::sum_rows(evaluated.view(), rows, statistics::moments_only).moments;
}

/// The smaller Gram matrix of the centred rows X = Z - 1 mean^T: X^T X (D x D) when N > D, X X^T (N x N) otherwise.
///
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return the lower triangle, accumulated in double from rows whose mean was removed first, in input units squared
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: N D min(N, D) flops, O(min(N, D)^2) memory.
template <class Derived>
[[nodiscard]] Gram gram(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  auto [moments, result] = statistics::centred_gram(evaluated.view(), rows);
  for (Index j = 0; moments.scaled() && j < result.lower.cols(); ++j) {
    for (Index i = j; i < result.lower.rows(); ++i) {
      const int exponent =
          result.side == Side::dims ? moments.exponent(i) + moments.exponent(j) : 2 * moments.common_exponent();
      result.lower(i, j) = std::ldexp(result.lower(i, j), exponent);
    }
  }
  return result;
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/sums/folder.hpp>
#endif
