#pragma once

#include <collapse/io/row_blocks.hpp>

#include "npy_bytes.hpp"

#include <Eigen/Core>

#include <bit>
#include <string>
#include <vector>

namespace collapse::test {

/// Different values in row order, exact in every scalar.
[[nodiscard]] inline Eigen::MatrixXd numbered(Eigen::Index rows, Eigen::Index cols) {
  Eigen::MatrixXd values(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) values(i, j) = static_cast<double>(i * cols + j) - 60.0;
  }
  return values;
}

/// One row after the other, little-endian.
template <class Scalar>
[[nodiscard]] std::string row_bytes(const Eigen::MatrixXd& values) {
  std::vector<Scalar> scalars;
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    for (Eigen::Index j = 0; j < values.cols(); ++j) scalars.push_back(static_cast<Scalar>(values(i, j)));
  }
  return bytes_of(scalars, std::endian::native == std::endian::big);
}

/// What a source handed out, put together again.
struct Blocks {
  Eigen::MatrixXd values;
  std::vector<Eigen::Index> rows;  ///< of each block
  int scalar_size = 0;
};

template <io::RowBlocks Source>
[[nodiscard]] Blocks blocks_of(Source& source, Eigen::Index rows) {
  Blocks blocks;
  blocks.values.resize(0, source.cols());
  source.for_each_block(rows, [&](const auto& block) {
    const Eigen::Index before = blocks.values.rows();
    blocks.values.conservativeResize(before + block.rows(), block.cols());
    blocks.values.bottomRows(block.rows()) = block.template cast<double>();
    blocks.rows.push_back(block.rows());
    blocks.scalar_size = static_cast<int>(sizeof(*block.data()));
  });
  return blocks;
}

/// Equal in shape and in every value; comparing matrices of two shapes is an assertion in Eigen.
[[nodiscard]] inline bool same_values(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && a == b;
}

/// The sizes of the blocks that `total` rows come in.
[[nodiscard]] inline std::vector<Eigen::Index> block_sizes(Eigen::Index total, Eigen::Index rows) {
  std::vector<Eigen::Index> sizes;
  for (; total > rows; total -= rows) sizes.push_back(rows);
  if (total > 0) sizes.push_back(total);
  return sizes;
}

}  // namespace collapse::test
