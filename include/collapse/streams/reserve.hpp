#pragma once

#include <algorithm>
#include <cstddef>

namespace collapse::streams {

/// Room for so many entries in all, at least twice what there was where it has to grow: `reserve` alone would let many
/// small additions take new memory each time.
template <class Vector>
void reserve_in_all(Vector& values, std::size_t needed) {
  if (needed > values.capacity()) values.reserve(std::max(needed, 2 * values.capacity()));
}

}  // namespace collapse::streams
