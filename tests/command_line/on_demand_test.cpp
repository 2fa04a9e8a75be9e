#ifdef COLLAPSE_COMMAND_LINE

#include "support/command_line.hpp"

#include <collapse/classes.hpp>
#include <collapse/compare.hpp>
#include <collapse/isotropy.hpp>
#include <collapse/json.hpp>
#include <collapse/text/comparison.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/labelled.hpp"
#include "support/npy_file.hpp"
#include "support/reference_statistics.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using collapse::Index;
using collapse::reference::Dense;
using collapse::test::check_refused;
using collapse::test::npy_file;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;
using Json = nlohmann::ordered_json;

namespace {

Outcome run(const std::string& arguments) { return collapse::test::run(COLLAPSE_COMMAND_LINE, arguments); }

Json json_of(const std::string& arguments) {
  const Outcome outcome = run(arguments + " --json");
  CAPTURE(arguments, outcome.err);
  REQUIRE(outcome.status == 0);
  return Json::parse(outcome.out);
}

std::string lines_of(const std::vector<int>& labels) {
  std::string text;
  for (const int label : labels) text += std::to_string(label) + "\n";
  return text;
}

/// Whether two JSON values have the same shape and numbers within 1e-9.
bool agree(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>();
    const double y = b.get<double>();
    return std::abs(x - y) <= 1e-9 * std::max(std::abs(x), std::abs(y)) + 1e-13;
  }
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_structured()) {
    for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
      if (a.is_object() && i.key() != j.key()) return false;
      if (!agree(*i, *j)) return false;
    }
    return true;
  }
  return a == b;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("option --labels adds the report on classes", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const std::vector<int> labels = collapse::reference::labels_of(70, 3);
  const Dense<float> z = collapse::reference::classes_around<float>(labels, 5, 0.0, 1.0);
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  const std::string names = quoted(folder.write("y.txt", lines_of(labels)));
  collapse::ClassOptions options;
  options.silhouette = options.knn = options.linear_probe = true;
  const Json json = json_of("score " + file + " --labels " + names);
  // Through its text: only there do integers have one type.
  CHECK(agree(json.at("labels"), Json::parse(Json(collapse::class_collapse(z, labels, options)).dump())));
  CHECK_FALSE(json_of("score " + file).contains("labels"));

  const Outcome text = run("score " + file + " --labels " + names);
  CHECK(contains(text.out, "70 rows in 3 classes"));
  CHECK(contains(text.out, "not asked for: --isotropy, --neighbours, --resamples N\n"));
}

TEST_CASE("labels are one for each row of all files", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const std::vector<int> labels = collapse::reference::labels_of(50, 3);
  const Dense<float> z = collapse::reference::classes_around<float>(labels, 4, 0.0, 1.0);
  const std::string whole = quoted(folder.write("Z.npy", npy_file(z)));
  const std::string halves = quoted(folder.write("A.npy", npy_file(z.topRows(20)))) + " " +
                             quoted(folder.write("B.npy", npy_file(z.bottomRows(30))));
  const std::string names = quoted(folder.write("y.txt", lines_of(labels)));
  CHECK(agree(json_of("score " + halves + " --labels " + names).at("labels"),
              json_of("score " + whole + " --labels " + names).at("labels")));
  for (const Index count : {49, 51}) {
    const std::vector<int> wrong = collapse::reference::labels_of(count, 3);
    check_refused(run("score " + whole + " --labels " + quoted(folder.write("wrong.txt", lines_of(wrong)))),
                  "holds " + std::to_string(count) + " labels");
  }
  check_refused(run("score " + whole + " --labels " + quoted(folder / "none.txt")), "none.txt");
  check_refused(run("score " + whole + " --labels " + quoted(folder.write("bad.txt", "one\n"))), "line 1");
}

TEST_CASE("option --isotropy adds the block of that name", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const Dense<double> z = collapse::reference::gaussian<double>(60, 7, 3);
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  const Json json = json_of("score " + file + " --isotropy");
  CHECK(agree(json.at("isotropy"), Json::parse(Json(collapse::isotropy(z)).dump())));
  CHECK_FALSE(json.contains("uniformity"));
  CHECK_FALSE(json_of("score " + file).contains("isotropy"));
  const Outcome text = run("score " + file + " --isotropy");
  CHECK(contains(text.out, " isotropy "));
  CHECK(contains(text.out, "vendi score"));
  CHECK(contains(text.out, "not asked for: --labels FILE, --neighbours, --resamples N\n"));
}

TEST_CASE("option --uniformity is another name of --isotropy", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const std::string file = quoted(folder.write("Z.npy", npy_file(collapse::reference::gaussian<float>(60, 7, 3))));
  CHECK(run("score " + file + " --uniformity").out == run("score " + file + " --isotropy").out);
  CHECK(json_of("score " + file + " --uniformity").at("isotropy") ==
        json_of("score " + file + " --isotropy").at("isotropy"));
}

TEST_CASE("option --resamples adds standard errors and leaves the report", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const Dense<float> z = collapse::reference::gaussian<float>(1500, 6, 3);
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  Json json = json_of("score " + file + " --resamples 10");
  Json plain = json_of("score " + file);
  CHECK(json.at("confidence").at("resamples") == 10);
  const Json& mean = json.at("confidence").at("estimates").at("norms.mean");
  const Eigen::ArrayXd lengths = z.cast<double>().rowwise().norm().array();
  const double deviation = std::sqrt((lengths - lengths.mean()).square().sum() / 1499.0);
  // Ten groups tell a standard error to about a quarter of it.
  CHECK(std::abs(mean.at("standard_error").get<double>() / (deviation / std::sqrt(1500.0)) - 1.0) < 0.9);
  CHECK(mean.at("low").get<double>() < mean.at("value").get<double>());
  json.erase("confidence");
  json.erase("seconds");
  plain.erase("seconds");
  CHECK(agree(json, plain));
  CHECK(contains(run("score " + file + " --resamples 3").out, "3 groups of rows left out in turn"));
  check_refused(run("score " + file + " --resamples 1"), "--resamples");
}

TEST_CASE("a bad value is named by its row also when rows are dealt to groups", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  Dense<float> z = collapse::reference::gaussian<float>(40, 3, 3);
  z(29, 2) = std::numeric_limits<float>::infinity();
  const std::string file = quoted(folder.write("Z.npy", npy_file(z)));
  check_refused(run("score " + file + " --resamples 7"), "row 29, column 2");
  const Json json = json_of("score " + file + " --resamples 7 --skip-nonfinite");
  CHECK(json.at("samples") == 39);
  CHECK(json.at("norms").at("skipped_rows") == 1);
}

TEST_CASE("fewer rows than groups have as many groups as rows", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const std::string file = quoted(folder.write("Z.npy", npy_file(collapse::reference::gaussian<float>(5, 3, 3))));
  CHECK(json_of("score " + file + " --resamples 20").at("confidence").at("resamples") == 5);
}

TEST_CASE("the command compare prints the comparison of two files", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  const Dense<float> a = collapse::reference::gaussian<float>(1100, 6, 3);
  const Dense<float> b = a + 0.5F * collapse::reference::gaussian<float>(1100, 6, 4);
  const std::string files =
      quoted(folder.write("A.npy", npy_file(a))) + " " + quoted(folder.write("B.npy", npy_file(b)));
  const collapse::Comparison expected = collapse::compare(a, b);
  CHECK(agree(json_of("compare " + files), Json::parse(Json(expected).dump())));
  const Outcome text = run("compare " + files);
  CHECK(text.status == 0);
  CHECK(text.out == fmt::format("{}\n", expected));
  CHECK(run("compare " + files + " --fail-on healthy").status == 1);
  CHECK(run("compare " + files + " --fail-on complete_collapse").status == 0);
}

TEST_CASE("views that do not belong together are refused by name", "[command_line_on_demand]") {
  const TemporaryFolder folder;
  Dense<float> a = collapse::reference::gaussian<float>(20, 4, 3);
  const std::string first = quoted(folder.write("A.npy", npy_file(a)));
  const auto second = [&](const auto& b) { return quoted(folder.write("B.npy", npy_file(b))); };
  check_refused(run("compare " + first + " " + second(a.topRows(19).eval())), "has 19 rows");
  check_refused(run("compare " + first + " " + second(a.cast<double>().eval())), "another type");
  check_refused(run("compare " + first), "FILE");
  check_refused(run("compare " + first + " " + first + " " + first), "");
  a(7, 1) = std::numeric_limits<float>::quiet_NaN();
  check_refused(run("compare " + first + " " + second(a)), "B.npy: row 7, column 1");
  check_refused(run("compare " + second(a) + " " + first), "B.npy: row 7, column 1");
  const Json json = json_of("compare " + first + " " + second(a) + " --skip-nonfinite");
  CHECK(json.at("samples") == 19);
  CHECK(json.at("skipped_rows") == 1);
}

#endif
