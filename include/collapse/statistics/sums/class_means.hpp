#pragma once

#include <collapse/linalg/parallel.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/statistics/sums/moments.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

namespace collapse {

/// The class means about the mean of all rows, classes in ascending order of their labels. Lengths are in units of
/// 2^exponent.
struct ClassMeans {
  using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  std::vector<std::int64_t> label;  ///< K, ascending
  Eigen::VectorXd count;            ///< K, rows of each class
  Eigen::VectorXd variance;         ///< K, mean ||z - m_c||^2 over the rows of the class
  RowMatrix centred;                ///< K x D, m_c - m_G
  Moments moments;                  ///< of all rows of all classes; m_G is its mean
  int exponent = 0;
  double rounding = 0.0;  ///< lengths up to this are made of the rounding of the input

  [[nodiscard]] Index classes() const { return centred.rows(); }

  /// Whether a class mean has a direction, seen from m_G.
  [[nodiscard]] bool has_direction(Index c) const { return centred.row(c).norm() > rounding; }

  /// The same about the mean of the class means, each counted once, whatever the rows of each: m_G in what follows.
  [[nodiscard]] ClassMeans about_their_mean() const {
    ClassMeans result = *this;
    const Eigen::RowVectorXd average = centred.colwise().mean();
    result.centred.rowwise() -= average;
    return result;
  }

  /// Moments of the class means, each counted once.
  [[nodiscard]] Moments of_means() const {
    Moments result = moments;
    result.count = classes();
    const Eigen::VectorXd average = centred.colwise().mean().transpose();
    result.sum_squares = (centred.rowwise() - average.transpose()).colwise().squaredNorm().transpose();
    result.mean += average;
    return result;
  }
};

/// @param sums  of one or more rows
/// Cost: O(K D).
[[nodiscard]] inline ClassMeans class_means(const ClassSums& sums) {
  using Row = Eigen::Map<const Eigen::RowVectorXd>;
  ClassMeans result;
  const Index classes = sums.classes();
  const Index dims = sums.dims;
  const double samples = static_cast<double>(sums.samples());
  result.exponent = sums.exponent();
  result.count.resize(classes);
  result.variance.resize(classes);
  result.centred.resize(classes, dims);
  const auto row = [dims](const std::vector<double>& values, Index place) {
    return Row(values.data() + place * dims, dims);
  };
  const Index first = sums.ascending().front();
  double longest = 0.0;
  for (Index c = 0; c < classes; ++c) {
    const Index place = sums.ascending()[static_cast<std::size_t>(c)];
    const auto at = static_cast<std::size_t>(place);
    result.label.push_back(sums.label[at]);
    result.count(c) = static_cast<double>(sums.count[at]);
    result.variance(c) = sums.sum_squares[at] / result.count(c);
    // Relative to one of them: what lies between the means may be tiny against the means.
    result.centred.row(c) =
        (row(sums.mean, place) - row(sums.mean, first)) + (row(sums.mean_low, place) - row(sums.mean_low, first));
    longest = std::max(longest, row(sums.mean, place).norm());
  }
  result.rounding = std::max(sums.input_epsilon, std::numeric_limits<double>::epsilon()) * longest;
  const Eigen::RowVectorXd shift = result.count.transpose() * result.centred / samples;
  result.centred.rowwise() -= shift;
  const Eigen::RowVectorXd left = result.count.transpose() * result.centred / samples;
  result.centred.rowwise() -= left;

  Moments& moments = result.moments;
  moments.count = sums.samples();
  moments.dims = dims;
  moments.mean.resize(dims);
  moments.mean_low.resize(dims);
  for (Index d = 0; d < dims; ++d) {
    const auto [sum, rounding] = statistics::two_sum(row(sums.mean, first)(d), shift(d));
    std::tie(moments.mean(d), moments.mean_low(d)) =
        statistics::two_sum(sum, rounding + (row(sums.mean_low, first)(d) + left(d)));
  }
  moments.sum_squares = sums.scatter.diagonal() + (result.centred.cwiseAbs2().transpose() * result.count);
  moments.exponent = Eigen::VectorXi::Constant(dims, result.exponent);
  moments.input_epsilon = sums.input_epsilon;
  return result;
}

namespace statistics {

/// Products of the rows of a matrix below the diagonal: body(i, products) with products(j) = a_i . a_j for j < i, in
/// parallel.
template <class Body>
void for_products_below(const ClassMeans::RowMatrix& a, Body&& body) {
  constexpr Index strip = 32;
  const Index count = a.rows();
  linalg::parallel_for({(count + strip - 1) / strip, count, count, a.cols()}, [&](Index s) {
    const Index first = s * strip;
    const Index rows = std::min(strip, count - first);
    const ClassMeans::RowMatrix products = a.middleRows(first, rows) * a.topRows(first + rows).transpose();
    for (Index i = 0; i < rows; ++i) body(first + i, products.row(i).head(first + i));
  });
}

}  // namespace statistics
}  // namespace collapse
