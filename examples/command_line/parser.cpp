#include "parser.hpp"

#include "manual.hpp"
#include "output.hpp"

#include <collapse/version.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace command_line {

namespace {

void relate(CLI::Option* added, const Option& option) {
  if (!option.needs.empty()) added->needs(option.needs);
  if (!option.excludes.empty()) added->excludes(option.excludes);
}

}  // namespace

void Arguments::footer(const std::string& text) { app_->footer(text); }

void Arguments::files(const std::string& name, const std::string& help, std::vector<std::string>& paths, bool required,
                      int exactly) {
  CLI::Option* const files = app_->add_option(name, paths, help)->required(required)->type_name("");
  files->check([](const std::string& path) { return path.empty() ? "the name is empty" : ""; });
  if (exactly > 0) files->expected(exactly);
}

void Arguments::value(const Option& option, Setter set) {
  CLI::Option* const added = app_->add_option_function<std::string>(option.name, std::move(set), option.help)
                                 ->type_name(option.value)
                                 ->default_str(option.preset);
  relate(added, option);
}

void Arguments::values(const Option& option, Setter set) {
  const auto set_all = [set = std::move(set)](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) set(text);
  };
  // One value each time: what follows it is another argument.
  CLI::Option* const added = app_->add_option_function<std::vector<std::string>>(option.name, set_all, option.help)
                                 ->type_name(option.value)
                                 ->expected(1)
                                 ->take_all();
  relate(added, option);
}

void Arguments::flag(const Option& option, bool& given) {
  relate(app_->add_flag(option.name, given, option.help), option);
}

void Arguments::flag(const Option& option, std::function<void()> set) {
  relate(app_->add_flag_callback(option.name, std::move(set), option.help), option);
}

Parser::Parser(const std::string& name, const std::string& about, const std::string& footer)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", name + " " COLLAPSE_VERSION_STRING, "Print the version and exit");
  app_->require_subcommand(1);
  app_->footer(footer);
  // For whoever packs the program: without a group it stands in no help.
  app_->add_flag_callback("--manual",
                          [this] {
                            write_out(manual_page(*app_));
                            throw CLI::Success();
                          })
      ->group("");
}

Parser::~Parser() = default;

Arguments Parser::add(const std::string& name, const std::string& about) {
  return Arguments(*app_->add_subcommand(name, about));
}

std::optional<int> Parser::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app_->exit(request);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  return std::nullopt;
}

std::string Parser::chosen() const {
  const std::vector<CLI::App*> given = app_->get_subcommands();
  return given.empty() ? std::string() : given.front()->get_name();
}

}  // namespace command_line
