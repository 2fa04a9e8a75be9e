#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/pairs/pair_distances.hpp>
#include <collapse/statistics/pairs/pair_quantiles.hpp>
#include <collapse/statistics/pairs/pair_screen.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/pairs/selected_directions.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace collapse {
namespace statistics {

/// h_ij = 1 - cos_ij = (q_i + q_j) / 2 - v_i . v_j for the selected rows, tile by tile. The products come from the N x
/// N Gram where there is one; otherwise from the rows, kept in memory while they are few and loaded for each tile when
/// they are not.
template <EmbeddingScalar Scalar>
class PairTiles {
 public:
  static constexpr Index tile = 2 * linalg::PackedVectors::tile;

  /// @param products  V V^T of all usable rows, or null
  PairTiles(const SelectedDirections<Scalar>& directions, const Eigen::MatrixXd* products)
      : directions_(directions), half_squares_(directions.count()), products_(products), kept_(0, 0) {
    if (products_ != nullptr) {
      for (Index i = 0; i < count(); ++i) half_squares_(i) = 0.5 * product(i, i);
      return;
    }
    const Index dims = directions_.dims();
    constexpr Index kept_rows = 8192;
    keeps_ = count() <= kept_rows;
    if (keeps_) kept_ = linalg::PackedVectors(count(), dims);
    linalg::parallel_for(
        {tiles(), count(), dims}, [&] { return linalg::Panel(linalg::MicroKernel::group, dims); },
        [&](Index t, linalg::Panel& loaded) {
          for_each_group(t, loaded, [&](Index i, const linalg::Panel::View& v) {
            for (Index r = 0; r < v.rows(); ++r) {
              half_squares_(t * tile + i + r) = 0.5 * linalg::squared_norm(v.row(r), v.cols());
            }
            if (keeps_) kept_.pack_rows(t * tile + i, v);
          });
        });
  }

  [[nodiscard]] Index count() const { return half_squares_.size(); }

  /// h of one pair, to the bit that of `fill`; only where the products are at hand (the Gram, or rows kept in memory).
  [[nodiscard]] double value(Index i, Index j) const {
    if (products_ != nullptr) return half_squares_(i) + half_squares_(j) - product(i, j);
    const double* const a = kept_.vector(i);
    const double* const b = kept_.vector(j);
    return half_squares_(i) + half_squares_(j) -
           linalg::pair_products<1, double>({a}, {b}, linalg::MicroKernel::group, directions_.dims())[0];
  }

  [[nodiscard]] Index tiles() const { return (count() + tile - 1) / tile; }
  [[nodiscard]] Index size(Index t) const { return std::min(tile, count() - t * tile); }

  struct Scratch {
    explicit Scratch(Index dims)
        : loaded(linalg::MicroKernel::group, dims), left(tile, dims), right(tile, dims), values(tile, tile) {}
    linalg::Panel loaded;
    linalg::PackedVectors left, right;
    Eigen::MatrixXd values;
  };
  [[nodiscard]] Scratch scratch() const { return Scratch(products_ == nullptr && !keeps_ ? directions_.dims() : 0); }

  /// values(i, j) = h of rows (t_i * tile + i, t_j * tile + j); below the diagonal only what is asked for is
  /// meaningful.
  void fill(Index t_i, Index t_j, Scratch& scratch) {
    const Index ni = size(t_i);
    const Index nj = size(t_j);
    const linalg::ColumnsView<double> values = linalg::ColumnsView<double>(scratch.values).block(0, 0, ni, nj);
    if (products_ != nullptr) {
      for (Index j = 0; j < nj; ++j) {
        for (Index i = 0; i < ni; ++i) values(i, j) = product(t_i * tile + i, t_j * tile + j);
      }
    } else if (keeps_) {
      values.set_zero();
      linalg::add_products(kept_, t_i * tile, kept_, t_j * tile, directions_.dims(), values, t_i == t_j);
    } else {
      pack_tile(t_i, scratch.loaded, scratch.left);
      if (t_i != t_j) pack_tile(t_j, scratch.loaded, scratch.right);
      values.set_zero();
      linalg::add_products(scratch.left, 0, t_i == t_j ? scratch.left : scratch.right, 0, directions_.dims(), values,
                           t_i == t_j);
    }
    for (Index j = 0; j < nj; ++j) {
      double* const h = values.col(j);
      const double* const half_i = half_squares_.data() + t_i * tile;
      const double half_j = half_squares_(t_j * tile + j);
      for (Index i = 0; i < ni; ++i) h[i] = (half_i[i] + half_j) - h[i];
    }
  }

 private:
  [[nodiscard]] double product(Index i, Index j) const {
    const std::vector<Index>& position = directions_.selection().rows;
    const Index a = position[static_cast<std::size_t>(i)];
    const Index b = position[static_cast<std::size_t>(j)];
    return a >= b ? (*products_)(a, b) : (*products_)(b, a);
  }

  /// body(i, v) for the rows of tile t, as many at a time as are packed together; v holds rows i, i + 1, ... of the
  /// tile.
  template <class Body>
  void for_each_group(Index t, linalg::Panel& loaded, Body&& body) const {
    for (Index i = 0; i < size(t); i += linalg::MicroKernel::group) {
      linalg::Panel::View v = loaded.view(std::min<Index>(linalg::MicroKernel::group, size(t) - i), directions_.dims());
      directions_.load(t * tile + i, v);
      body(i, v);
    }
  }

  void pack_tile(Index t, linalg::Panel& loaded, linalg::PackedVectors& to) const {
    for_each_group(t, loaded, [&](Index i, const linalg::Panel::View& v) { to.pack_rows(i, v); });
  }

  const SelectedDirections<Scalar>& directions_;
  Eigen::VectorXd half_squares_;
  const Eigen::MatrixXd* products_;
  linalg::PackedVectors kept_;
  bool keeps_ = false;
};

/// Exact order statistics and a histogram of h over all pairs of the tiles, in a few passes: cells are counted, then
/// only the values in the cells that hold a wanted rank are looked at. Memory does not grow with the number of pairs,
/// but for a cell number of two bytes per pair while that stays small: it spares the second product.
template <class Tiles>
class PairStatistics {
 public:
  PairStatistics(Tiles& tiles, const PairSelection& selection, double mean, double std)
      : tiles_(tiles), selection_(selection), cells_(Cells::around(mean, std)), order_(tiles.count(), Tiles::tile) {
    if (selection.pairs() <= TileOrder::most_remembered) remembered_.resize(order_.size());
  }

  [[nodiscard]] PairDistances run() {
    PairDistances result;
    result.pairs = selection_.pairs();
    result.rows = tiles_.count();
    result.exact = selection_.exact();
    count_cells(result);
    set_quantiles(result, order_statistics(quantile_ranks(result.pairs)));
    if (!result.exact) standard_errors(result);
    return result;
  }

 private:
  static constexpr auto cell_count = static_cast<std::size_t>(Cells::count);

  /// One column of one tile: pairs (first_row + k, col), k < count.
  struct Strip {
    Index first_row;
    Index col;
    Index count;
    const double* values;  ///< null where the cells are remembered
    std::uint16_t* cells;  ///< of the top level
  };

  /// body(worker, strip) for all pairs; recomputes the products unless `remembered` may stand in for them.
  template <class MakeWorker, class Body>
  void for_each_strip(bool use_remembered, MakeWorker&& make_worker, Body&& body) {
    struct Scratch {
      typename Tiles::Scratch tiles;
      std::vector<std::uint16_t> cells;
      decltype(make_worker()) worker;
    };
    const bool replay = use_remembered && !remembered_.empty();
    linalg::parallel_for(
        order_.tiles(),
        [&] {
          return Scratch{tiles_.scratch(), std::vector<std::uint16_t>(static_cast<std::size_t>(Tiles::tile)),
                         make_worker()};
        },
        [&](Index t, Scratch& scratch) {
          const auto [ti, tj] = order_(t);
          const Index ni = tiles_.size(ti);
          if (!replay) tiles_.fill(ti, tj, scratch.tiles);
          for (Index j = 0; j < tiles_.size(tj); ++j) {
            const Index first = ti == tj ? j + 1 : 0;
            if (first >= ni) continue;
            Strip strip{ti * Tiles::tile + first, tj * Tiles::tile + j, ni - first, nullptr, scratch.cells.data()};
            if (!remembered_.empty()) {
              strip.cells = remembered_.data() + order_.offset(t) + static_cast<std::size_t>(j * ni + first);
            }
            if (!replay) {
              strip.values = scratch.tiles.values.data() + j * Tiles::tile + first;
              for (Index k = 0; k < strip.count; ++k) strip.cells[k] = cells_(strip.values[k]);
            }
            body(*scratch.worker, strip);
          }
        });
  }

  void count_cells(PairDistances& result) {
    struct Worker {
      std::vector<std::int64_t> counts = std::vector<std::int64_t>(cell_count, 0);
      std::array<std::int64_t, 64> histogram{};
      double min = std::numeric_limits<double>::infinity();
      double max = -std::numeric_limits<double>::infinity();
    };
    Pool<Worker> pool;
    for_each_strip(
        false, [&] { return pool.make(); },
        [](Worker& worker, const Strip& strip) {
          std::array<std::uint8_t, static_cast<std::size_t>(Tiles::tile)> bins;
          double min = worker.min;
          double max = worker.max;
          for (Index k = 0; k < strip.count; ++k) {
            const double h = strip.values[k];
            min = std::min(min, h);
            max = std::max(max, h);
            bins[static_cast<std::size_t>(k)] = static_cast<std::uint8_t>(histogram_bin(h));
          }
          worker.min = min;
          worker.max = max;
          for (Index k = 0; k < strip.count; ++k) {
            ++worker.counts[strip.cells[k]];
            ++worker.histogram[bins[static_cast<std::size_t>(k)]];
          }
        });
    counts_.assign(cell_count, 0);
    min_ = std::numeric_limits<double>::infinity();
    max_ = -min_;
    for (const Worker& worker : pool.all()) {
      for (std::size_t c = 0; c < cell_count; ++c) counts_[c] += worker.counts[c];
      for (std::size_t b = 0; b < result.histogram.size(); ++b) result.histogram[b] += worker.histogram[b];
      min_ = std::min(min_, worker.min);
      max_ = std::max(max_, worker.max);
    }
    result.min = min_;
    result.max = max_;
  }

  /// The cell that holds the value of a given rank (from 0), and the rank within it.
  struct Place {
    std::int32_t cell;
    std::int64_t rank;
  };
  [[nodiscard]] static Place place(const std::vector<std::int64_t>& counts, std::int64_t rank) {
    std::int32_t cell = 0;
    while (rank >= counts[static_cast<std::size_t>(cell)]) rank -= counts[static_cast<std::size_t>(cell++)];
    return {cell, rank};
  }

  /// Ranks [first, end) of a top-level cell, known to have one value.
  struct Tie {
    std::int32_t cell;
    std::int64_t first;
    std::int64_t end;
    double value;
  };

  [[nodiscard]] std::array<double, 14> order_statistics(const Ranks& ranks) {
    std::array<double, 14> result{};
    std::array<Place, 14> places{};
    std::vector<char> wanted(cell_count, 0);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      places[r] = place(counts_, ranks[r]);
      wanted[static_cast<std::size_t>(places[r].cell)] = 1;
    }
    for (std::size_t c = 0; c < cell_count; ++c) {
      if (wanted[c] && counts_[c] > most_collected(selection_.pairs())) wanted[c] = 0;
    }
    std::vector<std::vector<double>> collected = collect(wanted);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const auto cell = static_cast<std::size_t>(places[r].cell);
      if (wanted[cell]) {
        std::vector<double>& values = collected[cell];
        const auto at = values.begin() + static_cast<std::ptrdiff_t>(places[r].rank);
        std::nth_element(values.begin(), at, values.end());
        result[r] = *at;
      } else {
        result[r] = within_crowded_cell(places[r]);
      }
    }
    return result;
  }

  /// The values in the wanted cells.
  [[nodiscard]] std::vector<std::vector<double>> collect(const std::vector<char>& wanted) {
    struct Worker {
      std::vector<std::pair<std::uint16_t, double>> found;
    };
    Pool<Worker> pool;
    for_each_strip(
        true, [&] { return pool.make(); },
        [&](Worker& worker, const Strip& strip) {
          for (Index k = 0; k < strip.count; ++k) {
            const std::uint16_t cell = strip.cells[k];
            if (!wanted[cell]) continue;
            worker.found.emplace_back(cell,
                                      strip.values ? strip.values[k] : tiles_.value(strip.first_row + k, strip.col));
          }
        });
    std::vector<std::vector<double>> result(cell_count);
    for (const Worker& worker : pool.all()) {
      for (const auto& [cell, value] : worker.found) result[cell].push_back(value);
    }
    return result;
  }

  /// A cell with too many values to hold them (many equal cosines, or all far from the rest) is divided again, until
  /// its values differ by no more than their rounding.
  [[nodiscard]] double within_crowded_cell(Place wanted) {
    for (const Tie& tie : ties_) {
      if (tie.cell == wanted.cell && wanted.rank >= tie.first && wanted.rank < tie.end) return tie.value;
    }
    const double rounding = 8.0 * std::numeric_limits<double>::epsilon() * std::max(std::abs(min_), std::abs(max_));
    std::vector<std::pair<Cells, std::int32_t>> path{{cells_, wanted.cell}};
    double low = wanted.cell == 0 ? min_ : std::max(min_, cells_.lower_edge(wanted.cell));
    double high = wanted.cell == Cells::count - 1 ? max_ : std::min(max_, cells_.lower_edge(wanted.cell + 1));
    Tie tie{wanted.cell, 0, counts_[static_cast<std::size_t>(wanted.cell)], low};
    while (high - low > rounding) {
      struct Worker {
        std::vector<std::int64_t> counts = std::vector<std::int64_t>(cell_count, 0);
        double min = std::numeric_limits<double>::infinity();
        double max = -std::numeric_limits<double>::infinity();
      };
      const Cells finer(low, high);
      Pool<Worker> pool;
      for_each_strip(
          false, [&] { return pool.make(); },
          [&](Worker& worker, const Strip& strip) {
            for (Index k = 0; k < strip.count; ++k) {
              const double value = strip.values[k];
              bool inside = true;
              for (const auto& [cells, cell] : path) inside = inside && cells(value) == cell;
              if (!inside) continue;
              ++worker.counts[finer(value)];
              worker.min = std::min(worker.min, value);
              worker.max = std::max(worker.max, value);
            }
          });
      std::vector<std::int64_t> counts(cell_count, 0);
      double min = std::numeric_limits<double>::infinity();
      double max = -min;
      for (const Worker& worker : pool.all()) {
        for (std::size_t c = 0; c < cell_count; ++c) counts[c] += worker.counts[c];
        min = std::min(min, worker.min);
        max = std::max(max, worker.max);
      }
      tie.value = min;
      if (max - min <= rounding) break;
      const Place next = place(counts, wanted.rank);
      tie.first += wanted.rank - next.rank;
      tie.end = tie.first + counts[static_cast<std::size_t>(next.cell)];
      wanted = next;
      path.emplace_back(finer, wanted.cell);
      low = wanted.cell == 0 ? min : std::max(min, finer.lower_edge(wanted.cell));
      high = wanted.cell == Cells::count - 1 ? max : std::min(max, finer.lower_edge(wanted.cell + 1));
      tie.value = low;
    }
    ties_.push_back(tie);
    return tie.value;
  }

  void standard_errors(PairDistances& result) {
    if (tiles_.count() < 3) {
      // Without one of two rows no pair is left.
      result.standard_error.fill(undefined);
      return;
    }
    std::array<std::uint16_t, 7> cut{};
    std::int64_t in_cut = 0;
    for (std::size_t q = 0; q < 7; ++q) {
      cut[q] = cells_(result.quantile[q]);
      in_cut += counts_[cut[q]];
    }
    // Pairs in the cell of a quantile need their value, and all products at once cost less than many single ones.
    const bool replay = in_cut <= result.pairs / 64;
    struct Worker {
      explicit Worker(Index rows) : below(PairsBelow::Zero(rows, 7)) {}
      PairsBelow below;
    };
    Pool<Worker> pool;
    const Index m = tiles_.count();
    for_each_strip(
        replay, [&] { return pool.make(m); },
        [&](Worker& worker, const Strip& strip) {
          for (std::size_t q = 0; q < 7; ++q) {
            std::int32_t* const row = worker.below.data() + static_cast<Index>(q) * m + strip.first_row;
            std::int32_t& column = worker.below(strip.col, static_cast<Index>(q));
            if (strip.values != nullptr) {
              column += count_below(strip.values, strip.count, result.quantile[q], row);
              continue;
            }
            column += count_below(strip.cells, strip.count, cut[q], row);
            if (std::find(strip.cells, strip.cells + strip.count, cut[q]) == strip.cells + strip.count) continue;
            for (Index k = 0; k < strip.count; ++k) {
              if (strip.cells[k] != cut[q] || tiles_.value(strip.first_row + k, strip.col) <= result.quantile[q])
                continue;
              --row[k];
              --column;
            }
          }
        });
    PairsBelow below = PairsBelow::Zero(m, 7);
    for (const Worker& worker : pool.all()) {
      for (Index k = 0; k < below.size(); ++k) below.data()[k] += worker.below.data()[k];
    }
    set_standard_errors(result, order_statistics(standard_error_ranks(below, result.pairs, selection_.population)));
  }

  Tiles& tiles_;
  const PairSelection& selection_;
  Cells cells_;
  TileOrder order_;
  std::vector<std::uint16_t> remembered_;
  std::vector<std::int64_t> counts_;
  std::vector<Tie> ties_;
  double min_ = undefined;
  double max_ = undefined;
};

template <EmbeddingScalar Scalar>
PairDistances pair_distances(const linalg::MatrixView<Scalar>& z, const Rows& rows, const PairSelection& selection,
                             const Eigen::VectorXd& mean_direction, const Eigen::MatrixXd* products, double mean,
                             double std) {
  if (selection.rows.size() < 2) {
    PairDistances none;
    none.rows = static_cast<Index>(selection.rows.size());
    none.exact = selection.exact();
    none.quantile.fill(undefined);
    none.standard_error.fill(undefined);
    return none;
  }
  const SelectedDirections<Scalar> directions(z, rows, mean_direction, selection);
  // Fewer are done before the cells of the screen are set up.
  constexpr std::int64_t least_screened = std::int64_t{1} << 18;
  if (products == nullptr && selection.pairs() >= least_screened) {
    if (const std::optional<PairDistances> screened = screened_pair_distances(directions, mean, std)) return *screened;
  }
  PairTiles<Scalar> tiles(directions, products);
  return PairStatistics<PairTiles<Scalar>>(tiles, selection, mean, std).run();
}

}  // namespace statistics
#ifdef COLLAPSE_COMPILED
#define COLLAPSE_PAIRS_INSTANCES(Keyword, Scalar)                                                           \
  Keyword template PairDistances statistics::pair_distances(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                            const PairSelection&, const Eigen::VectorXd&,   \
                                                            const Eigen::MatrixXd*, double, double);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_PAIRS_INSTANCES)
#endif

}  // namespace collapse
