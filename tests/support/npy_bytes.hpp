#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace collapse::test {

/// The bytes of a .npy file, put together from its parts, right or wrong.
struct NpyBytes {
  std::string descr = "'<f4'";
  std::string fortran_order = "False";
  std::string shape = "(2, 3)";
  std::string data;
  int major = 1;
  int minor = 0;
  std::size_t align = 64;  ///< the data begin at a multiple of this, as numpy has it
  std::size_t shift = 0;   ///< ... and this many bytes further

  [[nodiscard]] std::string dictionary() const {
    return "{'descr': " + descr + ", 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }";
  }

  [[nodiscard]] std::string str() const { return with_dictionary(dictionary()); }

  [[nodiscard]] std::string with_dictionary(std::string text) const {
    const std::size_t before = major == 1 ? 10 : 12;
    while ((before + text.size() + 1) % align != shift % align) text += ' ';
    return with_header(text + '\n');
  }

  [[nodiscard]] std::string with_header(std::string_view header) const {
    return magic(header.size()).append(header).append(data);
  }

  /// The bytes before the header, with the length that they claim for it.
  [[nodiscard]] std::string magic(std::size_t header_length) const {
    std::string out = "\x93NUMPY";
    out += static_cast<char>(major);
    out += static_cast<char>(minor);
    for (int i = 0; i < (major == 1 ? 2 : 4); ++i) out += static_cast<char>((header_length >> (8 * i)) & 0xFFU);
    return out;
  }
};

/// The bytes of numbers as they lie in memory, or each number's bytes the other way round.
template <class Scalar>
[[nodiscard]] std::string bytes_of(const std::vector<Scalar>& values, bool swapped = false) {
  std::string out;
  for (const Scalar& value : values) {
    char bytes[sizeof(Scalar)];
    std::memcpy(bytes, &value, sizeof(Scalar));
    const std::string piece(bytes, sizeof(Scalar));
    out += swapped ? std::string(piece.rbegin(), piece.rend()) : piece;
  }
  return out;
}

}  // namespace collapse::test
