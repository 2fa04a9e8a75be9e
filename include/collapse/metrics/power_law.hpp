#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>

#include <algorithm>
#include <cmath>

namespace collapse {

/// A fit of lambda_k ~ k^-alpha.
struct PowerLaw {
  double alpha = undefined;
  double r2 = undefined;  ///< weighted coefficient of determination, <= 1
};

/// Decay exponent of the eigenvalue spectrum: weighted least squares of -ln lambda_k on ln k over ranks first..last
/// (from 1), weights 1 / k.
///
/// @param spectrum  its values below the noise floor are left out
/// @param first     first rank of the fit
/// @param last      last rank of the fit
/// @return alpha (0 for a flat spectrum; natural images and healthy encoders are near 1, larger is more collapsed) and
///         r2; undefined when fewer than 3 values fall in the range, r2 also when they are all equal
/// Cost: O(last - first).
/// Source: Agrawal et al., alpha-ReQ, 2022, sec. 3; range and weights as in its reference code (Stringer et al. 2019).
[[nodiscard]] inline PowerLaw power_law(const SingularValues& spectrum, Index first = 11, Index last = 100) {
  PowerLaw result;
  last = std::min(last, spectrum.above_floor());
  if (last - first + 1 < 3) return result;

  double weight_sum = 0.0;
  double mean_x = 0.0;
  double mean_y = 0.0;
  const auto x_at = [](Index k) { return std::log(static_cast<double>(k)); };
  const auto y_at = [&spectrum](Index k) { return -2.0 * std::log(spectrum.values(k - 1)); };
  for (Index k = first; k <= last; ++k) {
    const double weight = 1.0 / static_cast<double>(k);
    weight_sum += weight;
    mean_x += weight * x_at(k);
    mean_y += weight * y_at(k);
  }
  mean_x /= weight_sum;
  mean_y /= weight_sum;
  double xx = 0.0;
  double xy = 0.0;
  double yy = 0.0;
  for (Index k = first; k <= last; ++k) {
    const double weight = 1.0 / static_cast<double>(k);
    const double dx = x_at(k) - mean_x;
    const double dy = y_at(k) - mean_y;
    xx += weight * dx * dx;
    xy += weight * dx * dy;
    yy += weight * dy * dy;
  }
  result.alpha = xy / xx;
  // Of equal values rounding leaves a yy that is not 0.
  if (spectrum.values(first - 1) > spectrum.values(last - 1)) result.r2 = xy * xy / (xx * yy);
  return result;
}

}  // namespace collapse
