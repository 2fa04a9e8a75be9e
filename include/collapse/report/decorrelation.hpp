#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <array>
#include <optional>

namespace collapse {

/// How far the dimensions repeat each other. Correlations are over pairs of dimensions that are not dead.
struct Decorrelation {
  double covariance_penalty = undefined;         ///< covariance term of VICReg
  double mean_abs_correlation = undefined;       ///< [0, 1]
  double rms_correlation = undefined;            ///< [0, 1]
  double max_abs_correlation = undefined;        ///< [0, 1]
  std::optional<std::array<Index, 2>> max_pair;  ///< the two columns that reach the maximum, first < second
  double redundancy = undefined;                 ///< mean squared correlation, [0, 1]
  double participation_ratio = undefined;        ///< of the correlation matrix: scale free, [1, D]

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("covariance_penalty", &Decorrelation::covariance_penalty,
                {.label = "covariance penalty",
                 .tells = "covariance term of VICReg: squared covariances of different dimensions over D",
                 .range = ">= 0",
                 .healthy = "small",
                 .cost = "N D m",
                 .source = "Bardes et al. 2022",
                 .formula = "metrics/decorrelation.hpp",
                 .resampled = true}));
    visit(field("mean_abs_correlation", &Decorrelation::mean_abs_correlation,
                {.label = "mean abs correlation",
                 .tells = "mean absolute correlation of two dimensions",
                 .range = "[0, 1]",
                 .healthy = "0.8 / sqrt(N)",
                 .formula = "metrics/decorrelation.hpp",
                 .resampled = true}));
    visit(field("rms_correlation", &Decorrelation::rms_correlation,
                {.label = "rms correlation",
                 .tells = "root mean square correlation of two dimensions",
                 .range = "[0, 1]",
                 .healthy = "1 / sqrt(N)",
                 .formula = "metrics/decorrelation.hpp",
                 .resampled = true}));
    visit(field("max_abs_correlation", &Decorrelation::max_abs_correlation,
                {.label = "max abs correlation",
                 .tells = "largest absolute correlation of two dimensions; 1: one repeats the other",
                 .range = "[0, 1]",
                 .healthy = "far below 1",
                 .formula = "metrics/decorrelation.hpp",
                 .resampled = true}));
    visit(field("max_pair", &Decorrelation::max_pair,
                {.label = "max pair",
                 .tells = "the two columns with this correlation, the first before the second",
                 .range = "[0, D)",
                 .formula = "metrics/decorrelation.hpp"}));
    visit(field("redundancy", &Decorrelation::redundancy,
                {.label = "redundancy",
                 .tells = "mean squared correlation: how far dimensions repeat each other",
                 .range = "[0, 1]",
                 .healthy = "1 / N",
                 .source = "Zbontar et al. 2021",
                 .formula = "metrics/decorrelation.hpp",
                 .resampled = true}));
    visit(
        field("participation_ratio", &Decorrelation::participation_ratio,
              {.label = "participation ratio",
               .tells = "directions that hold the variance of standardised dimensions: D / (1 + (D - 1) redundancy) of "
                        "the D that are not dead",
               .range = "[1, D]",
               .healthy = "many",
               .source = "Gao et al. 2017",
               .formula = "metrics/decorrelation.hpp",
               .resampled = true}));
  }
};

}  // namespace collapse
