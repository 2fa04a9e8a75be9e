#include <collapse/accumulator.hpp>

#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"

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

std::string saved(const Accumulator& accumulator) {
  std::ostringstream out(std::ios::binary);
  accumulator.save(out);
  return out.str();
}

Accumulator loaded(const std::string& bytes) {
  std::istringstream in(bytes, std::ios::binary);
  return Accumulator::load(in);
}

std::string refusal(const std::string& bytes) {
  try {
    static_cast<void>(loaded(bytes));
  } catch (const StateError& error) {
    return error.what();
  }
  return "accepted";
}

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
      const std::size_t words = saved(seen).size() / 8 - 3;
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

TEST_CASE("skipped rows and every option are part of a state", "[state]") {
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
  CHECK(copy.options().thresholds.complete_dispersion == 0.125);
  CHECK(copy.options().thresholds.minimum_samples == 3);
  CHECK(copy.options().thresholds.neural_collapse == 0.25);
}

TEST_CASE("the bytes of a state are little-endian and begin with their version", "[state]") {
  const std::string bytes = saved(of_rows(0));
  CHECK(bytes.substr(0, 16) == "collapse state 3");
  CHECK(bytes.substr(16, 8) == std::string("\x05\0\0\0\0\0\0\0", 8));
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
    std::size_t accepted = 0;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      accepted += refusal(bytes.substr(0, length)) == "accepted" ? 1U : 0U;
    }
    CHECK(accepted == 0);
    CHECK(refusal(bytes) == "accepted");
  }
  CHECK(contains(refusal(""), "empty"));
  CHECK(contains(refusal("collapse state 3"), "truncated"));
  CHECK(contains(refusal("collapse state 1" + std::string(64, '\0')), "another version"));
}

TEST_CASE("each of ten thousand random corruptions is rejected", "[state]") {
  Random random(5);
  std::size_t accepted = 0;
  for (const Index rows : {Index{6}, Index{40}}) {
    const std::string bytes = saved(of_rows(rows));
    for (std::size_t i = 0; i < 5000; ++i) {
      std::string bad = bytes;
      // One bit, a few bytes, or a whole stretch.
      const std::size_t changes = i % 3 == 0 ? 1 : 1 + random.next() % (i % 3 == 1 ? 8 : 200);
      for (std::size_t c = 0; c < changes; ++c) {
        char& byte = bad[random.next() % bad.size()];
        const std::uint64_t flip = changes == 1 ? std::uint64_t{1} << random.next() % 8 : random.next() & 0xFFU;
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ static_cast<unsigned char>(flip));
      }
      if (bad != bytes) accepted += refusal(bad) == "accepted" ? 1U : 0U;
    }
  }
  CHECK(accepted == 0);
}

TEST_CASE("a state with the right checksum is still not believed", "[state]") {
  // As an attacker would: any 64 bits of a valid state replaced, the checksum made anew.
  constexpr std::array<std::uint64_t, 7> values{0,
                                                1,
                                                0x7fffffffffffffffULL,
                                                0xffffffffffffffffULL,
                                                0x8000000000000000ULL,
                                                std::uint64_t{1} << 33,
                                                0x7ff0000000000000ULL};
  for (const Index rows : {Index{6}, Index{40}}) {
    const std::string bytes = saved(of_rows(rows));
    for (std::size_t at = 16; at + 8 < bytes.size(); at += 8) {
      for (const std::uint64_t value : values) {
        std::string bad = bytes.substr(0, bytes.size() - 8);
        for (std::size_t i = 0; i < 8; ++i) bad[at + i] = static_cast<char>(value >> (8 * i) & 0xFFU);
        streams::Crc64 checksum;
        checksum.add(bad);
        for (std::size_t i = 0; i < 8; ++i) bad += static_cast<char>(checksum.value() >> (8 * i) & 0xFFU);
        // Accepted or not: it must end in a StateError or in an accumulator that works.
        try {
          Accumulator taken = loaded(bad);
          if (taken.dims() == dims && taken.options().pair_rows < 1000) taken.update(rows_of(3, 9));
          if (taken.count() > 0) static_cast<void>(taken.report());
        } catch (const Error&) {
        }
      }
    }
  }
  CHECK(refusal(saved(of_rows(40))) == "accepted");
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
