#include "support/catch.hpp"
#include "support/report_numbers.hpp"

#include <collapse/diagnosis/classes.hpp>
#include <collapse/diagnosis/comparison.hpp>
#include <collapse/json.hpp>
#include <collapse/monitor.hpp>
#include <collapse/report/catalogue.hpp>
#include <collapse/streams/jackknife.hpp>
#include <collapse/streams/judged_metrics.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace collapse;

namespace {

// Paths are made from members, so these are checked before anything runs.
static_assert(metric_path<&Report::variance, &Variance::dispersion> == "variance.dispersion");
static_assert(metric_path<&Report::cosine, &Cosine::p01> == "cosine.p01");
static_assert(metric_path<&Report::cosine, &Cosine::standard_error, &CosineQuantiles::p01> ==
              "cosine.standard_error.p01");
static_assert(metric_path<&ClassCollapse::per_class, &PerClass::variance> == "labels.per_class.variance");
static_assert(metric_path<&ClassCollapse::cdnv>.in_result() == "cdnv");
static_assert(metric_path<&ClassCollapse::cdnv>.in_result() == metric_path<&ClassCollapse::cdnv>);
static_assert(metric_path<&LayerProfile::layers, &Layer::dead_units> == "profile.layers.dead_units");
static_assert(metric_path<&Observation::mean_norm> == metric_path<&Report::norms, &Norms::mean>);
static_assert(metric_path<&Report::spectrum, &Spectrum::effective_rank> !=
              metric_path<&Report::spectrum_uncentered, &Spectrum::effective_rank>);
static_assert(MetricPath().empty());
static_assert(std::string_view(member_name<&Thresholds::redundancy>) == "redundancy");

bool resolves(MetricPath path) { return find_entry(path.full()) != nullptr; }

bool is_threshold(std::string_view name) {
  bool found = false;
  Thresholds::fields([&](const auto& field) { found = found || name == field.name; });
  return found;
}

/// The paths of all values of a JSON document that are neither objects nor lists of them.
void collect(const nlohmann::ordered_json& json, const std::string& path, std::vector<std::string>& to) {
  for (const auto& [key, value] : json.items()) {
    const std::string here = path.empty() ? key : path + '.' + key;
    if (value.is_object() && !value.empty() && key != "undefined_numbers") {
      collect(value, here, to);
    } else {
      to.push_back(here);
    }
  }
}

/// Whether the JSON of a result has the numbers of its catalogue, in their order, and no others.
template <class Result>
void check_json(const Result& result) {
  std::vector<std::string> expected;
  const std::size_t root = root_of(&result).size();
  for (const CatalogueEntry& entry : entries_of<Result>()) {
    const std::string path = entry.path.substr(root);
    const bool list =
        path == "layers" || path.ends_with("findings") || path.ends_with("estimates") || path == "undefined_numbers";
    if (!entry.inside && (!entry.block || list) && path.find("confidence") == std::string::npos) {
      expected.push_back(path);
    }
  }
  std::vector<std::string> seen;
  collect(nlohmann::ordered_json(result), "", seen);
  seen.erase(std::remove_if(seen.begin(), seen.end(),
                            [](const std::string& path) { return path.ends_with("collapse_version"); }),
             seen.end());
  CHECK(seen == expected);
}

Report healthy_report(Index samples = 1000, Index dims = 64) {
  Report report;
  report.samples = samples;
  report.dims = dims;
  report.norms = {8.0, 0.5, 6.0, 10.0, 0, 0, {}, 0.0};
  report.cosine.mean = 0.01;
  report.cosine.std = 0.125;
  report.cosine.pairs = 1000;
  report.cosine.histogram[32] = 1000;
  report.cosine.exact = true;
  report.variance.dispersion = 0.98;
  report.decorrelation.max_abs_correlation = 0.2;
  report.decorrelation.max_pair = {3, 5};
  report.decorrelation.redundancy = 0.01;
  for (Spectrum* spectrum : {&report.spectrum, &report.spectrum_uncentered}) {
    spectrum->singular_values = Eigen::VectorXd::Ones(dims);
    spectrum->noise_floor = 1e-5;
    spectrum->numerical_rank = std::min(samples - 1, dims);
    spectrum->participation_ratio = 55.0;
    spectrum->expected_effective_rank = 60.0;
    spectrum->effective_rank_vs_expected = 0.95;
    spectrum->effective_rank = 57.0;
    spectrum->alpha = 0.3;
    spectrum->leading_rank = spectrum->numerical_rank;
  }
  return report;
}

ClassCollapse healthy_classes() {
  ClassCollapse classes;
  classes.samples = 400;
  classes.dims = 16;
  classes.classes = 10;
  classes.nc1_ratio = 1.5;
  classes.cdnv = 0.8;
  classes.class_effective_rank = 7.0;
  for (std::int64_t label = 0; label < 10; ++label) classes.per_class.label.push_back(label);
  classes.per_class.samples.assign(10, 40);
  classes.per_class.variance = Eigen::VectorXd::Constant(10, 4.0);
  classes.per_class.effective_rank_vs_expected = Eigen::VectorXd::Constant(10, 0.6);
  return classes;
}

}  // namespace

TEST_CASE("every entry of the catalogue has a path of its own and says what it tells", "[catalogue]") {
  for (const CataloguedResult& result : catalogue()) {
    std::set<std::string> paths;
    for (const CatalogueEntry& entry : *result.entries) {
      CAPTURE(entry.path);
      CHECK(paths.insert(entry.path).second);
      CHECK(*entry.info.tells != '\0');
      CHECK(entry.path.find("..") == std::string::npos);
      CHECK(find_entry(entry.path) != nullptr);
    }
    CHECK(paths.size() >= 10);
  }
  CHECK(find_entry("labels.cdnv") != nullptr);
  CHECK(find_entry("spectrum.population_participation_ratio") != nullptr);
  CHECK(find_entry("spectrum.nothing") == nullptr);
  CHECK(find_entry("") == nullptr);
}

TEST_CASE("the header of every formula exists", "[catalogue]") {
  const std::string folder = std::string(COLLAPSE_EXAMPLE_DATA) + "/../../include/collapse/";
  for (const CataloguedResult& result : catalogue()) {
    for (const CatalogueEntry& entry : *result.entries) {
      if (*entry.info.formula == '\0') continue;
      CAPTURE(entry.path, std::string(entry.info.formula));
      CHECK(std::ifstream(folder + entry.info.formula).good());
    }
  }
}

TEST_CASE("JSON has the numbers of the catalogue, in their order, and no others", "[catalogue]") {
  check_json(Report{});
  check_json(Isotropy{});
  check_json(Comparison{});
  check_json(ClassCollapse{});
  check_json(Neighbourhood{});
  check_json(LayerProfile{});
}

TEST_CASE("a walk meets every number once, under its path", "[catalogue]") {
  Report report = healthy_report();
  report.variance.dispersion = 0.375;
  std::vector<std::string> met;
  double dispersion = 0.0;
  for_each_field(report, [&](MetricPath path, const FieldInfo& info, const auto& value) {
    met.emplace_back(path);
    CHECK(resolves(path));
    CHECK(*info.tells != '\0');
    if constexpr (std::is_same_v<decltype(value), const double&>) {
      if (path == metric_path<&Report::variance, &Variance::dispersion>) dispersion = value;
    }
  });
  CHECK(dispersion == 0.375);
  CHECK(std::set<std::string>(met.begin(), met.end()).size() == met.size());
  std::size_t leaves = 0;
  for (const CatalogueEntry& entry : entries_of<Report>()) {
    const bool list = entry.path == "diagnosis.findings" || entry.path == "confidence.estimates";
    if (!entry.inside && (!entry.block || list)) ++leaves;
  }
  CHECK(met.size() == leaves);
}

TEST_CASE("comparisons of reports see a change of any number", "[catalogue]") {
  const Report report = healthy_report();
  const reference::Numbers before = reference::numbers(report);
  CHECK(reference::same(before, reference::numbers(report)));
  Report other = report;
  other.spectrum_uncentered.rank_95 = 4;
  CHECK_FALSE(reference::same(before, reference::numbers(other)));
  other = report;
  other.cosine.standard_error.p75 = 1e-300;
  CHECK_FALSE(reference::same(before, reference::numbers(other)));
  other = report;
  other.cosine.histogram[63] = 1;
  CHECK_FALSE(reference::same(before, reference::numbers(other)));
}

TEST_CASE("every finding that a diagnosis makes refers to a number and to a threshold of the catalogue",
          "[catalogue]") {
  std::set<FindingKind> seen;
  const auto check = [&seen](const Diagnosis& diagnosis) {
    for (const Finding& finding : diagnosis.findings) {
      CAPTURE(std::string(to_string(finding.kind)), std::string(finding.metric), finding.origin);
      seen.insert(finding.kind);
      CHECK(resolves(finding.metric));
      const std::string_view origin = finding.origin;
      constexpr std::string_view prefix = "Thresholds::";
      if (origin.starts_with(prefix)) {
        const std::string_view name = origin.substr(prefix.size());
        CHECK(is_threshold(name.substr(0, name.find_first_of(" ,;"))));
      } else {
        CHECK((origin.empty() || origin == "the rounding of the input scalar"));
      }
    }
  };
  const auto with = [&check](auto change) {
    Report report = healthy_report();
    change(report);
    check(diagnose(report));
  };
  with([](Report& r) { r.spectrum.numerical_rank = 0; });
  with([](Report& r) { r.variance.dispersion = 0.001; });
  with([](Report& r) {
    r.cosine.mean = 0.99;
    r.variance.dispersion = 0.05;
  });
  with([](Report& r) { r.variance.dispersion = 0.05; });
  with([](Report& r) { r.variance.largest_point = 0.5; });
  with([](Report& r) {
    r.variance.largest_point = 0.5;
    r.variance.crowded_points = 2;
    r.variance.crowded_rows = 1.0;
  });
  with([](Report& r) { r.variance.duplicate_rows = 0.5; });
  with([](Report& r) {
    r.cosine.mean = 0.7;
    r.cosine.mean_of_others = 0.1;
    r.cosine.dominant_dimensions = {3};
    r.cosine.dominant_shares = Eigen::VectorXd::Constant(1, 0.6);
  });
  with([](Report& r) {
    r.variance.per_dimension = Eigen::VectorXd::Ones(64);
    r.variance.per_dimension(3) = r.variance.max = 1e6;
    r.variance.median = 1.0;
  });
  with([](Report& r) {
    r.norms.outlier_rows = {3};
    r.norms.outlier_share = 0.9;
  });
  with([](Report& r) { r.spectrum.effective_rank = 2.0, r.spectrum.leading_rank = 2; });
  with([](Report& r) { r.spectrum.participation_ratio = r.decorrelation.participation_ratio = 1.0; });
  with([](Report& r) {
    r.cosine.histogram.fill(0);
    r.cosine.histogram[63] = 130;
    r.cosine.histogram[30] = 870;
  });
  with([](Report& r) { r.decorrelation.redundancy = 0.5; });
  with([](Report& r) { r.cosine.mean = 0.7; });
  with([](Report& r) { r.decorrelation.max_abs_correlation = 1.0; });
  with([](Report& r) { r.variance.dead_dimensions = 5; });
  with([](Report& r) { r.norms.zero_rows = 1; });
  with([](Report& r) { r.norms.skipped_rows = 1; });
  with([](Report& r) { r.samples = 10; });
  with([](Report& r) { r.samples = 1; });
  with([](Report& r) { r.spectrum.alpha = undefined; });
  with([](Report& r) { r.variance.dispersion = undefined; });
  with([](Report& r) { r.dims = 1; });
  with([](Report& r) { r.variance.dead_dimensions = 63; });
  with([](Report& r) { r.spectrum_uncentered.numerical_rank = 0; });
  with([](Report& r) { r.norms.mean = undefined; });
  check(diagnose(Report{}));
  Thresholds lengths;
  lengths.smallest_norm = 9.0;
  check(diagnose(healthy_report(), lengths));
  lengths = {};
  lengths.largest_norm = 7.0;
  check(diagnose(healthy_report(), lengths));

  const auto with_classes = [&check](auto change) {
    ClassCollapse classes = healthy_classes();
    change(classes);
    check(diagnose(healthy_report(), classes));
  };
  with_classes([](ClassCollapse& c) { c.nc1_ratio = c.cdnv = 0.01; });
  with_classes([](ClassCollapse& c) { c.nc1_ratio = 0.01; });
  with_classes([](ClassCollapse& c) { c.per_class.variance(3) = 0.0; });
  with_classes([](ClassCollapse& c) { c.per_class.effective_rank_vs_expected(3) = 0.0; });
  with_classes([](ClassCollapse& c) { c.per_class.samples.assign(10, 3); });

  Comparison views;
  views.samples = 500;
  views.a.dims = views.b.dims = 16;
  views.signal.share = 0.02;
  check(diagnose(views));
  views.signal.share = 0.4;
  views.signal.symmetry = 0.1;
  views.linear_cka_debiased = 0.9;
  check(diagnose(views));

  for (const FindingKind kind : finding_kinds) {
    CAPTURE(std::string(to_string(kind)));
    CHECK(seen.count(kind) == 1);
  }
}

TEST_CASE("kinds of findings have names of their own", "[catalogue]") {
  std::set<std::string_view> names;
  for (const FindingKind kind : finding_kinds) CHECK(names.insert(to_string(kind)).second);
  CHECK(names.count("unknown") == 0);
  CHECK(to_string(static_cast<FindingKind>(finding_kinds.size())) == "unknown");
}

TEST_CASE("every alarm and every estimate refers to a number of the catalogue", "[catalogue]") {
  for (const streams::JudgedMetric& judged : streams::judged_metrics) {
    CAPTURE(std::string(judged.metric));
    CHECK(resolves(judged.metric));
    CHECK(judged.quantity().find(judged.metric.view()) != std::string::npos);
  }
  Observation::fields([](const auto& field) {
    CAPTURE(std::string(field.name));
    CHECK(find_entry(field.name) != nullptr);
  });
  Report report = healthy_report();
  const std::vector<streams::Statistic> statistics = streams::statistics_of(report);
  for (const streams::Statistic& statistic : statistics) CHECK(resolves(statistic.metric));
  // A sample of rows has seven quantiles with errors of their own.
  report.cosine.exact = false;
  CHECK(statistics.size() == streams::statistics_of(report).size() + 7);
}
