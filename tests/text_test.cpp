#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/diagnosis.hpp>
#include <collapse/measure.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/synthetic.hpp>
#include <collapse/text.hpp>
#include <collapse/text/report.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

using namespace collapse;
using reference::Dense;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result(1);
  for (const char c : text) {
    if (c == '\n') {
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  return result;
}

/// Code points, counted by decoding; -1 where the text is no UTF-8.
int columns(const std::string& line) {
  int count = 0;
  for (std::size_t i = 0; i < line.size(); ++count) {
    const auto lead = static_cast<unsigned char>(line[i]);
    const std::size_t length = lead < 0x80U   ? 1
                               : lead < 0xC2U ? 0
                               : lead < 0xE0U ? 2
                               : lead < 0xF0U ? 3
                               : lead < 0xF5U ? 4
                                              : 0;
    if (length == 0 || i + length > line.size()) return -1;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(line[i + k]) & 0xC0U) != 0x80U) return -1;
    }
    i += length;
  }
  return count;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The line that begins with `start`; empty when there is none.
std::string line_of(const std::string& text, const std::string& start) {
  for (const std::string& line : lines(text)) {
    if (line.compare(0, start.size(), start) == 0) return line;
  }
  return {};
}

/// Whether "nan" stands in the text as a word of its own.
bool mentions_nan(const std::string& text) {
  std::string word;
  for (const char c : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else {
      if (word == "nan") return true;
      word.clear();
    }
  }
  return false;
}

/// What holds for every text of every report.
void check_form(const Report& report, int page = 80) {
  const std::string full = fmt::format("{}", report);
  const std::string ascii = fmt::format("{:a}", report);
  const std::string line = fmt::format("{:s}", report);
  for (const std::string& text : {full, ascii}) {
    CHECK_FALSE(mentions_nan(text));
    CHECK_FALSE(text.empty());
    CHECK(text.back() != '\n');
    int widest = 0;
    bool clean = true;
    for (const std::string& of_text : lines(text)) {
      const int width = columns(of_text);
      clean = clean && width >= 0 && std::all_of(of_text.begin(), of_text.end(), [](char c) {
                return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
              });
      if (width > page) UNSCOPED_INFO("too wide: " << of_text);
      widest = std::max(widest, width);
    }
    CHECK(widest <= page);
    CHECK(clean);
  }
  CHECK(std::all_of(ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; }));
  CHECK(lines(full).size() == lines(ascii).size());
  CHECK_FALSE(mentions_nan(line));
  CHECK(lines(line).size() == 1);
  CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));

  // The verdict comes first, in both.
  std::string verdict(to_string(report.diagnosis.verdict));
  CHECK(line.rfind("collapse " + verdict + " N=", 0) == 0);
  for (char& c : verdict) c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(full.rfind(verdict + " · ", 0) == 0);
  CHECK(ascii.rfind(verdict + " | ", 0) == 0);
}

/// A report without anything undefined, all numbers different.
Report example() {
  Report report;
  report.samples = 1000;
  report.dims = 64;
  report.input_epsilon = 0x1p-23;
  report.norms = {8.125, 0.5, 6.25, 9.5, 3, 2};
  report.cosine.mean = 0.0125;
  report.cosine.std = 0.1251;
  report.cosine.min = -0.5123;
  report.cosine.max = 0.6234;
  report.cosine.p01 = -0.2901;
  report.cosine.p05 = -0.2;
  report.cosine.p25 = -0.0801;
  report.cosine.p50 = 0.0123;
  report.cosine.p75 = 0.0999;
  report.cosine.p95 = 0.22;
  report.cosine.p99 = 0.3001;
  report.cosine.histogram.fill(7);
  report.cosine.pairs = 499500;
  report.cosine.sampled_rows = 1000;
  report.cosine.exact = true;
  report.variance.min = 0.91;
  report.variance.mean = 1.01;
  report.variance.max = 1.12;
  report.variance.median = 1.005;
  report.variance.total = 64.64;
  report.variance.dead_dimensions = 4;
  report.variance.low_dimensions = 5;
  report.variance.hinge = 0.0111;
  report.variance.normalized_std = 0.125;
  report.variance.dispersion = 0.9871;
  report.decorrelation = {0.0611, 0.0222, 0.0333, 0.1444, std::array<Index, 2>{7, 41}, 0.00111};
  for (Spectrum* spectrum : {&report.spectrum, &report.spectrum_uncentered}) {
    const double shift = spectrum == &report.spectrum ? 0.0 : 1.0;
    spectrum->singular_values = Eigen::VectorXd::LinSpaced(64, 40.0, 25.0);
    spectrum->noise_floor = 0.00123 + shift;
    spectrum->below_noise_floor = 6 + static_cast<Index>(shift);
    spectrum->effective_rank = 61.11 + shift;
    spectrum->effective_rank_ratio = 0.9512 + shift;
    spectrum->entropy_rank = 58.22 + shift;
    spectrum->participation_ratio = 55.33 + shift;
    spectrum->stable_rank = 41.44 + shift;
    spectrum->numerical_rank = 58 + static_cast<Index>(shift);
    spectrum->condition_number = 1.655 + shift;
    spectrum->top1_share = 0.0266 + shift;
    spectrum->top10_share = 0.2177 + shift;
    spectrum->rank_90 = 51 + static_cast<Index>(shift);
    spectrum->rank_95 = 54 + static_cast<Index>(shift);
    spectrum->rank_99 = 57 + static_cast<Index>(shift);
    spectrum->alpha = 0.288 + shift;
    spectrum->alpha_r2 = 0.799 + shift;
    spectrum->expected_effective_rank = 63.46 + shift;
    spectrum->effective_rank_vs_expected = 0.963 + shift;
    spectrum->method = shift == 0.0 ? SpectrumMethod::svd : SpectrumMethod::gram;
  }
  report.diagnosis.verdict = Verdict::healthy;
  return report;
}

Finding finding(FindingKind kind, double severity) {
  return {kind,
          severity,
          metric_path<&Report::variance, &Variance::dispersion>,
          0.004,
          0.01,
          "the rows spread by little",
          "push them apart"};
}

/// The bars of a spectrum with this floor, between the margin and the end of the line.
std::string bars_of(const Eigen::VectorXd& values, double floor, bool ascii) {
  Report report = example();
  report.spectrum.singular_values = values;
  report.spectrum.noise_floor = floor;
  report.spectrum_uncentered.singular_values.resize(0);
  const std::string text = ascii ? fmt::format("{:a}", report) : fmt::format("{}", report);
  const std::vector<std::string> all = lines(text);
  const auto title = std::find_if(all.begin(), all.end(),
                                  [](const std::string& line) { return line.rfind("singular values", 0) == 0; });
  return title == all.end() || (title + 1)->size() < 13 ? std::string() : (title + 1)->substr(13);
}

std::string bars_of(const std::array<std::int64_t, 64>& histogram, bool ascii) {
  Report report = example();
  report.cosine.histogram = histogram;
  const std::vector<std::string> all = lines(ascii ? fmt::format("{:a}", report) : fmt::format("{}", report));
  const auto title = std::find_if(all.begin(), all.end(),
                                  [](const std::string& line) { return line.rfind("pairwise cosines", 0) == 0; });
  REQUIRE(title != all.end());
  return (title + 1)->size() < 8 ? std::string() : (title + 1)->substr(8);
}

}  // namespace

TEST_CASE("the full report names every number of a report under its label", "[format]") {
  const Report report = example();
  check_form(report);
  const std::string text = fmt::format("{}", report);
  CHECK(lines(text)[0] == "HEALTHY · 1000 samples × 64 dims · float32 · no findings");
  CHECK(line_of(text, "  effective rank ") ==
        "  effective rank       61.11   of 64; 0.9630 of expected (healthy near 1)");
  CHECK(line_of(text, "  mean cosine") == "  mean cosine        0.01250   ± 0.1251; 0 is orthogonal, 1 all alike");
  CHECK(line_of(text, "  dispersion") ==
        "  dispersion          0.9871   0 is complete collapse, 1 centred at the origin");

  const auto numbers_after = [&](const std::string& label, const std::string& left, const std::string& right) {
    // The label of the spectrum's rows is 24 columns wide, both numbers end in columns 36 and 48.
    std::string start = "  " + label;
    start.resize(24, ' ');
    start += std::string(12 - left.size(), ' ') + left + std::string(12 - right.size(), ' ') + right;
    CAPTURE(start);
    CHECK_FALSE(line_of(text, start).empty());
  };
  numbers_after("effective rank", "61.11", "62.11");
  numbers_after("  / largest possible", "0.9512", "1.951");
  numbers_after("expected rank", "63.46", "64.46");
  numbers_after("effective / expected", "0.9630", "1.963");
  numbers_after("entropy rank", "58.22", "59.22");
  numbers_after("participation ratio", "55.33", "56.33");
  numbers_after("stable rank", "41.44", "42.44");
  numbers_after("numerical rank", "58", "59");
  numbers_after("below noise floor", "6", "7");
  numbers_after("noise floor", "0.001230", "1.001");
  numbers_after("condition number", "1.655", "2.655");
  numbers_after("top 1 share", "0.02660", "1.027");
  numbers_after("top 10 share", "0.2177", "1.218");
  numbers_after("rank 90 %", "51", "52");
  numbers_after("rank 95 %", "54", "55");
  numbers_after("rank 99 %", "57", "58");
  numbers_after("alpha", "0.2880", "1.288");
  numbers_after("  r2 of the fit", "0.7990", "1.799");
  numbers_after("method", "svd", "gram");

  // Two panels side by side, 38 columns each.
  const auto panels = [&](const std::string& left, const std::string& left_value, const std::string& right,
                          const std::string& right_value) {
    const auto half = [](const std::string& label, const std::string& value) {
      return "  " + label + std::string(36 - static_cast<std::size_t>(columns(label)) - value.size(), ' ') + value;
    };
    const std::string expected = half(left, left_value) + "    " + half(right, right_value);
    CAPTURE(expected);
    CHECK(line_of(text, expected) == expected);
  };
  panels("mean", "8.125", "covariance penalty", "0.06110");
  panels("std", "0.5000", "mean abs correlation", "0.02220");
  panels("min", "6.250", "rms correlation", "0.03330");
  panels("max", "9.500", "max abs correlation", "0.1444");
  panels("zero rows", "3", "max pair", "7, 41");
  panels("skipped rows", "2", "redundancy", "0.001110");
  panels("min", "0.9100", "dead dimensions", "4");
  panels("mean", "1.010", "low dimensions", "5");
  panels("max", "1.120", "hinge", "0.01110");
  panels("median", "1.005", "normalized std", "0.1250");
  panels("total", "64.64", "  × sqrt(D), healthy 1", "1.000");
  CHECK(line_of(text, std::string(42, ' ') + "  dispersion") ==
        std::string(42, ' ') + "  dispersion" + std::string(20, ' ') + "0.9871");

  CHECK(contains(text, "pairwise cosines"));
  CHECK(contains(text, "all 499500 pairs"));
  CHECK(contains(text, "mean 0.01250   std 0.1251"));
  CHECK_FALSE(
      line_of(text, "             min     p01     p05     p25     p50     p75     p95     p99     max").empty());
  CHECK_FALSE(
      line_of(text, "         -0.5123 -0.2901 -0.2000 -0.0801  0.0123  0.0999  0.2200  0.3001  0.6234").empty());
  CHECK_FALSE(contains(text, "s.e."));
}

TEST_CASE("the scalar of the input is named by its epsilon", "[format]") {
  Report report = example();
  for (const auto& [epsilon, name] : {std::pair<double, std::string>{0x1p-52, " · float64 · "},
                                      {0x1p-23, " · float32 · "},
                                      {0x1p-10, " · float16 · "},
                                      {0x1p-7, " · bfloat16 · "}}) {
    report.input_epsilon = epsilon;
    CHECK(contains(lines(fmt::format("{}", report))[0], name));
  }
  report.input_epsilon = 0.3;
  CHECK(lines(fmt::format("{}", report))[0] == "HEALTHY · 1000 samples × 64 dims · no findings");
  report.samples = 1;
  report.dims = 1;
  CHECK(lines(fmt::format("{}", report))[0] == "HEALTHY · 1 sample × 1 dim · no findings");
}

TEST_CASE("findings are told with severity, evidence, explanation and remedy", "[format]") {
  Report report = example();
  report.diagnosis.verdict = Verdict::complete_collapse;
  report.diagnosis.findings = {finding(FindingKind::complete_collapse, 0.92),
                               finding(FindingKind::dead_dimensions, 0.1)};
  report.diagnosis.findings[1].remedy.clear();
  report.diagnosis.findings[1].threshold = undefined;
  report.diagnosis.findings[0].decisive = true;
  check_form(report);
  const std::vector<std::string> text = lines(fmt::format("{}", report));
  CHECK(text[0] == "COMPLETE COLLAPSE · 1000 samples × 64 dims · float32 · severity 0.92");
  CHECK(text[5] == "");
  CHECK(text[6].rfind("findings ─", 0) == 0);
  CHECK(text[7] == "  0.92  complete collapse: variance.dispersion = 0.004, threshold 0.01");
  CHECK(text[8] == "        the rows spread by little");
  CHECK(text[9] == "        → push them apart");
  CHECK(text[10] == "");
  CHECK(text[11] == "  0.10  dead dimensions: variance.dispersion = 0.004");
  CHECK(text[12] == "        the rows spread by little");
  CHECK(text[13] == "");
  const std::vector<std::string> ascii = lines(fmt::format("{:a}", report));
  CHECK(ascii[0] == "COMPLETE COLLAPSE | 1000 samples x 64 dims | float32 | severity 0.92");
  CHECK(ascii[9] == "        -> push them apart");
  report.diagnosis.findings[0].origin = "Thresholds::complete_dispersion";
  CHECK(contains(fmt::format("{}", report), "\n        threshold: Thresholds::complete_dispersion\n"));

  report.diagnosis.verdict = Verdict::healthy;
  report.diagnosis.findings[0].decisive = false;
  CHECK(contains(lines(fmt::format("{}", report))[0], "2 findings"));
  report.diagnosis.findings.pop_back();
  CHECK(contains(lines(fmt::format("{}", report))[0], "1 finding"));
  report.diagnosis.findings[0].value = undefined;
  CHECK(contains(fmt::format("{}", report), "variance.dispersion is undefined, threshold 0.01"));
}

TEST_CASE("the verdict line tells how grave the verdict is, whichever it is", "[format]") {
  const auto first_line = [](const auto& z) { return lines(fmt::format("{}", measure(z)))[0]; };
  CHECK(contains(first_line(synthetic::constant<float>(40, 12)), "· severity 1"));
  CHECK(contains(first_line(synthetic::low_rank<float>(100, 64, 1)), "· severity 0."));
  CHECK(contains(first_line(synthetic::low_rank<float>(100, 64, 2)), "· severity 0."));
  CHECK(contains(first_line(synthetic::isotropic<float>(5, 64)), "· reason below"));
}

TEST_CASE("an undetermined verdict gives its reason where it fits", "[format]") {
  Report report = example();
  report.diagnosis.verdict = Verdict::undetermined;
  CHECK(contains(lines(fmt::format("{}", report))[0], "too little to judge by"));
  report.diagnosis.findings = {finding(FindingKind::too_few_samples, 0.0)};
  CHECK(lines(fmt::format("{}", report))[0] ==
        "UNDETERMINED · 1000 samples × 64 dims · float32 · the rows spread by little");
  report.diagnosis.findings[0].explanation = std::string(200, 'x');
  CHECK(lines(fmt::format("{}", report))[0] == "UNDETERMINED · 1000 samples × 64 dims · float32 · reason below");
  report.diagnosis.findings[0].explanation = "two\nlines";
  check_form(report);
  report.diagnosis.findings[0].explanation.clear();
  check_form(report);
}

TEST_CASE("long words and odd signs of a finding stay on the page", "[format]") {
  Report report = example();
  Finding odd = finding(FindingKind::correlated_dimensions, 0.5);
  odd.metric = metric_path<&ClassCollapse::per_class, &PerClass::effective_rank_vs_expected>;
  odd.explanation =
      "σ₁ ≥ 3 × λ — “quoted”… " + std::string(300, 'w') + "\t\r\n\x1b and\x7f more " + std::string(90, '-');
  odd.remedy = std::string(500, ' ') + "ends" + std::string(81, 'e');
  report.diagnosis.findings = {odd};
  check_form(report);
  CHECK(contains(fmt::format("{:a}", report), "sigma? >= 3 x lambda - \"quoted\"..."));
  odd.explanation = "\t";
  odd.remedy = "\n";
  odd.metric = {};
  report.diagnosis.findings = {odd, odd};
  check_form(report);
  // Also where the reason of an undetermined verdict is looked for.
  report.diagnosis.verdict = Verdict::undetermined;
  for (const char* const reason : {"a\tb", "a\rb", "a\x1b[31mb", "a  b", " a", "é ∞"}) {
    CAPTURE(reason);
    report.diagnosis.findings[0].explanation = reason;
    check_form(report);
  }
}

TEST_CASE("a severity out of range is undefined in print", "[format]") {
  Report report = example();
  for (const double severity : {undefined, -1.0, 1.5, infinity}) {
    report.diagnosis.findings = {finding(FindingKind::dead_dimensions, severity)};
    check_form(report);
    CHECK(contains(fmt::format("{}", report), "     -  dead dimensions: "));
  }
}

TEST_CASE("one line holds the fields that training logs read, in their order", "[format]") {
  Report report = example();
  CHECK(fmt::format("{:s}", report) ==
        "collapse healthy N=1000 D=64 erank=61.11 vs_expected=0.963 rankme=62.11 cos=0.0125 cos_std=0.1251 disp=0.9871 "
        "nstd=1 dead=4 findings=0");
  report.diagnosis.verdict = Verdict::dimensional_collapse;
  report.diagnosis.findings = {finding(FindingKind::dimensional_collapse, 0.7),
                               finding(FindingKind::undefined_number, 0.0)};
  report.spectrum.effective_rank = undefined;
  report.spectrum.effective_rank_vs_expected = undefined;
  report.spectrum_uncentered.effective_rank = undefined;
  report.cosine.mean = undefined;
  report.cosine.std = undefined;
  report.variance.dispersion = undefined;
  report.variance.normalized_std = undefined;
  CHECK(fmt::format("{:s}", report) ==
        "collapse dimensional_collapse N=1000 D=64 erank=- vs_expected=- rankme=- cos=- cos_std=- disp=- nstd=- dead=4 "
        "findings=2");
}

TEST_CASE("numbers have four digits and eleven columns at most", "[format]") {
  namespace text = collapse::text;
  for (const auto& [value, number, brief] :
       std::vector<std::tuple<double, std::string, std::string>>{{0.0, "0", "0"},
                                                                 {-0.0, "0", "0"},
                                                                 {1.0, "1.000", "1"},
                                                                 {-1.0, "-1.000", "-1"},
                                                                 {9.9999, "10.00", "10"},
                                                                 {99.996, "100.0", "100"},
                                                                 {0.001, "0.001000", "0.001"},
                                                                 {0.00099999, "0.001000", "0.001"},
                                                                 {0.0009994, "9.994e-04", "9.994e-04"},
                                                                 {1234.5, "1234", "1234"},
                                                                 {99949.0, "99949", "99949"},
                                                                 {99994.0, "99994", "99994"},
                                                                 {99999.9, "1.000e+05", "1e+05"},
                                                                 {123456.0, "1.235e+05", "1.235e+05"},
                                                                 {1e5, "1.000e+05", "1e+05"},
                                                                 {1.5e300, "1.500e+300", "1.5e+300"},
                                                                 {-1.234e-300, "-1.234e-300", "-1.234e-300"},
                                                                 {5e-324, "4.941e-324", "4.941e-324"},
                                                                 {100.0, "100.0", "100"},
                                                                 {1000.0, "1000", "1000"},
                                                                 {undefined, "-", "-"},
                                                                 {-undefined, "-", "-"},
                                                                 {infinity, "inf", "inf"},
                                                                 {-infinity, "-inf", "-inf"}}) {
    CAPTURE(value);
    CHECK(text::number(value) == number);
    CHECK(text::brief(value) == brief);
    CHECK(text::number(value).size() <= 11);
  }
  // What is printed is the value to four digits.
  reference::Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const double value = random.normal() * std::pow(10.0, 24.0 * (random.uniform() - 0.5));
    CAPTURE(value);
    CHECK(std::abs(std::stod(text::number(value)) / value - 1.0) <= 0.5001e-3);
    CHECK(std::stod(text::brief(value)) == std::stod(text::number(value)));
    CHECK(text::number(value).size() <= 11);
  }
}

TEST_CASE("cosines have four decimals and seven columns", "[format]") {
  namespace text = collapse::text;
  CHECK(text::cosine_number(1.0) == "1.0000");
  CHECK(text::cosine_number(-1.0) == "-1.0000");
  CHECK(text::cosine_number(0.12345) == "0.1235");
  CHECK(text::cosine_number(0.0) == "0.0000");
  CHECK(text::cosine_number(-1e-9) == "0.0000");
  // A standard error that is small is not 0.
  CHECK(text::cosine_number(4e-5) == "<1e-4");
  CHECK(text::cosine_number(6e-5) == "0.0001");
  CHECK(text::cosine_number(undefined) == "-");
  for (const double value : {infinity, -infinity, 1e300, -1e300, 8.99999, -9.0, 123.0}) {
    CAPTURE(value);
    CHECK(text::cosine_number(value).size() <= 7);
  }
}

TEST_CASE("other specifications are refused", "[format]") {
  const Report report = example();
  for (const char* const bad :
       {"{:x}", "{:as}", "{:sa}", "{:ss}", "{:>20}", "{: }", "{:A}", "{:.3}", "{:d}", "{:s }"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(fmt::format(fmt::runtime(bad), report), fmt::format_error);
  }
  CHECK(fmt::format("{:}", report) == fmt::format("{}", report));
  CHECK(fmt::format("<{:s}>", report) == "<" + fmt::format("{:s}", report) + ">");
  CHECK(fmt::format("{0:s}{0:s}", report) == fmt::format("{:s}", report) + fmt::format("{:s}", report));
}

TEST_CASE("verdicts and methods print as their names, in the width asked for", "[format]") {
  CHECK(fmt::format("{}", Verdict::healthy) == "healthy");
  CHECK(fmt::format("{}", Verdict::dimensional_collapse) == "dimensional_collapse");
  CHECK(fmt::format("{}", Verdict::partial_collapse) == "partial_collapse");
  CHECK(fmt::format("{}", Verdict::cluster_collapse) == "cluster_collapse");
  CHECK(fmt::format("{}", Verdict::class_collapse) == "class_collapse");
  CHECK(fmt::format("{}", Verdict::complete_collapse) == "complete_collapse");
  CHECK(fmt::format("{}", Verdict::undetermined) == "undetermined");
  CHECK(fmt::format("{:>10}|{:<9}|{:*^11}", Verdict::healthy, Verdict::healthy, Verdict::healthy) ==
        "   healthy|healthy  |**healthy**");
  CHECK(fmt::format("{} {} {:>5}", SpectrumMethod::automatic, SpectrumMethod::gram, SpectrumMethod::svd) ==
        "auto gram   svd");
  CHECK(fmt::format("{}", static_cast<Verdict>(99)) == "unknown");
  CHECK_THROWS_AS(fmt::format(fmt::runtime("{:d}"), Verdict::healthy), fmt::format_error);
}

TEST_CASE("bars of a spectrum are logarithmic, from the largest value down", "[format]") {
  // Three decades in eight steps: 0, 1/3, 2/3 and all of the way.
  Eigen::VectorXd values(4);
  values << 1000.0, 100.0, 10.0, 1.0;
  CHECK(bars_of(values, 0.0, true) == "8631");
  CHECK(bars_of(values, 0.0, false) == "█▆▃▁");
  CHECK(bars_of(values * 1e-300, 0.0, true) == "8631");
  CHECK(bars_of(values * 1e300, 0.0, true) == "8631");
  // What is at or below the floor is a dot, and does not stretch the scale.
  CHECK(bars_of(values, 10.0, true) == "86..");
  CHECK(bars_of(values, 10.0, false) == "█▆··");
  values << 1.0, 1e-3, 1e-6, 0.0;
  CHECK(bars_of(values, 0.0, true) == "841.");
  values << 1.0, 0.999, 0.5, 0.42;
  CHECK(bars_of(values, 0.0, true) == "8887");
  values << 1.0, 1.0, undefined, 0.0;
  CHECK(bars_of(values, 0.0, true) == "88..");
  CHECK(bars_of(values, undefined, true) == "88..");
  CHECK(bars_of(Eigen::VectorXd(0), 0.0, true) == "");
  CHECK(bars_of(Eigen::VectorXd::Constant(64, 3.0), 0.0, true) == std::string(64, '8'));
}

TEST_CASE("a spectrum wider than the page shows the largest of each run of ranks", "[format]") {
  Eigen::VectorXd values = Eigen::VectorXd::Constant(128, 1.0);
  values(0) = 1000.0;
  for (const Index k : {21, 127}) values(k) = 0.0;
  std::string expected(64, '1');
  expected[0] = '8';
  CHECK(bars_of(values, 0.0, true) == expected);
  values(126) = 0.0;
  expected[63] = '.';
  CHECK(bars_of(values, 0.0, true) == expected);
  // One of 65: a run of two somewhere, nobody lost.
  values = Eigen::VectorXd::Constant(65, 1.0);
  for (Index k = 0; k < 65; ++k) {
    values.setConstant(1.0);
    values(k) = 1000.0;
    const std::string bars = bars_of(values, 0.0, true);
    CHECK(bars.size() == 64);
    CHECK(std::count(bars.begin(), bars.end(), '8') == 1);
    CHECK(std::count(bars.begin(), bars.end(), '1') == 63);
  }
}

TEST_CASE("the charts of both spectra share a scale, that is told above and below", "[format]") {
  Report report = example();
  report.spectrum.singular_values = Eigen::VectorXd::Constant(10, 1.0);
  report.spectrum_uncentered.singular_values = Eigen::VectorXd::Constant(10, 1.0);
  report.spectrum_uncentered.singular_values(0) = 1e6;
  report.spectrum.noise_floor = 1e-3;
  report.spectrum_uncentered.noise_floor = 1e-3;
  const std::vector<std::string> text = lines(fmt::format("{:a}", report));
  const auto title = std::find_if(text.begin(), text.end(),
                                  [](const std::string& line) { return line.rfind("singular values", 0) == 0; });
  REQUIRE(title != text.end());
  CHECK(contains(*title, " 8 = 1e+06   1 = 6 decades less   . = below noise"));
  CHECK(*(title + 1) == "  centred    1111111111");
  CHECK(*(title + 2) == "  uncentred  8111111111");
  CHECK(*(title + 3) == "  rank       1       10");
  report.spectrum.singular_values.setZero();
  report.spectrum_uncentered.singular_values.setZero();
  CHECK(contains(fmt::format("{:a}", report), "all zero"));
  check_form(report);
  for (const Index size : {1, 2, 7, 8, 64, 65, 4096}) {
    report.spectrum.singular_values = Eigen::VectorXd::Ones(size);
    report.spectrum_uncentered.singular_values = Eigen::VectorXd::Ones(size);
    check_form(report);
    CHECK(contains(line_of(fmt::format("{}", report), "  rank  "), fmt::format("{}", size)));
  }
}

TEST_CASE("bars of the histogram are in proportion, and a lone pair shows", "[format]") {
  std::array<std::int64_t, 64> histogram{};
  for (std::size_t k = 0; k < 8; ++k) histogram[k] = static_cast<std::int64_t>(k + 1);
  histogram[10] = 8;
  CHECK(bars_of(histogram, true) == "12345678  8");
  CHECK(bars_of(histogram, false) == "▁▂▃▄▅▆▇█  █");
  histogram.fill(0);
  histogram[0] = 1;
  histogram[63] = std::numeric_limits<std::int64_t>::max();
  CHECK(bars_of(histogram, true) == "1" + std::string(62, ' ') + "8");
  histogram.fill(1000);
  histogram[5] = -3;
  CHECK(bars_of(histogram, true) == "88888 " + std::string(58, '8'));
}

TEST_CASE("the axis below the histogram marks the middle nine tenths and the mean", "[format]") {
  Report report = example();
  const auto axis = [&] {
    const std::vector<std::string> text = lines(fmt::format("{:a}", report));
    const auto title = std::find_if(text.begin(), text.end(),
                                    [](const std::string& line) { return line.rfind("pairwise cosines", 0) == 0; });
    return (title + 2)->substr(8);
  };
  report.cosine.p05 = -0.5;
  report.cosine.mean = 0.25;
  report.cosine.p95 = 0.5;
  // Bins 16, 40 and 48 of 64.
  CHECK(axis() == "|" + std::string(15, '-') + "[" + std::string(23, '=') + "#" + std::string(7, '=') + "]" +
                      std::string(14, '-') + "|");
  report.cosine.p05 = -1.0;
  report.cosine.mean = 1.0;
  report.cosine.p95 = 1.0;
  CHECK(axis() == "[" + std::string(62, '=') + "#");
  report.cosine.p05 = undefined;
  report.cosine.mean = undefined;
  CHECK(axis() == "|" + std::string(31, '-') + "|" + std::string(30, '-') + "|");
  for (const double value : {-infinity, infinity, 1e300, -5.0}) {
    report.cosine.p05 = value;
    report.cosine.mean = value;
    report.cosine.p95 = -value;
    CHECK(axis().size() == 64);
    check_form(report);
  }
}

TEST_CASE("sampled quantiles come with their standard errors", "[format]") {
  Report report = example();
  report.cosine.exact = false;
  report.cosine.sampled_rows = 100;
  report.cosine.pairs = 4950;
  report.cosine.standard_error = {0.0011, 0.0012, 0.0013, 0.0014, 0.0015, 0.00001, undefined};
  check_form(report);
  const std::string text = fmt::format("{}", report);
  CHECK(contains(text, "4950 pairs of 100 sampled rows"));
  CHECK(line_of(text, "  s.e.") == "  s.e.            0.0011  0.0012  0.0013  0.0014  0.0015   <1e-4       -");
  report.cosine.pairs = 0;
  report.cosine.histogram.fill(0);
  check_form(report);
  CHECK(contains(fmt::format("{}", report), "no pairs of non-zero rows"));
  CHECK_FALSE(contains(fmt::format("{}", report), "s.e."));
}

TEST_CASE("standard errors are printed where they were asked for", "[format]") {
  Report report = example();
  CHECK(line_of(fmt::format("{}", report), "standard errors").empty());
  report.confidence = {20,
                       0.95,
                       {{metric_path<&Report::spectrum, &Spectrum::effective_rank>, 7.5, 0.25, 7.0, 8.0},
                        {metric_path<&Report::spectrum_uncentered, &Spectrum::effective_rank_vs_expected>, 0.5,
                         undefined, undefined, undefined}}};
  check_form(report);
  const std::string page = fmt::format("{}", report);
  CHECK(line_of(page, "standard errors").find("20 groups of rows left out in turn") != std::string::npos);
  CHECK(line_of(page, "  spectrum.effective_rank ") ==
        "  spectrum.effective_rank                       0.2500       7.000       8.000");
  CHECK(page.find("95 %    interval") != std::string::npos);
  CHECK(line_of(page, "  uncentered.effective_rank_vs_expected ").find("-           -           -") !=
        std::string::npos);
}

TEST_CASE("undefined numbers print as a dash", "[format]") {
  Report report;
  report.samples = 20;
  report.dims = 3;
  const std::string text = fmt::format("{}", report);
  check_form(report);
  CHECK(line_of(text, "  effective rank ") == "  effective rank           -   undefined");
  CHECK(line_of(text, "  mean cosine") == "  mean cosine              -   undefined");
  CHECK(line_of(text, "  dispersion") == "  dispersion               -   undefined");
  CHECK(line_of(text, "  rank 90 %") == "  rank 90 %                        -           -   components for this share");
  CHECK(contains(text, "max pair                           -"));
  CHECK(contains(text, "mean -   std -"));
}

TEST_CASE("an empty report has all of its texts", "[format]") {
  check_form(Report{});
  CHECK(fmt::format("{:s}", Report{}) ==
        "collapse undetermined N=0 D=0 erank=- vs_expected=- rankme=- cos=- cos_std=- disp=- nstd=- dead=0 findings=0");
  Report report;
  report.diagnosis = diagnose(report);
  check_form(report);
}

TEST_CASE("the largest files fit the page", "[format]") {
  Report report = example();
  report.samples = 100'000'000;
  report.dims = 768;
  report.input_epsilon = 0x1p-10;
  report.diagnosis.verdict = Verdict::dimensional_collapse;
  report.diagnosis.findings = {finding(FindingKind::dimensional_collapse, 0.8123)};
  report.spectrum.effective_rank_vs_expected = 1.234e-5;
  report.cosine.exact = false;
  report.cosine.pairs = 100'000'000LL * 99'999'999LL / 2;
  report.cosine.sampled_rows = 100'000'000;
  check_form(report);
}

TEST_CASE("counts of any size fit the page", "[format]") {
  constexpr Index most = std::numeric_limits<Index>::max();
  const auto widest = [](const Report& report) {
    int result = 0;
    for (const std::string& line : lines(fmt::format("{}", report))) result = std::max(result, columns(line));
    return result;
  };
  Report report = example();
  report.diagnosis.verdict = Verdict::dimensional_collapse;
  report.diagnosis.findings = {finding(FindingKind::dimensional_collapse, 0.8123)};
  report.norms.zero_rows = report.norms.skipped_rows = report.cosine.sampled_rows = most;
  report.cosine.pairs = most;
  report.cosine.exact = false;
  CHECK(widest(report) <= 80);
  report.decorrelation.max_pair = {most - 1, most};
  CHECK(widest(report) <= 80);
  report.decorrelation.max_pair = {1, 2};
  report.samples = most;
  CHECK(widest(report) <= 80);
  report.samples = 1000;
  report.dims = most;
  CHECK(widest(report) <= 80);
  // The line of the effective rank alone.
  report.samples = most;
  CHECK(columns(line_of(fmt::format("{}", report), "  effective rank ")) <= 80);
}

TEST_CASE("numbers that no measurement gives have all of their texts", "[format]") {
  for (const double value :
       {undefined, -undefined, infinity, -infinity, 1.7e308, -1.7e308, 5e-324, -1.234567e-300, 0.0}) {
    for (const Index count :
         {Index{-1}, Index{0}, Index{1}, Index{12345678}, Index{9'999'999'999}, std::numeric_limits<Index>::max()}) {
      for (const bool exact : {true, false}) {
        CAPTURE(value, count, exact);
        Report report;
        report.samples = count;
        report.dims = count;
        report.input_epsilon = value;
        report.norms = {value, value, value, value, count, count};
        report.cosine.mean = report.cosine.std = report.cosine.min = report.cosine.max = value;
        static_cast<CosineQuantiles&>(report.cosine) = {value, value, value, value, value, value, value};
        report.cosine.standard_error = report.cosine;
        report.cosine.histogram.fill(count);
        report.cosine.pairs = count;
        report.cosine.sampled_rows = count;
        report.cosine.exact = exact;
        report.variance = {
            Eigen::VectorXd::Constant(3, value), value, value, value, value, value, count, count, value, value, value};
        report.decorrelation = {value, value, value, value, std::array<Index, 2>{count, count}, value};
        for (Spectrum* spectrum : {&report.spectrum, &report.spectrum_uncentered}) {
          *spectrum = {Eigen::VectorXd::Constant(3, value),
                       value,
                       count,
                       value,
                       value,
                       value,
                       value,
                       value,
                       count,
                       count,
                       value,
                       value,
                       value,
                       count,
                       count,
                       count,
                       value,
                       value,
                       value,
                       value,
                       SpectrumMethod::gram};
        }
        for (const Verdict verdict : {Verdict::dimensional_collapse, Verdict::undetermined}) {
          report.diagnosis.verdict = verdict;
          report.diagnosis.findings.assign(
              2, {FindingKind::dimensional_collapse, value, metric_path<&Report::spectrum, &Spectrum::alpha>, value,
                  value, "x", "y"});
          // How wide the lines of absurd counts are is another test's matter.
          check_form(report, 200);
        }
      }
    }
  }
}

TEST_CASE("reports of measured embeddings have all of their texts", "[format]") {
  for (const auto& z :
       {synthetic::isotropic<float>(40, 12), synthetic::constant<float>(40, 12), synthetic::low_rank<float>(40, 12, 2),
        synthetic::cone<float>(40, 12, 0.8), synthetic::isotropic<float>(1, 1), synthetic::isotropic<float>(3, 100),
        synthetic::around_a_point<float>(40, 12, 1e-9), Dense<float>(Dense<float>::Zero(20, 3)),
        synthetic::dead_dimensions<float>(40, 12, 3)}) {
    check_form(measure(z));
    check_form(measure(z, {.pair_rows = 10}));
  }
}
