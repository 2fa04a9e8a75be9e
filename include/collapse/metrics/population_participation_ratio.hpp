#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/row_products.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>

namespace collapse {

/// The participation ratio of the population that the rows were drawn from, from products of pairs of them.
///
/// With Sigma its covariance it is (tr Sigma)^2 / tr(Sigma^2). The ratio of a sample of N rows cannot exceed N; this
/// estimate can, because its numerator and denominator are unbiased for any N and any distribution of the rows. For
/// four different rows i, j, k, l the differences a = z_i - z_j and b = z_k - z_l are independent, hence
///   E ||a||^2 ||b||^2 = 4 (tr Sigma)^2   and   E (a . b)^2 = 4 tr(Sigma^2).
/// Averaged over all such rows, with x_i the rows less their mean, T = sum ||x_i||^2, Q = sum ||x_i||^4,
/// P = sum_{i != j} (x_i . x_j)^2, and up to the factor n (n - 2)(n - 3) of both, they are
///   (tr Sigma)^2:  2 (Q + P) / (n - 1) + (n^2 - 3 n + 1) T^2 / (n - 1) - n Q
///   tr(Sigma^2):   (n - 2) P - 2 Q + T^2 / (n - 1)
/// T and Q are exact; P is the alignment of the sampled pairs times sum_{i != j} ||x_i||^2 ||x_j||^2 = T^2 - Q. The
/// alignment is a ratio, whose bias is of the order of 1 / pairs. Since it is at most 1, the result is at least 1.
///
/// @param products  products of sampled pairs of rows
/// @param dims      D
/// @return in [1, dims]; healthy: as for `participation_ratio`, whatever the number of rows. Undefined for fewer than
///         four rows, and when all of them, or all but one, are equal.
///         Relative standard error for Gaussian rows: sqrt(2 / pairs + (8 / n) sum_k (p_k - w_k)^2), with the shares
///         p_k = lambda_k / tr Sigma and w_k = lambda_k^2 / tr(Sigma^2) of the eigenvalues; the second term is 0 for a
///         flat spectrum
/// Source: Zhou & Guo, A note on the unbiased estimator of Sigma^2, 2017, and Himeno & Yamada, Estimations for some
///         functions of covariance matrix in high dimension under non-normality, 2014; Gao et al. 2017 for the ratio.
[[nodiscard]] inline double population_participation_ratio(const RowProducts& products, Index dims) {
  if (!products.defined || products.rows < 4) return undefined;
  const double n = static_cast<double>(products.rows);
  const double q = products.quartic;  // T = 1
  const double p = products.alignment * (1.0 - q);
  const double trace_squared = 2.0 * (q + p) / (n - 1.0) + (n * n - 3.0 * n + 1.0) / (n - 1.0) - n * q;
  const double square_trace = (n - 2.0) * p - 2.0 * q + 1.0 / (n - 1.0);
  // One row unlike all others, which are equal: in any four rows one of the differences is 0, and rounding is left.
  if (trace_squared <= 1e-9 * n) return undefined;
  const double most = static_cast<double>(dims);
  return square_trace * most <= trace_squared ? most : std::max(trace_squared / square_trace, 1.0);
}

/// The participation ratio of the population behind the rows of Z; see population_participation_ratio(RowProducts).
///
/// @param Z        N x D embeddings
/// @param options  `seed` of the pairs, `nonfinite`
/// @return in [1, D]
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: O(N D) time: at most 4096 + 8 N products of rows. Memory: O(N), and 1024 x 32 doubles per thread.
template <class Derived>
[[nodiscard]] double population_participation_ratio(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  const Sums sums = statistics::sum_rows(evaluated.view(), rows, statistics::moments_only);
  return population_participation_ratio(statistics::row_products(evaluated.view(), rows, sums.moments, options.seed),
                                        rows.dims);
}

}  // namespace collapse
