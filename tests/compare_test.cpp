#include <collapse/compare.hpp>
#include <collapse/report/catalogue.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_views.hpp"
#include "support/report_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

using namespace collapse;
using reference::Dense;
using reference::near;

namespace {

bool same_numbers(const Report& left, const Report& right) {
  const reference::Numbers a = reference::numbers(left);
  const reference::Numbers b = reference::numbers(right);
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = std::isnan(a[i].second) && std::isnan(b[i].second);
    if (a[i].first != b[i].first || !(a[i].second == b[i].second || both_nan)) return false;
  }
  return true;
}

std::string reason(const Comparison& comparison, const std::string& metric) {
  for (const Finding& finding : comparison.findings) {
    CHECK(find_entry(finding.metric.full()) != nullptr);
    if (finding.metric == metric) return finding.explanation;
  }
  return "";
}

const char* const names[] = {"alignment",
                             "invariance",
                             "barlow_on_diagonal",
                             "barlow_off_diagonal",
                             "vicreg",
                             "modality_gap",
                             "paired_cosine",
                             "unpaired_cosine",
                             "linear_cka",
                             "linear_cka_debiased",
                             "signal.share",
                             "signal.effective_rank",
                             "signal.participation_ratio"};

double value(const Comparison& c, const std::string& name) {
  const double values[] = {c.alignment,
                           c.invariance,
                           c.barlow_on_diagonal,
                           c.barlow_off_diagonal,
                           c.vicreg,
                           c.modality_gap,
                           c.paired_cosine,
                           c.unpaired_cosine,
                           c.linear_cka,
                           c.linear_cka_debiased,
                           c.signal.share,
                           c.signal.effective_rank,
                           c.signal.participation_ratio};
  return values[std::find(std::begin(names), std::end(names), name) - std::begin(names)];
}

/// Every undefined number has a reason, and no other.
void check_reasons(const Comparison& c) {
  for (const char* const name : names) {
    CAPTURE(name);
    CHECK(std::isnan(value(c, name)) == !reason(c, name).empty());
  }
}

}  // namespace

TEST_CASE("a comparison holds the numbers of its parts by definition", "[compare]") {
  const test::OneThread one_thread;
  for (const Index n : {8, 150}) {
    CAPTURE(n);
    const Dense<float> a = reference::gaussian<float>(n, 20, 1, 0.5);
    const Dense<double> b = reference::gaussian<double>(n, 20, 2, 0.1) + a.cast<double>();
    const Comparison c = compare(a, b);
    const auto wide_a = reference::widened(a);
    const auto wide_b = reference::widened(b);
    const reference::Pairs pairs = reference::pairs(wide_a, wide_b);
    const reference::Barlow barlow = reference::barlow(wide_a, wide_b);
    const reference::Cka cka = reference::linear_cka(wide_a, wide_b);
    CHECK(c.samples == n);
    CHECK(c.directed_pairs == n);
    CHECK(near(c.alignment, pairs.alignment, 1e-14L));
    CHECK(near(c.invariance, pairs.invariance, 1e-14L));
    CHECK(near(c.paired_cosine, pairs.paired_cosine, 1e-14L));
    CHECK(near(c.unpaired_cosine, pairs.unpaired_cosine, 1e-14L));
    CHECK(near(c.modality_gap, pairs.modality_gap, 1e-14L));
    CHECK(near(c.barlow_on_diagonal, barlow.on_diagonal, 1e-13L));
    CHECK(near(c.barlow_off_diagonal, barlow.off_diagonal, 1e-12L));
    CHECK(near(c.linear_cka, cka.biased, 1e-12L));
    CHECK(near(c.linear_cka_debiased, cka.debiased, 1e-10L));
    CHECK(same_numbers(c.a, measure(a)));
    CHECK(same_numbers(c.b, measure(b)));
    check_reasons(c);
    CHECK(c.findings.empty());
  }
}

TEST_CASE("VICReg is the weighted sum of its terms by their definition", "[compare]") {
  const Dense<double> a = reference::gaussian<double>(60, 5, 1, 0.3, 0.6);
  const Dense<double> b = reference::gaussian<double>(60, 5, 2, 0.0, 0.4);
  const auto terms = [](const Dense<double>& z) {
    const reference::Matrix x = reference::centred(reference::widened(z));
    const reference::Matrix c = x.transpose() * x / 59.0L;
    reference::Real hinge = 0.0L;
    for (Index d = 0; d < 5; ++d) hinge += std::max(0.0L, 1.0L - std::sqrt(c(d, d) + 1e-4L)) / 5.0L;
    return std::pair{hinge, (c.squaredNorm() - c.diagonal().squaredNorm()) / 5.0L};
  };
  const auto [hinge_a, penalty_a] = terms(a);
  const auto [hinge_b, penalty_b] = terms(b);
  const reference::Real invariance = reference::widened(Dense<double>(a - b)).squaredNorm() / 300.0L;
  CHECK(near(compare(a, b).vicreg, 25.0L * invariance + 25.0L * (hinge_a + hinge_b) + penalty_a + penalty_b, 1e-12L));
  CHECK(near(compare(a, b, {}, {.invariance = 2.0, .variance = 0.5, .covariance = 3.0}).vicreg,
             2.0L * invariance + 0.5L * (hinge_a + hinge_b) + 3.0L * (penalty_a + penalty_b), 1e-12L));
}

TEST_CASE("views of different dimensions have their kernels in common and reasons for the rest", "[compare]") {
  for (const Index n : {7, 90}) {
    CAPTURE(n);
    const Dense<double> a = reference::gaussian<double>(n, 30, 1);
    Dense<float> b = reference::gaussian<float>(n, 12, 2);
    b.leftCols(5) += a.leftCols(5).cast<float>();
    const Comparison c = compare(a, b);
    const reference::Cka cka = reference::linear_cka(reference::widened(a), reference::widened(b));
    CHECK(near(c.linear_cka, cka.biased, 1e-12L));
    CHECK(near(c.linear_cka_debiased, cka.debiased, 1e-11L));
    CHECK(c.findings.size() == 11);
    check_reasons(c);
    CHECK(reason(c, "barlow_on_diagonal") == "views of 30 and 12 dimensions have no common space");
    CHECK(c.b.dims == 12);
  }
}

TEST_CASE("what is undefined for few pairs or without a spread has a reason", "[compare]") {
  const Dense<double> a = reference::gaussian<double>(9, 3, 1);
  const Dense<double> b = reference::gaussian<double>(9, 3, 2);
  for (const Index n : {1, 2, 3, 4}) {
    CAPTURE(n);
    const Comparison c = compare(a.topRows(n), b.topRows(n));
    check_reasons(c);
    CHECK(std::isnan(c.unpaired_cosine) == (n < 2));
    CHECK(std::isnan(c.vicreg) == (n < 2));
    CHECK(std::isnan(c.linear_cka) == (n < 2));
    CHECK(std::isnan(c.linear_cka_debiased) == (n < 4));
    if (n == 3) CHECK(reason(c, "linear_cka_debiased") == "the unbiased estimate needs at least 4 pairs");
  }
  const Comparison constant = compare(a, Dense<double>(Dense<double>::Constant(9, 3, 0.1)));
  check_reasons(constant);
  CHECK(reason(constant, "linear_cka") == "a view is constant up to rounding");
  CHECK(std::isfinite(constant.alignment));
  const Comparison zeros = compare(a, Dense<double>(Dense<double>::Zero(9, 3)));
  check_reasons(zeros);
  CHECK(zeros.directed_pairs == 0);
  CHECK(reason(zeros, "modality_gap") == "no pair has two rows of positive length");
  check_reasons(compare(a.leftCols(1), b.leftCols(1)));
}

TEST_CASE("skipped pairs are counted and both reports are of the rest", "[compare]") {
  Dense<float> a = reference::gaussian<float>(40, 6, 1);
  Dense<float> b = reference::gaussian<float>(40, 6, 2);
  const Comparison expected = compare(a.bottomRows(38), b.bottomRows(38));
  a(0, 3) = std::numeric_limits<float>::quiet_NaN();
  b(1, 0) = -std::numeric_limits<float>::infinity();
  const Comparison c = compare(a, b, {.nonfinite = NonFinite::skip_rows});
  CHECK(c.samples == 38);
  CHECK(c.skipped_rows == 2);
  CHECK(c.a.norms.skipped_rows == 2);
  CHECK(c.b.norms.skipped_rows == 2);
  CHECK(c.a.input_epsilon == expected.a.input_epsilon);
  CHECK(c.alignment == expected.alignment);
  CHECK(c.linear_cka_debiased == expected.linear_cka_debiased);
  CHECK(c.b.spectrum.effective_rank == expected.b.spectrum.effective_rank);
  CHECK_THROWS_AS(compare(a, b), NonFiniteError);
  CHECK_THROWS_AS(compare(a, b, {.pair_rows = 1}), OptionError);
}

TEST_CASE("a comparison has the same bits in every order of storage and for any number of threads", "[compare]") {
  const Dense<float> a = reference::gaussian<float>(70, 11, 1, 0.5);
  const Dense<float> b = reference::gaussian<float>(70, 11, 2) + a;
  const Comparison expected = compare(a, b);
  const reference::RowMajor<float> rows = b;
  const auto check = [&](const Comparison& c) {
    for (const char* const name : names) {
      CAPTURE(name);
      CHECK(value(c, name) == value(expected, name));
    }
  };
  check(compare(a, rows));
  check(compare(2.0F * (0.5F * a), rows.block(0, 0, 70, 11)));
  reference::for_thread_counts([&](int) { check(compare(a, b)); });
}

TEST_CASE("a joint rotation of both views changes no number but the cross-correlation and VICReg", "[compare]") {
  const Dense<double> a = reference::gaussian<double>(80, 9, 1, 0.5);
  const Dense<double> b = reference::gaussian<double>(80, 9, 2) + a;
  const Dense<double> turn = reference::rotation(9, 7);
  const Comparison before = compare(a, b);
  const Comparison after = compare(Dense<double>(a * turn), Dense<double>(b * turn));
  const Comparison shuffled = compare(Dense<double>(a.colwise().reverse()), Dense<double>(b.colwise().reverse()));
  for (const std::string name : names) {
    CAPTURE(name);
    const double scale = 1e-12 * std::abs(value(before, name));
    CHECK(std::abs(value(shuffled, name) - value(before, name)) <= scale);
    if (name.rfind("barlow", 0) == 0 || name == "vicreg") continue;
    CHECK(std::abs(value(after, name) - value(before, name)) <= scale);
  }
}

TEST_CASE("a comparison keeps its digits at every scale", "[compare]") {
  const Dense<double> a = reference::gaussian<double>(50, 6, 1, 0.5);
  const Dense<double> b = reference::gaussian<double>(50, 6, 2) + a;
  const Comparison plain = compare(a, b);
  for (const double scale : {1e-150, 1e150}) {
    CAPTURE(scale);
    const Comparison scaled = compare(Dense<double>(a * scale), Dense<double>(b * scale));
    for (const std::string name : names) {
      if (name == "vicreg" || name == "invariance") continue;
      CAPTURE(name);
      CHECK(std::abs(value(scaled, name) - value(plain, name)) <= 1e-12 * std::abs(value(plain, name)));
    }
  }
}
