#pragma once

#include <functional>
#include <string>

namespace command_line {

class Arguments;

/// A subcommand whose arguments are declared. Both functions are called after parsing.
struct Command {
  std::function<std::string()> input;  ///< what it reads: begins a message that names no file
  std::function<int()> run;            ///< returns the exit status; throws UsageError, or what the library throws
};

Command score_command(Arguments& arguments);
Command merge_command(Arguments& arguments);
Command compare_command(Arguments& arguments);
Command layers_command(Arguments& arguments);
Command explain_command(Arguments& arguments);

}  // namespace command_line
