#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/detail/products.hpp>
#include <collapse/statistics/pair_distances.hpp>
#include <collapse/statistics/pair_selection.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

/// The distribution of h = 1 - cos over pairs of rows from products in float, twice as fast as those in double, and
/// with the same bits: a float says where a pair lies among fine cells, give or take a bound on its error, and whatever
/// that leaves open where it matters is computed in double as well.
namespace collapse::detail {

/// Bound on how far off h is when its product is formed in float.
///
/// With u = 2^-24, gamma_k = k u / (1 - k u) and Q the largest ||v||^2, so that sum_d |v_id v_jd| <= Q (Higham 2002,
/// section 3.1; roundings of one term add up to one gamma):
///   2                     the factors are rounded to float,
///   min(D, run)           a run of products is summed, fused or not,
///   ceil(D / run) - 1     the runs are added up,
/// hence gamma_k Q with their sum as k. Then h / width = (q_i / 2 + (q_j / 2 - low)) / width - v_i . v_j / width in
/// float: three constants, a product and two sums of at most Q / 2, Q / 2 + low, Q, Q, Q + low and 2 Q + low are
/// rounded, 6 Q + 3 low in all. What is written for that, 8 Q + 4 low, holds as well the terms of second order, the
/// rounding of the double that is compared with (2^-29 times as large), and what underflows in float while Q stands
/// well inside its range.
/// @param dims            D
/// @param largest_square  Q
/// @param low             what h is taken relative to
[[nodiscard]] inline double screening_error(Index dims, double largest_square, double low) {
  constexpr double u = 0x1p-24;
  const double roundings =
      static_cast<double>(std::min(dims, product_run) + (dims + product_run - 1) / product_run + 1) * u;
  if (!(roundings < 0.01)) return std::numeric_limits<double>::infinity();
  return roundings / (1.0 - roundings) * largest_square + u * (8.0 * largest_square + 4.0 * low);
}

using FineCells = BasicCells<(1 << 16)>;

/// The selected pairs tile by tile as PairTiles, but as places among the cells, in float; and single ones exactly.
class ScreeningTiles {
 public:
  using Packed = BasicPackedVectors<float>;
  static constexpr Index tile = 2 * Packed::tile;

  /// @param typical_square  of the order of ||v||^2: puts the floats in the middle of their range
  template <EmbeddingScalar Scalar>
  ScreeningTiles(const SelectedDirections<Scalar>& directions, const FineCells& cells, double typical_square)
      : dims_(directions.dims()),
        half_squares_(directions.count()),
        rows_(directions.count(), dims_),
        packed_(directions.count(), dims_) {
    const int exponent = -std::ilogb(std::sqrt(typical_square));
    const double scale = std::ldexp(1.0, exponent);
    constexpr Index group = Packed::Kernel::group;
    parallel_for(
        {(count() + Packed::tile - 1) / Packed::tile, count(), dims_}, [&] { return Panel(group, dims_); },
        [&](Index t, Panel& scratch) {
          const Index end = std::min(count(), (t + 1) * Packed::tile);
          for (Index i = t * Packed::tile; i < end; i += group) {
            Panel::View v = rows_.rows(i, std::min(group, end - i), dims_);
            directions.load(i, v);
            half_squares_.segment(i, v.rows()) = 0.5 * v.rowwise().squaredNorm();
            Panel::View scaled = scratch.view(v.rows(), dims_);
            scaled = v * scale;
            packed_.pack_rows(i, scaled);
          }
        });
    const double square = 2.0 * half_squares_.maxCoeff();
    const double scaled_square = square * scale * scale;
    error_ = screening_error(dims_, square, cells.low()) * cells.per_unit();
    if (!(scaled_square > 0x1p-40 && scaled_square < 0x1p80)) error_ = std::numeric_limits<double>::infinity();
    left_ = (half_squares_.array() * cells.per_unit()).cast<float>();
    right_ = ((half_squares_.array() - cells.low()) * cells.per_unit()).cast<float>();
    unit_ = static_cast<float>(std::ldexp(cells.per_unit(), -2 * exponent));
  }

  [[nodiscard]] Index count() const { return half_squares_.size(); }
  /// Bound on the error of a place, in cells; infinite where float cannot tell.
  [[nodiscard]] double error() const { return error_; }

  /// places(i, j) of the pair of rows (t_i * tile + i, t_j * tile + j), from low and in cells, not held to their range;
  /// above the diagonal they may be anything.
  void fill(Index t_i, Index t_j, Eigen::Ref<Eigen::MatrixXf, 0, Eigen::OuterStride<>> places) const {
    places.setZero();
    add_products(packed_, t_i * tile, packed_, t_j * tile, dims_, places, t_i == t_j);
    for (Index j = 0; j < places.cols(); ++j) {
      places.col(j).array() =
          (left_.segment(t_i * tile, places.rows()) + right_(t_j * tile + j)) - places.col(j).array() * unit_;
    }
  }

  /// h of a few pairs, to the bit that of PairTiles.
  template <std::size_t Pairs>
  [[nodiscard]] std::array<double, Pairs> values(const std::array<std::pair<Index, Index>, Pairs>& pairs) const {
    std::array<const double*, Pairs> x;
    std::array<const double*, Pairs> y;
    for (std::size_t p = 0; p < Pairs; ++p) {
      x[p] = rows_.row(pairs[p].first);
      y[p] = rows_.row(pairs[p].second);
    }
    std::array<double, Pairs> h = pair_products<Pairs, double>(x, y, 1, dims_);
    for (std::size_t p = 0; p < Pairs; ++p) {
      h[p] = (half_squares_(pairs[p].first) + half_squares_(pairs[p].second)) - h[p];
    }
    return h;
  }

 private:
  Index dims_;
  Eigen::VectorXd half_squares_;
  Panel rows_;
  Packed packed_;
  Eigen::ArrayXf left_, right_;
  float unit_ = 0.0F;
  double error_ = std::numeric_limits<double>::infinity();
};

/// What PairStatistics computes, to the bit, or nothing where floats leave too much open: many pairs within their error
/// of what is asked for.
///
/// A place among the cells is off by at most `error`, so the order statistic of a rank lies within `error` of the float
/// of that rank, and the float of the pair that it belongs to within twice that. These pairs, those as near to the
/// least and the greatest, and those within `error` of an edge where pairs are counted are evaluated in double; of all
/// others the float knows on which side they are.
class PairScreen {
 public:
  PairScreen(const ScreeningTiles& tiles, const PairSelection& selection, double mean, double std)
      : tiles_(tiles),
        selection_(selection),
        cells_(Cells::around(mean, std)),
        fine_(FineCells::around(mean, std)),
        order_(tiles.count(), ScreeningTiles::tile),
        error_(tiles.error()),
        near_(static_cast<std::int32_t>(std::ceil(2.0 * error_))),
        remembered_(static_cast<Index>(order_.size())) {}

  /// Beyond that even the cells are finer than what float can tell.
  static constexpr double most_error = 6.0;

  [[nodiscard]] std::optional<PairDistances> run() {
    PairDistances result;
    result.pairs = selection_.pairs();
    result.rows = tiles_.count();
    result.exact = selection_.exact();
    const bool probe = order_.tiles() >= 4 * probe_step;
    if (probe) {
      count_cells([](Index t) { return t % probe_step == 0; });
      if (!promises()) return std::nullopt;
    }
    count_cells([probe](Index t) { return !(probe && t % probe_step == 0); });
    const Ranks ranks = quantile_ranks(result.pairs);
    mark_all(ranks);
    if (!evaluate()) return std::nullopt;
    set_extremes(result);
    count_bins(result);
    const std::optional<std::array<double, 14>> values = order_statistics(ranks);
    if (!values) return std::nullopt;
    set_quantiles(result, *values);
    if (!result.exact && !standard_errors(result)) return std::nullopt;
    return result;
  }

 private:
  static constexpr auto fine_count = static_cast<std::size_t>(FineCells::count);
  static constexpr std::int32_t last = FineCells::count - 1;
  static constexpr std::int32_t fine_per_cell = FineCells::count / Cells::count;

  /// One tile in so many is looked at before the rest.
  static constexpr Index probe_step = 16;

  /// One column of one tile: pairs (first_row + k, col), k < count.
  struct Strip {
    Index first_row;
    Index col;
    Index count;
    std::uint16_t* cells;
  };

  template <class Body>
  void for_each_strip(Index t, Body&& body) {
    const auto [ti, tj] = order_(t);
    const Index rows = order_.width(ti);
    for (Index j = 0; j < order_.width(tj); ++j) {
      const Index first = ti == tj ? j + 1 : 0;
      if (first >= rows) continue;
      body(Strip{ti * ScreeningTiles::tile + first, tj * ScreeningTiles::tile + j, rows - first,
                 remembered_.data() + static_cast<Index>(order_.offset(t)) + j * rows + first});
    }
  }

  /// Adds up the pairs of the tiles for which takes(t).
  template <class Takes>
  void count_cells(Takes&& takes) {
    struct Worker {
      std::vector<std::int32_t> counts = std::vector<std::int32_t>(fine_count, 0);
      Eigen::MatrixXf places = Eigen::MatrixXf(ScreeningTiles::tile, ScreeningTiles::tile);
    };
    Pool<Worker> pool;
    parallel_for(
        order_.tiles(), [&] { return pool.make(); },
        [&](Index t, Worker* worker) {
          if (!takes(t)) return;
          const auto [ti, tj] = order_(t);
          tiles_.fill(ti, tj, worker->places.topLeftCorner(order_.width(ti), order_.width(tj)));
          const Index rows = ti * ScreeningTiles::tile;
          const Index cols = tj * ScreeningTiles::tile;
          for_each_strip(t, [&](const Strip& strip) {
            const float* const place = &worker->places(strip.first_row - rows, strip.col - cols);
            for (Index k = 0; k < strip.count; ++k) {
              const float within = std::min(std::max(place[k], 0.0F), static_cast<float>(last));
              strip.cells[k] = static_cast<std::uint16_t>(static_cast<std::int32_t>(within));
            }
            for (Index k = 0; k < strip.count; ++k) ++worker->counts[strip.cells[k]];
          });
        });
    std::int64_t added = 0;
    for (std::size_t c = 0; c < fine_count; ++c) {
      for (const Worker& worker : pool.all()) added += worker.counts[c];
      below_[c + 1] += added;
    }
  }

  // --- which cells hold pairs that must be known ---

  void mark(std::int32_t first, std::int32_t end) {
    for (std::int32_t c = std::max(first, 0); c < std::min(end, FineCells::count); ++c) {
      marked_[static_cast<std::size_t>(c)] = 1;
    }
  }

  [[nodiscard]] static std::int32_t held(double place) {
    return static_cast<std::int32_t>(std::clamp(std::floor(place), 0.0, static_cast<double>(last)));
  }

  /// Pairs that may be on either side of a value at this place.
  void mark_edge(double place) { mark(held(place - error_), held(place + error_) + 1); }

  /// The cell of the float of this rank.
  [[nodiscard]] std::int32_t cell_of(std::int64_t rank) const {
    return static_cast<std::int32_t>(std::upper_bound(below_.begin(), below_.end(), rank) - below_.begin()) - 1;
  }

  void mark(const Ranks& ranks) {
    for (const std::int64_t rank : ranks) {
      const std::int32_t cell = cell_of(rank);
      mark(cell - near_, cell + near_ + 1);
    }
  }

  void mark_extremes() {
    const std::int32_t least = cell_of(0);
    const std::int32_t greatest = cell_of(below_.back() - 1);
    mark(least, least + near_ + 1);
    mark(greatest - near_, greatest + 1);
  }

  void mark_edges() {
    for (int bin = 1; bin < 64; ++bin) mark_edge((2.0 - bin / 32.0 - fine_.low()) * fine_.per_unit());
  }

  void mark_all(const Ranks& quantiles) {
    mark_extremes();
    mark_edges();
    mark(quantiles);
  }

  /// Whether the tiles seen so far let one expect that floats will do: if not, it is known after a small part of the
  /// work.
  [[nodiscard]] bool promises() {
    const std::int64_t part = below_.back();
    const Ranks ranks = quantile_ranks(part);
    mark_all(ranks);
    std::int64_t marked = 0;
    for (std::size_t c = 0; c < fine_count; ++c) {
      if (marked_[c]) marked += below_[c + 1] - below_[c];
      marked_[c] = 0;
    }
    if (marked > most_known(part)) return false;
    const double share = static_cast<double>(part) / static_cast<double>(selection_.pairs());
    return std::none_of(ranks.begin(), ranks.end(), [&](std::int64_t rank) {
      return static_cast<double>(at_most(cell_of(rank) / fine_per_cell)) > share * most_collected;
    });
  }

  // --- the pairs in these cells, in double ---

  struct Found {
    std::int32_t row;
    std::int32_t col;
    std::uint16_t cell;  ///< by float
    double value;
  };

  /// One pair by itself costs about ten times as much as in a product of matrices.
  [[nodiscard]] static std::int64_t most_known(std::int64_t pairs) { return pairs / 32 + 4096; }

  /// Evaluates all pairs of the marked cells. False, and nothing done, if they are so many that products in double
  /// would have been cheaper.
  [[nodiscard]] bool evaluate() {
    std::size_t end = found_.size();
    std::vector<std::size_t> next(fine_count, 0);
    for (std::size_t c = 0; c < fine_count; ++c) {
      marked_[c] = static_cast<char>(marked_[c] && !known_[c]);
      if (!marked_[c]) continue;
      next[c] = begin_[c] = end;
      end += static_cast<std::size_t>(below_[c + 1] - below_[c]);
    }
    if (end > static_cast<std::size_t>(most_known(selection_.pairs()))) return false;

    Pool<std::vector<Found>> pool;
    parallel_for(
        order_.tiles(), [&] { return pool.make(); },
        [&](Index t, std::vector<Found>* found) {
          std::size_t done = found->size();
          find(t, *found);
          for (; done + 4 <= found->size(); done += 4) evaluate<4>(found->data() + done);
          for (; done < found->size(); ++done) evaluate<1>(found->data() + done);
        });
    found_.resize(end);
    for (const std::vector<Found>& found : pool.all()) {
      for (const Found& pair : found) found_[next[pair.cell]++] = pair;
    }
    for (std::size_t c = 0; c < fine_count; ++c) {
      known_[c] = static_cast<char>(known_[c] || marked_[c]);
      marked_[c] = 0;
    }
    return true;
  }

  /// Adds the pairs of a tile that lie in marked cells.
  void find(Index t, std::vector<Found>& found) {
    for_each_strip(t, [&](const Strip& strip) {
      // Few are marked: eight are asked at once.
      for (Index first = 0; first < strip.count; first += 8) {
        const Index end = std::min<Index>(first + 8, strip.count);
        if (end == first + 8 && !any_of_eight_is_marked(strip.cells + first)) continue;
        for (Index k = first; k < end; ++k) {
          const std::uint16_t cell = strip.cells[k];
          if (!marked_[cell]) continue;
          found.push_back(
              {static_cast<std::int32_t>(strip.first_row + k), static_cast<std::int32_t>(strip.col), cell, 0.0});
        }
      }
    });
  }

  [[nodiscard]] bool any_of_eight_is_marked(const std::uint16_t* cells) const {
    const char* const marked = marked_.data();
    int any = 0;
    for (int k = 0; k < 8; ++k) any |= marked[cells[k]];
    return any != 0;
  }

  template <std::size_t Pairs>
  void evaluate(Found* pair) const {
    std::array<std::pair<Index, Index>, Pairs> places;
    for (std::size_t p = 0; p < Pairs; ++p) places[p] = {pair[p].row, pair[p].col};
    const std::array<double, Pairs> values = tiles_.values(places);
    for (std::size_t p = 0; p < Pairs; ++p) pair[p].value = values[p];
  }

  // --- what is asked for ---

  void set_extremes(PairDistances& result) const {
    result.min = std::numeric_limits<double>::infinity();
    result.max = -result.min;
    for (const Found& pair : found_) {
      result.min = std::min(result.min, pair.value);
      result.max = std::max(result.max, pair.value);
    }
  }

  void count_bins(PairDistances& result) const {
    for (std::int32_t c = 0; c <= last; ++c) {
      const auto cell = static_cast<std::size_t>(c);
      if (known_[cell]) continue;
      const double middle = 0.5 * (fine_.lower_edge(c) + fine_.lower_edge(c + 1));
      result.histogram[static_cast<std::size_t>(histogram_bin(middle))] += below_[cell + 1] - below_[cell];
    }
    for (const Found& pair : found_) ++result.histogram[static_cast<std::size_t>(histogram_bin(pair.value))];
  }

  /// A bound on the number of pairs in a cell of PairStatistics.
  [[nodiscard]] std::int64_t at_most(std::int32_t cell) const {
    const std::int32_t first = held(cell * fine_per_cell - error_);
    const std::int32_t end = held((cell + 1.0) * fine_per_cell + error_) + 1;
    return below_[static_cast<std::size_t>(end)] - below_[static_cast<std::size_t>(first)];
  }

  /// Of ranks around which the pairs are known; nothing if one lies where PairStatistics takes near ties as one value.
  [[nodiscard]] std::optional<std::array<double, 14>> order_statistics(const Ranks& ranks) const {
    std::array<double, 14> result{};
    std::vector<double> values;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const std::int32_t cell = cell_of(ranks[r]);
      const auto first = static_cast<std::size_t>(std::max(cell - near_, 0));
      const auto end = static_cast<std::size_t>(std::min(cell + near_, last)) + 1;
      values.clear();
      for (std::size_t c = first; c < end; ++c) {
        const auto begin = found_.begin() + static_cast<std::ptrdiff_t>(begin_[c]);
        std::transform(begin, begin + static_cast<std::ptrdiff_t>(below_[c + 1] - below_[c]),
                       std::back_inserter(values), [](const Found& pair) { return pair.value; });
      }
      const auto at = values.begin() + static_cast<std::ptrdiff_t>(ranks[r] - below_[first]);
      std::nth_element(values.begin(), at, values.end());
      result[r] = *at;
      if (at_most(cells_(*at)) > most_collected) return std::nullopt;
    }
    return result;
  }

  [[nodiscard]] bool standard_errors(PairDistances& result) {
    const Index m = tiles_.count();
    if (m < 3) {
      result.standard_error.fill(undefined);
      return true;
    }
    // Where float may be wrong about the cell, the pairs are known: they lie about the ranks of the quantiles.
    std::array<std::uint16_t, 7> cut{};
    for (std::size_t q = 0; q < 7; ++q) cut[q] = fine_(result.quantile[q]);
    struct Worker {
      explicit Worker(Index rows) : below(PairsBelow::Zero(rows, 7)) {}
      PairsBelow below;
    };
    Pool<Worker> pool;
    parallel_for(
        order_.tiles(), [&] { return pool.make(m); },
        [&](Index t, Worker* worker) {
          for_each_strip(t, [&](const Strip& strip) {
            for (std::size_t q = 0; q < 7; ++q) {
              std::int32_t* const row = worker->below.data() + static_cast<Index>(q) * m + strip.first_row;
              worker->below(strip.col, static_cast<Index>(q)) += count_below(strip.cells, strip.count, cut[q], row);
            }
          });
        });
    PairsBelow below = PairsBelow::Zero(m, 7);
    for (const Worker& worker : pool.all()) below += worker.below;
    for (const Found& pair : found_) {
      for (std::size_t q = 0; q < 7; ++q) {
        const std::int32_t change = (pair.value <= result.quantile[q] ? 1 : 0) - (pair.cell <= cut[q] ? 1 : 0);
        below(pair.row, static_cast<Index>(q)) += change;
        below(pair.col, static_cast<Index>(q)) += change;
      }
    }
    const Ranks ranks = standard_error_ranks(below, result.pairs, selection_.population);
    mark(ranks);
    if (!evaluate()) return false;
    const std::optional<std::array<double, 14>> values = order_statistics(ranks);
    if (values) set_standard_errors(result, *values);
    return values.has_value();
  }

  const ScreeningTiles& tiles_;
  const PairSelection& selection_;
  Cells cells_;
  FineCells fine_;
  TileOrder order_;
  double error_;                                                                    ///< in fine cells
  std::int32_t near_;                                                               ///< twice that, in whole cells
  Eigen::Array<std::uint16_t, Eigen::Dynamic, 1> remembered_;                       ///< fine cell of each pair
  std::vector<std::int64_t> below_ = std::vector<std::int64_t>(fine_count + 1, 0);  ///< pairs in the cells before each
  std::vector<char> marked_ = std::vector<char>(fine_count, 0);
  std::vector<char> known_ = std::vector<char>(fine_count, 0);
  std::vector<std::size_t> begin_ = std::vector<std::size_t>(fine_count, 0);  ///< of a known cell's pairs in found_
  std::vector<Found> found_;
};

/// The distribution by way of float, or nothing where that does not help.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::optional<PairDistances> screened_pair_distances(const SelectedDirections<Scalar>& directions,
                                                                   double mean, double std) {
  if (directions.selection().pairs() > TileOrder::most_remembered) return std::nullopt;
  const FineCells cells = FineCells::around(mean, std);
  // Lengths are not known yet, but the mean of h is that of their squares.
  if (!(mean > 0.0 && cells.per_unit() > 0.0 &&
        screening_error(directions.dims(), mean, cells.low()) * cells.per_unit() < PairScreen::most_error)) {
    return std::nullopt;
  }
  const ScreeningTiles tiles(directions, cells, mean);
  if (!(tiles.error() < PairScreen::most_error)) return std::nullopt;
  return PairScreen(tiles, directions.selection(), mean, std).run();
}

}  // namespace collapse::detail
