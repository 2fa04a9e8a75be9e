#pragma once

#include <collapse/io/text_index.hpp>
#include <collapse/io/text_layout.hpp>

#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

namespace collapse::io::detail {

/// Reads a row in the way that most are written: numbers that std::from_chars takes as they stand, with nothing but
/// separators and blanks between them. This is where the time of reading text goes: a number ends where it can no longer
/// be one, so that no field is searched for its end.
/// @param to  gets the numbers; holds anything when this row is not such a one
/// @return whether it is
[[nodiscard]] inline bool read_plain_row(std::string_view line, const TextLayout& layout, double* to) {
  if (layout.decimal_comma || layout.list) return false;
  const char* at = line.data();
  const char* const end = at + line.size();
  const char separator = layout.separator;
  const auto is_blank = [separator](char c) { return c == ' ' || (separator == ' ' && c == '\t'); };
  const std::size_t count = layout.fields.size();
  for (std::size_t i = 0; i < count; ++i) {
    const FieldUse use = layout.fields[i];
    if (use == FieldUse::left_out) {
      if (separator == ' ') {
        // A blank at the beginning may be the word.
        if (at == end || is_blank(*at)) return false;
        while (at != end && !is_blank(*at)) ++at;
      } else {
        while (at != end && *at != separator) {
          if (*at == '"') return false;
          ++at;
        }
      }
    } else {
      while (at != end && is_blank(*at)) ++at;
      double value = 0.0;
      const auto [stop, error] = std::from_chars(at, end, value);
      if (error != std::errc() || std::isnan(value)) return false;
      at = stop;
      if (use == FieldUse::number) {
        *to++ = value;
      } else if (!is_whole(value)) {
        return false;
      }
    }
    const char* const field_end = at;
    while (at != end && is_blank(*at)) ++at;
    if (i + 1 == count) return at == end;
    if (separator == ' ') {
      if (at == field_end) return false;
    } else {
      if (at == end || *at != separator) return false;
      ++at;
    }
  }
  return false;
}

}  // namespace collapse::io::detail
