#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

namespace collapse {

/// Spread of each dimension, ddof 1, in squared units of the input.
struct Variance {
  Eigen::VectorXd per_dimension;
  double min = undefined;
  double mean = undefined;
  double max = undefined;
  double median = undefined;
  double total = undefined;           ///< trace of the covariance
  Index dead_dimensions = 0;          ///< constant up to the rounding of the input scalar
  Index low_dimensions = 0;           ///< std below 1 % of the root mean square std
  double hinge = undefined;           ///< variance term of VICReg, [0, 1]; healthy near 0 at its scale
  double normalized_std = undefined;  ///< of the L2-normalised rows; healthy is 1 / sqrt(D)
  double dispersion = undefined;      ///< [0, 1], scale free; 0 is complete collapse

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
  }
};

}  // namespace collapse
