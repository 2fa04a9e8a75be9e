#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace collapse::io::detail {

// Written out, so that compilers make one instruction of each; of a loop over the bytes they do not.

[[nodiscard]] constexpr std::uint16_t swapped(std::uint16_t bits) {
  return static_cast<std::uint16_t>(bits << 8 | bits >> 8);
}

[[nodiscard]] constexpr std::uint32_t swapped(std::uint32_t bits) {
  return bits << 24 | (bits & 0xFF00U) << 8 | (bits >> 8 & 0xFF00U) | bits >> 24;
}

[[nodiscard]] constexpr std::uint64_t swapped(std::uint64_t bits) {
  return std::uint64_t{swapped(static_cast<std::uint32_t>(bits))} << 32 |
         swapped(static_cast<std::uint32_t>(bits >> 32));
}

/// Copies `count` values of 2, 4 or 8 bytes, the bytes of each in the other order.
template <std::size_t size>
void copy_swapped(const std::byte* from, std::size_t count, std::byte* to) {
  static_assert(size == 2 || size == 4 || size == 8);
  using Bits =
      std::conditional_t<size == 2, std::uint16_t, std::conditional_t<size == 4, std::uint32_t, std::uint64_t>>;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, from + size * i, size);
    bits = swapped(bits);
    std::memcpy(to + size * i, &bits, size);
  }
}

}  // namespace collapse::io::detail
