// The contender of this library, as a process that lives as long as the comparison. Of each line of standard input that
// names a .npy file, the file is read; at an empty line it is measured. Both are answered with one line of JSON, the
// second with the report and `seconds`.

#include <collapse/io/npy.hpp>
#include <collapse/json.hpp>
#include <collapse/measure.hpp>

#include <fmt/format.h>
#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <type_traits>
#include <variant>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace {

template <class Scalar>
using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = std::variant<RowMajor<float>, RowMajor<double>, RowMajor<Eigen::half>>;

Rows read(const std::string& path) {
  return collapse::io::NpyFile(path).visit(
      [](const auto& mapped) { return Rows(RowMajor<typename std::decay_t<decltype(mapped)>::Scalar>(mapped)); });
}

int threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

void answer_with(const nlohmann::ordered_json& answer) {
  fmt::print("{}\n", answer.dump());
  std::fflush(stdout);
}

}  // namespace

int main() {
  try {
    Rows rows;
    for (std::string path; std::getline(std::cin, path);) {
      if (!path.empty()) {
        rows = read(path);
        answer_with(nlohmann::ordered_json::object());
        continue;
      }
      const auto begin = std::chrono::steady_clock::now();
      const collapse::Report report = std::visit([](const auto& z) { return collapse::measure(z); }, rows);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      nlohmann::ordered_json answer = report;
      answer["seconds"] = seconds.count();
      answer["built_with"] = fmt::format("collapse {}, Eigen {}.{}.{}, compiler {}", COLLAPSE_VERSION_STRING,
                                         EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION, __VERSION__);
      answer["threads"] = threads();
      answer_with(answer);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "measure_rows: {}\n", error.what());
    return 2;
  }
}
