#pragma once

#include <collapse/linalg/view.hpp>

#include <cstddef>
#include <vector>

namespace collapse::linalg {

/// Which rows of a matrix take part: all of them, or those listed in ascending order.
struct RowSelection {
  const std::vector<Index>* listed = nullptr;

  [[nodiscard]] Index operator()(Index i) const { return listed ? (*listed)[static_cast<std::size_t>(i)] : i; }
};

}  // namespace collapse::linalg
