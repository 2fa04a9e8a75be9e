#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace collapse {

/// The singular values of the rows, centred or as they are, and the floor below which they say nothing about the model.
struct SingularValues {
  Eigen::VectorXd values;    ///< descending, min(N, D) of them, in input units
  double noise_floor = 0.0;  ///< max(floor of the input's rounding, floor of the method), in input units
  Index certified_rank = 0;  ///< a rank that the values had before the input was rounded, at least
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

/// What rounding to the input's scalar may have made of the singular values, dimension by dimension.
///
/// Rounding adds a matrix of errors whose column d has a length of at most e_d = eps / 2 rms_d sqrt(N), the mean included.
/// With e_1 >= e_2 >= ... and the j - 1 worst columns taken away, its spectral norm, the j-th singular value of the whole,
/// is at most about n_j = e_j + sqrt(sum_{k >= j} e_k^2) / sqrt(N). By Weyl's inequality sigma_{i + j - 1}(seen) <=
/// sigma_i(true) + n_j, so that the true rank is at least the number of values above n_j less j - 1, for every j. So one
/// column with a huge mean or scale says nothing about the others.
struct InputFloor {
  double value = 0.0;   ///< n_j of the j that certifies most, the smallest one, in units of 2^common_exponent()
  Index certified = 0;  ///< the rank that is certain
};

/// @param values  descending, in units of 2^common_exponent()
/// @param least   a floor that all values are held against as well
/// Cost: D log D.
[[nodiscard]] inline InputFloor input_floor(const Eigen::VectorXd& values, const Moments& moments, bool centred,
                                            double least) {
  const double n = static_cast<double>(moments.count);
  const Eigen::VectorXd squares = moments.common_sum_squares();
  const Eigen::VectorXd mean = moments.common_mean();
  bool none_live = true;
  for (Index d = 0; d < moments.dims; ++d) none_live = none_live && is_rounding(moments, d);
  std::vector<double> errors;
  for (Index d = 0; d < moments.dims; ++d) {
    if (centred && !none_live && is_rounding(moments, d)) continue;
    errors.push_back(0.5 * moments.input_epsilon * std::sqrt(squares(d) + n * mean(d) * mean(d)));
  }
  std::sort(errors.begin(), errors.end());
  // From the smallest error on, which is the largest j: the floor rises.
  InputFloor best;
  Index above = values.size();
  while (above > 0 && !(values(above - 1) > least)) --above;
  best.certified = -moments.dims - 1;
  double rest = 0.0;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    rest += errors[k] * errors[k];
    const double floor = errors[k] + std::sqrt(rest / n);
    while (above > 0 && !(values(above - 1) > floor)) --above;
    const Index certified = above - static_cast<Index>(errors.size() - 1 - k);
    if (certified > best.certified) best = {floor, certified};
  }
  best.certified = std::max<Index>(best.certified, 0);
  // Where nothing is certain, nothing is told from rounding.
  if (best.certified == 0 && !errors.empty()) best.value = errors.back() + std::sqrt(rest / n);
  return best;
}

/// Values in units of 2^common_exponent() become singular values in input units with their floor:
/// that of the input's rounding (see InputFloor), or of the method where it is higher, sigma_1 sqrt(max(N, D) eps) for Gram
/// and sigma_1 max(N, D) eps for SVD.
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
  const double largest = values.size() > 0 ? values(0) : 0.0;
  const double method_floor =
      largest * (method == SpectrumMethod::gram ? std::sqrt(std::max(n, d) * epsilon) : std::max(n, d) * epsilon);
  const InputFloor input = input_floor(values, moments, centred, method_floor);
  result.certified_rank = input.certified;
  result.noise_floor = std::ldexp(std::max(input.value, method_floor), moments.common_exponent());
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
