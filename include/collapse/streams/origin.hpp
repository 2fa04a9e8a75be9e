#pragma once

#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <Eigen/Core>

namespace collapse::streams {

/// Where rows come from, when they are held in another scalar or some were left out before.
struct Origin {
  double epsilon;     ///< of the scalar they came in
  Index skipped = 0;  ///< rows left out already
};

/// The report on a matrix; defined in `streams/measure_rows.hpp`.
template <EmbeddingScalar Scalar>
[[nodiscard]] Report measure(const linalg::MatrixView<Scalar>& z, const Options& options,
                             const Origin& origin = {linalg::input_epsilon<Scalar>()});

}  // namespace collapse::streams
