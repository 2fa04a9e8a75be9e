#include "../../examples/command_line/source.hpp"

#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#if __has_include(<sys/resource.h>)
#include <sys/resource.h>

namespace {

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

/// Page faults of whoever reads all values of all blocks of a file.
long faults_of_reading(const std::filesystem::path& path) {
  command_line::Source source = command_line::Source::open(path.string(), command_line::Format::automatic, "");
  long faults = 0;
  source.for_each_block(512, [&faults](const auto& block) {
    double sum = 0.0;
    const long before = page_faults();
    for (Eigen::Index i = 0; i < block.rows(); ++i) {
      for (Eigen::Index d = 0; d < block.cols(); ++d) sum += static_cast<double>(block(i, d));
    }
    faults += page_faults() - before;
    CHECK(sum == 0.0);
  });
  return faults;
}

}  // namespace

TEST_CASE("blocks of a mapped file are in memory before they are looked at", "[source]") {
  const collapse::test::TemporaryFolder folder;
  collapse::test::NpyBytes file;
  file.data = std::string(std::size_t{4} << 20, '\0');
  for (const auto& [fortran_order, shape] : {std::pair<std::string, std::string>{"False", "(4096, 256)"},
                                             {"True", "(4096, 256)"},
                                             {"False", "(1024, 1024)"},
                                             {"False", "(2, 524288)"}}) {
    CAPTURE(fortran_order, shape);
    file.fortran_order = fortran_order;
    file.shape = shape;
    const std::filesystem::path path = folder.write("Z.npy", file.str());
    // Code is read as it is first run, and the system may move a page at any time: neither happens each time.
    long least = std::numeric_limits<long>::max();
    for (int pass = 0; pass < 3; ++pass) least = std::min(least, faults_of_reading(path));
    CHECK(least == 0);
  }
}

#endif
