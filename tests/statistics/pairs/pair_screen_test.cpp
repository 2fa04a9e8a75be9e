#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/cosine.hpp>
#include <collapse/statistics/pairs/pair_screen.hpp>
#include <collapse/statistics/pairs/pairs.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The pairs of a matrix both ways.
template <class Scalar>
struct Prepared {
  /// Directions are taken relative to `share` of their mean.
  explicit Prepared(const Dense<Scalar>& embeddings, const Options& options = {}, double share = 1.0)
      : z(embeddings),
        view(linalg::Evaluated<Dense<Scalar>>(z).view()),
        rows(statistics::scan_rows(view, NonFinite::reject)),
        sums(statistics::sum_rows(view, rows, {.scatter = false, .direction_scatter = true})),
        moments(cosine_moments(sums.directions)),
        mean(share * sums.directions.mean()),
        selection(statistics::select_pairs(view, rows, options)),
        directions(view, rows, mean, selection) {}

  [[nodiscard]] PairDistances by_double() const {
    statistics::PairTiles<Scalar> tiles(directions, nullptr);
    return statistics::PairStatistics<statistics::PairTiles<Scalar>>(tiles, selection, moments.mean_distance,
                                                                     moments.std)
        .run();
  }
  [[nodiscard]] std::optional<PairDistances> by_float(
      std::int64_t most_remembered = statistics::TileOrder::most_remembered) const {
    return statistics::screened_pair_distances(directions, moments.mean_distance, moments.std, most_remembered);
  }
  [[nodiscard]] PairDistances by_either() const {
    return statistics::pair_distances(view, rows, selection, mean, nullptr, moments.mean_distance, moments.std);
  }

  Dense<Scalar> z;
  linalg::MatrixView<Scalar> view;
  Rows rows;
  Sums sums;
  CosineMoments moments;
  Eigen::VectorXd mean;
  PairSelection selection;
  statistics::SelectedDirections<Scalar> directions;
};

void check_same(const PairDistances& a, const PairDistances& b) {
  CHECK(a.pairs == b.pairs);
  CHECK(a.rows == b.rows);
  CHECK(a.exact == b.exact);
  CHECK(a.min == b.min);
  CHECK(a.max == b.max);
  CHECK(a.quantile == b.quantile);
  CHECK(a.standard_error == b.standard_error);
  CHECK(a.histogram == b.histogram);
}

/// All pairs, and those of a sample, which have standard errors.
template <class Scalar>
void check_both_ways(const Dense<Scalar>& z) {
  for (const Options& options : {Options{}, Options{.pair_rows = z.rows() * 2 / 3, .seed = 3}}) {
    CAPTURE(options.pair_rows);
    const Prepared<Scalar> prepared(z, options);
    const std::optional<PairDistances> screened = prepared.by_float();
    REQUIRE(screened.has_value());
    check_same(*screened, prepared.by_double());
  }
}

/// Rows on few directions whose cosines are multiples of 1 / 32 up to rounding, and that differ in nothing else.
Dense<double> on_edges(Index n, Index d) {
  Dense<double> z = Dense<double>::Zero(n, d);
  for (Index i = 0; i < n; ++i) {
    const double cosine = static_cast<double>(i % 33) / 32.0;
    z(i, 0) = cosine;
    z(i, 1 + i % (d - 1)) = std::sqrt(1.0 - cosine * cosine);
  }
  return z;
}

}  // namespace

TEST_CASE("float and double give the same bits for the pairs of healthy embeddings", "[pair_screen]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{500, 4}, {193, 40}, {250, 129}, {130, 300}}) {
    for (const double offset : {0.0, 4.0}) {
      CAPTURE(n, d, offset);
      check_both_ways(reference::gaussian<float>(n, d, 11, offset));
    }
  }
  check_both_ways(reference::gaussian<double>(200, 50, 12, 0.1));
  check_both_ways(reference::gaussian<Eigen::half>(200, 50, 13, 0.1));
}

TEST_CASE("float and double give the same bits for pairs near collapse", "[pair_screen]") {
  for (const double e : {1e-2, 1e-4, 1e-6, 1e-7}) {
    CAPTURE(e);
    check_both_ways(reference::around_a_point<double>(250, 40, e, 21));
  }
  check_both_ways(reference::around_a_point<double>(150, 300, 1e-7, 22));
  check_both_ways(reference::around_a_point<float>(250, 60, 1e-6, 23));
}

TEST_CASE("float and double give the same bits for clusters and for duplicated and opposite rows", "[pair_screen]") {
  Dense<double> z = reference::gaussian<double>(500, 30, 31);
  z.topRows(65) = z.row(499).replicate(65, 1);
  SECTION("one pair in a hundred at one value, where a quantile lies") { check_both_ways(z); }
  SECTION("opposite rows") {
    z.middleRows(65, 12) = -2.0 * z.row(499).replicate(12, 1);
    check_both_ways(z);
  }
  SECTION("two clusters") {
    const Dense<double> centres = reference::gaussian<double>(2, 30, 32);
    for (Index i = 0; i < 500; ++i) z.row(i) = centres.row(i % 2) + 0.2 * z.row(i);
    check_both_ways(z);
  }
  SECTION("a cloud beside few outliers") {
    z = reference::around_a_point<double>(500, 30, 0.2, 33);
    z.topRows(5) = reference::gaussian<double>(5, 30, 34);
    check_both_ways(z);
  }
}

TEST_CASE("float and double give the same bits whatever the lengths and units of the rows", "[pair_screen]") {
  const Dense<double> plain = reference::gaussian<double>(400, 40, 41, 0.2);
  for (const double unit : {1.0, 1e150, 1e-150, 1e-310}) {
    CAPTURE(unit);
    check_both_ways<double>(plain * unit);
  }
  reference::Random random(42);
  Dense<double> z = plain;
  for (Index i = 0; i < 400; ++i) z.row(i) *= std::exp(5.0 * random.normal());
  for (const Index i : {0, 17, 399}) z.row(i).setZero();
  check_both_ways(z);
  // Noise whose size differs from row to row by orders of magnitude: so do the parts of the pairs.
  INFO("noise of different sizes");
  for (Index i = 0; i < 400; ++i) z.row(i) = std::exp(random.normal()) * 1e-3 * plain.row(i);
  z.col(0).array() += 1.0;
  check_both_ways(z);
  // Dimensions far below the rest.
  z = plain;
  z.rightCols(10) *= 1e-30;
  check_both_ways(z);
}

TEST_CASE("float and double give the same bits for cosines on the edges of the bins", "[pair_screen]") {
  Dense<double> z = reference::gaussian<double>(600, 64, 51);
  z.topRows(66) = on_edges(66, 64);
  check_both_ways(z);
  // Rows at right angles: cosines of 0 up to rounding.
  z.topRows(60).setZero();
  for (Index i = 0; i < 60; ++i) z(i, i % 20) = 1.0 + static_cast<double>(i);
  check_both_ways(z);
}

TEST_CASE("float and double give the same bits where the error of a float is as wide as several cells",
          "[pair_screen]") {
  // Relative to the origin all products are nearly 1.
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Dense<double> z = (1.0 + 0.3 * reference::gaussian<double>(300, 128, seed).array()).matrix();
    for (const Options& options : {Options{}, Options{.pair_rows = 250}}) {
      const Prepared<double> prepared(z, options, 0.0);
      const auto cells = statistics::FineCells::around(prepared.moments.mean_distance, prepared.moments.std);
      REQUIRE(statistics::screening_error(128, 1.0, cells.low()) * cells.per_unit() > 3.0);
      const std::optional<PairDistances> screened = prepared.by_float();
      REQUIRE(screened.has_value());
      check_same(*screened, prepared.by_double());
    }
  }
}

TEST_CASE("where floats cannot tell pairs apart doubles decide", "[pair_screen]") {
  const auto check_left_to_double = [](const Dense<double>& z) {
    const Prepared<double> prepared(z);
    CHECK_FALSE(prepared.by_float().has_value());
    check_same(prepared.by_either(), prepared.by_double());
  };
  const Dense<double> plain = reference::gaussian<double>(500, 20, 61);
  SECTION("equal rows") { check_left_to_double(plain.row(0).replicate(500, 1)); }
  SECTION("one dimension") { check_left_to_double(plain.col(0)); }
  SECTION("more ties than are worth it") {
    Dense<double> z = plain;
    z.topRows(300) = z.row(499).replicate(300, 1);
    check_left_to_double(z);
  }
  SECTION("cosines on a few edges") { check_left_to_double(on_edges(500, 2)); }
  SECTION("hardly any spread of the cosines") {
    // Unit vectors along the axes and their opposites are all at right angles, but for noise.
    Dense<double> z = Dense<double>::Zero(300, 300);
    z.diagonal().setOnes();
    z += 1e-9 * reference::gaussian<double>(300, 300, 62);
    check_left_to_double(z);
  }
}

TEST_CASE("a cell with more near ties than are collected is left to double", "[pair_screen]") {
  // 68 thousand of 2.9 million pairs, few enough to be evaluated one by one.
  Dense<double> z = reference::gaussian<double>(2400, 3, 63);
  reference::Random random(64);
  for (Index i = 0; i < 370; ++i) z.row(i * 6) = (1.0 + random.uniform()) * z.row(2399);
  const Prepared<double> prepared(z);
  CHECK_FALSE(prepared.by_float().has_value());
}

TEST_CASE("large inputs are screened and have the bits of double whatever the number of threads", "[pair_screen]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{900, 200}, {2300, 16}}) {
    const Prepared<float> prepared(reference::gaussian<float>(n, d, 71, 0.2), {.pair_rows = n - 25});
    const PairDistances expected = prepared.by_double();
    reference::for_thread_counts([&, n = n](int threads) {
      CAPTURE(n, threads);
      const std::optional<PairDistances> screened = prepared.by_float();
      REQUIRE(screened.has_value());
      check_same(*screened, expected);
    });
    check_same(prepared.by_either(), expected);
  }
}

TEST_CASE("pairs that are too many to be remembered have the same bits", "[pair_screen]") {
  // Few tiles, and so many that a part of them is looked at first.
  for (const Index n : {Index{400}, Index{2900}}) {
    CAPTURE(n);
    Dense<float> z = reference::gaussian<float>(n, 3, 73, 0.2);
    const auto check = [&z] {
      for (const Index left_out : {0, 30}) {
        if (left_out == 0 && z.rows() > 400) continue;
        CAPTURE(left_out);
        const Prepared<float> prepared(z, {.pair_rows = z.rows() - left_out});
        const std::optional<PairDistances> screened = prepared.by_float(0);
        REQUIRE(screened.has_value());
        check_same(*screened, *prepared.by_float());
      }
    };
    check();
    INFO("rows sorted, with as many ties as are worth it: a part of the tiles tells little of the rest");
    for (Index i = 0; i < n; ++i) z.row(i) *= 0.2F + static_cast<float>(i / (n / 5)) * 0.1F;
    z.topRows(n / 2).col(0).array() += 1.0F;
    z.topRows(n / 12) = z.row(n - 1).replicate(n / 12, 1);
    check();
  }
}

TEST_CASE("pairs so many that the cells of their quantiles are guessed have the same bits", "[pair_screen]") {
  const Prepared<float> prepared(reference::gaussian<float>(8300, 3, 76, 0.2), {.pair_rows = 8300});
  const std::optional<PairDistances> guessed = prepared.by_float(0);
  const std::optional<PairDistances> remembered = prepared.by_float(prepared.selection.pairs());
  REQUIRE(guessed.has_value());
  REQUIRE(remembered.has_value());
  check_same(*guessed, *remembered);
}

TEST_CASE("more ties than are worth it are left to double also where the first tiles show none of them",
          "[pair_screen]") {
  Dense<float> z = reference::gaussian<float>(3100, 6, 74, 0.2);
  z.middleRows(200, 600) = z.row(0).replicate(600, 1);
  const Prepared<float> prepared(z);
  CHECK_FALSE(prepared.by_float(0).has_value());
  CHECK_FALSE(prepared.by_float().has_value());
}

TEST_CASE("float and double give the same bits in every layout", "[pair_screen]") {
  const Dense<float> z = reference::gaussian<float>(230, 21, 75);
  const Prepared<float> prepared(z, {.pair_rows = 200});
  const PairDistances expected = prepared.by_double();
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<float>& view) {
    CAPTURE(layout);
    const statistics::SelectedDirections<float> directions(view, prepared.rows, prepared.mean, prepared.selection);
    const std::optional<PairDistances> screened =
        statistics::screened_pair_distances(directions, prepared.moments.mean_distance, prepared.moments.std);
    REQUIRE(screened.has_value());
    check_same(*screened, expected);
  });
}

namespace {

/// The largest error of a place, as a share of its bound. Compares with long double, starting from the doubles v.
template <class Scalar>
double worst_share_of_bound(const Dense<Scalar>& z) {
  const Prepared<Scalar> prepared(z);
  const auto cells = statistics::FineCells::around(prepared.moments.mean_distance, prepared.moments.std);
  const statistics::ScreeningTiles<Scalar> tiles(prepared.directions, cells, prepared.moments.mean_distance);
  REQUIRE(tiles.count() <= statistics::ScreeningTiles<Scalar>::tile);
  REQUIRE(std::isfinite(tiles.error()));
  Eigen::MatrixXf places(tiles.count(), tiles.count());
  tiles.fill(0, 0, places);
  linalg::Panel panel(tiles.count(), z.cols());
  prepared.directions.load(0, panel.view(tiles.count(), z.cols()));
  const reference::Matrix v = panel.view(tiles.count(), z.cols()).matrix().template cast<Real>();
  double worst = 0.0;
  for (Index j = 0; j < tiles.count(); ++j) {
    for (Index i = j + 1; i < tiles.count(); ++i) {
      const Real h = 0.5L * (v.row(i) - v.row(j)).squaredNorm();
      const Real place = (h - static_cast<Real>(cells.low())) * static_cast<Real>(cells.per_unit());
      const Real error = std::abs(static_cast<Real>(places(i, j)) - place);
      worst = std::max(worst, static_cast<double>(error) / tiles.error());
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("no product in float is off by more than its bound", "[pair_screen]") {
  for (const Index d : {1, 2, 5, 127, 128, 129, 400}) {
    CAPTURE(d);
    for (const double offset : {0.0, 3.0}) {
      CHECK(worst_share_of_bound(reference::gaussian<double>(30, d, 81, offset)) < 1.0);
      CHECK(worst_share_of_bound(reference::gaussian<float>(30, d, 82, offset)) < 1.0);
    }
    // Sums of equal terms round in one direction.
    Dense<double> z = Dense<double>::Constant(30, d + 1, 0.7);
    for (Index i = 0; i < 30; ++i) z.row(i) *= i % 2 == 0 ? 1.0 : -1.0;
    z.col(d) = std::sqrt(0.01 * static_cast<double>(d)) * reference::gaussian<double>(30, 1, 84);
    const double share = worst_share_of_bound(z);
    CHECK(share < 1.0);
    // ... and make use of what the bound allows.
    CHECK(share > 0.1);
    if (d > 1) {
      for (const double e : {1e-3, 1e-6, 1e-7}) {
        CHECK(worst_share_of_bound(reference::around_a_point<double>(60, d, e, 83)) < 1.0);
      }
    }
  }
}

namespace {

/// The largest error of a value from the rows as they came, as a share of its bound.
template <class Scalar>
double worst_share_of_refining_bound(const Dense<Scalar>& z, double share) {
  const Prepared<Scalar> prepared(z, {}, share);
  const auto cells = statistics::FineCells::around(prepared.moments.mean_distance, prepared.moments.std);
  const statistics::ScreeningTiles<Scalar> tiles(prepared.directions, cells, prepared.moments.mean_distance);
  REQUIRE(tiles.refined_error() > 0.0);
  linalg::Panel scratch = tiles.scratch();
  double worst = 0.0;
  for (Index j = 0; j < tiles.count(); ++j) {
    for (Index i = j + 1; i < tiles.count(); ++i) {
      const double exact = tiles.template values<1>({std::pair{i, j}}, scratch)[0];
      worst = std::max(worst, std::abs(tiles.refined(i, j) - exact) / tiles.refined_error());
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("no value from the rows as they came is off by more than its bound", "[pair_screen]") {
  for (const Index d : {1, 2, 15, 16, 17, 400}) {
    for (const double offset : {0.0, 3.0}) {
      for (const double share : {0.0, 0.5, 1.0}) {
        CAPTURE(d, offset, share);
        // One dimension has two directions and nothing in between.
        const Dense<double> z = reference::gaussian<double>(30, d, 83, d == 1 ? 0.0 : offset);
        CHECK(worst_share_of_refining_bound(z, share) < 1.0);
        CHECK(worst_share_of_refining_bound<float>(z.cast<float>(), share) < 1.0);
      }
    }
  }
  CHECK(worst_share_of_refining_bound<double>(1e120 * reference::gaussian<double>(30, 20, 84), 1.0) < 1.0);
}

TEST_CASE("values are not taken from rows that leave the range of double or differ by their rounding",
          "[pair_screen]") {
  const auto refined_error = [](const Dense<double>& z) {
    const Prepared<double> prepared(z);
    const auto cells = statistics::FineCells::around(prepared.moments.mean_distance, prepared.moments.std);
    return statistics::ScreeningTiles<double>(prepared.directions, cells, prepared.moments.mean_distance)
        .refined_error();
  };
  const Dense<double> plain = reference::gaussian<double>(30, 20, 85);
  CHECK(refined_error(plain) < 1e-13);
  CHECK(std::isnan(refined_error(1e160 * plain)));
  CHECK(std::isnan(refined_error(reference::around_a_point<double>(30, 20, 1e-5, 86))));
}
