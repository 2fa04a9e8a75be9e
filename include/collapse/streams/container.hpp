#pragma once

#include <collapse/error.hpp>
#include <collapse/streams/archive.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <new>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The container of saved states: a magic text that ends in the version of the format, the kind of what was saved, its
/// words, and a checksum of all before it. Everything is little-endian, in words of 64 bits.
namespace collapse::streams {

inline constexpr std::string_view magic_before_version{"collapse state "};
inline constexpr int newest_version = 4;
inline constexpr int oldest_version = 3;  ///< an Accumulator, without a word for the kind, with thresholds

/// What a state is of.
enum class StateKind : std::uint64_t { accumulator = 1, paired_accumulator = 2, labelled_accumulator = 3 };

/// The name of a kind, for messages; null for what is none.
[[nodiscard]] inline const char* name_of(StateKind kind) {
  switch (kind) {
    case StateKind::accumulator: return "an Accumulator";
    case StateKind::paired_accumulator: return "a PairedAccumulator";
    case StateKind::labelled_accumulator: return "a LabelledAccumulator";
  }
  return nullptr;
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

/// Writes words in their container. Throws StateError when the stream fails.
inline void write_container(std::ostream& out, StateKind kind, std::span<const std::uint64_t> words) {
  constexpr std::size_t piece = std::size_t{1} << 16;
  Crc64 checksum;
  std::string bytes = std::string(magic_before_version) + static_cast<char>('0' + newest_version);
  append_word(bytes, static_cast<std::uint64_t>(kind));
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

/// What a container holds.
struct Container {
  int version;
  StateKind kind;
  std::vector<std::uint64_t> words;
};

/// The version that the bytes begin with. Throws StateError for one that cannot be read, and for other bytes.
[[nodiscard]] inline int version_of(std::string_view bytes) {
  if (bytes.empty()) throw StateError("the state is empty");
  const std::size_t length = magic_before_version.size();
  if (!bytes.starts_with(magic_before_version) || bytes.size() == length) {
    throw StateError("this is not the state of an accumulator");
  }
  const int version = bytes[length] - '0';
  if (version < oldest_version || version > newest_version) {
    throw StateError(fmt::format(
        "this is the state of an accumulator in another version of the format, '{}'; this "
        "program reads {} to {}",
        bytes[length] >= ' ' && bytes[length] <= '~' ? bytes[length] : '?', oldest_version, newest_version));
  }
  return version;
}

/// Throws StateError for anything that is not whole.
[[nodiscard]] inline Container parse_container(std::string_view bytes) {
  Container result{version_of(bytes), StateKind::accumulator, {}};
  const std::size_t start = magic_before_version.size() + 1;
  const std::size_t before_words = result.version == oldest_version ? 0 : 8;
  const std::size_t rest = bytes.size() - start;
  if (rest < before_words + 8 || rest % 8 != 0) {
    throw StateError(fmt::format("the state is truncated: {} bytes", bytes.size()));
  }
  const std::size_t end = bytes.size() - 8;
  Crc64 checksum;
  checksum.add(bytes.substr(0, end));
  if (word_at(bytes, end) != checksum.value()) {
    throw StateError(
        fmt::format("the state is damaged or truncated: its {} bytes do not have their checksum", bytes.size()));
  }
  if (before_words > 0) result.kind = static_cast<StateKind>(word_at(bytes, start));
  result.words.reserve((end - start - before_words) / 8);
  for (std::size_t at = start + before_words; at < end; at += 8) result.words.push_back(word_at(bytes, at));
  return result;
}

/// What `read` makes of words. Throws StateError for whatever it throws.
template <class Read>
[[nodiscard]] auto read_untrusted(Read&& read) -> decltype(read()) {
  try {
    return read();
  } catch (const StateError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw StateError("the state needs more memory than there is");
  } catch (const Error& error) {
    throw StateError(fmt::format("the state holds settings that are not allowed: {}", error.what()));
  }
}

/// read(archive, version) for the words of a state of this kind, all of which it has to take. Throws StateError for
/// another kind, and for whatever it throws.
template <class Read>
[[nodiscard]] auto read_container(std::string_view bytes, StateKind kind, Read&& read) {
  const Container container = parse_container(bytes);
  if (container.kind != kind) {
    const char* const found = name_of(container.kind);
    if (found == nullptr) throw StateError("this is the state of something that this program does not know");
    throw StateError(fmt::format("this is the state of {}, not of {}", found, name_of(kind)));
  }
  return read_untrusted([&] {
    WordReader archive(container.words);
    auto result = read(archive, container.version);
    archive.finish();
    return result;
  });
}

}  // namespace collapse::streams
