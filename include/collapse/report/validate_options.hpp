#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/options.hpp>

#include <fmt/format.h>

#include <limits>

namespace collapse {

COLLAPSE_INLINE void validate(const Thresholds& thresholds) {
  const auto require = [](const char* name, double value, double least, double most) {
    if (value >= least && value <= most) return;
    throw OptionError(fmt::format("Thresholds::{} is {}; it lies from {} to {}", name, value, least, most));
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  require(member_name<&Thresholds::complete_dispersion>, thresholds.complete_dispersion, 0.0, 1.0);
  require(member_name<&Thresholds::complete_cosine>, thresholds.complete_cosine, -1.0, 1.0);
  require(member_name<&Thresholds::complete_spread>, thresholds.complete_spread, 0.0, 1.0);
  require(member_name<&Thresholds::isotropic_ratio>, thresholds.isotropic_ratio, 0.0, 1.0);
  require(member_name<&Thresholds::line_participation>, thresholds.line_participation, 0.0, infinity);
  require(member_name<&Thresholds::few_directions>, thresholds.few_directions, 0.0, 1.0);
  require(member_name<&Thresholds::cluster_points>, thresholds.cluster_points, 0.0, infinity);
  require(member_name<&Thresholds::partial_share>, thresholds.partial_share, 0.0, 1.0);
  require(member_name<&Thresholds::unequal_scales>, thresholds.unequal_scales, 0.0, 1.0);
  require(member_name<&Thresholds::parted_classes>, thresholds.parted_classes, 0.0, infinity);
  require(member_name<&Thresholds::class_ratio>, thresholds.class_ratio, 0.0, 1.0);
  require(member_name<&Thresholds::dimensional_ratio>, thresholds.dimensional_ratio, 0.0, 1.0);
  require(member_name<&Thresholds::anisotropic_cosine>, thresholds.anisotropic_cosine, -1.0, 1.0);
  require(member_name<&Thresholds::redundant_correlation>, thresholds.redundant_correlation, 0.0, 1.0);
  require(member_name<&Thresholds::redundancy>, thresholds.redundancy, 0.0, 1.0);
  require(member_name<&Thresholds::cluster_pairs>, thresholds.cluster_pairs, 0.0, 1.0);
  require(member_name<&Thresholds::signal_share>, thresholds.signal_share, 0.0, 1.0);
  require(member_name<&Thresholds::signal_rank>, thresholds.signal_rank, 0.0, infinity);
  require(member_name<&Thresholds::neural_collapse>, thresholds.neural_collapse, 0.0, infinity);
  require(member_name<&Thresholds::smallest_norm>, thresholds.smallest_norm, 0.0, infinity);
  require(member_name<&Thresholds::largest_norm>, thresholds.largest_norm, thresholds.smallest_norm, infinity);
  if (thresholds.minimum_samples < 2) {
    throw OptionError(fmt::format("Thresholds::{} is {}; at least 2 rows have a spread",
                                  member_name<&Thresholds::minimum_samples>, thresholds.minimum_samples));
  }
}

COLLAPSE_INLINE void validate(const Options& options) {
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
  validate(options.thresholds);
}

}  // namespace collapse
