#include <collapse/accumulator.hpp>

#include "support/catch.hpp"
#include "support/command_line.hpp"
#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"
#include "support/saved_states.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

using namespace collapse;
using reference::numbers;
using reference::Random;
using reference::RowMajor;
using reference::same;
using test::saved;

namespace {

const Options few{.method = SpectrumMethod::gram, .pair_rows = 8, .seed = 77};
constexpr Index dims = 5;

RowMajor<float> rows_of(Index rows, std::uint64_t seed) {
  Random random(seed);
  RowMajor<float> z(rows, dims);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = static_cast<float>(1.0 + 1e-3 * random.normal());
  return z;
}

Accumulator of_rows(Index rows) {
  Accumulator seen(dims, few);
  if (rows > 0) seen.update(rows_of(rows, 1));
  return seen;
}

Accumulator loaded(const std::string& bytes) { return test::loaded<Accumulator>(bytes); }

std::string refusal(const std::string& bytes) { return test::refusal<Accumulator>(bytes); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what is saved comes back bit for bit and goes on alike", "[state]") {
  // None, held, folded with rows that wait, whole blocks and a rest.
  for (const Index rows : {Index{0}, Index{7}, Index{8}, Index{500}, Index{2500}}) {
    CAPTURE(rows);
    Accumulator original = of_rows(rows);
    Accumulator copy = loaded(saved(original));
    CHECK(saved(copy) == saved(original));
    CHECK(copy.count() == rows);
    CHECK(copy.dims() == dims);
    CHECK(copy.options().seed == 77);
    CHECK(copy.options().pair_rows == 8);
    // Also after more rows, a merge, and reports on both.
    original.update(rows_of(900, 2));
    copy.update(rows_of(900, 2));
    original.merge(of_rows(700));
    copy.merge(loaded(saved(of_rows(700))));
    CHECK(saved(copy) == saved(original));
    CHECK(same(numbers(copy.report()), numbers(original.report())));
  }
}

TEST_CASE("no state is larger than foretold", "[state]") {
  Options all = few;
  all.all_pairs = true;
  for (const Options& options : {few, all, Options{}}) {
    for (const Index rows : {Index{0}, Index{3}, Index{8}, Index{9}, Index{1030}, Index{2045}}) {
      Accumulator seen(dims, options);
      seen.update(rows_of(rows, 4));
      const std::size_t words = saved(seen).size() / 8 - 4;
      const std::size_t most = Accumulator::most_state_words(dims, options, rows);
      CAPTURE(rows, words, most);
      CHECK(words <= most);
      // And not by far, so that buffers are not wasted.
      CHECK(most <= 2 * words + 64 + 1023 * (dims + 2));
    }
  }
}

TEST_CASE("values of any size keep their units in a state", "[state]") {
  RowMajor<double> z = rows_of(1500, 3).cast<double>();
  z.col(0) *= 1e300;
  z.col(1) *= 1e-300;
  z.row(4).setZero();
  Accumulator original(dims, few);
  original.update(z);
  const Accumulator copy = loaded(saved(original));
  CHECK(saved(copy) == saved(original));
  CHECK(copy.report().variance.max == original.report().variance.max);
  CHECK(copy.report().norms.zero_rows == 1);
}

TEST_CASE("skipped rows and every option but the thresholds are part of a state", "[state]") {
  Options options{.method = SpectrumMethod::svd,
                  .nonfinite = NonFinite::skip_rows,
                  .pair_rows = 9,
                  .all_pairs = true,
                  .seed = std::numeric_limits<std::uint64_t>::max(),
                  .alpha_first = 2,
                  .alpha_last = 4,
                  .thresholds = {.complete_dispersion = 0.125, .minimum_samples = 3, .neural_collapse = 0.25}};
  RowMajor<float> z = rows_of(20, 1);
  z(3, 3) = std::numeric_limits<float>::quiet_NaN();
  Accumulator original(dims, options);
  original.update(z);
  const Accumulator copy = loaded(saved(original));
  CHECK(copy.skipped_rows() == 1);
  CHECK(copy.options().method == SpectrumMethod::svd);
  CHECK(copy.options().nonfinite == NonFinite::skip_rows);
  CHECK(copy.options().all_pairs);
  CHECK(copy.options().seed == options.seed);
  CHECK(copy.options().alpha_first == 2);
  CHECK(copy.options().alpha_last == 4);
  CHECK(copy.options().thresholds.complete_dispersion == Thresholds{}.complete_dispersion);
  CHECK(copy.options().thresholds.minimum_samples == Thresholds{}.minimum_samples);
  // They are given to the report.
  CHECK(same(numbers(copy.report(options.thresholds)), numbers(original.report())));
  CHECK_FALSE(same(numbers(copy.report()), numbers(original.report())));
  CHECK_THROWS_AS(copy.report({.complete_dispersion = 2.0}), OptionError);
  options.thresholds = {};
  Accumulator without(dims, options);
  without.update(z);
  CHECK(saved(without) == saved(original));
}

TEST_CASE("the bytes of a state are little-endian and begin with their version and kind", "[state]") {
  const std::string bytes = saved(of_rows(0));
  CHECK(bytes.substr(0, 16) == "collapse state 4");
  CHECK(bytes.substr(16, 8) == std::string("\x01\0\0\0\0\0\0\0", 8));
  CHECK(bytes.substr(24, 8) == std::string("\x05\0\0\0\0\0\0\0", 8));
}

TEST_CASE("the checksum is the published one", "[state]") {
  // The check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms.
  streams::Crc64 checksum;
  checksum.add("123456789");
  CHECK(checksum.value() == 0x995DC9BBDF1939FAULL);
}

TEST_CASE("a truncated state is rejected wherever it ends", "[state]") {
  for (const Index rows : {Index{6}, Index{40}}) {
    const std::string bytes = saved(of_rows(rows));
    CHECK(test::accepted_beginnings<Accumulator>(bytes) == 0);
    CHECK(refusal(bytes) == "accepted");
  }
  CHECK(contains(refusal(""), "empty"));
  CHECK(contains(refusal("collapse state "), "not the state"));
  CHECK(contains(refusal("collapse state 3"), "truncated"));
  CHECK(contains(refusal("collapse state 4"), "truncated"));
  CHECK(contains(refusal("collapse state 4" + std::string(8, '\0')), "truncated"));
  CHECK(contains(refusal("collapse state 1" + std::string(64, '\0')), "another version"));
  CHECK(contains(refusal("collapse state 5" + std::string(64, '\0')), "reads 3 to 4"));
}

TEST_CASE("each of ten thousand random corruptions is rejected", "[state]") {
  for (const Index rows : {Index{6}, Index{40}}) {
    CHECK(test::accepted_corruptions<Accumulator>(saved(of_rows(rows)), 5000) == 0);
  }
}

TEST_CASE("a state with the right checksum is still not believed", "[state]") {
  for (const Index rows : {Index{0}, Index{6}, Index{40}}) {
    const std::size_t accepted = test::use_forgeries<Accumulator>(saved(of_rows(rows)), [](Accumulator& taken) {
      if (taken.dims() == dims && taken.options().pair_rows < 1000) taken.update(rows_of(3, 9));
      if (taken.count() > 0) static_cast<void>(taken.report());
    });
    CHECK(accepted > 0);
  }
  CHECK(refusal(saved(of_rows(40))) == "accepted");
  CHECK(contains(refusal(test::with_word(saved(of_rows(6)), 16, 9)), "does not know"));
}

TEST_CASE("states of version 3 are still read", "[state]") {
  // Written by the library of that version; tests/data/states/README.md has the rows, and these are its numbers.
  const auto state = [](const std::string& name) {
    return test::read_file(std::string(COLLAPSE_TEST_DATA) + "/states/version_3_" + name + ".state");
  };
  const auto rows = [](Index count) {
    Eigen::MatrixXd z(count, 3);
    for (Index i = 0; i < count; ++i) {
      z.row(i) << static_cast<double>(i) / 4.0 - 1.0, static_cast<double>((i * i) % 7) / 8.0,
          1.0 + static_cast<double>((3 * i) % 5) / 16.0;
    }
    return z;
  };
  const Options options{.method = SpectrumMethod::gram, .nonfinite = NonFinite::skip_rows, .pair_rows = 5, .seed = 11};
  // Another compiler may round the lengths of the rows otherwise.
  const auto close = [](double a, double b) {
    return a == b || std::abs(a - b) <= 1e-12 * std::abs(b) || (std::isnan(a) && std::isnan(b));
  };
  const auto alike = [&close](const Report& a, const Report& b) {
    const reference::Numbers left = numbers(a);
    const reference::Numbers right = numbers(b);
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&close](const auto& l, const auto& r) { return close(l.second, r.second); });
  };

  Accumulator held(3, options);
  held.update(rows(4));
  Accumulator folded(3, options);
  folded.update(rows(9));
  Eigen::MatrixXd bad = rows(1);
  bad(0, 1) = std::numeric_limits<double>::quiet_NaN();
  folded.update(bad);
  folded.update(rows(2).cast<float>());
  const MomentState moments = folded.state();

  CHECK(state("empty").substr(0, 16) == "collapse state 3");
  CHECK(loaded(state("empty")).count() == 0);
  CHECK(saved(loaded(state("empty"))) == saved(Accumulator(3, options)));

  CHECK(saved(loaded(state("held"))) == saved(held));
  const Report of_held = loaded(state("held")).report();
  CHECK(of_held.samples == 4);
  CHECK(close(of_held.variance.total, 0.16276041666666666));
  CHECK(close(of_held.cosine.mean, 0.91327018992574338));
  CHECK(close(of_held.cosine.p50, 0.93699411175761971));
  CHECK(close(of_held.spectrum.effective_rank, 2.3385524709537129));
  CHECK(close(of_held.norms.mean, 1.3499005139189868));

  Accumulator again = loaded(state("folded"));
  const Report of_folded = again.report();
  CHECK(of_folded.samples == 11);
  CHECK(of_folded.norms.skipped_rows == 1);
  CHECK(close(of_folded.variance.total, 0.54552556818181819));
  CHECK(close(of_folded.cosine.mean, 0.71605930459505407));
  CHECK(close(of_folded.cosine.p50, 0.57565826278111576));
  CHECK(close(of_folded.spectrum.effective_rank, 2.1542695835182895));
  CHECK(close(of_folded.norms.mean, 1.338425581305533));
  CHECK(alike(of_folded, folded.report()));
  // It goes on as the original would, and into the present version.
  again.update(rows(7));
  folded.update(rows(7));
  CHECK(alike(loaded(saved(again)).report(), folded.report()));

  const Report of_moments = loaded(state("moments")).report();
  CHECK(close(of_moments.variance.total, 0.54552556818181819));
  CHECK(close(of_moments.spectrum.effective_rank, 2.1542695835182895));
  CHECK(std::isnan(of_moments.cosine.mean));
  CHECK(alike(of_moments,
              Accumulator::from_moments(moments.count, moments.mean, moments.scatter, options, moments.input_epsilon)
                  .report()));
}

TEST_CASE("a version 3 state is not believed either", "[state]") {
  for (const std::string name : {"held", "folded", "moments", "empty"}) {
    const std::string bytes = test::read_file(std::string(COLLAPSE_TEST_DATA) + "/states/version_3_" + name + ".state");
    CHECK(test::accepted_beginnings<Accumulator>(bytes) == 0);
    CHECK(test::accepted_corruptions<Accumulator>(bytes, 500) == 0);
    test::use_forgeries<Accumulator>(bytes, [](Accumulator& taken) {
      if (taken.count() > 0) static_cast<void>(taken.report());
    });
  }
}

TEST_CASE("a stream that fails is reported", "[state]") {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  CHECK_THROWS_AS(of_rows(40).save(out), StateError);
}

TEST_CASE("moments go out and come back", "[state]") {
  for (const Index rows : {Index{3}, Index{7}, Index{2500}}) {
    CAPTURE(rows);
    const Accumulator seen = of_rows(rows);
    const MomentState state = seen.state();
    CHECK(state.count == rows);
    CHECK(state.scatter == state.scatter.transpose());
    const Report expected = seen.report();
    const Report report =
        Accumulator::from_moments(state.count, state.mean, state.scatter, few, state.input_epsilon).report();
    CHECK(report.samples == rows);
    CHECK(report.spectrum.singular_values.size() == std::min(rows, dims));
    const auto close = [](double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b); };
    CHECK(close(report.variance.total, expected.variance.total));
    CHECK(close(report.variance.dispersion, expected.variance.dispersion));
    CHECK(close(report.decorrelation.rms_correlation, expected.decorrelation.rms_correlation));
    CHECK(close(report.spectrum.effective_rank, expected.spectrum.effective_rank));
    CHECK(close(report.spectrum_uncentered.effective_rank, expected.spectrum_uncentered.effective_rank));
    CHECK(report.spectrum.numerical_rank == expected.spectrum.numerical_rank);
    // What moments cannot tell.
    CHECK(std::isnan(report.norms.mean));
    CHECK(std::isnan(report.cosine.mean));
    CHECK(std::isnan(report.cosine.p50));
    CHECK(std::isnan(report.variance.normalized_std));
    CHECK(report.cosine.pairs == 0);
    CHECK_FALSE(report.cosine.exact);
    const auto& findings = report.diagnosis.findings;
    CHECK(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.kind == FindingKind::undefined_number && finding.metric == "norms";
    }));
  }
}

TEST_CASE("moments of two points are known on paper", "[state]") {
  // (1, 0) and (3, 4): mean (2, 2), scatter {2, 4; 4, 8}.
  Accumulator seen(2, few);
  seen.update((Eigen::Matrix2d() << 1, 0, 3, 4).finished());
  const MomentState state = seen.state();
  CHECK(state.mean == Eigen::Vector2d(2, 2));
  CHECK(state.scatter == (Eigen::Matrix2d() << 2, 4, 4, 8).finished());
}

TEST_CASE("rows and moments merge in either order", "[state]") {
  const Accumulator rows = of_rows(900);
  const Accumulator held = of_rows(5);
  const MomentState state = of_rows(700).state();
  const Accumulator moments =
      Accumulator::from_moments(state.count, state.mean, state.scatter, few, state.input_epsilon);
  for (const Accumulator& other : {rows, held}) {
    Accumulator expected = other;
    expected.merge(of_rows(700));
    Accumulator left = moments;
    left.merge(other);
    Accumulator right = other;
    right.merge(moments);
    right.update(RowMajor<float>(0, dims));
    for (const Accumulator& merged : {left, right, loaded(saved(left)), loaded(saved(right))}) {
      CHECK(merged.count() == expected.count());
      const Report report = merged.report();
      CHECK(std::abs(report.variance.total / expected.report().variance.total - 1.0) < 1e-12);
      CHECK(std::abs(report.spectrum.effective_rank / expected.report().spectrum.effective_rank - 1.0) < 1e-12);
      CHECK(std::isnan(report.norms.max));
      CHECK(std::isnan(report.cosine.std));
      CHECK(report.norms.zero_rows == 0);
    }
  }
  Accumulator twice = moments;
  twice.merge(moments);
  twice.update(rows_of(40, 3));
  CHECK(twice.count() == 1440);
  CHECK(std::isnan(twice.report().norms.mean));
}

TEST_CASE("moments that cannot be are refused", "[state]") {
  const Eigen::VectorXd mean = Eigen::VectorXd::Ones(3);
  const Eigen::MatrixXd scatter = Eigen::MatrixXd::Identity(3, 3);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(Accumulator::from_moments(0, mean, scatter), ShapeError);
  CHECK_THROWS_AS(Accumulator::from_moments(std::numeric_limits<Index>::max(), mean, scatter), ShapeError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, scatter.topRows(2)), ShapeError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, Eigen::VectorXd(), scatter), ShapeError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, -scatter), OptionError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean * nan, scatter), OptionError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, scatter * nan), OptionError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, scatter, {.method = SpectrumMethod::svd}), OptionError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, scatter, {.all_pairs = true}), OptionError);
  CHECK_THROWS_AS(Accumulator::from_moments(5, mean, scatter, few, 1.5), OptionError);
  CHECK_THROWS_AS(Accumulator(3).state(), ShapeError);
  Eigen::MatrixXd upper = scatter;
  upper(0, 2) = nan;
  CHECK(Accumulator::from_moments(5, mean, upper).count() == 5);
}

TEST_CASE("moments of any size keep their units", "[state]") {
  RowMajor<double> z = rows_of(1500, 3).cast<double>();
  z.col(0) *= 1e150;
  z.col(1) *= 1e-150;
  Accumulator seen(dims, few);
  seen.update(z);
  const MomentState state = seen.state();
  const Report report = Accumulator::from_moments(state.count, state.mean, state.scatter, few).report();
  const Report expected = seen.report();
  CHECK(std::abs(report.decorrelation.rms_correlation / expected.decorrelation.rms_correlation - 1.0) < 1e-10);
  CHECK(std::abs(report.variance.min / expected.variance.min - 1.0) < 1e-12);
}
