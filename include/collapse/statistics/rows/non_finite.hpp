#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cmath>

namespace collapse::statistics {

using Eigen::Index;

/// Names the first entry of a row that is not finite.
template <EmbeddingScalar Scalar>
[[noreturn]] void throw_non_finite(const linalg::MatrixView<Scalar>& z, Index row) {
  for (Index col = 0; col < z.cols; ++col) {
    if (!std::isfinite(z.at(row, col))) throw NonFiniteError(row, col, z.at(row, col));
  }
  throw Error(
      fmt::format("row {} was taken for non-finite but is not; is the program compiled with -ffast-math?", row));
}

}  // namespace collapse::statistics
