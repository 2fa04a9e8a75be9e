#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/metric.hpp>
#include <collapse/report/path.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <optional>
#include <string>
#include <vector>

namespace collapse {

/// Number of coordinates that the rows vary in locally.
struct IntrinsicDimension {
  double two_nn = undefined;  ///< from the two nearest neighbours
  double two_nn_standard_error = undefined;
  double mle = undefined;  ///< from the mle_k nearest neighbours
  double mle_standard_error = undefined;
  Index mle_k = 0;  ///< neighbours used: fewer than asked for where there are not as many rows
  Index rows = 0;   ///< rows without a duplicate, on which both rest

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("two_nn", &IntrinsicDimension::two_nn,
                {.label = "intrinsic dimension",
                 .remark = "from two neighbours",
                 .tells = "coordinates that rows vary in locally, from two neighbours of each",
                 .range = "> 0",
                 .cost = "N^2 D",
                 .source = "Facco et al. 2017",
                 .formula = "metrics/intrinsic_dimension.hpp"}));
    visit(field("two_nn_standard_error", &IntrinsicDimension::two_nn_standard_error,
                {.tells = "its standard error", .range = ">= 0", .formula = "metrics/intrinsic_dimension.hpp"}));
    visit(field("mle", &IntrinsicDimension::mle,
                {.label = "  by likelihood",
                 .remark = "from more neighbours",
                 .tells = "the same from more neighbours, by maximum likelihood",
                 .range = "> 0",
                 .source = "Levina & Bickel 2005, MacKay & Ghahramani 2005",
                 .formula = "metrics/intrinsic_dimension.hpp"}));
    visit(field("mle_standard_error", &IntrinsicDimension::mle_standard_error,
                {.tells = "its standard error", .range = ">= 0", .formula = "metrics/intrinsic_dimension.hpp"}));
    visit(field("mle_k", &IntrinsicDimension::mle_k, {.tells = "neighbours of each row used", .range = ">= 0"}));
    visit(field("rows", &IntrinsicDimension::rows,
                {.tells = "rows without a duplicate, on which both rest", .range = "[0, N]", .healthy = "N"}));
  }
};

/// Why a number is undefined.
struct Undefined {
  MetricPath metric;
  std::string reason;
};

/// What `neighbourhood` returns: a plain aggregate. Undefined numbers are NaN, and `undefined_numbers` says why.
struct Neighbourhood {
  Index samples = 0;  ///< rows that take part
  Index dims = 0;
  Metric metric = Metric::euclidean;
  IntrinsicDimension intrinsic_dimension;
  double hubness = undefined;  ///< skewness of the k-occurrence; near 0 healthy
  Index hubness_k = 0;         ///< neighbours used
  Eigen::Matrix<Index, Eigen::Dynamic, 1> k_occurrence;
  double duplicate_rows = undefined;    ///< [0, 1]
  double near_duplicates = undefined;   ///< [0, 1]
  std::optional<Index> distinct_modes;  ///< 1 to samples
  double median_distance = undefined;   ///< in input units; ||u - u'|| for the cosine
  Index zero_rows = 0;                  ///< rows of length 0: for the cosine they take no part
  Index skipped_rows = 0;               ///< rows dropped for a non-finite value
  std::vector<Undefined> undefined_numbers;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("samples", &Neighbourhood::samples, {.tells = "rows that take part, N", .range = ">= 0"}));
    visit(field("dims", &Neighbourhood::dims, {.tells = "dimensions, D", .range = ">= 1"}));
    visit(field("metric", &Neighbourhood::metric, {.tells = "distance between rows", .range = "euclidean, cosine"}));
    visit(field("intrinsic_dimension", &Neighbourhood::intrinsic_dimension,
                {.tells = "coordinates that rows vary in locally"}));
    visit(field("hubness", &Neighbourhood::hubness,
                {.label = "hubness",
                 .tells = "rows that are near to everything: skewness of the k-occurrence",
                 .range = "any",
                 .healthy = "below 1",
                 .source = "Radovanovic et al. 2010",
                 .formula = "metrics/hubness.hpp"}));
    visit(field("hubness_k", &Neighbourhood::hubness_k, {.tells = "neighbours of each row used", .range = ">= 0"}));
    visit(field("k_occurrence", &Neighbourhood::k_occurrence,
                {.tells = "among the k nearest of how many rows each row is",
                 .range = ">= 0",
                 .healthy = "around k",
                 .formula = "metrics/hubness.hpp"}));
    visit(field("duplicate_rows", &Neighbourhood::duplicate_rows,
                {.label = "duplicate rows",
                 .remark = "share; healthy 0",
                 .tells = "share of rows whose nearest neighbour is the same up to rounding",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .formula = "metrics/duplicates.hpp"}));
    visit(field("near_duplicates", &Neighbourhood::near_duplicates,
                {.label = "near duplicates",
                 .remark = "share; healthy 0",
                 .tells = "share of rows with a neighbour within 1/1000 of the median distance",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .formula = "metrics/duplicates.hpp"}));
    visit(field("distinct_modes", &Neighbourhood::distinct_modes,
                {.label = "distinct modes",
                 .remark = "healthy: as many as rows",
                 .tells = "clusters of rows linked within that distance",
                 .range = "[1, N]",
                 .healthy = "N",
                 .formula = "statistics/pairs/modes.hpp"}));
    visit(field("median_distance", &Neighbourhood::median_distance,
                {.label = "median distance",
                 .tells = "median distance of two rows",
                 .range = ">= 0",
                 .healthy = "steady",
                 .formula = "statistics/pairs/pair_distances.hpp"}));
    visit(field("zero_rows", &Neighbourhood::zero_rows,
                {.label = "zero rows",
                 .tells = "rows of length 0; for the cosine they take no part",
                 .range = ">= 0",
                 .healthy = "0"}));
    visit(field("skipped_rows", &Neighbourhood::skipped_rows,
                {.label = "skipped rows",
                 .tells = "rows left out for a NaN or an infinity (NonFinite::skip_rows)",
                 .range = ">= 0",
                 .healthy = "0"}));
    visit(field("undefined_numbers", &Neighbourhood::undefined_numbers,
                {.tells = "which numbers are undefined, and why"}));
  }
};

}  // namespace collapse
