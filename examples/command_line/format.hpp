#pragma once

#include <string_view>

namespace command_line {

/// How the rows of a file are written down.
enum class Format { by_name, npy, safetensors, text };

[[nodiscard]] constexpr std::string_view to_string(Format format) {
  switch (format) {
    case Format::by_name: return "auto";
    case Format::npy: return "npy";
    case Format::safetensors: return "safetensors";
    case Format::text: return "text";
  }
  return "unknown";
}

}  // namespace command_line
