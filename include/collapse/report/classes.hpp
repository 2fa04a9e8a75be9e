#pragma once

#include <collapse/report/diagnosis.hpp>
#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <vector>

namespace collapse {

/// Each class by itself: one can collapse while the whole looks healthy.
struct PerClass {
  std::vector<std::int64_t> label;             ///< ascending
  std::vector<Index> samples;                  ///< rows that its numbers here come from
  Eigen::VectorXd variance;                    ///< mean squared distance of these from their mean
  Eigen::VectorXd effective_rank;              ///< of the rows of the class about their mean; 0 when they are all equal
  Eigen::VectorXd effective_rank_ratio;        ///< over the largest rank possible, min(N_c - 1, D)
  Eigen::VectorXd expected_effective_rank;     ///< of an isotropic Gaussian sample of N_c rows
  Eigen::VectorXd effective_rank_vs_expected;  ///< healthy near 1, whatever N_c
  std::optional<std::int64_t> worst;           ///< label with the smallest effective_rank_vs_expected

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("label", &PerClass::label, {.tells = "labels of the classes, ascending"}));
    visit(field("samples", &PerClass::samples,
                {.tells = "rows that the numbers of each class come from", .range = ">= 1"}));
    visit(field("variance", &PerClass::variance,
                {.tells = "mean squared distance of the rows of a class from their mean",
                 .range = ">= 0",
                 .healthy = "as the median class",
                 .cost = "N D",
                 .formula = "statistics/sums/class_means.hpp"}));
    visit(field("effective_rank", &PerClass::effective_rank,
                {.tells = "directions that the rows of a class use",
                 .range = "[1, min(N_c - 1, D)], 0 for equal rows",
                 .healthy = "`expected_effective_rank`",
                 .cost = "N D m",
                 .source = "Roy & Vetterli 2007",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("effective_rank_ratio", &PerClass::effective_rank_ratio,
                {.tells = "the same over the largest rank that N_c rows allow",
                 .range = "[0, 1]",
                 .healthy = "high",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("expected_effective_rank", &PerClass::expected_effective_rank,
                {.tells = "effective rank of an isotropic Gaussian sample of N_c rows",
                 .range = "[1, min(N_c - 1, D)]",
                 .source = "Marchenko & Pastur 1967",
                 .formula = "metrics/marchenko_pastur.hpp"}));
    visit(field("effective_rank_vs_expected", &PerClass::effective_rank_vs_expected,
                {.tells = "one class that collapses while the whole does not",
                 .range = "[0, 1]",
                 .healthy = "near 1",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("worst", &PerClass::worst, {.tells = "label of the class where this is smallest"}));
  }
};

/// What labels tell about embeddings. A number that is undefined is NaN, and `findings` say why.
struct ClassCollapse {
  Index samples = 0;  ///< labelled rows measured
  Index dims = 0;
  Index classes = 0;
  Index unlabelled_rows = 0;           ///< rows left out for a label that means none
  Index skipped_rows = 0;              ///< rows dropped for a non-finite value (NonFinite::skip_rows)
  double input_epsilon = 0.0;          ///< machine epsilon of the scalar that the embeddings came in
  double nc1 = undefined;              ///< tr(S_W pinv(S_B)) / K; 0 is complete collapse within each class
  double nc1_ratio = undefined;        ///< tr S_W / tr S_B
  double cdnv = undefined;             ///< class-distance normalised variance
  double nc2_equinorm = undefined;     ///< 0 when the class means are equally far from their mean
  double nc2_equiangular = undefined;  ///< 0 when all angles between them are equal
  double nc2_max_angle = undefined;    ///< 0 when these are as wide as they can be
  double nc3 = undefined;              ///< [0, 2], 0 when the classifier is the class means; needs one
  double nc4 = undefined;              ///< [0, 1], share of rows predicted otherwise than by the nearest class mean
  double class_effective_rank = undefined;     ///< of the class means, [1, min(K - 1, D)]
  double centroid_cosine = undefined;          ///< mean cosine between class means, from the origin
  double centroid_cosine_centred = undefined;  ///< the same from their common mean; -1 / (K - 1) when spread evenly
  double lidar = undefined;                    ///< [1, min(K - 1, D)]
  PerClass per_class;
  double silhouette = undefined;                   ///< [-1, 1], Euclidean; on demand
  double silhouette_cosine = undefined;            ///< [-1, 1], with 1 - cos; on demand
  double knn_accuracy = undefined;                 ///< [0, 1], by cosine, each row left out; on demand
  double linear_probe_accuracy = undefined;        ///< [0, 1], each row left out of its fit; on demand
  double linear_probe_train_accuracy = undefined;  ///< [0, 1], of the rows that were fitted; on demand
  Index sampled_rows = 0;                          ///< rows behind nc4, per_class, silhouettes, k-NN and linear probe
  bool exact = false;                              ///< true when these are all rows
  std::vector<Finding> findings;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("samples", &ClassCollapse::samples, {.tells = "labelled rows measured, N", .range = ">= 1"}));
    visit(field("dims", &ClassCollapse::dims, {.tells = "dimensions, D", .range = ">= 1"}));
    visit(field("classes", &ClassCollapse::classes, {.tells = "classes, K", .range = ">= 1"}));
    visit(field("unlabelled_rows", &ClassCollapse::unlabelled_rows,
                {.tells = "rows left out for a label that means none", .range = ">= 0"}));
    visit(field(
        "skipped_rows", &ClassCollapse::skipped_rows,
        {.tells = "rows left out for a NaN or an infinity (NonFinite::skip_rows)", .range = ">= 0", .healthy = "0"}));
    visit(field("input_epsilon", &ClassCollapse::input_epsilon,
                {.tells = "machine epsilon of the scalar that the embeddings came in", .range = "> 0"}));
    visit(field("nc1", &ClassCollapse::nc1,
                {.label = "NC1",
                 .remark = "within over between; 0 is collapse",
                 .tells = "spread within classes against that between them; 0 is collapse of each class",
                 .range = ">= 0",
                 .healthy = "not near 0",
                 .cost = "D^2 min(K, D)",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc1_ratio", &ClassCollapse::nc1_ratio,
                {.label = "  ratio of traces",
                 .tells = "the same as a ratio of the two traces",
                 .range = ">= 0",
                 .healthy = "not near 0",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("cdnv", &ClassCollapse::cdnv,
                {.label = "CDNV",
                 .remark = "spread over distance of two classes",
                 .tells = "spread of two classes over their squared distance",
                 .range = ">= 0",
                 .healthy = "not near 0",
                 .source = "Galanti et al. 2022",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc2_equinorm", &ClassCollapse::nc2_equinorm,
                {.label = "NC2 equal norms",
                 .remark = "0: class means equally far out",
                 .tells = "how unequally far class means are from their common mean",
                 .range = ">= 0",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc2_equiangular", &ClassCollapse::nc2_equiangular,
                {.label = "  equal angles",
                 .remark = "0: all angles between them equal",
                 .tells = "how unequal the angles between class means are",
                 .range = ">= 0",
                 .cost = "K^2 D",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc2_max_angle", &ClassCollapse::nc2_max_angle,
                {.label = "  widest angles",
                 .remark = "0: as wide as can be",
                 .tells = "how far these are from the widest possible",
                 .range = ">= 0",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc3", &ClassCollapse::nc3,
                {.label = "NC3",
                 .remark = "0: the classifier is the class means",
                 .tells = "classifier against class means",
                 .range = "[0, 2]",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("nc4", &ClassCollapse::nc4,
                {.label = "NC4",
                 .remark = "share not predicted by nearest mean",
                 .tells = "share of rows that are predicted otherwise than by the nearest class mean",
                 .range = "[0, 1]",
                 .cost = "N K D",
                 .source = "Papyan et al. 2020",
                 .formula = "metrics/neural_collapse.hpp"}));
    visit(field("class_effective_rank", &ClassCollapse::class_effective_rank,
                {.label = "class effective rank",
                 .remark = "of the class means",
                 .tells = "directions among class means",
                 .range = "[1, min(K - 1, D)]",
                 .healthy = "high",
                 .cost = "K^2 D",
                 .source = "Roy & Vetterli 2007",
                 .formula = "metrics/class_separation.hpp"}));
    visit(field("centroid_cosine", &ClassCollapse::centroid_cosine,
                {.label = "centroid cosine",
                 .remark = "between class means, from the origin",
                 .tells = "how alike class means are: mean cosine, from the origin",
                 .range = "[-1, 1]",
                 .healthy = "low",
                 .formula = "metrics/class_separation.hpp"}));
    visit(field("centroid_cosine_centred", &ClassCollapse::centroid_cosine_centred,
                {.label = "  from the common mean",
                 .remark = "-1 / (K - 1) when spread evenly",
                 .tells = "the same from the mean of the class means",
                 .range = "[-1, 1]",
                 .healthy = "-1 / (K - 1)",
                 .formula = "metrics/class_separation.hpp"}));
    visit(field("lidar", &ClassCollapse::lidar,
                {.label = "LiDAR",
                 .remark = "directions that tell classes apart",
                 .tells = "directions that tell objects apart",
                 .range = "[1, min(K - 1, D)]",
                 .healthy = "high",
                 .cost = "D^3 / 3",
                 .source = "Thilak et al. 2024",
                 .formula = "metrics/lidar.hpp"}));
    visit(field("per_class", &ClassCollapse::per_class, {.tells = "each class by itself"}));
    visit(field("silhouette", &ClassCollapse::silhouette,
                {.label = "silhouette",
                 .remark = "-1 to 1",
                 .tells = "separation of the classes",
                 .range = "[-1, 1]",
                 .healthy = "high",
                 .cost = "N^2 D",
                 .source = "Rousseeuw 1987",
                 .formula = "metrics/class_separation.hpp",
                 .on_demand = true}));
    visit(field("silhouette_cosine", &ClassCollapse::silhouette_cosine,
                {.label = "  by cosine",
                 .tells = "the same with 1 - cos as the distance",
                 .range = "[-1, 1]",
                 .healthy = "high",
                 .cost = "N^2 D",
                 .source = "Rousseeuw 1987",
                 .formula = "metrics/class_separation.hpp",
                 .on_demand = true}));
    visit(field("knn_accuracy", &ClassCollapse::knn_accuracy,
                {.label = "k-NN accuracy",
                 .remark = "each row left out",
                 .tells = "share of rows whose label their nearest neighbours give",
                 .range = "[0, 1]",
                 .healthy = "high",
                 .cost = "N^2 D",
                 .formula = "metrics/class_separation.hpp",
                 .on_demand = true}));
    visit(field("linear_probe_accuracy", &ClassCollapse::linear_probe_accuracy,
                {.label = "linear probe accuracy",
                 .remark = "each row left out",
                 .tells = "share of rows whose label ridge regression on the others gives",
                 .range = "[0, 1]",
                 .healthy = "high",
                 .cost = "N D^2",
                 .formula = "metrics/linear_probe.hpp",
                 .on_demand = true}));
    visit(field("linear_probe_train_accuracy", &ClassCollapse::linear_probe_train_accuracy,
                {.label = "  of the fitted rows",
                 .tells = "the same of the rows that were fitted",
                 .range = "[0, 1]",
                 .healthy = "little above that",
                 .formula = "metrics/linear_probe.hpp",
                 .on_demand = true}));
    visit(field("sampled_rows", &ClassCollapse::sampled_rows,
                {.tells = "rows behind nc4, per_class, silhouettes, k-NN and linear probe", .range = "[0, N]"}));
    visit(field("exact", &ClassCollapse::exact, {.tells = "whether these are all rows", .range = "true, false"}));
    visit(field("findings", &ClassCollapse::findings, {.tells = "which numbers are undefined, and why"}));
  }
};

}  // namespace collapse
