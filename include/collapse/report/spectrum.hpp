#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <optional>
#include <string_view>

namespace collapse {

/// How a spectrum was computed.
enum class SpectrumMethod {
  automatic,  ///< svd for double where it is affordable, gram otherwise
  gram,       ///< eigenvalues of the smaller Gram matrix, in double: resolves sigma down to ~1e-8 sigma_1
  svd         ///< QR and singular values in double: resolves down to ~1e-16 sigma_1, several times the cost
};

[[nodiscard]] constexpr std::string_view to_string(SpectrumMethod method) noexcept {
  switch (method) {
    case SpectrumMethod::automatic: return "auto";
    case SpectrumMethod::gram: return "gram";
    case SpectrumMethod::svd: return "svd";
  }
  return "unknown";
}

/// Shape of the singular value spectrum. Values below the noise floor count as zero in every number here.
struct Spectrum {
  Eigen::VectorXd singular_values;  ///< descending, min(N, D) of them
  double noise_floor = undefined;   ///< in the units of the singular values
  Index below_noise_floor = 0;
  double effective_rank = undefined;        ///< Roy & Vetterli 2007, [1, r]; 0 for constant centred rows
  double effective_rank_ratio = undefined;  ///< over the largest rank possible
  double entropy_rank = undefined;
  double participation_ratio = undefined;
  double stable_rank = undefined;
  Index numerical_rank = 0;
  Index certified_rank = 0;  ///< that rounding of the input cannot have made
  double condition_number = undefined;
  double top1_share = undefined;
  double top10_share = undefined;
  std::optional<Index> rank_90;
  std::optional<Index> rank_95;
  std::optional<Index> rank_99;
  double alpha = undefined;
  double alpha_r2 = undefined;
  double expected_effective_rank = undefined;     ///< of an isotropic Gaussian sample of this shape
  double effective_rank_vs_expected = undefined;  ///< healthy near 1, whatever the shape
  SpectrumMethod method = SpectrumMethod::gram;   ///< the one used, never `automatic`
  double information_abundance = undefined;       ///< Guo et al. 2024, of the uncentred rows; [1, r]
  Index leading_rank = 0;                         ///< singular values above a hundredth of the first

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("singular_values", &Spectrum::singular_values,
                {.tells = "singular values of the rows, descending",
                 .range = ">= 0",
                 .healthy = "a gentle slope",
                 .cost = "N D m + m^3",
                 .formula = "statistics/spectra/spectrum.hpp"}));
    visit(field("noise_floor", &Spectrum::noise_floor,
                {.label = "noise floor",
                 .tells = "singular values below it are rounding errors of the input or of the method",
                 .range = ">= 0",
                 .healthy = "far below the values",
                 .source = "Weyl 1912",
                 .formula = "statistics/spectra/spectrum.hpp"}));
    visit(field("below_noise_floor", &Spectrum::below_noise_floor,
                {.label = "below noise floor",
                 .remark = "count as zero",
                 .tells = "singular values below the noise floor; they count as zero in every number here",
                 .range = "[0, m]",
                 .healthy = "0",
                 .formula = "metrics/spectrum.hpp"}));
    visit(field("effective_rank", &Spectrum::effective_rank,
                {.label = "effective rank",
                 .remark = "uncentred: RankMe",
                 .tells = "directions in use: exp of the entropy of the shares of sigma; uncentred it is RankMe",
                 .range = "[1, m], 0 for equal rows",
                 .healthy = "`expected_effective_rank`",
                 .source = "Roy & Vetterli 2007, Garrido et al. 2023",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("effective_rank_ratio", &Spectrum::effective_rank_ratio,
                {.label = "  / largest possible",
                 .remark = "0 to 1, falls with small N",
                 .tells = "effective rank over the largest rank that the shape allows",
                 .range = "[0, 1]",
                 .healthy = "high; falls with small N",
                 .formula = "metrics/spectrum.hpp",
                 .resampled = true}));
    visit(field("entropy_rank", &Spectrum::entropy_rank,
                {.label = "entropy rank",
                 .remark = "of the eigenvalues sigma^2",
                 .tells = "directions that hold the variance: exp of the von Neumann entropy of the covariance",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Roy & Vetterli 2007",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("participation_ratio", &Spectrum::participation_ratio,
                {.label = "participation ratio",
                 .tells = "directions that hold the variance: (sum lambda)^2 / sum lambda^2",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Gao et al. 2017",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("stable_rank", &Spectrum::stable_rank,
                {.label = "stable rank",
                 .remark = "total over largest",
                 .tells = "sum of lambda over the largest, also called NESum",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Rudelson & Vershynin 2007",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("information_abundance", &Spectrum::information_abundance,
                {.label = "information abundance",
                 .remark = "sum of sigma over largest",
                 .tells = "sum of sigma over the largest; the published number is that of the uncentred rows",
                 .range = "[1, m]",
                 .healthy = "many",
                 .source = "Guo et al. 2024",
                 .formula = "metrics/spectrum.hpp",
                 .resampled = true}));
    visit(field("numerical_rank", &Spectrum::numerical_rank,
                {.label = "numerical rank",
                 .remark = "above the noise floor",
                 .tells = "singular values above the noise floor",
                 .range = "[0, m]",
                 .healthy = "full",
                 .formula = "metrics/spectrum.hpp"}));
    visit(field("leading_rank", &Spectrum::leading_rank,
                {.label = "leading rank",
                 .remark = "above 1 % of the largest",
                 .tells = "singular values above a hundredth of the first: where a spectrum falls off a cliff",
                 .range = "[0, m]",
                 .healthy = "high",
                 .formula = "metrics/spectrum.hpp"}));
    visit(field("certified_rank", &Spectrum::certified_rank,
                {.tells = "rank that the rounding of the input cannot have made, at least",
                 .range = "[0, m]",
                 .healthy = "full",
                 .formula = "statistics/spectra/spectrum.hpp"}));
    visit(field("condition_number", &Spectrum::condition_number,
                {.label = "condition number",
                 .tells = "largest singular value over the smallest above the noise floor",
                 .range = ">= 1",
                 .healthy = "low",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("top1_share", &Spectrum::top1_share,
                {.label = "top 1 share",
                 .remark = "of the total variance",
                 .tells = "share of sum lambda along the first direction",
                 .range = "[0, 1]",
                 .healthy = "low",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("top10_share", &Spectrum::top10_share,
                {.label = "top 10 share",
                 .tells = "share of sum lambda along the first ten directions",
                 .range = "[0, 1]",
                 .healthy = "low",
                 .formula = "metrics/effective_rank.hpp",
                 .resampled = true}));
    visit(field("rank_90", &Spectrum::rank_90,
                {.label = "rank 90 %",
                 .remark = "components for this share",
                 .tells = "fewest directions that hold 90 % of sum lambda",
                 .range = "[1, m]",
                 .healthy = "high",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("rank_95", &Spectrum::rank_95,
                {.label = "rank 95 %",
                 .tells = "fewest directions that hold 95 % of sum lambda",
                 .range = "[1, m]",
                 .healthy = "high",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("rank_99", &Spectrum::rank_99,
                {.label = "rank 99 %",
                 .tells = "fewest directions that hold 99 % of sum lambda",
                 .range = "[1, m]",
                 .healthy = "high",
                 .formula = "metrics/effective_rank.hpp"}));
    visit(field("alpha", &Spectrum::alpha,
                {.label = "alpha",
                 .remark = "eigenvalues ~ rank^-alpha",
                 .tells = "power law of the eigenvalues, lambda_k ~ k^-alpha, over ranks 11 to 100",
                 .range = "any",
                 .healthy = "near 1",
                 .source = "Agrawal et al. 2022",
                 .formula = "metrics/power_law.hpp",
                 .resampled = true}));
    visit(field("alpha_r2", &Spectrum::alpha_r2,
                {.label = "  r2 of the fit",
                 .tells = "how well the power law fits",
                 .range = "[0, 1]",
                 .healthy = "near 1",
                 .formula = "metrics/power_law.hpp",
                 .resampled = true}));
    visit(field("expected_effective_rank", &Spectrum::expected_effective_rank,
                {.label = "expected rank",
                 .remark = "isotropic sample, this N, D",
                 .tells = "effective rank of an isotropic Gaussian sample of this N and D",
                 .range = "[1, m]",
                 .source = "Marchenko & Pastur 1967",
                 .formula = "metrics/marchenko_pastur.hpp"}));
    visit(field("effective_rank_vs_expected", &Spectrum::effective_rank_vs_expected,
                {.label = "effective / expected",
                 .remark = "healthy near 1",
                 .tells = "effective rank against a healthy sample of this shape: a small batch is no collapse",
                 .range = "[0, 1]",
                 .healthy = "near 1",
                 .source = "Marchenko & Pastur 1967",
                 .formula = "metrics/spectrum.hpp",
                 .resampled = true}));
    visit(field("method", &Spectrum::method,
                {.label = "method",
                 .tells = "how the spectrum was computed",
                 .range = "gram, svd",
                 .formula = "statistics/spectra/spectrum.hpp"}));
  }
};

}  // namespace collapse
