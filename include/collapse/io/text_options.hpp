#pragma once

#include <collapse/io/columns.hpp>

#include <string_view>

namespace collapse::io {

/// Whether the first line of a text names its columns.
enum class Header {
  automatic,  ///< decided by what it holds
  yes,
  no
};

[[nodiscard]] constexpr std::string_view to_string(Header header) noexcept {
  switch (header) {
    case Header::automatic: return "auto";
    case Header::yes: return "yes";
    case Header::no: return "no";
  }
  return "unknown";
}

/// How a text of numbers is read. An aggregate: `TextFile("Z.csv", {.decimal_comma = true})`.
struct TextOptions {
  Columns columns{};       ///< these alone, whatever the others hold; "0-" keeps an index as a dimension
  Columns drop_columns{};  ///< all but these
  Header header = Header::automatic;
  bool decimal_comma = false;   ///< numbers are written as "0,5", between semicolons, tabs or blanks
  bool missing_is_nan = false;  ///< pass a missing value on as NaN, to who leaves such rows out; else it is an error
};

}  // namespace collapse::io
