#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/row_units.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/singular_values.hpp>
#include <collapse/statistics/sums/gram_products.hpp>

#include <Eigen/Core>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>

namespace collapse {

namespace statistics {

/// The leverages from a QR instead of singular vectors: any orthonormal basis of the column space has the same row
/// lengths. Nothing is squared on the way, so a mean that is large against the spread costs no more digits than an SVD
/// would lose. Where N > D, with R^T R = Z^T Z and its pivoted QR, R P = Q' S: the basis is Z P S^-1, over the leading
/// columns above the floor. Where N <= D, with Z^T = Q R, the columns of R^T span those of Z.
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::VectorXd leverages(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  const RowsInUnits<Scalar> units(z, rows);
  const Index samples = units.samples();
  const Index dims = units.dims();
  const double n = static_cast<double>(samples);
  const double d = static_cast<double>(dims);
  const bool by_dims = smaller_side(samples, dims) == Side::dims;
  const Eigen::MatrixXd triangle =
      by_dims ? qr_triangle(samples, dims, [&](Index first, linalg::Panel::View out) { units.load(first, out); })
              : qr_triangle(dims, samples,
                            [&](Index first, linalg::Panel::View out) { units.load_transposed(first, out); });
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> pivoted(by_dims ? triangle : Eigen::MatrixXd(triangle.transpose()));
  const auto diagonal = pivoted.matrixR().diagonal().cwiseAbs();
  const double floor = std::max(linalg::input_epsilon<Scalar>() * units.rms() * (std::sqrt(n) + std::sqrt(d)),
                                diagonal(0) * std::max(n, d) * std::numeric_limits<double>::epsilon());
  Index rank = 0;
  while (rank < diagonal.size() && diagonal(rank) > floor) ++rank;
  if (rank == 0) return Eigen::VectorXd::Zero(samples);

  if (!by_dims) {
    if (rank == samples) return Eigen::VectorXd::Ones(samples);
    Eigen::MatrixXd basis = Eigen::MatrixXd::Identity(samples, rank);
    basis.applyOnTheLeft(pivoted.householderQ());
    return basis.rowwise().squaredNorm();
  }
  const Eigen::MatrixXd leading = pivoted.matrixR().topLeftCorner(rank, rank);
  const auto& order = pivoted.colsPermutation().indices();
  Eigen::VectorXd result(samples);
  constexpr Index block = 64;
  struct Scratch {
    linalg::Panel loaded;
    Eigen::MatrixXd basis;
  };
  linalg::parallel_for(
      {(samples + block - 1) / block, samples, dims, dims},
      [&] {
        return Scratch{linalg::Panel(block, dims), Eigen::MatrixXd(block, rank)};
      },
      [&](Index b, Scratch& scratch) {
        const Index count = std::min(block, samples - b * block);
        const linalg::Panel::View values = scratch.loaded.view(count, dims);
        units.load(b * block, values);
        auto basis = scratch.basis.topRows(count);
        for (Index k = 0; k < rank; ++k) basis.col(k) = values.matrix().col(order(k));
        leading.template triangularView<Eigen::Upper>().template solveInPlace<Eigen::OnTheRight>(basis);
        result.segment(b * block, count) = basis.rowwise().squaredNorm();
      });
  return result;
}

}  // namespace statistics

/// Statistical leverage of each row of Z: the squared length of its row in the matrix of left singular vectors, how far
/// the row alone sets a direction that the others do not have.
///
/// leverage_i = ||P e_i||^2 with P the projection onto the columns of Z, as they are. Directions below the noise floor
/// do not count; which these are is told by a pivoted QR, whose diagonal follows the singular values within a small
/// factor.
/// @param Z        N x D embeddings
/// @param options  only `nonfinite` matters
/// @return N numbers in [0, 1] with the sum rank(Z); one per usable row, 0 for rows of zeros. All are 1 when the rows
///         are independent, as N <= D healthy ones are
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: 3 N D m + 4 m^3 flops for m = min(N, D), a third of it on all threads; O(m^2) memory.
/// Source: Chatterjee & Hadi, Influential observations, high leverage points, and outliers in linear regression, 1986.
template <class Derived>
[[nodiscard]] Eigen::VectorXd leverages(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const linalg::Evaluated<Derived> evaluated(Z);
  return statistics::leverages(evaluated.view(), statistics::scan_rows(evaluated.view(), options.nonfinite));
}

}  // namespace collapse
