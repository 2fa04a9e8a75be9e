#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/confidence.hpp>
#include <collapse/json.hpp>
#include <collapse/measure.hpp>
#include <collapse/report/walk.hpp>
#include <collapse/streams/jackknife.hpp>
#include <collapse/streams/measure_rows.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;

namespace {

Estimate find(const Report& report, const std::string& metric) {
  for (const Estimate& estimate : report.confidence.estimates) {
    if (estimate.metric == metric) return estimate;
  }
  FAIL("no estimate of " << metric);
  return {};
}

/// The number at a JSON path.
nlohmann::json at(const nlohmann::json& json, const std::string& path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return json.at(path);
  return at(json.at(path.substr(0, dot)), path.substr(dot + 1));
}

bool same_or_undefined(const nlohmann::json& json, double value) {
  return std::isnan(value) ? json.is_null() : json.get<double>() == value;
}

}  // namespace

TEST_CASE("without a question there are no standard errors", "[jackknife]") {
  const Report report = measure(reference::gaussian<float>(20, 3, 1));
  CHECK(report.confidence.resamples == 0);
  CHECK(report.confidence.estimates.empty());
  CHECK_FALSE(nlohmann::json(report).contains("confidence"));
}

TEST_CASE("the standard error of a mean is the textbook's", "[jackknife]") {
  // One dimension: the length of a row is its magnitude.
  const Eigen::VectorXd z = reference::gaussian<double>(17, 1, 2, 3.0);
  const Eigen::ArrayXd lengths = z.array().abs();
  const double expected = std::sqrt((lengths - lengths.mean()).square().sum() / (16.0 * 17.0));
  for (const Index groups : {17, 100}) {
    const Report report = measure(z, {.resamples = groups});
    CHECK(report.confidence.resamples == 17);
    const Estimate estimate = find(report, "norms.mean");
    CHECK(estimate.value == report.norms.mean);
    CHECK(std::abs(estimate.standard_error / expected - 1.0) < 1e-12);
    // t of 16 degrees of freedom.
    CHECK(std::abs((estimate.high - estimate.value) / estimate.standard_error - 2.119905) < 1e-6);
    CHECK(std::abs((estimate.low - estimate.value) / estimate.standard_error + 2.119905) < 1e-6);
  }
}

TEST_CASE("of groups of rows it is that of their means", "[jackknife]") {
  const Eigen::VectorXd z = reference::gaussian<double>(40, 1, 3);
  const Options options{.seed = 5, .resamples = 8, .confidence_level = 0.5};
  const streams::RowGroups groups(40, 8, 5);
  Eigen::ArrayXd means(8);
  for (Index g = 0; g < 8; ++g) {
    double sum = z.cwiseAbs().sum();
    for (const Index i : groups.all_but(g)) sum -= std::abs(z(i));
    means(g) = sum / 5.0;
  }
  const double expected = std::sqrt((means - means.mean()).square().sum() / (7.0 * 8.0));
  const Report report = measure(z, options);
  const Estimate estimate = find(report, "norms.mean");
  CHECK(std::abs(estimate.standard_error / expected - 1.0) < 1e-12);
  CHECK(report.confidence.level == 0.5);
  CHECK(std::abs((estimate.high - estimate.low) / estimate.standard_error - 2.0 * 0.711142) < 1e-5);
}

TEST_CASE("rows that are in no group count as well", "[jackknife]") {
  // Of 40 rows 39 are in three groups: the variance of a mean stays that of 40, on the average.
  double variance = 0.0;
  constexpr int samples = 400;
  for (int sample = 0; sample < samples; ++sample) {
    const Eigen::VectorXd z = reference::gaussian<double>(40, 1, 500 + static_cast<std::uint64_t>(sample));
    const streams::RowGroups groups(40, 3, 1);
    Eigen::ArrayXd without(3);
    for (Index g = 0; g < 3; ++g) {
      double sum = 0.0;
      for (const Index i : groups.all_but(g)) sum += z(i);
      without(g) = sum / 27.0;
    }
    variance += groups.variance_factor() * (without - without.mean()).square().sum() / samples;
  }
  CHECK(std::abs(40.0 * variance - 1.0) < 4.0 / std::sqrt(static_cast<double>(samples)));
  CHECK(streams::RowGroups(40, 8, 1).variance_factor() == 7.0 / 8.0);
}

TEST_CASE("groups of rows are equal and random and leave out no row twice", "[jackknife]") {
  for (const auto& [rows, wanted] : {std::pair<Index, Index>{40, 8}, {41, 8}, {3, 8}, {1, 2}}) {
    CAPTURE(rows, wanted);
    const streams::RowGroups groups(rows, wanted, 1);
    REQUIRE(groups.size() == std::min(rows, wanted));
    std::map<Index, Index> left_out;
    for (Index g = 0; g < groups.size(); ++g) {
      const std::vector<Index> kept = groups.all_but(g);
      CHECK(std::is_sorted(kept.begin(), kept.end()));
      const std::set<Index> unique(kept.begin(), kept.end());
      CHECK(unique.size() == kept.size());
      CHECK(rows - static_cast<Index>(kept.size()) == rows / groups.size());
      for (Index i = 0; i < rows; ++i) left_out[i] += unique.count(i) == 0 ? 1 : 0;
    }
    Index never = 0;
    for (const auto& [row, times] : left_out) {
      CHECK(times <= 1);
      never += times == 0 ? 1 : 0;
    }
    CHECK(never == rows % groups.size());
  }
  CHECK(streams::RowGroups(40, 8, 1).all_but(0) != streams::RowGroups(40, 8, 2).all_but(0));
}

TEST_CASE("rows that are left out are as if they had never been there", "[jackknife]") {
  Eigen::MatrixXd z = reference::gaussian<double>(30, 4, 4);
  z.row(3) *= 1e-170;
  z.row(8).setZero();
  z(11, 2) = std::numeric_limits<double>::infinity();
  const std::vector<Index> kept{0, 3, 7, 8, 9, 11, 20, 28};  // of the 29 usable ones
  Eigen::MatrixXd some(8, 4);
  for (Index k = 0; k < 8; ++k) {
    const Index i = kept[static_cast<std::size_t>(k)];
    some.row(k) = z.row(i < 11 ? i : i + 1);
  }
  const linalg::Evaluated<Eigen::MatrixXd> all(z);
  const Rows rows = statistics::scan_rows(all.view(), NonFinite::skip_rows).only(kept);
  const linalg::Evaluated<Eigen::MatrixXd> alone(some);
  const Rows expected = statistics::scan_rows(alone.view(), NonFinite::reject);
  CHECK(rows.samples == 8);
  CHECK(rows.dims == 4);
  CHECK(rows.skipped == 1);
  CHECK(rows.zero == 1);
  CHECK(rows.norm == expected.norm);
  CHECK(rows.inverse_norm == expected.inverse_norm);
  CHECK(rows.prescale == expected.prescale);
  const Report part = streams::measure_rows(all.view(), rows, {}, {0x1p-52});
  const Report report = measure(some);
  CHECK(part.cosine.mean == report.cosine.mean);
  CHECK(part.spectrum.effective_rank == report.spectrum.effective_rank);
  CHECK(part.variance.dispersion == report.variance.dispersion);
  CHECK(part.norms.skipped_rows == 1);
}

TEST_CASE("each estimate is of a number of the report and has an error", "[jackknife]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 15}, {20, 30}}) {
    CAPTURE(n, d);
    const Report report = measure(reference::gaussian<float>(n, d, 6), {.resamples = 5});
    const nlohmann::json json = report;
    CHECK(report.confidence.resamples == 5);
    CHECK(report.confidence.level == 0.95);
    std::set<std::string> names;
    for (const Estimate& estimate : report.confidence.estimates) {
      CAPTURE(std::string(estimate.metric));
      CHECK(names.insert(std::string(estimate.metric)).second);
      CHECK(same_or_undefined(at(json, std::string(estimate.metric)), estimate.value));
      if (std::isnan(estimate.value)) {
        CHECK(std::isnan(estimate.standard_error));
        continue;
      }
      CHECK(estimate.standard_error > 0.0);
      CHECK(estimate.low < estimate.value);
      CHECK(estimate.value < estimate.high);
      const nlohmann::json& entry = json.at("confidence").at("estimates").at(std::string(estimate.metric));
      CHECK(entry.at("value") == estimate.value);
      CHECK(entry.at("standard_error") == estimate.standard_error);
      CHECK(entry.at("low") == estimate.low);
      CHECK(entry.at("high") == estimate.high);
    }
    const std::vector<CatalogueEntry>& entries = entries_of<Report>();
    CHECK(names.size() >= 44);
    CHECK(static_cast<std::ptrdiff_t>(names.size()) ==
          std::count_if(entries.begin(), entries.end(),
                        [](const CatalogueEntry& entry) { return entry.info.resampled && !entry.block; }));
    CHECK(json.at("confidence").at("resamples") == 5);
    CHECK(json.at("confidence").at("level") == 0.95);
  }
}

TEST_CASE("quantiles of a sample of rows keep their own standard error", "[jackknife]") {
  const Report report = measure(reference::gaussian<float>(60, 5, 6), {.pair_rows = 50, .resamples = 6});
  CHECK_FALSE(report.cosine.exact);
  CHECK(report.cosine.standard_error.p50 > 0.0);
  for (const Estimate& estimate : report.confidence.estimates) CHECK(estimate.metric != "cosine.p50");
  CHECK(find(report, "cosine.mean").standard_error > 0.0);
}

TEST_CASE("standard errors do not depend on order, scale and storage of the same rows", "[jackknife]") {
  const Eigen::MatrixXd z = reference::gaussian<double>(24, 6, 7);
  const Options options{.method = SpectrumMethod::gram, .resamples = 24};
  const Report report = measure(z, options);
  const Report reversed = measure(z.colwise().reverse(), options);
  const Report scaled = measure(1024.0 * z, options);
  const reference::RowMajor<double> by_rows = z;
  const Report stored = measure(by_rows, options);
  for (const Estimate& estimate : report.confidence.estimates) {
    CAPTURE(std::string(estimate.metric));
    if (std::isnan(estimate.value)) continue;
    const double error = estimate.standard_error;
    CHECK(std::abs(find(reversed, std::string(estimate.metric)).standard_error - error) <= 1e-9 * error);
    CHECK(find(stored, std::string(estimate.metric)).standard_error == estimate.standard_error);
  }
  CHECK(std::abs(find(scaled, "spectrum.effective_rank").standard_error /
                     find(report, "spectrum.effective_rank").standard_error -
                 1.0) < 1e-12);
}

TEST_CASE("intervals hold the expectation as often as they say", "[jackknife]") {
  struct Shape {
    Index n, d;
  };
  for (const Shape& shape : {Shape{50, 4}, Shape{24, 40}}) {
    constexpr int samples = 150;
    std::map<std::string, std::vector<Estimate>> estimates;
    for (int sample = 0; sample < samples; ++sample) {
      Eigen::MatrixXd z = reference::gaussian<double>(shape.n, shape.d, 1000 + static_cast<std::uint64_t>(sample));
      for (Index j = 0; j < shape.d; ++j) z.col(j) *= 1.0 / (1.0 + 0.2 * static_cast<double>(j));
      z.col(0).array() += 0.5;
      const Report report = measure(z, {.method = SpectrumMethod::gram, .resamples = 10});
      for (const char* const metric :
           {"norms.mean", "cosine.mean", "cosine.std", "cosine.p50", "variance.dispersion", "variance.total",
            "spectrum.effective_rank", "spectrum.participation_ratio", "spectrum_uncentered.effective_rank",
            "spectrum.top1_share", "decorrelation.rms_correlation"}) {
        estimates[metric].push_back(find(report, metric));
      }
    }
    for (const auto& [metric, all] : estimates) {
      double expectation = 0.0;
      for (const Estimate& estimate : all) expectation += estimate.value / samples;
      int held = 0;
      for (const Estimate& estimate : all) held += estimate.low <= expectation && expectation <= estimate.high ? 1 : 0;
      CAPTURE(shape.n, shape.d, metric, held);
      // Jackknife variances are conservative (Efron & Stein 1981); four standard deviations of 150 draws below 0.95.
      CHECK(held >= samples * 0.878);
      CHECK(held <= samples - 1);
    }
  }
}

TEST_CASE("accumulators that are left out in turn give the errors of their rows", "[jackknife]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{42, 6}, {21, 30}}) {
    for (const Index count : {3, 7, 21}) {
      CAPTURE(n, d, count);
      const Eigen::MatrixXd z = reference::gaussian<double>(n, d, 8);
      const Options options{.method = SpectrumMethod::gram, .seed = 3, .resamples = count};
      const streams::RowGroups groups(n, count, options.seed);
      std::vector<Accumulator> parts(static_cast<std::size_t>(count), Accumulator(d, options));
      for (Index g = 0; g < count; ++g) {
        const std::vector<Index> kept = groups.all_but(g);
        for (Index i = 0; i < n; ++i) {
          if (!std::binary_search(kept.begin(), kept.end(), i)) parts[static_cast<std::size_t>(g)].update(z.row(i));
        }
      }
      const Report expected = measure(z, options);
      const Report report = jackknife_report(parts);
      CHECK(report.samples == n);
      CHECK(report.confidence.resamples == count);
      REQUIRE(report.confidence.estimates.size() == expected.confidence.estimates.size());
      for (const Estimate& estimate : expected.confidence.estimates) {
        CAPTURE(std::string(estimate.metric));
        const Estimate other = find(report, std::string(estimate.metric));
        if (std::isnan(estimate.standard_error)) {
          CHECK(std::isnan(other.standard_error));
          continue;
        }
        CHECK(std::abs(other.value - estimate.value) <= 1e-10 * std::abs(estimate.value));
        CHECK(std::abs(other.standard_error - estimate.standard_error) <= 1e-7 * estimate.standard_error);
      }
    }
  }
}

TEST_CASE("too few accumulators for an error are refused, with their number", "[jackknife]") {
  std::vector<Accumulator> parts;
  CHECK_THROWS_AS(jackknife_report(parts), Error);
  parts.emplace_back(3);
  try {
    static_cast<void>(jackknife_report(parts));
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).rfind("1 accumulator given", 0) == 0);
  }
  parts.emplace_back(3);
  CHECK_THROWS_AS(jackknife_report(parts, 1.0), OptionError);
}

TEST_CASE("an accumulator alone has no standard errors, whatever its options", "[jackknife]") {
  Accumulator seen(3, {.resamples = 4});
  seen.update(reference::gaussian<float>(12, 3, 1));
  CHECK(seen.report().confidence.resamples == 0);
}

TEST_CASE("errors of the smallest inputs are undefined or zero", "[jackknife]") {
  const Report one = measure(Eigen::MatrixXd::Ones(1, 3), {.resamples = 2});
  CHECK(one.confidence.resamples == 0);
  const Report two = measure(reference::gaussian<double>(2, 3, 1), {.resamples = 2});
  CHECK(two.confidence.resamples == 2);
  CHECK(std::isnan(find(two, "cosine.mean").standard_error));
  CHECK(std::isnan(find(two, "cosine.mean").low));
  CHECK(find(two, "norms.mean").standard_error > 0.0);
  const Report same = measure(Eigen::MatrixXd::Ones(9, 2), {.resamples = 3});
  CHECK(find(same, "variance.dispersion").standard_error == 0.0);
  CHECK(find(same, "norms.mean").standard_error == 0.0);
  CHECK(std::isnan(find(same, "spectrum.participation_ratio").standard_error));
}
