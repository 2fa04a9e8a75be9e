#pragma once

#include "parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

/// Values of options out of their text. All of them throw UsageError where it will not do.
namespace command_line {

/// @param least  the smallest that will do
template <class Integer>
[[nodiscard]] Integer whole_number(const std::string& option, const std::string& text, Integer least) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) throw UsageError(fmt::format("{}: '{}' is too large", option, text));
  if (error != std::errc() || stop != end || value < least) {
    throw UsageError(fmt::format("{}: '{}' is not a whole number of at least {}", option, text, least));
  }
  return value;
}

/// Any number; infinity, too.
[[nodiscard]] inline double number(const std::string& option, const std::string& text) {
  char* stop = nullptr;
  const double value = std::strtod(text.c_str(), &stop);
  if (text.empty() || stop != text.c_str() + text.size()) {
    throw UsageError(fmt::format("{}: '{}' is not a number", option, text));
  }
  return value;
}

/// A number of at least 0.
[[nodiscard]] inline double share(const std::string& option, const std::string& text) {
  const double value = number(option, text);
  if (!(value >= 0.0)) throw UsageError(fmt::format("{}: '{}' is not at least 0", option, text));
  return value;
}

/// The value among `choices` that bears a name.
template <class Choices>
[[nodiscard]] auto by_name(const std::string& option, std::string_view name, const Choices& choices) {
  const auto found =
      std::find_if(choices.begin(), choices.end(), [name](auto choice) { return to_string(choice) == name; });
  if (found != choices.end()) return *found;
  std::string names;
  for (const auto choice : choices) names.append(names.empty() ? "" : ", ").append(to_string(choice));
  throw UsageError(fmt::format("{}: '{}' is not one of {}", option, name, names));
}

/// The name of a file.
[[nodiscard]] inline std::string file_name(const std::string& option, const std::string& text) {
  if (text.empty()) throw UsageError(option + ": the name is empty");
  return text;
}

}  // namespace command_line
