#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>
#include <collapse/statistics/spectra/singular_values.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/statistics/sums/gram_products.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

/// Neural collapse (Papyan, Han & Donoho 2020): towards the end of training the rows of one class fall onto their mean
/// (NC1), the class means spread evenly (NC2), the classifier aligns with them (NC3) and decides as the nearest mean
/// would (NC4). m_c are the class means, m_G is the mean of all rows; S_W = mean over rows of (z - m_c)(z - m_c)^T,
/// S_B = mean over classes of (m_c - m_G)(m_c - m_G)^T. Each class has the same weight in S_B whatever its size, but
/// not in m_G and S_W. Some codes take the mean of the class means for m_G; the two are the same where all classes are
/// of one size.
namespace collapse {

/// The last layer of a classifier. Row c of the weights belongs to the label c.
struct Classifier {
  Eigen::MatrixXd weights;  ///< C x D
  Eigen::VectorXd bias;     ///< C, or empty for none
};

namespace metrics {

[[noreturn]] inline void throw_wrong_weights(const Eigen::MatrixXd& weights, Index dims) {
  throw ShapeError(fmt::format("classifier weights have shape {} x {} for embeddings of {} dimensions; a row for each "
                               "label and a column for each dimension is needed",
                               weights.rows(), weights.cols(), dims),
                   weights.rows(), weights.cols());
}

/// Whether there is anything between the classes to be measured.
[[nodiscard]] inline bool is_separated(const ClassMeans& means) {
  for (Index c = 0; c < means.classes(); ++c) {
    if (means.classes() > 1 && means.has_direction(c)) return true;
  }
  return false;
}

}  // namespace metrics

/// NC1: tr(S_W pinv(S_B)) / K, the spread within classes measured along what separates them.
///
/// The pseudo-inverse takes the singular values of the K x D matrix M of m_c - m_G that lie above the noise floor of
/// such a matrix, max(eps(input) rms(m_c) (sqrt K + sqrt D), s_1 sqrt(max(K, D) eps(double))), and at most K - 1 of
/// them: weighted by their counts, the rows of M add up to zero. Eigenvectors V of the smaller product of M with itself
/// give B = M^T V or M V, whose columns are nearly orthogonal; the product of B with itself, its columns scaled to
/// length 1, mends what the squared singular values cost the small ones.
/// @param sums   of labelled rows
/// @param means  theirs
/// @return >= 0, 0 for complete collapse within each class; undefined for one class and where all class means are the
///         same up to rounding
/// Cost: O(D^2 k + K D k), k = min(K, D).
/// Source: Papyan, Han & Donoho, Prevalence of neural collapse, 2020, fig. 6.
[[nodiscard]] inline double nc1(const ClassSums& sums, const ClassMeans& means) {
  if (!metrics::is_separated(means)) return undefined;
  const double scale = 1.0 / means.centred.cwiseAbs().maxCoeff();
  const Eigen::MatrixXd m = means.centred * scale;
  const bool by_classes = m.rows() <= m.cols();
  const Eigen::MatrixXd product = by_classes ? Eigen::MatrixXd(m * m.transpose()) : Eigen::MatrixXd(m.transpose() * m);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(product);
  const Index most = std::min(m.rows() - 1, m.cols());
  const Eigen::MatrixXd vectors = solver.eigenvectors().rightCols(most).rowwise().reverse();
  const Eigen::MatrixXd b = by_classes ? Eigen::MatrixXd(m.transpose() * vectors) : Eigen::MatrixXd(m * vectors);
  const Eigen::VectorXd values = b.colwise().norm();
  // In order but for rounding.
  const Index rank = statistics::with_floor(values / scale, means.of_means(), true, SpectrumMethod::gram).above_floor();
  if (rank == 0) return undefined;
  const Eigen::VectorXd inverse = values.head(rank).cwiseInverse();
  const Eigen::MatrixXd unit = b.leftCols(rank) * inverse.asDiagonal();
  const Eigen::LLT<Eigen::MatrixXd> overlap(unit.transpose() * unit);
  // pinv(M^T M) is U G^-1 D^-2 G^-1 U^T for the columns U of B with lengths D and G = U^T U, or V D^-1 G^-1 D^-1 V^T.
  const Eigen::MatrixXd axes = by_classes ? unit : Eigen::MatrixXd(vectors.leftCols(rank));
  const Eigen::MatrixXd spread = sums.scatter.selfadjointView<Eigen::Lower>() * axes;
  Eigen::MatrixXd within = (axes.transpose() * spread) * (scale * scale / static_cast<double>(sums.samples()));
  if (by_classes) {
    within = overlap.solve(within).eval();
    within = overlap.solve(within.transpose()).eval();
    within = (inverse.asDiagonal() * within * inverse.asDiagonal()).eval();
  } else {
    within = (inverse.asDiagonal() * within * inverse.asDiagonal()).eval();
    within = overlap.solve(within).eval();
  }
  return std::max(0.0, within.trace());
}

/// tr S_W / tr S_B: the spread within classes over that between them, all directions alike.
///
/// @return >= 0, 0 for complete collapse within each class; undefined as nc1
/// Cost: O(K D).
/// Source: Hui, Belkin & Nakkiran, Limitations of neural collapse for understanding generalization, 2022.
[[nodiscard]] inline double nc1_ratio(const ClassMeans& means) {
  if (!metrics::is_separated(means)) return undefined;
  const double classes = static_cast<double>(means.classes());
  return means.count.dot(means.variance) / means.count.sum() / (means.centred.squaredNorm() / classes);
}

/// NC2, equal lengths: std / mean of ||m_c - m_G|| over the classes (ddof 0; reference code divides by K - 1).
///
/// @return >= 0, 0 when all are equally far; undefined as nc1
/// Cost: O(K D).
/// Source: Papyan, Han & Donoho 2020, fig. 2.
[[nodiscard]] inline double nc2_equinorm(const ClassMeans& means) {
  if (!metrics::is_separated(means)) return undefined;
  const Eigen::ArrayXd lengths = means.centred.rowwise().norm();
  return std::sqrt((lengths - lengths.mean()).square().mean()) / lengths.mean();
}

/// Cosines between the class means, seen from m_G. Means without a direction are left out.
struct ClassAngles {
  double mean = undefined;
  double equiangular = undefined;  ///< NC2: std of the cosines (ddof 0), in [0, 1]; 0 when all angles are equal
  double max_angle = undefined;    ///< NC2: mean |cos + 1/(K-1)|; 0 when the angles are as wide as they can be
};

/// The angles between the class means, seen from m_G.
///
/// @return see ClassAngles; undefined with fewer than two class means that have a direction
/// Cost: O(K^2 D) time, O(K D) memory.
/// Source: Papyan, Han & Donoho 2020, fig. 3 and 4.
[[nodiscard]] inline ClassAngles class_angles(const ClassMeans& means) {
  ClassMeans::RowMatrix directions(means.classes(), means.centred.cols());
  Index count = 0;
  for (Index c = 0; c < means.classes(); ++c) {
    if (means.has_direction(c)) directions.row(count++) = means.centred.row(c) / means.centred.row(c).norm();
  }
  directions.conservativeResize(count, Eigen::NoChange);
  ClassAngles result;
  if (count < 2) return result;
  // Deviations from the cosine of the widest angles: small near collapse.
  const double widest = -1.0 / (static_cast<double>(means.classes()) - 1.0);
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(count);
  Eigen::ArrayXd magnitude = Eigen::ArrayXd::Zero(count);
  Eigen::ArrayXd squares = Eigen::ArrayXd::Zero(count);
  statistics::for_products_below(directions, [&](Index i, const auto& cosines) {
    if (i == 0) return;
    const Eigen::ArrayXd deviations = cosines.transpose().array() - widest;
    sum(i) = deviations.sum();
    magnitude(i) = deviations.abs().sum();
    squares(i) = (deviations - deviations.mean()).square().sum();
  });
  const double pairs = 0.5 * static_cast<double>(count) * static_cast<double>(count - 1);
  const double mean = sum.sum() / pairs;
  double spread = 0.0;
  for (Index i = 1; i < count; ++i) {
    const double n = static_cast<double>(i);
    spread += squares(i) + n * (sum(i) / n - mean) * (sum(i) / n - mean);
  }
  result.mean = std::clamp(mean + widest, -1.0, 1.0);
  result.equiangular = std::sqrt(spread / pairs);
  result.max_angle = magnitude.sum() / pairs;
  return result;
}

/// NC3: || W / ||W||_F - M / ||M||_F ||_F, W the rows of the classifier and M those of m_c - m_G, of the classes
/// present.
///
/// @param means    of the labelled rows
/// @param weights  C x D, row c of the label c
/// @return in [0, 2], 0 when the classifier equals the class means up to a factor; undefined as nc1 and when all
///         weights are zero
/// @throws ShapeError when the weights have not D columns or no row for a label
/// Cost: O(K D).
/// Source: Papyan, Han & Donoho 2020, fig. 5.
[[nodiscard]] inline double nc3(const ClassMeans& means, const Eigen::MatrixXd& weights) {
  if (weights.cols() != means.centred.cols()) metrics::throw_wrong_weights(weights, means.centred.cols());
  if (means.label.front() < 0 || means.label.back() >= weights.rows()) {
    throw ShapeError(fmt::format("label {} has no row among the classifier weights of shape {} x {}; row c belongs to "
                                 "label c",
                                 means.label.front() < 0 ? means.label.front() : means.label.back(), weights.rows(),
                                 weights.cols()),
                     weights.rows(), weights.cols());
  }
  if (!metrics::is_separated(means)) return undefined;
  ClassMeans::RowMatrix taken(means.classes(), weights.cols());
  for (Index c = 0; c < means.classes(); ++c) {
    taken.row(c) = weights.row(static_cast<Index>(means.label[static_cast<std::size_t>(c)]));
  }
  const double length = taken.stableNorm();
  if (!(length > 0.0) || !std::isfinite(length)) return undefined;
  return (taken / length - means.centred / means.centred.norm()).norm();
}

/// Effective rank of the class means about their own mean: how many directions the classes use.
///
/// @return in [1, min(K - 1, D)]; 0 when all class means are equal, undefined for one class
/// Cost: O(K D min(K, D)).
/// Source: Roy & Vetterli, The effective rank, 2007, of the class means.
[[nodiscard]] inline double class_effective_rank(const ClassMeans& means) {
  if (means.classes() < 2) return undefined;
  const Moments moments = means.of_means();
  const ClassMeans::RowMatrix x = means.centred.rowwise() - means.centred.colwise().mean();
  const Index classes = x.rows();
  const Index dims = x.cols();
  Eigen::VectorXd values;
  if (classes > dims) {
    values = statistics::qr_singular_values(
        classes, dims, [&](Index first, linalg::Panel::View out) { out.matrix() = x.middleRows(first, out.rows()); });
  } else {
    values = statistics::qr_singular_values(dims, classes, [&](Index first, linalg::Panel::View out) {
      out.matrix() = x.middleCols(first, out.rows()).transpose();
    });
  }
  return effective_rank(statistics::with_floor(std::move(values), moments, true, SpectrumMethod::svd));
}

namespace metrics {

/// The predictions of a classifier, argmax_c W z + b, for all rows; of equal scores the smallest c.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::vector<std::int64_t> classify(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                                 const Classifier& classifier) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(rows.samples));
  constexpr Index strip = 32;
  linalg::parallel_for(
      {(rows.samples + strip - 1) / strip, rows.samples, rows.dims, classifier.weights.rows()},
      [&] { return linalg::Panel(strip, rows.dims); },
      [&](Index s, linalg::Panel& panel) {
        const Index count = std::min(strip, rows.samples - s * strip);
        const linalg::Panel::View values = panel.view(count, rows.dims);
        load(z, rows.selection(), s * strip, 0, values);
        ClassMeans::RowMatrix scores = values.matrix() * classifier.weights.transpose();
        if (classifier.bias.size() > 0) scores.rowwise() += classifier.bias.transpose();
        for (Index i = 0; i < count; ++i) {
          Index best = 0;
          scores.row(i).maxCoeff(&best);
          result[static_cast<std::size_t>(s * strip + i)] = best;
        }
      });
  return result;
}

/// The label of the nearest class mean, for all rows; of equally near ones the smallest.
template <EmbeddingScalar Scalar>
[[nodiscard]] std::vector<std::int64_t> nearest_means(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                                      const ClassMeans& means) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(rows.samples));
  const statistics::CentredTransform transform(means.moments, true);
  const Eigen::RowVectorXd half_squares = 0.5 * means.centred.rowwise().squaredNorm().transpose();
  constexpr Index strip = 32;
  linalg::parallel_for(
      {(rows.samples + strip - 1) / strip, rows.samples, rows.dims, means.classes()},
      [&] { return linalg::Panel(strip, rows.dims); },
      [&](Index s, linalg::Panel& panel) {
        const Index count = std::min(strip, rows.samples - s * strip);
        const linalg::Panel::View x = panel.view(count, rows.dims);
        load_centred(z, rows, transform, s * strip, x);
        // ||x - m||^2 / 2 less ||x||^2 / 2.
        const ClassMeans::RowMatrix distances = (-(x.matrix() * means.centred.transpose())).rowwise() + half_squares;
        for (Index i = 0; i < count; ++i) {
          Index best = 0;
          distances.row(i).minCoeff(&best);
          result[static_cast<std::size_t>(s * strip + i)] = means.label[static_cast<std::size_t>(best)];
        }
      });
  return result;
}

/// Stands for a row without a prediction.
inline constexpr std::int64_t no_prediction = std::numeric_limits<std::int64_t>::min();

}  // namespace metrics

/// NC4: share of rows whose nearest class mean is not the class that was predicted.
///
/// @param nearest      labels of the nearest means
/// @param predictions  one each; rows without one are left out
/// @return in [0, 1], 0 when the classifier decides as the nearest mean; undefined without predictions
/// Source: Papyan, Han & Donoho 2020, fig. 7.
[[nodiscard]] inline double nc4(const std::vector<std::int64_t>& nearest,
                                const std::vector<std::int64_t>& predictions) {
  Index known = 0;
  Index differ = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i] == metrics::no_prediction) continue;
    ++known;
    differ += predictions[i] == nearest[i] ? 0 : 1;
  }
  return known > 0 ? static_cast<double>(differ) / static_cast<double>(known) : undefined;
}

}  // namespace collapse
