#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <cstdint>
#include <vector>

namespace collapse {

/// Which pairs of rows stand for all of them.
struct PairSelection {
  std::vector<Index> rows;  ///< positions among the usable rows, ascending; every pair of these is looked at
  Index population = 0;     ///< rows that have a direction

  [[nodiscard]] bool exact() const { return static_cast<Index>(rows.size()) == population; }
  [[nodiscard]] std::int64_t pairs() const {
    const auto m = static_cast<std::int64_t>(rows.size());
    return m * (m - 1) / 2;
  }
};

namespace statistics {

/// All rows that have a direction when they are at most `pair_rows` (or all are asked for), else a sample of so many.
template <EmbeddingScalar Scalar>
[[nodiscard]] PairSelection select_pairs(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Options& options);

}  // namespace statistics
}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/pairs/selected_directions.hpp>
#endif
