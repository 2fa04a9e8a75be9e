#pragma once

#include <collapse/classes.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/statistics/pairs/sampler.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/streams/reserve.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace collapse {

/// Measures labelled embeddings that come in batches:
///
///     collapse::LabelledAccumulator seen(dims);
///     for (const auto& [inputs, labels] : loader) seen.update(encoder(inputs), labels);
///     collapse::ClassCollapse report = seen.report();
///
/// Neural collapse, CDNV, the angles between class means and LiDAR are those of `class_collapse` on all rows, to 1e-10
/// relative however the rows are batched, ordered and merged. What needs the rows themselves (nc4, the spectrum of each
/// class, silhouettes, k-NN, the probe) comes from a uniform sample of ClassOptions::sample_rows of them, as
/// `sampled_rows` and `exact` say: all of them while they are no more.
///
/// A value type: copyable, movable, one per thread. An update or a merge that throws leaves it as it was.
/// Memory: K D + D^2 doubles for K classes, sample_rows x D for the sample, and a block of rows.
class LabelledAccumulator {
 public:
  /// @param dims     dimensions of every row to come
  /// @param options  as of `class_collapse`
  /// @throws ShapeError unless dims >= 1 and a classifier fits; OptionError
  explicit LabelledAccumulator(Index dims, const ClassOptions& options = {})
      : options_(options),
        dims_(require_dims(dims)),
        folder_(dims),
        sums_(folder_.empty()),
        sampler_(options.sample_rows) {
    validate(options);
    detail::require_classifier(options, dims);
  }

  /// Adds the rows of a batch.
  /// @param batch   n x dims, n >= 0, as Z of `class_collapse`; of any scalar, also a different one each time
  /// @param labels  one integer for each row; rows with a negative one are left out and counted
  /// @throws ShapeError when columns or labels do not fit; NonFiniteError for the first NaN or infinity (or see
  ///         ClassOptions::nonfinite); OptionError. Nothing of the batch is added then
  /// Cost: n D^2 flops.
  template <class Derived, Labels Y>
  void update(const Eigen::DenseBase<Derived>& batch, const Y& labels) {
    add(batch, statistics::read_labels(labels, "labels"), nullptr);
  }

  /// The same with the label that a classifier predicts for each row, for nc4.
  template <class Derived, Labels Y, Labels P>
  void update(const Eigen::DenseBase<Derived>& batch, const Y& labels, const P& predictions) {
    const std::vector<std::int64_t> predicted = statistics::read_labels(predictions, "predictions");
    add(batch, statistics::read_labels(labels, "labels"), &predicted);
  }

  /// Adds all that another accumulator has seen.
  /// @throws ShapeError when its dims differ; OptionError when its sample has another size
  /// Cost: O(K D + D^2), and the rows of its sample.
  void merge(const LabelledAccumulator& other) {
    if (other.dims_ != dims_) {
      throw ShapeError(fmt::format("a LabelledAccumulator of {} dimensions cannot merge one of {} dimensions ({} rows)",
                                   dims_, other.dims_, other.count()),
                       other.count(), other.dims_);
    }
    if (other.options_.sample_rows != options_.sample_rows) {
      throw OptionError(fmt::format("accumulators to be merged must sample alike: sample_rows = {} and {}",
                                    options_.sample_rows, other.options_.sample_rows));
    }
    if (&other == this) {
      merge(LabelledAccumulator(other));
      return;
    }
    const std::vector<std::uint64_t> keys = other.sampler_.keys();
    reserve(static_cast<Index>(keys.size()));
    folder_.merge(other.sums_, sums_);
    for (std::size_t k = 0; k < keys.size(); ++k) {
      if (double* const row = take(keys[k], other.label_[k], other.prediction_[k])) {
        std::copy_n(other.held_.data() + static_cast<Index>(k) * dims_, dims_, row);
      }
    }
  }

  /// The report on all rows so far. They stay; more may follow.
  /// @throws ShapeError when no row has a label
  /// Cost: that of `class_collapse` on the sample, K^2 D, D^3 / 3 and D^2 min(K, D).
  [[nodiscard]] ClassCollapse report() const {
    if (count() == 0) detail::throw_without_labels(sums_.unlabelled_rows, sums_.skipped_rows, dims_);
    const ClassMeans means = class_means(sums_);
    ClassCollapse result;
    detail::measure_class_sums(result, sums_, means, options_);

    const linalg::MatrixView<double> z{held_.data(), sampler_.taken(), dims_, dims_, 1};
    LabelledRows sample;
    sample.rows = statistics::scan_rows(z, NonFinite::reject);
    sample.label = label_;
    ClassSums of_sample = statistics::sum_classes(z, sample);
    of_sample.input_epsilon = sums_.input_epsilon;
    detail::measure_class_rows(result, z, sample, of_sample, class_means(of_sample), means, prediction_, options_);
    return result;
  }

  /// Forgets all rows, and what was left out.
  void clear() {
    sums_ = folder_.empty();
    sampler_.clear();
    held_.clear();
    label_.clear();
    prediction_.clear();
  }

  [[nodiscard]] Index count() const { return sums_.samples(); }  ///< labelled rows so far
  [[nodiscard]] Index dims() const noexcept { return dims_; }
  [[nodiscard]] Index classes() const { return sums_.classes(); }
  [[nodiscard]] Index unlabelled_rows() const noexcept { return sums_.unlabelled_rows; }
  [[nodiscard]] Index skipped_rows() const noexcept { return sums_.skipped_rows; }
  [[nodiscard]] const ClassOptions& options() const noexcept { return options_; }

 private:
  [[nodiscard]] static Index require_dims(Index dims) {
    if (dims < 1) {
      throw ShapeError(fmt::format("a LabelledAccumulator of {} dimensions; at least 1 is needed", dims), 0, dims);
    }
    return dims;
  }

  template <class Derived>
  void add(const Eigen::DenseBase<Derived>& batch, const std::vector<std::int64_t>& labels,
           const std::vector<std::int64_t>* predictions) {
    if (batch.cols() != dims_) {
      throw ShapeError(
          fmt::format("batch of shape {} x {} for a LabelledAccumulator of {} dimensions; rows are samples "
                      "and columns dimensions",
                      batch.rows(), batch.cols(), dims_),
          batch.rows(), batch.cols());
    }
    statistics::require_one_per_row(labels.size(), batch.rows(), "labels");
    if (predictions != nullptr) statistics::require_one_per_row(predictions->size(), batch.rows(), "predictions");
    const linalg::Evaluated<Derived> evaluated(batch);
    const auto z = evaluated.view();
    Rows rows;
    statistics::scan_rows(z, options_.nonfinite, rows);
    const LabelledRows labelled = statistics::labelled_rows(rows, labels);
    const std::vector<std::int64_t> predicted = detail::predictions_of(labelled, predictions);
    const Index before = count();
    reserve(labelled.rows.samples);
    folder_.add(z, labelled, sums_);
    const linalg::RowSelection at = labelled.rows.selection();
    for (Index i = 0; i < labelled.rows.samples; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const std::uint64_t key = statistics::row_key(options_.seed, static_cast<std::uint64_t>(before + i), z, at(i));
      double* const row = take(key, labelled.label[k], predicted[k]);
      for (Index d = 0; row != nullptr && d < dims_; ++d) row[d] = z.at(at(i), d);
    }
  }

  /// Takes the memory that the sample needs for so many more rows.
  void reserve(Index more) {
    const auto rows = static_cast<std::size_t>(sampler_.reserve(more));
    streams::reserve_in_all(held_, rows * static_cast<std::size_t>(dims_));
    streams::reserve_in_all(label_, rows);
    streams::reserve_in_all(prediction_, rows);
  }

  /// Where a row with this key goes in the sample, for which there is room; null when it takes no part.
  [[nodiscard]] double* take(std::uint64_t key, std::int64_t label, std::int64_t prediction) {
    const Index slot = sampler_.offer(key);
    if (slot < 0) return nullptr;
    const auto at = static_cast<std::size_t>(slot);
    if (at == label_.size()) {
      held_.resize(held_.size() + static_cast<std::size_t>(dims_));
      label_.push_back(label);
      prediction_.push_back(prediction);
    }
    label_[at] = label;
    prediction_[at] = prediction;
    return held_.data() + slot * dims_;
  }

  ClassOptions options_;
  Index dims_;
  statistics::ClassFolder folder_;
  ClassSums sums_;
  statistics::Sampler sampler_;
  std::vector<double> held_;  ///< the rows of the sample
  std::vector<std::int64_t> label_;
  std::vector<std::int64_t> prediction_;
};

}  // namespace collapse
