#pragma once

#include <collapse/error.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/text_fields.hpp>
#include <collapse/io/text_index.hpp>
#include <collapse/io/text_layout.hpp>
#include <collapse/io/text_list.hpp>
#include <collapse/io/text_number.hpp>
#include <collapse/io/text_options.hpp>
#include <collapse/io/text_refusal.hpp>
#include <collapse/io/text_shape.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace collapse::io::detail {

/// Tells from the first lines of a text how its rows are written.
class TextRecognition {
 public:
  TextRecognition(std::span<const SampleLine> lines, const TextOptions& options, const std::string& path)
      : lines_(lines), options_(options), path_(path) {
    layout_.decimal_comma = options.decimal_comma;
  }

  [[nodiscard]] TextLayout layout() {
    const std::optional<std::size_t> first = next_line(0);
    if (!first) {
      if (!recognise_marked_words()) throw FileError(path_, "holds no row of numbers");
      return std::move(layout_);
    }
    if (!recognise_lists(*first)) {
      if (options_.columns.empty() && options_.drop_columns.empty()) {
        recognise_rows(*first);
      } else {
        recognise_selection(*first);
      }
    }
    return std::move(layout_);
  }

 private:
  using Cells = std::vector<std::string_view>;

  /// The first line from `from` on that is no comment.
  [[nodiscard]] std::optional<std::size_t> next_line(std::size_t from) const {
    for (std::size_t i = from; i < lines_.size(); ++i) {
      if (!lines_[i].is_comment()) return i;
    }
    return std::nullopt;
  }

  [[nodiscard]] Cells cells(std::size_t line) const {
    return fields_of(lines_[line].text, layout_.separator, layout_.list);
  }

  /// Lines from `begin` on, without comments, that have as many fields as the layout.
  [[nodiscard]] std::vector<Cells> sample_rows(std::size_t begin) const {
    std::vector<Cells> rows;
    for (std::size_t i = begin; i < lines_.size(); ++i) {
      if (lines_[i].is_comment()) continue;
      Cells row = cells(i);
      if (static_cast<Eigen::Index>(row.size()) == layout_.count()) rows.push_back(std::move(row));
    }
    return rows;
  }

  void set_names(std::size_t line) {
    layout_.names.clear();
    for (const std::string_view name : cells(line)) layout_.names.emplace_back(name);
  }

  // Rows of numbers, perhaps behind a label.

  void recognise_rows(std::size_t first);
  [[nodiscard]] bool recognise_marked_words();
  [[nodiscard]] std::optional<RowShape> shape_behind_words(std::size_t line) const;
  void take_shape(const RowShape& shape);
  void read_header(std::size_t header, std::size_t row, const RowShape& shape);
  [[nodiscard]] bool read_announcement(std::size_t line);
  [[nodiscard]] bool counts_columns(std::size_t line, const RowShape& shape) const;
  void settle_labels(std::span<const Cells> rows);
  void leave_out_trailing(std::span<const Cells> rows);
  void leave_out_index(std::span<const Cells> rows);
  [[noreturn]] void fail_first_row(std::size_t line) const;

  // Tables of which some columns are wanted.

  void recognise_selection(std::size_t first);
  [[nodiscard]] bool is_header(std::size_t first, std::span<const Cells> rows) const;

  [[nodiscard]] bool recognise_lists(std::size_t first);

  std::span<const SampleLine> lines_;
  const TextOptions& options_;
  const std::string& path_;
  TextLayout layout_;
  std::size_t start_ = 0;  // behind a line for spreadsheets
};

inline void TextRecognition::take_shape(const RowShape& shape) {
  layout_.separator = shape.separator;
  layout_.labelled = layout_.label_in_doubt = shape.labelled;
  layout_.cols = shape.cols;
  layout_.fields.assign(static_cast<std::size_t>(shape.fields()), FieldUse::number);
  if (shape.labelled) layout_.fields.front() = FieldUse::left_out;
}

inline void TextRecognition::recognise_rows(std::size_t first) {
  // "sep=;" on a line of its own is what spreadsheets take.
  if (lines_[first].text.starts_with("sep=") && lines_[first].text.size() == 5) {
    if (const auto next = next_line(first + 1)) start_ = first = *next;
  }
  const auto shape_at = [&](std::size_t line) {
    const std::string& text = lines_[line].text;
    std::optional<RowShape> shape = shape_of_row(text, layout_.decimal_comma);
    if (!layout_.decimal_comma) {
      if (const std::optional<DecimalComma> comma = decimal_comma_in(text, shape.has_value())) {
        throw decimal_comma_found(path_, lines_[line].number, column_name(comma->column, {}), comma->cell);
      }
    }
    return shape;
  };
  std::optional<RowShape> shape = shape_at(first);
  std::size_t row = first;
  if (!shape) shape = shape_behind_words(first);
  if (shape) {
    take_shape(*shape);
    if (options_.header == Header::automatic && read_announcement(first)) return;
  }
  const bool wanted = options_.header != Header::no;
  bool header = wanted && (options_.header == Header::yes || !shape ||
                           names_columns(lines_[first].text, shape->separator, layout_.decimal_comma) ||
                           counts_columns(first, *shape));
  if (header) {
    const std::optional<std::size_t> next = next_line(first + 1);
    const std::optional<RowShape> below = next ? shape_at(*next) : std::nullopt;
    if (!next && !shape) fail_first_row(first);
    header = next.has_value();
    if (header) {
      if (!below) fail_first_row(*next);
      const std::string& text = lines_[first].text;
      const Cells above = fields_of(text, below->separator);
      if (options_.header == Header::automatic && static_cast<Eigen::Index>(above.size()) == below->fields() &&
          is_all_missing(above)) {
        header = false;
      } else if (options_.header == Header::automatic &&
                 !names_columns(text, below->separator, layout_.decimal_comma) && !counts_columns(first, *below)) {
        fail_first_row(first);
      }
      row = *next;
      shape = below;
    }
  } else if (!shape) {
    fail_first_row(first);
  }
  // A word that is a blank leaves its row with one field less.
  if (!header && shape->separator == ' ' && !shape->labelled && lines_[first].text.starts_with(' ')) {
    for (std::size_t i = first + 1; i < lines_.size(); ++i) {
      const std::optional<RowShape> other = shape_of_row(lines_[i].text, layout_.decimal_comma);
      if (other && other->separator == ' ' && other->labelled && other->cols == shape->cols) {
        shape = other;
        break;
      }
    }
  }
  take_shape(*shape);
  layout_.begin = header ? first + 1 : start_;
  layout_.first_row = row;
  const std::vector<Cells> rows = sample_rows(header ? first + 1 : first);
  settle_labels(rows);
  leave_out_trailing(rows);
  if (header) read_header(first, row, *shape);
  leave_out_index(rows);
}

/// The shape of rows between blanks where the label of this one is several words.
inline std::optional<RowShape> TextRecognition::shape_behind_words(std::size_t line) const {
  const Cells cells = fields_of(lines_[line].text, ' ');
  for (std::size_t i = line + 1; i < lines_.size(); ++i) {
    const std::optional<RowShape> shape = shape_of_row(lines_[i].text, layout_.decimal_comma);
    if (!shape || !shape->labelled || shape->separator != ' ' || shape->cols < 2) continue;
    const auto cols = static_cast<std::size_t>(shape->cols);
    if (cells.size() <= cols + 1) return std::nullopt;
    const auto is_number = [&](std::string_view cell) {
      return kind_of(cell, layout_.decimal_comma) == CellKind::number;
    };
    const auto numbers = cells.end() - static_cast<std::ptrdiff_t>(cols);
    const bool fits = std::all_of(numbers, cells.end(), is_number) && std::none_of(cells.begin(), numbers, is_number);
    return fits ? shape : std::nullopt;
  }
  return std::nullopt;
}

/// Takes a file of nothing but lines that begin with '#' for words that do.
inline bool TextRecognition::recognise_marked_words() {
  std::optional<RowShape> shape;
  for (const SampleLine& line : lines_) {
    const std::optional<RowShape> found = shape_of_row(line.text, layout_.decimal_comma);
    if (!found || !found->labelled || found->cols < 2) return false;
    if (shape && (found->cols != shape->cols || found->separator != shape->separator)) return false;
    shape = found;
  }
  if (!shape || lines_.size() < 2) return false;
  take_shape(*shape);
  layout_.label_in_doubt = false;
  return true;
}

/// Whether the first column holds labels: the first row alone does not tell.
inline void TextRecognition::settle_labels(std::span<const Cells> rows) {
  if (layout_.cols < 2 && !layout_.labelled) return;
  std::size_t texts = 0;
  for (const Cells& row : rows) {
    if (kind_of(row.front(), layout_.decimal_comma) == CellKind::text) ++texts;
  }
  if (layout_.labelled || rows.empty()) return;
  const std::string_view first = rows.front().front();
  const bool missing = kind_of(first, layout_.decimal_comma) == CellKind::missing && !first.empty();
  // A number may be a word among words; what is missing may be one where nothing speaks for a number.
  const bool words = 2 * texts > rows.size() || (missing && (texts > 0 || rows.size() == 1));
  if (!words) return;
  layout_.labelled = true;
  layout_.label_in_doubt = false;
  layout_.fields.front() = FieldUse::left_out;
  --layout_.cols;
}

/// Separators may end the lines, too; what stands behind them is no column.
inline void TextRecognition::leave_out_trailing(std::span<const Cells> rows) {
  if (rows.size() < 2 || layout_.cols < 2) return;
  if (!std::all_of(rows.begin(), rows.end(), [](const Cells& row) { return row.back().empty(); })) return;
  layout_.fields.back() = FieldUse::left_out;
  layout_.trailing = true;
  --layout_.cols;
}

/// Keeps the names, and what the header says about labels.
inline void TextRecognition::read_header(std::size_t header, std::size_t row, const RowShape& shape) {
  set_names(header);
  const auto count = static_cast<Eigen::Index>(layout_.names.size());
  const bool first_is_out = count + 1 == layout_.count();
  if (count != layout_.count() && !first_is_out) {
    throw FileError(path_, fmt::format("line {} names {} columns, line {} has {}; make them agree, or begin the header "
                                       "with '#'",
                                       lines_[header].number, count, lines_[row].number, layout_.count()));
  }
  const bool first_is_empty = layout_.names.front().empty();
  if (first_is_out) layout_.names.insert(layout_.names.begin(), "");
  if (first_is_empty || first_is_out) {
    if (!layout_.labelled) {
      if (layout_.cols == 1) {
        throw FileError(path_, fmt::format("line {} has a label and no number", lines_[row].number));
      }
      layout_.labelled = true;
      layout_.fields.front() = FieldUse::left_out;
      --layout_.cols;
    }
    layout_.label_in_doubt = false;
  }
  double from = 0.0;
  const Cells cells = this->cells(header);
  std::span<const std::string_view> counted = cells;
  if (!count_up(counted, from)) counted = counted.subspan(1);
  if (options_.header == Header::automatic &&
      !names_columns(lines_[header].text, shape.separator, layout_.decimal_comma) && count_up(counted, from)) {
    layout_.remarks.push_back(
        fmt::format("line {} counts up from {} over the columns and is taken for their names; "
                    "--header no reads it as a row",
                    lines_[header].number, from));
  }
}

/// Whether a line counts up over the columns, from any number, as no row below it does. A row of whole numbers would.
inline bool TextRecognition::counts_columns(std::size_t line, const RowShape& shape) const {
  const Cells cells = fields_of(lines_[line].text, shape.separator);
  std::span<const std::string_view> counted = cells;
  double from = 0.0;
  if (!count_up(counted, from)) {
    if (counted.empty() || kind_of(counted.front(), false) == CellKind::number) return false;
    counted = counted.subspan(1);
    if (!count_up(counted, from)) return false;
  }
  const bool behind_empty = counted.size() < cells.size() && cells.front().empty();
  if (counted.size() < (behind_empty ? 2U : 3U)) return false;
  std::size_t rows = 0;
  std::size_t values = 0;
  std::size_t whole = 0;
  for (std::size_t i = line + 1; i < lines_.size(); ++i) {
    if (lines_[i].is_comment()) continue;
    const Cells row = fields_of(lines_[i].text, shape.separator);
    if (row.size() < counted.size()) continue;
    const std::span<const std::string_view> numbers = std::span(row).subspan(row.size() - counted.size());
    double ignored = 0.0;
    if (count_up(numbers, ignored)) return false;
    ++rows;
    for (const std::string_view cell : numbers) {
      double value = 0.0;
      if (read_cell(cell, layout_.decimal_comma, value) != CellKind::number) continue;
      ++values;
      if (is_whole(value)) ++whole;
    }
  }
  return rows >= 2 && 2 * whole < values;
}

/// Accepts the line "N D" when a row of a word and D numbers follows.
inline bool TextRecognition::read_announcement(std::size_t line) {
  if (layout_.labelled || layout_.cols != 2 || layout_.separator == ',' || layout_.separator == ';') return false;
  const Cells words = fields_of(lines_[line].text, ' ');
  const auto whole_number = [](std::string_view field) {
    Eigen::Index value = -1;
    const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error == std::errc() && stop == field.data() + field.size() ? value : -1;
  };
  if (words.size() != 2) return false;
  const Eigen::Index rows = whole_number(words[0]);
  const Eigen::Index cols = whole_number(words[1]);
  if (rows < 0 || cols < 1) return false;
  for (std::size_t i = line + 1; i < lines_.size(); ++i) {
    const std::string& text = lines_[i].text;
    const std::optional<RowShape> found = shape_of_row(text, layout_.decimal_comma);
    const bool behind_blank = found && !found->labelled && found->cols == cols && text.starts_with(' ');
    const bool is_word_and_numbers =
        found && ((found->fields() == cols + 1 && (found->labelled || cols > 1)) || (behind_blank && cols > 1));
    // A word of several words shows in no other row than its own.
    const bool several_words = !found && std::count(text.begin(), text.end(), ' ') > cols;
    if (is_word_and_numbers) {
      take_shape({.separator = found->separator, .labelled = true, .cols = cols});
      layout_.label_in_doubt = false;
      layout_.announced = rows;
      layout_.announced_on = lines_[line].number;
      layout_.begin = line + 1;
      layout_.first_row = behind_blank ? line + 1 : i;
      return true;
    }
    if (!lines_[i].is_comment() && !several_words) return false;
  }
  return false;
}

/// Says which field keeps a line from being a row.
inline void TextRecognition::fail_first_row(std::size_t line) const {
  const std::string& text = lines_[line].text;
  const std::size_t at = text.find_first_of("\t,;");
  const Cells fields = fields_of(text, at == std::string::npos ? ' ' : text[at]);
  std::string_view cell = fields.empty() ? "" : fields.front();
  Eigen::Index column = 0;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const CellKind kind = kind_of(fields[i], layout_.decimal_comma);
    if (kind == CellKind::number || kind == CellKind::missing) continue;
    cell = fields[i];
    column = static_cast<Eigen::Index>(i);
    break;
  }
  if (column > 0 && is_list(cell))
    throw spoilt_list(path_, lines_[line].number, column_name(column, {}), parse_list(cell, nullptr), cell);
  if (text.front() == '{' || text.front() == '[') {
    throw FileError(path_, fmt::format("line {} is JSON rather than a row of numbers; write one row, or one list, to a "
                                       "line, or save it with np.save",
                                       lines_[line].number));
  }
  if (cell == "...") {
    throw FileError(path_,
                    fmt::format("line {}, column {}: the row is abbreviated ('...'), as long arrays are printed; "
                                "write all of it, or save it with np.save",
                                lines_[line].number, column + 1));
  }
  throw FileError(path_, fmt::format("line {}, column {}: {} is no number; rows are numbers separated by tabs, commas, "
                                     "semicolons or blanks, with a decimal point; choose columns with --columns",
                                     lines_[line].number, column + 1, printable(cell)));
}

/// Leaves out the first columns where they are the index of a table.
inline void TextRecognition::leave_out_index(std::span<const Cells> rows) {
  if ((layout_.labelled && layout_.names.empty()) || layout_.list) return;
  std::vector<std::vector<double>> columns(layout_.fields.size());
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      double value = 0.0;
      static_cast<void>(read_cell(row[i], layout_.decimal_comma, value));
      columns[i].push_back(value);
    }
  }
  for (std::size_t i = layout_.labelled ? 1 : 0; i + 1 < columns.size() && layout_.cols > 1; ++i) {
    if (layout_.fields[i] != FieldUse::number) return;
    const std::string_view name = layout_.names.empty() ? "" : std::string_view(layout_.names[i]);
    const std::string_view next = layout_.names.empty() ? "" : std::string_view(layout_.names[i + 1]);
    if (!is_index(columns[i], name, next, !layout_.names.empty(), i > 0, std::span(columns).subspan(i + 1))) {
      return;
    }
    layout_.fields[i] = FieldUse::index;
    --layout_.cols;
    layout_.remarks.push_back(
        fmt::format("{} holds whole numbers from {} on as the index of a table does, and is left "
                    "out; --columns 0- keeps it",
                    column_name(static_cast<Eigen::Index>(i), layout_.names), columns[i].front()));
  }
}

}  // namespace collapse::io::detail
