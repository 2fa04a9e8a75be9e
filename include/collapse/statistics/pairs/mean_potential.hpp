#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/statistics/pairs/pair_potential.hpp>
#include <collapse/statistics/pairs/pair_quantiles.hpp>
#include <collapse/statistics/pairs/pairs.hpp>
#include <collapse/statistics/pairs/selected_directions.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace collapse {
namespace statistics {

/// exp(x) - 1 of each entry, for any x <= 0, to a few roundings of the result: a series where exp would cancel.
template <class Values>
void expm1_in_place(Values&& x) {
  constexpr double small = 0.03125;
  x = (x.abs() <= small)
          .select(
              x * (1.0 +
                   x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0)))))),
              x.exp() - 1.0);
}

/// Delete-one-row jackknife of ln mean exp(...): rows, not pairs, are what was drawn. `sums` holds for each row the sum
/// over its pairs; the finite population is accounted for.
[[nodiscard]] inline double log_mean_standard_error(const Eigen::VectorXd& sums, double pairs, Index population) {
  const double n = static_cast<double>(sums.size());
  if (sums.size() < 3) return undefined;  // without one of two rows no pair is left
  const Eigen::ArrayXd without = (0.5 * sums.sum() - sums.array()) / (pairs - (n - 1.0));
  const Eigen::ArrayXd logs = without.unaryExpr([](double value) { return std::log1p(value); });
  const double unsampled = 1.0 - n / static_cast<double>(population);
  return std::sqrt((n - 1.0) / n * (logs - logs.mean()).square().sum() * unsampled);
}

template <EmbeddingScalar Scalar>
PairPotential pair_potential(const linalg::MatrixView<Scalar>& z, const Rows& rows, const PairSelection& selection,
                             const Eigen::VectorXd& mean_direction, const Eigen::MatrixXd* products) {
  PairPotential result;
  result.pairs = selection.pairs();
  result.rows = static_cast<Index>(selection.rows.size());
  result.exact = selection.exact();
  if (result.pairs == 0) return result;

  using Tiles = PairTiles<Scalar>;
  const SelectedDirections<Scalar> directions(z, rows, mean_direction, selection);
  Tiles tiles(directions, products);
  const TileOrder order(tiles.count(), Tiles::tile);
  Eigen::VectorXd tile_sums(order.tiles());
  // Column s holds what the pairs with rows of strip s add to each row.
  Eigen::MatrixXd row_sums(result.exact ? 0 : tiles.count(), result.exact ? 0 : tiles.tiles());
  linalg::parallel_for(
      {order.tiles(), Tiles::tile, Tiles::tile, z.cols}, [&] { return tiles.scratch(); },
      [&](Index k, typename Tiles::Scratch& scratch) {
        const auto [ti, tj] = order(k);
        tiles.fill(ti, tj, scratch);
        auto values = scratch.values.topLeftCorner(tiles.size(ti), tiles.size(tj)).array();
        if (ti == tj) {
          for (Index j = 0; j < values.cols(); ++j) values.col(j).head(j + 1).setZero();
        }
        values *= -4.0;  // ||u_i - u_j||^2 = 2 h
        expm1_in_place(values);
        // Sums of sums round less than one long sum.
        const Eigen::VectorXd column_sums = values.colwise().sum().transpose().matrix();
        tile_sums(k) = column_sums.sum();
        if (result.exact) return;
        auto of_rows = row_sums.col(tj).segment(ti * Tiles::tile, values.rows());
        auto of_columns = row_sums.col(ti).segment(tj * Tiles::tile, values.cols());
        of_rows = values.rowwise().sum().matrix();
        if (ti == tj) {
          of_columns += column_sums;
        } else {
          of_columns = column_sums;
        }
      });
  const double pairs = static_cast<double>(result.pairs);
  result.mean_less_one = tile_sums.sum() / pairs;
  result.standard_error =
      result.exact ? 0.0 : log_mean_standard_error(row_sums.rowwise().sum(), pairs, selection.population);
  return result;
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_POTENTIAL_INSTANCES(Keyword, Scalar)                                                       \
  Keyword template PairPotential statistics::pair_potential(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                            const PairSelection&, const Eigen::VectorXd&,   \
                                                            const Eigen::MatrixXd*);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_POTENTIAL_INSTANCES)
#endif

}  // namespace collapse
