#pragma once

#include <collapse/io/row_blocks.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace collapse::io {

/// Some columns of an input, whatever it is.
///
///     collapse::io::NpyFile file("Z.npy");
///     collapse::io::SelectedColumns some(file, collapse::io::Columns("0-63").positions_in(file.cols()));
///
/// Models RowBlocks; reads the input as often as that allows.
template <RowBlocks Source>
class SelectedColumns {
 public:
  /// @param source   must outlive this object
  /// @param columns  positions from 0 on, each below source.cols()
  SelectedColumns(Source& source, std::vector<Eigen::Index> columns) : source_(source), columns_(std::move(columns)) {}

  [[nodiscard]] Eigen::Index cols() const noexcept { return static_cast<Eigen::Index>(columns_.size()); }
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const { return source_.known_rows(); }

  /// As RowBlocks has it.
  /// Cost: that of the source, and a copy of each block.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) {
    source_.for_each_block(rows, [&]<class Scalar>(const RowBlock<Scalar>& block) {
      std::vector<Scalar> values(columns_.size() * static_cast<std::size_t>(block.rows()));
      Scalar* to = values.data();
      for (Eigen::Index i = 0; i < block.rows(); ++i) {
        for (const Eigen::Index column : columns_) *to++ = block(i, column);
      }
      using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
      std::invoke(body, RowBlock<Scalar>(values.data(), block.rows(), cols(), Stride(cols(), 1)));
    });
  }

 private:
  Source& source_;
  std::vector<Eigen::Index> columns_;
};

}  // namespace collapse::io
