#include "support/catch.hpp"

#include <collapse/text/explain.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

using namespace collapse;

namespace {

const std::string readme = std::string(COLLAPSE_EXAMPLE_DATA) + "/../../README.md";
const std::string table_begin = "<!-- the catalogue begins -->\n";
const std::string table_end = "<!-- the catalogue ends -->\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string message_of(const std::string& path) {
  try {
    (void)explain(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a number is explained by all that the catalogue says of it", "[explain]") {
  CHECK(explain("spectrum.effective_rank") ==
        "spectrum.effective_rank\n"
        "  tells     directions in use: exp of the entropy of the shares of sigma;\n"
        "            uncentred it is RankMe\n"
        "  range     [1, m], 0 for equal rows\n"
        "  healthy   `expected_effective_rank`\n"
        "  cost      that of measure(Z): 2 N D m + m^3\n"
        "  source    Roy & Vetterli 2007, Garrido et al. 2023\n"
        "  formula   collapse/metrics/effective_rank.hpp\n"
        "  error     a standard error with Options::resamples\n");
  CHECK(contains(explain("labels.silhouette"), "only where it is asked for"));
  CHECK(contains(explain("spectrum.population_participation_ratio"), "the population behind a batch"));
}

TEST_CASE("a block is explained by what it holds", "[explain]") {
  const std::string norms = explain("norms");
  CHECK(contains(norms, "lengths of the rows"));
  for (const char* name : {"\n  mean ", "\n  std ", "\n  min ", "\n  max ", "\n  zero_rows ", "\n  skipped_rows "}) {
    CHECK(contains(norms, name));
  }
  CHECK(contains(explain("labels"), "\n  nc1 "));
  CHECK_FALSE(contains(explain("labels"), "effective_rank_ratio"));
  CHECK(contains(explain("labels.per_class"), "\n  effective_rank_ratio "));
}

TEST_CASE("without a path every block is named", "[explain]") {
  const std::string all = explain();
  for (const CataloguedResult& result : catalogue()) CHECK(contains(all, std::string(result.call) + ": "));
  for (const char* block :
       {"\n  variance ", "\n  spectrum_uncentered ", "\n  labels.per_class ", "\n  isotropy.isoscore "}) {
    CHECK(contains(all, block));
  }
}

TEST_CASE("every number has an explanation that fits the page", "[explain]") {
  for (const CataloguedResult& result : catalogue()) {
    for (const CatalogueEntry& entry : *result.entries) {
      const std::string words = explain(entry.path, TextStyle::ascii);
      CAPTURE(words);
      CHECK(words.rfind(entry.path + "\n", 0) == 0);
      std::istringstream lines(words);
      for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
      CHECK(std::all_of(words.begin(), words.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
    }
  }
}

TEST_CASE("a path that nothing has is refused, and those near it are named", "[explain]") {
  CHECK(message_of("varince.dispersion") ==
        "no number is called \"varince.dispersion\"; did you mean variance.dispersion?");
  CHECK(message_of("dispersion") == "no number is called \"dispersion\"; did you mean variance.dispersion?");
  CHECK(contains(message_of("spectrum.rank_91"), "spectrum.rank_90"));
  CHECK(message_of("what\tis this?") == "no number is called \"what?is this?\"; without a path all blocks are listed");
  CHECK_THROWS_AS(explain("variance."), Error);
  CHECK_THROWS_AS(explain("labels."), Error);
}

// With COLLAPSE_UPDATE_README set it writes the table instead of comparing it.
TEST_CASE("the table of the README is that of the catalogue", "[explain]") {
  std::stringstream bytes;
  bytes << std::ifstream(readme).rdbuf();
  std::string text = bytes.str();
  const std::size_t begin = text.find(table_begin);
  const std::size_t end = text.find(table_end);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::size_t first = begin + table_begin.size();
  if (std::getenv("COLLAPSE_UPDATE_README") != nullptr) {
    text.replace(first, end - first, catalogue_table());
    std::ofstream(readme) << text;
    return;
  }
  // Not CHECK(a == b), which would print both.
  const bool fresh = text.substr(first, end - first) == catalogue_table();
  INFO("the table is stale: run this test with COLLAPSE_UPDATE_README=1 in the environment");
  CHECK(fresh);
}
