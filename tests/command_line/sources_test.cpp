#include "support/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

struct SourceText {
  std::string name;
  std::string text;
};

/// All sources of the command line.
std::vector<SourceText> sources() {
  const std::filesystem::path folder = std::filesystem::path(COLLAPSE_EXAMPLE_DATA).parent_path() / "command_line";
  std::vector<SourceText> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    found.push_back(
        {entry.path().filename().string(), {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
  }
  REQUIRE(found.size() >= 10);
  return found;
}

}  // namespace

TEST_CASE("no source of the command line is longer than 300 lines", "[command_line]") {
  for (const SourceText& source : sources()) {
    CAPTURE(source.name);
    CHECK(!source.text.empty());
    CHECK(std::count(source.text.begin(), source.text.end(), '\n') <= 300);
  }
}

TEST_CASE("the command line names no namespace and no header that is private to the library", "[command_line]") {
  const std::regex inside(
      R"((\b(detail|linalg|statistics|metrics|diagnosis|streams|text)::)|(<collapse/(linalg|statistics|metrics)/))");
  for (const SourceText& source : sources()) {
    std::smatch found;
    const bool names = std::regex_search(source.text, found, inside);
    INFO(source.name << " names " << found.str());
    CHECK_FALSE(names);
  }
}
