#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_order.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/printable.hpp>
#include <collapse/io/row_blocks.hpp>
#include <collapse/io/scalar_type.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse::io {

/// Rows of embeddings without any header, as a program pipes them: little-endian values, one row after the other.
///
///     collapse::io::RawStream rows(stdin, 768, "f4");
///     rows.for_each_block(1024, [&](const auto& block) { seen.update(block); });
///
/// Models RowBlocks; the number of rows is known only at the end. Movable, not copyable.
class RawStream {
 public:
  /// @param stream where the bytes come from, in binary mode; stays open, and must outlive this object
  /// @param dims   values of a row, at least 1
  /// @param dtype  "f2", "f4", "f8" as numpy has it, or "bf16"
  /// @param name   names the stream in errors
  /// @throws OptionError when dims or dtype are none of these
  /// Cost: O(1); nothing is read.
  RawStream(std::FILE* stream, Eigen::Index dims, std::string_view dtype, std::string name = "standard input")
      : stream_(stream, std::move(name)), dims_(dims), type_(entry(dtype)) {
    const auto most = std::numeric_limits<Eigen::Index>::max() / static_cast<Eigen::Index>(type_.size);
    if (dims < 1 || dims > most) {
      throw OptionError(fmt::format("a row must have 1 to {} values, asked for {} (dims)", most, dims));
    }
  }

  [[nodiscard]] Eigen::Index cols() const noexcept { return dims_; }

  /// Nothing: a stream does not tell.
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const noexcept { return std::nullopt; }

  /// Type of the values: "f2", "f4", "f8" or "bf16".
  [[nodiscard]] std::string_view dtype() const noexcept { return type_.numpy; }

  /// The name given to the stream.
  [[nodiscard]] const std::string& path() const noexcept { return stream_.path(); }

  /// Calls `body` with block after block of rows, in order, to the end of the stream. A block waits for all of its
  /// rows, however little comes at a time.
  /// @param rows rows of a block, at least 1; the last block has what is left
  /// @param body callable with a `const RowBlock<Scalar>&`, Scalar = Eigen::half, Eigen::bfloat16, float and double;
  ///        the matrix is valid during the call
  /// @throws OptionError when rows < 1; FileError when reading fails, when the stream ends within a row (the blocks
  ///         before that were passed on), and when it was read before; what the body throws
  /// Cost: that of the body; memory for one block.
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body) {
    detail::check_block_rows(rows);
    if (std::exchange(started_, true)) {
      throw FileError(path(), "was read before, and its bytes come only once; keep what is needed again");
    }
    detail::with_scalar<Eigen::half, Eigen::bfloat16, float, double>(
        type_.type, [&]<class Scalar>(std::type_identity<Scalar>) { blocks<Scalar>(rows, body); });
  }

 private:
  [[nodiscard]] static detail::ScalarTypeEntry entry(std::string_view dtype) {
    const detail::ScalarTypeEntry* const found = detail::find_scalar_type(dtype, &detail::ScalarTypeEntry::numpy);
    if (!found) {
      throw OptionError(fmt::format("the dtype must be f2, f4, f8 or bf16, asked for {}", detail::printable(dtype)));
    }
    return *found;
  }

  template <class Scalar, class Body>
  void blocks(Eigen::Index rows, Body& body) {
    const std::size_t row_bytes = static_cast<std::size_t>(dims_) * sizeof(Scalar);
    const std::size_t most_rows = static_cast<std::size_t>(std::numeric_limits<Eigen::Index>::max()) / row_bytes;
    const std::size_t block_bytes = std::min(static_cast<std::size_t>(rows), most_rows) * row_bytes;
    std::vector<Scalar> buffer;
    Eigen::Index before = 0;
    for (;;) {
      const std::size_t found = fill(buffer, block_bytes);
      if (found % row_bytes != 0) {
        throw FileError(path(),
                        fmt::format("ends within a row: {} bytes are left over after {} rows of {} bytes; check "
                                    "dims ({}) and dtype ({}), or write it again",
                                    found % row_bytes, before + static_cast<Eigen::Index>(found / row_bytes), row_bytes,
                                    dims_, type_.numpy));
      }
      const auto count = static_cast<Eigen::Index>(found / row_bytes);
      if (count > 0) {
        std::invoke(body, RowBlock<Scalar>(buffer.data(), count, dims_,
                                           Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(dims_, 1)));
      }
      before += count;
      if (found < block_bytes) return;
    }
  }

  /// Reads `wanted` bytes, or fewer at the end of the stream. The buffer grows with what arrives, because the block
  /// asked for may be larger than memory.
  template <class Scalar>
  [[nodiscard]] std::size_t fill(std::vector<Scalar>& buffer, std::size_t wanted) {
    constexpr std::size_t least = std::size_t{1} << 20;
    std::size_t used = 0;
    while (used < wanted) {
      if (used == buffer.size() * sizeof(Scalar))
        buffer.resize(std::min(wanted, std::max(least, 2 * used)) / sizeof(Scalar));
      const std::span<std::byte> free = std::as_writable_bytes(std::span(buffer)).subspan(used);
      const std::size_t found = stream_.read(free.first(std::min(free.size(), wanted - used)));
      used += found;
      if (found == 0) break;
    }
    if constexpr (std::endian::native == std::endian::big) {
      for (std::size_t i = 0; i < used / sizeof(Scalar); ++i) {
        const Scalar value = buffer[i];
        detail::copy_swapped<sizeof(Scalar)>(reinterpret_cast<const std::byte*>(&value), 1,
                                             reinterpret_cast<std::byte*>(&buffer[i]));
      }
    }
    return used;
  }

  ByteStream stream_;
  Eigen::Index dims_;
  detail::ScalarTypeEntry type_;
  bool started_ = false;
};

static_assert(RowBlocks<RawStream>);

}  // namespace collapse::io
