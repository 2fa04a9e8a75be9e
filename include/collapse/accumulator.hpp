#pragma once

#include <collapse/detail/view.hpp>
#include <collapse/error.hpp>
#include <collapse/measure.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs.hpp>
#include <collapse/statistics/rows.hpp>
#include <collapse/statistics/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace collapse {

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
  /// @param options  as of `measure`
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
  [[nodiscard]] bool holds_all() const { return options_.all_pairs || options_.method == SpectrumMethod::svd; }
  [[nodiscard]] Index capacity() const { return std::max(options_.pair_rows, dims_); }
  [[nodiscard]] bool folded() const { return folder_.has_value(); }
  [[nodiscard]] bool fits(Index more) const { return !folded() && (holds_all() || count_ + more <= capacity()); }
  [[nodiscard]] Index held_rows() const {
    return folded() ? static_cast<Index>(sampler_.taken().size()) : static_cast<Index>(held_.size()) / dims_;
  }
  [[nodiscard]] detail::MatrixView<double> held() const { return {held_.data(), held_rows(), dims_, dims_, 1}; }

  template <EmbeddingScalar Scalar>
  void add(const detail::MatrixView<Scalar>& z);
  template <EmbeddingScalar Scalar>
  void hold(const detail::MatrixView<Scalar>& z);
  template <EmbeddingScalar Scalar>
  void sample(const detail::MatrixView<Scalar>& z, const Rows& rows, Index first_place);
  void fold();
  [[nodiscard]] Sums flushed_sums() const;
  [[nodiscard]] Report report_folded() const;

  Index dims_;
  Options options_;
  Index count_ = 0;
  Index skipped_ = 0;
  double epsilon_ = 0.0;
  std::vector<double> held_;  ///< all rows; once folded, slots for the sample
  detail::Sampler sampler_;
  std::optional<detail::Folder> folder_;  ///< engaged once folded
  Sums sums_;
  Rows rows_;  ///< of the batch at hand; its memory is used again
};

inline Accumulator::Accumulator(Index dims, const Options& options)
    : dims_(dims), options_(options), sampler_(options.pair_rows) {
  validate(options);
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
  const detail::Evaluated<Derived> evaluated(batch);
  add(evaluated.view());
}

template <EmbeddingScalar Scalar>
void Accumulator::add(const detail::MatrixView<Scalar>& z) {
  detail::scan_rows(z, options_.nonfinite, rows_);
  if (fits(rows_.samples)) {
    hold(z);
  } else {
    if (!folded()) fold();
    // Throws before it changes anything or not at all; nothing after it throws.
    folder_->add(z, rows_, sums_);
    sample(z, rows_, count_);
  }
  count_ += rows_.samples;
  skipped_ += rows_.skipped;
  epsilon_ = std::max(epsilon_, detail::input_epsilon<Scalar>());
}

template <EmbeddingScalar Scalar>
void Accumulator::hold(const detail::MatrixView<Scalar>& z) {
  const std::size_t before = held_.size();
  held_.resize(before + static_cast<std::size_t>(rows_.samples * dims_));
  detail::load(z, rows_.selection(), 0, 0,
               detail::Panel::View(held_.data() + before, rows_.samples, dims_, Eigen::OuterStride<>(dims_)));
}

/// Offers the directed rows of z to the sample.
template <EmbeddingScalar Scalar>
void Accumulator::sample(const detail::MatrixView<Scalar>& z, const Rows& rows, Index first_place) {
  const detail::RowSelection at = rows.selection();
  for (Index i = 0; i < rows.samples; ++i) {
    if (rows.inverse_norm(i) == 0.0) continue;
    const std::uint64_t key = detail::row_key(options_.seed, static_cast<std::uint64_t>(first_place + i), z, at(i));
    const Index slot = sampler_.offer(key);
    if (slot < 0) continue;
    double* const to = held_.data() + slot * dims_;
    for (Index d = 0; d < dims_; ++d) to[d] = z.at(at(i), d);
  }
}

/// From rows that are held to sums and a sample of them.
inline void Accumulator::fold() {
  detail::Folder folder(dims_);
  Sums sums = folder.empty();
  std::vector<double> slots(static_cast<std::size_t>(options_.pair_rows * dims_));
  Rows rows;
  const detail::MatrixView<double> z = held();
  detail::scan_rows(z, NonFinite::reject, rows);
  folder.add(z, rows, sums);
  sampler_.reserve();

  sampler_.clear();
  held_.swap(slots);
  sample(z, rows, 0);
  folder_ = std::move(folder);
  sums_ = std::move(sums);
}

/// The sums of all rows, also of those that wait for a block to fill.
inline Sums Accumulator::flushed_sums() const {
  Sums sums = sums_;
  detail::Folder(*folder_).flush(sums);
  return sums;
}

inline void Accumulator::merge(const Accumulator& other) {
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
  if (&other == this) {
    merge(Accumulator(other));
    return;
  }
  if (!other.folded()) {
    if (other.count_ > 0) add(other.held());
  } else {
    Accumulator merged(*this);
    if (!merged.folded()) merged.fold();
    merged.folder_->flush(merged.sums_);
    merged.sums_.merge(other.flushed_sums());
    for (const auto& [key, slot] : other.sampler_.taken()) {
      const Index to = merged.sampler_.offer(key);
      if (to >= 0) std::copy_n(other.held_.data() + slot * dims_, dims_, merged.held_.data() + to * dims_);
    }
    merged.count_ += other.count_;
    *this = std::move(merged);
  }
  skipped_ += other.skipped_;
  epsilon_ = std::max(epsilon_, other.epsilon_);
}

inline Report Accumulator::report() const {
  if (count_ == 0) {
    throw ShapeError(
        fmt::format("an Accumulator of {} dimensions without rows has nothing to report; update it first ({} "
                    "skipped)",
                    dims_, skipped_),
        0, dims_);
  }
  return folded() ? report_folded() : detail::measure(held(), options_, {epsilon_, skipped_});
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

  const detail::MatrixView<double> z = held();
  Rows rows;
  detail::scan_rows(z, NonFinite::reject, rows);
  PairSelection selection;
  selection.population = sums.directions.count;
  for (Index i = 0; i < rows.samples; ++i) selection.rows.push_back(i);
  report.cosine = pairwise_cosine(cosines, detail::pair_distances(z, rows, selection, sums.directions.mean(), nullptr,
                                                                  cosines.mean_distance, cosines.std));
  detail::measure_sums(report, sums, options_, true);
  report.diagnosis = diagnose(report, options_.thresholds);
  return report;
}

inline void Accumulator::reset() noexcept {
  count_ = skipped_ = 0;
  epsilon_ = 0.0;
  held_.clear();
  sampler_.clear();
  folder_.reset();
  sums_ = {};
}

}  // namespace collapse
