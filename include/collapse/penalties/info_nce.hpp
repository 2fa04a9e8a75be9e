#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/kept_products.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cmath>

namespace collapse::penalties {

/// InfoNCE over the pairs of a batch, with the logits u_i . v_j / temperature of the directions u, v of the rows: the
/// cross-entropy of finding v_i among all v_j from u_i, and that of finding u_i among all u_j from v_i, averaged.
///
/// A row of length 0 has the logit 0 with all others, and no gradient.
/// Cost: 3 N^2 D multiplications on all threads, O(N^2) memory. An object keeps its memory from call to call; use one
/// object per thread.
/// Source: van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding, 2018, eq. 4;
///         symmetric as in Radford et al., CLIP, 2021, fig. 3.
class InfoNce {
 public:
  double temperature = 0.1;

  /// @param a, b                    N x D, N >= 2; row i of both is one sample, all other rows are its negatives
  /// @param gradient_a, gradient_b  dL/da and dL/db, N x D each: matrices, or views of that shape
  /// @return >= 0; ln N when nothing tells the rows apart
  /// @throws ShapeError, NonFiniteError, OptionError
  template <class DerivedA, class DerivedB, class GradientA, class GradientB>
  double value_and_gradient(const Eigen::DenseBase<DerivedA>& a, const Eigen::DenseBase<DerivedB>& b,
                            GradientA&& gradient_a, GradientB&& gradient_b) {
    if (!(temperature > 0.0)) {
      throw OptionError(fmt::format("InfoNce::temperature is {}; it must be above 0", temperature));
    }
    penalties::require_pairs(a, b, 2, "InfoNce");
    a_.load(a);
    b_.load(b);
    const Eigen::Index n = a.rows();
    const double rows = static_cast<double>(n);
    logits_.setZero(n, n);
    products_.add_transposed_right(a_.u, b_.u, logits_);
    logits_ /= temperature;
    // No logit is above 1 / temperature, but sums of their exponentials may be.
    row_largest_ = logits_.col(0);
    for (Eigen::Index j = 1; j < n; ++j) row_largest_ = row_largest_.cwiseMax(logits_.col(j));
    row_sum_.setZero(n);
    column_log_.resize(n);
    for (Eigen::Index j = 0; j < n; ++j) {
      row_sum_.array() += (logits_.col(j) - row_largest_).array().exp();
      const double largest = logits_.col(j).maxCoeff();
      column_log_(j) = largest + std::log((logits_.col(j).array() - largest).exp().sum());
    }
    row_log_ = row_largest_.array() + row_sum_.array().log();
    const double value = ((row_log_ + column_log_).sum() - 2.0 * logits_.trace()) / (2.0 * rows);
    // Now the gradient with respect to u_i . v_j.
    const double scale = 1.0 / (2.0 * rows * temperature);
    for (Eigen::Index j = 0; j < n; ++j) {
      logits_.col(j) =
          scale *
          ((logits_.col(j) - row_log_).array().exp() + (logits_.col(j).array() - column_log_(j)).exp()).matrix();
      logits_(j, j) -= 2.0 * scale;
    }
    gradient_a_.setZero(n, a.cols());
    gradient_b_.setZero(n, a.cols());
    products_.add(logits_, b_.u, gradient_a_);
    products_.add_transposed_left(logits_, a_.u, gradient_b_);
    a_.pull_back(gradient_a_);
    b_.pull_back(gradient_b_);
    penalties::store(gradient_a_, gradient_a);
    penalties::store(gradient_b_, gradient_b);
    return value;
  }

 private:
  penalties::UnitRows a_, b_;
  Eigen::VectorXd row_largest_, row_sum_, row_log_, column_log_;
  Eigen::MatrixXd logits_, gradient_a_, gradient_b_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
