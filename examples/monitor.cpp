// Watches two training runs: one that stays healthy, and one whose embeddings collapse so slowly that no single step
// looks worse than the one before.

#include <collapse/monitor.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>

namespace {

/// What an encoder makes of the batch of a step. From `onset` on all dimensions but four shrink by 0.5 % per step.
Eigen::MatrixXf encode(int step, int onset) {
  Eigen::MatrixXf z = collapse::synthetic::isotropic<float>(64, 32, static_cast<std::uint64_t>(step));
  z.rightCols(28) *= std::pow(0.995F, static_cast<float>(std::max(0, step - onset)));
  return z;
}

/// Whether the run raised an alarm.
bool train(const char* name, int onset) {
  std::ostringstream log;  // a std::ofstream in earnest: one line of JSON per step
  collapse::Monitor monitor({.log = &log});
  bool raised = false;
  for (int step = 1; step <= 320; ++step) {
    if (const auto alarm = monitor.observe(step, encode(step, onset))) {
      fmt::print("{}, step {}: {}\n", name, step, *alarm);  // or stop, or lower the learning rate
      raised = true;
    }
  }
  const std::string lines = log.str();
  fmt::print("{}: {} steps, {} metrics in alarm; the last line of the log:\n{}\n", name, monitor.history().size(),
             monitor.alarms().size(), lines.substr(lines.rfind('\n', lines.size() - 2) + 1));
  return raised;
}

}  // namespace

int main() {
  const bool healthy = train("healthy", 320);
  const bool collapsing = train("collapsing slowly", 100);
  return !healthy && collapsing ? 0 : 1;
}
