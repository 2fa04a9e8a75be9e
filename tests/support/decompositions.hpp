#pragma once

#include <collapse/measure.hpp>

#include <Eigen/Dense>

/// What takes long to compile and most tests use is compiled once per program, in decompositions.cpp.
extern template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;

namespace collapse::detail {

extern template Report measure(const MatrixView<float>&, const Options&, const Origin&);
extern template Report measure(const MatrixView<double>&, const Options&, const Origin&);
extern template Report measure(const MatrixView<Eigen::half>&, const Options&, const Origin&);
extern template Report measure(const MatrixView<Eigen::bfloat16>&, const Options&, const Origin&);

}  // namespace collapse::detail
