// Prints the bits of every number of some reports: compiled twice, from the headers alone and against the library, the
// output must be the same.
#include <collapse/accumulator.hpp>
#include <collapse/measure.hpp>
#include <collapse/report/walk.hpp>
#include <collapse/synthetic.hpp>
#include <collapse/text.hpp>

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace {

void print(const collapse::Report& report) {
  const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
  collapse::for_each_field(report, [&](const auto& path, const collapse::FieldInfo&, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, double>) {
      fmt::print("{} {:016x}\n", path.view(), bits(value));
    } else if constexpr (std::is_same_v<Value, Eigen::VectorXd>) {
      for (const double each : value) fmt::print("{} {:016x}\n", path.view(), bits(each));
    }
  });
  fmt::print("{}\n", report);
}

template <class Scalar>
void print_both(collapse::Index rows, collapse::Index dims) {
  const auto z = collapse::synthetic::power_law<Scalar>(rows, dims, 1.0, 5);
  print(collapse::measure(z, {.resamples = 4}));
  collapse::Accumulator seen(dims, {.pair_rows = 64});
  seen.update(z);
  print(seen.report());
}

}  // namespace

int main() {
  print_both<float>(300, 24);
  print_both<double>(40, 70);
}
