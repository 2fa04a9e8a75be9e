#pragma once

#include <collapse/report/confidence.hpp>
#include <collapse/report/cosine.hpp>
#include <collapse/report/decorrelation.hpp>
#include <collapse/report/diagnosis.hpp>
#include <collapse/report/isotropy.hpp>
#include <collapse/report/norms.hpp>
#include <collapse/report/spectrum.hpp>
#include <collapse/report/undefined.hpp>
#include <collapse/report/variance.hpp>

#include <vector>

/// What `measure` returns: plain aggregates. Each block lists its numbers in `fields`, under the names of their JSON
/// keys; see report/field.hpp. A number that is undefined for the input is NaN (an index or a count: `std::nullopt`),
/// never 0 or 1 by accident, and the findings of the diagnosis say why.
namespace collapse {

/// Everything that one pass over the embeddings tells.
struct Report {
  Index samples = 0;  ///< rows measured (skipped rows not counted)
  Index dims = 0;
  double input_epsilon = 0.0;  ///< machine epsilon of the scalar that the embeddings came in
  Norms norms;
  Cosine cosine;
  Variance variance;
  Decorrelation decorrelation;
  Spectrum spectrum;             ///< of the centred rows
  Spectrum spectrum_uncentered;  ///< of the rows as they are; its effective rank is RankMe
  Diagnosis diagnosis;
  Confidence confidence;  ///< see Options::resamples
  /// The same of all rows but `norms.outlier_rows`, where there are any; none otherwise. Shape and cosines are judged
  /// by it. No part of the catalogue.
  std::vector<Report> without_outliers;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("samples", &Report::samples, {.tells = "rows measured, N", .range = ">= 1"}));
    visit(field("dims", &Report::dims, {.tells = "dimensions, D", .range = ">= 1"}));
    visit(field("input_epsilon", &Report::input_epsilon,
                {.tells = "machine epsilon of the scalar that the embeddings came in", .range = "> 0"}));
    visit(field("norms", &Report::norms, {.tells = "lengths of the rows", .resampled = true}));
    visit(field("cosine", &Report::cosine, {.tells = "cosines of pairs of rows", .resampled = true}));
    visit(field("variance", &Report::variance, {.tells = "spread of the dimensions", .resampled = true}));
    visit(field("decorrelation", &Report::decorrelation,
                {.tells = "how far dimensions repeat each other", .resampled = true}));
    visit(field("spectrum", &Report::spectrum,
                {.tells = "singular values of the centred rows, and their shape", .resampled = true}));
    visit(field("spectrum_uncentered", &Report::spectrum_uncentered,
                {.tells = "the same of the rows as they are; its effective rank is RankMe",
                 .source = "Garrido et al. 2023",
                 .repeats = "spectrum",
                 .resampled = true}));
    visit(field("diagnosis", &Report::diagnosis, {.tells = "verdict and findings"}));
    visit(field("confidence", &Report::confidence,
                {.tells = "standard errors and intervals of the numbers (`Options::resamples`)", .on_demand = true}));
  }
};

}  // namespace collapse
