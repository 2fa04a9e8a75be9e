#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace collapse::io::detail {

[[nodiscard]] inline bool is_whole(double value) { return std::isfinite(value) && value == std::floor(value); }

/// Whether a column is called what indices are called.
[[nodiscard]] inline bool is_index_name(std::string_view name) {
  std::string small(name);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::array<std::string_view, 12> names{"id",  "ids",   "index",  "idx",      "uid",     "uuid",
                                                   "row", "rowid", "row_no", "rownames", "level_0", "#"};
  return std::find(names.begin(), names.end(), small) != names.end() || small.starts_with("unnamed: 0") ||
         small.ends_with("_id") || small.ends_with(" id") || small.ends_with("_index") || small.ends_with("_idx");
}

/// Whether two columns are called alike: "dim_0" and "dim_1", "x" and "y", "0" and "1".
[[nodiscard]] inline bool are_alike(std::string_view a, std::string_view b) {
  if (a.size() == 1 && b.size() == 1) return (a[0] >= '0' && a[0] <= '9') == (b[0] >= '0' && b[0] <= '9');
  const auto letters = [](std::string_view name) {
    std::string out;
    for (const char c : name) {
      if (c < '0' || c > '9') out += c;
    }
    return out;
  };
  const auto has_digit = [](std::string_view name) {
    return name.find_first_of("0123456789") != std::string_view::npos;
  };
  return letters(a) == letters(b) && has_digit(a) == has_digit(b);
}

/// Whether the first column of a table is its index: whole numbers that count up. A dimension of embeddings does not
/// count the rows, so one by one is enough where the header gives the column another kind of name than its neighbour;
/// with gaps, or without a header, the other columns have to hold fractions. Columns that are called id or the like may
/// have any order where no number comes twice.
/// @param values  of the column in the first rows
/// @param name    of the column; `next` that of the one behind it
/// @param named   whether there is a header
/// @param again   whether there was an index before it, which only an index by name follows
/// @param others  the columns behind it
[[nodiscard]] inline bool is_index(std::span<const double> values, std::string_view name, std::string_view next,
                                   bool named, bool again, std::span<const std::vector<double>> others) {
  if (values.size() < 2 || !std::all_of(values.begin(), values.end(), is_whole)) return false;
  bool by_one = true;
  bool ascending = true;
  for (std::size_t i = 1; i < values.size(); ++i) {
    by_one = by_one && values[i] == values[i - 1] + 1.0;
    ascending = ascending && values[i] > values[i - 1];
  }
  if (named && is_index_name(name)) {
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const bool once = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    return ascending || (once && values.size() >= 3);
  }
  if (!ascending || again) return false;
  if (named && by_one) return values.size() >= 3 && !are_alike(name, next);
  if (named ? are_alike(name, next) : !by_one) return false;
  constexpr std::size_t enough = 8;
  const auto is_of_numbers = [](const std::vector<double>& column) {
    return !std::all_of(column.begin(), column.end(),
                        [](double value) { return is_whole(value) || std::isnan(value); });
  };
  return values.size() >= enough && std::all_of(others.begin(), others.end(), is_of_numbers);
}

}  // namespace collapse::io::detail
