#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/pairs/neighbours.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

template <class Scalar>
Neighbours neighbours_of(const linalg::MatrixView<Scalar>& view, Index k, const NeighbourOptions& options = {}) {
  const Rows rows = statistics::scan_rows(view, options.nonfinite);
  return statistics::neighbours(statistics::Points<Scalar>(view, rows, options.metric), k);
}

/// Distances between all rows from loops in long double.
reference::Matrix all_distances(const reference::Matrix& z, Metric metric) {
  const reference::Matrix points = (metric == Metric::cosine ? reference::unit_rows(z) : z).transpose();
  reference::Matrix result = reference::Matrix::Zero(points.cols(), points.cols());
  for (Index i = 0; i < points.cols(); ++i) {
    for (Index j = 0; j < i; ++j) {
      const Real square = (points.col(i) - points.col(j)).squaredNorm();
      result(i, j) = result(j, i) = metric == Metric::cosine ? square / 2.0L : std::sqrt(square);
    }
  }
  return result;
}

/// Neighbours are right when their distances are those of the sorted list, and each distance is that of its pair.
/// `tolerance` is relative.
void check_against(const Neighbours& found, const reference::Matrix& distances, Real tolerance) {
  REQUIRE(found.count() == distances.rows());
  Real worst_of_pair = 0.0L;
  Real worst_of_rank = 0.0L;
  bool distinct = true;
  const auto off = [](double measured, Real truth) {
    const Real difference = std::abs(static_cast<Real>(measured) - truth);
    return difference == 0.0L ? 0.0L : difference / truth;
  };
  for (Index i = 0; i < found.count(); ++i) {
    std::vector<Real> others;
    for (Index j = 0; j < found.count(); ++j) {
      if (j != i) others.push_back(distances(i, j));
    }
    std::sort(others.begin(), others.end());
    std::vector<Index> places;
    for (Index j = 0; j < found.k(); ++j) {
      const Index place = found.place(i, j);
      if (place < 0 || place >= found.count()) FAIL("place " << place);
      places.push_back(place);
      worst_of_pair = std::max(worst_of_pair, off(found.distance(i, j), distances(i, place)));
      worst_of_rank = std::max(worst_of_rank, off(found.distance(i, j), others[static_cast<std::size_t>(j)]));
    }
    places.push_back(i);
    std::sort(places.begin(), places.end());
    distinct = distinct && std::adjacent_find(places.begin(), places.end()) == places.end();
  }
  CHECK(distinct);
  CHECK(worst_of_pair <= tolerance);
  CHECK(worst_of_rank <= tolerance);
}

bool same(const Neighbours& a, const Neighbours& b) {
  return a.place == b.place && reference::same_bits(a.distance, b.distance) && a.rows == b.rows &&
         reference::same_bits(a.length, b.length) && a.input_epsilon == b.input_epsilon && a.metric == b.metric;
}

/// Ascending distances, and of equal ones the smaller place first.
bool ordered(const Neighbours& found) {
  for (Index i = 0; i < found.count(); ++i) {
    for (Index j = 1; j < found.k(); ++j) {
      const double before = found.distance(i, j - 1);
      const double after = found.distance(i, j);
      if (!(before < after || (before == after && found.place(i, j - 1) < found.place(i, j)))) return false;
    }
  }
  return true;
}

}  // namespace

TEMPLATE_TEST_CASE("neighbours are those of the sorted list of long double distances", "[neighbours]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  const test::OneThread one_thread;
  for (const auto& [n, d] :
       {std::pair<Index, Index>{2, 1}, {3, 2}, {23, 9}, {96, 24}, {97, 130}, {193, 20}, {260, 3}}) {
    for (const double offset : {0.0, 3.0}) {
      for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
        if (d == 1 && metric == Metric::cosine) continue;
        CAPTURE(n, d, offset, metric == Metric::cosine);
        const Dense<TestType> z = reference::gaussian<TestType>(n, d, 7, offset);
        const Neighbours found = neighbours(z, 7, {.metric = metric});
        CHECK(found.k() == std::min<Index>(7, n - 1));
        CHECK(found.input_epsilon == linalg::input_epsilon<TestType>());
        // Directions are rounded before they are subtracted: what is lost is relative to 1.
        const Real tolerance = metric == Metric::cosine ? (d == 2 || offset > 0.0 ? 1e-11L : 1e-13L) : 1e-14L;
        check_against(found, all_distances(reference::widened(z), metric), tolerance);
        CHECK(ordered(found));
      }
    }
  }
}

TEMPLATE_TEST_CASE("neighbours are right where all rows are almost equal", "[neighbours]", float, double) {
  for (const double e : {1e-3, 1e-6}) {
    CAPTURE(e);
    const Dense<TestType> z = reference::around_a_point<TestType>(220, 20, e);
    check_against(neighbours(z, 5), all_distances(reference::widened(z), Metric::euclidean), 1e-14L);
    check_against(neighbours(z, 5, {.metric = Metric::cosine}), all_distances(reference::widened(z), Metric::cosine),
                  1e-9L);
  }
}

TEST_CASE("neighbours within clusters are right where float cannot tell the rows of a cluster apart", "[neighbours]") {
  Dense<double> z = reference::gaussian<double>(300, 12, 3, 0.0, 1e-9);
  const Dense<double> centres = reference::gaussian<double>(6, 12, 4);
  for (Index i = 0; i < z.rows(); ++i) z.row(i) += centres.row(i % 6);
  check_against(neighbours(z, 6), all_distances(reference::widened(z), Metric::euclidean), 1e-14L);
}

TEST_CASE("neighbours are right beside an outlier at any distance", "[neighbours]") {
  for (const double far : {1e3, 1e10, 1e20, 1e22, 1e140}) {
    CAPTURE(far);
    Dense<double> z = reference::gaussian<double>(200, 10, 4);
    z(17, 3) = far;
    check_against(neighbours(z, 4), all_distances(reference::widened(z), Metric::euclidean), 1e-14L);
  }
}

TEST_CASE("neighbours keep their digits at every scale", "[neighbours]") {
  const test::OneThread one_thread;
  const Dense<double> z = reference::gaussian<double>(60, 6, 12, 0.5);
  for (const double scale : {1e-300, 1e-150, 1e-60, 1e60, 1e150, 1e300}) {
    CAPTURE(scale);
    const Dense<double> scaled = z * scale;
    const Neighbours found = neighbours(scaled, 5);
    CHECK(found.distance.allFinite());
    check_against(found, all_distances(reference::widened(scaled), Metric::euclidean), 1e-14L);
    check_against(neighbours(scaled, 5, {.metric = Metric::cosine}),
                  all_distances(reference::widened(scaled), Metric::cosine), 1e-11L);
  }
  const Dense<double> doubled = z * 2.0;
  CHECK(neighbours(doubled, 5).place == neighbours(z, 5).place);
  CHECK(reference::same_bits(neighbours(doubled, 5).distance, neighbours(z, 5).distance * 2.0));
}

TEST_CASE("rows longer than any double have neighbours", "[neighbours]") {
  Dense<double> z(3, 2);
  z << 1.5e308, 1.5e308, 1.5e308, 1.4e308, -1.0, 1.3e308;
  const Neighbours found = neighbours(z, 1);
  CHECK(found.place(0, 0) == 1);
  CHECK(found.distance(0, 0) == 1.5e308 - 1.4e308);
  CHECK_FALSE(found.is_duplicate(0, 0));
}

TEST_CASE("neighbours of denormal rows have denormal distances", "[neighbours]") {
  Dense<double> z(4, 1);
  z << 0.0, 3.0 * 5e-324, 10.0 * 5e-324, 11.0 * 5e-324;
  const Neighbours found = neighbours(z, 2);
  CHECK(found.place(0, 0) == 1);
  CHECK(found.place(2, 0) == 3);
  CHECK(found.place(1, 1) == 2);
  CHECK(found.distance(0, 0) == 3.0 * 5e-324);
  CHECK(found.distance(1, 1) == 7.0 * 5e-324);
}

TEST_CASE("differences far below the rest of a row are seen", "[neighbours]") {
  // A constant of 1 beside coordinates whose squares vanish.
  Dense<double> z(5, 2);
  z << 1.0, 0.0, 1.0, 1e-200, 1.0, 3e-200, 1.0, 7e-200, 1.0, 15e-200;
  const Neighbours found = neighbours(z, 1);
  CHECK(found.place(0, 0) == 1);
  CHECK(found.place(2, 0) == 1);
  CHECK(found.place(4, 0) == 3);
  CHECK(std::abs(found.distance(4, 0) / 8e-200 - 1.0) < 1e-15);
}

TEMPLATE_TEST_CASE("neighbours have the same bits in every layout", "[neighbours]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const test::OneThread one_thread;
  const Dense<TestType> z = reference::gaussian<TestType>(131, 37);
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    const Neighbours expected = neighbours(z, 6, {.metric = metric});
    reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
      CAPTURE(layout);
      CHECK(same(neighbours_of(view, 6, {.metric = metric}), expected));
    });
  }
}

TEST_CASE("neighbours have the same bits whatever the number of threads", "[neighbours]") {
  const Dense<float> z = reference::gaussian<float>(1100, 9, 1, 1.0);
  const Neighbours expected = neighbours(z, 8);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(neighbours(z, 8), expected));
  });
}

TEST_CASE("neighbours of permuted rows are permuted", "[neighbours]") {
  const Dense<double> z = reference::gaussian<double>(211, 8, 2);
  // 7 and 211 have no common factor.
  const auto moved = [](Index i) { return i * 7 % 211; };
  Dense<double> permuted(211, 8);
  for (Index i = 0; i < 211; ++i) permuted.row(moved(i)) = z.row(i);
  const Neighbours before = neighbours(z, 5);
  const Neighbours after = neighbours(permuted, 5);
  for (Index i = 0; i < 211; ++i) {
    CHECK(reference::same_bits(after.distance.row(moved(i)), before.distance.row(i)));
    for (Index j = 0; j < 5; ++j) CHECK(after.place(moved(i), j) == moved(before.place(i, j)));
  }
}

TEST_CASE("of equally far rows the first are the nearest", "[neighbours]") {
  // The corners of a simplex: all distances are the same number.
  const Dense<double> simplex = Dense<double>::Identity(230, 230);
  const Neighbours found = neighbours(simplex, 3);
  bool first = true;
  for (Index i = 0; i < 230; ++i) {
    Index expected = 0;
    for (Index j = 0; j < 3; ++j, ++expected) {
      if (expected == i) ++expected;
      first = first && found.place(i, j) == expected && found.distance(i, j) == std::sqrt(2.0);
    }
  }
  CHECK(first);
  // Points on a line: two at each distance.
  Dense<float> line(500, 1);
  for (Index i = 0; i < 500; ++i) line(i, 0) = static_cast<float>(i);
  const Neighbours on_line = neighbours(line, 4);
  CHECK(ordered(on_line));
  CHECK(on_line.place.row(250) == (Neighbours::Places(1, 4) << 249, 251, 248, 252).finished());
}

TEST_CASE("neighbours of equal rows are the first others at distance 0", "[neighbours]") {
  const Dense<float> z = reference::gaussian<float>(1, 20).replicate(450, 1);
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    const Neighbours found = neighbours(z, 3, {.metric = metric});
    CHECK(found.distance.isZero(0));
    CHECK(found.place.row(0) == (Neighbours::Places(1, 3) << 1, 2, 3).finished());
    CHECK(found.place.row(449) == (Neighbours::Places(1, 3) << 0, 1, 2).finished());
    CHECK(ordered(found));
  }
}

TEST_CASE("copies in the opposite direction are as far as cosines go", "[neighbours]") {
  Dense<double> z = reference::gaussian<double>(6, 5);
  z.row(1) = -3.0 * z.row(0);
  const Neighbours found = neighbours(z, 5, {.metric = Metric::cosine});
  CHECK(found.place(0, 4) == 1);
  CHECK(found.distance(0, 4) <= 2.0);
  CHECK(found.distance(0, 4) > 2.0 - 1e-15);
}

TEST_CASE("a row alone has no neighbours and few rows have all others", "[neighbours]") {
  const Dense<double> z = reference::gaussian<double>(4, 3);
  CHECK(neighbours(z.topRows(1), 5).k() == 0);
  CHECK(neighbours(z.topRows(1), 5).count() == 1);
  CHECK(neighbours(z, 5).k() == 3);
  CHECK(neighbours(z, 3).k() == 3);
}

TEST_CASE("rows without a direction take no part in cosine neighbours", "[neighbours]") {
  Dense<double> z = reference::gaussian<double>(7, 3);
  z.row(0).setZero();
  z.row(4).setZero();
  const Neighbours found = neighbours(z, 2, {.metric = Metric::cosine});
  CHECK(found.rows == std::vector<Index>{1, 2, 3, 5, 6});
  CHECK(found.count() == 5);
  check_against(found, all_distances(reference::widened(z), Metric::cosine), 1e-13L);
  const Neighbours euclidean = neighbours(z, 2);
  CHECK(euclidean.count() == 7);
  CHECK(euclidean.place(0, 0) == 4);
  CHECK(euclidean.distance(0, 0) == 0.0);
  CHECK(neighbours(Dense<double>(Dense<double>::Zero(3, 2)), 2, {.metric = Metric::cosine}).count() == 0);
}

TEST_CASE("neighbours refuse non-finite rows or leave them out", "[neighbours]") {
  Dense<float> z = reference::gaussian<float>(9, 3);
  z(2, 1) = std::numeric_limits<float>::quiet_NaN();
  z(5, 0) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(neighbours(z, 2), NonFiniteError);
  const Neighbours found = neighbours(z, 2, {.nonfinite = NonFinite::skip_rows});
  CHECK(found.rows == std::vector<Index>{0, 1, 3, 4, 6, 7, 8});
  Dense<float> kept(7, 3);
  for (Index i = 0; i < 7; ++i) kept.row(i) = z.row(found.rows[static_cast<std::size_t>(i)]);
  CHECK(found.place == neighbours(kept, 2).place);
  CHECK(reference::same_bits(found.distance, neighbours(kept, 2).distance));
}

TEST_CASE("neighbours name what is wrong with their arguments", "[neighbours]") {
  const Dense<double> z = reference::gaussian<double>(4, 3);
  CHECK_THROWS_AS(neighbours(z, 0), OptionError);
  CHECK_THROWS_AS(neighbours(z, -3), OptionError);
  CHECK_THROWS_AS(neighbours(z.topRows(0), 2), ShapeError);
  try {
    static_cast<void>(neighbours(z, 0));
  } catch (const OptionError& error) {
    CHECK(std::string(error.what()) == "k is 0; at least 1 neighbour must be asked for");
  }
}

TEST_CASE("rows are duplicates up to the rounding of their scalar", "[neighbours]") {
  // The spacing of floats after 1 is 2^-23, and each row may be off by half of that.
  Dense<float> z(4, 1);
  z << 1.0F, 1.0F + 0x1p-23F, 5.0F, 5.0F + 0x1p-20F;
  const Neighbours found = neighbours(z, 1);
  CHECK(found.is_duplicate(0, 0));
  CHECK(found.is_duplicate(1, 0));
  CHECK_FALSE(found.is_duplicate(2, 0));
  CHECK_FALSE(found.is_duplicate(3, 0));
  // In double the same rows are distinct.
  CHECK_FALSE(neighbours(z.cast<double>(), 1).is_duplicate(0, 0));
}
