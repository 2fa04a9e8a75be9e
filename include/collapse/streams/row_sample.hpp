#pragma once

#include <collapse/linalg/capacity.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/statistics/pairs/sampler.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace collapse::streams {

/// A uniform sample, without replacement, of the rows of a stream: those with the smallest keys (`Sampler`). The
/// samples of two streams give that of both.
class RowSample {
 public:
  /// @param size  rows in the sample, at most
  RowSample(Index dims, Index size) : dims_(dims), size_(size), sampler_(size) {}

  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] Index rows() const noexcept { return sampler_.taken(); }
  [[nodiscard]] linalg::MatrixView<double> view() const { return {values_.data(), rows(), dims_, dims_, 1}; }
  [[nodiscard]] const double* row(Index i) const { return values_.data() + i * dims_; }
  [[nodiscard]] std::vector<std::uint64_t> keys() const { return sampler_.keys(); }

  /// Takes the memory for as many rows as there may be after `more` are offered; how many these are.
  Index reserve(Index more) {
    const Index rows = sampler_.reserve(more);
    linalg::grow_capacity(values_, static_cast<std::size_t>(rows * dims_));
    return rows;
  }

  /// Where to write the row with this key, for which there is memory; null when it is not in the sample. It takes the
  /// place of another one where `rows` does not grow.
  /// @param index  becomes that of the row, when it is in the sample
  [[nodiscard]] double* offer(std::uint64_t key, Index& index) {
    const Index slot = sampler_.offer(key);
    if (slot < 0) return nullptr;
    index = slot;
    if (slot * dims_ == static_cast<Index>(values_.size()))
      values_.resize(values_.size() + static_cast<std::size_t>(dims_));
    return values_.data() + slot * dims_;
  }

  /// Offers row i of z, the `number`th of all rows ever.
  template <EmbeddingScalar Scalar>
  bool offer(const linalg::MatrixView<Scalar>& z, Index i, std::uint64_t seed, Index number, Index& index) {
    const std::uint64_t key = statistics::row_key(seed, static_cast<std::uint64_t>(number), z, i);
    double* const to = offer(key, index);
    for (Index d = 0; to != nullptr && d < dims_; ++d) to[d] = z.at(i, d);
    return to != nullptr;
  }

  void clear() {
    sampler_.clear();
    values_.clear();
  }

  /// Writes the rows, or reads `rows` of them into an empty sample; see `streams/archive.hpp`.
  template <class Archive, class Self>
  static void exchange_rows(Archive& archive, Self& self, Index rows) {
    if constexpr (Archive::reads) {
      archive.need(rows, self.dims_);
      self.values_.resize(static_cast<std::size_t>(rows * self.dims_));
    }
    archive(self.values_.data(), rows * self.dims_);
  }

  /// The same of their keys.
  template <class Archive, class Self>
  static void exchange_keys(Archive& archive, Self& self, Index rows) {
    std::vector<std::uint64_t> keys;
    if constexpr (Archive::reads) {
      archive.need(rows, 1);
      keys.resize(static_cast<std::size_t>(rows));
      self.sampler_.reserve(rows);
    } else {
      keys = self.sampler_.keys();
    }
    for (auto& key : keys) {
      archive(key);
      if constexpr (Archive::reads) static_cast<void>(self.sampler_.offer(key));
    }
  }

 private:
  Index dims_;
  Index size_;
  statistics::Sampler sampler_;
  std::vector<double> values_;
};

}  // namespace collapse::streams
