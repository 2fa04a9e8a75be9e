#pragma once

#include <collapse/compare.hpp>
#include <collapse/json.hpp>

#include <nlohmann/json.hpp>

/// Comparisons of two views as JSON; see json.hpp.
namespace collapse {

template <detail::NlohmannJson Json>
void to_json(Json& json, const Comparison& comparison) {
  json = Json::object();
  json["collapse_version"] = COLLAPSE_VERSION_STRING;
  json["samples"] = comparison.samples;
  json["skipped_rows"] = comparison.skipped_rows;
  json["directed_pairs"] = comparison.directed_pairs;
  json["alignment"] = detail::json_number<Json>(comparison.alignment);
  json["invariance"] = detail::json_number<Json>(comparison.invariance);
  json["barlow_on_diagonal"] = detail::json_number<Json>(comparison.barlow_on_diagonal);
  json["barlow_off_diagonal"] = detail::json_number<Json>(comparison.barlow_off_diagonal);
  json["vicreg"] = detail::json_number<Json>(comparison.vicreg);
  json["modality_gap"] = detail::json_number<Json>(comparison.modality_gap);
  json["paired_cosine"] = detail::json_number<Json>(comparison.paired_cosine);
  json["unpaired_cosine"] = detail::json_number<Json>(comparison.unpaired_cosine);
  json["linear_cka"] = detail::json_number<Json>(comparison.linear_cka);
  json["linear_cka_debiased"] = detail::json_number<Json>(comparison.linear_cka_debiased);
  json["a"] = comparison.a;
  json["b"] = comparison.b;
  json["findings"] = comparison.findings;
}

}  // namespace collapse
