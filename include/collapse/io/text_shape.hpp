#pragma once

#include <collapse/io/text_fields.hpp>
#include <collapse/io/text_index.hpp>
#include <collapse/io/text_number.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace collapse::io::detail {

/// A line as a row of numbers, perhaps behind a label.
struct RowShape {
  char separator = ' ';
  bool labelled = false;  ///< the first field is text
  Eigen::Index cols = 0;  ///< fields that are a number or missing

  [[nodiscard]] Eigen::Index fields() const { return cols + (labelled ? 1 : 0); }
};

/// The shape of a line that is a row of numbers, of which some may be missing; nothing when no separator makes it one.
[[nodiscard]] inline std::optional<RowShape> shape_of_row(std::string_view line, bool decimal_comma) {
  for (const char separator : {'\t', ',', ';', ' '}) {
    if (decimal_comma && separator == ',' && line.find('"') == std::string_view::npos) continue;
    TextFields fields(line, separator);
    RowShape shape{.separator = separator};
    Eigen::Index numbers = 0;
    bool is_row = true;
    for (bool first = true; is_row; first = false) {
      const std::optional<std::string_view> field = fields.next();
      if (!field) break;
      const CellKind kind = kind_of(*field, decimal_comma);
      if (kind == CellKind::number || kind == CellKind::missing) {
        ++shape.cols;
        if (kind == CellKind::number) ++numbers;
      } else if (first) {
        shape.labelled = true;
      } else {
        is_row = false;
      }
    }
    if (is_row && numbers > 0) return shape;
  }
  return std::nullopt;
}

/// The first cell with a decimal comma, of a line that is a row once it is read so.
/// @param is_row_otherwise  whether commas would separate its numbers: then only tabs and semicolons speak for others
struct DecimalComma {
  Eigen::Index column = 0;
  std::string_view cell{};
};

[[nodiscard]] inline std::optional<DecimalComma> decimal_comma_in(std::string_view line, bool is_row_otherwise) {
  for (const char separator : {'\t', ';', ',', ' '}) {
    if (is_row_otherwise && (separator == ',' || separator == ' ')) break;
    if (separator == ',' && line.find('"') == std::string_view::npos) continue;
    const std::vector<std::string_view> fields = fields_of(line, separator);
    std::optional<DecimalComma> found;
    bool is_row = fields.size() > 1;
    for (std::size_t i = 0; i < fields.size() && is_row; ++i) {
      const CellKind kind = kind_of(fields[i], false);
      if (kind == CellKind::decimal_comma && !found) found = {static_cast<Eigen::Index>(i), fields[i]};
      is_row = kind != CellKind::text || i == 0;
    }
    if (is_row && found) return found;
  }
  return std::nullopt;
}

/// Whether cells count up by one. `from` is the first of them.
[[nodiscard]] inline bool count_up(std::span<const std::string_view> cells, double& from) {
  double value = 0.0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (kind_of(cells[i], false) != CellKind::number || !parse_number(cells[i], value)) return false;
    if (i == 0) from = value;
    if (value != from + static_cast<double>(i)) return false;
  }
  return !cells.empty() && is_whole(from);
}

/// True for a line that names columns: when none of its fields is a number, or when they are 0, 1, 2 and so on, as
/// tables without names are written. An empty field or names of first columns may precede these numbers; there must be
/// at least three of them, unless the field before them is empty.
[[nodiscard]] inline bool names_columns(std::string_view line, char separator, bool decimal_comma) {
  const std::vector<std::string_view> all = fields_of(line, separator);
  const auto is_number = [&](std::string_view name) { return kind_of(name, decimal_comma) == CellKind::number; };
  const auto first = std::find_if(all.begin(), all.end(), is_number);
  if (first == all.end()) return true;
  const auto count = static_cast<std::size_t>(all.end() - first);
  for (std::size_t i = 0; i < count; ++i) {
    if (first[static_cast<std::ptrdiff_t>(i)] != std::to_string(i)) return false;
  }
  return count >= (first != all.begin() && all.front().empty() ? 1U : 3U);
}

/// True for a line that holds no value: names of columns never look so.
[[nodiscard]] inline bool is_all_missing(std::span<const std::string_view> fields) {
  const std::span<const std::string_view> behind = fields.size() > 1 ? fields.subspan(1) : fields;
  return !behind.empty() &&
         std::all_of(behind.begin(), behind.end(), [](std::string_view field) { return is_missing(field); });
}

}  // namespace collapse::io::detail
