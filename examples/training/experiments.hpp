#pragma once

#include "digits.hpp"
#include "run.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace training {

/// A system, or a system with something taken away, and what its report has to show.
struct Experiment {
  std::string name;  ///< of system and ablation
  std::function<Run(std::uint64_t seed)> run;
  /// What is otherwise than theory and papers say; empty where all is as they say.
  std::function<std::string(const Run&)> contradiction;
};

/// Every system of the table, then those whose ablation begins in the middle of a healthy run.
/// @param digits  must outlive the result
[[nodiscard]] std::vector<Experiment> experiments(const Digits& digits);

}  // namespace training
