#include <collapse/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/json_keys.hpp"

namespace {

using collapse::Report;
using collapse::test::holds;
using collapse::test::Keys;
using collapse::test::keys_of;

// What every version has. That there are no others than those of the catalogue is tested in report/catalogue_test.cpp.
const Keys report_keys{"collapse_version", "samples",       "dims",     "input_epsilon",       "norms",    "cosine",
                       "variance",         "decorrelation", "spectrum", "spectrum_uncentered", "diagnosis"};
const Keys norms_keys{"mean", "std", "min", "max", "zero_rows", "skipped_rows"};
const Keys quantile_keys{"p01", "p05", "p25", "p50", "p75", "p95", "p99"};
const Keys cosine_keys{"mean", "std", "min", "max",       "p01",   "p05",          "p25",   "p50",
                       "p75",  "p95", "p99", "histogram", "pairs", "sampled_rows", "exact", "standard_error"};
const Keys variance_keys{"per_dimension",  "min",   "mean",           "max",       "median", "total", "dead_dimensions",
                         "low_dimensions", "hinge", "normalized_std", "dispersion"};
const Keys decorrelation_keys{
    "covariance_penalty", "mean_abs_correlation", "rms_correlation", "max_abs_correlation", "max_pair", "redundancy"};
const Keys spectrum_keys{"singular_values",
                         "noise_floor",
                         "below_noise_floor",
                         "effective_rank",
                         "effective_rank_ratio",
                         "entropy_rank",
                         "participation_ratio",
                         "stable_rank",
                         "numerical_rank",
                         "condition_number",
                         "top1_share",
                         "top10_share",
                         "rank_90",
                         "rank_95",
                         "rank_99",
                         "alpha",
                         "alpha_r2",
                         "expected_effective_rank",
                         "effective_rank_vs_expected",
                         "method"};
const Keys diagnosis_keys{"verdict", "findings"};
const Keys finding_keys{"kind",        "severity", "metric", "value",   "threshold",
                        "explanation", "remedy",   "origin", "decisive"};

Keys sorted(Keys keys) {
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Every double distinct and none of them short in decimal, so that a swapped or rounded field shows.
Report full_report() {
  double next = 1.0 / 3.0;
  const auto take = [&next] { return next *= 1.0 + 1.0 / 7.0; };
  const auto quantiles = [&take](collapse::CosineQuantiles& q) {
    for (double* field : {&q.p01, &q.p05, &q.p25, &q.p50, &q.p75, &q.p95, &q.p99}) *field = take();
  };
  const auto spectrum = [&take](collapse::SpectrumMethod method) {
    collapse::Spectrum s;
    s.singular_values = Eigen::Vector3d(take(), take(), 5e-324);
    for (double* field : {&s.noise_floor, &s.effective_rank, &s.effective_rank_ratio, &s.entropy_rank,
                          &s.participation_ratio, &s.stable_rank, &s.condition_number, &s.top1_share, &s.top10_share,
                          &s.alpha, &s.alpha_r2, &s.expected_effective_rank, &s.effective_rank_vs_expected}) {
      *field = take();
    }
    s.below_noise_floor = 1;
    s.numerical_rank = 2;
    s.rank_90 = 3;
    s.rank_95 = 4;
    s.rank_99 = 5;
    s.method = method;
    return s;
  };
  Report r;
  r.samples = 1797;
  r.dims = 64;
  r.input_epsilon = 0x1p-23;
  r.norms = {take(), take(), take(), take(), 11, 12};
  quantiles(r.cosine);
  for (double* field : {&r.cosine.mean, &r.cosine.std, &r.cosine.min, &r.cosine.max}) *field = take();
  for (std::size_t b = 0; b < 64; ++b) r.cosine.histogram[b] = static_cast<std::int64_t>(b * b);
  r.cosine.histogram[63] = std::numeric_limits<std::int64_t>::max();
  r.cosine.pairs = 1613706;
  r.cosine.sampled_rows = 1234;
  r.cosine.exact = true;
  quantiles(r.cosine.standard_error);
  r.variance.per_dimension = Eigen::Vector3d(take(), 1e-300, 1e300);
  for (double* field : {&r.variance.min, &r.variance.mean, &r.variance.max, &r.variance.median, &r.variance.total,
                        &r.variance.hinge, &r.variance.normalized_std, &r.variance.dispersion}) {
    *field = take();
  }
  r.variance.dead_dimensions = 21;
  r.variance.low_dimensions = 22;
  r.decorrelation = {take(), take(), take(), take(), std::array<collapse::Index, 2>{3, 5}, take()};
  r.spectrum = spectrum(collapse::SpectrumMethod::gram);
  r.spectrum_uncentered = spectrum(collapse::SpectrumMethod::svd);
  r.diagnosis.verdict = collapse::Verdict::dimensional_collapse;
  r.diagnosis.findings = {
      {collapse::FindingKind::dimensional_collapse, take(),
       collapse::metric_path<&Report::spectrum, &collapse::Spectrum::effective_rank>, take(), take(), "why \"σ\"\n",
       "how"},
      {collapse::FindingKind::undefined_number, 0.0, collapse::metric_path<&Report::cosine, &collapse::Cosine::mean>,
       collapse::undefined, collapse::undefined, "why", ""}};
  return r;
}

template <class Json>
void check_spectrum(const Json& json, const collapse::Spectrum& s) {
  CHECK(holds(sorted(keys_of(json)), sorted(spectrum_keys)));
  REQUIRE(json.at("singular_values").size() == 3);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(json.at("singular_values")[k].template get<double>() == s.singular_values[static_cast<Eigen::Index>(k)]);
  }
  CHECK(json.at("noise_floor") == s.noise_floor);
  CHECK(json.at("below_noise_floor") == s.below_noise_floor);
  CHECK(json.at("effective_rank") == s.effective_rank);
  CHECK(json.at("effective_rank_ratio") == s.effective_rank_ratio);
  CHECK(json.at("entropy_rank") == s.entropy_rank);
  CHECK(json.at("participation_ratio") == s.participation_ratio);
  CHECK(json.at("stable_rank") == s.stable_rank);
  CHECK(json.at("numerical_rank") == s.numerical_rank);
  CHECK(json.at("condition_number") == s.condition_number);
  CHECK(json.at("top1_share") == s.top1_share);
  CHECK(json.at("top10_share") == s.top10_share);
  CHECK(json.at("rank_90") == 3);
  CHECK(json.at("rank_95") == 4);
  CHECK(json.at("rank_99") == 5);
  CHECK(json.at("alpha") == s.alpha);
  CHECK(json.at("alpha_r2") == s.alpha_r2);
  CHECK(json.at("expected_effective_rank") == s.expected_effective_rank);
  CHECK(json.at("effective_rank_vs_expected") == s.effective_rank_vs_expected);
  CHECK(json.at("method") == std::string(collapse::to_string(s.method)));
}

template <class Json>
void check_quantiles(const Json& json, const collapse::CosineQuantiles& q) {
  CHECK(json.at("p01") == q.p01);
  CHECK(json.at("p05") == q.p05);
  CHECK(json.at("p25") == q.p25);
  CHECK(json.at("p50") == q.p50);
  CHECK(json.at("p75") == q.p75);
  CHECK(json.at("p95") == q.p95);
  CHECK(json.at("p99") == q.p99);
}

// The keys whose value is neither null nor a container with something in it.
template <class Json>
void collect_defined_numbers(const Json& json, const std::string& path, Keys& found) {
  for (const auto& item : json.items()) {
    const std::string name = path.empty() ? item.key() : path + "." + item.key();
    if (item.value().is_object()) {
      collect_defined_numbers(item.value(), name, found);
    } else if (item.value().is_number_float()) {
      found.push_back(name);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("the JSON of a report has the keys of the contract", "[json]", nlohmann::json,
                   nlohmann::ordered_json) {
  const TestType json = full_report();
  CHECK(holds(sorted(keys_of(json)), sorted(report_keys)));
  CHECK(holds(sorted(keys_of(json.at("norms"))), sorted(norms_keys)));
  CHECK(holds(sorted(keys_of(json.at("cosine"))), sorted(cosine_keys)));
  CHECK(holds(sorted(keys_of(json.at("cosine").at("standard_error"))), sorted(quantile_keys)));
  CHECK(holds(sorted(keys_of(json.at("variance"))), sorted(variance_keys)));
  CHECK(holds(sorted(keys_of(json.at("decorrelation"))), sorted(decorrelation_keys)));
  CHECK(holds(sorted(keys_of(json.at("spectrum"))), sorted(spectrum_keys)));
  CHECK(holds(sorted(keys_of(json.at("spectrum_uncentered"))), sorted(spectrum_keys)));
  CHECK(holds(sorted(keys_of(json.at("diagnosis"))), sorted(diagnosis_keys)));
  REQUIRE(json.at("diagnosis").at("findings").size() == 2);
  for (const auto& finding : json.at("diagnosis").at("findings"))
    CHECK(holds(sorted(keys_of(finding)), sorted(finding_keys)));
}

TEST_CASE("ordered JSON keeps the order of the report's fields", "[json]") {
  const nlohmann::ordered_json json = full_report();
  CHECK(holds(keys_of(json), report_keys));
  CHECK(holds(keys_of(json.at("norms")), norms_keys));
  CHECK(holds(keys_of(json.at("cosine")), cosine_keys));
  CHECK(holds(keys_of(json.at("cosine").at("standard_error")), quantile_keys));
  CHECK(holds(keys_of(json.at("variance")), variance_keys));
  CHECK(holds(keys_of(json.at("decorrelation")), decorrelation_keys));
  CHECK(holds(keys_of(json.at("spectrum")), spectrum_keys));
  CHECK(holds(keys_of(json.at("diagnosis")), diagnosis_keys));
  CHECK(holds(keys_of(json.at("diagnosis").at("findings")[0]), finding_keys));
  CHECK(json.dump().rfind("{\"collapse_version\":", 0) == 0);
}

TEMPLATE_TEST_CASE("every number of a report survives JSON text bit for bit, under its own key", "[json]",
                   nlohmann::json, nlohmann::ordered_json) {
  const Report r = full_report();
  const TestType json = TestType::parse(TestType(r).dump());
  CHECK(json.at("collapse_version") == COLLAPSE_VERSION_STRING);
  CHECK(json.at("samples") == 1797);
  CHECK(json.at("dims") == 64);
  CHECK(json.at("input_epsilon") == 0x1p-23);

  CHECK(json.at("norms").at("mean") == r.norms.mean);
  CHECK(json.at("norms").at("std") == r.norms.std);
  CHECK(json.at("norms").at("min") == r.norms.min);
  CHECK(json.at("norms").at("max") == r.norms.max);
  CHECK(json.at("norms").at("zero_rows") == 11);
  CHECK(json.at("norms").at("skipped_rows") == 12);

  CHECK(json.at("cosine").at("mean") == r.cosine.mean);
  CHECK(json.at("cosine").at("std") == r.cosine.std);
  CHECK(json.at("cosine").at("min") == r.cosine.min);
  CHECK(json.at("cosine").at("max") == r.cosine.max);
  check_quantiles(json.at("cosine"), r.cosine);
  check_quantiles(json.at("cosine").at("standard_error"), r.cosine.standard_error);
  CHECK(json.at("cosine").at("histogram").template get<std::vector<std::int64_t>>() ==
        std::vector<std::int64_t>(r.cosine.histogram.begin(), r.cosine.histogram.end()));
  CHECK(json.at("cosine").at("pairs") == 1613706);
  CHECK(json.at("cosine").at("sampled_rows") == 1234);
  CHECK(json.at("cosine").at("exact") == true);

  REQUIRE(json.at("variance").at("per_dimension").size() == 3);
  CHECK(json.at("variance").at("per_dimension")[0] == r.variance.per_dimension[0]);
  CHECK(json.at("variance").at("per_dimension")[1] == 1e-300);
  CHECK(json.at("variance").at("per_dimension")[2] == 1e300);
  CHECK(json.at("variance").at("min") == r.variance.min);
  CHECK(json.at("variance").at("mean") == r.variance.mean);
  CHECK(json.at("variance").at("max") == r.variance.max);
  CHECK(json.at("variance").at("median") == r.variance.median);
  CHECK(json.at("variance").at("total") == r.variance.total);
  CHECK(json.at("variance").at("dead_dimensions") == 21);
  CHECK(json.at("variance").at("low_dimensions") == 22);
  CHECK(json.at("variance").at("hinge") == r.variance.hinge);
  CHECK(json.at("variance").at("normalized_std") == r.variance.normalized_std);
  CHECK(json.at("variance").at("dispersion") == r.variance.dispersion);

  CHECK(json.at("decorrelation").at("covariance_penalty") == r.decorrelation.covariance_penalty);
  CHECK(json.at("decorrelation").at("mean_abs_correlation") == r.decorrelation.mean_abs_correlation);
  CHECK(json.at("decorrelation").at("rms_correlation") == r.decorrelation.rms_correlation);
  CHECK(json.at("decorrelation").at("max_abs_correlation") == r.decorrelation.max_abs_correlation);
  CHECK(json.at("decorrelation").at("max_pair").dump() == "[3,5]");
  CHECK(json.at("decorrelation").at("redundancy") == r.decorrelation.redundancy);

  check_spectrum(json.at("spectrum"), r.spectrum);
  check_spectrum(json.at("spectrum_uncentered"), r.spectrum_uncentered);

  CHECK(json.at("diagnosis").at("verdict") == "dimensional_collapse");
  const auto& finding = json.at("diagnosis").at("findings")[0];
  CHECK(finding.at("kind") == "dimensional_collapse");
  CHECK(finding.at("severity") == r.diagnosis.findings[0].severity);
  CHECK(finding.at("origin") == r.diagnosis.findings[0].origin);
  CHECK(finding.at("decisive") == r.diagnosis.findings[0].decisive);
  CHECK(finding.at("metric") == "spectrum.effective_rank");
  CHECK(finding.at("value") == r.diagnosis.findings[0].value);
  CHECK(finding.at("threshold") == r.diagnosis.findings[0].threshold);
  CHECK(finding.at("explanation") == "why \"σ\"\n");
  CHECK(finding.at("remedy") == "how");
}

TEMPLATE_TEST_CASE("undefined and infinite numbers are null in JSON", "[json]", nlohmann::json,
                   nlohmann::ordered_json) {
  Report r;
  r.variance.per_dimension = Eigen::Vector2d(collapse::undefined, std::numeric_limits<double>::infinity());
  r.spectrum.singular_values = Eigen::VectorXd::Constant(1, collapse::undefined);
  r.spectrum.condition_number = -std::numeric_limits<double>::infinity();
  r.diagnosis.findings.resize(1);
  const TestType json = r;
  Keys defined;
  collect_defined_numbers(json, "", defined);
  CHECK(sorted(defined) == Keys{"input_epsilon"});
  CHECK(json.at("variance").at("per_dimension").dump() == "[null,null]");
  CHECK(json.at("spectrum").at("singular_values").dump() == "[null]");
  CHECK(json.at("spectrum").at("condition_number").is_null());
  CHECK(json.at("spectrum").at("rank_90").is_null());
  CHECK(json.at("spectrum").at("rank_95").is_null());
  CHECK(json.at("spectrum").at("rank_99").is_null());
  CHECK(json.at("spectrum_uncentered").at("singular_values").dump() == "[]");
  CHECK(json.at("decorrelation").at("max_pair").is_null());
  CHECK(json.at("diagnosis").at("findings")[0].at("value").is_null());
  CHECK(json.at("diagnosis").at("findings")[0].at("threshold").is_null());
  CHECK(TestType::parse(json.dump()) == json);
}

TEST_CASE("verdicts and spectrum methods are their names in JSON", "[json]") {
  CHECK(nlohmann::json(collapse::Verdict::complete_collapse) == "complete_collapse");
  CHECK(nlohmann::json(collapse::SpectrumMethod::svd) == "svd");
  CHECK(nlohmann::ordered_json(collapse::SpectrumMethod::automatic) == "auto");
}

TEST_CASE("writing a report over an older JSON value leaves nothing of it", "[json]") {
  nlohmann::json json = {{"stale", 1}};
  json = full_report();
  CHECK(json.count("stale") == 0);
  nlohmann::json norms = {{"stale", 1}};
  to_json(norms, collapse::Norms{});
  CHECK(norms.count("stale") == 0);
}
