#pragma once

#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>

#include <limits>

namespace collapse::penalties {

/// mean_i ||u_i - v_i||^2 of the directions of two views, over pairs in which both rows have one. It is the attracting
/// half of a contrastive loss; minimised alone it leads to collapse.
///
/// Its value is `alignment` of `compare(A, B)`.
/// Cost: O(N D). An object keeps its memory from call to call; use one object per thread.
/// Source: Wang & Isola, Understanding contrastive representation learning, 2020, eq. 1 with alpha = 2.
class Alignment {
 public:
  /// @param a, b                    N x D; row i of both is one sample
  /// @param gradient_a, gradient_b  dL/da and dL/db, N x D each: matrices, or views of that shape
  /// @return in [0, 4]; NaN, with gradients of 0, when no pair has two directions
  /// @throws ShapeError, NonFiniteError
  template <class DerivedA, class DerivedB, class GradientA, class GradientB>
  double value_and_gradient(const Eigen::DenseBase<DerivedA>& a, const Eigen::DenseBase<DerivedB>& b,
                            GradientA&& gradient_a, GradientB&& gradient_b) {
    penalties::require_pairs(a, b, 1, "Alignment");
    a_.load(a);
    b_.load(b);
    gradient_a_ = a_.u - b_.u;
    Eigen::Index pairs = 0;
    for (Eigen::Index i = 0; i < a.rows(); ++i) {
      if (a_.has_direction(i) && b_.has_direction(i)) {
        ++pairs;
      } else {
        gradient_a_.row(i).setZero();
      }
    }
    const double count = static_cast<double>(pairs);
    const double value = pairs > 0 ? gradient_a_.squaredNorm() / count : std::numeric_limits<double>::quiet_NaN();
    if (pairs > 0) gradient_a_ *= 2.0 / count;
    gradient_b_ = -gradient_a_;
    a_.pull_back(gradient_a_);
    b_.pull_back(gradient_b_);
    penalties::store(gradient_a_, gradient_a);
    penalties::store(gradient_b_, gradient_b);
    return value;
  }

 private:
  penalties::UnitRows a_, b_;
  Eigen::MatrixXd gradient_a_, gradient_b_;
};

}  // namespace collapse::penalties
