#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/linalg/parallel.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

using collapse::linalg::Chunks;
using collapse::linalg::Index;
using collapse::linalg::parallel_for;
using collapse::reference::for_thread_counts;

TEST_CASE("parallel_for calls the body once for every index", "[parallel]") {
  for_thread_counts([](int threads) {
    CAPTURE(threads);
    for (const Index count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      parallel_for(count, [&](Index i) { ++calls[static_cast<std::size_t>(i)]; });
      for (const auto& call : calls) REQUIRE(call == 1);
    }
  });
}

TEST_CASE("only loops of enough work and several parts are worth a team", "[parallel]") {
  using collapse::linalg::Loop;
  constexpr double least = COLLAPSE_LEAST_PARALLEL_WORK;
  CHECK(Loop(2).is_worth_a_team());
  CHECK_FALSE(Loop(1).is_worth_a_team());
  CHECK(Loop(2, least + 1.0).is_worth_a_team());
  CHECK_FALSE(Loop(1, least + 1.0).is_worth_a_team());
  CHECK_FALSE(Loop(2, least).is_worth_a_team());
  CHECK(Loop(3, 4, 5, 6).work == 120.0);
}

TEST_CASE("parallel_for gives each thread a scratch of its own", "[parallel]") {
  for_thread_counts([](int threads) {
    CAPTURE(threads);
    std::atomic<int> made{0};
    std::atomic<int> shared{0};
    struct Scratch {
      std::vector<int> values;
    };
    parallel_for(
        500,
        [&] {
          ++made;
          return Scratch{std::vector<int>(16, 0)};
        },
        [&](Index i, Scratch& scratch) {
          for (int& value : scratch.values) value = static_cast<int>(i);
          for (const int value : scratch.values) {
            if (value != static_cast<int>(i)) ++shared;
          }
        });
    CHECK(shared == 0);
    CHECK(made >= 1);
    CHECK(made <= threads);
  });
}

TEST_CASE("the exception of the first failing index leaves parallel_for", "[parallel]") {
  for_thread_counts([](int threads) {
    CAPTURE(threads);
    std::string message;
    try {
      parallel_for(64, [](Index i) {
        if (i == 3 || i == 40) throw std::runtime_error(std::to_string(i));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "3");
  });
}

TEST_CASE("an exception from making the scratch leaves parallel_for", "[parallel]") {
  for_thread_counts([](int threads) {
    CAPTURE(threads);
    std::atomic<int> calls{0};
    const auto failing = []() -> int { throw std::bad_alloc(); };
    CHECK_THROWS_AS(parallel_for(10, failing, [&](Index, int&) { ++calls; }), std::bad_alloc);
    CHECK(calls == 0);
  });
}

TEST_CASE("parallel_for works inside parallel_for", "[parallel]") {
  for_thread_counts([](int threads) {
    CAPTURE(threads);
    std::atomic<int> calls{0};
    parallel_for(4, [&](Index) { parallel_for(25, [&](Index) { ++calls; }); });
    CHECK(calls == 100);
  });
}

TEST_CASE("chunks cover every item once and depend on the count alone", "[parallel]") {
  for (const Index count : {0, 1, 63, 64, 65, 127, 128, 4095, 4096, 4097, 100000}) {
    CAPTURE(count);
    const Chunks chunks(count);
    Index covered = 0;
    for (Index c = 0; c < chunks.size(); ++c) {
      REQUIRE(chunks.begin(c) == covered);
      REQUIRE(chunks.end(c) > chunks.begin(c));
      covered = chunks.end(c);
      if (c + 1 < chunks.size()) REQUIRE(chunks.end(c) - chunks.begin(c) >= 64);
    }
    CHECK(covered == count);
    CHECK(chunks.size() <= 64);
  }
  CHECK(Chunks(4096).size() == 64);
  CHECK(Chunks(10, 1, 4).size() == 4);
}
