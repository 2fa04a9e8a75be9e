#pragma once

#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <array>
#include <cstdint>

namespace collapse {

using Eigen::Index;

/// The quantiles that a report holds.
inline constexpr std::array<double, 7> cosine_probabilities{0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99};

/// Distribution of the distance 1 - cos over the selected pairs. Kept as the distance, because near collapse it is the
/// number with digits in it.
struct PairDistances {
  std::int64_t pairs = 0;
  Index rows = 0;
  bool exact = false;
  double min = undefined;
  double max = undefined;
  std::array<double, 7> quantile{};          ///< of 1 - cos, at cosine_probabilities
  std::array<double, 7> standard_error{};    ///< 0 when exact
  std::array<std::int64_t, 64> histogram{};  ///< of cos, equal bins on [-1, 1]
};

}  // namespace collapse
