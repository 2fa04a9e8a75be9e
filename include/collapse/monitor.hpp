#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/observation.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
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
COLLAPSE_INLINE void validate(const MonitorOptions& options);

namespace streams {

/// A number that is judged; see streams/judged_metrics.hpp.
struct JudgedMetric;

inline constexpr std::size_t judged_metric_count = 6;

/// One metric and its own past; the rule is described at Monitor.
class Track {
 public:
  /// Judges the next value; whether it raises an alarm.
  bool add(double value, std::int64_t step, const JudgedMetric& metric, const MonitorOptions& options);

  [[nodiscard]] const std::optional<Alarm>& alarm() const noexcept { return alarm_; }

 private:
  [[nodiscard]] Eigen::Map<const Eigen::VectorXd> recent(Index count) const;
  [[nodiscard]] double recent_median(Index count) const;
  [[nodiscard]] bool is_sudden(double value, const MonitorOptions& options) const;

  std::vector<double> recent_;  ///< the last values that were not low, oldest first
  double level_ = 0.0;
  Index seen_ = 0;
  Index low_ = 0;       ///< in a row
  Index restored_ = 0;  ///< in a row
  std::int64_t since_ = 0;
  std::optional<Alarm> alarm_;
};

/// What a report says about a step.
[[nodiscard]] COLLAPSE_INLINE Observation observed(std::int64_t step, const Report& report);

/// What a batch says; throws as Monitor::observe.
template <EmbeddingScalar Scalar>
[[nodiscard]] Observation observed(std::int64_t step, const linalg::MatrixView<Scalar>& z,
                                   const MonitorOptions& options);

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
  using Tracks = std::array<streams::Track, streams::judged_metric_count>;

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
  return add(streams::observed(step, evaluated.view(), options_));
}

}  // namespace collapse

namespace collapse::text {

/// "collapse alarm: variance.dispersion fell 83 % below its level 0.71, to 0.12, since step 1200 (3 observations)", or
/// "collapse alarm: variance.dispersion is 0.004, complete collapse from 0.01 on, since ...".
[[nodiscard]] COLLAPSE_INLINE std::string line_of(const Alarm& alarm);

}  // namespace collapse::text

/// One line; see collapse::text::line_of. Takes the specifications of a string.
template <>
struct fmt::formatter<collapse::Alarm> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const collapse::Alarm& alarm, Context& context) const -> decltype(context.out()) {
    return fmt::formatter<fmt::string_view>::format(collapse::text::line_of(alarm), context);
  }
};

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/monitor_definitions.hpp>
#include <collapse/streams/observed.hpp>
#endif
