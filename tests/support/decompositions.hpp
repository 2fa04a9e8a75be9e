#pragma once

#include <collapse/measure.hpp>

#include <Eigen/Dense>

/// What takes long to compile and most tests use is compiled once per program, in decompositions.cpp.
extern template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
extern template class Eigen::Tridiagonalization<Eigen::MatrixXd>;

namespace collapse::detail {
extern template void triangularize<void>(Eigen::Ref<Eigen::MatrixXd>);
extern template Band reduce_to_band<void>(Eigen::MatrixXd&);
extern template Tridiagonal chase_bulges<void>(Band);

extern template Report measure(const MatrixView<float>&, const Options&, const Origin&);
extern template Rows scan_rows(const MatrixView<float>&, NonFinite);
extern template Sums sum_rows(const MatrixView<float>&, const Rows&, const SumParts&);
extern template PairDistances pair_distances(const MatrixView<float>&, const Rows&, const PairSelection&,
                                             const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
extern template SingularValues singular_values(const MatrixView<float>&, const Rows&, const Options&, Centring, double);

extern template Report measure(const MatrixView<double>&, const Options&, const Origin&);
extern template Rows scan_rows(const MatrixView<double>&, NonFinite);
extern template Sums sum_rows(const MatrixView<double>&, const Rows&, const SumParts&);
extern template PairDistances pair_distances(const MatrixView<double>&, const Rows&, const PairSelection&,
                                             const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
extern template SingularValues singular_values(const MatrixView<double>&, const Rows&, const Options&, Centring,
                                               double);

extern template Report measure(const MatrixView<Eigen::half>&, const Options&, const Origin&);
extern template Rows scan_rows(const MatrixView<Eigen::half>&, NonFinite);
extern template Sums sum_rows(const MatrixView<Eigen::half>&, const Rows&, const SumParts&);
extern template PairDistances pair_distances(const MatrixView<Eigen::half>&, const Rows&, const PairSelection&,
                                             const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
extern template SingularValues singular_values(const MatrixView<Eigen::half>&, const Rows&, const Options&, Centring,
                                               double);

extern template Report measure(const MatrixView<Eigen::bfloat16>&, const Options&, const Origin&);
extern template Rows scan_rows(const MatrixView<Eigen::bfloat16>&, NonFinite);
extern template Sums sum_rows(const MatrixView<Eigen::bfloat16>&, const Rows&, const SumParts&);
extern template PairDistances pair_distances(const MatrixView<Eigen::bfloat16>&, const Rows&, const PairSelection&,
                                             const Eigen::VectorXd&, const Eigen::MatrixXd*, double, double);
extern template SingularValues singular_values(const MatrixView<Eigen::bfloat16>&, const Rows&, const Options&,
                                               Centring, double);

}  // namespace collapse::detail
