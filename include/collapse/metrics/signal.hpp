#pragma once

#include <collapse/linalg/block_reflector.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/tridiagonalization.hpp>
#include <collapse/metrics/cka.hpp>
#include <collapse/options.hpp>
#include <collapse/report/comparison.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>

namespace collapse {

namespace metrics {

/// Which dimensions vary in both views by more than the rounding of the input. The others have nothing in common, and
/// what rounding makes of a huge constant must not pass for variance.
struct SharedDimensions {
  Eigen::VectorXd live;  ///< 1 or 0
  bool any = false;
  bool rounding = false;  ///< whether one that is left out varies at all

  explicit SharedDimensions(const CrossSums& sums) : live(Eigen::VectorXd::Zero(sums.a.sum.size())) {
    const Eigen::VectorXd a = sums.a.inverse_roots(sums.count);
    const Eigen::VectorXd b = sums.b.inverse_roots(sums.count);
    for (Index d = 0; d < live.size(); ++d) {
      live(d) = a(d) > 0.0 && b(d) > 0.0 ? 1.0 : 0.0;
      any = any || live(d) > 0.0;
      rounding =
          rounding || (a(d) == 0.0 && sums.a.sum_squares(d) > 0.0) || (b(d) == 0.0 && sums.b.sum_squares(d) > 0.0);
    }
  }
};

/// tr S over the mean trace of the two covariances, and its standard error.
struct SharedVariance {
  double share = undefined;
  double standard_error = undefined;
};

/// From sums over pairs that are relative to the mean; no scatter is needed.
///
/// The share is a ratio of two sums over pairs, t_i = w_i . y_i over q_i = (||w_i||^2 + ||y_i||^2) / 2. Its error is that
/// of the sum of t_i - share q_i, whose square follows from sums of fourth order (Cochran 1977, section 2.11).
[[nodiscard]] inline SharedVariance shared_variance(const CrossSums& sums) {
  SharedVariance result;
  if (!sums.same_dims() || sums.count < 2) return result;
  const SharedDimensions shared(sums);
  if (!shared.any) return result;
  // Both views in the units of the larger one.
  const int by_a = sums.a.exponent - sums.common_exponent();
  const int by_b = sums.b.exponent - sums.common_exponent();
  double product = 0.0;
  double total = 0.0;
  for (Index d = 0; d < shared.live.size(); ++d) {
    // What a view has alone is none of what both share.
    const Eigen::VectorXd& a = sums.a.sum_squares;
    const Eigen::VectorXd& b = sums.b.sum_squares;
    if (shared.live(d) > 0.0) product += std::ldexp(sums.products(d), by_a + by_b);
    if (shared.live(d) > 0.0 || !shared.rounding) {
      total += 0.5 * (std::ldexp(a(d), 2 * by_a) + std::ldexp(b(d), 2 * by_b));
    }
  }
  if (!(total > 0.0)) return result;
  const double share = product / total;
  result.share = std::clamp(share, -1.0, 1.0);
  if (shared.rounding || sums.count < 3) return result;
  const double squares = std::ldexp(sums.product_squares, 2 * (by_a + by_b));
  const double with_lengths = std::ldexp(sums.product_a, 3 * by_a + by_b) + std::ldexp(sums.product_b, by_a + 3 * by_b);
  const double lengths = std::ldexp(sums.quartic_a, 4 * by_a) + 2.0 * std::ldexp(sums.quartic_ab, 2 * (by_a + by_b)) +
                         std::ldexp(sums.quartic_b, 4 * by_b);
  const double n = static_cast<double>(sums.count);
  const double rest = squares - share * with_lengths + 0.25 * share * share * lengths;
  result.standard_error = std::sqrt(std::max(rest, 0.0) * n / (n - 1.0)) / total;
  return result;
}

/// Lower triangle of S = (C_ab + C_ab^T) / 2 over the dimensions that both views share, relative to its largest entry.
[[nodiscard]] inline Eigen::MatrixXd symmetric_part(const CrossSums& sums, const SharedDimensions& shared) {
  const Index dims = shared.live.size();
  Eigen::MatrixXd lower(dims, dims);
  double largest = 0.0;
  for (Index e = 0; e < dims; ++e) {
    for (Index d = e; d < dims; ++d) {
      lower(d, e) = shared.live(d) * shared.live(e) * 0.5 * (sums.scatter(d, e) + sums.scatter(e, d));
      largest = std::max(largest, std::abs(lower(d, e)));
    }
  }
  if (largest > 0.0) lower /= largest;
  return lower;
}

/// tr(C_ab C_ab) / ||C_ab||_F^2, over the dimensions that both views share: 1 where C_ab is symmetric, as it is for two
/// views through one encoder; 0 on average for independent axes; undefined where C_ab is zero.
[[nodiscard]] inline double symmetry(const CrossSums& sums) {
  const SharedDimensions shared(sums);
  const Index dims = shared.live.size();
  double largest = 0.0;
  for (Index e = 0; e < dims; ++e) {
    for (Index d = 0; d < dims; ++d) {
      largest = std::max(largest, shared.live(d) * shared.live(e) * std::abs(sums.scatter(d, e)));
    }
  }
  if (!(largest > 0.0)) return undefined;
  double squares = 0.0;
  double products = 0.0;
  for (Index e = 0; e < dims; ++e) {
    for (Index d = 0; d < dims; ++d) {
      if (shared.live(d) * shared.live(e) == 0.0) continue;
      const double value = sums.scatter(d, e) / largest;
      squares += value * value;
      products += value * (sums.scatter(e, d) / largest);
    }
  }
  return products / squares;
}

/// Eigenvalues of S, ascending, in any unit, from a symmetric matrix of the order of D; none where D_a != D_b.
[[nodiscard]] inline Eigen::VectorXd signal_eigenvalues(const CrossSums& sums) {
  if (!sums.same_dims()) return {};
  return linalg::eigenvalues(linalg::tridiagonalize(symmetric_part(sums, SharedDimensions(sums))));
}

/// Whether 2 N rows are so much fewer than D dimensions that the other side is cheaper.
[[nodiscard]] inline bool few_pairs(Index samples, Index dims) { return 4 * samples <= dims; }

/// The eigenvalues of S that are not zero, and some that are, from 2 N rows, the cheaper side where N is far below D.
///
/// With Q = [A; B], the centred rows of both views, 2 S = Q^T J Q, where J exchanges the halves. Of Q^T = H R it is
/// H (R J R^T) H^T, so that the eigenvalues are those of R J R^T, of order 2 N.
/// Cost: 8 N^2 D flops for R and 11 N^3 for the eigenvalues, where the other side takes 4/3 D^3.
template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
[[nodiscard]] Eigen::VectorXd few_pairs_eigenvalues(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a,
                                                    const linalg::MatrixView<ScalarB>& b, const Rows& rows_b,
                                                    const CrossSums& sums) {
  const SharedDimensions shared(sums);
  const Index n = rows_a.samples;
  const int exponent = sums.common_exponent();
  // Row d holds dimension d of both views: R of its QR.
  Eigen::MatrixXd columns(rows_a.dims, 2 * n);
  const auto fill = [&](const auto& z, const Rows& rows, const ViewSums& view, Index at) {
    for (Index i = 0; i < n; ++i) {
      const Index row = rows.selection()(i);
      for (Index d = 0; d < rows.dims; ++d) {
        const double value = std::ldexp(z.at(row, d), -view.exponent) - view.reference(d);
        columns(d, at + i) = shared.live(d) * std::ldexp(value - view.reference_low(d), view.exponent - exponent);
      }
    }
  };
  fill(a, rows_a, sums.a, 0);
  fill(b, rows_b, sums.b, n);
  const double largest = columns.cwiseAbs().maxCoeff();
  if (largest == 0.0) return Eigen::VectorXd::Zero(2 * n);
  columns /= largest;
  linalg::triangularize(columns);
  const Eigen::MatrixXd r = columns.topRows(2 * n);
  Eigen::MatrixXd product = r.leftCols(n) * r.rightCols(n).transpose();
  product = (0.5 * (product + product.transpose())).eval();
  return linalg::eigenvalues(linalg::tridiagonalize(std::move(product)));
}

/// The eigenvalues of S from the side that is cheaper; none where D_a != D_b.
template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
[[nodiscard]] Eigen::VectorXd signal_eigenvalues(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a,
                                                 const linalg::MatrixView<ScalarB>& b, const Rows& rows_b,
                                                 const CrossSums& sums) {
  const bool by_pairs = sums.same_dims() && few_pairs(rows_a.samples, rows_a.dims);
  return by_pairs ? few_pairs_eigenvalues(a, rows_a, b, rows_b, sums) : signal_eigenvalues(sums);
}

/// exp of the entropy of the shares of the positive eigenvalues, and (sum lambda)^2 / sum lambda^2 of all.
struct SignalRanks {
  double effective_rank = undefined;
  double participation_ratio = undefined;
};

[[nodiscard]] inline SignalRanks signal_ranks(const Eigen::VectorXd& eigenvalues) {
  SignalRanks result;
  double largest = 0.0;
  for (const double value : eigenvalues) largest = std::max(largest, std::abs(value));
  if (!(largest > 0.0)) return result;
  double positive = 0.0;
  double trace = 0.0;
  double squares = 0.0;
  for (const double value : eigenvalues) {
    const double relative = value / largest;
    positive += std::max(relative, 0.0);
    trace += relative;
    squares += relative * relative;
  }
  result.participation_ratio = trace * trace / squares;
  if (!(positive > 0.0)) return result;
  double entropy = 0.0;
  for (const double value : eigenvalues) {
    const double share = value / largest / positive;
    if (share > 0.0) entropy -= share * std::log(share);
  }
  result.effective_rank = std::exp(entropy);
  return result;
}

/// What independent views whose rows are isotropic Gaussians give for the effective rank of S.
///
/// A^T B + B^T A is a difference of two independent Wishart matrices, of A + B and of A - B, and the R-transforms of free
/// random variables add up (Voiculescu 1986): with c = D / (degrees of freedom), the Stieltjes transform G of the
/// eigenvalues x of S solves (x c^2 / 4) G^3 + (c / 2 - c^2 / 4) G^2 - x G + 1 = 0, and their density is -Im G / pi. For
/// small c it is a semicircle of radius sqrt(2 c).
/// @param degrees_of_freedom  N - 1
/// @return in [1, min(D, 2 (N - 1))]; exact in the limit of large shapes
/// Cost: O(1), 2048 roots of a cubic.
[[nodiscard]] inline double independent_signal_rank(Index degrees_of_freedom, Index dims) {
  if (degrees_of_freedom < 1 || dims < 1) return undefined;
  const double d = static_cast<double>(dims);
  const double c = d / static_cast<double>(degrees_of_freedom);
  const auto density = [c](double x) {
    // G^3 + p G^2 + q G + r = 0, whose complex roots are a pair; y^3 + s y + t = 0 for y = G + p / 3.
    const double lead = 0.25 * x * c * c;
    const double p = (0.5 * c - 0.25 * c * c) / lead;
    const double q = -x / lead;
    const double r = 1.0 / lead;
    const double s = q - p * p / 3.0;
    const double t = 2.0 * p * p * p / 27.0 - p * q / 3.0 + r;
    const double discriminant = 0.25 * t * t + s * s * s / 27.0;
    if (!(discriminant > 0.0)) return 0.0;
    const double root = std::sqrt(discriminant);
    // The larger of the two cube roots loses no digits, and their product is -s / 3.
    const double u = std::cbrt(t > 0.0 ? -0.5 * t - root : -0.5 * t + root);
    const double v = u == 0.0 ? 0.0 : -s / (3.0 * u);
    return 0.5 * std::sqrt(3.0) * std::abs(u - v) / 3.14159265358979323846;
  };
  // Beyond the largest eigenvalue of either Wishart matrix there is nothing.
  const double edge = 0.5 * (1.0 + std::sqrt(c)) * (1.0 + std::sqrt(c));
  constexpr int nodes = 2048;
  double mean = 0.0;
  double mean_log = 0.0;
  for (int i = 0; i < nodes; ++i) {
    // x = edge s^2: the density may be singular at 0.
    const double at = (static_cast<double>(i) + 0.5) / nodes;
    const double x = edge * at * at;
    const double weight = density(x) * 2.0 * edge * at / nodes;
    mean += weight * x;
    mean_log += weight * x * std::log(x);
  }
  if (!(mean > 0.0)) return 1.0;
  return std::max(1.0, d * mean * std::exp(-mean_log / mean));
}

/// ||C||_F^2 / (tr C)^2 of the population behind a view. That of the sample is larger, the more so the fewer the rows.
[[nodiscard]] inline double squared_shape(Index count, double self, double quartic, double total) {
  const double n = static_cast<double>(count);
  const double of_sample = self / total / total;
  if (count < 4) return of_sample;
  const double unbiased =
      unbiased_hsic(count, self, quartic, total, total) / total / total * (n - 1.0) * (n - 1.0) / (n * (n - 3.0));
  return unbiased > 0.0 ? std::min(unbiased, of_sample) : of_sample;
}

/// Everything that two views share.
/// @param eigenvalues  of S
/// @param hsic         of the same pairs
[[nodiscard]] inline Signal signal(const CrossSums& sums, const Eigen::VectorXd& eigenvalues, const HsicSums& hsic) {
  Signal result;
  const SharedVariance shared = shared_variance(sums);
  if (std::isnan(shared.share)) return result;
  result.share = shared.share;
  result.share_standard_error = shared.standard_error;
  const double n = static_cast<double>(sums.count);
  const Index dims = sums.a.sum.size();
  // Of independent views tr S has the variance tr(C_a C_b) / (N - 1), at most ||C_a||_F ||C_b||_F / (N - 1).
  const double total_a = std::ldexp(hsic.total_a, 2 * (sums.a.exponent - sums.common_exponent()));
  const double total_b = std::ldexp(hsic.total_b, 2 * (sums.b.exponent - sums.common_exponent()));
  const double shape_a = squared_shape(sums.count, hsic.self_a, hsic.quartic_a, hsic.total_a);
  const double shape_b = squared_shape(sums.count, hsic.self_b, hsic.quartic_b, hsic.total_b);
  const double independent = 2.0 * std::sqrt(total_a) * std::sqrt(total_b) / (total_a + total_b);
  result.independent_share = std::min(1.0, independent * std::sqrt(std::sqrt(shape_a * shape_b) / (n - 1.0)));
  result.symmetry = symmetry(sums);
  const SignalRanks ranks = signal_ranks(eigenvalues);
  result.effective_rank = ranks.effective_rank;
  result.participation_ratio = ranks.participation_ratio;
  result.independent_effective_rank = independent_signal_rank(sums.count - 1, dims);
  result.independent_participation_ratio = 2.0 / (static_cast<double>(dims) + 1.0);
  return result;
}

}  // namespace metrics

/// What two views of the same inputs share, and in how many directions.
///
/// S = (C_ab + C_ab^T) / 2, with the centred cross-covariance C_ab. `share` = tr S / ((tr C_a + tr C_b) / 2);
/// `effective_rank` = exp of the entropy of the shares of the positive eigenvalues of S; `participation_ratio` =
/// (tr S)^2 / ||S||_F^2; `symmetry` = tr(C_ab C_ab) / ||C_ab||_F^2. Beside each stands what independent views give.
/// @param A, B     N x D embeddings of two views, of any scalars; row i of both is one input
/// @param options  only `nonfinite` matters: a pair is left out when either row is not finite
/// @return share in [-1, 1]: 1 for identical views, 0 +- 1 / sqrt(N) for independent ones; healthy: most of the variance,
///         in several directions. Undefined for one pair, for a view that does not vary, and where A and B differ in
///         columns
/// @throws ShapeError when A and B differ in rows or have none, NonFiniteError
/// Cost: 2 N D^2 multiplications and 4/3 D^3, or 8 N^2 D and 11 N^3 where 4 N <= D; O(D^2) memory.
template <class DerivedA, class DerivedB>
[[nodiscard]] Signal shared_signal(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B,
                                   const Options& options = {}) {
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite, [](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index) {
        if (rows_a.dims != rows_b.dims) return Signal{};
        const CrossSums sums = statistics::cross_sums(a, rows_a, b, rows_b);
        return metrics::signal(sums, metrics::signal_eigenvalues(a, rows_a, b, rows_b, sums),
                               metrics::hsic_sums(sums, metrics::self_product(a, rows_a, sums.a.exponent),
                                                  metrics::self_product(b, rows_b, sums.b.exponent)));
      });
}

}  // namespace collapse
