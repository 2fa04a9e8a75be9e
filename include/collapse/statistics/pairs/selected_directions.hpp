#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/pairs/sampler.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace collapse {
namespace statistics {

template <EmbeddingScalar Scalar>
PairSelection select_pairs(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Options& options) {
  PairSelection selection;
  selection.population = rows.directed();
  const bool all = options.all_pairs || selection.population <= options.pair_rows;
  Sampler sampler(all ? 0 : options.pair_rows);
  const linalg::RowSelection at = rows.selection();
  for (Index i = 0; i < rows.samples; ++i) {
    if (rows.inverse_norm(i) == 0.0) continue;
    if (all) {
      selection.rows.push_back(i);
      continue;
    }
    const Index slot = sampler.offer(row_key(options.seed, static_cast<std::uint64_t>(i), z, at(i)));
    if (slot == static_cast<Index>(selection.rows.size())) {
      selection.rows.push_back(i);
    } else if (slot >= 0) {
      selection.rows[static_cast<std::size_t>(slot)] = i;
    }
  }
  std::sort(selection.rows.begin(), selection.rows.end());
  return selection;
}

/// v_i = u_i - m for the selected rows: their directions with a point of the cloud removed.
template <EmbeddingScalar Scalar>
class SelectedDirections {
 public:
  SelectedDirections(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Eigen::VectorXd& mean,
                     const PairSelection& selection)
      : z_(z), rows_(rows), mean_(mean), selection_(selection) {}

  [[nodiscard]] Index count() const { return static_cast<Index>(selection_.rows.size()); }
  [[nodiscard]] Index dims() const { return z_.cols; }
  [[nodiscard]] const PairSelection& selection() const { return selection_; }

  /// Makes single rows as quick to read as many: where their entries lie far apart in memory, as in a matrix stored by
  /// columns, the selected rows are copied side by side, a few columns of many rows at a time.
  void gather() {
    if (z_.col_stride == 1 || !gathered_.empty()) return;
    gathered_.resize(static_cast<std::size_t>(count() * dims()));
    constexpr Index taken = 64;
    linalg::parallel_for({(count() + taken - 1) / taken, count(), dims()}, [&](Index t) {
      const Index end = std::min(count(), (t + 1) * taken);
      for (Index d0 = 0; d0 < dims(); d0 += 8) {
        const Index width = std::min<Index>(8, dims() - d0);
        for (Index r = t * taken; r < end; ++r) {
          const Scalar* const from = z_.data + position(r) * z_.row_stride + d0 * z_.col_stride;
          Scalar* const to = gathered_.data() + r * dims() + d0;
          for (Index d = 0; d < width; ++d) to[d] = from[d * z_.col_stride];
        }
      }
    });
  }

  /// Writes v_first, v_(first + 1), ... to the rows of `out`.
  void load(Index first, linalg::Panel::View out) const {
    for (Index r = 0; r < out.rows(); ++r) {
      if (gathered_.empty()) {
        linalg::load(z_, {}, position(first + r), 0, out.only_row(r));
      } else {
        linalg::load(linalg::MatrixView<Scalar>{gathered_.data(), count(), dims(), dims(), 1}, {}, first + r, 0,
                     out.only_row(r));
      }
      subtract(usable(first + r), out.row(r));
    }
  }

  /// Whether all rows may be multiplied as they are: none had to be scaled before its length was taken.
  [[nodiscard]] bool in_range() const { return rows_.prescale.size() == 0; }

  /// u_a . u_b from the rows themselves, in double and in any order of summation. Only when rows are in range, and
  /// gathered.
  [[nodiscard]] double cosine(Index a, Index b) const {
    constexpr Index lanes = 16;
    const Scalar* const x = row(a);
    const Scalar* const y = row(b);
    std::array<double, static_cast<std::size_t>(lanes)> sums{};
    const Index whole = dims() / lanes * lanes;
    for (Index d = 0; d < whole; d += lanes) {
      for (Index l = 0; l < lanes; ++l) {
        sums[static_cast<std::size_t>(l)] += linalg::to_double(x[d + l]) * linalg::to_double(y[d + l]);
      }
    }
    double sum = 0.0;
    for (Index d = whole; d < dims(); ++d) sum += linalg::to_double(x[d]) * linalg::to_double(y[d]);
    for (const double part : sums) sum += part;
    return sum * rows_.inverse_norm(usable(a)) * rows_.inverse_norm(usable(b));
  }

 private:
  [[nodiscard]] const Scalar* row(Index r) const {
    return gathered_.empty() ? z_.data + position(r) * z_.row_stride : gathered_.data() + r * dims();
  }

  /// Of the r-th selected row: its place among the usable rows, and among all.
  [[nodiscard]] Index usable(Index r) const { return selection_.rows[static_cast<std::size_t>(r)]; }
  [[nodiscard]] Index position(Index r) const { return rows_.selection()(usable(r)); }

  void subtract(Index i, double* row) const {
    const double inverse = rows_.inverse_norm(i);
    if (inverse == 0.0) {
      std::fill_n(row, dims(), 0.0);
      return;
    }
    if (rows_.prescale.size() > 0) linalg::scale(row, rows_.prescale(i), dims());
    for (Index d = 0; d < dims(); ++d) row[d] = row[d] * inverse - mean_(d);
  }

  const linalg::MatrixView<Scalar>& z_;
  const Rows& rows_;
  Eigen::VectorXd mean_;
  const PairSelection& selection_;
  std::vector<Scalar> gathered_;
};

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_SELECTION_INSTANCES(Keyword, Scalar)                                                     \
  Keyword template PairSelection statistics::select_pairs(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                          const Options&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_SELECTION_INSTANCES)
#endif

}  // namespace collapse
