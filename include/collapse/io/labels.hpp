#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_order.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/npy_header.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/text_index.hpp>
#include <collapse/io/text_number.hpp>
#include <collapse/io/text_options.hpp>
#include <collapse/io/text_table.hpp>

#include <Eigen/Core>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse::io {

namespace detail {

/// The integer that a double is; nothing where it has a fraction or lies beyond the integers.
[[nodiscard]] inline std::optional<std::int64_t> whole_number(double value) {
  constexpr double limit = 9223372036854775808.0;
  if (!is_whole(value) || value < -limit || value >= limit) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

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

/// A list of floats, each a whole number.
template <class Scalar>
[[nodiscard]] std::vector<std::int64_t> whole_floats(std::span<const std::byte> bytes, bool swapped,
                                                     const std::string& path) {
  std::vector<std::int64_t> values;
  values.reserve(bytes.size() / sizeof(Scalar));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Scalar)) {
    Scalar value{};
    auto* const to = reinterpret_cast<std::byte*>(&value);
    if (swapped) {
      copy_swapped<sizeof(Scalar)>(bytes.data() + at, 1, to);
    } else {
      std::memcpy(to, bytes.data() + at, sizeof(Scalar));
    }
    const std::optional<std::int64_t> whole = whole_number(static_cast<double>(value));
    if (!whole) {
      throw FileError(path, fmt::format("label {} (counted from 0) is {}; labels are whole numbers", values.size(),
                                        static_cast<double>(value)));
    }
    values.push_back(*whole);
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
  const auto values = [&](std::size_t size) {
    const std::span<const std::byte> data = file.bytes().subspan(header.data_offset);
    const auto count = static_cast<std::uint64_t>(header.shape[0]);
    if (data.size() % size != 0 || data.size() / size != count) {
      throw FileError(path, fmt::format("holds {} bytes of values, {} labels of {} bytes need another number; write or "
                                        "copy it again",
                                        data.size(), count, size));
    }
    return data;
  };
  const auto read = [&]<class Integer>(std::type_identity<Integer>) {
    return widened_integers<Integer>(values(sizeof(Integer)), name.swapped, path);
  };
  const auto read_floats = [&]<class Scalar>(std::type_identity<Scalar>) {
    return whole_floats<Scalar>(values(sizeof(Scalar)), name.swapped, path);
  };
  if (type == "i8") return read(std::type_identity<std::int64_t>{});
  if (type == "i4") return read(std::type_identity<std::int32_t>{});
  if (type == "i2") return read(std::type_identity<std::int16_t>{});
  if (type == "i1") return read(std::type_identity<std::int8_t>{});
  if (type == "u8") return read(std::type_identity<std::uint64_t>{});
  if (type == "u4") return read(std::type_identity<std::uint32_t>{});
  if (type == "u2") return read(std::type_identity<std::uint16_t>{});
  if (type == "u1" || type == "b1" || type == "?") return read(std::type_identity<std::uint8_t>{});
  if (type == "f8") return read_floats(std::type_identity<double>{});
  if (type == "f4") return read_floats(std::type_identity<float>{});
  if (type == "f2") return read_floats(std::type_identity<Eigen::half>{});
  throw FileError(
      path, fmt::format("holds no integers (dtype {}); save labels as y.astype('int64')", printable(header.descr)));
}

/// One label for each row of a text that is read as embeddings are.
[[nodiscard]] inline std::vector<std::int64_t> text_labels(ByteStream&& stream, TextOptions options) {
  std::optional<TextTable> table;
  const std::string path = stream.path();
  if (stream.peek(1).empty()) return {};
  table.emplace(std::move(stream), std::move(options));
  if (table->layout().cols != 1) {
    throw FileError(path, fmt::format("line {} has {} columns of numbers; labels are one, choose it with "
                                      "TextOptions::columns",
                                      table->first_line(), table->layout().cols));
  }
  std::vector<std::int64_t> values;
  while (const std::optional<TextTable::Line> line = table->next()) {
    table->for_each_field(*line, [&](std::string_view cell, Eigen::Index column) {
      std::int64_t value = 0;
      // As an integer first: not all are doubles.
      const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
      if (error == std::errc() && stop == cell.data() + cell.size() && !cell.empty()) {
        values.push_back(value);
        return;
      }
      double number = 0.0;
      const CellKind kind = read_cell(cell, table->options().decimal_comma, number);
      if (kind == CellKind::missing) {
        throw FileError(
            path,
            fmt::format("line {}, {}: missing value ({}); every row needs a label, write one for none", line->number,
                        table->column(column), cell.empty() ? std::string("an empty cell") : printable(cell)));
      }
      const std::optional<std::int64_t> whole = kind == CellKind::number ? whole_number(number) : std::nullopt;
      if (!whole) {
        throw FileError(path, fmt::format("line {}, {}: {} is no label, which is a whole number below 2^63",
                                          line->number, table->column(column), printable(cell)));
      }
      values.push_back(*whole);
    });
  }
  return values;
}

}  // namespace detail

/// Labels of the rows of a matrix from a file: a list of integers (or booleans, or floats that are whole) in a .npy file,
/// of any size and byte order, or text with one whole number on each line. Text is read as TextFile reads it: a byte
/// order mark, a header, quotes, comments, blank lines, an index or names before the labels do not matter, and whole
/// numbers may be written as 0.000e+00.
///
/// @param path     .npy, recognised by how it begins; text otherwise
/// @param options  of a text: `columns` where it has more than one
/// @return one label for each row, as they are: negative ones, too
/// @throws FileError when the file cannot be read, holds anything else, or a label beyond 2^63 - 1
/// Cost: one pass.
[[nodiscard]] inline std::vector<std::int64_t> read_labels(const std::filesystem::path& path,
                                                           const TextOptions& options = {}) {
  ByteStream stream(path);
  if (!detail::as_text(stream.peek(6)).starts_with("\x93NUMPY")) {
    return detail::text_labels(std::move(stream), options);
  }
  const MappedFile file(std::move(stream));
  return detail::npy_labels(file, path.string());
}

}  // namespace collapse::io
