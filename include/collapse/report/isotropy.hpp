#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <cstdint>

namespace collapse {

/// How evenly the embeddings fill the space, and how many different ones there seem to be. On demand, by `isotropy`.
struct Isotropy {
  double uniformity = undefined;                 ///< Wang & Isola 2020, [-8, 0]; 0 is complete collapse
  double uniformity_standard_error = undefined;  ///< 0 when exact
  std::int64_t pairs = 0;                        ///< pairs behind it, those of the quantiles of the cosine
  Index sampled_rows = 0;                        ///< rows these come from
  bool exact = false;                            ///< true when these are all rows
  double isoscore = undefined;                   ///< Rudman et al. 2022, [0, 1]; 0 is a line
  double vendi_score = undefined;                ///< Friedman & Dieng 2023, order 1, [1, min(M, D)]
  double vendi_score_2 = undefined;              ///< order 2
  double vendi_score_inf = undefined;            ///< order infinity
  double vendi_ratio = undefined;                ///< of order 1 over min(M, D), (0, 1]
  double self_cluster = undefined;               ///< Tsitsulin et al. 2023, <= 1; 0 uniform, 1 collapsed
  double coherence = undefined;                  ///< Tsitsulin et al. 2023, [1, N / rank]; healthy near 1
  double partition_isotropy = undefined;         ///< Mu & Viswanath 2018, [0, 1]; healthy 1
  double log_partition_isotropy = undefined;     ///< its logarithm, where it is too small for a double

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("uniformity", &Isotropy::uniformity,
                {.label = "uniformity",
                 .remark = "0 is collapse, down to -4 spread out",
                 .tells = "how evenly directions fill the sphere",
                 .range = "[-8, 0]",
                 .healthy = "-4 + 8 / D",
                 .cost = "min(N, 4096)^2 D",
                 .source = "Wang & Isola 2020",
                 .formula = "metrics/uniformity.hpp"}));
    visit(field("uniformity_standard_error", &Isotropy::uniformity_standard_error,
                {.tells = "its standard error; 0 where all pairs were taken",
                 .range = ">= 0",
                 .healthy = "small",
                 .formula = "metrics/uniformity.hpp"}));
    visit(field("pairs", &Isotropy::pairs,
                {.tells = "pairs behind it", .range = ">= 0", .formula = "statistics/pairs/pair_selection.hpp"}));
    visit(field("sampled_rows", &Isotropy::sampled_rows,
                {.tells = "rows that these pairs come from",
                 .range = "[0, N]",
                 .formula = "statistics/pairs/pair_selection.hpp"}));
    visit(field("exact", &Isotropy::exact, {.tells = "whether these are all rows", .range = "true, false"}));
    visit(field("isoscore", &Isotropy::isoscore,
                {.label = "isoscore",
                 .remark = "0 one line, 1 alike in all directions",
                 .tells = "share of dimensions in use",
                 .range = "[0, 1]",
                 .healthy = "near 1",
                 .source = "Rudman et al. 2022",
                 .formula = "metrics/isoscore.hpp"}));
    visit(field("vendi_score", &Isotropy::vendi_score,
                {.label = "vendi score",
                 .remark = "how many rows differ, as it were",
                 .tells = "how many different rows there seem to be",
                 .range = "[1, m]",
                 .healthy = "many",
                 .cost = "m^3",
                 .source = "Friedman & Dieng 2023",
                 .formula = "metrics/vendi.hpp"}));
    visit(field("vendi_score_2", &Isotropy::vendi_score_2,
                {.label = "  order 2",
                 .tells = "the same, common rows counting more",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Friedman & Dieng 2023",
                 .formula = "metrics/vendi.hpp"}));
    visit(field("vendi_score_inf", &Isotropy::vendi_score_inf,
                {.label = "  order infinity",
                 .tells = "the same of the most common direction alone",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Friedman & Dieng 2023",
                 .formula = "metrics/vendi.hpp"}));
    visit(field("vendi_ratio", &Isotropy::vendi_ratio,
                {.label = "  / largest possible",
                 .remark = "0 to 1",
                 .tells = "Vendi score over the most that the shape allows",
                 .range = "(0, 1]",
                 .healthy = "near 1",
                 .formula = "metrics/vendi.hpp"}));
    visit(field("self_cluster", &Isotropy::self_cluster,
                {.label = "self cluster",
                 .remark = "0 uniform, 1 one point",
                 .tells = "directions that cluster",
                 .range = "<= 1",
                 .healthy = "0",
                 .source = "Tsitsulin et al. 2023",
                 .formula = "metrics/self_cluster.hpp"}));
    visit(field("coherence", &Isotropy::coherence,
                {.label = "coherence",
                 .remark = "healthy near 1, high if few rows rule",
                 .tells = "whether few rows set the directions",
                 .range = "[1, N / rank]",
                 .healthy = "near 1",
                 .cost = "3 N D m",
                 .source = "Tsitsulin et al. 2023",
                 .formula = "metrics/coherence.hpp"}));
    visit(field("partition_isotropy", &Isotropy::partition_isotropy,
                {.label = "partition isotropy",
                 .remark = "1 the same seen from all sides",
                 .tells = "whether all sides look alike",
                 .range = "[0, 1]",
                 .healthy = "1",
                 .cost = "9 m^3",
                 .source = "Mu & Viswanath 2018",
                 .formula = "metrics/partition_isotropy.hpp"}));
    visit(field("log_partition_isotropy", &Isotropy::log_partition_isotropy,
                {.tells = "its logarithm, where it is too small for a double",
                 .range = "<= 0",
                 .healthy = "0",
                 .formula = "metrics/partition_isotropy.hpp"}));
  }
};

}  // namespace collapse
