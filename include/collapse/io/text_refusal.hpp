#pragma once

#include <collapse/error.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/text_list.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

/// What is said of cells that are no numbers.

namespace collapse::io::detail {

[[nodiscard]] inline FileError missing_value(const std::string& path, std::int64_t line, std::string_view column,
                                             std::string_view cell) {
  return {path, fmt::format("line {}, {}: missing value ({}); fill it in, or leave such rows out "
                            "(--skip-nonfinite, TextOptions::missing_is_nan)",
                            line, column, cell.empty() ? std::string("an empty cell") : printable(cell))};
}

[[nodiscard]] inline FileError decimal_comma_found(const std::string& path, std::int64_t line, std::string_view column,
                                                   std::string_view cell) {
  return {path, fmt::format("line {}, {}: {} is written with a decimal comma; read it as a number with --decimal-comma "
                            "(TextOptions::decimal_comma)",
                            line, column, printable(cell))};
}

/// What keeps a cell from being read as a list.
[[nodiscard]] inline FileError spoilt_list(const std::string& path, std::int64_t line, std::string_view column,
                                           const ParsedList& list, std::string_view cell) {
  const std::string place = fmt::format("line {}, {}: ", line, column);
  switch (list.kind) {
    case ListKind::abbreviated:
      return {path,
              place + fmt::format("the list is abbreviated ({}) after {} numbers, as long arrays are printed; write "
                                  "all of it, or save it with np.save",
                                  printable(list.item), list.count)};
    case ListKind::several: return {path, place + "holds lists in a list; write one row to a cell or a line"};
    case ListKind::spoilt: return {path, place + fmt::format("{} in the list is no number", printable(list.item))};
    default: return {path, place + fmt::format("{} is no list of numbers, other rows have one", printable(cell))};
  }
}

}  // namespace collapse::io::detail
