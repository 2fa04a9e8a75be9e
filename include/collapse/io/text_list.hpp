#pragma once

#include <collapse/io/text_number.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

/// Vectors that a program printed into one cell of a table: "[0.1, 0.2]", "[0.1 0.2]" over as many lines as numpy
/// takes, "array([0.1, 0.2], dtype=float32)", "tensor([...])", "[np.float32(0.1), ...]", "(0.1, 0.2)", "{0.1,0.2}".
namespace collapse::io::detail {

[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Length of a name such as "np.array" that stands before a parenthesis; 0 without one.
[[nodiscard]] inline std::size_t called_name(std::string_view text) {
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
  };
  const auto end = std::find_if_not(text.begin(), text.end(), in_name);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const bool named = length > 0 && !(text[0] >= '0' && text[0] <= '9') && end != text.end() && *end == '(';
  return named ? length : 0;
}

/// Length of what may be a list at the beginning of a text, up to the bracket that closes it; 0 where none begins or
/// none closes.
[[nodiscard]] inline std::size_t list_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = called_name(text); i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '(' || c == '{') ++depth;
    if (depth == 0) return 0;
    if (c == ']' || c == ')' || c == '}') --depth;
    if (depth == 0) return i + 1;
  }
  return 0;
}

enum class ListKind {
  numbers,
  none,         ///< no list, or one of nothing
  abbreviated,  ///< with "..." in place of numbers
  several,      ///< lists in a list
  spoilt        ///< one of its items is no number
};

struct ParsedList {
  ListKind kind = ListKind::none;
  std::size_t count = 0;    ///< numbers before the end, or before what is wrong
  std::string_view item{};  ///< what is no number
  bool missing = false;     ///< one of them is NaN, None or the like
};

/// Reads a cell as a list.
/// @param to  gets the numbers, NaN for what is missing; null where they are only counted
[[nodiscard]] inline ParsedList parse_list(std::string_view cell, std::vector<double>* to) {
  cell = trimmed(cell);
  if (cell.size() > 1 && cell.front() == '"' && cell.back() == '"') cell = trimmed(cell.substr(1, cell.size() - 2));
  ParsedList list;
  if (list_length(cell) == 0) return list;
  const bool named = called_name(cell) > 0;
  if (named) cell = trimmed(cell.substr(called_name(cell) + 1));
  const std::size_t length = list_length(cell);
  const std::string_view rest = trimmed(cell.substr(length));
  // Behind array([...] stands its type, and a parenthesis.
  const bool ends = rest.empty() || rest == "," || (named && (rest.front() == ',' || rest.front() == ')'));
  if (length < 2 || !ends) return list;
  const char bracket = cell.front();
  cell = trimmed(cell.substr(1, length - 2));
  // A matrix of one row.
  while (!cell.empty() && cell.front() == '[' && list_length(cell) == cell.size()) {
    cell = trimmed(cell.substr(1, cell.size() - 2));
  }
  const auto separates = [](char c) { return is_space(c) || c == ',' || c == ';'; };
  while (!cell.empty()) {
    const auto first = std::find_if_not(cell.begin(), cell.end(), separates);
    const auto last = std::find_if(first, cell.end(), separates);
    std::string_view item(first, last);
    cell = {last, cell.end()};
    if (item.empty()) break;
    if (item == "..." || item == "\xe2\x80\xa6") return {ListKind::abbreviated, list.count, item, false};
    if (item.front() == '[') return {ListKind::several, list.count, item, false};
    // numpy 2 prints the items of a list with their type.
    if (const std::size_t name = called_name(item); name > 0 && item.back() == ')') {
      item = item.substr(name + 1, item.size() - name - 2);
    }
    if (item.size() > 1 && (item.front() == '\'' || item.front() == '"') && item.back() == item.front()) {
      item = item.substr(1, item.size() - 2);
    }
    double value = 0.0;
    const CellKind kind = read_cell(item, false, value);
    if (kind != CellKind::number && kind != CellKind::missing) return {ListKind::spoilt, list.count, item, false};
    list.missing = list.missing || kind == CellKind::missing;
    if (to != nullptr) to->push_back(value);
    ++list.count;
  }
  // "(3)" is a remark in a text rather than a vector.
  const bool long_enough = list.count > (bracket == '[' ? 0U : 1U);
  list.kind = long_enough ? ListKind::numbers : ListKind::none;
  return list;
}

/// Whether a cell is a list, or would be one if it were whole.
[[nodiscard]] inline bool is_list(std::string_view cell) {
  const ParsedList list = parse_list(cell, nullptr);
  return list.kind == ListKind::numbers || (list.kind != ListKind::none && list.count > 0);
}

}  // namespace collapse::io::detail
