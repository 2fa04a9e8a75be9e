#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/statistics/rows/row_units.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/gram_products.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace collapse::statistics {

/// ln sum_i exp(x_i) for many lists of numbers at a time, added in any number of steps. The numbers are in units of
/// `unit`, and so is the largest of each list: neither overflows, whatever the unit.
class LogSums {
 public:
  LogSums(Index lists, double unit)
      : unit_(unit),
        largest_(Eigen::ArrayXd::Constant(lists, -std::numeric_limits<double>::infinity())),
        sum_(Eigen::ArrayXd::Zero(lists)) {}

  /// Column k of x is added to list k, times `sign`.
  void add(const Eigen::Ref<const Eigen::MatrixXd>& x, double sign) {
    for (Index k = 0; k < x.cols(); ++k) {
      const Eigen::ArrayXd values = x.col(k).array() * sign;
      const double largest = values.maxCoeff();
      raise(k, largest);
      sum_(k) += ((values - largest_(k)) * unit_).exp().sum();
    }
  }

  /// Adds the lists of another, one to one.
  void add(const LogSums& other) {
    for (Index k = 0; k < sum_.size(); ++k) {
      raise(k, other.largest_(k));
      sum_(k) += other.sum_(k) * std::exp((other.largest_(k) - largest_(k)) * unit_);
    }
  }

  /// A logarithm as unit * large + small.
  struct Logarithm {
    double large, small;
  };
  [[nodiscard]] Logarithm operator()(Index k) const { return {largest_(k), std::log(sum_(k))}; }
  [[nodiscard]] double difference(const Logarithm& a, const Logarithm& b) const {
    return (a.large - b.large) * unit_ + (a.small - b.small);
  }
  [[nodiscard]] Index lists() const { return sum_.size(); }

 private:
  void raise(Index k, double largest) {
    if (largest <= largest_(k)) return;
    sum_(k) *= std::exp((largest_(k) - largest) * unit_);
    largest_(k) = largest;
  }

  double unit_;
  Eigen::ArrayXd largest_;
  Eigen::ArrayXd sum_;
};

/// c . z_i and its sums for the eigenvectors c of Z^T Z above the noise of the method, both signs.
struct PartitionSums {
  LogSums plus, minus;

  PartitionSums(Index lists, double unit) : plus(lists, unit), minus(lists, unit) {}

  void add(const Eigen::Ref<const Eigen::MatrixXd>& projections) {
    plus.add(projections, 1.0);
    minus.add(projections, -1.0);
  }
  void add(const PartitionSums& other) {
    plus.add(other.plus);
    minus.add(other.minus);
  }
};

/// Where N > D: eigenvectors of Z^T Z, and one more pass over the rows.
template <EmbeddingScalar Scalar>
[[nodiscard]] PartitionSums partition_sums_by_dims(const RowsInUnits<Scalar>& units, double unit) {
  const Index samples = units.samples();
  const Index dims = units.dims();
  const Eigen::MatrixXd gram =
      accumulate_gram(samples, dims, [&](Index first, linalg::Panel::View out) { units.load(first, out); });
  const Eigen::MatrixXd vectors = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram).eigenvectors();
  constexpr Index block = 64;
  const linalg::Chunks chunks(samples, block, 64);
  std::vector<PartitionSums> parts(static_cast<std::size_t>(chunks.size()), PartitionSums(dims, unit));
  struct Scratch {
    linalg::Panel loaded;
    Eigen::MatrixXd projections;
  };
  linalg::parallel_for(
      {chunks.size(), samples, dims, dims},
      [&] {
        return Scratch{linalg::Panel(block, dims), Eigen::MatrixXd(block, dims)};
      },
      [&](Index c, Scratch& scratch) {
        for (Index first = chunks.begin(c); first < chunks.end(c); first += block) {
          const Index count = std::min(block, chunks.end(c) - first);
          const linalg::Panel::View values = scratch.loaded.view(count, dims);
          units.load(first, values);
          scratch.projections.topRows(count).noalias() = values.matrix() * vectors;
          parts[static_cast<std::size_t>(c)].add(scratch.projections.topRows(count));
        }
      });
  for (std::size_t c = 1; c < parts.size(); ++c) parts[0].add(parts[c]);
  return std::move(parts[0]);
}

/// Where N <= D: Z Z^T w = sigma^2 w gives c = Z^T w / sigma, and its products with the rows are sigma w. All other
/// eigenvectors of Z^T Z are orthogonal to all rows.
template <EmbeddingScalar Scalar>
[[nodiscard]] PartitionSums partition_sums_by_samples(const RowsInUnits<Scalar>& units, double unit) {
  const Index samples = units.samples();
  const Index dims = units.dims();
  const Eigen::MatrixXd gram =
      accumulate_gram(dims, samples, [&](Index first, linalg::Panel::View out) { units.load_transposed(first, out); });
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  const double largest = solver.eigenvalues()(samples - 1);
  const double floor = largest * static_cast<double>(std::max(samples, dims)) * std::numeric_limits<double>::epsilon();
  const Index orthogonal = dims > samples ? 1 : 0;  // one stands for all of them
  Eigen::MatrixXd projections = Eigen::MatrixXd::Zero(samples, samples + orthogonal);
  for (Index k = 0; k < samples; ++k) {
    const double value = solver.eigenvalues()(k);
    if (value > floor) projections.col(k) = std::sqrt(value) * solver.eigenvectors().col(k);
  }
  PartitionSums sums(projections.cols(), unit);
  sums.add(projections);
  return sums;
}

/// ln (min_c F(c) / max_c F(c)), F(c) = sum_i exp(c . z_i), c over the eigenvectors of Z^T Z and their negatives.
/// -infinity where it leaves the range of double.
template <EmbeddingScalar Scalar>
[[nodiscard]] double log_partition_ratio(const linalg::MatrixView<Scalar>& z, const Rows& rows) {
  const RowsInUnits<Scalar> units(z, rows);
  const double unit = std::ldexp(1.0, units.exponent());
  const PartitionSums sums = smaller_side(units.samples(), units.dims()) == Side::dims
                                 ? partition_sums_by_dims(units, unit)
                                 : partition_sums_by_samples(units, unit);
  LogSums::Logarithm least = sums.plus(0);
  LogSums::Logarithm most = least;
  for (const LogSums* const side : {&sums.plus, &sums.minus}) {
    for (Index k = 0; k < side->lists(); ++k) {
      const LogSums::Logarithm value = (*side)(k);
      if (side->difference(value, least) < 0.0) least = value;
      if (side->difference(value, most) > 0.0) most = value;
    }
  }
  return sums.plus.difference(least, most);
}

}  // namespace collapse::statistics
