#include <collapse/measure.hpp>

#include <Eigen/Dense>

template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;

namespace collapse::detail {

template Report measure(const MatrixView<float>&, const Options&, const Origin&);
template Report measure(const MatrixView<double>&, const Options&, const Origin&);
template Report measure(const MatrixView<Eigen::half>&, const Options&, const Origin&);
template Report measure(const MatrixView<Eigen::bfloat16>&, const Options&, const Origin&);

}  // namespace collapse::detail
