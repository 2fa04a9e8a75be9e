#pragma once

#include <collapse/detail/hash.hpp>
#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/detail/products.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/gram.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>
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

/// The quantiles that a report holds.
inline constexpr std::array<double, 7> cosine_probabilities{0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99};

/// Distribution of the distance 1 - cos over the selected pairs. Kept as the distance, because near collapse it is the
/// number with digits in it.
struct PairDistances {
  std::int64_t pairs = 0;
  Index rows = 0;
  bool exact = false;
  double min = undefined;
  double max = undefined;
  std::array<double, 7> quantile{};          ///< of 1 - cos, at cosine_probabilities
  std::array<double, 7> standard_error{};    ///< 0 when exact
  std::array<std::int64_t, 64> histogram{};  ///< of cos, equal bins on [-1, 1]
};

namespace detail {

/// A number that looks random and belongs to one row: from the seed, the row's place among the usable rows, and up to
/// eight of its values. Rows of different parts that are merged later share places, hence the values; equal rows share
/// values, hence the place.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::uint64_t row_key(std::uint64_t seed, std::uint64_t place, const MatrixView<Scalar>& z, Index row) {
  std::uint64_t key = hash(seed, place);
  const Index step = std::max<Index>(1, z.cols / 8);
  for (Index d = 0; d < z.cols && d < 8 * step; d += step) {
    key = hash(key, std::bit_cast<std::uint64_t>(z.at(row, d)));
  }
  return key;
}

/// The rows with the smallest keys among all that were offered: a uniform sample without replacement, and the samples
/// of two parts give that of their union.
class Sampler {
 public:
  explicit Sampler(Index size) : size_(size) {}

  /// The slot that the row with this key takes, from 0 to size - 1, in place of whichever was there; -1 if it takes
  /// none.
  [[nodiscard]] Index offer(std::uint64_t key) {
    if (static_cast<Index>(heap_.size()) < size_) {
      const auto slot = static_cast<Index>(heap_.size());
      heap_.emplace_back(key, slot);
      std::push_heap(heap_.begin(), heap_.end());
      return slot;
    }
    if (heap_.empty() || key >= heap_.front().first) return -1;
    std::pop_heap(heap_.begin(), heap_.end());
    const Index slot = heap_.back().second;
    heap_.back().first = key;
    std::push_heap(heap_.begin(), heap_.end());
    return slot;
  }

  [[nodiscard]] Index taken() const noexcept { return static_cast<Index>(heap_.size()); }

  /// The key in each slot that is taken.
  [[nodiscard]] std::vector<std::uint64_t> keys() const {
    std::vector<std::uint64_t> by_slot(heap_.size());
    for (const auto& [key, slot] : heap_) by_slot[static_cast<std::size_t>(slot)] = key;
    return by_slot;
  }

  /// How many slots would be taken after so many more offers; makes room for them.
  Index reserve(Index more) {
    const Index taken_then = std::min(size_ - taken(), more) + taken();
    heap_.reserve(static_cast<std::size_t>(taken_then));
    return taken_then;
  }

  void clear() { heap_.clear(); }

 private:
  Index size_;
  std::vector<std::pair<std::uint64_t, Index>> heap_;
};

/// All rows that have a direction when they are at most `pair_rows` (or all are asked for), else a sample of so many.
template <EmbeddingScalar Scalar>
[[nodiscard]] PairSelection select_pairs(const MatrixView<Scalar>& z, const Rows& rows, const Options& options) {
  PairSelection selection;
  selection.population = rows.directed();
  const bool all = options.all_pairs || selection.population <= options.pair_rows;
  Sampler sampler(all ? 0 : options.pair_rows);
  const RowSelection at = rows.selection();
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

/// v_i in place of the row z_i.
class DirectionTransform {
 public:
  DirectionTransform(const Rows& rows, const Eigen::VectorXd& mean) : rows_(rows), mean_(mean.transpose()) {}

  void operator()(Index i, Eigen::Map<Eigen::RowVectorXd> row) const {
    const double inverse = rows_.inverse_norm(i);
    if (inverse == 0.0) {
      row.setZero();
    } else if (rows_.prescale.size() > 0) {
      row = (row * rows_.prescale(i)) * inverse - mean_;
    } else {
      row = row * inverse - mean_;
    }
  }

 private:
  const Rows& rows_;
  Eigen::RowVectorXd mean_;
};

/// h_ij = 1 - cos_ij = (q_i + q_j) / 2 - v_i . v_j for the selected rows, tile by tile. The products come from the N x
/// N Gram where there is one; otherwise from the rows, kept in memory while they are few and loaded for each tile when
/// they are not.
template <EmbeddingScalar Scalar>
class PairTiles {
 public:
  static constexpr Index tile = 2 * PackedVectors::tile;

  /// @param mean      a point of the cloud of directions
  /// @param products  V V^T of all usable rows, or null
  PairTiles(const MatrixView<Scalar>& z, const Rows& rows, const Eigen::VectorXd& mean, const PairSelection& selection,
            const Eigen::MatrixXd* products)
      : z_(z),
        rows_(rows),
        transform_(rows, mean),
        selection_(selection),
        half_squares_(static_cast<Index>(selection.rows.size())),
        products_(products),
        kept_(0, 0) {
    if (products_ != nullptr) {
      for (Index i = 0; i < count(); ++i) half_squares_(i) = 0.5 * product(i, i);
      return;
    }
    constexpr Index kept_rows = 8192;
    keeps_ = count() <= kept_rows;
    if (keeps_) kept_ = PackedVectors(count(), z.cols);
    parallel_for(
        tiles(), [&] { return Panel(MicroKernel::group, z.cols); },
        [&](Index t, Panel& loaded) {
          for_each_group(t, loaded, [&](Index i, const Panel::View& v) {
            half_squares_.segment(t * tile + i, v.rows()) = 0.5 * v.rowwise().squaredNorm();
            if (keeps_) kept_.pack_rows(t * tile + i, v);
          });
        });
  }

  [[nodiscard]] Index count() const { return half_squares_.size(); }

  /// h of one pair; only where the products are at hand (the Gram, or rows kept in memory).
  [[nodiscard]] double value(Index i, Index j) const {
    if (products_ != nullptr) return half_squares_(i) + half_squares_(j) - product(i, j);
    const double* const a = kept_.vector(i);
    const double* const b = kept_.vector(j);
    double product = 0.0;
    for (Index k = 0; k < z_.cols; ++k) product += a[k * MicroKernel::group] * b[k * MicroKernel::group];
    return half_squares_(i) + half_squares_(j) - product;
  }

  [[nodiscard]] Index tiles() const { return (count() + tile - 1) / tile; }
  [[nodiscard]] Index size(Index t) const { return std::min(tile, count() - t * tile); }

  struct Scratch {
    explicit Scratch(Index dims)
        : loaded(MicroKernel::group, dims), left(tile, dims), right(tile, dims), values(tile, tile) {}
    Panel loaded;
    PackedVectors left, right;
    Eigen::MatrixXd values;
  };
  [[nodiscard]] Scratch scratch() const { return Scratch(products_ == nullptr && !keeps_ ? z_.cols : 0); }

  /// values(i, j) = h of rows (t_i * tile + i, t_j * tile + j); below the diagonal only what is asked for is
  /// meaningful.
  void fill(Index t_i, Index t_j, Scratch& scratch) {
    const Index ni = size(t_i);
    const Index nj = size(t_j);
    auto values = scratch.values.topLeftCorner(ni, nj);
    if (products_ != nullptr) {
      for (Index j = 0; j < nj; ++j) {
        for (Index i = 0; i < ni; ++i) values(i, j) = product(t_i * tile + i, t_j * tile + j);
      }
    } else if (keeps_) {
      values.setZero();
      add_products(kept_, t_i * tile, kept_, t_j * tile, z_.cols, values, t_i == t_j);
    } else {
      pack_tile(t_i, scratch.loaded, scratch.left);
      if (t_i != t_j) pack_tile(t_j, scratch.loaded, scratch.right);
      values.setZero();
      add_products(scratch.left, 0, t_i == t_j ? scratch.left : scratch.right, 0, z_.cols, values, t_i == t_j);
    }
    for (Index j = 0; j < nj; ++j) {
      values.col(j).array() =
          (half_squares_.segment(t_i * tile, ni).array() + half_squares_(t_j * tile + j)) - values.col(j).array();
    }
  }

 private:
  [[nodiscard]] Index position(Index i) const { return selection_.rows[static_cast<std::size_t>(i)]; }

  [[nodiscard]] double product(Index i, Index j) const {
    const Index a = position(i);
    const Index b = position(j);
    return a >= b ? (*products_)(a, b) : (*products_)(b, a);
  }

  /// body(i, v) for the rows of tile t, as many at a time as are packed together; v holds rows i, i + 1, ... of the
  /// tile.
  template <class Body>
  void for_each_group(Index t, Panel& loaded, Body&& body) const {
    for (Index i = 0; i < size(t); i += MicroKernel::group) {
      Panel::View v = loaded.view(std::min<Index>(MicroKernel::group, size(t) - i), z_.cols);
      for (Index r = 0; r < v.rows(); ++r) {
        const Index at = position(t * tile + i + r);
        double* const row = v.data() + r * v.outerStride();
        load(z_, rows_.selection(), at, 0, Panel::View(row, 1, v.cols(), Eigen::OuterStride<>(v.outerStride())));
        transform_(at, {row, v.cols()});
      }
      body(i, v);
    }
  }

  void pack_tile(Index t, Panel& loaded, PackedVectors& to) const {
    for_each_group(t, loaded, [&](Index i, const Panel::View& v) { to.pack_rows(i, v); });
  }

  const MatrixView<Scalar>& z_;
  const Rows& rows_;
  DirectionTransform transform_;
  const PairSelection& selection_;
  Eigen::VectorXd half_squares_;
  const Eigen::MatrixXd* products_;
  PackedVectors kept_;
  bool keeps_ = false;
};

/// Equal cells over [low, high]; what lies outside goes to the first or the last.
class Cells {
 public:
  static constexpr std::int32_t count = 1 << 14;

  Cells(double low, double high) : low_(low), width_((high - low) / count), per_unit_(1.0 / width_) {
    if (!(std::isfinite(per_unit_) && per_unit_ > 0.0)) per_unit_ = 0.0;
  }

  [[nodiscard]] std::uint16_t operator()(double value) const {
    const double cell = std::min(std::max((value - low_) * per_unit_, 0.0), static_cast<double>(count - 1));
    return static_cast<std::uint16_t>(static_cast<std::int32_t>(cell));
  }
  [[nodiscard]] double lower_edge(std::int32_t cell) const { return low_ + width_ * static_cast<double>(cell); }

 private:
  double low_;
  double width_;
  double per_unit_;
};

/// Exact order statistics and a histogram of h over all pairs of the tiles, in a few passes: cells are counted, then
/// only the values in the cells that hold a wanted rank are looked at. Memory does not grow with the number of pairs,
/// but for a cell number of two bytes per pair while that stays small: it spares the second product.
template <class Tiles>
class PairStatistics {
 public:
  PairStatistics(Tiles& tiles, const PairSelection& selection, double mean, double std)
      : tiles_(tiles),
        selection_(selection),
        // Eight deviations hold nearly all pairs of any distribution; the outer cells take the rest.
        cells_(std::max(0.0, mean - 8.0 * std), mean + 8.0 * std) {
    for (Index i = 0; i < tiles_.tiles(); ++i) {
      for (Index j = 0; j <= i; ++j) {
        order_.emplace_back(i, j);
        offset_.push_back(offset_.empty() ? 0 : offset_.back() + last_size_);
        last_size_ = static_cast<std::size_t>(tiles_.size(i)) * static_cast<std::size_t>(tiles_.size(j));
      }
    }
    constexpr std::int64_t remembered_pairs = std::int64_t{1} << 24;
    if (selection.pairs() <= remembered_pairs) remembered_.resize(offset_.back() + last_size_);
  }

  [[nodiscard]] PairDistances run() {
    PairDistances result;
    result.pairs = selection_.pairs();
    result.rows = tiles_.count();
    result.exact = selection_.exact();
    count_cells(result);
    quantiles(result);
    if (!result.exact) standard_errors(result);
    return result;
  }

 private:
  static constexpr auto cell_count = static_cast<std::size_t>(Cells::count);

  /// Hands each thread a worker of its own and keeps them all, to be added up afterwards.
  template <class Worker>
  class Pool {
   public:
    template <class... Arguments>
    Worker* make(const Arguments&... arguments) {
      const std::lock_guard<std::mutex> lock(mutex_);
      return &workers_.emplace_back(arguments...);
    }
    [[nodiscard]] const std::deque<Worker>& all() const { return workers_; }

   private:
    std::mutex mutex_;
    std::deque<Worker> workers_;
  };

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
    parallel_for(
        static_cast<Index>(order_.size()),
        [&] {
          return Scratch{tiles_.scratch(), std::vector<std::uint16_t>(static_cast<std::size_t>(Tiles::tile)),
                         make_worker()};
        },
        [&](Index t, Scratch& scratch) {
          const auto [ti, tj] = order_[static_cast<std::size_t>(t)];
          const Index ni = tiles_.size(ti);
          if (!replay) tiles_.fill(ti, tj, scratch.tiles);
          for (Index j = 0; j < tiles_.size(tj); ++j) {
            const Index first = ti == tj ? j + 1 : 0;
            if (first >= ni) continue;
            Strip strip{ti * Tiles::tile + first, tj * Tiles::tile + j, ni - first, nullptr, scratch.cells.data()};
            if (!remembered_.empty()) {
              strip.cells =
                  remembered_.data() + offset_[static_cast<std::size_t>(t)] + static_cast<std::size_t>(j * ni + first);
            }
            if (!replay) {
              strip.values = scratch.tiles.values.data() + j * scratch.tiles.values.outerStride() + first;
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
            // cos = 1 - h; the last bin is closed on both sides.
            const double bin = std::min(std::max((2.0 - h) * 32.0, 0.0), 63.0);
            bins[static_cast<std::size_t>(k)] = static_cast<std::uint8_t>(static_cast<std::int32_t>(bin));
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

  /// Linear interpolation between the two order statistics around p (n - 1), as numpy's and R's default.
  void quantiles(PairDistances& result) {
    std::array<std::int64_t, 14> ranks{};
    for (std::size_t q = 0; q < 7; ++q) {
      // Quantile p of the cosine is quantile 1 - p of the distance.
      const double at = (1.0 - cosine_probabilities[q]) * static_cast<double>(result.pairs - 1);
      ranks[2 * q] = static_cast<std::int64_t>(std::floor(at));
      ranks[2 * q + 1] = std::min(ranks[2 * q] + 1, result.pairs - 1);
    }
    const std::array<double, 14> values = order_statistics(ranks);
    for (std::size_t q = 0; q < 7; ++q) {
      const double at = (1.0 - cosine_probabilities[q]) * static_cast<double>(result.pairs - 1);
      const double fraction = at - std::floor(at);
      // A product formed twice may differ in its last bit; the order of the quantiles must not.
      const double above = q == 0 ? max_ : result.quantile[q - 1];
      result.quantile[q] = std::clamp(values[2 * q] + fraction * (values[2 * q + 1] - values[2 * q]), min_, above);
    }
  }

  [[nodiscard]] std::array<double, 14> order_statistics(const std::array<std::int64_t, 14>& ranks) {
    constexpr std::int64_t most_collected = std::int64_t{1} << 16;
    std::array<double, 14> result{};
    std::array<Place, 14> places{};
    std::vector<char> wanted(cell_count, 0);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      places[r] = place(counts_, ranks[r]);
      wanted[static_cast<std::size_t>(places[r].cell)] = 1;
    }
    for (std::size_t c = 0; c < cell_count; ++c) {
      if (wanted[c] && counts_[c] > most_collected) wanted[c] = 0;
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

  /// Delete-one-row jackknife of the distribution function at each quantile, carried over to the quantile by its
  /// inverse (Woodruff 1952); the finite population is accounted for. Rows, not pairs, are what was drawn.
  void standard_errors(PairDistances& result) {
    if (tiles_.count() < 3) {
      // Without one of two rows no pair is left.
      result.standard_error.fill(undefined);
      return;
    }
    std::array<std::uint16_t, 7> cut{};
    bool crowded = false;
    for (std::size_t q = 0; q < 7; ++q) {
      cut[q] = cells_(result.quantile[q]);
      crowded = crowded || counts_[cut[q]] > result.pairs / 256;
    }
    struct Worker {
      explicit Worker(Index rows) : below(Eigen::Matrix<std::int32_t, Eigen::Dynamic, 7>::Zero(rows, 7)) {}
      Eigen::Matrix<std::int32_t, Eigen::Dynamic, 7> below;
    };
    Pool<Worker> pool;
    const Index m = tiles_.count();
    // The edge of a cell stands for the quantile in it, unless a noticeable share of all pairs lies in between.
    for_each_strip(
        !crowded, [&] { return pool.make(m); },
        [&](Worker& worker, const Strip& strip) {
          for (Index q = 0; q < 7; ++q) {
            std::int32_t* const row = worker.below.data() + q * m + strip.first_row;
            const std::uint16_t limit = cut[static_cast<std::size_t>(q)];
            const double quantile = result.quantile[static_cast<std::size_t>(q)];
            std::int32_t column = 0;
            for (Index k = 0; k < strip.count; ++k) {
              const bool is_below = crowded ? strip.values[k] <= quantile : strip.cells[k] <= limit;
              row[k] += is_below ? 1 : 0;
              column += is_below ? 1 : 0;
            }
            worker.below(strip.col, q) += column;
          }
        });
    Eigen::MatrixXd below = Eigen::MatrixXd::Zero(m, 7);
    for (const Worker& worker : pool.all()) below += worker.below.template cast<double>();

    const double n = static_cast<double>(m);
    const double pairs = static_cast<double>(result.pairs);
    const double unsampled = 1.0 - n / static_cast<double>(selection_.population);
    std::array<std::int64_t, 14> ranks{};
    for (std::size_t q = 0; q < 7; ++q) {
      const Eigen::VectorXd without =
          (0.5 * below.col(static_cast<Index>(q)).sum() - below.col(static_cast<Index>(q)).array()) /
          (pairs - (n - 1.0));
      const double variance = (n - 1.0) / n * (without.array() - without.mean()).square().sum();
      const double error = std::sqrt(variance * unsampled);
      const double p = 1.0 - cosine_probabilities[q];
      const auto rank = [pairs](double share) {
        return static_cast<std::int64_t>(std::round(std::clamp(share, 0.0, 1.0) * (pairs - 1.0)));
      };
      ranks[2 * q] = rank(p - error);
      ranks[2 * q + 1] = rank(p + error);
    }
    const std::array<double, 14> values = order_statistics(ranks);
    for (std::size_t q = 0; q < 7; ++q) {
      result.standard_error[q] = 0.5 * std::max(values[2 * q + 1] - values[2 * q], 0.0);
    }
  }

  Tiles& tiles_;
  const PairSelection& selection_;
  Cells cells_;
  std::vector<std::pair<Index, Index>> order_;
  std::vector<std::size_t> offset_;
  std::size_t last_size_ = 0;
  std::vector<std::uint16_t> remembered_;
  std::vector<std::int64_t> counts_;
  std::vector<Tie> ties_;
  double min_ = undefined;
  double max_ = undefined;
};

/// Distribution of 1 - cos over the selected pairs. `mean` and `std` of it over all pairs place the cells; they need
/// not be exact. O(m^2 D) time for m selected rows.
template <EmbeddingScalar Scalar>
[[nodiscard]] PairDistances pair_distances(const MatrixView<Scalar>& z, const Rows& rows,
                                           const PairSelection& selection, const Eigen::VectorXd& mean_direction,
                                           const Eigen::MatrixXd* products, double mean, double std) {
  if (selection.rows.size() < 2) {
    PairDistances none;
    none.rows = static_cast<Index>(selection.rows.size());
    none.exact = selection.exact();
    none.quantile.fill(undefined);
    none.standard_error.fill(undefined);
    return none;
  }
  PairTiles<Scalar> tiles(z, rows, mean_direction, selection, products);
  return PairStatistics<PairTiles<Scalar>>(tiles, selection, mean, std).run();
}

}  // namespace detail
}  // namespace collapse
