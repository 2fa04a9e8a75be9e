#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

/// Loops of less work than this stay on the calling thread; see `Loop`.
#ifndef COLLAPSE_LEAST_PARALLEL_WORK
#define COLLAPSE_LEAST_PARALLEL_WORK 131072
#endif

namespace collapse::linalg {

using Eigen::Index;

/// How often a body is called, and about how many multiplications (or values moved) all calls take together. Waking a
/// team costs as much as about a hundred thousand of them, and far more on cores that are busy with something else:
/// what takes less stays on the calling thread.
struct Loop {
  // NOLINTNEXTLINE(google-explicit-constructor): a loop of unknown cost is its count
  Loop(Index calls) : count(calls) {}

  /// @param factors  of the work
  template <class... Factors>
  Loop(Index calls, Factors... factors) : count(calls), work((1.0 * ... * static_cast<double>(factors))) {}

  [[nodiscard]] bool is_worth_a_team() const { return count > 1 && work > COLLAPSE_LEAST_PARALLEL_WORK; }

  Index count;
  double work = std::numeric_limits<double>::infinity();
};

/// Calls body(i, scratch) for i = 0 .. count - 1, each once, in parallel where the including program is compiled with
/// OpenMP; `make_scratch()` is called once per thread. Bodies must not share what they write, so the result does not
/// depend on the number of threads. Eigen's own products stay on one thread inside. Of several exceptions that of the
/// smallest i is rethrown.
template <class MakeScratch, class Body>
void parallel_for(const Loop& loop, MakeScratch&& make_scratch, Body&& body) {
  const Index count = loop.count;
#ifdef _OPENMP
  std::exception_ptr failure;
  Index failed_at = count;
  const auto guarded = [&](Index i, auto&& action) {
    try {
      action();
    } catch (...) {
#pragma omp critical(collapse_parallel_for)
      if (i < failed_at) {
        failure = std::current_exception();
        failed_at = i;
      }
    }
  };
  // A team of another size would cost more than one that has less to do.
#pragma omp parallel if (loop.is_worth_a_team())
  {
    // Every thread must reach the loop below, also one that could not make its scratch.
    std::optional<std::decay_t<decltype(make_scratch())>> scratch;
    guarded(-1, [&] { scratch.emplace(make_scratch()); });
#pragma omp for schedule(dynamic, 1)
    for (Index i = 0; i < count; ++i) {
      if (scratch) guarded(i, [&] { body(i, *scratch); });
    }
  }
  if (failure) std::rethrow_exception(failure);
#else
  auto scratch = make_scratch();
  for (Index i = 0; i < count; ++i) body(i, scratch);
#endif
}

struct NoScratch {};

template <class Body>
void parallel_for(const Loop& loop, Body&& body) {
  parallel_for(
      loop, [] { return NoScratch{}; }, [&body](Index i, NoScratch&) { body(i); });
}

/// Threads that a `parallel_for` started here may use.
[[nodiscard]] inline std::size_t max_threads() {
#ifdef _OPENMP
  return static_cast<std::size_t>(std::max(1, omp_get_max_threads()));
#else
  return 1;
#endif
}

/// The caller's place among the threads of a `parallel_for`.
[[nodiscard]] inline std::size_t thread_number() {
#ifdef _OPENMP
  return static_cast<std::size_t>(omp_get_thread_num());
#else
  return 0;
#endif
}

/// As above with scratch that outlives the call, one entry per thread and at least `max_threads()` of them: nothing is
/// allocated, so nothing is thrown unless by a body.
template <class Scratch, class Body>
void parallel_for(const Loop& loop, std::vector<Scratch>& scratch, Body&& body) {
  parallel_for(
      loop, [&scratch] { return &scratch[thread_number()]; }, [&body](Index i, Scratch* own) { body(i, *own); });
}

/// A fixed division of `count` items into at most `most` runs of at least `least`: it depends on nothing but the count,
/// so partial sums over the runs, added in order, have the same bits whatever the number of threads.
class Chunks {
 public:
  explicit Chunks(Index count, Index least = 64, Index most = 64)
      : count_(count), size_(std::max(least, (count + most - 1) / most)) {}

  [[nodiscard]] Index size() const { return (count_ + size_ - 1) / size_; }
  [[nodiscard]] Index begin(Index chunk) const { return chunk * size_; }
  [[nodiscard]] Index end(Index chunk) const { return std::min(count_, (chunk + 1) * size_); }

 private:
  Index count_;
  Index size_;
};

}  // namespace collapse::linalg
