#pragma once

#include <collapse/metrics/vicreg.hpp>
#include <collapse/penalties/covariance_penalty.hpp>
#include <collapse/penalties/training_batch.hpp>
#include <collapse/penalties/variance_hinge.hpp>

#include <Eigen/Core>

namespace collapse::penalties {

/// The VICReg loss of two views: invariance, variance and covariance terms with their weights.
///
///     collapse::penalties::Vicreg vicreg;
///     const double loss = vicreg.value_and_gradient(A, B, dA, dB);
///
/// Its value is `vicreg` of `compare(A, B)`. When all embeddings are equal the gradient is 0: views that have collapsed
/// exactly are not pushed apart.
/// Cost: 6 N D min(N, D) multiplications on all threads. An object keeps its memory from call to call; use one object
/// per thread.
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 1-6.
class Vicreg {
 public:
  VicregWeights weights{};
  VarianceHinge hinge{};

  /// @param a, b                    N x D, N >= 2; row i of both is one sample
  /// @param gradient_a, gradient_b  dL/da and dL/db, N x D each: matrices, or views of that shape
  /// @return >= 0
  /// @throws ShapeError, NonFiniteError
  template <class DerivedA, class DerivedB, class GradientA, class GradientB>
  double value_and_gradient(const Eigen::DenseBase<DerivedA>& a, const Eigen::DenseBase<DerivedB>& b,
                            GradientA&& gradient_a, GradientB&& gradient_b) {
    penalties::require_pairs(a, b, 2, "Vicreg");
    load(a, gradient_a_);
    load(b, gradient_b_);
    const double entries = static_cast<double>(a.size());
    gradient_a_ -= gradient_b_;
    double value = weights.invariance * gradient_a_.squaredNorm() / entries;
    gradient_a_ *= 2.0 * weights.invariance / entries;
    gradient_b_ = -gradient_a_;
    value += add_terms(a, gradient_a_);
    value += add_terms(b, gradient_b_);
    penalties::store(gradient_a_, gradient_a);
    penalties::store(gradient_b_, gradient_b);
    return value;
  }

 private:
  template <class Derived>
  double add_terms(const Eigen::DenseBase<Derived>& z, Eigen::MatrixXd& gradient) {
    load_centred(z, x_);
    double value = 0.0;
    if (weights.variance != 0.0) value += weights.variance * hinge.add(x_, weights.variance, gradient);
    if (weights.covariance != 0.0) value += weights.covariance * covariance_.add(x_, weights.covariance, gradient);
    return value;
  }

  CovariancePenalty covariance_;
  Eigen::MatrixXd x_, gradient_a_, gradient_b_;
};

}  // namespace collapse::penalties
