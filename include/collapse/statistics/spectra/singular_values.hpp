#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/block_reflector.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/tridiagonalization.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/scan_rows.hpp>
#include <collapse/statistics/spectra/gram_spectra.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace collapse {
namespace statistics {

/// Singular values of a square matrix, descending, to the last digits of the largest: with their negatives they are the
/// eigenvalues of the symmetric matrix [0 A^T; A 0] (Jordan 1874; Golub & Van Loan, section 8.6). Four times the flops
/// of a bidiagonal form, but in matrix products and on all threads.
/// Cost: 32/3 order^3 flops, 4 order^2 doubles.
[[nodiscard]] inline Eigen::VectorXd square_singular_values(const Eigen::MatrixXd& a) {
  const Index order = a.cols();
  Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(2 * order, 2 * order);
  for (Index j = 0; j < order; ++j) std::copy_n(a.data() + j * order, order, lower.data() + j * 2 * order + order);
  const linalg::Tridiagonal reduced = linalg::tridiagonalize(std::move(lower));
  Eigen::VectorXd values = linalg::eigenvalues(reduced, order, 2 * order, reduced.half_rounding());
  std::reverse(values.begin(), values.end());
  for (double& value : values) value = std::max(value, 0.0);
  return values;
}

/// The triangular factor R of a QR of a matrix of depth x order, depth rows given piecewise by `fill` as in
/// accumulate_gram: a running QR keeps that of all rows so far (TSQR; Demmel, Grigori, Hoemmen & Langou 2012).
/// min(depth, order) x order. About 2 depth order^2 flops, O(order^2) memory.
template <class Fill>
[[nodiscard]] Eigen::MatrixXd qr_triangle(Index depth, Index order, Fill&& fill) {
  const Index block = std::min(depth, std::max<Index>(2 * order, 64));
  Eigen::MatrixXd stack;
  Eigen::MatrixXd triangle(0, order);
  linalg::Panel strip(16, order);
  for (Index first = 0; first < depth; first += block) {
    const Index count = std::min(block, depth - first);
    const Index above = triangle.rows();
    stack.resize(above + count, order);
    for (Index j = 0; j < order; ++j) std::copy_n(triangle.data() + j * above, above, stack.data() + j * stack.rows());
    for (Index r = 0; r < count; r += 16) {
      const linalg::Panel::View rows = strip.view(std::min<Index>(16, count - r), order);
      fill(first + r, rows);
      for (Index j = 0; j < order; ++j) {
        for (Index i = 0; i < rows.rows(); ++i) stack(above + r + i, j) = rows.row(i)[j];
      }
    }
    linalg::triangularize(stack);
    const Index kept = std::min(above + count, order);
    triangle.resize(kept, order);
    for (Index j = 0; j < order; ++j) std::copy_n(stack.data() + j * stack.rows(), kept, triangle.data() + j * kept);
  }
  return triangle;
}

/// Its singular values.
template <class Fill>
[[nodiscard]] Eigen::VectorXd qr_singular_values(Index depth, Index order, Fill&& fill) {
  return square_singular_values(qr_triangle(depth, order, std::forward<Fill>(fill)));
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::VectorXd qr_singular_values(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                                 const Moments& moments, bool centred) {
  // Without centring the same transform only changes units.
  Moments reference = moments;
  if (!centred) {
    reference.mean.setZero();
    reference.mean_low.setZero();
  }
  const CentredTransform transform(reference, true);
  const auto is_left_out = [&](Index d) { return centred && is_rounding(moments, d); };
  if (smaller_side(rows.samples, rows.dims) == Side::dims) {
    return qr_singular_values(rows.samples, rows.dims, [&](Index first, linalg::Panel::View out) {
      load_centred(z, rows, transform, first, out);
      for (Index d = 0; d < out.cols(); ++d) {
        for (Index i = 0; is_left_out(d) && i < out.rows(); ++i) out.row(i)[d] = 0.0;
      }
    });
  }
  return qr_singular_values(rows.dims, rows.samples, [&](Index first, linalg::Panel::View out) {
    load_centred_transposed(z, rows, transform, first, out);
    for (Index d = 0; d < out.rows(); ++d) {
      if (is_left_out(first + d)) std::fill_n(out.row(d), out.cols(), 0.0);
    }
  });
}

template <EmbeddingScalar Scalar>
SingularValues singular_values(const linalg::MatrixView<Scalar>& z, const Rows& rows, const Options& options,
                               Centring centring, double epsilon) {
  const bool centred = centring == Centring::centred;
  const SpectrumMethod method = resolve_method(options, epsilon, rows.samples, rows.dims);
  if (method == SpectrumMethod::svd) {
    Moments moments = sum_rows(z, rows, moments_only).moments;
    moments.input_epsilon = epsilon;
    return with_floor(qr_singular_values(z, rows, moments, centred), moments, centred, method);
  }
  const bool by_dims = smaller_side(rows.samples, rows.dims) == Side::dims;
  Sums sums = sum_rows(z, rows, {.scatter = by_dims, .directions = false, .direction_scatter = false});
  Moments& moments = sums.moments;
  moments.input_epsilon = epsilon;
  const GramSpectra spectra =
      by_dims ? GramSpectra::of_dims(std::move(sums.scatter), moments)
              : GramSpectra::of_samples(z, rows, moments, samples_gram(z, rows, moments, false).lower);
  return with_floor(spectra.singular_values(centred), moments, centred, method);
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_SPECTRUM_INSTANCES(Keyword, Scalar)                                                              \
  Keyword template Eigen::VectorXd statistics::qr_singular_values(const linalg::MatrixView<Scalar>&, const Rows&, \
                                                                  const Moments&, bool);                          \
  Keyword template SingularValues statistics::singular_values(const linalg::MatrixView<Scalar>&, const Rows&,     \
                                                              const Options&, Centring, double);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_SPECTRUM_INSTANCES)
#endif

}  // namespace collapse
