#pragma once

#include <collapse/io/byte_stream.hpp>
#include <collapse/io/file_format.hpp>

#include <string_view>

namespace command_line {

/// How the rows of a file are written down.
enum class Format { automatic, npy, safetensors, text };

[[nodiscard]] constexpr std::string_view to_string(Format format) {
  switch (format) {
    case Format::automatic: return "auto";
    case Format::npy: return "npy";
    case Format::safetensors: return "safetensors";
    case Format::text: return "text";
  }
  return "unknown";
}

/// By how it begins, or by its name.
[[nodiscard]] inline Format format_of(collapse::io::ByteStream& stream) {
  switch (collapse::io::detect_format(stream)) {
    case collapse::io::FileFormat::safetensors: return Format::safetensors;
    case collapse::io::FileFormat::text: return Format::text;
    case collapse::io::FileFormat::npy: break;
  }
  return Format::npy;
}

}  // namespace command_line
