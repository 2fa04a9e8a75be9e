#pragma once

#include "all_rows.hpp"

#include <collapse/neighbourhood.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

/// What needs all rows in memory, of any scalar. Compiled apart from the rest: it takes longest.
namespace command_line {

[[nodiscard]] collapse::Isotropy isotropy(const AllRows& rows, const collapse::Options& options);

[[nodiscard]] collapse::Neighbourhood neighbourhood(const AllRows& rows, const collapse::NeighbourhoodOptions& options);

}  // namespace command_line
