#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace collapse {

/// What the Hilbert-Schmidt independence criteria of two views with linear kernels follow from: a_i and b_i are their
/// centred rows, each view in any unit of its own.
struct HsicSums {
  Index count = 0;
  double cross = 0.0;       ///< ||A^T B||_F^2 = sum_ij (a_i . a_j)(b_i . b_j)
  double self_a = 0.0;      ///< ||A^T A||_F^2
  double self_b = 0.0;      ///< ||B^T B||_F^2
  double quartic_ab = 0.0;  ///< sum ||a_i||^2 ||b_i||^2
  double quartic_a = 0.0;   ///< sum ||a_i||^4
  double quartic_b = 0.0;   ///< sum ||b_i||^4
  double total_a = 0.0;     ///< sum ||a_i||^2
  double total_b = 0.0;     ///< sum ||b_i||^2
  bool defined = false;     ///< whether both views vary by more than the rounding of the input
};

/// Centred kernel alignment of two views, with linear kernels.
struct LinearCka {
  double biased = undefined;    ///< [0, 1]; of independent views above 0, the more so the fewer the rows
  double debiased = undefined;  ///< at most about 1; 0 on average for independent views, and so sometimes below
};

namespace metrics {

/// n (n - 3) times the unbiased estimate of the criterion, from ||A^T B||_F^2, sum ||a_i||^2 ||b_i||^2, and both sums of
/// squared lengths; n >= 4.
[[nodiscard]] inline double unbiased_hsic(Index count, double product, double quartic, double total,
                                          double other_total) {
  const double n = static_cast<double>(count);
  return product - n / (n - 2.0) * quartic + total * other_total / ((n - 1.0) * (n - 2.0));
}

}  // namespace metrics

/// Biased and debiased linear kernel alignment from the sums of HsicSums.
///
/// biased = ||A^T B||_F^2 / (||A^T A||_F ||B^T B||_F). The debiased form replaces each of the three norms by the
/// unbiased estimate of the criterion (Song et al. 2012, eq. 5), which leaves out the diagonals of the kernels. The
/// rows of the kernels of centred data sum to 0, so its three terms reduce to
///   ||A^T B||_F^2 - n / (n - 2) sum ||a_i||^2 ||b_i||^2 + sum ||a_i||^2 sum ||b_i||^2 / ((n - 1)(n - 2))
/// over n (n - 3), which cancels in the ratio. Undefined with fewer than 4 rows, and when the estimate of a view with
/// itself is not positive.
[[nodiscard]] inline LinearCka linear_cka(const HsicSums& sums) {
  LinearCka result;
  if (!sums.defined) return result;
  // Roots first: the product of fourth powers may leave the range of double.
  result.biased = std::min(sums.cross / std::sqrt(sums.self_a) / std::sqrt(sums.self_b), 1.0);
  if (sums.count < 4) return result;
  const double a = metrics::unbiased_hsic(sums.count, sums.self_a, sums.quartic_a, sums.total_a, sums.total_a);
  const double b = metrics::unbiased_hsic(sums.count, sums.self_b, sums.quartic_b, sums.total_b, sums.total_b);
  if (!(a > 0.0 && b > 0.0)) return result;
  result.debiased = metrics::unbiased_hsic(sums.count, sums.cross, sums.quartic_ab, sums.total_a, sums.total_b) /
                    std::sqrt(a) / std::sqrt(b);
  return result;
}

namespace metrics {

/// From sums over pairs that are relative to the mean, with their scatter.
/// @param self_a, self_b  ||A^T A||_F^2 and ||B^T B||_F^2, in the units of the sums
[[nodiscard]] inline HsicSums hsic_sums(const CrossSums& sums, double self_a, double self_b) {
  HsicSums result{.count = sums.count,
                  .cross = sums.scatter.squaredNorm(),
                  .self_a = self_a,
                  .self_b = self_b,
                  .quartic_ab = sums.quartic_ab,
                  .quartic_a = sums.quartic_a,
                  .quartic_b = sums.quartic_b,
                  .total_a = sums.a.total(),
                  .total_b = sums.b.total()};
  result.defined =
      sums.count >= 2 && !sums.a.inverse_roots(sums.count).isZero(0) && !sums.b.inverse_roots(sums.count).isZero(0);
  return result;
}

[[nodiscard]] inline bool any_live(const Moments& moments) {
  for (Index d = 0; d < moments.dims; ++d) {
    if (moments.count >= 2 && moments.sum_squares(d) > 0.0 && !statistics::is_dead(moments, d)) return true;
  }
  return false;
}

/// From both N x N kernels, which is the smaller side when N <= D.
template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
[[nodiscard]] HsicSums hsic_of_samples(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a, double epsilon_a,
                                       const linalg::MatrixView<ScalarB>& b, const Rows& rows_b, double epsilon_b) {
  Moments moments_a = statistics::sum_rows(a, rows_a, statistics::moments_only).moments;
  Moments moments_b = statistics::sum_rows(b, rows_b, statistics::moments_only).moments;
  moments_a.input_epsilon = epsilon_a;
  moments_b.input_epsilon = epsilon_b;
  const Eigen::MatrixXd k = statistics::samples_gram(a, rows_a, moments_a).lower;
  const Eigen::MatrixXd l = statistics::samples_gram(b, rows_b, moments_b).lower;
  HsicSums result{.count = rows_a.samples,
                  .self_a = statistics::symmetric_squared_norm(k),
                  .self_b = statistics::symmetric_squared_norm(l),
                  .quartic_ab = k.diagonal().dot(l.diagonal()),
                  .quartic_a = k.diagonal().squaredNorm(),
                  .quartic_b = l.diagonal().squaredNorm(),
                  .total_a = k.trace(),
                  .total_b = l.trace(),
                  .defined = any_live(moments_a) && any_live(moments_b)};
  for (Index j = 0; j < k.cols(); ++j) {
    const Index below = k.rows() - j - 1;
    result.cross += k(j, j) * l(j, j) + 2.0 * k.col(j).tail(below).dot(l.col(j).tail(below));
  }
  return result;
}

/// Whether the N x N kernels are the smaller side of both views.
[[nodiscard]] inline bool kernels_are_smaller(Index samples, Index dims_a, Index dims_b) {
  return statistics::smaller_side(samples, std::min(dims_a, dims_b)) == Side::samples;
}

/// ||X^T X||_F^2 of the centred rows of a view, in units of 2^(4 exponent).
template <EmbeddingScalar Scalar>
[[nodiscard]] double self_product(const linalg::MatrixView<Scalar>& z, const Rows& rows, int exponent) {
  statistics::CentredGram centred = statistics::centred_gram(z, rows);
  if (centred.gram.side == Side::samples) {
    return std::ldexp(statistics::symmetric_squared_norm(centred.gram.lower),
                      4 * (centred.moments.common_exponent() - exponent));
  }
  return statistics::symmetric_squared_norm(
      statistics::in_units(std::move(centred.gram.lower), centred.moments, exponent));
}

}  // namespace metrics

/// How alike the geometry of two representations is: linear centred kernel alignment, biased and debiased.
///
/// @param A, B     N x D_a and N x D_b embeddings, of any scalars; row i of both is one sample
/// @param options  only `nonfinite` matters: a pair is left out when either row is not finite
/// @return biased in [0, 1]: 1 when B is A rotated, reflected, scaled and shifted, 0 when every dimension of A is
///         uncorrelated with every one of B. With few rows it is near 1 for any A and B; the debiased form is not.
///         Undefined when a view does not vary, the debiased form also with fewer than 4 pairs
/// @throws ShapeError when A and B differ in rows or have none, NonFiniteError
/// Cost: N (D_a^2 / 2 + D_b^2 / 2 + D_a D_b) multiplications and O((D_a + D_b)^2) memory, or N^2 (D_a + D_b) / 2 and
///       O(N^2) where N <= min(D_a, D_b).
/// Source: Kornblith et al., Similarity of neural network representations revisited, 2019; Song et al., Feature
///         selection via dependence maximization, 2012 (unbiased criterion); Murphy, Zylberberg & Fyshe, 2024 (bias).
template <class DerivedA, class DerivedB>
[[nodiscard]] LinearCka linear_cka(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B,
                                   const Options& options = {}) {
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite, [](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index) {
        using ScalarA = typename DerivedA::Scalar;
        using ScalarB = typename DerivedB::Scalar;
        if (metrics::kernels_are_smaller(rows_a.samples, rows_a.dims, rows_b.dims)) {
          return linear_cka(metrics::hsic_of_samples(a, rows_a, linalg::input_epsilon<ScalarA>(), b, rows_b,
                                                     linalg::input_epsilon<ScalarB>()));
        }
        const CrossSums sums = statistics::cross_sums(a, rows_a, b, rows_b);
        return linear_cka(metrics::hsic_sums(sums, metrics::self_product(a, rows_a, sums.a.exponent),
                                             metrics::self_product(b, rows_b, sums.b.exponent)));
      });
}

}  // namespace collapse
