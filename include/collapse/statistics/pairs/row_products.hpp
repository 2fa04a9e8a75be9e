#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <cstdint>

namespace collapse {

/// What a sample of the products x_i . x_j of centred rows tells, each number relative to the row lengths. It takes the
/// place of the N x N (or D x D) products where these cost too much.
struct RowProducts {
  Index rows = 0;          ///< looked at; x_i is relative to their mean
  Index pairs = 0;         ///< of them
  double quartic = 0.0;    ///< sum_i ||x_i||^4 / (sum_i ||x_i||^2)^2, over all these rows: in [1 / rows, 1]
  double alignment = 0.0;  ///< sum (x_i . x_j)^2 / sum ||x_i||^2 ||x_j||^2 over the pairs: in [0, 1]
  bool defined = false;    ///< whether any of the pairs had two rows of positive length
};

namespace statistics {

/// Products of rows of z in pairs, as many as O(N D) operations allow: the rows are put in a random order and each is
/// multiplied with the next few of them, cyclically, so that every pair of rows is equally likely. Up to 91 rows these
/// are all pairs, up to 1024 rows at least 4096 pairs and 8 per row, and of longer batches 1024 rows take part.
template <EmbeddingScalar Scalar>
[[nodiscard]] RowProducts row_products(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments,
                                       std::uint64_t seed);

}  // namespace statistics
}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/pairs/row_pairs.hpp>
#endif
