#ifdef COLLAPSE_COMMAND_LINE

#include "support/command_line.hpp"
#include "support/mentions.hpp"

#include <collapse/json.hpp>
#include <collapse/measure.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/reference_statistics.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using collapse::Index;
using collapse::reference::Dense;
using collapse::test::bytes_of;
using collapse::test::check_refused;
using collapse::test::mentions;
using collapse::test::NpyBytes;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;
using Json = nlohmann::ordered_json;

namespace {

const std::filesystem::path program = COLLAPSE_COMMAND_LINE;

Outcome run(const std::string& arguments) { return collapse::test::run(program.string(), arguments); }

Outcome score(const std::filesystem::path& file, const std::string& options = "") {
  return run("score " + quoted(file) + " " + options);
}

/// A file of these bytes is refused by name, for these reasons.
void check_file_refused(const std::string& bytes, const std::vector<std::string>& reasons,
                        const std::string& options = "") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("some embeddings.npy", bytes);
  const Outcome outcome = score(file, options);
  check_refused(outcome, file.string());
  for (const std::string& reason : reasons) CHECK(mentions(outcome.err, reason));
}

Outcome check_scored(const Outcome& outcome, int status = 0) {
  CAPTURE(outcome.err);
  CHECK(outcome.status == status);
  CHECK(outcome.err.empty());
  CHECK((!outcome.out.empty() && outcome.out.back() == '\n'));
  return outcome;
}

/// The object of --json without what differs from run to run.
std::string without_seconds(const std::string& json) {
  const std::size_t last = json.rfind(",\"seconds\":");
  REQUIRE(last != std::string::npos);
  return json.substr(0, last) + "}";
}

/// The report in the object of --json.
Json scored_json(const std::filesystem::path& file, const std::string& options = "", int status = 0) {
  const Outcome outcome = check_scored(score(file, "--json " + options), status);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
  return Json::parse(without_seconds(outcome.out));
}

template <class Scalar>
std::string npy(const Dense<Scalar>& z, const std::string& descr, bool fortran = false, bool swapped = false) {
  std::vector<Scalar> values;
  for (Index a = 0; a < (fortran ? z.cols() : z.rows()); ++a) {
    for (Index b = 0; b < (fortran ? z.rows() : z.cols()); ++b) values.push_back(fortran ? z(b, a) : z(a, b));
  }
  NpyBytes bytes;
  bytes.descr = "'" + descr + "'";
  bytes.fortran_order = fortran ? "True" : "False";
  bytes.shape = "(" + std::to_string(z.rows()) + ", " + std::to_string(z.cols()) + ")";
  bytes.data = bytes_of(values, swapped);
  return bytes.str();
}

constexpr bool is_little_endian = std::endian::native == std::endian::little;

std::string native(const std::string& type) { return (is_little_endian ? "<" : ">") + type; }
std::string foreign(const std::string& type) { return (is_little_endian ? ">" : "<") + type; }

std::string npy(const Dense<float>& z) { return npy(z, native("f4")); }

/// Near N(0, 1), and exact in every scalar.
Dense<float> exact(Index rows, Index cols, std::uint64_t seed = 1) {
  Dense<float> z = collapse::reference::gaussian<float>(rows, cols, seed);
  return (z * 64.0F).array().round() / 64.0F;
}

std::string npy_of(const std::string& descr, const std::string& shape, std::size_t data_bytes) {
  NpyBytes bytes;
  bytes.descr = "'" + descr + "'";
  bytes.shape = shape;
  bytes.data = std::string(data_bytes, '\0');
  return bytes.str();
}

/// A report as it comes out of its text: only there do integers have one type.
Json parsed(const collapse::Report& report) { return Json::parse(Json(report).dump()); }

/// Equal up to rounding; sums whose terms cancel keep that of the terms.
bool is_close(double x, double y, double slack = 1e-14) {
  return std::abs(x - y) <= 1e-11 * std::max(std::abs(x), std::abs(y)) + slack;
}

/// Two reports agree in their keys and, up to rounding, in all numbers but the `excepted` keys.
void check_agree(const Json& a, const Json& b, const std::vector<std::string>& excepted = {}) {
  REQUIRE(a.type() == b.type());
  REQUIRE(a.size() == b.size());
  if (a.is_number_float()) {
    CHECK(is_close(a.get<double>(), b.get<double>()));
  } else if (a.is_object()) {
    for (const auto& [key, value] : a.items()) {
      CAPTURE(key);
      REQUIRE(b.contains(key));
      if (std::find(excepted.begin(), excepted.end(), key) != excepted.end()) continue;
      if (key != "singular_values") {
        check_agree(value, b.at(key), excepted);
        continue;
      }
      REQUIRE(value.size() == b.at(key).size());
      for (std::size_t i = 0; i < value.size(); ++i) {
        // Below the floor there is nothing but rounding.
        const double x = value[i].get<double>();
        const double floor = a.at("noise_floor").get<double>();
        CHECK(is_close(x, b.at(key)[i].get<double>(), x > floor ? 1e-14 : floor));
      }
    }
  } else if (a.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i) check_agree(a[i], b[i], excepted);
  } else {
    CHECK(a == b);
  }
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

TEST_CASE("score prints a report whose first line is the verdict", "[command_line]") {
  const TemporaryFolder folder;
  const Outcome outcome = check_scored(score(folder.write("Z.npy", npy(exact(60, 6)))));
  CHECK(outcome.out.rfind("HEALTHY · 60 samples × 6 dims · float32 · ", 0) == 0);
  for (const std::string group : {"effective rank", "mean cosine", "dispersion", "norms of the rows", "decorrelation",
                                  "variance of the dims", "spectrum", "singular values", "pairwise cosines"}) {
    CHECK(mentions(outcome.out, group));
  }
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(columns(line) <= 80);
  }
}

TEST_CASE("the same file gives the same bytes each time", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(70, 6)));
  CHECK(check_scored(score(file)).out == check_scored(score(file)).out);
  for (const std::string options : {"--json", "--json --pair-rows 20 --seed 4"}) {
    CAPTURE(options);
    CHECK(without_seconds(check_scored(score(file, options)).out) ==
          without_seconds(check_scored(score(file, options)).out));
  }
}

TEST_CASE("option --json ends with the seconds of measuring and --repeat changes nothing else", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(60, 6)));
  const std::string expected = without_seconds(check_scored(score(file, "--json")).out);
  for (const std::string options : {"", "--repeat 1", "--repeat 2", "--repeat=3"}) {
    CAPTURE(options);
    const Outcome outcome = check_scored(score(file, "--json " + options));
    CHECK(without_seconds(outcome.out) == expected);
    const Json json = Json::parse(outcome.out);
    REQUIRE(std::prev(json.end()).key() == "seconds");
    const Json& seconds = json.at("seconds");
    REQUIRE(seconds.is_number_float());
    CHECK(seconds.get<double>() >= 0.0);
  }
  CHECK(score(file).out.find("seconds") == std::string::npos);
}

TEST_CASE("option --repeat is refused where it has no effect or the rows come only once", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(60, 6)));
  check_refused(score(file, "--repeat 3"), "--repeat requires --json");
  check_refused(run("score --json --repeat 3 --stdin --dims 6 --dtype f4 < " + quoted(file)), "--stdin");
  check_refused(run("merge --repeat 3 " + quoted(file)), "--repeat");
  if (!std::filesystem::exists("/dev/stdin")) return;
  const auto piped = [&](const std::string& options) {
    return collapse::test::run("cat", quoted(file) + " | " + quoted(program) + " score /dev/stdin --json " + options);
  };
  check_refused(piped("--repeat 2"), "/dev/stdin: a pipe can be read only once");
  check_scored(piped("--repeat 1"));
}

TEST_CASE("option --json prints the report of measure as one object on one line", "[command_line]") {
  const TemporaryFolder folder;
  for (const auto& [rows, cols] : {std::pair<Index, Index>{60, 6}, {20, 33}, {5, 3}, {2, 1}}) {
    CAPTURE(rows, cols);
    const Dense<float> z = exact(rows, cols);
    const Json json = scored_json(folder.write("Z.npy", npy(z)));
    CHECK(json.begin().key() == "collapse_version");
    CHECK(json.at("samples") == rows);
    CHECK(json.at("dims") == cols);
    check_agree(json, parsed(collapse::measure(z)));
  }
}

TEST_CASE("undefined numbers are null in --json and a dash in the report", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(Dense<float>(Dense<float>::Zero(20, 3))));
  const Json json = scored_json(file);
  CHECK(json.at("cosine").at("mean").is_null());
  CHECK(json.at("decorrelation").at("max_pair").is_null());
  CHECK(json.at("norms").at("zero_rows") == 20);
  CHECK(json.dump().find(":nan") == std::string::npos);
  const Outcome outcome = check_scored(score(file));
  CHECK(mentions(outcome.out, "mean cosine              -"));
  CHECK(outcome.out.find("nan") == std::string::npos);
}

TEST_CASE("both byte orders and both storage orders give the same bytes", "[command_line]") {
  const TemporaryFolder folder;
  const Dense<float> z = exact(50, 7);
  const auto check = [&](const std::string& type, const auto& values) {
    CAPTURE(type);
    const std::string expected =
        without_seconds(check_scored(score(folder.write("Z.npy", npy(values, native(type))), "--json")).out);
    for (const bool fortran : {false, true}) {
      for (const bool swapped : {false, true}) {
        CAPTURE(fortran, swapped);
        const std::string bytes = npy(values, swapped ? foreign(type) : native(type), fortran, swapped);
        const std::filesystem::path file = folder.write("other.npy", bytes);
        CHECK(without_seconds(score(file, "--json").out) == expected);
      }
    }
  };
  check("f2", z.cast<Eigen::half>().eval());
  check("f4", z);
  check("f8", z.cast<double>().eval());
}

TEST_CASE("float16, float32 and float64 files of the same numbers agree", "[command_line]") {
  const TemporaryFolder folder;
  const Dense<float> z = exact(50, 7);
  const auto file_half = folder.write("half.npy", npy(z.cast<Eigen::half>().eval(), native("f2")));
  const auto file_float = folder.write("float.npy", npy(z));
  const auto file_double = folder.write("double.npy", npy(z.cast<double>().eval(), native("f8")));
  for (const std::string method : {"gram", "svd"}) {
    CAPTURE(method);
    const Json single_precision = scored_json(file_float, "--method " + method);
    const Json half = scored_json(file_half, "--method " + method);
    const Json double_precision = scored_json(file_double, "--method " + method);
    CHECK(half.at("input_epsilon") == 0x1p-10);
    CHECK(single_precision.at("input_epsilon") == 0x1p-23);
    CHECK(double_precision.at("input_epsilon") == 0x1p-52);
    check_agree(half, single_precision, {"input_epsilon", "noise_floor"});
    check_agree(double_precision, single_precision, {"input_epsilon", "noise_floor"});
  }
  CHECK(mentions(score(file_half).out, "float16"));
  CHECK(mentions(score(file_double).out, "float64"));
}

TEST_CASE("option --method chooses how the spectrum is computed", "[command_line]") {
  const TemporaryFolder folder;
  const Dense<float> z = exact(40, 5);
  const auto single_precision = folder.write("float.npy", npy(z));
  const auto double_precision = folder.write("double.npy", npy(z.cast<double>().eval(), native("f8")));
  for (const std::string spectrum : {"spectrum", "spectrum_uncentered"}) {
    CAPTURE(spectrum);
    const auto method = [&spectrum](const std::filesystem::path& file, const std::string& options) {
      return scored_json(file, options).at(spectrum).at("method").get<std::string>();
    };
    CHECK(method(single_precision, "") == "gram");
    CHECK(method(single_precision, "--method auto") == "gram");
    CHECK(method(single_precision, "--method svd") == "svd");
    CHECK(method(single_precision, "--method=gram") == "gram");
    CHECK(method(double_precision, "") == "svd");
    CHECK(method(double_precision, "--method auto") == "svd");
    CHECK(method(double_precision, "--method gram") == "gram");
  }
}

TEST_CASE("option --pair-rows, --seed and --all-pairs choose the pairs behind the quantiles", "[command_line]") {
  const TemporaryFolder folder;
  const Dense<float> z = exact(60, 6);
  const std::filesystem::path file = folder.write("Z.npy", npy(z));
  const auto cosine = [&file](const std::string& options) { return scored_json(file, options).at("cosine"); };
  const Json all = cosine("");
  CHECK(all.at("exact") == true);
  CHECK(all.at("pairs") == 1770);
  CHECK(all.at("sampled_rows") == 60);

  const Json sampled = cosine("--pair-rows 10");
  CHECK(sampled.at("exact") == false);
  CHECK(sampled.at("pairs") == 45);
  CHECK(sampled.at("sampled_rows") == 10);
  CHECK(sampled.at("mean") == all.at("mean"));
  CHECK(cosine("--pair-rows 60") == all);
  CHECK(cosine("--pair-rows 59").at("exact") == false);
  CHECK(cosine("--pair-rows 9223372036854775807") == all);

  CHECK(cosine("--pair-rows 10 --seed 0") == sampled);
  const Json seeded = cosine("--pair-rows 10 --seed 1");
  CHECK(seeded != sampled);
  CHECK(seeded == cosine("--seed 1 --pair-rows=10"));
  CHECK(cosine("--pair-rows 10 --seed 18446744073709551615").at("pairs") == 45);
  check_agree(seeded, parsed(collapse::measure(z, {.pair_rows = 10, .seed = 1})).at("cosine"));

  check_agree(cosine("--pair-rows 10 --all-pairs"), all);
}

TEST_CASE("one sampled pair has no standard error", "[command_line]") {
  const TemporaryFolder folder;
  const Json cosine = scored_json(folder.write("Z.npy", npy(exact(60, 6))), "--pair-rows 2").at("cosine");
  CHECK(cosine.at("pairs") == 1);
  CHECK(cosine.at("exact") == false);
  CHECK(cosine.at("p50") == cosine.at("min"));
  CHECK(cosine.at("p50") == cosine.at("max"));
  CHECK(cosine.at("standard_error").at("p50").is_null());
}

TEST_CASE("option --skip-nonfinite leaves out rows with a NaN or an infinity", "[command_line]") {
  const TemporaryFolder folder;
  const Dense<float> good = exact(40, 5);
  Dense<float> z(42, 5);
  z << good.topRows(3), good.row(0), good.middleRows(3, 30), good.row(1), good.bottomRows(7);
  z(3, 4) = std::numeric_limits<float>::quiet_NaN();
  z(34, 0) = -std::numeric_limits<float>::infinity();
  const Json json = scored_json(folder.write("Z.npy", npy(z)), "--skip-nonfinite");
  CHECK(json.at("samples") == 40);
  CHECK(json.at("norms").at("skipped_rows") == 2);
  const Json expected = scored_json(folder.write("good.npy", npy(good)), "--skip-nonfinite");
  check_agree(json, expected, {"skipped_rows", "diagnosis"});
  CHECK(json.at("diagnosis").at("verdict") == expected.at("diagnosis").at("verdict"));
  CHECK(mentions(score(folder / "Z.npy", "--skip-nonfinite").out, "skipped rows"));
}

TEST_CASE("option --fail-on exits with status 1 when its verdict is reached, and prints the report all the same",
          "[command_line]") {
  const TemporaryFolder folder;
  Dense<float> thin = exact(60, 16);
  thin.rightCols(15).setZero();
  Dense<float> cone = exact(60, 6);
  cone.array() += 2.0F;
  const std::vector<std::pair<std::string, Dense<float>>> all{
      {"healthy", exact(60, 6)},      {"complete_collapse", Dense<float>(Dense<float>::Constant(60, 6, 0.5F))},
      {"dimensional_collapse", thin}, {"healthy", cone},
      {"undetermined", exact(4, 6)},
  };
  const std::vector<std::string> names{"healthy",          "partial_collapse", "dimensional_collapse",
                                       "cluster_collapse", "class_collapse",   "complete_collapse",
                                       "undetermined"};
  for (const auto& [verdict, z] : all) {
    CAPTURE(verdict);
    const std::filesystem::path file = folder.write("Z.npy", npy(z));
    CHECK(scored_json(file).at("diagnosis").at("verdict") == verdict);
    const std::string report = check_scored(score(file)).out;
    std::string others;
    for (const std::string& name : names) {
      if (name != verdict) others += (others.empty() ? "" : ",") + name;
    }
    CHECK(check_scored(score(file, "--fail-on " + verdict), 1).out == report);
    CHECK(check_scored(score(file, "--fail-on " + others), 0).out == report);
    check_scored(score(file, "--fail-on " + others + "," + verdict), 1);
    check_scored(score(file, "--fail-on=" + verdict + "," + others), 1);
    CHECK(scored_json(file, "--fail-on " + verdict, 1).at("diagnosis").at("verdict") == verdict);
  }
}

TEST_CASE("options stand before or after the file", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  const auto scored = [](const Outcome& outcome) { return without_seconds(check_scored(outcome).out); };
  const std::string expected = scored(score(file, "--json --method svd --pair-rows 9"));
  CHECK(scored(run("score --json --pair-rows 9 --method svd " + quoted(file))) == expected);
  CHECK(scored(run("score --json --method svd " + quoted(file) + " --pair-rows 9")) == expected);
  CHECK(scored(run("score --json --method svd --pair-rows 9 -- " + quoted(file))) == expected);
}

TEST_CASE("a file may have any name", "[command_line]") {
  const TemporaryFolder folder;
  const std::string bytes = npy(exact(40, 5));
  const std::string expected = check_scored(score(folder.write("Z.npy", bytes))).out;
  for (const std::string name : {"two words", "Z", "größe.npy", "it's.npy", "%s {} %n.npy"}) {
    CAPTURE(name);
    CHECK(check_scored(score(folder.write(name, bytes))).out == expected);
  }
}

TEST_CASE("embeddings are read through a pipe", "[command_line]") {
  if (!std::filesystem::exists("/dev/stdin")) return;
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  const std::string expected = without_seconds(check_scored(score(file, "--json")).out);
  const Outcome piped = collapse::test::run("cat", quoted(file) + " | " + quoted(program) + " score /dev/stdin --json");
  CHECK(without_seconds(check_scored(piped).out) == expected);
}

TEST_CASE("a report that cannot be written is an error", "[command_line]") {
  if (!std::filesystem::exists("/dev/full")) return;
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  const std::filesystem::path script =
      folder.write("script", quoted(program) + " score " + quoted(file) + " --fail-on healthy >/dev/full\n");
  check_refused(collapse::test::run("sh", quoted(script)), "cannot write the report");
}

TEST_CASE("option --help and --version answer on standard output", "[command_line]") {
  const Outcome help = check_scored(run("--help"));
  CHECK(mentions(help.out, "score"));
  CHECK(mentions(help.out, "Exit status"));
  const Outcome options = check_scored(run("score --help"));
  for (const std::string option : {"FILE", "--json", "--method", "--pair-rows", "--seed", "--all-pairs",
                                   "--skip-nonfinite", "--fail-on", "--repeat", "seconds"}) {
    CHECK(mentions(options.out, option));
  }
  CHECK(check_scored(run("--version")).out == "collapse " COLLAPSE_VERSION_STRING "\n");
}

TEST_CASE("a command that is missing or unknown is refused", "[command_line]") {
  check_refused(run(""), "command");
  check_refused(run("rank"), "command");
  check_refused(run("\"\""), "command");
  check_refused(run("--json"), "command");
}

TEST_CASE("the file has to be named, once", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  check_refused(run("score"), "FILE");
  check_refused(run("score --json"), "FILE");
  check_refused(run("score \"\""), "FILE");
  check_refused(score(file, "second.npy"), "second.npy");
}

TEST_CASE("an unknown option is refused by name", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  for (const std::string option : {"--pairs", "--jsn", "-j", "--seeds=3", "--no-json", "--method-svd"}) {
    CAPTURE(option);
    check_refused(score(file, option), option.substr(0, option.find('=')));
    check_refused(run("score " + option + " " + quoted(file)), option.substr(0, option.find('=')));
  }
}

TEST_CASE("a bad value is refused with the option and the value", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad{
      {"--pair-rows", {"1", "0", "-3", "many", "1.5", "1e3", "10x", "0x10", "+9", "9223372036854775808"}},
      {"--repeat", {"0", "-2", "x", "2.5", "9223372036854775808"}},
      {"--seed", {"-1", "x", "0.5", "7 8", "18446744073709551616", "99999999999999999999999"}},
      {"--method", {"qr", "SVD", "automatic", "gram,svd"}},
      {"--fail-on", {"collapse", "Healthy", "complete", "complete_collapse healthy", "complete-collapse"}}};
  for (const auto& [option, values] : bad) {
    for (const std::string& value : values) {
      for (const std::string between : {" ", "="}) {
        const std::string given = option + between + "\"" + value + "\"";
        CAPTURE(given);
        // CLI11 takes a value that begins with a dash for an option where the two are apart.
        const Outcome outcome = score(file, given);
        check_refused(outcome, option);
        CHECK(mentions(outcome.err, "'" + value + "'"));
      }
    }
    check_refused(score(file, option), option);
    check_refused(score(file, option + " \"\""), option);
  }
  // The names that would do are part of the answer.
  CHECK(mentions(score(file, "--method qr").err, "auto, gram, svd"));
  CHECK(mentions(score(file, "--fail-on x").err, "healthy, partial_collapse, dimensional_collapse"));
}

TEST_CASE("one bad verdict in a list is refused by name", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  for (const std::string list : {"healthy,", ",healthy", "healthy,,undetermined", ","}) {
    CAPTURE(list);
    check_refused(score(file, "--fail-on " + list), "--fail-on: ''");
  }
  check_refused(score(file, "--fail-on healthy,ansiotropic,undetermined"), "--fail-on: 'ansiotropic'");
  check_refused(score(file, "--fail-on \"healthy, undetermined\""), "--fail-on: ' undetermined'");
}

TEST_CASE("a bad option is refused before the file is looked at", "[command_line]") {
  check_refused(run("score no_such_file.npy --method qr"), "--method");
}

TEST_CASE("a file that is not there is refused by name", "[command_line]") {
  const TemporaryFolder folder;
  check_refused(score(folder / "absent.npy"), (folder / "absent.npy").string() + ": cannot open");
  check_refused(score(folder / "absent" / "Z.npy"), (folder / "absent" / "Z.npy").string() + ": cannot open");
  check_refused(score(folder.write("file", "x") / "Z.npy"), "Z.npy: cannot open");
}

TEST_CASE("a name with a line break in it is refused on one line", "[command_line]") {
  const TemporaryFolder folder;
  check_refused(score(folder / "two\nlines\t.npy"), "two lines?.npy: cannot open");
}

TEST_CASE("a folder is refused by name", "[command_line]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "Z.npy");
  check_refused(score(folder / "Z.npy"), (folder / "Z.npy").string() + ": is a directory");
}

TEST_CASE("a device is refused by name", "[command_line]") {
  for (const std::string device : {"/dev/null", "/dev/zero"}) {
    if (std::filesystem::exists(device)) check_refused(score(device), device + ": is a device");
  }
}

TEST_CASE("a file without permission is refused by name", "[command_line]") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.write("Z.npy", npy(exact(40, 5)));
  std::filesystem::permissions(file, std::filesystem::perms::none);
  if (std::ifstream(file).good()) {
    WARN("skipped: this user may read every file");
    return;
  }
  check_refused(score(file), file.string() + ": cannot open");
}

TEST_CASE("command line: an empty matrix is refused with its shape", "[command_line]") {
  check_file_refused(npy_of("<f4", "(0, 5)", 0), {"0 x 5"});
  check_file_refused(npy_of("<f4", "(5, 0)", 0), {"5 x 0"});
  check_file_refused(npy_of("<f4", "(0, 0)", 0), {"0 x 0"});
  check_file_refused(npy_of("<f8", "(0, 5)", 0), {"0 x 5"}, "--skip-nonfinite --json");
  check_file_refused(npy_of("<f8", "(1, 0)", 0), {"1"});
}

TEST_CASE("a single row is refused", "[command_line]") {
  check_file_refused(npy(exact(1, 5)), {"has 1 row", "at least 2"});
  check_file_refused(npy(exact(1, 5)), {"has 1 row", "at least 2"}, "--json");
}

TEST_CASE("too few rows left by --skip-nonfinite are refused", "[command_line]") {
  Dense<float> z = exact(4, 5);
  z.col(2).tail(3).setConstant(std::numeric_limits<float>::quiet_NaN());
  check_file_refused(npy(z), {"has 1 row", "3 with a NaN or an infinity"}, "--skip-nonfinite");
  z.col(2).setConstant(std::numeric_limits<float>::infinity());
  check_file_refused(npy(z), {"non-finite"}, "--skip-nonfinite");
}

TEST_CASE("a NaN or an infinity is refused with its row and column", "[command_line]") {
  const Dense<float> good = exact(40, 5);
  const auto refused = [](const auto& z, const std::string& type, const std::string& value) {
    for (const bool fortran : {false, true}) {
      for (const bool swapped : {false, true}) {
        CAPTURE(type, fortran, swapped);
        check_file_refused(npy(z, swapped ? foreign(type) : native(type), fortran, swapped),
                           {"row 17, column 3 (counted from 0) is " + value, "--skip-nonfinite"});
      }
    }
  };
  Dense<float> z = good;
  z(17, 3) = std::numeric_limits<float>::quiet_NaN();
  // Later in the order of rows, though earlier in that of columns.
  z(30, 0) = std::numeric_limits<float>::infinity();
  refused(z, "f4", "nan");
  z(17, 3) = -std::numeric_limits<float>::infinity();
  refused(z.cast<double>().eval(), "f8", "-inf");
  z(17, 3) = std::numeric_limits<float>::infinity();
  refused(z.cast<Eigen::half>().eval(), "f2", "inf");
}

TEST_CASE("an array that is not 2-D is refused with its shape and what to do", "[command_line]") {
  check_file_refused(npy_of("<f4", "(6,)", 24), {"shape (6,)", "2-D (samples, dims)", "reshape(-1, D)"});
  check_file_refused(npy_of("<f4", "()", 4), {"shape ()", "2-D (samples, dims)"});
  check_file_refused(npy_of("<f4", "(2, 3, 4)", 96),
                     {"shape (2, 3, 4)", "2-D (samples, dims)", "reshape(-1, Z.shape[-1])"});
  check_file_refused(npy_of("<f4", "(1, 2, 3, 4)", 96), {"shape (1, 2, 3, 4)"});
}

TEST_CASE("a truncated file is refused, wherever it ends", "[command_line]") {
  const std::string whole = npy(exact(20, 3));
  for (const std::size_t length : {whole.size() - 1, whole.size() - 100, whole.size() - 240}) {
    check_file_refused(whole.substr(0, length), {"truncated", "240 bytes"});
  }
  for (const std::size_t length : {1U, 5U, 6U, 7U, 9U, 10U, 60U})
    check_file_refused(whole.substr(0, length), {"ends within"});
  check_file_refused("", {"is empty"});
}

TEST_CASE("a file that is no .npy file is refused", "[command_line]") {
  check_file_refused("1.0 2.0 3.0\n4.0 5.0 6.0\n", {"not a .npy file", "np.save"});
  check_file_refused(std::string(300, '\0'), {"not a .npy file"});
  std::string bytes = npy(exact(20, 3));
  bytes[0] = '\x92';
  check_file_refused(bytes, {"not a .npy file"});
  bytes = npy(exact(20, 3));
  bytes[6] = 9;
  check_file_refused(bytes, {"version 9.0"});
  check_file_refused("PK\x03\x04" + std::string(100, 'x'), {".npz"});
}

TEST_CASE("a header that lies about the shape is refused", "[command_line]") {
  check_file_refused(npy_of("<f4", "(21, 3)", 240), {"truncated", "(21, 3)", "252", "240"});
  check_file_refused(npy_of("<f4", "(19, 3)", 240), {"too long", "(19, 3)", "228", "240"});
  check_file_refused(npy_of("<f8", "(20, 3)", 240), {"truncated", "480"});
  check_file_refused(npy_of("<f2", "(20, 3)", 240), {"too long", "120"});
  check_file_refused(npy_of("<f4", "(0, 3)", 240), {"too long"});
  check_file_refused(npy_of("<f4", "(-20, 3)", 240), {"negative"});
}

TEST_CASE("a shape beyond what can be addressed is refused", "[command_line]") {
  check_file_refused(npy_of("<f4", "(4294967296, 2147483648)", 240), {"(4294967296, 2147483648)", "more bytes than"});
  check_file_refused(npy_of("<f4", "(4294967296, 4294967296)", 240), {"(4294967296, 4294967296)", "more bytes than"});
  check_file_refused(npy_of("<f4", "(2305843009213693952, 4)", 240), {"more bytes than"});
  check_file_refused(npy_of("<f8", "(9223372036854775807, 1)", 240), {"more bytes than"});
  check_file_refused(npy_of("<f4", "(9223372036854775808, 1)", 240), {"2^63"});
  check_file_refused(npy_of("<f4", "(1, 99999999999999999999999999)", 240), {"2^63"});
  // Large, but within reach of an index: what is there decides.
  check_file_refused(npy_of("<f4", "(1000000000, 1000000)", 240), {"truncated", "4000000000000000"});
}

TEST_CASE("values that are no numbers are refused with their type and what to do", "[command_line]") {
  check_file_refused(npy_of("|O", "(2, 3)", 48), {"Python objects", "'|O'", "astype('float32')"});
  check_file_refused(npy_of("<c8", "(2, 3)", 48), {"complex", "'<c8'", "Z.real"});
  check_file_refused(npy_of("<f16", "(2, 3)", 96), {"'<f16'", "astype('float64')"});
  check_file_refused(npy_of("|V2", "(2, 3)", 12), {"raw bytes", "'|V2'"});
  check_file_refused(npy_of("<U5", "(2, 3)", 120), {"'<U5'"});
  NpyBytes records;
  records.descr = "[('x', '<f4'), ('y', '<f4')]";
  records.shape = "(3,)";
  records.data = std::string(24, '\0');
  check_file_refused(records.str(), {"structured dtype"});
}

TEST_CASE("a damaged header is refused with the byte where it goes wrong", "[command_line]") {
  const NpyBytes bytes;
  for (const std::string header : {"", "{", "{'descr': '<f4', 'shape': (2, 3)}", "import os", "{'descr': \n'<f4"}) {
    CAPTURE(header);
    check_file_refused(bytes.with_dictionary(header), {"cannot parse the .npy header", "byte "});
  }
}

#endif
