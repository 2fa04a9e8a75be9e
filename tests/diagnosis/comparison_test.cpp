#include <collapse/diagnosis/comparison.hpp>

#include <collapse/compare.hpp>
#include <collapse/report/catalogue.hpp>

#include "support/catch.hpp"
#include "support/reference_views.hpp"

#include <cmath>
#include <string>

using namespace collapse;
using reference::Dense;

namespace {

/// Two views of inputs that differ along `directions` axes, with noise of the given variance in all.
struct Views {
  Dense<double> a, b;
};

Views views(Index rows, Index dims, Index directions, double noise, std::uint64_t seed = 1) {
  Dense<double> signal = Dense<double>::Zero(rows, dims);
  signal.leftCols(directions) = reference::gaussian<double>(rows, directions, seed);
  const double spread = std::sqrt(noise);
  return {signal + spread * reference::gaussian<double>(rows, dims, seed + 1),
          signal + spread * reference::gaussian<double>(rows, dims, seed + 2)};
}

Comparison compared(const Views& v) { return compare(v.a, v.b); }

const Finding* decisive(const Comparison& c) {
  for (const Finding& finding : c.diagnosis.findings) {
    CHECK(find_entry(finding.metric.full()) != nullptr);
    if (finding.decisive) return &finding;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("views that share most of their variance in several directions are healthy", "[diagnosis][comparison]") {
  const Comparison c = compared(views(400, 16, 6, 0.1));
  CHECK(c.diagnosis.verdict == Verdict::healthy);
  CHECK(decisive(c) == nullptr);
}

TEST_CASE("views that differ by noise alone are a complete collapse, however even the spectrum of one is",
          "[diagnosis][comparison]") {
  // A point, and noise of variance 1 in each of 16 dimensions: 0.05 of the variance is shared.
  Views v = views(1000, 16, 4, 5.0);
  v.a.array() += 20.0;
  v.b.array() += 20.0;
  const Comparison c = compared(v);
  CHECK(c.a.spectrum.effective_rank_vs_expected > 0.99);
  CHECK(c.diagnosis.verdict == Verdict::complete_collapse);
  const Finding* const why = decisive(c);
  REQUIRE(why != nullptr);
  CHECK(why->kind == FindingKind::no_shared_signal);
  CHECK(why->metric == "signal.share");
  CHECK(why->value == c.signal.share);
  CHECK(why->threshold == Thresholds{}.signal_share);
  CHECK(why->explanation.find("the augmentation made") != std::string::npos);
  CHECK_FALSE(why->remedy.empty());
}

TEST_CASE("views that share one direction are a dimensional collapse", "[diagnosis][comparison]") {
  const Comparison c = compared(views(400, 16, 1, 0.05));
  CHECK(c.diagnosis.verdict == Verdict::dimensional_collapse);
  const Finding* const why = decisive(c);
  REQUIRE(why != nullptr);
  CHECK(why->metric == "signal.effective_rank");
  CHECK(why->origin == "Thresholds::signal_rank");
}

TEST_CASE("a cone, a scale and an order of pairs change no verdict of two views", "[diagnosis][comparison]") {
  const Views v = views(400, 16, 6, 0.1);
  const Dense<double> far_a = (1e-3 * v.a).array() + 1.0;
  const Dense<double> far_b = (1e-3 * v.b).array() + 1.0;
  const Comparison far = compare(far_a, far_b);
  CHECK(far.a.cosine.mean > 0.99);
  CHECK(far.diagnosis.verdict == Verdict::healthy);
  CHECK(compare(Dense<double>(1e150 * v.a), Dense<double>(1e150 * v.b)).diagnosis.verdict == Verdict::healthy);
  CHECK(compare(v.b, v.a).diagnosis.verdict == Verdict::healthy);
  CHECK(compare(v.a, v.a).diagnosis.verdict == Verdict::healthy);
}

TEST_CASE("two encoders that tell inputs apart in axes of their own are not judged", "[diagnosis][comparison]") {
  const Views v = views(400, 16, 6, 0.1);
  const Dense<double> turned = v.b * reference::rotation(16, 9);
  const Comparison c = compare(v.a, turned);
  CHECK(c.linear_cka_debiased > 0.5);
  CHECK(c.diagnosis.verdict == Verdict::undetermined);
  const Finding* const why = decisive(c);
  REQUIRE(why != nullptr);
  CHECK(why->kind == FindingKind::different_axes);
  CHECK(why->metric == "signal.symmetry");
}

TEST_CASE("rows at one point are a complete collapse in both views, and in one", "[diagnosis][comparison]") {
  const Dense<double> spread = views(100, 8, 4, 0.1).a;
  const Dense<double> point = Dense<double>::Constant(100, 8, 0.3);
  CHECK(compare(point, point).diagnosis.verdict == Verdict::complete_collapse);
  const Comparison one = compare(spread, point);
  CHECK(one.diagnosis.verdict == Verdict::complete_collapse);
  REQUIRE(decisive(one) != nullptr);
  CHECK(decisive(one)->explanation.find("in view b") != std::string::npos);
  CHECK(
      compare(Dense<double>(Dense<double>::Zero(50, 4)), Dense<double>(Dense<double>::Zero(50, 4))).diagnosis.verdict ==
      Verdict::complete_collapse);
}

TEST_CASE("few points in both views are what each view calls them", "[diagnosis][comparison]") {
  Dense<double> points(400, 32);
  const Dense<double> centres = reference::gaussian<double>(6, 32, 5);
  for (Index i = 0; i < 400; ++i) points.row(i) = centres.row(i % 6);
  for (const double noise : {0.005, 0.05}) {
    CAPTURE(noise);
    const Dense<double> a = points + noise * reference::gaussian<double>(400, 32, 6);
    const Dense<double> b = points + noise * reference::gaussian<double>(400, 32, 7);
    const Comparison c = compare(a, b);
    CHECK(c.signal.share > 0.9);
    CHECK(c.a.diagnosis.verdict == Verdict::cluster_collapse);
    CHECK(c.diagnosis.verdict == Verdict::cluster_collapse);
    REQUIRE(decisive(c) != nullptr);
    CHECK(decisive(c)->explanation.find("in both views") != std::string::npos);
  }
}

TEST_CASE("what a few pairs cannot tell is undetermined", "[diagnosis][comparison]") {
  const Views v = views(400, 16, 6, 0.1);
  const Comparison few = compare(v.a.topRows(15), v.b.topRows(15));
  CHECK(few.diagnosis.verdict == Verdict::undetermined);
  REQUIRE(decisive(few) != nullptr);
  CHECK(decisive(few)->kind == FindingKind::too_few_samples);
  CHECK(compare(v.a.topRows(1), v.b.topRows(1)).diagnosis.verdict == Verdict::undetermined);
  CHECK(compare(v.a, v.b.leftCols(4)).diagnosis.verdict == Verdict::undetermined);
  // A share whose error reaches across the threshold.
  const Comparison near = compared(views(40, 16, 4, 1.42));
  CHECK(std::abs(near.signal.share - 0.15) < 2.0 * near.signal.share_standard_error);
  CHECK(near.diagnosis.verdict == Verdict::undetermined);
  CHECK(decisive(near)->metric == "signal.share");
  // In one dimension, or two, there is nothing else.
  CHECK(compared(views(400, 1, 1, 0.1)).diagnosis.verdict == Verdict::undetermined);
  CHECK(compared(views(400, 2, 2, 0.1)).diagnosis.verdict == Verdict::healthy);
}

TEST_CASE("thresholds of two views are options", "[diagnosis][comparison]") {
  const Comparison c = compared(views(400, 16, 6, 0.1));
  Thresholds strict;
  strict.signal_share = 0.95;
  CHECK(diagnose(c, strict).verdict == Verdict::complete_collapse);
  strict = {};
  strict.signal_rank = 7.0;
  CHECK(diagnose(c, strict).verdict == Verdict::dimensional_collapse);
  strict.signal_share = 1.5;
  CHECK_THROWS_AS(diagnose(c, strict), OptionError);
  strict = {};
  strict.signal_rank = -1.0;
  CHECK_THROWS_AS(validate(strict), OptionError);
}
