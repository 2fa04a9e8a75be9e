#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/mapped_matrix.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/safetensors_header.hpp>
#include <collapse/io/scalar_type.hpp>

#include <fmt/ranges.h>
#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse::io {
namespace detail {

[[nodiscard]] inline std::string shape_of(const SafetensorsEntry& tensor) {
  if (tensor.shape.size() > 8) return fmt::format("({} extents)", tensor.shape.size());
  return fmt::format("({}{})", fmt::join(tensor.shape, ", "), tensor.shape.size() == 1 ? "," : "");
}

/// At most eight tensors as an error lists them.
[[nodiscard]] inline std::string listed(const std::vector<const SafetensorsEntry*>& tensors) {
  constexpr std::size_t most = 8;
  std::vector<std::string> items;
  for (const SafetensorsEntry* const tensor : tensors) {
    if (items.size() == most) break;
    items.push_back(fmt::format("{} {} {}", printable(tensor->name), printable(tensor->dtype), shape_of(*tensor)));
  }
  return fmt::format("{}{}", fmt::join(items, ", "),
                     tensors.size() > most ? fmt::format(" and {} more", tensors.size() - most) : "");
}

/// The tensor of that name, or the only matrix when the name is empty: the only one of floats, or of integers where none
/// is of floats. Empty ones count where there are no others.
[[nodiscard]] inline const SafetensorsEntry& find_tensor(const SafetensorsHeader& header, std::string_view name,
                                                         const std::string& path) {
  std::vector<const SafetensorsEntry*> all;
  std::vector<const SafetensorsEntry*> floats;
  std::vector<const SafetensorsEntry*> integers;
  for (const SafetensorsEntry& tensor : header.tensors) {
    if (!name.empty() && tensor.name == name) return tensor;
    all.push_back(&tensor);
    if (tensor.shape.size() != 2) continue;
    if (find_scalar_type(tensor.dtype, &ScalarTypeEntry::safetensors)) floats.push_back(&tensor);
    if (find_integer_type(tensor.dtype, &IntegerTypeEntry::safetensors)) integers.push_back(&tensor);
  }
  const auto is_empty = [](const SafetensorsEntry* tensor) { return tensor->shape[0] == 0 || tensor->shape[1] == 0; };
  for (std::vector<const SafetensorsEntry*>* const matrices : {&floats, &integers}) {
    if (!std::all_of(matrices->begin(), matrices->end(), is_empty)) std::erase_if(*matrices, is_empty);
  }
  const bool use_integers =
      floats.empty() || (is_empty(floats.front()) && !integers.empty() && !is_empty(integers.front()));
  const std::vector<const SafetensorsEntry*>& matrices = use_integers ? integers : floats;
  if (name.empty() && matrices.size() == 1) return *matrices.front();
  if (all.empty()) throw FileError(path, "holds no tensors; save the embeddings as a matrix of floats");
  if (matrices.empty()) {
    throw FileError(
        path, fmt::format("{}holds no matrix of numbers; save the embeddings as one, 2-D (samples, dims) "
                          "and F16, BF16, F32 or F64; it has {}",
                          name.empty() ? "" : fmt::format("has no tensor {}, and ", printable(name)), listed(all)));
  }
  throw FileError(path, fmt::format("{}; name one of its matrices: {}",
                                    name.empty() ? fmt::format("holds {} matrices of {}", matrices.size(),
                                                               use_integers ? "integers" : "floats")
                                                 : fmt::format("has no tensor {}", printable(name)),
                                    listed(matrices)));
}

/// Where the values of a tensor lie, checked against its shape.
[[nodiscard]] inline MatrixLayout safetensors_layout(const SafetensorsEntry& tensor, std::size_t data_offset,
                                                     const std::string& path) {
  const std::string name = printable(tensor.name);
  const std::string shape = shape_of(tensor);
  const ScalarTypeEntry* const type = find_scalar_type(tensor.dtype, &ScalarTypeEntry::safetensors);
  const IntegerTypeEntry* const integer = find_integer_type(tensor.dtype, &IntegerTypeEntry::safetensors);
  if (!type && !integer) {
    throw FileError(path, fmt::format("tensor {} holds {}, embeddings are F16, BF16, F32, F64 or integers; save it as "
                                      "Z.float()",
                                      name, printable(tensor.dtype)));
  }
  if (tensor.shape.size() != 2) {
    throw FileError(path, fmt::format("tensor {} {}", name, not_a_matrix(shape, tensor.shape.size())));
  }
  const std::optional<std::size_t> bytes =
      matrix_bytes(tensor.shape[0], tensor.shape[1], type ? type->size : integer->size);
  if (!bytes) {
    throw FileError(path, fmt::format("tensor {} has shape {}, more bytes than this system can address; the header is "
                                      "damaged, save it again",
                                      name, shape));
  }
  if (*bytes != tensor.end - tensor.begin) {
    throw FileError(
        path, fmt::format("tensor {} of shape {} and type {} takes {} bytes, its data_offsets [{}, {}] say "
                          "{}; the header is damaged, save it again",
                          name, shape, tensor.dtype, *bytes, tensor.begin, tensor.end, tensor.end - tensor.begin));
  }
  return {.scalar = type ? type->type : integer->scalar,
          .integer = type ? IntegerType::none : integer->type,
          .swapped = std::endian::native == std::endian::big,
          .fortran_order = false,
          .offset = data_offset + static_cast<std::size_t>(tensor.begin),
          .rows = static_cast<Eigen::Index>(tensor.shape[0]),
          .cols = static_cast<Eigen::Index>(tensor.shape[1])};
}

}  // namespace detail

/// A matrix of embeddings in a .safetensors file: one 2-D tensor (samples, dims) of F16, BF16, F32 or F64, or
/// of integers or booleans, which are read as float up to 16 bits and as double above.
///
///     collapse::io::SafetensorsFile file("model.safetensors", "embed_tokens.weight");
///     collapse::Report report = file.visit([&](const auto& Z) { return collapse::measure(Z); });
///
/// Needs nlohmann/json. The file is mapped, not read: Z lies on the file's own pages. The format does not align its
/// data, though, and values at an odd place are copied to memory: whole, when `visit` is first called, or block by
/// block. A matrix without rows or without columns is accepted here. Models RowBlocks. Movable, not copyable; a
/// moved-from object may only be assigned to or destroyed.
class SafetensorsFile {
 public:
  /// Opens a file and checks its header, and the tensor against its part of the file.
  /// @param path        the file
  /// @param tensor_name the tensor; empty for the only 2-D tensor of floats that is not empty, or
  ///        of integers where there is none of floats
  /// @throws FileError in one line, which says what to do, when the file cannot be read, is no .safetensors file, is
  ///         truncated or damaged, has no such tensor, or several where none is named (it lists them), or the tensor is
  ///         not 2-D or holds no numbers
  /// Cost: O(length of the header).
  /// Source: safetensors, README "Format".
  explicit SafetensorsFile(const std::filesystem::path& path, std::string_view tensor_name = {})
      : SafetensorsFile(path.string(), tensor_name, MappedFile(path)) {}

  /// The same of a file that was opened before, of which nothing was read.
  explicit SafetensorsFile(ByteStream&& stream, std::string_view tensor_name = {})
      : SafetensorsFile(stream.path(), tensor_name, MappedFile(std::move(stream))) {}

  [[nodiscard]] Eigen::Index rows() const noexcept { return matrix_.rows(); }
  [[nodiscard]] Eigen::Index cols() const noexcept { return matrix_.cols(); }

  /// rows(), which this format always tells.
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const noexcept { return rows(); }

  /// Type of the values as the file spells it, e.g. "F32".
  [[nodiscard]] const std::string& dtype() const noexcept { return tensor_.dtype; }

  /// Name of the tensor.
  [[nodiscard]] const std::string& name() const noexcept { return tensor_.name; }

  /// Bytes of all values in the file: rows() * cols() * size of one.
  [[nodiscard]] std::size_t bytes() const noexcept { return matrix_.bytes(); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// True when the values are used on the file's own pages, false when they have to be copied to memory.
  [[nodiscard]] bool is_mapped() const noexcept { return matrix_.is_mapped(); }

  /// Calls `visitor` with the values as an Eigen matrix of their own scalar.
  /// @param visitor callable with a `const RowBlock<Scalar>&` of rows() x cols(), Scalar = Eigen::half,
  ///         Eigen::bfloat16, float and double, and of the same result type for all four
  /// @return what the visitor returns; a matrix kept from it is valid as long as this object
  /// @throws what the visitor throws; std::bad_alloc when a copy is needed and does not fit
  /// Cost: that of the visitor, and one copy of the values where is_mapped() is false, the first time.
  template <class Visitor>
  std::invoke_result_t<Visitor&, const RowBlock<float>&> visit(Visitor&& visitor) const {
    return matrix_.visit<Eigen::half, Eigen::bfloat16, float, double>(visitor);
  }

  /// Calls `body` with block after block of rows, in order, each as an Eigen matrix of the tensor's scalar. Pages that
  /// are done with are given back to the system, so that a file of any size takes little memory.
  /// @param rows rows of a block, at least 1; the last block has what is left
  /// @param body callable with a `const RowBlock<Scalar>&`, Scalar = Eigen::half, Eigen::bfloat16, float and double;
  ///        the matrix is valid during the call
  /// @throws OptionError when rows < 1; what the body throws; std::bad_alloc when a copy of a block does not fit
  /// Cost: that of the body, and a copy of each block to one buffer where is_mapped() is false.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) const {
    matrix_.for_each_block<Eigen::half, Eigen::bfloat16, float, double>(rows, body);
  }

 private:
  SafetensorsFile(const std::string& path, std::string_view name, MappedFile&& file)
      : SafetensorsFile(path, name, parse_safetensors_header(file.bytes(), path), std::move(file)) {}

  SafetensorsFile(std::string path, std::string_view name, const SafetensorsHeader& header, MappedFile&& file)
      : path_(std::move(path)),
        tensor_(detail::find_tensor(header, name, path_)),
        matrix_(std::move(file), detail::safetensors_layout(tensor_, header.data_offset, path_)) {}

  std::string path_;
  SafetensorsEntry tensor_;
  detail::MappedMatrix matrix_;
};

static_assert(RowBlocks<SafetensorsFile> && RowBlocks<const SafetensorsFile>);

}  // namespace collapse::io
