#pragma once

#include <collapse/io/byte_order.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/scalar_type.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace collapse::io::detail {

/// Where in a file a matrix lies, and how.
struct MatrixLayout {
  ScalarType scalar = ScalarType::single_precision;
  IntegerType integer = IntegerType::none;  ///< what the file holds where it holds integers; blocks are of `scalar`
  bool swapped = false;                     ///< the bytes of each value come in the other order than this machine's
  bool fortran_order = false;               ///< true when columns are contiguous, false when rows are
  std::size_t offset = 0;                   ///< bytes before the first value
  Eigen::Index rows = 0;
  Eigen::Index cols = 0;
};

/// Bytes of a matrix, or nothing when they are more than this system can address.
[[nodiscard]] inline std::optional<std::size_t> matrix_bytes(std::uint64_t rows, std::uint64_t cols,
                                                             std::size_t value_size) {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<Eigen::Index>::max());
  if (rows > most || cols > most || (cols > 0 && rows > most / value_size / cols)) return std::nullopt;
  return static_cast<std::size_t>(rows * cols * value_size);
}

/// The message for a shape that has not two extents: what is wrong and what to do about it.
[[nodiscard]] inline std::string not_a_matrix(std::string_view shape, std::size_t dimensions) {
  return fmt::format("has shape {}, embeddings are 2-D (samples, dims); save it as {}", shape,
                     dimensions < 2 ? "Z.reshape(-1, D), or np.stack the rows"
                                    : "Z.reshape(-1, Z.shape[-1]), or as Z.reshape(len(Z), -1)");
}

/// A matrix in a mapped file. The values are used where they lie; only integers, those in the other byte order, or not
/// aligned for their type, go through memory: block by block, or as a whole when the whole is asked for. Movable, not copyable;
/// a moved-from object may only be assigned to or destroyed.
class MappedMatrix {
 public:
  /// @param file   the file; the matrix must lie within it
  /// @param layout where
  MappedMatrix(MappedFile&& file, const MatrixLayout& layout)
      : file_(std::move(file)),
        layout_(layout),
        value_size_(with_scalar<Eigen::half, Eigen::bfloat16, float, double>(
            layout.scalar, []<class Scalar>(std::type_identity<Scalar>) { return sizeof(Scalar); })),
        stored_size_(layout.integer == IntegerType::none
                         ? value_size_
                         : with_integer(layout.integer,
                                        []<class Integer>(std::type_identity<Integer>) { return sizeof(Integer); })) {
    // A mapping begins at a page, memory at the strictest alignment: the offset decides.
    const bool aligned = reinterpret_cast<std::uintptr_t>(file_.data() + layout.offset) % value_size_ == 0;
    if (layout.swapped || !aligned || layout.integer != IntegerType::none) copy_ = std::make_unique<Copy>();
  }

  [[nodiscard]] Eigen::Index rows() const noexcept { return layout_.rows; }
  [[nodiscard]] Eigen::Index cols() const noexcept { return layout_.cols; }
  [[nodiscard]] bool fortran_order() const noexcept { return layout_.fortran_order; }

  /// Bytes of all values in the file.
  [[nodiscard]] std::size_t bytes() const noexcept { return count() * stored_size_; }

  /// True when the values can be used on the file's own pages, false when they have to be in memory.
  [[nodiscard]] bool is_mapped() const noexcept { return !copy_ && file_.is_mapped(); }

  /// Calls `visitor` with all values, as `const RowBlock<Scalar>&`, and returns what it returns. The scalar must be one
  /// of those listed. May be called by several threads at once.
  template <class... Scalars, class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return with_scalar<Scalars...>(layout_.scalar, [&]<class Scalar>(std::type_identity<Scalar>) -> decltype(auto) {
      return std::invoke(visitor, block<Scalar>(copy_ ? whole_copy() : values(), 0, layout_.rows));
    });
  }

  /// Calls `body` with one `const RowBlock<Scalar>&` after the other, as RowBlocks has it, and lets go of the pages
  /// behind it. The scalar must be one of those listed.
  template <class... Scalars, class Body>
  void for_each_block(Eigen::Index rows, Body&& body) const {
    check_block_rows(rows);
    if (layout_.cols == 0) return;
    with_scalar<Scalars...>(layout_.scalar,
                            [&]<class Scalar>(std::type_identity<Scalar>) { blocks<Scalar>(rows, body); });
  }

 private:
  /// The values in this machine's byte order, made when all of them are first asked for.
  struct Copy {
    std::mutex mutex;
    std::unique_ptr<std::byte[]> bytes;
  };

  [[nodiscard]] std::size_t count() const noexcept {
    return static_cast<std::size_t>(layout_.rows) * static_cast<std::size_t>(layout_.cols);
  }

  [[nodiscard]] const std::byte* values() const { return file_.data() + layout_.offset; }

  /// `count` rows from `first` on, out of all rows at `from`.
  template <class Scalar>
  [[nodiscard]] RowBlock<Scalar> block(const std::byte* from, Eigen::Index first, Eigen::Index count) const {
    using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    const Stride stride = layout_.fortran_order ? Stride(1, layout_.rows) : Stride(layout_.cols, 1);
    return {reinterpret_cast<const Scalar*>(from) + first * stride.outer(), count, layout_.cols, stride};
  }

  template <class Scalar, class Body>
  void blocks(Eigen::Index rows, Body& body) const {
    constexpr std::size_t release_at_least = std::size_t{1} << 23;  // one system call for many small blocks
    const std::size_t row_bytes = static_cast<std::size_t>(layout_.cols) * sizeof(Scalar);
    std::unique_ptr<std::byte[]> buffer;
    if (copy_) buffer.reset(new std::byte[static_cast<std::size_t>(std::min(rows, layout_.rows)) * row_bytes]);
    std::size_t released = layout_.offset;
    Eigen::Index count = 0;
    for (Eigen::Index first = 0; first < layout_.rows; first += count) {
      count = std::min(rows, layout_.rows - first);
      if (buffer) {
        std::invoke(body, copied_block<Scalar>(first, count, buffer.get()));
      } else {
        std::invoke(body, block<Scalar>(values(), first, count));
      }
      const std::size_t done = layout_.offset + static_cast<std::size_t>(first + count) *
                                                    static_cast<std::size_t>(layout_.cols) * stored_size_;
      // Of a Fortran-ordered file every block touches all pages.
      if (!layout_.fortran_order && (done - released >= release_at_least || first + count == layout_.rows)) {
        file_.release(released, done);
        released = done;
      }
    }
  }

  /// A block brought to memory, in the order of the file.
  template <class Scalar>
  [[nodiscard]] RowBlock<Scalar> copied_block(Eigen::Index first, Eigen::Index count, std::byte* to) const {
    using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    const auto stored = [this](Eigen::Index values) { return static_cast<std::size_t>(values) * stored_size_; };
    const auto bytes = [](Eigen::Index values) { return static_cast<std::size_t>(values) * sizeof(Scalar); };
    if (layout_.fortran_order) {
      for (Eigen::Index col = 0; col < layout_.cols; ++col) {
        copy(values() + stored(col * layout_.rows + first), static_cast<std::size_t>(count), to + bytes(col * count));
      }
    } else {
      copy(values() + stored(first * layout_.cols), static_cast<std::size_t>(count * layout_.cols), to);
    }
    return {reinterpret_cast<const Scalar*>(to), count, layout_.cols,
            layout_.fortran_order ? Stride(1, count) : Stride(layout_.cols, 1)};
  }

  [[nodiscard]] const std::byte* whole_copy() const {
    const std::lock_guard<std::mutex> lock(copy_->mutex);
    if (!copy_->bytes) {
      std::unique_ptr<std::byte[]> all(new std::byte[count() * value_size_]);
      copy(values(), count(), all.get());
      file_.release(layout_.offset, layout_.offset + bytes());
      copy_->bytes = std::move(all);
    }
    return copy_->bytes.get();
  }

  /// Brings values that are contiguous in the file to memory.
  void copy(const std::byte* from, std::size_t count, std::byte* to) const {
    if (layout_.integer != IntegerType::none) {
      with_integer(layout_.integer, [&]<class Integer>(std::type_identity<Integer>) {
        if (layout_.scalar == ScalarType::double_precision) {
          convert<Integer, double>(from, count, to);
        } else {
          convert<Integer, float>(from, count, to);
        }
      });
    } else if (!layout_.swapped) {
      if (count > 0) std::memcpy(to, from, count * value_size_);
    } else if (value_size_ == 2) {
      copy_swapped<2>(from, count, to);
    } else if (value_size_ == 4) {
      copy_swapped<4>(from, count, to);
    } else {
      copy_swapped<8>(from, count, to);
    }
  }

  /// Brings integers to memory as scalars.
  template <class Integer, class Scalar>
  void convert(const std::byte* from, std::size_t count, std::byte* to) const {
    for (std::size_t i = 0; i < count; ++i) {
      Integer value = 0;
      if constexpr (sizeof(Integer) > 1) {
        if (layout_.swapped)
          copy_swapped<sizeof(Integer)>(from + i * sizeof(Integer), 1, reinterpret_cast<std::byte*>(&value));
      }
      if (!layout_.swapped || sizeof(Integer) == 1) std::memcpy(&value, from + i * sizeof(Integer), sizeof(Integer));
      const auto scalar = static_cast<Scalar>(value);
      std::memcpy(to + i * sizeof(Scalar), &scalar, sizeof(Scalar));
    }
  }

  MappedFile file_;
  MatrixLayout layout_;
  std::size_t value_size_;      // in memory
  std::size_t stored_size_;     // in the file
  std::unique_ptr<Copy> copy_;  // null where the values can be used as they lie
};

}  // namespace collapse::io::detail
