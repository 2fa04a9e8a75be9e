#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/gram.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace collapse::statistics {

/// Adds products a^T a of blocks of rows to the lower triangle of a square matrix of sums: rows are packed, then `add`
/// is called for every tile, each in parallel. A tile belongs to one thread at a time and adds its rows in order, so
/// its bits do not depend on the number of threads.
class LowerTriangle {
 public:
  static constexpr Index tile = linalg::PackedVectors::tile;

  LowerTriangle(Index order, Index max_depth)
      : order_(order), packed_(order, max_depth), corners_(linalg::lower_tiles(order, tile)) {}

  /// Packs rows as those from `depth` on.
  void pack(Index depth, const linalg::Panel::View& rows) { packed_.pack_columns(0, order_, rows, depth); }

  /// Where the first packed row of columns [first, first + MicroKernel::group) stands.
  [[nodiscard]] double* packed(Index first) { return packed_.vector(first); }
  [[nodiscard]] const double* packed(Index first) const { return packed_.vector(first); }

  [[nodiscard]] Index tiles() const { return static_cast<Index>(corners_.size()); }
  /// Adds the products of `depth` packed rows.
  void add(Index t, Index depth, Eigen::MatrixXd& sums) const {
    const auto [i, j] = corners_[static_cast<std::size_t>(t)];
    const linalg::ColumnsView<double> all(sums);
    linalg::add_products(packed_, i, packed_, j, depth,
                         all.block(i, j, std::min(tile, order_ - i), std::min(tile, order_ - j)), i == j);
  }

 private:
  Index order_;
  linalg::PackedVectors packed_;
  std::vector<std::pair<Index, Index>> corners_;
};

/// The lower triangle of A^T A for a matrix A of depth x order that is never held as a whole: `fill(first, rows)`
/// writes its rows [first, first + rows.rows()). depth * order^2 flops, O(order^2) memory. Above the diagonal the
/// result may hold anything.
template <class Fill>
[[nodiscard]] Eigen::MatrixXd accumulate_gram(Index depth, Index order, Fill&& fill) {
  constexpr Index block = 512;
  constexpr Index strip = 16;
  LowerTriangle triangle(order, std::min(block, depth));
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(order, order);
  for (Index first = 0; first < depth; first += block) {
    const Index count = std::min(block, depth - first);
    linalg::parallel_for(
        {(count + strip - 1) / strip, count, order}, [order] { return linalg::Panel(strip, order); },
        [&](Index s, linalg::Panel& panel) {
          const linalg::Panel::View rows = panel.view(std::min(strip, count - s * strip), order);
          fill(first + s * strip, rows);
          triangle.pack(s * strip, rows);
        });
    linalg::parallel_for({triangle.tiles(), count, order, order}, [&](Index t) { triangle.add(t, count, result); });
  }
  return result;
}

/// Writes rows of the centred matrix, in the unit of each dimension (or one unit for all).
class CentredTransform {
 public:
  CentredTransform(const Moments& moments, bool common_unit)
      : mean_(moments.mean), low_(moments.mean_low), scaled_(moments.scaled()) {
    if (!scaled_) return;
    scale_.resize(moments.dims);
    const int common = moments.common_exponent();
    for (Index d = 0; d < moments.dims; ++d) {
      const int unit = common_unit ? common : moments.exponent(d);
      scale_(d) = std::ldexp(1.0, -unit);
      mean_(d) = std::ldexp(mean_(d), moments.exponent(d) - unit);
      low_(d) = std::ldexp(low_(d), moments.exponent(d) - unit);
    }
  }

  /// A row, or `count` entries of one from `first_dim` on, where it stands.
  void row(double* values, Index count, Index first_dim = 0) const {
    const double* const mean = mean_.data() + first_dim;
    const double* const low = low_.data() + first_dim;
    if (scaled_) {
      for (Index d = 0; d < count; ++d) values[d] *= scale_(first_dim + d);
    }
    for (Index d = 0; d < count; ++d) values[d] = (values[d] - mean[d]) - low[d];
  }

  /// `count` entries of a dimension.
  void dimension(Index d, double* values, Index count) const {
    if (scaled_) linalg::scale(values, scale_(d), count);
    const double mean = mean_(d);
    const double low = low_(d);
    for (Index i = 0; i < count; ++i) values[i] = (values[i] - mean) - low;
  }

 private:
  Eigen::VectorXd mean_, low_, scale_;
  bool scaled_;
};

/// Loads rows [first, first + out.rows()) of the centred matrix.
template <EmbeddingScalar Scalar>
void load_centred(const linalg::MatrixView<Scalar>& z, const Rows& rows, const CentredTransform& transform, Index first,
                  linalg::Panel::View out) {
  load(z, rows.selection(), first, 0, out);
  for (Index i = 0; i < out.rows(); ++i) transform.row(out.row(i), out.cols());
}

/// Loads dimensions [first, first + out.rows()) of the centred matrix, samples along the row.
template <EmbeddingScalar Scalar>
void load_centred_transposed(const linalg::MatrixView<Scalar>& z, const Rows& rows, const CentredTransform& transform,
                             Index first, linalg::Panel::View out) {
  linalg::load_transposed(z, rows.selection(), 0, first, out);
  for (Index d = 0; d < out.rows(); ++d) {
    transform.dimension(first + d, out.row(d), out.cols());
  }
}

/// The N x N Gram of the centred rows, in units of 2^(2 common_exponent()).
/// @param with_rounding  whether dimensions that vary by the rounding of the input alone take part
template <EmbeddingScalar Scalar>
[[nodiscard]] Gram samples_gram(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments,
                                bool with_rounding = true) {
  const CentredTransform transform(moments, true);
  return {Side::samples, accumulate_gram(rows.dims, rows.samples, [&](Index first, linalg::Panel::View out) {
            load_centred_transposed(z, rows, transform, first, out);
            for (Index d = 0; !with_rounding && d < out.rows(); ++d) {
              if (is_rounding(moments, first + d)) std::fill_n(out.row(d), out.cols(), 0.0);
            }
          })};
}

/// Lower triangle of V V^T, N x N, for the directions with `mean` removed, v_i; zero rows (and columns) for rows of
/// length 0.
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::MatrixXd direction_products(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                                 const Eigen::VectorXd& mean) {
  const double* const inverse = rows.inverse_norm.data();
  const double* const prescale = rows.prescale.size() > 0 ? rows.prescale.data() : nullptr;
  return accumulate_gram(rows.dims, rows.samples, [&](Index first, linalg::Panel::View out) {
    load_transposed(z, rows.selection(), 0, first, out);
    for (Index d = 0; d < out.rows(); ++d) {
      double* const values = out.row(d);
      const double centre = mean(first + d);
      if (prescale != nullptr) {
        for (Index i = 0; i < out.cols(); ++i) values[i] *= prescale[i];
      }
      for (Index i = 0; i < out.cols(); ++i) values[i] = values[i] * inverse[i] - (inverse[i] > 0.0 ? centre : 0.0);
    }
  });
}

}  // namespace collapse::statistics
