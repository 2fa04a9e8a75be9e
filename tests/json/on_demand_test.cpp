#include "support/blocks_on_demand.hpp"
#include "support/catch.hpp"
#include "support/json_keys.hpp"

#include <collapse/json.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace collapse;
using Json = nlohmann::ordered_json;
using collapse::test::Keys;
using collapse::test::keys_of;

namespace {

/// Numbers in an object that are null, by key.
Keys nulls(const Json& json) {
  Keys keys;
  for (const auto& item : json.items()) {
    if (item.value().is_null()) keys.push_back(item.key());
  }
  return keys;
}

}  // namespace

TEST_CASE("the JSON of uniformity has its fields in their order", "[json_on_demand]") {
  const Json json = reference::uniformity_example();
  CHECK(json.dump() ==
        R"({"uniformity":-3.125,"uniformity_standard_error":0.0125,"pairs":4950,"sampled_rows":100,"exact":false,)"
        R"("isoscore":0.25,"vendi_score":31.5,"vendi_score_2":21.5,"vendi_score_inf":11.5,"vendi_ratio":0.625,)"
        R"("self_cluster":0.03125,"coherence":1.5,"partition_isotropy":0.875,"log_partition_isotropy":-0.1335})");
  CHECK(nulls(Isotropy{}) == Keys{"uniformity", "uniformity_standard_error", "isoscore", "vendi_score", "vendi_score_2",
                                  "vendi_score_inf", "vendi_ratio", "self_cluster", "coherence", "partition_isotropy",
                                  "log_partition_isotropy"});
}

TEST_CASE("the JSON of labelled embeddings has its fields in their order", "[json_on_demand]") {
  ClassCollapse report = reference::class_example();
  report.findings.push_back({FindingKind::undefined_number, 0.0, metric_path<&ClassCollapse::nc3>.in_result(),
                             undefined, undefined, "why", ""});
  const Json json = report;
  CHECK(keys_of(json) == Keys{"samples",
                              "dims",
                              "classes",
                              "unlabelled_rows",
                              "skipped_rows",
                              "input_epsilon",
                              "nc1",
                              "nc1_ratio",
                              "cdnv",
                              "nc2_equinorm",
                              "nc2_equiangular",
                              "nc2_max_angle",
                              "nc3",
                              "nc4",
                              "class_effective_rank",
                              "centroid_cosine",
                              "centroid_cosine_centred",
                              "lidar",
                              "per_class",
                              "silhouette",
                              "silhouette_cosine",
                              "knn_accuracy",
                              "linear_probe_accuracy",
                              "linear_probe_train_accuracy",
                              "sampled_rows",
                              "exact",
                              "findings"});
  CHECK(nulls(json).empty());
  CHECK(json.at("nc1") == 0.125);
  CHECK(json.at("nc1_ratio") == 0.375);
  CHECK(json.at("cdnv") == 0.4375);
  CHECK(json.at("nc2_equinorm") == 0.0625);
  CHECK(json.at("nc2_equiangular") == 0.03125);
  CHECK(json.at("nc2_max_angle") == 0.015625);
  CHECK(json.at("nc3") == 1.125);
  CHECK(json.at("nc4") == 0.09375);
  CHECK(json.at("class_effective_rank") == 1.875);
  CHECK(json.at("centroid_cosine") == 0.1875);
  CHECK(json.at("centroid_cosine_centred") == -0.4375);
  CHECK(json.at("lidar") == 1.9375);
  CHECK(json.at("silhouette") == 0.5625);
  CHECK(json.at("silhouette_cosine") == 0.6875);
  CHECK(json.at("knn_accuracy") == 0.9688);
  CHECK(json.at("linear_probe_accuracy") == 0.9531);
  CHECK(json.at("linear_probe_train_accuracy") == 0.9844);
  CHECK(json.at("per_class").dump() ==
        R"({"label":[0,1,7],"samples":[200,190,210],"variance":[4.5,0.5,3.5],"effective_rank":[21.25,5.125,20.75],)"
        R"("effective_rank_ratio":[0.885,0.2135,0.8646],"expected_effective_rank":[22.5,22.25,22.75],)"
        R"("effective_rank_vs_expected":[0.9444,0.2303,0.9121],"worst":1})");
  CHECK(json.at("findings")[0].at("metric") == "nc3");
  CHECK(Json(ClassCollapse{}).at("per_class").at("worst").is_null());
  CHECK(nulls(ClassCollapse{}).size() == 17);
}

TEST_CASE("the JSON of a comparison has its fields in their order", "[json_on_demand]") {
  const Json json = reference::comparison_example();
  CHECK(keys_of(json) == Keys{"collapse_version", "samples", "skipped_rows", "directed_pairs", "alignment",
                              "invariance", "barlow_on_diagonal", "barlow_off_diagonal", "vicreg", "modality_gap",
                              "paired_cosine", "unpaired_cosine", "linear_cka", "linear_cka_debiased", "signal", "a", "b",
                              "findings", "diagnosis"});
  CHECK(nulls(json).empty());
  CHECK(json.at("directed_pairs") == 699);
  CHECK(json.at("alignment") == 0.25);
  CHECK(json.at("invariance") == 0.375);
  CHECK(json.at("barlow_on_diagonal") == 1.25);
  CHECK(json.at("barlow_off_diagonal") == 2.75);
  CHECK(json.at("vicreg") == 13.5);
  CHECK(json.at("modality_gap") == 0.0625);
  CHECK(json.at("paired_cosine") == 0.875);
  CHECK(json.at("unpaired_cosine") == 0.03125);
  CHECK(json.at("linear_cka") == 0.8125);
  CHECK(json.at("linear_cka_debiased") == 0.7812);
  CHECK(json.at("a").at("dims") == 16);
  CHECK(json.at("b").at("dims") == 17);
  CHECK(json.at("b").at("diagnosis").at("verdict") == "partial_collapse");
  CHECK(nulls(Comparison{}).size() == 10);
}
