#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/monitor.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/observation.hpp>
#include <collapse/streams/judged_metrics.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collapse {
namespace streams {

COLLAPSE_INLINE Observation observed(std::int64_t step, const Report& report) {
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
  return seen;
}

COLLAPSE_INLINE bool Track::add(double value, std::int64_t step, const JudgedMetric& metric,
                                const MonitorOptions& options) {
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

/// The last values that were not low; all of them where there are fewer.
COLLAPSE_INLINE Eigen::Map<const Eigen::VectorXd> Track::recent(Index count) const {
  const Index size = static_cast<Index>(recent_.size());
  count = std::min(count, size);
  return {recent_.data() + (size - count), count};
}

COLLAPSE_INLINE double Track::recent_median(Index count) const { return metrics::median(recent(count)); }

COLLAPSE_INLINE bool Track::is_sudden(double value, const MonitorOptions& options) const {
  // None of them from the warm-up, in which much falls that is meant to.
  if (seen_ <= options.warm_up + sudden_window) return false;
  const double centre = recent_median(sudden_window);
  if (!(value < (1.0 - options.sudden_drop) * centre)) return false;
  // The median of distances from the median estimates the deviation of Gaussian noise by this factor.
  return centre - value > sudden_deviations * 1.4826 * metrics::median((recent(sudden_window).array() - centre).abs());
}

}  // namespace streams

COLLAPSE_INLINE void validate(const MonitorOptions& options) {
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

COLLAPSE_INLINE std::optional<Alarm> Monitor::observe(std::int64_t step, const Report& report) {
  require_next(step, report.samples, report.dims);
  return add(streams::observed(step, report));
}

COLLAPSE_INLINE std::vector<Alarm> Monitor::alarms() const {
  std::vector<Alarm> standing;
  for (const streams::Track& track : tracks_) {
    if (track.alarm()) standing.push_back(*track.alarm());
  }
  return standing;
}

COLLAPSE_INLINE void Monitor::require_next(std::int64_t step, Index rows, Index dims) const {
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

COLLAPSE_INLINE std::optional<Alarm> Monitor::add(const Observation& seen) {
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

COLLAPSE_INLINE void Monitor::append_number(std::string& line, std::string_view name, double value) {
  if (std::isfinite(value)) {
    line += fmt::format(R"("{}":{})", name, value);
  } else {
    line.append("\"").append(name).append("\":null");
  }
}

COLLAPSE_INLINE void Monitor::append_number(std::string& line, std::string_view name, std::int64_t value) {
  line += fmt::format(R"("{}":{})", name, value);
}

COLLAPSE_INLINE std::string Monitor::json_line(const Observation& seen, const Tracks& tracks) {
  std::string line = "{";
  Observation::fields([&](const auto& field) {
    if (line.size() > 1) line += ',';
    append_number(line, field.name, seen.*field.member);
  });
  line += R"(,"alarms":[)";
  bool first = true;
  for (const streams::Track& track : tracks) {
    if (!track.alarm()) continue;
    line.append(first ? "\"" : ",\"").append(track.alarm()->metric.view()).append("\"");
    first = false;
  }
  return line + "]}\n";
}

/// Flushes, so that a run that is killed leaves its lines behind, and a full disk shows at once.
COLLAPSE_INLINE void Monitor::write(const std::string& line) noexcept {
  bool taken = false;
  try {
    taken = options_.log->write(line.data(), static_cast<std::streamsize>(line.size())).flush().good();
  } catch (...) {
    // The stream remembers.
  }
  if (!taken) ++lost_lines_;
}

COLLAPSE_INLINE std::string text::line_of(const Alarm& alarm) {
  const std::string what =
      std::isnan(alarm.threshold)
          ? fmt::format("{} fell {:.0f} % {} {:.4g}, to {:.4g}", alarm.quantity, 100.0 * alarm.drop,
                        alarm.sudden ? "suddenly, from" : "below its level", alarm.baseline, alarm.value)
          : fmt::format("{} is {:.4g}, complete collapse from {:.4g} on", alarm.quantity, alarm.value, alarm.threshold);
  return fmt::format("collapse alarm: {}, since step {} ({} {})", what, alarm.since, alarm.observations,
                     alarm.observations == 1 ? "observation" : "observations");
}

}  // namespace collapse
