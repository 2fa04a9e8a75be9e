#include <Eigen/Dense>

template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
template class Eigen::Tridiagonalization<Eigen::MatrixXd>;
