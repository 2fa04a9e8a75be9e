#include "baseline.hpp"

#include <collapse/error.hpp>
#include <collapse/io/mapped_file.hpp>
#include <collapse/report/path.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace command_line {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array verdicts{collapse::Verdict::healthy,        collapse::Verdict::dimensional_collapse,
                              collapse::Verdict::anisotropic,    collapse::Verdict::cluster_collapse,
                              collapse::Verdict::class_collapse, collapse::Verdict::complete_collapse,
                              collapse::Verdict::undetermined};

/// What stands at a path; null where nothing does.
const Json* find(const Json& json, std::string_view path) {
  const Json* at = &json;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string key(path.substr(0, dot));
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &at->at(key);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

collapse::Baseline read_baseline(const std::string& path) {
  const collapse::io::MappedFile file(path);
  const auto* const text = reinterpret_cast<const char*>(file.data());
  const Json json = Json::parse(text, text + file.size(), nullptr, false);
  const auto refused = [&path] {
    return collapse::FileError(path, "is no report; write one with `collapse score FILE --json`");
  };
  if (!json.is_object()) throw refused();
  const auto read = [&](collapse::MetricPath metric) {
    const Json* const found = find(json, metric);
    if (found == nullptr || !(found->is_number() || found->is_null())) throw refused();
    return found->is_number() ? found->get<double>() : collapse::undefined;
  };
  collapse::Baseline baseline;
  baseline.effective_rank_vs_expected =
      read(collapse::metric_path<&collapse::Report::spectrum, &collapse::Spectrum::effective_rank_vs_expected>);
  baseline.dispersion = read(collapse::metric_path<&collapse::Report::variance, &collapse::Variance::dispersion>);
  baseline.mean_cosine = read(collapse::metric_path<&collapse::Report::cosine, &collapse::Cosine::mean>);
  if (const Json* const found = find(json, "diagnosis.verdict"); found != nullptr && found->is_string()) {
    for (const collapse::Verdict verdict : verdicts) {
      if (found->get<std::string>() == to_string(verdict)) baseline.verdict = verdict;
    }
  }
  return baseline;
}

AgainstBaseline compare_with(const std::string& path, const collapse::Baseline& before, const collapse::Report& now) {
  return {.path = path,
          .before = before,
          .verdict = now.diagnosis.verdict,
          .falls = collapse::falls_since(before, now),
          .verdict_fell = collapse::verdict_fell(before, now)};
}

std::string to_text(const AgainstBaseline& compared) {
  if (!compared.fell()) return fmt::format("against {}: nothing fell\n", compared.path);
  std::string text = fmt::format("against {}:\n", compared.path);
  if (compared.verdict_fell) {
    text += fmt::format("  the verdict was {} and is {}\n", to_string(compared.before.verdict),
                        to_string(compared.verdict));
  }
  for (const collapse::Fall& fall : compared.falls) {
    const std::string now = std::isfinite(fall.now) ? fmt::format("is {:.4g}", fall.now) : "is undefined";
    text +=
        fmt::format("  {} was {:.4g} and {}, allowed to {:.4g}\n", fall.metric.view(), fall.before, now, fall.allowed);
  }
  return text;
}

Json to_json(const AgainstBaseline& compared) {
  Json json;
  json["path"] = compared.path;
  json["verdict"] = std::string(to_string(compared.before.verdict));
  json["fell"] = compared.fell();
  json["falls"] = Json::array();
  for (const collapse::Fall& fall : compared.falls) {
    json["falls"].push_back({{"metric", std::string(fall.metric.view())},
                             {"before", number(fall.before)},
                             {"now", number(fall.now)},
                             {"allowed", number(fall.allowed)}});
  }
  return json;
}

}  // namespace command_line
