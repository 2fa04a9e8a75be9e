#pragma once

#include <collapse/json.hpp>
#include <collapse/neighbourhood.hpp>

#include <nlohmann/json.hpp>

/// Neighbourhoods as JSON; see json.hpp.
namespace collapse {

template <detail::NlohmannJson Json>
void to_json(Json& json, const Neighbourhood& rows) {
  json = Json::object();
  json["samples"] = rows.samples;
  json["dims"] = rows.dims;
  json["metric"] = to_string(rows.metric);
  const IntrinsicDimension& dimension = rows.intrinsic_dimension;
  Json& block = json["intrinsic_dimension"] = Json::object();
  block["two_nn"] = detail::json_number<Json>(dimension.two_nn);
  block["two_nn_standard_error"] = detail::json_number<Json>(dimension.two_nn_standard_error);
  block["mle"] = detail::json_number<Json>(dimension.mle);
  block["mle_standard_error"] = detail::json_number<Json>(dimension.mle_standard_error);
  block["mle_k"] = dimension.mle_k;
  block["rows"] = dimension.rows;
  json["hubness"] = detail::json_number<Json>(rows.hubness);
  json["hubness_k"] = rows.hubness_k;
  Json& occurrence = json["k_occurrence"] = Json::array();
  for (const Index count : rows.k_occurrence) occurrence.push_back(count);
  json["duplicate_rows"] = detail::json_number<Json>(rows.duplicate_rows);
  json["near_duplicates"] = detail::json_number<Json>(rows.near_duplicates);
  json["distinct_modes"] = detail::json_number<Json>(rows.distinct_modes);
  json["median_distance"] = detail::json_number<Json>(rows.median_distance);
  json["zero_rows"] = rows.zero_rows;
  json["skipped_rows"] = rows.skipped_rows;
  Json& reasons = json["undefined_numbers"] = Json::object();
  for (const Undefined& number : rows.undefined_numbers) reasons[number.metric] = number.reason;
}

}  // namespace collapse
