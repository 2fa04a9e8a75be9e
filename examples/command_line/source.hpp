#pragma once

#include "format.hpp"

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/columns.hpp>
#include <collapse/io/npy.hpp>
#include <collapse/io/raw.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/safetensors.hpp>
#include <collapse/io/selected_columns.hpp>
#include <collapse/io/text.hpp>
#include <collapse/io/text_options.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace command_line {

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

  /// @param columns  which of them are wanted, where the input does not choose itself
  Source(std::string name, Input input, const collapse::io::TextOptions& columns = {})
      : name_(std::move(name)), input_(std::move(input)) {
    if (std::holds_alternative<collapse::io::TextFile>(input_)) return;
    if (columns.columns.empty() && columns.drop_columns.empty()) return;
    try {
      columns_ = collapse::io::kept_columns(columns.columns, columns.drop_columns, all_cols());
    } catch (const collapse::OptionError& error) {
      throw collapse::FileError(name_, error.what());
    }
  }

  [[nodiscard]] static Source open(const std::string& path, Format format, const std::string& tensor,
                                   const collapse::io::TextOptions& options = {}) {
    collapse::io::ByteStream stream(path);
    switch (format == Format::automatic ? format_of(stream) : format) {
      case Format::safetensors: return {path, collapse::io::SafetensorsFile(std::move(stream), tensor), options};
      case Format::text: return {path, collapse::io::TextFile(std::move(stream), options)};
      default: return {path, collapse::io::NpyFile(std::move(stream)), options};
    }
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Eigen::Index cols() const {
    return columns_ ? static_cast<Eigen::Index>(columns_->size()) : all_cols();
  }
  /// What was decided on reading it that may surprise.
  [[nodiscard]] std::vector<std::string> remarks() const {
    const auto* const text = std::get_if<collapse::io::TextFile>(&input_);
    return text == nullptr ? std::vector<std::string>() : text->remarks();
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
    std::visit(
        [&](auto& input) {
          if (columns_) {
            collapse::io::SelectedColumns(input, *columns_).for_each_block(rows, body_in_memory);
          } else {
            input.for_each_block(rows, body_in_memory);
          }
        },
        input_);
  }

 private:
  [[nodiscard]] Eigen::Index all_cols() const {
    return std::visit([](const auto& input) { return input.cols(); }, input_);
  }

  std::string name_;
  Input input_;
  std::optional<std::vector<Eigen::Index>> columns_;  // nothing where all are wanted, or the input chooses
};

}  // namespace command_line
