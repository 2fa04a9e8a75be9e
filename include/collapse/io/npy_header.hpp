#pragma once

#include <collapse/error.hpp>
#include <collapse/io/printable.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace collapse::io {

/// What stands in front of the values of a .npy file.
struct NpyHeader {
  std::string descr;                ///< type of the values as numpy spells it, e.g. "<f4"
  bool fortran_order = false;       ///< true when columns are contiguous, false when rows are
  std::vector<std::int64_t> shape;  ///< extents, none negative
  std::size_t data_offset = 0;      ///< bytes before the first value
};

/// A shape as Python prints the tuple: "()", "(3,)", "(3, 4)".
[[nodiscard]] inline std::string to_string(const std::vector<std::int64_t>& shape) {
  if (shape.size() == 1) return fmt::format("({},)", shape[0]);
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  return text + ")";
}

namespace detail {

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads the one Python literal that a .npy header consists of: a dictionary of 'descr', 'fortran_order' and 'shape' in
/// any order. Anything else is refused with the place where it went wrong; nothing is evaluated.
class NpyHeaderParser {
 public:
  /// @param text   the header without the bytes before it
  /// @param offset where in the file it begins
  NpyHeaderParser(std::string_view text, std::size_t offset, const std::string& path)
      : text_(text), offset_(offset), path_(path) {}

  [[nodiscard]] NpyHeader parse() {
    NpyHeader header;
    std::array<bool, 3> seen{};
    expect('{', "'{'");
    while (!accept('}')) {
      const std::string_view key = string("a key in quotes");
      const std::size_t index = key_index(key);
      if (index == keys.size()) fail(fmt::format("unknown key {}", printable(key)));
      if (seen[index]) fail(fmt::format("the key {} comes twice", printable(key)));
      seen[index] = true;
      expect(':', "':' after a key");
      switch (index) {
        case 0: header.descr = descr(); break;
        case 1: header.fortran_order = boolean(); break;
        default: header.shape = extents(); break;
      }
      if (!accept(',')) {
        expect('}', "',' or '}' after a value");
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("something follows the dictionary");
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!seen[i]) fail(fmt::format("the key '{}' is missing", keys[i]));
    }
    return header;
  }

 private:
  static constexpr std::array<std::string_view, 3> keys{"descr", "fortran_order", "shape"};

  [[nodiscard]] static std::size_t key_index(std::string_view key) {
    std::size_t i = 0;
    while (i < keys.size() && keys[i] != key) ++i;
    return i;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(path_, fmt::format("cannot parse the .npy header: {} (byte {}); the file is damaged, save it again "
                                       "with np.save",
                                       what, offset_ + at_));
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r\f\v").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  [[nodiscard]] bool accept(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted, std::string_view name) {
    if (!accept(wanted)) fail(fmt::format("expected {}", name));
  }

  [[nodiscard]] std::string_view string(std::string_view name) {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail(fmt::format("expected {}", name));
    const std::size_t first = at_ + 1;
    const std::size_t last = text_.find_first_of(quote == '"' ? "\"\\\n" : "'\\\n", first);
    if (last == std::string_view::npos || text_[last] != quote)
      fail(fmt::format("expected {}, closed on its line", name));
    at_ = last + 1;
    return text_.substr(first, last - first);
  }

  [[nodiscard]] std::string descr() {
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '(')) {
      throw FileError(path_,
                      "holds records (a structured dtype), not a matrix of numbers; save one field: "
                      "np.save('Z.npy', Z['name'])");
    }
    return std::string(string("the dtype in quotes"));
  }

  [[nodiscard]] bool boolean() {
    skip_space();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    }
    fail("expected True or False");
  }

  [[nodiscard]] std::vector<std::int64_t> extents() {
    std::vector<std::int64_t> shape;
    expect('(', "the shape as a tuple");
    bool comma = true;
    while (!accept(')')) {
      if (!comma) fail("expected ',' or ')' in the shape");
      shape.push_back(integer());
      comma = accept(',');
    }
    if (shape.size() == 1 && !comma) fail("expected the shape as a tuple, '(n,)'");
    return shape;
  }

  [[nodiscard]] std::int64_t integer() {
    skip_space();
    const std::size_t first = at_;
    const bool negative = at_ < text_.size() && text_[at_] == '-';
    if (negative) ++at_;
    const std::size_t digits = at_;
    std::int64_t value = 0;
    bool too_large = false;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const int digit = text_[at_] - '0';
      too_large = too_large || value > (std::numeric_limits<std::int64_t>::max() - digit) / 10;
      if (!too_large) value = 10 * value + digit;
    }
    if (at_ == digits) fail("expected an integer in the shape");
    if (text_[digits] == '0' && at_ > digits + 1) fail("an integer in the shape begins with 0");
    const std::string_view literal = text_.substr(first, at_ - first);
    // Python 2 marked long integers so.
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    if (negative) fail(fmt::format("the shape has a negative extent, {}", printable(literal)));
    if (too_large) fail(fmt::format("the shape has an extent of 2^63 or more, {}", printable(literal)));
    return value;
  }

  std::string_view text_;
  std::size_t offset_;
  const std::string& path_;
  std::size_t at_ = 0;
};

}  // namespace detail

/// A type as numpy spells it, without its byte order.
struct NpyTypeName {
  std::string_view type;  ///< e.g. "f4"
  bool swapped;           ///< the bytes of each value come in the other order than this machine's
};

/// Splits "<f4" and the like.
[[nodiscard]] inline NpyTypeName split_byte_order(std::string_view descr) {
  static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big,
                "collapse: mixed-endian machines are not supported");
  // '=' and '|' mean the byte order of the machine that reads, as does none at all.
  char order = '=';
  if (!descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos) {
    order = descr[0];
    descr.remove_prefix(1);
  }
  return {descr, std::endian::native == std::endian::little ? order == '>' : order == '<'};
}

/// Reads the header of a .npy file, versions 1.0, 2.0 and 3.0.
///
/// The file begins with the magic "\x93NUMPY", the major and the minor version, the length of the dictionary (2 bytes
/// little endian in 1.0, 4 after) and a Python dictionary of that length.
/// @param file the bytes of the file, as many as are there
/// @param path names the file in errors
/// @return the header; type and shape are as written, not checked against each other or against the file's size
/// @throws FileError when the bytes are no .npy header, or one of records (structured dtype)
/// Cost: O(length of the header).
/// Source: numpy, "numpy.lib.format", NEP 1.
[[nodiscard]] inline NpyHeader parse_npy_header(std::span<const std::byte> file, const std::string& path) {
  constexpr std::string_view magic = "\x93NUMPY";
  // A matrix needs about a hundred bytes; only records with thousands of fields come near this.
  constexpr std::size_t longest = std::size_t{1} << 20;

  const std::string_view text = detail::as_text(file);
  if (text.empty()) throw FileError(path, "is empty; save the embeddings with np.save");
  if (text.starts_with("PK\x03\x04")) {
    throw FileError(path, "is a zip archive (.npz or a PyTorch file), not .npy; save one array: np.save('Z.npy', Z)");
  }
  if (text.substr(0, magic.size()) != magic.substr(0, text.size())) {
    throw FileError(path, fmt::format("is not a .npy file (it begins with {}); save the embeddings with np.save",
                                      detail::printable(text.substr(0, magic.size()))));
  }
  const auto truncated = [&] {
    return FileError(path,
                     fmt::format("ends within the .npy header, after {} bytes; write or copy it again", text.size()));
  };
  if (text.size() < magic.size() + 2) throw truncated();
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(file[i]); };
  const unsigned major = byte(magic.size());
  const unsigned minor = byte(magic.size() + 1);
  if (major < 1 || major > 3 || minor != 0) {
    throw FileError(
        path, fmt::format(".npy version {}.{} is not supported (1.0, 2.0 and 3.0 are); save it again with np.save",
                          major, minor));
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t begin = magic.size() + 2 + length_bytes;
  if (text.size() < begin) throw truncated();
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::size_t{byte(magic.size() + 2 + i)} << (8 * i);
  if (length > text.size() - begin) {
    throw FileError(path, fmt::format("ends within the .npy header: it says {} bytes of header, {} are there; write or "
                                      "copy it again",
                                      length, text.size() - begin));
  }
  if (length > longest) {
    throw FileError(path,
                    fmt::format("says {} bytes of .npy header, a matrix needs about a hundred; save it again with "
                                "np.save",
                                length));
  }
  NpyHeader header = detail::NpyHeaderParser(text.substr(begin, length), begin, path).parse();
  header.data_offset = begin + length;
  return header;
}

}  // namespace collapse::io
