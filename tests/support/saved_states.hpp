#pragma once

#include <collapse/error.hpp>
#include <collapse/streams/container.hpp>

#include "support/reference_statistics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace collapse::test {

template <class Saved>
[[nodiscard]] std::string saved(const Saved& accumulator) {
  std::ostringstream out(std::ios::binary);
  accumulator.save(out);
  return out.str();
}

template <class Saved>
[[nodiscard]] Saved loaded(const std::string& bytes) {
  std::istringstream in(bytes, std::ios::binary);
  return Saved::load(in);
}

/// What is said of bytes that are refused.
template <class Saved>
[[nodiscard]] std::string refusal(const std::string& bytes) {
  try {
    static_cast<void>(loaded<Saved>(bytes));
  } catch (const StateError& error) {
    return error.what();
  }
  return "accepted";
}

/// How many of the beginnings of a state are taken for one.
template <class Saved>
[[nodiscard]] std::size_t accepted_beginnings(const std::string& bytes) {
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    accepted += refusal<Saved>(bytes.substr(0, length)) == "accepted" ? 1U : 0U;
  }
  return accepted;
}

/// How many of so many random corruptions of a state are taken for one.
template <class Saved>
[[nodiscard]] std::size_t accepted_corruptions(const std::string& bytes, std::size_t count) {
  reference::Random random(5);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::string bad = bytes;
    // One bit, a few bytes, or a whole stretch.
    const std::size_t changes = i % 3 == 0 ? 1 : 1 + random.next() % (i % 3 == 1 ? 8 : 200);
    for (std::size_t c = 0; c < changes; ++c) {
      char& byte = bad[random.next() % bad.size()];
      const std::uint64_t flip = changes == 1 ? std::uint64_t{1} << random.next() % 8 : random.next() & 0xFFU;
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ static_cast<unsigned char>(flip));
    }
    if (bad != bytes) accepted += refusal<Saved>(bad) == "accepted" ? 1U : 0U;
  }
  return accepted;
}

/// As an attacker would: the 64 bits at a place replaced, the checksum made anew.
[[nodiscard]] inline std::string with_word(const std::string& bytes, std::size_t at, std::uint64_t value) {
  std::string bad = bytes.substr(0, bytes.size() - 8);
  for (std::size_t i = 0; i < 8; ++i) bad[at + i] = static_cast<char>(value >> (8 * i) & 0xFFU);
  streams::Crc64 checksum;
  checksum.add(bad);
  streams::append_word(bad, checksum.value());
  return bad;
}

/// use(accumulator) for each state that has one word of `bytes` replaced and is accepted. Whatever it is, it must end in
/// an Error or in numbers; how many were accepted.
template <class Saved, class Use>
std::size_t use_forgeries(const std::string& bytes, const Use& use) {
  constexpr std::array<std::uint64_t, 7> values{0,
                                                1,
                                                0x7fffffffffffffffULL,
                                                0xffffffffffffffffULL,
                                                0x8000000000000000ULL,
                                                std::uint64_t{1} << 33,
                                                0x7ff0000000000000ULL};
  std::size_t accepted = 0;
  for (std::size_t at = 16; at + 8 < bytes.size(); at += 8) {
    for (const std::uint64_t value : values) {
      try {
        Saved taken = loaded<Saved>(with_word(bytes, at, value));
        ++accepted;
        use(taken);
      } catch (const Error&) {
      }
    }
  }
  return accepted;
}

}  // namespace collapse::test
