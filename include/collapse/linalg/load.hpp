#pragma once

#include <collapse/linalg/row_selection.hpp>
#include <collapse/linalg/view.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <vector>

namespace collapse::linalg {

/// Rows of doubles in memory, `stride` apart. What is viewed may be written, also through a constant view.
class RowsView {
 public:
  RowsView(double* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}

  [[nodiscard]] double* data() const { return data_; }
  [[nodiscard]] Index rows() const { return rows_; }
  [[nodiscard]] Index cols() const { return cols_; }
  [[nodiscard]] Index stride() const { return stride_; }
  [[nodiscard]] double* row(Index i) const { return data_ + i * stride_; }
  [[nodiscard]] RowsView only_row(Index i) const { return {row(i), 1, cols_, stride_}; }
  void scale(double factor) const {
    for (Index i = 0; i < rows_; ++i) {
      for (Index j = 0; j < cols_; ++j) row(i)[j] *= factor;
    }
  }

  using Matrix = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                            Eigen::OuterStride<>>;
  /// The same for expressions of Eigen.
  [[nodiscard]] Matrix matrix() const { return {data_, rows_, cols_, Eigen::OuterStride<>(stride_)}; }

 private:
  double* data_;
  Index rows_;
  Index cols_;
  Index stride_;
};

/// Columns of scalars in memory, `stride` apart: a matrix of Eigen, or a block of one, without its type.
template <class Scalar>
class ColumnsView {
 public:
  ColumnsView(Scalar* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}
  // NOLINTNEXTLINE(google-explicit-constructor): a matrix is its view
  ColumnsView(Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>& matrix)
      : ColumnsView(matrix.data(), matrix.rows(), matrix.cols(), matrix.rows()) {}

  [[nodiscard]] Scalar* data() const { return data_; }
  [[nodiscard]] Index rows() const { return rows_; }
  [[nodiscard]] Index cols() const { return cols_; }
  [[nodiscard]] Index stride() const { return stride_; }
  [[nodiscard]] Scalar* col(Index j) const { return data_ + j * stride_; }
  [[nodiscard]] Scalar& operator()(Index i, Index j) const { return data_[j * stride_ + i]; }
  [[nodiscard]] ColumnsView block(Index row, Index col, Index rows, Index cols) const {
    return {data_ + col * stride_ + row, rows, cols, stride_};
  }
  void set_zero() const {
    for (Index j = 0; j < cols_; ++j) std::fill_n(col(j), rows_, Scalar(0));
  }

 private:
  Scalar* data_;
  Index rows_;
  Index cols_;
  Index stride_;
};

/// The columns of a matrix, each as a row.
[[nodiscard]] inline RowsView columns_as_rows(const ColumnsView<double>& columns) {
  return {columns.data(), columns.cols(), columns.rows(), columns.stride()};
}

/// Row-major doubles with a padded leading dimension: the one shape in which every statistic sees the embeddings.
class Panel {
 public:
  using View = RowsView;

  Panel(Index max_rows, Index max_cols)
      // A leading dimension that is a multiple of a page maps a column onto few cache sets.
      : stride_((max_cols + 7) / 8 * 8 + ((max_cols + 7) / 8 * 8 % 64 == 0 ? 8 : 0)), values_(max_rows * stride_) {}

  [[nodiscard]] View view(Index rows, Index cols) { return {values_.data(), rows, cols, stride_}; }
  [[nodiscard]] View rows(Index first, Index count, Index cols) {
    return {values_.data() + first * stride_, count, cols, stride_};
  }
  [[nodiscard]] double* row(Index i) { return values_.data() + i * stride_; }
  [[nodiscard]] const double* row(Index i) const { return values_.data() + i * stride_; }
  [[nodiscard]] View columns(Index first, Index rows, Index count) {
    return {values_.data() + first, rows, count, stride_};
  }

 private:
  Index stride_;
  Eigen::VectorXd values_;
};

/// out(i, j) = Z(rows(first_row + i), first_col + j), converted to double.
template <EmbeddingScalar Scalar>
void load(const MatrixView<Scalar>& z, const RowSelection& rows, Index first_row, Index first_col, Panel::View out) {
  const Index count = out.rows();
  const Index cols = out.cols();
  if (z.col_stride == 1) {
    for (Index i = 0; i < count; ++i) {
      const Scalar* const row = z.data + rows(first_row + i) * z.row_stride + first_col;
      double* const to = out.row(i);
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
      double* const to = out.row(i) + j0;
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
      double* const to = out.row(j) + i0;
      for (Index i = 0; i < width; ++i) to[i] = to_double(from[i][j * z.col_stride]);
    }
  }
}

}  // namespace collapse::linalg
