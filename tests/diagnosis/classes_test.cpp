#include "support/catch.hpp"

#include <collapse/classes.hpp>
#include <collapse/diagnosis/classes.hpp>
#include <collapse/measure.hpp>
#include <collapse/synthetic/scenario.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace collapse;

namespace {

const Finding* find(const Diagnosis& diagnosis, const std::string& kind) {
  for (const Finding& finding : diagnosis.findings) {
    if (to_string(finding.kind) == kind) return &finding;
  }
  return nullptr;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Report healthy_report() { return measure(synthetic::isotropic<double>(400, 16)); }

/// Ten classes of 40 rows that lie as those of a healthy encoder.
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

/// Rows at K class means that are apart as far as they can be, `spread` around them.
struct Labelled {
  Eigen::MatrixXd rows;
  std::vector<std::int64_t> labels;
};

Labelled at_class_means(Index classes, Index of_each, Index dims, double spread) {
  Labelled result{synthetic::isotropic<double>(classes * of_each, dims, 3), {}};
  result.rows *= spread;
  for (Index i = 0; i < result.rows.rows(); ++i) {
    const Index label = i % classes;
    result.rows(i, label) += 1.0;
    result.rows.row(i).head(classes).array() -= 1.0 / static_cast<double>(classes);
    result.labels.push_back(label);
  }
  // An encoder mixes its dimensions.
  const Eigen::MatrixXd mixing =
      Eigen::HouseholderQR<Eigen::MatrixXd>(synthetic::isotropic<double>(dims, dims, 4)).householderQ();
  result.rows = (result.rows * mixing).eval();
  return result;
}

}  // namespace

TEST_CASE("healthy classes add nothing to a diagnosis", "[class_diagnosis]") {
  const Report report = healthy_report();
  const Diagnosis diagnosis = diagnose(report, healthy_classes());
  CHECK(diagnosis.verdict == Verdict::healthy);
  CHECK(diagnosis.findings.empty());
}

TEST_CASE("what the report alone shows is kept", "[class_diagnosis]") {
  Report report = healthy_report();
  report.cosine.mean = 0.7;
  report.variance.dead_dimensions = 1;
  const Diagnosis alone = diagnose(report);
  const Diagnosis labelled = diagnose(report, healthy_classes());
  CHECK(labelled.verdict == alone.verdict);
  REQUIRE(labelled.findings.size() == alone.findings.size());
  for (std::size_t k = 0; k < alone.findings.size(); ++k) {
    CHECK(labelled.findings[k].kind == alone.findings[k].kind);
    CHECK(labelled.findings[k].severity == alone.findings[k].severity);
    CHECK(labelled.findings[k].decisive == alone.findings[k].decisive);
  }
}

TEST_CASE("a class that spreads a hundredth of the median class has collapsed by itself", "[class_diagnosis]") {
  const Report report = healthy_report();
  ClassCollapse classes = healthy_classes();
  classes.per_class.variance(3) = 0.01 * 4.0;
  Diagnosis diagnosis = diagnose(report, classes);
  CHECK(diagnosis.verdict == Verdict::class_collapse);
  REQUIRE(diagnosis.findings.size() == 1);
  const Finding& one = diagnosis.findings[0];
  CHECK(one.kind == FindingKind::class_collapse);
  CHECK(one.decisive);
  CHECK(one.metric == "labels.per_class.variance");
  CHECK(one.value == 0.04);
  CHECK(one.threshold == 0.04);
  CHECK(std::abs(one.severity - 0.63) < 1e-14);
  CHECK(contains(one.explanation, "class 3 has collapsed by itself"));
  CHECK_FALSE(one.remedy.empty());
  CHECK_FALSE(one.origin.empty());

  classes.per_class.variance(7) = 0.0;
  diagnosis = diagnose(report, classes);
  REQUIRE(find(diagnosis, "class_collapse") != nullptr);
  CHECK(contains(find(diagnosis, "class_collapse")->explanation,
                 "2 of 10 classes have collapsed by themselves, class 7 most"));
  CHECK(std::abs(find(diagnosis, "class_collapse")->severity - 0.66) < 1e-14);

  classes.per_class.variance.setConstant(4.0);
  classes.per_class.variance(3) = std::nextafter(0.04, 1.0);
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
  classes.per_class.variance.setConstant(1e-12);
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
}

TEST_CASE("a class with a quarter of the median's directions has collapsed by itself", "[class_diagnosis]") {
  const Report report = healthy_report();
  ClassCollapse classes = healthy_classes();
  classes.per_class.effective_rank_vs_expected(9) = 0.15;
  const Diagnosis diagnosis = diagnose(report, classes);
  CHECK(diagnosis.verdict == Verdict::class_collapse);
  REQUIRE(find(diagnosis, "class_collapse") != nullptr);
  CHECK(find(diagnosis, "class_collapse")->metric == "labels.per_class.effective_rank_vs_expected");
  CHECK(contains(find(diagnosis, "class_collapse")->explanation, "class 9"));
  classes.per_class.effective_rank_vs_expected(9) = 0.151;
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
}

TEST_CASE("classes of few rows are not judged", "[class_diagnosis]") {
  const Report report = healthy_report();
  ClassCollapse classes = healthy_classes();
  classes.per_class.variance(3) = 0.0;
  classes.per_class.samples[3] = 7;
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
  CHECK(diagnose(report, classes, {.minimum_samples = 15}).verdict == Verdict::class_collapse);

  classes = healthy_classes();
  classes.per_class.variance(0) = 0.0;
  for (std::size_t c = 1; c < 10; ++c) classes.per_class.samples[c] = 2;
  const Diagnosis diagnosis = diagnose(report, classes);
  CHECK(diagnosis.verdict == Verdict::undetermined);
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].kind == FindingKind::too_few_samples);
  CHECK(diagnosis.findings[0].value == 2.0);
  CHECK(diagnosis.findings[0].threshold == 8.0);
  classes.per_class.samples[2] = 8;
  CHECK(diagnose(report, classes).verdict == Verdict::class_collapse);

  // Labels of two classes ask for no more than they can tell.
  classes.per_class.label.resize(2);
  classes.per_class.samples.assign(2, 4);
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
  classes.per_class = {};
  CHECK(diagnose(report, classes).verdict == Verdict::healthy);
}

TEST_CASE("of two classes the thin one is found, and none where both are thin", "[class_diagnosis]") {
  // Ten rows of 16 dimensions each, isotropic or along a line.
  const auto verdict = [](bool first, bool second) {
    Eigen::MatrixXd rows = synthetic::isotropic<double>(20, 16, 4);
    const Eigen::MatrixXd line = synthetic::low_rank<double>(20, 16, 1, 5);
    std::vector<std::int64_t> labels;
    for (Index i = 0; i < 20; ++i) {
      labels.push_back(i / 10);
      if (i < 10 ? first : second) rows.row(i) = line.row(i);
    }
    return diagnose(measure(rows), class_collapse(rows, labels));
  };
  CHECK(find(verdict(false, false), "class_collapse") == nullptr);
  CHECK(find(verdict(true, true), "class_collapse") == nullptr);
  for (const bool first : {false, true}) {
    const Diagnosis thin = verdict(first, !first);
    REQUIRE(find(thin, "class_collapse") != nullptr);
    CHECK(contains(find(thin, "class_collapse")->explanation, first ? "class 0" : "class 1"));
    CHECK(thin.verdict == Verdict::class_collapse);
  }
}

TEST_CASE("rows at class means that are apart are what labels ask for", "[class_diagnosis]") {
  const Labelled data = at_class_means(4, 60, 48, 1e-3);
  const Report report = measure(data.rows);
  const ClassCollapse classes = class_collapse(data.rows, data.labels);
  const Diagnosis alone = diagnose(report);
  CHECK(alone.verdict == Verdict::cluster_collapse);
  CHECK(find(alone, "dimensional_collapse") != nullptr);

  const Diagnosis labelled = diagnose(report, classes);
  CHECK(labelled.verdict == Verdict::healthy);
  REQUIRE(find(labelled, "neural_collapse") != nullptr);
  CHECK(find(labelled, "neural_collapse")->severity == 0.0);
  CHECK(find(labelled, "neural_collapse")->value == classes.nc1_ratio);
  for (const char* kind : {"cluster_collapse", "dimensional_collapse"}) {
    CAPTURE(kind);
    REQUIRE(find(labelled, kind) != nullptr);
    CHECK(find(labelled, kind)->severity == 0.0);
    CHECK_FALSE(find(labelled, kind)->decisive);
    CHECK(contains(find(labelled, kind)->explanation, "4 classes that are apart"));
  }
  // Only just within the threshold, and only just not.
  CHECK(find(diagnose(report, classes, {.neural_collapse = classes.nc1_ratio}), "neural_collapse") != nullptr);
  CHECK(find(diagnose(report, classes, {.neural_collapse = 0.999 * classes.nc1_ratio}), "neural_collapse") == nullptr);
}

TEST_CASE("class means in few directions stay a dimensional collapse", "[class_diagnosis]") {
  // Ten classes along a line.
  Labelled data = at_class_means(10, 30, 16, 1e-3);
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto row = static_cast<Index>(i);
    data.rows.row(row).setConstant(1.0);
    data.rows(row, 0) += static_cast<double>(data.labels[i]);
    data.rows(row, 1) += 1e-3 * std::sin(static_cast<double>(i));
  }
  const Diagnosis diagnosis = diagnose(measure(data.rows), class_collapse(data.rows, data.labels));
  REQUIRE(find(diagnosis, "neural_collapse") != nullptr);
  CHECK(diagnosis.verdict == Verdict::dimensional_collapse);
}

TEST_CASE("two classes at one point are merged", "[class_diagnosis]") {
  Labelled data = at_class_means(6, 40, 24, 1e-3);
  // Each row of class 5 repeats the row of class 4 before it.
  for (Index i = 5; i < data.rows.rows(); i += 6) data.rows.row(i) = data.rows.row(i - 1);
  const ClassCollapse classes = class_collapse(data.rows, data.labels);
  const Diagnosis diagnosis = diagnose(measure(data.rows), classes);
  REQUIRE(find(diagnosis, "merged_classes") != nullptr);
  CHECK(find(diagnosis, "neural_collapse") == nullptr);
  CHECK(find(diagnosis, "merged_classes")->severity == 0.96);
  CHECK(diagnosis.verdict == Verdict::class_collapse);
}

TEST_CASE("of a complete collapse labels have nothing to add", "[class_diagnosis]") {
  Labelled data = at_class_means(4, 60, 48, 1e-3);
  data.rows.array() += 100.0;
  const Report report = measure(data.rows);
  const Diagnosis diagnosis = diagnose(report, class_collapse(data.rows, data.labels));
  CHECK(diagnosis.verdict == Verdict::complete_collapse);
  CHECK(diagnosis.findings.size() == diagnose(report).findings.size());
}

TEST_CASE("a threshold out of its range is refused", "[class_diagnosis]") {
  CHECK_THROWS_AS(diagnose(healthy_report(), healthy_classes(), {.neural_collapse = -1.0}), OptionError);
}

TEST_CASE("a scenario of a single collapsed class is recognised", "[class_diagnosis]") {
  for (const double strength : {0.0, 0.75, 1.0}) {
    CAPTURE(strength);
    const auto sample = synthetic::scenario<float>(synthetic::Family::single_class, strength, 512, 32, 5);
    const Report report = measure(sample.embeddings);
    CHECK(report.diagnosis.verdict == Verdict::healthy);
    CHECK(diagnose(report, class_collapse(sample.embeddings, sample.labels)).verdict == *sample.truth.verdict);
  }
}
