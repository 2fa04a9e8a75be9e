#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <vector>

namespace collapse {

/// Lengths of the rows, ||z_i||, in the units of the input.
struct Norms {
  double mean = undefined;
  double std = undefined;  ///< ddof 0
  double min = undefined;
  double max = undefined;
  Index zero_rows = 0;                ///< rows of length 0: they have no direction and take no part in any cosine
  Index skipped_rows = 0;             ///< rows dropped for a non-finite value (NonFinite::skip_rows)
  std::vector<Index> outlier_rows{};  ///< few rows that hold most of the sum of squares; of the row sample in a stream
  double outlier_share = undefined;   ///< of the sum of squared lengths that these hold

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("mean", &Norms::mean,
                {.label = "mean",
                 .tells = "mean length of the rows",
                 .range = ">= 0",
                 .healthy = "steady",
                 .cost = "N D",
                 .formula = "metrics/norms.hpp",
                 .resampled = true}));
    visit(field("std", &Norms::std,
                {.label = "std",
                 .tells = "standard deviation of the lengths, ddof 0",
                 .range = ">= 0",
                 .healthy = "steady",
                 .formula = "metrics/norms.hpp",
                 .resampled = true}));
    visit(field("min", &Norms::min,
                {.label = "min",
                 .tells = "shortest row",
                 .range = ">= 0",
                 .healthy = "above 0",
                 .formula = "metrics/norms.hpp"}));
    visit(field("max", &Norms::max,
                {.label = "max",
                 .tells = "longest row",
                 .range = ">= 0",
                 .healthy = "steady",
                 .formula = "metrics/norms.hpp"}));
    visit(field("zero_rows", &Norms::zero_rows,
                {.label = "zero rows",
                 .tells = "rows of length 0; they have no direction and take no part in any cosine",
                 .range = "[0, N]",
                 .healthy = "0",
                 .formula = "statistics/rows/rows.hpp"}));
    visit(field("skipped_rows", &Norms::skipped_rows,
                {.label = "skipped rows",
                 .tells = "rows left out for a NaN or an infinity (NonFinite::skip_rows)",
                 .range = ">= 0",
                 .healthy = "0",
                 .formula = "statistics/rows/rows.hpp"}));
    visit(field("outlier_rows", &Norms::outlier_rows,
                {.tells = "few rows that are so long that they alone make the numbers of all; in a stream, places in "
                          "its sample of rows",
                 .range = "[0, N)",
                 .healthy = "none",
                 .formula = "statistics/rows/outliers.hpp"}));
    visit(field("outlier_share", &Norms::outlier_share,
                {.label = "outlier share",
                 .tells = "share of the sum of squared lengths that these rows hold",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .formula = "statistics/rows/outliers.hpp"}));
  }
};

}  // namespace collapse
