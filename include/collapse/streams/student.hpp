#pragma once

#include <cmath>

namespace collapse::streams {

/// Probability that |t| stays below a value, for Student's t with a whole number of degrees of freedom, at least 1: a
/// finite sum of powers of a cosine.
///
/// Source: Abramowitz & Stegun, Handbook of mathematical functions, 1964, 26.7.3 and 26.7.4.
[[nodiscard]] inline double student_probability(double value, long freedom) {
  const double n = static_cast<double>(freedom);
  const double sine = value / std::sqrt(n + value * value);
  const double cosine = std::sqrt(n / (n + value * value));
  const bool odd = freedom % 2 == 1;
  double term = odd ? cosine : 1.0;
  double sum = freedom == 1 ? 0.0 : term;
  for (long k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= cosine * cosine * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  if (!odd) return sine * sum;
  constexpr double two_over_pi = 0.63661977236758134308;
  return two_over_pi * (std::atan2(value, std::sqrt(n)) + sine * sum);
}

/// The t that |t| stays below with a probability in (0, 1): half the width of an interval, in standard errors.
[[nodiscard]] inline double student_bound(double probability, long freedom) {
  double low = 0.0;
  double high = 1.0;
  while (student_probability(high, freedom) < probability && high < 1e300) high *= 2.0;
  for (;;) {
    const double middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) return middle;
    (student_probability(middle, freedom) < probability ? low : high) = middle;
  }
}

}  // namespace collapse::streams
