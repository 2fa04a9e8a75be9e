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
#include <tuple>
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

  /// Leaves what follows from the values alone: no lengths, no directions.
  void forget_directions() {
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

/// Adds rows to Sums, block by block: each value is converted to double once, the block is centred on its own mean, and
/// its scatter together with the row that the merge formula asks for (Chan, Golub & LeVeque 1983, eq. 2.1) is one
/// symmetric product. Blocks are counted from the first row ever added, however the rows arrive.
///
/// Memory is taken by the constructor and, for the threads, before a call changes anything; folding takes none and does
/// not throw.
class Folder {
 public:
  /// Rows that are folded at a time. With the row of the merge formula a multiple of the depth that the kernel takes at
  /// a time. Large enough that threads meet seldom: where they share their cores with others, each meeting costs a time
  /// slice.
  static constexpr Index block = 1023;

  explicit Folder(Index dims, const SumParts& parts = {})
      : dims_(dims),
        parts_(parts),
        waiting_(block, dims),
        waiting_inverse_(Eigen::VectorXd::Zero(block)),
        waiting_scale_(Eigen::VectorXd::Ones(block)),
        squares_by_strip_(Eigen::MatrixXd::Zero(block, parts.directions ? strips() : 0)),
        squared_(Eigen::VectorXd::Zero(block)),
        block_mean_(Eigen::VectorXd::Zero(dims)),
        units_before_(Eigen::VectorXi::Zero(dims)),
        value_products_(parts.scatter ? dims : 0, block + 1),
        direction_products_(parts.direction_scatter ? dims : 0, block + 1) {}

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
    prepare();
    start(z, rows, sums);
    constexpr bool any_range = std::same_as<Scalar, double>;
    const double* const scale = rows.prescale.size() > 0 ? rows.prescale.data() : nullptr;
    Index done = 0;
    while (done < rows.samples) {
      if (waiting_rows_ == 0 && rows.samples - done >= block) {
        fold(Block<Scalar>{z, rows.selection(), done, block, rows.inverse_norm.data() + done,
                           scale != nullptr ? scale + done : nullptr, any_range},
             sums);
        done += block;
        continue;
      }
      const Index count = std::min(block - waiting_rows_, rows.samples - done);
      wait(z, rows, done, count);
      waiting_range_ = waiting_range_ || any_range;
      done += count;
      if (waiting_rows_ == block) flush(sums);
    }
  }

  /// Adds the rows that wait.
  void flush(Sums& sums) {
    if (waiting_rows_ == 0) return;
    prepare();
    const Panel::View rows = waiting_.view(waiting_rows_, dims_);
    fold(Block<double>{{rows.data(), waiting_rows_, dims_, rows.outerStride(), 1},
                       RowSelection{},
                       0,
                       waiting_rows_,
                       waiting_inverse_.data(),
                       waiting_scaled_ ? waiting_scale_.data() : nullptr,
                       waiting_range_},
         sums);
    waiting_rows_ = 0;
    waiting_range_ = waiting_scaled_ = false;
  }

  [[nodiscard]] const SumParts& parts() const noexcept { return parts_; }

  /// Rows that were added and are not in the sums yet.
  [[nodiscard]] Index waiting() const noexcept { return waiting_rows_; }

  /// Writes or reads the rows that wait; see `detail/archive.hpp`.
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self) {
    archive(self.waiting_rows_);
    archive(self.waiting_scaled_);
    archive(self.waiting_range_);
    if constexpr (Archive::reads) {
      archive.require(self.waiting_rows_ >= 0 && self.waiting_rows_ < block, "more rows wait than a block holds");
    }
    for (Index i = 0; i < self.waiting_rows_; ++i) archive(self.waiting_.row(i), self.dims_);
    archive(self.waiting_inverse_.data(), self.waiting_rows_);
    archive(self.waiting_scale_.data(), self.waiting_rows_);
  }

 private:
  static constexpr Index group = MicroKernel::group;
  static constexpr Index strip = 48;
  static_assert(strip % group == 0);
  using Lanes = std::array<double, static_cast<std::size_t>(group)>;

  /// Rows [first, first + count) of z and what turns them into directions.
  template <EmbeddingScalar Scalar>
  struct Block {
    MatrixView<Scalar> z;
    RowSelection rows;
    Index first;
    Index count;
    const double* inverse;
    const double* scale;  ///< null when all are 1
    bool any_range;       ///< whether values may leave [2^-200, 2^200]
  };

  /// Columns of a block, and of its directions relative to the reference.
  struct Scratch {
    Panel values, directions;
  };

  /// Makes room for the threads that will fold.
  void prepare() {
    while (scratch_.size() < max_threads()) {
      scratch_.push_back({Panel(block, strip), Panel(parts_.directions ? block : 0, strip)});
    }
  }

  [[nodiscard]] Index strips() const { return (dims_ + strip - 1) / strip; }

  template <EmbeddingScalar Scalar>
  void start(const MatrixView<Scalar>& z, const Rows& rows, Sums& sums) {
    sums.moments.input_epsilon = std::max(sums.moments.input_epsilon, input_epsilon<Scalar>());
    if (parts_.directions && sums.directions.count == 0 &&
        (waiting_inverse_.head(waiting_rows_).array() == 0.0).all()) {
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
    if (parts_.directions) {
      sums.lengths.add(rows.norm);
      sums.zero_rows += rows.zero;
    }
    sums.skipped_rows += rows.skipped;
  }

  template <EmbeddingScalar Scalar>
  void wait(const MatrixView<Scalar>& z, const Rows& rows, Index first, Index count) {
    load(z, rows.selection(), first, 0, waiting_.rows(waiting_rows_, count, dims_));
    waiting_inverse_.segment(waiting_rows_, count) = rows.inverse_norm.segment(first, count);
    waiting_scaled_ = waiting_scaled_ || rows.prescale.size() > 0;
    for (Index i = 0; i < count; ++i) waiting_scale_(waiting_rows_ + i) = rows.scale(first + i);
    waiting_rows_ += count;
  }

  template <EmbeddingScalar Scalar>
  void fold(const Block<Scalar>& rows, Sums& sums) {
    Index directed = 0;
    for (Index i = 0; parts_.directions && i < rows.count; ++i) directed += rows.inverse[i] != 0.0 ? 1 : 0;
    if (rows.any_range) plan_units(rows, sums);
    const bool direction_scatter = parts_.direction_scatter && directed > 0;
    parallel_for({strips(), rows.count, dims_}, scratch_, [&](Index s, Scratch& scratch) {
      const Index width = std::min(strip, dims_ - s * strip);
      load_strip(rows, s, width, sums, scratch);
      for (Index d = 0; d < width; d += group) {
        const Index lanes = std::min(group, width - d);
        centre_values(scratch.values.columns(d, rows.count, group), s * strip + d, lanes, sums.moments);
        if (directed > 0) {
          centre_directions(scratch.directions.columns(d, rows.count, group), s * strip + d, lanes, rows.inverse,
                            static_cast<double>(directed), sums.directions);
        }
      }
    });
    sums.moments.count += rows.count;
    sums.directions.count += directed;
    if (direction_scatter) {
      squared_.head(rows.count) = squares_by_strip_.topRows(rows.count).rowwise().sum();
      sums.directions.quartic += squared_.head(rows.count).squaredNorm();
    }
    const Index tiles_of_values = parts_.scatter ? value_products_.tiles() : 0;
    const Index tiles_of_directions = direction_scatter ? direction_products_.tiles() : 0;
    const Index tiles = tiles_of_values + tiles_of_directions;
    parallel_for({tiles + (direction_scatter ? strips() : 0), rows.count, dims_, dims_}, [&](Index t) {
      if (t < tiles_of_values) {
        value_products_.add(t, rows.count + 1, sums.scatter);
      } else if (t < tiles) {
        direction_products_.add(t - tiles_of_values, rows.count + 1, sums.directions.scatter);
      } else {
        add_cubic(t - tiles, rows.count, sums.directions);
      }
    });
    if (direction_scatter) sums.directions.rebase_if_far();
  }

  /// Loads a strip of the block, in the units of the moments, and its directions relative to the reference.
  template <EmbeddingScalar Scalar>
  void load_strip(const Block<Scalar>& rows, Index s, Index width, const Sums& sums, Scratch& scratch) {
    const Index first = s * strip;
    const Index padded = (width + group - 1) / group * group;
    const Panel::View values = scratch.values.view(rows.count, width);
    load(rows.z, rows.rows, rows.first, first, values);
    for (Index i = 0; i < rows.count; ++i) {
      double* const value = scratch.values.rows(i, 1, padded).data();
      std::fill(value + width, value + padded, 0.0);
      if (!parts_.directions) continue;
      double* const direction = scratch.directions.rows(i, 1, padded).data();
      const double* const reference = sums.directions.reference.data() + first;
      const double inverse = rows.inverse[i];
      if (inverse == 0.0) {
        std::fill(direction, direction + padded, 0.0);
      } else if (rows.scale == nullptr || rows.scale[i] == 1.0) {
        for (Index d = 0; d < width; ++d) direction[d] = value[d] * inverse - reference[d];
      } else {
        for (Index d = 0; d < width; ++d) direction[d] = (value[d] * rows.scale[i]) * inverse - reference[d];
      }
      std::fill(direction + width, direction + padded, 0.0);
      if (parts_.direction_scatter) {
        squares_by_strip_(i, s) = Eigen::Map<const Eigen::VectorXd>(direction, width).squaredNorm();
      }
    }
    if (!sums.moments.scaled()) return;
    for (Index d = 0; d < width; ++d) {
      const int exponent = sums.moments.exponent(first + d);
      if (exponent == 0) continue;
      for (Index i = 0; i < rows.count; ++i) {
        double* const value = scratch.values.rows(i, 1, padded).data() + d;
        *value = std::ldexp(*value, -exponent);
      }
    }
  }

  /// Gives the dimensions of the block the units of the sums, or the other way round where the block is larger.
  template <EmbeddingScalar Scalar>
  void plan_units(const Block<Scalar>& rows, Sums& sums) {
    Moments& moments = sums.moments;
    Eigen::VectorXd& largest = block_mean_;
    parallel_for({strips(), rows.count, dims_}, scratch_, [&](Index s, Scratch& scratch) {
      const Index width = std::min(strip, dims_ - s * strip);
      auto part = largest.segment(s * strip, width);
      part.setZero();
      for (Index i = 0; i < rows.count; i += 16) {
        const Panel::View values = scratch.values.view(std::min<Index>(16, rows.count - i), width);
        load(rows.z, rows.rows, rows.first + i, s * strip, values);
        for (Index r = 0; r < values.rows(); ++r) part = part.cwiseMax(values.row(r).transpose().cwiseAbs());
      }
    });
    bool changes = moments.scaled();
    for (Index d = 0; d < dims_ && !changes; ++d) changes = range_exponent(largest(d)) != 0;
    if (!changes) return;

    units_before_ = moments.exponent;
    for (Index d = 0; d < dims_; ++d) {
      if (largest(d) == 0.0) continue;
      const int wanted = range_exponent(largest(d));
      moments.exponent(d) = moments.is_empty(d) ? wanted : std::max(wanted, moments.exponent(d));
    }
    rescale(moments, sums.scatter, units_before_);
  }

  /// Centres a group of columns of the block, adds their mean and squares to the moments and packs them.
  void centre_values(Panel::View values, Index first, Index lanes, Moments& moments) {
    Lanes origin{};
    Lanes low{};
    Lanes sum{};
    Lanes rest{};
    Lanes squares{};
    const double n = static_cast<double>(moments.count);
    const double b = static_cast<double>(values.rows());
    for (std::size_t k = 0; k < static_cast<std::size_t>(lanes); ++k) {
      const Index d = first + static_cast<Index>(k);
      if (moments.count == 0) {
        origin[k] = values.data()[k];
      } else {
        origin[k] = moments.mean(d);
        low[k] = moments.mean_low(d);
      }
    }
    in_runs(values.rows(), [&](Index begin, Index end) {
      Lanes run{};
      for (Index i = begin; i < end; ++i) {
        double* const row = row_of(values, i);
        for (std::size_t k = 0; k < run.size(); ++k) {
          row[k] -= origin[k];
          run[k] += row[k];
        }
      }
      add(sum, run);
    });
    for (double& value : sum) value /= b;
    double* to = parts_.scatter ? value_products_.packed(first) : row_of(values, 0);
    const Index step = parts_.scatter ? group : values.outerStride();
    in_runs(values.rows(), [&](Index begin, Index end) {
      Lanes run{};
      Lanes run_of_squares{};
      for (Index i = begin; i < end; ++i, to += step) {
        const double* const row = row_of(values, i);
        for (std::size_t k = 0; k < run.size(); ++k) {
          const double centred = row[k] - sum[k];
          run[k] += centred;
          run_of_squares[k] += centred * centred;
          to[k] = centred;
        }
      }
      add(rest, run);
      add(squares, run_of_squares);
    });
    const double weight = std::sqrt(n * b / (n + b));
    for (std::size_t k = 0; k < static_cast<std::size_t>(lanes); ++k) {
      const Index d = first + static_cast<Index>(k);
      // What rounding left of the block's mean (Chan, Golub & LeVeque, eq. 1.7).
      const double left = rest[k] / b;
      const double merge = weight * ((sum[k] - low[k]) + left);
      if (parts_.scatter) to[k] = merge;
      moments.sum_squares(d) += squares[k] + merge * merge;
      // Large parts first: with a first row far from the others, `left` is below the last digit of `sum`.
      const double share = b / (n + b);
      const auto [moved, rounding] = two_sum(origin[k], sum[k] * share);
      std::tie(moments.mean(d), moments.mean_low(d)) = two_sum(moved, rounding + (low[k] + (left - low[k]) * share));
    }
    for (std::size_t k = static_cast<std::size_t>(lanes); parts_.scatter && k < origin.size(); ++k) to[k] = 0.0;
  }

  /// The same of the directions, `b` of them. They are already relative to a point within their cloud.
  void centre_directions(Panel::View directions, Index first, Index lanes, const double* inverse, double b,
                         DirectionSums& sums) {
    Lanes sum{};
    Lanes rest{};
    Lanes squares{};
    const double n = static_cast<double>(sums.count);
    in_runs(directions.rows(), [&](Index begin, Index end) {
      Lanes run{};
      for (Index i = begin; i < end; ++i) {
        const double* const row = row_of(directions, i);
        for (std::size_t k = 0; k < run.size(); ++k) run[k] += row[k];
      }
      add(sum, run);
    });
    for (double& value : sum) value /= b;
    double* to = parts_.direction_scatter ? direction_products_.packed(first) : row_of(directions, 0);
    const Index step = parts_.direction_scatter ? group : directions.outerStride();
    in_runs(directions.rows(), [&](Index begin, Index end) {
      Lanes run{};
      Lanes run_of_squares{};
      for (Index i = begin; i < end; ++i, to += step) {
        const double* const row = row_of(directions, i);
        if (inverse[i] == 0.0) {
          std::fill(to, to + group, 0.0);
          continue;
        }
        for (std::size_t k = 0; k < run.size(); ++k) {
          const double centred = row[k] - sum[k];
          run[k] += centred;
          run_of_squares[k] += centred * centred;
          to[k] = centred;
        }
      }
      add(rest, run);
      add(squares, run_of_squares);
    });
    const double weight = std::sqrt(n * b / (n + b));
    for (std::size_t k = 0; k < static_cast<std::size_t>(lanes); ++k) {
      const Index d = first + static_cast<Index>(k);
      const double delta = (sum[k] - sums.shift(d)) + rest[k] / b;
      const double merge = weight * delta;
      if (parts_.direction_scatter) to[k] = merge;
      block_mean_(d) = sum[k];
      sums.sum_squares(d) += squares[k] + merge * merge;
      sums.shift(d) += delta * (b / (n + b));
    }
    for (std::size_t k = static_cast<std::size_t>(lanes); parts_.direction_scatter && k < sum.size(); ++k) to[k] = 0.0;
  }

  /// sum ||w_i||^2 w_i of the block: ||w_i|| is known only after all strips, and what is packed is w_i less its mean.
  void add_cubic(Index s, Index count, DirectionSums& sums) const {
    const Index width = std::min(strip, dims_ - s * strip);
    const double total = squared_.head(count).sum();
    for (Index d = 0; d < width; d += group) {
      Lanes cubic{};
      const double* row = direction_products_.packed(s * strip + d);
      for (Index i = 0; i < count; ++i, row += group) {
        for (std::size_t k = 0; k < cubic.size(); ++k) cubic[k] += squared_(i) * row[k];
      }
      for (Index k = 0; k < std::min(group, width - d); ++k) {
        const Index at = s * strip + d + k;
        sums.cubic(at) += cubic[static_cast<std::size_t>(k)] + total * block_mean_(at);
      }
    }
  }

  /// body(begin, end) for runs of rows: sums of sums round less than one long sum.
  template <class Body>
  static void in_runs(Index count, Body&& body) {
    constexpr Index run = 64;
    for (Index begin = 0; begin < count; begin += run) body(begin, std::min(begin + run, count));
  }

  static void add(Lanes& to, const Lanes& run) {
    for (std::size_t k = 0; k < to.size(); ++k) to[k] += run[k];
  }

  [[nodiscard]] static double* row_of(Panel::View& view, Index i) { return view.data() + i * view.outerStride(); }

  Index dims_;
  SumParts parts_;
  Panel waiting_;
  Eigen::VectorXd waiting_inverse_;
  Eigen::VectorXd waiting_scale_;
  Index waiting_rows_ = 0;
  bool waiting_scaled_ = false;
  bool waiting_range_ = false;
  Eigen::MatrixXd squares_by_strip_;  ///< ||u_i - reference||^2, strip by strip
  Eigen::VectorXd squared_;           ///< ||u_i - reference||^2
  Eigen::VectorXd block_mean_;        ///< of u_i - reference
  Eigen::VectorXi units_before_;
  std::vector<Scratch> scratch_;  ///< one per thread
  LowerTriangle value_products_;
  LowerTriangle direction_products_;
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
    delta(d) = (added.mean(d) - moments.mean(d)) + (added.mean_low(d) - moments.mean_low(d));
    std::tie(moments.mean(d), moments.mean_low(d)) =
        detail::two_sum(moments.mean(d), moments.mean_low(d) + delta(d) * (m / (n + m)));
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
