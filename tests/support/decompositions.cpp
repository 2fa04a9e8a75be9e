#include <Eigen/Dense>

template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
