#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/cosine.hpp>
#include <collapse/statistics/sums/float_triangle.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;
using statistics::FloatTriangle;

namespace {

constexpr Index group = linalg::MicroKernel::group;

/// Rows in the shape that the triangle takes: groups of columns, each entry by entry.
FloatTriangle packed(const Dense<double>& rows) {
  FloatTriangle triangle(rows.cols(), rows.rows());
  for (Index first = 0; first < rows.cols(); first += group) {
    std::vector<double> values(static_cast<std::size_t>(rows.rows() * group), 0.0);
    for (Index k = 0; k < rows.rows(); ++k) {
      for (Index d = 0; d < std::min(group, rows.cols() - first); ++d) {
        values[static_cast<std::size_t>(k * group + d)] = rows(k, first + d);
      }
    }
    triangle.pack(first, rows.rows(), values.data());
  }
  return triangle;
}

Eigen::MatrixXd sums_of(const FloatTriangle& triangle, Index order, Index depth) {
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(order, order);
  for (Index t = 0; t < triangle.tiles(); ++t) triangle.add(t, depth, sums);
  return sums;
}

/// The standard deviation of all cosines, pair by pair.
Real std_of_cosines(const Dense<float>& z) {
  reference::Matrix u = z.cast<Real>();
  for (Index i = 0; i < u.rows(); ++i) u.row(i) /= u.row(i).norm();
  // About the mean direction: near collapse the cosines themselves have no digits left.
  const Eigen::Matrix<Real, 1, Eigen::Dynamic> mean = u.colwise().mean();
  u.rowwise() -= mean;
  std::vector<Real> h;
  for (Index i = 0; i < u.rows(); ++i) {
    for (Index j = 0; j < i; ++j) h.push_back((u.row(i) - u.row(j)).squaredNorm() / 2.0L);
  }
  Real sum = 0.0L;
  for (const Real value : h) sum += value;
  const Real average = sum / static_cast<Real>(h.size());
  Real squares = 0.0L;
  for (const Real value : h) squares += (value - average) * (value - average);
  return std::sqrt(squares / static_cast<Real>(h.size()));
}

/// 300 rows of 256 dimensions of many kinds.
Dense<float> rows_of_kind(const std::string& kind) {
  const Dense<double> noise = reference::gaussian<double>(300, 256, 3);
  const Dense<double> points = reference::gaussian<double>(8, 256, 4);
  Dense<float> z(300, 256);
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index d = 0; d < z.cols(); ++d) {
      const double x = noise(i, d);
      double value = x;
      if (kind == "power law") value = x / static_cast<double>(d + 1);
      if (kind == "rectified") value = std::max(x, 0.0);
      if (kind == "heavy tails") value = x / (0.05 + std::abs(noise(i, 0)));
      if (kind == "1e-2 around a point") value = points(0, d) + 1e-2 * x;
      if (kind == "1e-5 around a point") value = points(0, d) + 1e-5 * x;
      if (kind == "a line") value = points(1, d) * noise(i, 1);
      if (kind == "a line beside the origin") value = points(0, d) + 0.3 * points(1, d) * noise(i, 1);
      if (kind == "eight points") value = points(i % 8, d);
      if (kind == "two points") value = points(i % 2, d);
      if (kind == "sorted clusters") value = points(i * 8 / 300, d) + 0.05 * x;
      if (kind == "one row far from all others") value = i == 299 ? -points(0, d) : points(0, d) + 1e-3 * x;
      z(i, d) = static_cast<float>(value);
    }
  }
  return z;
}

}  // namespace

TEST_CASE("products in float are those in double but for the rounding of each", "[float_triangle]") {
  // Columns of all sizes, and a last group that is not whole.
  Dense<double> rows = reference::gaussian<double>(301, 269, 7);
  for (Index d = 0; d < rows.cols(); ++d) rows.col(d) *= std::ldexp(1.0, static_cast<int>(d % 7) * 3 - 30);
  rows.middleCols(96, group) *= 1e-120;
  const Eigen::MatrixXd sums = sums_of(packed(rows), rows.cols(), rows.rows());
  const Eigen::MatrixXd expected = rows.transpose() * rows;
  double worst = 0.0;
  for (Index j = 0; j < rows.cols(); ++j) {
    for (Index i = j; i < rows.cols(); ++i) {
      const double scale = std::sqrt(expected(i, i)) * std::sqrt(expected(j, j));
      worst = std::max(worst, std::abs(sums(i, j) - expected(i, j)) / scale);
    }
  }
  CHECK(worst < 1e-6);
  CHECK(worst > 0.0);
}

TEST_CASE("a column that repeats one entry loses what rounding does to it everywhere", "[float_triangle]") {
  // Of 16 equal rows the sums are exact, so that all that is left is the rounding of the entries themselves.
  const Dense<double> row = reference::gaussian<double>(1, 256, 8);
  const Dense<double> rows = row.replicate(16, 1);
  const Eigen::MatrixXd sums = sums_of(packed(rows), 256, 16);
  const Eigen::MatrixXd expected = rows.transpose() * rows;
  double systematic = 0.0;
  for (Index d = 0; d < 256; ++d) systematic = std::max(systematic, std::abs(sums(d, d) / expected(d, d) - 1.0));
  // An entry is off by up to 6e-8, its square by twice that; what is left is from the sum.
  CHECK(systematic < 4e-7);
  CHECK(std::abs(sums.triangularView<Eigen::Lower>().toDenseMatrix().squaredNorm() /
                     expected.triangularView<Eigen::Lower>().toDenseMatrix().squaredNorm() -
                 1.0) < 5e-8);
}

TEST_CASE("what float cannot do is known before it is done", "[float_triangle]") {
  CHECK(packed(reference::gaussian<double>(1000, 256, 9)).suffices());
  CHECK(packed(Dense<double>::Zero(100, 256)).suffices());
  // Equal products round one way.
  Dense<double> two(1000, 256);
  const Dense<double> points = reference::gaussian<double>(2, 256, 10);
  for (Index i = 0; i < two.rows(); ++i) two.row(i) = (i % 2 == 0 ? 0.5 : -0.5) * (points.row(0) - points.row(1));
  CHECK_FALSE(packed(two).suffices());
  // All of it in a few columns: nothing averages out.
  Dense<double> few = reference::gaussian<double>(1000, 256, 11);
  few.leftCols(2) *= 1e4;
  CHECK_FALSE(packed(few).suffices());
}

TEST_CASE("the spread of cosines in many dimensions is right to 1e-8, of rows of every kind",
          "[float_triangle][cosine]") {
  for (const char* const kind :
       {"Gaussian", "power law", "rectified", "heavy tails", "1e-2 around a point", "1e-5 around a point", "a line",
        "a line beside the origin", "eight points", "two points", "sorted clusters", "one row far from all others"}) {
    CAPTURE(kind);
    const Dense<float> z = rows_of_kind(kind);
    const auto expected = static_cast<double>(std_of_cosines(z));
    CHECK(pairwise_cosine(z, {.pair_rows = 64}).std == Approx(expected).epsilon(1e-8));
  }
}
