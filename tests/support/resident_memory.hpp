#pragma once

#include <cstddef>
#include <fstream>

namespace collapse::test {

/// Bytes of this process in memory, 0 where the system does not tell. Pages of 4 KiB are assumed: larger ones make the
/// number too small.
[[nodiscard]] inline std::size_t resident_memory() {
  std::ifstream statistics("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  return statistics >> total >> resident ? resident * 4096 : 0;
}

}  // namespace collapse::test
