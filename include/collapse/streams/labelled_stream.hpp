#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/capacity.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/neural_collapse.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/streams/row_sample.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace collapse::streams {

/// The rows of a LabelledAccumulator: sums for each class, and a sample of the rows with their labels.
class LabelledStream {
 public:
  /// @param size  rows in the sample, at most
  LabelledStream(Index dims, Index size) : dims_(dims), sample_(dims, size) { sums_.dims = dims; }

  [[nodiscard]] const ClassSums& sums() const noexcept { return sums_; }
  [[nodiscard]] const RowSample& sample() const noexcept { return sample_; }
  [[nodiscard]] const std::vector<std::int64_t>& labels() const noexcept { return label_; }  ///< of the sample
  [[nodiscard]] const std::vector<std::int64_t>& predictions() const noexcept { return prediction_; }  ///< likewise

  /// Adds rows. Throws before it changes anything, or not at all.
  /// @param labels       one for each row
  /// @param unlabelled   the label of rows that have none, if there is one
  /// @param predictions  one for each row, or null
  template <EmbeddingScalar Scalar>
  void add(const linalg::MatrixView<Scalar>& z, const std::vector<std::int64_t>& labels,
           const std::vector<std::int64_t>* predictions, std::optional<std::int64_t> unlabelled, NonFinite nonfinite,
           std::uint64_t seed);

  /// Adds all rows of another stream with as many dimensions and a sample of the same size. Throws before it changes
  /// anything, or not at all.
  void merge(const LabelledStream& other) {
    if (&other == this) {
      merge(LabelledStream(other));
      return;
    }
    const std::vector<std::uint64_t> keys = other.sample_.keys();
    reserve(static_cast<Index>(keys.size()));
    folder().merge(other.sums_, sums_);
    Index index = 0;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      double* const row = sample_.offer(keys[k], index);
      if (row == nullptr) continue;
      std::copy_n(other.sample_.row(static_cast<Index>(k)), dims_, row);
      note(index, other.label_[k], other.prediction_[k]);
    }
  }

  /// Writes or reads everything but dims and options; defined in `streams/labelled_state.hpp`.
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self);

 private:
  /// Its memory, a block of rows and a D x D matrix, is taken when it is first needed.
  [[nodiscard]] statistics::ClassFolder& folder() {
    if (!folder_) {
      statistics::ClassFolder made(dims_);
      if (sums_.scatter.size() == 0) sums_.scatter = Eigen::MatrixXd::Zero(dims_, dims_);
      folder_ = std::move(made);
    }
    return *folder_;
  }

  /// Takes the memory that the sample needs for so many more rows.
  void reserve(Index more) {
    const auto rows = static_cast<std::size_t>(sample_.reserve(more));
    linalg::grow_capacity(label_, rows);
    linalg::grow_capacity(prediction_, rows);
  }

  /// Of a row of the sample.
  void note(Index index, std::int64_t label, std::int64_t prediction) {
    const auto at = static_cast<std::size_t>(index);
    if (at == label_.size()) {
      label_.push_back(label);
      prediction_.push_back(prediction);
    }
    label_[at] = label;
    prediction_[at] = prediction;
  }

  Index dims_;
  std::optional<statistics::ClassFolder> folder_;
  ClassSums sums_;
  RowSample sample_;
  std::vector<std::int64_t> label_;
  std::vector<std::int64_t> prediction_;
};

template <EmbeddingScalar Scalar>
void LabelledStream::add(const linalg::MatrixView<Scalar>& z, const std::vector<std::int64_t>& labels,
                         const std::vector<std::int64_t>* predictions, std::optional<std::int64_t> unlabelled,
                         NonFinite nonfinite, std::uint64_t seed) {
  Rows rows;
  statistics::scan_rows(z, nonfinite, rows);
  const LabelledRows labelled = statistics::labelled_rows(rows, labels, unlabelled);
  const Index before = sums_.samples();
  reserve(labelled.rows.samples);
  folder().add(z, labelled, sums_);
  const linalg::RowSelection at = labelled.rows.selection();
  Index index = 0;
  for (Index i = 0; i < labelled.rows.samples; ++i) {
    if (!sample_.offer(z, at(i), seed, before + i, index)) continue;
    note(index, labelled.label[static_cast<std::size_t>(i)],
         predictions != nullptr ? (*predictions)[static_cast<std::size_t>(at(i))] : metrics::no_prediction);
  }
}

}  // namespace collapse::streams

#ifdef COLLAPSE_COMPILED
namespace collapse {
#define COLLAPSE_LABELLED_STREAM_INSTANCES(Keyword, Scalar)                                                  \
  Keyword template void streams::LabelledStream::add(                                                        \
      const linalg::MatrixView<Scalar>&, const std::vector<std::int64_t>&, const std::vector<std::int64_t>*, \
      std::optional<std::int64_t>, NonFinite, std::uint64_t);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_LABELLED_STREAM_INSTANCES)
}  // namespace collapse
#endif
