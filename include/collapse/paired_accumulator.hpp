#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/vicreg.hpp>
#include <collapse/options.hpp>
#include <collapse/report/comparison.hpp>

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

class PairedStream;

}  // namespace streams

/// Compares two views that come in batches, as `Accumulator` measures one:
///
///     collapse::PairedAccumulator seen(dims_a, dims_b);
///     for (const auto& [image, text] : loader) seen.update(encode(image), encode(text));
///     collapse::Comparison comparison = seen.report();
///
/// While both accumulators within hold their rows, the report is that of `compare` on all pairs at once; after that
/// pairs are folded into sums, whose numbers agree with one pass to 1e-10 relative however the pairs are batched,
/// ordered and merged.
///
/// A value type: copyable, movable, one per thread. An update or a merge that throws leaves it as it was.
/// Memory: that of two accumulators and, once folding, a D_a x D_b matrix and a block of rows.
class PairedAccumulator {
 public:
  /// @param dims_a, dims_b  dimensions of the rows of either view
  /// @param options         as of `compare`
  /// @param weights         as of `compare`
  /// @throws ShapeError unless both dims >= 1, OptionError
  PairedAccumulator(Index dims_a, Index dims_b, const Options& options = {}, const VicregWeights& weights = {});

  PairedAccumulator(const PairedAccumulator& other);
  PairedAccumulator& operator=(const PairedAccumulator& other);
  PairedAccumulator(PairedAccumulator&& other) noexcept;             ///< leaves the other one empty
  PairedAccumulator& operator=(PairedAccumulator&& other) noexcept;  ///< leaves the other one empty
  ~PairedAccumulator();

  /// Adds pairs of rows.
  /// @param A, B  n x dims_a and n x dims_b, n >= 0, as of `compare`; of any scalars, also different ones each time
  /// @throws ShapeError when the columns are not `dims` or the rows differ; NonFiniteError for the first NaN or
  ///         infinity (or see Options::nonfinite). Nothing of the batch is added then
  /// Cost: a copy of the rows while they are held; n (2 D_a^2 + 2 D_b^2 + D_a D_b) multiplications after that.
  template <class DerivedA, class DerivedB>
  void update(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B);

  /// Adds all that another accumulator has seen. Neither the order nor the shape of the tree of merges matters.
  /// @throws ShapeError when its dims differ; OptionError when it samples pairs differently (see `Accumulator::merge`)
  /// Cost: O(D_a^2 + D_b^2 + D_a D_b), or that of an update with the rows the other one holds.
  void merge(const PairedAccumulator& other);

  /// The comparison of all pairs so far. They stay; more may follow.
  /// @throws ShapeError when there are none
  /// Cost: that of two reports, O(D_a^2 + D_b^2 + D_a D_b) and, where D_a = D_b, 4/3 D^3.
  [[nodiscard]] Comparison report() const;

  /// The same with diagnoses of the views by other thresholds than those of `options`.
  /// @throws ShapeError as above, OptionError for thresholds out of range
  [[nodiscard]] Comparison report(const Thresholds& thresholds) const;

  /// Forgets all pairs, and what was skipped.
  void reset() noexcept;

  /// Writes everything but the thresholds, as `Accumulator::save`.
  /// @param out  a binary stream
  /// @throws StateError when the stream fails
  /// Cost: that of two accumulators, and O(D_a D_b) bytes.
  void save(std::ostream& out) const;

  /// The accumulator that was saved, bit for bit, options included but for the thresholds.
  /// @param in  a binary stream, read to its end
  /// @throws StateError for anything but the whole state of a PairedAccumulator, as `Accumulator::load`
  /// Cost: as of save.
  [[nodiscard]] static PairedAccumulator load(std::istream& in);

  /// The same of the bytes that `save` wrote.
  [[nodiscard]] static PairedAccumulator load(std::string_view bytes);

  [[nodiscard]] Index count() const noexcept;  ///< usable pairs so far
  [[nodiscard]] Index dims_a() const noexcept { return dims_a_; }
  [[nodiscard]] Index dims_b() const noexcept { return dims_b_; }
  [[nodiscard]] Index skipped_rows() const noexcept;
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] const VicregWeights& weights() const noexcept { return weights_; }

 private:
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void add(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b);
  [[nodiscard]] streams::PairedStream& stream();

  Index dims_a_;
  Index dims_b_;
  Options options_;
  VicregWeights weights_;
  std::unique_ptr<streams::PairedStream> stream_;  ///< null until there is something to add
};

template <class DerivedA, class DerivedB>
void PairedAccumulator::update(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B) {
  if (A.rows() != B.rows()) {
    throw ShapeError(fmt::format("two views of {} and {} rows (A is {} x {}, B is {} x {}); row i of A and row i of B "
                                 "must be of one sample",
                                 A.rows(), B.rows(), A.rows(), A.cols(), B.rows(), B.cols()),
                     B.rows(), B.cols());
  }
  if (A.cols() != dims_a_ || B.cols() != dims_b_) {
    throw ShapeError(fmt::format("a batch of A {} x {} and B {} x {} for a PairedAccumulator of {} and {} dimensions; "
                                 "rows are samples and columns dimensions",
                                 A.rows(), A.cols(), B.rows(), B.cols(), dims_a_, dims_b_),
                     A.rows(), A.cols() != dims_a_ ? A.cols() : B.cols());
  }
  const linalg::Evaluated<DerivedA> a(A);
  const linalg::Evaluated<DerivedB> b(B);
  add(a.view(), b.view());
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/paired_definitions.hpp>
#endif
