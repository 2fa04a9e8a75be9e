#pragma once

#include <collapse/error.hpp>
#include <collapse/io/columns.hpp>
#include <collapse/io/text_fields.hpp>
#include <collapse/io/text_layout.hpp>
#include <collapse/io/text_list.hpp>
#include <collapse/io/text_number.hpp>
#include <collapse/io/text_options.hpp>
#include <collapse/io/text_recognition.hpp>
#include <collapse/io/text_refusal.hpp>
#include <collapse/io/text_shape.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How TextRecognition reads tables of columns of any kind: those that were asked for, or one of lists.
namespace collapse::io::detail {

/// Whether the first line names the columns of the rows below it.
inline bool TextRecognition::is_header(std::size_t first, std::span<const Cells> rows) const {
  if (options_.header != Header::automatic) return options_.header == Header::yes;
  if (rows.empty()) return false;
  const Cells above = cells(first);
  const auto is = [&](const Cells& row, std::size_t i, CellKind kind) {
    return i < row.size() && kind_of(row[i], layout_.decimal_comma) == kind;
  };
  Cells counted;  // numbers above columns of numbers
  bool any_text = false;
  for (std::size_t i = 0; i < above.size(); ++i) {
    std::size_t numbers = 0;
    for (const Cells& row : rows) {
      if (is(row, i, CellKind::number) || (layout_.list && i < row.size() && is_list(row[i]))) ++numbers;
    }
    if (2 * numbers < rows.size() || numbers == 0) continue;
    if (is(above, i, CellKind::number) || is_list(above[i])) {
      counted.push_back(above[i]);
    } else {
      any_text = true;
    }
  }
  if (counted.empty() || layout_.list) return any_text && counted.empty() && !is_all_missing(above);
  double from = 0.0;
  return count_up(counted, from) &&
         (any_text || (counted.size() >= 3 && from == 0.0) || counts_columns(first, {.separator = layout_.separator}));
}

/// Reads the table as columns of any kind, and takes those that are wanted.
inline void TextRecognition::recognise_selection(std::size_t first) {
  const std::optional<std::size_t> next = next_line(first + 1);
  const std::string& row = lines_[next.value_or(first)].text;
  // Where there are lists, they have told the separator.
  for (const char separator : {'\t', ',', ';', ' '}) {
    if (layout_.list) break;
    if (layout_.decimal_comma && separator == ',' && row.find('"') == std::string::npos) continue;
    layout_.separator = separator;
    const std::size_t count = fields_of(row, separator).size();
    const std::size_t above = fields_of(lines_[first].text, separator).size();
    if (count > 1 && (above == count || above + 1 == count)) break;
  }
  const std::size_t count = fields_of(row, layout_.separator, layout_.list).size();
  layout_.fields.assign(count, FieldUse::left_out);
  std::vector<Cells> rows = sample_rows(first + 1);
  const bool by_name = options_.columns.needs_names() || options_.drop_columns.needs_names();
  const bool header = next && ((by_name && options_.header != Header::no) || is_header(first, rows));
  if (header) {
    set_names(first);
    if (layout_.names.size() + 1 == count) layout_.names.insert(layout_.names.begin(), "");
  } else {
    rows = sample_rows(first);
  }
  layout_.begin = header ? first + 1 : 0;
  layout_.first_row = header ? *next : first;

  std::vector<Eigen::Index> kept;
  try {
    kept = kept_columns(options_.columns, options_.drop_columns, layout_.count(), layout_.names);
  } catch (const OptionError& error) {
    throw FileError(path_, error.what());
  }
  for (const Eigen::Index i : kept) layout_.fields[static_cast<std::size_t>(i)] = FieldUse::number;
  layout_.cols = static_cast<Eigen::Index>(kept.size());
  if (!options_.columns.empty() || kept.front() > 0) return;
  // The columns that stay may still begin with words or an index.
  std::size_t texts = 0;
  for (const Cells& cells : rows) {
    if (kind_of(cells.front(), layout_.decimal_comma) == CellKind::text) ++texts;
  }
  if (2 * texts > rows.size() && layout_.cols > 1) {
    layout_.labelled = true;
    layout_.fields.front() = FieldUse::left_out;
    --layout_.cols;
  } else if (kept.size() > 1 && kept[1] == 1) {
    leave_out_index(rows);
  }
}

/// Reads the column that holds lists, where there is one.
inline bool TextRecognition::recognise_lists(std::size_t first) {
  const auto may_hold = [](const SampleLine& line) { return line.text.find_first_of("[({") != std::string::npos; };
  if (!std::any_of(lines_.begin(), lines_.end(), may_hold)) return false;
  for (const char separator : {'\t', ',', ';', ' '}) {
    std::vector<std::size_t> found;  // lists in each field
    std::size_t rows = 0;
    std::size_t count = 0;
    for (std::size_t i = first; i < lines_.size(); ++i) {
      if (lines_[i].is_comment()) continue;
      const Cells row = fields_of(lines_[i].text, separator, true);
      if (rows++ > 0 || !next_line(i + 1)) count = std::max(count, row.size());
      found.resize(std::max(found.size(), row.size()));
      for (std::size_t k = 0; k < row.size(); ++k) {
        if (is_list(row[k])) ++found[k];
      }
    }
    // All rows but a header, or most of them.
    const auto holds = [&](std::size_t lists) { return lists > 0 && 2 * lists + 1 >= rows; };
    if (std::none_of(found.begin(), found.end(), holds)) continue;
    layout_ = TextLayout();
    layout_.separator = separator;
    layout_.list = true;
    layout_.fields.assign(count, FieldUse::left_out);
    const bool selected = !options_.columns.empty() || !options_.drop_columns.empty();
    if (selected) {
      recognise_selection(first);
    } else {
      std::fill(layout_.fields.begin(), layout_.fields.end(), FieldUse::number);
      const std::vector<Cells> below = sample_rows(first + 1);
      if (is_header(first, below)) {
        set_names(first);
        layout_.begin = first + 1;
      }
      layout_.first_row = next_line(layout_.begin).value_or(first);
    }
    std::vector<std::size_t> lists;
    std::size_t others = 0;
    for (std::size_t k = 0; k < layout_.fields.size(); ++k) {
      if (layout_.fields[k] != FieldUse::number) continue;
      if (k < found.size() && holds(found[k])) {
        lists.push_back(k);
      } else {
        ++others;
      }
    }
    if (lists.empty()) {
      // Those that were asked for are columns of numbers.
      layout_.list = false;
      return true;
    }
    if (lists.size() > 1 || (selected && others > 0)) {
      throw FileError(path_,
                      fmt::format("{} and {} hold {}; a row is read from one list, choose its column with "
                                  "--columns",
                                  column_name(static_cast<Eigen::Index>(lists[0]), layout_.names),
                                  lists.size() > 1 ? column_name(static_cast<Eigen::Index>(lists[1]), layout_.names)
                                                   : fmt::format("{} more", others),
                                  lists.size() > 1 ? "lists" : "a list and numbers"));
    }
    std::fill(layout_.fields.begin(), layout_.fields.end(), FieldUse::left_out);
    layout_.fields[lists.front()] = FieldUse::number;
    layout_.labelled = false;
    layout_.cols = 0;
    // The length is that of the first that is whole.
    for (std::size_t i = layout_.first_row; i < lines_.size() && layout_.cols == 0; ++i) {
      if (lines_[i].is_comment()) continue;
      const Cells row = cells(i);
      if (lists.front() >= row.size()) continue;
      const ParsedList list = parse_list(row[lists.front()], nullptr);
      if (list.kind == ListKind::numbers) {
        layout_.cols = static_cast<Eigen::Index>(list.count);
        layout_.first_row = i;
      } else if (list.kind != ListKind::none) {
        throw spoilt_list(path_, lines_[i].number, column_name(static_cast<Eigen::Index>(lists.front()), layout_.names),
                          list, row[lists.front()]);
      }
    }
    return true;
  }
  return false;
}

}  // namespace collapse::io::detail
