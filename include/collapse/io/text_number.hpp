#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace collapse::io::detail {

/// Tells apart two reasons why no double holds a decimal literal: true when it is too large, false when it is too
/// small.
[[nodiscard]] inline bool is_huge(std::string_view literal) {
  const std::size_t e = literal.find_first_of("eE");
  const std::string_view digits = literal.substr(0, e);
  // Digits before the point, from the first that is not 0 on; less the zeros behind the point when all of them are.
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = std::min(digits.find_first_of("123456789"), digits.size());
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  if (e == std::string_view::npos) return place > 0;
  std::string_view text = literal.substr(e + 1);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  constexpr std::int64_t far = std::int64_t{1} << 60;
  if (error == std::errc::result_out_of_range || exponent < -far || exponent > far) return !text.starts_with('-');
  return place + exponent > 0;
}

/// Reads a whole field as a number, rounded to the nearest double: "1", "+1.0", "-.5", "1e5", "nan", "inf". A number
/// smaller than every double is read as 0, one larger than every double is refused.
/// @return whether the field is a number
[[nodiscard]] inline bool parse_number(std::string_view field, double& value) {
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (stop != end) return false;
  if (error != std::errc::result_out_of_range) return error == std::errc();
  value = field.starts_with('-') ? -0.0 : 0.0;
  return !is_huge(field);
}

/// Whether a field stands for a value that is missing: empty, or one of the words that R, SQL, Python, pandas and
/// spreadsheets write for it, in capitals or not.
[[nodiscard]] inline bool is_missing(std::string_view field) {
  constexpr std::array<std::string_view, 14> words{"na",  "n/a",  "nan",  "null", "none",   "<na>",     "#n/a",
                                                   "#na", "-nan", "+nan", "nat",  "1.#ind", "-1.#qnan", "1.#qnan"};
  constexpr std::size_t longest = 8;
  if (field.size() > longest) return false;
  std::array<char, longest> small{};
  std::transform(field.begin(), field.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view word(small.data(), field.size());
  return word.empty() || std::find(words.begin(), words.end(), word) != words.end();
}

/// What a cell of a table holds.
enum class CellKind {
  number,
  missing,        ///< nothing, or a word for that
  decimal_comma,  ///< a number as "0,5", which is not read as one unless asked for
  text
};

/// Whether a field is one number but for its decimal comma; `value` is then that number.
[[nodiscard]] inline bool parse_decimal_comma(std::string_view field, double& value) {
  const std::size_t comma = field.find(',');
  constexpr std::size_t longest = 4096;
  if (comma == std::string_view::npos || field.size() > longest) return false;
  if (field.find('.') != std::string_view::npos || field.find(',', comma + 1) != std::string_view::npos) return false;
  if (comma + 1 == field.size()) return false;
  std::string pointed(field);
  pointed[comma] = '.';
  return parse_number(pointed, value);
}

/// Reads a cell.
/// @param decimal_comma  whether "0,5" is a number
/// @param value          the number; NaN where it is missing
[[nodiscard]] inline CellKind read_cell(std::string_view field, bool decimal_comma, double& value) {
  if (parse_number(field, value)) return std::isnan(value) ? CellKind::missing : CellKind::number;
  if (is_missing(field)) {
    value = std::numeric_limits<double>::quiet_NaN();
    return CellKind::missing;
  }
  if (parse_decimal_comma(field, value)) return decimal_comma ? CellKind::number : CellKind::decimal_comma;
  return CellKind::text;
}

[[nodiscard]] inline CellKind kind_of(std::string_view field, bool decimal_comma) {
  double ignored = 0.0;
  return read_cell(field, decimal_comma, ignored);
}

}  // namespace collapse::io::detail
