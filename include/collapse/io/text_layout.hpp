#pragma once

#include <collapse/io/printable.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace collapse::io::detail {

/// A line that was read to tell what the file is.
struct SampleLine {
  std::string text;
  std::int64_t number = 0;

  [[nodiscard]] bool is_comment() const { return text.starts_with('#'); }
};

/// What becomes of a field.
enum class FieldUse : unsigned char { number, index, left_out };

/// How the rows of a text are written.
struct TextLayout {
  char separator = ' ';            ///< ' ' for runs of blanks and tabs
  bool decimal_comma = false;      ///< "0,5" is a number
  bool labelled = false;           ///< the first field is a label or a word, left out
  bool label_in_doubt = false;     ///< only the first row says so
  bool trailing = false;           ///< a separator ends the lines
  bool list = false;               ///< one field holds all numbers
  Eigen::Index cols = 0;           ///< numbers of a row
  std::vector<FieldUse> fields;    ///< of a line
  std::vector<std::string> names;  ///< of the fields; none without a header

  std::size_t begin = 0;                  ///< the line of the sample where rows begin
  std::size_t first_row = 0;              ///< the line that others are compared with
  std::optional<Eigen::Index> announced;  ///< rows, by a line before them
  std::int64_t announced_on = 0;          ///< this line
  std::vector<std::string> remarks;       ///< on what was decided and may surprise

  [[nodiscard]] Eigen::Index count() const { return static_cast<Eigen::Index>(fields.size()); }
};

/// Names a column in a message: its number, from 1, and its name.
[[nodiscard]] inline std::string column_name(Eigen::Index column, std::span<const std::string> names) {
  const auto at = static_cast<std::size_t>(column);
  const bool named = at < names.size() && !names[at].empty();
  return named ? fmt::format("column {} ({})", column + 1, printable(names[at])) : fmt::format("column {}", column + 1);
}

}  // namespace collapse::io::detail
