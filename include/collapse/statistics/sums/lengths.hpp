#pragma once

#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace collapse {

using Eigen::Index;

namespace statistics {

/// A power of two that brings numbers up to `largest` into the range where squares and their sums neither overflow nor
/// vanish; 0 when they are there already.
[[nodiscard]] inline int range_exponent(double largest) {
  constexpr int comfortable = 200;
  if (largest == 0.0) return 0;
  const int exponent = std::ilogb(largest);
  return exponent > comfortable || exponent < -comfortable ? std::clamp(exponent, -1000, 1000) : 0;
}

}  // namespace statistics

/// Count, mean, spread and extremes of the row lengths. Additive.
struct Lengths {
  Index count = 0;
  double mean = 0.0;
  double sum_squares = 0.0;  ///< of the deviations from the mean, in units of 2^(2 exponent())
  double min = std::numeric_limits<double>::infinity();
  double max = 0.0;

  /// 0 unless the lengths leave the range where their squares can be summed.
  [[nodiscard]] int exponent() const { return statistics::range_exponent(max); }

  void add(const Eigen::VectorXd& lengths) {
    std::vector<double> scaled;
    add(lengths, scaled);
  }

  /// The same with memory of the caller's, which is used again: nothing is allocated where `scaled` has the capacity.
  void add(const Eigen::VectorXd& lengths, std::vector<double>& scaled) {
    if (lengths.size() == 0) return;
    Lengths block;
    block.count = lengths.size();
    for (const double length : lengths) {
      block.min = std::min(block.min, length);
      block.max = std::max(block.max, length);
    }
    const int unit = block.exponent();
    const double scale = std::ldexp(1.0, -unit);
    scaled.assign(lengths.begin(), lengths.end());
    linalg::scale(scaled.data(), scale, block.count);
    // Equal lengths have no spread, whatever the rounding of their mean.
    const double average = std::clamp(linalg::sum(scaled.data(), block.count) / static_cast<double>(block.count),
                                      block.min * scale, block.max * scale);
    for (double& length : scaled) length -= average;
    block.sum_squares = linalg::squared_norm(scaled.data(), block.count);
    block.mean = std::clamp(std::ldexp(average, unit), block.min, block.max);
    merge(block);
  }

  void merge(const Lengths& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const int before = exponent();
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    const int unit = exponent();
    const double n = static_cast<double>(count);
    const double m = static_cast<double>(other.count);
    const double delta = std::ldexp(other.mean, -unit) - std::ldexp(mean, -unit);
    sum_squares = std::ldexp(sum_squares, 2 * (before - unit)) +
                  std::ldexp(other.sum_squares, 2 * (other.exponent() - unit)) + delta * delta * (n * m / (n + m));
    mean = std::clamp(std::ldexp(std::ldexp(mean, -unit) + delta * (m / (n + m)), unit), min, max);
    count += other.count;
  }
};

}  // namespace collapse
