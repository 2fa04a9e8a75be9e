#pragma once

#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>

namespace collapse {

using Eigen::Index;

/// Count, mean and centred sum of squares of every dimension: the first two moments, without the D x D part.
///
/// Kept in a form that stays right when the mean is huge against the spread and when dimensions differ by hundreds of
/// orders of magnitude: the mean is an unevaluated sum of two doubles, and dimension d is in units of 2^exponent(d),
/// its squares in units of 2^(2 exponent(d)) (1 for a dimension whose largest |z_id| lies in [2^-200, 2^200]).
struct Moments {
  Index count = 0;
  Index dims = 0;
  Eigen::VectorXd mean;         ///< D
  Eigen::VectorXd mean_low;     ///< D, what rounding took from the mean
  Eigen::VectorXd sum_squares;  ///< D, sum over rows of (z - mean)^2
  Eigen::VectorXi exponent;     ///< D
  double input_epsilon = 0.0;   ///< of the scalar the rows came in

  [[nodiscard]] bool scaled() const {
    for (const int unit : exponent) {
      if (unit != 0) return true;
    }
    return false;
  }

  /// Whether all rows are 0 in dimension d.
  [[nodiscard]] bool is_empty(Index d) const { return sum_squares(d) == 0.0 && mean(d) == 0.0; }

  /// Largest exponent of the dimensions that hold anything: the unit in which whole rows can be compared.
  [[nodiscard]] int common_exponent() const {
    if (!scaled()) return 0;
    int largest = std::numeric_limits<int>::min();
    for (Index d = 0; d < dims; ++d) {
      if (!is_empty(d)) largest = std::max(largest, exponent(d));
    }
    return largest == std::numeric_limits<int>::min() ? 0 : largest;
  }

  /// Sum over rows of (z - mean)^2 in units of 2^(2 common_exponent()); what is too small for that unit is 0.
  [[nodiscard]] Eigen::VectorXd common_sum_squares() const { return in_common_units(sum_squares, 2); }

  /// The mean in units of 2^common_exponent().
  [[nodiscard]] Eigen::VectorXd common_mean() const { return in_common_units(mean, 1); }

  /// Root mean square over all entries, mean included, in units of 2^common_exponent().
  [[nodiscard]] double common_rms() const {
    const double entries = static_cast<double>(count) * static_cast<double>(dims);
    return std::sqrt(
        (linalg::sum(common_sum_squares()) + static_cast<double>(count) * linalg::squared_norm(common_mean())) /
        entries);
  }

 private:
  [[nodiscard]] Eigen::VectorXd in_common_units(Eigen::VectorXd values, int power) const {
    if (scaled()) {
      const int common = common_exponent();
      for (Index d = 0; d < dims; ++d) {
        // A dimension of zeros may carry any unit.
        if (values(d) != 0.0) values(d) = std::ldexp(values(d), power * (exponent(d) - common));
      }
    }
    return values;
  }
};

namespace statistics {

/// Whether dimension d is constant up to the rounding of the input: std_d <= eps * rms_d.
[[nodiscard]] inline bool is_dead(const Moments& moments, Index d) {
  const double n = static_cast<double>(moments.count);
  const double variance = moments.sum_squares(d) / (n - 1.0);
  const double mean_square = moments.sum_squares(d) / n + moments.mean(d) * moments.mean(d);
  return std::sqrt(variance) <= moments.input_epsilon * std::sqrt(mean_square);
}

/// Whether all that dimension d varies by may be rounding: values that are rounded to one or the other of two neighbours
/// deviate by no more than half an epsilon of their size.
[[nodiscard]] inline bool is_rounding(const Moments& moments, Index d) {
  const double n = static_cast<double>(moments.count);
  const double mean_square = moments.sum_squares(d) / n + moments.mean(d) * moments.mean(d);
  return std::sqrt(moments.sum_squares(d) / (n - 1.0)) <= 0.5 * moments.input_epsilon * std::sqrt(mean_square);
}

/// The unit, as a power of two, in which the largest deviation is about 1: the mean, which may be larger by any factor,
/// has no part in it. Nor have, unless `with_dead`, dimensions that are constant but for rounding: beside a far
/// constant what varies may be tiny. 0 when nothing varies.
[[nodiscard]] inline int spread_exponent(const Moments& moments, bool with_dead) {
  int largest = std::numeric_limits<int>::min();
  for (Index d = 0; d < moments.dims; ++d) {
    if (moments.sum_squares(d) == 0.0 || (!with_dead && is_dead(moments, d))) continue;
    largest = std::max(largest, moments.exponent(d) + std::ilogb(std::sqrt(moments.sum_squares(d))));
  }
  return largest == std::numeric_limits<int>::min() ? 0 : largest;
}

}  // namespace statistics
}  // namespace collapse
