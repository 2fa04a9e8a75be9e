#pragma once

#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>

#include <cmath>

namespace collapse::penalties {

/// The variance term of VICReg: mean_d max(0, gamma - sqrt(C_dd + epsilon)). It is 0 when every dimension has a
/// standard deviation of `gamma` or more, and pushes apart rows that collapse.
///
/// With the defaults its value is `variance.hinge` of the report. The square root is differentiable where a dimension
/// is constant, and its gradient 0 there: a batch that has collapsed exactly is not moved.
/// Cost: O(N D). An object keeps its memory from call to call; use one object per thread.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 1-2.
class VarianceHinge {
 public:
  double gamma = 1.0;     ///< standard deviation that is asked for, in units of the embeddings
  double epsilon = 1e-4;  ///< in squared units

  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return in [0, gamma]
  /// @throws ShapeError, NonFiniteError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    penalties::require_batch(z, 2, "VarianceHinge");
    load_centred(z, x_);
    gradient_.setZero(x_.rows(), x_.cols());
    const double value = add(x_, 1.0, gradient_);
    penalties::store(gradient_, gradient);
    return value;
  }

  /// Adds `weight` times the gradient, of rows that are centred.
  double add(const Eigen::MatrixXd& x, double weight, Eigen::MatrixXd& gradient) const {
    const double freedom = static_cast<double>(x.rows() - 1);
    const double dims = static_cast<double>(x.cols());
    double sum = 0.0;
    for (Eigen::Index d = 0; d < x.cols(); ++d) {
      const double deviation = std::sqrt(x.col(d).squaredNorm() / freedom + epsilon);
      if (!(deviation < gamma)) continue;
      sum += gamma - deviation;
      gradient.col(d) -= weight / (dims * freedom * deviation) * x.col(d);
    }
    return sum / dims;
  }

 private:
  Eigen::MatrixXd x_, gradient_;
};

}  // namespace collapse::penalties
