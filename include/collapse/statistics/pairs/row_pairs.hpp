#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/statistics/pairs/row_products.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace collapse {
namespace statistics {

/// The first `taken` places of a random order of 0 .. count - 1.
[[nodiscard]] inline std::vector<Index> random_order(Index count, Index taken, std::uint64_t seed) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  for (Index i = 0; i < taken; ++i) {
    // The remainder favours none of the places by more than count / 2^64.
    const auto step = linalg::hash(seed, static_cast<std::uint64_t>(i)) % static_cast<std::uint64_t>(count - i);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(i) + step]);
  }
  order.resize(static_cast<std::size_t>(taken));
  return order;
}

/// The rows that are multiplied, and with which.
class RowPairs {
 public:
  static constexpr Index most_rows = 1024;
  static constexpr Index enough_pairs = 4096;
  static constexpr Index least_shifts = 8;

  RowPairs(const Rows& rows, std::uint64_t seed)
      : rows_(std::min(rows.samples, most_rows)),
        shifts_(std::min(rows_ / 2, std::max(least_shifts, (enough_pairs + rows_ - 1) / rows_))),
        order_(random_order(rows_, rows_, linalg::hash(seed, 0))),
        usable_(rows.selection()) {
    if (rows_ == rows.samples) return;
    listed_ = random_order(rows.samples, rows_, linalg::hash(seed, 1));
    std::sort(listed_.begin(), listed_.end());  // memory is read forwards
    for (Index& row : listed_) row = usable_(row);
  }

  template <EmbeddingScalar Scalar>
  [[nodiscard]] RowProducts measure(const linalg::MatrixView<Scalar>& z, const Moments& moments) const {
    const double scale = std::ldexp(1.0, -std::clamp(spread_exponent(moments, false), -1000, 1000));
    const Index strips = (z.cols + strip - 1) / strip;
    const linalg::Chunks chunks(strips, 8, 8);
    std::vector<Products> parts(static_cast<std::size_t>(chunks.size()));
    for (Products& part : parts) {
      part = {Eigen::ArrayXd::Zero(rows_), Eigen::ArrayXXd::Zero(rows_, shifts_)};
    }
    linalg::parallel_for(
        {chunks.size(), rows_, z.cols, shifts_}, [this] { return linalg::Panel(rows_, strip); },
        [&](Index c, linalg::Panel& panel) {
          for (Index s = chunks.begin(c); s < chunks.end(c); ++s) {
            const Index width = std::min(strip, z.cols - s * strip);
            load(z, selection(), 0, s * strip, panel.view(rows_, width));
            centre(panel.view(rows_, strip), s * strip, width, moments, scale);
            multiply(panel.view(rows_, strip), parts[static_cast<std::size_t>(c)]);
          }
        });
    for (std::size_t c = 1; c < parts.size(); ++c) {
      parts[0].squares += parts[c].squares;
      parts[0].shifted += parts[c].shifted;
    }
    return summary(parts[0]);
  }

 private:
  static constexpr Index strip = 32;
  using Strip = Eigen::Map<const Eigen::Matrix<double, strip, 1>>;

  struct Products {
    Eigen::ArrayXd squares;   ///< ||x_i||^2
    Eigen::ArrayXXd shifted;  ///< (i, s): x of place i times x of place i + s + 1
  };

  [[nodiscard]] linalg::RowSelection selection() const {
    return listed_.empty() ? usable_ : linalg::RowSelection{&listed_};
  }

  /// Scales columns and removes their mean: differences to the first row come first, for the mean may be huge against
  /// them. A dimension that is constant but for rounding has no products; it alone may overflow.
  void centre(linalg::Panel::View values, Index first, Index width, const Moments& moments, double scale) const {
    std::array<double, strip> origin{};
    std::array<double, strip> mean{};
    std::array<bool, strip> dead{};
    for (Index d = 0; d < width; ++d) {
      origin[static_cast<std::size_t>(d)] = values.row(0)[d] * scale;
      dead[static_cast<std::size_t>(d)] = is_dead(moments, first + d);
    }
    for (Index i = 0; i < rows_; ++i) {
      double* const row = values.row(i);
      std::fill(row + width, row + strip, 0.0);
      for (std::size_t d = 0; d < origin.size(); ++d) {
        row[d] = row[d] * scale - origin[d];
        mean[d] += row[d];
      }
    }
    for (double& value : mean) value /= static_cast<double>(rows_);
    for (Index i = 0; i < rows_; ++i) {
      double* const row = values.row(i);
      for (std::size_t d = 0; d < mean.size(); ++d) row[d] = dead[d] ? 0.0 : row[d] - mean[d];
    }
  }

  void multiply(linalg::Panel::View values, Products& to) const {
    const auto row = [&](Index i) { return Strip(values.row(i)); };
    for (Index i = 0; i < rows_; ++i) {
      const Strip x = row(order_[static_cast<std::size_t>(i)]);
      to.squares(i) += x.squaredNorm();
      for (Index s = 0; s < shifts_; ++s) to.shifted(i, s) += x.dot(row(order_[static_cast<std::size_t>(next(i, s))]));
    }
  }

  [[nodiscard]] RowProducts summary(const Products& products) const {
    RowProducts result;
    result.rows = rows_;
    const double total = products.squares.sum();
    if (total == 0.0) return result;
    const Eigen::ArrayXd share = products.squares / total;
    result.quartic = share.square().sum();
    double products_squared = 0.0;
    double lengths_squared = 0.0;
    for (Index s = 0; s < shifts_; ++s) {
      // Half way round each pair would come twice.
      const Index count = 2 * (s + 1) == rows_ ? rows_ / 2 : rows_;
      for (Index i = 0; i < count; ++i) {
        const double product = products.shifted(i, s) / total;
        products_squared += product * product;
        lengths_squared += share(i) * share(next(i, s));
      }
      result.pairs += count;
    }
    result.defined = lengths_squared > 0.0;
    if (result.defined) result.alignment = std::min(products_squared / lengths_squared, 1.0);
    return result;
  }

  [[nodiscard]] Index next(Index i, Index s) const {
    const Index at = i + s + 1;
    return at < rows_ ? at : at - rows_;
  }

  Index rows_;
  Index shifts_;
  std::vector<Index> order_;
  linalg::RowSelection usable_;
  std::vector<Index> listed_;  ///< the rows that take part; empty when all usable ones do
};

template <EmbeddingScalar Scalar>
RowProducts row_products(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Moments& moments,
                         std::uint64_t seed) {
  return RowPairs(rows, seed).measure(z, moments);
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ROW_PRODUCTS_INSTANCES(Keyword, Scalar)                                                \
  Keyword template RowProducts statistics::row_products(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                        const Moments&, std::uint64_t);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ROW_PRODUCTS_INSTANCES)
#endif

}  // namespace collapse
