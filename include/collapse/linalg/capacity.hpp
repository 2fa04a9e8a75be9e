#pragma once

#include <algorithm>
#include <cstddef>

namespace collapse::linalg {

/// Makes a vector hold `needed` entries without taking memory again. Where it has to grow, it grows at least twofold:
/// `reserve` alone would let many small additions take new memory each time.
template <class Vector>
void grow_capacity(Vector& values, std::size_t needed) {
  if (needed > values.capacity()) values.reserve(std::max(needed, 2 * values.capacity()));
}

}  // namespace collapse::linalg
