#pragma once

#include "groups.hpp"
#include "output.hpp"

#include <collapse/options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace command_line {

/// All that the command `score` is told.
struct ScoreArguments {
  Input input;
  Output output;
  bool standard_input = false;
  collapse::Index dims = 0;  ///< of standard input, as is the type
  std::string dtype;
  std::string save_state;
  std::int64_t repeat = 1;
  collapse::Options options;
  bool isotropy = false;
  std::string labels;
  std::optional<std::int64_t> unlabelled;  ///< the label that means none
  std::string baseline;                    ///< a report to compare with; empty for none
  bool neighbours = false;
  bool neighbours_by_cosine = false;
};

[[nodiscard]] std::string name_of(const ScoreArguments& arguments);

/// Reads, measures and prints.
/// @returns the exit status
[[nodiscard]] int score(const ScoreArguments& arguments);

/// Prints what the states in files have seen together.
/// @param save_state  the file to write that to as well; empty for none
/// @returns the exit status
[[nodiscard]] int merge(const std::vector<std::string>& paths, const std::string& save_state, const Output& output,
                        const collapse::Thresholds& thresholds);

}  // namespace command_line
