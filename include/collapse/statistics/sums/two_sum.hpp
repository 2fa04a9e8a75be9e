#pragma once

#include <utility>

namespace collapse::statistics {

/// hi + low = a + b without error (Knuth).
[[nodiscard]] inline std::pair<double, double> two_sum(double a, double b) {
  const double sum = a + b;
  const double b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

}  // namespace collapse::statistics
