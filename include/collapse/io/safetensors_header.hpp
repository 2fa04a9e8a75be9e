#pragma once

#include <collapse/error.hpp>
#include <collapse/io/printable.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace collapse::io {

/// What the header of a .safetensors file says of one tensor.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                 ///< type of the values as the format spells it, e.g. "F32"
  std::vector<std::uint64_t> shape;  ///< extents
  std::uint64_t begin = 0;           ///< bytes of the data before its first value
  std::uint64_t end = 0;             ///< bytes of the data up to the end of its last value
};

/// What stands in front of the values of a .safetensors file.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  ///< in the order of their data
  std::size_t data_offset = 0;            ///< bytes of the file before the data
};

namespace detail {

/// Takes the header in as it is parsed: a dictionary from names to dictionaries of 'dtype', 'shape' and 'data_offsets',
/// beside one of texts, '__metadata__'. No tree is built, deeper nesting is refused where it opens, and the parser
/// itself does not recurse: no input can exhaust the stack.
class SafetensorsHeaderParser {
 public:
  SafetensorsHeaderParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  [[nodiscard]] std::vector<SafetensorsEntry> parse() {
    // The parser takes a byte order mark in front, and a zero for the end of the text.
    if (!text_.starts_with('{')) fail("it does not begin with '{'");
    if (const std::size_t zero = text_.find('\0'); zero != std::string_view::npos) {
      fail(fmt::format("it holds a zero byte (byte {})", zero));
    }
    nlohmann::json::sax_parse(text_.data(), text_.data() + text_.size(), this);
    return std::move(tensors_);
  }

  // What nlohmann/json calls a SAX interface.

  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("a boolean"); }
  bool number_integer(std::int64_t value) { unexpected(fmt::format("{}, a negative number", value)); }
  bool number_float(double, const std::string& literal) {
    unexpected(fmt::format("{}, no integer below 2^64", printable(literal)));
  }
  bool binary(nlohmann::json::binary_t&) { unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) {
    if (place_ != Place::list) unexpected(fmt::format("the number {}", value));
    std::vector<std::uint64_t>& list = field_ == shape ? tensors_.back().shape : offsets_;
    if (list.size() == most_extents) fail(fmt::format("{} has more than {} numbers", where(), most_extents));
    list.push_back(value);
    return true;
  }

  bool string(std::string& value) {
    if (place_ == Place::metadata) return true;
    if (place_ != Place::tensor || field_ != dtype) unexpected(fmt::format("the text {}", printable(value)));
    tensors_.back().dtype = value;
    return true;
  }

  bool key(std::string& key) {
    if (place_ == Place::top) {
      name_ = key;
      if (!names_.insert(key).second) fail(fmt::format("the name {} comes twice", printable(key)));
    } else if (place_ == Place::metadata) {
      if (!metadata_.insert(key).second) fail(fmt::format("the metadata {} comes twice", printable(key)));
    } else {
      const auto found = std::find(fields.begin(), fields.end(), key);
      if (found == fields.end()) fail(fmt::format("tensor {} has an unknown key {}", printable(name_), printable(key)));
      field_ = static_cast<std::size_t>(found - fields.begin());
      if (seen_[field_]) fail(fmt::format("{} comes twice", where()));
      seen_[field_] = true;
    }
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ != Place::top) {
      unexpected("a dictionary");
    } else if (name_ == "__metadata__") {
      place_ = Place::metadata;
    } else {
      place_ = Place::tensor;
      seen_ = {};
      offsets_.clear();
      tensors_.push_back({.name = name_, .dtype = {}, .shape = {}});
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!seen_[i]) fail(fmt::format("tensor {} lacks '{}'", printable(name_), fields[i]));
      }
      if (offsets_.size() != 2) fail(fmt::format("tensor {} needs two data_offsets", printable(name_)));
      tensors_.back().begin = offsets_[0];
      tensors_.back().end = offsets_[1];
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::tensor || field_ == dtype) unexpected("a list");
    place_ = Place::list;
    return true;
  }

  bool end_array() {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    fail(fmt::format("it is no JSON in UTF-8 (byte {})", position));
  }

 private:
  enum class Place { outside, top, metadata, tensor, list };

  static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};
  static constexpr std::size_t dtype = 0;
  static constexpr std::size_t shape = 1;
  static constexpr std::size_t most_extents = 64;

  [[nodiscard]] std::string where() const {
    switch (place_) {
      case Place::outside: return "the whole";
      case Place::top: return fmt::format("{}", printable(name_));
      case Place::metadata: return "the metadata";
      case Place::tensor:
      case Place::list: break;
    }
    return fmt::format("'{}' of tensor {}", fields[field_], printable(name_));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(path_, fmt::format("cannot parse the safetensors header: {}; the file is damaged or of another "
                                       "format, save it again",
                                       what));
  }

  [[noreturn]] void unexpected(const std::string& what) const { fail(fmt::format("{} is or holds {}", where(), what)); }

  std::string_view text_;
  const std::string& path_;
  std::vector<SafetensorsEntry> tensors_;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> metadata_;
  Place place_ = Place::outside;
  std::string name_;
  std::size_t field_ = 0;
  std::array<bool, fields.size()> seen_{};
  std::vector<std::uint64_t> offsets_;
};

/// Orders the tensors by their data, which they must cover without a gap and without overlap.
inline void check_safetensors_data(std::vector<SafetensorsEntry>& tensors, std::uint64_t size,
                                   const std::string& path) {
  for (const SafetensorsEntry& tensor : tensors) {
    if (tensor.begin > tensor.end) {
      throw FileError(path, fmt::format("tensor {} has data_offsets [{}, {}], the end before the beginning; the header "
                                        "is damaged, save it again",
                                        printable(tensor.name), tensor.begin, tensor.end));
    }
    if (tensor.end > size) {
      throw FileError(path, fmt::format("is truncated: tensor {} ends at byte {} of the data, found {}; write or copy "
                                        "it again",
                                        printable(tensor.name), tensor.end, size));
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& tensor : tensors) {
    if (tensor.begin != covered) {
      throw FileError(path, fmt::format("tensor {} begins at byte {} of the data, the one before it ends at {}; the "
                                        "header is damaged, save it again",
                                        printable(tensor.name), tensor.begin, covered));
    }
    covered = tensor.end;
  }
  if (covered != size) {
    throw FileError(
        path, fmt::format("is too long: its tensors take {} bytes of data, found {}; save it again", covered, size));
  }
}

}  // namespace detail

/// Reads the header of a .safetensors file.
///
/// The file is a length (8 bytes little endian), a JSON dictionary of that length, and the data. As the format demands,
/// a header of over 100 MB is refused, and so are names that come twice, tensors that overlap, and bytes of the data
/// that belong to no tensor. Types and shapes are returned as written, not checked against the offsets.
/// @param file the bytes of the file, as many as are there
/// @param path names the file in errors
/// @throws FileError when the bytes are no .safetensors header, or the tensors are not the data behind it
/// Cost: O(length of the header), and T log T for T tensors.
/// Source: safetensors, README "Format".
[[nodiscard]] inline SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                                                const std::string& path) {
  constexpr std::uint64_t longest = 100'000'000;
  constexpr std::size_t length_bytes = 8;
  if (file.empty()) throw FileError(path, "is empty; save the embeddings with safetensors' save_file");
  if (file.size() < length_bytes) {
    throw FileError(
        path, fmt::format("ends within the safetensors header, after {} bytes; write or copy it again", file.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  if (length > longest) {
    throw FileError(path, fmt::format("says {} bytes of safetensors header, {} are the most; it is of another format, "
                                      "or damaged",
                                      length, longest));
  }
  if (length > file.size() - length_bytes) {
    throw FileError(path, fmt::format("ends within the safetensors header: it says {} bytes of header, {} are there; "
                                      "write or copy it again",
                                      length, file.size() - length_bytes));
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + length_bytes,
                              static_cast<std::size_t>(length));
  SafetensorsHeader header;
  header.tensors = detail::SafetensorsHeaderParser(text, path).parse();
  header.data_offset = length_bytes + static_cast<std::size_t>(length);
  detail::check_safetensors_data(header.tensors, file.size() - header.data_offset, path);
  return header;
}

}  // namespace collapse::io
