#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace collapse::statistics {

inline void require_paired_shape(Index rows_a, Index cols_a, Index rows_b, Index cols_b) {
  if (rows_a != rows_b) {
    throw ShapeError(fmt::format("two views of {} and {} rows (A is {} x {}, B is {} x {}); row i of A and row i of B "
                                 "must be of one sample",
                                 rows_a, rows_b, rows_a, cols_a, rows_b, cols_b),
                     rows_b, cols_b);
  }
}

inline void require_measurable_shape(Index rows_a, Index cols_a, Index rows_b, Index cols_b) {
  require_paired_shape(rows_a, cols_a, rows_b, cols_b);
  if (rows_a == 0 || cols_a == 0 || cols_b == 0) {
    throw ShapeError(fmt::format("two views without {} (A is {} x {}, B is {} x {}); at least one of each is needed",
                                 rows_a == 0 ? "rows" : "columns", rows_a, cols_a, rows_b, cols_b),
                     rows_a, cols_a == 0 ? cols_a : cols_b);
  }
}

template <EmbeddingScalar Scalar>
void scan_view(const linalg::MatrixView<Scalar>& z, NonFinite policy, Rows& rows, const char* name) {
  try {
    scan_rows(z, policy, rows);
  } catch (const NonFiniteError& error) {
    throw NonFiniteError(error.row(), error.col(), z.at(error.row(), error.col()), name);
  }
}

/// The rows of a matrix that are usable, in their order.
template <EmbeddingScalar Scalar>
[[nodiscard]] auto rows_of(const linalg::MatrixView<Scalar>& z, const std::vector<Index>& listed) {
  Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> kept(static_cast<Index>(listed.size()),
                                                                              z.cols);
  for (Index i = 0; i < kept.rows(); ++i) {
    const Scalar* const row = z.data + listed[static_cast<std::size_t>(i)] * z.row_stride;
    for (Index d = 0; d < z.cols; ++d) kept(i, d) = row[d * z.col_stride];
  }
  return kept;
}

/// Hands two views of as many rows to body(a, rows_a, b, rows_b, skipped), where every row is usable: pairs in which
/// either row holds a non-finite value are left out, in a copy. Throws NonFiniteError when they are to be rejected.
/// The memory of rows_a and rows_b is used again.
template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB, class Body>
auto with_usable_pairs(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b, NonFinite policy,
                       Rows& rows_a, Rows& rows_b, Body&& body) {
  scan_view(a, policy, rows_a, "A");
  scan_view(b, policy, rows_b, "B");
  if (rows_a.skipped == 0 && rows_b.skipped == 0) return body(a, rows_a, b, rows_b, Index{0});
  std::vector<Index> both;
  if (rows_a.skipped == 0) {
    both = rows_b.listed;
  } else if (rows_b.skipped == 0) {
    both = rows_a.listed;
  } else {
    std::set_intersection(rows_a.listed.begin(), rows_a.listed.end(), rows_b.listed.begin(), rows_b.listed.end(),
                          std::back_inserter(both));
  }
  const auto kept_a = rows_of(a, both);
  const auto kept_b = rows_of(b, both);
  const linalg::MatrixView<ScalarA> view_a{kept_a.data(), kept_a.rows(), a.cols, a.cols, 1};
  const linalg::MatrixView<ScalarB> view_b{kept_b.data(), kept_b.rows(), b.cols, b.cols, 1};
  scan_rows(view_a, NonFinite::reject, rows_a);
  scan_rows(view_b, NonFinite::reject, rows_b);
  return body(view_a, rows_a, view_b, rows_b, a.rows - view_a.rows);
}

/// The same for two expressions that are to be measured: throws ShapeError unless both have as many rows and at least
/// one pair is usable.
template <class DerivedA, class DerivedB, class Body>
auto with_measurable_pairs(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B, NonFinite policy,
                           Body&& body) {
  require_measurable_shape(A.rows(), A.cols(), B.rows(), B.cols());
  const linalg::Evaluated<DerivedA> a(A);
  const linalg::Evaluated<DerivedB> b(B);
  Rows rows_a;
  Rows rows_b;
  return with_usable_pairs(
      a.view(), b.view(), policy, rows_a, rows_b,
      [&](const auto& view_a, const Rows& usable_a, const auto& view_b, const Rows& usable_b, Index skipped) {
        if (usable_a.samples == 0) {
          throw ShapeError(fmt::format("every one of the {} pairs of rows holds a non-finite "
                                       "value; nothing is left to measure",
                                       A.rows()),
                           A.rows(), A.cols());
        }
        return body(view_a, usable_a, view_b, usable_b, skipped);
      });
}

}  // namespace collapse::statistics
