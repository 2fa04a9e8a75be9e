#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/tridiagonalization.hpp>
#include <collapse/metrics/matrix_entropy.hpp>
#include <collapse/metrics/vendi.hpp>
#include <collapse/report/undefined.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace collapse::metrics {

COLLAPSE_INLINE double kernel_vendi_score(Eigen::MatrixXd lower, double input_epsilon, double order) {
  const double items = static_cast<double>(lower.rows());
  double largest = 0.0;
  for (Index j = 0; j < lower.cols(); ++j) {
    for (Index i = 0; i < lower.rows(); ++i) {
      if (!std::isfinite(lower(i, j))) {
        throw Error(fmt::format("the kernel holds a non-finite value: K({}, {}) is {}", i, j, lower(i, j)));
      }
      largest = std::max(largest, std::abs(lower(i, j)));
    }
  }
  for (Index j = 0; j < lower.cols(); ++j) {
    for (Index i = j + 1; i < lower.rows(); ++i) {
      if (std::abs(lower(i, j) - lower(j, i)) > 64.0 * input_epsilon * largest) {
        throw Error(fmt::format("the kernel is not symmetric: K({}, {}) is {}, K({}, {}) is {}", i, j, lower(i, j), j,
                                i, lower(j, i)));
      }
    }
  }
  const linalg::Tridiagonal reduced = linalg::tridiagonalize(std::move(lower));
  const double rounding = items * std::max(input_epsilon, std::numeric_limits<double>::epsilon()) * reduced.bound();
  const Eigen::VectorXd values = linalg::eigenvalues(reduced).reverse();
  if (values(values.size() - 1) < -rounding) {
    throw Error(
        fmt::format("the kernel is not positive semi-definite: it has the eigenvalue {}, beside the largest of "
                    "{}; similarities such as exp(-distance) make one that is",
                    values(values.size() - 1), values(0)));
  }
  const Index positive = (values.array() > rounding).count();
  if (positive == 0) return undefined;
  return std::exp(metrics::renyi_entropy(values.head(positive).array() / values(0), order));
}

}  // namespace collapse::metrics
