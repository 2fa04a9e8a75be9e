#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse::io::detail {

/// Follows the quotes of RFC 4180 through a text: whether one is open at its end.
class QuoteState {
 public:
  explicit QuoteState(char separator) : separator_(separator) {}

  void follow(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (place_ == Place::quoted) {
        if (c == '"') place_ = Place::behind;
      } else if (c == separator_) {
        place_ = Place::begin;
      } else if (place_ == Place::behind) {
        place_ = c == '"' ? Place::quoted : Place::inside;  // two quotes are one that is meant
      } else if (place_ == Place::begin && c != ' ') {
        // Between tabs a quote may be a word, which a tab follows.
        const bool quotes = separator_ != '\t' || text.find(separator_, i + 1) == std::string_view::npos;
        place_ = c == '"' && quotes ? Place::quoted : Place::inside;
      }
    }
  }

  [[nodiscard]] bool open() const { return place_ == Place::quoted; }

 private:
  enum class Place { begin, inside, quoted, behind };  // of a field

  char separator_;
  Place place_ = Place::begin;
};

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
  /// @param separator  of fields that may be in quotes and then hold line breaks, which do not end the line; ' ' where
  ///        none may
  /// @throws FileError when reading fails, and for lines that cannot be text
  [[nodiscard]] std::optional<Line> next(char separator = ' ') {
    for (;;) {
      std::optional<Line> line = next_of_all(separator);
      if (!line || line->text.find_first_not_of(" \t") != std::string_view::npos) return line;
    }
  }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 16;
  static constexpr std::size_t longest = std::size_t{1} << 26;
  static constexpr std::size_t longest_quoted = std::size_t{1} << 22;
  static constexpr int most_open = 16;

  [[nodiscard]] std::optional<Line> next_of_all(char separator) {
    std::optional<std::size_t> size = size_of_line(0);
    if (!size) return std::nullopt;
    std::int64_t breaks = 0;
    if (separator != ' ' && unclosed_ < most_open && std::memchr(buffer_.data() + begin_, '"', *size)) {
      breaks = add_quoted(*size, separator);
    }
    std::string_view text(buffer_.data() + begin_, *size);
    begin_ = std::min(begin_ + *size + 1, end_);
    const std::int64_t number = number_ + 1;
    number_ = number + breaks;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (number == 1 && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return Line{text, number};
  }

  /// The size of the line, without its end; of all that is left before the next line end from `from` on. Nothing at the
  /// end of the file.
  [[nodiscard]] std::optional<std::size_t> size_of_line(std::size_t from) {
    std::size_t searched = from;
    const char* end = nullptr;
    while (!(end = find_end(begin_ + searched)) && !at_end_) {
      searched = end_ - begin_;  // read_more() moves the beginning of the line to that of the buffer
      read_more();
    }
    if (begin_ + from >= end_) return std::nullopt;
    return end ? static_cast<std::size_t>(end - buffer_.data()) - begin_ : end_ - begin_;
  }

  /// Adds the lines that go on in quotes which the line leaves open. Quotes that nothing closes are no quotes.
  /// @return how many were added
  [[nodiscard]] std::int64_t add_quoted(std::size_t& size, char separator) {
    QuoteState state(separator);
    state.follow({buffer_.data() + begin_, size});
    std::int64_t breaks = 0;
    std::size_t whole = size;
    while (state.open()) {
      const std::optional<std::size_t> next = whole < longest_quoted ? size_of_line(whole + 1) : std::nullopt;
      if (!next) {
        ++unclosed_;
        return 0;
      }
      state.follow({buffer_.data() + begin_ + whole, *next - whole});
      whole = *next;
      ++breaks;
    }
    size = whole;
    return breaks;
  }

  [[nodiscard]] const char* find_end(std::size_t from) const {
    if (from >= end_) return nullptr;
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
    if (const void* const zero = found > 0 ? std::memchr(free.data(), '\0', found) : nullptr) {
      const auto* const at = static_cast<const char*>(zero);
      const std::string_view all(buffer_.data(), end_ + found);
      if (number_ == 0 && (all.starts_with("\xff\xfe") || all.starts_with("\xfe\xff"))) {
        throw FileError(path(), "is text in UTF-16, so it is no text in UTF-8; save it as UTF-8");
      }
      const auto line = number_ + 1 + std::count(std::as_const(buffer_).data(), at, '\n');
      const char* start = at;
      while (start != buffer_.data() && start[-1] != '\n') --start;
      throw FileError(path(),
                      fmt::format("line {}, byte {} holds a zero byte, so it is no text in UTF-8; write numbers "
                                  "as text, or use .npy",
                                  line, at - start + 1));
    }
    at_end_ = found < free.size();
    end_ += found;
  }

  ByteStream stream_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is not used yet
  std::size_t end_ = 0;    // of what was read
  std::int64_t number_ = 0;
  int unclosed_ = 0;  // quotes that nothing closed
  bool at_end_ = false;
};

}  // namespace collapse::io::detail
