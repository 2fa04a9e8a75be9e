#include "output.hpp"

#include <collapse/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

namespace command_line {

void write_out(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw collapse::FileError("standard output", "cannot write the report: " + std::generic_category().message(errno));
  }
}

int print(const std::string& text, const Output& output, const std::vector<collapse::Verdict>& found) {
  write_out(text);
  const auto& list = output.fail_on;
  const bool reached = std::find_first_of(found.begin(), found.end(), list.begin(), list.end()) != found.end();
  return reached ? verdict_reached : scored;
}

int refuse(std::string reason) {
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  std::replace_if(
      reason.begin(), reason.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  fmt::print(stderr, "collapse: {}\n", reason);
  return bad_input;
}

}  // namespace command_line
