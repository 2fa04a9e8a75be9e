#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/statistics/rows.hpp>

#include <Eigen/Core>

#include <cmath>
#include <vector>

namespace collapse {

/// Count, mean and centred sum of squares of every dimension: the first two moments, without the D x D part.
///
/// Kept in a form that stays right when the mean is huge against the spread and when dimensions differ by hundreds of
/// orders of magnitude: the mean is an unevaluated sum of two doubles, and `sum_squares(d)` is in units of
/// 2^(2 exponent(d)) (all exponents are 0 unless some |z_id| leaves [2^-240, 2^240]).
struct Moments {
  Index count = 0;
  Index dims = 0;
  Eigen::VectorXd mean;         ///< D
  Eigen::VectorXd mean_low;     ///< D, what rounding took from the mean
  Eigen::VectorXd sum_squares;  ///< D, sum over rows of (z - mean)^2
  Eigen::VectorXi exponent;     ///< D
  double input_epsilon = 0.0;   ///< of the scalar the rows came in

  [[nodiscard]] bool scaled() const { return exponent.size() > 0 && !exponent.isZero(0); }

  /// Largest exponent of all dimensions: the unit in which whole rows can be compared.
  [[nodiscard]] int common_exponent() const { return exponent.size() > 0 ? exponent.maxCoeff() : 0; }

  /// Sum over rows of (z - mean)^2 in units of 2^(2 common_exponent()); what is too small for that unit is 0.
  [[nodiscard]] Eigen::VectorXd common_sum_squares() const {
    return in_common_units(sum_squares, 2);
  }

  /// The mean in units of 2^common_exponent().
  [[nodiscard]] Eigen::VectorXd common_mean() const {
    Eigen::VectorXd result = mean;
    const int common = common_exponent();
    if (common != 0) {
      for (Index d = 0; d < dims; ++d) result(d) = std::ldexp(mean(d), -common);
    }
    return result;
  }

  /// Root mean square over all entries, mean included, in units of 2^common_exponent().
  [[nodiscard]] double common_rms() const {
    const double entries = static_cast<double>(count) * static_cast<double>(dims);
    return std::sqrt((common_sum_squares().sum() + static_cast<double>(count) * common_mean().squaredNorm()) / entries);
  }

 private:
  [[nodiscard]] Eigen::VectorXd in_common_units(Eigen::VectorXd values, int power) const {
    if (scaled()) {
      const int common = common_exponent();
      for (Index d = 0; d < dims; ++d) values(d) = std::ldexp(values(d), power * (exponent(d) - common));
    }
    return values;
  }
};

namespace detail {

/// Exponents e_d such that the squares of z_id / 2^e_d, and their products, stay inside the range of double.
[[nodiscard]] inline Eigen::VectorXi range_exponents(const Eigen::VectorXd& largest) {
  constexpr int comfortable = 240;
  Eigen::VectorXi exponent = Eigen::VectorXi::Zero(largest.size());
  bool outside = false;
  for (Index d = 0; d < largest.size(); ++d) {
    if (largest(d) == 0.0) continue;
    const int e = std::ilogb(largest(d));
    outside = outside || e > comfortable || e < -comfortable;
    exponent(d) = std::clamp(e, -1000, 1000);
  }
  if (!outside) exponent.setZero();
  // A dimension of zeros takes the unit of the smallest: it must not raise the common one.
  if (outside) {
    for (Index d = 0; d < largest.size(); ++d) {
      if (largest(d) == 0.0) exponent(d) = -1000;
    }
  }
  return exponent;
}

/// Second pass: the mean to full double precision and the sum of squares around it, by the corrected two-pass algorithm
/// (Chan, Golub & LeVeque 1983, eq. 1.7). O(N D) time.
template <EmbeddingScalar Scalar>
[[nodiscard]] Moments moments(const MatrixView<Scalar>& z, const Rows& rows) {
  constexpr Index block = 16;
  Moments result;
  result.count = rows.samples;
  result.dims = rows.dims;
  result.input_epsilon = input_epsilon<Scalar>();
  result.exponent = range_exponents(rows.largest);
  Eigen::RowVectorXd scale = Eigen::RowVectorXd::Ones(rows.dims);
  const bool scaled = result.scaled();
  for (Index d = 0; scaled && d < rows.dims; ++d) scale(d) = std::ldexp(1.0, -result.exponent(d));
  const Eigen::RowVectorXd centre = rows.centre.transpose();

  struct Partial {
    Eigen::RowVectorXd sum, squares;
  };
  const Chunks chunks(rows.samples);
  std::vector<Partial> partials(static_cast<std::size_t>(chunks.size()));
  parallel_for(
      chunks.size(), [&] { return Panel(block, rows.dims); },
      [&](Index chunk, Panel& panel) {
        Partial& partial = partials[static_cast<std::size_t>(chunk)];
        partial.sum = partial.squares = Eigen::RowVectorXd::Zero(rows.dims);
        for (Index first = chunks.begin(chunk); first < chunks.end(chunk); first += block) {
          const Index count = std::min(block, chunks.end(chunk) - first);
          load(z, rows.selection(), first, 0, panel.view(count, rows.dims));
          for (Index i = 0; i < count; ++i) {
            Eigen::Map<Eigen::RowVectorXd> row(panel.rows(i, 1, rows.dims).data(), rows.dims);
            row -= centre;
            if (scaled) row.array() *= scale.array();
            partial.sum += row;
            partial.squares.array() += row.array().square();
          }
        }
      });

  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(rows.dims);
  Eigen::RowVectorXd squares = sum;
  for (const Partial& partial : partials) {
    sum += partial.sum;
    squares += partial.squares;
  }
  const double n = static_cast<double>(rows.samples);
  const Eigen::RowVectorXd residual = sum / n;
  result.sum_squares = (squares.array() - n * residual.array().square()).max(0.0).transpose();
  Eigen::RowVectorXd correction = residual;
  for (Index d = 0; scaled && d < rows.dims; ++d) correction(d) = std::ldexp(residual(d), result.exponent(d));
  result.mean = (centre + correction).transpose();
  result.mean_low = ((centre.transpose() - result.mean) + correction.transpose());
  return result;
}

}  // namespace detail

/// Count, mean and centred sum of squares of each dimension of Z.
///
/// @param Z        N x D embeddings, rows are samples
/// @param options  only `nonfinite` matters
/// @return the moments; means and sums are right to a few double roundings also where mean >> spread
/// @throws ShapeError for an empty matrix, NonFiniteError for a NaN or infinity unless such rows are skipped
/// Cost: two passes, O(N D) time, O(N + D) memory.
/// Source: Chan, Golub & LeVeque, Algorithms for computing the sample variance, 1983.
template <class Derived>
[[nodiscard]] Moments moments(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  const detail::Evaluated<Derived> evaluated(Z);
  return detail::moments(evaluated.view(), detail::scan_rows(evaluated.view(), options.nonfinite));
}

}  // namespace collapse
