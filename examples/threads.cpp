// Four threads score their own batches and meet once, at the end: no lock, no atomic, no shared accumulator on the way.

#include <collapse/collapse.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>

#include <thread>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

int main() {
  constexpr Eigen::Index dims = 64;
  constexpr std::size_t threads = 4;

  std::vector<collapse::Accumulator> seen(threads, collapse::Accumulator(dims));
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 0; t < threads; ++t) {
      pool.emplace_back([&own = seen[t], t] {
#ifdef _OPENMP
        omp_set_num_threads(1);  // of this thread: the cores are taken by the others
#endif
        for (std::uint64_t batch = 0; batch < 20; ++batch) {
          own.update(collapse::synthetic::isotropic<float>(256, dims, 20 * t + batch));
        }
      });
    }
  }  // the threads have ended

  for (std::size_t t = 1; t < threads; ++t) seen.front().merge(seen[t]);
  const collapse::Report report = seen.front().report();
  fmt::print("{}\n", report);
  return report.samples == 4 * 20 * 256 && report.diagnosis.verdict == collapse::Verdict::healthy ? 0 : 1;
}
