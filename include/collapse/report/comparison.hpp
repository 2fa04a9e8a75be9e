#pragma once

#include <collapse/report.hpp>

#include <vector>

namespace collapse {

/// What two views of the same inputs share: S = (C_ab + C_ab^T) / 2, with C_ab the covariance of one view with the other.
/// What is not shared was made by the augmentation, by dropout, or by the encoder itself. Undefined where the views differ
/// in dimensions.
struct Signal {
  double share = undefined;  ///< tr S / ((tr C_a + tr C_b) / 2), [-1, 1]; 1 for identical views
  double share_standard_error = undefined;
  double independent_share = undefined;  ///< root mean square share of independent views of this N with these spectra
  double effective_rank = undefined;     ///< exp of the entropy of the positive eigenvalues of S
  double independent_effective_rank = undefined;       ///< of independent isotropic views of this N and D
  double participation_ratio = undefined;              ///< (tr S)^2 / ||S||_F^2, [0, D]
  double independent_participation_ratio = undefined;  ///< of independent isotropic views of this D
  double symmetry = undefined;  ///< tr(C_ab C_ab) / ||C_ab||_F^2, [-1, 1]; near 0 where the views have other axes

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("share", &Signal::share,
                {.label = "shared variance",
                 .remark = "of each view; the rest is noise",
                 .tells = "share of the variance that both views have in common; the rest was made by the augmentation",
                 .range = "[-1, 1]",
                 .healthy = "most of it",
                 .cost = "N D",
                 .formula = "metrics/signal.hpp"}));
    visit(field("share_standard_error", &Signal::share_standard_error,
                {.label = "  standard error",
                 .tells = "its standard error",
                 .range = ">= 0",
                 .formula = "metrics/signal.hpp"}));
    visit(field("independent_share", &Signal::independent_share,
                {.label = "  of independent views",
                 .tells = "what the share of independent views of this N would be, up to its sign",
                 .range = "[0, 1]",
                 .formula = "metrics/signal.hpp"}));
    visit(field("effective_rank", &Signal::effective_rank,
                {.label = "shared effective rank",
                 .remark = "directions of what is shared",
                 .tells = "directions that tell inputs apart whatever the augmentation",
                 .range = "[1, D]",
                 .healthy = "several",
                 .cost = "N D^2 + D^3",
                 .source = "Roy & Vetterli 2007",
                 .formula = "metrics/signal.hpp"}));
    visit(field("independent_effective_rank", &Signal::independent_effective_rank,
                {.label = "  of independent views",
                 .tells = "what independent isotropic views of this N and D would have",
                 .range = "[1, D]",
                 .source = "Voiculescu 1986",
                 .formula = "metrics/signal.hpp"}));
    visit(field("participation_ratio", &Signal::participation_ratio,
                {.label = "  participation ratio",
                 .tells = "the same, by squares of eigenvalues; noise takes from it and does not add to it",
                 .range = "[0, D]",
                 .healthy = "several",
                 .source = "Gao et al. 2017",
                 .formula = "metrics/signal.hpp"}));
    visit(field("independent_participation_ratio", &Signal::independent_participation_ratio,
                {.tells = "what independent isotropic views of this D would have",
                 .range = "(0, 1]",
                 .formula = "metrics/signal.hpp"}));
    visit(field("symmetry", &Signal::symmetry,
                {.label = "  symmetry",
                 .remark = "0: the views have other axes",
                 .tells = "whether the views share their axes: two encoders do not, and have no shared variance for it",
                 .range = "[-1, 1]",
                 .healthy = "near 1",
                 .formula = "metrics/signal.hpp"}));
  }
};

/// What two views of the same samples have in common. A number that is undefined for the input is NaN, and the findings
/// say why.
struct Comparison {
  Index samples = 0;                      ///< pairs measured (skipped pairs not counted)
  Index skipped_rows = 0;                 ///< pairs dropped for a non-finite value in either row (NonFinite::skip_rows)
  Index directed_pairs = 0;               ///< pairs in which neither row has length 0: those of every cosine
  double alignment = undefined;           ///< mean ||u_a - u_b||^2, [0, 4]
  double invariance = undefined;          ///< mean over rows and dimensions of (z_a - z_b)^2
  double barlow_on_diagonal = undefined;  ///< sum_d (1 - K_dd)^2
  double barlow_off_diagonal = undefined;  ///< sum_{d != e} K_de^2
  double vicreg = undefined;               ///< the weighted loss
  double modality_gap = undefined;         ///< ||mean u_a - mean u_b||, [0, 2]
  double paired_cosine = undefined;        ///< mean cosine of pairs
  double unpaired_cosine = undefined;      ///< mean cosine of the rows of different samples
  double linear_cka = undefined;           ///< [0, 1]
  double linear_cka_debiased = undefined;  ///< at most about 1; 0 on average for independent views
  Signal signal;                           ///< what both views share
  Report a;                                ///< of each view alone, over the same pairs
  Report b;
  std::vector<Finding> findings;  ///< which number is undefined, and why
  Diagnosis diagnosis;            ///< of the encoder behind two views of the same inputs, by `signal`

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("samples", &Comparison::samples, {.tells = "pairs measured, N", .range = ">= 1"}));
    visit(field("skipped_rows", &Comparison::skipped_rows,
                {.label = "skipped pairs",
                 .tells = "pairs left out for a NaN or an infinity in either row",
                 .range = ">= 0",
                 .healthy = "0"}));
    visit(field("directed_pairs", &Comparison::directed_pairs,
                {.tells = "pairs in which neither row has length 0", .range = "[0, N]", .healthy = "N"}));
    visit(field("alignment", &Comparison::alignment,
                {.label = "alignment",
                 .remark = "of pairs on the sphere, 0 to 4",
                 .tells = "squared distance of the two views of a sample, on the sphere",
                 .range = "[0, 4]",
                 .healthy = "small",
                 .cost = "N D",
                 .source = "Wang & Isola 2020",
                 .formula = "metrics/alignment.hpp"}));
    visit(field("invariance", &Comparison::invariance,
                {.label = "invariance",
                 .remark = "mean squared difference",
                 .tells = "mean squared difference of the two views of a sample",
                 .range = ">= 0",
                 .healthy = "small",
                 .cost = "N D",
                 .source = "Bardes et al. 2022",
                 .formula = "metrics/alignment.hpp"}));
    visit(field("barlow_on_diagonal", &Comparison::barlow_on_diagonal,
                {.label = "Barlow Twins, on diagonal",
                 .remark = "0 when each dimension agrees",
                 .tells = "how far each dimension disagrees between the views",
                 .range = "[0, 4 D]",
                 .healthy = "small",
                 .cost = "N D^2",
                 .source = "Zbontar et al. 2021",
                 .formula = "metrics/cross_correlation.hpp"}));
    visit(field("barlow_off_diagonal", &Comparison::barlow_off_diagonal,
                {.label = "  off diagonal",
                 .remark = "0 when no two dimensions repeat",
                 .tells = "how far different dimensions repeat each other across the views",
                 .range = "[0, D (D - 1)]",
                 .healthy = "D (D - 1) / N",
                 .source = "Zbontar et al. 2021",
                 .formula = "metrics/cross_correlation.hpp"}));
    visit(field("vicreg", &Comparison::vicreg,
                {.label = "VICReg",
                 .remark = "the weighted loss",
                 .tells = "the weighted loss of invariance, variance and covariance",
                 .range = ">= 0",
                 .healthy = "small",
                 .source = "Bardes et al. 2022",
                 .formula = "metrics/vicreg.hpp"}));
    visit(field("modality_gap", &Comparison::modality_gap,
                {.label = "modality gap",
                 .remark = "between mean directions; healthy 0",
                 .tells = "distance of the mean directions of two modalities",
                 .range = "[0, 2]",
                 .healthy = "0",
                 .cost = "N D",
                 .source = "Liang et al. 2022",
                 .formula = "metrics/modality_gap.hpp"}));
    visit(field("paired_cosine", &Comparison::paired_cosine,
                {.label = "paired cosine",
                 .remark = "of rows of one sample",
                 .tells = "mean cosine of the two views of a sample",
                 .range = "[-1, 1]",
                 .healthy = "high",
                 .formula = "metrics/alignment.hpp"}));
    visit(field("unpaired_cosine", &Comparison::unpaired_cosine,
                {.label = "unpaired cosine",
                 .remark = "of two samples; as high: collapse",
                 .tells = "mean cosine of rows of different samples; as high as that of pairs: collapse",
                 .range = "[-1, 1]",
                 .healthy = "near 0",
                 .formula = "metrics/alignment.hpp"}));
    visit(field("linear_cka", &Comparison::linear_cka,
                {.label = "linear CKA",
                 .remark = "0 to 1, biased up for few rows",
                 .tells = "likeness of two representations; high by chance for few rows",
                 .range = "[0, 1]",
                 .cost = "N D^2",
                 .source = "Kornblith et al. 2019",
                 .formula = "metrics/cka.hpp"}));
    visit(field("linear_cka_debiased", &Comparison::linear_cka_debiased,
                {.label = "  debiased",
                 .remark = "0 for independent views, 1 the same",
                 .tells = "the same, 0 on average for independent views",
                 .range = "<= 1",
                 .source = "Song et al. 2007",
                 .formula = "metrics/cka.hpp"}));
    visit(field("signal", &Comparison::signal, {.tells = "what two views of the same inputs share"}));
    visit(field("a", &Comparison::a,
                {.tells = "report on the first view", .cost = "one report", .repeats = "measure(Z)"}));
    visit(field("b", &Comparison::b,
                {.tells = "report on the second view", .cost = "one report", .repeats = "measure(Z)"}));
    visit(field("findings", &Comparison::findings, {.tells = "which numbers are undefined, and why"}));
    visit(field("diagnosis", &Comparison::diagnosis,
                {.tells = "verdict and findings on the encoder behind two views, by what they share"}));
  }
};

}  // namespace collapse
