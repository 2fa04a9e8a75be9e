#pragma once

#include <collapse/report.hpp>
#include <collapse/version.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>
#include <string>

/// Reports as JSON, for those who have nlohmann/json:
///
///     nlohmann::ordered_json json = report;    // keys in the order of report.hpp
///     std::string line = nlohmann::json(report).dump();
///
/// The keys are the names of the fields in report.hpp; the whole starts with `collapse_version`. A number that is
/// undefined or infinite is null, never a string; all others survive a round trip through text bit for bit.
namespace collapse {
namespace detail {

/// `nlohmann::json`, `nlohmann::ordered_json` and every other `nlohmann::basic_json`.
template <class Json>
concept NlohmannJson = nlohmann::detail::is_basic_json<Json>::value;

template <NlohmannJson Json>
[[nodiscard]] Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

template <NlohmannJson Json>
[[nodiscard]] Json json_number(const std::optional<Index>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <NlohmannJson Json>
[[nodiscard]] Json json_numbers(const Eigen::VectorXd& values) {
  Json array = Json::array();
  for (Index i = 0; i < values.size(); ++i) array.push_back(json_number<Json>(values[i]));
  return array;
}

template <NlohmannJson Json>
void put_quantiles(Json& json, const CosineQuantiles& quantiles) {
  json["p01"] = json_number<Json>(quantiles.p01);
  json["p05"] = json_number<Json>(quantiles.p05);
  json["p25"] = json_number<Json>(quantiles.p25);
  json["p50"] = json_number<Json>(quantiles.p50);
  json["p75"] = json_number<Json>(quantiles.p75);
  json["p95"] = json_number<Json>(quantiles.p95);
  json["p99"] = json_number<Json>(quantiles.p99);
}

}  // namespace detail

template <detail::NlohmannJson Json>
void to_json(Json& json, const Verdict& verdict) {
  json = std::string(to_string(verdict));
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const SpectrumMethod& method) {
  json = std::string(to_string(method));
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Norms& norms) {
  json = Json::object();
  json["mean"] = detail::json_number<Json>(norms.mean);
  json["std"] = detail::json_number<Json>(norms.std);
  json["min"] = detail::json_number<Json>(norms.min);
  json["max"] = detail::json_number<Json>(norms.max);
  json["zero_rows"] = norms.zero_rows;
  json["skipped_rows"] = norms.skipped_rows;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const CosineQuantiles& quantiles) {
  json = Json::object();
  detail::put_quantiles(json, quantiles);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Cosine& cosine) {
  json = Json::object();
  json["mean"] = detail::json_number<Json>(cosine.mean);
  json["std"] = detail::json_number<Json>(cosine.std);
  json["min"] = detail::json_number<Json>(cosine.min);
  json["max"] = detail::json_number<Json>(cosine.max);
  detail::put_quantiles(json, cosine);
  json["histogram"] = cosine.histogram;
  json["pairs"] = cosine.pairs;
  json["sampled_rows"] = cosine.sampled_rows;
  json["exact"] = cosine.exact;
  json["standard_error"] = cosine.standard_error;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Variance& variance) {
  json = Json::object();
  json["per_dimension"] = detail::json_numbers<Json>(variance.per_dimension);
  json["min"] = detail::json_number<Json>(variance.min);
  json["mean"] = detail::json_number<Json>(variance.mean);
  json["max"] = detail::json_number<Json>(variance.max);
  json["median"] = detail::json_number<Json>(variance.median);
  json["total"] = detail::json_number<Json>(variance.total);
  json["dead_dimensions"] = variance.dead_dimensions;
  json["low_dimensions"] = variance.low_dimensions;
  json["hinge"] = detail::json_number<Json>(variance.hinge);
  json["normalized_std"] = detail::json_number<Json>(variance.normalized_std);
  json["dispersion"] = detail::json_number<Json>(variance.dispersion);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Decorrelation& decorrelation) {
  json = Json::object();
  json["covariance_penalty"] = detail::json_number<Json>(decorrelation.covariance_penalty);
  json["mean_abs_correlation"] = detail::json_number<Json>(decorrelation.mean_abs_correlation);
  json["rms_correlation"] = detail::json_number<Json>(decorrelation.rms_correlation);
  json["max_abs_correlation"] = detail::json_number<Json>(decorrelation.max_abs_correlation);
  json["max_pair"] = decorrelation.max_pair ? Json(*decorrelation.max_pair) : Json(nullptr);
  json["redundancy"] = detail::json_number<Json>(decorrelation.redundancy);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Spectrum& spectrum) {
  json = Json::object();
  json["singular_values"] = detail::json_numbers<Json>(spectrum.singular_values);
  json["noise_floor"] = detail::json_number<Json>(spectrum.noise_floor);
  json["below_noise_floor"] = spectrum.below_noise_floor;
  json["effective_rank"] = detail::json_number<Json>(spectrum.effective_rank);
  json["effective_rank_ratio"] = detail::json_number<Json>(spectrum.effective_rank_ratio);
  json["entropy_rank"] = detail::json_number<Json>(spectrum.entropy_rank);
  json["participation_ratio"] = detail::json_number<Json>(spectrum.participation_ratio);
  json["stable_rank"] = detail::json_number<Json>(spectrum.stable_rank);
  json["numerical_rank"] = spectrum.numerical_rank;
  json["condition_number"] = detail::json_number<Json>(spectrum.condition_number);
  json["top1_share"] = detail::json_number<Json>(spectrum.top1_share);
  json["top10_share"] = detail::json_number<Json>(spectrum.top10_share);
  json["rank_90"] = detail::json_number<Json>(spectrum.rank_90);
  json["rank_95"] = detail::json_number<Json>(spectrum.rank_95);
  json["rank_99"] = detail::json_number<Json>(spectrum.rank_99);
  json["alpha"] = detail::json_number<Json>(spectrum.alpha);
  json["alpha_r2"] = detail::json_number<Json>(spectrum.alpha_r2);
  json["expected_effective_rank"] = detail::json_number<Json>(spectrum.expected_effective_rank);
  json["effective_rank_vs_expected"] = detail::json_number<Json>(spectrum.effective_rank_vs_expected);
  json["method"] = spectrum.method;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Finding& finding) {
  json = Json::object();
  json["kind"] = finding.kind;
  json["severity"] = detail::json_number<Json>(finding.severity);
  json["metric"] = finding.metric;
  json["value"] = detail::json_number<Json>(finding.value);
  json["threshold"] = detail::json_number<Json>(finding.threshold);
  json["explanation"] = finding.explanation;
  json["remedy"] = finding.remedy;
  json["origin"] = finding.origin;
  json["decisive"] = finding.decisive;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Diagnosis& diagnosis) {
  json = Json::object();
  json["verdict"] = diagnosis.verdict;
  json["findings"] = diagnosis.findings;
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Isotropy& block) {
  json = Json::object();
  json["uniformity"] = detail::json_number<Json>(block.uniformity);
  json["uniformity_standard_error"] = detail::json_number<Json>(block.uniformity_standard_error);
  json["pairs"] = block.pairs;
  json["sampled_rows"] = block.sampled_rows;
  json["exact"] = block.exact;
  json["isoscore"] = detail::json_number<Json>(block.isoscore);
  json["vendi_score"] = detail::json_number<Json>(block.vendi_score);
  json["vendi_score_2"] = detail::json_number<Json>(block.vendi_score_2);
  json["vendi_score_inf"] = detail::json_number<Json>(block.vendi_score_inf);
  json["vendi_ratio"] = detail::json_number<Json>(block.vendi_ratio);
  json["self_cluster"] = detail::json_number<Json>(block.self_cluster);
  json["coherence"] = detail::json_number<Json>(block.coherence);
  json["partition_isotropy"] = detail::json_number<Json>(block.partition_isotropy);
  json["log_partition_isotropy"] = detail::json_number<Json>(block.log_partition_isotropy);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Confidence& confidence) {
  json = Json::object();
  json["resamples"] = confidence.resamples;
  json["level"] = detail::json_number<Json>(confidence.level);
  Json& estimates = json["estimates"] = Json::object();
  for (const Estimate& estimate : confidence.estimates) {
    Json& entry = estimates[estimate.metric];
    entry["value"] = detail::json_number<Json>(estimate.value);
    entry["standard_error"] = detail::json_number<Json>(estimate.standard_error);
    entry["low"] = detail::json_number<Json>(estimate.low);
    entry["high"] = detail::json_number<Json>(estimate.high);
  }
}

/// Writes a whole report as a JSON object, `collapse_version` first; `confidence` only where it was asked for.
template <detail::NlohmannJson Json>
void to_json(Json& json, const Report& report) {
  json = Json::object();
  json["collapse_version"] = COLLAPSE_VERSION_STRING;
  json["samples"] = report.samples;
  json["dims"] = report.dims;
  json["input_epsilon"] = detail::json_number<Json>(report.input_epsilon);
  json["norms"] = report.norms;
  json["cosine"] = report.cosine;
  json["variance"] = report.variance;
  json["decorrelation"] = report.decorrelation;
  json["spectrum"] = report.spectrum;
  json["spectrum_uncentered"] = report.spectrum_uncentered;
  json["diagnosis"] = report.diagnosis;
  if (report.confidence.resamples > 0) json["confidence"] = report.confidence;
}

}  // namespace collapse
