#include "support/catch.hpp"
#include "support/json_keys.hpp"

#include <collapse/json.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using Json = nlohmann::ordered_json;
using collapse::test::Keys;
using collapse::test::keys_of;

namespace {

/// The JSON of a value after a round trip through text.
template <class Value>
Json parsed(const Value& value) {
  const nlohmann::json unordered = value;
  const Json json = value;
  CHECK(unordered == nlohmann::json::parse(json.dump()));
  return Json::parse(json.dump());
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("a neighbourhood as JSON has the keys of its fields and every number bit for bit", "[json_neighbourhood]") {
  Neighbourhood rows;
  rows.samples = 1234;
  rows.dims = 768;
  rows.metric = Metric::cosine;
  rows.intrinsic_dimension = {1.0 / 3.0, 1.0 / 7.0, 1.0 / 11.0, 1.0 / 13.0, 20, 1200};
  rows.hubness = -1.0 / 17.0;
  rows.hubness_k = 10;
  rows.k_occurrence.resize(3);
  rows.k_occurrence << 4, 0, 26;
  rows.duplicate_rows = 1.0 / 19.0;
  rows.near_duplicates = 1.0 / 23.0;
  rows.distinct_modes = 1177;
  rows.median_distance = 5e-324;
  rows.zero_rows = 3;
  rows.skipped_rows = 5;
  rows.undefined_numbers = {{metric_path<&Neighbourhood::hubness>.in_result(), "a \"reason\""}};
  const Json json = parsed(rows);
  CHECK(keys_of(json) == Keys{"samples", "dims", "metric", "intrinsic_dimension", "hubness", "hubness_k",
                              "k_occurrence", "duplicate_rows", "near_duplicates", "distinct_modes", "median_distance",
                              "zero_rows", "skipped_rows", "undefined_numbers"});
  CHECK(json["samples"] == 1234);
  CHECK(json["dims"] == 768);
  CHECK(json["metric"] == "cosine");
  const Json& dimension = json["intrinsic_dimension"];
  CHECK(keys_of(dimension) == Keys{"two_nn", "two_nn_standard_error", "mle", "mle_standard_error", "mle_k", "rows"});
  CHECK(dimension["two_nn"] == 1.0 / 3.0);
  CHECK(dimension["two_nn_standard_error"] == 1.0 / 7.0);
  CHECK(dimension["mle"] == 1.0 / 11.0);
  CHECK(dimension["mle_standard_error"] == 1.0 / 13.0);
  CHECK(dimension["mle_k"] == 20);
  CHECK(dimension["rows"] == 1200);
  CHECK(json["hubness"] == -1.0 / 17.0);
  CHECK(json["hubness_k"] == 10);
  CHECK(json["k_occurrence"] == Json{4, 0, 26});
  CHECK(json["duplicate_rows"] == 1.0 / 19.0);
  CHECK(json["near_duplicates"] == 1.0 / 23.0);
  CHECK(json["distinct_modes"] == 1177);
  CHECK(json["median_distance"] == 5e-324);
  CHECK(json["zero_rows"] == 3);
  CHECK(json["skipped_rows"] == 5);
  CHECK(json["undefined_numbers"]["hubness"] == "a \"reason\"");
}

TEST_CASE("undefined numbers of a neighbourhood are null", "[json_neighbourhood]") {
  Neighbourhood rows;
  rows.hubness = infinity;
  const Json json = parsed(rows);
  CHECK(json["metric"] == "euclidean");
  for (const char* key : {"hubness", "duplicate_rows", "near_duplicates", "distinct_modes", "median_distance"}) {
    CAPTURE(key);
    CHECK(json[key].is_null());
  }
  for (const char* key : {"two_nn", "two_nn_standard_error", "mle", "mle_standard_error"}) {
    CAPTURE(key);
    CHECK(json["intrinsic_dimension"][key].is_null());
  }
  CHECK(json["k_occurrence"].is_array());
  CHECK(json["k_occurrence"].empty());
  CHECK(json["undefined_numbers"].is_object());
}

TEST_CASE("a layer profile as JSON has one object for each layer", "[json_neighbourhood]") {
  LayerProfile profile;
  const Json empty = parsed(profile);
  CHECK(keys_of(empty) == Keys{"collapse_version", "layers", "first_collapsed", "steepest"});
  CHECK(empty["collapse_version"] == COLLAPSE_VERSION_STRING);
  CHECK(empty["layers"].is_array());
  CHECK(empty["layers"].empty());
  CHECK(empty["first_collapsed"].is_null());
  CHECK(empty["steepest"].is_null());

  Layer layer;
  layer.name = "a \"name\"";
  profile.layers.push_back(layer);
  layer.samples = 300;
  layer.units = 24;
  layer.effective_rank = 1.0 / 3.0;
  layer.effective_rank_ratio = 1.0 / 7.0;
  layer.expected_effective_rank = 1.0 / 11.0;
  layer.effective_rank_vs_expected = 1.0 / 13.0;
  layer.dormant_fraction = 1.0 / 17.0;
  layer.dead_units = 5;
  layer.mean_cosine = -1.0 / 19.0;
  layer.verdict = Verdict::dimensional_collapse;
  profile.layers.push_back(layer);
  profile.first_collapsed = 1;
  profile.steepest = 0;
  const Json json = parsed(profile);
  REQUIRE(json["layers"].size() == 2);
  CHECK(json["first_collapsed"] == 1);
  CHECK(json["steepest"] == 0);
  const Json& second = json["layers"][1];
  CHECK(keys_of(second) == Keys{"name", "samples", "units", "effective_rank", "effective_rank_ratio",
                                "expected_effective_rank", "effective_rank_vs_expected", "dormant_fraction",
                                "dead_units", "mean_cosine", "verdict"});
  CHECK(second["name"] == "a \"name\"");
  CHECK(second["samples"] == 300);
  CHECK(second["units"] == 24);
  CHECK(second["effective_rank"] == 1.0 / 3.0);
  CHECK(second["effective_rank_ratio"] == 1.0 / 7.0);
  CHECK(second["expected_effective_rank"] == 1.0 / 11.0);
  CHECK(second["effective_rank_vs_expected"] == 1.0 / 13.0);
  CHECK(second["dormant_fraction"] == 1.0 / 17.0);
  CHECK(second["dead_units"] == 5);
  CHECK(second["mean_cosine"] == -1.0 / 19.0);
  CHECK(second["verdict"] == "dimensional_collapse");
  for (const char* key : {"effective_rank", "effective_rank_ratio", "expected_effective_rank",
                          "effective_rank_vs_expected", "dormant_fraction", "mean_cosine"}) {
    CAPTURE(key);
    CHECK(json["layers"][0][key].is_null());
  }
  CHECK(json["layers"][0]["verdict"] == "undetermined");
}
