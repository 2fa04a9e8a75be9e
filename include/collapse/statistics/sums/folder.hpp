#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/capacity.hpp>
#include <collapse/linalg/lanes.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/scan_rows.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/float_triangle.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/statistics/sums/two_sum.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace collapse {
namespace statistics {

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
        squares_by_strip_(block * linalg::MicroKernel::width, parts.direction_scatter ? strips() : 0),
        packets_(block * linalg::MicroKernel::width),
        squared_(Eigen::VectorXd::Zero(block)),
        block_mean_(Eigen::VectorXd::Zero(dims)),
        units_before_(Eigen::VectorXi::Zero(dims)),
        value_products_(parts.scatter ? dims : 0, block + 1),
        direction_products_(parts.direction_scatter ? dims : 0, block + 1),
        float_products_(parts.direction_scatter && dims >= FloatTriangle::least_order ? dims : 0, block + 1) {}

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

  /// Takes the memory for the threads that will fold and for so many rows at a time; nothing is allocated after it.
  void prepare(Index rows) {
    linalg::grow_capacity(lengths_, static_cast<std::size_t>(rows));
    constexpr Index columns = block * group;
    while (scratch_.size() < linalg::max_threads()) {
      scratch_.push_back({linalg::Panel(16, strip), Eigen::VectorXd(parts_.scatter ? 0 : columns),
                          Eigen::VectorXd(!parts_.directions || parts_.direction_scatter ? 0 : columns)});
    }
  }

  /// Adds the usable rows of z. Rows that do not fill a block wait for the next call or for `flush`.
  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z, const Rows& rows, Sums& sums) {
    prepare(rows.samples);
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
    prepare(0);
    const linalg::Panel::View rows = waiting_.view(waiting_rows_, dims_);
    fold(Block<double>{{rows.data(), waiting_rows_, dims_, rows.stride(), 1},
                       linalg::RowSelection{},
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

  /// Writes or reads the rows that wait; see `streams/archive.hpp`.
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
  static constexpr Index group = linalg::MicroKernel::group;
  static constexpr Index strip = 48;
  /// Rows are summed in runs of so many, and the runs then added up: sums of sums round less than one long sum.
  static constexpr Index longest_run = 64;
  static_assert(strip % group == 0);
  static_assert(FloatTriangle::tile == LowerTriangle::tile, "tiles of the directions are counted once for both");
  using Lanes = linalg::Lanes;

  /// Rows [first, first + count) of z and what turns them into directions.
  template <EmbeddingScalar Scalar>
  struct Block {
    linalg::MatrixView<Scalar> z;
    linalg::RowSelection rows;
    Index first;
    Index count;
    const double* inverse;
    const double* scale;  ///< null when all are 1
    bool any_range;       ///< whether values may leave [2^-200, 2^200]
  };

  /// A few rows of a strip, and a group of columns of a block for what is not packed.
  struct Scratch {
    linalg::Panel rows;
    Eigen::VectorXd values, directions;
  };

  [[nodiscard]] Index strips() const { return (dims_ + strip - 1) / strip; }
  [[nodiscard]] double* squares_of(Index s) { return squares_by_strip_.data() + s * squares_by_strip_.rows(); }

  template <EmbeddingScalar Scalar>
  void start(const linalg::MatrixView<Scalar>& z, const Rows& rows, Sums& sums) {
    sums.moments.input_epsilon = std::max(sums.moments.input_epsilon, linalg::input_epsilon<Scalar>());
    const double* const waiting = waiting_inverse_.data();
    if (parts_.directions && sums.directions.count == 0 &&
        std::all_of(waiting, waiting + waiting_rows_, [](double inverse) { return inverse == 0.0; })) {
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
      sums.lengths.add(rows.norm, lengths_);
      sums.zero_rows += rows.zero;
    }
    sums.skipped_rows += rows.skipped;
  }

  template <EmbeddingScalar Scalar>
  void wait(const linalg::MatrixView<Scalar>& z, const Rows& rows, Index first, Index count) {
    load(z, rows.selection(), first, 0, waiting_.rows(waiting_rows_, count, dims_));
    std::copy_n(rows.inverse_norm.data() + first, count, waiting_inverse_.data() + waiting_rows_);
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
    const bool in_float = direction_scatter && dims_ >= FloatTriangle::least_order;
    linalg::parallel_for({strips(), rows.count, dims_}, scratch_, [&](Index s, Scratch& scratch) {
      const Index end = std::min(dims_, (s + 1) * strip);
      double* const squares = direction_scatter ? squares_of(s) : nullptr;
      if (direction_scatter) std::fill_n(squares, squares_by_strip_.rows(), 0.0);
      for (Index first = s * strip; first < end; first += group) {
        const Index lanes = std::min(group, end - first);
        double* const values = parts_.scatter ? value_products_.packed(first) : scratch.values.data();
        double* const directions =
            parts_.direction_scatter ? direction_products_.packed(first) : scratch.directions.data();
        if (in_float && sums.directions.count == 0) {
          centre_reference(rows, directed, first, lanes, sums.directions.reference);
        }
        const Means means = load_group(rows, first, lanes, directed > 0, sums, values, directions, squares);
        centre_values(values, rows.count, first, lanes, means, sums.moments);
        if (directed > 0) {
          centre_directions(directions, rows.count, first, lanes, rows.inverse, static_cast<double>(directed), means,
                            sums.directions);
          if (in_float) float_products_.pack(first, rows.count + 1, directions);
        }
      }
    });
    sums.moments.count += rows.count;
    sums.directions.count += directed;
    if (direction_scatter) add_squares(rows.count, sums.directions);
    const bool multiply_in_float = in_float && float_products_.suffices();
    const Index tiles_of_values = parts_.scatter ? value_products_.tiles() : 0;
    const Index tiles_of_directions = direction_scatter ? direction_products_.tiles() : 0;
    const Index tiles = tiles_of_values + tiles_of_directions;
    linalg::parallel_for({tiles + (direction_scatter ? strips() : 0), rows.count, dims_, dims_}, [&](Index t) {
      if (t < tiles_of_values) {
        value_products_.add(t, rows.count + 1, sums.scatter);
      } else if (t < tiles) {
        if (multiply_in_float) {
          float_products_.add(t - tiles_of_values, rows.count + 1, sums.directions.scatter);
        } else {
          direction_products_.add(t - tiles_of_values, rows.count + 1, sums.directions.scatter);
        }
      } else {
        add_cubic(t - tiles, rows.count, sums.directions);
      }
    });
    if (in_float) {
      for (Index d = 0; d < dims_; ++d) sums.directions.scatter(d, d) = sums.directions.sum_squares(d);
    }
    if (direction_scatter) sums.directions.rebase_if_far();
  }

  /// Where the columns of a group are taken relative to while they are summed, and their mean over the block from
  /// there.
  struct Means {
    Lanes origin, low, values, directions;
  };

  /// Values [first, first + lanes) of row i of a block, and zeros.
  template <EmbeddingScalar Scalar>
  EIGEN_ALWAYS_INLINE static Lanes load_lanes(const Block<Scalar>& rows, Index i, Index first, Index lanes) {
    alignas(64) double values[static_cast<std::size_t>(group)];
    const Scalar* const from = rows.z.data + rows.rows(rows.first + i) * rows.z.row_stride + first * rows.z.col_stride;
    if (rows.z.col_stride == 1 && lanes == group) {
      for (Index k = 0; k < group; ++k) values[k] = linalg::to_double(from[k]);
    } else {
      for (Index k = 0; k < group; ++k) values[k] = k < lanes ? linalg::to_double(from[k * rows.z.col_stride]) : 0.0;
    }
    return Lanes::load(values);
  }

  /// The same of its direction, relative to the reference; zeros if it has none.
  template <EmbeddingScalar Scalar>
  EIGEN_ALWAYS_INLINE static Lanes direction_of(const Block<Scalar>& rows, Index i, const Lanes& row,
                                                const Lanes& reference) {
    if (rows.inverse[i] == 0.0) return {};
    return (rows.scale != nullptr ? row * rows.scale[i] : row) * rows.inverse[i] - reference;
  }

  /// Takes the reference of a group of columns from the first direction to the mean of those of the first block, so
  /// that little is ever subtracted from what `DirectionSums::squared_spread` sums up.
  template <EmbeddingScalar Scalar>
  static void centre_reference(const Block<Scalar>& rows, Index directed, Index first, Index lanes,
                               Eigen::VectorXd& reference) {
    const Lanes before = Lanes::load(reference.data() + first, lanes);
    Lanes sum;
    for (Index i = 0; i < rows.count; ++i) sum += direction_of(rows, i, load_lanes(rows, i, first, lanes), before);
    (before + sum / static_cast<double>(directed)).store(reference.data() + first, lanes);
  }

  /// Writes a group of columns of the block, in the units of the moments and relative to their origin, and of its
  /// directions, relative to the reference; adds the squares of these, packet by packet, to those of the rows.
  template <EmbeddingScalar Scalar>
  [[nodiscard]] Means load_group(const Block<Scalar>& rows, Index first, Index lanes, bool with_directions,
                                 const Sums& sums, double* values, double* directions, double* squares) const {
    const Moments& moments = sums.moments;
    Means means;
    const auto in_units = [&](const Lanes& row) {
      double in[static_cast<std::size_t>(group)];
      row.store(in);
      for (Index k = 0; k < lanes; ++k) in[k] = std::ldexp(in[k], -moments.exponent(first + k));
      return Lanes::load(in);
    };
    const bool scaled = moments.scaled();
    if (moments.count == 0) {
      means.origin = load_lanes(rows, 0, first, lanes);
      if (scaled) means.origin = in_units(means.origin);
    } else {
      means.origin = Lanes::load(moments.mean.data() + first, lanes);
      means.low = Lanes::load(moments.mean_low.data() + first, lanes);
    }
    Lanes reference;
    if (with_directions) reference = Lanes::load(sums.directions.reference.data() + first, lanes);
    const Lanes origin = means.origin;
    for (Index begin = 0; begin < rows.count; begin += longest_run) {
      const Index end = std::min(begin + longest_run, rows.count);
      Lanes run;
      Lanes run_of_directions;
      for (Index i = begin; i < end; ++i, values += group) {
        Lanes row = load_lanes(rows, i, first, lanes);
        if (with_directions) {
          const Lanes direction = direction_of(rows, i, row, reference);
          run_of_directions += direction;
          direction.store(directions);
          directions += group;
          if (squares != nullptr) {
            (direction * direction).add_packets_to(squares);
            squares += linalg::MicroKernel::width;
          }
        }
        if (scaled) row = in_units(row);
        const Lanes moved = row - origin;
        run += moved;
        moved.store(values);
      }
      means.values += run;
      means.directions += run_of_directions;
    }
    means.values = means.values / static_cast<double>(rows.count);
    return means;
  }

  /// Gives the dimensions of the block the units of the sums, or the other way round where the block is larger.
  template <EmbeddingScalar Scalar>
  void plan_units(const Block<Scalar>& rows, Sums& sums) {
    Moments& moments = sums.moments;
    Eigen::VectorXd& largest = block_mean_;
    linalg::parallel_for({strips(), rows.count, dims_}, scratch_, [&](Index s, Scratch& scratch) {
      const Index width = std::min(strip, dims_ - s * strip);
      double* const part = largest.data() + s * strip;
      std::fill_n(part, width, 0.0);
      for (Index i = 0; i < rows.count; i += 16) {
        const linalg::Panel::View values = scratch.rows.view(std::min<Index>(16, rows.count - i), width);
        load(rows.z, rows.rows, rows.first + i, s * strip, values);
        for (Index r = 0; r < values.rows(); ++r) {
          const double* const row = values.row(r);
          for (Index d = 0; d < width; ++d) part[d] = std::max(part[d], std::abs(row[d]));
        }
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

  /// Of columns that are centred: what rounding left of their sums, and their squares.
  struct Centred {
    Lanes rest, squares;
  };

  /// Takes a group of columns of the block to what they are less `mean`, where they stand, and leaves out rows.
  template <class LeaveOut>
  static Centred centre(double* values, Index count, const Lanes& mean, LeaveOut&& leave_out) {
    Centred result;
    for (Index begin = 0; begin < count; begin += longest_run) {
      const Index end = std::min(begin + longest_run, count);
      Lanes run;
      Lanes run_of_squares;
      for (Index i = begin; i < end; ++i, values += group) {
        if (leave_out(i)) continue;
        const Lanes centred = Lanes::load(values) - mean;
        run += centred;
        run_of_squares += centred * centred;
        centred.store(values);
      }
      result.rest += run;
      result.squares += run_of_squares;
    }
    return result;
  }

  /// Centres a group of columns of the block where they stand, adds their mean and squares to the moments, and appends
  /// the row that the merge formula asks for.
  void centre_values(double* values, Index count, Index first, Index lanes, const Means& means,
                     Moments& moments) const {
    const Centred centred = centre(values, count, means.values, [](Index) { return false; });
    const double n = static_cast<double>(moments.count);
    const double b = static_cast<double>(count);
    // What rounding left of the block's mean (Chan, Golub & LeVeque, eq. 1.7).
    const Lanes left = centred.rest / b;
    const Lanes merge = ((means.values - means.low) + left) * std::sqrt(n * b / (n + b));
    if (parts_.scatter) merge.store(values + count * group);
    const Lanes squares = centred.squares + merge * merge;
    const double share = b / (n + b);
    double sum_at[static_cast<std::size_t>(group)];
    double origin_at[static_cast<std::size_t>(group)];
    double left_at[static_cast<std::size_t>(group)];
    double low_at[static_cast<std::size_t>(group)];
    double squares_at[static_cast<std::size_t>(group)];
    means.values.store(sum_at);
    means.origin.store(origin_at);
    left.store(left_at);
    means.low.store(low_at);
    squares.store(squares_at);
    for (Index k = 0; k < lanes; ++k) {
      const Index d = first + k;
      moments.sum_squares(d) += squares_at[k];
      // Large parts first: with a first row far from the others, `left` is below the last digit of `sum`.
      const auto [moved, rounding] = two_sum(origin_at[k], sum_at[k] * share);
      const double low = low_at[k];
      std::tie(moments.mean(d), moments.mean_low(d)) = two_sum(moved, rounding + (low + (left_at[k] - low) * share));
    }
  }

  /// The same of the directions, `b` of them. They are already relative to a point within their cloud.
  void centre_directions(double* directions, Index count, Index first, Index lanes, const double* inverse, double b,
                         const Means& means, DirectionSums& sums) {
    const Lanes sum = means.directions / b;
    const Centred centred = centre(directions, count, sum, [inverse](Index i) { return inverse[i] == 0.0; });
    const double n = static_cast<double>(sums.count);
    const Lanes delta = (sum - Lanes::load(sums.shift.data() + first, lanes)) + centred.rest / b;
    const Lanes merge = delta * std::sqrt(n * b / (n + b));
    if (parts_.direction_scatter) merge.store(directions + count * group);
    sum.store(block_mean_.data() + first, lanes);
    const auto add = [&](Eigen::VectorXd& to, const Lanes& values) {
      (Lanes::load(to.data() + first, lanes) + values).store(to.data() + first, lanes);
    };
    add(sums.sum_squares, centred.squares + merge * merge);
    add(sums.shift, delta * (b / (n + b)));
  }

  /// ||w_i||^2 of the rows of the block, and the sum of the squares of these.
  void add_squares(Index count, DirectionSums& sums) {
    constexpr Index width = linalg::MicroKernel::width;
    double* const packets = packets_.data();
    std::fill_n(packets, count * width, 0.0);
    for (Index s = 0; s < strips(); ++s) linalg::add_scaled(packets, 1.0, squares_of(s), count * width);
    for (Index i = 0; i < count; ++i) {
      double square = 0.0;
      for (Index k = 0; k < width; ++k) square += packets[i * width + k];
      squared_(i) = square;
    }
    sums.quartic += linalg::squared_norm(squared_.data(), count);
  }

  /// sum ||w_i||^2 w_i of the block: ||w_i|| is known only after all strips, and what is packed is w_i less its mean.
  void add_cubic(Index s, Index count, DirectionSums& sums) const {
    const Index width = std::min(strip, dims_ - s * strip);
    const double total = linalg::sum(squared_.data(), count);
    for (Index d = 0; d < width; d += group) {
      const Index lanes = std::min(group, width - d);
      const Index first = s * strip + d;
      Lanes cubic = Lanes::load(block_mean_.data() + first, lanes) * total;
      const double* row = direction_products_.packed(first);
      for (Index i = 0; i < count; ++i, row += group) cubic += Lanes::load(row) * squared_(i);
      double* const to = sums.cubic.data() + first;
      (Lanes::load(to, lanes) + cubic).store(to, lanes);
    }
  }

  Index dims_;
  SumParts parts_;
  linalg::Panel waiting_;
  Eigen::VectorXd waiting_inverse_;
  Eigen::VectorXd waiting_scale_;
  Index waiting_rows_ = 0;
  bool waiting_scaled_ = false;
  bool waiting_range_ = false;
  Eigen::MatrixXd squares_by_strip_;  ///< ||u_i - reference||^2, strip by strip and as packets that wait to be added up
  Eigen::VectorXd packets_;
  Eigen::VectorXd squared_;     ///< ||u_i - reference||^2
  Eigen::VectorXd block_mean_;  ///< of u_i - reference
  Eigen::VectorXi units_before_;
  std::vector<Scratch> scratch_;  ///< one per thread
  std::vector<double> lengths_;   ///< of a batch
  LowerTriangle value_products_;
  LowerTriangle direction_products_;  ///< of many dimensions the directions alone, which are multiplied as floats
  FloatTriangle float_products_;
};

template <EmbeddingScalar Scalar>
Sums sum_rows(const linalg::MatrixView<Scalar>& z, const Rows& rows, const SumParts& parts) {
  Folder folder(rows.dims, parts);
  Sums sums = folder.empty();
  folder.add(z, rows, sums);
  folder.flush(sums);
  return sums;
}

template <EmbeddingScalar Scalar>
CentredGram centred_gram(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  const bool by_dims = smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = sum_rows(z, rows, {.scatter = by_dims, .directions = false, .direction_scatter = false});
  if (by_dims) return {std::move(sums.moments), {Side::dims, std::move(sums.scatter)}};
  Gram gram = samples_gram(z, rows, sums.moments);
  return {std::move(sums.moments), std::move(gram)};
}

template <EmbeddingScalar Scalar>
DirectionStatistics direction_statistics(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  const bool by_dims = smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = sum_rows(z, rows, {.scatter = false, .direction_scatter = by_dims});
  if (by_dims) return {std::move(sums.directions), {}};
  Eigen::MatrixXd lower = direction_products(z, rows, sums.directions.mean());
  return {std::move(sums.directions), std::move(lower)};
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_SUMS_INSTANCES(Keyword, Scalar)                                                                       \
  Keyword template Sums statistics::sum_rows(const linalg::MatrixView<Scalar>&, const Rows&, const SumParts&);         \
  Keyword template statistics::CentredGram statistics::centred_gram(const linalg::MatrixView<Scalar>&, const Rows&);   \
  Keyword template statistics::DirectionStatistics statistics::direction_statistics(const linalg::MatrixView<Scalar>&, \
                                                                                    const Rows&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_SUMS_INSTANCES)
#endif

}  // namespace collapse
