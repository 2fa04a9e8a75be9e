#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/capacity.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/needs_rows.hpp>
#include <collapse/streams/origin.hpp>
#include <collapse/streams/row_sample.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace collapse::streams {

/// Throws unless what was seen with one set of options can join what was seen with another.
inline void require_mergeable(Index dims, const Options& options, Index other_dims, const Options& other,
                              Index other_count) {
  if (other_dims != dims) {
    throw ShapeError(fmt::format("an Accumulator of {} dimensions cannot merge one of {} dimensions ({} rows)", dims,
                                 other_dims, other_count),
                     other_count, other_dims);
  }
  if (other.pair_rows != options.pair_rows || needs_rows(other) != needs_rows(options)) {
    throw OptionError(
        fmt::format("accumulators to be merged must sample pairs alike: pair_rows = {} and {}, all rows "
                    "held (all_pairs, method = svd): {} and {}",
                    options.pair_rows, other.pair_rows, needs_rows(options), needs_rows(other)));
  }
}

/// The rows of an Accumulator: held as they are while they are few, then folded into sums, with a sample of them.
class RowStream {
 public:
  static constexpr SumParts without_directions{.directions = false, .direction_scatter = false};

  RowStream(Index dims, const Options& options) : dims_(dims), options_(options), sample_(dims, options.pair_rows) {}

  [[nodiscard]] Index dims() const noexcept { return dims_; }
  [[nodiscard]] Index count() const noexcept { return count_; }
  [[nodiscard]] Index skipped() const noexcept { return skipped_; }
  [[nodiscard]] Origin origin() const { return {epsilon_, skipped_}; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

  /// Of the report: those that shaped what is held stay.
  void set_options(const Options& options) { options_ = options; }

  /// Whether the rows were folded into sums.
  [[nodiscard]] bool folded() const { return folder_.has_value(); }

  /// Whether of some rows only the moments are known.
  [[nodiscard]] bool moments_only() const { return folded() && !folder_->parts().directions; }

  /// Whether so many more rows can be held.
  [[nodiscard]] bool can_hold(Index more) const {
    return !folded() && (needs_rows(options_) || count_ + more <= std::max(options_.pair_rows, dims_));
  }

  /// All rows while they are held.
  [[nodiscard]] linalg::MatrixView<double> held() const {
    return {held_.data(), static_cast<Index>(held_.size()) / dims_, dims_, dims_, 1};
  }

  /// Once they are folded, some of them.
  [[nodiscard]] const RowSample& sample() const noexcept { return sample_; }

  /// The memory for what a scan of the batch at hand tells; used again for the next one.
  [[nodiscard]] Rows& batch() noexcept { return batch_; }

  /// Adds rows.
  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z) {
    statistics::scan_rows(z, options_.nonfinite, batch_);
    prepare();
    take(z);
  }

  /// Takes the memory for the batch that was scanned. Throws before it changes what a report says, or not at all.
  void prepare() {
    if (can_hold(batch_.samples)) {
      linalg::grow_capacity(held_, held_.size() + static_cast<std::size_t>(batch_.samples * dims_));
    } else {
      if (!folded()) fold();
      if (!moments_only()) sample_.reserve(batch_.directed());
      folder_->prepare(batch_.samples);
    }
  }

  /// Adds that batch after `prepare`. Does not throw.
  template <EmbeddingScalar Scalar>
  void take(const linalg::MatrixView<Scalar>& z);

  /// Notes what is known of rows from before they were added here.
  void note_origin(const Origin& origin) {
    skipped_ += origin.skipped;
    epsilon_ = std::max(epsilon_, origin.epsilon);
  }

  /// Adds all rows of another stream that is mergeable. Throws before it changes anything, or not at all.
  void merge(const RowStream& other);

  /// The sums of all rows once they are folded, also of those that wait for a block to fill.
  [[nodiscard]] Sums sums() const {
    Sums sums = sums_;
    statistics::Folder(*folder_).flush(sums);
    return sums;
  }

  /// A stream of rows of which only the moments are known.
  /// @param sums  their moments and scatter, without directions
  [[nodiscard]] static RowStream of_moments(Sums sums, const Options& options) {
    RowStream made(sums.moments.dims, options);
    made.folder_.emplace(made.dims_, without_directions);
    made.count_ = sums.moments.count;
    made.epsilon_ = sums.moments.input_epsilon;
    made.sums_ = std::move(sums);
    return made;
  }

  /// Writes or reads everything but dims and options; defined in `streams/state.hpp`.
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self);

 private:
  void fold();
  void drop_directions();

  template <EmbeddingScalar Scalar>
  void add_to_sample(const linalg::MatrixView<Scalar>& z, const Rows& rows, Index first_number) {
    const linalg::RowSelection at = rows.selection();
    Index ignored = 0;
    for (Index i = 0; i < rows.samples; ++i) {
      if (rows.inverse_norm(i) != 0.0) sample_.offer(z, at(i), options_.seed, first_number + i, ignored);
    }
  }

  Index dims_;
  Options options_;
  Index count_ = 0;
  Index skipped_ = 0;
  double epsilon_ = 0.0;
  std::vector<double> held_;
  RowSample sample_;
  std::optional<statistics::Folder> folder_;  ///< engaged once folded
  Sums sums_;
  Rows batch_;
};

template <EmbeddingScalar Scalar>
void RowStream::take(const linalg::MatrixView<Scalar>& z) {
  if (can_hold(batch_.samples)) {
    const std::size_t before = held_.size();
    held_.resize(before + static_cast<std::size_t>(batch_.samples * dims_));
    linalg::load(z, batch_.selection(), 0, 0, linalg::RowsView(held_.data() + before, batch_.samples, dims_, dims_));
  } else {
    folder_->add(z, batch_, sums_);
    if (!moments_only()) add_to_sample(z, batch_, count_);
  }
  count_ += batch_.samples;
  skipped_ += batch_.skipped;
  epsilon_ = std::max(epsilon_, linalg::input_epsilon<Scalar>());
}

/// From rows that are held to sums and a sample of them.
inline void RowStream::fold() {
  RowStream folded(dims_, options_);
  folded.folder_.emplace(dims_);
  folded.sums_ = folded.folder_->empty();
  Rows rows;
  const linalg::MatrixView<double> z = held();
  statistics::scan_rows(z, NonFinite::reject, rows);
  folded.sample_.reserve(rows.directed());
  folded.folder_->add(z, rows, folded.sums_);
  folded.add_to_sample(z, rows, 0);

  folder_ = std::move(folded.folder_);
  sums_ = std::move(folded.sums_);
  sample_ = std::move(folded.sample_);
  held_ = {};
}

/// Keeps the moments only, as for rows of which no more is known.
inline void RowStream::drop_directions() {
  if (!folded()) fold();
  folder_->flush(sums_);
  folder_.emplace(dims_, without_directions);
  sums_.drop_directions();
  sample_.clear();
}

inline void RowStream::merge(const RowStream& other) {
  if (&other == this) {
    merge(RowStream(other));
    return;
  }
  if (!other.folded()) {
    if (other.count_ > 0) add(other.held());
  } else {
    RowStream merged(*this);
    if (!merged.folded()) merged.fold();
    if (other.moments_only() && !merged.moments_only()) merged.drop_directions();
    merged.folder_->flush(merged.sums_);
    Sums added = other.sums();
    if (merged.moments_only()) {
      added.drop_directions();
    } else {
      const std::vector<std::uint64_t> keys = other.sample_.keys();
      merged.sample_.reserve(static_cast<Index>(keys.size()));
      Index index = 0;
      for (std::size_t k = 0; k < keys.size(); ++k) {
        double* const to = merged.sample_.offer(keys[k], index);
        if (to != nullptr) std::copy_n(other.sample_.row(static_cast<Index>(k)), dims_, to);
      }
    }
    merged.sums_.merge(added);
    merged.count_ += other.count_;
    *this = std::move(merged);
  }
  note_origin(other.origin());
}

}  // namespace collapse::streams

#ifdef COLLAPSE_COMPILED
namespace collapse {
#define COLLAPSE_ROW_STREAM_INSTANCES(Keyword, Scalar) \
  Keyword template void streams::RowStream::take(const linalg::MatrixView<Scalar>&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ROW_STREAM_INSTANCES)
}  // namespace collapse
#endif
