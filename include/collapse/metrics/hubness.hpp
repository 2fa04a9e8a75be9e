#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <string>

namespace collapse {

/// How unevenly rows are the neighbours of others.
struct Hubness {
  using Counts = Eigen::Matrix<Index, Eigen::Dynamic, 1>;

  double skewness =
      undefined;       ///< of the k-occurrence; near 0 healthy, above about 1 a few rows are near to everything
  Counts occurrence;   ///< one for each line of the table: among the k nearest of how many rows it is
  Index largest = 0;   ///< the greatest of them
  Index orphans = 0;   ///< rows that are among the nearest of none
  Index k = 0;         ///< neighbours of each row that count
  std::string reason;  ///< why the skewness is undefined; empty when it is not
};

/// Skewness of the k-occurrence, mean (N_k - k)^3 / (mean (N_k - k)^2)^1.5, where N_k(i) is the number of rows that
/// have row i among their k nearest.
///
/// @param neighbours  of any metric
/// @param k           at least 1; all neighbours that the table holds where it holds fewer
/// @return see Hubness; skewness of any sign. Undefined, with the reason, where every row occurs k times, as it does
///         when k is n - 1, the number of other rows
/// @throws OptionError for k < 1
/// Cost: O(n k).
/// Source: Radovanovic, Nanopoulos & Ivanovic, Hubs in space, 2010, eq. 1.
[[nodiscard]] inline Hubness hubness(const Neighbours& neighbours, Index k = 10) {
  statistics::require_neighbours(k, "hubness: k");
  Hubness result;
  result.k = std::min(k, neighbours.k());
  result.occurrence = Hubness::Counts::Zero(neighbours.count());
  for (Index i = 0; i < neighbours.count(); ++i) {
    for (Index j = 0; j < result.k; ++j) ++result.occurrence(neighbours.place(i, j));
  }
  if (result.k == 0) {
    result.reason = fmt::format("{} rows; there are no neighbours", neighbours.count());
    return result;
  }
  result.largest = result.occurrence.maxCoeff();
  result.orphans = (result.occurrence.array() == 0).count();
  const Eigen::ArrayXd deviation = (result.occurrence.array() - result.k).cast<double>();
  const double variance = deviation.square().mean();
  if (variance == 0.0) {
    result.reason = fmt::format("every row is among the {} nearest of {} others; equal counts have no skewness",
                                result.k, result.k);
    return result;
  }
  result.skewness = deviation.cube().mean() / (variance * std::sqrt(variance));
  return result;
}

/// Hubness of the rows of Z; see hubness(Neighbours, Index).
///
/// @param Z        N x D embeddings
/// @param k        neighbours of each row that count, at least 1
/// @param options  of the search, its metric among them
/// @return see Hubness
/// @throws ShapeError, NonFiniteError as `moments`, OptionError for k < 1
/// Cost: that of neighbours(Z, k).
template <class Derived>
[[nodiscard]] Hubness hubness(const Eigen::DenseBase<Derived>& Z, Index k = 10, const NeighbourOptions& options = {}) {
  return hubness(neighbours(Z, k, options), k);
}

}  // namespace collapse
