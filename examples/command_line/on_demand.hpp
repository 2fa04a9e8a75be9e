#pragma once

#include "all_rows.hpp"
#include "source.hpp"

#include <collapse/compare.hpp>
#include <collapse/layers.hpp>
#include <collapse/neighbourhood.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <string>
#include <vector>

/// What is measured besides the report when it is asked for, of rows of any scalar. Compiled apart from the rest: it
/// takes longest.
namespace command_line {

[[nodiscard]] collapse::Isotropy isotropy(const AllRows& rows, const collapse::Options& options);

[[nodiscard]] collapse::Neighbourhood neighbourhood(const AllRows& rows, const collapse::NeighbourhoodOptions& options);

/// The profile of the layers in files, one of which is in memory at a time.
[[nodiscard]] collapse::LayerProfile profile_files(const std::vector<std::string>& paths, Format format,
                                                   const std::string& tensor,
                                                   const collapse::LayerProfileOptions& options);

/// The views of the same samples in two files, of which the first is held in memory.
[[nodiscard]] collapse::Comparison compare_files(const std::string& path_a, const std::string& path_b, Format format,
                                                 const std::string& tensor, const collapse::Options& options);

}  // namespace command_line
