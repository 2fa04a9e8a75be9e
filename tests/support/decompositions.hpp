#pragma once

#include <Eigen/Dense>

/// Eigen's own decompositions, which many tests compare with and which take long to compile: once per program, in
/// decompositions.cpp.
extern template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
extern template class Eigen::Tridiagonalization<Eigen::MatrixXd>;
