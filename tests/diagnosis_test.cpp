#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/diagnosis.hpp>
#include <collapse/measure.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The numbers of healthy embeddings of this shape, as far as a diagnosis reads them.
Report healthy_report(Index samples = 1000, Index dims = 64) {
  Report report;
  report.samples = samples;
  report.dims = dims;
  report.input_epsilon = 0x1p-23;
  report.norms.mean = 8.0;
  report.cosine.mean = 0.01;
  report.variance.dispersion = 0.98;
  report.decorrelation.max_abs_correlation = 0.2;
  report.decorrelation.max_pair = {3, 5};
  for (Spectrum* spectrum : {&report.spectrum, &report.spectrum_uncentered}) {
    spectrum->singular_values = Eigen::VectorXd::Ones(dims);
    spectrum->noise_floor = 1e-5;
    spectrum->numerical_rank = std::min(samples - 1, dims);
    spectrum->expected_effective_rank = 60.0;
    spectrum->effective_rank_vs_expected = 0.95;
    spectrum->effective_rank = 57.0;
    spectrum->alpha = 0.3;
    spectrum->leading_rank = spectrum->numerical_rank;
  }
  return report;
}

const Finding* find(const Diagnosis& diagnosis, const std::string& kind, const std::string& metric = {}) {
  for (const Finding& finding : diagnosis.findings) {
    if (to_string(finding.kind) == kind && (metric.empty() || finding.metric == metric)) return &finding;
  }
  return nullptr;
}

std::vector<std::string> kinds(const Diagnosis& diagnosis) {
  std::vector<std::string> result;
  for (const Finding& finding : diagnosis.findings) result.emplace_back(to_string(finding.kind));
  std::sort(result.begin(), result.end());
  return result;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool near(double a, double b) { return std::abs(a - b) <= 1e-14; }

/// What holds for every diagnosis, whatever it says.
void check_form(const Diagnosis& diagnosis) {
  double before = 1.0;
  for (const Finding& finding : diagnosis.findings) {
    CAPTURE(to_string(finding.kind), finding.severity, finding.explanation);
    CHECK(finding.severity >= 0.0);
    CHECK(finding.severity <= before);
    before = finding.severity;
    CHECK(std::find(finding_kinds.begin(), finding_kinds.end(), finding.kind) != finding_kinds.end());
    CHECK_FALSE(finding.metric.empty());
    CHECK_FALSE(finding.explanation.empty());
    CHECK_FALSE(contains(finding.explanation, "nan"));
    CHECK_FALSE(contains(finding.explanation, "  "));
    CHECK_FALSE(contains(finding.remedy, "  "));
    for (const char c : finding.explanation + finding.remedy) CHECK((c >= ' ' && c <= '~'));
    // A remark needs no cure, anything grave does.
    if (finding.severity > 0.0) CHECK_FALSE(finding.remedy.empty());
    if (finding.kind == FindingKind::undefined_number)
      CHECK((std::isnan(finding.value) && std::isnan(finding.threshold)));
  }
}

Diagnosis checked(const Report& report, const Thresholds& thresholds = {}) {
  Diagnosis diagnosis = diagnose(report, thresholds);
  check_form(diagnosis);
  return diagnosis;
}

}  // namespace

TEST_CASE("healthy numbers are healthy and leave nothing to say", "[diagnosis]") {
  const Diagnosis diagnosis = checked(healthy_report());
  CHECK(diagnosis.verdict == Verdict::healthy);
  CHECK(diagnosis.findings.empty());
}

TEST_CASE("an earlier diagnosis is not read", "[diagnosis]") {
  Report report = healthy_report();
  report.diagnosis.verdict = Verdict::complete_collapse;
  report.diagnosis.findings.push_back({FindingKind::anisotropy, 1.0, {}, 0.0, 0.0, "stale", ""});
  CHECK(diagnose(report).verdict == Verdict::healthy);
  CHECK(diagnose(report).findings.empty());
}

TEST_CASE("a dispersion at or below its threshold is complete collapse", "[diagnosis]") {
  for (const auto& [dispersion, severity] :
       {std::pair{0.01, 0.8}, {0.0075, 0.85}, {0.005, 0.9}, {0.001, 0.98}, {0.0, 1.0}, {-1e-17, 1.0}}) {
    CAPTURE(dispersion);
    Report report = healthy_report();
    report.variance.dispersion = dispersion;
    const Diagnosis diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::complete_collapse);
    REQUIRE(diagnosis.findings.size() == 1);
    const Finding& finding = diagnosis.findings[0];
    CHECK(finding.kind == FindingKind::complete_collapse);
    CHECK(finding.metric == "variance.dispersion");
    CHECK(finding.value == dispersion);
    CHECK(finding.threshold == 0.01);
    CHECK(near(finding.severity, severity));
    CHECK(contains(finding.explanation, fmt::format("{:.3g}", dispersion)));
    CHECK(contains(finding.remedy, "VICReg"));
  }
  Report report = healthy_report();
  report.variance.dispersion = std::nextafter(0.01, 1.0);
  report.spectrum.singular_values(0) = 30.0;
  CHECK(diagnose(report).verdict == Verdict::healthy);
}

TEST_CASE("a mean cosine at or above its threshold is complete collapse", "[diagnosis]") {
  for (const auto& [cosine, severity] : {std::pair{0.975, 0.8}, {0.98, 0.84}, {0.9875, 0.9}, {1.0, 1.0}}) {
    CAPTURE(cosine);
    Report report = healthy_report();
    report.cosine.mean = cosine;
    report.variance.dispersion = 0.05;
    report.spectrum.singular_values(0) = 30.0;
    const Diagnosis diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::complete_collapse);
    REQUIRE(diagnosis.findings.size() == 1);
    const Finding& finding = diagnosis.findings[0];
    CHECK(finding.kind == FindingKind::complete_collapse);
    CHECK(finding.metric == "cosine.mean");
    CHECK(finding.value == cosine);
    CHECK(finding.threshold == 0.975);
    CHECK(std::abs(finding.severity - severity) < 1e-12);
    CHECK(contains(finding.explanation, fmt::format("{:.4f}", cosine)));
  }
  Report report = healthy_report();
  report.cosine.mean = 0.98;
  report.variance.dispersion = 0.05;
  report.spectrum.singular_values(0) = 30.0;
  CHECK(diagnose(report).verdict == Verdict::complete_collapse);
  report.cosine.mean = std::nextafter(0.975, 0.0);
  CHECK(diagnose(report).verdict == Verdict::healthy);
  // Rows that spread, as those of columns with offsets of their own do, are no point; along one direction alone they
  // may spread a little further.
  report.cosine.mean = 0.98;
  report.variance.dispersion = 0.08;
  report.spectrum.participation_ratio = 1.26;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.spectrum.participation_ratio = 1.25;
  CHECK(diagnose(report).verdict == Verdict::complete_collapse);
  report.variance.dispersion = 0.11;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  // Nor are rows whose common direction is that of a few dimensions.
  report.variance.dispersion = 0.02;
  report.cosine.mean_of_others = 0.95;
  CHECK(diagnose(report).verdict == Verdict::complete_collapse);
  report.cosine.mean_of_others = 0.94;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  // In one dimension data of one sign have cosine 1 and need not be collapsed.
  report = healthy_report(1000, 1);
  report.cosine.mean = 1.0;
  CHECK(diagnose(report).verdict == Verdict::healthy);
}

TEST_CASE("no singular value above the noise floor is complete collapse below the precision", "[diagnosis]") {
  Report report = healthy_report();
  report.spectrum.numerical_rank = 0;
  report.spectrum.singular_values *= 1e-6;
  Diagnosis diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::complete_collapse);
  const Finding* finding = find(diagnosis, "below_precision");
  REQUIRE(finding != nullptr);
  CHECK(finding == &diagnosis.findings.front());
  CHECK(finding->severity == 1.0);
  CHECK(finding->metric == "spectrum.numerical_rank");
  CHECK(finding->value == 0.0);
  CHECK(finding->threshold == 1.0);
  CHECK(contains(finding->explanation, "below the input's precision"));
  CHECK(contains(finding->explanation, "1e-06"));
  CHECK(contains(finding->explanation, "1e-05"));
  CHECK(find(diagnosis, "undefined", "spectrum") != nullptr);

  report.spectrum.singular_values.setZero();
  diagnosis = checked(report);
  REQUIRE(find(diagnosis, "below_precision") != nullptr);
  CHECK(find(diagnosis, "below_precision")->explanation == "all rows are equal");

  // Of a single row nothing of the kind can be said.
  report.samples = 1;
  diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::undetermined);
  CHECK(find(diagnosis, "below_precision") == nullptr);
}

TEST_CASE("against a baseline an effective rank far below what is expected is dimensional collapse", "[diagnosis]") {
  for (const auto& [ratio, severity] : {std::pair{0.25, 0.5}, {0.125, 0.7}, {0.05, 0.82}, {0.0, 0.9}}) {
    CAPTURE(ratio);
    Report report = healthy_report();
    report.spectrum.effective_rank_vs_expected = ratio;
    report.spectrum.effective_rank = 60.0 * ratio;
    CHECK(diagnose(report).verdict == Verdict::healthy);
    const Diagnosis diagnosis = checked(report, {.dimensional_ratio = 0.25});
    CHECK(diagnosis.verdict == Verdict::dimensional_collapse);
    REQUIRE(diagnosis.findings.size() == 1);
    const Finding& finding = diagnosis.findings[0];
    CHECK(finding.kind == FindingKind::dimensional_collapse);
    CHECK(finding.metric == "spectrum.effective_rank_vs_expected");
    CHECK(finding.value == ratio);
    CHECK(finding.threshold == 0.25);
    CHECK(near(finding.severity, severity));
    CHECK(contains(finding.explanation, fmt::format("about {:.3g} directions", 60.0 * ratio)));
    CHECK(contains(finding.explanation, "use 60"));
    CHECK(contains(finding.remedy, "decorrelate"));
  }
  Report report = healthy_report();
  report.spectrum.effective_rank_vs_expected = std::nextafter(0.25, 1.0);
  CHECK(diagnose(report, {.dimensional_ratio = 0.25}).verdict == Verdict::healthy);
  // The ratio to the largest rank is another matter: it is low for want of samples.
  report = healthy_report();
  report.spectrum.effective_rank_ratio = 0.01;
  report.spectrum_uncentered.effective_rank_vs_expected = 0.01;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report = healthy_report(1000, 1);
  report.spectrum.effective_rank_vs_expected = 0.1;
  CHECK(diagnose(report, {.dimensional_ratio = 0.25}).verdict == Verdict::healthy);
}

TEST_CASE("a mean cosine above its threshold is told and is no collapse", "[diagnosis]") {
  for (const auto& [cosine, severity] : {std::pair{0.5, 0.1}, {0.6, 0.14}, {0.75, 0.2}, {0.95, 0.28}}) {
    CAPTURE(cosine);
    Report report = healthy_report();
    report.cosine.mean = cosine;
    const Diagnosis diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::healthy);
    REQUIRE(diagnosis.findings.size() == 1);
    CHECK(diagnosis.findings[0].kind == FindingKind::anisotropy);
    CHECK_FALSE(diagnosis.findings[0].decisive);
    const Finding& finding = diagnosis.findings[0];
    CHECK(finding.metric == "cosine.mean");
    CHECK(finding.value == cosine);
    CHECK(finding.threshold == 0.5);
    CHECK(near(finding.severity, severity));
    CHECK(contains(finding.explanation, fmt::format("{:.3f}", cosine)));
  }
  Report report = healthy_report();
  report.cosine.mean = std::nextafter(0.5, 0.0);
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.cosine.mean = -1.0;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report = healthy_report(1000, 1);
  report.cosine.mean = 0.9;
  CHECK(diagnose(report).verdict == Verdict::healthy);
}

TEST_CASE("the gravest verdict wins and every finding is told", "[diagnosis]") {
  Report report = healthy_report();
  report.cosine.mean = 0.6;
  report.spectrum.effective_rank_vs_expected = 0.1;
  Diagnosis diagnosis = checked(report, {.dimensional_ratio = 0.25});
  CHECK(diagnosis.verdict == Verdict::dimensional_collapse);
  CHECK(kinds(diagnosis) == std::vector<std::string>{"anisotropy", "dimensional_collapse"});
  CHECK(diagnosis.findings[0].kind == FindingKind::dimensional_collapse);

  report.cosine.mean = 0.99;
  report.variance.dispersion = 0.002;
  report.decorrelation.max_abs_correlation = 1.0;
  diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::complete_collapse);
  // What is left of collapsed rows says nothing about their dimensions.
  CHECK(kinds(diagnosis) == std::vector<std::string>{"complete_collapse", "complete_collapse"});
  CHECK(find(diagnosis, "complete_collapse", "variance.dispersion") != nullptr);
  CHECK(find(diagnosis, "complete_collapse", "cosine.mean") != nullptr);

  report.spectrum.numerical_rank = 0;
  report.norms.skipped_rows = 2;
  report.norms.zero_rows = 10;
  report.spectrum.alpha = undefined;
  diagnosis = checked(report);
  CHECK(diagnosis.findings.size() == 6);
  CHECK(diagnosis.findings[0].kind == FindingKind::below_precision);
  CHECK(diagnosis.findings[1].metric == "variance.dispersion");
  CHECK(diagnosis.findings[2].metric == "cosine.mean");
  CHECK(diagnosis.findings[3].kind == FindingKind::skipped_rows);
  CHECK(diagnosis.findings[4].kind == FindingKind::zero_rows);
  CHECK(diagnosis.findings[5].kind == FindingKind::undefined_number);
}

TEST_CASE("dead dimensions are counted as a share and do not decide the verdict", "[diagnosis]") {
  for (const Index dead : {1, 16, 32, 64}) {
    CAPTURE(dead);
    Report report = healthy_report();
    report.variance.dead_dimensions = dead;
    const Diagnosis diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::healthy);
    const Finding* finding = find(diagnosis, "dead_dimensions");
    REQUIRE(finding != nullptr);
    CHECK(near(finding->severity, 0.1 + 0.6 * static_cast<double>(dead) / 64.0));
    CHECK(finding->metric == "variance.dead_dimensions");
    CHECK(finding->value == static_cast<double>(dead));
    CHECK(finding->threshold == 0.0);
    CHECK(finding->explanation == (dead == 1 ? std::string("1 dimension of 64 never changes")
                                             : fmt::format("{} dimensions of 64 never change", dead)));
  }
}

TEST_CASE("redundant dimensions are named", "[diagnosis]") {
  Report report = healthy_report();
  report.decorrelation.max_abs_correlation = 0.99;
  Diagnosis diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::healthy);
  const Finding* finding = find(diagnosis, "redundant_dimensions");
  REQUIRE(finding != nullptr);
  CHECK(finding->severity == 0.2);
  CHECK(finding->metric == "decorrelation.max_abs_correlation");
  CHECK(finding->value == 0.99);
  CHECK(finding->threshold == 0.99);
  CHECK(finding->explanation == "dimensions 3 and 5 repeat each other");

  report.decorrelation.max_abs_correlation = std::nextafter(0.99, 0.0);
  CHECK(diagnose(report).findings.empty());
  report.decorrelation.max_abs_correlation = 1.0;
  report.decorrelation.max_pair = std::nullopt;
  CHECK(find(diagnose(report), "redundant_dimensions") == nullptr);
}

TEST_CASE("rows that were left out are counted", "[diagnosis]") {
  Report report = healthy_report();
  report.norms.zero_rows = 1;
  report.norms.skipped_rows = 1;
  Diagnosis diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::healthy);
  REQUIRE(find(diagnosis, "zero_rows") != nullptr);
  REQUIRE(find(diagnosis, "skipped_rows") != nullptr);
  CHECK(near(find(diagnosis, "zero_rows")->severity, 0.0005));
  CHECK(near(find(diagnosis, "skipped_rows")->severity, 0.1));
  CHECK(find(diagnosis, "zero_rows")->explanation ==
        "1 row of length 0 has no direction and is left out of every cosine");
  CHECK(find(diagnosis, "skipped_rows")->explanation == "1 row holds a NaN or an infinity and was left out");
  report.norms.zero_rows = 400;
  report.norms.skipped_rows = 3;
  diagnosis = checked(report);
  CHECK(near(find(diagnosis, "zero_rows")->severity, 0.2));
  CHECK(find(diagnosis, "zero_rows")->value == 400.0);
  CHECK(find(diagnosis, "zero_rows")->explanation ==
        "400 rows of length 0 have no direction and are left out of every cosine");
  CHECK(find(diagnosis, "skipped_rows")->explanation == "3 rows hold a NaN or an infinity and were left out");
  CHECK(diagnosis.findings[0].kind == FindingKind::zero_rows);
}

TEST_CASE("few rows tell a complete collapse and nothing else", "[diagnosis]") {
  for (const Index samples : {2, 3, 15}) {
    CAPTURE(samples);
    Report report = healthy_report(samples);
    report.spectrum.effective_rank_vs_expected = 0.01;
    report.cosine.mean = 0.9;
    report.decorrelation.max_abs_correlation = 1.0;
    Diagnosis diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::undetermined);
    CHECK(kinds(diagnosis) == std::vector<std::string>{"too_few_samples"});
    const Finding& finding = diagnosis.findings[0];
    CHECK(finding.severity == 0.0);
    CHECK(finding.metric == "samples");
    CHECK(finding.value == static_cast<double>(samples));
    CHECK(finding.threshold == 16.0);
    CHECK(contains(finding.explanation, fmt::format("{} rows", samples)));
    report.variance.dispersion = 1e-4;
    diagnosis = checked(report);
    CHECK(diagnosis.verdict == Verdict::complete_collapse);
    CHECK(find(diagnosis, "too_few_samples") == nullptr);
  }
  CHECK(diagnose(healthy_report(16)).verdict == Verdict::healthy);
  CHECK(diagnose(healthy_report(15)).verdict == Verdict::undetermined);
  const Diagnosis single = checked(healthy_report(1));
  REQUIRE(find(single, "too_few_samples") != nullptr);
  CHECK(contains(find(single, "too_few_samples")->explanation, "1 row cannot"));
}

TEST_CASE("numbers that are missing leave the verdict open and are explained", "[diagnosis]") {
  const std::vector<std::function<double&(Report&)>> needed{
      [](Report& report) -> double& { return report.variance.dispersion; },
      [](Report& report) -> double& { return report.spectrum.effective_rank_vs_expected; },
      [](Report& report) -> double& { return report.cosine.mean; }};
  for (const auto& number : needed) {
    for (const double value : {undefined, infinity}) {
      Report report = healthy_report();
      number(report) = value;
      const Verdict verdict = checked(report).verdict;
      CHECK(verdict == Verdict::undetermined);
    }
  }
  Report report = healthy_report();
  report.variance.dispersion = undefined;
  REQUIRE(find(diagnose(report), "undefined", "variance.dispersion") != nullptr);
  CHECK(find(diagnose(report), "undefined", "variance.dispersion")->explanation == "all rows are zero");

  report = healthy_report();
  report.norms.zero_rows = 999;
  report.cosine.mean = undefined;
  REQUIRE(find(checked(report), "undefined", "cosine") != nullptr);
  CHECK(contains(find(diagnose(report), "undefined", "cosine")->explanation, "1 row has a direction"));
  report.norms.zero_rows = 1000;
  CHECK(contains(find(diagnose(report), "undefined", "cosine")->explanation, "0 rows have a direction"));
  report.norms.zero_rows = 998;
  CHECK(find(diagnose(report), "undefined", "cosine") == nullptr);

  report = healthy_report();
  report.variance.dead_dimensions = 62;
  CHECK(find(checked(report), "undefined") == nullptr);
  report.variance.dead_dimensions = 63;
  REQUIRE(find(checked(report), "undefined", "decorrelation.max_abs_correlation") != nullptr);
  CHECK(find(checked(healthy_report(1000, 1)), "undefined", "decorrelation.max_abs_correlation") != nullptr);

  report = healthy_report();
  report.spectrum.alpha = undefined;
  report.spectrum.numerical_rank = 13;
  REQUIRE(find(checked(report), "undefined", "spectrum.alpha") != nullptr);
  CHECK(contains(find(diagnose(report), "undefined")->explanation, "13 eigenvalues"));
  CHECK(diagnose(report).verdict == Verdict::healthy);

  report = healthy_report();
  report.spectrum_uncentered.numerical_rank = 0;
  CHECK(find(checked(report), "undefined", "spectrum_uncentered") != nullptr);
  CHECK(find(checked(healthy_report(1)), "undefined", "variance") != nullptr);
}

TEST_CASE("thresholds are options", "[diagnosis]") {
  Report report = healthy_report();
  report.variance.dispersion = 0.09;
  report.spectrum.singular_values(0) = 30.0;
  report.spectrum.participation_ratio = 1.1;
  report.cosine.mean = 0.3;
  report.spectrum.effective_rank_vs_expected = 0.6;
  report.decorrelation.max_abs_correlation = 0.8;
  CHECK(diagnose(report).findings.empty());
  const auto only = [&](const Thresholds& thresholds) {
    const Diagnosis diagnosis = checked(report, thresholds);
    REQUIRE(diagnosis.findings.size() == 1);
    return std::pair(diagnosis.verdict, diagnosis.findings[0]);
  };
  CHECK(only({.complete_dispersion = 0.09}).first == Verdict::complete_collapse);
  CHECK(only({.complete_dispersion = 0.6}).second.threshold == 0.6);
  CHECK(only({.complete_cosine = 0.3}).first == Verdict::complete_collapse);
  CHECK(only({.complete_cosine = 0.3}).second.threshold == 0.3);
  CHECK(only({.dimensional_ratio = 0.6}).first == Verdict::dimensional_collapse);
  CHECK(only({.dimensional_ratio = 0.8}).second.threshold == 0.8);
  CHECK(near(only({.dimensional_ratio = 0.8}).second.severity, 0.6));
  CHECK(only({.anisotropic_cosine = 0.3}).first == Verdict::healthy);
  CHECK(only({.anisotropic_cosine = 0.2}).second.threshold == 0.2);
  CHECK(only({.redundant_correlation = 0.8}).first == Verdict::healthy);
  CHECK(only({.redundant_correlation = 0.7}).second.threshold == 0.7);
  CHECK(only({.minimum_samples = 1001}).first == Verdict::undetermined);
  CHECK(only({.minimum_samples = 1001}).second.threshold == 1001.0);
  CHECK(diagnose(report, {.minimum_samples = 1000}).verdict == Verdict::healthy);

  // At the end of the scale there is nothing to grade.
  report.variance.dispersion = 0.0;
  report.cosine.mean = 1.0;
  const Diagnosis diagnosis = checked(report, {.complete_dispersion = 0.0, .complete_cosine = 1.0});
  REQUIRE(diagnosis.findings.size() == 2);
  CHECK(diagnosis.findings[0].severity == 1.0);
  CHECK(diagnosis.findings[1].severity == 1.0);
}

TEST_CASE("findings of the same severity keep the order of the examination", "[diagnosis]") {
  Report report = healthy_report();
  report.variance.dispersion = 0.0;
  report.cosine.mean = 1.0;
  report.spectrum.numerical_rank = 0;
  const Diagnosis diagnosis = checked(report);
  REQUIRE(diagnosis.findings.size() >= 3);
  CHECK(diagnosis.findings[0].kind == FindingKind::below_precision);
  CHECK(diagnosis.findings[1].metric == "variance.dispersion");
  CHECK(diagnosis.findings[2].metric == "cosine.mean");
}

TEST_CASE("an empty report is undetermined", "[diagnosis]") {
  const Diagnosis diagnosis = checked(Report{});
  CHECK(diagnosis.verdict == Verdict::undetermined);
  REQUIRE(find(diagnosis, "too_few_samples") != nullptr);
  CHECK(contains(find(diagnosis, "too_few_samples")->explanation, "0 rows"));
}

TEST_CASE("severities stay in range for numbers out of theirs", "[diagnosis]") {
  for (const double value : {-infinity, -1e300, -1.0, 2.0, 1e300, infinity}) {
    Report report = healthy_report();
    report.variance.dispersion = value;
    check_form(diagnose(report));
    report = healthy_report();
    report.cosine.mean = value;
    check_form(diagnose(report));
    report = healthy_report();
    report.spectrum.effective_rank_vs_expected = value;
    check_form(diagnose(report));
    report = healthy_report();
    report.decorrelation.max_abs_correlation = value;
    check_form(diagnose(report));
  }
}

TEMPLATE_TEST_CASE("embeddings of known collapse get their verdict", "[diagnosis]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{200, 32}, {48, 160}, {64, 64}, {16, 40}}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      CAPTURE(n, d, seed);
      const auto verdict = [](const auto& z) {
        const Report report = measure(z);
        check_form(report.diagnosis);
        return report.diagnosis.verdict;
      };
      CHECK(verdict(synthetic::isotropic<TestType>(n, d, seed)) == Verdict::healthy);
      CHECK(verdict(synthetic::constant<TestType>(n, d, seed)) == Verdict::complete_collapse);
      CHECK(verdict(synthetic::around_a_point<TestType>(n, d, 1e-3, seed)) == Verdict::complete_collapse);
      CHECK(verdict(synthetic::low_rank<TestType>(n, d, 2, seed)) == Verdict::dimensional_collapse);
      CHECK(verdict(synthetic::low_rank<TestType>(n, d, 1, seed)) == Verdict::dimensional_collapse);
      CHECK(verdict(synthetic::cone<TestType>(n, d, 0.8, seed)) == Verdict::healthy);
      CHECK(verdict(synthetic::cone<TestType>(n, d, 0.995, seed)) == Verdict::complete_collapse);
      CHECK(verdict(synthetic::power_law<TestType>(n, d, 5.0, seed)) == Verdict::dimensional_collapse);
    }
  }
}

TEST_CASE("isotropic rows are healthy at every shape", "[diagnosis]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{16, 2},
                             {16, 3},
                             {16, 16},
                             {17, 16},
                             {16, 500},
                             {40, 400},
                             {1000, 4},
                             {300, 150},
                             {100, 1},
                             {64, 768}}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      CAPTURE(n, d, seed);
      const Report report = measure(synthetic::isotropic<float>(n, d, seed));
      check_form(report.diagnosis);
      CHECK(report.diagnosis.verdict == Verdict::healthy);
      // Nothing graver than a remark.
      for (const Finding& finding : report.diagnosis.findings) CHECK(finding.severity == 0.0);
    }
  }
}

TEST_CASE("too few rows are undetermined, unless they are all but equal", "[diagnosis]") {
  for (const Index n : {1, 2, 3, 15}) {
    for (const Index d : {2, 8, 100}) {
      CAPTURE(n, d);
      const Report isotropic = measure(synthetic::isotropic<float>(n, d));
      check_form(isotropic.diagnosis);
      CHECK(isotropic.diagnosis.verdict == Verdict::undetermined);
      CHECK(find(isotropic.diagnosis, "too_few_samples") != nullptr);
      const Report constant = measure(synthetic::constant<float>(n, d));
      check_form(constant.diagnosis);
      CHECK(constant.diagnosis.verdict == (n == 1 ? Verdict::undetermined : Verdict::complete_collapse));
    }
  }
  const Report low_rank = measure(synthetic::low_rank<float>(15, 100, 1));
  CHECK(low_rank.diagnosis.verdict == Verdict::undetermined);
}

TEST_CASE("constant rows are told from rows equal up to rounding, and both are complete collapse", "[diagnosis]") {
  const Diagnosis constant = measure(synthetic::constant<float>(100, 32)).diagnosis;
  REQUIRE(find(constant, "below_precision") != nullptr);
  CHECK(find(constant, "below_precision")->explanation == "all rows are equal");
  CHECK(find(constant, "complete_collapse", "variance.dispersion") != nullptr);
  CHECK(find(constant, "complete_collapse", "cosine.mean") != nullptr);
  CHECK(constant.findings[0].severity == 1.0);
  const Diagnosis rounded = measure(synthetic::around_a_point<float>(100, 32, 1e-11)).diagnosis;
  REQUIRE(find(rounded, "below_precision") != nullptr);
  CHECK(contains(find(rounded, "below_precision")->explanation, "precision"));
  const Diagnosis measured = measure(synthetic::around_a_point<float>(100, 32, 1e-4)).diagnosis;
  CHECK(find(measured, "below_precision") == nullptr);
  CHECK(measured.verdict == Verdict::complete_collapse);
}

TEST_CASE("dead, copied and zero parts of healthy rows are found", "[diagnosis]") {
  const Report dead = measure(synthetic::dead_dimensions<float>(200, 20, 3));
  CHECK(dead.diagnosis.verdict == Verdict::healthy);
  REQUIRE(find(dead.diagnosis, "dead_dimensions") != nullptr);
  CHECK(find(dead.diagnosis, "dead_dimensions")->value == 3.0);
  const Report copies = measure(synthetic::duplicated<float>(200, 20, 10));
  CHECK(copies.diagnosis.verdict == Verdict::healthy);
  REQUIRE(find(copies.diagnosis, "redundant_dimensions") != nullptr);
  Dense<float> z = synthetic::isotropic<float>(200, 20);
  z.topRows(50).setZero();
  z(60, 3) = std::numeric_limits<float>::quiet_NaN();
  const Report partial = measure(z, {.nonfinite = NonFinite::skip_rows});
  check_form(partial.diagnosis);
  CHECK(partial.diagnosis.verdict == Verdict::partial_collapse);
  REQUIRE(find(partial.diagnosis, "zero_rows") != nullptr);
  CHECK(find(partial.diagnosis, "zero_rows")->value == 50.0);
  CHECK(find(partial.diagnosis, "skipped_rows")->value == 1.0);
  const Report zeros = measure(Dense<float>(Dense<float>::Zero(50, 5)));
  check_form(zeros.diagnosis);
  CHECK(zeros.diagnosis.verdict == Verdict::complete_collapse);
}

TEST_CASE("scale and order of the rows leave the diagnosis", "[diagnosis]") {
  for (const auto& z : {synthetic::isotropic<double>(60, 20, 4), synthetic::low_rank<double>(60, 20, 2, 4),
                        synthetic::cone<double>(60, 20, 0.8, 4), synthetic::around_a_point<double>(60, 20, 1e-3, 4)}) {
    const Diagnosis expected = measure(z).diagnosis;
    for (const Dense<double>& moved : {Dense<double>(z * 1e150), Dense<double>(z * 1e-150),
                                       Dense<double>(z.colwise().reverse()), Dense<double>(-z)}) {
      const Diagnosis diagnosis = measure(moved).diagnosis;
      CHECK(diagnosis.verdict == expected.verdict);
      REQUIRE(kinds(diagnosis) == kinds(expected));
      for (std::size_t i = 0; i < expected.findings.size(); ++i) {
        CHECK(std::abs(diagnosis.findings[i].severity - expected.findings[i].severity) < 1e-10);
      }
    }
  }
}

TEST_CASE("the finding that the verdict rests on is marked and says where its threshold comes from", "[diagnosis]") {
  const auto decisive = [](const Diagnosis& diagnosis) {
    std::vector<std::string> result;
    for (const Finding& finding : diagnosis.findings) {
      if (finding.decisive) result.emplace_back(to_string(finding.kind));
      if (finding.severity >= 0.3) CHECK((finding.kind == FindingKind::dead_dimensions || !finding.origin.empty()));
    }
    return result;
  };
  using Names = std::vector<std::string>;
  CHECK(decisive(diagnose(healthy_report())).empty());
  CHECK(decisive(diagnose(healthy_report(3))) == Names{"too_few_samples"});
  Report report = healthy_report();
  report.variance.dead_dimensions = 64;
  report.cosine.mean = 0.6;
  CHECK(decisive(diagnose(report)).empty());
  report.variance.dead_dimensions = 0;
  report.spectrum.effective_rank_vs_expected = 0.2;
  CHECK(decisive(diagnose(report, {.dimensional_ratio = 0.25})) == Names{"dimensional_collapse"});
  report.variance.dispersion = 0.001;
  CHECK(decisive(diagnose(report)) == Names{"complete_collapse"});
}

TEST_CASE("pairs of one direction apart from all others are clusters", "[diagnosis]") {
  Report report = healthy_report();
  report.norms.std = 0.5;
  report.cosine.pairs = 1000;
  report.cosine.histogram[32] = 870;
  report.cosine.histogram[61] = 130;
  const Diagnosis diagnosis = checked(report);
  CHECK(diagnosis.verdict == Verdict::cluster_collapse);
  REQUIRE(find(diagnosis, "cluster_collapse") != nullptr);
  CHECK(find(diagnosis, "cluster_collapse")->value == 0.13);
  CHECK(find(diagnosis, "cluster_collapse")->threshold == 0.015);
  // Many points may well be classes, and rows that have a shape about theirs too: labels decide.
  report.cosine.histogram[32] = 970;
  report.cosine.histogram[61] = 30;
  CHECK(checked(report).verdict == Verdict::undetermined);
  CHECK(contains(find(diagnose(report), "cluster_collapse")->explanation, "classes or identities"));
  CHECK(contains(find(diagnose(report), "cluster_collapse")->remedy, "labels"));
  report.cosine.histogram[32] = 870;
  report.cosine.histogram[61] = 130;
  const Eigen::VectorXd flat = report.spectrum.singular_values;
  for (Index k = 0; k < 64; ++k) report.spectrum.singular_values(k) = std::exp(-0.2 * static_cast<double>(k));
  CHECK(diagnose(report).verdict == Verdict::undetermined);
  report.spectrum.singular_values = flat;
  // No gap before them, or lengths of every size as on a line: something else; most of them on one: that one.
  report.cosine.histogram[55] = 27;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.cosine.histogram[55] = 26;
  CHECK(diagnose(report).verdict == Verdict::cluster_collapse);
  report.norms.std = 4.1;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.norms.std = 0.5;
  report.cosine.histogram[61] = 601;
  CHECK(diagnose(report).verdict == Verdict::partial_collapse);
}

TEST_CASE("correlation beyond chance is a collapse of dimensions where noise is beside it", "[diagnosis]") {
  // At 65 rows chance is 1 / 64, and two standard errors 0.84 / 8.
  constexpr double threshold = 0.5 + 0.5 / 64.0 - 0.84 / 8.0;
  Report report = healthy_report(65);
  report.decorrelation.redundancy = 0.403;
  CHECK(checked(report).verdict == Verdict::dimensional_collapse);
  CHECK(near(find(diagnose(report), "correlated_dimensions")->threshold, threshold));
  report.decorrelation.redundancy = 0.402;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.samples = 1'000'000;
  report.decorrelation.redundancy = 0.499;
  CHECK(diagnose(report).verdict == Verdict::healthy);
  report.decorrelation.redundancy = 0.5;
  CHECK(checked(report).verdict == Verdict::dimensional_collapse);
  // What has a shape beside it is no noise.
  for (Index k = 0; k < 64; ++k) report.spectrum.singular_values(k) = std::exp(-0.2 * static_cast<double>(k));
  CHECK(diagnose(report).verdict == Verdict::healthy);
}

TEST_CASE("few directions behind which the spectrum ends are a collapse, and a steep one is none", "[diagnosis]") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(seed);
    for (const Index rows : {48, 400}) {
      CAPTURE(rows);
      // Up to 200^0.6 = 24.02 with nothing at all behind them.
      for (const Index directions : {6, 24, 25, 60}) {
        CAPTURE(directions);
        const Verdict verdict = measure(synthetic::low_rank<float>(rows, 200, directions, seed)).diagnosis.verdict;
        CHECK(verdict == (directions <= 24 ? Verdict::dimensional_collapse : Verdict::healthy));
      }
      CHECK(measure(synthetic::power_law<float>(rows, 200, 1.0, seed)).diagnosis.verdict == Verdict::healthy);
    }
  }
  // As many rows as there are directions show no end.
  Report report = healthy_report(21, 200);
  report.spectrum.numerical_rank = 20;
  CHECK(checked(report).verdict == Verdict::healthy);
  report.samples = 22;
  CHECK(checked(report).verdict == Verdict::dimensional_collapse);
}

TEST_CASE("one objective at more width has lost nothing", "[diagnosis]") {
  // The same 16 directions and noise of a hundredth, in ever more dimensions.
  for (const Index dims : {64, 256, 1024}) {
    CAPTURE(dims);
    Dense<double> z = synthetic::low_rank<double>(600, dims, 16, 3);
    z += 0.02 * synthetic::isotropic<double>(600, dims, 4);
    const Report report = measure(Dense<float>(z.cast<float>()));
    CHECK(report.diagnosis.verdict == Verdict::healthy);
  }
}

TEST_CASE("one direction that holds nearly all is a collapse, unless it is one column in other units", "[diagnosis]") {
  Dense<double> z = synthetic::isotropic<double>(300, 32, 5);
  const Dense<double> factor = synthetic::isotropic<double>(300, 1, 6);
  for (Index d = 0; d < 32; ++d) z.col(d) += 5.0 * factor.col(0);
  const Diagnosis line = measure(z).diagnosis;
  CHECK(line.verdict == Verdict::dimensional_collapse);
  CHECK(find(line, "dimensional_collapse", "spectrum.participation_ratio") != nullptr);

  z = synthetic::isotropic<double>(300, 32, 5);
  z.col(7) *= 1000.0;
  const Diagnosis units = measure(z).diagnosis;
  CHECK(units.verdict == Verdict::healthy);
  REQUIRE(find(units, "unequal_scales") != nullptr);
  CHECK(find(units, "unequal_scales")->severity <= 0.3);
  CHECK(contains(find(units, "unequal_scales")->explanation, "dimension 7 alone"));
  CHECK(contains(find(units, "unequal_scales")->remedy, "standardise"));
  // The advice helps.
  z.col(7) /= 1000.0;
  CHECK(find(measure(z).diagnosis, "unequal_scales") == nullptr);
}

TEST_CASE("noise around a point is complete collapse, a shape around it is none", "[diagnosis]") {
  const Dense<double> point = 8.0 * std::sqrt(8.0) * synthetic::constant<double>(1, 64, 2);
  Dense<double> noise = synthetic::isotropic<double>(500, 64, 3);
  Dense<double> shape = synthetic::power_law<double>(500, 64, 1.5, 3);
  shape *= noise.norm() / shape.norm();
  for (Dense<double>* const z : {&noise, &shape}) z->rowwise() += point.row(0) * 1.5;
  const Report lost = measure(noise);
  CHECK(lost.variance.dispersion > 0.05);
  CHECK(lost.cosine.mean < 0.975);
  CHECK(lost.diagnosis.verdict == Verdict::complete_collapse);
  CHECK(measure(shape).diagnosis.verdict == Verdict::healthy);
  CHECK(find(measure(shape).diagnosis, "anisotropy") != nullptr);
}

TEST_CASE("many rows on one point are a partial collapse, in any share", "[diagnosis]") {
  const auto rows = [] { return synthetic::isotropic<double>(500, 40, 7); };
  for (const double share : {0.1, 0.2, 0.5, 0.8, 0.9, 0.99}) {
    CAPTURE(share);
    const Index many = std::lround(500.0 * share);
    for (const std::string way : {"point", "near", "zero", "short"}) {
      CAPTURE(way);
      Dense<double> z = rows();
      const Dense<double> noise = synthetic::isotropic<double>(500, 40, 8);
      for (Index i = 500 - many; i < 500; ++i) {
        if (way == "point") z.row(i) = z.row(499);
        if (way == "near") z.row(i) = z.row(499) + 1e-3 * noise.row(i);
        if (way == "zero") z.row(i).setZero();
        if (way == "short") z.row(i) *= 1e-4;
      }
      const Report report = measure(z);
      check_form(report.diagnosis);
      CHECK(report.diagnosis.verdict == Verdict::partial_collapse);
      CHECK(std::abs(report.variance.largest_point - static_cast<double>(many) / 500.0) < 1e-12);
      REQUIRE(report.variance.largest_point_row);
      CHECK(*report.variance.largest_point_row == 500 - many);
      const Finding* finding = find(report.diagnosis, "partial_collapse");
      REQUIRE(finding != nullptr);
      CHECK(finding->decisive);
      CHECK(contains(finding->explanation, fmt::format("about {}, lie on one point", many)));
      CHECK(contains(finding->explanation, fmt::format("row {}", 500 - many)));
      // Nothing else is drawn from what they make.
      for (const Finding& other : report.diagnosis.findings) {
        if (other.kind != FindingKind::partial_collapse) CHECK(other.severity <= 0.5);
      }
    }
  }
}

TEST_CASE("rows on few points are a cluster collapse", "[diagnosis]") {
  Dense<double> z = synthetic::isotropic<double>(300, 20, 9);
  for (Index i = 3; i < 300; ++i) z.row(i) = z.row(i % 3);
  const Report report = measure(z);
  CHECK(report.variance.crowded_points == 3);
  CHECK(report.variance.crowded_rows == 1.0);
  CHECK(report.diagnosis.verdict == Verdict::cluster_collapse);
}

TEST_CASE("rows that repeat others are told and are no collapse", "[diagnosis]") {
  Dense<double> z = synthetic::isotropic<double>(400, 20, 9);
  for (Index i = 0; i < 400; ++i) z.row(i) = z.row(i / 8 * 8).eval();
  const Report report = measure(z);
  CHECK(report.variance.duplicate_rows == 1.0);
  CHECK(report.diagnosis.verdict == Verdict::healthy);
  REQUIRE(find(report.diagnosis, "duplicate_rows") != nullptr);
  CHECK(contains(find(report.diagnosis, "duplicate_rows")->remedy, "gather"));
  z = synthetic::isotropic<double>(400, 20, 9);
  CHECK(measure(z).variance.duplicate_rows == 0.0);
  CHECK(find(measure(z).diagnosis, "duplicate_rows") == nullptr);
}

TEST_CASE("outlier rows are named, and the others judged without them", "[diagnosis]") {
  for (const double factor : {30.0, 1000.0}) {
    CAPTURE(factor);
    Dense<double> z = synthetic::isotropic<double>(400, 24, 10);
    const Report without = measure(z.bottomRows(399));
    z.row(0) *= factor;
    const Report report = measure(z);
    check_form(report.diagnosis);
    CHECK(report.diagnosis.verdict == Verdict::healthy);
    CHECK(report.norms.outlier_rows == std::vector<Index>{0});
    const Finding* finding = find(report.diagnosis, "outlier_rows");
    REQUIRE(finding != nullptr);
    CHECK(finding->severity <= 0.3);
    CHECK(contains(finding->explanation, "1 row (0) holds"));
    CHECK(contains(finding->explanation, fmt::format("effective rank {:.4g}", without.spectrum.effective_rank)));
    REQUIRE(report.without_outliers.size() == 1);
    CHECK(report.without_outliers[0].spectrum.effective_rank == without.spectrum.effective_rank);
    // A collapse of the others is seen behind it.
    Dense<double> thin = synthetic::low_rank<double>(400, 24, 2, 10);
    thin.row(399) = factor * synthetic::isotropic<double>(1, 24, 11);
    CHECK(measure(thin).diagnosis.verdict == Verdict::dimensional_collapse);
    CHECK(measure(thin).norms.outlier_rows == std::vector<Index>{399});
  }
}

TEST_CASE("a column with a mean of its own is named and is no collapse", "[diagnosis]") {
  for (const double mean : {20.0, 60.0, 2000.0}) {
    CAPTURE(mean);
    Dense<double> z = synthetic::isotropic<double>(300, 64, 12);
    z.col(5).array() += mean;
    const Diagnosis diagnosis = measure(z).diagnosis;
    check_form(diagnosis);
    CHECK(diagnosis.verdict == Verdict::healthy);
    const Finding* finding = find(diagnosis, "dominant_dimensions");
    REQUIRE(finding != nullptr);
    CHECK(finding->severity <= 0.3);
    CHECK(contains(finding->explanation, "dimensions 5 alone make"));
    CHECK(contains(finding->remedy, "centre"));
    CHECK(find(diagnosis, "anisotropy") == nullptr);
    // The advice helps.
    z.col(5).array() -= z.col(5).mean();
    CHECK(find(measure(z).diagnosis, "dominant_dimensions") == nullptr);
  }
  // One that is constant, beside 63 that live.
  Dense<double> z = 0.1 * synthetic::isotropic<double>(300, 64, 12);
  z.col(9).setConstant(2000.0);
  CHECK(measure(z).diagnosis.verdict == Verdict::healthy);
}

TEST_CASE("lengths are judged by a baseline alone", "[diagnosis]") {
  Report report = healthy_report();
  const Thresholds fitted = Thresholds::from_baseline(report);
  CHECK(diagnose(report, fitted).verdict == Verdict::healthy);
  CHECK(fitted.smallest_norm == 0.08);
  CHECK(fitted.largest_norm == 800.0);
  for (const auto& [length, kind] :
       {std::pair{0.07, FindingKind::norm_collapse}, {801.0, FindingKind::norm_explosion}}) {
    report.norms.mean = length;
    CHECK(diagnose(report).findings.empty());
    const Diagnosis diagnosis = checked(report, fitted);
    REQUIRE(diagnosis.findings.size() == 1);
    CHECK(diagnosis.findings[0].kind == kind);
  }
}

TEST_CASE("a healthy baseline of any kind is healthy by its own thresholds", "[diagnosis]") {
  for (const double cosine : {0.0, 0.6, 0.9, 0.98}) {
    for (const double ratio : {0.05, 0.2, 1.0}) {
      CAPTURE(cosine, ratio);
      Report report = healthy_report();
      report.cosine.mean = cosine;
      report.variance.dispersion = 1.0 - cosine;
      report.spectrum.effective_rank_vs_expected = ratio;
      const Thresholds fitted = Thresholds::from_baseline(report);
      CHECK(diagnose(report, fitted).verdict == Verdict::healthy);
      CHECK(fitted.dimensional_ratio == 0.5 * ratio);
      CHECK(fitted.complete_spread <= 0.5 * report.variance.dispersion);
      report.spectrum.effective_rank_vs_expected = 0.4 * ratio;
      CHECK(diagnose(report, fitted).verdict == Verdict::dimensional_collapse);
    }
  }
  // What a report does not know leaves the default.
  const Thresholds empty = Thresholds::from_baseline(Report{});
  CHECK(empty.complete_dispersion == Thresholds{}.complete_dispersion);
  CHECK(empty.dimensional_ratio == Thresholds{}.dimensional_ratio);
  CHECK(empty.smallest_norm == 0.0);
}

TEST_CASE("presets differ where their embeddings do", "[diagnosis]") {
  Report report = healthy_report();
  report.cosine.mean = 0.4;
  const auto told = [&report](const Thresholds& preset) {
    const Diagnosis diagnosis = diagnose(report, preset);
    CHECK(diagnosis.verdict == Verdict::healthy);
    return find(diagnosis, "anisotropy") != nullptr;
  };
  CHECK_FALSE(told(Thresholds::self_supervised()));
  CHECK(told(Thresholds::contrastive()));
  report.cosine.mean = 0.7;
  CHECK(told(Thresholds::self_supervised()));
  CHECK_FALSE(told(Thresholds::autoencoder()));
  report.cosine.mean = 0.93;
  CHECK(told(Thresholds::autoencoder()));
  CHECK_FALSE(told(Thresholds::language_model()));
  report.cosine.mean = 0.99;
  report.variance.dispersion = 0.009;
  CHECK(diagnose(report, Thresholds::self_supervised()).verdict == Verdict::complete_collapse);
  report.spectrum.singular_values(0) = 30.0;
  CHECK(diagnose(report, Thresholds::language_model()).verdict == Verdict::healthy);
  report.cosine.mean = 0.999;
  report.variance.dispersion = 0.004;
  CHECK(diagnose(report, Thresholds::language_model()).verdict == Verdict::complete_collapse);
}

TEST_CASE("thresholds out of their range are refused by name", "[diagnosis]") {
  const auto refusal = [](const Thresholds& thresholds) {
    try {
      static_cast<void>(diagnose(healthy_report(), thresholds));
    } catch (const OptionError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.complete_dispersion = -0.1}) == "Thresholds::complete_dispersion is -0.1; it lies from 0 to 1");
  CHECK(contains(refusal({.complete_cosine = 1.5}), "complete_cosine"));
  CHECK(contains(refusal({.dimensional_ratio = 2.0}), "dimensional_ratio"));
  CHECK(contains(refusal({.anisotropic_cosine = undefined}), "anisotropic_cosine is nan"));
  CHECK(contains(refusal({.redundant_correlation = -1.0}), "redundant_correlation"));
  CHECK(contains(refusal({.minimum_samples = 1}), "minimum_samples is 1"));
  CHECK(contains(refusal({.redundancy = 1.1}), "redundancy"));
  CHECK(contains(refusal({.cluster_pairs = -0.1}), "cluster_pairs"));
  CHECK(contains(refusal({.neural_collapse = -0.1}), "neural_collapse"));
  CHECK(contains(refusal({.smallest_norm = -1.0}), "smallest_norm"));
  CHECK(refusal({.smallest_norm = 2.0, .largest_norm = 1.0}) == "Thresholds::largest_norm is 1; it lies from 2 to inf");
  CHECK_THROWS_AS(validate(Options{.thresholds = {.complete_cosine = 2.0}}), OptionError);
  for (const Thresholds& preset : {Thresholds::self_supervised(), Thresholds::contrastive(),
                                   Thresholds::language_model(), Thresholds::autoencoder()}) {
    CHECK(refusal(preset).empty());
  }
}
