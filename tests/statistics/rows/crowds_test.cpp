#include "support/catch.hpp"

#include <collapse/statistics/rows/crowds.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace collapse;

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Rows>
Crowds crowds_of(const Rows& z) {
  const linalg::Evaluated<Rows> evaluated(z);
  const auto rows = statistics::scan_rows(evaluated.view(), NonFinite::skip_rows);
  auto sums = statistics::sum_rows(evaluated.view(), rows, {.scatter = false, .direction_scatter = false});
  sums.moments.input_epsilon = 0x1p-52;
  return statistics::crowds(evaluated.view(), rows, sums.moments);
}

/// By looking at every pair: the row with most others within the tolerance.
Index fullest_by_pairs(const Matrix& z) {
  const Eigen::RowVectorXd mean = z.colwise().mean();
  Eigen::RowVectorXd deviation =
      ((z.rowwise() - mean).colwise().squaredNorm() / static_cast<double>(z.rows() - 1)).cwiseSqrt();
  std::vector<double> sorted(deviation.data(), deviation.data() + deviation.size());
  std::sort(sorted.begin(), sorted.end());
  for (double& value : deviation) value = std::max(value, sorted[sorted.size() / 2]);
  Index most = 0;
  for (Index i = 0; i < z.rows(); ++i) {
    Index here = 0;
    for (Index j = 0; j < z.rows(); ++j) {
      const double square = ((z.row(i) - z.row(j)).array() / deviation.array()).square().mean();
      if (square <= 0.02 * 0.02) ++here;
    }
    most = std::max(most, here);
  }
  return most;
}

}  // namespace

TEST_CASE("rows on one point are counted as looking at all pairs counts them", "[crowds]") {
  for (const Index dims : {2, 7, 40, 300}) {
    for (const Index many : {20, 41, 100, 150, 190}) {
      for (const double noise : {0.0, 1e-9, 1e-4, 3e-3}) {
        CAPTURE(dims, many, noise);
        Matrix z = synthetic::isotropic<double>(200, dims, 3);
        const Matrix around = synthetic::isotropic<double>(200, dims, 4);
        for (Index i = 200 - many; i < 200; ++i) z.row(i) = z.row(0) + noise * around.row(i);
        z.row(0).setConstant(5.0);
        const Crowds found = crowds_of(z);
        REQUIRE_FALSE(found.points.empty());
        CHECK(found.rows == 200);
        CHECK(found.points[0].rows == many);
        CHECK(found.points[0].rows == fullest_by_pairs(z));
        CHECK(found.points[0].row == 200 - many);
        CHECK(found.repeated == (noise == 0.0 ? many : 0));
      }
    }
  }
}

TEST_CASE("several points are found, fullest first", "[crowds]") {
  Matrix z = synthetic::isotropic<double>(400, 16, 5);
  for (Index i = 10; i < 130; ++i) z.row(i) = z.row(10);
  for (Index i = 130; i < 200; ++i) z.row(i) = z.row(130);
  for (Index i = 200; i < 225; ++i) z.row(i) = z.row(200);
  const Crowds found = crowds_of(z);
  REQUIRE(found.points.size() >= 3);
  CHECK(found.points[0].rows == 120);
  CHECK(found.points[0].row == 10);
  CHECK(found.points[1].rows == 70);
  CHECK(found.points[2].rows == 25);
  CHECK(found.repeated == 215);
  for (std::size_t k = 3; k < found.points.size(); ++k) CHECK(found.points[k].rows == 1);
}

TEST_CASE("rows apart gather nowhere", "[crowds]") {
  for (const Index dims : {3, 16, 128}) {
    CAPTURE(dims);
    const Crowds found = crowds_of(synthetic::isotropic<double>(500, dims, 6));
    CHECK(found.repeated == 0);
    REQUIRE(found.points.size() == 1);
    CHECK(found.points[0].rows <= 2);
  }
}

TEST_CASE("units of columns and dead ones do not make rows meet", "[crowds]") {
  Matrix z = synthetic::isotropic<double>(300, 12, 7);
  // A column of zeros and ones in enormous units would make two points of all rows.
  for (Index i = 0; i < 300; ++i) z(i, 4) = i % 2 == 0 ? 0.0 : 1e9;
  z.col(5).setConstant(3.25);
  CHECK(crowds_of(z).points[0].rows == 1);
  for (Index i = 100; i < 200; ++i) z.row(i) = z.row(100);
  CHECK(crowds_of(z).points[0].rows == 100);
}

TEST_CASE("crowds do not depend on scale, on order of storage, or on rows that are skipped", "[crowds]") {
  Matrix z = synthetic::isotropic<double>(120, 10, 8);
  for (Index i = 40; i < 80; ++i) z.row(i) = z.row(40);
  for (const double scale : {1e-150, 1.0, 1e150}) {
    CAPTURE(scale);
    const Crowds rows = crowds_of(Matrix(scale * z));
    CHECK(rows.points[0].rows == 40);
    CHECK(rows.points[0].row == 40);
    const Crowds columns = crowds_of(Eigen::MatrixXd(scale * z));
    CHECK(columns.points[0].rows == 40);
    CHECK(columns.points[0].row == 40);
  }
  z(3, 3) = undefined;
  const Crowds skipped = crowds_of(z);
  CHECK(skipped.rows == 119);
  CHECK(skipped.points[0].row == 40);
}

TEST_CASE("of equal rows all lie on one point, and one row has none", "[crowds]") {
  const Crowds equal = crowds_of(Matrix(Matrix::Constant(20, 4, 2.5)));
  REQUIRE(equal.points.size() == 1);
  CHECK(equal.points[0].rows == 20);
  CHECK(equal.repeated == 20);
  CHECK(crowds_of(Matrix(Matrix::Ones(1, 4))).points.empty());
}
