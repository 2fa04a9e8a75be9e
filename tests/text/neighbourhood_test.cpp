#include "support/catch.hpp"

#include <collapse/text/neighbourhood.hpp>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

using namespace collapse;

namespace {

/// All numbers different.
Neighbourhood example() {
  Neighbourhood rows;
  rows.samples = 1234;
  rows.dims = 768;
  rows.intrinsic_dimension = {12.34, 0.5678, 13.57, 0.2468, 20, 1200};
  rows.hubness = -0.4321;
  rows.hubness_k = 10;
  rows.duplicate_rows = 0.02755;
  rows.near_duplicates = 0.03141;
  rows.distinct_modes = 1177;
  rows.median_distance = 48.81;
  rows.zero_rows = 3;
  rows.skipped_rows = 5;
  return rows;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

/// What holds for the text of every neighbourhood.
void check_form(const Neighbourhood& rows) {
  const std::string ascii = fmt::format("{:a}", rows);
  CHECK(std::all_of(ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; }));
  for (const std::string& text : {fmt::format("{}", rows), ascii}) {
    CAPTURE(text);
    CHECK(text.back() != '\n');
    CHECK(text.find("nan") == std::string::npos);
    for (const std::string& line : lines(text)) {
      CAPTURE(line);
      CHECK(text::columns(line) <= 80);
      CHECK((line.empty() || line.back() != ' '));
    }
  }
}

bool has(const std::vector<std::string>& page, const std::string& label, const std::string& words) {
  return std::any_of(page.begin(), page.end(), [&](const std::string& line) {
    return line.rfind("  " + label, 0) == 0 && line.find(words) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a neighbourhood prints every number under its label", "[format_neighbourhood]") {
  check_form(example());
  const std::vector<std::string> page = lines(fmt::format("{:a}", example()));
  REQUIRE(page.size() == 10);
  CHECK(page[0].rfind("neighbours ---", 0) == 0);
  CHECK(page[0].find(" Euclidean, 1234 rows") == 80 - std::string(" Euclidean, 1234 rows").size());
  CHECK(has(page, "intrinsic dimension ", "      12.34   +- 0.5678; from two neighbours"));
  CHECK(has(page, "  ", "      13.57   +- 0.2468; from 20 neighbours"));
  CHECK(has(page, "hubness ", "    -0.4321   over 10 neighbours; above 1: hubs"));
  CHECK(has(page, "duplicate rows ", " 0.02755 "));
  CHECK(has(page, "near duplicates ", " 0.03141 "));
  CHECK(has(page, "distinct modes ", " 1177 "));
  CHECK(has(page, "median distance ", " 48.81"));
  CHECK(has(page, "zero rows ", " 3"));
  CHECK(has(page, "skipped rows ", " 5"));
  const std::string text = fmt::format("{}", example());
  CHECK(text.find("± 0.5678") != std::string::npos);
  CHECK(lines(text).size() == page.size());
}

TEST_CASE("a neighbourhood names its metric and says one of one", "[format_neighbourhood]") {
  Neighbourhood rows = example();
  rows.metric = Metric::cosine;
  rows.samples = 1;
  rows.intrinsic_dimension.mle_k = 1;
  rows.hubness_k = 1;
  const std::string text = fmt::format("{}", rows);
  CHECK(lines(text)[0].find(" cosine, 1 row") != std::string::npos);
  CHECK(text.find("1 rows") == std::string::npos);
  CHECK(text.find("from 1 neighbour\n") != std::string::npos);
  CHECK(text.find("over 1 neighbour;") != std::string::npos);
}

TEST_CASE("a neighbourhood says why its numbers are undefined", "[format_neighbourhood]") {
  Neighbourhood rows;
  check_form(rows);
  rows.undefined_numbers = {{metric_path<&Neighbourhood::intrinsic_dimension, &IntrinsicDimension::two_nn>.in_result(),
                             "1 rows; two neighbours of each need at least 3"},
                            {metric_path<&Neighbourhood::hubness>.in_result(),
                             "a reason — of many words that " + std::string(60, 'x') + " fill the page"}};
  check_form(rows);
  const std::vector<std::string> page = lines(fmt::format("{:a}", rows));
  CHECK(has(page, "intrinsic dimension ", "          -   +- -; from two neighbours"));
  CHECK(has(page, "distinct modes ", " - "));
  CHECK(has(page, "intrinsic_dimension.two_nn is undefined: 1 rows;", "of each need"));
  CHECK(has(page, "at least 3", ""));
  CHECK(has(page, "hubness is undefined: a reason", ""));
}

TEST_CASE("numbers at the ends of their range keep the page of a neighbourhood in shape", "[format_neighbourhood]") {
  Neighbourhood rows = example();
  constexpr double huge = -std::numeric_limits<double>::max();
  rows.intrinsic_dimension = {huge, -huge, huge, -huge, 999999, 999999};
  rows.hubness = rows.duplicate_rows = rows.near_duplicates = rows.median_distance = huge;
  rows.hubness_k = 999999;
  rows.samples = std::numeric_limits<Index>::max();
  rows.distinct_modes = rows.zero_rows = rows.skipped_rows = rows.samples;
  check_form(rows);
}

TEST_CASE("a neighbourhood refuses other specifications", "[format_neighbourhood]") {
  CHECK_THROWS_AS(fmt::format(fmt::runtime("{:s}"), example()), fmt::format_error);
}
