#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <vector>

namespace collapse {

/// Seven quantiles of the pairwise cosines.
struct CosineQuantiles {
  double p01 = undefined, p05 = undefined, p25 = undefined, p50 = undefined, p75 = undefined, p95 = undefined,
         p99 = undefined;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(quantile("p01", &CosineQuantiles::p01, "1 % quantile of the cosines"));
    visit(quantile("p05", &CosineQuantiles::p05, "5 % quantile of the cosines"));
    visit(quantile("p25", &CosineQuantiles::p25, "first quartile of the cosines"));
    visit(quantile("p50", &CosineQuantiles::p50, "median of the cosines"));
    visit(quantile("p75", &CosineQuantiles::p75, "third quartile of the cosines"));
    visit(quantile("p95", &CosineQuantiles::p95, "95 % quantile of the cosines"));
    visit(quantile("p99", &CosineQuantiles::p99, "99 % quantile of the cosines"));
  }

 private:
  [[nodiscard]] static constexpr Field<CosineQuantiles, double> quantile(const char* name,
                                                                         double CosineQuantiles::*member,
                                                                         const char* tells) {
    return field(name, member,
                 {.label = name,
                  .tells = tells,
                  .range = "[-1, 1]",
                  .healthy = "around 0",
                  .formula = "metrics/cosine.hpp",
                  .resampled = true,
                  .of_pairs = true});
  }
};

/// Cosines over the unordered pairs of non-zero rows: 1 is the same direction, 0 orthogonal.
struct Cosine : CosineQuantiles {
  double mean = undefined;  ///< over all pairs, always exact
  double std = undefined;   ///< over all pairs (ddof 0), always exact
  double min = undefined;   ///< over the pairs counted in `pairs`, as are max, the quantiles and the histogram
  double max = undefined;
  std::array<std::int64_t, 64> histogram{};  ///< equal bins on [-1, 1]
  std::int64_t pairs = 0;                    ///< pairs behind min, max, quantiles and histogram
  Index sampled_rows = 0;                    ///< rows those pairs come from
  bool exact = false;                        ///< true when these are all rows
  CosineQuantiles standard_error;            ///< of each quantile; 0 when exact (jackknife over rows otherwise)
  std::vector<Index> dominant_dimensions{};  ///< the five that carry most of the mean, most first
  Eigen::VectorXd dominant_shares{};         ///< what each of them adds to the mean
  double mean_without_dominant = undefined;  ///< the mean less what the three largest add
  double mean_of_others = undefined;         ///< mean cosine in the dimensions that neither dominate nor are dead

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("mean", &Cosine::mean,
                {.label = "mean",
                 .tells = "how alike directions are: mean over all pairs, exact",
                 .range = "[-1, 1]",
                 .healthy = "near 0",
                 .cost = "N D",
                 .source = "Ethayarajh 2019",
                 .formula = "metrics/cosine.hpp",
                 .resampled = true}));
    visit(field("std", &Cosine::std,
                {.label = "std",
                 .tells = "spread of the cosines over all pairs, exact",
                 .range = "[0, 1]",
                 .healthy = "1 / sqrt(D)",
                 .cost = "N D m",
                 .formula = "metrics/cosine.hpp",
                 .resampled = true}));
    visit(field("min", &Cosine::min,
                {.label = "min",
                 .tells = "smallest cosine of the pairs counted in `cosine.pairs`",
                 .range = "[-1, 1]",
                 .healthy = "around 0",
                 .cost = "min(N, 4096)^2 D",
                 .formula = "metrics/cosine.hpp"}));
    visit(field("max", &Cosine::max,
                {.label = "max",
                 .tells = "largest cosine of these pairs",
                 .range = "[-1, 1]",
                 .healthy = "below 1",
                 .formula = "metrics/cosine.hpp"}));
    CosineQuantiles::fields(visit);
    visit(field("histogram", &Cosine::histogram,
                {.tells = "counts of these pairs in 64 equal bins on [-1, 1]",
                 .range = ">= 0",
                 .healthy = "one hump around 0",
                 .formula = "metrics/cosine.hpp"}));
    visit(field("pairs", &Cosine::pairs,
                {.tells = "pairs behind minimum, maximum, quantiles and histogram",
                 .range = ">= 0",
                 .formula = "statistics/pairs/pair_selection.hpp"}));
    visit(field("sampled_rows", &Cosine::sampled_rows,
                {.tells = "rows that these pairs come from",
                 .range = "[0, N]",
                 .formula = "statistics/pairs/pair_selection.hpp"}));
    visit(field("exact", &Cosine::exact, {.tells = "whether these are all rows", .range = "true, false"}));
    visit(field("standard_error", &Cosine::standard_error,
                {.tells = "standard error of each quantile; 0 where all pairs were taken",
                 .range = ">= 0",
                 .healthy = "small",
                 .formula = "metrics/cosine.hpp",
                 .repeats = "cosine"}));
    visit(field("dominant_dimensions", &Cosine::dominant_dimensions,
                {.tells = "the five dimensions that carry most of the mean, most first",
                 .range = "[0, D)",
                 .source = "Timkey & van Schijndel 2021",
                 .formula = "metrics/dominant_dimensions.hpp"}));
    visit(field("dominant_shares", &Cosine::dominant_shares,
                {.tells = "what each of these adds to the mean; all dimensions add up to it",
                 .range = "[-1, 1]",
                 .healthy = "about mean / D",
                 .source = "Timkey & van Schijndel 2021",
                 .formula = "metrics/dominant_dimensions.hpp"}));
    visit(field("mean_without_dominant", &Cosine::mean_without_dominant,
                {.label = "mean without dominant",
                 .tells = "the mean less what the three largest dimensions add",
                 .range = "[-1, 1]",
                 .healthy = "near the mean",
                 .source = "Timkey & van Schijndel 2021",
                 .formula = "metrics/dominant_dimensions.hpp"}));
    visit(field("mean_of_others", &Cosine::mean_of_others,
                {.tells = "mean cosine, near enough, of the rows without dead dimensions and the largest of these (an "
                          "eighth of all, at most three)",
                 .range = "[-1, 1]",
                 .healthy = "near 0",
                 .formula = "metrics/dominant_dimensions.hpp"}));
  }
};

}  // namespace collapse
