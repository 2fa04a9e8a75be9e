#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/streams/moment_state.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

namespace streams {

class RowStream;
struct StateWords;

}  // namespace streams

/// Measures embeddings that come in batches, from threads, from processes, or from a file larger than memory:
///
///     collapse::Accumulator seen(dims);
///     for (const auto& batch : loader) seen.update(encoder(batch));
///     seen.merge(from_another_thread);
///     collapse::Report report = seen.report();
///
/// The report is that of `measure` on all rows at once: the first max(Options::pair_rows, dims) rows are held as they
/// are, and while there are no more the two are the same computation. Further rows are folded into centred sums, whose
/// numbers agree with one pass to about 1e-12 relative however the rows are batched, ordered and merged; a uniform
/// sample of `pair_rows` rows then serves the quantiles of the cosines. Options that need the rows themselves
/// (`all_pairs`, `method = svd`) make the accumulator hold all of them.
///
/// A value type: copyable, movable, one per thread. An update or a merge that throws leaves it as it was.
/// Memory: pair_rows x D doubles and, from then on, two D x D matrices.
class Accumulator {
 public:
  /// @param dims     dimensions of every row to come
  /// @param options  as of `measure`, but for `resamples`: see jackknife_report for standard errors
  /// @throws ShapeError unless dims >= 1, OptionError
  explicit Accumulator(Index dims, const Options& options = {});

  Accumulator(const Accumulator& other);
  Accumulator& operator=(const Accumulator& other);
  Accumulator(Accumulator&& other) noexcept;             ///< leaves the other one empty
  Accumulator& operator=(Accumulator&& other) noexcept;  ///< leaves the other one empty
  ~Accumulator();

  /// Adds the rows of a batch.
  /// @param batch  n x dims, n >= 0, as Z of `measure`; of any scalar, also a different one each time
  /// @throws ShapeError when it has not `dims` columns; NonFiniteError for the first NaN or infinity (or see
  ///         Options::nonfinite). Nothing of the batch is added then
  /// Cost: a copy of the rows while they are held; 2 n D^2 flops after that, and no allocation for batches that lie in
  ///       memory and are no longer than those before.
  template <class Derived>
  void update(const Eigen::DenseBase<Derived>& batch);

  /// Adds all that another accumulator has seen. Neither the order nor the shape of the tree of merges matters.
  /// @throws ShapeError when its dims differ; OptionError when it samples pairs differently (pair_rows, all_pairs, or a
  ///         method that holds all rows)
  /// Cost: O(D^2 + pair_rows D), or that of an update with the rows the other one holds.
  void merge(const Accumulator& other);

  /// An accumulator of rows whose moments were computed elsewhere (on a GPU, in a database). What moments cannot tell
  /// is undefined in its report and in those of accumulators that merge it: lengths, cosines,
  /// `variance.normalized_std`.
  /// @param count    rows, 1 <= N <= 2^53
  /// @param mean     D
  /// @param scatter  D x D, of which the lower triangle is read; centred: near collapse, sums of z z^T have lost the
  ///                 digits that are asked for here
  /// @param options  as of `measure`
  /// @param input_epsilon  machine epsilon of the scalar that the embeddings came in, [0, 1): 2^-23 for float
  /// @throws ShapeError when the shapes disagree or count < 1; OptionError for a NaN or an infinity, a negative entry
  ///         on the diagonal, or options that need rows (all_pairs, method = svd)
  /// Cost: O(D^2).
  [[nodiscard]] static Accumulator from_moments(Index count, const Eigen::VectorXd& mean,
                                                const Eigen::MatrixXd& scatter, const Options& options = {},
                                                double input_epsilon = std::numeric_limits<double>::epsilon());

  /// The moments of all rows so far, in input units; `from_moments` takes them back.
  /// @throws ShapeError when there are none
  /// Cost: O(D^2), and 2 n D^2 flops for n rows that are held.
  [[nodiscard]] MomentState state() const;

  /// Writes everything but the thresholds, which are the report's: to go on after a restart, or to merge parts that
  /// were measured on different days. The bytes are the same on every platform: little-endian, with a version and a
  /// checksum.
  /// @param out  a binary stream
  /// @throws StateError when the stream fails
  /// Cost: O(D^2 + pair_rows D) bytes, twice that in memory meanwhile.
  void save(std::ostream& out) const;

  /// The accumulator that was saved, bit for bit, options included but for the thresholds: it goes on as the original
  /// would. States of the version before are read.
  /// @param in  a binary stream, read to its end
  /// @throws StateError for anything but the whole state of an Accumulator: truncated, damaged, contradictory, of
  ///         another kind or version, or too large for this machine
  /// Cost: as of save.
  [[nodiscard]] static Accumulator load(std::istream& in);

  /// The same of the bytes that `save` wrote.
  [[nodiscard]] static Accumulator load(std::string_view bytes);

  /// The most words of 64 bits in the state of an accumulator that has seen so many rows, by whatever updates and
  /// merges: for those who carry states in buffers of a fixed size.
  [[nodiscard]] static std::size_t most_state_words(Index dims, const Options& options, Index rows);

  /// The report on all rows so far. They stay; more may follow.
  /// @throws ShapeError when there are none
  /// Cost: eigenvalue problems and cosine quantiles as in `measure`.
  [[nodiscard]] Report report() const;

  /// The same with a diagnosis by other thresholds than those of `options`.
  /// @throws ShapeError as above, OptionError for thresholds out of range
  [[nodiscard]] Report report(const Thresholds& thresholds) const;

  /// Forgets all rows, and what was skipped.
  void reset() noexcept;

  [[nodiscard]] Index count() const noexcept;  ///< usable rows so far
  [[nodiscard]] Index dims() const noexcept { return dims_; }
  [[nodiscard]] Index skipped_rows() const noexcept;
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  friend struct streams::StateWords;

  explicit Accumulator(streams::RowStream&& stream);

  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z);
  [[nodiscard]] streams::RowStream& stream();
  [[nodiscard]] const streams::RowStream& rows(const char* lacks) const;

  Index dims_;
  Options options_;
  std::unique_ptr<streams::RowStream> stream_;  ///< null until there is something to add
};

template <class Derived>
void Accumulator::update(const Eigen::DenseBase<Derived>& batch) {
  if (batch.cols() != dims_) {
    throw ShapeError(
        fmt::format("batch of shape {} x {} for an Accumulator of {} dimensions; rows are samples and columns "
                    "dimensions",
                    batch.rows(), batch.cols(), dims_),
        batch.rows(), batch.cols());
  }
  const linalg::Evaluated<Derived> evaluated(batch);
  add(evaluated.view());
}

namespace streams {

/// The state of an accumulator as words, without the container that files need.
struct StateWords {
  [[nodiscard]] static std::vector<std::uint64_t> write(const Accumulator& accumulator);

  /// Throws StateError for words that no accumulator has written.
  [[nodiscard]] static Accumulator read(std::span<const std::uint64_t> words);
};

}  // namespace streams

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/accumulator_definitions.hpp>
#endif
