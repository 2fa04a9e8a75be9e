#pragma once

#include <collapse/linalg/tridiagonalization.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/neural_collapse.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace collapse {

/// LiDAR: how many directions tell objects apart, where those in which the views of one object vary count less.
///
/// With a label for each object and its views as rows, exp(-sum p_k ln p_k), p_k the shares of the eigenvalues of
/// S_w^-1/2 S_b S_w^-1/2; S_b = mean over objects of (m_x - m)(m_x - m)^T, m the mean of the m_x, S_w = mean over all
/// rows of (z - m_x)(z - m_x)^T + delta I. The paper adds an epsilon to the shares, which we do not. Reference codes
/// differ: one takes a principal component analysis of that matrix as if its rows were data, which squares the shares.
/// @param delta  in squared units of the input; what is small against it does not count as variation between views
/// @return in [1, min(K - 1, D)], to be compared among encoders on the same objects, views and delta; undefined for one
///         object, when all m_x are the same up to rounding, and when S_w is singular to rounding
/// Cost: D^3 / 3 + D^2 K + D K min(K, D) flops.
/// Source: Thilak et al., LiDAR: sensing linear probing performance in joint embedding SSL architectures, 2024, where
/// delta = 1e-4.
[[nodiscard]] inline double lidar(const ClassSums& sums, const ClassMeans& means, double delta = 1e-4) {
  if (!metrics::is_separated(means)) return undefined;
  const Index dims = sums.dims;
  Eigen::MatrixXd within = sums.scatter / static_cast<double>(sums.samples());
  within.diagonal().array() += std::ldexp(delta, -2 * means.exponent);
  const double largest = within.diagonal().maxCoeff();
  if (!(largest > 0.0) || !std::isfinite(largest)) return undefined;
  within /= largest;
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>, Eigen::Lower> factor(within);
  if (factor.info() != Eigen::Success) return undefined;
  const double least = within.diagonal().cwiseAbs2().minCoeff();
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  if (!(least > static_cast<double>(dims) * epsilon)) return undefined;

  Eigen::MatrixXd whitened = (means.centred.rowwise() - means.centred.colwise().mean()).transpose();
  whitened /= whitened.cwiseAbs().maxCoeff();
  within.triangularView<Eigen::Lower>().solveInPlace(whitened);
  const Index order = std::min(whitened.rows(), whitened.cols());
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(order, order);
  if (whitened.cols() <= whitened.rows()) {
    gram.selfadjointView<Eigen::Lower>().rankUpdate(whitened.transpose());
  } else {
    gram.selfadjointView<Eigen::Lower>().rankUpdate(whitened);
  }
  const linalg::Tridiagonal reduced = linalg::tridiagonalize(std::move(gram));
  const Eigen::ArrayXd values = linalg::eigenvalues(reduced).array();
  const double floor = static_cast<double>(std::max(whitened.rows(), whitened.cols())) * epsilon * values.maxCoeff();
  return metrics::exp_entropy((values > floor).select(values, 0.0));
}

}  // namespace collapse
