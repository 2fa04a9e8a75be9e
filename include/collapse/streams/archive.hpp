#pragma once

#include <collapse/error.hpp>

#include <Eigen/Core>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Values as words of 64 bits and back. One function template `exchange(archive, object)` writes or reads an object, so
/// that the two directions cannot differ; `Archive::reads` tells which it is.
namespace collapse::streams {

using Eigen::Index;

template <class Value>
concept WholeNumber = std::integral<Value> || std::is_enum_v<Value>;

class WordWriter {
 public:
  static constexpr bool reads = false;

  void operator()(WholeNumber auto value) { words_.push_back(static_cast<std::uint64_t>(value)); }
  void operator()(double value) { words_.push_back(std::bit_cast<std::uint64_t>(value)); }
  void operator()(const double* values, Index count) {
    for (Index i = 0; i < count; ++i) operator()(values[i]);
  }

  [[nodiscard]] std::vector<std::uint64_t> take() { return std::move(words_); }

 private:
  std::vector<std::uint64_t> words_;
};

/// Throws StateError for anything that a writer would not have written. No memory is to be taken for a number of values
/// before `need` has said that they are there.
class WordReader {
 public:
  static constexpr bool reads = true;

  explicit WordReader(std::span<const std::uint64_t> words) : words_(words) {}

  template <WholeNumber Value>
  void operator()(Value& value) {
    const std::uint64_t word = next();
    value = static_cast<Value>(word);
    require(static_cast<std::uint64_t>(value) == word, "a number is out of range");
  }
  void operator()(double& value) { value = std::bit_cast<double>(next()); }
  /// Only finite values.
  void operator()(double* values, Index count) {
    for (Index i = 0; i < count; ++i) {
      operator()(values[i]);
      require(std::isfinite(values[i]), "a value is not finite");
    }
  }

  /// That rows * cols more words follow.
  void need(Index rows, Index cols) const {
    const std::size_t left = words_.size() - at_;
    const bool there = rows >= 0 && cols >= 0 &&
                       (cols == 0 || static_cast<std::size_t>(rows) <= left / static_cast<std::size_t>(cols));
    require(there, "fewer values follow than announced");
  }
  void require(bool holds, const char* otherwise) const {
    if (!holds) throw StateError(fmt::format("the state contradicts itself near its word {}: {}", at_, otherwise));
  }
  /// Passes over words that no longer mean anything.
  void skip(Index count) {
    need(count, 1);
    at_ += static_cast<std::size_t>(count);
  }
  void finish() const { require(at_ == words_.size(), "more values follow than announced"); }

 private:
  std::uint64_t next() {
    need(1, 1);
    return words_[at_++];
  }

  std::span<const std::uint64_t> words_;
  std::size_t at_ = 0;
};

/// The entries of a vector that has its size already.
void exchange_vector(auto& archive, auto& vector) { archive(vector.data(), vector.size()); }

/// The lower triangle of a square matrix that has its size already.
void exchange_lower(auto& archive, auto& matrix) {
  for (Index j = 0; j < matrix.cols(); ++j) archive(matrix.data() + j * matrix.rows() + j, matrix.rows() - j);
}

/// No set of rows is larger than the whole numbers that double can count.
inline constexpr Index most_rows = Index{1} << 53;

inline void require_count(const WordReader& archive, Index count) {
  archive.require(0 <= count && count <= most_rows, "a count is out of range");
}

}  // namespace collapse::streams
