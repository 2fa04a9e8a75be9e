#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace collapse {
namespace metrics {

/// Sums over the off-diagonal entries of a covariance matrix that is seen tile by tile.
class CorrelationSums {
 public:
  explicit CorrelationSums(const Moments& moments)
      : dims_(moments.dims),
        inverse_root_(moments.dims),
        unit_(moments.dims),
        scaled_(moments.scaled()),
        tiles_(linalg::lower_tiles(moments.dims, tile)),
        partials_(tiles_.size()) {
    const int common = moments.common_exponent();
    common_exponent_ = common;
    for (Index d = 0; d < dims_; ++d) {
      const bool dead = moments.sum_squares(d) <= 0.0 || statistics::is_dead(moments, d);
      inverse_root_(d) = dead ? 0.0 : 1.0 / std::sqrt(moments.sum_squares(d));
      unit_(d) = std::ldexp(1.0, std::max(moments.exponent(d) - common, -1074));
      live_ += dead ? 0 : 1;
    }
    samples_ = moments.count;
  }

  static constexpr Index tile = 96;
  [[nodiscard]] Index strips() const { return (dims_ + tile - 1) / tile; }
  [[nodiscard]] Index tiles() const { return static_cast<Index>(tiles_.size()); }
  /// The tile in strips i of rows and j of columns, i >= j.
  [[nodiscard]] Index tile_at(Index i, Index j) const { return j * strips() - j * (j - 1) / 2 + (i - j); }
  [[nodiscard]] std::pair<Index, Index> corner(Index t) const { return tiles_[static_cast<std::size_t>(t)]; }

  /// Takes tile t of the centred scatter, in the units of the dimensions. Of a tile on the diagonal, what lies below
  /// it.
  void add(Index t, const linalg::ColumnsView<double>& scatter) {
    const auto [row0, col0] = corner(t);
    Partial& partial = partials_[static_cast<std::size_t>(t)];
    for (Index j = 0; j < scatter.cols(); ++j) {
      const Index first = row0 == col0 ? j + 1 : 0;
      const Index count = scatter.rows() - first;
      if (count <= 0) continue;
      const double* const column = scatter.col(j) + first;
      const double* const inverse_root = inverse_root_.data() + row0 + first;
      if (scaled_) {
        for (Index i = 0; i < count; ++i) {
          const double covariance = column[i] * unit_(row0 + first + i) * unit_(col0 + j);
          partial.covariance_squares += covariance * covariance;
        }
      } else {
        partial.covariance_squares += linalg::squared_norm(column, count);
      }
      const double root = inverse_root_(col0 + j);
      if (root == 0.0) continue;
      double sum = 0.0;
      double squares = 0.0;
      double largest = 0.0;
      for (Index i = 0; i < count; ++i) {
        const double r = std::abs(column[i] * root * inverse_root[i]);
        sum += r;
        squares += r * r;
        largest = std::max(largest, r);
      }
      partial.sum += sum;
      partial.squares += squares;
      if (largest > partial.largest) {
        partial.largest = largest;
        Index at = 0;
        while (!(std::abs(column[at] * root * inverse_root[at]) >= largest)) ++at;
        partial.pair = {col0 + j, row0 + first + at};
      }
    }
  }

  [[nodiscard]] Decorrelation result() const {
    Decorrelation result;
    if (samples_ < 2) return result;
    Partial all;
    for (const Partial& partial : partials_) {
      all.covariance_squares += partial.covariance_squares;
      all.sum += partial.sum;
      all.squares += partial.squares;
      if (partial.largest > all.largest || (partial.largest == all.largest && partial.pair < all.pair)) {
        all.largest = partial.largest;
        all.pair = partial.pair;
      }
    }
    const double n = static_cast<double>(samples_) - 1.0;
    result.covariance_penalty =
        std::ldexp(2.0 * all.covariance_squares / (n * n) / static_cast<double>(dims_), 4 * common_exponent_);
    if (live_ < 2) return result;
    const double pairs = 0.5 * static_cast<double>(live_) * (static_cast<double>(live_) - 1.0);
    result.mean_abs_correlation = std::min(all.sum / pairs, 1.0);
    result.redundancy = std::min(all.squares / pairs, 1.0);
    const double live = static_cast<double>(live_);
    result.participation_ratio = live / (1.0 + (live - 1.0) * result.redundancy);
    result.rms_correlation = std::sqrt(result.redundancy);
    result.max_abs_correlation = std::min(all.largest, 1.0);
    if (all.largest > 0.0) result.max_pair = {all.pair.first, all.pair.second};
    return result;
  }

 private:
  struct Partial {
    double covariance_squares = 0.0;
    double sum = 0.0;
    double squares = 0.0;
    double largest = 0.0;
    std::pair<Index, Index> pair{0, 0};
  };
  Index dims_;
  Index samples_ = 0;
  Index live_ = 0;
  int common_exponent_ = 0;
  Eigen::VectorXd inverse_root_;
  Eigen::VectorXd unit_;
  bool scaled_;
  std::vector<std::pair<Index, Index>> tiles_;
  std::vector<Partial> partials_;
};

/// From the D x D scatter of the centred rows.
[[nodiscard]] inline Decorrelation decorrelation(const Moments& moments, const Eigen::MatrixXd& scatter) {
  // A view that is only read.
  const linalg::ColumnsView<double> all(const_cast<double*>(scatter.data()), scatter.rows(), scatter.cols(),
                                        scatter.rows());
  CorrelationSums sums(moments);
  linalg::parallel_for({sums.tiles(), moments.dims, moments.dims}, [&](Index t) {
    const auto [i, j] = sums.corner(t);
    sums.add(t, all.block(i, j, std::min(sums.tile, moments.dims - i), std::min(sums.tile, moments.dims - j)));
  });
  return sums.result();
}

/// Where N <= D the D x D scatter is never held: its tiles are formed from the rows, summed and dropped. A few strips
/// of dimensions are held at a time, and each is multiplied with all strips before it.
template <EmbeddingScalar Scalar>
[[nodiscard]] Decorrelation decorrelation(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                          const Moments& moments) {
  CorrelationSums sums(moments);
  const statistics::CentredTransform transform(moments, false);
  constexpr Index width = CorrelationSums::tile;
  constexpr Index strips_held = 8;
  const Index strips = sums.strips();
  const Index samples = rows.samples;
  const auto dims_of = [&](Index s) { return std::min(width, moments.dims - s * width); };
  const auto pack = [&](Index s, linalg::Panel& panel, linalg::PackedVectors& to, Index at) {
    const linalg::Panel::View loaded = panel.view(dims_of(s), samples);
    statistics::load_centred_transposed(z, rows, transform, s * width, loaded);
    to.pack_rows(at, loaded);
  };
  struct Scratch {
    linalg::Panel loaded;
    linalg::PackedVectors right;
    Eigen::MatrixXd scatter;
  };
  const auto make_scratch = [&] {
    return Scratch{linalg::Panel(width, samples), linalg::PackedVectors(width, samples), Eigen::MatrixXd(width, width)};
  };
  linalg::PackedVectors held(std::min(strips_held, strips) * width, samples);
  for (Index first = 0; first < strips; first += strips_held) {
    const Index end = std::min(strips, first + strips_held);
    linalg::parallel_for({end - first, samples, (end - first) * width}, make_scratch,
                         [&](Index s, Scratch& scratch) { pack(first + s, scratch.loaded, held, s * width); });
    linalg::parallel_for(
        {end, samples, end * width, (end - first) * width}, make_scratch, [&](Index j, Scratch& scratch) {
          const bool is_held = j >= first;
          if (!is_held) pack(j, scratch.loaded, scratch.right, 0);
          for (Index i = std::max(first, j); i < end; ++i) {
            const auto scatter = linalg::ColumnsView<double>(scratch.scatter).block(0, 0, dims_of(i), dims_of(j));
            scatter.set_zero();
            linalg::add_products(held, (i - first) * width, is_held ? held : scratch.right,
                                 is_held ? (j - first) * width : 0, samples, scatter, i == j);
            sums.add(sums.tile_at(i, j), scatter);
          }
        });
  }
  return sums.result();
}

template <EmbeddingScalar Scalar>
Decorrelation decorrelation(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  if (statistics::smaller_side(rows.samples, rows.dims) == Side::dims) {
    const auto [moments, gram] = statistics::centred_gram(z, rows);
    return decorrelation(moments, gram.lower);
  }
  const Sums sums = statistics::sum_rows(z, rows, statistics::moments_only);
  return decorrelation(z, rows, sums.moments);
}

}  // namespace metrics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_DECORRELATION_INSTANCES(Keyword, Scalar)                                               \
  Keyword template Decorrelation metrics::decorrelation(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                        const Moments&);                                \
  Keyword template Decorrelation metrics::decorrelation(const linalg::MatrixView<Scalar>&, const Rows&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_DECORRELATION_INSTANCES)
#endif

}  // namespace collapse
