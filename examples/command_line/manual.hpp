#pragma once

#include <string>

namespace CLI {
class App;
}

namespace command_line {

/// The page of the manual of a program, in roff's macros `man`: what its help says, of all its subcommands.
[[nodiscard]] std::string manual_page(const CLI::App& program);

}  // namespace command_line
