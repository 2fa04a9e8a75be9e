#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse {

/// What labels may come in: any range of integers (std::vector<int>, std::span<const std::int64_t>), or an Eigen vector
/// of them.
template <class T>
concept Labels =
    (std::ranges::forward_range<const T> && std::integral<std::ranges::range_value_t<const T>>) || requires {
  requires std::is_base_of_v<Eigen::DenseBase<T>, T>;
  requires std::integral<typename T::Scalar>;
};

/// The rows that take part where labels are given: usable, and of a label that does not mean none.
struct LabelledRows {
  Rows rows;
  std::vector<std::int64_t> label;  ///< one per row in `rows`
  Index unlabelled = 0;             ///< usable rows left out for a label that means none
};

namespace statistics {

/// Labels as 64-bit integers.
template <Labels Source>
[[nodiscard]] std::vector<std::int64_t> read_labels(const Source& labels, const char* argument) {
  std::vector<std::int64_t> result;
  const auto take = [&](auto value) {
    if constexpr (!std::same_as<decltype(value), bool>) {
      if (!std::in_range<std::int64_t>(value)) {
        throw OptionError(fmt::format("{}[{}] is {}; labels are at most 2^63 - 1", argument, result.size(), value));
      }
    }
    result.push_back(static_cast<std::int64_t>(value));
  };
  if constexpr (std::is_base_of_v<Eigen::DenseBase<Source>, Source>) {
    static_assert(Source::IsVectorAtCompileTime, "collapse: labels in an Eigen object must be a vector");
    for (Index i = 0; i < labels.size(); ++i) take(labels.derived().coeff(i));
  } else {
    for (const auto value : labels) take(value);
  }
  return result;
}

inline void require_one_per_row(std::size_t count, Index rows, const char* argument) {
  if (static_cast<Index>(count) == rows) return;
  throw ShapeError(
      fmt::format("{} hold {} entries for {} rows of embeddings; one for each row is needed", argument, count, rows),
      static_cast<Index>(count), 1);
}

/// Leaves out the rows without a label. `rows.skipped` then counts all rows that are left out.
/// @param none  the label of those; nothing where every row has one
[[nodiscard]] inline LabelledRows labelled_rows(const Rows& rows, const std::vector<std::int64_t>& labels,
                                                std::optional<std::int64_t> none = {}) {
  LabelledRows result;
  std::vector<Index> places;
  const linalg::RowSelection at = rows.selection();
  for (Index i = 0; i < rows.samples; ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(at(i))];
    if (label == none) continue;
    places.push_back(i);
    result.label.push_back(label);
  }
  result.unlabelled = rows.samples - static_cast<Index>(places.size());
  result.rows = rows.only(places);
  result.rows.skipped = rows.skipped + result.unlabelled;
  return result;
}

/// Where a label stands in an ascending list that holds it.
[[nodiscard]] inline Index index_of(const std::vector<std::int64_t>& ascending, std::int64_t label) {
  return std::lower_bound(ascending.begin(), ascending.end(), label) - ascending.begin();
}

}  // namespace statistics
}  // namespace collapse
