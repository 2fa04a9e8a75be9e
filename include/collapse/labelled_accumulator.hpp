#pragma once

#include <collapse/classes.hpp>
#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

namespace streams {

class LabelledStream;

}  // namespace streams

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
  explicit LabelledAccumulator(Index dims, const ClassOptions& options = {});

  LabelledAccumulator(const LabelledAccumulator& other);
  LabelledAccumulator& operator=(const LabelledAccumulator& other);
  LabelledAccumulator(LabelledAccumulator&& other) noexcept;             ///< leaves the other one empty
  LabelledAccumulator& operator=(LabelledAccumulator&& other) noexcept;  ///< leaves the other one empty
  ~LabelledAccumulator();

  /// Adds the rows of a batch.
  /// @param batch   n x dims, n >= 0, as Z of `class_collapse`; of any scalar, also a different one each time
  /// @param labels  one integer for each row; rows of the label ClassOptions::unlabelled are left out and counted
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
  void merge(const LabelledAccumulator& other);

  /// The report on all rows so far. They stay; more may follow.
  /// @throws ShapeError when no row has a label
  /// Cost: that of `class_collapse` on the sample, K^2 D, D^3 / 3 and D^2 min(K, D).
  [[nodiscard]] ClassCollapse report() const;

  /// Forgets all rows, and what was left out.
  void reset() noexcept;

  /// Writes everything, a classifier included, as `Accumulator::save`.
  /// @param out  a binary stream
  /// @throws StateError when the stream fails
  /// Cost: O(K D + D^2 + sample_rows D) bytes.
  void save(std::ostream& out) const;

  /// The accumulator that was saved, bit for bit, options included.
  /// @param in  a binary stream, read to its end
  /// @throws StateError for anything but the whole state of a LabelledAccumulator, as `Accumulator::load`
  /// Cost: as of save.
  [[nodiscard]] static LabelledAccumulator load(std::istream& in);

  /// The same of the bytes that `save` wrote.
  [[nodiscard]] static LabelledAccumulator load(std::string_view bytes);

  [[nodiscard]] Index count() const noexcept;  ///< labelled rows so far
  [[nodiscard]] Index dims() const noexcept { return dims_; }
  [[nodiscard]] Index classes() const noexcept;
  [[nodiscard]] Index unlabelled_rows() const noexcept;
  [[nodiscard]] Index skipped_rows() const noexcept;
  [[nodiscard]] const ClassOptions& options() const noexcept { return options_; }

 private:
  template <class Derived>
  void add(const Eigen::DenseBase<Derived>& batch, const std::vector<std::int64_t>& labels,
           const std::vector<std::int64_t>* predictions);
  template <EmbeddingScalar Scalar>
  void add_rows(const linalg::MatrixView<Scalar>& z, const std::vector<std::int64_t>& labels,
                const std::vector<std::int64_t>* predictions);
  [[nodiscard]] streams::LabelledStream& stream();

  Index dims_;
  ClassOptions options_;
  std::unique_ptr<streams::LabelledStream> stream_;  ///< null until there is something to add
};

template <class Derived>
void LabelledAccumulator::add(const Eigen::DenseBase<Derived>& batch, const std::vector<std::int64_t>& labels,
                              const std::vector<std::int64_t>* predictions) {
  if (batch.cols() != dims_) {
    throw ShapeError(fmt::format("batch of shape {} x {} for a LabelledAccumulator of {} dimensions; rows are samples "
                                 "and columns dimensions",
                                 batch.rows(), batch.cols(), dims_),
                     batch.rows(), batch.cols());
  }
  statistics::require_one_per_row(labels.size(), batch.rows(), "labels");
  if (predictions != nullptr) statistics::require_one_per_row(predictions->size(), batch.rows(), "predictions");
  const linalg::Evaluated<Derived> evaluated(batch);
  add_rows(evaluated.view(), labels, predictions);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/labelled_definitions.hpp>
#endif
