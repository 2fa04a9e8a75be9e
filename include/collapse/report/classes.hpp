#pragma once

#include <collapse/report.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <vector>

namespace collapse {

/// Each class by itself: one can collapse while the whole looks healthy.
struct PerClass {
  std::vector<std::int64_t> label;             ///< ascending
  std::vector<Index> samples;                  ///< rows that its numbers here come from
  Eigen::VectorXd variance;                    ///< mean squared distance of these from their mean
  Eigen::VectorXd effective_rank;              ///< of the rows of the class about their mean; 0 when they are all equal
  Eigen::VectorXd effective_rank_ratio;        ///< over the largest rank possible, min(N_c - 1, D)
  Eigen::VectorXd expected_effective_rank;     ///< of an isotropic Gaussian sample of N_c rows
  Eigen::VectorXd effective_rank_vs_expected;  ///< healthy near 1, whatever N_c
  std::optional<std::int64_t> worst;           ///< label with the smallest effective_rank_vs_expected
};

/// What labels tell about embeddings. A number that is undefined is NaN, and `findings` say why.
struct ClassCollapse {
  Index samples = 0;  ///< labelled rows measured
  Index dims = 0;
  Index classes = 0;
  Index unlabelled_rows = 0;           ///< rows left out for a negative label
  Index skipped_rows = 0;              ///< rows dropped for a non-finite value (NonFinite::skip_rows)
  double input_epsilon = 0.0;          ///< machine epsilon of the scalar that the embeddings came in
  double nc1 = undefined;              ///< tr(S_W pinv(S_B)) / K; 0 is complete collapse within each class
  double nc1_ratio = undefined;        ///< tr S_W / tr S_B
  double cdnv = undefined;             ///< class-distance normalised variance
  double nc2_equinorm = undefined;     ///< 0 when the class means are equally far from the mean of all
  double nc2_equiangular = undefined;  ///< 0 when all angles between them are equal
  double nc2_max_angle = undefined;    ///< 0 when these are as wide as they can be
  double nc3 = undefined;              ///< [0, 2], 0 when the classifier is the class means; needs one
  double nc4 = undefined;              ///< [0, 1], share of rows predicted otherwise than by the nearest class mean
  double class_effective_rank = undefined;     ///< of the class means, [1, min(K - 1, D)]
  double centroid_cosine = undefined;          ///< mean cosine between class means, from the origin
  double centroid_cosine_centred = undefined;  ///< the same from the mean of all rows; -1 / (K - 1) when spread evenly
  double lidar = undefined;                    ///< [1, min(K - 1, D)]
  PerClass per_class;
  double silhouette = undefined;                   ///< [-1, 1], Euclidean; on demand
  double silhouette_cosine = undefined;            ///< [-1, 1], with 1 - cos; on demand
  double knn_accuracy = undefined;                 ///< [0, 1], by cosine, each row left out; on demand
  double linear_probe_accuracy = undefined;        ///< [0, 1], each row left out of its fit; on demand
  double linear_probe_train_accuracy = undefined;  ///< [0, 1], of the rows that were fitted; on demand
  Index sampled_rows = 0;                          ///< rows behind nc4, per_class, silhouettes, k-NN and linear probe
  bool exact = false;                              ///< true when these are all rows
  std::vector<Finding> findings;
};

}  // namespace collapse
