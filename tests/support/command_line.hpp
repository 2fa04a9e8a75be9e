#pragma once

#include "catch.hpp"
#include "temporary_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#if __has_include(<sys/wait.h>)
#include <sys/wait.h>
#endif

namespace collapse::test {

/// What a command left behind.
struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

[[nodiscard]] inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

[[nodiscard]] inline std::string quoted(const std::filesystem::path& path) { return '"' + path.string() + '"'; }

/// Runs a program with arguments as a shell reads them, and waits for it.
[[nodiscard]] inline Outcome run(const std::string& program, const std::string& arguments) {
  const TemporaryFolder folder;
  std::string command = quoted(std::filesystem::path(program)) + ' ' + arguments + " >" + quoted(folder / "out") +
                        " 2>" + quoted(folder / "err");
#ifdef _WIN32
  command = '"' + command + '"';
#endif
  Outcome outcome;
  outcome.status = std::system(command.c_str());
#if __has_include(<sys/wait.h>)
  outcome.status = WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : -1;
#endif
  outcome.out = read_file(folder / "out");
  outcome.err = read_file(folder / "err");
  return outcome;
}

/// A refusal is status 2, nothing on standard output and one line on standard error that says what is meant.
inline void check_refused(const Outcome& outcome, const std::string& named) {
  CAPTURE(outcome.err, named);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.rfind("collapse: ", 0) == 0);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK((!outcome.err.empty() && outcome.err.back() == '\n'));
  CHECK(outcome.err.find(named) != std::string::npos);
}

}  // namespace collapse::test
