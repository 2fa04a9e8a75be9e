#pragma once

#include <collapse/linalg/kept_products.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>

#include <algorithm>

namespace collapse::penalties {

/// The covariance term of VICReg: sum_{d != e} C_de^2 / D. It is 0 when the dimensions are uncorrelated, and works
/// against dimensional collapse.
///
/// Its value is `decorrelation.covariance_penalty` of the report.
/// Cost: 3 N D min(N, D) multiplications on all threads: for N <= D through the Gram matrix of the rows, since sum_de
/// C_de^2 = ||X X^T||_F^2 / (N - 1)^2. An object keeps its memory from call to call; use one object per thread.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 3-4.
class CovariancePenalty {
 public:
  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return >= 0, in units of the embeddings to the fourth power
  /// @throws ShapeError, NonFiniteError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    penalties::require_batch(z, 2, "CovariancePenalty");
    load_centred(z, x_);
    gradient_.setZero(x_.rows(), x_.cols());
    const double value = add(x_, 1.0, gradient_);
    penalties::store(gradient_, gradient);
    return value;
  }

  /// Adds `weight` times the gradient, of rows that are centred.
  double add(const Eigen::MatrixXd& x, double weight, Eigen::MatrixXd& gradient) {
    const double freedom = static_cast<double>(x.rows() - 1);
    const double dims = static_cast<double>(x.cols());
    const double scale = 1.0 / (freedom * freedom * dims);
    const double slope = 4.0 * weight * scale;
    products_.smaller_gram(x, gram_);
    const bool by_rows = linalg::KeptProducts::by_rows(x);
    if (!by_rows) gram_.diagonal().setZero();
    double sum = gram_.squaredNorm();
    gram_ *= slope;
    products_.add_function_of_gram(gram_, x, gradient);
    // The products of rows do not show the variances, which are no part of the penalty.
    for (Eigen::Index d = 0; by_rows && d < x.cols(); ++d) {
      const double own = x.col(d).squaredNorm();
      sum -= own * own;
      gradient.col(d) -= slope * own * x.col(d);
    }
    return scale * std::max(sum, 0.0);
  }

 private:
  Eigen::MatrixXd x_, gradient_, gram_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
