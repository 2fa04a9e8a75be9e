#include "manual.hpp"

#include <collapse/version.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace command_line {

namespace {

/// Text for roff, on one line. Between backticks it is bold; two dashes begin the name of an option, whose dashes must
/// not become hyphens.
std::string prose(std::string_view text) {
  std::string out;
  bool bold = false;
  bool option = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    option = (option || text.substr(i, 2) == "--") && (c == '-' || std::isalpha(static_cast<unsigned char>(c)) != 0);
    if (c == '\n' || c == ' ') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else if (option && c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
  }
  // A dot at the beginning of a line would make it a request.
  return out.starts_with('.') ? "\\&" + out : out;
}

/// What is typed, letter by letter: a hyphen of a text would not be found there.
std::string code(std::string_view text) {
  std::string out;
  for (const char c : prose(text)) {
    if (c == '-' && (out.empty() || out.back() != '\\')) out += '\\';
    out += c;
  }
  return out;
}

std::string in_capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string with_small_initial(std::string text) {
  if (!text.empty()) text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return text;
}

struct Section {
  std::string title;
  std::vector<std::string> paragraphs;  ///< in roff
};

/// Sections that several commands have in common, each paragraph once.
using Sections = std::vector<Section>;

void put(Sections& sections, const std::string& title, const std::string& paragraph) {
  auto section = std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.title == title; });
  if (section == sections.end()) section = sections.insert(sections.end(), Section{title, {}});
  auto& paragraphs = section->paragraphs;
  if (std::find(paragraphs.begin(), paragraphs.end(), paragraph) == paragraphs.end()) paragraphs.push_back(paragraph);
}

/// The one or two words before a colon at the beginning of a paragraph; empty where there are none.
std::string title_of(std::string_view paragraph) {
  const std::string_view title = paragraph.substr(0, std::min(paragraph.find(':'), paragraph.find('\n')));
  if (title.size() == paragraph.size() || paragraph[title.size()] != ':') return "";
  return std::count(title.begin(), title.end(), ' ') < 2 ? std::string(title) : "";
}

/// Lines that are indented, as they stand.
std::string listing(const std::string& text) {
  std::string out = ".nf\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin != std::string::npos) out += code(std::string_view(line).substr(begin)) + '\n';
  }
  return out + ".fi\n";
}

/// Sorts what stands below the options: what bears a title into its section, the rest is returned.
std::string sort_footer(const CLI::App& app, Sections& sections) {
  std::string rest;
  const std::string footer = app.get_footer() + "\n\n";
  for (std::size_t begin = 0, end; (end = footer.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string paragraph = footer.substr(begin, end - begin);
    if (paragraph.empty()) continue;
    const std::string title = title_of(paragraph);
    if (title.empty()) {
      rest += ".PP\n" + prose(paragraph) + '\n';
      continue;
    }
    const std::string body = paragraph.substr(title.size() + 1);
    put(sections, title, body.starts_with("\n  ") ? listing(body) : prose(body) + '\n');
  }
  return rest;
}

/// Its names, and what its value is called.
std::string heading_of(const CLI::Option& option) {
  if (option.get_positional()) return "\\fI" + code(option.get_name(true)) + "\\fR";
  std::string heading;
  const auto add = [&heading](const std::string& name) {
    heading += (heading.empty() ? "\\fB" : ", \\fB") + code(name) + "\\fR";
  };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  if (!option.get_type_name().empty()) heading += " \\fI" + code(option.get_type_name()) + "\\fR";
  return heading;
}

std::string entry(const CLI::Option& option) {
  std::string text = option.get_description();
  const auto add = [&text](const std::string& sentence) {
    text += (text.ends_with('.') ? " " : ". ") + sentence + '.';
  };
  if (!option.get_default_str().empty()) add("Default: " + option.get_default_str());
  for (const CLI::Option* const other : option.get_needs()) add("Only with `" + other->get_name() + '`');
  for (const CLI::Option* const other : option.get_excludes()) add("Not with `" + other->get_name(true, true) + '`');
  if (!text.ends_with('.')) text += '.';
  return fmt::format(".TP\n{}\n{}\n", heading_of(option), prose(text));
}

/// The arguments of a command; its help but once for all commands.
std::string entries(const CLI::App& app, bool with_help) {
  std::string out;
  const std::vector<const CLI::Option*> options = app.get_options([&](const CLI::Option* option) {
    return !option->get_group().empty() && (with_help || option != app.get_help_ptr());
  });
  for (const bool positional : {true, false}) {
    for (const CLI::Option* const option : options) {
      if (option->get_positional() == positional) out += entry(*option);
    }
  }
  return out;
}

/// How a command is called.
std::string synopsis(const std::string& program, const CLI::App& command) {
  std::string out = fmt::format(".B {} {}\n[\\fIOPTION\\fR ...]", code(program), code(command.get_name()));
  for (const CLI::Option* const option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = "\\fI" + code(option->get_name(true)) + "\\fR";
    if (!option->get_required()) {
      out += " [" + name + " ...]";
    } else {
      for (int i = 0; i < option->get_expected_min(); ++i) out += ' ' + name;
      if (option->get_expected_max() > option->get_expected_min()) out += " ...";
    }
  }
  return out + '\n';
}

}  // namespace

std::string manual_page(const CLI::App& program) {
  const std::string name = program.get_name();
  const std::string about = program.get_description();
  const std::vector<const CLI::App*> commands = program.get_subcommands([](const CLI::App*) { return true; });

  std::string out =
      fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", in_capitals(name), name, COLLAPSE_VERSION_STRING);
  out += fmt::format(".SH NAME\n{} \\- {}\n", name, prose(with_small_initial(about.substr(0, about.find(':')))));
  out += ".SH SYNOPSIS\n";
  for (std::size_t i = 0; i < commands.size(); ++i) out += (i > 0 ? ".br\n" : "") + synopsis(name, *commands[i]);

  Sections sections;
  out += fmt::format(".SH DESCRIPTION\n{}\n{}", prose(about), sort_footer(program, sections));
  out += ".SH OPTIONS\n" + entries(program, true);
  out += ".SH COMMANDS\n";
  for (const CLI::App* const command : commands) {
    out += fmt::format(".SS {} {}\n{}.\n", code(name), code(command->get_name()), prose(command->get_description()));
    out += entries(*command, false) + sort_footer(*command, sections);
  }
  for (const Section& section : sections) {
    out += ".SH " + in_capitals(section.title) + '\n';
    for (std::size_t i = 0; i < section.paragraphs.size(); ++i) out += (i > 0 ? ".PP\n" : "") + section.paragraphs[i];
  }
  return out;
}

}  // namespace command_line
