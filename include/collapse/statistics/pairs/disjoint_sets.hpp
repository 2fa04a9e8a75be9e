#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace collapse::statistics {

using Eigen::Index;

/// Disjoint sets of places (Tarjan 1975).
class DisjointSets {
 public:
  explicit DisjointSets(Index count) : parent_(static_cast<std::size_t>(count)), sets_(count) {
    std::iota(parent_.begin(), parent_.end(), Index{0});
  }

  [[nodiscard]] Index find(Index i) {
    while (parent(i) != i) i = parent(i) = parent(parent(i));
    return i;
  }

  void unite(Index i, Index j) {
    const Index a = find(i);
    const Index b = find(j);
    if (a == b) return;
    // The smallest place stands for its set.
    parent(std::max(a, b)) = std::min(a, b);
    --sets_;
  }

  [[nodiscard]] Index sets() const { return sets_; }

 private:
  [[nodiscard]] Index& parent(Index i) { return parent_[static_cast<std::size_t>(i)]; }

  std::vector<Index> parent_;
  Index sets_;
};

}  // namespace collapse::statistics
