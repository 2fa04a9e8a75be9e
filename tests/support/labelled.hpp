#pragma once

#include "reference_statistics.hpp"

#include <Eigen/Core>

#include <vector>

namespace collapse::reference {

/// Labels 0 .. classes - 1 in no order and not equally often.
[[nodiscard]] inline std::vector<int> labels_of(Eigen::Index rows, int classes) {
  std::vector<int> labels;
  for (Eigen::Index i = 0; i < rows; ++i) labels.push_back(static_cast<int>((i * i + i / 3) % classes));
  return labels;
}

/// Overlapping classes of different size and spread.
template <class Scalar>
[[nodiscard]] Dense<Scalar> classes_around(const std::vector<int>& labels, Eigen::Index dims, double offset,
                                           double spread) {
  const auto rows = static_cast<Eigen::Index>(labels.size());
  const Dense<double> noise = gaussian<double>(rows, dims, 3);
  const Dense<double> centres = gaussian<double>(100, dims, 4);
  Dense<Scalar> z(rows, dims);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    for (Eigen::Index d = 0; d < dims; ++d) {
      z(i, d) = narrow<Scalar>(offset + spread * (centres(label, d) + (0.5 + 0.1 * label) * noise(i, d)));
    }
  }
  return z;
}

}  // namespace collapse::reference
