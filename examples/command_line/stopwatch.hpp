#pragma once

#include <chrono>

namespace command_line {

/// Adds up the wall time of the calls that go through it, and of nothing in between.
class Stopwatch {
 public:
  /// What `work` returns.
  template <class Work>
  decltype(auto) time(Work&& work) {
    const Lap lap(seconds_);
    return work();
  }

  [[nodiscard]] double seconds() const noexcept { return seconds_.count(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  class Lap {
   public:
    explicit Lap(Seconds& sum) : sum_(sum), begin_(Clock::now()) {}
    Lap(const Lap&) = delete;
    Lap& operator=(const Lap&) = delete;
    ~Lap() { sum_ += Clock::now() - begin_; }

   private:
    Seconds& sum_;
    Clock::time_point begin_;
  };

  Seconds seconds_{0.0};
};

}  // namespace command_line
