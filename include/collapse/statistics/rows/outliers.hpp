#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace collapse {

using Eigen::Index;

/// Few rows that are so long that they alone make the numbers of all.
struct Outliers {
  std::vector<Index> rows;  ///< numbers of usable rows, ascending; none where no few rows stand apart
  double share = 0.0;       ///< of the sum of squared lengths that they hold
};

namespace statistics {

/// The longest rows, at most one in 200 but at least one may be, where they hold half of the sum of squares and each is
/// ten times as long as the median row. What every number is a mean over is then these rows and not the others.
///
/// More rows of that length are no outliers: that the others are short is then a collapse of these.
/// @param lengths  of all rows, N
/// Cost: O(N).
[[nodiscard]] inline Outliers outliers(const Eigen::VectorXd& lengths) {
  Outliers result;
  const Index count = lengths.size();
  constexpr Index fewest = 16;  // of fewer rows none stands apart from the others
  if (count < fewest) return result;
  std::vector<std::pair<double, Index>> longest;
  for (Index i = 0; i < count; ++i) longest.emplace_back(-lengths(i), i);
  const Index most = std::max<Index>(1, count / 200);
  std::partial_sort(longest.begin(), longest.begin() + most + 1, longest.end());
  const double unit = -longest.front().first;
  if (!(unit > 0.0)) return result;

  double all = 0.0;
  for (const double length : lengths) all += (length / unit) * (length / unit);
  const Index middle = std::max(most + 1, count / 2);
  std::nth_element(longest.begin() + most + 1, longest.begin() + middle, longest.end());
  const double usual = -longest[static_cast<std::size_t>(middle)].first;
  if (-longest[static_cast<std::size_t>(most)].first >= 10.0 * usual) return result;
  double held = 0.0;
  for (Index k = 0; k < most; ++k) {
    const auto& [negative, row] = longest[static_cast<std::size_t>(k)];
    if (!(-negative >= 10.0 * usual)) break;
    held += (negative / unit) * (negative / unit);
    result.rows.push_back(row);
  }
  if (!(held >= 0.5 * all)) return {};
  result.share = held / all;
  std::sort(result.rows.begin(), result.rows.end());
  return result;
}

}  // namespace statistics
}  // namespace collapse
