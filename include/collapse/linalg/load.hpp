#pragma once

#include <collapse/linalg/view.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <vector>

namespace collapse::linalg {

/// Row-major doubles with a padded leading dimension: the one shape in which every statistic sees the embeddings.
class Panel {
 public:
  Panel(Index max_rows, Index max_cols)
      // A leading dimension that is a multiple of a page maps a column onto few cache sets.
      : stride_((max_cols + 7) / 8 * 8 + ((max_cols + 7) / 8 * 8 % 64 == 0 ? 8 : 0)), values_(max_rows * stride_) {}

  using View = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                          Eigen::OuterStride<>>;

  [[nodiscard]] View view(Index rows, Index cols) {
    return {values_.data(), rows, cols, Eigen::OuterStride<>(stride_)};
  }
  [[nodiscard]] View rows(Index first, Index count, Index cols) {
    return {values_.data() + first * stride_, count, cols, Eigen::OuterStride<>(stride_)};
  }
  [[nodiscard]] double* row(Index i) { return values_.data() + i * stride_; }
  [[nodiscard]] const double* row(Index i) const { return values_.data() + i * stride_; }
  [[nodiscard]] View columns(Index first, Index rows, Index count) {
    return {values_.data() + first, rows, count, Eigen::OuterStride<>(stride_)};
  }

 private:
  Index stride_;
  Eigen::VectorXd values_;
};

/// Which rows of a matrix take part: all of them, or those listed in ascending order.
struct RowSelection {
  const std::vector<Index>* listed = nullptr;

  [[nodiscard]] Index operator()(Index i) const { return listed ? (*listed)[static_cast<std::size_t>(i)] : i; }
};

/// out(i, j) = Z(rows(first_row + i), first_col + j), converted to double.
template <EmbeddingScalar Scalar>
void load(const MatrixView<Scalar>& z, const RowSelection& rows, Index first_row, Index first_col, Panel::View out) {
  const Index count = out.rows();
  const Index cols = out.cols();
  if (z.col_stride == 1) {
    for (Index i = 0; i < count; ++i) {
      const Scalar* const row = z.data + rows(first_row + i) * z.row_stride + first_col;
      double* const to = out.data() + i * out.outerStride();
      if constexpr (std::same_as<Scalar, float> || std::same_as<Scalar, double>) {
        for (Index j = 0; j < cols; ++j) to[j] = static_cast<double>(row[j]);
      } else {
        for (Index j = 0; j < cols; ++j) to[j] = to_double(row[j]);
      }
    }
    return;
  }
  // Eight columns at a time: eight streams read in order, whole cache lines written.
  for (Index j0 = 0; j0 < cols; j0 += 8) {
    const Index width = std::min<Index>(8, cols - j0);
    const Scalar* const corner = z.data + (first_col + j0) * z.col_stride;
    for (Index i = 0; i < count; ++i) {
      const Scalar* const from = corner + rows(first_row + i) * z.row_stride;
      double* const to = out.data() + i * out.outerStride() + j0;
      for (Index j = 0; j < width; ++j) to[j] = to_double(from[j * z.col_stride]);
    }
  }
}

/// out(j, i) = Z(rows(first_row + i), first_col + j): the same block with dimensions as rows.
template <EmbeddingScalar Scalar>
void load_transposed(const MatrixView<Scalar>& z, const RowSelection& rows, Index first_row, Index first_col,
                     Panel::View out) {
  const Index dims = out.rows();
  const Index count = out.cols();
  for (Index i0 = 0; i0 < count; i0 += 8) {
    const Index width = std::min<Index>(8, count - i0);
    const Scalar* from[8] = {};
    for (Index i = 0; i < width; ++i) {
      from[i] = z.data + rows(first_row + i0 + i) * z.row_stride + first_col * z.col_stride;
    }
    for (Index j = 0; j < dims; ++j) {
      double* const to = out.data() + j * out.outerStride() + i0;
      for (Index i = 0; i < width; ++i) to[i] = to_double(from[i][j * z.col_stride]);
    }
  }
}

}  // namespace collapse::linalg
