#pragma once

#include <collapse/json.hpp>
#include <collapse/layers.hpp>

#include <nlohmann/json.hpp>

/// Layer profiles as JSON; see json.hpp.
namespace collapse {

template <detail::NlohmannJson Json>
void to_json(Json& json, const Layer& layer) {
  json = Json::object();
  json["name"] = layer.name;
  json["samples"] = layer.samples;
  json["units"] = layer.units;
  json["effective_rank"] = detail::json_number<Json>(layer.effective_rank);
  json["effective_rank_ratio"] = detail::json_number<Json>(layer.effective_rank_ratio);
  json["expected_effective_rank"] = detail::json_number<Json>(layer.expected_effective_rank);
  json["effective_rank_vs_expected"] = detail::json_number<Json>(layer.effective_rank_vs_expected);
  json["dormant_fraction"] = detail::json_number<Json>(layer.dormant_fraction);
  json["dead_units"] = layer.dead_units;
  json["mean_cosine"] = detail::json_number<Json>(layer.mean_cosine);
  json["verdict"] = layer.verdict;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const LayerProfile& profile) {
  json = Json::object();
  json["collapse_version"] = COLLAPSE_VERSION_STRING;
  json["layers"] = profile.layers;
  json["first_collapsed"] = detail::json_number<Json>(profile.first_collapsed);
  json["steepest"] = detail::json_number<Json>(profile.steepest);
}

}  // namespace collapse
