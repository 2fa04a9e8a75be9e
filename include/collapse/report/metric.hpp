#pragma once

#include <string_view>

namespace collapse {

/// What a distance between two rows is.
enum class Metric {
  euclidean,  ///< ||z_i - z_j||, in input units
  cosine      ///< 1 - cos = ||u_i - u_j||^2 / 2, in [0, 2]; rows of length 0 take no part
};

[[nodiscard]] constexpr std::string_view to_string(Metric metric) noexcept {
  return metric == Metric::cosine ? "cosine" : "euclidean";
}

}  // namespace collapse
