// How time and memory grow with the number of rows that stream through an accumulator: seconds per million rows, and
// the most memory that the process ever held, from 10^4 rows to 10^7.
//
//     growth [DIMS]

#include <collapse/accumulator.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
  using collapse::Index;
  const Index dims = argc > 1 ? std::atol(argv[1]) : 64;
  constexpr Index batch = 8192;
  // The same rows again and again: making new ones would take longer than measuring them.
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows =
      collapse::synthetic::isotropic<float>(batch, dims);
  fmt::print("{} dimensions, float32, {} rows at a time\n", dims, batch);
  fmt::print("{:>10}  {:>8}  {:>14}  {:>8}  {:>9}\n", "rows", "seconds", "s / 10^6 rows", "report", "peak MiB");
  collapse::Accumulator warm(dims);
  warm.update(rows);
  for (Index wanted = 10'000; wanted <= 10'000'000; wanted *= 10) {
    const auto start = std::chrono::steady_clock::now();
    collapse::Accumulator seen(dims);
    for (Index left = wanted; left > 0; left -= batch) seen.update(rows.topRows(std::min(left, batch)));
    const std::chrono::duration<double> folding = std::chrono::steady_clock::now() - start;
    const collapse::Report report = seen.report();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{:>10}  {:>8.3f}  {:>14.3f}  {:>8.3f}  {:>9.1f}\n", report.samples, seconds.count(),
               folding.count() / static_cast<double>(wanted) * 1e6, (seconds - folding).count(), peak_mib());
  }
}
