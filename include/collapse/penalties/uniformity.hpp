#pragma once

#include <collapse/linalg/kept_products.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>

namespace collapse::penalties {

/// ln mean_{i < j} exp(-t ||u_i - u_j||^2) of the directions of a batch: the repelling half of a contrastive loss.
///
/// With t = 2 its value is that of `uniformity(Z)` over all pairs.
/// Cost: 2 N^2 D multiplications on all threads, O(N^2) memory. An object keeps its memory from call to call; use one
/// object per thread.
/// Source: Wang & Isola, Understanding contrastive representation learning, 2020, sec. 4.1.2.
class Uniformity {
 public:
  double t = 2.0;

  /// @param z         N x D, N >= 2
  /// @param gradient  dL/dz, N x D: a matrix, or a view of that shape
  /// @return in [-4 t, 0]; NaN, with a gradient of 0, when fewer than two rows have a direction
  /// @throws ShapeError, NonFiniteError
  template <class Derived, class Gradient>
  double value_and_gradient(const Eigen::DenseBase<Derived>& z, Gradient&& gradient) {
    penalties::require_batch(z, 2, "Uniformity");
    rows_.load(z);
    const Eigen::MatrixXd& u = rows_.u;
    gradient_.setZero(u.rows(), u.cols());
    double value = std::numeric_limits<double>::quiet_NaN();
    if (rows_.directed >= 2) {
      products_.rows_with_rows(u, potential_);
      less_one_.resize(u.rows());
      linalg::parallel_for({u.rows(), u.rows(), Eigen::Index{32}}, [&](Eigen::Index j) {
        double sum = 0.0;
        for (Eigen::Index i = 0; i < u.rows(); ++i) {
          const bool pair = i != j && rows_.has_direction(i) && rows_.has_direction(j);
          // Near collapse what counts is how far the potential is from 1.
          const double change = pair ? std::expm1(2.0 * t * (potential_(i, j) - 1.0)) : 0.0;
          sum += change;
          potential_(i, j) = pair ? 1.0 + change : 0.0;
        }
        less_one_(j) = sum;
      });
      const double m = static_cast<double>(rows_.directed);
      const double mean_less_one = less_one_.sum() / (m * (m - 1.0));
      value = std::log1p(mean_less_one);
      // dL/du_i = 4 t sum_j w_ij u_j but for what points along u_i, w_ij the share of the pair in the sum.
      potential_ *= 4.0 * t / (m * (m - 1.0) * (1.0 + mean_less_one));
      products_.add(potential_, u, gradient_);
      rows_.pull_back(gradient_);
    }
    penalties::store(gradient_, gradient);
    return value;
  }

 private:
  penalties::UnitRows rows_;
  Eigen::VectorXd less_one_;
  Eigen::MatrixXd potential_, gradient_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
