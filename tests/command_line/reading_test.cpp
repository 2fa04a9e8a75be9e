#ifdef COLLAPSE_COMMAND_LINE

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/command_line.hpp"
#include "support/mentions.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

using collapse::test::bytes_of;
using collapse::test::check_refused;
using collapse::test::mentions;
using collapse::test::NpyBytes;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;
using Json = nlohmann::json;

namespace {

Outcome run(const std::string& arguments) { return collapse::test::run(COLLAPSE_COMMAND_LINE, arguments); }

Outcome score(const std::filesystem::path& file, const std::string& options = "") {
  return run("score " + quoted(file) + " " + options);
}

// The matrix of these tests is z(i, j) = ((37 i + 11 j + 5 i j) mod 101) / 8 - 6 for 40 x 4, exact in text. Its effective
// rank, exp of the entropy of the shares of the centred singular values, by numpy 1.24:
//
//     i, j = np.mgrid[0:40, 0:4]; z = ((37*i + 11*j + 5*i*j) % 101) / 8 - 6
//     s = np.linalg.svd(z - z.mean(0), compute_uv=False); p = s / s.sum(); np.exp(-(p * np.log(p)).sum())
constexpr int rows = 40;
constexpr int cols = 4;
constexpr double effective_rank = 3.994899149628846;
// The same of the first three columns, and without row 7.
constexpr double effective_rank_of_three = 2.9988966371936194;
constexpr double effective_rank_without_row = 3.9896397162010317;

double value(int i, int j) { return ((37 * i + 11 * j + 5 * i * j) % 101) / 8.0 - 6.0; }

std::string row(int i, const std::string& separator = ",") {
  std::string line;
  for (int j = 0; j < cols; ++j) line += (j > 0 ? separator : "") + fmt::format("{}", value(i, j));
  return line;
}

std::string lines(const std::string& separator = ",") {
  std::string text;
  for (int i = 0; i < rows; ++i) text += row(i, separator) + "\n";
  return text;
}

/// One line of each row: before(i) + its numbers + behind.
template <class Before>
std::string lines_behind(Before before, const std::string& separator = ",", const std::string& behind = "") {
  std::string text;
  for (int i = 0; i < rows; ++i) text += before(i) + row(i, separator) + behind + "\n";
  return text;
}

/// A report was made of the matrix, however it was written.
Json check_matrix(const std::filesystem::path& file, const std::string& options = "", double rank = effective_rank,
                  int samples = rows) {
  CAPTURE(file.filename().string(), options);
  const Outcome outcome = score(file, "--json " + options);
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  Json json = Json::parse(outcome.out);
  CHECK(json.at("samples") == samples);
  CHECK(std::abs(json.at("spectrum").at("effective_rank").get<double>() / rank - 1.0) < 1e-10);
  // What is said on reading stands in both places.
  CHECK(outcome.err.empty() == !json.contains("remarks"));
  return json;
}

}  // namespace

TEST_CASE("the same matrix is read from every way to write it", "[command_line]") {
  const TemporaryFolder folder;
  CHECK_FALSE(check_matrix(folder.write("plain.csv", lines())).contains("remarks"));
  const Json index = check_matrix(
      folder.write("index.csv", "key,0,1,2,3\n" + lines_behind([](int i) { return fmt::format("{},", 500 + i); })));
  REQUIRE(index.at("remarks").size() == 1);
  CHECK(mentions(index.at("remarks")[0].get<std::string>(),
                 "index.csv: column 1 ('key') holds whole numbers from 500 on"));
  const Json header = check_matrix(folder.write("counted.csv", "1,2,3,4\n" + lines()));
  CHECK(mentions(header.at("remarks").at(0).get<std::string>(), "line 1 counts up from 1"));
  check_matrix(
      folder.write("lists.csv", "text,vector\n" + lines_behind([](int) { return "\"a, [b]\",\"["; }, ", ", "]\"")));
  check_matrix(folder.write("numpy.csv", "text,vector\n" + lines_behind([](int) { return "a,\"["; }, "\n ", "]\"")));
  check_matrix(folder.write("tensors.csv", "t,v\n" + lines_behind([](int) { return "a,\"tensor(["; }, ", ", "])\"")));
  check_matrix(folder.write("nodes.emb", "40 4\n" + lines_behind([](int i) { return fmt::format("{} ", i); }, " ")));
  check_matrix(folder.write("nodes", "40 4\n" + lines_behind([](int i) { return fmt::format("{} ", i); }, " ")));
  const auto word = [](int i) {
    return i == 0   ? std::string("#tag ")
           : i == 5 ? std::string("  ")
           : i == 9 ? std::string("# ")
                    : fmt::format("w{} ", i);
  };
  check_matrix(folder.write("words.txt", lines_behind(word, " ")));
  check_matrix(folder.write("words.vec", "40 4\n" + lines_behind(word, " ")));
  std::string comma = "a;b;c;d\n" + lines(";");
  std::replace(comma.begin(), comma.end(), '.', ',');
  check_refused(score(folder.write("comma.csv", comma)), "is written with a decimal comma");
  check_matrix(folder / "comma.csv", "--decimal-comma");
  NpyBytes eighths;
  std::vector<std::int8_t> values;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) values.push_back(static_cast<std::int8_t>(8.0 * value(i, j)));
  }
  eighths.descr = "'|i1'";
  eighths.shape = "(40, 4)";
  eighths.data = bytes_of(values, false);
  check_matrix(folder.write("eighths.npy", eighths.str()));
  check_matrix(folder.write("eighths", eighths.str()));
}

TEST_CASE("missing values are refused with their place or left out with their row", "[command_line]") {
  const TemporaryFolder folder;
  for (const std::string cell : {"", "NA", "N/A", "nan", "null", "None"}) {
    CAPTURE(cell);
    std::string text = "a,b,c,d\n";
    for (int i = 0; i < rows; ++i) text += i == 7 ? fmt::format("1,{},3,4\n", cell) : row(i) + "\n";
    const auto file = folder.write("Z.csv", text);
    check_refused(score(file), "line 9, column 2 ('b'): missing value");
    const Json json = check_matrix(file, "--skip-nonfinite", effective_rank_without_row, rows - 1);
    CHECK(json.at("norms").at("skipped_rows") == 1);
    check_refused(run("layers " + quoted(file)), "line 9, column 2 ('b'): missing value");
    check_refused(run("compare " + quoted(file) + " " + quoted(file)), "line 9, column 2 ('b'): missing value");
  }
}

TEST_CASE("columns of any file are chosen on the command line", "[command_line]") {
  const TemporaryFolder folder;
  const auto text = folder.write(
      "Z.csv", "id,word,x0,x1,x2,x3\n" + lines_behind([](int i) { return fmt::format("{},w{},", 40 - i, i); }));
  check_refused(score(text), "--columns");
  check_matrix(text, "--columns 2-");
  check_matrix(text, "--columns x0-x3");
  check_matrix(text, "--drop-columns id,word");
  check_matrix(text, "--columns x0-x3 --drop-columns x3", effective_rank_of_three);
  check_refused(score(text, "--columns x9"), "no column is called 'x9'");
  check_refused(score(text, "--columns 9"), "there are 6 (counted from 0)");
  check_refused(score(text, "--columns 1,,2"), "--columns: a list of columns has an empty item");
  NpyBytes npy;
  std::vector<double> values;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) values.push_back(value(i, j));
  }
  npy.descr = std::endian::native == std::endian::little ? "'<f8'" : "'>f8'";
  npy.shape = "(40, 4)";
  npy.data = bytes_of(values, false);
  const auto file = folder.write("Z.npy", npy.str());
  check_matrix(file, "--columns 0-2", effective_rank_of_three);
  check_matrix(file, "--drop-columns 3 --isotropy --neighbours", effective_rank_of_three);
  check_refused(score(file, "--columns x"), "no header names the columns");
  check_refused(score(file, "--drop-columns 0-"), "no column is left");
  const auto raw = folder.write("raw", npy.data);
  const Outcome piped = run("score --stdin --dims 4 --dtype f8 --columns 0-2 --json < " + quoted(raw));
  REQUIRE(piped.status == 0);
  CHECK(Json::parse(piped.out).at("dims") == 3);
  const Outcome layers = run("layers --columns 0-2 --json " + quoted(file));
  REQUIRE(layers.status == 0);
  CHECK(Json::parse(layers.out).at("layers").at(0).at("units") == 3);
  check_matrix(folder.write("counted.csv", "1,2,3,4\n" + lines()), "--header yes");
  CHECK(score(folder / "counted.csv", "--header no --json").out.find("\"samples\":41") != std::string::npos);
}

TEST_CASE("labels are any whole numbers unless one means none", "[command_line]") {
  const TemporaryFolder folder;
  const auto file = folder.write("Z.csv", lines());
  std::string labels = "\xef\xbb\xbflabel\r\n";
  for (int i = 0; i < rows; ++i) labels += i % 2 == 0 ? "-1.000e+00\r\n" : "1.000e+00\r\n\r\n";
  const auto y = folder.write("y.txt", labels);
  const auto found = [&](const std::string& options) {
    const Outcome outcome = score(file, "--json --labels " + quoted(y) + " " + options);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return Json::parse(outcome.out).at("labels");
  };
  CHECK(found("").at("classes") == 2);
  CHECK(found("").at("samples") == 40);
  CHECK(found("--unlabelled -1").at("classes") == 1);
  CHECK(found("--unlabelled -1").at("unlabelled_rows") == 20);
  CHECK(found("--unlabelled 7").at("unlabelled_rows") == 0);
  check_refused(score(file, "--unlabelled -1"), "--labels");
  check_refused(score(file, "--labels " + quoted(y) + " --unlabelled none"), "--unlabelled: 'none'");
  std::string series = "0\n";
  for (int i = 0; i < rows; ++i) series += "1\n";
  check_refused(score(file, "--labels " + quoted(folder.write("s.txt", series))), "may be a header");
}

TEST_CASE("thresholds are set by preset and by name", "[command_line]") {
  const TemporaryFolder folder;
  const auto file = folder.write("Z.csv", lines());
  const auto verdict = [&](const std::string& options) {
    const Outcome outcome = score(file, "--json " + options);
    CAPTURE(options, outcome.err);
    REQUIRE(outcome.status == 0);
    return Json::parse(outcome.out).at("diagnosis").at("verdict").get<std::string>();
  };
  CHECK(verdict("") == "healthy");
  CHECK(verdict("--threshold complete_dispersion=1") == "complete_collapse");
  CHECK(verdict("--threshold complete_dispersion=1 --threshold complete_dispersion=0.01") == "healthy");
  CHECK(verdict("--threshold minimum_samples=41 --threshold complete_dispersion=0.01") == "undetermined");
  for (const std::string preset : {"self-supervised", "contrastive", "language-model", "supervised", "autoencoder"}) {
    CHECK(verdict("--preset " + preset) == "healthy");
  }
  // The preset first, wherever it stands.
  CHECK(verdict("--threshold minimum_samples=41 --preset supervised") == "undetermined");
  check_refused(score(file, "--preset superviced"), "--preset: 'superviced' is no preset; there are supervised");
  check_refused(score(file, "--threshold complete_dispersionn=1"), "similar ones are complete_dispersion");
  check_refused(score(file, "--threshold complete_dispersion=2"), "lies from 0 to 1");
  check_refused(score(file, "--threshold complete_dispersion=x"), "'x' is not a number");
  check_refused(score(file, "--threshold complete_dispersion"), "is not NAME=VALUE");
  check_refused(run("layers " + quoted(file) + " --threshold none=1"), "no threshold is called 'none'");
}

TEST_CASE("a baseline is a gate that says what fell", "[command_line]") {
  const TemporaryFolder folder;
  const auto file = folder.write("Z.csv", lines());
  const auto good = folder.write("good.json", score(file, "--json").out);
  const std::string against = "--baseline " + quoted(good);
  const Outcome same = score(file, against);
  CHECK(same.status == 0);
  CHECK(mentions(same.out, "nothing fell"));
  std::string thin;
  for (int i = 0; i < rows; ++i)
    thin += fmt::format("{0},{0},{1},{0}\n", value(i, 0), value(i, 0) + 0.01 * value(i, 1));
  const auto bad = folder.write("bad.csv", thin);
  const Outcome fell = score(bad, against);
  CHECK(fell.status == 1);
  CHECK(mentions(fell.out, "the verdict was healthy and is"));
  CHECK(mentions(fell.out, "spectrum.effective_rank_vs_expected was "));
  const Outcome json = score(bad, "--json " + against);
  CHECK(json.status == 1);
  const Json baseline = Json::parse(json.out).at("baseline");
  CHECK(baseline.at("fell") == true);
  CHECK(baseline.at("falls").at(0).at("metric") == "spectrum.effective_rank_vs_expected");
  CHECK(Json::parse(score(file, "--json " + against).out).at("baseline").at("fell") == false);
  // The report against which it was measured is one of --json itself.
  check_refused(score(file, "--baseline " + quoted(file)), "is no report");
  check_refused(score(file, "--baseline " + quoted(folder.write("x.json", "{\"spectrum\": 3}"))), "is no report");
  check_refused(score(file, "--baseline " + quoted(folder.write("e.json", ""))), "is no report");
  check_refused(score(file, "--baseline " + quoted(folder / "none.json")), "cannot open");
}

TEST_CASE("layers of unequal rows are said", "[command_line]") {
  const TemporaryFolder folder;
  const auto whole = folder.write("whole.csv", lines());
  std::string part;
  for (int i = 0; i < 20; ++i) part += row(i) + "\n";
  const Outcome outcome = run("layers " + quoted(whole) + " " + quoted(folder.write("part.csv", part)));
  CHECK(outcome.status == 0);
  CHECK(mentions(outcome.err, "part.csv: has 20 rows, "));
  CHECK(mentions(outcome.err, " has 40; layers are compared on the same inputs"));
  CHECK(run("layers " + quoted(whole) + " " + quoted(whole)).err.empty());
}

TEST_CASE("files of other formats are refused by what they are", "[command_line]") {
  const TemporaryFolder folder;
  check_refused(score(folder.write("Z.csv.gz", std::string("\x1f\x8b\x08\0\0\0", 6))), "is compressed with gzip");
  check_refused(score(folder.write("Z.parquet", std::string("PAR1\x15\0\x15", 7))), "is a Parquet file");
  check_refused(score(folder.write("Z.bin", std::string("\0\0\0\0", 4))), "no .safetensors file and no text");
  check_refused(score(folder.write("Z.dat", "")), "is empty");
  if (!std::filesystem::exists("/dev/stdin")) return;
  const auto file = folder.write("Z.csv", lines());
  const Outcome piped =
      collapse::test::run("cat", quoted(file) + " | " + quoted(COLLAPSE_COMMAND_LINE) + " score /dev/stdin --json");
  CHECK(piped.status == 0);
  CHECK(Json::parse(piped.out).at("samples") == rows);
}

#endif  // COLLAPSE_COMMAND_LINE
