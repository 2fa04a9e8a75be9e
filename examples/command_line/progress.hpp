#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace command_line {

/// "12", "3.4 k", "1.2 M": three digits at most.
[[nodiscard]] inline std::string short_number(double value) {
  constexpr std::string_view units = " kMGT";
  std::size_t unit = 0;
  // As it will be printed: 999.6 is 1.0 k.
  while (unit + 1 < units.size() && value >= 999.5) {
    value /= 1000.0;
    ++unit;
  }
  const std::string digits = unit == 0 || value >= 9.95 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
  return unit == 0 ? digits : fmt::format("{} {}", digits, units[unit]);
}

/// "0:07", "12:34", "3:00:05".
[[nodiscard]] inline std::string clock(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 359999.0)));
  const std::int64_t hours = whole / 3600;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

/// One line on the state of a pass: share, rate, and how long it will take; without share and time left where the
/// number of rows is not known beforehand.
[[nodiscard]] inline std::string progress_line(std::int64_t rows, std::optional<std::int64_t> all, double seconds) {
  const double rate = seconds > 0.0 ? static_cast<double>(rows) / seconds : 0.0;
  const std::string speed = fmt::format("{} rows/s", short_number(rate));
  if (!all || *all <= 0) return fmt::format("{} rows · {}", short_number(static_cast<double>(rows)), speed);
  constexpr int width = 30;
  const double share = std::clamp(static_cast<double>(rows) / static_cast<double>(*all), 0.0, 1.0);
  const int filled = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  const std::string left =
      rate > 0.0 ? clock(static_cast<double>(std::max<std::int64_t>(*all - rows, 0)) / rate) : std::string("-:--");
  return fmt::format("{} {:3.0f} % · {} · {} left", bar, std::floor(100.0 * share), speed, left);
}

/// Draws the line on a terminal, ten times a second, once it is clear that the pass takes a while; nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::optional<std::int64_t> all) : all_(all), begin_(Clock::now()), drawn_(begin_) {
#if __has_include(<unistd.h>)
    active_ = ::isatty(STDERR_FILENO) == 1;
#endif
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (visible_) std::fputs("\r\033[K", stderr);
  }

  void advance(std::int64_t rows) {
    rows_ += rows;
    if (!active_) return;
    const Clock::time_point now = Clock::now();
    if (now - drawn_ < (visible_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(500))) return;
    drawn_ = now;
    visible_ = true;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    fmt::print(stderr, "\r{}\033[K", progress_line(rows_, all_, seconds));
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<std::int64_t> all_;
  std::int64_t rows_ = 0;
  Clock::time_point begin_;
  Clock::time_point drawn_;
  bool active_ = false;
  bool visible_ = false;
};

}  // namespace command_line
