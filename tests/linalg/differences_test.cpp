#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/linalg/differences.hpp>

#include <array>
#include <cmath>

using namespace collapse;
using Eigen::Index;
using reference::Real;

TEST_CASE("distances are those of long double loops at every depth and scale", "[differences]") {
  for (const Index d : {1, 7, 8, 9, 40}) {
    for (const double scale : {1e-300, 1e-160, 1.0, 1e160, 1e300}) {
      CAPTURE(d, scale);
      const Index depth = linalg::padded_depth(d);
      Eigen::MatrixXd vectors = Eigen::MatrixXd::Zero(depth, 8);
      vectors.topRows(d) = reference::gaussian<double>(d, 8, 3) * scale;
      std::array<const double*, 4> x{};
      std::array<const double*, 4> y{};
      for (std::size_t p = 0; p < 4; ++p) {
        x[p] = vectors.col(static_cast<Index>(p)).data();
        y[p] = vectors.col(static_cast<Index>(p) + 4).data();
      }
      const std::array<double, 4> found = linalg::distances(x, y, depth);
      const reference::Matrix wide = reference::widened(vectors);
      for (std::size_t p = 0; p < 4; ++p) {
        const auto at = static_cast<Index>(p);
        const Real expected = std::sqrt((wide.col(at) - wide.col(at + 4)).squaredNorm());
        CHECK(std::abs(static_cast<Real>(found[p]) / expected - 1.0L) < 1e-15L);
        // The same bits alone and the other way round.
        CHECK(linalg::distance(x[p], y[p], depth) == found[p]);
        CHECK(linalg::distance(y[p], x[p], depth) == found[p]);
        CHECK(linalg::distance(x[p], x[p], depth) == 0.0);
      }
    }
  }
}

TEST_CASE("a distance keeps its digits where the vectors almost agree", "[differences]") {
  Eigen::VectorXd x = Eigen::VectorXd::Constant(8, 1.0);
  Eigen::VectorXd y = x;
  y(2) += 3.0 * 0x1p-50;
  y(5) -= 4.0 * 0x1p-50;
  CHECK(linalg::distance(x.data(), y.data(), 8) == 5.0 * 0x1p-50);
  x.setZero();
  y.setZero();
  y(0) = 5e-324;
  CHECK(linalg::distance(x.data(), y.data(), 8) == 5e-324);
}
