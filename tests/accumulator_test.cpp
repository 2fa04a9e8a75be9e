#include <collapse/accumulator.hpp>
#include <collapse/measure.hpp>

#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Numbers;
using reference::numbers;
using reference::Random;
using reference::RowMajor;

namespace {

/// Whether a number follows from moments. Singular values are looked at through the numbers made of them: those far
/// below the largest have few digits, on which nothing else depends.
bool from_moments(const std::string& name) {
  if (name == "cosine.mean" || name == "cosine.std") return true;
  const auto begins = [&name](const char* start) { return name.rfind(start, 0) == 0; };
  // Of the sample of rows.
  for (const char* start : {"variance.largest_point", "variance.duplicate_rows", "variance.crowded", "norms.outlier"}) {
    if (begins(start)) return false;
  }
  if (begins("diagnosis.findings") && name.find("variance.largest_point") != std::string::npos) return false;
  return !begins("cosine.") && !begins("finding ") && name.find(".singular_values") == std::string::npos;
}

void check_equal(const Report& measured, const Report& expected, double tolerance) {
  const auto kept = [](Numbers all) {
    std::erase_if(all, [](const auto& number) { return !from_moments(number.first); });
    return all;
  };
  const Numbers left = kept(numbers(measured));
  const Numbers right = kept(numbers(expected));
  REQUIRE(left.size() == right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    REQUIRE(left[i].first == right[i].first);
    CAPTURE(right[i].first, left[i].second, right[i].second);
    const bool same = left[i].second == right[i].second || (std::isnan(left[i].second) && std::isnan(right[i].second));
    CHECK((same || std::abs(left[i].second - right[i].second) <= tolerance * std::abs(right[i].second)));
  }
}

/// `centre` in the first dimension, then noise whose scale falls along the dimensions.
template <class Scalar>
RowMajor<Scalar> rows_around(Index rows, Index dims, double centre, double noise, std::uint64_t seed = 1) {
  Random random(seed);
  RowMajor<Scalar> z(rows, dims);
  for (Index i = 0; i < rows; ++i) {
    for (Index d = 0; d < dims; ++d) {
      const double share = 1.0 / (1.0 + 0.1 * static_cast<double>(d));
      z(i, d) = static_cast<Scalar>((d == 0 ? centre : 0.3 * centre) + noise * share * random.normal());
    }
  }
  return z;
}

constexpr Index dims = 24;
const Options few{.method = SpectrumMethod::gram, .pair_rows = 64};

/// Adds z in batches of random sizes from 0 to `most`.
template <class Scalar>
void add_in_batches(Accumulator& to, const RowMajor<Scalar>& z, Index most, std::uint64_t seed) {
  Random random(seed);
  for (Index done = 0; done < z.rows();) {
    const Index count =
        std::min<Index>(z.rows() - done, static_cast<Index>(random.next() % static_cast<std::uint64_t>(most + 1)));
    to.update(z.middleRows(done, count));
    done += count;
  }
}

}  // namespace

TEST_CASE("rows that are held give the report of one measurement bit for bit", "[accumulator]") {
  const RowMajor<float> z = rows_around<float>(60, dims, 1.0, 1.0);
  Accumulator seen(dims, few);
  add_in_batches(seen, z, 7, 3);
  const Report expected = measure(z, few);
  check_equal(seen.report(), expected, 0.0);
  CHECK(seen.count() == 60);
  CHECK(seen.report().cosine.p50 == expected.cosine.p50);
  CHECK(seen.report().cosine.histogram == expected.cosine.histogram);
}

TEMPLATE_TEST_CASE("any split into batches agrees with one pass", "[accumulator]", float, double) {
  for (const double noise : {1.0, 1e-2, 1e-4, 1e-6}) {
    const RowMajor<TestType> z = rows_around<TestType>(2600, dims, 1.0, noise);
    const Report expected = measure(z, few);
    for (const Index most : {Index{1}, Index{100}, Index{1500}, Index{2600}}) {
      CAPTURE(noise, most);
      Accumulator seen(dims, few);
      add_in_batches(seen, z, most, 5);
      check_equal(seen.report(), expected, 1e-10);
    }
  }
}

TEMPLATE_TEST_CASE("any tree of merges agrees with one pass near collapse", "[accumulator]", float, double) {
  const RowMajor<TestType> z = rows_around<TestType>(5200, dims, 1.0, 1e-6);
  const Report expected = measure(z, few);
  for (const std::size_t parts : {1U, 2U, 7U, 64U}) {
    CAPTURE(parts);
    std::vector<Accumulator> forest;
    for (std::size_t p = 0; p < parts; ++p) {
      const Index begin = static_cast<Index>(p) * z.rows() / static_cast<Index>(parts);
      const Index end = static_cast<Index>(p + 1) * z.rows() / static_cast<Index>(parts);
      forest.emplace_back(dims, few).update(z.middleRows(begin, end - begin));
    }
    Random random(parts);
    while (forest.size() > 1) {
      std::swap(forest[random.next() % forest.size()], forest.back());
      const Accumulator taken = std::move(forest.back());
      forest.pop_back();
      forest[random.next() % forest.size()].merge(taken);
    }
    check_equal(forest.front().report(), expected, 1e-10);
    CHECK(forest.front().report().cosine.sampled_rows == 64);
  }
}

TEST_CASE("parts with far centres merge without loss", "[accumulator]") {
  RowMajor<double> z(3000, dims);
  for (Index part = 0; part < 3; ++part) {
    z.middleRows(part * 1000, 1000) = rows_around<double>(1000, dims, std::pow(10.0, static_cast<double>(part)), 1e-5,
                                                          7 + static_cast<std::uint64_t>(part));
  }
  const Report expected = measure(z, few);
  Accumulator all(dims, few);
  for (const Index part : {2, 0, 1}) {
    Accumulator own(dims, few);
    own.update(z.middleRows(part * 1000, 1000));
    all.merge(own);
  }
  check_equal(all.report(), expected, 1e-10);
}

TEST_CASE("the order of the rows does not matter", "[accumulator]") {
  const RowMajor<float> z = rows_around<float>(2000, dims, 1.0, 1e-4);
  Accumulator forward(dims, few);
  Accumulator backward(dims, few);
  forward.update(z);
  backward.update(z.colwise().reverse());
  check_equal(backward.report(), forward.report(), 1e-10);
}

TEST_CASE("an accumulator that merges itself counts every row twice", "[accumulator]") {
  const RowMajor<double> z = rows_around<double>(400, dims, 1.0, 0.1);
  RowMajor<double> twice(800, dims);
  twice << z, z;
  Accumulator seen(dims, few);
  seen.update(z);
  seen.merge(seen);
  check_equal(seen.report(), measure(twice, few), 1e-10);
}

TEST_CASE("the cosines of a stream come from a uniform sample of its rows", "[accumulator]") {
  // Two directions, a quarter of the rows in the first: among the pairs of a sample of m rows about 1 - 2/4 3/4 = 5/8
  // are alike. Every row is offered once, whichever part it came with.
  constexpr Index rows = 4000;
  Options options = few;
  options.pair_rows = 400;
  RowMajor<float> z = RowMajor<float>::Zero(rows, 2);
  for (Index i = 0; i < rows; ++i) z(i, i < rows / 4 ? 0 : 1) = 1.0F;
  Accumulator all(2, options);
  // The smallest part last: parts must count by their rows.
  for (const auto& [begin, end] : {std::pair<Index, Index>{600, 4000}, {50, 600}, {0, 50}}) {
    Accumulator own(2, options);
    own.update(z.middleRows(begin, end - begin));
    all.merge(own);
  }
  const Report report = all.report();
  CHECK(report.cosine.sampled_rows == 400);
  CHECK_FALSE(report.cosine.exact);
  const double alike = static_cast<double>(report.cosine.histogram.back()) / static_cast<double>(report.cosine.pairs);
  // Four standard errors of the share of the first direction, 0.0217, by the slope of 1 - 2 p (1 - p) at 1/4.
  CHECK(std::abs(alike - 0.625) < 4.0 * 0.0217 * 1.0);
}

TEST_CASE("a batch that is rejected leaves the accumulator as it was", "[accumulator]") {
  for (const Index rows : {Index{40}, Index{1500}}) {
    CAPTURE(rows);
    const RowMajor<float> z = rows_around<float>(rows, dims, 1.0, 1.0);
    Accumulator seen(dims, few);
    seen.update(z);
    const Report before = seen.report();
    RowMajor<float> bad = z.topRows(20);
    bad(11, 3) = std::numeric_limits<float>::quiet_NaN();
    try {
      seen.update(bad);
      FAIL("a NaN was taken");
    } catch (const NonFiniteError& error) {
      CHECK(error.row() == 11);
      CHECK(error.col() == 3);
    }
    CHECK_THROWS_AS(seen.update(RowMajor<float>(5, dims + 1)), ShapeError);
    CHECK_THROWS_AS(seen.merge(Accumulator(dims + 1, few)), ShapeError);
    CHECK_THROWS_AS(seen.merge(Accumulator(dims, {.pair_rows = 65})), OptionError);
    CHECK_THROWS_AS(seen.merge(Accumulator(dims, {.pair_rows = 64, .all_pairs = true})), OptionError);
    check_equal(seen.report(), before, 0.0);
    CHECK(seen.count() == rows);
  }
}

TEST_CASE("rows that are not finite are skipped and counted where asked for", "[accumulator]") {
  Options options = few;
  options.nonfinite = NonFinite::skip_rows;
  for (const Index rows : {Index{40}, Index{1500}}) {
    RowMajor<float> z = rows_around<float>(rows, dims, 1.0, 1.0);
    z(0, 0) = std::numeric_limits<float>::infinity();
    z(rows / 2, 5) = std::numeric_limits<float>::quiet_NaN();
    Accumulator seen(dims, options);
    add_in_batches(seen, z, 100, 2);
    CHECK(seen.skipped_rows() == 2);
    CHECK(seen.count() == rows - 2);
    check_equal(seen.report(), measure(z, options), 1e-10);
  }
}

TEST_CASE("nothing seen is nothing to report", "[accumulator]") {
  Accumulator seen(dims, few);
  CHECK_THROWS_AS(seen.report(), ShapeError);
  seen.update(RowMajor<float>(0, dims));
  CHECK_THROWS_AS(seen.report(), ShapeError);
  seen.merge(Accumulator(dims, few));
  CHECK_THROWS_AS(seen.report(), ShapeError);
  CHECK_THROWS_AS(Accumulator(0), ShapeError);
  CHECK_THROWS_AS(Accumulator(3, Options{.pair_rows = 1}), OptionError);
}

TEST_CASE("an empty part changes nothing", "[accumulator]") {
  const RowMajor<float> z = rows_around<float>(1500, dims, 1.0, 1.0);
  Accumulator seen(dims, few);
  seen.update(z);
  const Report before = seen.report();
  seen.merge(Accumulator(dims, few));
  check_equal(seen.report(), before, 0.0);
  Accumulator other(dims, few);
  other.merge(seen);
  check_equal(other.report(), before, 1e-10);
}

TEST_CASE("a reset forgets all", "[accumulator]") {
  const RowMajor<float> first = rows_around<float>(1500, dims, 5.0, 1.0, 1);
  const RowMajor<float> second = rows_around<float>(1500, dims, 1.0, 1.0, 2);
  Accumulator seen(dims, few);
  seen.update(first);
  seen.reset();
  CHECK(seen.count() == 0);
  CHECK_THROWS_AS(seen.report(), ShapeError);
  seen.update(second);
  Accumulator fresh(dims, few);
  fresh.update(second);
  check_equal(seen.report(), fresh.report(), 0.0);
}

TEST_CASE("a copy goes its own way", "[accumulator]") {
  const RowMajor<float> z = rows_around<float>(1500, dims, 1.0, 1.0);
  Accumulator seen(dims, few);
  seen.update(z);
  const Report before = seen.report();
  Accumulator copy = seen;
  copy.update(z);
  CHECK(copy.count() == 3000);
  check_equal(seen.report(), before, 0.0);
}

TEST_CASE("zero rows, constant rows and huge rows stream like one batch", "[accumulator]") {
  RowMajor<double> zeros = rows_around<double>(1500, dims, 1.0, 1.0);
  for (Index i = 0; i < zeros.rows(); i += 7) zeros.row(i).setZero();
  const RowMajor<double> constant = RowMajor<double>::Constant(1500, dims, 0.1);
  const RowMajor<double> huge = 1e150 * rows_around<double>(1500, dims, 1.0, 1.0);
  const RowMajor<double> tiny = 1e-290 * rows_around<double>(1500, dims, 1.0, 1.0);
  for (const RowMajor<double>& z : {zeros, constant, huge, tiny}) {
    Accumulator seen(dims, few);
    add_in_batches(seen, z, 333, 4);
    check_equal(seen.report(), measure(z, few), 1e-10);
  }
}

TEST_CASE("a stream knows the share of its zero rows, whatever its sample", "[accumulator]") {
  RowMajor<double> z = rows_around<double>(1500, dims, 1.0, 1.0);
  for (Index i = 0; i < 90; ++i) z.row(i * 16).setZero();
  Accumulator seen(dims, few);
  add_in_batches(seen, z, 333, 4);
  const Report streamed = seen.report();
  REQUIRE(streamed.cosine.sampled_rows < 1500);
  const Report measured = measure(z, few);
  for (const Report& report : {streamed, measured}) {
    CHECK(std::abs(report.variance.largest_point - 0.06) < 1e-15);
    CHECK(report.variance.largest_point_error == 0.0);
    CHECK(std::abs(report.variance.duplicate_rows - 0.06) < 1e-15);
  }
  CHECK(streamed.diagnosis.verdict == measured.diagnosis.verdict);
}

TEST_CASE("batches of every scalar add up in the precision of the coarsest", "[accumulator]") {
  const RowMajor<float> z = rows_around<float>(1500, dims, 1.0, 1.0);
  const RowMajor<Eigen::half> coarse = z.cast<Eigen::half>();
  RowMajor<double> both(3000, dims);
  both << z.cast<double>(), coarse.cast<double>();
  Accumulator seen(dims, few);
  seen.update(z);
  seen.update(coarse);
  const Report report = seen.report();
  CHECK(report.input_epsilon == 0x1p-10);
  const Report expected = measure(both, few);
  CHECK(std::abs(report.variance.total / expected.variance.total - 1.0) < 1e-12);
  CHECK(std::abs(report.cosine.std / expected.cosine.std - 1.0) < 1e-12);
}
