#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/tridiagonalization.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>

namespace collapse::statistics {

/// The reflection that takes a vector to a multiple of the first unit vector.
class ReflectionToFirst {
 public:
  explicit ReflectionToFirst(const Eigen::VectorXd& x) : normal_(x) {
    const double largest = linalg::largest_magnitude(x);
    if (largest == 0.0) return;
    // Squares of the entries may overflow or vanish.
    for (double& entry : normal_) entry /= largest;
    const double norm = largest * std::sqrt(linalg::squared_norm(normal_));
    image_ = -std::copysign(norm, x(0));
    for (Index k = 0; k < x.size(); ++k) normal_(k) = x(k) / norm;
    normal_(0) += std::copysign(1.0, x(0));
    scale_ = 2.0 / linalg::squared_norm(normal_);
  }

  /// What stands first in the image of x.
  [[nodiscard]] double image() const { return image_; }

  void apply(Eigen::VectorXd& v) const { linalg::add_scaled(v, -scale_ * linalg::dot(normal_, v), normal_); }

  /// From both sides to a symmetric matrix given by its lower triangle.
  void apply_both(Eigen::MatrixXd& lower) const {
    if (scale_ == 0.0) return;
    Eigen::VectorXd w;
    linalg::multiply_symmetric(lower, scale_, normal_, w);
    linalg::add_scaled(w, -0.5 * scale_ * linalg::dot(w, normal_), normal_);
    linalg::add_symmetric_product(lower, -2.0, normal_, w);
  }

 private:
  Eigen::VectorXd normal_;
  double image_ = 0.0;
  double scale_ = 0.0;
};

/// x_i . mean for each centred row x_i, without the dimensions of `is_rounding`, in units of 2^(2 common_exponent()).
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::VectorXd centred_times_mean(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                                 const Moments& moments) {
  const CentredTransform transform(moments, true);
  Eigen::VectorXd mean = moments.common_mean();
  for (Index d = 0; d < moments.dims; ++d) {
    if (is_rounding(moments, d)) mean(d) = 0.0;
  }
  Eigen::VectorXd product(rows.samples);
  constexpr Index block = 16;
  linalg::parallel_for(
      {(rows.samples + block - 1) / block, rows.samples, rows.dims}, [&] { return linalg::Panel(block, rows.dims); },
      [&](Index b, linalg::Panel& panel) {
        const Index count = std::min(block, rows.samples - b * block);
        const linalg::Panel::View x = panel.view(count, rows.dims);
        load_centred(z, rows, transform, b * block, x);
        linalg::dot_columns(x.data(), x.stride(), count, mean.data(), rows.dims, product.data() + b * block);
      });
  return product;
}

/// The singular values of the centred rows and those of the rows as they are, from one reduction of one Gram matrix.
///
/// They differ by the mean row alone. Once its axis is the first one, a tridiagonalisation that leaves that axis as it
/// is serves both: the two tridiagonal matrices differ in their first row only. That row holds all that is large where
/// the mean is large against the spread, so that the small values keep the digits that adding N mean mean^T to the
/// Gram matrix would have cost them.
///
/// Dimensions that vary by the rounding of the input alone have their mean and nothing else: what rounding makes of one
/// huge constant may be larger than all that varies.
class GramSpectra {
 public:
  /// X^T X + N mean mean^T: with the mean along the first axis, a change of the first entry.
  ///
  /// @param scatter  lower triangle of X^T X, D x D, in the units of the dimensions
  [[nodiscard]] static GramSpectra of_dims(Eigen::MatrixXd scatter, const Moments& moments) {
    to_common_units(scatter, moments);
    without_rounding(scatter, moments);
    const ReflectionToFirst reflection(moments.common_mean());
    reflection.apply_both(scatter);
    GramSpectra result;
    result.centred_ = linalg::tridiagonalize(std::move(scatter));
    result.uncentred_ = result.centred_;
    result.uncentred_.diagonal(0) += static_cast<double>(moments.count) * reflection.image() * reflection.image();
    return result;
  }

  /// (X + 1 mean^T)(X + 1 mean^T)^T: the vector of ones is a null vector of X X^T. With it along the first axis, the
  /// first row and column of X X^T are zero, and the mean changes nothing else.
  ///
  /// @param gram         lower triangle of X X^T, N x N
  /// @param ones         1 for each row that takes part, 0 for one that does not and has zeros in the Gram matrix
  /// @param along_mean   x_i . mean
  /// @param mean_square  ||mean||^2
  [[nodiscard]] static GramSpectra of_samples(Eigen::MatrixXd gram, const Eigen::VectorXd& ones,
                                              Eigen::VectorXd along_mean, double mean_square) {
    const Index others = gram.rows() - 1;
    const ReflectionToFirst reflection(ones);
    reflection.apply_both(gram);
    reflection.apply(along_mean);
    gram(0, 0) = linalg::sum(ones) * mean_square;
    for (Index i = 1; i <= others; ++i) gram(i, 0) = reflection.image() * along_mean(i);
    GramSpectra result;
    result.uncentred_ = linalg::tridiagonalize(std::move(gram));
    result.centred_ = result.uncentred_.without_first();
    result.null_values_ = 1;
    return result;
  }

  /// @param gram  lower triangle of X X^T, N x N, in units of 2^(2 common_exponent())
  template <EmbeddingScalar Scalar>
  [[nodiscard]] static GramSpectra of_samples(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                              const Moments& moments, Eigen::MatrixXd gram) {
    return of_samples(std::move(gram), Eigen::VectorXd::Ones(rows.samples), centred_times_mean(z, rows, moments),
                      linalg::squared_norm(moments.common_mean()));
  }

  /// Square roots of the eigenvalues, descending, in units of 2^common_exponent().
  [[nodiscard]] Eigen::VectorXd singular_values(bool centred) const {
    const linalg::Tridiagonal& t = centred ? centred_ : uncentred_;
    const Index none = centred ? null_values_ : 0;
    Eigen::VectorXd values = Eigen::VectorXd::Zero(t.order() + none);
    const Eigen::VectorXd squares = linalg::eigenvalues(t, 0, t.order(), centred_.half_rounding());
    for (Index k = 0; k < t.order(); ++k) values(k) = std::sqrt(std::max(squares(t.order() - 1 - k), 0.0));
    return values;
  }

 private:
  static void without_rounding(Eigen::MatrixXd& scatter, const Moments& moments) {
    for (Index d = 0; d < scatter.cols(); ++d) {
      if (!is_rounding(moments, d)) continue;
      for (Index i = d; i < scatter.rows(); ++i) scatter(i, d) = 0.0;
      for (Index j = 0; j < d; ++j) scatter(d, j) = 0.0;
    }
  }

  /// The scatter with all dimensions in one unit.
  static void to_common_units(Eigen::MatrixXd& scatter, const Moments& moments) {
    if (!moments.scaled()) return;
    const int common = moments.common_exponent();
    for (Index j = 0; j < scatter.cols(); ++j) {
      for (Index i = j; i < scatter.rows(); ++i) {
        const int exponent = moments.exponent(i) + moments.exponent(j) - 2 * common;
        // A dimension of zeros may carry any unit.
        scatter(i, j) = scatter(i, j) == 0.0 ? 0.0 : std::ldexp(scatter(i, j), exponent);
      }
    }
  }

  linalg::Tridiagonal centred_;
  linalg::Tridiagonal uncentred_;
  Index null_values_ = 0;  ///< of the centred ones, beyond those of its matrix
};

}  // namespace collapse::statistics
