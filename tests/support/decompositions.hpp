#pragma once

#include <Eigen/Dense>

/// Eigen's decompositions take a third of the time that a source with `measure` compiles. They are compiled once, in
/// decompositions.cpp.
extern template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
