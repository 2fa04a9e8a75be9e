#ifdef COLLAPSE_COMMAND_LINE

#include <collapse/accumulator.hpp>
#include <collapse/measure.hpp>
#include <collapse/io/state_file.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/command_line.hpp"
#include "support/npy_bytes.hpp"
#include "support/reference_statistics.hpp"
#include "support/temporary_folder.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

using collapse::Index;
using collapse::reference::RowMajor;
using collapse::test::bytes_of;
using collapse::test::NpyBytes;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::read_file;
using collapse::test::TemporaryFolder;
using Json = nlohmann::json;

namespace {

constexpr Index dims = 6;

Outcome run(const std::string& arguments) { return collapse::test::run(COLLAPSE_COMMAND_LINE, arguments); }

RowMajor<float> rows_of(Index rows, std::uint64_t seed = 1) {
  collapse::reference::Random random(seed);
  RowMajor<float> z(rows, dims);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = static_cast<float>(0.5 + random.normal());
  return z;
}

template <class Rows>
std::string bytes(const Rows& z) {
  std::vector<float> values;
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index d = 0; d < z.cols(); ++d) values.push_back(z(i, d));
  }
  return bytes_of(values, std::endian::native != std::endian::little);
}

template <class Rows>
std::string npy(const Rows& z) {
  NpyBytes file;
  file.shape = "(" + std::to_string(z.rows()) + ", " + std::to_string(z.cols()) + ")";
  file.data = bytes(z);
  return file.str();
}

/// The report in the object of --json; whoever reads rows adds the time that measuring took, `merge` reads none.
Json scored(const std::string& arguments) {
  const Outcome outcome = run(arguments + " --json");
  CAPTURE(arguments, outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(outcome.err.empty());
  Json json = Json::parse(outcome.out);
  CHECK(json.erase("seconds") == (arguments.rfind("score", 0) == 0 ? 1 : 0));
  return json;
}

void check_refused(const std::string& arguments, const std::string& reason) {
  CAPTURE(arguments);
  collapse::test::check_refused(run(arguments), reason);
}

/// Numbers that follow from moments agree; so do all others when `pairs`.
void check_close(const Json& a, const Json& b, bool pairs = true, const std::string& path = "") {
  CAPTURE(path, a.dump(), b.dump());
  if (a.is_number() && b.is_number()) {
    CHECK(std::abs(a.get<double>() - b.get<double>()) <= 1e-10 * std::abs(b.get<double>()) + 1e-14);
  } else if (a.is_structured()) {
    REQUIRE(a.size() == b.size());
    for (const auto& [key, value] : a.items()) {
      const std::string inner = a.is_array() ? path : path + "/" + key;
      if (!pairs && inner.rfind("/cosine/", 0) == 0 && key != "mean" && key != "std") continue;
      // Of the sample of rows.
      if (!pairs && (inner.rfind("/variance/largest_point", 0) == 0 || inner.rfind("/variance/crowded", 0) == 0 ||
                     inner == "/variance/duplicate_rows" || inner.rfind("/norms/outlier", 0) == 0)) {
        continue;
      }
      check_close(value, a.is_array() ? b.at(std::stoul(key)) : b.at(key), pairs, inner);
    }
  } else {
    CHECK(a == b);
  }
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("several files are one set", "[command_line_sets]") {
  const TemporaryFolder folder;
  for (const Index rows : {Index{50}, Index{5200}}) {
    const RowMajor<float> z = rows_of(rows);
    const auto whole = folder.write("whole.npy", npy(z));
    const auto first = folder.write("first.npy", npy(z.topRows(rows / 3)));
    const auto second = folder.write("second.npy", npy(z.bottomRows(rows - rows / 3)));
    check_close(scored("score " + quoted(first) + " " + quoted(second)), scored("score " + quoted(whole)));
  }
}

TEST_CASE("a long file gives the numbers of one measurement", "[command_line_sets]") {
  const TemporaryFolder folder;
  const RowMajor<float> z = rows_of(5200);
  const Json json = scored("score " + quoted(folder.write("Z.npy", npy(z))));
  const collapse::Report report = collapse::measure(z);
  const auto close = [](const Json& a, double b) { return std::abs(a.get<double>() - b) <= 1e-11 * std::abs(b); };
  CHECK(close(json["spectrum"]["effective_rank"], report.spectrum.effective_rank));
  CHECK(close(json["cosine"]["std"], report.cosine.std));
  // The same rows are sampled, whether they come in one batch or in many.
  CHECK(json["cosine"]["sampled_rows"] == 4096);
  CHECK(close(json["cosine"]["p95"], report.cosine.p95));
  CHECK(close(json["variance"]["total"], report.variance.total));
}

TEST_CASE("shards of one row and of none are saved and merged", "[command_line_sets]") {
  const TemporaryFolder folder;
  const RowMajor<float> z = rows_of(50);
  const auto whole = folder.write("whole.npy", npy(z));
  const std::vector<RowMajor<float>> shards{z.topRows(1), z.topRows(0), z.bottomRows(49)};
  std::string states;
  for (std::size_t k = 0; k < shards.size(); ++k) {
    const auto file = folder.write("shard" + std::to_string(k) + ".npy", npy(shards[k]));
    const std::string state = quoted(folder / ("shard" + std::to_string(k) + ".state"));
    const auto saved = run("score " + quoted(file) + " --save-state " + state);
    CAPTURE(saved.out, saved.err);
    CHECK(saved.status == 0);
    CHECK(saved.out.empty() == (shards[k].rows() < 2));
    states += " " + state;
  }
  check_close(scored("merge" + states), scored("score " + quoted(whole)));
  // Without a state there is nothing to go on from.
  CHECK(run("score " + quoted(folder.write("one.npy", npy(shards[0])))).status == 2);
}

TEST_CASE("states of shards merge into the report of all", "[command_line_sets]") {
  const TemporaryFolder folder;
  const RowMajor<float> z = rows_of(5200);
  const auto whole = folder.write("whole.npy", npy(z));
  const Index third = 1500;
  std::string states;
  for (const Index part : {0, 1, 2}) {
    const Index begin = part * third;
    const auto shard = folder.write("shard.npy", npy(z.middleRows(begin, part == 2 ? z.rows() - begin : third)));
    const auto state = folder / (std::to_string(part) + ".state");
    CHECK(run("score " + quoted(shard) + " --save-state " + quoted(state)).status == 0);
    states += " " + quoted(state);
  }
  const Json all = scored("score " + quoted(whole));
  const auto week = folder / "week.state";
  check_close(scored("merge" + states + " --save-state " + quoted(week)), all, false);
  check_close(scored("merge " + quoted(week)), all, false);
  CHECK(run("merge " + quoted(week)).out.rfind("PARTIAL", 0) == std::string::npos);
  CHECK(run("merge " + quoted(week) + " --fail-on healthy").status == 1);
}

TEST_CASE("merge refuses what does not belong together", "[command_line_sets]") {
  const TemporaryFolder folder;
  const auto narrow = folder.write("narrow.npy", npy(rows_of(40).leftCols(3)));
  const auto wide = folder.write("wide.npy", npy(rows_of(40)));
  const auto a = folder / "a.state";
  const auto b = folder / "b.state";
  const auto c = folder / "c.state";
  CHECK(run("score " + quoted(narrow) + " --save-state " + quoted(a)).status == 0);
  CHECK(run("score " + quoted(wide) + " --save-state " + quoted(b)).status == 0);
  CHECK(run("score " + quoted(wide) + " --pair-rows 9 --save-state " + quoted(c)).status == 0);
  check_refused("merge " + quoted(a) + " " + quoted(b), b.string() + ": an Accumulator of 3 dimensions");
  check_refused("merge " + quoted(b) + " " + quoted(c), c.string() + ": accumulators to be merged must sample");
  check_refused("merge " + quoted(wide), wide.string() + ": this is not the state");
  check_refused("merge " + quoted(folder / "none"), "cannot open");
  check_refused("merge", "STATE is required");
  const std::string state = read_file(b);
  check_refused("merge " + quoted(folder.write("cut", state.substr(0, state.size() / 2))), "truncated");
}

TEST_CASE("files of different width are no set", "[command_line_sets]") {
  const TemporaryFolder folder;
  const auto narrow = folder.write("narrow.npy", npy(rows_of(40).leftCols(3)));
  const auto wide = folder.write("wide.npy", npy(rows_of(40)));
  check_refused("score " + quoted(wide) + " " + quoted(narrow), narrow.string() + ": has 3 columns");
}

TEST_CASE("a bad value in the second file is named with its own row", "[command_line_sets]") {
  const TemporaryFolder folder;
  RowMajor<float> z = rows_of(2500);
  const auto good = folder.write("good.npy", npy(z));
  z(2100, 4) = std::numeric_limits<float>::infinity();
  const auto bad = folder.write("bad.npy", npy(z));
  check_refused("score " + quoted(good) + " " + quoted(bad), bad.string() + ": row 2100, column 4");
  const Json json = scored("score --skip-nonfinite " + quoted(good) + " " + quoted(bad));
  CHECK(json["samples"] == 4999);
  CHECK(json["norms"]["skipped_rows"] == 1);
}

TEST_CASE("rows are read from standard input", "[command_line_sets]") {
  const TemporaryFolder folder;
  const RowMajor<float> z = rows_of(3000);
  const auto raw = folder.write("raw", bytes(z));
  const Json expected = scored("score " + quoted(folder.write("Z.npy", npy(z))));
  check_close(scored("score --stdin --dims 6 --dtype f4 < " + quoted(raw)), expected);
  check_refused("score --stdin --dims 7 --dtype f4 < " + quoted(raw), "standard input");
  check_refused("score --stdin --dims 6 < " + quoted(raw), "--dtype");
  check_refused("score --stdin --dtype f4 < " + quoted(raw), "--dims");
  check_refused("score --stdin --dims 0 --dtype f4 < " + quoted(raw), "--dims");
  check_refused("score --stdin --dims 6 --dtype i8 < " + quoted(raw), "i8");
  check_refused("score --dims 6 --dtype f4 " + quoted(raw), "--stdin");
  check_refused("score --stdin --dims 6 --dtype f4 " + quoted(raw), "--stdin");
  check_refused("score --stdin --dims 6 --dtype f4 < /dev/null", "0 x 6");
}

TEST_CASE("text and safetensors files are scored by their names", "[command_line_sets]") {
  const TemporaryFolder folder;
  const RowMajor<float> z = rows_of(300);
  std::string text = "a,b,c,d,e,f\n";
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index d = 0; d < dims; ++d) text += fmt::format("{}{}", z(i, d), d + 1 < dims ? "," : "\n");
  }
  std::string tensor = fmt::format(R"({{"z":{{"dtype":"F32","shape":[300,6],"data_offsets":[0,{}]}}}})", z.size() * 4);
  std::string safetensors;
  for (std::size_t i = 0; i < 8; ++i) safetensors += static_cast<char>(tensor.size() >> (8 * i) & 0xFFU);
  safetensors += tensor + bytes(z);
  const Json expected = scored("score " + quoted(folder.write("Z.npy", npy(z))));
  check_close(scored("score " + quoted(folder.write("Z.safetensors", safetensors))), expected);
  check_close(scored("score --tensor z " + quoted(folder.write("Z.SAFETENSORS", safetensors))), expected);
  check_close(scored("score --repeat 2 " + quoted(folder / "Z.safetensors")), expected);
  check_refused("score --tensor y " + quoted(folder / "Z.safetensors"), "Z.safetensors");
  const Json from_text = scored("score --method gram " + quoted(folder.write("Z.csv", text)));
  CHECK(from_text["samples"] == 300);
  check_close(scored("score --repeat 3 --method gram " + quoted(folder / "Z.csv")), from_text);
  CHECK(from_text["input_epsilon"] == 0x1p-52);
  CHECK(std::abs(from_text["variance"]["total"].get<double>() / expected["variance"]["total"].get<double>() - 1.0) <
        1e-6);
  check_close(scored("score --format text --method gram " + quoted(folder.write("Z.dat", text))), from_text);
  check_close(scored("score --method gram " + quoted(folder / "Z.dat")), from_text);
  check_refused("score --format csv " + quoted(folder / "Z.dat"), "'csv' is not one of auto, npy");
}

#if __has_include(<unistd.h>)

TEST_CASE("a process that is killed while it saves leaves the old state whole", "[command_line_sets]") {
  const TemporaryFolder folder;
  const auto small = folder.write("small.npy", npy(rows_of(20)));
  const auto large = folder.write("large.npy", npy(rows_of(5000)));
  const auto inner = folder / "inner";
  std::filesystem::create_directory(inner);
  const auto state = inner / "run.state";
  CHECK(run("score " + quoted(small) + " --save-state " + quoted(state)).status == 0);
  const std::string before = read_file(state);
  // The kernel kills whoever writes past the limit (SIGXFSZ), in the middle of the file and each time at the same byte.
  const auto limited = [&](const std::string& first) {
    const auto script = folder.write("script", first + "ulimit -f 8\nexec " + quoted(COLLAPSE_COMMAND_LINE) +
                                                   " score " + quoted(large) + " --save-state " + quoted(state) + "\n");
    return collapse::test::run("sh", quoted(script));
  };
  const Outcome killed = limited("ulimit -c 0\n");
  CHECK((killed.status > 128 || killed.status == -1));
  CHECK(read_file(state) == before);
  CHECK(files_in(inner) == 2);  // what had been written of the new one is left beside it
  CHECK(collapse::io::load_state(state).count() == 20);

  // The same limit as an error: a full disk.
  const Outcome refused = limited("trap '' XFSZ\n");
  CHECK(refused.status == 2);
  CHECK(refused.err.find(state.string() + ": cannot write: ") != std::string::npos);
  CHECK(read_file(state) == before);
  CHECK(files_in(inner) == 2);
}

#endif

#endif  // COLLAPSE_COMMAND_LINE
