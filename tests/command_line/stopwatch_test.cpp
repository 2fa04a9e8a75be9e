#include "../../examples/command_line/stopwatch.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <stdexcept>
#include <type_traits>

using command_line::Stopwatch;

namespace {

void wait_for_the_clock_to_move() {
  using Clock = std::chrono::steady_clock;
  for (const Clock::time_point begin = Clock::now(); Clock::now() == begin;) {
  }
}

}  // namespace

TEST_CASE("a stopwatch adds up what goes through it and nothing in between", "[stopwatch]") {
  Stopwatch watch;
  CHECK(watch.seconds() == 0.0);
  watch.time(wait_for_the_clock_to_move);
  const double first = watch.seconds();
  CHECK(first > 0.0);
  wait_for_the_clock_to_move();
  CHECK(watch.seconds() == first);
  watch.time(wait_for_the_clock_to_move);
  CHECK(watch.seconds() > first);
}

TEST_CASE("a stopwatch passes on what its work returns or throws", "[stopwatch]") {
  Stopwatch watch;
  int value = 3;
  static_assert(std::is_same_v<decltype(watch.time([&]() -> int& { return value; })), int&>);
  CHECK(&watch.time([&]() -> int& { return value; }) == &value);
  const double before = watch.seconds();
  const auto fails = [] {
    wait_for_the_clock_to_move();
    throw std::runtime_error("work");
  };
  CHECK_THROWS_AS(watch.time(fails), std::runtime_error);
  CHECK(watch.seconds() > before);
}
