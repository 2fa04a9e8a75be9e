#pragma once

#include "format.hpp"

#include <collapse/error.hpp>
#include <collapse/io/npy.hpp>
#include <collapse/io/raw.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/safetensors.hpp>
#include <collapse/io/text.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace command_line {

/// By the ending of the name; .npy where that tells nothing.
[[nodiscard]] inline Format format_of(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".safetensors") return Format::safetensors;
  constexpr std::array<std::string_view, 5> text{".csv", ".tsv", ".txt", ".vec", ".glove"};
  return std::find(text.begin(), text.end(), ending) != text.end() ? Format::text : Format::npy;
}

/// The error that names a NaN or an infinity in a file.
/// @param row  from 0, of the whole file
[[nodiscard]] inline collapse::FileError non_finite(const std::string& name, Eigen::Index row, Eigen::Index col,
                                                    double value) {
  return {name, fmt::format("row {}, column {} (counted from 0) is {}; repair the file, or leave such rows out with "
                            "--skip-nonfinite",
                            row, col, value)};
}

/// Waits for a block to be in memory: the pages of a mapped file are read when they are first touched.
template <class Scalar>
void touch(const collapse::io::RowBlock<Scalar>& block) {
  constexpr Eigen::Index page = 4096 / sizeof(Scalar);  // no system has smaller ones
  const bool rows_lie_together = block.innerStride() == 1;
  const Eigen::Index runs = rows_lie_together ? block.rows() : block.cols();
  const Eigen::Index length = rows_lie_together ? block.cols() : block.rows();
  const Eigen::Index stride = rows_lie_together ? block.outerStride() : block.innerStride();
  const auto read = [](const Scalar* value) { static_cast<void>(*reinterpret_cast<const volatile std::byte*>(value)); };
  for (Eigen::Index run = 0; run < runs; ++run) {
    const Scalar* const values = block.data() + run * stride;
    for (Eigen::Index i = 0; i < length; i += page) read(values + i);
    read(values + length - 1);
  }
}

/// Rows of one input, whatever it is.
class Source {
 public:
  using Input = std::variant<collapse::io::NpyFile, collapse::io::SafetensorsFile, collapse::io::TextFile,
                             collapse::io::RawStream>;

  Source(std::string name, Input input) : name_(std::move(name)), input_(std::move(input)) {}

  [[nodiscard]] static Source open(const std::string& path, Format format, const std::string& tensor) {
    if (format == Format::by_name) format = format_of(path);
    switch (format) {
      case Format::safetensors: return {path, collapse::io::SafetensorsFile(path, tensor)};
      case Format::text: return {path, collapse::io::TextFile(path)};
      default: return {path, collapse::io::NpyFile(path)};
    }
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Eigen::Index cols() const {
    return std::visit([](const auto& input) { return input.cols(); }, input_);
  }
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const {
    return std::visit([](const auto& input) { return input.known_rows(); }, input_);
  }
  /// As of RowBlocks; each block is in memory when `body` gets it.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) {
    const auto body_in_memory = [&](const auto& block) {
      touch(block);
      body(block);
    };
    std::visit([&](auto& input) { input.for_each_block(rows, body_in_memory); }, input_);
  }

 private:
  std::string name_;
  Input input_;
};

}  // namespace command_line
