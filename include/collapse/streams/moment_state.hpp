#pragma once

#include <Eigen/Core>

#include <limits>

namespace collapse {

using Eigen::Index;

/// The first two moments of embeddings: what everything but lengths and cosines follows from.
struct MomentState {
  Index count = 0;          ///< rows, N
  Eigen::VectorXd mean;     ///< D
  Eigen::MatrixXd scatter;  ///< D x D, symmetric: sum over rows of (z - mean)(z - mean)^T, that is N - 1 times the
                            ///< covariance
  double input_epsilon = std::numeric_limits<double>::epsilon();  ///< of the scalar that the embeddings came in
};

}  // namespace collapse
