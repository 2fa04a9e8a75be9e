#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/population_participation_ratio.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/observation.hpp>
#include <collapse/statistics/pairs/row_products.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {

/// When a Monitor raises an alarm, and what it keeps and writes. An aggregate: `Monitor({.patience = 5, .log = &log})`.
struct MonitorOptions {
  // Shares above 0 and below 1: a value that is farther below its level is low.
  double relative_drop = 0.5;  ///< of the dimensions in use
  double spread_drop = 0.75;   ///< of the dispersion, the normalised std and 1 - mean cosine
  double sudden_drop = 0.25;   ///< of any of these, against the last few observations instead of the best level
  Index patience = 3;          ///< low observations in a row that raise an alarm
  Index window = 20;           ///< observations whose median makes the level
  Index warm_up = 50;          ///< first observations, of which the spread alone is judged; at least `window`
  Thresholds thresholds{};     ///< after the warm-up, spread at or below that of a complete collapse is low in any case
  NonFinite nonfinite = NonFinite::reject;
  std::uint64_t seed = 0;                          ///< of the pairs of rows behind the participation ratio
  Index keep = std::numeric_limits<Index>::max();  ///< observations in the history, about 100 bytes each
  std::ostream* log = nullptr;                     ///< one JSON line per step goes here; must outlive the Monitor
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const MonitorOptions& options) {
  for (const auto& [name, share] :
       {std::pair{"relative_drop", options.relative_drop}, std::pair{"spread_drop", options.spread_drop},
        std::pair{"sudden_drop", options.sudden_drop}}) {
    if (!(share > 0.0 && share < 1.0)) {
      throw OptionError(fmt::format("MonitorOptions::{} is {}; it is a share above 0 and below 1", name, share));
    }
  }
  validate(options.thresholds);
  if (options.patience < 1) {
    throw OptionError(
        fmt::format("MonitorOptions::patience is {}; an alarm takes at least 1 observation", options.patience));
  }
  if (options.window < 1 || options.warm_up < options.window) {
    throw OptionError(
        fmt::format("MonitorOptions::window = {}, warm_up = {}; the window holds at least 1 observation "
                    "and is filled during the warm-up, window <= warm_up",
                    options.window, options.warm_up));
  }
  if (options.keep < 0) {
    throw OptionError(fmt::format("MonitorOptions::keep is {}; it is a number of observations", options.keep));
  }
}

namespace streams {

/// A number that is judged; each falls when embeddings collapse.
struct JudgedMetric {
  MetricPath metric;
  const char* before;  ///< what stands before its path in the name of the quantity that falls
  bool of_dims;        ///< and whether that is a share of the dimensions
  double rounding;     ///< what the arithmetic makes of equal rows; anything below is 0
  /// Whether it tells how far apart rows are, or how many dimensions they use. An untrained encoder uses many, for want
  /// of features, and learning takes some of them: their level is that after the warm-up. Rows need never be nearer to
  /// each other than an untrained encoder makes them.
  bool is_spread;
  double (*of)(const Observation&);
  double (*threshold)(const Thresholds&) = nullptr;  ///< of a complete collapse

  /// What falls: the metric, or what is left of it.
  [[nodiscard]] std::string quantity() const {
    std::string name = std::string(before).append(metric);
    if (of_dims) name.append(" / ").append(metric_path<&Report::dims>);
    return name;
  }
};

/// Lengths are not among them, which a loss that normalises its embeddings leaves free, nor is the effective rank,
/// which follows the number of rows.
inline constexpr std::array<JudgedMetric, 6> judged_metrics{{
    {metric_path<&Report::variance, &Variance::dispersion>, "", false, 0x1p-100, true,
     [](const Observation& seen) { return seen.dispersion; },
     [](const Thresholds& thresholds) { return thresholds.complete_dispersion; }},
    {metric_path<&Report::variance, &Variance::normalized_std>, "", false, 0x1p-50, true,
     [](const Observation& seen) { return seen.normalized_std; }},
    {metric_path<&Report::variance, &Variance::dead_dimensions>, "1 - ", true, 0.0, false,
     [](const Observation& seen) {
       // A single row has no dead dimensions, and none that is known to be alive.
       return seen.samples < 2 || seen.dims < 1
                  ? undefined
                  : 1.0 - static_cast<double>(seen.dead_dimensions) / static_cast<double>(seen.dims);
     }},
    {metric_path<&Report::cosine, &Cosine::mean>, "1 - ", false, 0x1p-100, true,
     // In one dimension there are two directions, and data of one sign have nothing to say about it.
     [](const Observation& seen) { return seen.dims == 1 ? undefined : seen.mean_cosine_distance; },
     [](const Thresholds& thresholds) { return 1.0 - thresholds.complete_cosine; }},
    {metric_path<&Observation::population_participation_ratio>, "", false, 0.0, false,
     [](const Observation& seen) { return seen.population_participation_ratio; }},
    {metric_path<&Report::spectrum, &Spectrum::effective_rank_vs_expected>, "", false, 0.0, false,
     [](const Observation& seen) { return seen.effective_rank_vs_expected; }},
}};

/// Observations that a sudden fall is judged by.
inline constexpr Index sudden_window = 20;

/// Of the noise in these, that a sudden fall exceeds.
inline constexpr double sudden_deviations = 4.0;

/// One metric and its own past; the rule is described at Monitor.
class Track {
 public:
  /// Judges the next value; whether it raises an alarm.
  bool add(double value, std::int64_t step, const JudgedMetric& metric, const MonitorOptions& options) {
    if (std::isnan(value)) return false;
    if (value < metric.rounding) value = 0.0;
    ++seen_;
    const double drop = metric.is_spread ? options.spread_drop : options.relative_drop;
    const bool has_threshold = metric.threshold != nullptr && seen_ > options.warm_up;
    const double threshold = has_threshold ? metric.threshold(options.thresholds) : undefined;
    const bool nothing_left = value <= threshold;
    // There is no level, and nothing lies below it, until enough was seen.
    const bool far_below = value < (1.0 - drop) * level_ || nothing_left;
    // What stands for a sudden fall is raised again where it goes on to the line below the level.
    const bool low = alarm_ ? alarm_->sudden && far_below : far_below || is_sudden(value, options);
    if (low) {
      restored_ = 0;
      if (low_++ == 0) since_ = step;
      if (low_ < options.patience) return false;
      const double baseline = far_below ? level_ : recent_median(sudden_window);
      alarm_ = {metric.metric,
                metric.quantity(),
                since_,
                step,
                low_,
                value,
                baseline,
                baseline > 0.0 ? 1.0 - value / baseline : 0.0,
                nothing_left ? threshold : undefined,
                !far_below};
      low_ = 0;
      return true;
    }
    low_ = 0;
    if (alarm_) {
      const double fallen = alarm_->sudden ? options.sudden_drop : drop;
      const bool restored = value >= (1.0 - 0.5 * fallen) * alarm_->baseline && !nothing_left;
      restored_ = restored ? restored_ + 1 : 0;
      if (restored_ < options.patience) return false;
      alarm_.reset();
      restored_ = 0;
    }
    recent_.push_back(value);
    if (static_cast<Index>(recent_.size()) > std::max(options.window, sudden_window)) recent_.erase(recent_.begin());
    if (seen_ >= (metric.is_spread ? options.window : options.warm_up)) {
      level_ = std::max(level_, recent_median(options.window));
    }
    return false;
  }

  [[nodiscard]] const std::optional<Alarm>& alarm() const noexcept { return alarm_; }

 private:
  /// The last values that were not low; all of them where there are fewer.
  [[nodiscard]] Eigen::Map<const Eigen::VectorXd> recent(Index count) const {
    const Index size = static_cast<Index>(recent_.size());
    count = std::min(count, size);
    return {recent_.data() + (size - count), count};
  }

  [[nodiscard]] double recent_median(Index count) const { return metrics::median(recent(count)); }

  [[nodiscard]] bool is_sudden(double value, const MonitorOptions& options) const {
    // None of them from the warm-up, in which much falls that is meant to.
    if (seen_ <= options.warm_up + sudden_window) return false;
    const double centre = recent_median(sudden_window);
    if (!(value < (1.0 - options.sudden_drop) * centre)) return false;
    // The median of distances from the median estimates the deviation of Gaussian noise by this factor.
    return centre - value >
           sudden_deviations * 1.4826 * metrics::median((recent(sudden_window).array() - centre).abs());
  }

  std::vector<double> recent_;  ///< the last values that were not low, oldest first
  double level_ = 0.0;
  Index seen_ = 0;
  Index low_ = 0;       ///< in a row
  Index restored_ = 0;  ///< in a row
  std::int64_t since_ = 0;
  std::optional<Alarm> alarm_;
};

}  // namespace streams

/// Watches a training loop for collapse, at the cost of a few passes over each batch:
///
///     collapse::Monitor monitor({.log = &log});
///     for (...) if (const auto alarm = monitor.observe(step, Z)) fmt::print("{}\n", *alarm);
///
/// Each metric is judged against its own past. Its level is the highest median of `window` observations in a row: the
/// best that it has held, not the latest, because a level that moved down along with the metric would hide a slow
/// collapse. A value more than a share below the level is low; `patience` of them in a row raise the alarm, which names
/// the step of the first. The alarm stands, and is not raised again, until `patience` values in a row have made good
/// half of the drop; another fall raises another. Values that are low, or are seen while the alarm stands, do not enter
/// the window. An undefined value is passed over, neither low nor not. Patience, window and warm-up count the
/// observations of the metric at hand.
///
/// How far apart rows are is judged from the first `window` observations on, with `spread_drop`: `variance.dispersion`,
/// `variance.normalized_std` and 1 - `cosine.mean`. After the warm-up these are low as well where a report would call
/// the embeddings completely collapsed, so a run that has collapsed from its first steps on is told too.
///
/// How many dimensions they use is judged after the warm-up, with `relative_drop`: the share of dimensions that are not
/// dead, the participation ratio of the population (of batches of 16 rows and more), and of reports
/// `spectrum.effective_rank_vs_expected`. A run that is dimensionally collapsed before the warm-up ends, and stays so,
/// raises no alarm: its past is no better. That is what `measure` and its verdict are for.
///
/// A fall too small for these lines is told where it is sudden: once `warm_up` and 20 more observations were seen, a
/// value more than `sudden_drop` below the median of the last 20 that were not low, and farther below it than four
/// deviations of their noise, is low as well. An encoder that is learning well goes up and down by more than that, but
/// not within 20 steps. The alarm is raised again if the fall goes on to the line below the level.
///
/// A value type; copies write to the same log. What throws leaves the monitor as it was, and nothing in the log.
/// A log that cannot be written neither stops the training nor passes unseen: observations go on, the stream keeps its
/// state and may be mended by its owner, exceptions that it throws are caught, and `lost_lines()` counts.
class Monitor {
 public:
  /// @throws OptionError
  explicit Monitor(const MonitorOptions& options = {}) : options_(options) { validate(options); }

  /// Observes the embeddings of a step.
  /// @param step   above that of every earlier call; gaps are fine
  /// @param batch  n x D with at least 2 usable rows, as Z of `measure`; n may differ from step to step
  /// @return the alarm that this step raises, the gravest (largest drop) if there are several; see `alarms`
  /// @throws OptionError when the step does not ascend; ShapeError for fewer than 2 usable rows or for another D than
  ///         before; NonFiniteError
  /// Cost: O(n D) time: the sums over rows, and at most 4096 + 8 n products of two rows. No n x n or D x D matrix.
  template <class Derived>
  std::optional<Alarm> observe(std::int64_t step, const Eigen::DenseBase<Derived>& batch);

  /// Observes a report that was made anyway: also its effective rank; not the participation ratio of the population,
  /// which a report does not hold.
  /// @param step    as above; of each step either the batch or a report
  /// @return as above
  /// @throws OptionError when the step does not ascend, ShapeError for another D than before
  std::optional<Alarm> observe(std::int64_t step, const Report& report);

  [[nodiscard]] std::vector<Alarm> alarms() const;  ///< that stand, as they were raised
  [[nodiscard]] const std::deque<Observation>& history() const noexcept { return history_; }  ///< oldest first
  [[nodiscard]] Index lost_lines() const noexcept { return lost_lines_; }  ///< that the log did not take
  [[nodiscard]] const MonitorOptions& options() const noexcept { return options_; }

 private:
  using Tracks = std::array<streams::Track, streams::judged_metrics.size()>;

  void require_next(std::int64_t step, Index rows, Index dims) const;
  std::optional<Alarm> add(const Observation& seen);
  [[nodiscard]] static std::string json_line(const Observation& seen, const Tracks& tracks);
  static void append_number(std::string& line, std::string_view name, double value);
  static void append_number(std::string& line, std::string_view name, std::int64_t value);
  void write(const std::string& line) noexcept;

  MonitorOptions options_;
  std::optional<std::int64_t> last_step_;
  Index dims_ = 0;  ///< once there is a last step
  std::deque<Observation> history_;
  Tracks tracks_;
  Index lost_lines_ = 0;
};

template <class Derived>
std::optional<Alarm> Monitor::observe(std::int64_t step, const Eigen::DenseBase<Derived>& batch) {
  require_next(step, batch.rows(), batch.cols());
  const linalg::Evaluated<Derived> evaluated(batch);
  const Rows rows = statistics::scan_rows(evaluated.view(), options_.nonfinite);
  if (rows.samples < 2) {
    throw ShapeError(fmt::format("a batch of shape {} x {} with {} usable row has no spread to watch; observe at least "
                                 "2 rows",
                                 batch.rows(), batch.cols(), rows.samples),
                     batch.rows(), batch.cols());
  }
  const Sums sums = statistics::sum_rows(evaluated.view(), rows, {.scatter = false, .direction_scatter = false});
  const CosineMoments cosines = mean_cosine(sums.directions);
  const Variance variance = per_dimension_variance(sums.moments, sums.directions);

  Observation seen;
  seen.step = step;
  seen.samples = rows.samples;
  seen.dims = rows.dims;
  seen.mean_norm = sums.lengths.mean;
  seen.mean_cosine = cosines.mean;
  seen.mean_cosine_distance = cosines.mean_distance;
  seen.dead_dimensions = variance.dead_dimensions;
  seen.normalized_std = variance.normalized_std;
  seen.dispersion = variance.dispersion;
  // The estimate from fewer rows is too rough to be judged.
  if (rows.samples >= Thresholds{}.minimum_samples) {
    // Other pairs each time: the errors of two steps are independent.
    const std::uint64_t seed = linalg::hash(options_.seed, static_cast<std::uint64_t>(step));
    seen.population_participation_ratio = population_participation_ratio(
        statistics::RowPairs::products(evaluated.view(), rows, sums.moments, seed), rows.dims);
  }
  return add(seen);
}

inline std::optional<Alarm> Monitor::observe(std::int64_t step, const Report& report) {
  require_next(step, report.samples, report.dims);
  Observation seen;
  seen.step = step;
  seen.samples = report.samples;
  seen.dims = report.dims;
  seen.mean_norm = report.norms.mean;
  seen.mean_cosine = report.cosine.mean;
  seen.mean_cosine_distance = 1.0 - report.cosine.mean;
  seen.dead_dimensions = report.variance.dead_dimensions;
  seen.normalized_std = report.variance.normalized_std;
  seen.dispersion = report.variance.dispersion;
  seen.effective_rank = report.spectrum.effective_rank;
  seen.effective_rank_vs_expected = report.spectrum.effective_rank_vs_expected;
  return add(seen);
}

inline std::vector<Alarm> Monitor::alarms() const {
  std::vector<Alarm> standing;
  for (const streams::Track& track : tracks_) {
    if (track.alarm()) standing.push_back(*track.alarm());
  }
  return standing;
}

inline void Monitor::require_next(std::int64_t step, Index rows, Index dims) const {
  if (!last_step_) return;
  if (step <= *last_step_) {
    throw OptionError(
        fmt::format("step {} was given to a Monitor that has seen step {}; steps must ascend (a run that "
                    "starts again needs a Monitor of its own)",
                    step, *last_step_));
  }
  if (dims != dims_) {
    throw ShapeError(
        fmt::format("embeddings of shape {} x {} were given to a Monitor that has seen {} dimensions; each "
                    "encoder needs a Monitor of its own",
                    rows, dims, dims_),
        rows, dims);
  }
}

inline std::optional<Alarm> Monitor::add(const Observation& seen) {
  Tracks tracks = tracks_;
  std::optional<Alarm> gravest;
  for (std::size_t k = 0; k < tracks.size(); ++k) {
    const streams::JudgedMetric& metric = streams::judged_metrics[k];
    if (!tracks[k].add(metric.of(seen), seen.step, metric, options_)) continue;
    if (!gravest || tracks[k].alarm()->drop > gravest->drop) gravest = tracks[k].alarm();
  }
  const std::string line = options_.log != nullptr ? json_line(seen, tracks) : std::string();
  if (options_.keep > 0) history_.push_back(seen);

  // Nothing throws from here on.
  if (static_cast<Index>(history_.size()) > options_.keep) history_.pop_front();
  tracks_ = std::move(tracks);
  last_step_ = seen.step;
  dims_ = seen.dims;
  if (options_.log != nullptr) write(line);
  return gravest;
}

inline void Monitor::append_number(std::string& line, std::string_view name, double value) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(line), R"("{}":{})", name, value);
  } else {
    fmt::format_to(std::back_inserter(line), R"("{}":null)", name);
  }
}

inline void Monitor::append_number(std::string& line, std::string_view name, std::int64_t value) {
  fmt::format_to(std::back_inserter(line), R"("{}":{})", name, value);
}

inline std::string Monitor::json_line(const Observation& seen, const Tracks& tracks) {
  std::string line = "{";
  Observation::fields([&](const auto& field) {
    if (line.size() > 1) line += ',';
    append_number(line, field.name, seen.*field.member);
  });
  line += R"(,"alarms":[)";
  bool first = true;
  for (const streams::Track& track : tracks) {
    if (!track.alarm()) continue;
    fmt::format_to(std::back_inserter(line), R"({}"{}")", first ? "" : ",", track.alarm()->metric.view());
    first = false;
  }
  return line + "]}\n";
}

/// Flushes, so that a run that is killed leaves its lines behind, and a full disk shows at once.
inline void Monitor::write(const std::string& line) noexcept {
  bool taken = false;
  try {
    taken = options_.log->write(line.data(), static_cast<std::streamsize>(line.size())).flush().good();
  } catch (...) {
    // The stream remembers.
  }
  if (!taken) ++lost_lines_;
}

}  // namespace collapse

/// One line: "collapse alarm: variance.dispersion fell 83 % below its level 0.71, to 0.12, since step 1200 (3
/// observations)", or "collapse alarm: variance.dispersion is 0.004, complete collapse from 0.01 on, since ...". Takes
/// the specifications of a string.
template <>
struct fmt::formatter<collapse::Alarm> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const collapse::Alarm& alarm, Context& context) const -> decltype(context.out()) {
    const std::string what =
        std::isnan(alarm.threshold)
            ? fmt::format("{} fell {:.0f} % {} {:.4g}, to {:.4g}", alarm.quantity, 100.0 * alarm.drop,
                          alarm.sudden ? "suddenly, from" : "below its level", alarm.baseline, alarm.value)
            : fmt::format("{} is {:.4g}, complete collapse from {:.4g} on", alarm.quantity, alarm.value,
                          alarm.threshold);
    const std::string line = fmt::format("collapse alarm: {}, since step {} ({} {})", what, alarm.since,
                                         alarm.observations, alarm.observations == 1 ? "observation" : "observations");
    return fmt::formatter<fmt::string_view>::format(line, context);
  }
};
