#include "on_demand.hpp"

#include <collapse/isotropy.hpp>

namespace command_line {

collapse::Isotropy isotropy(const AllRows& rows, const collapse::Options& options) {
  return rows.visit([&options](const auto& z) { return collapse::isotropy(z, options); });
}

collapse::Neighbourhood neighbourhood(const AllRows& rows, const collapse::NeighbourhoodOptions& options) {
  return rows.visit([&options](const auto& z) { return collapse::neighbourhood(z, options); });
}

}  // namespace command_line
