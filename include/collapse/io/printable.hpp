#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace collapse::io::detail {

/// Text out of a file as a message may show it: in quotes, on one line, at most 40 characters, all printable.
[[nodiscard]] inline std::string printable(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string out = "'";
  for (const char c : text.substr(0, most)) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + (text.size() > most ? "...'" : "'");
}

}  // namespace collapse::io::detail
