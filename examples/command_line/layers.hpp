#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace command_line {

/// What the layers in files are called: the name of the file without folder and ending, unless two were called the
/// same.
[[nodiscard]] inline std::vector<std::string> layer_names(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) names.push_back(std::filesystem::path(path).stem().string());
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() ? names : paths;
}

}  // namespace command_line
