#pragma once

#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/view.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace collapse::statistics {

using Eigen::Index;

/// A number that looks random and belongs to one row: from the seed, the row's place among the usable rows, and up to
/// eight of its values. Rows of different parts that are merged later share places, hence the values; equal rows share
/// values, hence the place.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::uint64_t row_key(std::uint64_t seed, std::uint64_t place, const linalg::MatrixView<Scalar>& z,
                                    Index row) {
  std::uint64_t key = linalg::hash(seed, place);
  const Index step = std::max<Index>(1, z.cols / 8);
  for (Index d = 0; d < z.cols && d < 8 * step; d += step) {
    key = linalg::hash(key, std::bit_cast<std::uint64_t>(z.at(row, d)));
  }
  return key;
}

/// The rows with the smallest keys among all that were offered: a uniform sample without replacement, and the samples
/// of two parts give that of their union.
class Sampler {
 public:
  explicit Sampler(Index size) : size_(size) {}

  /// The slot that the row with this key takes, from 0 to size - 1, in place of whichever was there; -1 if it takes
  /// none.
  [[nodiscard]] Index offer(std::uint64_t key) {
    if (static_cast<Index>(heap_.size()) < size_) {
      const auto slot = static_cast<Index>(heap_.size());
      heap_.emplace_back(key, slot);
      std::push_heap(heap_.begin(), heap_.end());
      return slot;
    }
    if (heap_.empty() || key >= heap_.front().first) return -1;
    std::pop_heap(heap_.begin(), heap_.end());
    const Index slot = heap_.back().second;
    heap_.back().first = key;
    std::push_heap(heap_.begin(), heap_.end());
    return slot;
  }

  [[nodiscard]] Index taken() const noexcept { return static_cast<Index>(heap_.size()); }

  /// The key in each slot that is taken.
  [[nodiscard]] std::vector<std::uint64_t> keys() const {
    std::vector<std::uint64_t> by_slot(heap_.size());
    for (const auto& [key, slot] : heap_) by_slot[static_cast<std::size_t>(slot)] = key;
    return by_slot;
  }

  /// How many slots would be taken after so many more offers; makes room for them.
  Index reserve(Index more) {
    const Index taken_then = std::min(size_ - taken(), more) + taken();
    heap_.reserve(static_cast<std::size_t>(taken_then));
    return taken_then;
  }

  void clear() { heap_.clear(); }

 private:
  Index size_;
  std::vector<std::pair<std::uint64_t, Index>> heap_;
};

}  // namespace collapse::statistics
