#pragma once

#include <collapse/report.hpp>
#include <collapse/statistics/pairs/modes.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace collapse {

/// Rows that are there more than once, exactly or nearly.
struct Duplicates {
  double duplicate_rows = undefined;    ///< [0, 1], rows that some other row equals but for rounding
  double near_duplicates = undefined;   ///< [0, 1], and those that some other row nearly equals
  std::optional<Index> distinct_modes;  ///< sets of rows that hang together by near duplicates, 1 to the rows
  double median_distance = undefined;   ///< between rows, in input units; ||u - u'|| for the cosine
  double near_distance = undefined;     ///< up to which rows are near duplicates
};

/// What near duplicates are. An aggregate: `duplicates(Z, {.near = 1e-2})`.
struct DuplicateOptions {
  Metric metric = Metric::euclidean;
  NonFinite nonfinite = NonFinite::reject;
  double near = 1e-3;      ///< share of the median distance up to which rows are near duplicates
  Index pair_rows = 512;   ///< the median is over all pairs among so many rows, drawn where there are more
  std::uint64_t seed = 0;  ///< of that sample
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const DuplicateOptions& options) {
  if (!(options.near >= 0.0 && options.near < 1.0)) {
    throw OptionError(
        fmt::format("near is {}; it is a share of the median distance, at least 0 and below 1", options.near));
  }
  if (options.pair_rows < 2) {
    throw OptionError(fmt::format("pair_rows is {}; at least 2 rows make a pair", options.pair_rows));
  }
}

/// Share of rows whose nearest neighbour is no farther than rounding may have put it:
/// ||z_i - z_j|| <= eps / 2 (||z_i|| + ||z_j||), eps of the input scalar; for the cosine eps + 2^-50, as directions are
/// formed in double.
///
/// @return [0, 1]; undefined for a single row
[[nodiscard]] inline double duplicate_rows(const Neighbours& neighbours) {
  if (neighbours.k() == 0) return undefined;
  Index count = 0;
  for (Index i = 0; i < neighbours.count(); ++i) count += neighbours.is_duplicate(i, 0) ? 1 : 0;
  return static_cast<double>(count) / static_cast<double>(neighbours.count());
}

/// Share of rows whose nearest neighbour lies within `distance`, duplicates included.
///
/// @param distance  in input units; ||u - u'|| for the cosine
/// @return [0, 1]; undefined for a single row
[[nodiscard]] inline double near_duplicates(const Neighbours& neighbours, double distance) {
  if (neighbours.k() == 0) return undefined;
  Index count = 0;
  for (Index i = 0; i < neighbours.count(); ++i) {
    count += neighbours.is_duplicate(i, 0) || neighbours.separation(i, 0) <= distance ? 1 : 0;
  }
  return static_cast<double>(count) / static_cast<double>(neighbours.count());
}

namespace metrics {

template <EmbeddingScalar Scalar>
[[nodiscard]] Duplicates duplicates(const statistics::Points<Scalar>& points, const Neighbours& neighbours,
                                    const DuplicateOptions& options) {
  Duplicates result;
  if (points.count() == 0) return result;
  result.duplicate_rows = duplicate_rows(neighbours);
  result.median_distance = statistics::median_separation(points, options.pair_rows, options.seed);
  result.near_distance = options.near * result.median_distance;
  result.near_duplicates = collapse::near_duplicates(neighbours, result.near_distance);
  result.distinct_modes =
      points.count() == 1 ? 1 : statistics::LinkedPoints<Scalar>(points, neighbours, result.near_distance).sets();
  return result;
}

}  // namespace metrics

/// Duplicates, near duplicates and the distinct modes that are left when near duplicates are taken as one.
///
/// Rows are near duplicates up to near_distance = 1e-3 of the median distance between rows (the share is an option), or
/// up to their rounding where that is more; distinct_modes counts the sets of rows that are connected by chains of such
/// links. When more than half of all pairs are equal the median is 0, and only rows equal but for rounding are linked.
/// @param Z        N x D embeddings
/// @param options  see DuplicateOptions
/// @return see Duplicates. Healthy: no duplicates, as many modes as rows; k clusters of copies have k modes. Undefined
///         for a single row, which is one mode, and, for the cosine, where all rows have length 0
/// @throws ShapeError, NonFiniteError as `moments`, OptionError
/// Cost: that of neighbours(Z, 20); the links are exact whatever the sizes of the clusters. Where clusters are larger
///       than they are far apart, up to N^2 D more.
template <class Derived>
[[nodiscard]] Duplicates duplicates(const Eigen::DenseBase<Derived>& Z, const DuplicateOptions& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  const linalg::MatrixView<typename Derived::Scalar> view = evaluated.view();
  const Rows rows = statistics::scan_rows(view, options.nonfinite);
  const statistics::Points<typename Derived::Scalar> points(view, rows, options.metric);
  return metrics::duplicates(points, statistics::neighbours(points, 20), options);
}

}  // namespace collapse
