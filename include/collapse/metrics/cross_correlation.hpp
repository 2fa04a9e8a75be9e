#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>

#include <Eigen/Core>

#include <algorithm>

namespace collapse {

/// The two terms of the Barlow Twins loss, before they are weighted.
struct CrossCorrelation {
  double on_diagonal = undefined;   ///< sum_d (1 - K_dd)^2, [0, 4 D]
  double off_diagonal = undefined;  ///< sum_{d != e} K_de^2, [0, D (D - 1)]
};

/// From sums over pairs that are relative to the mean, with their scatter: K_de = S_de / sqrt(S^A_dd S^B_ee). A
/// dimension that is constant up to rounding is standardised to zeros, as batch normalisation does: K is 0 there, and
/// it adds 1 to the diagonal. When a whole view is constant, or there is one pair, both terms are undefined.
[[nodiscard]] inline CrossCorrelation cross_correlation(const CrossSums& sums) {
  CrossCorrelation result;
  if (!sums.same_dims() || sums.count < 2) return result;
  const Eigen::VectorXd a = sums.a.inverse_roots(sums.count);
  const Eigen::VectorXd b = sums.b.inverse_roots(sums.count);
  if (a.isZero(0) || b.isZero(0)) return result;
  result.on_diagonal = result.off_diagonal = 0.0;
  for (Index e = 0; e < b.size(); ++e) {
    const double k = std::clamp(sums.scatter(e, e) * a(e) * b(e), -1.0, 1.0);
    result.on_diagonal += (1.0 - k) * (1.0 - k);
    const auto correlation = [&](Index first, Index count) {
      return (sums.scatter.col(e).segment(first, count).array() * a.segment(first, count).array() * b(e))
          .square()
          .sum();
    };
    result.off_diagonal += correlation(0, e) + correlation(e + 1, a.size() - e - 1);
  }
  return result;
}

/// The cross-correlation K of the views A and B, each dimension standardised over the batch (ddof 0), against the
/// identity that Barlow Twins asks for.
///
/// @param A, B     N x D embeddings of two views, of any scalars; row i of both is one sample
/// @param options  only `nonfinite` matters: a pair is left out when either row is not finite
/// @return on_diagonal = sum_d (1 - K_dd)^2 in [0, 4 D], healthy near 0; off_diagonal = sum_{d != e} K_de^2, healthy at
///         what chance gives, D (D - 1) / (N - 1). A constant dimension adds 1 to the diagonal. Undefined for one pair,
///         for a view without a dimension that varies, and when A and B differ in columns
/// @throws ShapeError when A and B differ in rows or have none, NonFiniteError
/// Cost: N D^2 multiplications, O(D^2) memory.
/// Source: Zbontar et al., Barlow Twins, 2021, eq. 1-2.
template <class DerivedA, class DerivedB>
[[nodiscard]] CrossCorrelation cross_correlation(const Eigen::DenseBase<DerivedA>& A,
                                                 const Eigen::DenseBase<DerivedB>& B, const Options& options = {}) {
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite, [](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index) {
        if (rows_a.dims != rows_b.dims) return CrossCorrelation{};
        return cross_correlation(statistics::cross_sums(a, rows_a, b, rows_b));
      });
}

}  // namespace collapse
