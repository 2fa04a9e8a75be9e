#pragma once

#include <collapse/error.hpp>
#include <collapse/report.hpp>

#include <cstdint>

namespace collapse {

/// What to do with a row that holds a NaN or an infinity.
enum class NonFinite {
  reject,    ///< throw NonFiniteError naming the first one's row and column
  skip_rows  ///< leave such rows out and count them in `norms.skipped_rows`
};

/// Where each finding begins. The defaults are meant for self-supervised encoders; every finding quotes its threshold.
struct Thresholds {
  double complete_dispersion = 0.01;  ///< complete collapse at or below this `variance.dispersion`
  double complete_cosine =
      0.975;  ///< ... or at or above this mean cosine: the norms may differ, the direction does not
  double dimensional_ratio = 0.25;      ///< dimensional collapse at or below this `effective_rank_vs_expected`
  double anisotropic_cosine = 0.5;      ///< anisotropic at or above this mean cosine
  double redundant_correlation = 0.99;  ///< redundant dimensions at or above this correlation
  Index minimum_samples = 16;           ///< with fewer rows only complete collapse can be told
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

/// Throws OptionError unless every option lies in its range.
inline void validate(const Options& options) {
  if (options.pair_rows < 2) {
    throw OptionError(fmt::format("Options::pair_rows is {}; at least 2 rows make a pair", options.pair_rows));
  }
  if (options.alpha_first < 1 || options.alpha_last < options.alpha_first) {
    throw OptionError(fmt::format("Options::alpha_first = {}, alpha_last = {}; ranks count from 1 and first <= last",
                                  options.alpha_first, options.alpha_last));
  }
  if (options.resamples != 0 && options.resamples < 2) {
    throw OptionError(fmt::format("Options::resamples is {}; at least 2 groups of rows have a spread, 0 asks for none",
                                  options.resamples));
  }
  if (!(options.confidence_level > 0.0 && options.confidence_level < 1.0)) {
    throw OptionError(
        fmt::format("Options::confidence_level is {}; it is a probability between 0 and 1", options.confidence_level));
  }
}

}  // namespace collapse
