#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/direction_spectrum.hpp>
#include <collapse/statistics/spectra/gram_spectra.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <utility>

namespace collapse {
namespace statistics {

/// What the sums over the directions say of them as if they were the embeddings.
[[nodiscard]] inline Moments moments_of_directions(const DirectionSums& directions, double input_epsilon) {
  Moments result;
  result.count = directions.count;
  result.dims = directions.reference.size();
  result.mean = directions.mean();
  result.mean_low = Eigen::VectorXd::Zero(result.dims);
  result.sum_squares = directions.sum_squares;
  result.exponent = Eigen::VectorXi::Zero(result.dims);
  result.input_epsilon = input_epsilon;
  return result;
}

/// Singular values of the directions from V V^T, v_i = u_i - mean, where v_i . mean = (T / M - ||v_i||^2) / 2 because
/// all u_i have the length 1.
[[nodiscard]] inline Eigen::VectorXd direction_singular_values(Eigen::MatrixXd products, const Rows& rows,
                                                               const DirectionSums& directions) {
  const Index samples = products.rows();
  Eigen::VectorXd along_mean = Eigen::VectorXd::Zero(samples);
  Eigen::VectorXd ones = Eigen::VectorXd::Zero(samples);
  double total = 0.0;
  for (Index i = 0; i < samples; ++i) total += products(i, i);
  const double mean_square = total / static_cast<double>(directions.count);
  for (Index i = 0; i < samples; ++i) {
    if (rows.inverse_norm(i) == 0.0) continue;
    ones(i) = 1.0;
    along_mean(i) = 0.5 * (mean_square - products(i, i));
  }
  return GramSpectra::of_samples(std::move(products), ones, std::move(along_mean),
                                 linalg::squared_norm(directions.mean()))
      .singular_values(false);
}

/// Of M rows that have a direction: the min(M, D) singular values of U, which is M x D with rows u_i. By the Gram
/// method: all that is asked of them are their squares.
[[nodiscard]] inline SingularValues direction_spectrum(DirectionStatistics statistics, const Rows& rows,
                                                       double input_epsilon) {
  const DirectionSums& directions = statistics.sums;
  const Moments moments = moments_of_directions(directions, input_epsilon);
  Eigen::VectorXd values;
  if (directions.count > 0) {
    values = statistics.products() != nullptr
                 ? direction_singular_values(std::move(statistics.lower), rows, directions)
                 : GramSpectra::of_dims(std::move(statistics.sums.scatter), moments).singular_values(false);
    values.conservativeResize(std::min(moments.count, moments.dims));
  }
  return with_floor(std::move(values), moments, false, SpectrumMethod::gram);
}

template <EmbeddingScalar Scalar>
SingularValues direction_spectrum(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  return direction_spectrum(direction_statistics(z, rows), rows, linalg::input_epsilon<Scalar>());
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_DIRECTION_SPECTRUM_INSTANCES(Keyword, Scalar) \
  Keyword template SingularValues statistics::direction_spectrum(const linalg::MatrixView<Scalar>&, const Rows&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_DIRECTION_SPECTRUM_INSTANCES)
#endif

}  // namespace collapse
