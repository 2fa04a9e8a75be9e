#include <collapse/measure.hpp>

#include <Eigen/Dense>

template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
template class Eigen::Tridiagonalization<Eigen::MatrixXd>;

namespace collapse::detail {
template void triangularize<void>(Eigen::Ref<Eigen::MatrixXd>);
template Band reduce_to_band<void>(Eigen::MatrixXd&);
template Tridiagonal chase_bulges<void>(Band);

template Report measure(const MatrixView<float>&, const Options&, const Origin&);
template Rows scan_rows(const MatrixView<float>&, NonFinite);
template Sums sum_rows(const MatrixView<float>&, const Rows&, const SumParts&);
template PairDistances pair_distances(const MatrixView<float>&, const Rows&, const PairSelection&,
                                      const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
template SingularValues singular_values(const MatrixView<float>&, const Rows&, const Options&, Centring, double);

template Report measure(const MatrixView<double>&, const Options&, const Origin&);
template Rows scan_rows(const MatrixView<double>&, NonFinite);
template Sums sum_rows(const MatrixView<double>&, const Rows&, const SumParts&);
template PairDistances pair_distances(const MatrixView<double>&, const Rows&, const PairSelection&,
                                      const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
template SingularValues singular_values(const MatrixView<double>&, const Rows&, const Options&, Centring, double);

template Report measure(const MatrixView<Eigen::half>&, const Options&, const Origin&);
template Rows scan_rows(const MatrixView<Eigen::half>&, NonFinite);
template Sums sum_rows(const MatrixView<Eigen::half>&, const Rows&, const SumParts&);
template PairDistances pair_distances(const MatrixView<Eigen::half>&, const Rows&, const PairSelection&,
                                      const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
template SingularValues singular_values(const MatrixView<Eigen::half>&, const Rows&, const Options&, Centring, double);

template Report measure(const MatrixView<Eigen::bfloat16>&, const Options&, const Origin&);
template Rows scan_rows(const MatrixView<Eigen::bfloat16>&, NonFinite);
template Sums sum_rows(const MatrixView<Eigen::bfloat16>&, const Rows&, const SumParts&);
template PairDistances pair_distances(const MatrixView<Eigen::bfloat16>&, const Rows&, const PairSelection&,
                                      const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
template SingularValues singular_values(const MatrixView<Eigen::bfloat16>&, const Rows&, const Options&, Centring,
                                        double);

}  // namespace collapse::detail
