#pragma once

#include <collapse/report.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/report/comparison.hpp>
#include <collapse/report/layers.hpp>
#include <collapse/report/neighbourhood.hpp>
#include <collapse/version.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Results as JSON, for those who have nlohmann/json:
///
///     nlohmann::ordered_json json = report;    // keys in the order of the catalogue
///     std::string line = nlohmann::json(report).dump();
///
/// The keys are the names in the catalogue of each block; what is a whole document starts with `collapse_version`. A
/// number that is undefined or infinite is null, never a string; all others survive a round trip through text bit for
/// bit. It needs the results alone, not what measures them.
namespace collapse {
namespace detail {

/// `nlohmann::json`, `nlohmann::ordered_json` and every other `nlohmann::basic_json`.
template <class Json>
concept NlohmannJson = nlohmann::detail::is_basic_json<Json>::value;

/// An enumeration whose values have names.
template <class Type>
concept Named = std::is_enum_v<Type> && requires(Type value) {
  to_string(value);
};

template <NlohmannJson Json>
void put(Json& json, double value) {
  if (std::isfinite(value)) {
    json = value;
  } else {
    json = nullptr;
  }
}

template <NlohmannJson Json>
void put(Json& json, bool value) {
  json = value;
}

template <NlohmannJson Json>
void put(Json& json, std::int64_t value) {
  json = value;
}

template <NlohmannJson Json>
void put(Json& json, std::string_view text) {
  json = std::string(text);
}

template <NlohmannJson Json, Named Name>
void put(Json& json, Name value) {
  json = std::string(to_string(value));
}

template <NlohmannJson Json, std::size_t Size>
void put(Json& json, const std::array<std::int64_t, Size>& counts) {
  json = counts;
}

template <NlohmannJson Json, class Value>
void put(Json& json, const std::optional<Value>& value) {
  if (value) {
    put(json, *value);
  } else {
    json = nullptr;
  }
}

template <NlohmannJson Json, class Scalar>
void put(Json& json, const Eigen::Matrix<Scalar, Eigen::Dynamic, 1>& values) {
  json = Json::array();
  for (Index i = 0; i < values.size(); ++i) {
    json.push_back(nullptr);
    put(json.back(), values[i]);
  }
}

template <NlohmannJson Json>
void put(Json& json, const std::vector<std::int64_t>& counts) {
  json = counts;
}

template <NlohmannJson Json, Block Element>
void put(Json& json, const std::vector<Element>& list);
template <NlohmannJson Json>
void put(Json& json, const std::vector<Estimate>& estimates);
template <NlohmannJson Json>
void put(Json& json, const std::vector<Undefined>& reasons);

template <NlohmannJson Json, Block Part>
void put(Json& json, const Part& block) {
  json = Json::object();
  if constexpr (std::is_same_v<Part, Report> || std::is_same_v<Part, Comparison> ||
                std::is_same_v<Part, LayerProfile>) {
    json["collapse_version"] = COLLAPSE_VERSION_STRING;
  }
  Part::fields([&](const auto& field) {
    const auto& value = block.*field.member;
    // Only where it was asked for.
    if constexpr (std::is_same_v<decltype(value), const Confidence&>) {
      if (value.resamples == 0) return;
    }
    put(json[field.name], value);
  });
}

template <NlohmannJson Json, Block Element>
void put(Json& json, const std::vector<Element>& list) {
  json = Json::array();
  for (const Element& element : list) {
    json.push_back(nullptr);
    put(json.back(), element);
  }
}

/// By path.
template <NlohmannJson Json>
void put(Json& json, const std::vector<Estimate>& estimates) {
  json = Json::object();
  for (const Estimate& estimate : estimates) put(json[std::string(estimate.metric)], estimate);
}

/// By path.
template <NlohmannJson Json>
void put(Json& json, const std::vector<Undefined>& reasons) {
  json = Json::object();
  for (const Undefined& number : reasons) json[std::string(number.metric)] = number.reason;
}

}  // namespace detail

/// Writes a result, or a block of one, as a JSON object.
template <detail::NlohmannJson Json, Block Part>
void to_json(Json& json, const Part& block) {
  detail::put(json, block);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const Verdict& verdict) {
  detail::put(json, verdict);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const FindingKind& kind) {
  detail::put(json, kind);
}

template <detail::NlohmannJson Json>
void to_json(Json& json, const SpectrumMethod& method) {
  detail::put(json, method);
}

}  // namespace collapse
