#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/class_separation.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/lidar.hpp>
#include <collapse/metrics/linear_probe.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/neural_collapse.hpp>
#include <collapse/options.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/statistics/pairs/neighbours.hpp>
#include <collapse/statistics/pairs/row_distances.hpp>
#include <collapse/statistics/rows/labelled_rows.hpp>
#include <collapse/statistics/rows/points.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// @page family_classes Labels
/// How embeddings lie by class: `class_collapse` and LabelledAccumulator.
///
/// - **NC1** is tr(S_W pinv(S_B)) / K (Papyan et al. 2020). The ratio of traces, which some report under this name, is
///   `nc1_ratio`; `cdnv` (Galanti et al. 2022) is a third measure of the same.
/// - **NC2** in three parts: equal norms, equal angles, and angles as wide as can be; some codes report one of them.
/// - **LiDAR**: one reference code takes a principal component analysis of the whitened matrix as if its rows were
///   data, which squares the shares. Ours is the entropy of its eigenvalues.
/// - **Scores that run from 0 healthy to 1 collapsed** follow from ours: (1 + centroid_cosine) / 2 is the centroid
///   similarity and (1 - silhouette_cosine) / 2 the separation of one such metric, 1 - effective_rank_ratio its rank
///   per class but for min(N_c, D) in place of min(N_c - 1, D). Without the expectation for N_c rows it calls small
///   healthy classes collapsed, hence `effective_rank_vs_expected`; and since a mean would hide a single collapsed
///   class, the worst class is named.
/// - **Linear probe** is ridge regression in closed form with each row left out of its own fit, not a logistic
///   regression on a split: no seed, no iterations.

namespace collapse {

/// How to measure labelled embeddings. An aggregate: `class_collapse(Z, labels, {.silhouette = true})`.
struct ClassOptions {
  std::optional<Classifier> classifier{};    ///< for nc3, and nc4 where no predictions are given
  std::optional<std::int64_t> unlabelled{};  ///< the label of rows that have none; without it every label is a class
  bool per_class = true;                     ///< effective rank of each class: as a spectrum of each
  bool silhouette = false;                   ///< both silhouettes: 2 N^2 D flops each
  bool knn = false;                          ///< k-NN accuracy: 2 N^2 D flops
  Index neighbours = 20;                     ///< k of it
  bool linear_probe = false;                 ///< N D^2 flops
  double ridge = 1e-3;                       ///< of the probe, over the mean eigenvalue of X^T X
  double lidar_delta = 1e-4;                 ///< in squared units of the input
  /// Whether S_B, nc2 and nc3 see class means from the mean of all rows instead of from their own: with classes of unequal
  /// sizes no frame is equiangular then.
  bool about_all_rows = false;
  SpectrumMethod method = SpectrumMethod::automatic;
  NonFinite nonfinite = NonFinite::reject;
  Index sample_rows = 4096;  ///< that a LabelledAccumulator holds for what needs the rows themselves, at least 2
  std::uint64_t seed = 0;    ///< of that sample
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const ClassOptions& options) {
  if (options.neighbours < 1) {
    throw OptionError(fmt::format("ClassOptions::neighbours is {}; at least 1 is needed", options.neighbours));
  }
  if (options.sample_rows < 2) {
    throw OptionError(fmt::format("ClassOptions::sample_rows is {}; at least 2 are needed", options.sample_rows));
  }
  if (!(options.ridge > 0.0) || !std::isfinite(options.ridge)) {
    throw OptionError(fmt::format("ClassOptions::ridge is {}; it must be positive and finite", options.ridge));
  }
  if (!(options.lidar_delta >= 0.0) || !std::isfinite(options.lidar_delta)) {
    throw OptionError(
        fmt::format("ClassOptions::lidar_delta is {}; it must be finite and not negative", options.lidar_delta));
  }
}

namespace streams {

inline void require_classifier(const ClassOptions& options, Index dims) {
  if (!options.classifier) return;
  const Eigen::MatrixXd& weights = options.classifier->weights;
  const Eigen::VectorXd& bias = options.classifier->bias;
  if (weights.rows() == 0 || weights.cols() != dims) metrics::throw_wrong_weights(weights, dims);
  if (bias.size() > 0 && bias.size() != weights.rows()) {
    throw ShapeError(fmt::format("classifier bias has {} entries for weights of shape {} x {}; one for each row, or "
                                 "none, is needed",
                                 bias.size(), weights.rows(), weights.cols()),
                     bias.size(), 1);
  }
  for (Index j = 0; j < weights.cols(); ++j) {
    for (Index i = 0; i < weights.rows(); ++i) {
      if (std::isfinite(weights(i, j))) continue;
      throw OptionError(fmt::format("classifier weight ({}, {}) is {}; weights must be finite", i, j, weights(i, j)));
    }
  }
  for (Index i = 0; i < bias.size(); ++i) {
    if (!std::isfinite(bias(i))) {
      throw OptionError(fmt::format("classifier bias[{}] is {}; biases must be finite", i, bias(i)));
    }
  }
}

inline void note_undefined(ClassCollapse& result, double value, MetricPath metric, std::string why) {
  if (!std::isnan(value)) return;
  Finding finding;
  finding.kind = FindingKind::undefined_number;
  finding.metric = metric.in_result();
  finding.explanation = std::move(why);
  result.findings.push_back(std::move(finding));
}

/// What follows from the sums.
inline void measure_class_sums(ClassCollapse& result, const ClassSums& sums, const ClassMeans& means,
                               const ClassOptions& options) {
  result.samples = sums.samples();
  result.dims = sums.dims;
  result.classes = sums.classes();
  result.unlabelled_rows = sums.unlabelled_rows;
  result.skipped_rows = sums.skipped_rows;
  result.input_epsilon = sums.input_epsilon;

  const ClassDistances distances = class_distances(means);
  const ClassMeans own = options.about_all_rows ? means : means.about_their_mean();
  const ClassAngles angles = class_angles(own);
  // Rows with a label each spread by nothing within their classes, which is not collapse.
  const bool has_within = result.classes < result.samples;
  if (has_within) {
    result.nc1 = nc1(sums, own);
    result.nc1_ratio = nc1_ratio(own);
    result.cdnv = distances.cdnv;
  }
  result.nc2_equinorm = nc2_equinorm(own);
  result.nc2_equiangular = angles.equiangular;
  result.nc2_max_angle = angles.max_angle;
  if (options.classifier) result.nc3 = nc3(own, options.classifier->weights);
  result.class_effective_rank = class_effective_rank(means);
  result.centroid_cosine = centroid_cosine(means);
  result.centroid_cosine_centred = angles.mean;
  result.lidar = lidar(sums, means, options.lidar_delta);

  const bool separated = metrics::is_separated(means);
  const std::string nothing_within = "each row has a label of its own: there is nothing within classes";
  const std::string nothing_between =
      result.classes < 2
          ? fmt::format("all rows have the label {}: there is nothing between classes", means.label.front())
          : std::string("the class means are equal up to the rounding of the input");
  const std::string no_angles =
      separated ? std::string("fewer than two class means differ from their common mean") : nothing_between;
  note_undefined(result, result.nc1, metric_path<&ClassCollapse::nc1>,
                 !separated    ? nothing_between
                 : !has_within ? nothing_within
                               : std::string("what lies between the class means is below the noise floor"));
  note_undefined(result, result.nc1_ratio, metric_path<&ClassCollapse::nc1_ratio>,
                 separated ? nothing_within : nothing_between);
  note_undefined(result, result.cdnv, metric_path<&ClassCollapse::cdnv>,
                 !distances.coincident
                     ? (separated && !has_within ? nothing_within : nothing_between)
                     : fmt::format("the means of the classes {} and {} are equal up to the rounding of the input",
                                   means.label[static_cast<std::size_t>((*distances.coincident)[0])],
                                   means.label[static_cast<std::size_t>((*distances.coincident)[1])]));
  note_undefined(result, result.nc2_equinorm, metric_path<&ClassCollapse::nc2_equinorm>, nothing_between);
  note_undefined(result, result.nc2_equiangular, metric_path<&ClassCollapse::nc2_equiangular>, no_angles);
  note_undefined(result, result.nc2_max_angle, metric_path<&ClassCollapse::nc2_max_angle>, no_angles);
  note_undefined(result, result.centroid_cosine_centred, metric_path<&ClassCollapse::centroid_cosine_centred>,
                 no_angles);
  note_undefined(result, result.nc3, metric_path<&ClassCollapse::nc3>,
                 !options.classifier ? std::string("no classifier was given")
                 : separated         ? std::string("the weights of the classifier are zero or out of range")
                                     : nothing_between);
  note_undefined(result, result.class_effective_rank, metric_path<&ClassCollapse::class_effective_rank>,
                 nothing_between);
  note_undefined(result, result.centroid_cosine, metric_path<&ClassCollapse::centroid_cosine>,
                 result.classes < 2 ? nothing_between : "fewer than two class means differ from zero");
  note_undefined(result, result.lidar, metric_path<&ClassCollapse::lidar>,
                 separated ? fmt::format("the scatter within objects is singular to rounding also with delta = {}; a "
                                         "larger ClassOptions::lidar_delta cures that",
                                         options.lidar_delta)
                           : nothing_between);
}

/// The spectrum of each class by itself.
/// @param class_of  the class of each row, in the order of `labels`
template <EmbeddingScalar Scalar>
[[nodiscard]] PerClass measure_each_class(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                          const std::vector<Index>& class_of, const std::vector<std::int64_t>& labels,
                                          SpectrumMethod method, double epsilon) {
  PerClass result;
  const auto classes = static_cast<Index>(labels.size());
  std::vector<std::vector<Index>> places(labels.size());
  for (Index i = 0; i < rows.samples; ++i) {
    places[static_cast<std::size_t>(class_of[static_cast<std::size_t>(i)])].push_back(i);
  }
  result.label = labels;
  for (const std::vector<Index>& of_class : places) result.samples.push_back(static_cast<Index>(of_class.size()));
  result.effective_rank = Eigen::VectorXd::Constant(classes, undefined);
  result.effective_rank_ratio = result.expected_effective_rank = result.effective_rank_vs_expected =
      result.effective_rank;
  Options options;
  options.method = method;
  const auto measure = [&](Index c) {
    const std::vector<Index>& of_class = places[static_cast<std::size_t>(c)];
    if (of_class.size() < 2) return;
    const Rows some = rows.only(of_class);
    const SingularValues values = statistics::singular_values(z, some, options, Centring::centred, epsilon);
    result.effective_rank(c) = effective_rank(values);
    result.effective_rank_ratio(c) = result.effective_rank(c) / static_cast<double>(values.largest_rank());
    result.expected_effective_rank(c) = expected_effective_rank(some.samples - 1, rows.dims);
    result.effective_rank_vs_expected(c) = result.effective_rank(c) / result.expected_effective_rank(c);
  };
  // Few classes share the threads within each, many among them; memory is that of one class for each thread.
  if (classes < 4 * static_cast<Index>(linalg::max_threads())) {
    for (Index c = 0; c < classes; ++c) measure(c);
  } else {
    linalg::parallel_for(
        {classes, rows.samples, rows.dims}, [] { return 0; }, [&](Index c, int /*scratch*/) { measure(c); });
  }
  double least = std::numeric_limits<double>::infinity();
  for (Index c = 0; c < classes; ++c) {
    if (!(result.effective_rank_vs_expected(c) < least)) continue;
    least = result.effective_rank_vs_expected(c);
    result.worst = labels[static_cast<std::size_t>(c)];
  }
  return result;
}

/// The numbers that need the rows themselves: all of them, or a sample.
/// @param sums         of these rows
/// @param means        of these rows
/// @param all_means    of the classes among all rows, in which nearest means are looked for
/// @param predictions  one for each row, or `no_prediction`
template <EmbeddingScalar Scalar>
void measure_class_rows(ClassCollapse& result, const linalg::MatrixView<Scalar>& z, const LabelledRows& labelled,
                        const ClassSums& sums, const ClassMeans& means, const ClassMeans& all_means,
                        std::vector<std::int64_t> predictions, const ClassOptions& options) {
  const Rows& rows = labelled.rows;
  result.sampled_rows = rows.samples;
  result.exact = result.sampled_rows == result.samples;
  const Index classes = means.classes();
  std::vector<Index> class_of;
  class_of.reserve(labelled.label.size());
  for (const std::int64_t label : labelled.label) class_of.push_back(statistics::index_of(means.label, label));

  if (options.classifier && std::count(predictions.begin(), predictions.end(), metrics::no_prediction) > 0) {
    const std::vector<std::int64_t> classified = metrics::classify(z, rows, *options.classifier);
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      if (predictions[i] == metrics::no_prediction) predictions[i] = classified[i];
    }
  }
  if (std::any_of(predictions.begin(), predictions.end(), [](std::int64_t p) { return p != metrics::no_prediction; })) {
    result.nc4 = nc4(metrics::nearest_means(z, rows, all_means), predictions);
  }
  note_undefined(result, result.nc4, metric_path<&ClassCollapse::nc4>, "no predictions and no classifier were given");

  if (options.per_class) {
    result.per_class = measure_each_class(z, rows, class_of, means.label, options.method, result.input_epsilon);
    result.per_class.variance =
        means.variance.unaryExpr([&means](double v) { return std::ldexp(v, 2 * means.exponent); });
    const std::vector<Index>& counts = result.per_class.samples;
    const auto single = std::count(counts.begin(), counts.end(), Index{1});
    if (single > 0) {
      note_undefined(result, undefined, metric_path<&ClassCollapse::per_class, &PerClass::effective_rank>,
                     fmt::format("{} of {} classes have a single row: it has no spread", single, classes));
    }
  }
  if (options.silhouette || options.knn) {
    std::vector<Index> class_of_direction;
    class_of_direction.reserve(static_cast<std::size_t>(rows.directed()));
    for (Index i = 0; i < rows.samples; ++i) {
      if (rows.inverse_norm(i) > 0.0) class_of_direction.push_back(class_of[static_cast<std::size_t>(i)]);
    }
    if (options.silhouette) {
      result.silhouette = metrics::silhouette(statistics::CentredRows<Scalar>(z, rows, means.moments), class_of,
                                              classes, metrics::Distance::euclidean);
      result.silhouette_cosine = metrics::silhouette(statistics::CentredDirections<Scalar>(z, rows), class_of_direction,
                                                     classes, metrics::Distance::cosine);
      note_undefined(result, result.silhouette, metric_path<&ClassCollapse::silhouette>,
                     "a silhouette needs rows of two classes");
      note_undefined(result, result.silhouette_cosine, metric_path<&ClassCollapse::silhouette_cosine>,
                     "a silhouette needs rows of two classes, and rows of length 0 have no direction");
    }
    if (options.knn) {
      result.knn_accuracy = metrics::neighbour_accuracy(
          neighbours(statistics::Points<Scalar>(z, rows, Metric::cosine), options.neighbours), class_of_direction,
          classes);
      note_undefined(result, result.knn_accuracy, metric_path<&ClassCollapse::knn_accuracy>,
                     "fewer than two rows have a direction");
    }
  }
  if (options.linear_probe) {
    const LinearProbe probe = metrics::linear_probe(z, rows, class_of, sums, means, options.ridge);
    result.linear_probe_accuracy = probe.accuracy;
    result.linear_probe_train_accuracy = probe.train_accuracy;
    note_undefined(result, probe.accuracy, metric_path<&ClassCollapse::linear_probe_accuracy>,
                   classes < 2 ? "all rows have one label" : "all rows are equal");
  }
}

/// Predictions of the labelled rows, from those of all rows.
[[nodiscard]] inline std::vector<std::int64_t> predictions_of(const LabelledRows& labelled,
                                                              const std::vector<std::int64_t>* predictions) {
  std::vector<std::int64_t> result(labelled.label.size(), metrics::no_prediction);
  const linalg::RowSelection at = labelled.rows.selection();
  for (std::size_t i = 0; predictions != nullptr && i < result.size(); ++i) {
    result[i] = (*predictions)[static_cast<std::size_t>(at(static_cast<Index>(i)))];
  }
  return result;
}

[[noreturn]] inline void throw_without_labels(Index unlabelled, Index skipped, Index dims) {
  throw ShapeError(fmt::format("no row is left to measure: {} have a label that means none, {} a non-finite "
                               "value; at least one row needs a label",
                               unlabelled, skipped),
                   0, dims);
}

template <class Derived>
[[nodiscard]] ClassCollapse class_collapse(const Eigen::DenseBase<Derived>& Z, const std::vector<std::int64_t>& labels,
                                           const std::vector<std::int64_t>* predictions, const ClassOptions& options) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  const auto z = evaluated.view();
  statistics::require_shape(z.rows, z.cols);
  statistics::require_one_per_row(labels.size(), z.rows, "labels");
  if (predictions != nullptr) statistics::require_one_per_row(predictions->size(), z.rows, "predictions");
  require_classifier(options, z.cols);
  const LabelledRows labelled =
      statistics::labelled_rows(statistics::scan_rows(z, options.nonfinite), labels, options.unlabelled);
  if (labelled.rows.samples == 0) {
    throw_without_labels(labelled.unlabelled, labelled.rows.skipped - labelled.unlabelled, z.cols);
  }
  const ClassSums sums = statistics::sum_classes(z, labelled);
  const ClassMeans means = class_means(sums);
  ClassCollapse result;
  measure_class_sums(result, sums, means, options);
  measure_class_rows(result, z, labelled, sums, means, means, predictions_of(labelled, predictions), options);
  return result;
}

}  // namespace streams

/// Measures how embeddings lie by class: neural collapse, separation of the classes, the spectrum of each, and on
/// demand silhouettes, k-NN and linear-probe accuracy.
///
/// @param Z        N x D embeddings, as of `measure`
/// @param labels   one integer for each row; rows of the label ClassOptions::unlabelled are left out and counted. Labels
///                 may be any, and their names do not matter (but for a classifier, whose row c belongs to label c)
/// @param options  see ClassOptions; an aggregate: `class_collapse(Z, labels, {.linear_probe = true})`
/// @return see ClassCollapse. It depends on the arguments alone, not on the number of threads
/// @throws ShapeError when Z is empty, when labels are not as many as rows, when no row has a label, and for a
///         classifier that does not fit; NonFiniteError for the first NaN or infinity, also in a row without a label
///         (or see ClassOptions::nonfinite); OptionError
/// Cost: N D^2 flops for the scatter within classes, as many or fewer for the classes by themselves, K^2 D for the
///       angles between class means, D^3 / 3 for LiDAR and D^2 k for nc1, k = min(K, D); ClassOptions has the cost of
///       what is on demand. Memory: a few D x D and K x D matrices; never a copy of Z.
template <class Derived, Labels Y>
[[nodiscard]] ClassCollapse class_collapse(const Eigen::DenseBase<Derived>& Z, const Y& labels,
                                           const ClassOptions& options = {}) {
  return streams::class_collapse(Z, statistics::read_labels(labels, "labels"), nullptr, options);
}

/// The same with the label that a classifier predicts for each row, for nc4.
///
/// @param Z            as above
/// @param labels       as above
/// @param predictions  one integer for each row, in the names of the labels
/// @param options      see ClassOptions
/// @return see ClassCollapse
/// @throws as above, and ShapeError when predictions are not as many as rows
/// Cost: as above.
template <class Derived, Labels Y, Labels P>
[[nodiscard]] ClassCollapse class_collapse(const Eigen::DenseBase<Derived>& Z, const Y& labels, const P& predictions,
                                           const ClassOptions& options = {}) {
  const std::vector<std::int64_t> predicted = statistics::read_labels(predictions, "predictions");
  return streams::class_collapse(Z, statistics::read_labels(labels, "labels"), &predicted, options);
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_CLASSES_INSTANCES(Keyword, Scalar)                                                                \
  Keyword template void streams::measure_class_rows(                                                               \
      ClassCollapse&, const linalg::MatrixView<Scalar>&, const LabelledRows&, const ClassSums&, const ClassMeans&, \
      const ClassMeans&, std::vector<std::int64_t>, const ClassOptions&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_CLASSES_INSTANCES)
#endif

}  // namespace collapse
