#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

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
  [[nodiscard]] Index above_floor() const {
    return static_cast<Index>(
        std::count_if(values.begin(), values.end(), [this](double v) { return v > noise_floor; }));
  }
};

/// Whether the mean row is removed before the spectrum is taken.
enum class Centring { centred, uncentred };

namespace statistics {

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

/// Singular values of some rows of a matrix.
/// @param epsilon  machine epsilon of the scalar that the rows came in, which may be narrower than the one at hand
template <EmbeddingScalar Scalar>
[[nodiscard]] SingularValues singular_values(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                             const Options& options, Centring centring,
                                             double epsilon = linalg::input_epsilon<Scalar>());

}  // namespace statistics

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
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  return statistics::singular_values(evaluated.view(), rows, options, centring);
}

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/statistics/spectra/singular_values.hpp>
#endif
