#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/pairs/pair_quantiles.hpp>
#include <collapse/statistics/pairs/selected_directions.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <atomic>
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
namespace collapse::statistics {

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
  const double roundings = static_cast<double>(std::min(dims, linalg::product_run) +
                                               (dims + linalg::product_run - 1) / linalg::product_run + 1) *
                           u;
  if (!(roundings < 0.01)) return std::numeric_limits<double>::infinity();
  return roundings / (1.0 - roundings) * largest_square + u * (8.0 * largest_square + 4.0 * low);
}

/// Bound on how far h as PairTiles computes it is from 1 - u_i . u_j with the product formed in double in any order.
///
/// With u = 2^-53 and w_i = z_i times its computed inverse length, both are (||w_i||^2 + ||w_j||^2) / 2 - w_i . w_j but
/// for rounding. Here the squares are taken to be 1, which they are within gamma_(D + 6): a sum of D squares, a root
/// and an inverse; the product is off by gamma_(D + 2), and one sum by 2 u. There the entries of v = w - m are rounded
/// twice, by u (|w_d| + |v_d|), which moves h by 4 u (sqrt(Q) + Q); two squares and a product are summed, off by
/// 2 gamma_(D + 4) Q, and put together, by 3 u Q. In all (2 D + 10) + (2 D + 15) Q + 4 sqrt(Q) times u; what is written
/// leaves room for terms of second order.
[[nodiscard]] inline double refining_error(Index dims, double largest_square) {
  return 4.0 * (static_cast<double>(dims) + 16.0) * 0x1p-53 * (1.0 + largest_square);
}

using FineCells = BasicCells<(1 << 16)>;

/// The selected pairs tile by tile as PairTiles, but as places among the cells, in float; and single ones in double,
/// nearly or exactly. Only the floats are kept: doubles for the few single pairs would be three times the memory, and
/// touching it took longer than all else but the products.
template <EmbeddingScalar Scalar>
class ScreeningTiles {
 public:
  using Packed = linalg::BasicPackedVectors<float>;
  static constexpr Index tile = 2 * Packed::tile;

  /// Pairs are refined where that is off by no more than this part of a cell.
  static constexpr double most_refined_error = 0x1p-6;

  /// @param typical_square  of the order of ||v||^2: puts the floats in the middle of their range
  ScreeningTiles(const SelectedDirections<Scalar>& directions, const FineCells& cells, double typical_square)
      : directions_(directions),
        dims_(directions.dims()),
        half_squares_(directions.count()),
        packed_(directions.count(), dims_) {
    directions_.gather();
    const int exponent = -std::ilogb(std::sqrt(typical_square));
    const double scale = std::ldexp(1.0, exponent);
    constexpr Index group = Packed::Kernel::group;
    linalg::parallel_for(
        {(count() + Packed::tile - 1) / Packed::tile, count(), dims_}, [&] { return linalg::Panel(group, dims_); },
        [&](Index t, linalg::Panel& loaded) {
          const Index end = std::min(count(), (t + 1) * Packed::tile);
          for (Index i = t * Packed::tile; i < end; i += group) {
            linalg::Panel::View v = loaded.view(std::min(group, end - i), dims_);
            directions_.load(i, v);
            for (Index r = 0; r < v.rows(); ++r) half_squares_(i + r) = 0.5 * linalg::squared_norm(v.row(r), v.cols());
            v.scale(scale);
            packed_.pack_rows(i, v);
          }
        });
    const double square = 2.0 * linalg::largest_magnitude(half_squares_);
    const double scaled_square = square * scale * scale;
    error_ = screening_error(dims_, square, cells.low()) * cells.per_unit();
    if (directions_.in_range() && refining_error(dims_, square) * cells.per_unit() < most_refined_error) {
      refined_error_ = refining_error(dims_, square);
    }
    if (!(scaled_square > 0x1p-40 && scaled_square < 0x1p80)) error_ = std::numeric_limits<double>::infinity();
    left_.resize(count());
    right_.resize(count());
    for (Index i = 0; i < count(); ++i) {
      left_(i) = static_cast<float>(half_squares_(i) * cells.per_unit());
      right_(i) = static_cast<float>((half_squares_(i) - cells.low()) * cells.per_unit());
    }
    unit_ = static_cast<float>(std::ldexp(cells.per_unit(), -2 * exponent));
  }

  [[nodiscard]] Index count() const { return half_squares_.size(); }
  [[nodiscard]] Index dims() const { return dims_; }
  /// Bound on the error of a place, in cells; infinite where float cannot tell.
  [[nodiscard]] double error() const { return error_; }

  /// places(i, j) of the pair of rows (t_i * tile + i, t_j * tile + j), from low and in cells, not held to their range;
  /// above the diagonal they may be anything.
  void fill(Index t_i, Index t_j, const linalg::ColumnsView<float>& places) const {
    places.set_zero();
    linalg::add_products(packed_, t_i * tile, packed_, t_j * tile, dims_, places, t_i == t_j);
    for (Index j = 0; j < places.cols(); ++j) {
      float* const place = places.col(j);
      const float* const left = left_.data() + t_i * tile;
      const float right = right_(t_j * tile + j);
      for (Index i = 0; i < places.rows(); ++i) place[i] = (left[i] + right) - place[i] * unit_;
    }
  }

  /// Bound on the error of `refined`, in h, which is a small part of a cell; undefined where it would not be.
  [[nodiscard]] double refined_error() const { return refined_error_; }

  /// h of one pair from the rows as they came.
  [[nodiscard]] double refined(Index i, Index j) const { return 1.0 - directions_.cosine(i, j); }

  /// Room for the rows of a few pairs in double.
  static constexpr std::size_t most_pairs = 4;
  [[nodiscard]] linalg::Panel scratch() const { return linalg::Panel(2 * static_cast<Index>(most_pairs), dims_); }

  /// h of a few pairs, to the bit that of PairTiles. Pairs that share their second row should follow each other.
  template <std::size_t Pairs>
  [[nodiscard]] std::array<double, Pairs> values(const std::array<std::pair<Index, Index>, Pairs>& pairs,
                                                 linalg::Panel& scratch) const {
    static_assert(Pairs <= most_pairs);
    std::array<const double*, Pairs> x;
    std::array<const double*, Pairs> y;
    const auto loaded = [&](std::size_t slot, Index row) {
      directions_.load(row, scratch.rows(static_cast<Index>(slot), 1, dims_));
      return scratch.row(static_cast<Index>(slot));
    };
    for (std::size_t p = 0; p < Pairs; ++p) {
      x[p] = loaded(2 * p, pairs[p].first);
      const bool again = p > 0 && pairs[p].second == pairs[p - 1].second;
      y[p] = again ? y[p - 1] : loaded(2 * p + 1, pairs[p].second);
    }
    std::array<double, Pairs> h = linalg::pair_products<Pairs, double>(x, y, 1, dims_);
    for (std::size_t p = 0; p < Pairs; ++p) {
      h[p] = (half_squares_(pairs[p].first) + half_squares_(pairs[p].second)) - h[p];
    }
    return h;
  }

 private:
  SelectedDirections<Scalar> directions_;
  Index dims_;
  Eigen::VectorXd half_squares_;
  Packed packed_;
  Eigen::VectorXf left_, right_;
  float unit_ = 0.0F;
  double refined_error_ = undefined;
  double error_ = std::numeric_limits<double>::infinity();
};

/// What PairStatistics computes, to the bit, or nothing where floats leave too much open: many pairs within their error
/// of what is asked for.
///
/// A place among the cells is off by at most `error`, so the order statistic of a rank lies within `error` of the float
/// of that rank, and the float of the pair that it belongs to within twice that. These pairs, those as near to the
/// least and the greatest, and those within `error` of an edge where pairs are counted are evaluated in double; of all
/// others the float knows on which side they are. In double, the rows as they came tell all but near ties apart, at
/// half the cost of their directions; only ties are settled by these.
template <EmbeddingScalar Scalar>
class PairScreen {
 public:
  using Tiles = ScreeningTiles<Scalar>;

  /// @param most_remembered  cells of more pairs than that are not kept but found again where they are needed again
  PairScreen(const Tiles& tiles, const PairSelection& selection, double mean, double std, std::int64_t most_remembered)
      : tiles_(tiles),
        selection_(selection),
        cells_(Cells::around(mean, std)),
        fine_(FineCells::around(mean, std)),
        order_(tiles.count(), Tiles::tile),
        error_(tiles.error()),
        near_(static_cast<std::int32_t>(std::ceil(2.0 * error_))),
        value_error_(std::isnan(tiles.refined_error()) ? 0.0 : tiles.refined_error()) {
    if (selection.pairs() <= most_remembered) remembered_.resize(static_cast<Index>(order_.size()));
    for (std::size_t w = 0; w < linalg::max_threads(); ++w) workers_.emplace_back(tiles);
  }

  /// Beyond that even the cells are finer than what float can tell.
  static constexpr double most_error = 6.0;

  [[nodiscard]] std::optional<PairDistances> run() {
    PairDistances result;
    result.pairs = selection_.pairs();
    result.rows = tiles_.count();
    result.exact = selection_.exact();
    if (!count()) return std::nullopt;
    const Ranks ranks = quantile_ranks(result.pairs);
    if (has_standard_errors()) {
      count_below_quantiles(ranks);
      mark_standard_errors();
    }
    mark_all(ranks);
    if (!evaluate()) return std::nullopt;
    set_extremes(result);
    count_bins(result);
    const std::optional<std::array<double, 14>> values = order_statistics(ranks);
    if (!values) return std::nullopt;
    set_quantiles(result, *values);
    if (has_standard_errors()) {
      if (!set_standard_errors_of(result)) return std::nullopt;
    } else if (!result.exact) {
      result.standard_error.fill(undefined);
    }
    return result;
  }

 private:
  static constexpr auto fine_count = static_cast<std::size_t>(FineCells::count);
  static constexpr std::int32_t last = FineCells::count - 1;
  static constexpr std::int32_t fine_per_cell = FineCells::count / Cells::count;

  struct Found {
    std::int32_t row;
    std::int32_t col;
    std::uint16_t cell;  ///< by float
    bool is_exact;       ///< else the value is off by up to `value_error_`
    double value;
  };

  /// What a thread has to itself.
  struct Worker {
    explicit Worker(const Tiles& tiles)
        : places(Tiles::tile, Tiles::tile), cells(Tiles::tile * Tiles::tile), rows(tiles.scratch()) {}
    std::vector<std::int32_t> counts = std::vector<std::int32_t>(fine_count, 0);
    Eigen::MatrixXf places;
    Eigen::Array<std::uint16_t, Eigen::Dynamic, 1> cells;  ///< of a tile, where they are not remembered
    std::vector<Found> found;
    linalg::Panel rows;
    PairsBelow below;
  };

  /// One column of one tile: pairs (first_row + k, col), k < count.
  struct Strip {
    Index first_row;
    Index col;
    Index count;
    const std::uint16_t* cells;
  };

  template <class Body>
  void for_each_strip(Index t, const std::uint16_t* cells, Body&& body) const {
    const auto [ti, tj] = order_(t);
    const Index rows = order_.width(ti);
    for (Index j = 0; j < order_.width(tj); ++j) {
      const Index first = ti == tj ? j + 1 : 0;
      if (first >= rows) continue;
      body(Strip{ti * Tiles::tile + first, tj * Tiles::tile + j, rows - first, cells + j * rows + first});
    }
  }

  [[nodiscard]] bool remembers() const { return remembered_.size() > 0; }

  /// The cells of a tile, column by column. Above the diagonal they may be anything.
  const std::uint16_t* place(Index t, Worker& worker) {
    const auto [ti, tj] = order_(t);
    const Index rows = order_.width(ti);
    const Index cols = order_.width(tj);
    tiles_.fill(ti, tj, linalg::ColumnsView<float>(worker.places).block(0, 0, rows, cols));
    std::uint16_t* const cells =
        remembers() ? remembered_.data() + static_cast<Index>(order_.offset(t)) : worker.cells.data();
    for (Index j = 0; j < cols; ++j) {
      const float* const from = &worker.places(0, j);
      std::uint16_t* const to = cells + j * rows;
      for (Index i = 0; i < rows; ++i) {
        const float within = std::min(std::max(from[i], 0.0F), static_cast<float>(last));
        to[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(within));
      }
    }
    return cells;
  }

  /// The same of a tile that was counted.
  const std::uint16_t* placed(Index t, Worker& worker) {
    return remembers() ? remembered_.data() + static_cast<Index>(order_.offset(t)) : place(t, worker);
  }

  /// Counts the pairs in each cell. False if a small part of them shows that floats will not do.
  [[nodiscard]] bool count() {
    const Index step = remembers() ? 16 : 32;
    // Not the first tile: where rows that follow each other are alike, it tells little of the rest.
    const auto probes = [step](Index t) { return t % step == step / 2; };
    const bool probe = order_.tiles() >= 4 * step;
    if (probe) {
      count(probes, [](Index, const std::uint16_t*, Worker&) {});
      if (!promises()) return false;
    }
    if (remembers()) {
      count([&](Index t) { return !(probe && probes(t)); }, [](Index, const std::uint16_t*, Worker&) {});
      return true;
    }
    // All products again would take as long as these: most likely the cells that matter are known by now.
    if (probe) guess();
    std::fill(below_.begin(), below_.end(), 0);
    std::atomic<std::int64_t> found{0};
    const std::int64_t most = most_known(selection_.pairs());
    count([](Index) { return true; },
          [&](Index t, const std::uint16_t* cells, Worker& worker) {
            if (found <= most) found += search(t, cells, worker);
          });
    if (found <= most) {
      keep_found();
    } else {
      for (Worker& worker : workers_) worker.found.clear();
      unmark();
    }
    return true;
  }

  /// Adds up the pairs of the tiles for which takes(t), and calls also(t, cells, worker) for these.
  template <class Takes, class Also>
  void count(Takes&& takes, Also&& also) {
    for (Worker& worker : workers_) std::fill(worker.counts.begin(), worker.counts.end(), 0);
    linalg::parallel_for(order_.tiles(), workers_, [&](Index t, Worker& worker) {
      if (!takes(t)) return;
      const std::uint16_t* const cells = place(t, worker);
      for_each_strip(t, cells, [&](const Strip& strip) {
        for (Index k = 0; k < strip.count; ++k) ++worker.counts[strip.cells[k]];
      });
      also(t, cells, worker);
    });
    std::int64_t added = 0;
    for (std::size_t c = 0; c < fine_count; ++c) {
      for (const Worker& worker : workers_) added += worker.counts[c];
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

  [[nodiscard]] std::int64_t marked() const {
    std::int64_t pairs = 0;
    for (std::size_t c = 0; c < fine_count; ++c) {
      if (marked_[c]) pairs += below_[c + 1] - below_[c];
    }
    return pairs;
  }

  void unmark() { std::fill(marked_.begin(), marked_.end(), char{0}); }

  /// Whether the tiles seen so far let one expect that floats will do: if not, it is known after a small part of the
  /// work.
  [[nodiscard]] bool promises() {
    const std::int64_t part = below_.back();
    const Ranks ranks = quantile_ranks(part);
    mark_all(ranks);
    const bool are_few = marked() <= most_known(part);
    unmark();
    const double most = static_cast<double>(most_collected(selection_.pairs())) * static_cast<double>(part) /
                        static_cast<double>(selection_.pairs());
    return are_few && std::none_of(ranks.begin(), ranks.end(), [&](std::int64_t rank) {
             return static_cast<double>(at_most(cell_of(rank) / fine_per_cell)) > most;
           });
  }

  /// Marks what mark_all probably will, from the tiles seen so far: the quantiles of all pairs lie within four
  /// deviations, were the pairs independent. Nothing if that leaves too little for pairs that were not expected.
  void guess() {
    const std::int64_t part = below_.back();
    for (std::size_t q = 0; q < 7; ++q) {
      const double p = cosine_probabilities[q];
      const double off = 4.0 * std::sqrt(p * (1.0 - p) * static_cast<double>(part));
      const auto cell_at = [&](double place) {
        return cell_of(static_cast<std::int64_t>(std::clamp(place, 0.0, static_cast<double>(part - 1))));
      };
      mark(cell_at(quantile_place(q, part) - off) - near_, cell_at(quantile_place(q, part) + off) + near_ + 1);
    }
    mark_edges();
    mark(0, cell_of(0) + near_ + 1);
    mark(cell_of(part - 1) - near_, FineCells::count);
    if (marked() > most_known(selection_.pairs()) / 4 * 3 * part / selection_.pairs()) unmark();
  }

  // --- the pairs in these cells, in double ---

  /// One pair by itself costs about ten times as much as in a product of matrices. No more than fit in 200 MB.
  [[nodiscard]] static std::int64_t most_known(std::int64_t pairs) {
    return std::min(pairs / 32 + 4096, std::int64_t{1} << 23);
  }

  /// Evaluates all pairs of the marked cells. False, and nothing done, if they are so many that products in double
  /// would have been cheaper.
  [[nodiscard]] bool evaluate() {
    for (std::size_t c = 0; c < fine_count; ++c) marked_[c] = static_cast<char>(marked_[c] && !known_[c]);
    const std::int64_t more = marked();
    if (static_cast<std::int64_t>(found_.size()) + more > most_known(selection_.pairs())) return false;
    if (more == 0) {
      unmark();
      return true;
    }
    linalg::parallel_for(order_.tiles(), workers_,
                         [&](Index t, Worker& worker) { static_cast<void>(search(t, placed(t, worker), worker)); });
    keep_found();
    return true;
  }

  /// Evaluates the pairs of a tile that lie in marked cells; how many they are.
  [[nodiscard]] std::int64_t search(Index t, const std::uint16_t* cells, Worker& worker) const {
    std::vector<Found>& found = worker.found;
    const std::size_t begin = found.size();
    for_each_strip(t, cells, [&](const Strip& strip) {
      // Few are marked: eight are asked at once.
      for (Index first = 0; first < strip.count; first += 8) {
        const Index end = std::min<Index>(first + 8, strip.count);
        if (end == first + 8 && !any_of_eight_is_marked(strip.cells + first)) continue;
        for (Index k = first; k < end; ++k) {
          const std::uint16_t cell = strip.cells[k];
          if (!marked_[cell]) continue;
          found.push_back(
              {static_cast<std::int32_t>(strip.first_row + k), static_cast<std::int32_t>(strip.col), cell, false, 0.0});
        }
      }
    });
    if (value_error_ > 0.0) {
      for (std::size_t p = begin; p < found.size(); ++p) {
        found[p].value = tiles_.refined(found[p].row, found[p].col);
      }
    } else {
      evaluate(
          found.size() - begin, [&found, begin](std::size_t p) -> Found& { return found[begin + p]; }, worker);
    }
    return static_cast<std::int64_t>(found.size() - begin);
  }

  [[nodiscard]] bool any_of_eight_is_marked(const std::uint16_t* cells) const {
    const char* const marked = marked_.data();
    int any = 0;
    for (int k = 0; k < 8; ++k) any |= marked[cells[k]];
    return any != 0;
  }

  /// Makes the pairs pair(0), ... exact.
  template <class Pair>
  void evaluate(std::size_t count, Pair&& pair, Worker& worker) const {
    std::size_t done = 0;
    for (; done + Tiles::most_pairs <= count; done += Tiles::most_pairs) {
      evaluate<Tiles::most_pairs>(done, pair, worker.rows);
    }
    for (; done < count; ++done) evaluate<1>(done, pair, worker.rows);
  }

  template <std::size_t Pairs, class Pair>
  void evaluate(std::size_t first, Pair&& pair, linalg::Panel& rows) const {
    std::array<std::pair<Index, Index>, Pairs> places;
    for (std::size_t p = 0; p < Pairs; ++p) places[p] = {pair(first + p).row, pair(first + p).col};
    const std::array<double, Pairs> values = tiles_.values(places, rows);
    for (std::size_t p = 0; p < Pairs; ++p) {
      pair(first + p).value = values[p];
      pair(first + p).is_exact = true;
    }
  }

  /// Makes those found pairs exact that may lie on the other side of something than their value does:
  /// is_open(value, margin).
  template <class IsOpen>
  void settle(IsOpen&& is_open) {
    if (value_error_ == 0.0) return;
    std::vector<Found*> open;
    for (Found& pair : found_) {
      if (!pair.is_exact && is_open(pair.value, 2.0 * value_error_)) open.push_back(&pair);
    }
    constexpr std::size_t taken = 64;
    linalg::parallel_for(
        {static_cast<Index>((open.size() + taken - 1) / taken), static_cast<Index>(open.size()), tiles_.dims()},
        workers_, [&](Index t, Worker& worker) {
          const std::size_t begin = static_cast<std::size_t>(t) * taken;
          evaluate(
              std::min(taken, open.size() - begin),
              [&open, begin](std::size_t p) -> Found& { return *open[begin + p]; }, worker);
        });
  }

  /// What the workers found becomes known, cell by cell.
  void keep_found() {
    std::size_t end = found_.size();
    for (std::size_t c = 0; c < fine_count; ++c) {
      if (!marked_[c]) continue;
      begin_[c] = end;
      end += static_cast<std::size_t>(below_[c + 1] - below_[c]);
    }
    found_.resize(end);
    for (Worker& worker : workers_) {
      for (const Found& pair : worker.found) found_[begin_[pair.cell]++] = pair;
      worker.found.clear();
    }
    for (std::size_t c = 0; c < fine_count; ++c) {
      if (!marked_[c]) continue;
      begin_[c] -= static_cast<std::size_t>(below_[c + 1] - below_[c]);
      known_[c] = 1;
      marked_[c] = 0;
    }
  }

  // --- what is asked for ---

  void set_extremes(PairDistances& result) {
    double least = std::numeric_limits<double>::infinity();
    double greatest = -least;
    for (const Found& pair : found_) {
      least = std::min(least, pair.value);
      greatest = std::max(greatest, pair.value);
    }
    settle([=](double value, double margin) { return value <= least + margin || value >= greatest - margin; });
    result.min = std::numeric_limits<double>::infinity();
    result.max = -result.min;
    for (const Found& pair : found_) {
      result.min = std::min(result.min, pair.value);
      result.max = std::max(result.max, pair.value);
    }
  }

  void count_bins(PairDistances& result) {
    for (std::int32_t c = 0; c <= last; ++c) {
      const auto cell = static_cast<std::size_t>(c);
      if (known_[cell]) continue;
      const double middle = 0.5 * (fine_.lower_edge(c) + fine_.lower_edge(c + 1));
      result.histogram[static_cast<std::size_t>(histogram_bin(middle))] += below_[cell + 1] - below_[cell];
    }
    settle([](double value, double margin) { return histogram_bin(value - margin) != histogram_bin(value + margin); });
    for (const Found& pair : found_) ++result.histogram[static_cast<std::size_t>(histogram_bin(pair.value))];
  }

  /// A bound on the number of pairs in a cell of PairStatistics.
  [[nodiscard]] std::int64_t at_most(std::int32_t cell) const {
    const std::int32_t first = held(cell * fine_per_cell - error_);
    const std::int32_t end = held((cell + 1.0) * fine_per_cell + error_) + 1;
    return below_[static_cast<std::size_t>(end)] - below_[static_cast<std::size_t>(first)];
  }

  /// Of ranks around which the pairs are known; nothing if one lies where PairStatistics takes near ties as one value.
  [[nodiscard]] std::optional<std::array<double, 14>> order_statistics(const Ranks& ranks) {
    if (value_error_ > 0.0) {
      // The pair of a rank lies within the error of the value of that rank, and its value within twice that.
      const std::array<double, 14> near = values_of(ranks);
      settle([&near](double value, double margin) {
        return std::any_of(near.begin(), near.end(), [=](double at) { return std::abs(value - at) <= margin; });
      });
    }
    const std::array<double, 14> result = values_of(ranks);
    for (const double value : result) {
      if (at_most(cells_(value)) > most_collected(selection_.pairs())) return std::nullopt;
    }
    return result;
  }

  [[nodiscard]] std::array<double, 14> values_of(const Ranks& ranks) const {
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
    }
    return result;
  }

  // --- standard errors ---

  [[nodiscard]] bool has_standard_errors() const { return !selection_.exact() && tiles_.count() >= 3; }

  /// For each row, how many of its pairs lie in cells up to that of each quantile's lower rank. A pair that lies on
  /// another side of the quantile itself is known: it is as near to that rank as the float of its pair may be.
  void count_below_quantiles(const Ranks& quantiles) {
    const Index m = tiles_.count();
    for (std::size_t q = 0; q < 7; ++q) cut_[q] = static_cast<std::uint16_t>(cell_of(quantiles[2 * q]));
    linalg::parallel_for(order_.tiles(), workers_, [&](Index t, Worker& worker) {
      if (worker.below.rows() == 0) worker.below = PairsBelow::Zero(m, 7);
      // No row of a tile has more pairs in it than these can count.
      std::array<std::array<std::uint16_t, static_cast<std::size_t>(Tiles::tile)>, 7> in_tile{};
      const Index top = order_(t).first * Tiles::tile;
      for_each_strip(t, placed(t, worker), [&](const Strip& strip) {
        for (std::size_t q = 0; q < 7; ++q) {
          std::uint16_t* const row = in_tile[q].data() + (strip.first_row - top);
          worker.below(strip.col, static_cast<Index>(q)) += count_below(strip.cells, strip.count, cut_[q], row);
        }
      });
      for (std::size_t q = 0; q < 7; ++q) {
        for (Index i = 0; i < order_.width(order_(t).first); ++i) {
          worker.below(top + i, static_cast<Index>(q)) += in_tile[q][static_cast<std::size_t>(i)];
        }
      }
    });
    rows_below_ = PairsBelow::Zero(m, 7);
    for (const Worker& worker : workers_) {
      if (worker.below.rows() > 0) rows_below_ += worker.below;
    }
  }

  /// Marks the cells of the ranks that standard errors will most likely be read off, to look for their pairs together
  /// with the rest.
  void mark_standard_errors() {
    for (const std::int64_t rank : standard_error_ranks(rows_below_, selection_.pairs(), selection_.population)) {
      const std::int32_t cell = cell_of(rank);
      mark(cell - near_ - 1, cell + near_ + 2);
    }
  }

  [[nodiscard]] bool set_standard_errors_of(PairDistances& result) {
    settle([&result](double value, double margin) {
      return std::any_of(result.quantile.begin(), result.quantile.end(),
                         [=](double at) { return std::abs(value - at) <= margin; });
    });
    for (const Found& pair : found_) {
      for (std::size_t q = 0; q < 7; ++q) {
        const std::int32_t change = (pair.value <= result.quantile[q] ? 1 : 0) - (pair.cell <= cut_[q] ? 1 : 0);
        rows_below_(pair.row, static_cast<Index>(q)) += change;
        rows_below_(pair.col, static_cast<Index>(q)) += change;
      }
    }
    const Ranks ranks = standard_error_ranks(rows_below_, result.pairs, selection_.population);
    mark(ranks);
    if (!evaluate()) return false;
    const std::optional<std::array<double, 14>> values = order_statistics(ranks);
    if (values) set_standard_errors(result, *values);
    return values.has_value();
  }

  const Tiles& tiles_;
  const PairSelection& selection_;
  Cells cells_;
  FineCells fine_;
  TileOrder order_;
  double error_;        ///< in fine cells
  std::int32_t near_;   ///< twice that, in whole cells
  double value_error_;  ///< of the values of found pairs, in h; 0 where they are exact
  Eigen::Array<std::uint16_t, Eigen::Dynamic, 1> remembered_;                       ///< cell of each pair, or empty
  std::vector<std::int64_t> below_ = std::vector<std::int64_t>(fine_count + 1, 0);  ///< pairs in the cells before each
  std::vector<char> marked_ = std::vector<char>(fine_count, 0);
  std::vector<char> known_ = std::vector<char>(fine_count, 0);
  std::vector<std::size_t> begin_ = std::vector<std::size_t>(fine_count, 0);  ///< of a known cell's pairs in found_
  std::vector<Found> found_;
  std::array<std::uint16_t, 7> cut_{};  ///< for each quantile, the last cell that counts as below
  PairsBelow rows_below_;
  std::vector<Worker> workers_;
};

/// Whether rows are kept as floats: always when their pairs are remembered, otherwise when that takes at most 256 MB,
/// and pairs in a cell can be counted in 32 bits.
[[nodiscard]] inline bool keeps_floats(const PairSelection& selection, Index dims) {
  const auto rows = static_cast<std::int64_t>(selection.rows.size());
  return selection.pairs() <= TileOrder::most_remembered ||
         (rows <= std::int64_t{1} << 16 && rows * dims <= std::int64_t{1} << 26);
}

/// The distribution by way of float, or nothing where that does not help.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::optional<PairDistances> screened_pair_distances(
    const SelectedDirections<Scalar>& directions, double mean, double std,
    std::int64_t most_remembered = TileOrder::most_remembered) {
  if (!keeps_floats(directions.selection(), directions.dims())) return std::nullopt;
  const FineCells cells = FineCells::around(mean, std);
  // Lengths are not known yet, but the mean of h is that of their squares.
  if (!(mean > 0.0 && cells.per_unit() > 0.0 &&
        screening_error(directions.dims(), mean, cells.low()) * cells.per_unit() < PairScreen<Scalar>::most_error)) {
    return std::nullopt;
  }
  const ScreeningTiles<Scalar> tiles(directions, cells, mean);
  if (!(tiles.error() < PairScreen<Scalar>::most_error)) return std::nullopt;
  return PairScreen<Scalar>(tiles, directions.selection(), mean, std, most_remembered).run();
}

}  // namespace collapse::statistics
