#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_order.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/npy_header.hpp>
#include <collapse/io/printable.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse::io {

namespace detail {

/// A list of integers of one type, each in the byte order of the file.
template <class Integer>
[[nodiscard]] std::vector<std::int64_t> widened_integers(std::span<const std::byte> bytes, bool swapped,
                                                         const std::string& path) {
  std::vector<std::int64_t> values;
  values.reserve(bytes.size() / sizeof(Integer));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Integer)) {
    Integer value = 0;
    auto* const to = reinterpret_cast<std::byte*>(&value);
    if constexpr (sizeof(Integer) > 1) {
      if (swapped) copy_swapped<sizeof(Integer)>(bytes.data() + at, 1, to);
    }
    if (!swapped || sizeof(Integer) == 1) std::memcpy(to, bytes.data() + at, sizeof(Integer));
    if (!std::in_range<std::int64_t>(value)) {
      throw FileError(
          path, fmt::format("label {} (counted from 0) is {}; labels are at most 2^63 - 1", values.size(), value));
    }
    values.push_back(static_cast<std::int64_t>(value));
  }
  return values;
}

[[nodiscard]] inline std::vector<std::int64_t> npy_labels(const MappedFile& file, const std::string& path) {
  const NpyHeader header = parse_npy_header(file.bytes(), path);
  const bool list = header.shape.size() == 1 || (header.shape.size() == 2 && header.shape[1] == 1);
  if (!list) {
    throw FileError(path, fmt::format("has shape {}; labels are a list, one for each row of the embeddings",
                                      to_string(header.shape)));
  }
  const NpyTypeName name = split_byte_order(header.descr);
  const std::string_view type = name.type;
  const auto read = [&]<class Integer>(std::type_identity<Integer>) {
    const std::span<const std::byte> data = file.bytes().subspan(header.data_offset);
    const auto count = static_cast<std::uint64_t>(header.shape[0]);
    if (data.size() % sizeof(Integer) != 0 || data.size() / sizeof(Integer) != count) {
      throw FileError(path, fmt::format("holds {} bytes of values, {} labels of {} bytes need another number; write or "
                                        "copy it again",
                                        data.size(), count, sizeof(Integer)));
    }
    return widened_integers<Integer>(data, name.swapped, path);
  };
  if (type == "i8") return read(std::type_identity<std::int64_t>{});
  if (type == "i4") return read(std::type_identity<std::int32_t>{});
  if (type == "i2") return read(std::type_identity<std::int16_t>{});
  if (type == "i1") return read(std::type_identity<std::int8_t>{});
  if (type == "u8") return read(std::type_identity<std::uint64_t>{});
  if (type == "u4") return read(std::type_identity<std::uint32_t>{});
  if (type == "u2") return read(std::type_identity<std::uint16_t>{});
  if (type == "u1" || type == "b1" || type == "?") return read(std::type_identity<std::uint8_t>{});
  throw FileError(
      path, fmt::format("holds no integers (dtype {}); save labels as y.astype('int64')", printable(header.descr)));
}

[[nodiscard]] inline std::vector<std::int64_t> text_labels(const MappedFile& file, const std::string& path) {
  std::vector<std::int64_t> values;
  std::string_view text = as_text(file.bytes());
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!word.empty() && (word.back() == '\r' || word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
    if (word.empty() && text.empty()) break;
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || stop != word.data() + word.size() || word.empty()) {
      throw FileError(path, fmt::format("line {} is {}; a line holds the label of one row, a whole number", line,
                                        word.empty() ? std::string("empty") : printable(word)));
    }
    values.push_back(value);
  }
  return values;
}

}  // namespace detail

/// Labels of the rows of a matrix from a file: a list of integers (or booleans) in a .npy file, of any size and byte
/// order, or text with one whole number on each line.
///
/// @param path  .npy, recognised by how it begins; text otherwise
/// @return one label for each row, negative ones as they are
/// @throws FileError when the file cannot be read, holds anything else, or a label beyond 2^63 - 1
/// Cost: one pass.
[[nodiscard]] inline std::vector<std::int64_t> read_labels(const std::filesystem::path& path) {
  const MappedFile file(path);
  const bool npy = detail::as_text(file.bytes()).starts_with("\x93NUMPY");
  return npy ? detail::npy_labels(file, path.string()) : detail::text_labels(file, path.string());
}

}  // namespace collapse::io
