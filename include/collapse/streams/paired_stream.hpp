#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/origin.hpp>
#include <collapse/streams/row_stream.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <optional>
#include <utility>

namespace collapse::streams {

/// Throws unless what was seen of two views can join what was seen of two others.
inline void require_mergeable(Index dims_a, Index dims_b, const Options& options, Index other_dims_a,
                              Index other_dims_b, const Options& other, Index other_count) {
  if (other_dims_a != dims_a || other_dims_b != dims_b) {
    throw ShapeError(fmt::format("a PairedAccumulator of {} and {} dimensions cannot merge one of {} and {} dimensions "
                                 "({} pairs)",
                                 dims_a, dims_b, other_dims_a, other_dims_b, other_count),
                     other_count, other_dims_a != dims_a ? other_dims_a : other_dims_b);
  }
  require_mergeable(dims_a, options, other_dims_a, other, other_count);
}

/// The pairs of a PairedAccumulator: held as they are while they are few, then folded into sums over pairs. Each view is
/// a stream of its own as well.
class PairedStream {
 public:
  PairedStream(Index dims_a, Index dims_b, const Options& options) : a_(dims_a, options), b_(dims_b, options) {}

  [[nodiscard]] const RowStream& a() const noexcept { return a_; }
  [[nodiscard]] const RowStream& b() const noexcept { return b_; }
  [[nodiscard]] Index count() const noexcept { return a_.count(); }
  [[nodiscard]] Index skipped() const noexcept { return a_.skipped(); }

  /// Whether the pairs were folded into sums. A view may still hold its rows then.
  [[nodiscard]] bool folded() const { return folder_.has_value(); }

  /// Adds pairs of rows, of which some may not be usable.
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void add(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b) {
    add(a, b, {linalg::input_epsilon<ScalarA>()}, {linalg::input_epsilon<ScalarB>()});
  }

  /// Adds all pairs of another stream that is mergeable. Throws before it changes anything, or not at all.
  void merge(const PairedStream& other) {
    PairedStream merged(*this);
    merged.take(other);
    *this = std::move(merged);
  }

  /// The sums over pairs once they are folded, also of those that wait for a block to fill.
  [[nodiscard]] CrossSums sums() const {
    CrossSums sums = sums_;
    statistics::CrossFolder(*folder_).flush(sums);
    return sums;
  }

  /// The scatter of all rows of each view, in units of 2^exponent of theirs.
  [[nodiscard]] ViewScatters scatters(int exponent_a, int exponent_b) const {
    return {scatter_of(a_, exponent_a), scatter_of(b_, exponent_b)};
  }

  /// Writes or reads everything but dims and options; defined in `streams/paired_state.hpp`.
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self);

 private:
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void add(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b, const Origin& origin_a,
           const Origin& origin_b) {
    statistics::with_usable_pairs(
        a, b, a_.options().nonfinite, a_.batch(), b_.batch(),
        [&](const auto& usable_a, const Rows& rows_a, const auto& usable_b, const Rows& rows_b, Index skipped) {
          // What throws comes first, and changes no number: rows that are held and rows that are folded say the same.
          if (count() == 0) folder_.reset();
          if (!folder_ && !(a_.can_hold(rows_a.samples) && b_.can_hold(rows_b.samples))) {
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
          a_.note_origin({origin_a.epsilon, skipped + origin_a.skipped});
          b_.note_origin({origin_b.epsilon, skipped + origin_b.skipped});
        });
  }

  /// From pairs that are held to sums. Their mean becomes the reference, or, when there are none, that of the batch.
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void fold(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a, const linalg::MatrixView<ScalarB>& b,
            const Rows& rows_b) {
    statistics::CrossFolder folder(a_.dims(), b_.dims());
    CrossSums sums = folder.empty();
    if (count() == 0) {
      statistics::set_reference(sums.a, statistics::sum_rows(a, rows_a, statistics::moments_only).moments);
      statistics::set_reference(sums.b, statistics::sum_rows(b, rows_b, statistics::moments_only).moments);
    } else {
      Rows held_a;
      Rows held_b;
      statistics::scan_rows(a_.held(), NonFinite::reject, held_a);
      statistics::scan_rows(b_.held(), NonFinite::reject, held_b);
      statistics::set_reference(sums.a, statistics::sum_rows(a_.held(), held_a, statistics::moments_only).moments);
      statistics::set_reference(sums.b, statistics::sum_rows(b_.held(), held_b, statistics::moments_only).moments);
      folder.add(a_.held(), held_a, b_.held(), held_b, sums);
      sums.a.input_epsilon = a_.origin().epsilon;
      sums.b.input_epsilon = b_.origin().epsilon;
    }
    folder_ = std::move(folder);
    sums_ = std::move(sums);
  }

  /// A merge that may stop half way.
  void take(const PairedStream& other) {
    if (other.folder_ && !folder_) {
      // What is held joins what is folded.
      PairedStream both(other);
      both.a_.set_options(a_.options());
      both.b_.set_options(b_.options());
      both.add(a_.held(), b_.held(), a_.origin(), b_.origin());
      *this = std::move(both);
      return;
    }
    if (!other.folder_) {
      add(other.a_.held(), other.b_.held(), other.a_.origin(), other.b_.origin());
      return;
    }
    folder_->flush(sums_);
    const CrossSums added = other.sums();
    const auto [exponent_a, exponent_b] = sums_.common_units(added);
    sums_.merge(added, scatters(exponent_a, exponent_b), other.scatters(exponent_a, exponent_b));
    a_.merge(other.a_);
    b_.merge(other.b_);
  }

  [[nodiscard]] static Eigen::MatrixXd scatter_of(const RowStream& view, int exponent) {
    Sums sums = view.folded() ? view.sums()
                              : statistics::sum_rows(view.held(), statistics::scan_rows(view.held(), NonFinite::reject),
                                                     RowStream::without_directions);
    return statistics::in_units(std::move(sums.scatter), sums.moments, exponent);
  }

  RowStream a_, b_;
  std::optional<statistics::CrossFolder> folder_;  ///< engaged once folding
  CrossSums sums_;
};

}  // namespace collapse::streams
