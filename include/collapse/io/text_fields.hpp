#pragma once

#include <collapse/io/text_list.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace collapse::io::detail {

/// The fields of a line, one by one. Separated by ' ', they stand between runs of blanks and tabs; by any other
/// separator, each ends at the next, blanks around it are not part of it, and between ',' and ';' it may be quoted as
/// in RFC 4180.
class TextFields {
 public:
  /// @param lists  whether separators in brackets belong to a field that begins with the bracket
  TextFields(std::string_view line, char separator, bool lists = false)
      : rest_(line), separator_(separator), lists_(lists) {}

  /// The next field, or nothing at the end of the line.
  [[nodiscard]] std::optional<std::string_view> next() {
    if (separator_ == ' ') {
      // Twice as fast as find_first_of, which calls memchr for each character.
      const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
      const auto first = std::find_if_not(rest_.begin(), rest_.end(), is_blank);
      const std::size_t length = lists_ ? list_length({first, rest_.end()}) : 0;
      const auto last = std::find_if(first + static_cast<std::ptrdiff_t>(length), rest_.end(), is_blank);
      rest_ = {last, rest_.end()};
      if (first == last) return std::nullopt;
      return std::string_view(first, last);
    }
    if (done_) return std::nullopt;
    const std::size_t end = std::min(rest_.find(separator_, closed_end()), rest_.size());
    std::string_view field = rest_.substr(0, end);
    done_ = end == rest_.size();
    rest_.remove_prefix(done_ ? end : end + 1);
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    field = field.substr(0, field.find_last_not_of(' ') + 1);
    const bool quoted = quotes() && field.size() > 1 && field.front() == '"' && field.back() == '"';
    return quoted ? field.substr(1, field.size() - 2) : field;
  }

 private:
  /// Words between tabs are not quoted, and may be a quote; printed lists are quoted where they hold a line break.
  [[nodiscard]] bool quotes() const { return separator_ != '\t' || lists_; }

  /// Where the quotes or the brackets end that the field begins with; 0 without any.
  [[nodiscard]] std::size_t closed_end() const {
    if (!quotes()) return 0;
    const std::size_t first = rest_.find_first_not_of(' ');
    if (first == std::string_view::npos) return 0;
    if (rest_[first] != '"') {
      const std::size_t length = lists_ ? list_length(rest_.substr(first)) : 0;
      return length > 0 ? first + length : 0;
    }
    std::size_t quote = rest_.find('"', first + 1);
    while (quote != std::string_view::npos && rest_.substr(quote + 1).starts_with('"'))
      quote = rest_.find('"', quote + 2);
    return quote == std::string_view::npos ? 0 : quote + 1;
  }

  std::string_view rest_;
  char separator_;
  bool lists_;
  bool done_ = false;
};

/// All fields of a line.
[[nodiscard]] inline std::vector<std::string_view> fields_of(std::string_view line, char separator,
                                                             bool lists = false) {
  std::vector<std::string_view> fields;
  TextFields each(line, separator, lists);
  while (const std::optional<std::string_view> field = each.next()) fields.push_back(*field);
  return fields;
}

}  // namespace collapse::io::detail
