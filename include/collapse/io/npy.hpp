#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/mapped_matrix.hpp>
#include <collapse/io/npy_header.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/scalar_type.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace collapse::io {

/// The values of a .npy file as an Eigen matrix.
template <class Scalar>
using NpyMatrix = RowBlock<Scalar>;

namespace detail {

/// How numpy's type string reads on this machine.
struct NpyType {
  ScalarType scalar;
  std::size_t size;  ///< bytes per value in the file
  bool swapped;      ///< the bytes of each value come in the other order than this machine's
  IntegerType integer = IntegerType::none;
};

/// What is wrong with a type that is no float16, float32, float64, integer or boolean, and what to do about it.
[[nodiscard]] inline std::string unsupported_type(std::string_view descr, std::string_view type) {
  const std::string name = printable(descr);
  switch (type.empty() ? '\0' : type[0]) {
    case 'O':
      return fmt::format(
          "holds Python objects (dtype {}), which only unpickling could read; save a plain array: "
          "np.stack(list(Z)).astype('float32')",
          name);
    case 'i':
    case 'u': return fmt::format("holds integers of an unknown size (dtype {}); save it as Z.astype('float32')", name);
    case 'c': return fmt::format("holds complex numbers (dtype {}); save Z.real.astype('float32')", name);
    case 'f':
      return fmt::format(
          "holds floats of a size that differs between machines (dtype {}); save it as "
          "Z.astype('float64')",
          name);
    case 'V':
      return fmt::format("holds raw bytes (dtype {}; bfloat16 is saved so); save it as Z.astype('float32')", name);
    default: return fmt::format("holds no numbers that embeddings are made of (dtype {}); save it as float32", name);
  }
}

[[nodiscard]] inline NpyType parse_npy_type(const std::string& descr, const std::string& path) {
  const auto [type, swapped] = split_byte_order(descr);
  const ScalarTypeEntry* const found = find_scalar_type(type, &ScalarTypeEntry::numpy);
  // What numpy saves for bfloat16 is "V2", which may be anything.
  if (found && found->type != ScalarType::bfloat16) return {found->type, found->size, swapped};
  if (const IntegerTypeEntry* const integer = find_integer_type(type, &IntegerTypeEntry::numpy)) {
    return {integer->scalar, integer->size, swapped, integer->type};
  }
  throw FileError(path, unsupported_type(descr, type));
}

/// Where the values of a .npy file lie, checked against its size.
[[nodiscard]] inline MatrixLayout npy_layout(const NpyHeader& header, std::size_t file_size, const std::string& path) {
  const NpyType type = parse_npy_type(header.descr, path);
  const std::string shape = to_string(header.shape);
  if (header.shape.size() != 2) throw FileError(path, not_a_matrix(shape, header.shape.size()));
  const std::optional<std::size_t> expected =
      matrix_bytes(static_cast<std::uint64_t>(header.shape[0]), static_cast<std::uint64_t>(header.shape[1]), type.size);
  if (!expected) {
    throw FileError(path, fmt::format("has shape {}, more bytes than this system can address; the header is damaged, "
                                      "save it again with np.save",
                                      shape));
  }
  const std::size_t found = file_size - header.data_offset;
  if (found < *expected) {
    throw FileError(path, fmt::format("is truncated: shape {} of {} takes {} bytes of data, found {}; write or copy it "
                                      "again",
                                      shape, printable(header.descr), *expected, found));
  }
  if (found > *expected) {
    throw FileError(path, fmt::format("is too long: shape {} of {} takes {} bytes of data, found {}; save one array "
                                      "per file, with np.save",
                                      shape, printable(header.descr), *expected, found));
  }
  return {.scalar = type.scalar,
          .integer = type.integer,
          .swapped = type.swapped,
          .fortran_order = header.fortran_order,
          .offset = header.data_offset,
          .rows = static_cast<Eigen::Index>(header.shape[0]),
          .cols = static_cast<Eigen::Index>(header.shape[1])};
}

}  // namespace detail

/// A matrix of embeddings in a .npy file, as `np.save` writes it: float16, float32 or float64, either byte order, C or
/// Fortran order, 2-D (samples, dims). Integers and booleans are read, too, as float up to 16 bits and as double above:
/// numbers that do not depend on the scale need no scale of the quantisation.
///
///     collapse::io::NpyFile file("Z.npy");
///     collapse::Report report = file.visit([&](const auto& Z) { return collapse::measure(Z); });
///
/// The file is mapped, not read: Z lies on the file's own pages. Only integers, values in the other byte order, or not
/// aligned for their type, are copied to memory: whole, when `visit` is first called, or block by block. A matrix without rows
/// or without columns is accepted here. Models RowBlocks. Movable, not copyable; a moved-from object may only be
/// assigned to or destroyed.
class NpyFile {
 public:
  /// Opens a file and checks all of its header, and its size against the shape.
  /// @param path the file
  /// @throws FileError in one line, which says what to do, when it cannot be read, is no .npy file, is truncated or too
  ///         long, does not hold numbers, or is not 2-D
  /// Cost: O(1).
  /// Source: numpy, "numpy.lib.format", NEP 1.
  explicit NpyFile(const std::filesystem::path& path) : NpyFile(path.string(), MappedFile(path)) {}

  /// The same of a file that was opened before, of which nothing was read.
  explicit NpyFile(ByteStream&& stream) : NpyFile(stream.path(), MappedFile(std::move(stream))) {}

  [[nodiscard]] Eigen::Index rows() const noexcept { return matrix_.rows(); }
  [[nodiscard]] Eigen::Index cols() const noexcept { return matrix_.cols(); }

  /// rows(), which this format always tells.
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const noexcept { return rows(); }

  /// Type of the values as the file spells it, e.g. "<f4".
  [[nodiscard]] const std::string& dtype() const noexcept { return header_.descr; }

  /// True when the columns are contiguous in the file, false when the rows are.
  [[nodiscard]] bool fortran_order() const noexcept { return matrix_.fortran_order(); }

  /// Bytes of all values in the file: rows() * cols() * size of one.
  [[nodiscard]] std::size_t bytes() const noexcept { return matrix_.bytes(); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// True when the values are used on the file's own pages, false when they have to be copied to memory.
  [[nodiscard]] bool is_mapped() const noexcept { return matrix_.is_mapped(); }

  /// Calls `visitor` with the values as an Eigen matrix of their own scalar.
  /// @param visitor callable with a `const NpyMatrix<Scalar>&` of rows() x cols(), Scalar = Eigen::half, float and
  ///        double, and of the same result type for all three
  /// @return what the visitor returns; a matrix kept from it is valid as long as this object
  /// @throws what the visitor throws; std::bad_alloc when a copy is needed and does not fit
  /// Cost: that of the visitor, and one copy of the values where is_mapped() is false, the first time.
  template <class Visitor>
  std::invoke_result_t<Visitor&, const NpyMatrix<float>&> visit(Visitor&& visitor) const {
    return matrix_.visit<Eigen::half, float, double>(visitor);
  }

  /// Calls `body` with block after block of rows, in order, each as an Eigen matrix of the file's scalar.
  ///
  /// Pages that are done with are given back to the system, so that a file of any size takes little memory. This does
  /// not hold for a Fortran-ordered file: each block of rows touches all of its columns, and so most of its pages, none
  /// of which can be let go; save such a file in C order (`np.ascontiguousarray`) to stream it.
  /// @param rows rows of a block, at least 1; the last block has what is left
  /// @param body callable with a `const NpyMatrix<Scalar>&`, Scalar = Eigen::half, float and double; the matrix is
  ///        valid during the call
  /// @throws OptionError when rows < 1; what the body throws; std::bad_alloc when a copy of a block does not fit
  /// Cost: that of the body, and a copy of each block to one buffer where is_mapped() is false.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) const {
    matrix_.for_each_block<Eigen::half, float, double>(rows, body);
  }

 private:
  NpyFile(std::string path, MappedFile&& file)
      : path_(std::move(path)),
        header_(parse_npy_header(file.bytes(), path_)),
        matrix_(std::move(file), detail::npy_layout(header_, file.size(), path_)) {}

  std::string path_;
  NpyHeader header_;
  detail::MappedMatrix matrix_;
};

static_assert(RowBlocks<NpyFile> && RowBlocks<const NpyFile>);

}  // namespace collapse::io
