#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/text_fields.hpp>
#include <collapse/io/text_index.hpp>
#include <collapse/io/text_layout.hpp>
#include <collapse/io/text_lines.hpp>
#include <collapse/io/text_list.hpp>
#include <collapse/io/text_number.hpp>
#include <collapse/io/text_options.hpp>
#include <collapse/io/text_selection.hpp>
#include <collapse/io/text_refusal.hpp>
#include <collapse/io/text_shape.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse::io::detail {

/// The lines of a text that are rows, one after the other: what a first line means, what is a comment and which fields
/// count is settled here. Movable, not copyable.
class TextTable {
 public:
  using Line = TextLines::Line;

  /// Opens a text and reads up to its first rows.
  /// @throws FileError when it cannot be read, is no text, or holds no row of numbers
  TextTable(ByteStream&& stream, TextOptions options) : lines_(std::move(stream)), options_(std::move(options)) {
    read_sample();
    layout_ = TextRecognition(sample_, options_, path()).layout();
    first_row_ = sample_[layout_.first_row];
    next_kept_ = layout_.begin;
    in_doubt_ = layout_.label_in_doubt;
  }

  [[nodiscard]] const TextLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] const TextOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& path() const noexcept { return lines_.path(); }

  /// The next row, or nothing at the end.
  /// @throws FileError when reading fails, and at the end when there are not the rows announced
  [[nodiscard]] std::optional<Line> next() {
    for (;;) {
      const std::optional<Line> line = next_line();
      if (!line) {
        check_end();
        return std::nullopt;
      }
      if (line->text.starts_with('#') && !is_row(line->text)) continue;
      ++rows_;
      return line;
    }
  }

  /// Calls take(field, column) for each field that counts, in order. Says what is wrong with a row of too few or too
  /// many fields.
  template <class Take>
  void for_each_field(const Line& line, Take&& take) {
    std::vector<std::string_view> fields = fields_of(line.text, layout_.separator, layout_.list);
    fit(line, fields);
    if (in_doubt_ && rows_ > 1 && kind_of(fields.front(), layout_.decimal_comma) == CellKind::text) in_doubt_ = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (layout_.fields[i] == FieldUse::index) require_index(line, static_cast<Eigen::Index>(i), fields[i]);
      if (layout_.fields[i] == FieldUse::number) take(fields[i], static_cast<Eigen::Index>(i));
    }
  }

  /// Whether a row can be read without a look at its labels: they are known to be some.
  [[nodiscard]] bool is_settled() const noexcept { return !in_doubt_; }

  /// How messages name a column.
  [[nodiscard]] std::string column(Eigen::Index column) const { return column_name(column, layout_.names); }

  /// @return the kind of a cell, which is a number or, where that is wanted, missing
  /// @throws FileError for any other
  void read_number(const Line& line, std::string_view cell, Eigen::Index at, double& value) const {
    switch (read_cell(cell, layout_.decimal_comma, value)) {
      case CellKind::number: return;
      case CellKind::missing:
        if (options_.missing_is_nan) return;
        throw missing_value(path(), line.number, column(at), cell);
      case CellKind::decimal_comma: throw decimal_comma_found(path(), line.number, column(at), cell);
      case CellKind::text: break;
    }
    throw FileError(path(), fmt::format("line {}, {}: {} is no number that a double holds; repair it, or write nan for "
                                        "what is missing",
                                        line.number, column(at), printable(cell)));
  }

  /// The number of the line that others are compared with.
  [[nodiscard]] std::int64_t first_line() const noexcept { return first_row_.number; }

 private:
  static constexpr std::size_t sample_rows = 64;
  static constexpr std::size_t most_comments = 4096;

  void read_sample() {
    std::size_t rows = 0;
    while (rows < sample_rows && sample_.size() < most_comments) {
      // Until the separator is known, quotes may go on over lines where the first line has one that allows it.
      const std::optional<Line> line = lines_.next(separator_seen_);
      if (!line) break;
      sample_.push_back({std::string(line->text), line->number});
      if (sample_.back().is_comment()) continue;
      if (rows++ == 0) {
        const std::size_t at = line->text.find_first_of("\t,;");
        // A word alone is the name of a single column.
        const bool alone = line->text.find(' ') == std::string_view::npos;
        separator_seen_ = at != std::string_view::npos ? line->text[at] : alone ? ',' : ' ';
      }
    }
  }

  [[nodiscard]] std::optional<Line> next_line() {
    if (next_kept_ < sample_.size()) {
      const SampleLine& line = sample_[next_kept_++];
      return Line{line.text, line.number};
    }
    return lines_.next(layout_.separator);
  }

  /// Whether a line that begins with '#' is a row: its label begins so.
  [[nodiscard]] bool is_row(std::string_view line) const {
    if (layout_.fields.front() != FieldUse::left_out) return false;
    const std::vector<std::string_view> fields = fields_of(line, layout_.separator, layout_.list);
    const std::size_t count = layout_.fields.size();
    if (layout_.labelled && layout_.separator == ' ' && fields.size() > count) return is_after_long_label(fields);
    if (fields.size() != count) return false;
    std::vector<std::string_view> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      if (layout_.fields[i] != FieldUse::number) continue;
      if (layout_.list) return parse_list(fields[i], nullptr).kind == ListKind::numbers;
      if (kind_of(fields[i], layout_.decimal_comma) != CellKind::number) return false;
      numbers.push_back(fields[i]);
    }
    // Before the first row a comment may name the columns.
    double from = 0.0;
    return rows_ > 0 || layout_.announced || numbers.size() < 3 || !count_up(numbers, from);
  }

  /// Whether the numbers come last, and none of the words before them is one.
  [[nodiscard]] bool is_after_long_label(const std::vector<std::string_view>& fields) const {
    const auto cols = static_cast<std::size_t>(layout_.cols);
    if (fields.size() <= cols + 1 || cols + 1 != layout_.fields.size()) return false;
    const std::size_t label = fields.size() - cols;
    double ignored = 0.0;
    for (std::size_t i = 1; i < label; ++i) {
      if (parse_number(fields[i], ignored)) return false;
    }
    for (std::size_t i = label; i < fields.size(); ++i) {
      if (!parse_number(fields[i], ignored)) return false;
    }
    return true;
  }

  /// Brings a row to the fields of the layout, or says what is wrong with it.
  void fit(const Line& line, std::vector<std::string_view>& fields) const {
    const std::size_t count = layout_.fields.size();
    if (fields.size() == count) return;
    if (count == 1 && fields.size() == 2 && fields.back().empty()) {
      fields.pop_back();
      return;
    }
    if (layout_.labelled && layout_.separator == ' ') {
      if (fields.size() > count && is_after_long_label(fields)) {
        fields.erase(fields.begin() + 1, fields.end() - static_cast<std::ptrdiff_t>(layout_.cols));
        return;
      }
      // A word that is a blank is no field.
      const bool blank = fields.size() + 1 == count && (line.text.starts_with(' ') || line.text.starts_with('\t'));
      double ignored = 0.0;
      if (blank && parse_number(fields.front(), ignored)) {
        fields.insert(fields.begin(), std::string_view());
        return;
      }
    }
    if (layout_.trailing && fields.size() + 1 == count) {
      fields.emplace_back();  // a line without the separator that ends the others
      return;
    }
    for (std::size_t i = 0; i < std::min(fields.size(), count); ++i) {
      if (layout_.fields[i] != FieldUse::number || layout_.list) continue;
      double ignored = 0.0;
      read_number(line, fields[i], static_cast<Eigen::Index>(i), ignored);
    }
    if (fields.size() < count) {
      throw FileError(
          path(), fmt::format("line {} ends after column {}, {}; line {} has {} columns", line.number, fields.size(),
                              printable(fields.empty() ? "" : fields.back()), first_row_.number, count));
    }
    throw FileError(path(), fmt::format("line {}, column {}: {} is one too many, line {} has {} columns", line.number,
                                        count + 1, printable(fields[count]), first_row_.number, count));
  }

  void require_index(const Line& line, Eigen::Index at, std::string_view cell) const {
    double value = 0.0;
    const CellKind kind = read_cell(cell, layout_.decimal_comma, value);
    if (kind == CellKind::missing || (kind == CellKind::number && is_whole(value))) return;
    throw FileError(path(), fmt::format("line {}, {}: {} is no whole number, and the column was taken for the index of "
                                        "the table; keep it with --columns 0-, leave it out with --drop-columns {}",
                                        line.number, column(at), printable(cell), at));
  }

  void check_end() const {
    if (layout_.announced && rows_ != *layout_.announced) {
      throw FileError(path(),
                      fmt::format("line {} announces {} rows, the file holds {}; it was cut, or that line is wrong",
                                  layout_.announced_on, *layout_.announced, rows_));
    }
    if (in_doubt_ && rows_ > 1) {
      TextFields fields(first_row_.text, layout_.separator);
      throw FileError(path(),
                      fmt::format("line {}, column 1: {} is no number, all others in this column are; repair it, or "
                                  "name the columns in a header and leave the name of a column of labels empty",
                                  first_row_.number, printable(fields.next().value_or(""))));
    }
  }

  TextLines lines_;
  TextOptions options_;
  TextLayout layout_;
  std::vector<SampleLine> sample_;  // lines that were read to tell what the file is
  SampleLine first_row_;            // what errors compare others with
  std::size_t next_kept_ = 0;
  char separator_seen_ = ' ';
  Eigen::Index rows_ = 0;  // handed out so far
  bool in_doubt_ = false;  // only the first row says that there are labels
};

}  // namespace collapse::io::detail
