#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/layers.hpp>
#include <collapse/synthetic.hpp>
#include <collapse/text/layers.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;

namespace {

using Named = std::vector<std::pair<std::string, Eigen::MatrixXf>>;

/// A network that is healthy, then loses rank, then everything.
Named network() {
  Eigen::MatrixXf dead = synthetic::low_rank<float>(300, 24, 2);
  dead.leftCols(6).setZero();
  return {{"input", synthetic::isotropic<float>(300, 24)},
          {"block1", synthetic::isotropic<float>(300, 24, 1)},
          {"block2", dead},
          {"head", synthetic::around_a_point<float>(300, 16, 1e-3)}};
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

}  // namespace

TEST_CASE("a profile holds what measure and activations say of each layer", "[layer_profile]") {
  const test::OneThread one_thread;
  const Named layers = network();
  const LayerProfile profile = layer_profile(layers);
  REQUIRE(profile.layers.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const Layer& layer = profile.layers[i];
    const Report report = measure(layers[i].second);
    CHECK(layer.name == layers[i].first);
    CHECK(layer.samples == 300);
    CHECK(layer.units == layers[i].second.cols());
    CHECK(layer.effective_rank == report.spectrum.effective_rank);
    CHECK(layer.effective_rank_ratio == report.spectrum.effective_rank_ratio);
    CHECK(layer.expected_effective_rank == report.spectrum.expected_effective_rank);
    CHECK(layer.effective_rank_vs_expected == report.spectrum.effective_rank_vs_expected);
    CHECK(layer.mean_cosine == report.cosine.mean);
    CHECK(layer.verdict == report.diagnosis.verdict);
    CHECK(layer.dormant_fraction == dormant_fraction(layers[i].second));
  }
  CHECK(profile.layers[2].dead_units == 6);
  CHECK(profile.layers[2].dormant_fraction == 0.25);
  CHECK(profile.first_collapsed == 2);
  CHECK(profile.steepest == 2);
  CHECK(profile.layers[3].verdict == Verdict::complete_collapse);
}

TEST_CASE("a profile of healthy layers names no collapse", "[layer_profile]") {
  const LayerProfile profile = layer_profile(Named{{"a", synthetic::isotropic<float>(200, 10)}});
  CHECK_FALSE(profile.first_collapsed.has_value());
  CHECK_FALSE(profile.steepest.has_value());
  CHECK(layer_profile(Named{}).layers.empty());
}

TEST_CASE("layers come in any range of names and matrices", "[layer_profile]") {
  const Dense<double> h = reference::gaussian<double>(60, 8);
  const double expected = measure(h).spectrum.effective_rank;
  const std::map<std::string, Dense<double>> by_name{{"one", h}, {"two", h}};
  CHECK(layer_profile(by_name).layers[1].effective_rank == expected);
  struct Tap {
    const char* name;
    Eigen::Ref<const Dense<double>> activations;
  };
  const std::array<Tap, 1> taps{Tap{"tap", h}};
  CHECK(layer_profile(taps).layers[0].effective_rank == expected);
  CHECK(layer_profile(taps).layers[0].name == "tap");
  const std::vector<std::pair<const char*, Eigen::Matrix<Eigen::half, Eigen::Dynamic, Eigen::Dynamic>>> halves{
      {"half", h.cast<Eigen::half>()}};
  CHECK(layer_profile(halves).layers[0].units == 8);
}

TEST_CASE("layers added one by one give the profile of all", "[layer_profile]") {
  const test::OneThread one_thread;
  const Named layers = network();
  LayerProfile profile;
  for (const auto& [name, activations] : layers) add_layer(profile, name, activations);
  CHECK(fmt::format("{}", profile) == fmt::format("{}", layer_profile(layers)));
  CHECK(profile.first_collapsed == 2);
  CHECK(profile.steepest == 2);
  // Of another scalar, and an expression.
  add_layer(profile, "double", synthetic::isotropic<double>(100, 8) * 2.0);
  CHECK(profile.layers.back().samples == 100);
  CHECK(profile.steepest == 2);
}

TEST_CASE("a layer that cannot be measured leaves the profile as it was", "[layer_profile]") {
  LayerProfile profile = layer_profile(Named{{"a", synthetic::isotropic<float>(40, 4)}});
  const std::string before = fmt::format("{}", profile);
  Eigen::MatrixXf bad = synthetic::isotropic<float>(40, 4);
  bad(7, 3) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(add_layer(profile, "b", bad), NonFiniteError);
  CHECK_THROWS_AS(add_layer(profile, "b", bad.topRows(0)), ShapeError);
  CHECK_THROWS_AS(add_layer(profile, "b", bad.topRows(3), {.tau = -1.0}), OptionError);
  CHECK(fmt::format("{}", profile) == before);
}

TEST_CASE("a profile passes its options on", "[layer_profile]") {
  const test::OneThread one_thread;
  Named layers = network();
  layers[1].second(7, 3) = std::numeric_limits<float>::quiet_NaN();
  CHECK(layer_profile(layers, {.measure = {.nonfinite = NonFinite::skip_rows}}).layers[1].samples == 299);
  CHECK(layer_profile(network(), {.tau = 1e6}).layers[0].dormant_fraction == 1.0);
  CHECK_THROWS_AS(layer_profile(network(), {.tau = -1.0}), OptionError);
  CHECK_THROWS_AS(layer_profile(network(), {.measure = {.pair_rows = 1}}), OptionError);
}

TEST_CASE("an error of a layer names the layer", "[layer_profile]") {
  Named layers = network();
  layers[1].second(7, 3) = std::numeric_limits<float>::infinity();
  try {
    static_cast<void>(layer_profile(layers));
    FAIL("no error");
  } catch (const NonFiniteError& error) {
    CHECK(std::string(error.what()).find("layer \"block1\": ") == 0);
    CHECK(std::string(error.what()).find("row 7, column 3") != std::string::npos);
    CHECK(error.row() == 7);
    CHECK(error.col() == 3);
  }
  layers[1].second.resize(0, 5);
  try {
    static_cast<void>(layer_profile(layers));
    FAIL("no error");
  } catch (const ShapeError& error) {
    CHECK(std::string(error.what()).find("layer \"block1\": ") == 0);
    CHECK(error.cols() == 5);
  }
}

TEST_CASE("a profile prints as a table of eighty columns", "[layer_profile]") {
  const test::OneThread one_thread;
  Named layers = network();
  layers.emplace_back("encoder.layers.11.output.dense", synthetic::isotropic<float>(20, 4));
  layers.emplace_back("one\nrow", synthetic::isotropic<float>(1, 4));
  const LayerProfile profile = layer_profile(layers);
  for (const std::string& text : {fmt::format("{}", profile), fmt::format("{:a}", profile)}) {
    INFO(text);
    const std::vector<std::string> table = lines(text);
    REQUIRE(table.size() == 11);
    for (const std::string& line : table) {
      CHECK(text::columns(line) <= 80);
      CHECK((line.empty() || line.back() != ' '));
    }
    CHECK(text::columns(table[0]) == 80);
    CHECK(table[2].find("healthy") != std::string::npos);
    CHECK(table[4].find("0.25") != std::string::npos);
    CHECK(table[4].find("dimensional") != std::string::npos);
    CHECK(table[5].find("complete") != std::string::npos);
    CHECK(table[6].find("encoder.lay") == 0);
    CHECK(table[7].find("one row") == 0);
    CHECK(table[7].find("undetermined") != std::string::npos);
    CHECK(table[9].find("block2") != std::string::npos);
    CHECK(text.back() != '\n');
  }
  for (const char c : fmt::format("{:a}", profile)) CHECK(static_cast<unsigned char>(c) < 0x80U);
  // What is there for its name is cut, not the numbers after it.
  const std::vector<std::string> table = lines(fmt::format("{:a}", profile));
  CHECK(table[6].find("encoder.lay...") == 0);
  CHECK(lines(fmt::format("{}", LayerProfile{})).size() == 2);
}

TEST_CASE("numbers at the ends of their range keep the table in shape", "[layer_profile]") {
  LayerProfile profile;
  Layer layer;
  layer.name = "wide";
  profile.layers.push_back(layer);
  layer.samples = 123456789;
  layer.units = 1234567;
  layer.effective_rank = 98765.4;
  layer.effective_rank_vs_expected = 1.004;
  layer.dormant_fraction = 1.0;
  layer.dead_units = 99999;
  layer.mean_cosine = -1e-9;
  layer.verdict = Verdict::dimensional_collapse;
  profile.layers.push_back(layer);
  const std::vector<std::string> table = lines(fmt::format("{:a}", profile));
  for (const std::string& line : table) CHECK(line.size() <= 80);
  CHECK(table[2].find(" - ") != std::string::npos);
  CHECK(table[3].find("1e+08 1e+06  98765 1.00 ######## 1.00 99999  0.00  dimensional") != std::string::npos);
}

TEST_CASE("a profile refuses other specifications", "[layer_profile]") {
  const LayerProfile profile;
  CHECK_THROWS_AS(fmt::format(fmt::runtime("{:q}"), profile), fmt::format_error);
}
