#include "command.hpp"
#include "parser.hpp"

#include <collapse/text/explain.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace command_line {

namespace {

struct ExplainArguments {
  std::vector<std::string> paths;
  bool ascii = false;
  bool markdown = false;
};

int explain(const ExplainArguments& told) {
  if (told.paths.size() > 1) {
    throw UsageError(fmt::format("{} names were given; one number or block is explained at a time", told.paths.size()));
  }
  if (told.markdown) {
    fmt::print("{}", collapse::catalogue_table());
    return 0;
  }
  const auto style = told.ascii ? collapse::TextStyle::ascii : collapse::TextStyle::utf8;
  fmt::print("{}", collapse::explain(told.paths.empty() ? std::string() : told.paths.front(), style));
  return 0;
}

}  // namespace

Command explain_command(Arguments& arguments) {
  const auto told = std::make_shared<ExplainArguments>();
  arguments.footer(
      "Without a name it lists the blocks.\n"
      "Examples:\n"
      "  collapse explain spectrum\n"
      "  collapse explain variance.dispersion");
  arguments.files("NAME", "A number or a block, as in JSON and in findings", told->paths, false);
  arguments.flag({.name = "--ascii", .help = "Without signs beyond ASCII"}, told->ascii);
  arguments.flag({.name = "--markdown", .help = "A table of all numbers instead"}, told->markdown);
  return {[] { return std::string("collapse explain"); }, [told] { return explain(*told); }};
}

}  // namespace command_line
