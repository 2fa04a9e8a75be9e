#pragma once

#include <collapse/json.hpp>
#include <collapse/report/classes.hpp>

#include <nlohmann/json.hpp>

/// Reports on labelled embeddings as JSON; see json.hpp.
namespace collapse {

template <detail::NlohmannJson Json>
void to_json(Json& json, const PerClass& classes) {
  json = Json::object();
  json["label"] = classes.label;
  json["samples"] = classes.samples;
  json["variance"] = detail::json_numbers<Json>(classes.variance);
  json["effective_rank"] = detail::json_numbers<Json>(classes.effective_rank);
  json["effective_rank_ratio"] = detail::json_numbers<Json>(classes.effective_rank_ratio);
  json["expected_effective_rank"] = detail::json_numbers<Json>(classes.expected_effective_rank);
  json["effective_rank_vs_expected"] = detail::json_numbers<Json>(classes.effective_rank_vs_expected);
  json["worst"] = classes.worst ? Json(*classes.worst) : Json(nullptr);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const ClassCollapse& report) {
  json = Json::object();
  json["samples"] = report.samples;
  json["dims"] = report.dims;
  json["classes"] = report.classes;
  json["unlabelled_rows"] = report.unlabelled_rows;
  json["skipped_rows"] = report.skipped_rows;
  json["input_epsilon"] = detail::json_number<Json>(report.input_epsilon);
  json["nc1"] = detail::json_number<Json>(report.nc1);
  json["nc1_ratio"] = detail::json_number<Json>(report.nc1_ratio);
  json["cdnv"] = detail::json_number<Json>(report.cdnv);
  json["nc2_equinorm"] = detail::json_number<Json>(report.nc2_equinorm);
  json["nc2_equiangular"] = detail::json_number<Json>(report.nc2_equiangular);
  json["nc2_max_angle"] = detail::json_number<Json>(report.nc2_max_angle);
  json["nc3"] = detail::json_number<Json>(report.nc3);
  json["nc4"] = detail::json_number<Json>(report.nc4);
  json["class_effective_rank"] = detail::json_number<Json>(report.class_effective_rank);
  json["centroid_cosine"] = detail::json_number<Json>(report.centroid_cosine);
  json["centroid_cosine_centred"] = detail::json_number<Json>(report.centroid_cosine_centred);
  json["lidar"] = detail::json_number<Json>(report.lidar);
  json["per_class"] = report.per_class;
  json["silhouette"] = detail::json_number<Json>(report.silhouette);
  json["silhouette_cosine"] = detail::json_number<Json>(report.silhouette_cosine);
  json["knn_accuracy"] = detail::json_number<Json>(report.knn_accuracy);
  json["linear_probe_accuracy"] = detail::json_number<Json>(report.linear_probe_accuracy);
  json["linear_probe_train_accuracy"] = detail::json_number<Json>(report.linear_probe_train_accuracy);
  json["sampled_rows"] = report.sampled_rows;
  json["exact"] = report.exact;
  json["findings"] = report.findings;
}

}  // namespace collapse
