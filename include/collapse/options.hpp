#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/report.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace collapse {

/// What to do with a row that holds a NaN or an infinity.
enum class NonFinite {
  reject,    ///< throw NonFiniteError naming the first one's row and column
  skip_rows  ///< leave such rows out and count them in `norms.skipped_rows`
};

/// Where each finding begins. The defaults were set by hand, with encoders of many kinds in view;
/// `benchmarks/detection/fit.py` fits some of them again, leaving one kind out at a time, and prints how both err. Every
/// finding quotes its threshold. What small samples do to a number is no part of a threshold: `diagnose` accounts for N
/// and D.
struct Thresholds {
  double complete_dispersion = 0.01;  ///< complete collapse at or below this `variance.dispersion`
  double complete_cosine = 0.975;     ///< ... or at or above this mean cosine, where rows are near a point
  double complete_spread = 0.1;       ///< rows are near a point at or below this `variance.dispersion`
  double isotropic_ratio = 0.78;      ///< what is left is noise from this share of an isotropic effective rank on
  double line_participation = 1.25;   ///< dimensional collapse at or below this participation ratio
  double few_directions = 0.4;        ///< ... or at or below this power of the directions there could be, and a cliff
  double redundancy = 0.5;            ///< ... or from this mean squared correlation on, beyond chance, beside noise
  double dimensional_ratio = 0.0;     ///< ... or at or below this share of a healthy effective rank: of a baseline
  double cluster_pairs = 0.015;       ///< clusters from this share of pairs that point the same way, apart from others
  double cluster_points = 9.5;        ///< cluster collapse of up to so many points; more may well be classes
  double partial_share = 0.08;        ///< partial collapse from this share of rows on one point on
  double anisotropic_cosine = 0.5;    ///< a common direction is told at or above this mean cosine
  double unequal_scales = 0.2;        ///< columns are of unequal scale where fewer than this share hold the variance
  double redundant_correlation = 0.99;  ///< redundant dimensions at or above this correlation
  Index minimum_samples = 16;           ///< with fewer rows only complete collapse can be told
  double signal_share = 0.15;           ///< with two views: complete collapse at or below this `signal.share`
  double signal_rank = 1.75;            ///< ... dimensional collapse at or below this `signal.effective_rank`
  double neural_collapse = 0.1;  ///< with labels: rows lie at their class means at or below this `nc1_ratio` and `cdnv`
  double parted_classes = 0.3;   ///< with labels: few directions and points are the classes' at or below this `cdnv`
  double class_ratio = 0.25;     ///< with labels: a class has collapsed at or below this share of the usual rank
  double smallest_norm = 0.0;    ///< norm collapse below this mean norm: in the units of the encoder, so off by default
  double largest_norm = std::numeric_limits<double>::infinity();  ///< norm explosion above this mean norm

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("complete_dispersion", &Thresholds::complete_dispersion,
                {.tells = "complete collapse at or below this dispersion", .range = "[0, 1]"}));
    visit(field("complete_cosine", &Thresholds::complete_cosine,
                {.tells = "complete collapse at or above this mean cosine, near a point", .range = "[-1, 1]"}));
    visit(field("complete_spread", &Thresholds::complete_spread,
                {.tells = "rows are near a point at or below this dispersion", .range = "[0, 1]"}));
    visit(
        field("isotropic_ratio", &Thresholds::isotropic_ratio,
              {.tells = "what is left is noise from this share of an isotropic effective rank on", .range = "[0, 1]"}));
    visit(field("line_participation", &Thresholds::line_participation,
                {.tells = "dimensional collapse at or below this participation ratio", .range = ">= 0"}));
    visit(field(
        "few_directions", &Thresholds::few_directions,
        {.tells = "dimensional collapse at or below this power of the directions there could be", .range = "[0, 1]"}));
    visit(field("cluster_points", &Thresholds::cluster_points,
                {.tells = "cluster collapse of up to so many points", .range = ">= 0"}));
    visit(field("partial_share", &Thresholds::partial_share,
                {.tells = "partial collapse from this share of rows on one point on", .range = "[0, 1]"}));
    visit(field(
        "unequal_scales", &Thresholds::unequal_scales,
        {.tells = "columns are of unequal scale where fewer than this share hold the variance", .range = "[0, 1]"}));
    visit(field("parted_classes", &Thresholds::parted_classes,
                {.tells = "few directions and points are the classes' at or below this `cdnv`", .range = ">= 0"}));
    visit(field("class_ratio", &Thresholds::class_ratio,
                {.tells = "a class has collapsed at or below this share of the usual rank", .range = "[0, 1]"}));
    visit(field(
        "dimensional_ratio", &Thresholds::dimensional_ratio,
        {.tells = "dimensional collapse at or below this share of a healthy effective rank; 0: only by a baseline",
         .range = "[0, 1]"}));
    visit(field("anisotropic_cosine", &Thresholds::anisotropic_cosine,
                {.tells = "a common direction is told at or above this mean cosine", .range = "[-1, 1]"}));
    visit(field("redundant_correlation", &Thresholds::redundant_correlation,
                {.tells = "redundant dimensions at or above this correlation", .range = "[0, 1]"}));
    visit(field("minimum_samples", &Thresholds::minimum_samples,
                {.tells = "with fewer rows only complete collapse can be told", .range = ">= 2"}));
    visit(field(
        "redundancy", &Thresholds::redundancy,
        {.tells = "dimensional collapse from this mean squared correlation on, beyond chance, with noise beside it",
         .range = "[0, 1]"}));
    visit(field("cluster_pairs", &Thresholds::cluster_pairs,
                {.tells = "cluster collapse from this share of pairs that point the same way", .range = "[0, 1]"}));
    visit(field("signal_share", &Thresholds::signal_share,
                {.tells = "with two views, complete collapse at or below this share of the variance that both have",
                 .range = "[0, 1]"}));
    visit(field("signal_rank", &Thresholds::signal_rank,
                {.tells = "with two views, dimensional collapse at or below this effective rank of what both share",
                 .range = ">= 0"}));
    visit(field("neural_collapse", &Thresholds::neural_collapse,
                {.tells = "rows lie at their class means at or below this", .range = ">= 0"}));
    visit(field("smallest_norm", &Thresholds::smallest_norm,
                {.tells = "norm collapse below this mean norm", .range = ">= 0"}));
    visit(field("largest_norm", &Thresholds::largest_norm,
                {.tells = "norm explosion above this mean norm", .range = ">= smallest_norm"}));
  }

  /// The defaults.
  [[nodiscard]] static Thresholds self_supervised() { return {}; }

  /// Negatives spread the directions over the sphere: a mean cosine far below the default is a cone already.
  [[nodiscard]] static Thresholds contrastive() {
    Thresholds result;
    result.anisotropic_cosine = 0.3;
    return result;
  }

  /// Hidden states of language models share a direction by nature (Ethayarajh 2019: mean cosines to 0.99 in the last
  /// layer).
  [[nodiscard]] static Thresholds language_model() {
    Thresholds result;
    result.complete_dispersion = 0.001;
    result.complete_cosine = 0.998;
    result.complete_spread = 0.01;
    result.anisotropic_cosine = 0.95;
    return result;
  }

  /// Codes follow the spectrum of the data, and rectified ones lie in one orthant, where cosines are positive.
  [[nodiscard]] static Thresholds autoencoder() {
    Thresholds result;
    result.anisotropic_cosine = 0.8;
    return result;
  }

  /// What a healthy report of one's own allows: half of its effective rank, half of its angle to a common direction,
  /// a tenth of its spread, a hundredth to a hundredfold of its norms. A number that is undefined leaves the default.
  [[nodiscard]] static Thresholds from_baseline(const Report& report) {
    Thresholds result;
    const auto halfway_to_one = [](double value) { return 0.5 * (1.0 + std::clamp(value, 0.0, 1.0)); };
    if (std::isfinite(report.variance.dispersion)) {
      result.complete_dispersion = 0.1 * report.variance.dispersion;
      result.complete_spread = std::min(result.complete_spread, 0.5 * report.variance.dispersion);
    }
    if (std::isfinite(report.cosine.mean)) {
      result.anisotropic_cosine = halfway_to_one(report.cosine.mean);
      result.complete_cosine = std::max(result.complete_cosine, halfway_to_one(result.anisotropic_cosine));
    }
    if (std::isfinite(report.spectrum.effective_rank_vs_expected)) {
      result.dimensional_ratio = 0.5 * std::min(report.spectrum.effective_rank_vs_expected, 1.0);
    }
    if (std::isfinite(report.decorrelation.redundancy)) {
      result.redundancy = std::max(result.redundancy, halfway_to_one(report.decorrelation.redundancy));
    }
    if (std::isfinite(report.decorrelation.max_abs_correlation)) {
      result.redundant_correlation =
          std::max(result.redundant_correlation, halfway_to_one(report.decorrelation.max_abs_correlation));
    }
    if (report.norms.mean > 0.0) {
      result.smallest_norm = 0.01 * report.norms.mean;
      result.largest_norm = 100.0 * report.norms.mean;
    }
    return result;
  }
};

/// How to measure. An aggregate: `measure(Z, {.pair_rows = 8192, .seed = 7})`.
struct Options {
  SpectrumMethod method = SpectrumMethod::automatic;
  NonFinite nonfinite = NonFinite::reject;
  Index pair_rows = 4096;  ///< cosine quantiles over all pairs up to this many rows, over a sample of so many above
  bool all_pairs = false;  ///< all pairs whatever the number of rows: O(N^2 D) time, memory of about 1 GB at most
  std::uint64_t seed = 0;  ///< of the row sample
  Index alpha_first = 11;  ///< first and last rank (from 1) of the power-law fit
  Index alpha_last = 100;
  Index resamples = 0;             ///< standard errors of the report's numbers from so many groups of rows; 0: none
  double confidence_level = 0.95;  ///< of their intervals
  Thresholds thresholds{};
};

/// Throws OptionError unless every threshold lies in its range.
COLLAPSE_INLINE void validate(const Thresholds& thresholds);

/// Throws OptionError unless every option lies in its range.
COLLAPSE_INLINE void validate(const Options& options);

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/report/validate_options.hpp>
#endif
