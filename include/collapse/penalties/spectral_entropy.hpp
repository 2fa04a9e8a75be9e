#pragma once

#include <collapse/linalg/kept_products.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <cmath>
#include <limits>

namespace collapse::penalties {

/// sum_k p_k ln p_k with p_k = lambda_k / sum lambda the shares of the eigenvalues of the covariance: minus their
/// entropy, to be minimised. It depends on how evenly the variance is spread, not on the scale of the embeddings.
///
/// exp(-value) is `spectrum.entropy_rank` of the report.
/// Cost: 3 N D m multiplications on all threads, m = min(N, D), and an eigendecomposition of order m, about 9 m^3, on
/// one. An object keeps its memory from call to call, but the decomposition allocates; use one object per thread.
/// Source: Roy & Vetterli, The effective rank, 2007 (of eigenvalues instead of singular values); Kim et al., VNE, an
///         effective method for improving deep representation by manipulating eigenvalue distribution, 2023.
class SpectralEntropy {
 public:
  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return in [-ln min(N - 1, D), 0]; NaN, with a gradient of 0, when all rows are equal
  /// @throws ShapeError, NonFiniteError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    penalties::require_batch(z, 2, "SpectralEntropy");
    load_centred(z, x_);
    // Shares have no scale, and squares must not leave the range.
    const double largest = x_.cwiseAbs().maxCoeff();
    const double scale = largest > 0.0 ? largest : 1.0;
    x_ /= scale;
    products_.smaller_gram(x_, gram_);
    const double trace = gram_.trace();
    gradient_.setZero(x_.rows(), x_.cols());
    double value = std::numeric_limits<double>::quiet_NaN();
    if (trace > 0.0) {
      solver_.compute(gram_);
      const Eigen::VectorXd& values = solver_.eigenvalues();
      const Eigen::Index order = values.size();
      const double floor = static_cast<double>(order) * std::numeric_limits<double>::epsilon() * values(order - 1);
      value = 0.0;
      for (Eigen::Index k = 0; k < order; ++k) {
        if (values(k) > floor) value += values(k) / trace * std::log(values(k) / trace);
      }
      // dL/dlambda_k = (ln p_k - value) / trace; a direction without variance has no rows to pull at.
      scaled_ = solver_.eigenvectors();
      for (Eigen::Index k = 0; k < order; ++k) {
        scaled_.col(k) *= values(k) > floor ? 2.0 * (std::log(values(k) / trace) - value) / trace : 0.0;
      }
      gram_.setZero();
      products_.add_transposed_right(scaled_, solver_.eigenvectors(), gram_);
      products_.add_function_of_gram(gram_, x_, gradient_);
      gradient_ /= scale;
    }
    penalties::store(gradient_, gradient);
    return value;
  }

 private:
  Eigen::MatrixXd x_, gram_, scaled_, gradient_;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
