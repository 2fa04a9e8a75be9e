#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/printable.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace collapse::io {

/// How the rows of a file are written down.
enum class FileFormat { npy, safetensors, text };

[[nodiscard]] constexpr std::string_view to_string(FileFormat format) noexcept {
  switch (format) {
    case FileFormat::npy: return "npy";
    case FileFormat::safetensors: return "safetensors";
    case FileFormat::text: return "text";
  }
  return "unknown";
}

namespace detail {

/// What a format that is not read begins with, and what to do about it.
struct ForeignFormat {
  std::string_view begin;
  std::string_view name;
  std::string_view advice;
};

inline constexpr std::array foreign_formats{
    ForeignFormat{"PK\x03\x04", "a zip archive (.npz or a PyTorch file)",
                  "save one array as .npy: np.save('Z.npy', Z)"},
    ForeignFormat{"\x1f\x8b", "compressed with gzip",
                  "unpack it, or pipe it: gunzip -c FILE | collapse score /dev/stdin"},
    ForeignFormat{"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first"},
    ForeignFormat{"BZh", "compressed with bzip2", "unpack it first"},
    ForeignFormat{"\xfd\x37zXZ", "compressed with xz", "unpack it first"},
    ForeignFormat{"PAR1", "a Parquet file", "save the vectors as .npy: np.save('Z.npy', np.stack(table['embedding']))"},
    ForeignFormat{"ARROW1", "an Arrow file", "save the vectors as .npy"},
    ForeignFormat{"\x89HDF", "an HDF5 file", "save the data set as .npy: np.save('Z.npy', file['name'][:])"},
    ForeignFormat{"\x80\x02", "a pickle", "save the array as .npy: np.save('Z.npy', Z)"},
    ForeignFormat{"\x80\x03", "a pickle", "save the array as .npy: np.save('Z.npy', Z)"},
    ForeignFormat{"\x80\x04", "a pickle", "save the array as .npy: np.save('Z.npy', Z)"},
    ForeignFormat{"\x80\x05", "a pickle", "save the array as .npy: np.save('Z.npy', Z)"},
    ForeignFormat{"GGUF", "a GGUF file", "save the tensor as .npy or .safetensors"},
    ForeignFormat{"SQLite format 3", "a SQLite database", "export the vectors as text"},
    ForeignFormat{"%PDF", "a PDF", "export the vectors as text"}};

/// The format that an ending of a name stands for.
[[nodiscard]] inline std::optional<FileFormat> format_of_ending(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> text{".csv", ".tsv", ".txt", ".vec", ".glove", ".emb"};
  if (ending == ".npy") return FileFormat::npy;
  if (ending == ".safetensors") return FileFormat::safetensors;
  if (std::find(text.begin(), text.end(), ending) != text.end()) return FileFormat::text;
  return std::nullopt;
}

/// Whether bytes begin as a .safetensors file does: the length of a header, and the brace that opens it.
[[nodiscard]] inline bool begins_safetensors(std::string_view begin) {
  if (begin.size() < 9 || begin[8] != '{') return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{static_cast<unsigned char>(begin[i])} << (8 * i);
  return length >= 2 && length <= 100'000'000;
}

/// Whether bytes may be text: no control character but those of lines, nothing that UTF-8 does not have.
[[nodiscard]] inline bool is_textual(std::string_view begin) {
  return std::all_of(begin.begin(), begin.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f && byte != 0xff && byte != 0xfe && byte != 0xc0 && byte != 0xc1
                        : c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '\x1b';
  });
}

}  // namespace detail

/// The format of a file: by how it begins where that tells, by the ending of its name otherwise, and text where neither
/// does and the bytes may be some.
/// @param stream  of which nothing was read; what is looked at here stays to be read
/// @throws FileError for a file of another kind, such as an archive, whose ending does not say that it is one of these
/// Cost: the first bytes are read.
[[nodiscard]] inline FileFormat detect_format(ByteStream& stream) {
  const std::span<const std::byte> bytes = stream.peek(4096);
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (begin.starts_with("\x93NUMPY")) return FileFormat::npy;
  const std::optional<FileFormat> ending = detail::format_of_ending(stream.path());
  if (detail::begins_safetensors(begin)) return FileFormat::safetensors;
  const bool textual = detail::is_textual(begin);
  for (const detail::ForeignFormat& foreign : detail::foreign_formats) {
    // Text may begin with letters.
    if (!textual && begin.starts_with(foreign.begin)) {
      throw FileError(stream.path(), fmt::format("is {}; {}", foreign.name, foreign.advice));
    }
  }
  if (ending) return *ending;
  if (begin.empty()) throw FileError(stream.path(), "is empty; save the embeddings with np.save, or as text");
  if (textual || begin.starts_with("\xff\xfe") || begin.starts_with("\xfe\xff")) {
    return FileFormat::text;
  }
  throw FileError(stream.path(),
                  fmt::format("is not a .npy file, no .safetensors file and no text (it begins with {}); save the "
                              "embeddings with np.save, or pipe rows without a header into --stdin",
                              detail::printable(begin.substr(0, 8))));
}

}  // namespace collapse::io
