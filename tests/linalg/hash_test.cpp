#include "support/catch.hpp"

#include <collapse/linalg/hash.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

using collapse::linalg::hash;

TEST_CASE("the hash of a seed and an index never changes", "[hash]") {
  // The row samples of published numbers depend on these. SplitMix64 of the state mix(seed + gamma), by an independent
  // implementation.
  const auto split_mix = [](std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  };
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{42}, ~std::uint64_t{0}}) {
    std::uint64_t outer = seed;
    std::uint64_t state = split_mix(outer);
    for (std::uint64_t index = 0; index < 100; ++index) REQUIRE(hash(seed, index) == split_mix(state));
  }
  // First output of SplitMix64 seeded with 0, as published with the algorithm: the seed's part of the hash.
  std::uint64_t zero = 0;
  CHECK(split_mix(zero) == 0xe220a8397b1dcdafULL);
  static_assert(hash(0, 0) != hash(0, 1));
}

TEST_CASE("hashes of different indices and seeds differ", "[hash]") {
  std::vector<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t index = 0; index < 1000; ++index) seen.push_back(hash(seed, index));
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("hashes are uniform by chi-square over 256 cells, high and low bits", "[hash]") {
  for (const int shift : {0, 56}) {
    std::array<int, 256> cells{};
    constexpr int count = 1 << 16;
    for (int i = 0; i < count; ++i) ++cells[(hash(7, static_cast<std::uint64_t>(i)) >> shift) & 255];
    double chi_square = 0.0;
    for (const int cell : cells) chi_square += (cell - 256.0) * (cell - 256.0) / 256.0;
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    CHECK(chi_square > 255.0 - 4.0 * 22.6);
    CHECK(chi_square < 255.0 + 4.0 * 22.6);
  }
}

TEST_CASE("changing one bit of the index changes half of the hash", "[hash]") {
  double flipped = 0.0;
  for (std::uint64_t index = 0; index < 64; ++index) {
    for (int bit = 0; bit < 64; ++bit)
      flipped += std::popcount(hash(3, index) ^ hash(3, index ^ (std::uint64_t{1} << bit)));
  }
  CHECK(flipped / (64.0 * 64.0) > 31.5);
  CHECK(flipped / (64.0 * 64.0) < 32.5);
}
