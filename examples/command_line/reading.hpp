#pragma once

#include "all_rows.hpp"
#include "score.hpp"
#include "stopwatch.hpp"

#include <collapse/accumulator.hpp>
#include <collapse/labelled_accumulator.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace command_line {

/// What has looked at every row as it was read.
struct Readers {
  std::vector<collapse::Accumulator> parts;  ///< rows are dealt to them in turn
  std::optional<collapse::LabelledAccumulator> labelled;
  std::vector<std::int64_t> labels;
  AllRows* kept = nullptr;
  std::vector<std::string> remarks;  ///< on how the inputs were read, each with its name
};

/// Reads all rows of a command once, and measures what is measured as they pass.
/// @param measuring  gets the time of the measuring, without that of the reading
/// @param kept       where to keep the rows; null where nothing needs them afterwards
[[nodiscard]] Readers read_rows(const ScoreArguments& arguments, Stopwatch& measuring, AllRows* kept);

/// Refuses an input of so few rows that nothing can be measured.
/// @param skipped  how many more were left out for a value that is not finite
[[noreturn]] void reject_too_few(const std::string& name, Eigen::Index rows, Eigen::Index cols, Eigen::Index skipped);

}  // namespace command_line
