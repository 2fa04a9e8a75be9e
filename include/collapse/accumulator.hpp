#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/measure.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pairs.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/archive.hpp>
#include <collapse/streams/reserve.hpp>
#include <collapse/streams/state.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <limits>
#include <new>
#include <optional>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

class PairedAccumulator;

namespace streams {

struct StateWords;

/// Whether a report with these options needs the rows themselves, however many.
[[nodiscard]] inline bool needs_rows(const Options& options) {
  return options.all_pairs || options.method == SpectrumMethod::svd;
}

}  // namespace streams

/// The first two moments of embeddings: what everything but lengths and cosines follows from.
struct MomentState {
  Index count = 0;          ///< rows, N
  Eigen::VectorXd mean;     ///< D
  Eigen::MatrixXd scatter;  ///< D x D, symmetric: sum over rows of (z - mean)(z - mean)^T, that is N - 1 times the
                            ///< covariance
  double input_epsilon = std::numeric_limits<double>::epsilon();  ///< of the scalar that the embeddings came in
};

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

  /// Writes everything: to go on after a restart, or to merge parts that were measured on different days. The bytes
  /// are the same on every platform: little-endian, with a version and a checksum.
  /// @param out  a binary stream
  /// @throws StateError when the stream fails
  /// Cost: O(D^2 + pair_rows D) bytes, twice that in memory meanwhile.
  void save(std::ostream& out) const;

  /// The accumulator that was saved, bit for bit, options included: it goes on as the original would.
  /// @param in  a binary stream, read to its end
  /// @throws StateError for anything but the whole state of an accumulator: truncated, damaged, contradictory, of
  ///         another version, or too large for this machine
  /// Cost: as of save.
  [[nodiscard]] static Accumulator load(std::istream& in);

  /// The most words of 64 bits in the state of an accumulator that has seen so many rows, by whatever updates and
  /// merges: for those who carry states in buffers of a fixed size.
  [[nodiscard]] static std::size_t most_state_words(Index dims, const Options& options, Index rows);

  /// The report on all rows so far. They stay; more may follow.
  /// @throws ShapeError when there are none
  /// Cost: eigenvalue problems and cosine quantiles as in `measure`.
  [[nodiscard]] Report report() const;

  /// Forgets all rows, and what was skipped.
  void reset() noexcept;

  [[nodiscard]] Index count() const noexcept { return count_; }  ///< usable rows so far
  [[nodiscard]] Index dims() const noexcept { return dims_; }
  [[nodiscard]] Index skipped_rows() const noexcept { return skipped_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  friend struct streams::StateWords;
  friend class PairedAccumulator;

  [[nodiscard]] bool holds_all() const { return streams::needs_rows(options_); }
  [[nodiscard]] Index capacity() const { return std::max(options_.pair_rows, dims_); }
  [[nodiscard]] bool folded() const { return folder_.has_value(); }
  /// Whether some rows are known by their moments alone.
  [[nodiscard]] bool moments_only() const { return folded() && !folder_->parts().directions; }
  [[nodiscard]] bool fits(Index more) const { return !folded() && (holds_all() || count_ + more <= capacity()); }
  [[nodiscard]] Index held_rows() const {
    return folded() ? sampler_.taken() : static_cast<Index>(held_.size()) / dims_;
  }
  [[nodiscard]] linalg::MatrixView<double> held() const { return {held_.data(), held_rows(), dims_, dims_, 1}; }

  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z);
  void prepare();
  template <EmbeddingScalar Scalar>
  void take(const linalg::MatrixView<Scalar>& z);
  template <EmbeddingScalar Scalar>
  void hold(const linalg::MatrixView<Scalar>& z);
  template <EmbeddingScalar Scalar>
  void sample(const linalg::MatrixView<Scalar>& z, const Rows& rows, Index first_place);
  void make_room(Index more);
  [[nodiscard]] double* take_slot(std::uint64_t key);
  void add_sample(const std::vector<double>& rows, const std::vector<std::uint64_t>& keys);
  void fold();
  void forget_directions();
  [[nodiscard]] Sums flushed_sums() const;
  void require_mergeable(const Accumulator& other) const;
  [[noreturn]] void throw_without_rows(const char* lacks) const;
  [[nodiscard]] Report make_report() const;
  [[nodiscard]] Report report_folded() const;

  static constexpr SumParts without_directions{.directions = false, .direction_scatter = false};
  static constexpr std::string_view magic{"collapse state 3"};
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self);

  Index dims_;
  Options options_;
  Index count_ = 0;
  Index skipped_ = 0;
  double epsilon_ = 0.0;
  std::vector<double> held_;  ///< all rows; once folded, the sample, slot by slot
  statistics::Sampler sampler_;
  std::optional<statistics::Folder> folder_;  ///< engaged once folded
  Sums sums_;
  Rows rows_;  ///< of the batch at hand; its memory is used again
};

inline Accumulator::Accumulator(Index dims, const Options& options)
    : dims_(dims), options_(options), sampler_(options.pair_rows) {
  validate(options);
  options_.resamples = 0;
  if (dims < 1) {
    throw ShapeError(fmt::format("Accumulator of {} dimensions; name the number of columns of the batches", dims), 0,
                     dims);
  }
}

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

template <EmbeddingScalar Scalar>
void Accumulator::add(const linalg::MatrixView<Scalar>& z) {
  statistics::scan_rows(z, options_.nonfinite, rows_);
  prepare();
  take(z);
}

/// Makes room for the batch that `rows_` describes. Throws before it changes what a report says, or not at all.
inline void Accumulator::prepare() {
  if (fits(rows_.samples)) {
    const std::size_t needed = held_.size() + static_cast<std::size_t>(rows_.samples * dims_);
    streams::reserve_in_all(held_, needed);
  } else {
    if (!folded()) fold();
    make_room(rows_.directed());
    folder_->prepare();
  }
}

/// Adds that batch, for which there is room. Does not throw.
template <EmbeddingScalar Scalar>
void Accumulator::take(const linalg::MatrixView<Scalar>& z) {
  if (fits(rows_.samples)) {
    hold(z);
  } else {
    folder_->add(z, rows_, sums_);
    sample(z, rows_, count_);
  }
  count_ += rows_.samples;
  skipped_ += rows_.skipped;
  epsilon_ = std::max(epsilon_, linalg::input_epsilon<Scalar>());
}

template <EmbeddingScalar Scalar>
void Accumulator::hold(const linalg::MatrixView<Scalar>& z) {
  const std::size_t before = held_.size();
  held_.resize(before + static_cast<std::size_t>(rows_.samples * dims_));
  linalg::load(z, rows_.selection(), 0, 0, linalg::RowsView(held_.data() + before, rows_.samples, dims_, dims_));
}

/// Takes the memory that the sample needs for so many more rows.
inline void Accumulator::make_room(Index more) {
  if (moments_only()) return;
  const auto needed = static_cast<std::size_t>(sampler_.reserve(more) * dims_);
  streams::reserve_in_all(held_, needed);
}

/// Where the row with this key goes in the sample, for which there is room; null when it takes no part.
inline double* Accumulator::take_slot(std::uint64_t key) {
  const Index slot = sampler_.offer(key);
  if (slot < 0) return nullptr;
  if (slot * dims_ == static_cast<Index>(held_.size())) held_.resize(held_.size() + static_cast<std::size_t>(dims_));
  return held_.data() + slot * dims_;
}

/// Offers the directed rows of z to the sample, for which there is room.
template <EmbeddingScalar Scalar>
void Accumulator::sample(const linalg::MatrixView<Scalar>& z, const Rows& rows, Index first_place) {
  if (moments_only()) return;
  const linalg::RowSelection at = rows.selection();
  for (Index i = 0; i < rows.samples; ++i) {
    if (rows.inverse_norm(i) == 0.0) continue;
    const std::uint64_t key = statistics::row_key(options_.seed, static_cast<std::uint64_t>(first_place + i), z, at(i));
    double* const to = take_slot(key);
    for (Index d = 0; to != nullptr && d < dims_; ++d) to[d] = z.at(at(i), d);
  }
}

/// From rows that are held to sums and a sample of them.
inline void Accumulator::fold() {
  Accumulator folded(dims_, options_);
  folded.folder_.emplace(dims_);
  folded.sums_ = folded.folder_->empty();
  Rows rows;
  const linalg::MatrixView<double> z = held();
  statistics::scan_rows(z, NonFinite::reject, rows);
  folded.make_room(rows.directed());
  folded.folder_->add(z, rows, folded.sums_);
  folded.sample(z, rows, 0);

  folder_ = std::move(folded.folder_);
  sums_ = std::move(folded.sums_);
  sampler_ = std::move(folded.sampler_);
  held_ = std::move(folded.held_);
}

/// Leaves the moments alone, as for rows of which no more is known.
inline void Accumulator::forget_directions() {
  if (!folded()) fold();
  folder_->flush(sums_);
  folder_.emplace(dims_, without_directions);
  sums_.forget_directions();
  sampler_.clear();
  held_.clear();
}

/// The sums of all rows, also of those that wait for a block to fill.
inline Sums Accumulator::flushed_sums() const {
  Sums sums = sums_;
  statistics::Folder(*folder_).flush(sums);
  return sums;
}

/// Offers rows that were sampled elsewhere, one after the other in `rows`.
inline void Accumulator::add_sample(const std::vector<double>& rows, const std::vector<std::uint64_t>& keys) {
  if (moments_only()) return;
  make_room(static_cast<Index>(keys.size()));
  const double* row = rows.data();
  for (const std::uint64_t key : keys) {
    if (double* const to = take_slot(key)) std::copy_n(row, dims_, to);
    row += dims_;
  }
}

inline void Accumulator::require_mergeable(const Accumulator& other) const {
  if (other.dims_ != dims_) {
    throw ShapeError(fmt::format("an Accumulator of {} dimensions cannot merge one of {} dimensions ({} rows)", dims_,
                                 other.dims_, other.count_),
                     other.count_, other.dims_);
  }
  if (other.options_.pair_rows != options_.pair_rows || other.holds_all() != holds_all()) {
    throw OptionError(
        fmt::format("accumulators to be merged must sample pairs alike: pair_rows = {} and {}, all rows "
                    "held (all_pairs, method = svd): {} and {}",
                    options_.pair_rows, other.options_.pair_rows, holds_all(), other.holds_all()));
  }
}

inline void Accumulator::merge(const Accumulator& other) {
  require_mergeable(other);
  if (&other == this) {
    merge(Accumulator(other));
    return;
  }
  if (!other.folded()) {
    if (other.count_ > 0) add(other.held());
  } else {
    Accumulator merged(*this);
    if (!merged.folded()) merged.fold();
    if (other.moments_only() && !merged.moments_only()) merged.forget_directions();
    merged.folder_->flush(merged.sums_);
    Sums added = other.flushed_sums();
    if (merged.moments_only()) added.forget_directions();
    merged.sums_.merge(added);
    merged.add_sample(other.held_, other.sampler_.keys());
    merged.count_ += other.count_;
    *this = std::move(merged);
  }
  skipped_ += other.skipped_;
  epsilon_ = std::max(epsilon_, other.epsilon_);
}

inline void Accumulator::throw_without_rows(const char* lacks) const {
  throw ShapeError(fmt::format("an Accumulator of {} dimensions without rows has {}; update it first ({} skipped)",
                               dims_, lacks, skipped_),
                   0, dims_);
}

inline Report Accumulator::make_report() const {
  if (count_ == 0) throw_without_rows("nothing to report");
  return folded() ? report_folded() : streams::measure(held(), options_, {epsilon_, skipped_});
}

inline Report Accumulator::report_folded() const {
  Sums sums = flushed_sums();
  sums.moments.input_epsilon = epsilon_;
  sums.skipped_rows = skipped_;

  Report report;
  report.samples = count_;
  report.dims = dims_;
  report.input_epsilon = epsilon_;
  const CosineMoments cosines = cosine_moments(sums.directions);
  sums.directions.scatter.resize(0, 0);

  const linalg::MatrixView<double> z = held();
  Rows rows;
  statistics::scan_rows(z, NonFinite::reject, rows);
  PairSelection selection;
  selection.population = moments_only() ? count_ : sums.directions.count;
  for (Index i = 0; i < rows.samples; ++i) selection.rows.push_back(i);
  report.cosine = pairwise_cosine(cosines, statistics::pair_distances(z, rows, selection, sums.directions.mean(),
                                                                      nullptr, cosines.mean_distance, cosines.std));
  streams::measure_sums(report, sums, options_, true);
  streams::report_points(report, z, rows, sums, true, [&](const Rows& some) {
    return streams::measure_rows(z, some, options_, streams::Origin{epsilon_, 0});
  });
  report.diagnosis = diagnose(report, options_.thresholds);
  return report;
}

inline Accumulator Accumulator::from_moments(Index count, const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter,
                                             const Options& options, double input_epsilon) {
  const Index dims = mean.size();
  Accumulator made(dims, options);
  if (made.holds_all()) {
    throw OptionError("moments hold no rows: Options::all_pairs and SpectrumMethod::svd cannot be had from them");
  }
  if (!(input_epsilon >= 0.0 && input_epsilon < 1.0)) {
    throw OptionError(
        fmt::format("input_epsilon is {}; the machine epsilon of the scalar that the embeddings came in "
                    "is at least 0 and below 1",
                    input_epsilon));
  }
  if (count < 1 || count > streams::most_rows) {
    throw ShapeError(fmt::format("moments of {} rows; at least 1 is needed, at most 2^53", count), count, dims);
  }
  if (scatter.rows() != dims || scatter.cols() != dims) {
    throw ShapeError(fmt::format("scatter of shape {} x {} beside a mean of {} dimensions; it must be {} x {}",
                                 scatter.rows(), scatter.cols(), dims, dims, dims),
                     scatter.rows(), scatter.cols());
  }
  made.folder_.emplace(dims, without_directions);
  made.sums_ = made.folder_->empty();
  made.count_ = count;
  made.epsilon_ = input_epsilon;
  Moments& moments = made.sums_.moments;
  moments.count = count;
  moments.input_epsilon = input_epsilon;
  for (Index d = 0; d < dims; ++d) {
    if (!std::isfinite(mean(d))) {
      throw OptionError(fmt::format("mean({}) is {}; moments must be finite", d, mean(d)));
    }
    if (!(scatter(d, d) >= 0.0)) {
      throw OptionError(fmt::format("scatter({}, {}) is {}; a sum of squares is at least 0", d, d, scatter(d, d)));
    }
    moments.exponent(d) = statistics::range_exponent(std::max(std::abs(mean(d)), std::sqrt(scatter(d, d))));
  }
  for (Index e = 0; e < dims; ++e) {
    for (Index d = e; d < dims; ++d) {
      if (!std::isfinite(scatter(d, e))) {
        throw OptionError(fmt::format("scatter({}, {}) is {}; moments must be finite", d, e, scatter(d, e)));
      }
    }
  }
  moments.mean = mean;
  moments.sum_squares = scatter.diagonal();
  made.sums_.scatter.triangularView<Eigen::Lower>() = scatter;
  statistics::rescale(moments, made.sums_.scatter, Eigen::VectorXi::Zero(dims));
  return made;
}

inline MomentState Accumulator::state() const {
  if (count_ == 0) throw_without_rows("no moments");
  Sums sums;
  if (folded()) {
    sums = flushed_sums();
  } else {
    sums = statistics::sum_rows(held(), statistics::scan_rows(held(), NonFinite::reject), without_directions);
  }
  const Eigen::VectorXi before = sums.moments.exponent;
  sums.moments.exponent.setZero();
  statistics::rescale(sums.moments, sums.scatter, before);
  return {count_, sums.moments.mean, sums.scatter.selfadjointView<Eigen::Lower>(), epsilon_};
}

template <class Archive, class Self>
void Accumulator::exchange(Archive& archive, Self& self) {
  archive(self.count_);
  archive(self.skipped_);
  archive(self.epsilon_);
  bool folded = self.folded();
  bool moments_only = self.moments_only();
  Index held = self.held_rows();
  archive(folded);
  archive(moments_only);
  archive(held);
  if constexpr (Archive::reads) {
    for (const Index count : {self.count_, self.skipped_, held}) streams::require_count(archive, count);
    archive.require(self.epsilon_ >= 0.0 && self.epsilon_ < 1.0, "a precision is impossible");
    archive.require(folded ? held <= self.options_.pair_rows : held == self.count_ && self.fits(0),
                    "more rows are held than fit");
    archive.require(!moments_only || (folded && held == 0), "rows are held beside moments alone");
    archive.require(!folded || !self.holds_all(), "all rows ought to be held");
    archive.need(held, self.dims_);
    self.held_.resize(static_cast<std::size_t>(held * self.dims_));
  }
  archive(self.held_.data(), held * self.dims_);
  if (!folded) return;

  std::vector<std::uint64_t> keys(static_cast<std::size_t>(held));
  if constexpr (Archive::reads) {
    archive.need(self.dims_, self.dims_ / 2 + 1);
    self.folder_.emplace(self.dims_, moments_only ? without_directions : SumParts{});
    self.sums_ = self.folder_->empty();
    self.sampler_.reserve(held);
  } else {
    keys = self.sampler_.keys();
  }
  for (auto& key : keys) {
    archive(key);
    if constexpr (Archive::reads) static_cast<void>(self.sampler_.offer(key));
  }
  statistics::Folder::exchange(archive, *self.folder_);
  streams::exchange(archive, self.sums_);
  if constexpr (Archive::reads) {
    streams::require_possible(archive, self.sums_);
    archive.require(self.sums_.moments.count == self.count_ - self.folder_->waiting() &&
                        self.sums_.directions.count <= self.sums_.moments.count,
                    "the counts of rows disagree");
  }
}

namespace streams {

/// The state of an accumulator as words, without the envelope that files need.
struct StateWords {
  [[nodiscard]] static std::vector<std::uint64_t> write(const Accumulator& accumulator) {
    WordWriter archive;
    archive(accumulator.dims_);
    exchange(archive, accumulator.options_);
    Accumulator::exchange(archive, accumulator);
    return archive.take();
  }

  /// Of the bytes that `Accumulator::save` writes.
  [[nodiscard]] static Accumulator parse(std::string_view bytes) {
    return read(parse_words(bytes, Accumulator::magic));
  }

  /// Throws StateError for words that no accumulator has written.
  [[nodiscard]] static Accumulator read(std::span<const std::uint64_t> words) {
    WordReader archive(words);
    Index dims = 0;
    Options options;
    archive(dims);
    exchange(archive, options);
    archive.require(options.method <= SpectrumMethod::svd && options.nonfinite <= NonFinite::skip_rows,
                    "an option is out of range");
    try {
      Accumulator loaded(dims, options);
      Accumulator::exchange(archive, loaded);
      archive.finish();
      return loaded;
    } catch (const StateError&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw StateError(fmt::format("the state, of {} dimensions, needs more memory than there is", dims));
    } catch (const Error& error) {
      throw StateError(fmt::format("the state holds settings that are not allowed: {}", error.what()));
    }
  }
};

}  // namespace streams

inline std::size_t Accumulator::most_state_words(Index dims, const Options& options, Index rows) {
  const Accumulator empty(dims, options);
  const auto words = [](Index count, Index each) {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(each);
  };
  constexpr std::size_t numbers = 64;  // options, counts and the like, with room to spare
  // Also few rows may be folded, when some of them are moments from elsewhere.
  const std::size_t folded = words(std::min(options.pair_rows, rows), dims + 1) +
                             words(std::min(statistics::Folder::block, rows), dims + 2) + words(dims, dims + 1) +
                             words(dims, 8);
  if (empty.holds_all()) return numbers + words(rows, dims);
  return numbers + (empty.fits(rows) ? std::max(folded, words(rows, dims)) : folded);
}

inline void Accumulator::save(std::ostream& out) const {
  streams::write_words(out, magic, streams::StateWords::write(*this));
}

inline Accumulator Accumulator::load(std::istream& in) { return streams::StateWords::parse(streams::read_all(in)); }

inline void Accumulator::reset() noexcept {
  count_ = skipped_ = 0;
  epsilon_ = 0.0;
  held_.clear();
  sampler_.clear();
  folder_.reset();
  sums_ = {};
}

#ifndef COLLAPSE_COMPILED
inline Report Accumulator::report() const { return make_report(); }
#endif

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ACCUMULATOR_INSTANCES(Keyword, Scalar) \
  Keyword template void Accumulator::add(const linalg::MatrixView<Scalar>&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ACCUMULATOR_INSTANCES)
#endif

}  // namespace collapse
