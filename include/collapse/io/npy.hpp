#pragma once

#include <collapse/error.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/npy_header.hpp>

#include <Eigen/Core>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace collapse::io {

/// The values of a .npy file as an Eigen matrix. One type per scalar serves both orders: rows of a C-ordered file have
/// inner stride 1, columns of a Fortran-ordered one have outer stride 1.
template <class Scalar>
using NpyMatrix = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                             Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

namespace detail {

/// Scalars that a .npy file of embeddings may hold.
enum class NpyScalar { half, single_precision, double_precision };

/// How numpy's type string reads on this machine.
struct NpyType {
  NpyScalar scalar;
  std::size_t size;  ///< bytes per value
  bool swapped;      ///< the bytes of each value come in the other order than this machine's
};

/// What is wrong with a type that is not float16, float32 or float64, and what to do about it.
[[nodiscard]] inline std::string unsupported_type(std::string_view descr, std::string_view type) {
  const std::string name = quoted(descr);
  switch (type.empty() ? '\0' : type[0]) {
    case 'O':
      return fmt::format(
          "holds Python objects (dtype {}), which only unpickling could read; save a plain array: "
          "np.stack(list(Z)).astype('float32')",
          name);
    case 'i':
    case 'u': return fmt::format("holds integers (dtype {}); save it as Z.astype('float32')", name);
    case 'b':
    case '?': return fmt::format("holds booleans (dtype {}); save it as Z.astype('float32')", name);
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
  static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big,
                "collapse: mixed-endian machines are not supported");
  std::string_view type = descr;
  // '=' and '|' mean the byte order of the machine that reads, as does none at all.
  char order = '=';
  if (!type.empty() && std::string_view("<>=|").find(type[0]) != std::string_view::npos) {
    order = type[0];
    type.remove_prefix(1);
  }
  const bool swapped = std::endian::native == std::endian::little ? order == '>' : order == '<';
  if (type == "f2") return {NpyScalar::half, 2, swapped};
  if (type == "f4") return {NpyScalar::single_precision, 4, swapped};
  if (type == "f8") return {NpyScalar::double_precision, 8, swapped};
  throw FileError(path, unsupported_type(descr, type));
}

}  // namespace detail

/// A matrix of embeddings in a .npy file, as `np.save` writes it: float16, float32 or float64, either byte order, C or
/// Fortran order, 2-D (samples, dims).
///
///     collapse::io::NpyFile file("Z.npy");
///     collapse::Report report = file.visit([&](const auto& Z) { return collapse::measure(Z); });
///
/// The file is mapped, not read: Z lies on the file's own pages. Only values in the other byte order, or not aligned
/// for their type, are copied to memory, once, when the file is opened. No rows or no columns are legal here.
/// Movable, not copyable; a moved-from object may only be assigned to or destroyed.
class NpyFile {
 public:
  /// Opens a file and checks all of its header, and its size against the shape.
  /// @param path the file
  /// @throws FileError in one line, which says what to do, when it cannot be read, is no .npy file, is truncated or too
  ///         long, does not hold floats, or is not 2-D; std::bad_alloc when a copy is needed and does not fit
  /// Cost: O(1), or one copy of the values.
  /// Source: numpy, "numpy.lib.format", NEP 1.
  explicit NpyFile(const std::filesystem::path& path) : path_(path.string()), file_(path) {
    NpyHeader header = parse_npy_header(file_.bytes(), path_);
    const detail::NpyType type = detail::parse_npy_type(header.descr, path_);
    scalar_ = type.scalar;
    descr_ = std::move(header.descr);
    fortran_order_ = header.fortran_order;
    offset_ = header.data_offset;
    bytes_ = checked_size(header.shape, type.size);
    rows_ = static_cast<Eigen::Index>(header.shape[0]);
    cols_ = static_cast<Eigen::Index>(header.shape[1]);
    // A mapping begins at a page, memory at the strictest alignment: the offset decides.
    if (type.swapped || reinterpret_cast<std::uintptr_t>(file_.data() + offset_) % type.size != 0) copy(type);
  }

  [[nodiscard]] Eigen::Index rows() const noexcept { return rows_; }
  [[nodiscard]] Eigen::Index cols() const noexcept { return cols_; }

  /// Type of the values as the file spells it, e.g. "<f4".
  [[nodiscard]] const std::string& dtype() const noexcept { return descr_; }

  /// True when the columns are contiguous in the file, false when the rows are.
  [[nodiscard]] bool fortran_order() const noexcept { return fortran_order_; }

  /// Bytes of all values: rows() * cols() * size of one.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// True when the values lie on the file's own pages, false when they were copied to memory.
  [[nodiscard]] bool is_mapped() const noexcept { return !copy_ && file_.is_mapped(); }

  /// Calls `visitor` with the values as an Eigen matrix of their own scalar.
  /// @param visitor callable with a `const NpyMatrix<Scalar>&` of rows() x cols(), Scalar = Eigen::half, float and
  ///        double, and of the same result type for all three
  /// @return what the visitor returns; a matrix kept from it is valid as long as this object
  /// @throws what the visitor throws
  /// Cost: that of the visitor.
  template <class Visitor>
  std::invoke_result_t<Visitor&, const NpyMatrix<float>&> visit(Visitor&& visitor) const {
    switch (scalar_) {
      case detail::NpyScalar::half: return std::invoke(visitor, matrix<Eigen::half>());
      case detail::NpyScalar::double_precision: return std::invoke(visitor, matrix<double>());
      case detail::NpyScalar::single_precision: break;
    }
    return std::invoke(visitor, matrix<float>());
  }

 private:
  template <class Scalar>
  [[nodiscard]] NpyMatrix<Scalar> matrix() const {
    const std::byte* const values = copy_ ? copy_.get() : file_.data() + offset_;
    using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    return {reinterpret_cast<const Scalar*>(values), rows_, cols_,
            fortran_order_ ? Stride(1, rows_) : Stride(cols_, 1)};
  }

  /// Bytes that the shape asks for, which are exactly those in the file.
  [[nodiscard]] std::size_t checked_size(const std::vector<std::int64_t>& shape, std::size_t value_size) const {
    const std::string name = to_string(shape);
    if (shape.size() < 2) {
      throw FileError(path_,
                      fmt::format("has shape {}, embeddings are 2-D (samples, dims); save it as Z.reshape(-1, D), "
                                  "or np.stack the rows",
                                  name));
    }
    if (shape.size() > 2) {
      throw FileError(path_, fmt::format("has shape {}, embeddings are 2-D (samples, dims); save it as "
                                         "Z.reshape(-1, Z.shape[-1]), or as Z.reshape(len(Z), -1)",
                                         name));
    }
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<Eigen::Index>::max());
    const auto rows = static_cast<std::uint64_t>(shape[0]);
    const auto cols = static_cast<std::uint64_t>(shape[1]);
    if (rows > most || cols > most || (cols > 0 && rows > most / value_size / cols)) {
      throw FileError(path_,
                      fmt::format("has shape {}, more bytes than this system can address; the header is damaged, "
                                  "save it again with np.save",
                                  name));
    }
    const auto expected = static_cast<std::size_t>(rows * cols * value_size);
    const std::size_t found = file_.size() - offset_;
    if (found < expected) {
      throw FileError(path_,
                      fmt::format("is truncated: shape {} of {} takes {} bytes of data, found {}; write or copy it "
                                  "again",
                                  name, detail::quoted(descr_), expected, found));
    }
    if (found > expected) {
      throw FileError(path_, fmt::format("is too long: shape {} of {} takes {} bytes of data, found {}; save one array "
                                         "per file, with np.save",
                                         name, detail::quoted(descr_), expected, found));
    }
    return expected;
  }

  /// Brings the values to memory in this machine's byte order and lets go of the file.
  void copy(const detail::NpyType& type) {
    copy_.reset(new std::byte[bytes_]);
    const std::byte* const from = file_.data() + offset_;
    for (std::size_t i = 0; i < bytes_; i += type.size) {
      for (std::size_t b = 0; b < type.size; ++b) {
        copy_[i + b] = from[i + (type.swapped ? type.size - 1 - b : b)];
      }
    }
    const MappedFile released(std::move(file_));
  }

  std::string path_;
  MappedFile file_;
  detail::NpyScalar scalar_ = detail::NpyScalar::single_precision;
  std::string descr_;
  bool fortran_order_ = false;
  std::size_t offset_ = 0;
  std::size_t bytes_ = 0;
  Eigen::Index rows_ = 0;
  Eigen::Index cols_ = 0;
  std::unique_ptr<std::byte[]> copy_;
};

}  // namespace collapse::io
