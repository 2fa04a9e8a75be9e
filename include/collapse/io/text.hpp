#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/text_list.hpp>
#include <collapse/io/text_number.hpp>
#include <collapse/io/text_options.hpp>
#include <collapse/io/text_refusal.hpp>
#include <collapse/io/text_row.hpp>
#include <collapse/io/text_table.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse::io {

/// Embeddings written as text, one row to a line: CSV, TSV, numbers between blanks, the .txt and .vec files of word2vec,
/// GloVe and fastText, and tables with a vector in each cell of a column.
///
///     collapse::io::TextFile file("vectors.vec");
///     file.for_each_block(1024, [&](const auto& block) { seen.update(block); });
///
/// The first rows settle how the file is read:
/// - Fields are separated by tabs, commas, semicolons or runs of blanks, the first of these that makes a row of a line.
/// - A first field that is no number is a label or a word, and the first field of every row is then left out. In files
///   separated by blanks it may hold blanks, or be one. When all other labels turn out to be numbers, the first was a
///   spoilt number and the file is refused.
/// - A line before the rows is a header of column names when none of its fields is a number, or when they are 0, 1, 2
///   and so on (three at least, or behind an empty field), or count up from any number as no row does. A header with an
///   empty or a missing name for the first column says that this column holds labels, even if they are numbers.
/// - A first column of whole numbers that count the rows is the index of a table and left out, with a remark: where the
///   header calls it id or the like, or otherwise than its neighbour; without a header, where all others hold fractions.
/// - A first line "N D" announces N rows of a word and D numbers, as word2vec has it, when such a row comes next.
/// - A column whose cells are lists, as Python and numpy print them, holds the rows; other columns are left out.
/// - TextOptions says otherwise: which columns, whether there is a header, decimal commas.
///
/// Numbers are as std::from_chars reads them, "+1.0" and "inf" as well, with a decimal point whatever the locale. A
/// value is missing where a cell is empty, or says NA, N/A, nan, null or None. Skipped are blank lines, lines that begin
/// with '#' unless that is the word of a row, and a byte order mark; lines may end in "\n" or "\r\n", and a field in
/// quotes may hold line breaks.
///
/// The scalar is double. How many digits the numbers had before they were written is not known: their precision is
/// taken to be double's, although values rounded to six digits have an error of their own that shows as noise in the
/// tail of a spectrum.
///
/// Models RowBlocks. Takes memory for 64 lines and a block. Movable, not copyable; a moved-from object may only be
/// assigned to or destroyed. Needs a standard library whose std::from_chars reads doubles (libstdc++ 11, libc++ 20).
class TextFile {
 public:
  /// Opens a file and reads up to its first rows.
  /// @param path    a file or a pipe
  /// @param options see TextOptions
  /// @throws FileError in one line when it cannot be read, is no text, or holds no row of numbers; where a line is to
  ///         blame it names line and column, counted from 1, a label being a column
  /// Cost: that of reading the first lines.
  /// Source: RFC 4180 (quotes); word2vec's and GloVe's reference programs; pandas (index, missing values).
  explicit TextFile(const std::filesystem::path& path, const TextOptions& options = {})
      : TextFile(ByteStream(path), options) {}

  /// The same of a file that was opened before.
  explicit TextFile(ByteStream&& stream, const TextOptions& options = {}) : table_(std::move(stream), options) {}

  /// Numbers of a row, labels not counted.
  [[nodiscard]] Eigen::Index cols() const noexcept { return table_.layout().cols; }

  /// The rows that a first line "N D" announces; nothing without one.
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const noexcept { return table_.layout().announced; }

  /// True when the first field of each row is a label or a word.
  [[nodiscard]] bool labelled() const noexcept { return table_.layout().labelled; }

  /// What was decided about the file and may surprise, a sentence each: a column left out, a line taken for a header.
  [[nodiscard]] const std::vector<std::string>& remarks() const noexcept { return table_.layout().remarks; }

  [[nodiscard]] const std::string& path() const noexcept { return table_.path(); }

  /// Calls `body` with block after block of rows, in order.
  /// @param rows rows of a block, at least 1; the last block has what is left
  /// @param body callable with a `const RowBlock<double>&`; the matrix is valid during the call
  /// @throws OptionError when rows < 1; FileError when reading fails, when the file was read before, for a row with too
  ///         few or too many columns, for text that is no number and for a missing value (each with line and column,
  ///         counted from 1, a label being a column), and at the end when there are not the rows announced (the blocks
  ///         before that were passed on); what the body throws
  /// Cost: that of the body and of reading each number once; memory for one block.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) {
    detail::check_block_rows(rows);
    if (std::exchange(started_, true)) {
      throw FileError(path(), "was read before, and is read once; open it again");
    }
    std::vector<double> block;
    Eigen::Index count = 0;
    const auto flush = [&] {
      if (count == 0) return;
      using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
      std::invoke(body, RowBlock<double>(block.data(), count, cols(), Stride(cols(), 1)));
      block.clear();
      count = 0;
    };
    while (const std::optional<Line> line = table_.next()) {
      append_row(*line, block);
      if (++count == rows) flush();
    }
    flush();
  }

 private:
  using Line = detail::TextTable::Line;

  void append_row(const Line& line, std::vector<double>& values);
  void append_list(const Line& line, std::string_view cell, Eigen::Index column, std::vector<double>& values) const;

  detail::TextTable table_;
  bool started_ = false;
};

inline void TextFile::append_row(const Line& line, std::vector<double>& values) {
  const std::size_t before = values.size();
  if (table_.layout().list) {
    table_.for_each_field(line,
                          [&](std::string_view cell, Eigen::Index column) { append_list(line, cell, column, values); });
    return;
  }
  values.resize(before + static_cast<std::size_t>(cols()));
  double* to = values.data() + before;
  if (table_.is_settled() && detail::read_plain_row(line.text, table_.layout(), to)) return;
  table_.for_each_field(
      line, [&](std::string_view cell, Eigen::Index column) { table_.read_number(line, cell, column, *to++); });
}

inline void TextFile::append_list(const Line& line, std::string_view cell, Eigen::Index column,
                                  std::vector<double>& values) const {
  const std::size_t before = values.size();
  const std::string name = table_.column(column);
  if (detail::is_missing(cell) || detail::trimmed(cell) == "[]") {
    if (!table_.options().missing_is_nan) throw detail::missing_value(path(), line.number, name, cell);
    values.resize(before + static_cast<std::size_t>(cols()), std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const detail::ParsedList list = detail::parse_list(cell, &values);
  if (list.kind != detail::ListKind::numbers) throw detail::spoilt_list(path(), line.number, name, list, cell);
  if (list.missing && !table_.options().missing_is_nan) {
    throw detail::missing_value(path(), line.number, name, list.item);
  }
  if (static_cast<Eigen::Index>(list.count) != cols()) {
    throw FileError(path(), fmt::format("line {}, {}: the list has {} numbers, that of line {} has {}", line.number,
                                        name, list.count, table_.first_line(), cols()));
  }
}

static_assert(RowBlocks<TextFile>);

}  // namespace collapse::io
