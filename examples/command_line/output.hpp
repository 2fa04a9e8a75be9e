#pragma once

#include <collapse/report.hpp>

#include <string>
#include <vector>

namespace command_line {

inline constexpr int scored = 0;
inline constexpr int verdict_reached = 1;
inline constexpr int bad_input = 2;

/// What all commands do with what they measured.
struct Output {
  bool json = false;
  std::vector<collapse::Verdict> fail_on;
};

/// Writes text to standard output, all of it.
/// @throws collapse::FileError  where that cannot be done
void write_out(const std::string& text);

/// Prints what was measured.
/// @param found  its verdicts
/// @returns the exit status, which says whether one of them was to be told
[[nodiscard]] int print(const std::string& text, const Output& output, const std::vector<collapse::Verdict>& found);

/// Says why nothing was measured, in one line on standard error.
/// @returns the exit status
[[nodiscard]] int refuse(std::string reason);

}  // namespace command_line
