#include <collapse/compare.hpp>
#include <collapse/paired_accumulator.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_views.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Random;

namespace {

const Options few{.method = SpectrumMethod::gram, .pair_rows = 24};

/// @param of_ranks  tolerance of what the small positive eigenvalues of the signal make, where large negative ones stand
///                  beside them
void check_equal(const Comparison& measured, const Comparison& expected, double tolerance, double of_ranks = 0.0) {
  const auto within = [](const char* name, double left, double right, double relative) {
    CAPTURE(name, left, right);
    const bool same = left == right || (std::isnan(left) && std::isnan(right));
    CHECK((same || std::abs(left - right) <= relative * std::abs(right)));
  };
  const auto check = [&](const char* name, double left, double right) { within(name, left, right, tolerance); };
  CHECK(measured.samples == expected.samples);
  CHECK(measured.skipped_rows == expected.skipped_rows);
  CHECK(measured.directed_pairs == expected.directed_pairs);
  CHECK(measured.findings.size() == expected.findings.size());
  check("alignment", measured.alignment, expected.alignment);
  check("invariance", measured.invariance, expected.invariance);
  check("barlow_on_diagonal", measured.barlow_on_diagonal, expected.barlow_on_diagonal);
  check("barlow_off_diagonal", measured.barlow_off_diagonal, expected.barlow_off_diagonal);
  check("vicreg", measured.vicreg, expected.vicreg);
  check("modality_gap", measured.modality_gap, expected.modality_gap);
  check("paired_cosine", measured.paired_cosine, expected.paired_cosine);
  check("unpaired_cosine", measured.unpaired_cosine, expected.unpaired_cosine);
  check("linear_cka", measured.linear_cka, expected.linear_cka);
  check("linear_cka_debiased", measured.linear_cka_debiased, expected.linear_cka_debiased);
  check("signal.share", measured.signal.share, expected.signal.share);
  check("signal.independent_share", measured.signal.independent_share, expected.signal.independent_share);
  within("signal.effective_rank", measured.signal.effective_rank, expected.signal.effective_rank,
         std::max(tolerance, of_ranks));
  check("signal.participation_ratio", measured.signal.participation_ratio, expected.signal.participation_ratio);
  check("signal.symmetry", measured.signal.symmetry, expected.signal.symmetry);
  // Its square is a difference of numbers of size 1.
  const double error = measured.signal.share_standard_error;
  const double expected_error = expected.signal.share_standard_error;
  CAPTURE(error, expected_error);
  CHECK((std::isnan(error) == std::isnan(expected_error)));
  CHECK_FALSE(std::abs(error * error - expected_error * expected_error) > tolerance * 1e-3);
  CHECK(measured.diagnosis.verdict == expected.diagnosis.verdict);
  CHECK(
      std::ranges::equal(measured.diagnosis.findings, expected.diagnosis.findings, {}, &Finding::kind, &Finding::kind));
  check("a.effective_rank", measured.a.spectrum.effective_rank, expected.a.spectrum.effective_rank);
  check("b.cosine.std", measured.b.cosine.std, expected.b.cosine.std);
  check("b.input_epsilon", measured.b.input_epsilon, expected.b.input_epsilon);
}

template <class A, class B>
struct Views {
  Dense<A> a;
  Dense<B> b;
};

/// Around centres of size 1, b follows a in some dimensions.
template <class A, class B>
Views<A, B> views(Index rows, Index dims_a, Index dims_b, double noise) {
  const Dense<double> x = reference::gaussian<double>(rows, dims_a, 1);
  Dense<double> y = reference::gaussian<double>(rows, dims_b, 2);
  const Index shared = std::min(dims_a, dims_b) - 1;
  y.leftCols(shared) += x.leftCols(shared);
  y.col(0) = y.col(0).array() * (1.0 + x.col(1).array().square());  // a third moment
  Dense<double> from_a = noise * x;
  Dense<double> from_b = noise * y;
  from_a.array() += 1.0;
  from_b.array() -= 0.7;
  return {from_a.cast<A>(), from_b.cast<B>()};
}

template <class A, class B>
void add_in_batches(PairedAccumulator& to, const Views<A, B>& v, Index first, Index end, Index most,
                    std::uint64_t seed) {
  Random random(seed);
  while (first < end) {
    const Index count =
        std::min<Index>(end - first, static_cast<Index>(random.next() % static_cast<std::uint64_t>(most + 1)));
    to.update(v.a.middleRows(first, count), v.b.middleRows(first, count));
    first += count;
  }
}

template <class A, class B>
void check_splits(const Views<A, B>& v, const Options& options, double tolerance, double of_ranks = 0.0) {
  const Comparison expected = compare(v.a, v.b, options);
  for (const Index most : {Index{3}, Index{90}, v.a.rows()}) {
    CAPTURE(most);
    PairedAccumulator seen(v.a.cols(), v.b.cols(), options);
    add_in_batches(seen, v, 0, v.a.rows(), most, 5);
    CHECK(seen.count() == v.a.rows());
    check_equal(seen.report(), expected, tolerance, of_ranks);
  }
}

template <class A, class B>
void check_merges(const Views<A, B>& v, const Options& options, double tolerance, double of_ranks = 0.0) {
  const Comparison expected = compare(v.a, v.b, options);
  for (const std::size_t parts : {2U, 5U, 40U}) {
    CAPTURE(parts);
    std::vector<PairedAccumulator> forest;
    for (std::size_t p = 0; p < parts; ++p) {
      forest.emplace_back(v.a.cols(), v.b.cols(), options);
      // Parts of all sizes: some hold their rows, some fold them.
      const auto bound = [&](std::size_t at) {
        return static_cast<Index>(static_cast<double>(v.a.rows()) *
                                  std::pow(static_cast<double>(at) / static_cast<double>(parts), 2.0));
      };
      add_in_batches(forest.back(), v, bound(p), p + 1 == parts ? v.a.rows() : bound(p + 1), 50, p);
    }
    Random random(parts);
    while (forest.size() > 1) {
      std::swap(forest[random.next() % forest.size()], forest.back());
      const PairedAccumulator taken = std::move(forest.back());
      forest.pop_back();
      forest[random.next() % forest.size()].merge(taken);
    }
    check_equal(forest.front().report(), expected, tolerance, of_ranks);
  }
}

}  // namespace

TEST_CASE("pairs that are held give the comparison of one measurement bit for bit", "[paired_accumulator]") {
  const auto v = views<float, float>(60, 7, 7, 0.5);
  PairedAccumulator seen(7, 7, {.pair_rows = 64});
  add_in_batches(seen, v, 0, 60, 9, 1);
  check_equal(seen.report(), compare(v.a, v.b, {.pair_rows = 64}), 0.0);
}

TEST_CASE("any split of pairs into batches agrees with one pass", "[paired_accumulator]") {
  const test::OneThread one_thread;
  for (const double noise : {1.0, 1e-3, 1e-6}) {
    CAPTURE(noise);
    check_splits(views<double, double>(700, 8, 8, noise), few, 1e-10);
  }
  check_splits(views<float, float>(700, 8, 8, 1e-6), few, 1e-10);
  check_splits(views<float, double>(700, 9, 5, 0.1), few, 1e-10);
  check_splits(views<Eigen::half, float>(700, 5, 30, 0.5), few, 1e-10);
}

TEST_CASE("any tree of merges of pairs agrees with one pass", "[paired_accumulator]") {
  const test::OneThread one_thread;
  for (const double noise : {1.0, 1e-6}) {
    CAPTURE(noise);
    check_merges(views<double, double>(1500, 8, 8, noise), few, 1e-10);
  }
  check_merges(views<float, float>(1500, 6, 6, 1e-6), few, 1e-10);
  check_merges(views<double, float>(1500, 40, 5, 0.3), few, 1e-10);
}

TEST_CASE("first pairs far from all others cost few digits", "[paired_accumulator]") {
  const test::OneThread one_thread;
  auto v = views<double, double>(1200, 6, 6, 1e-3);
  v.a.topRows(30).array() += 5.0;
  v.b.topRows(30).array() -= 3.0;
  // The far pairs are opposite: an eigenvalue of -1e4 beside positive ones of 1e-3.
  check_splits(v, few, 1e-10, 1e-8);
  check_merges(v, few, 1e-10, 1e-8);
}

TEST_CASE("pairs of every scale can follow each other", "[paired_accumulator]") {
  const test::OneThread one_thread;
  for (const double scale : {1e-150, 1e150}) {
    CAPTURE(scale);
    auto v = views<double, double>(400, 5, 5, 0.5);
    v.a *= scale;
    v.b *= scale;
    Options options = few;
    const Comparison expected = compare(v.a, v.b, options);
    PairedAccumulator seen(5, 5, options);
    add_in_batches(seen, v, 0, 400, 30, 1);
    Comparison measured = seen.report();
    // Fourth powers of the input leave the range of double.
    measured.vicreg = expected.vicreg;
    check_equal(measured, expected, 1e-10);
  }
  // Small rows first: the unit follows the largest.
  auto v = views<double, double>(300, 5, 5, 0.5);
  v.a.topRows(100) *= 1e-200;
  v.a.bottomRows(100) *= 1e120;
  const Comparison expected = compare(v.a, v.b, few);
  PairedAccumulator seen(5, 5, few);
  PairedAccumulator tail(5, 5, few);
  add_in_batches(seen, v, 0, 200, 30, 1);
  add_in_batches(tail, v, 200, 300, 30, 1);
  seen.merge(tail);
  Comparison measured = seen.report();
  measured.vicreg = expected.vicreg;
  check_equal(measured, expected, 1e-10);
}

TEST_CASE("zero rows and skipped pairs of a stream are those of one pass", "[paired_accumulator]") {
  const test::OneThread one_thread;
  auto v = views<float, double>(300, 5, 5, 0.5);
  for (const Index i : {0, 30, 200}) v.a.row(i).setZero();
  for (const Index i : {1, 30, 250}) v.b.row(i).setZero();
  for (const Index i : {2, 40, 299}) v.a(i, 1) = std::numeric_limits<float>::quiet_NaN();
  for (const Index i : {3, 40, 100}) v.b(i, 2) = std::numeric_limits<double>::infinity();
  Options options = few;
  options.nonfinite = NonFinite::skip_rows;
  const Comparison expected = compare(v.a, v.b, options);
  CHECK(expected.skipped_rows == 5);
  CHECK(expected.directed_pairs == 290);
  check_merges(v, options, 1e-10);
  PairedAccumulator seen(5, 5, options);
  add_in_batches(seen, v, 0, 300, 20, 1);
  check_equal(seen.report(), expected, 1e-10);
  CHECK(seen.skipped_rows() == 5);
}

TEST_CASE("a rejected batch of pairs leaves the accumulator as it was", "[paired_accumulator]") {
  const auto v = views<double, double>(200, 4, 4, 0.5);
  for (const Index rows : {10, 150}) {
    CAPTURE(rows);
    PairedAccumulator seen(4, 4, few);
    seen.update(v.a.topRows(rows), v.b.topRows(rows));
    const Comparison before = seen.report();
    Dense<double> bad = v.b.topRows(40);
    bad(39, 3) = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(seen.update(v.a.topRows(40), bad), NonFiniteError);
    CHECK_THROWS_AS(seen.update(v.a.topRows(40), v.b.topRows(39)), ShapeError);
    CHECK_THROWS_AS(seen.update(v.a.topRows(40), v.b.topLeftCorner(40, 3)), ShapeError);
    CHECK_THROWS_AS(seen.merge(PairedAccumulator(4, 5, few)), ShapeError);
    CHECK_THROWS_AS(seen.merge(PairedAccumulator(4, 4, {.pair_rows = 99})), OptionError);
    CHECK(seen.count() == rows);
    check_equal(seen.report(), before, 0.0);
  }
}

TEST_CASE("messages about batches of pairs name both shapes", "[paired_accumulator]") {
  PairedAccumulator seen(4, 6);
  const auto message = [&](Index rows_a, Index cols_a, Index rows_b, Index cols_b) -> std::string {
    try {
      seen.update(Dense<double>::Ones(rows_a, cols_a), Dense<double>::Ones(rows_b, cols_b));
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message(3, 4, 2, 6).find("A is 3 x 4, B is 2 x 6") != std::string::npos);
  CHECK(message(3, 4, 3, 5).find("A 3 x 4 and B 3 x 5") != std::string::npos);
  CHECK(message(0, 4, 0, 6) == "no error");
  CHECK_THROWS_AS(seen.report(), ShapeError);
  CHECK_THROWS_AS(PairedAccumulator(0, 3), ShapeError);
  CHECK_THROWS_AS(PairedAccumulator(3, 0), ShapeError);
}

TEST_CASE("a reset accumulator of pairs begins anew", "[paired_accumulator]") {
  const auto v = views<double, double>(200, 4, 4, 0.5);
  PairedAccumulator seen(4, 4, few, {.variance = 12.5});
  seen.update(v.a, v.b);
  seen.reset();
  CHECK(seen.count() == 0);
  seen.update(v.a.topRows(90), v.b.topRows(90));
  check_equal(seen.report(), compare(v.a.topRows(90), v.b.topRows(90), few, {.variance = 12.5}), 1e-10);
}

TEST_CASE("an accumulator of pairs merges with itself and with an empty one", "[paired_accumulator]") {
  const test::OneThread one_thread;
  const auto v = views<double, double>(100, 4, 4, 0.5);
  for (const Index rows : {10, 100}) {
    CAPTURE(rows);
    PairedAccumulator seen(4, 4, few);
    seen.merge(PairedAccumulator(4, 4, few));
    CHECK(seen.count() == 0);
    seen.update(v.a.topRows(rows), v.b.topRows(rows));
    const Comparison once = seen.report();
    seen.merge(PairedAccumulator(4, 4, few));
    check_equal(seen.report(), once, 0.0);
    PairedAccumulator empty(4, 4, few);
    empty.merge(seen);
    check_equal(empty.report(), once, 1e-10);
    seen.merge(seen);
    const Dense<double> twice_a = v.a.topRows(rows).replicate(2, 1);
    const Dense<double> twice_b = v.b.topRows(rows).replicate(2, 1);
    check_equal(seen.report(), compare(twice_a, twice_b, few), 1e-10);
  }
}

TEST_CASE("options that need all rows hold all pairs", "[paired_accumulator]") {
  const auto v = views<double, double>(100, 4, 4, 0.5);
  Options options{.method = SpectrumMethod::svd, .pair_rows = 16};
  PairedAccumulator seen(4, 4, options);
  add_in_batches(seen, v, 0, 100, 30, 1);
  check_equal(seen.report(), compare(v.a, v.b, options), 0.0);
}
