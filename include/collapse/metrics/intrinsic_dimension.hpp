#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/pairs/disjoint_sets.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// The number of coordinates that the rows vary in locally, however they are bent: it can be far below the rank, which
/// counts the directions that all of them together span. Read from ratios of distances to near neighbours.
namespace collapse {

/// An intrinsic dimension.
struct DimensionEstimate {
  double value = undefined;           ///< > 0
  double standard_error = undefined;  ///< of the sampling alone: curvature and noise bias the value itself
  Index rows = 0;                     ///< that it rests on: a row that has a duplicate says nothing
  Index k = 0;                        ///< neighbours of each that it rests on
  std::string reason;                 ///< why the value is undefined; empty when it is not
};

/// Ways to read the dimension from the ratios of the two nearest distances.
enum class TwoNnFit {
  maximum_likelihood,  ///< (n - 1) / sum of the logarithms
  linear               ///< line through the origin and the empirical distribution, its upper tenth left out
};

namespace metrics {

/// What one row says: a number whose expectation is 1 / dimension.
struct InverseDimensions {
  std::vector<double> value;  ///< one for each line of the table
  std::vector<char> used;     ///< whether the line says anything
  Index rows = 0;
};

/// ln(a / b), also where the ratio leaves the range of double.
[[nodiscard]] inline double log_ratio(double a, double b) {
  const double ratio = a / b;
  return std::isfinite(ratio) ? std::log(ratio) : std::log(a) - std::log(b);
}

/// The mean over j < k of ln(r_k / r_j), for each row.
[[nodiscard]] inline InverseDimensions inverse_dimensions(const Neighbours& neighbours, Index k) {
  const auto n = static_cast<std::size_t>(neighbours.count());
  InverseDimensions result{std::vector<double>(n, 0.0), std::vector<char>(n, 0)};
  // The cosine's distances are the squares of separations.
  const double power = neighbours.metric == Metric::cosine ? 0.5 : 1.0;
  for (Index i = 0; i < neighbours.count(); ++i) {
    if (neighbours.is_duplicate(i, 0)) continue;
    double sum = 0.0;
    for (Index j = 0; j + 1 < k; ++j) sum += log_ratio(neighbours.distance(i, k - 1), neighbours.distance(i, j));
    result.value[static_cast<std::size_t>(i)] = power * sum / static_cast<double>(k - 1);
    result.used[static_cast<std::size_t>(i)] = 1;
    ++result.rows;
  }
  return result;
}

/// Standard error of the mean over the rows. Rows share neighbours, so their values are correlated: the covariance of
/// two rows counts when one is among the k nearest of the other (Conley 1999, with a step for a kernel).
[[nodiscard]] inline double error_of_mean(const Neighbours& neighbours, const InverseDimensions& inverse, Index k,
                                          double mean) {
  const auto deviation = [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    return inverse.used[at] != 0 ? inverse.value[at] - mean : 0.0;
  };
  double own = 0.0;
  double shared = 0.0;
  for (Index i = 0; i < neighbours.count(); ++i) {
    const double of_row = deviation(i);
    own += of_row * of_row;
    for (Index j = 0; j < k; ++j) {
      const Index other = neighbours.place(i, j);
      const bool mutual = (neighbours.place.row(other).head(k).array() == i).any();
      // A pair stands for two entries of the covariance; a mutual one is met twice.
      shared += (mutual ? 1.0 : 2.0) * of_row * deviation(other);
    }
  }
  const double n = static_cast<double>(inverse.rows);
  return std::sqrt(std::max(own, own + shared)) / n;
}

inline constexpr const char* no_distinct_rows = "every row has a duplicate; remove duplicates and measure again";
inline constexpr const char* equal_distances =
    "all neighbours of each row are equally far, as on a lattice or a simplex; no dimension gives that";

/// Slope of -ln(1 - F) over ln(r2 / r1), of the line through the origin, F = rank / n, over the lower nine tenths.
/// @param ascending  the logarithms and the group of each; those of the group `without` are left out
[[nodiscard]] inline double linear_fit(const std::vector<std::pair<double, Index>>& ascending, Index without) {
  Index n = 0;
  for (const auto& [log_ratio, group] : ascending) n += group != without ? 1 : 0;
  const auto kept = static_cast<Index>(std::floor(0.9 * static_cast<double>(n)));
  double xx = 0.0;
  double xy = 0.0;
  Index rank = 0;
  for (const auto& [log_ratio, group] : ascending) {
    if (group == without) continue;
    if (++rank > kept) break;
    xx += log_ratio * log_ratio;
    xy -= log_ratio * std::log1p(-static_cast<double>(rank) / static_cast<double>(n));
  }
  return xx > 0.0 ? xy / xx : undefined;
}

/// Assigns each line to one of `groups` groups in turn, lines whose nearest neighbours link them to the same one, so
/// that groups are nearly independent. Empty where there are too few linked sets for so many groups.
[[nodiscard]] inline std::vector<Index> groups_of_neighbours(const Neighbours& neighbours, Index groups) {
  statistics::DisjointSets sets(neighbours.count());
  for (Index i = 0; i < neighbours.count(); ++i) sets.unite(i, neighbours.place(i, 0));
  if (sets.sets() < 2 * groups) return {};
  std::vector<Index> group(static_cast<std::size_t>(neighbours.count()));
  Index next = 0;
  for (Index i = 0; i < neighbours.count(); ++i) {
    const Index first = sets.find(i);
    group[static_cast<std::size_t>(i)] = first == i ? next++ % groups : group[static_cast<std::size_t>(first)];
  }
  return group;
}

inline void fit_line(const Neighbours& neighbours, const InverseDimensions& inverse, DimensionEstimate& result) {
  constexpr Index groups = 20;
  const std::vector<Index> group = groups_of_neighbours(neighbours, groups);
  std::vector<std::pair<double, Index>> ascending;
  for (std::size_t i = 0; i < inverse.value.size(); ++i) {
    if (inverse.used[i] != 0) ascending.emplace_back(inverse.value[i], group.empty() ? 0 : group[i]);
  }
  std::sort(ascending.begin(), ascending.end());
  result.value = linear_fit(ascending, -1);
  if (std::isnan(result.value)) {
    result.reason = equal_distances;
    return;
  }
  if (group.empty()) return;
  Eigen::ArrayXd without(groups);
  for (Index g = 0; g < groups; ++g) without(g) = linear_fit(ascending, g);
  constexpr double g = groups;
  result.standard_error = std::sqrt((g - 1.0) / g * (without - without.mean()).square().sum());
}

}  // namespace metrics

/// Intrinsic dimension from the two nearest neighbours of each row, d = (n - 1) / sum_i ln(r_i2 / r_i1).
///
/// The ratios mu = r2 / r1 of a d-dimensional cloud have the distribution 1 - mu^-d, whatever the density, as long as
/// it is constant as far as the second neighbour.
/// @param neighbours  of any metric, k >= 2; for the cosine the separations ||u - u'|| are taken
/// @param fit         the linear fit gives the largest ratios, those of noise and outliers, less weight
/// @return > 0. Undefined, with the reason, for fewer than 3 rows without duplicates and where r2 = r1 in all of them.
///         The standard error accounts for neighbours that rows share; that of the linear fit is a jackknife over 20
///         groups of rows, undefined below 100 rows
/// @throws ShapeError when the table holds fewer than 2 neighbours of 3 or more rows
/// Cost: O(n), of the linear fit O(n log n).
/// Source: Facco, d'Errico, Rodriguez & Laio, Estimating the intrinsic dimension of datasets by a minimal neighborhood
/// information, 2017.
[[nodiscard]] inline DimensionEstimate two_nn(const Neighbours& neighbours,
                                              TwoNnFit fit = TwoNnFit::maximum_likelihood) {
  DimensionEstimate result;
  if (neighbours.count() < 3) {
    result.reason = fmt::format("{} rows; two neighbours of each need at least 3", neighbours.count());
    return result;
  }
  if (neighbours.k() < 2) {
    throw ShapeError(
        fmt::format("two_nn needs 2 neighbours of each row, the table holds {}; ask for k >= 2", neighbours.k()),
        neighbours.count(), neighbours.k());
  }
  result.k = 2;
  const metrics::InverseDimensions inverse = metrics::inverse_dimensions(neighbours, 2);
  result.rows = inverse.rows;
  if (inverse.rows < 3) {
    result.reason = inverse.rows == 0
                        ? std::string(metrics::no_distinct_rows)
                        : fmt::format("only {} rows have no duplicate; at least 3 are needed", inverse.rows);
    return result;
  }
  if (fit == TwoNnFit::linear) {
    metrics::fit_line(neighbours, inverse, result);
    return result;
  }
  double sum = 0.0;
  for (const double value : inverse.value) sum += value;
  if (!(sum > 0.0)) {
    result.reason = metrics::equal_distances;
    return result;
  }
  const double n = static_cast<double>(inverse.rows);
  result.value = (n - 1.0) / sum;
  result.standard_error = result.value * metrics::error_of_mean(neighbours, inverse, 2, sum / n) / (sum / n);
  return result;
}

/// Intrinsic dimension from the k nearest neighbours of each row, the maximum likelihood of a Poisson process:
/// d = 1 / mean_i m_i, m_i = sum_{j < k} ln(r_ik / r_ij) / (k - 1).
///
/// @param neighbours  of any metric; for the cosine the separations ||u - u'|| are taken
/// @param k           neighbours used, at least 2; all that the table holds where it holds fewer. A small k stays
///                    local, a large one has less variance
/// @return > 0. Undefined, with the reason, for fewer than 3 rows, where every row has a duplicate and where all
///         neighbours of each row are equally far
/// @throws OptionError for k < 2
/// Cost: O(n k^2).
/// Source: Levina & Bickel, Maximum likelihood estimation of intrinsic dimension, 2005, eq. 8; averaged as MacKay &
/// Ghahramani, Comments on it, 2005.
[[nodiscard]] inline DimensionEstimate mle_dimension(const Neighbours& neighbours, Index k = 20) {
  if (k < 2) throw OptionError(fmt::format("mle_dimension: k is {}; at least 2 neighbours are needed", k));
  DimensionEstimate result;
  result.k = std::min(k, neighbours.k());
  if (result.k < 2) {
    result.reason =
        fmt::format("{} neighbours of {} rows; at least 2 of each are needed", neighbours.k(), neighbours.count());
    return result;
  }
  const metrics::InverseDimensions inverse = metrics::inverse_dimensions(neighbours, result.k);
  result.rows = inverse.rows;
  if (inverse.rows == 0) {
    result.reason = metrics::no_distinct_rows;
    return result;
  }
  double sum = 0.0;
  for (const double value : inverse.value) sum += value;
  if (!(sum > 0.0)) {
    result.reason = metrics::equal_distances;
    return result;
  }
  const double mean = sum / static_cast<double>(inverse.rows);
  result.value = 1.0 / mean;
  result.standard_error = result.value * metrics::error_of_mean(neighbours, inverse, result.k, mean) / mean;
  return result;
}

/// Intrinsic dimension of the rows of Z from two neighbours; see two_nn(Neighbours, TwoNnFit).
///
/// @param Z        N x D embeddings
/// @param options  of the search, its metric among them
/// @param fit      maximum likelihood or the paper's line
/// @return > 0; undefined, with the reason, as there
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: that of neighbours(Z, 2).
template <class Derived>
[[nodiscard]] DimensionEstimate two_nn(const Eigen::DenseBase<Derived>& Z, const NeighbourOptions& options = {},
                                       TwoNnFit fit = TwoNnFit::maximum_likelihood) {
  return two_nn(neighbours(Z, 2, options), fit);
}

/// Intrinsic dimension of the rows of Z from k neighbours; see mle_dimension(Neighbours, Index).
///
/// @param Z        N x D embeddings
/// @param k        neighbours of each row, at least 2
/// @param options  of the search, its metric among them
/// @return > 0; undefined, with the reason, as there
/// @throws ShapeError, NonFiniteError as `moments`, OptionError for k < 2
/// Cost: that of neighbours(Z, k).
template <class Derived>
[[nodiscard]] DimensionEstimate mle_dimension(const Eigen::DenseBase<Derived>& Z, Index k = 20,
                                              const NeighbourOptions& options = {}) {
  return mle_dimension(neighbours(Z, std::max<Index>(k, 1), options), k);
}

}  // namespace collapse
