#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/row_selection.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <vector>

namespace collapse {

/// What one pass over the rows tells: which of them are usable, and how long each is.
struct Rows {
  Index samples = 0;  ///< usable rows
  Index dims = 0;
  Index skipped = 0;
  Index zero = 0;             ///< rows of length 0
  std::vector<Index> listed;  ///< the rows that take part, where these are not all; empty when they are
  Eigen::VectorXd norm;       ///< ||z_i||, one per usable row
  /// u_i = z_i * scale(i) * inverse_norm_i. The scale is a power of two, and 1 unless the squared norm leaves the range
  /// of double; the inverse is 0 for a row of length 0.
  Eigen::VectorXd inverse_norm;
  Eigen::VectorXd prescale;  ///< empty when all scales are 1

  [[nodiscard]] Index directed() const noexcept { return samples - zero; }  ///< rows that have a direction
  [[nodiscard]] double scale(Index i) const { return prescale.size() > 0 ? prescale(i) : 1.0; }
  [[nodiscard]] linalg::RowSelection selection() const noexcept { return {listed.empty() ? nullptr : &listed}; }

  /// What a pass over some of the usable rows would have told.
  ///
  /// @param kept  numbers of usable rows, ascending
  [[nodiscard]] Rows only(const std::vector<Index>& kept) const {
    Rows some;
    some.samples = static_cast<Index>(kept.size());
    some.dims = dims;
    some.skipped = skipped;
    some.norm.resize(some.samples);
    some.inverse_norm.resize(some.samples);
    if (prescale.size() > 0) some.prescale.resize(some.samples);
    for (Index k = 0; k < some.samples; ++k) {
      const Index i = kept[static_cast<std::size_t>(k)];
      some.listed.push_back(selection()(i));
      some.norm(k) = norm(i);
      some.inverse_norm(k) = inverse_norm(i);
      if (prescale.size() > 0) some.prescale(k) = prescale(i);
      some.zero += inverse_norm(i) == 0.0 ? 1 : 0;
    }
    return some;
  }
};

namespace statistics {

inline void require_shape(Index rows, Index cols) {
  if (rows == 0 || cols == 0) {
    throw ShapeError(fmt::format("embeddings have {} {} (shape {} x {}); rows are samples and columns dimensions, and "
                                 "at least one of each is needed",
                                 rows == 0 ? rows : cols, rows == 0 ? "rows" : "columns", rows, cols),
                     rows, cols);
  }
}

/// One pass over the rows, into `rows`, whose memory is used again. Throws NonFiniteError for the first non-finite value
/// in row order unless rows are to be skipped; no row may be left. O(N D) time, O(N) memory.
template <EmbeddingScalar Scalar>
void scan_rows(const linalg::MatrixView<Scalar>& z, NonFinite policy, Rows& rows);

/// The same for a matrix that is to be measured: throws ShapeError when it is empty or no row is usable.
template <EmbeddingScalar Scalar>
[[nodiscard]] Rows scan_rows(const linalg::MatrixView<Scalar>& z, NonFinite policy);

}  // namespace statistics
}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/rows/scan_rows.hpp>
#endif
