#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"

#include <collapse/measure.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/variance.hpp>

#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace collapse;
using reference::Dense;
using reference::Numbers;
using reference::numbers;
using reference::Real;
using reference::RowMajor;

namespace {

/// The names of the numbers that differ, bit for bit (all NaN are alike); empty when the reports are the same.
std::string difference(const Report& a, const Report& b) {
  const Numbers x = numbers(a);
  const Numbers y = numbers(b);
  if (x.size() != y.size()) return "different sizes";
  std::string result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool both_undefined = std::isnan(x[i].second) && std::isnan(y[i].second);
    if (x[i].first == y[i].first && (both_undefined || std::memcmp(&x[i].second, &y[i].second, sizeof(double)) == 0))
      continue;
    result += x[i].first + " ";
  }
  return result;
}

/// Rows of little everything: an offset, unequal dimensions, a dead one, a repeated one, a zero row.
template <class Scalar>
Dense<Scalar> example(Index n, Index d) {
  Eigen::MatrixXd z = reference::gaussian<double>(n, d, 91, 0.4);
  for (Index j = 0; j < d; ++j) z.col(j) *= 1.0 / (1.0 + 0.1 * static_cast<double>(j));
  if (d > 3) z.col(3).setConstant(0.75);
  if (d > 5) z.col(5) = -2.0 * z.col(1);
  if (n > 8) z.row(8).setZero();
  Dense<Scalar> result(n, d);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < d; ++j) result(i, j) = reference::narrow<Scalar>(z(i, j));
  }
  return result;
}

}  // namespace

TEST_CASE("measure takes every kind of dense expression and says the same of each", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{40, 9}, {12, 20}}) {
    CAPTURE(n, d);
    const Dense<float> z = example<float>(n, d);
    const Report expected = measure(z);
    CHECK(expected.samples == n);
    CHECK(expected.dims == d);
    CHECK(expected.norms.zero_rows == 1);

    const RowMajor<float> row_major = z;
    CHECK(difference(measure(row_major), expected).empty());
    const Dense<float> dims_as_rows = z.transpose();
    CHECK(difference(measure(dims_as_rows.transpose()), expected).empty());
    const Eigen::ArrayXXf array = z.array();
    CHECK(difference(measure(array), expected).empty());
    CHECK(difference(measure(z.array()), expected).empty());
    const Eigen::Map<const RowMajor<float>> map(row_major.data(), n, d);
    CHECK(difference(measure(map), expected).empty());
    const Eigen::Ref<const Eigen::MatrixXf> ref(z);
    CHECK(difference(measure(ref), expected).empty());
    Dense<float> larger = Dense<float>::Constant(n + 4, d + 3, std::numeric_limits<float>::quiet_NaN());
    larger.block(1, 2, n, d) = z;
    CHECK(difference(measure(larger.block(1, 2, n, d)), expected).empty());
    std::vector<float> buffer(static_cast<std::size_t>(2 * n * d), std::numeric_limits<float>::infinity());
    using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    Eigen::Map<Dense<float>, 0, Strides> strided(buffer.data(), n, d, Strides(2 * n, 2));
    strided = z;
    CHECK(difference(measure(strided), expected).empty());
    CHECK(difference(measure(1.0F * z), expected).empty());
    CHECK(difference(measure(z.rowwise().reverse().rowwise().reverse()), expected).empty());
  }
}

TEST_CASE("measure takes fixed sizes and vectors", "[measure]") {
  const Dense<double> z = example<double>(30, 6);
  const Eigen::Matrix<double, 30, 6> fixed = z;
  CHECK(difference(measure(fixed), measure(z)).empty());
  const Eigen::Matrix<double, 30, 6, Eigen::RowMajor> rows = z;
  CHECK(difference(measure(rows), measure(z)).empty());
  CHECK(measure(z.col(0)).dims == 1);
  CHECK(measure(z.col(0)).samples == 30);
  CHECK(measure(z.row(0)).samples == 1);
  CHECK(measure(z.row(0)).dims == 6);
  const Eigen::VectorXf vector = Eigen::VectorXf::LinSpaced(20, 1.0F, 2.0F);
  CHECK(measure(vector).samples == 20);
}

TEST_CASE("measure evaluates an expression exactly once", "[measure]") {
  const Dense<double> z = example<double>(50, 7);
  int calls = 0;
  const auto counting = [&](Index i, Index j) {
    ++calls;
    return z(i, j);
  };
  const Report report = measure(Eigen::MatrixXd::NullaryExpr(50, 7, counting));
  CHECK(calls == 50 * 7);
  CHECK(difference(report, measure(z)).empty());
}

TEMPLATE_TEST_CASE("measure agrees with long double loops for every scalar", "[measure]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{97, 24}, {24, 97}}) {
    CAPTURE(n, d);
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 93, 0.4);
    const Report report = measure(z);
    CHECK(report.input_epsilon == linalg::input_epsilon<TestType>());
    const reference::Matrix wide = reference::widened(z);
    const reference::Matrix x = reference::centred(wide);
    const std::vector<Real> distances = reference::distances(reference::unit_rows(wide));
    const reference::MeanStd cosine = reference::mean_std(distances);
    const auto near = [](double measured, Real expected, Real tolerance) {
      return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::abs(expected);
    };
    CHECK(near(report.norms.mean, wide.rowwise().norm().mean(), 1e-14L));
    CHECK(near(report.cosine.mean, 1.0L - cosine.mean, 1e-13L));
    CHECK(near(report.cosine.std, cosine.std, 1e-12L));
    CHECK(near(report.cosine.p50, 1.0L - reference::quantile(distances, 0.5L), 1e-13L));
    CHECK(near(report.cosine.p99, 1.0L - reference::quantile(distances, 0.01L), 1e-13L));
    CHECK(near(report.variance.total, x.squaredNorm() / static_cast<Real>(n - 1), 1e-13L));
    CHECK(near(report.variance.dispersion, x.squaredNorm() / wide.squaredNorm(), 1e-13L));
    const reference::Vector centred = reference::singular_values(x);
    const reference::Vector as_is = reference::singular_values(wide);
    CHECK(near(report.spectrum.effective_rank, reference::effective_rank(centred.head(std::min(n - 1, d))), 1e-8L));
    CHECK(near(report.spectrum_uncentered.effective_rank, reference::effective_rank(as_is), 1e-8L));
    CHECK(near(report.spectrum.singular_values(0), centred(0), 1e-13L));
    const reference::Matrix covariance = x.transpose() * x / static_cast<Real>(n - 1);
    const Real penalty = (covariance.squaredNorm() - covariance.diagonal().squaredNorm()) / static_cast<Real>(d);
    CHECK(near(report.decorrelation.covariance_penalty, penalty, 1e-12L));
  }
}

TEST_CASE("the parts of the report are what the functions of the metrics say", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 9}, {12, 20}}) {
    const Dense<float> z = example<float>(n, d);
    const Report report = measure(z);
    CHECK(report.cosine.std == pairwise_cosine(z).std);
    CHECK(report.cosine.p25 == pairwise_cosine(z).p25);
    CHECK(report.norms.std == norms(z).std);
    CHECK(reference::same_bits(report.variance.per_dimension, per_dimension_variance(z).per_dimension));
    CHECK(report.decorrelation.rms_correlation == decorrelation(z).rms_correlation);
    CHECK(report.spectrum.effective_rank == effective_rank(z));
    CHECK(report.spectrum_uncentered.effective_rank == rankme(z));
    CHECK(report.spectrum.participation_ratio == participation_ratio(z));
  }
}

TEST_CASE("the report has the same bits whatever the number of threads", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{1500, 120}, {100, 210}}) {
    for (const SpectrumMethod method : {SpectrumMethod::gram, SpectrumMethod::svd}) {
      const Options options{.method = method, .pair_rows = 700, .seed = 3};
      const Dense<float> z = example<float>(n, d);
      const Report expected = measure(z, options);
      reference::for_thread_counts([&, n = n, d = d](int threads) {
        CAPTURE(n, d, threads);
        CHECK(difference(measure(z, options), expected) == "");
      });
    }
  }
}

TEST_CASE("the report is the same again", "[measure]") {
  const Dense<double> z = example<double>(300, 20);
  CHECK(difference(measure(z, {.pair_rows = 50}), measure(z, {.pair_rows = 50})) == "");
  CHECK(difference(measure(z, {.pair_rows = 50}), measure(z, {.pair_rows = 50, .seed = 1})) != "");
}

TEST_CASE("both methods of the spectrum tell the same", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{200, 40}, {40, 200}}) {
    const Dense<double> z = reference::gaussian<double>(n, d, 95, 0.5);
    const Report gram = measure(z, {.method = SpectrumMethod::gram});
    const Report svd = measure(z, {.method = SpectrumMethod::svd});
    CHECK(gram.spectrum.method == SpectrumMethod::gram);
    CHECK(svd.spectrum.method == SpectrumMethod::svd);
    CHECK(measure(z).spectrum.method == SpectrumMethod::svd);
    CHECK(measure(z).spectrum_uncentered.method == SpectrumMethod::svd);
    for (const auto& [a, b] :
         {std::pair{gram.spectrum, svd.spectrum}, {gram.spectrum_uncentered, svd.spectrum_uncentered}}) {
      CHECK(std::abs(a.effective_rank / b.effective_rank - 1.0) < 1e-10);
      CHECK(std::abs(a.entropy_rank / b.entropy_rank - 1.0) < 1e-10);
      CHECK(std::abs(a.alpha / b.alpha - 1.0) < 1e-10);
      CHECK(std::abs(a.condition_number / b.condition_number - 1.0) < 1e-8);
      CHECK(a.numerical_rank == b.numerical_rank);
      CHECK(a.rank_95 == b.rank_95);
    }
    CHECK(gram.cosine.std == svd.cosine.std);
  }
}

TEST_CASE("each option reaches its part of the report", "[measure]") {
  const Dense<float> z = reference::gaussian<float>(150, 30, 97);
  const Report sampled = measure(z, {.pair_rows = 20});
  CHECK(sampled.cosine.sampled_rows == 20);
  CHECK(sampled.cosine.pairs == 190);
  CHECK_FALSE(sampled.cosine.exact);
  CHECK(sampled.cosine.standard_error.p50 > 0.0);
  const Report all = measure(z, {.pair_rows = 20, .all_pairs = true});
  CHECK(all.cosine.exact);
  CHECK(all.cosine.pairs == 150 * 149 / 2);
  CHECK(all.cosine.standard_error.p50 == 0.0);
  CHECK(all.cosine.std == sampled.cosine.std);
  CHECK(measure(z, {.alpha_first = 1, .alpha_last = 30}).spectrum.alpha != all.spectrum.alpha);
  CHECK(std::isnan(measure(z, {.alpha_first = 31, .alpha_last = 40}).spectrum.alpha));
  CHECK(measure(z).diagnosis.verdict == Verdict::healthy);
  CHECK(measure(z, {.thresholds = {.minimum_samples = 151}}).diagnosis.verdict == Verdict::undetermined);
}

TEST_CASE("measure refuses options, shapes and values by name", "[measure]") {
  const Dense<float> z = reference::gaussian<float>(20, 4);
  CHECK_THROWS_AS(measure(z, {.pair_rows = 1}), OptionError);
  CHECK_THROWS_AS(measure(z, {.alpha_first = 0}), OptionError);
  CHECK_THROWS_AS(measure(z, {.alpha_first = 9, .alpha_last = 8}), OptionError);
  CHECK_THROWS_AS(measure(Dense<float>(0, 4)), ShapeError);
  CHECK_THROWS_AS(measure(Dense<float>(4, 0)), ShapeError);
  int calls = 0;
  const auto counting = [&](Index, Index) {
    ++calls;
    return 0.0F;
  };
  CHECK_THROWS_AS(measure(Eigen::MatrixXf::NullaryExpr(5, 5, counting), {.pair_rows = 0}), OptionError);
  CHECK(calls == 0);

  Dense<float> bad = z;
  bad(11, 2) = std::numeric_limits<float>::infinity();
  bad(12, 0) = std::numeric_limits<float>::quiet_NaN();
  try {
    static_cast<void>(measure(bad));
    FAIL("accepted");
  } catch (const NonFiniteError& error) {
    CHECK(error.row() == 11);
    CHECK(error.col() == 2);
  }
  const Report report = measure(bad, {.nonfinite = NonFinite::skip_rows});
  CHECK(report.samples == 18);
  CHECK(report.norms.skipped_rows == 2);
}

TEST_CASE("skipped rows change nothing about the others", "[measure]") {
  for (const Index d : {7, 60}) {
    const Dense<double> rest = reference::gaussian<double>(50, d, 99, 0.5);
    Dense<double> z(52, d);
    z << rest.topRows(10), Eigen::RowVectorXd::Constant(d, std::numeric_limits<double>::quiet_NaN()),
        rest.middleRows(10, 40), Eigen::RowVectorXd::Constant(d, std::numeric_limits<double>::infinity());
    Report report = measure(z, {.nonfinite = NonFinite::skip_rows, .pair_rows = 30});
    Report expected = measure(rest, {.pair_rows = 30});
    CHECK(report.norms.skipped_rows == 2);
    report.norms.skipped_rows = 0;
    report.diagnosis = expected.diagnosis;
    const Numbers a = numbers(report);
    const Numbers b = numbers(expected);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(b[i].second)) {
        CHECK(std::isnan(a[i].second));
        continue;
      }
      CAPTURE(a[i].first, a[i].second, b[i].second);
      CHECK(std::abs(a[i].second - b[i].second) <= 1e-9 * std::abs(b[i].second) + 1e-12);
    }
  }
}

TEST_CASE("scale has no influence on what is scale free", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 9}, {9, 20}}) {
    const Dense<double> plain = reference::gaussian<double>(n, d, 101, 0.5);
    const Report expected = measure(plain);
    for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
      CAPTURE(n, scale);
      const Report report = measure(Dense<double>(plain * scale));
      const auto near = [](double a, double b) { return std::abs(a / b - 1.0) < 1e-9; };
      CHECK(near(report.cosine.mean, expected.cosine.mean));
      CHECK(near(report.cosine.std, expected.cosine.std));
      CHECK(near(report.cosine.p05, expected.cosine.p05));
      CHECK(near(report.variance.dispersion, expected.variance.dispersion));
      CHECK(near(report.variance.normalized_std, expected.variance.normalized_std));
      CHECK(near(report.decorrelation.rms_correlation, expected.decorrelation.rms_correlation));
      CHECK(report.decorrelation.max_pair == expected.decorrelation.max_pair);
      CHECK(near(report.spectrum.effective_rank, expected.spectrum.effective_rank));
      CHECK(near(report.spectrum_uncentered.effective_rank, expected.spectrum_uncentered.effective_rank));
      CHECK(report.spectrum.numerical_rank == expected.spectrum.numerical_rank);
      CHECK(near(report.norms.mean / scale, expected.norms.mean));
      CHECK(near(report.norms.std / scale, expected.norms.std));
      CHECK(near(report.spectrum.singular_values(0) / scale, expected.spectrum.singular_values(0)));
      CHECK(report.variance.dead_dimensions == 0);
      CHECK(report.variance.low_dimensions == 0);
      CHECK(report.diagnosis.verdict == expected.diagnosis.verdict);
    }
  }
}

TEST_CASE("the smallest inputs have a report", "[measure]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{1, 1}, {1, 5}, {2, 1}, {2, 2}, {3, 1}, {1, 300}}) {
    CAPTURE(n, d);
    for (const SpectrumMethod method : {SpectrumMethod::gram, SpectrumMethod::svd}) {
      const Report report = measure(reference::gaussian<double>(n, d, 103, 2.0), {.method = method});
      CHECK(report.samples == n);
      CHECK(report.spectrum.singular_values.size() == std::min(n, d));
      CHECK(std::isnan(report.cosine.mean) == (n == 1));
      CHECK(std::isnan(report.variance.total) == (n == 1));
      CHECK(std::isnan(report.spectrum.effective_rank) == (n == 1));
      CHECK(std::abs(report.spectrum_uncentered.effective_rank - 1.0) < 1.0);
    }
  }
  const Report zeros = measure(Eigen::MatrixXf::Zero(30, 4));
  CHECK(std::isnan(zeros.cosine.mean));
  CHECK(std::isnan(zeros.spectrum_uncentered.effective_rank));
  CHECK(zeros.spectrum.effective_rank == 0.0);
  CHECK(zeros.variance.dead_dimensions == 4);
  CHECK(zeros.diagnosis.verdict == Verdict::complete_collapse);
}

namespace {

/// The kilobytes of a line of /proc/self/status; 0 where there is no such file.
long status_kilobytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == name + ":") {
      long value = 0;
      status >> value;
      return value;
    }
  }
  return 0;
}

/// Bytes that `action` adds to the resident memory at its peak; negative where that cannot be told.
template <class Action>
double peak_bytes(Action&& action) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
  action();
  return -1.0;
#else
  malloc_trim(0);
  {
    // Sets the high-water mark back to what is resident now.
    std::ofstream reset("/proc/self/clear_refs");
    reset << "5";
    if (!reset.flush()) return -1.0;
  }
  const long before = status_kilobytes("VmRSS");
  if (before == 0 || status_kilobytes("VmHWM") > before + 1024) return -1.0;
  action();
  return 1024.0 * static_cast<double>(status_kilobytes("VmHWM") - before);
#endif
}

}  // namespace

TEST_CASE("measure needs at most six D x D matrices and 64 MiB beside its input", "[measure]") {
  const auto allowed = [](Index d) { return 6.0 * 8.0 * static_cast<double>(d * d) + 64.0 * 1024 * 1024; };
  SECTION("many rows") {
    // The input alone is 96 MB: a copy would show, in float and more so in double.
    const RowMajor<float> z = reference::gaussian<float>(300000, 80, 105);
    CHECK(peak_bytes([&] { static_cast<void>(measure(z, {.pair_rows = 512})); }) < allowed(80) - 32.0 * 1024 * 1024);
  }
  SECTION("many dimensions") {
    const Dense<float> z = reference::gaussian<float>(4200, 256, 105);
    CHECK(peak_bytes([&] { static_cast<void>(measure(z)); }) < allowed(256));
  }
  SECTION("fewer rows than dimensions") {
    const Dense<double> z = reference::gaussian<double>(100, 100000, 105);
    CHECK(peak_bytes([&] { static_cast<void>(measure(z.leftCols(3000))); }) < 32.0 * 1024 * 1024);
  }
  SECTION("most cosines at a few values") {
    // A tight cloud beside a few other rows: nearly all of 8.4 million pairs fall in a few cells.
    Dense<double> z = reference::around_a_point<double>(4096, 4, 2e-2);
    for (Index i = 0; i < 41; ++i) z.row(100 * i) *= -1.0;
    CHECK(peak_bytes([&] { static_cast<void>(measure(z)); }) < allowed(4));
  }
}
