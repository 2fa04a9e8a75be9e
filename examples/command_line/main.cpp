// collapse: measures representation collapse of the embeddings in files.

#include "command.hpp"
#include "groups.hpp"
#include "output.hpp"
#include "parser.hpp"

#include <collapse/error.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using command_line::Command;
using command_line::refuse;

struct Subcommand {
  const char* name;
  const char* about;
  Command (*declare)(command_line::Arguments&);
};

/// A new subcommand is a line here and one in command.hpp.
constexpr Subcommand subcommands[] = {
    {"score", "Measure the embeddings in files and print a report", command_line::score_command},
    {"merge", "Report on what several runs with --save-state have seen", command_line::merge_command},
    {"compare", "Compare two views of the same samples", command_line::compare_command},
    {"layers", "Show where along the layers of a network it collapses", command_line::layers_command},
    {"explain", "Say what a number means", command_line::explain_command},
};

int run(int argc, char** argv) {
  command_line::Parser parser(
      "collapse", "Measures representation collapse: are these embeddings collapsing, in which way, and how badly?",
      command_line::verdicts_and_status() +
          "`collapse score --help` lists the options of a command, as do the others.");
  std::string input;
  try {
    std::vector<Command> commands;
    for (const Subcommand& each : subcommands) {
      command_line::Arguments arguments = parser.add(each.name, each.about);
      commands.push_back(each.declare(arguments));
    }
    if (const std::optional<int> status = parser.parse(argc, argv)) return *status;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (parser.chosen() != subcommands[i].name) continue;
      input = commands[i].input();
      return commands[i].run();
    }
    return refuse("no command was run");
  } catch (const command_line::UsageError& error) {
    if (parser.chosen().empty()) {
      return refuse("the command to run is missing or unknown; give `collapse score FILE`, see `collapse --help`");
    }
    return refuse(fmt::format("{}; see `collapse {} --help`", error.what(), parser.chosen()));
  } catch (const std::bad_alloc&) {
    return refuse(input + ": not enough memory to measure it");
  } catch (const collapse::FileError& error) {
    return refuse(error.what());
  } catch (const std::exception& error) {
    const bool named = std::string_view(error.what()).starts_with(input);
    return refuse(named ? error.what() : fmt::format("{}: {}", input, error.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    static_cast<void>(std::fputs("collapse: stopped by an unexpected error\n", stderr));
    return command_line::bad_input;
  }
}
