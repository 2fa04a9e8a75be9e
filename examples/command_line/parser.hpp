#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace command_line {

/// A command line that cannot be obeyed. The message names the argument.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option as the help, the manual and the parser know it.
struct Option {
  std::string name = {};      ///< with its dashes; further names after commas
  std::string value = {};     ///< what its value is called, such as N; a flag has none
  std::string help = {};      ///< lines of at most 75 columns
  std::string preset = {};    ///< the value without the option, where the help shows one
  std::string needs = {};     ///< an option, declared before, without which this one is refused
  std::string excludes = {};  ///< an option or argument, declared before, beside which this one is refused
};

/// Takes what was given as the value of an option; throws UsageError where it will not do.
using Setter = std::function<void(const std::string& text)>;

/// Where a subcommand declares its arguments. What they are read into must live until the command has run.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(&app) {}

  /// What stands below the options in the help. Paragraphs that begin with one or two words and a colon, such as
  /// "Examples:", become sections of the manual.
  void footer(const std::string& text);

  /// Names of files, in the order given; none is empty.
  /// @param required  whether there has to be one
  /// @param exactly   how many there have to be; 0 where any number will do
  void files(const std::string& name, const std::string& help, std::vector<std::string>& paths, bool required = true,
             int exactly = 0);

  void value(const Option& option, Setter set);

  /// The same of an option that may be given several times; the setter gets one value after the other.
  void values(const Option& option, Setter set);

  void flag(const Option& option, bool& given);
  void flag(const Option& option, std::function<void()> set);

 private:
  CLI::App* app_;
};

/// The command line as a whole: the only part that knows the library that parses it, which takes long to compile.
class Parser {
 public:
  Parser(const std::string& name, const std::string& about, const std::string& footer);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// A new subcommand.
  Arguments add(const std::string& name, const std::string& about);

  /// Hands all options to their setters.
  /// @returns the status to exit with where help, version or manual were asked for, and printed; else nothing
  /// @throws UsageError  where the arguments cannot be obeyed
  [[nodiscard]] std::optional<int> parse(int argc, char** argv);

  /// The name of the subcommand that was given; empty before parsing, and where there was none.
  [[nodiscard]] std::string chosen() const;

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace command_line
