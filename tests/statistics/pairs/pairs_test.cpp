#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/cosine.hpp>
#include <collapse/statistics/pairs/pairs.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The statistics that the pairs are computed from, computed once.
template <class Scalar>
struct Prepared {
  explicit Prepared(const Dense<Scalar>& embeddings, NonFinite policy = NonFinite::reject)
      : z(embeddings),
        view(linalg::Evaluated<Dense<Scalar>>(z).view()),
        rows(statistics::scan_rows(view, policy)),
        directions(statistics::direction_statistics(view, rows)),
        moments(cosine_moments(directions.sums, directions.products())) {}

  [[nodiscard]] PairSelection selection(const Options& options) const {
    return statistics::select_pairs(view, rows, options);
  }

  [[nodiscard]] PairDistances pairs(const Options& options = {}) const { return pairs_of_view(view, options); }

  /// Of the same rows in another layout.
  [[nodiscard]] PairDistances pairs_of_view(const linalg::MatrixView<Scalar>& same_rows, const Options& options) const {
    return statistics::pair_distances(same_rows, rows, statistics::select_pairs(same_rows, rows, options),
                                      directions.sums.mean(), directions.products(), moments.mean_distance,
                                      moments.std);
  }

  Dense<Scalar> z;
  linalg::MatrixView<Scalar> view;
  Rows rows;
  statistics::DirectionStatistics directions;
  CosineMoments moments;
};

template <class Scalar>
PairDistances pairs_of(const Dense<Scalar>& z, const Options& options = {}) {
  return Prepared<Scalar>(z).pairs(options);
}

/// Compares with the sorted list of all distances 1 - cos. `tolerance` is absolute.
void check_against(const PairDistances& pairs, const std::vector<Real>& expected, Real tolerance) {
  REQUIRE(pairs.pairs == static_cast<std::int64_t>(expected.size()));
  const auto off = [](double measured, Real truth) { return std::abs(static_cast<Real>(measured) - truth); };
  CHECK(off(pairs.min, expected.front()) <= tolerance);
  CHECK(off(pairs.max, expected.back()) <= tolerance);
  for (std::size_t q = 0; q < 7; ++q) {
    CAPTURE(cosine_probabilities[q]);
    CHECK(off(pairs.quantile[q], reference::quantile(expected, 1.0L - static_cast<Real>(cosine_probabilities[q]))) <=
          tolerance);
  }
  // A cosine within rounding of an edge may fall on either side of it.
  std::array<std::int64_t, 64> least{};
  std::array<std::int64_t, 64> most{};
  const auto bin = [](Real distance) {
    return static_cast<std::size_t>(std::clamp(std::floor((2.0L - distance) * 32.0L), 0.0L, 63.0L));
  };
  for (const Real distance : expected) {
    const std::size_t low = bin(distance + tolerance);
    const std::size_t high = bin(distance - tolerance);
    ++most[low];
    if (low == high) {
      ++least[low];
    } else {
      ++most[high];
    }
  }
  std::int64_t counted = 0;
  for (std::size_t b = 0; b < 64; ++b) {
    CAPTURE(b);
    CHECK(pairs.histogram[b] >= least[b]);
    CHECK(pairs.histogram[b] <= most[b]);
    counted += pairs.histogram[b];
  }
  CHECK(counted == pairs.pairs);
}

bool same(const PairDistances& a, const PairDistances& b) {
  return a.pairs == b.pairs && a.rows == b.rows && a.exact == b.exact && a.min == b.min && a.max == b.max &&
         a.quantile == b.quantile && a.standard_error == b.standard_error && a.histogram == b.histogram;
}

/// min <= p01 <= ... <= p99 <= max, as cosines.
bool ordered(const Cosine& cosine) {
  const std::array<double, 9> values{cosine.min, cosine.p01, cosine.p05, cosine.p25, cosine.p50,
                                     cosine.p75, cosine.p95, cosine.p99, cosine.max};
  return std::is_sorted(values.begin(), values.end()) && cosine.min >= -1.0 && cosine.max <= 1.0;
}

/// Rows on the unit circle at the given angle index of `turns` equal steps: cosines are known in closed form.
Dense<double> on_circle(const std::vector<int>& steps, int turns) {
  Dense<double> z(static_cast<Index>(steps.size()), 2);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double angle = 6.283185307179586 * steps[i] / turns;
    z.row(static_cast<Index>(i)) << std::cos(angle), std::sin(angle);
  }
  return z;
}

}  // namespace

TEMPLATE_TEST_CASE("extremes, quantiles and histogram are those of the sorted list of all pairs", "[pairs]", float,
                   double, Eigen::half, Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 1},
                             {2, 2},
                             {3, 2},
                             {65, 64},
                             {64, 65},
                             {255, 7},
                             {256, 7},
                             {257, 7},
                             {257, 300},
                             {513, 3}}) {
    CAPTURE(n, d);
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 51, 0.2);
    const PairDistances pairs = pairs_of(z);
    CHECK(pairs.rows == n);
    CHECK(pairs.exact);
    check_against(pairs, reference::distances(reference::unit_rows(reference::widened(z))), 2e-15L);
    for (const double error : pairs.standard_error) CHECK(error == 0.0);
  }
}

TEST_CASE("mean and std of the cosines are those of the list of all pairs", "[pairs]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 2}, {65, 64}, {64, 65}, {257, 7}, {120, 120}}) {
    for (const double offset : {0.0, 0.5, 20.0}) {
      CAPTURE(n, d, offset);
      const Prepared<float> prepared(reference::gaussian<float>(n, d, 53, offset));
      const std::vector<Real> all = reference::distances(reference::unit_rows(reference::widened(prepared.z)));
      const reference::MeanStd truth = reference::mean_std(all);
      CHECK(std::abs(static_cast<Real>(prepared.moments.mean_distance) - truth.mean) < 1e-13L * truth.mean);
      CHECK(std::abs(static_cast<Real>(prepared.moments.mean) - (1.0L - truth.mean)) < 1e-15L);
      CHECK(std::abs(static_cast<Real>(prepared.moments.std) - truth.std) < 1e-7L * truth.mean);
      if (n > 2) CHECK(std::abs(static_cast<Real>(prepared.moments.std) - truth.std) < 1e-12L * truth.std);
    }
  }
}

TEST_CASE("near collapse 1 - cos keeps its digits, down to 1e-12", "[pairs]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{300, 8}, {60, 100}}) {
    for (const double e : {1e-3, 1e-6, 3e-7}) {
      CAPTURE(n, d, e);
      const Prepared<double> prepared(reference::around_a_point<double>(n, d, e / std::sqrt(static_cast<double>(d))));
      const std::vector<Real> expected = reference::distances(reference::unit_rows(reference::widened(prepared.z)));
      const reference::MeanStd truth = reference::mean_std(expected);
      const PairDistances pairs = prepared.pairs();
      // Directions are rounded at 1e-16, their differences are of size e.
      check_against(pairs, expected, truth.mean * (1e-14L + 4e-16L / static_cast<Real>(e)));
      const Real relative = 1e-13L + 1e-15L / static_cast<Real>(e);
      CHECK(std::abs(static_cast<Real>(prepared.moments.mean_distance) - truth.mean) < relative * truth.mean);
      CHECK(std::abs(static_cast<Real>(prepared.moments.std) - truth.std) < 10.0L * relative * truth.std);
    }
  }
}

TEST_CASE("duplicates and antipodes are at the ends", "[pairs]") {
  for (const Index d : {3, 400}) {
    CAPTURE(d);
    Dense<double> z = reference::gaussian<double>(300, d, 55);
    z.topRows(20) = z.row(299).replicate(20, 1);
    z.middleRows(20, 20) = -3.0 * z.row(299).replicate(20, 1);
    const Prepared<double> prepared(z);
    const PairDistances pairs = prepared.pairs();
    check_against(pairs, reference::distances(reference::unit_rows(reference::widened(z))), 2e-15L);
    const Cosine cosine = pairwise_cosine(prepared.moments, pairs);
    CHECK(std::abs(cosine.max - 1.0) < 1e-15);
    CHECK(cosine.max <= 1.0);
    CHECK(std::abs(cosine.min + 1.0) < 1e-15);
    CHECK(cosine.min >= -1.0);
    CHECK(cosine.histogram[63] >= 210 + 190);
    CHECK(cosine.histogram[0] >= 21 * 20);
  }
}

TEST_CASE("cosines of exactly -1 and 1 are counted in the first and the last bin", "[pairs]") {
  for (const Index n : {2, 5, 300}) {
    Dense<float> z(n, 1);
    for (Index i = 0; i < n; ++i) z(i, 0) = i % 2 == 0 ? 2.0F : -5.0F;
    const PairDistances pairs = pairs_of(z);
    const std::int64_t half = n / 2;
    const std::int64_t other = n - half;
    CHECK(pairs.histogram[0] == half * other);
    CHECK(pairs.histogram[63] == half * (half - 1) / 2 + other * (other - 1) / 2);
    CHECK(pairs.min == (n == 2 ? 2.0 : 0.0));
    CHECK(pairs.max == 2.0);
  }
}

TEST_CASE("the bins of the histogram are closed below", "[pairs]") {
  // Cosines of 0, 0.6 and 0.8 between rows whose lengths are whole numbers.
  Dense<double> z(3, 2);
  z << 3, 4, 1, 0, 0, 1;
  const PairDistances pairs = pairs_of(z);
  CHECK(pairs.histogram[51] == 1);
  CHECK(pairs.histogram[57] == 1);
  CHECK(pairs.histogram[31] + pairs.histogram[32] == 1);
}

TEST_CASE("rows of length 0 are in no pair", "[pairs]") {
  for (const Index d : {5, 200}) {
    Dense<float> z = reference::gaussian<float>(150, d, 57, 0.3);
    for (const Index i : {0, 1, 75, 149}) z.row(i).setZero();
    const Prepared<float> prepared(z);
    const PairDistances pairs = prepared.pairs();
    CHECK(pairs.rows == 146);
    CHECK(pairs.exact);
    const std::vector<Real> expected = reference::distances(reference::unit_rows(reference::widened(z)));
    check_against(pairs, expected, 2e-15L);
    const reference::MeanStd truth = reference::mean_std(expected);
    CHECK(std::abs(static_cast<Real>(prepared.moments.mean) - (1.0L - truth.mean)) < 1e-15L);
    CHECK(std::abs(static_cast<Real>(prepared.moments.std) - truth.std) < 1e-13L);
  }
}

TEST_CASE("fewer than two directions make no pair", "[pairs]") {
  for (const Index nonzero : {0, 1}) {
    for (const Index d : {2, 20}) {
      Dense<float> z = Dense<float>::Zero(8, d);
      if (nonzero == 1) z(3, 1) = 2.0F;
      const Prepared<float> prepared(z);
      const PairDistances pairs = prepared.pairs();
      CHECK(pairs.pairs == 0);
      CHECK(pairs.rows == nonzero);
      CHECK(std::isnan(pairs.min));
      CHECK(std::isnan(pairs.max));
      for (const double value : pairs.quantile) CHECK(std::isnan(value));
      const Cosine cosine = pairwise_cosine(prepared.moments, pairs);
      CHECK(std::isnan(cosine.mean));
      CHECK(std::isnan(cosine.std));
      CHECK(std::isnan(cosine.min));
      CHECK(std::isnan(cosine.p50));
    }
  }
}

TEST_CASE("quantiles lie between the extremes and in order, also among equal cosines", "[pairs]") {
  reference::Random random(59);
  for (int trial = 0; trial < 300; ++trial) {
    const auto n = static_cast<Index>(2 + random.next() % 40);
    const auto d = static_cast<Index>(1 + random.next() % 12);
    const auto modes = static_cast<Index>(1 + random.next() % 4);
    const Dense<double> centres = reference::gaussian<double>(modes, d, random.next());
    Dense<double> z(n, d);
    for (Index i = 0; i < n; ++i) z.row(i) = (0.1 + random.uniform()) * centres.row(i % modes);
    const Cosine cosine = pairwise_cosine(z);
    CAPTURE(n, d, modes, trial);
    CAPTURE(cosine.min, cosine.p01, cosine.p05, cosine.p25, cosine.p50, cosine.p75, cosine.p95, cosine.p99, cosine.max);
    CHECK(ordered(cosine));
    CHECK(cosine.mean >= -1.0);
    CHECK(cosine.mean <= 1.0);
  }
}

TEST_CASE("more equal cosines than a cell may hold still give exact quantiles", "[pairs]") {
  // Five directions, the first with most rows: 3.1 million pairs, of which 1.6 million have one and the same cosine.
  std::vector<int> steps;
  for (int i = 0; i < 2500; ++i) steps.push_back(i < 1800 ? 0 : i % 5);
  const PairDistances pairs = pairs_of(on_circle(steps, 5));
  std::array<std::int64_t, 5> members{};
  for (const int step : steps) ++members[static_cast<std::size_t>(step)];
  std::vector<std::pair<Real, std::int64_t>> levels{{0.0L, 0}, {0.0L, 0}, {0.0L, 0}};
  for (std::size_t a = 0; a < 5; ++a) {
    levels[0].second += members[a] * (members[a] - 1) / 2;
    for (std::size_t b = 0; b < a; ++b) {
      const std::size_t apart = std::min(a - b, 5 - (a - b));
      levels[apart].first = 1.0L - std::cos(2.0L * 3.14159265358979323846264L * static_cast<Real>(apart) / 5.0L);
      levels[apart].second += members[a] * members[b];
    }
  }
  const auto at_rank = [&](std::int64_t rank) {
    for (const auto& [distance, count] : levels) {
      if (rank < count) return distance;
      rank -= count;
    }
    return -1.0L;
  };
  for (std::size_t q = 0; q < 7; ++q) {
    const Real at = (1.0L - static_cast<Real>(cosine_probabilities[q])) * static_cast<Real>(pairs.pairs - 1);
    const auto below = static_cast<std::int64_t>(std::floor(at));
    const Real expected = at_rank(below) + (at - std::floor(at)) * (at_rank(below + 1) - at_rank(below));
    CAPTURE(cosine_probabilities[q]);
    CHECK(std::abs(static_cast<Real>(pairs.quantile[q]) - expected) < 1e-15L);
  }
}

TEST_CASE("a tight cloud beside a few opposite rows still gives exact quantiles", "[pairs]") {
  // The outliers set the standard deviation; nearly all pairs fall in one cell and are closer than it is wide.
  Dense<double> z = reference::around_a_point<double>(2000, 4, 1e-5);
  for (Index i = 0; i < 40; ++i) z.row(50 * i) *= -1.0;
  const PairDistances pairs = pairs_of(z);
  const std::vector<Real> expected = reference::distances(reference::unit_rows(reference::widened(z)));
  // Near 0 the rounding of the directions' mean part, 1e-16, is what is left.
  check_against(pairs, expected, 2e-15L);
}

TEST_CASE("half of the rows equal and half spread, more pairs in a cell than it may hold", "[pairs]") {
  Dense<float> z = reference::gaussian<float>(3000, 3, 61);
  z.topRows(2200) = z.row(2999).replicate(2200, 1);
  const PairDistances pairs = pairs_of(z);
  check_against(pairs, reference::distances(reference::unit_rows(reference::widened(z))), 2e-15L);
}

TEST_CASE("pairs have the same numbers in every layout", "[pairs]") {
  for (const Index n : {131, 29}) {
    const Dense<float> z = reference::gaussian<float>(n, 41);
    const Options options{.pair_rows = 20, .seed = 4};
    const PairDistances expected = pairs_of(z, options);
    reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<float>& view) {
      CAPTURE(n, layout);
      CHECK(same(Prepared<float>(z).pairs_of_view(view, options), expected));
    });
  }
}

TEST_CASE("pairs have the same bits whatever the number of threads", "[pairs]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{1300, 11}, {400, 500}}) {
    const Prepared<float> prepared(reference::gaussian<float>(n, d, 63, 0.2));
    for (const Options& options : {Options{}, Options{.pair_rows = 300, .seed = 2}}) {
      const PairDistances expected = prepared.pairs(options);
      reference::for_thread_counts([&](int threads) {
        CAPTURE(n, d, threads);
        CHECK(same(prepared.pairs(options), expected));
      });
    }
  }
}

TEST_CASE("beyond pair_rows the pairs are those of the sampled rows", "[pairs]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{700, 6}, {90, 130}}) {
    CAPTURE(n, d);
    Dense<double> z = reference::gaussian<double>(n, d, 65, 0.3);
    z.row(7).setZero();
    z.row(40).setZero();
    const Prepared<double> prepared(z);
    const Options options{.pair_rows = 65, .seed = 11};
    const PairDistances pairs = prepared.pairs(options);
    CHECK(pairs.rows == 65);
    CHECK(pairs.pairs == 65 * 64 / 2);
    CHECK_FALSE(pairs.exact);
    const PairSelection selection = prepared.selection(options);
    Dense<double> sample(65, d);
    for (Index i = 0; i < 65; ++i) sample.row(i) = z.row(selection.rows[static_cast<std::size_t>(i)]);
    check_against(pairs, reference::distances(reference::unit_rows(reference::widened(sample))), 2e-15L);
  }
}

TEST_CASE("all_pairs looks at all rows beyond pair_rows", "[pairs]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{520, 6}, {90, 130}}) {
    const Dense<float> z = reference::gaussian<float>(n, d, 67, 0.3);
    const PairDistances all = pairs_of(z, {.pair_rows = 10, .all_pairs = true});
    CHECK(all.exact);
    CHECK(all.rows == n);
    CHECK(same(all, pairs_of(z, {.pair_rows = n})));
    CHECK_FALSE(pairs_of(z, {.pair_rows = n - 1}).exact);
  }
}

TEST_CASE("all pairs of more rows than are kept in memory are exact", "[pairs]") {
  // 33.7 million pairs of 9 directions, in shares that are known.
  std::vector<int> steps;
  for (int i = 0; i < 8210; ++i) steps.push_back((i * i) % 9);
  const PairDistances pairs = pairs_of(on_circle(steps, 9), {.all_pairs = true});
  CHECK(pairs.rows == 8210);
  CHECK(pairs.pairs == std::int64_t{8210} * 8209 / 2);
  std::array<std::int64_t, 9> members{};
  for (const int step : steps) ++members[static_cast<std::size_t>(step)];
  std::array<std::int64_t, 5> count{};
  for (std::size_t a = 0; a < 9; ++a) {
    count[0] += members[a] * (members[a] - 1) / 2;
    for (std::size_t b = 0; b < a; ++b) count[std::min(a - b, 9 - (a - b))] += members[a] * members[b];
  }
  std::array<std::int64_t, 64> histogram{};
  std::array<Real, 5> level{};
  for (std::size_t k = 0; k < 5; ++k) {
    level[k] = 1.0L - std::cos(2.0L * 3.14159265358979323846264L * static_cast<Real>(k) / 9.0L);
    histogram[static_cast<std::size_t>(std::min(std::floor((2.0L - level[k]) * 32.0L), 63.0L))] += count[k];
  }
  CHECK(pairs.histogram == histogram);
  for (std::size_t q = 0; q < 7; ++q) {
    auto rank = static_cast<std::int64_t>((1.0 - cosine_probabilities[q]) * static_cast<double>(pairs.pairs - 1));
    std::size_t k = 0;
    while (rank >= count[k]) rank -= count[k++];
    CAPTURE(cosine_probabilities[q]);
    CHECK(std::abs(static_cast<Real>(pairs.quantile[q]) - level[k]) < 2e-15L);
  }
}

TEST_CASE("sampled rows are distinct, ascending, have a direction and depend on the seed", "[pairs]") {
  Dense<float> z = reference::gaussian<float>(1000, 3);
  for (Index i = 0; i < 1000; i += 3) z.row(i).setZero();
  const Prepared<float> prepared(z);
  const auto sample = [&](std::uint64_t seed) { return prepared.selection({.pair_rows = 100, .seed = seed}).rows; };
  const std::vector<Index> rows = sample(5);
  CHECK(rows.size() == 100);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i] % 3 != 0);
    if (i > 0) CHECK(rows[i] > rows[i - 1]);
  }
  CHECK(sample(5) == rows);
  CHECK(sample(6) != rows);
  CHECK(sample(0) != sample(1));
  const PairSelection all = prepared.selection({.pair_rows = 666});
  CHECK(all.exact());
  CHECK(all.population == 666);
  CHECK(all.rows.size() == 666);
}

TEST_CASE("every row and every pair of rows is sampled equally often", "[pairs]") {
  // 20 of 50 rows, 4000 seeds.
  const Prepared<float> prepared(reference::gaussian<float>(50, 3));
  Eigen::MatrixXd together = Eigen::MatrixXd::Zero(50, 50);
  constexpr int draws = 4000;
  for (int seed = 0; seed < draws; ++seed) {
    const PairSelection selection = prepared.selection({.pair_rows = 20, .seed = static_cast<std::uint64_t>(seed)});
    REQUIRE(selection.rows.size() == 20);
    for (const Index a : selection.rows) {
      for (const Index b : selection.rows) together(a, b) += 1.0;
    }
  }
  // Counts of a draw without replacement: variance p (1 - p) per row and draw, which sums over rows with 49 degrees of
  // freedom times 50 / 49.
  const double single = draws * 0.4;
  const double chi_square = (together.diagonal().array() - single).square().sum() / (draws * 0.4 * 0.6) * 49.0 / 50.0;
  CHECK(chi_square > 49.0 - 4.0 * std::sqrt(98.0));
  CHECK(chi_square < 49.0 + 4.0 * std::sqrt(98.0));
  const double p = 0.4 * 19.0 / 49.0;
  double pair_square = 0.0;
  for (Index i = 0; i < 50; ++i) {
    for (Index j = 0; j < i; ++j) pair_square += std::pow(together(i, j) - draws * p, 2) / (draws * p * (1.0 - p));
  }
  // 1225 pairs, nearly independent.
  CHECK(pair_square > 1225.0 - 5.0 * std::sqrt(2450.0));
  CHECK(pair_square < 1225.0 + 5.0 * std::sqrt(2450.0));
}

namespace {

struct Spread {
  std::array<double, 7> real{};      ///< standard deviation of the sampled quantile over seeds
  std::array<double, 7> reported{};  ///< mean standard error
};

template <class Scalar>
Spread spread_over_seeds(const Dense<Scalar>& z, Index pair_rows, int seeds) {
  const Prepared<Scalar> prepared(z);
  Spread spread;
  std::array<std::vector<Real>, 7> values;
  for (int seed = 0; seed < seeds; ++seed) {
    const PairDistances pairs = prepared.pairs({.pair_rows = pair_rows, .seed = static_cast<std::uint64_t>(seed)});
    for (std::size_t q = 0; q < 7; ++q) {
      values[q].push_back(static_cast<Real>(pairs.quantile[q]));
      spread.reported[q] += pairs.standard_error[q] / seeds;
    }
  }
  for (std::size_t q = 0; q < 7; ++q) spread.real[q] = static_cast<double>(reference::mean_std(values[q]).std);
  return spread;
}

}  // namespace

TEST_CASE("standard errors are within a factor of two of the spread over seeds", "[pairs]") {
  SECTION("around the origin") {
    const Spread spread = spread_over_seeds(reference::gaussian<float>(1500, 8, 71), 150, 150);
    for (std::size_t q = 0; q < 7; ++q) {
      CAPTURE(cosine_probabilities[q], spread.real[q], spread.reported[q]);
      CHECK(spread.reported[q] < 2.0 * spread.real[q]);
      CHECK(spread.reported[q] > 0.5 * spread.real[q]);
    }
  }
  SECTION("in a cone") {
    const Spread spread = spread_over_seeds(reference::gaussian<float>(1500, 8, 73, 1.0), 150, 150);
    for (std::size_t q = 0; q < 7; ++q) {
      CAPTURE(cosine_probabilities[q], spread.real[q], spread.reported[q]);
      CHECK(spread.reported[q] < 2.0 * spread.real[q]);
      CHECK(spread.reported[q] > 0.5 * spread.real[q]);
    }
  }
  SECTION("near collapse") {
    const Spread spread = spread_over_seeds(reference::around_a_point<double>(1500, 8, 1e-5, 75), 150, 150);
    for (std::size_t q = 0; q < 7; ++q) {
      CAPTURE(cosine_probabilities[q], spread.real[q], spread.reported[q]);
      CHECK(spread.reported[q] < 2.0 * spread.real[q]);
      CHECK(spread.reported[q] > 0.5 * spread.real[q]);
    }
  }
  SECTION("most of the population drawn") {
    const Spread spread = spread_over_seeds(reference::gaussian<float>(160, 200, 77, 0.3), 120, 200);
    for (std::size_t q = 0; q < 7; ++q) {
      CAPTURE(cosine_probabilities[q], spread.real[q], spread.reported[q]);
      CHECK(spread.reported[q] < 2.0 * spread.real[q]);
      CHECK(spread.reported[q] > 0.5 * spread.real[q]);
    }
  }
  SECTION("a near-collapsed cloud with one row in fifty elsewhere") {
    Dense<double> z = reference::around_a_point<double>(1500, 8, 1e-3, 79);
    z.topRows(30) = reference::gaussian<double>(30, 8, 80);
    const Spread spread = spread_over_seeds(z, 150, 150);
    for (const std::size_t q : {std::size_t{4}, std::size_t{5}, std::size_t{6}}) {
      CAPTURE(cosine_probabilities[q], spread.real[q], spread.reported[q]);
      CHECK(spread.reported[q] < 2.0 * spread.real[q]);
      CHECK(spread.reported[q] > 0.5 * spread.real[q]);
    }
  }
}

TEST_CASE("scales have no influence on pairs", "[pairs]") {
  for (const Index d : {6, 130}) {
    const Dense<double> plain = reference::gaussian<double>(100, d, 81, 0.3);
    const PairDistances expected = pairs_of(plain);
    for (const int exponent : {-1000, -500, 500, 990}) {
      Dense<double> z = plain;
      for (Index i = 0; i < 100; ++i) z.row(i) *= std::ldexp(1.0, i % 2 == 0 ? exponent : exponent / 3);
      const PairDistances pairs = pairs_of(z);
      CAPTURE(d, exponent);
      for (std::size_t q = 0; q < 7; ++q) CHECK(std::abs(pairs.quantile[q] - expected.quantile[q]) < 2e-15);
      CHECK(std::abs(pairs.min - expected.min) < 2e-15);
      CHECK(std::abs(pairs.max - expected.max) < 2e-15);
    }
  }
}

TEST_CASE("skipped rows are in no pair", "[pairs]") {
  for (const Index d : {5, 200}) {
    Dense<double> z = reference::gaussian<double>(100, d, 83, 0.3);
    z(0, 3) = std::numeric_limits<double>::quiet_NaN();
    z(70, 0) = std::numeric_limits<double>::infinity();
    Dense<double> rest(98, d);
    rest << z.middleRows(1, 69), z.bottomRows(29);
    const PairDistances pairs = Prepared<double>(z, NonFinite::skip_rows).pairs();
    CHECK(pairs.rows == 98);
    check_against(pairs, reference::distances(reference::unit_rows(reference::widened(rest))), 2e-15L);
  }
}
