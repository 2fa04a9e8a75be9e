#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/kept_products.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <cmath>

namespace collapse::penalties {

/// -ln det(C + epsilon I) / D, C the covariance: minus the logarithm of the volume that the batch fills. Lower is
/// better. Where a direction loses its variance its gradient is steepest, and with epsilon tending to 0 the value grows
/// without bound.
///
/// It equals -mean_k ln(lambda_k + epsilon) over the D eigenvalues of C.
/// Cost: N D min(N, D) multiplications on all threads; a Cholesky decomposition of order m = min(N, D) and its
/// solutions, m^3 / 6 + 2 m^2 max(N, D), on one. An object keeps its memory from call to call, but the decomposition
/// allocates; use one object per thread.
/// Source: Ozsoy, Hamdan, Arik, Yuret & Erdogan, Self-supervised learning with an information maximization criterion
///         (CorInfoMax), 2022, eq. 8; Yu et al., Learning diverse and discriminative representations via the principle
///         of maximal coding rate reduction, 2020 (the same up to scale).
class LogDeterminant {
 public:
  double epsilon = 1e-4;  ///< in squared units of the embeddings, above 0

  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return at most -ln(epsilon)
  /// @throws ShapeError, NonFiniteError, OptionError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    if (!(epsilon > 0.0)) throw OptionError(fmt::format("LogDeterminant::epsilon is {}; it must be above 0", epsilon));
    penalties::require_batch(z, 2, "LogDeterminant");
    load_centred(z, x_);
    const double freedom = static_cast<double>(x_.rows() - 1);
    const double dims = static_cast<double>(x_.cols());
    // X (C + epsilon I)^-1 = (X X^T / (N - 1) + epsilon I)^-1 X.
    products_.smaller_gram(x_, gram_);
    gram_ /= freedom;
    gram_.diagonal().array() += epsilon;
    factors_.compute(gram_);
    const double missing = static_cast<double>(x_.cols() - gram_.rows());
    const double value =
        -(2.0 * factors_.matrixLLT().diagonal().array().log().sum() + missing * std::log(epsilon)) / dims;
    if (linalg::KeptProducts::by_rows(x_)) {
      factors_.solveInPlace(x_);
    } else {
      transposed_ = x_.transpose();
      factors_.solveInPlace(transposed_);
      x_ = transposed_.transpose();
    }
    x_ *= -2.0 / (dims * freedom);
    penalties::store(x_, gradient);
    return value;
  }

 private:
  Eigen::MatrixXd x_, gram_, transposed_;
  Eigen::LLT<Eigen::MatrixXd> factors_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
