#pragma once

#include <collapse/baseline.hpp>
#include <collapse/report.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace command_line {

/// How a report compares with one that was good.
struct AgainstBaseline {
  std::string path;
  collapse::Baseline before;
  collapse::Verdict verdict = collapse::Verdict::undetermined;  ///< of the report now
  std::vector<collapse::Fall> falls;
  bool verdict_fell = false;

  [[nodiscard]] bool fell() const { return verdict_fell || !falls.empty(); }
};

/// What the object of --json in a file says.
/// @throws collapse::FileError  where it is none
[[nodiscard]] collapse::Baseline read_baseline(const std::string& path);

[[nodiscard]] AgainstBaseline compare_with(const std::string& path, const collapse::Baseline& before,
                                           const collapse::Report& now);

[[nodiscard]] std::string to_text(const AgainstBaseline& compared);
[[nodiscard]] nlohmann::ordered_json to_json(const AgainstBaseline& compared);

}  // namespace command_line
