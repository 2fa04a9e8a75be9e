#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

/// Distances from differences of vectors. ||x||^2 + ||y||^2 - 2 x . y has lost its digits where the vectors almost
/// agree; this keeps them.
namespace collapse::linalg {

using Eigen::Index;

/// The vectors end in zeros up to a multiple of so many entries.
inline constexpr Index difference_padding = 8;

[[nodiscard]] constexpr Index padded_depth(Index depth) {
  return (depth + difference_padding - 1) / difference_padding * difference_padding;
}

/// out[p] = ||x[p] - y[p]||^2, each with the same bits whatever it is computed together with, and those of
/// ||y[p] - x[p]||^2. Several at a time hide the time that one addition takes.
/// @param depth  a multiple of difference_padding
template <std::size_t Pairs>
std::array<double, Pairs> squared_distances(const std::array<const double*, Pairs>& x,
                                            const std::array<const double*, Pairs>& y, Index depth) {
  using Eigen::internal::ploadu;
  using Eigen::internal::pmadd;
  using Eigen::internal::predux;
  using Eigen::internal::pset1;
  using Eigen::internal::psub;
  using Packet = Eigen::internal::packet_traits<double>::type;
  constexpr auto width = static_cast<Index>(sizeof(Packet) / sizeof(double));
  static_assert(difference_padding % width == 0);
  Packet sums[Pairs];
  for (Packet& sum : sums) sum = pset1<Packet>(0.0);
  for (Index k = 0; k < depth; k += width) {
    for (std::size_t p = 0; p < Pairs; ++p) {
      const Packet difference = psub(ploadu<Packet>(x[p] + k), ploadu<Packet>(y[p] + k));
      sums[p] = pmadd(difference, difference, sums[p]);
    }
  }
  std::array<double, Pairs> result;
  for (std::size_t p = 0; p < Pairs; ++p) result[p] = predux(sums[p]);
  return result;
}

/// ||x - y|| from its square, or from the differences anew where squares have left the range of double.
[[nodiscard]] inline double distance_of(double squared, const double* x, const double* y, Index depth) {
  if (squared > 1e-250 && squared < 1e290) return std::sqrt(squared);
  double largest = 0.0;
  for (Index k = 0; k < depth; ++k) largest = std::max(largest, std::abs(x[k] - y[k]));
  if (largest == 0.0) return 0.0;
  const int exponent = std::ilogb(largest);
  double sum = 0.0;
  for (Index k = 0; k < depth; ++k) {
    const double difference = std::ldexp(x[k] - y[k], -exponent);
    sum += difference * difference;
  }
  return std::ldexp(std::sqrt(sum), exponent);
}

/// out[p] = ||x[p] - y[p]||.
template <std::size_t Pairs>
std::array<double, Pairs> distances(const std::array<const double*, Pairs>& x,
                                    const std::array<const double*, Pairs>& y, Index depth) {
  std::array<double, Pairs> result = squared_distances(x, y, depth);
  for (std::size_t p = 0; p < Pairs; ++p) result[p] = distance_of(result[p], x[p], y[p], depth);
  return result;
}

[[nodiscard]] inline double distance(const double* x, const double* y, Index depth) {
  return distances<1>({x}, {y}, depth)[0];
}

}  // namespace collapse::linalg
