#pragma once

#include <cstdint>

namespace collapse::linalg {

/// A 64-bit number that depends on (seed, index) alone and looks uniform: the finaliser of SplitMix64 (Steele, Lea &
/// Flood 2014) over both words.
[[nodiscard]] constexpr std::uint64_t hash(std::uint64_t seed, std::uint64_t index) noexcept {
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  };
  return mix(mix(seed + 0x9e3779b97f4a7c15ULL) + (index + 1) * 0x9e3779b97f4a7c15ULL);
}

}  // namespace collapse::linalg
