#pragma once

#include "baseline.hpp"
#include "output.hpp"

#include <collapse/neighbourhood.hpp>
#include <collapse/report.hpp>
#include <collapse/report/classes.hpp>

#include <optional>
#include <string>
#include <vector>

namespace command_line {

/// What `score` or `merge` found out.
struct Result {
  collapse::Report report = {};
  std::optional<double> seconds = {};  ///< of the measuring, the median of all times; nothing of states
  std::optional<collapse::Isotropy> isotropy = {};
  std::optional<collapse::ClassCollapse> labels = {};
  std::optional<collapse::Neighbourhood> neighbours = {};
  std::optional<AgainstBaseline> baseline = {};
  std::vector<std::string> remarks = {};  ///< on how the inputs were read
};

/// The page, or the object of --json.
[[nodiscard]] std::string render(const Result& result, const Output& output);

}  // namespace command_line
