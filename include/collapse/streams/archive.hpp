#pragma once

#include <collapse/error.hpp>

#include <Eigen/Core>

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Values as words of 64 bits and back. One function template `exchange(archive, object)` writes or reads an object, so
/// that the two directions cannot differ; `Archive::reads` tells which it is.
namespace collapse::streams {

using Eigen::Index;

template <class Value>
concept WholeNumber = std::integral<Value> || std::is_enum_v<Value>;

class WordWriter {
 public:
  static constexpr bool reads = false;

  void operator()(WholeNumber auto value) { words_.push_back(static_cast<std::uint64_t>(value)); }
  void operator()(double value) { words_.push_back(std::bit_cast<std::uint64_t>(value)); }
  void operator()(const double* values, Index count) {
    for (Index i = 0; i < count; ++i) operator()(values[i]);
  }

  [[nodiscard]] std::vector<std::uint64_t> take() { return std::move(words_); }

 private:
  std::vector<std::uint64_t> words_;
};

/// Throws StateError for anything that a writer would not have written. No memory is to be taken for a number of values
/// before `need` has said that they are there.
class WordReader {
 public:
  static constexpr bool reads = true;

  explicit WordReader(std::span<const std::uint64_t> words) : words_(words) {}

  template <WholeNumber Value>
  void operator()(Value& value) {
    const std::uint64_t word = next();
    value = static_cast<Value>(word);
    require(static_cast<std::uint64_t>(value) == word, "a number is out of range");
  }
  void operator()(double& value) { value = std::bit_cast<double>(next()); }
  /// Only finite values.
  void operator()(double* values, Index count) {
    for (Index i = 0; i < count; ++i) {
      operator()(values[i]);
      require(std::isfinite(values[i]), "a value is not finite");
    }
  }

  /// That rows * cols more words follow.
  void need(Index rows, Index cols) const {
    const std::size_t left = words_.size() - at_;
    const bool there = rows >= 0 && cols >= 0 &&
                       (cols == 0 || static_cast<std::size_t>(rows) <= left / static_cast<std::size_t>(cols));
    require(there, "fewer values follow than announced");
  }
  void require(bool holds, const char* otherwise) const {
    if (!holds) throw StateError(fmt::format("the state contradicts itself near its word {}: {}", at_, otherwise));
  }
  void finish() const { require(at_ == words_.size(), "more values follow than announced"); }

 private:
  std::uint64_t next() {
    need(1, 1);
    return words_[at_++];
  }

  std::span<const std::uint64_t> words_;
  std::size_t at_ = 0;
};

/// The entries of a vector that has its size already.
void exchange_vector(auto& archive, auto& vector) { archive(vector.data(), vector.size()); }

/// The lower triangle of a square matrix that has its size already.
void exchange_lower(auto& archive, auto& matrix) {
  for (Index j = 0; j < matrix.cols(); ++j) archive(matrix.data() + j * matrix.rows() + j, matrix.rows() - j);
}

/// CRC-64/XZ: sees every change that spans no more than 64 bits, and of all others all but one in 2^64.
class Crc64 {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) state_ = (state_ >> 8) ^ table()[(state_ ^ static_cast<unsigned char>(byte)) & 0xFFU];
  }
  [[nodiscard]] std::uint64_t value() const { return ~state_; }

 private:
  static const std::array<std::uint64_t, 256>& table() {
    static constexpr std::array<std::uint64_t, 256> entries = [] {
      std::array<std::uint64_t, 256> made{};
      for (std::uint64_t i = 0; i < 256; ++i) {
        std::uint64_t entry = i;
        for (int bit = 0; bit < 8; ++bit) entry = (entry >> 1) ^ ((entry & 1U) != 0 ? 0xC96C5795D7870F42U : 0U);
        made[i] = entry;
      }
      return made;
    }();
    return entries;
  }

  std::uint64_t state_ = ~std::uint64_t{0};
};

inline void append_word(std::string& bytes, std::uint64_t word) {
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<unsigned char>(word >> (8 * i)));
}

[[nodiscard]] inline std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return word;
}

/// The magic, the words little-endian, the checksum of both. Throws StateError when the stream fails.
inline void write_words(std::ostream& out, std::string_view magic, std::span<const std::uint64_t> words) {
  constexpr std::size_t piece = std::size_t{1} << 16;
  Crc64 checksum;
  std::string bytes(magic);
  const auto send = [&] {
    checksum.add(bytes);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.clear();
  };
  for (const std::uint64_t word : words) {
    append_word(bytes, word);
    if (bytes.size() >= piece) send();
  }
  send();
  append_word(bytes, checksum.value());
  send();
  out.flush();
  if (!out) throw StateError("the state could not be written: the stream refused some of it (is the disk full?)");
}

/// All that is left in a stream. Throws StateError when it fails.
[[nodiscard]] inline std::string read_all(std::istream& in) {
  std::string bytes;
  // Piece by piece: no more memory than there are bytes, whatever they say.
  std::string piece(std::size_t{1} << 16, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    bytes.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw StateError("the state could not be read: the stream failed");
  return bytes;
}

/// The words that `write_words` wrote. Throws StateError for anything else.
[[nodiscard]] inline std::vector<std::uint64_t> parse_words(std::string_view bytes, std::string_view magic) {
  if (bytes.empty()) throw StateError("the state is empty");
  if (!bytes.starts_with(magic)) {
    throw StateError("this is not the state of an accumulator, or one of another version of the format");
  }
  const std::size_t payload = bytes.size() - magic.size();
  if (payload < 8 || payload % 8 != 0) throw StateError(fmt::format("the state is truncated: {} bytes", bytes.size()));
  const std::size_t end = bytes.size() - 8;
  Crc64 checksum;
  checksum.add(bytes.substr(0, end));
  if (word_at(bytes, end) != checksum.value()) {
    throw StateError(
        fmt::format("the state is damaged or truncated: its {} bytes do not have their checksum", bytes.size()));
  }
  std::vector<std::uint64_t> words;
  words.reserve(payload / 8 - 1);
  for (std::size_t at = magic.size(); at < end; at += 8) words.push_back(word_at(bytes, at));
  return words;
}

}  // namespace collapse::streams
