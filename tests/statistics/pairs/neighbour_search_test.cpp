#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/pairs/neighbour_search.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

struct Screened {
  Index excluded = 0;   ///< pairs that a float excludes though they are no farther than the limit that they set
  Real tightest = 1.0;  ///< least (h - bound) / h over the pairs: how much the bound gives away
};

/// What floats say of all pairs of at most 96 rows.
Screened screen(const Dense<double>& z, Metric metric = Metric::euclidean) {
  const linalg::MatrixView<double> view = linalg::Evaluated<Dense<double>>(z).view();
  const Rows rows = statistics::scan_rows(view, NonFinite::reject);
  const statistics::Points<double> points(view, rows, metric);
  const statistics::ScreenedPoints<double> screened(points);
  using Packed = statistics::ScreenedPoints<double>::Packed;
  const Index n = points.count();
  linalg::Panel panel = points.panel(n);
  points.load(0, panel.view(n, z.cols()));
  linalg::Panel scratch(Packed::Kernel::group, z.cols());
  Packed packed(n, z.cols());
  screened.pack(panel.view(n, z.cols()), scratch, packed);
  Eigen::MatrixXf products = Eigen::MatrixXf::Zero(n, n);
  linalg::add_products(packed, 0, packed, 0, z.cols(), products);
  Screened result;
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      if (i == j) continue;
      const float bound = (screened.bound()[i] + screened.bound()[j]) - products(i, j);
      const double apart = linalg::distance(panel.row(i), panel.row(j), linalg::padded_depth(z.cols()));
      const float limit = screened.limit(points.ranked(apart));
      if (bound > limit) ++result.excluded;
      const Real h = static_cast<Real>(limit);
      result.tightest = std::min(result.tightest, (h - static_cast<Real>(bound)) / h);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a float never excludes a pair that is near enough", "[neighbour_search]") {
  for (const Index d : {1, 3, 128, 129, 400}) {
    for (const double spread : {1.0, 1e-3, 1e-6}) {
      CAPTURE(d, spread);
      // Pairs of nearly equal rows far from the centre: all that is left of them is rounding.
      Dense<double> z = reference::gaussian<double>(48, d, 7).replicate(2, 1);
      z += reference::gaussian<double>(96, d, 8, 0.0, spread);
      CHECK(screen(z).excluded == 0);
      if (d > 1) CHECK(screen(z, Metric::cosine).excluded == 0);
    }
  }
}

TEST_CASE("a float never excludes the second of two equal rows of equal values", "[neighbour_search]") {
  // Sums of equal terms round the same way again and again: the worst case comes near.
  reference::Random random(5);
  for (const Index d : {2, 100, 128, 300}) {
    Dense<double> z(96, d);
    for (Index i = 0; i < 48; ++i) z.row(i).setConstant(random.normal());
    z.bottomRows(48) = z.topRows(48);
    CAPTURE(d);
    CHECK(screen(z).excluded == 0);
  }
}

TEST_CASE("a float never excludes what lies where floats underflow", "[neighbour_search]") {
  for (const double far : {1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e60, 1e160}) {
    Dense<double> z = reference::gaussian<double>(90, 6, 7);
    z(3, 2) = far;
    CAPTURE(far);
    CHECK(screen(z).excluded == 0);
  }
  CHECK(screen(reference::gaussian<double>(30, 4) * 1e-310).excluded == 0);
}

TEST_CASE("floats give away little where rows are well apart", "[neighbour_search]") {
  CHECK(screen(reference::gaussian<double>(96, 256, 3)).tightest < 5e-5L);
  CHECK(screen(reference::around_a_point<double>(96, 256, 1e-9)).tightest < 5e-5L);
  CHECK(statistics::float_distance_error(768) < 1e-5);
  CHECK(statistics::float_distance_error(4) > 4.0 * 0x1p-24);
  CHECK(std::isinf(statistics::float_distance_error(Index{1} << 40)));
}
