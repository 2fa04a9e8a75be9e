#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <optional>

namespace collapse {

/// Spread of each dimension, ddof 1, in squared units of the input.
struct Variance {
  Eigen::VectorXd per_dimension;
  double min = undefined;
  double mean = undefined;
  double max = undefined;
  double median = undefined;
  double total = undefined;                  ///< trace of the covariance
  Index dead_dimensions = 0;                 ///< constant up to the rounding of the input scalar
  Index low_dimensions = 0;                  ///< std below 1 % of the root mean square std
  double hinge = undefined;                  ///< variance term of VICReg, [0, 1]; healthy near 0 at its scale
  double normalized_std = undefined;         ///< of the L2-normalised rows; healthy is 1 / sqrt(D)
  double dispersion = undefined;             ///< [0, 1], scale free; 0 is complete collapse
  double dispersion_of_others = undefined;   ///< the same without dead and dominant dimensions
  double duplicate_rows = undefined;         ///< share of rows that equal another bit for bit
  double largest_point = undefined;          ///< share of rows on the fullest point
  double largest_point_error = undefined;    ///< standard error of that share; 0 where all rows were looked at
  std::optional<Index> largest_point_row{};  ///< one of them; none where it is the origin, or in a stream
  Index crowded_points = 0;                  ///< points with a twentieth of the rows or more
  double crowded_rows = undefined;           ///< share of rows on these

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("per_dimension", &Variance::per_dimension,
                {.tells = "variance of each dimension, ddof 1",
                 .range = ">= 0",
                 .healthy = "none 0",
                 .cost = "N D",
                 .formula = "metrics/variance.hpp"}));
    visit(field("min", &Variance::min,
                {.label = "min",
                 .tells = "smallest variance of a dimension",
                 .range = ">= 0",
                 .healthy = "above 0",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("mean", &Variance::mean,
                {.label = "mean",
                 .tells = "mean variance of a dimension",
                 .range = ">= 0",
                 .healthy = "steady",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("max", &Variance::max,
                {.label = "max",
                 .tells = "largest variance of a dimension",
                 .range = ">= 0",
                 .healthy = "near the mean",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("median", &Variance::median,
                {.label = "median",
                 .tells = "median of the variances",
                 .range = ">= 0",
                 .healthy = "near the mean",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("total", &Variance::total,
                {.label = "total",
                 .tells = "sum of the variances, the trace of the covariance",
                 .range = ">= 0",
                 .healthy = "steady",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("dead_dimensions", &Variance::dead_dimensions,
                {.label = "dead dimensions",
                 .tells = "dimensions that are constant up to the rounding of the input",
                 .range = "[0, D]",
                 .healthy = "0",
                 .formula = "metrics/variance.hpp"}));
    visit(field("low_dimensions", &Variance::low_dimensions,
                {.label = "low dimensions",
                 .tells = "dimensions whose deviation is below 1 % of the root mean square of all",
                 .range = "[0, D]",
                 .healthy = "0",
                 .formula = "metrics/variance.hpp"}));
    visit(field("hinge", &Variance::hinge,
                {.label = "hinge",
                 .tells = "variance term of VICReg: how far deviations stay below 1",
                 .range = "[0, 1]",
                 .healthy = "0 at its scale",
                 .source = "Bardes et al. 2022",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("normalized_std", &Variance::normalized_std,
                {.label = "normalized std",
                 .tells = "spread of the directions: mean deviation of the L2-normalised rows",
                 .range = "[0, 1 / sqrt(D)]",
                 .healthy = "1 / sqrt(D)",
                 .source = "Chen & He 2021",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("dispersion", &Variance::dispersion,
                {.label = "dispersion",
                 .tells = "variance as a share of the mean squared length; 0 is complete collapse",
                 .range = "[0, 1]",
                 .healthy = "not near 0",
                 .formula = "metrics/variance.hpp",
                 .resampled = true}));
    visit(field("dispersion_of_others", &Variance::dispersion_of_others,
                {.tells = "dispersion without dead dimensions and those in `cosine.dominant_dimensions`",
                 .range = "[0, 1]",
                 .healthy = "not near 0",
                 .formula = "metrics/dominant_dimensions.hpp"}));
    visit(field("duplicate_rows", &Variance::duplicate_rows,
                {.label = "duplicate rows",
                 .tells = "share of rows that equal another bit for bit; of the row sample in a stream",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .cost = "N D",
                 .formula = "statistics/rows/crowds.hpp"}));
    visit(field("largest_point", &Variance::largest_point,
                {.label = "largest point",
                 .tells = "share of rows on the fullest point, up to a fiftieth of a deviation; of the row sample in a "
                          "stream",
                 .range = "(0, 1]",
                 .healthy = "1 / N",
                 .cost = "N D",
                 .formula = "statistics/rows/crowds.hpp"}));
    visit(field("largest_point_error", &Variance::largest_point_error,
                {.tells = "standard error of largest_point",
                 .range = "[0, 0.5]",
                 .healthy = "0, all rows were looked at",
                 .formula = "streams/points.hpp"}));
    visit(field("largest_point_row", &Variance::largest_point_row,
                {.tells = "the first of these rows; none where it is one alone or the origin, and in a stream",
                 .range = "[0, N)",
                 .formula = "statistics/rows/crowds.hpp"}));
    visit(field("crowded_points", &Variance::crowded_points,
                {.tells = "points that hold a twentieth of the rows or more",
                 .range = "[0, 20]",
                 .healthy = "0",
                 .formula = "statistics/rows/crowds.hpp"}));
    visit(field("crowded_rows", &Variance::crowded_rows,
                {.tells = "share of rows on these points",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .formula = "statistics/rows/crowds.hpp"}));
  }
};

}  // namespace collapse
