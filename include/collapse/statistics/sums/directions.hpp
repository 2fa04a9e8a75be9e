#pragma once

#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>

namespace collapse {

using Eigen::Index;

/// Sums over the directions u_i = z_i / ||z_i|| of the rows that have one. Additive.
///
/// Near collapse all u_i are almost the same, and only their differences carry information: everything is kept relative
/// to `reference`, a point of their cloud, as w_i = u_i - reference.
struct DirectionSums {
  DirectionSums() = default;
  DirectionSums(Index dims, Index order)
      : reference(Eigen::VectorXd::Zero(dims)),
        shift(Eigen::VectorXd::Zero(dims)),
        sum_squares(Eigen::VectorXd::Zero(dims)),
        scatter(Eigen::MatrixXd::Zero(order, order)),
        cubic(Eigen::VectorXd::Zero(dims)),
        step_(dims),
        product_(dims) {}

  Index count = 0;
  Eigen::VectorXd reference;    ///< D
  Eigen::VectorXd shift;        ///< D, mean of the w_i
  Eigen::VectorXd sum_squares;  ///< D, sum of (w_id - shift_d)^2
  /// Lower triangle of sum (w_i - shift)(w_i - shift)^T; of many dimensions with the rounding of floats beside the
  /// diagonal (see FloatTriangle), for sums over all entries alone.
  Eigen::MatrixXd scatter;
  Eigen::VectorXd cubic;  ///< D, sum of ||w_i||^2 w_i
  double quartic = 0.0;   ///< sum of ||w_i||^4

  [[nodiscard]] Eigen::VectorXd mean() const {
    Eigen::VectorXd result = reference;
    linalg::add_scaled(result, 1.0, shift);
    return result;
  }

  /// sum ||v_i||^2, v_i = u_i - mean.
  [[nodiscard]] double total() const { return linalg::sum(sum_squares); }

  /// sum over rows of (||v_i||^2 - total / count)^2. Of the five terms only small parts are ever subtracted, because
  /// the reference lies within the cloud. Needs the scatter.
  [[nodiscard]] double squared_spread() const {
    const double n = static_cast<double>(count);
    const double d2 = linalg::squared_norm(shift);
    const double t = total();
    Eigen::VectorXd product;
    linalg::multiply_symmetric(scatter, 1.0, shift, product);
    const double fourth = quartic - 4.0 * linalg::dot(cubic, shift) + 4.0 * linalg::dot(shift, product) + 2.0 * d2 * t +
                          3.0 * n * d2 * d2;
    return std::max(fourth - t * t / n, 0.0);
  }

  /// Takes the sums relative to reference + wanted. With the step b that rounding leaves of `wanted`, w' = w - b,
  /// h = ||b||^2 and A = sum w w^T: ||w'||^2 = ||w||^2 - 2 w . b + h, expanded under the sums. Takes no memory.
  void rebase(const Eigen::VectorXd& wanted) {
    Eigen::VectorXd& by = step_;
    for (Index d = 0; d < reference.size(); ++d) {
      const double before = reference(d);
      reference(d) += wanted(d);
      by(d) = reference(d) - before;
    }
    if (count > 0 && scatter.size() > 0) {
      const double n = static_cast<double>(count);
      const double h = linalg::squared_norm(by);
      const double along = n * linalg::dot(shift, by);  // (sum w) . by
      const double second = total() + n * linalg::squared_norm(shift);
      Eigen::VectorXd& a = product_;
      linalg::multiply_symmetric(scatter, 1.0, by, a);
      linalg::add_scaled(a, along, shift);
      quartic +=
          4.0 * linalg::dot(by, a) + n * h * h - 4.0 * linalg::dot(cubic, by) + 2.0 * h * second - 4.0 * h * along;
      for (Index d = 0; d < by.size(); ++d) {
        cubic(d) += (2.0 * along - second - n * h) * by(d) - 2.0 * a(d) + h * n * shift(d);
      }
    }
    linalg::add_scaled(shift, -1.0, by);
  }

  /// Moves the reference to the mean once it lies outside the cloud (a first row unlike the rest), so that the higher
  /// sums keep their digits.
  void rebase_if_far() {
    if (count > 0 && linalg::squared_norm(shift) * static_cast<double>(count) > 4.0 * total()) rebase(shift);
  }

  /// Adds the sums of other rows.
  void merge(const DirectionSums& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    DirectionSums moved = other;
    Eigen::VectorXd delta = reference;
    linalg::add_scaled(delta, -1.0, other.reference);
    moved.rebase(delta);
    const double n = static_cast<double>(count);
    const double m = static_cast<double>(other.count);
    delta = moved.shift;
    linalg::add_scaled(delta, -1.0, shift);
    const double weight = n * m / (n + m);
    if (scatter.size() > 0) {
      linalg::add_lower(scatter, moved.scatter);
      linalg::add_symmetric_product(scatter, weight, delta, delta);
    }
    for (Index d = 0; d < delta.size(); ++d) sum_squares(d) += moved.sum_squares(d) + weight * (delta(d) * delta(d));
    linalg::add_scaled(shift, m / (n + m), delta);
    linalg::add_scaled(cubic, 1.0, moved.cubic);
    quartic += moved.quartic;
    count += other.count;
    rebase_if_far();
  }

 private:
  Eigen::VectorXd step_, product_;  ///< work space
};

}  // namespace collapse
