#pragma once

#include <collapse/detail/kept_products.hpp>
#include <collapse/detail/training_batch.hpp>

#include <Eigen/Core>

namespace collapse::regularizers {

/// The covariance term of VICReg: sum_{d != e} C_de^2 / D. It is 0 when the dimensions are uncorrelated, and works
/// against dimensional collapse.
///
/// Its value is `decorrelation.covariance_penalty` of the report.
/// Cost: 3 N D min(N, D) multiplications on all threads: for N <= D through the Gram matrix of the rows, since
/// sum_de C_de^2 = ||X X^T||^2 / (N - 1)^2. An object keeps its memory from call to call; one object for each thread.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 3-4.
class CovariancePenalty {
 public:
  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return >= 0, in units of the embeddings to the fourth power
  /// @throws ShapeError, NonFiniteError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    detail::require_batch(z, 2, "CovariancePenalty");
    detail::load_centred(z, x_);
    gradient_.setZero(x_.rows(), x_.cols());
    const double value = add(x_, 1.0, gradient_);
    detail::store(gradient_, gradient);
    return value;
  }

  /// Adds `weight` times the gradient, of rows that are centred.
  double add(const Eigen::MatrixXd& x, double weight, Eigen::MatrixXd& gradient) {
    const double freedom = static_cast<double>(x.rows() - 1);
    const double dims = static_cast<double>(x.cols());
    const double scale = 1.0 / (freedom * freedom * dims);
    const double slope = 4.0 * weight * scale;
    if (x.rows() <= x.cols()) {
      products_.rows_with_rows(x, gram_);
      double sum = gram_.squaredNorm();
      gram_ *= slope;
      products_.add(gram_, x, gradient);
      for (Eigen::Index d = 0; d < x.cols(); ++d) {
        const double own = x.col(d).squaredNorm();
        sum -= own * own;
        gradient.col(d) -= slope * own * x.col(d);
      }
      return scale * (sum > 0.0 ? sum : 0.0);
    }
    products_.columns_with_columns(x, gram_);
    gram_.diagonal().setZero();
    const double sum = gram_.squaredNorm();
    gram_ *= slope;
    products_.add(x, gram_, gradient);
    return scale * sum;
  }

 private:
  Eigen::MatrixXd x_, gradient_, gram_;
  detail::KeptProducts products_;
};

}  // namespace collapse::regularizers
