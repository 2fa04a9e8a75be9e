#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/measure.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

bool finds(const Report& report, const std::string& kind) {
  return std::any_of(report.diagnosis.findings.begin(), report.diagnosis.findings.end(),
                     [&](const Finding& finding) { return to_string(finding.kind) == kind; });
}

double relative(double measured, Real expected) {
  return static_cast<double>(std::abs(static_cast<Real>(measured) - expected) / std::abs(expected));
}

/// What float arithmetic makes of the centred effective rank: the trap that the library exists to avoid.
double naive_float_effective_rank(const Dense<float>& z) {
  const Eigen::RowVectorXf mean = z.colwise().mean();
  const Eigen::MatrixXf gram = z.transpose() * z - static_cast<float>(z.rows()) * mean.transpose() * mean;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(gram, Eigen::EigenvaluesOnly);
  const Eigen::VectorXf values = solver.eigenvalues().cwiseMax(0.0F).cwiseSqrt();
  return static_cast<double>(reference::effective_rank(values.cast<Real>()));
}

}  // namespace

TEST_CASE("float rows c + e noise around a unit vector have the spectrum and the cosines of long double",
          "[near_collapse]") {
  for (const double e : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(e);
    const Dense<float> z = reference::around_a_point<float>(512, 96, e, 7);
    const reference::Matrix wide = reference::widened(z);
    const reference::Vector singular = reference::singular_values(reference::centred(wide));
    const Real truth = reference::effective_rank(singular);
    const Report report = measure(z);
    // 1e-3 is what is promised. Nothing but the rounding of double is lost.
    CHECK(relative(report.spectrum.effective_rank, truth) < 1e-9);
    CHECK(relative(measure(z, {.method = SpectrumMethod::svd}).spectrum.effective_rank, truth) < 1e-9);
    CHECK(report.spectrum.below_noise_floor == 0);
    CHECK(report.spectrum.numerical_rank == 96);
    CHECK(((report.spectrum.singular_values.cast<Real>() - singular).array() / singular.array()).abs().maxCoeff() <
          1e-9L);

    const reference::Matrix units = reference::unit_rows(wide);
    const std::vector<Real> distances = reference::distances(units);
    const reference::MeanStd cosine = reference::mean_std(distances);
    CHECK(relative(report.cosine.std, cosine.std) < 1e-6);
    CHECK(std::abs(static_cast<Real>(report.cosine.mean) - (1.0L - cosine.mean)) < 1e-15L);
    CHECK(relative(report.variance.dispersion, reference::centred(wide).squaredNorm() / wide.squaredNorm()) < 1e-12);
    CHECK(report.cosine.exact);
    CHECK(std::abs(static_cast<Real>(report.cosine.p50) - (1.0L - reference::quantile(distances, 0.5L))) < 2e-16L);

    // All but the widest cloud are complete collapse, measured and not below the precision.
    CHECK_FALSE(finds(report, "below_precision"));
    if (e < 1e-2) CHECK(report.diagnosis.verdict == Verdict::complete_collapse);
  }
  // The same data by the obvious formula in float: what is measured above is not the easy part.
  const double naive = naive_float_effective_rank(reference::around_a_point<float>(512, 96, 1e-4, 7));
  CHECK(naive < 80.0);
}

TEST_CASE("fewer rows than dimensions near collapse keep their spectrum too", "[near_collapse]") {
  for (const double e : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(e);
    const Dense<float> z = reference::around_a_point<float>(60, 200, e, 9);
    const reference::Matrix wide = reference::widened(z);
    const reference::Vector singular = reference::singular_values(reference::centred(wide)).head(59);
    const std::vector<Real> distances = reference::distances(reference::unit_rows(wide));
    const Report report = measure(z);
    CHECK(relative(report.spectrum.effective_rank, reference::effective_rank(singular)) < 1e-9);
    CHECK(report.spectrum.numerical_rank == 59);
    CHECK(report.spectrum.below_noise_floor == 1);
    CHECK(relative(report.cosine.std, reference::mean_std(distances).std) < 1e-6);
  }
}

TEST_CASE("float noise of unit length times e is measured down to 1e-6", "[near_collapse]") {
  for (const double e : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(e);
    const Dense<float> z = reference::around_a_point<float>(512, 96, e / std::sqrt(96.0), 11);
    const reference::Matrix wide = reference::widened(z);
    const Report report = measure(z);
    CHECK(relative(report.spectrum.effective_rank,
                   reference::effective_rank(reference::singular_values(reference::centred(wide)))) < 1e-3);
    const std::vector<Real> distances = reference::distances(reference::unit_rows(wide));
    CHECK(relative(report.cosine.std, reference::mean_std(distances).std) < 1e-2);
  }
}

TEST_CASE("spread below the rounding of the input is complete collapse, not a healthy spectrum of rounding errors",
          "[near_collapse]") {
  for (const Index n : {512, 60}) {
    const Dense<float> z = reference::around_a_point<float>(n, 96, 1e-11, 13);
    for (const SpectrumMethod method : {SpectrumMethod::gram, SpectrumMethod::svd}) {
      const Report report = measure(z, {.method = method});
      CAPTURE(n, report.spectrum.noise_floor, report.spectrum.singular_values(0));
      CHECK(report.diagnosis.verdict == Verdict::complete_collapse);
      CHECK(finds(report, "below_precision"));
      CHECK(report.spectrum.numerical_rank == 0);
      CHECK(report.spectrum.effective_rank == 0.0);
      CHECK(report.spectrum.noise_floor > 0.0);
      CHECK(report.spectrum_uncentered.numerical_rank == 1);
      CHECK(std::abs(report.spectrum_uncentered.effective_rank - 1.0) < 1e-12);
    }
    // At 1e-9 the few columns where the point is nearly 0 hold differences still, and no others.
    const Dense<float> partly = reference::around_a_point<float>(n, 96, 1e-9, 13);
    const reference::Matrix wide = reference::widened(partly);
    Index live = 0;
    for (Index d = 0; d < 96; ++d) {
      const Real deviation = std::sqrt(reference::centred(wide).col(d).squaredNorm() / static_cast<Real>(n - 1));
      const Real size = std::sqrt(wide.col(d).squaredNorm() / static_cast<Real>(n));
      live += deviation > 0x1p-24L * size ? 1 : 0;
    }
    CHECK(live > 0);
    CHECK(live < 20);
    const Report some = measure(partly);
    CHECK(some.spectrum.numerical_rank > 0);
    CHECK(some.spectrum.numerical_rank <= live);
    CHECK(some.diagnosis.verdict == Verdict::complete_collapse);
    // The same rows in double are within reach.
    const Report precise = measure(reference::around_a_point<double>(n, 96, 1e-9, 13));
    CHECK_FALSE(finds(precise, "below_precision"));
    CHECK(precise.spectrum.numerical_rank == std::min<Index>(n - 1, 96));
    CHECK(precise.diagnosis.verdict == Verdict::complete_collapse);
  }
}

TEST_CASE("an exactly rank-1 matrix rounded to float has effective rank 1", "[near_collapse]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{512, 96}, {60, 200}}) {
    CAPTURE(n, d);
    const Dense<double> left = reference::gaussian<double>(n, 1, 17);
    const Dense<double> right = reference::gaussian<double>(1, d, 18);
    const Dense<float> z = (left * right).cast<float>();
    const Report report = measure(z);
    // The singular values of the rounded data itself, in long double, cut at the floor that the rounding sets.
    const reference::Matrix wide = reference::widened(z);
    reference::Vector singular = reference::singular_values(reference::centred(wide));
    singular = (singular.array() > static_cast<Real>(report.spectrum.noise_floor)).select(singular, 0.0L);
    CHECK(relative(report.spectrum.effective_rank, reference::effective_rank(singular)) < 1e-3);
    CHECK(std::abs(report.spectrum.effective_rank - 1.0) < 1e-3);
    CHECK(std::abs(report.spectrum_uncentered.effective_rank - 1.0) < 1e-3);
    CHECK(report.spectrum.numerical_rank == 1);
    CHECK(measure(z, {.method = SpectrumMethod::svd}).spectrum.numerical_rank == 1);
    CHECK(report.diagnosis.verdict == Verdict::dimensional_collapse);
  }
  // A Gram matrix in float puts a floor of 3e-4 sigma_1 under every singular value.
  const Dense<float> z =
      (reference::gaussian<double>(512, 1, 17) * reference::gaussian<double>(1, 96, 18)).cast<float>();
  CHECK(naive_float_effective_rank(z) > 1.01);
}

TEST_CASE("collapsed rows of double are measured over ten orders of magnitude", "[near_collapse]") {
  for (const double e : {1e-3, 1e-6, 1e-9, 1e-12}) {
    CAPTURE(e);
    const Dense<double> z = reference::around_a_point<double>(300, 24, e, 19);
    const reference::Matrix wide = reference::widened(z);
    const Report report = measure(z);
    const reference::Vector singular = reference::singular_values(reference::centred(wide));
    CHECK(relative(report.spectrum.effective_rank, reference::effective_rank(singular)) < 1e-9);
    const std::vector<Real> distances = reference::distances(reference::unit_rows(wide));
    const reference::MeanStd cosine = reference::mean_std(distances);
    // Directions carry 16 digits, of which their differences keep those above e.
    CHECK(relative(report.cosine.std, cosine.std) < 1e-12 + 1e-14 / e);
    CHECK(report.variance.dead_dimensions == 0);
  }
}

TEST_CASE("the offset and not the spread sets the floor", "[near_collapse]") {
  const Dense<float> spread = reference::gaussian<float>(300, 24, 21, 0.0, 1e-3);
  CHECK(measure(spread).spectrum.numerical_rank == 24);
  const Dense<float> far = (spread.array() + 1e6F).matrix();
  const Report report = measure(far);
  CHECK(report.spectrum.numerical_rank == 0);
  CHECK(finds(report, "below_precision"));
}
