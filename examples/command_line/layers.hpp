#pragma once

#include "all_rows.hpp"
#include "source.hpp"

#include <collapse/error.hpp>
#include <collapse/layer_profile.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
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

/// The profile of the layers in files, one of which is in memory at a time.
[[nodiscard]] inline collapse::LayerProfile profile_files(const std::vector<std::string>& paths, Format format,
                                                          const std::string& tensor,
                                                          const collapse::LayerProfileOptions& options) {
  const std::vector<std::string> names = layer_names(paths);
  collapse::LayerProfile profile;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Source source = Source::open(paths[i], format, tensor);
    AllRows rows;
    source.for_each_block(1024, [&](const auto& block) { rows.add(block, source.name()); });
    rows.visit([&](const auto& activations) {
      try {
        collapse::add_layer(profile, names[i], activations, options);
      } catch (const collapse::NonFiniteError& error) {
        throw non_finite(source.name(), error.row(), error.col(),
                         static_cast<double>(activations(error.row(), error.col())));
      } catch (const collapse::Error& error) {
        throw collapse::FileError(source.name(), error.what());
      }
    });
  }
  return profile;
}

}  // namespace command_line
