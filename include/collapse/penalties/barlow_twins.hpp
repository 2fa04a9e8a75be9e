#pragma once

#include <collapse/linalg/kept_products.hpp>
#include <collapse/penalties/training_batch.hpp>

#include <Eigen/Core>

#include <cmath>

namespace collapse::penalties {

/// The Barlow Twins loss: sum_d (1 - K_dd)^2 + off_diagonal_weight sum_{d != e} K_de^2, K the cross-correlation of two
/// views that are standardised over the batch.
///
/// Its terms are `barlow_on_diagonal` and `barlow_off_diagonal` of `compare(A, B)`. A dimension that is constant up to
/// rounding is standardised to zeros; it has no gradient.
/// Cost: 3 N D min(N, D) multiplications for each view, on all threads: for N <= D through the Gram matrices of the
/// rows. An object keeps its memory from call to call; use one object per thread.
/// Source: Zbontar et al., Barlow Twins, 2021, eq. 1-2.
class BarlowTwins {
 public:
  double off_diagonal_weight = 0.005;

  /// @param a, b                    N x D, N >= 2; row i of both is one sample
  /// @param gradient_a, gradient_b  dL/da and dL/db, N x D each: matrices, or views of that shape
  /// @return >= 0, free of units
  /// @throws ShapeError, NonFiniteError
  template <class DerivedA, class DerivedB, class GradientA, class GradientB>
  double value_and_gradient(const Eigen::DenseBase<DerivedA>& a, const Eigen::DenseBase<DerivedB>& b,
                            GradientA&& gradient_a, GradientB&& gradient_b) {
    penalties::require_pairs(a, b, 2, "BarlowTwins");
    a_.load(a);
    b_.load(b);
    const double rows = static_cast<double>(a.rows());
    const Eigen::Index dims = a.cols();
    // K_dd, and the gradient of the diagonal terms with respect to them; those of the sum over all K_de^2 taken back.
    double value = 0.0;
    double own = 0.0;
    slope_.resize(dims);
    for (Eigen::Index d = 0; d < dims; ++d) {
      const double k = a_.y.col(d).dot(b_.y.col(d)) / rows;
      value += (1.0 - k) * (1.0 - k);
      own += k * k;
      slope_(d) = -2.0 * (1.0 - k) - 2.0 * off_diagonal_weight * k;
    }
    const double slope = 2.0 * off_diagonal_weight / (rows * rows);
    gradient_a_.setZero(a.rows(), dims);
    gradient_b_.setZero(a.rows(), dims);
    double all = 0.0;
    if (off_diagonal_weight != 0.0 && a.rows() <= dims) {
      products_.rows_with_rows(a_.y, gram_a_);
      products_.rows_with_rows(b_.y, gram_b_);
      all = (gram_a_.array() * gram_b_.array()).sum() / (rows * rows);
      gram_a_ *= slope;
      gram_b_ *= slope;
      products_.add(gram_b_, a_.y, gradient_a_);
      products_.add(gram_a_, b_.y, gradient_b_);
    } else if (off_diagonal_weight != 0.0) {
      gram_a_.setZero(dims, dims);
      products_.add_transposed_left(a_.y, b_.y, gram_a_);
      all = gram_a_.squaredNorm() / (rows * rows);
      gram_a_ *= slope;
      products_.add_transposed_right(b_.y, gram_a_, gradient_a_);
      products_.add(a_.y, gram_a_, gradient_b_);
    }
    for (Eigen::Index d = 0; d < dims; ++d) {
      gradient_a_.col(d) += slope_(d) / rows * b_.y.col(d);
      gradient_b_.col(d) += slope_(d) / rows * a_.y.col(d);
    }
    a_.pull_back(gradient_a_);
    b_.pull_back(gradient_b_);
    penalties::store(gradient_a_, gradient_a);
    penalties::store(gradient_b_, gradient_b);
    return value + off_diagonal_weight * (all > own ? all - own : 0.0);
  }

 private:
  /// A batch with mean 0 and variance 1 (ddof 0) in each dimension.
  struct Standardised {
    template <class Derived>
    void load(const Eigen::DenseBase<Derived>& z) {
      using Scalar = typename Derived::Scalar;
      penalties::load(z, y);
      inverse.resize(y.cols());
      const double rows = static_cast<double>(y.rows());
      for (Eigen::Index d = 0; d < y.cols(); ++d) {
        auto column = y.col(d);
        const double size = std::sqrt(column.squaredNorm() / rows);
        penalties::centre(column);
        const double deviation = std::sqrt(column.squaredNorm() / rows);
        inverse(d) = deviation > linalg::input_epsilon<Scalar>() * size ? 1.0 / deviation : 0.0;
        column *= inverse(d);
      }
    }

    /// Turns dL/dy into dL/dz.
    void pull_back(Eigen::MatrixXd& gradient) const {
      const double rows = static_cast<double>(y.rows());
      for (Eigen::Index d = 0; d < y.cols(); ++d) {
        auto column = gradient.col(d);
        const double mean = column.mean();
        const double along = column.dot(y.col(d)) / rows;
        column.array() = (column.array() - mean - along * y.col(d).array()) * inverse(d);
      }
    }

    Eigen::MatrixXd y;
    Eigen::VectorXd inverse;  ///< of the standard deviations; 0 of a constant dimension
  };

  Standardised a_, b_;
  Eigen::VectorXd slope_;
  Eigen::MatrixXd gram_a_, gram_b_, gradient_a_, gradient_b_;
  linalg::KeptProducts products_;
};

}  // namespace collapse::penalties
