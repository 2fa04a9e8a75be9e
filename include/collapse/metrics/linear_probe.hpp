#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/statistics/sums/gram_products.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace collapse {

/// How many rows a linear classifier puts into their class.
struct LinearProbe {
  double accuracy = undefined;        ///< of rows that were left out of the fit, one at a time; [0, 1]
  double train_accuracy = undefined;  ///< of the rows that were fitted; [0, 1]
};

namespace metrics {

/// Accuracy of a linear classifier on rows left out of its fit one at a time, and on the rows it was fitted to: ridge
/// regression on the classes (1 for the row's own, 0 for the others) with an intercept, in closed form.
///
/// B = (X^T X + l I)^-1 X^T Y, X centred. Leaving a row out needs no second fit: with the leverage
/// h = 1/N + x^T (X^T X + l I)^-1 x its score for class c is y - (y - yhat) / (1 - h), l unchanged.
/// X^T X is the scatter within classes and that of their means, X^T Y are the class means times their counts.
/// @param rows      all rows that `sums` hold
/// @param class_of  the class of each, in the order of `means`
/// @param ridge     l over the mean of the eigenvalues of X^T X, > 0: the same for embeddings of any scale
/// @return undefined for one class or when all rows are equal
/// Cost: N D (D + K) + D^3 / 3 flops; two D x D matrices, K x D.
/// Source: Hoerl & Kennard, Ridge regression, 1970; Allen, PRESS, 1974, for the rows left out.
template <EmbeddingScalar Scalar>
[[nodiscard]] LinearProbe linear_probe(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                       const std::vector<Index>& class_of, const ClassSums& sums,
                                       const ClassMeans& means, double ridge) {
  LinearProbe result;
  const Index classes = means.classes();
  const Index dims = rows.dims;
  const double n = static_cast<double>(rows.samples);
  const double trace = means.moments.sum_squares.sum();
  if (classes < 2 || !(trace > 0.0)) return result;
  Eigen::MatrixXd factor = sums.scatter;
  const Eigen::MatrixXd weighted = (means.centred.array().colwise() * means.count.array().sqrt()).matrix().transpose();
  factor.selfadjointView<Eigen::Lower>().rankUpdate(weighted);
  factor.diagonal().array() += ridge * trace / static_cast<double>(dims);
  const double scale = 1.0 / factor.diagonal().maxCoeff();
  factor *= scale;
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>, Eigen::Lower> cholesky(factor);
  if (cholesky.info() != Eigen::Success) return result;
  const auto lower = factor.triangularView<Eigen::Lower>();
  Eigen::MatrixXd targets = (means.centred.array().colwise() * means.count.array()).matrix().transpose() * scale;
  lower.solveInPlace(targets);

  std::vector<char> right(static_cast<std::size_t>(rows.samples), 0);
  std::vector<char> right_in_fit(right);
  const statistics::CentredTransform transform(means.moments, true);
  constexpr Index strip = 64;
  linalg::parallel_for(
      {(rows.samples + strip - 1) / strip, rows.samples, dims, dims + classes},
      [&] { return linalg::Panel(strip, dims); },
      [&](Index s, linalg::Panel& panel) {
        const Index count = std::min(strip, rows.samples - s * strip);
        const linalg::Panel::View x = panel.view(count, dims);
        load_centred(z, rows, transform, s * strip, x);
        Eigen::MatrixXd whitened = x.matrix().transpose();
        lower.solveInPlace(whitened);
        Eigen::MatrixXd scores = targets.transpose() * whitened;
        scores.colwise() += means.count / n;
        for (Index i = 0; i < count; ++i) {
          const auto row = static_cast<std::size_t>(s * strip + i);
          const Index own = class_of[row];
          Index best = 0;
          scores.col(i).maxCoeff(&best);
          right_in_fit[row] = best == own ? 1 : 0;
          const double left = 1.0 - 1.0 / n - scale * whitened.col(i).squaredNorm();
          // Left out alone, a row that decides its own fit has no prediction.
          if (!(left > static_cast<double>(dims) * std::numeric_limits<double>::epsilon())) continue;
          scores(own, i) = 1.0 - (1.0 - scores(own, i)) / left;
          for (Index c = 0; c < classes; ++c) {
            if (c != own) scores(c, i) /= left;
          }
          scores.col(i).maxCoeff(&best);
          right[row] = best == own ? 1 : 0;
        }
      });
  const auto share = [n](const std::vector<char>& flags) {
    return static_cast<double>(std::count(flags.begin(), flags.end(), 1)) / n;
  };
  result.accuracy = share(right);
  result.train_accuracy = share(right_in_fit);
  return result;
}

}  // namespace metrics
}  // namespace collapse
