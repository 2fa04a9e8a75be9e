#include <collapse/metrics/population_participation_ratio.hpp>
#include <collapse/monitor.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/measure.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Random;
using reference::Real;

namespace {

/// Of which one metric alone is defined.
Report with_rank(double vs_expected) {
  Report report;
  report.spectrum.effective_rank_vs_expected = vs_expected;
  return report;
}

Report with_dispersion(double dispersion) {
  Report report;
  report.variance.dispersion = dispersion;
  return report;
}

const MonitorOptions quick{.patience = 3, .window = 5, .warm_up = 10};

/// Feeds one metric to a monitor, one value per step, and remembers the alarms.
struct Run {
  explicit Run(const MonitorOptions& options = quick, Report (*report)(double) = with_rank)
      : monitor(options), report_with(report) {}

  Run& feed(double value, int times = 1) {
    for (int i = 0; i < times; ++i) {
      if (const std::optional<Alarm> alarm = monitor.observe(step++, report_with(value))) raised.push_back(*alarm);
    }
    return *this;
  }

  Monitor monitor;
  Report (*report_with)(double);
  std::vector<Alarm> raised;
  std::int64_t step = 0;
};

/// The third low value after 30 of 0.8 raised it.
void check_fall(const Alarm& alarm, std::string_view metric, double value) {
  CHECK(alarm.metric == metric);
  CHECK(alarm.quantity == metric);
  CHECK(std::isnan(alarm.threshold));
  CHECK(alarm.since == 30);
  CHECK(alarm.step == 32);
  CHECK(alarm.observations == 3);
  CHECK(alarm.value == value);
  CHECK(alarm.baseline == 0.8);
  CHECK(alarm.drop == 1.0 - value / 0.8);
}

/// Equal, both undefined, or as close as asked.
bool close(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * std::abs(b);
}

bool same(const Observation& a, const Observation& b, double tolerance = 0.0) {
  return a.step == b.step && a.samples == b.samples && a.dims == b.dims && close(a.mean_norm, b.mean_norm, tolerance) &&
         close(a.mean_cosine, b.mean_cosine, tolerance) &&
         close(a.mean_cosine_distance, b.mean_cosine_distance, tolerance) && a.dead_dimensions == b.dead_dimensions &&
         close(a.normalized_std, b.normalized_std, tolerance) && close(a.dispersion, b.dispersion, tolerance) &&
         close(a.population_participation_ratio, b.population_participation_ratio, tolerance) &&
         close(a.effective_rank, b.effective_rank, tolerance) &&
         close(a.effective_rank_vs_expected, b.effective_rank_vs_expected, tolerance);
}

template <class Derived>
Observation observation_of(const Eigen::DenseBase<Derived>& z, const MonitorOptions& options = {}) {
  Monitor monitor(options);
  CHECK_FALSE(monitor.observe(0, z));
  return monitor.history().back();
}

std::vector<std::string> lines_of(const std::ostringstream& log) {
  std::vector<std::string> lines;
  std::istringstream in(log.str());
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Takes so many characters, then none.
class FullDisk : public std::streambuf {
 public:
  explicit FullDisk(int room, bool throws = false) : room_(room), throws_(throws) {}
  void empty(int room) { room_ = room; }
  [[nodiscard]] const std::string& taken() const { return taken_; }
  [[nodiscard]] int flushed() const { return flushed_; }

 protected:
  int_type overflow(int_type c) override {
    if (room_ == 0 && throws_) throw std::runtime_error("disk full");
    if (room_ == 0) return traits_type::eof();
    --room_;
    taken_ += traits_type::to_char_type(c);
    return c;
  }
  int sync() override {
    ++flushed_;
    return 0;
  }

 private:
  int room_;
  bool throws_;
  std::string taken_;
  int flushed_ = 0;
};

}  // namespace

// --- what is observed
// -------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a monitor sees in a batch what a report says of it", "[monitor]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [rows, dims] : {std::array<Index, 2>{40, 6}, std::array<Index, 2>{20, 70}}) {
    CAPTURE(rows, dims);
    Dense<TestType> z = reference::gaussian<TestType>(rows, dims, 5, 0.75);
    z.col(1).setConstant(TestType(0.5F));
    z.row(3).setZero();
    z.col(1).row(3).setConstant(TestType(0.5F));
    const Observation seen = observation_of(z);
    const Report report = measure(z);
    CHECK(seen.samples == rows);
    CHECK(seen.dims == dims);
    CHECK(close(seen.mean_norm, report.norms.mean, 1e-14));
    CHECK(close(seen.mean_cosine, report.cosine.mean, 1e-13));
    CHECK(close(seen.mean_cosine_distance, 1.0 - report.cosine.mean, 1e-13));
    CHECK(seen.dead_dimensions == 1);
    CHECK(close(seen.normalized_std, report.variance.normalized_std, 1e-13));
    CHECK(close(seen.dispersion, report.variance.dispersion, 1e-13));
    CHECK(std::isnan(seen.effective_rank));
    CHECK(std::isnan(seen.effective_rank_vs_expected));
    CHECK(seen.population_participation_ratio >= 1.0);
    CHECK(seen.population_participation_ratio <= static_cast<double>(dims));
  }
}

TEST_CASE("a monitor takes from a report what is there", "[monitor]") {
  const Dense<float> z = reference::gaussian<float>(60, 20, 5, 0.5);
  const Report report = measure(z);
  Monitor monitor;
  monitor.observe(7, report);
  const Observation& seen = monitor.history().back();
  CHECK(seen.step == 7);
  CHECK(seen.samples == 60);
  CHECK(seen.dims == 20);
  CHECK(seen.mean_norm == report.norms.mean);
  CHECK(seen.mean_cosine == report.cosine.mean);
  CHECK(seen.mean_cosine_distance == 1.0 - report.cosine.mean);
  CHECK(seen.dead_dimensions == report.variance.dead_dimensions);
  CHECK(seen.normalized_std == report.variance.normalized_std);
  CHECK(seen.dispersion == report.variance.dispersion);
  CHECK(seen.effective_rank == report.spectrum.effective_rank);
  CHECK(seen.effective_rank_vs_expected == report.spectrum.effective_rank_vs_expected);
  CHECK(std::isnan(seen.population_participation_ratio));
}

TEST_CASE("a monitor estimates the dimension of batches of 16 rows and more", "[monitor]") {
  CHECK(std::isnan(observation_of(reference::gaussian<float>(15, 20)).population_participation_ratio));
  const Dense<float> z = reference::gaussian<float>(16, 20);
  CHECK(close(observation_of(z).population_participation_ratio, population_participation_ratio(z), 1e-13));
  // Rows of rank 3: 2000 of them are taken in part, and of these pairs.
  const Dense<float> flat = reference::gaussian<float>(2000, 3) *
                            reference::gaussian<float>(3, 3, 9).householderQr().householderQ() *
                            Dense<float>::Identity(3, 30);
  CHECK(std::abs(observation_of(flat).population_participation_ratio - 3.0) < 0.2);
}

TEST_CASE("a monitor looks at other pairs of rows at each step", "[monitor]") {
  const Dense<float> z = reference::gaussian<float>(400, 30) * Dense<float>::Identity(30, 60);
  Monitor monitor;
  Monitor again;
  Monitor other({.seed = 1});
  for (int step = 0; step < 2; ++step) {
    monitor.observe(step, z);
    again.observe(step, z);
    other.observe(step, z);
  }
  const auto ratio = [](const Monitor& of, std::size_t k) { return of.history()[k].population_participation_ratio; };
  CHECK(ratio(monitor, 0) != ratio(monitor, 1));
  CHECK(ratio(monitor, 0) == ratio(again, 0));
  CHECK(ratio(monitor, 1) == ratio(again, 1));
  CHECK(ratio(monitor, 0) != ratio(other, 0));
}

TEST_CASE("a monitor keeps the digits of cosines near 1", "[monitor]") {
  const Dense<double> z = reference::around_a_point<double>(50, 12, 1e-7);
  Real sum = 0.0L;
  const std::vector<Real> distances = reference::distances(reference::unit_rows(reference::widened(z)));
  for (const Real distance : distances) sum += distance;
  const double expected = static_cast<double>(sum / static_cast<Real>(distances.size()));
  CHECK(expected < 1e-12);
  CHECK(close(observation_of(z).mean_cosine_distance, expected, 1e-7));
}

TEST_CASE("what a monitor judges does not depend on the unit", "[monitor]") {
  const Dense<double> z = reference::gaussian<double>(60, 8, 4, 1.0);
  const Observation expected = observation_of(z);
  for (const int exponent : {-900, -400, 3, 400, 900}) {
    CAPTURE(exponent);
    Observation seen = observation_of(Dense<double>(z.unaryExpr([&](double v) { return std::ldexp(v, exponent); })));
    CHECK(close(std::ldexp(seen.mean_norm, -exponent), expected.mean_norm, 1e-15));
    seen.mean_norm = expected.mean_norm;
    // Rows whose squares leave the range of double take a unit of their own first.
    CHECK(same(seen, expected, std::abs(exponent) <= 400 ? 0.0 : 1e-13));
  }
}

TEST_CASE("a monitor needs neither a matrix of dimensions nor one of rows", "[monitor]") {
  // Either would take gigabytes.
  CHECK(observation_of(Dense<float>::Random(16, 20000).eval()).samples == 16);
  CHECK(observation_of(Dense<float>::Random(40000, 2).eval()).dims == 2);
}

TEST_CASE("a monitor takes degenerate batches for what they are", "[monitor]") {
  SECTION("two rows") {
    Dense<double> z(2, 2);
    z << 1.0, 0.0, 0.0, 1.0;
    const Observation seen = observation_of(z);
    CHECK(seen.dispersion == 0.5);
    CHECK(close(seen.mean_cosine_distance, 1.0, 1e-15));
    CHECK(std::isnan(seen.population_participation_ratio));
  }
  SECTION("one dimension") {
    const Observation seen = observation_of(reference::gaussian<float>(30, 1, 2, 5.0));
    CHECK(seen.population_participation_ratio == 1.0);
    CHECK(seen.mean_cosine == 1.0);
    CHECK(seen.mean_cosine_distance < 1e-31);
  }
  SECTION("equal rows") {
    const Observation seen = observation_of(reference::gaussian<float>(1, 9).replicate(20, 1));
    CHECK(seen.dispersion == 0.0);
    CHECK(seen.mean_cosine_distance == 0.0);
    CHECK(seen.dead_dimensions == 9);
    CHECK(std::isnan(seen.population_participation_ratio));
  }
  SECTION("rows of zeros") {
    const Observation seen = observation_of(Eigen::MatrixXf::Zero(20, 9));
    CHECK(std::isnan(seen.dispersion));
    CHECK(std::isnan(seen.normalized_std));
    CHECK(std::isnan(seen.mean_cosine));
    CHECK(seen.mean_norm == 0.0);
    CHECK(seen.dead_dimensions == 9);
  }
  SECTION("one row and many copies of another") {
    Dense<float> z = Dense<float>::Ones(200, 4);
    z.row(77) *= -1.0F;
    const Observation seen = observation_of(z);
    CHECK(close(seen.dispersion, 4.0 * 199.0 / 200.0 / 200.0, 1e-13));
    CHECK(std::isnan(seen.population_participation_ratio));
  }
  SECTION("huge and tiny rows") {
    for (const double scale : {1e-310, 1e-150, 1e150, 1e300}) {
      CAPTURE(scale);
      const Observation seen = observation_of(Dense<double>(reference::gaussian<double>(64, 16) * scale));
      CHECK(seen.dispersion > 0.9);
      CHECK(seen.normalized_std > 0.2);
      CHECK(seen.population_participation_ratio > 12.0);
      CHECK(seen.dead_dimensions == 0);
    }
  }
}

// --- the rule
// ---------------------------------------------------------------------------------------------------------

TEST_CASE("a fall raises one alarm after patience and names its first step", "[monitor]") {
  Run run;
  run.feed(0.8, 30).feed(0.3, 2);
  CHECK(run.raised.empty());
  CHECK(run.monitor.alarms().empty());
  run.feed(0.2);
  REQUIRE(run.raised.size() == 1);
  check_fall(run.raised.front(), "spectrum.effective_rank_vs_expected", 0.2);
  run.feed(0.1, 100);
  CHECK(run.raised.size() == 1);
  REQUIRE(run.monitor.alarms().size() == 1);
  CHECK(run.monitor.alarms().front().step == 32);
}

TEST_CASE("a value on the line is not low", "[monitor]") {
  Run run;
  run.feed(0.8, 20).feed(0.4, 50);
  CHECK(run.raised.empty());
  run.feed(std::nextafter(0.4, 0.0), 3);
  CHECK(run.raised.size() == 1);
}

TEST_CASE("a slow decline is caught where it crosses the line", "[monitor]") {
  Run run;
  double value = 1.0;
  for (int step = 0; step < 200; ++step, value *= 0.995) run.feed(value);
  REQUIRE(run.raised.size() == 1);
  // The first level is the median of steps 5 to 9, 0.995^7, and 0.995^139 < 1/2 < 0.995^138.
  CHECK(close(run.raised.front().baseline, std::pow(0.995, 7), 1e-13));
  CHECK(run.raised.front().since == 7 + 139);
  CHECK(run.raised.front().step == 7 + 139 + 2);
}

TEST_CASE("a decline of one part in ten thousand per step is caught as well", "[monitor]") {
  Run run{MonitorOptions{.keep = 0}};
  double value = 1.0;
  for (int step = 0; step < 8000; ++step, value *= 0.9999) run.feed(value);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().since > 6900);
  CHECK(run.raised.front().since < 7000);
}

TEST_CASE("the level follows a rise that lasts", "[monitor]") {
  Run run;
  run.feed(0.1, 20).feed(0.8, 5).feed(0.35, 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().baseline == 0.8);
}

TEST_CASE("the level is the median of the window", "[monitor]") {
  Run run({.patience = 1, .window = 4, .warm_up = 4});
  run.feed(0.1).feed(0.9).feed(0.5).feed(0.7).feed(0.25);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().baseline == 0.6);
}

TEST_CASE("low values do not enter the window", "[monitor]") {
  Run run({.patience = 3, .window = 4, .warm_up = 4});
  run.feed(0.2, 4).feed(0.05, 2).feed(0.8, 2).feed(0.05, 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().baseline == 0.5);  // of 0.2, 0.2, 0.8, 0.8
}

TEST_CASE("the warm-up is not judged and its early values make no level", "[monitor]") {
  Run run;
  run.feed(0.9, 5).feed(0.1, 5).feed(0.1, 50);
  CHECK(run.raised.empty());
  run.feed(0.04, 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().baseline == 0.1);
  CHECK(run.raised.front().since == 60);

  Run low_in_warm_up;
  low_in_warm_up.feed(0.8, 7).feed(0.1, 3);
  CHECK(low_in_warm_up.raised.empty());
  low_in_warm_up.feed(0.1, 2);
  CHECK(low_in_warm_up.raised.empty());
  low_in_warm_up.feed(0.1, 1);
  CHECK(low_in_warm_up.raised.empty());  // the level is the median of 2 x 0.8 and 3 x 0.1
}

TEST_CASE("the spread is judged from the first window on and may fall farther", "[monitor]") {
  Run run(quick, with_dispersion);
  run.feed(0.8, 5).feed(0.2, 30);
  CHECK(run.raised.empty());
  run.feed(std::nextafter(0.2, 0.0), 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().metric == "variance.dispersion");
  CHECK(run.raised.front().baseline == 0.8);
  CHECK(std::isnan(run.raised.front().threshold));

  Run early(quick, with_dispersion);
  early.feed(0.8, 4).feed(0.1, 3);
  CHECK(early.raised.empty());  // the level is the median of 4 x 0.8 and 0.1, of which the others are low
  early.feed(0.1);
  CHECK(early.raised.size() == 1);
  Run as_asked({.spread_drop = 0.5, .patience = 1, .window = 5, .warm_up = 5}, with_dispersion);
  as_asked.feed(0.8, 5).feed(0.4);
  CHECK(as_asked.raised.empty());
  as_asked.feed(0.39);
  CHECK(as_asked.raised.size() == 1);
}

TEST_CASE("a run that has collapsed from its first steps on is told after the warm-up", "[monitor]") {
  Run run(quick, with_dispersion);
  run.feed(0.01, 12);
  CHECK(run.raised.empty());
  run.feed(0.01);
  REQUIRE(run.raised.size() == 1);
  const Alarm& alarm = run.raised.front();
  CHECK(alarm.since == 10);
  CHECK(alarm.threshold == 0.01);
  CHECK(alarm.baseline == 0.01);
  CHECK(alarm.drop == 0.0);
  CHECK(fmt::format("{}", alarm) ==
        "collapse alarm: variance.dispersion is 0.01, complete collapse from 0.01 on, since step 10 (3 observations)");
  run.feed(0.02, 3);
  CHECK(run.monitor.alarms().empty());
  run.feed(std::nextafter(0.01, 1.0), 20);
  CHECK(run.raised.size() == 1);

  Run zeros(quick, with_dispersion);
  zeros.feed(0.0, 13);
  REQUIRE(zeros.raised.size() == 1);
  CHECK(zeros.raised.front().drop == 0.0);

  // An encoder may begin like that.
  Run opening(quick, with_dispersion);
  opening.feed(0.001, 9).feed(0.5, 50);
  CHECK(opening.raised.empty());

  const auto with_cosine = [](double cosine) {
    Report report;
    report.dims = 4;
    report.cosine.mean = cosine;
    return report;
  };
  Run cone(quick, with_cosine);
  cone.feed(0.974, 30);
  CHECK(cone.raised.empty());
  cone.feed(0.976, 3);
  REQUIRE(cone.raised.size() == 1);
  CHECK(close(cone.raised.front().threshold, 0.025, 1e-12));
  MonitorOptions strict = quick;
  strict.thresholds.complete_cosine = 0.9;
  Run stricter(strict, with_cosine);
  stricter.feed(0.95, 13);
  CHECK(stricter.raised.size() == 1);
}

TEST_CASE("directions in one dimension are not judged", "[monitor]") {
  Monitor monitor(quick);
  for (int step = 0; step < 60; ++step) {
    const Dense<double> z = reference::gaussian<double>(20, 1, static_cast<std::uint64_t>(step + 1)).cwiseAbs();
    CHECK_FALSE(monitor.observe(step, (z.array() + (step < 30 ? 0.0 : 0.5)).matrix().eval()));
  }
}

TEST_CASE("an outlier raises no alarm", "[monitor]") {
  Run run;
  run.feed(0.8, 20);
  for (int i = 0; i < 20; ++i) run.feed(0.0, i % 2 + 1).feed(0.8);
  CHECK(run.raised.empty());
  SECTION("one upwards lifts no level either") {
    run.feed(1e6).feed(0.8, 2).feed(1e6).feed(0.8, 20);
    CHECK(run.raised.empty());
  }
}

TEST_CASE("an alarm clears once half of the drop is made good and may be raised anew", "[monitor]") {
  Run run;
  run.feed(0.8, 20).feed(0.1, 3);
  REQUIRE(run.raised.size() == 1);
  run.feed(0.59, 50);  // above the line of 0.4, below 0.6
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.61, 2).feed(0.59).feed(0.61, 2);
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.61);
  CHECK(run.monitor.alarms().empty());
  run.feed(0.1, 2);
  CHECK(run.monitor.alarms().empty());
  run.feed(0.1);
  REQUIRE(run.raised.size() == 2);
  CHECK(run.raised.back().since == run.step - 3);
  CHECK(run.raised.back().observations == 3);
  CHECK(run.raised.back().baseline == 0.8);
  run.feed(0.8, 2);
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.8);
  CHECK(run.monitor.alarms().empty());
}

TEST_CASE("values seen while an alarm stands do not enter the window", "[monitor]") {
  Run run({.patience = 3, .window = 4, .warm_up = 4});
  run.feed(0.8, 10).feed(0.1, 3).feed(0.5, 10).feed(1.2, 4).feed(0.1, 3);
  REQUIRE(run.raised.size() == 2);
  CHECK(run.raised.back().baseline == 1.0);  // of 0.8, 0.8, 1.2, 1.2: the third of these cleared the alarm
}

TEST_CASE("noise at the line raises one alarm and not many", "[monitor]") {
  Run run;
  Random random(4);
  for (int i = 0; i < 3000; ++i) run.feed((i < 100 ? 0.8 : 0.4) * (1.0 + 0.1 * random.normal()));
  CHECK(run.raised.size() == 1);
}

TEST_CASE("a smaller fall raises an alarm where it is sudden", "[monitor]") {
  for (Report (*const report)(double) : {with_rank, with_dispersion}) {
    Run run(quick, report);
    run.feed(0.8, 30).feed(0.61, 50);
    CHECK(run.raised.empty());
  }
  Run run(quick, with_dispersion);
  run.feed(0.8, 30).feed(0.59, 2);
  CHECK(run.raised.empty());
  run.feed(0.58);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().sudden);
  check_fall(run.raised.front(), "variance.dispersion", 0.58);
}

TEST_CASE("a fall is not sudden until the window after the warm-up is full", "[monitor]") {
  Run run;
  run.feed(0.8, 28).feed(0.59, 4);
  CHECK(run.raised.empty());
  run.feed(0.59);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().since == 30);
}

TEST_CASE("a fall against what went just before is sudden although the level is another", "[monitor]") {
  Run run;
  // Below the level by a half at no time, and by more than a quarter at the end alone.
  double value = 1.0;
  for (int step = 0; step < 60; ++step, value *= 0.995) run.feed(value);
  CHECK(run.raised.empty());
  run.feed(0.51, 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().sudden);
  CHECK(run.raised.front().since == 60);
  // The median of steps 40 to 59.
  CHECK(close(run.raised.front().baseline, 0.5 * (std::pow(0.995, 49) + std::pow(0.995, 50)), 1e-13));
  run.feed(0.7, 3);  // half of what it fell from 0.78, far from half of what it fell from the level
  CHECK(run.monitor.alarms().empty());
}

TEST_CASE("a fall within the noise is not sudden", "[monitor]") {
  // The median of the distances from 0.8 is d: 4 * 1.4826 * d below it are still noise.
  for (const auto& [d, raised] : {std::array<double, 2>{0.04, 1}, std::array<double, 2>{0.06, 0}}) {
    CAPTURE(d);
    Run run;
    for (int i = 0; i < 20; ++i) run.feed(0.8 - d).feed(0.8 + d);
    run.feed(0.5, 10);
    CHECK(static_cast<double>(run.raised.size()) == raised);
  }
}

TEST_CASE("an alarm of a sudden fall clears once half of it is made good", "[monitor]") {
  Run run;
  run.feed(0.8, 30).feed(0.5, 3);
  REQUIRE(run.raised.size() == 1);
  run.feed(0.69, 50).feed(0.71, 2);
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.71);
  CHECK(run.monitor.alarms().empty());
  run.feed(0.5, 3);
  CHECK(run.raised.size() == 2);
}

TEST_CASE("a sudden fall that goes on to the line below the level raises another alarm", "[monitor]") {
  Run run;
  run.feed(0.8, 30).feed(0.5, 50);
  CHECK(run.raised.size() == 1);
  run.feed(0.39, 2).feed(0.5).feed(0.39, 2);
  CHECK(run.raised.size() == 1);
  run.feed(0.39);
  REQUIRE(run.raised.size() == 2);
  CHECK_FALSE(run.raised.back().sudden);
  CHECK(run.raised.back().since == run.step - 3);
  CHECK(run.raised.back().baseline == 0.8);
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.5, 50);
  CHECK(run.raised.size() == 2);
}

TEST_CASE("noise of ten per cent raises no alarm in a hundred thousand observations at the defaults", "[monitor]") {
  Monitor monitor({.keep = 10});
  Random random(1);
  const auto noisy = [&](double value) { return value * (1.0 + 0.1 * random.normal()); };
  Index raised = 0;
  for (int step = 0; step < 25000; ++step) {
    Report report;
    report.samples = 256;
    report.dims = 64;
    report.variance.dispersion = noisy(0.7);
    report.variance.normalized_std = noisy(0.1);
    report.cosine.mean = 1.0 - noisy(0.5);
    report.spectrum.effective_rank_vs_expected = noisy(0.8);
    raised += monitor.observe(step, report).has_value() ? 1 : 0;
  }
  CHECK(raised == 0);
  CHECK(monitor.history().size() == 10);
}

TEST_CASE("an undefined value is neither low nor not", "[monitor]") {
  Run run;
  run.feed(0.8, 9).feed(undefined, 100).feed(0.8, 11);
  CHECK(run.raised.empty());
  run.feed(0.1).feed(undefined, 5).feed(0.1).feed(undefined);
  CHECK(run.raised.empty());
  run.feed(0.1);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().since == 120);
  CHECK(run.raised.front().observations == 3);
  run.feed(0.8, 2).feed(undefined, 4);
  CHECK(run.monitor.alarms().size() == 1);
  run.feed(0.8);
  CHECK(run.monitor.alarms().empty());
}

TEST_CASE("undefined values do not bring the warm-up to its end", "[monitor]") {
  Run run;
  run.feed(0.8, 3).feed(undefined, 30).feed(0.2, 20);
  CHECK(run.raised.empty());
}

TEST_CASE("reports of single rows say nothing of dead dimensions", "[monitor]") {
  Monitor monitor(quick);
  std::int64_t step = 0;
  for (; step < 20; ++step) monitor.observe(step, measure(Dense<float>::Ones(1, 4).eval()));
  for (; step < 30; ++step) CHECK_FALSE(monitor.observe(step, Dense<float>::Zero(8, 4).eval()));
}

TEST_CASE("a level of zero cannot be fallen from", "[monitor]") {
  Run run;
  run.feed(0.0, 50);
  CHECK(run.raised.empty());
  run.feed(0.6, 20).feed(0.0, 3);
  REQUIRE(run.raised.size() == 1);
  CHECK(run.raised.front().drop == 1.0);
}

TEST_CASE("rounding errors of equal directions are no level to fall from", "[monitor]") {
  [[maybe_unused]] const test::OneThread one;
  Monitor monitor(quick);
  Random random(3);
  std::vector<Alarm> raised;
  for (int step = 0; step < 300; ++step) {
    Dense<double> z = Dense<double>::Zero(20, 2);
    // x / |x| is 1 or rounded to the number beside it, but for powers of 2.
    const bool exact = step % 50 >= 25;
    for (Index i = 0; i < z.rows(); ++i) {
      z(i, 0) = exact ? std::ldexp(1.0, 1 + static_cast<int>(i % 2)) : 1.0 + 3.0 * random.uniform();
    }
    if (const std::optional<Alarm> alarm = monitor.observe(step, z)) raised.push_back(*alarm);
    if (step == 0) CHECK(monitor.history().back().mean_cosine_distance > 0.0);
    if (exact) CHECK(monitor.history().back().mean_cosine_distance == 0.0);
  }
  // That they are equal is told once.
  REQUIRE(raised.size() == 1);
  CHECK(raised.front().metric == "cosine.mean");
  CHECK(raised.front().baseline == 0.0);
  CHECK(raised.front().threshold > 0.0);
}

TEST_CASE("every judged metric raises its own alarm and the gravest is returned", "[monitor]") {
  Report report;
  report.samples = 100;
  report.dims = 50;
  report.norms.mean = 3.0;
  report.variance.dispersion = 0.8;
  report.variance.normalized_std = 0.2;
  report.variance.dead_dimensions = 10;
  report.cosine.mean = 0.2;
  report.spectrum.effective_rank = 40.0;
  report.spectrum.effective_rank_vs_expected = 0.8;
  Monitor monitor(quick);
  std::int64_t step = 0;
  for (; step < 20; ++step) CHECK_FALSE(monitor.observe(step, report));
  report.norms.mean = 0.003;
  report.variance.dispersion = 0.19;
  report.variance.normalized_std = 0.04;
  report.variance.dead_dimensions = 40;
  report.cosine.mean = 0.92;
  report.spectrum.effective_rank = 4.0;
  report.spectrum.effective_rank_vs_expected = 0.3;
  CHECK_FALSE(monitor.observe(step++, report));
  CHECK_FALSE(monitor.observe(step++, report));
  const std::optional<Alarm> gravest = monitor.observe(step++, report);
  REQUIRE(gravest);
  CHECK(gravest->metric == "cosine.mean");
  CHECK(gravest->quantity == "1 - cosine.mean");
  CHECK(close(gravest->baseline, 0.8, 1e-15));
  CHECK(close(gravest->value, 0.08, 1e-14));
  const std::vector<Alarm> alarms = monitor.alarms();
  REQUIRE(alarms.size() == 5);
  CHECK(alarms[0].metric == "variance.dispersion");
  CHECK(alarms[1].metric == "variance.normalized_std");
  CHECK(alarms[2].metric == "variance.dead_dimensions");
  CHECK(close(alarms[2].baseline, 0.8, 1e-15));
  CHECK(close(alarms[2].value, 0.2, 1e-14));
  CHECK(alarms[3].metric == "cosine.mean");
  CHECK(alarms[4].metric == "spectrum.effective_rank_vs_expected");
}

TEST_CASE("a rising mean cosine alone raises the alarm of the cosine", "[monitor]") {
  Monitor monitor(quick);
  std::vector<Alarm> raised;
  for (int step = 0; step < 60; ++step) {
    Report report;
    report.cosine.mean = step < 20 ? 0.1 : 0.9;
    if (const std::optional<Alarm> alarm = monitor.observe(step, report)) raised.push_back(*alarm);
  }
  REQUIRE(raised.size() == 1);
  CHECK(raised.front().metric == "cosine.mean");
  CHECK(raised.front().since == 20);
}

TEST_CASE("embeddings that become zeros raise the alarm of the dead dimensions", "[monitor]") {
  Monitor monitor(quick);
  std::vector<Alarm> raised;
  for (int step = 0; step < 30; ++step) {
    const Dense<float> z = (step < 20 ? 1.0F : 0.0F) * Dense<float>::Random(8, 4);
    if (const std::optional<Alarm> alarm = monitor.observe(step, z)) raised.push_back(*alarm);
  }
  REQUIRE(raised.size() == 1);
  CHECK(raised.front().metric == "variance.dead_dimensions");
  CHECK(raised.front().drop == 1.0);
}

TEST_CASE("dimensions that die out slowly are seen in batches smaller than their number", "[monitor]") {
  [[maybe_unused]] const test::OneThread one;
  constexpr Index rows = 32;
  constexpr Index dims = 48;
  Monitor monitor;
  Monitor healthy;
  std::vector<Alarm> raised;
  float scale = 1.0F;
  for (int step = 0; step < 200; ++step) {
    // Centred at the origin: neither the dispersion nor the mean cosine can tell.
    Dense<float> z = reference::gaussian<float>(rows, dims, static_cast<std::uint64_t>(step + 1));
    CHECK_FALSE(healthy.observe(step, z));
    if (step >= 100) scale *= 0.98F;
    z.rightCols(dims - 4) *= scale;
    if (const std::optional<Alarm> alarm = monitor.observe(step, z)) raised.push_back(*alarm);
  }
  REQUIRE_FALSE(raised.empty());
  CHECK(raised.front().metric == "spectrum.population_participation_ratio");
  // Four eigenvalues of 1 and 44 of s^2: half of 48 is reached at s = 0.40, 45 steps after the decline begins.
  CHECK(raised.front().since > 138);
  CHECK(raised.front().since < 155);
  CHECK(raised.front().step - raised.front().since < 10);
  for (const Alarm& alarm : raised) {
    CHECK(alarm.metric != "variance.dispersion");
    CHECK(alarm.metric != "cosine.mean");
  }
}

TEST_CASE("the number of rows may change from step to step", "[monitor]") {
  [[maybe_unused]] const test::OneThread one;
  Monitor monitor;
  for (int step = 0; step < 150; ++step) {
    const Index rows = step < 80 ? 256 : 20 + step % 40;
    CHECK_FALSE(monitor.observe(step, reference::gaussian<float>(rows, 40, static_cast<std::uint64_t>(step + 1))));
  }
}

// --- errors
// -----------------------------------------------------------------------------------------------------------

TEST_CASE("what a monitor rejects leaves it as it was", "[monitor]") {
  std::ostringstream log;
  Monitor monitor({.patience = 1, .window = 1, .warm_up = 1, .log = &log});
  const Dense<float> z = reference::gaussian<float>(30, 4);
  monitor.observe(5, z);
  const std::string before = log.str();
  Dense<float> broken = z * 0.0F;
  broken(7, 2) = std::numeric_limits<float>::quiet_NaN();
  const auto unchanged = [&] {
    CHECK(monitor.history().size() == 1);
    CHECK(monitor.alarms().empty());
    CHECK(monitor.lost_lines() == 0);
    CHECK(log.str() == before);
  };
  CHECK_THROWS_AS(monitor.observe(6, broken), NonFiniteError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(6, z.topRows(1)), ShapeError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(6, z.topRows(0)), ShapeError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(6, z.leftCols(3)), ShapeError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(6, with_dispersion(0.0)), ShapeError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(5, z * 0.0F), OptionError);
  unchanged();
  CHECK_THROWS_AS(monitor.observe(-1, measure(z)), OptionError);
  unchanged();
  // Step 6 is still free.
  monitor.observe(6, z);
  CHECK(monitor.history().size() == 2);
}

TEST_CASE("the errors of a monitor say what was given and what it had seen", "[monitor]") {
  Monitor monitor;
  monitor.observe(12, Dense<float>::Random(5, 4).eval());
  const auto message = [&](std::int64_t step, Index rows, Index dims) -> std::string {
    try {
      monitor.observe(step, Dense<float>::Random(rows, dims).eval());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(holds(message(11, 5, 4), "step 11"));
  CHECK(holds(message(11, 5, 4), "step 12"));
  CHECK(holds(message(12, 5, 4), "ascend"));
  CHECK(holds(message(13, 7, 3), "7 x 3"));
  CHECK(holds(message(13, 7, 3), "4 dimensions"));
  CHECK(holds(message(13, 1, 4), "1 x 4"));
}

TEST_CASE("a monitor drops rows with a NaN where it is asked to", "[monitor]") {
  Dense<double> z = reference::gaussian<double>(40, 4, 2, 1.0);
  z(3, 1) = undefined;
  const Observation seen = observation_of(z, {.nonfinite = NonFinite::skip_rows});
  Dense<double> rest(39, 4);
  rest << z.topRows(3), z.bottomRows(36);
  CHECK(same(seen, observation_of(rest)));
  Monitor monitor({.nonfinite = NonFinite::skip_rows});
  CHECK_THROWS_AS(monitor.observe(0, z.middleRows(2, 2)), ShapeError);
}

TEST_CASE("options of a monitor outside their range are named", "[monitor]") {
  for (const double drop : {0.0, 1.0, -0.5, undefined}) {
    CHECK_THROWS_AS(Monitor({.relative_drop = drop}), OptionError);
    CHECK_THROWS_AS(Monitor({.spread_drop = drop}), OptionError);
    CHECK_THROWS_AS(Monitor({.sudden_drop = drop}), OptionError);
  }
  CHECK_THROWS_AS(Monitor({.thresholds = {.complete_cosine = 2.0}}), OptionError);
  CHECK_THROWS_AS(Monitor({.patience = 0}), OptionError);
  CHECK_THROWS_AS(Monitor({.window = 0}), OptionError);
  CHECK_THROWS_AS(Monitor({.window = 51}), OptionError);
  CHECK_THROWS_AS(Monitor({.warm_up = 19}), OptionError);
  CHECK_THROWS_AS(Monitor({.keep = -1}), OptionError);
  CHECK_NOTHROW(Monitor({.patience = 1, .window = 1, .warm_up = 1, .keep = 0}));
  CHECK(Monitor({.patience = 9}).options().patience == 9);
}

// --- history, log, print
// ----------------------------------------------------------------------------------------------

TEST_CASE("a monitor keeps the latest observations up to a bound", "[monitor]") {
  Run all;
  all.feed(0.5, 200);
  REQUIRE(all.monitor.history().size() == 200);
  for (std::size_t k = 0; k < 200; ++k) CHECK(all.monitor.history()[k].step == static_cast<std::int64_t>(k));
  MonitorOptions options = quick;
  options.keep = 3;
  Run few(options);
  few.feed(0.5, 20).feed(0.1, 3);
  REQUIRE(few.monitor.history().size() == 3);
  CHECK(few.monitor.history().front().step == 20);
  CHECK(few.monitor.history().back().step == 22);
  CHECK(few.raised.size() == 1);
  options.keep = 0;
  Run none(options);
  none.feed(0.5, 20).feed(0.1, 3);
  CHECK(none.monitor.history().empty());
  CHECK(none.raised.size() == 1);
}

TEST_CASE("copies of a monitor go their own ways", "[monitor]") {
  Run run;
  run.feed(0.8, 20).feed(0.1, 2);
  Run other = run;
  run.feed(0.1);
  CHECK(run.raised.size() == 1);
  other.feed(0.8).feed(0.1, 2);
  CHECK(other.raised.empty());
  CHECK(other.monitor.history().size() == 25);
  CHECK(run.monitor.history().size() == 23);
  CHECK(std::is_nothrow_move_assignable_v<streams::Track>);
}

TEST_CASE("each step is one line of JSON with the numbers of the history", "[monitor]") {
  std::ostringstream log;
  MonitorOptions options = quick;
  options.log = &log;
  Monitor monitor(options);
  const Dense<float> z = reference::gaussian<float>(32, 6, 3, 0.3);
  for (int step = 0; step < 15; ++step)
    monitor.observe(10 * step - 20, (z.array() + 0.01F * static_cast<float>(step)).matrix());
  monitor.observe(1000, measure(z));
  for (int step = 0; step < 3; ++step) monitor.observe(2000 + step, (1e-6F * z.array() + 1.0F).matrix());
  monitor.observe(3000, Dense<float>::Zero(4, 6).eval());

  const std::vector<std::string> lines = lines_of(log);
  REQUIRE(lines.size() == monitor.history().size());
  CHECK(log.str().back() == '\n');
  CHECK(lines.front().substr(0, 24) == R"({"step":-20,"samples":32)");
  for (std::size_t k = 0; k < lines.size(); ++k) {
    CAPTURE(lines[k]);
    const nlohmann::json json = nlohmann::json::parse(lines[k]);
    const Observation& seen = monitor.history()[k];
    const auto number = [&](const char* name) {
      return json.at(name).is_null() ? undefined : json.at(name).get<double>();
    };
    CHECK(json.size() == 11);
    CHECK(json.at("step") == seen.step);
    CHECK(json.at("samples") == seen.samples);
    CHECK(close(number("norms.mean"), seen.mean_norm, 0.0));
    CHECK(close(number("cosine.mean"), seen.mean_cosine, 0.0));
    CHECK(json.at("variance.dead_dimensions") == seen.dead_dimensions);
    CHECK(close(number("variance.normalized_std"), seen.normalized_std, 0.0));
    CHECK(close(number("variance.dispersion"), seen.dispersion, 0.0));
    CHECK(close(number("spectrum.population_participation_ratio"), seen.population_participation_ratio, 0.0));
    CHECK(close(number("spectrum.effective_rank"), seen.effective_rank, 0.0));
    CHECK(close(number("spectrum.effective_rank_vs_expected"), seen.effective_rank_vs_expected, 0.0));
    CHECK(json.at("alarms").is_array());
  }
  CHECK(nlohmann::json::parse(lines[17]).at("alarms").empty());
  const nlohmann::json standing = {"variance.dispersion", "variance.normalized_std", "cosine.mean"};
  CHECK(nlohmann::json::parse(lines[18]).at("alarms") == standing);
  CHECK(nlohmann::json::parse(lines[19]).at("alarms") == standing);
  CHECK(nlohmann::json::parse(lines[19]).at("variance.dispersion").is_null());
  CHECK(nlohmann::json::parse(lines[15]).at("spectrum.effective_rank").is_number());
}

TEST_CASE("an infinite length is null in the log", "[monitor]") {
  std::ostringstream log;
  Monitor monitor({.log = &log});
  Report report;
  report.norms.mean = std::numeric_limits<double>::infinity();
  monitor.observe(0, report);
  CHECK(nlohmann::json::parse(log.str()).at("norms.mean").is_null());
}

TEST_CASE("a log that fails neither stops the training nor passes unseen", "[monitor]") {
  for (const bool throws : {false, true}) {
    CAPTURE(throws);
    FullDisk disk(100000, throws);
    std::ostream log(&disk);
    if (throws) log.exceptions(std::ios::badbit | std::ios::failbit);
    MonitorOptions options = quick;
    options.log = &log;
    Run run(options);
    run.feed(0.8, 20);
    CHECK(run.monitor.lost_lines() == 0);
    CHECK(disk.flushed() == 20);
    disk.empty(30);
    CHECK_NOTHROW(run.feed(0.1, 3));
    CHECK(run.monitor.lost_lines() == 3);
    CHECK_FALSE(log.good());
    CHECK(run.raised.size() == 1);
    CHECK(run.monitor.history().size() == 23);

    // Its owner makes room.
    disk.empty(100000);
    log.clear();
    run.feed(0.1, 2);
    CHECK(run.monitor.lost_lines() == 3);
    CHECK(run.monitor.history().size() == 25);
    const std::string& taken = disk.taken();
    CHECK(nlohmann::json::parse(taken.substr(taken.rfind('\n', taken.size() - 2) + 1)).at("step") == 24);
  }
}

TEST_CASE("an alarm prints as one line", "[monitor]") {
  Alarm alarm{.metric = metric_path<&Report::variance, &Variance::dispersion>,
              .quantity = "variance.dispersion",
              .since = 1200,
              .step = 1202,
              .observations = 3,
              .value = 0.26,
              .baseline = 0.71,
              .drop = 1.0 - 0.26 / 0.71};
  CHECK(fmt::format("{}", alarm) ==
        "collapse alarm: variance.dispersion fell 63 % below its level 0.71, to 0.26, since step 1200 (3 "
        "observations)");
  alarm.sudden = true;
  CHECK(fmt::format("{}", alarm) ==
        "collapse alarm: variance.dispersion fell 63 % suddenly, from 0.71, to 0.26, since step 1200 (3 "
        "observations)");
  alarm.sudden = false;
  alarm.quantity = "1 - cosine.mean";
  alarm.observations = 1;
  alarm.value = 1.23456e-7;
  CHECK(fmt::format("[{:<105}]", alarm) ==
        "[collapse alarm: 1 - cosine.mean fell 63 % below its level 0.71, to 1.235e-07, since step 1200 (1 "
        "observation)]");
}
