#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/row_blocks.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace collapse::io {
namespace detail {

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

/// The fields of a line, one by one. Separated by ' ', they stand between runs of blanks and tabs; by any other
/// separator, each ends at the next, blanks around it are not part of it, and between ',' and ';' it may be quoted as
/// in RFC 4180, but for line breaks.
class TextFields {
 public:
  TextFields(std::string_view line, char separator) : rest_(line), separator_(separator) {}

  /// The next field, or nothing at the end of the line.
  [[nodiscard]] std::optional<std::string_view> next() {
    if (separator_ == ' ') {
      // Twice as fast as find_first_of, which calls memchr for each character.
      const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
      const auto first = std::find_if_not(rest_.begin(), rest_.end(), is_blank);
      const auto last = std::find_if(first, rest_.end(), is_blank);
      rest_ = {last, rest_.end()};
      if (first == last) return std::nullopt;
      return std::string_view(first, last);
    }
    if (done_) return std::nullopt;
    const std::size_t end = std::min(rest_.find(separator_, quoted_end()), rest_.size());
    std::string_view field = rest_.substr(0, end);
    done_ = end == rest_.size();
    rest_.remove_prefix(done_ ? end : end + 1);
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    field = field.substr(0, field.find_last_not_of(' ') + 1);
    const bool quoted = separator_ != '\t' && field.size() > 1 && field.front() == '"' && field.back() == '"';
    return quoted ? field.substr(1, field.size() - 2) : field;
  }

 private:
  /// Where the quotes end that the field begins with; 0 without any.
  [[nodiscard]] std::size_t quoted_end() const {
    const std::size_t first = rest_.find_first_not_of(' ');
    if (separator_ == '\t' || first == std::string_view::npos || rest_[first] != '"') return 0;
    std::size_t quote = rest_.find('"', first + 1);
    while (quote != std::string_view::npos && rest_.substr(quote + 1).starts_with('"'))
      quote = rest_.find('"', quote + 2);
    return quote == std::string_view::npos ? 0 : quote + 1;
  }

  std::string_view rest_;
  char separator_;
  bool done_ = false;
};

/// How the rows of a text are written.
struct TextLayout {
  char separator = ' ';   ///< ' ' for runs of blanks and tabs
  bool labelled = false;  ///< the first field is a label or a word
  Eigen::Index cols = 0;  ///< numbers of a row
};

/// The layout of a line that is a row of numbers, perhaps behind a label; nothing when no separator makes it one.
[[nodiscard]] inline std::optional<TextLayout> layout_of_row(std::string_view line) {
  for (const char separator : {'\t', ',', ';', ' '}) {
    TextFields fields(line, separator);
    TextLayout layout{.separator = separator};
    double ignored = 0.0;
    bool is_row = true;
    for (bool first = true; is_row; first = false) {
      const std::optional<std::string_view> field = fields.next();
      if (!field) break;
      if (parse_number(*field, ignored)) {
        ++layout.cols;
      } else if (first && !field->empty()) {
        layout.labelled = true;
      } else {
        is_row = false;
      }
    }
    if (is_row && layout.cols > 0) return layout;
  }
  return std::nullopt;
}

/// True for a line that names columns: when none of its fields is a number, or when they are 0, 1, 2 and so on, as
/// tables without names are written. An empty field or the name of a first column may precede these numbers; there must
/// be at least three of them, unless the field before them is empty.
[[nodiscard]] inline bool names_columns(std::string_view line, char separator) {
  std::vector<std::string_view> names;
  TextFields fields(line, separator);
  while (const std::optional<std::string_view> field = fields.next()) names.push_back(*field);
  double ignored = 0.0;
  const auto is_number = [&](std::string_view name) { return parse_number(name, ignored); };
  if (std::none_of(names.begin(), names.end(), is_number)) return true;
  std::size_t least = 3;
  if (!is_number(names.front())) {
    if (names.front().empty()) least = 1;
    names.erase(names.begin());
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != std::to_string(i)) return false;
  }
  return names.size() >= least;
}

/// The lines of a text, counted from 1, without their ends ("\n" or "\r\n") and without a byte order mark.
class TextLines {
 public:
  struct Line {
    std::string_view text;  ///< valid until the next is read
    std::int64_t number = 0;
  };

  explicit TextLines(ByteStream&& stream) : stream_(std::move(stream)) {}

  [[nodiscard]] const std::string& path() const noexcept { return stream_.path(); }

  /// The next line that is not blank, or nothing at the end.
  /// @throws FileError when reading fails, and for lines that cannot be text
  [[nodiscard]] std::optional<Line> next() {
    for (;;) {
      std::optional<Line> line = next_of_all();
      if (!line || line->text.find_first_not_of(" \t") != std::string_view::npos) return line;
    }
  }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 16;
  static constexpr std::size_t longest = std::size_t{1} << 26;

  [[nodiscard]] std::optional<Line> next_of_all() {
    std::size_t searched = begin_;
    const char* end = nullptr;
    while (!(end = find_end(searched)) && !at_end_) {
      searched = end_ - begin_;  // read_more() moves the beginning of the line to that of the buffer
      read_more();
    }
    if (begin_ == end_) return std::nullopt;
    const char* const first = buffer_.data() + begin_;
    std::string_view text(first, end ? static_cast<std::size_t>(end - first) : end_ - begin_);
    begin_ += text.size() + (end ? 1 : 0);
    ++number_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (number_ == 1 && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return Line{text, number_};
  }

  [[nodiscard]] const char* find_end(std::size_t from) const {
    if (from == end_) return nullptr;
    return static_cast<const char*>(std::memchr(buffer_.data() + from, '\n', end_ - from));
  }

  void read_more() {
    if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (end_ > longest) {
      throw FileError(path(),
                      fmt::format("line {} is longer than {} bytes; rows of numbers stand on lines of their own",
                                  number_ + 1, longest));
    }
    if (buffer_.size() - end_ < chunk) buffer_.resize(std::max(2 * buffer_.size(), chunk));
    const std::span<char> free = std::span(buffer_).subspan(end_);
    const std::size_t found = stream_.read(std::as_writable_bytes(free));
    if (found > 0 && std::memchr(free.data(), '\0', found)) {
      throw FileError(path(), "holds a zero byte, so it is no text in UTF-8; write numbers as text, or use .npy");
    }
    at_end_ = found < free.size();
    end_ += found;
  }

  ByteStream stream_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is not used yet
  std::size_t end_ = 0;    // of what was read
  std::int64_t number_ = 0;
  bool at_end_ = false;
};

}  // namespace detail

/// Embeddings written as text, one row to a line: CSV, TSV, numbers between blanks, and the .txt and .vec files of
/// word2vec, GloVe and fastText.
///
///     collapse::io::TextFile file("vectors.vec");
///     file.for_each_block(1024, [&](const auto& block) { seen.update(block); });
///
/// The first row of numbers settles how the file is read:
/// - Fields are separated by tabs, commas, semicolons or runs of blanks, the first of these that makes it a row.
/// - A first field that is no number is a label or a word, and the first field of every row is then left out. In files
///   separated by blanks it may hold blanks. When all other labels turn out to be numbers, the first was a spoilt
///   number and the file is refused.
/// - A line before it is a header of column names when none of its fields is a number, or when they are 0, 1, 2 and so
///   on (three at least, or behind an empty field). A header with an empty or a missing name for the first column says
///   that this column holds labels, even if they are numbers.
/// - A first line "N D" announces N rows of a word and D numbers, as word2vec has it, when such a row comes next.
///
/// Numbers are as std::from_chars reads them, "+1.0", "nan" and "inf" as well, with a decimal point whatever the
/// locale. Skipped are blank lines, lines that begin with '#' unless that is the word of a row, and a byte order mark;
/// lines may end in "\n" or "\r\n".
///
/// The scalar is double. How many digits the numbers had before they were written is not known: their precision is
/// taken to be double's, although values rounded to six digits have an error of their own that shows as noise in the
/// tail of a spectrum.
///
/// Models RowBlocks. Takes memory for a line and a block. Movable, not copyable; a moved-from object may only be
/// assigned to or destroyed. Needs a standard library whose std::from_chars reads doubles (libstdc++ 11, libc++ 20).
class TextFile {
 public:
  /// Opens a file and reads up to its first rows.
  /// @param path a file or a pipe
  /// @throws FileError in one line when it cannot be read, is no text, or holds no row of numbers
  /// Cost: that of reading the first lines.
  /// Source: RFC 4180 (quotes); word2vec's and GloVe's reference programs.
  explicit TextFile(const std::filesystem::path& path) : lines_(ByteStream(path)) { read_beginning(); }

  /// Numbers of a row, labels not counted.
  [[nodiscard]] Eigen::Index cols() const noexcept { return layout_.cols; }

  /// The rows that a first line "N D" announces; nothing without one.
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const noexcept { return announced_; }

  /// True when the first field of each row is a label or a word.
  [[nodiscard]] bool labelled() const noexcept { return layout_.labelled; }

  [[nodiscard]] const std::string& path() const noexcept { return lines_.path(); }

  /// Calls `body` with block after block of rows, in order.
  /// @param rows rows of a block, at least 1; the last block has what is left
  /// @param body callable with a `const RowBlock<double>&`; the matrix is valid during the call
  /// @throws OptionError when rows < 1; FileError when reading fails, when the file was read before, for a row with too
  ///         few or too many columns and for text that is no number (line and column are counted from 1, a label is a
  ///         column), and at the end when there are not the rows announced (the blocks before that were passed on);
  ///         what the body throws
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
      std::invoke(body, RowBlock<double>(block.data(), count, layout_.cols, Stride(layout_.cols, 1)));
      block.clear();
      count = 0;
    };
    const auto add = [&](std::string_view text, std::int64_t number) {
      append_row(text, number, block);
      if (++count == rows) flush();
    };
    for (const KeptLine& line : kept_) add(line.text, line.number);
    while (const std::optional<Line> line = lines_.next()) {
      if (!is_comment(line->text)) add(line->text, line->number);
    }
    check_end();
    flush();
  }

 private:
  using Line = detail::TextLines::Line;

  struct KeptLine {
    std::string text;
    std::int64_t number = 0;
  };

  [[nodiscard]] std::optional<KeptLine> next_of_any_kind() {
    const std::optional<Line> line = lines_.next();
    if (!line) return std::nullopt;
    return KeptLine{std::string(line->text), line->number};
  }

  [[nodiscard]] std::optional<KeptLine> next_kept() {
    std::optional<KeptLine> line = next_of_any_kind();
    while (line && line->text.starts_with('#')) line = next_of_any_kind();
    return line;
  }

  void read_beginning();
  void read_header(const KeptLine& header, const KeptLine& row);
  [[nodiscard]] bool read_announcement(const KeptLine& line);
  [[noreturn]] void fail_first_row(const KeptLine& line) const;

  [[nodiscard]] bool is_comment(std::string_view line) const {
    return line.starts_with('#') && !(layout_.labelled && is_row(line));
  }

  [[nodiscard]] bool is_row(std::string_view line) const {
    const std::optional<detail::TextLayout> found = detail::layout_of_row(line);
    return found && found->cols == layout_.cols && found->labelled && found->separator == layout_.separator;
  }

  void append_row(std::string_view line, std::int64_t number, std::vector<double>& values);
  [[nodiscard]] bool append_after_long_label(std::string_view line, double* values) const;
  void check_end() const;

  [[nodiscard]] Eigen::Index fields_of_row() const { return layout_.cols + (layout_.labelled ? 1 : 0); }

  detail::TextLines lines_;
  detail::TextLayout layout_;
  std::optional<Eigen::Index> announced_;
  std::int64_t announced_on_ = 0;  // the line that says so
  std::vector<KeptLine> kept_;     // rows that were read to tell what the file is
  KeptLine first_row_;             // what errors compare others with
  bool label_in_doubt_ = false;    // only the first row says that there are labels
  Eigen::Index rows_ = 0;          // read so far
  bool started_ = false;
};

inline void TextFile::read_beginning() {
  std::optional<KeptLine> first = next_kept();
  if (!first) throw FileError(path(), "holds no row of numbers");
  const std::optional<detail::TextLayout> layout = detail::layout_of_row(first->text);
  if (layout) {
    layout_ = *layout;
    label_in_doubt_ = layout_.labelled;
    if (read_announcement(*first)) return;
  }
  if (!layout || detail::names_columns(first->text, layout->separator)) {
    std::optional<KeptLine> row = kept_.empty() ? next_kept() : std::move(kept_.front());
    kept_.clear();
    if (!row && !layout) fail_first_row(*first);
    if (row) {
      read_header(*first, *row);
      first = std::move(row);
    }
  }
  first_row_ = *first;
  kept_.insert(kept_.begin(), std::move(*first));
}

/// Keeps the layout of the row, and what the header says about labels.
inline void TextFile::read_header(const KeptLine& header, const KeptLine& row) {
  const std::optional<detail::TextLayout> found = detail::layout_of_row(row.text);
  if (!found) fail_first_row(row);
  if (!detail::names_columns(header.text, found->separator)) fail_first_row(header);
  layout_ = *found;
  label_in_doubt_ = layout_.labelled;
  detail::TextFields names(header.text, layout_.separator);
  const bool first_is_empty = names.next().value_or("").empty();
  Eigen::Index count = 1;
  while (names.next()) ++count;
  const bool first_is_out = count + 1 == fields_of_row();
  if (count != fields_of_row() && !first_is_out) {
    throw FileError(path(),
                    fmt::format("line {} names {} columns, line {} has {}; make them agree, or begin the header "
                                "with '#'",
                                header.number, count, row.number, fields_of_row()));
  }
  if (first_is_empty || first_is_out) {
    if (!layout_.labelled) {
      if (layout_.cols == 1) throw FileError(path(), fmt::format("line {} has a label and no number", row.number));
      layout_.labelled = true;
      --layout_.cols;
    }
    label_in_doubt_ = false;
  }
}

/// Accepts the line "N D" when a row of a word and D numbers follows. Lines that were read to find out are kept.
inline bool TextFile::read_announcement(const KeptLine& line) {
  if (layout_.labelled || layout_.cols != 2 || layout_.separator == ',' || layout_.separator == ';') return false;
  detail::TextFields fields(line.text, ' ');
  const auto whole_number = [&] {
    const std::string_view field = fields.next().value_or("");
    Eigen::Index value = -1;
    const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error == std::errc() && stop == field.data() + field.size() ? value : -1;
  };
  const Eigen::Index rows = whole_number();
  const Eigen::Index cols = whole_number();
  if (rows < 0 || cols < 1) return false;
  while (std::optional<KeptLine> next = next_of_any_kind()) {
    const std::optional<detail::TextLayout> found = detail::layout_of_row(next->text);
    const bool is_word_and_numbers =
        found && found->cols + (found->labelled ? 1 : 0) == cols + 1 && (found->labelled || cols > 1);
    if (is_word_and_numbers) {
      layout_ = {.separator = found->separator, .labelled = true, .cols = cols};
      label_in_doubt_ = false;
      announced_ = rows;
      announced_on_ = line.number;
      first_row_ = *next;
    } else if (next->text.starts_with('#')) {
      continue;
    }
    kept_.push_back(std::move(*next));
    return is_word_and_numbers;
  }
  return false;
}

/// Says which field keeps a line from being a row.
inline void TextFile::fail_first_row(const KeptLine& line) const {
  const std::size_t at = line.text.find_first_of("\t,;");
  const char separator = at == std::string::npos ? ' ' : line.text[at];
  detail::TextFields fields(line.text, separator);
  const std::string_view first = fields.next().value_or("");
  std::string_view text = first;
  Eigen::Index column = 1;
  double ignored = 0.0;
  for (Eigen::Index i = 2; const std::optional<std::string_view> field = fields.next(); ++i) {
    if (detail::parse_number(*field, ignored)) continue;
    text = *field;
    column = i;
    break;
  }
  throw FileError(path(),
                  fmt::format("line {}, column {}: {} is no number; rows are numbers separated by tabs, commas, "
                              "semicolons or blanks, with a decimal point",
                              line.number, column, detail::printable(text)));
}

inline void TextFile::append_row(std::string_view line, std::int64_t number, std::vector<double>& values) {
  const std::size_t before = values.size();
  values.resize(before + static_cast<std::size_t>(layout_.cols));
  double* const to = values.data() + before;

  detail::TextFields fields(line, layout_.separator);
  Eigen::Index column = 0;
  std::string problem;
  std::string_view last;
  if (layout_.labelled) {
    ++column;
    last = fields.next().value_or("");
    double ignored = 0.0;
    if (label_in_doubt_ && rows_ > 0 && !detail::parse_number(last, ignored)) label_in_doubt_ = false;
  }
  for (Eigen::Index i = 0; i < layout_.cols && problem.empty(); ++i) {
    const std::optional<std::string_view> field = fields.next();
    if (!field) {
      problem = fmt::format("line {} ends after column {}, {}; line {} has {} columns", number, column,
                            detail::printable(last), first_row_.number, fields_of_row());
      break;
    }
    ++column;
    last = *field;
    if (!detail::parse_number(last, to[i])) {
      problem = fmt::format(
          "line {}, column {}: {} is no number that a double holds; repair it, or write nan for what "
          "is missing",
          number, column, detail::printable(last));
    }
  }
  if (problem.empty()) {
    if (const std::optional<std::string_view> field = fields.next()) {
      problem = fmt::format("line {}, column {}: {} is one too many, line {} has {} columns", number, column + 1,
                            detail::printable(*field), first_row_.number, fields_of_row());
    }
  }
  if (!problem.empty() && !append_after_long_label(line, to)) throw FileError(path(), problem);
  ++rows_;
}

/// Reads a row whose label holds blanks: none of its further words is a number, and the numbers come last.
inline bool TextFile::append_after_long_label(std::string_view line, double* values) const {
  if (!layout_.labelled || layout_.separator != ' ') return false;
  detail::TextFields fields(line, layout_.separator);
  std::vector<std::string_view> all;
  while (const std::optional<std::string_view> field = fields.next()) all.push_back(*field);
  const auto cols = static_cast<std::size_t>(layout_.cols);
  if (all.size() <= cols + 1) return false;
  const std::size_t label = all.size() - cols;
  double ignored = 0.0;
  for (std::size_t i = 1; i < label; ++i) {
    if (detail::parse_number(all[i], ignored)) return false;
  }
  for (std::size_t i = 0; i < cols; ++i) {
    if (!detail::parse_number(all[label + i], values[i])) return false;
  }
  return true;
}

inline void TextFile::check_end() const {
  if (announced_ && rows_ != *announced_) {
    throw FileError(path(),
                    fmt::format("line {} announces {} rows, the file holds {}; it was cut, or that line is wrong",
                                announced_on_, *announced_, rows_));
  }
  if (label_in_doubt_ && rows_ > 1) {
    detail::TextFields fields(first_row_.text, layout_.separator);
    throw FileError(path(),
                    fmt::format("line {}, column 1: {} is no number, all others in this column are; repair it, or "
                                "name the columns in a header and leave the name of a column of labels empty",
                                first_row_.number, detail::printable(fields.next().value_or(""))));
  }
}

static_assert(RowBlocks<TextFile>);

}  // namespace collapse::io
