// Seconds that collapse::measure takes on a .npy file that was read before, and the memory that it takes beyond it:
//
//     measure_file FILE.npy

#include <collapse/collapse.hpp>
#include <collapse/io/npy.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <exception>

namespace {

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: measure_file FILE.npy\n");
    return 2;
  }
  try {
    const collapse::io::NpyFile file(argv[1]);
    file.visit([](const auto& mapped) {
      using Scalar = typename std::decay_t<decltype(mapped)>::Scalar;
      const Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> z = mapped;
      const double before = peak_mib();
      const auto start = std::chrono::steady_clock::now();
      const collapse::Report report = collapse::measure(z);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      fmt::print("{:.4f} {:.1f} {:s}\n", seconds.count(), peak_mib() - before, report);
    });
  } catch (const std::exception& error) {
    fmt::print(stderr, "measure_file: {}\n", error.what());
    return 2;
  }
}
