#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/statistics/directions.hpp>
#include <collapse/statistics/gram.hpp>
#include <collapse/statistics/lengths.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

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
};

/// Which sums to form: those of order D x D cost N D^2 flops each, the others N D.
struct SumParts {
  bool scatter = true;
  bool directions = true;
  bool direction_scatter = true;
};

namespace detail {

/// hi + low = a + b without error (Knuth).
[[nodiscard]] inline std::pair<double, double> two_sum(double a, double b) {
  const double sum = a + b;
  const double b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

/// Brings sums in units of `before` to those of moments.exponent.
inline void rescale(Moments& moments, Eigen::MatrixXd& scatter, const Eigen::VectorXi& before) {
  if (before == moments.exponent) return;
  for (Index d = 0; d < moments.dims; ++d) {
    moments.sum_squares(d) = std::ldexp(moments.sum_squares(d), 2 * (before(d) - moments.exponent(d)));
  }
  for (Index e = 0; e < scatter.cols(); ++e) {
    for (Index d = e; d < scatter.rows(); ++d) {
      scatter(d, e) = std::ldexp(scatter(d, e), before(d) - moments.exponent(d) + before(e) - moments.exponent(e));
    }
  }
}

/// Adds rows to Sums, block by block: each value is converted to double once, the block is centred on its own mean, and
/// its scatter together with the row that the merge formula asks for (Chan, Golub & LeVeque 1983, eq. 2.1) is one
/// symmetric product. Nothing is allocated after construction while all values lie in [2^-200, 2^200].
class Folder {
 public:
  explicit Folder(Index dims, const SumParts& parts = {})
      : dims_(dims),
        parts_(parts),
        tiles_(dims),
        values_(block + 1, dims),
        directions_(parts.directions ? block + 1 : 0, dims),
        squared_(Eigen::VectorXd::Zero(block)),
        directed_(Eigen::VectorXd::Zero(block)) {}

  /// Sums of no rows.
  [[nodiscard]] Sums empty() const {
    Sums sums;
    Moments& moments = sums.moments;
    moments.dims = dims_;
    moments.mean = moments.mean_low = moments.sum_squares = Eigen::VectorXd::Zero(dims_);
    moments.exponent = Eigen::VectorXi::Zero(dims_);
    if (parts_.scatter) sums.scatter = Eigen::MatrixXd::Zero(dims_, dims_);
    sums.directions = DirectionSums(dims_, parts_.direction_scatter ? dims_ : 0);
    return sums;
  }

  /// Adds the usable rows of z. Rows that do not fill a block wait for the next call or for `flush`.
  template <EmbeddingScalar Scalar>
  void add(const MatrixView<Scalar>& z, const Rows& rows, Sums& sums) {
    start(z, rows, sums);
    Index done = 0;
    while (done < rows.samples) {
      const Index count = std::min(block - filled_, rows.samples - done);
      load_rows(z, rows, done, count, sums.directions);
      checks_range_ = checks_range_ || std::same_as<Scalar, double>;
      filled_ += count;
      done += count;
      if (filled_ == block) flush(sums);
    }
  }

  /// Adds the rows that wait.
  void flush(Sums& sums) {
    if (filled_ == 0) return;
    const Index directed = parts_.directions ? static_cast<Index>(directed_.head(filled_).sum()) : 0;
    plan_units(sums);
    const double n = static_cast<double>(sums.moments.count);
    const double b = static_cast<double>(filled_);
    const double m = static_cast<double>(sums.directions.count);
    const double c = static_cast<double>(directed);
    constexpr Index strip = 64;
    parallel_for((dims_ + strip - 1) / strip, [&](Index s) {
      const Index width = std::min(strip, dims_ - s * strip);
      centre_values(sums.moments, s * strip, width, n, b);
      if (directed > 0) centre_directions(sums.directions, s * strip, width, m, c);
    });
    sums.moments.count += filled_;
    sums.directions.count += directed;
    sums.directions.quartic += squared_.head(filled_).squaredNorm();
    const Index tiles_of_values = parts_.scatter ? tiles_.size() : 0;
    const Index tiles_of_directions = parts_.direction_scatter && directed > 0 ? tiles_.size() : 0;
    parallel_for(tiles_of_values + tiles_of_directions, [&](Index t) {
      if (t < tiles_of_values) {
        tiles_.add(t, values_.view(filled_ + 1, dims_), sums.scatter);
      } else {
        tiles_.add(t - tiles_of_values, directions_.view(filled_ + 1, dims_), sums.directions.scatter);
      }
    });
    if (tiles_of_directions > 0) sums.directions.rebase_if_far();
    filled_ = 0;
    checks_range_ = false;
  }

 private:
  // With the row of the merge formula a power of two.
  static constexpr Index block = 255;

  template <EmbeddingScalar Scalar>
  void start(const MatrixView<Scalar>& z, const Rows& rows, Sums& sums) {
    sums.moments.input_epsilon = std::max(sums.moments.input_epsilon, input_epsilon<Scalar>());
    if (parts_.directions && sums.directions.count == 0 && directed_.head(filled_).sum() == 0.0) {
      // The first direction ever seen is what all are taken relative to.
      for (Index i = 0; i < rows.samples; ++i) {
        if (rows.inverse_norm(i) == 0.0) continue;
        const Index at = rows.selection()(i);
        for (Index d = 0; d < dims_; ++d) {
          sums.directions.reference(d) = z.at(at, d) * rows.scale(i) * rows.inverse_norm(i);
        }
        break;
      }
    }
    sums.lengths.add(rows.norm);
    sums.zero_rows += rows.zero;
    sums.skipped_rows += rows.skipped;
  }

  /// Rows of z and their directions relative to the reference, behind the rows that wait.
  template <EmbeddingScalar Scalar>
  void load_rows(const MatrixView<Scalar>& z, const Rows& rows, Index first, Index count, const DirectionSums& sums) {
    constexpr Index strip = 16;
    parallel_for((count + strip - 1) / strip, [&](Index s) {
      const Index height = std::min(strip, count - s * strip);
      load(z, rows.selection(), first + s * strip, 0, values_.rows(filled_ + s * strip, height, dims_));
      if (!parts_.directions) return;
      for (Index i = s * strip; i < s * strip + height; ++i) {
        const double inverse = rows.inverse_norm(first + i);
        const Eigen::Map<const Eigen::VectorXd> row(values_.rows(filled_ + i, 1, dims_).data(), dims_);
        Eigen::Map<Eigen::VectorXd> direction(directions_.rows(filled_ + i, 1, dims_).data(), dims_);
        if (inverse == 0.0) {
          direction.setZero();
        } else if (rows.scale(first + i) == 1.0) {
          direction = row * inverse - sums.reference;
        } else {
          direction = (row * rows.scale(first + i)) * inverse - sums.reference;
        }
        squared_(filled_ + i) = direction.squaredNorm();
        directed_(filled_ + i) = inverse == 0.0 ? 0.0 : 1.0;
      }
    });
  }

  /// Gives the dimensions of the block the units of the sums, or the other way round where the block is larger.
  void plan_units(Sums& sums) {
    if (!checks_range_) return;
    Moments& moments = sums.moments;
    bool changes = moments.scaled();
    const auto row = [this](Index i) { return values_.rows(i, 1, dims_).data(); };
    Eigen::Map<Eigen::VectorXd> largest(row(block), dims_);
    largest.setZero();
    for (Index i = 0; i < filled_; ++i) {
      const double* const values = row(i);
      for (Index d = 0; d < dims_; ++d) largest(d) = std::max(largest(d), std::abs(values[d]));
    }
    for (Index d = 0; d < dims_ && !changes; ++d) changes = range_exponent(largest(d)) != 0;
    if (!changes) return;

    const Eigen::VectorXi before = moments.exponent;
    for (Index d = 0; d < dims_; ++d) {
      if (largest(d) == 0.0) continue;
      const int wanted = range_exponent(largest(d));
      moments.exponent(d) = moments.is_empty(d) ? wanted : std::max(wanted, moments.exponent(d));
    }
    rescale(moments, sums.scatter, before);
    for (Index d = 0; d < dims_; ++d) {
      if (moments.exponent(d) == 0) continue;
      for (Index i = 0; i < filled_; ++i) row(i)[d] = std::ldexp(row(i)[d], -moments.exponent(d));
    }
  }

  /// Centres columns [first, first + width) of the block and adds their mean and squares to the moments.
  void centre_values(Moments& moments, Index first, Index width, double n, double b) {
    std::array<double, 64> origin{};
    std::array<double, 64> low{};
    std::array<double, 64> sum{};
    std::array<double, 64> rest{};
    std::array<double, 64> squares{};
    const auto w = static_cast<std::size_t>(width);
    for (std::size_t k = 0; k < w; ++k) {
      const Index d = first + static_cast<Index>(k);
      if (n == 0.0) {
        origin[k] = values_.rows(0, 1, dims_).data()[d];
      } else {
        origin[k] = std::ldexp(moments.mean(d), -moments.exponent(d));
        low[k] = std::ldexp(moments.mean_low(d), -moments.exponent(d));
      }
    }
    for (Index i = 0; i < filled_; ++i) {
      double* const row = values_.rows(i, 1, dims_).data() + first;
      for (std::size_t k = 0; k < w; ++k) {
        row[k] -= origin[k];
        sum[k] += row[k];
      }
    }
    for (std::size_t k = 0; k < w; ++k) sum[k] /= b;
    for (Index i = 0; i < filled_; ++i) {
      double* const row = values_.rows(i, 1, dims_).data() + first;
      for (std::size_t k = 0; k < w; ++k) {
        row[k] -= sum[k];
        rest[k] += row[k];
        squares[k] += row[k] * row[k];
      }
    }
    double* const merge = values_.rows(filled_, 1, dims_).data() + first;
    const double weight = std::sqrt(n * b / (n + b));
    for (std::size_t k = 0; k < w; ++k) {
      const Index d = first + static_cast<Index>(k);
      // What rounding left of the block's mean (Chan, Golub & LeVeque, eq. 1.7).
      const double delta = (sum[k] - low[k]) + rest[k] / b;
      merge[k] = weight * delta;
      moments.sum_squares(d) += squares[k] + merge[k] * merge[k];
      const auto [high, beyond] = two_sum(origin[k], low[k] + delta * (b / (n + b)));
      moments.mean(d) = std::ldexp(high, moments.exponent(d));
      moments.mean_low(d) = std::ldexp(beyond, moments.exponent(d));
    }
  }

  /// The same of the directions. They are already relative to a point within their cloud.
  void centre_directions(DirectionSums& sums, Index first, Index width, double n, double b) {
    std::array<double, 64> sum{};
    std::array<double, 64> rest{};
    std::array<double, 64> cubic{};
    std::array<double, 64> squares{};
    const auto w = static_cast<std::size_t>(width);
    for (Index i = 0; i < filled_; ++i) {
      const double* const row = directions_.rows(i, 1, dims_).data() + first;
      const double square = squared_(i);
      for (std::size_t k = 0; k < w; ++k) {
        sum[k] += row[k];
        cubic[k] += square * row[k];
      }
    }
    for (std::size_t k = 0; k < w; ++k) sum[k] /= b;
    for (Index i = 0; i < filled_; ++i) {
      if (directed_(i) == 0.0) continue;
      double* const row = directions_.rows(i, 1, dims_).data() + first;
      for (std::size_t k = 0; k < w; ++k) {
        row[k] -= sum[k];
        rest[k] += row[k];
        squares[k] += row[k] * row[k];
      }
    }
    double* const merge = directions_.rows(filled_, 1, dims_).data() + first;
    const double weight = std::sqrt(n * b / (n + b));
    for (std::size_t k = 0; k < w; ++k) {
      const Index d = first + static_cast<Index>(k);
      const double delta = (sum[k] - sums.shift(d)) + rest[k] / b;
      merge[k] = weight * delta;
      sums.sum_squares(d) += squares[k] + merge[k] * merge[k];
      sums.cubic(d) += cubic[k];
      sums.shift(d) += delta * (b / (n + b));
    }
  }

  Index dims_;
  SumParts parts_;
  bool checks_range_ = false;
  LowerTiles tiles_;
  Panel values_;
  Panel directions_;
  Eigen::VectorXd squared_;   ///< ||u_i - reference||^2
  Eigen::VectorXd directed_;  ///< 1 where the row has a direction
  Index filled_ = 0;
};

/// The sums of all usable rows of a matrix.
template <EmbeddingScalar Scalar>
[[nodiscard]] Sums sum_rows(const MatrixView<Scalar>& z, const Rows& rows, const SumParts& parts = {}) {
  Folder folder(rows.dims, parts);
  Sums sums = folder.empty();
  folder.add(z, rows, sums);
  folder.flush(sums);
  return sums;
}

/// The moments of a matrix and the smaller Gram of its centred rows. On the side of the dimensions entry (d, e) is in
/// units of 2^(exponent d + exponent e), on the side of the samples all are in units of 2^(2 common_exponent()).
struct CentredGram {
  Moments moments;
  Gram gram;
};

template <EmbeddingScalar Scalar>
[[nodiscard]] CentredGram centred_gram(const MatrixView<Scalar>& z, const Rows& rows) {
  const bool by_dims = smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = sum_rows(z, rows, {.scatter = by_dims, .directions = false, .direction_scatter = false});
  if (by_dims) return {std::move(sums.moments), {Side::dims, std::move(sums.scatter)}};
  Gram gram = samples_gram(z, rows, sums.moments);
  return {std::move(sums.moments), std::move(gram)};
}

/// Sums over the directions of a matrix, and V V^T where that is the smaller side.
struct DirectionStatistics {
  DirectionSums sums;
  Eigen::MatrixXd lower;

  [[nodiscard]] const Eigen::MatrixXd* products() const { return lower.size() > 0 ? &lower : nullptr; }
};

template <EmbeddingScalar Scalar>
[[nodiscard]] DirectionStatistics direction_statistics(const MatrixView<Scalar>& z, const Rows& rows) {
  const bool by_dims = smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = sum_rows(z, rows, {.scatter = false, .direction_scatter = by_dims});
  if (by_dims) return {std::move(sums.directions), {}};
  Eigen::MatrixXd lower = direction_products(z, rows, sums.directions.mean());
  return {std::move(sums.directions), std::move(lower)};
}

}  // namespace detail

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
  detail::rescale(moments, scatter, before);
  detail::rescale(added, added_scatter, added_before);

  const double n = static_cast<double>(moments.count);
  const double m = static_cast<double>(added.count);
  const double weight = n * m / (n + m);
  Eigen::VectorXd delta(moments.dims);
  for (Index d = 0; d < moments.dims; ++d) {
    const int unit = moments.exponent(d);
    const double mean = std::ldexp(moments.mean(d), -unit);
    const double low = std::ldexp(moments.mean_low(d), -unit);
    delta(d) = (std::ldexp(added.mean(d), -unit) - mean) + (std::ldexp(added.mean_low(d), -unit) - low);
    const auto [high, rest] = detail::two_sum(mean, low + delta(d) * (m / (n + m)));
    moments.mean(d) = std::ldexp(high, unit);
    moments.mean_low(d) = std::ldexp(rest, unit);
  }
  moments.sum_squares += added.sum_squares + weight * delta.cwiseAbs2();
  if (scatter.size() > 0) {
    scatter.triangularView<Eigen::Lower>() += added_scatter;
    scatter.selfadjointView<Eigen::Lower>().rankUpdate(delta, weight);
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
  const detail::Evaluated<Derived> evaluated(Z);
  const Rows rows = detail::scan_rows(evaluated.view(), options.nonfinite);
  return detail::sum_rows(evaluated.view(), rows, {.scatter = false, .directions = false, .direction_scatter = false})
      .moments;
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
  const detail::Evaluated<Derived> evaluated(Z);
  const Rows rows = detail::scan_rows(evaluated.view(), options.nonfinite);
  auto [moments, result] = detail::centred_gram(evaluated.view(), rows);
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
