#pragma once

#include <cstddef>

namespace collapse::io::detail {

/// Copies `count` values of `size` bytes, the bytes of each in the other order.
template <std::size_t size>
void copy_swapped(const std::byte* from, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t b = 0; b < size; ++b) to[size * i + b] = from[size * i + (size - 1 - b)];
  }
}

}  // namespace collapse::io::detail
