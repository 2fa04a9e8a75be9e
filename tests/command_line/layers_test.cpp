#ifdef COLLAPSE_COMMAND_LINE

#include "support/command_line.hpp"

#include <collapse/json.hpp>
#include <collapse/layers.hpp>
#include <collapse/synthetic.hpp>
#include <collapse/text/layers.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/npy_file.hpp"
#include "support/temporary_folder.hpp"

#include <filesystem>
#include <limits>
#include <string>

using collapse::LayerProfile;
using collapse::LayerProfileOptions;
using collapse::test::check_refused;
using collapse::test::npy_file;
using collapse::test::Outcome;
using collapse::test::quoted;
using collapse::test::TemporaryFolder;
using Json = nlohmann::ordered_json;

namespace {

Outcome layers(const std::string& arguments) {
  return collapse::test::run(COLLAPSE_COMMAND_LINE, "layers " + arguments);
}

/// Layers of different shapes and scalars, the second of them collapsed.
struct Network {
  Eigen::MatrixXf first = collapse::synthetic::isotropic<float>(300, 24);
  Eigen::MatrixXd second = collapse::synthetic::around_a_point<double>(200, 16, 1e-3);

  /// @param called  names of the two layers
  [[nodiscard]] LayerProfile profile(const std::string& one, const std::string& other,
                                     const LayerProfileOptions& options = {}) const {
    LayerProfile result;
    collapse::add_layer(result, one, first, options);
    collapse::add_layer(result, other, second, options);
    return result;
  }
};

}  // namespace

TEST_CASE("the command layers prints a table of files in their order", "[command_line_layers]") {
  const TemporaryFolder folder;
  const Network network;
  const std::string first = quoted(folder.write("z input.npy", npy_file(network.first)));
  const std::string second = quoted(folder.write("a.head.npy", npy_file(network.second)));
  const Outcome outcome = layers(first + " " + second);
  CHECK(outcome.status == 0);
  // Layers of as many rows each are what the table is for; these are not, and it is said.
  CHECK(outcome.err.find("200") != std::string::npos);
  CHECK(outcome.err.find("300") != std::string::npos);
  const LayerProfile expected = network.profile("z input", "a.head");
  CHECK(outcome.out == fmt::format("{}\n", expected));
  CHECK(expected.first_collapsed == 1);
  CHECK(layers(first + " " + second + " --json").out == Json(expected).dump() + "\n");
  CHECK(layers(second + " " + first).out == [&] {
    LayerProfile turned;
    collapse::add_layer(turned, "a.head", network.second);
    collapse::add_layer(turned, "z input", network.first);
    return fmt::format("{}\n", turned);
  }());
}

TEST_CASE("layers in files of one name are told apart by their paths", "[command_line_layers]") {
  const TemporaryFolder folder;
  const Network network;
  std::filesystem::create_directory(folder / "0");
  const std::filesystem::path one = folder.write("0/h.npy", npy_file(network.first));
  const std::filesystem::path other = folder.write("h.npy", npy_file(network.second));
  const Json json = Json::parse(layers(quoted(one) + " " + quoted(other) + " --json").out);
  CHECK(json["layers"][0]["name"] == one.string());
  CHECK(json["layers"][1]["name"] == other.string());
}

TEST_CASE("the command layers fails on the verdict of any layer", "[command_line_layers]") {
  const TemporaryFolder folder;
  const Network network;
  const std::string first = quoted(folder.write("first.npy", npy_file(network.first)));
  const std::string second = quoted(folder.write("second.npy", npy_file(network.second)));
  const std::string both = first + " " + second;
  CHECK(layers(both + " --fail-on complete_collapse").status == 1);
  CHECK(layers(both + " --fail-on partial_collapse,healthy").status == 1);
  CHECK(layers(both + " --fail-on partial_collapse").status == 0);
  CHECK(layers(first + " --fail-on complete_collapse").status == 0);
  CHECK(layers(both + " --fail-on complete_collapse").out == layers(both).out);
}

TEST_CASE("options of the command layers reach the measurement", "[command_line_layers]") {
  const TemporaryFolder folder;
  Network network;
  network.first(7, 3) = std::numeric_limits<float>::infinity();
  const std::filesystem::path first = folder.write("first.npy", npy_file(network.first));
  const std::filesystem::path second = folder.write("second.npy", npy_file(network.second));
  const std::string both = quoted(second) + " " + quoted(first);
  check_refused(layers(both), first.string() + ": row 7, column 3 (counted from 0) is inf; repair the file, or leave");
  LayerProfileOptions options;
  options.measure.nonfinite = collapse::NonFinite::skip_rows;
  options.measure.method = collapse::SpectrumMethod::svd;
  options.tau = 1e6;
  CHECK(layers(quoted(first) + " " + quoted(second) + " --json --skip-nonfinite --method svd --tau 1e6").out ==
        Json(network.profile("first", "second", options)).dump() + "\n");
}

TEST_CASE("the command layers names the file that it cannot measure", "[command_line_layers]") {
  const TemporaryFolder folder;
  const Network network;
  const std::string good = quoted(folder.write("good.npy", npy_file(network.first)));
  const std::filesystem::path empty = folder.write("empty.npy", npy_file(network.first.topRows(0)));
  check_refused(layers(good + " " + quoted(folder / "none.npy")), (folder / "none.npy").string() + ": cannot open");
  check_refused(layers(good + " " + quoted(empty)), empty.string() + ": ");
  check_refused(layers(""), "FILE is required; see `collapse layers --help`");
  check_refused(layers(good + " --tau -1"), "'-1' is not at least 0");
  check_refused(layers(good + " --tau nan"), "'nan' is not at least 0");
  check_refused(layers(good + " --save-state x"), "--save-state");
  CHECK(layers("--help").out.find("input to output") != std::string::npos);
}

#endif  // COLLAPSE_COMMAND_LINE
