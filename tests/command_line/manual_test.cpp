#ifdef COLLAPSE_COMMAND_LINE

#include "support/command_line.hpp"

#include <collapse/version.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;

namespace {

Outcome run(const std::string& arguments) { return collapse::test::run(COLLAPSE_COMMAND_LINE, arguments); }

std::string manual() {
  const Outcome outcome = run("--manual");
  REQUIRE(outcome.status == 0);
  REQUIRE(outcome.err.empty());
  return outcome.out;
}

bool contains(const std::string& text, const std::string& part) {
  UNSCOPED_INFO("expected: " << part);
  return text.find(part) != std::string::npos;
}

/// The names below the heading of the subcommands, however the parser writes that.
std::vector<std::string> subcommands(const std::string& help) {
  std::istringstream lines(help);
  std::vector<std::string> names;
  bool below = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:" || line == "SUBCOMMANDS:") {
      below = true;
    } else if (below && line.rfind("  ", 0) != 0) {
      break;
    } else if (below && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

/// All words that begin with two dashes.
std::set<std::string> options(const std::string& text) {
  std::set<std::string> names;
  for (std::size_t begin = 0; (begin = text.find("--", begin)) != std::string::npos;) {
    std::size_t end = begin + 2;
    while (end < text.size() && (std::isalpha(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-')) ++end;
    if (end > begin + 2) names.insert(text.substr(begin, end - begin));
    begin = end;
  }
  return names;
}

/// As a hyphen is written that must be found and copied as it was typed.
std::string in_roff(const std::string& name) {
  std::string text;
  for (const char c : name) text += c == '-' ? std::string("\\-") : std::string(1, c);
  return text;
}

/// The part of the page between the heading of a command and the next heading.
std::string part_of(const std::string& page, const std::string& command) {
  const std::size_t begin = page.find("\n.SS collapse " + command + '\n');
  CAPTURE(command);
  REQUIRE(begin != std::string::npos);
  return page.substr(begin, page.find("\n.S", begin + 1) - begin);
}

}  // namespace

TEST_CASE("the manual has all options of all commands that the help has", "[command_line]") {
  const std::string page = manual();
  const std::vector<std::string> names = subcommands(run("--help").out);
  REQUIRE(names.size() >= 4);
  for (const std::string& name : names) {
    const std::string part = part_of(page, name);
    CHECK(contains(page, ".B collapse " + name + "\n"));
    const std::string help = run(name + " --help").out;
    // Those in examples are of other commands, too.
    const std::set<std::string> found = options(help.substr(0, help.find("Verdicts:")));
    REQUIRE(found.size() >= 3);
    for (const std::string& option : found) {
      if (option != "--help") CHECK(contains(part, "\\fB" + in_roff(option) + "\\fR"));
    }
  }
}

TEST_CASE("the manual has the sections that readers look for, each once", "[command_line]") {
  const std::string page = manual();
  CHECK(page.rfind(".TH COLLAPSE 1 \"\" \"collapse " COLLAPSE_VERSION_STRING "\" ", 0) == 0);
  CHECK(contains(page, ".SH NAME\ncollapse \\- "));
  for (const std::string section :
       {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "VERDICTS", "EXIT STATUS", "EXAMPLES"}) {
    const std::size_t first = page.find("\n.SH " + section + '\n');
    CAPTURE(section);
    REQUIRE(first != std::string::npos);
    CHECK(page.find("\n.SH " + section + '\n', first + 1) == std::string::npos);
  }
  CHECK(contains(page, "2 bad usage or input"));
  CHECK(page.find("bad usage or input") == page.rfind("bad usage or input"));
}

TEST_CASE("the option that prints the manual is in no help", "[command_line]") {
  CHECK_FALSE(contains(run("--help").out, "--manual"));
  CHECK_FALSE(contains(manual(), "manual"));
}

TEST_CASE("groff sets the manual without a warning", "[command_line]") {
  if (std::system("groff --version >/dev/null 2>&1") != 0) {
    WARN("skipped: there is no groff");
    return;
  }
  const TemporaryFolder folder;
  const std::filesystem::path page = folder.write("collapse.1", manual());
  const Outcome outcome = collapse::test::run("groff", "-man -Tutf8 -P-c -P-b -P-u -ww " + quoted(page));
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK(contains(outcome.out, "EXAMPLES"));
}

#endif  // COLLAPSE_COMMAND_LINE
