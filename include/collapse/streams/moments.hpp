#pragma once

#include <collapse/error.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/archive.hpp>
#include <collapse/streams/moment_state.hpp>
#include <collapse/streams/row_stream.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>

/// Moments from elsewhere, and moments for elsewhere; see `Accumulator::from_moments`.
namespace collapse::streams {

inline void require_finite_moments(const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter) {
  for (Index d = 0; d < mean.size(); ++d) {
    if (!std::isfinite(mean(d))) {
      throw OptionError(fmt::format("mean({}) is {}; moments must be finite", d, mean(d)));
    }
    if (!(scatter(d, d) >= 0.0)) {
      throw OptionError(fmt::format("scatter({}, {}) is {}; a sum of squares is at least 0", d, d, scatter(d, d)));
    }
  }
  for (Index e = 0; e < mean.size(); ++e) {
    for (Index d = e; d < mean.size(); ++d) {
      if (!std::isfinite(scatter(d, e))) {
        throw OptionError(fmt::format("scatter({}, {}) is {}; moments must be finite", d, e, scatter(d, e)));
      }
    }
  }
}

/// @param options  valid ones
[[nodiscard]] inline RowStream import_moments(Index count, const Eigen::VectorXd& mean, const Eigen::MatrixXd& scatter,
                                              const Options& options, double input_epsilon) {
  const Index dims = mean.size();
  if (needs_rows(options)) {
    throw OptionError("moments hold no rows: Options::all_pairs and SpectrumMethod::svd cannot be had from them");
  }
  if (!(input_epsilon >= 0.0 && input_epsilon < 1.0)) {
    throw OptionError(
        fmt::format("input_epsilon is {}; the machine epsilon of the scalar that the embeddings came in "
                    "is at least 0 and below 1",
                    input_epsilon));
  }
  if (count < 1 || count > most_rows) {
    throw ShapeError(fmt::format("moments of {} rows; at least 1 is needed, at most 2^53", count), count, dims);
  }
  if (scatter.rows() != dims || scatter.cols() != dims) {
    throw ShapeError(fmt::format("scatter of shape {} x {} with a mean of {} dimensions; it must be {} x {}",
                                 scatter.rows(), scatter.cols(), dims, dims, dims),
                     scatter.rows(), scatter.cols());
  }
  require_finite_moments(mean, scatter);
  Sums sums = statistics::Folder(dims, RowStream::without_directions).empty();
  Moments& moments = sums.moments;
  moments.count = count;
  moments.input_epsilon = input_epsilon;
  for (Index d = 0; d < dims; ++d) {
    moments.exponent(d) = statistics::range_exponent(std::max(std::abs(mean(d)), std::sqrt(scatter(d, d))));
  }
  moments.mean = mean;
  moments.sum_squares = scatter.diagonal();
  sums.scatter.triangularView<Eigen::Lower>() = scatter;
  statistics::rescale(moments, sums.scatter, Eigen::VectorXi::Zero(dims));
  return RowStream::of_moments(std::move(sums), options);
}

/// The moments of a stream that has rows.
[[nodiscard]] inline MomentState export_moments(const RowStream& stream) {
  Sums sums;
  if (stream.folded()) {
    sums = stream.sums();
  } else {
    const linalg::MatrixView<double> z = stream.held();
    sums = statistics::sum_rows(z, statistics::scan_rows(z, NonFinite::reject), RowStream::without_directions);
  }
  const Eigen::VectorXi before = sums.moments.exponent;
  sums.moments.exponent.setZero();
  statistics::rescale(sums.moments, sums.scatter, before);
  return {stream.count(), sums.moments.mean, sums.scatter.selfadjointView<Eigen::Lower>(), stream.origin().epsilon};
}

}  // namespace collapse::streams
