#ifdef COLLAPSE_COMMAND_LINE

#include "support/command_line.hpp"

#include <collapse/json.hpp>
#include <collapse/neighbourhood.hpp>
#include <collapse/synthetic.hpp>
#include <collapse/text/neighbourhood.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/npy_file.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

using collapse::Neighbourhood;
using collapse::neighbourhood;
using collapse::test::check_refused;
using collapse::test::npy_file;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;
using Json = nlohmann::ordered_json;

namespace {

Outcome score(const std::string& arguments) { return collapse::test::run(COLLAPSE_COMMAND_LINE, "score " + arguments); }

Json scored_json(const std::string& arguments) {
  const Outcome outcome = score(arguments + " --json");
  CAPTURE(arguments, outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
  return Json::parse(outcome.out);
}

/// As it comes out of its text: only there do integers have one type.
Json parsed(const Neighbourhood& rows) { return Json::parse(Json(rows).dump()); }

/// Some rows are there twice.
Eigen::MatrixXf rows_with_copies() {
  Eigen::MatrixXf z = collapse::synthetic::isotropic<float>(90, 6);
  z.bottomRows(7) = z.topRows(7);
  return z;
}

}  // namespace

TEST_CASE("option --neighbours adds the neighbourhood of the rows after all else", "[command_line_neighbours]") {
  const TemporaryFolder folder;
  const Eigen::MatrixXf z = rows_with_copies();
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  const Outcome without = score(file);
  const Outcome with = score(file + " --neighbours");
  REQUIRE(with.status == 0);
  CHECK(with.err.empty());
  // The last paragraph names what was not asked for.
  const std::string report = without.out.substr(0, without.out.find("\nnot asked for: "));
  CHECK(without.out.size() > report.size());
  CHECK(with.out == report + fmt::format("\n{}\n", neighbourhood(z)) +
                        "\nnot asked for: --isotropy, --labels FILE, --resamples N\n");

  Json json = scored_json(file + " --neighbours");
  CHECK(json["neighbours"] == parsed(neighbourhood(z)));
  CHECK(json["neighbours"]["duplicate_rows"] == 14.0 / 90.0);
  json.erase("neighbours");
  json.erase("seconds");
  Json plain = scored_json(file);
  plain.erase("seconds");
  CHECK(json == plain);
}

TEST_CASE("option --neighbours asks among the rows of all files", "[command_line_neighbours]") {
  const TemporaryFolder folder;
  const Eigen::MatrixXf z = rows_with_copies();
  const std::string first = quoted(folder.write("first.npy", npy_file(z.topRows(40))));
  const std::string second = quoted(folder.write("second.npy", npy_file(z.bottomRows(50))));
  CHECK(scored_json(first + " " + second + " --neighbours")["neighbours"] == parsed(neighbourhood(z)));
  // Measured twice, it is asked twice.
  CHECK(scored_json(first + " " + second + " --neighbours --repeat 2")["neighbours"] == parsed(neighbourhood(z)));
}

TEST_CASE("option --neighbours keeps the scalar of the rows, and its metric and seed reach them",
          "[command_line_neighbours]") {
  const TemporaryFolder folder;
  const Eigen::MatrixXd z = collapse::synthetic::isotropic<double>(600, 5);
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  CHECK(scored_json(file + " --neighbours")["neighbours"] == parsed(neighbourhood(z)));
  CHECK(scored_json(file + " --neighbours --metric euclidean --seed 3")["neighbours"] ==
        parsed(neighbourhood(z, {.seed = 3})));
  CHECK(neighbourhood(z, {.seed = 3}).median_distance != neighbourhood(z).median_distance);
  const Json by_cosine = scored_json(file + " --neighbours --metric cosine")["neighbours"];
  CHECK(by_cosine == parsed(neighbourhood(z, {.metric = collapse::Metric::cosine})));
  CHECK(by_cosine["metric"] == "cosine");
}

TEST_CASE("option --neighbours leaves out the rows that --skip-nonfinite does", "[command_line_neighbours]") {
  const TemporaryFolder folder;
  Eigen::MatrixXf z = rows_with_copies();
  z(50, 2) = std::numeric_limits<float>::quiet_NaN();
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  check_refused(score(file + " --neighbours"), "row 50, column 2 (counted from 0) is nan");
  const Json json = scored_json(file + " --neighbours --skip-nonfinite")["neighbours"];
  CHECK(json["samples"] == 89);
  CHECK(json["skipped_rows"] == 1);
}

TEST_CASE("option --neighbours reads text and pipes as it reads files", "[command_line_neighbours]") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::to_string(i) + "," + std::to_string(i * i % 7) + "\n";
  const Json json = scored_json(quoted(folder.write("Z.csv", text)) + " --neighbours")["neighbours"];
  CHECK(json["samples"] == 40);
  CHECK(json["distinct_modes"] == 40);
  const Eigen::MatrixXf z = rows_with_copies();
  const std::string bytes = npy_file(z);
  const auto raw = folder.write("Z.raw", bytes.substr(bytes.size() - static_cast<std::size_t>(z.size()) * 4));
  CHECK(scored_json("--stdin --dims 6 --dtype f4 --neighbours < " + quoted(raw))["neighbours"] ==
        parsed(neighbourhood(z)));
}

TEST_CASE("neighbours are refused among rows of two types and with an unknown metric", "[command_line_neighbours]") {
  const TemporaryFolder folder;
  const Eigen::MatrixXf z = rows_with_copies();
  const std::string narrow = quoted(folder.write("narrow.npy", npy_file(z)));
  const std::filesystem::path wide = folder.write("wide.npy", npy_file(z.cast<double>()));
  CHECK(score(narrow + " " + quoted(wide)).status == 0);
  check_refused(score(narrow + " " + quoted(wide) + " --neighbours"),
                wide.string() + ": holds another type of number than the file before");
  check_refused(score(narrow + " --neighbours --metric manhattan"), "'manhattan' is not one of euclidean, cosine");
  check_refused(score(narrow + " --metric cosine"), "--metric requires --neighbours");
}

#endif  // COLLAPSE_COMMAND_LINE
