#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/gram.hpp>
#include <collapse/statistics/moments.hpp>
#include <collapse/statistics/rows.hpp>
#include <collapse/statistics/sums.hpp>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace collapse {

/// The singular values of the rows, centred or as they are, and the floor below which they say nothing about the model.
struct SingularValues {
  Eigen::VectorXd values;    ///< descending, min(N, D) of them, in input units
  double noise_floor = 0.0;  ///< max(floor of the input's rounding, floor of the method), in input units
  Index samples = 0;
  Index dims = 0;
  bool centred = true;
  SpectrumMethod method = SpectrumMethod::gram;

  /// The largest rank that the shape allows: min(N - 1, D) centred, min(N, D) as it is.
  [[nodiscard]] Index largest_rank() const { return std::min(centred ? samples - 1 : samples, dims); }

  /// How many lie above the floor.
  [[nodiscard]] Index above_floor() const { return (values.array() > noise_floor).count(); }
};

namespace detail {

/// The method that `automatic` stands for. Only the scalar, the shape and the options decide, so that a repeated
/// measurement is comparable. The rounding of float and narrower input lies above what a Gram matrix in double loses;
/// double input gets its full resolution from an SVD as long as an accumulator would still hold all rows and it takes
/// in the order of a second.
[[nodiscard]] inline SpectrumMethod resolve_method(const Options& options, double input_epsilon, Index samples,
                                                   Index dims) {
  if (options.method != SpectrumMethod::automatic) return options.method;
  if (input_epsilon > 1e-10 || samples > std::max(options.pair_rows, dims)) return SpectrumMethod::gram;
  const double small = static_cast<double>(std::min(samples, dims));
  const double flops = 2.0 * static_cast<double>(std::max(samples, dims)) * small * small + 8.0 * small * small * small;
  return flops <= 1e10 ? SpectrumMethod::svd : SpectrumMethod::gram;
}

/// Eigenvalues of a symmetric matrix given by its lower triangle, as singular values: descending square roots.
[[nodiscard]] inline Eigen::VectorXd root_eigenvalues(const Eigen::MatrixXd& lower) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(lower, Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success) {
    throw Error(
        fmt::format("the eigenvalue iteration on a {} x {} Gram matrix did not converge; try SpectrumMethod::svd",
                    lower.rows(), lower.cols()));
  }
  return solver.eigenvalues().reverse().cwiseMax(0.0).cwiseSqrt();
}

/// The scatter of the centred rows with all dimensions in the common unit.
[[nodiscard]] inline Eigen::MatrixXd in_common_units(Eigen::MatrixXd scatter, const Moments& moments) {
  if (!moments.scaled()) return scatter;
  const int common = moments.common_exponent();
  for (Index j = 0; j < scatter.cols(); ++j) {
    for (Index i = j; i < scatter.rows(); ++i) {
      const int exponent = moments.exponent(i) + moments.exponent(j) - 2 * common;
      // A dimension of zeros may carry any unit.
      scatter(i, j) = scatter(i, j) == 0.0 ? 0.0 : std::ldexp(scatter(i, j), exponent);
    }
  }
  return scatter;
}

/// Z^T Z = X^T X + N mean mean^T, in the common unit as is its argument.
[[nodiscard]] inline Eigen::MatrixXd uncentred_scatter(Eigen::MatrixXd centred, const Moments& moments) {
  const Eigen::VectorXd mean = moments.common_mean();
  centred.selfadjointView<Eigen::Lower>().rankUpdate(mean, static_cast<double>(moments.count));
  return centred;
}

/// x_i . mean for each centred row x_i, in units of 2^(2 common_exponent()).
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::VectorXd centred_times_mean(const MatrixView<Scalar>& z, const Rows& rows,
                                                 const Moments& moments) {
  const CentredTransform transform(moments, true);
  const Eigen::VectorXd mean = moments.common_mean();
  Eigen::VectorXd product(rows.samples);
  constexpr Index block = 16;
  parallel_for(
      {(rows.samples + block - 1) / block, rows.samples, rows.dims}, [&] { return Panel(block, rows.dims); },
      [&](Index b, Panel& panel) {
        const Index count = std::min(block, rows.samples - b * block);
        const Panel::View x = panel.view(count, rows.dims);
        load_centred(z, rows, transform, b * block, x);
        product.segment(b * block, count).noalias() = x * mean;
      });
  return product;
}

/// z_i . z_j = x_i . x_j + x_i . mean + x_j . mean + ||mean||^2, for the side of the samples.
template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::MatrixXd uncentred_products(const MatrixView<Scalar>& z, const Rows& rows, const Moments& moments,
                                                 Eigen::MatrixXd centred) {
  const Eigen::VectorXd mean = moments.common_mean();
  const Eigen::VectorXd shift = centred_times_mean(z, rows, moments).array() + 0.5 * mean.squaredNorm();
  for (Index j = 0; j < centred.cols(); ++j) {
    const Index below = centred.rows() - j;
    centred.col(j).tail(below).array() += shift.tail(below).array() + shift(j);
  }
  return centred;
}

/// The symmetric tridiagonal matrix with a diagonal of zeros and the entries of a bidiagonal matrix beside it, in turn
/// from its diagonal and the one above. Its eigenvalues are the singular values and their negatives (Golub & Kahan
/// 1965).
class GolubKahan {
 public:
  explicit GolubKahan(const Eigen::MatrixXd& band) : beside_(2 * band.cols() - 1) {
    for (Index k = 0; k < band.cols(); ++k) beside_(2 * k) = band(k, k);
    for (Index k = 0; k + 1 < band.cols(); ++k) beside_(2 * k + 1) = band(k, k + 1);
  }

  [[nodiscard]] Index order() const { return (beside_.size() + 1) / 2; }

  /// Singular values, ascending, as near as an eigenvalue iteration brings them: some tens of roundings of the largest.
  [[nodiscard]] Eigen::VectorXd estimate() const {
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(Eigen::VectorXd::Zero(2 * order()), beside_, Eigen::EigenvaluesOnly);
    if (solver.info() != Eigen::Success) {
      throw Error(fmt::format("the singular values of a {} x {} matrix did not converge; try SpectrumMethod::gram",
                              order(), order()));
    }
    return solver.eigenvalues().tail(order()).cwiseMax(0.0);
  }

  /// Brings estimates to `tolerance` by bisection. Four at a time hide the time that a division takes.
  void refine(Eigen::VectorXd& values, double tolerance) const {
    constexpr Index lanes = 4;
    using Four = Eigen::Array<double, lanes, 1>;
    const double reach = 64.0 * tolerance;
    for (Index first = 0; first < values.size(); first += lanes) {
      const Index count = std::min(lanes, values.size() - first);
      Four low;
      Four high;
      Four rank;
      for (Index k = 0; k < lanes; ++k) {
        const Index i = first + std::min(k, count - 1);
        low(k) = values(i) - reach;
        high(k) = values(i) + reach;
        rank(k) = static_cast<double>(i);
      }
      // An estimate further off than that is none; its interval grows until it holds the value.
      for (double step = reach; (below(low) > rank).any(); step *= 2.0)
        low = (below(low) > rank).select(low - step, low);
      for (double step = reach; (below(high) <= rank).any(); step *= 2.0) {
        high = (below(high) <= rank).select(high + step, high);
      }
      for (;;) {
        const Four middle = 0.5 * (low + high);
        // Also where no number lies between the two.
        if (!(high - low > tolerance && middle > low && middle < high).any()) break;
        const auto above = (below(middle) <= rank).eval();
        low = above.select(middle, low);
        high = above.select(high, middle);
      }
      for (Index k = 0; k < count; ++k) values(first + k) = std::max(0.5 * (low(k) + high(k)), 0.0);
    }
  }

 private:
  /// How many singular values lie below each x; negative below -sigma_1. Sturm's count (Kahan 1966).
  template <class Array>
  [[nodiscard]] Array below(const Array& x) const {
    constexpr double tiny = std::numeric_limits<double>::min();
    Array pivot = -x;
    Array negative = (pivot < 0.0).template cast<double>();
    for (Index k = 0; k < beside_.size(); ++k) {
      pivot = (pivot.abs() < tiny).select(Array::Constant(-tiny), pivot);
      pivot = -x - beside_(k) * beside_(k) / pivot;
      negative += (pivot < 0.0).template cast<double>();
    }
    return negative - static_cast<double>(order());
  }

  Eigen::VectorXd beside_;
};

/// Singular values of a square matrix, descending, to the last digit of the largest. Without vectors this is no
/// slower than Eigen's BDCSVD, and takes half as long to compile.
[[nodiscard]] inline Eigen::VectorXd square_singular_values(Eigen::MatrixXd matrix) {
  // The eigenvalue iteration compares with numbers of the order of 1.
  const double scale = matrix.size() > 0 ? matrix.cwiseAbs().maxCoeff() : 0.0;
  if (scale == 0.0) return Eigen::VectorXd::Zero(matrix.cols());
  matrix /= scale;
  const Eigen::internal::UpperBidiagonalization<Eigen::MatrixXd> reduced(matrix);
  const GolubKahan tridiagonal(reduced.bidiagonal().toDenseMatrix());
  Eigen::VectorXd values = tridiagonal.estimate();
  tridiagonal.refine(values, std::numeric_limits<double>::epsilon() * values.maxCoeff());
  return scale * values.reverse();
}

/// Singular values of a matrix of depth x order, depth rows given piecewise by `fill` as in accumulate_gram: a running
/// QR keeps the triangular factor of all rows so far (TSQR; Demmel, Grigori, Hoemmen & Langou 2012), then the
/// singular values of that. About 2 depth order^2 flops, O(order^2) memory.
template <class Fill>
[[nodiscard]] Eigen::VectorXd qr_singular_values(Index depth, Index order, Fill&& fill) {
  const Index block = std::min(depth, std::max<Index>(2 * order, 64));
  Eigen::MatrixXd stack;
  Eigen::MatrixXd triangle(0, order);
  Panel strip(16, order);
  for (Index first = 0; first < depth; first += block) {
    const Index count = std::min(block, depth - first);
    const Index above = triangle.rows();
    stack.resize(above + count, order);
    stack.topRows(above) = triangle;
    for (Index r = 0; r < count; r += 16) {
      const Panel::View rows = strip.view(std::min<Index>(16, count - r), order);
      fill(first + r, rows);
      stack.middleRows(above + r, rows.rows()) = rows;
    }
    const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(stack);
    const Index kept = std::min(above + count, order);
    triangle = stack.topRows(kept).triangularView<Eigen::Upper>();
  }
  stack.resize(0, 0);
  return square_singular_values(std::move(triangle));
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Eigen::VectorXd qr_singular_values(const MatrixView<Scalar>& z, const Rows& rows, const Moments& moments,
                                                 bool centred) {
  // Without centring the same transform only changes units.
  Moments reference = moments;
  if (!centred) {
    reference.mean.setZero();
    reference.mean_low.setZero();
  }
  const CentredTransform transform(reference, true);
  if (smaller_side(rows.samples, rows.dims) == Side::dims) {
    return qr_singular_values(rows.samples, rows.dims,
                              [&](Index first, Panel::View out) { load_centred(z, rows, transform, first, out); });
  }
  return qr_singular_values(rows.dims, rows.samples, [&](Index first, Panel::View out) {
    load_centred_transposed(z, rows, transform, first, out);
  });
}

/// Values in units of 2^common_exponent() become singular values in input units with their floor:
/// max(eps(input) rms(Z) (sqrt N + sqrt D), sigma_1 sqrt(max(N, D) eps) for Gram or sigma_1 max(N, D) eps for SVD).
[[nodiscard]] inline SingularValues with_floor(Eigen::VectorXd values, const Moments& moments, bool centred,
                                               SpectrumMethod method) {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  SingularValues result;
  result.samples = moments.count;
  result.dims = moments.dims;
  result.centred = centred;
  result.method = method;
  const double n = static_cast<double>(moments.count);
  const double d = static_cast<double>(moments.dims);
  const double input_floor = moments.input_epsilon * moments.common_rms() * (std::sqrt(n) + std::sqrt(d));
  const double largest = values.size() > 0 ? values(0) : 0.0;
  const double method_floor =
      largest * (method == SpectrumMethod::gram ? std::sqrt(std::max(n, d) * epsilon) : std::max(n, d) * epsilon);
  result.noise_floor = std::ldexp(std::max(input_floor, method_floor), moments.common_exponent());
  for (double& value : values) value = std::ldexp(value, moments.common_exponent());
  result.values = std::move(values);
  return result;
}

}  // namespace detail

/// Whether the mean row is removed before the spectrum is taken.
enum class Centring { centred, uncentred };

/// Singular values of the rows, descending.
///
/// sigma_k(X), X = Z - 1 mean^T (Centring::centred), or sigma_k(Z).
/// @param Z        N x D embeddings
/// @param options  `method`, `nonfinite`
/// @param centring which of the two
/// @return min(N, D) values with their noise floor
/// @throws ShapeError, NonFiniteError as `moments`
/// Cost: gram: N D m flops and an eigenvalue problem of order m = min(N, D); svd: about 2 N D m flops and an SVD of
/// order m. O(m^2) memory.
template <class Derived>
[[nodiscard]] SingularValues singular_values(const Eigen::DenseBase<Derived>& Z, const Options& options = {},
                                             Centring centring = Centring::centred) {
  const detail::Evaluated<Derived> evaluated(Z);
  const Rows rows = detail::scan_rows(evaluated.view(), options.nonfinite);
  const bool centred = centring == Centring::centred;
  const SpectrumMethod method =
      detail::resolve_method(options, detail::input_epsilon<typename Derived::Scalar>(), rows.samples, rows.dims);
  if (method == SpectrumMethod::svd) {
    const Sums sums =
        detail::sum_rows(evaluated.view(), rows, {.scatter = false, .directions = false, .direction_scatter = false});
    return detail::with_floor(detail::qr_singular_values(evaluated.view(), rows, sums.moments, centred), sums.moments,
                              centred, method);
  }
  auto [moments, gram] = detail::centred_gram(evaluated.view(), rows);
  Eigen::MatrixXd lower = std::move(gram.lower);
  if (gram.side == Side::dims) lower = detail::in_common_units(std::move(lower), moments);
  if (!centred) {
    lower = gram.side == Side::dims ? detail::uncentred_scatter(std::move(lower), moments)
                                    : detail::uncentred_products(evaluated.view(), rows, moments, std::move(lower));
  }
  return detail::with_floor(detail::root_eigenvalues(lower), moments, centred, method);
}

}  // namespace collapse
