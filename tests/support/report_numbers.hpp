#pragma once

#include <collapse/report.hpp>
#include <collapse/report/walk.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace collapse::reference {

/// Every number of a report, by name, in a fixed order.
using Numbers = std::vector<std::pair<std::string, double>>;

inline void add(Numbers& to, const std::string& name, double value) { to.emplace_back(name, value); }

inline void add(Numbers& to, const std::string& name, std::int64_t value) { add(to, name, static_cast<double>(value)); }

inline void add(Numbers& to, const std::string& name, bool value) { add(to, name, value ? 1.0 : 0.0); }

inline void add(Numbers& to, const std::string& name, const Finding& finding) {
  const std::string known = name + ' ' + std::string(to_string(finding.kind)) + ' ' + std::string(finding.metric) +
                            finding.explanation + finding.remedy + finding.origin;
  add(to, known, finding.severity);
  add(to, known, finding.value);
  add(to, known, finding.threshold);
  add(to, known, finding.decisive);
}

template <class Enum>
requires std::is_enum_v<Enum>
void add(Numbers& to, const std::string& name, Enum value) { add(to, name, static_cast<double>(value)); }

template <class Values>
requires requires(const Values& values) { values.begin() != values.end(); }
void add(Numbers& to, const std::string& name, const Values& values) {
  add(to, name + " size", static_cast<double>(values.size()));
  for (const auto& value : values) add(to, name, value);
}

template <class Value>
void add(Numbers& to, const std::string& name, const std::optional<Value>& value) {
  add(to, name + " is defined", value.has_value());
  if (value) add(to, name, *value);
}

[[nodiscard]] inline Numbers numbers(const Report& report) {
  Numbers all;
  for_each_field(report, [&all](MetricPath path, const FieldInfo&, const auto& value) {
    // Standard errors are compared where they are asked for.
    if constexpr (!std::is_same_v<decltype(value), const std::vector<Estimate>&>) {
      if (path != metric_path<&Report::confidence, &Confidence::level>) add(all, std::string(path), value);
    }
  });
  return all;
}

/// Whether all numbers are the same; undefined ones are.
[[nodiscard]] inline bool same(const Numbers& left, const Numbers& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || (std::isnan(a.second) && std::isnan(b.second)));
  });
}

}  // namespace collapse::reference
