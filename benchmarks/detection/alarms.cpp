// How late a Monitor raises its alarm, and how often for nothing: training curves of 1000 steps that collapse at once,
// slowly, or not at all.
//
//     alarms FIRST_SEED RUNS
//
// A batch has 128 rows of 64 dimensions. Every curve has what healthy ones have: a first hundred steps in which the
// embeddings leave the cone of an untrained encoder and their spectrum steepens as features are learned, lengths that
// grow, and batches that differ. From step 400 on a collapse goes from strength 0 to 1, within one step or 400.

#include <collapse/linalg/hash.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/monitor.hpp>
#include <collapse/synthetic/scenario.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace {

using collapse::Index;
using collapse::synthetic::Family;

constexpr Index rows = 128;
constexpr Index dims = 64;
constexpr int steps = 1000;
constexpr int onset = 400;

/// What a healthy encoder makes of the batch of a step.
Eigen::MatrixXf healthy(int step, std::uint64_t seed) {
  const double progress = static_cast<double>(step) / steps;
  const double young = std::exp(-step / 30.0);
  const std::uint64_t batch = collapse::linalg::hash(seed, static_cast<std::uint64_t>(step));
  Eigen::MatrixXf z = collapse::synthetic::power_law<float>(rows, dims, 0.7 * (1.0 - young), batch);
  const Eigen::RowVectorXf direction = collapse::synthetic::isotropic<float>(1, dims, seed);
  z.rowwise() += static_cast<float>(1.5 * young) * direction;
  // Batches differ: some are easier than others.
  const double ease = static_cast<double>(collapse::linalg::hash(batch, 1) >> 11) * 0x1p-53;
  return z * static_cast<float>((1.0 + progress) * (0.9 + 0.2 * ease));
}

/// Takes a healthy batch towards a collapse.
Eigen::MatrixXf collapsed(const Eigen::MatrixXf& z, Family family, double strength, std::uint64_t seed) {
  if (strength <= 0.0) return z;
  const auto s = static_cast<float>(strength);
  switch (family) {
    case Family::complete: {
      // What is left of the spread is a thousandth.
      const Eigen::RowVectorXf point = collapse::synthetic::isotropic<float>(1, dims, seed + 1);
      return (z * std::pow(1000.0F, -s)).rowwise() + s * point;
    }
    case Family::dimensional: {
      // All but two directions shrink to a thousandth.
      Eigen::MatrixXf result = z;
      result.rightCols(dims - 2) *= std::pow(1000.0F, -s);
      return result;
    }
    case Family::dead: {
      Eigen::MatrixXf result = z;
      result.rightCols(static_cast<Index>(s * 0.9F * static_cast<float>(dims))).setZero();
      return result;
    }
    case Family::cone: {
      const Eigen::RowVectorXf axis = collapse::synthetic::isotropic<float>(1, dims, seed + 1);
      return z.rowwise() + 4.0F * s * axis;
    }
    case Family::clusters: {
      const Eigen::MatrixXf centres = collapse::synthetic::isotropic<float>(4, dims, seed + 1);
      Eigen::MatrixXf result = (1.0F - s) * z;
      for (Index i = 0; i < rows; ++i) result.row(i) += s * centres.row(i % 4);
      return result;
    }
    default: return z;
  }
}

struct Curve {
  bool false_alarm = false;
  std::optional<std::int64_t> delay;  ///< steps from the onset to the alarm
  std::string quantity;
};

/// @param duration  steps from strength 0 to 1; 0 for no collapse
Curve run(Family family, int duration, std::uint64_t seed) {
  collapse::Monitor monitor;
  Curve result;
  for (int step = 1; step <= steps; ++step) {
    const double strength =
        duration > 0 ? std::clamp(static_cast<double>(step - onset) / static_cast<double>(duration), 0.0, 1.0) : 0.0;
    const auto alarm = monitor.observe(step, collapsed(healthy(step, seed), family, strength, seed));
    if (!alarm) continue;
    if (duration == 0 || alarm->step <= onset) {
      result.false_alarm = true;
    } else {
      result.delay = alarm->step - onset;
      result.quantity = alarm->quantity;
    }
    break;
  }
  return result;
}

void put(const char* name, Family family, int duration, std::uint64_t first, std::uint64_t runs) {
  std::vector<double> delays;
  std::uint64_t false_alarms = 0;
  std::string quantity = "-";
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const Curve curve = run(family, duration, seed);
    if (curve.false_alarm) ++false_alarms;
    if (curve.delay) {
      delays.push_back(static_cast<double>(*curve.delay));
      quantity = curve.quantity;
    }
  }
  const auto count = static_cast<Index>(delays.size());
  const Eigen::Map<const Eigen::VectorXd> all(delays.data(), count);
  const std::string median = count > 0 ? fmt::format("{:.0f}", collapse::metrics::median(all)) : std::string("-");
  const std::string last = count > 0 ? fmt::format("{:.0f}", all.maxCoeff()) : std::string("-");
  const std::string strength =
      count > 0 && duration > 1 ? fmt::format("{:.2f}", collapse::metrics::median(all) / duration) : std::string("-");
  fmt::print("| {} | {} | {} of {} | {} of {} | {} | {} | {} | {} |\n", name, to_string(family), false_alarms, runs,
             count, runs, median, last, strength, quantity);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: alarms FIRST_SEED RUNS\n");
    return 2;
  }
  const auto first = static_cast<std::uint64_t>(std::atoll(argv[1]));
  const auto runs = static_cast<std::uint64_t>(std::atoll(argv[2]));
  fmt::print(
      "| curve | collapse | false alarms | caught | median delay, steps | longest | strength at the median | first to "
      "fall |\n|---|---|---|---|---|---|---|---|\n");
  put("no collapse", Family::power_law, 0, first, 10 * runs);
  for (const Family family : {Family::complete, Family::dimensional, Family::dead, Family::cone, Family::clusters}) {
    put("at once", family, 1, first, runs);
    put("within 400 steps", family, 400, first, runs);
  }
}
