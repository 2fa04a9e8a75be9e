// Every number of the report over every synthetic scenario, as a table: which of them see which collapse.
//
//     scenarios [ROWS [DIMS]]

#include <collapse/collapse.hpp>
#include <collapse/json.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using collapse::Index;
using Json = nlohmann::ordered_json;

struct Scenario {
  std::string name;
  Eigen::MatrixXf embeddings;
};

std::vector<Scenario> scenarios(Index rows, Index dims) {
  using namespace collapse::synthetic;
  return {{"isotropic", isotropic<float>(rows, dims)},
          {"power law 1", power_law<float>(rows, dims, 1.0)},
          {"power law 3", power_law<float>(rows, dims, 3.0)},
          {"rank D/16", low_rank<float>(rows, dims, std::max<Index>(1, dims / 16))},
          {"correlated .9", correlated<float>(rows, dims, 0.9)},
          {"copies of D/8", duplicated<float>(rows, dims, std::max<Index>(1, dims / 8))},
          {"D/2 dead", dead_dimensions<float>(rows, dims, dims / 2)},
          {"cone .9", cone<float>(rows, dims, 0.9)},
          {"8 clusters", clusters<float>(rows, dims, 8, 0.05)},
          {"point + 1e-4", around_a_point<float>(rows, dims, 1e-4)},
          {"point + 1e-9", around_a_point<float>(rows, dims, 1e-9)},
          {"constant", constant<float>(rows, dims)}};
}

/// The numbers of a report by their JSON path; lists are too long for a table.
void flatten(const Json& json, const std::string& path, std::vector<std::pair<std::string, std::string>>& out) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) flatten(value, path.empty() ? key : path + '.' + key, out);
  } else if (json.is_number_float()) {
    out.emplace_back(path, fmt::format("{:.4g}", json.get<double>()));
  } else if (json.is_number()) {
    out.emplace_back(path, fmt::format("{}", json.get<std::int64_t>()));
  } else if (json.is_null()) {
    out.emplace_back(path, "-");
  } else if (json.is_string()) {
    out.emplace_back(path, json.get<std::string>());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Index rows = argc > 1 ? std::atol(argv[1]) : 4096;
  const Index dims = argc > 2 ? std::atol(argv[2]) : 256;
  constexpr int label = 46;
  constexpr int column = 15;
  std::vector<std::string> paths;
  std::vector<std::map<std::string, std::string>> columns;
  std::string head = fmt::format("{:<{}}", fmt::format("{} x {}, float32", rows, dims), label);
  std::string verdicts = fmt::format("{:<{}}", "verdict", label);
  for (const Scenario& scenario : scenarios(rows, dims)) {
    const collapse::Report report = collapse::measure(scenario.embeddings);
    Json json = report;
    for (const char* const key : {"collapse_version", "samples", "dims", "input_epsilon", "diagnosis"}) json.erase(key);
    std::vector<std::pair<std::string, std::string>> numbers;
    flatten(json, "", numbers);
    columns.emplace_back(numbers.begin(), numbers.end());
    if (paths.empty()) {
      for (const auto& [path, value] : numbers) paths.push_back(path);
    }
    head += fmt::format("{:>{}}", scenario.name, column);
    std::string verdict{to_string(report.diagnosis.verdict)};
    verdicts += fmt::format("{:>{}}", verdict.substr(0, verdict.find('_')), column);
  }
  fmt::print("{}\n{}\n", head, verdicts);
  for (const std::string& path : paths) {
    std::string line = fmt::format("{:<{}}", path, label);
    for (const auto& numbers : columns) {
      const auto found = numbers.find(path);
      line += fmt::format("{:>{}}", found != numbers.end() ? found->second : "-", column);
    }
    fmt::print("{}\n", line);
  }
}
