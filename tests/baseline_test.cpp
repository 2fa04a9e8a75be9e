#include <collapse/baseline.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <string>
#include <vector>

using collapse::Baseline;
using collapse::baseline_of;
using collapse::Fall;
using collapse::falls_since;
using collapse::Report;
using collapse::Verdict;

namespace {

Report report_of(double rank, double dispersion, double cosine, Verdict verdict = Verdict::healthy) {
  Report report;
  report.spectrum.effective_rank_vs_expected = rank;
  report.variance.dispersion = dispersion;
  report.cosine.mean = cosine;
  report.diagnosis.verdict = verdict;
  return report;
}

std::vector<std::string> fallen(const Baseline& before, const Report& now) {
  std::vector<std::string> metrics;
  for (const Fall& fall : falls_since(before, now)) metrics.emplace_back(fall.metric.view());
  return metrics;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a report falls where rank halves or spread quarters", "[baseline]") {
  const Baseline before = baseline_of(report_of(0.8, 0.8, 0.2));
  CHECK(fallen(before, report_of(0.8, 0.8, 0.2)).empty());
  CHECK(fallen(before, report_of(0.41, 0.21, 0.79)).empty());
  CHECK(fallen(before, report_of(1.0, 1.0, -0.5)).empty());
  CHECK(fallen(before, report_of(0.39, 0.8, 0.2)) == Names{"spectrum.effective_rank_vs_expected"});
  CHECK(fallen(before, report_of(0.8, 0.19, 0.2)) == Names{"variance.dispersion"});
  CHECK(fallen(before, report_of(0.8, 0.8, 0.81)) == Names{"cosine.mean"});
  const std::vector<Fall> all = falls_since(before, report_of(0.1, 0.01, 0.99));
  REQUIRE(all.size() == 3);
  CHECK(all[0].before == 0.8);
  CHECK(all[0].now == 0.1);
  CHECK(std::abs(all[0].allowed - 0.4) < 1e-15);
  CHECK(std::abs(all[1].allowed - 0.2) < 1e-15);
  CHECK(std::abs(all[2].allowed - 0.8) < 1e-15);
}

TEST_CASE("what was undefined says nothing and what becomes undefined has fallen", "[baseline]") {
  const double undefined = collapse::undefined;
  CHECK(fallen(baseline_of(report_of(undefined, undefined, undefined)), report_of(0.1, 0.1, 0.9)).empty());
  CHECK(fallen(baseline_of(report_of(0.8, 0.8, 0.2)), report_of(undefined, 0.8, undefined)) ==
        Names{"spectrum.effective_rank_vs_expected", "cosine.mean"});
}

TEST_CASE("the shares that may fall are options", "[baseline]") {
  const Baseline before = baseline_of(report_of(0.8, 0.8, 0.0));
  CHECK(falls_since(before, report_of(0.7, 0.7, 0.1), {.relative_drop = 0.1, .spread_drop = 0.05}).size() == 3);
  CHECK(falls_since(before, report_of(0.1, 0.1, 0.9), {.relative_drop = 0.95, .spread_drop = 0.95}).empty());
  CHECK_THROWS_AS(falls_since(before, report_of(1, 1, 0), {.relative_drop = 0.0}), collapse::OptionError);
  CHECK_THROWS_AS(falls_since(before, report_of(1, 1, 0), {.spread_drop = 1.0}), collapse::OptionError);
}

TEST_CASE("a verdict falls from healthy to a collapse", "[baseline]") {
  const Baseline healthy = baseline_of(report_of(1, 1, 0));
  CHECK(verdict_fell(healthy, report_of(1, 1, 0, Verdict::cluster_collapse)));
  CHECK_FALSE(verdict_fell(healthy, report_of(1, 1, 0)));
  CHECK_FALSE(verdict_fell(healthy, report_of(1, 1, 0, Verdict::undetermined)));
  CHECK_FALSE(verdict_fell(baseline_of(report_of(1, 1, 0, Verdict::complete_collapse)),
                           report_of(1, 1, 0, Verdict::dimensional_collapse)));
}
