#pragma once

#include <collapse/report/diagnosis.hpp>
#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <optional>
#include <string>
#include <vector>

namespace collapse {

/// One layer of a network.
struct Layer {
  std::string name;
  Index samples = 0;
  Index units = 0;
  double effective_rank = undefined;              ///< of the centred activations
  double effective_rank_ratio = undefined;        ///< over the largest rank possible
  double expected_effective_rank = undefined;     ///< of an isotropic Gaussian sample of this shape
  double effective_rank_vs_expected = undefined;  ///< healthy near 1, whatever the shape
  double dormant_fraction = undefined;            ///< [0, 1]; healthy 0
  Index dead_units = 0;
  double mean_cosine = undefined;  ///< healthy near 0; of activations that are never negative about 0.3
  Verdict verdict = Verdict::undetermined;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("name", &Layer::name, {.tells = "name of the layer"}));
    visit(field("samples", &Layer::samples, {.tells = "rows measured, N", .range = ">= 1"}));
    visit(field("units", &Layer::units, {.tells = "units, D", .range = ">= 1"}));
    visit(field("effective_rank", &Layer::effective_rank,
                {.tells = "directions that the centred activations use",
                 .range = "[1, m], 0 for equal rows",
                 .healthy = "`expected_effective_rank`",
                 .cost = "N D m",
                 .source = "Feng et al. 2022",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("effective_rank_ratio", &Layer::effective_rank_ratio,
                {.tells = "the same over the largest rank that the shape allows",
                 .range = "[0, 1]",
                 .healthy = "high",
                 .formula = "metrics/spectrum.hpp"}));
    visit(field("expected_effective_rank", &Layer::expected_effective_rank,
                {.tells = "effective rank of an isotropic Gaussian sample of this shape",
                 .range = "[1, m]",
                 .source = "Marchenko & Pastur 1967",
                 .formula = "metrics/marchenko_pastur.hpp"}));
    visit(field("effective_rank_vs_expected", &Layer::effective_rank_vs_expected,
                {.tells = "effective rank against that; its fall from layer to layer is the collapse",
                 .range = "[0, 1]",
                 .healthy = "near 1",
                 .formula = "metrics/spectrum.hpp"}));
    visit(field("dormant_fraction", &Layer::dormant_fraction,
                {.tells = "share of units that are hardly active",
                 .range = "[0, 1]",
                 .healthy = "0",
                 .cost = "N D",
                 .source = "Sokar et al. 2023",
                 .formula = "metrics/activations.hpp"}));
    visit(field("dead_units", &Layer::dead_units,
                {.tells = "units that are never active",
                 .range = "[0, D]",
                 .healthy = "0",
                 .formula = "metrics/activations.hpp"}));
    visit(field("mean_cosine", &Layer::mean_cosine,
                {.tells = "how alike the directions of the activations are",
                 .range = "[-1, 1]",
                 .healthy = "near 0; 0.3 where none is negative",
                 .formula = "metrics/cosine.hpp"}));
    visit(field("verdict", &Layer::verdict,
                {.tells = "whether the activations collapse, and in which way", .healthy = "healthy"}));
  }
};

/// The layers of a network, from its input to its output.
struct LayerProfile {
  std::vector<Layer> layers;
  std::optional<Index> first_collapsed;  ///< the first that is not healthy and whose verdict is known
  std::optional<Index> steepest;         ///< the one whose effective rank falls most against the layer before

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("layers", &LayerProfile::layers, {.tells = "the layers, from input to output"}));
    visit(field("first_collapsed", &LayerProfile::first_collapsed,
                {.tells = "place of the first layer that is not healthy", .range = ">= 0", .healthy = "none"}));
    visit(field("steepest", &LayerProfile::steepest,
                {.tells = "place of the layer whose effective rank falls most against the one before",
                 .range = ">= 1",
                 .source = "Feng et al. 2022"}));
  }
};

}  // namespace collapse
