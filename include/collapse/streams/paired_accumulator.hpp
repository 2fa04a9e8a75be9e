#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/compare.hpp>
#include <collapse/error.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <optional>
#include <utility>

namespace collapse {

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
  PairedAccumulator(Index dims_a, Index dims_b, const Options& options = {}, const VicregWeights& weights = {})
      : a_(dims_a, options), b_(dims_b, options), weights_(weights) {}

  /// Adds pairs of rows.
  /// @param A, B  n x dims_a and n x dims_b, n >= 0, as of `compare`; of any scalars, also different ones each time
  /// @throws ShapeError when the columns are not `dims` or the rows differ; NonFiniteError for the first NaN or
  ///         infinity (or see Options::nonfinite). Nothing of the batch is added then
  /// Cost: a copy of the rows while they are held; n (2 D_a^2 + 2 D_b^2 + D_a D_b) multiplications after that.
  template <class DerivedA, class DerivedB>
  void update(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B) {
    statistics::require_paired_shape(A.rows(), A.cols(), B.rows(), B.cols());
    if (A.cols() != dims_a() || B.cols() != dims_b()) {
      throw ShapeError(
          fmt::format("a batch of A {} x {} and B {} x {} for a PairedAccumulator of {} and {} dimensions; "
                      "rows are samples and columns dimensions",
                      A.rows(), A.cols(), B.rows(), B.cols(), dims_a(), dims_b()),
          A.rows(), A.cols() != dims_a() ? A.cols() : B.cols());
    }
    const linalg::Evaluated<DerivedA> a(A);
    const linalg::Evaluated<DerivedB> b(B);
    add(a.view(), b.view(), {linalg::input_epsilon<typename DerivedA::Scalar>()},
        {linalg::input_epsilon<typename DerivedB::Scalar>()});
  }

  /// Adds all that another accumulator has seen. Neither the order nor the shape of the tree of merges matters.
  /// @throws ShapeError when its dims differ; OptionError when it samples pairs differently (see `Accumulator::merge`)
  /// Cost: O(D_a^2 + D_b^2 + D_a D_b), or that of an update with the rows the other one holds.
  void merge(const PairedAccumulator& other) {
    PairedAccumulator merged(*this);
    merged.take(other);
    *this = std::move(merged);
  }

  /// The comparison of all pairs so far. They stay; more may follow.
  /// @throws ShapeError when there are none
  /// Cost: that of two reports, O(D_a^2 + D_b^2 + D_a D_b) and, where D_a = D_b, 4/3 D^3.
  [[nodiscard]] Comparison report() const {
    if (count() == 0) {
      throw ShapeError(fmt::format("a PairedAccumulator of {} and {} dimensions without pairs has nothing to report; "
                                   "update it first ({} skipped)",
                                   dims_a(), dims_b(), skipped_rows()),
                       0, dims_a());
    }
    if (!folder_) {
      Rows rows_a;
      Rows rows_b;
      statistics::scan_rows(a_.held(), NonFinite::reject, rows_a);
      statistics::scan_rows(b_.held(), NonFinite::reject, rows_b);
      return detail::compare(a_.held(), rows_a, {a_.epsilon_, a_.skipped_}, b_.held(), rows_b,
                             {b_.epsilon_, b_.skipped_}, a_.options_, weights_);
    }
    Comparison result;
    result.samples = count();
    result.skipped_rows = skipped_rows();
    result.a = a_.report();
    result.b = b_.report();
    CrossSums sums = flushed_sums();
    const ViewScatters views = scatters(sums.a.exponent, sums.b.exponent);
    sums.centre(views);
    detail::compare_sums(result, sums,
                         metrics::hsic_sums(sums, statistics::symmetric_squared_norm(views.a),
                                            statistics::symmetric_squared_norm(views.b)),
                         sums.same_dims() ? metrics::signal_eigenvalues(sums) : Eigen::VectorXd(), weights_);
    detail::explain_undefined(result);
    result.diagnosis = diagnose(result, a_.options_.thresholds);
    return result;
  }

  /// Forgets all pairs, and what was skipped.
  void reset() noexcept {
    a_.reset();
    b_.reset();
    folder_.reset();
    sums_ = {};
  }

  [[nodiscard]] Index count() const noexcept { return a_.count(); }  ///< usable pairs so far
  [[nodiscard]] Index dims_a() const noexcept { return a_.dims(); }
  [[nodiscard]] Index dims_b() const noexcept { return b_.dims(); }
  [[nodiscard]] Index skipped_rows() const noexcept { return a_.skipped_rows(); }
  [[nodiscard]] const Options& options() const noexcept { return a_.options(); }
  [[nodiscard]] const VicregWeights& weights() const noexcept { return weights_; }

 private:
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void add(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b, const streams::Origin& origin_a,
           const streams::Origin& origin_b) {
    statistics::with_usable_pairs(
        a, b, a_.options_.nonfinite, a_.rows_, b_.rows_,
        [&](const auto& usable_a, const Rows& rows_a, const auto& usable_b, const Rows& rows_b, Index skipped) {
          // What throws comes first, and changes no number: rows that are held and rows that are folded say the same.
          if (count() == 0) folder_.reset();
          if (!folder_ && !(a_.fits(rows_a.samples) && b_.fits(rows_b.samples))) {
            fold(usable_a, rows_a, usable_b, rows_b);
          }
          a_.prepare();
          b_.prepare();
          if (folder_) {
            folder_->add(usable_a, rows_a, usable_b, rows_b, sums_);
            sums_.a.input_epsilon = std::max(sums_.a.input_epsilon, origin_a.epsilon);
            sums_.b.input_epsilon = std::max(sums_.b.input_epsilon, origin_b.epsilon);
          }
          a_.take(usable_a);
          b_.take(usable_b);
          a_.epsilon_ = std::max(a_.epsilon_, origin_a.epsilon);
          b_.epsilon_ = std::max(b_.epsilon_, origin_b.epsilon);
          a_.skipped_ += skipped + origin_a.skipped;
          b_.skipped_ += skipped + origin_b.skipped;
        });
  }

  /// From pairs that are held to sums. Their mean becomes the reference, or, when there are none, that of the batch.
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void fold(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a, const linalg::MatrixView<ScalarB>& b,
            const Rows& rows_b) {
    statistics::CrossFolder folder(dims_a(), dims_b());
    CrossSums sums = folder.empty();
    if (count() == 0) {
      statistics::set_reference(sums.a, statistics::sum_rows(a, rows_a, statistics::moments_alone).moments);
      statistics::set_reference(sums.b, statistics::sum_rows(b, rows_b, statistics::moments_alone).moments);
    } else {
      Rows held_a;
      Rows held_b;
      statistics::scan_rows(a_.held(), NonFinite::reject, held_a);
      statistics::scan_rows(b_.held(), NonFinite::reject, held_b);
      statistics::set_reference(sums.a, statistics::sum_rows(a_.held(), held_a, statistics::moments_alone).moments);
      statistics::set_reference(sums.b, statistics::sum_rows(b_.held(), held_b, statistics::moments_alone).moments);
      folder.add(a_.held(), held_a, b_.held(), held_b, sums);
      sums.a.input_epsilon = a_.epsilon_;
      sums.b.input_epsilon = b_.epsilon_;
    }
    folder_ = std::move(folder);
    sums_ = std::move(sums);
  }

  /// A merge that may stop half way.
  void take(const PairedAccumulator& other) {
    if (other.dims_a() != dims_a() || other.dims_b() != dims_b()) {
      throw ShapeError(
          fmt::format("a PairedAccumulator of {} and {} dimensions cannot merge one of {} and {} dimensions "
                      "({} pairs)",
                      dims_a(), dims_b(), other.dims_a(), other.dims_b(), other.count()),
          other.count(), other.dims_a() != dims_a() ? other.dims_a() : other.dims_b());
    }
    if (other.folder_ && !folder_) {
      // What is held joins what is folded.
      PairedAccumulator both(other);
      both.a_.options_ = a_.options_;
      both.b_.options_ = b_.options_;
      both.weights_ = weights_;
      a_.require_mergeable(other.a_);
      both.add(a_.held(), b_.held(), {a_.epsilon_, a_.skipped_}, {b_.epsilon_, b_.skipped_});
      *this = std::move(both);
      return;
    }
    a_.require_mergeable(other.a_);
    if (!other.folder_) {
      add(other.a_.held(), other.b_.held(), {other.a_.epsilon_, other.a_.skipped_},
          {other.b_.epsilon_, other.b_.skipped_});
      return;
    }
    folder_->flush(sums_);
    const CrossSums added = other.flushed_sums();
    const auto [exponent_a, exponent_b] = sums_.common_units(added);
    sums_.merge(added, scatters(exponent_a, exponent_b), other.scatters(exponent_a, exponent_b));
    a_.merge(other.a_);
    b_.merge(other.b_);
  }

  [[nodiscard]] CrossSums flushed_sums() const {
    CrossSums sums = sums_;
    statistics::CrossFolder(*folder_).flush(sums);
    return sums;
  }

  /// The scatter of all rows of each view, in these units.
  [[nodiscard]] ViewScatters scatters(int exponent_a, int exponent_b) const {
    const auto of = [](const Accumulator& view, int exponent) {
      Sums sums = view.folded()
                      ? view.flushed_sums()
                      : statistics::sum_rows(view.held(), statistics::scan_rows(view.held(), NonFinite::reject),
                                             {.directions = false, .direction_scatter = false});
      return statistics::in_units(std::move(sums.scatter), sums.moments, exponent);
    };
    return {of(a_, exponent_a), of(b_, exponent_b)};
  }

  Accumulator a_, b_;
  VicregWeights weights_;
  std::optional<statistics::CrossFolder> folder_;  ///< engaged once folding
  CrossSums sums_;
};

}  // namespace collapse
