#pragma once

#include <collapse/error.hpp>

#include <Eigen/Core>

#include <concepts>
#include <optional>

namespace collapse::io {

/// Rows of a file as an Eigen matrix. One type per scalar serves both orders: rows of a C-ordered file have inner
/// stride 1, columns of a Fortran-ordered one have outer stride 1.
template <class Scalar>
using RowBlock = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                            Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

namespace detail {

/// Stands for whatever takes a block of any scalar.
struct AnyBlockBody {
  template <class Scalar>
  void operator()(const RowBlock<Scalar>& block) const;
};

inline void check_block_rows(Eigen::Index rows) {
  if (rows < 1) throw OptionError(fmt::format("a block must have at least 1 row, asked for {}", rows));
}

}  // namespace detail

/// Embeddings that come in blocks of rows: what all inputs have in common, however they are stored, so that one loop
/// serves them all.
///
///     template <collapse::io::RowBlocks Source>
///     collapse::Report score(Source& source) {
///       collapse::Accumulator seen(source.cols());
///       source.for_each_block(1024, [&](const auto& block) { seen.update(block); });
///       return seen.report();
///     }
///
/// `for_each_block(rows, body)` calls `body` with a `const RowBlock<Scalar>&` for one block after the other: all rows
/// in their order, `rows` to a block, fewer in the last. The scalar is the same for all blocks of a source. A block is
/// valid during the call alone. What `body` throws ends the loop and is passed on. A source without rows or columns has
/// no blocks. `rows` < 1 is an OptionError. Files on a memory map can be read again; pipes and text only once, and a
/// second time is a FileError.
/// `cols()` is the number of columns of every block, `known_rows()` the number of all rows where the input tells it
/// beforehand.
template <class Source>
concept RowBlocks = requires(Source& source, const Source& constant, Eigen::Index rows, detail::AnyBlockBody body) {
  source.for_each_block(rows, body);
  { constant.cols() } -> std::same_as<Eigen::Index>;
  { constant.known_rows() } -> std::same_as<std::optional<Eigen::Index>>;
};

}  // namespace collapse::io
