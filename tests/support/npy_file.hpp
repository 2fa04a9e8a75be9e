#pragma once

#include "npy_bytes.hpp"

#include <Eigen/Core>

#include <bit>
#include <string>
#include <type_traits>
#include <vector>

namespace collapse::test {

/// A matrix of float or double as the bytes of a .npy file.
template <class Derived>
[[nodiscard]] std::string npy_file(const Eigen::DenseBase<Derived>& z) {
  using Scalar = typename Derived::Scalar;
  static_assert(std::is_floating_point_v<Scalar>);
  std::vector<Scalar> values;
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    for (Eigen::Index d = 0; d < z.cols(); ++d) values.push_back(z.derived().coeff(i, d));
  }
  NpyBytes file;
  file.descr = "'<f" + std::to_string(sizeof(Scalar)) + "'";
  file.shape = "(" + std::to_string(z.rows()) + ", " + std::to_string(z.cols()) + ")";
  file.data = bytes_of(values, std::endian::native != std::endian::little);
  return file.str();
}

}  // namespace collapse::test
