#pragma once

#include <collapse/report.hpp>
#include <collapse/report/classes.hpp>
#include <collapse/report/comparison.hpp>
#include <collapse/report/layers.hpp>
#include <collapse/report/neighbourhood.hpp>
#include <collapse/report/observation.hpp>
#include <collapse/report/walk.hpp>

#include <array>
#include <string_view>
#include <vector>

namespace collapse {

/// A result and all of its numbers.
struct CataloguedResult {
  std::string_view call;   ///< what returns it
  std::string_view tells;  ///< what it is
  std::string_view cost;   ///< of the call
  std::string_view root;   ///< what its paths begin with, a dot at its end where it is not empty
  const std::vector<CatalogueEntry>* entries;
};

/// Every result of the library.
[[nodiscard]] inline const std::array<CataloguedResult, 7>& catalogue() {
  const auto root = [](const auto* of) { return root_of(of); };
  static const std::array<CataloguedResult, 7> all{{
      {"measure(Z)", "one set of embeddings", "2 N D m + m^3", root(static_cast<const Report*>(nullptr)),
       &entries_of<Report>()},
      {"isotropy(Z)", "how evenly they fill the space", "8 N D m + 15 m^3", root(static_cast<const Isotropy*>(nullptr)),
       &entries_of<Isotropy>()},
      {"compare(A, B)", "two views of the same samples", "two reports", root(static_cast<const Comparison*>(nullptr)),
       &entries_of<Comparison>()},
      {"class_collapse(Z, labels)", "how they lie by class", "N D^2", root(static_cast<const ClassCollapse*>(nullptr)),
       &entries_of<ClassCollapse>()},
      {"neighbourhood(Z)", "nearest neighbours", "2 N^2 D", root(static_cast<const Neighbourhood*>(nullptr)),
       &entries_of<Neighbourhood>()},
      {"layer_profile(layers)", "the layers of a network", "one report each",
       root(static_cast<const LayerProfile*>(nullptr)), &entries_of<LayerProfile>()},
      {"Monitor::observe(step, Z)", "one step of a training run", "N D", root(static_cast<const Observation*>(nullptr)),
       &entries_of<Observation>()},
  }};
  return all;
}

/// The entry of a path from the root; null where nothing has it.
[[nodiscard]] inline const CatalogueEntry* find_entry(std::string_view path) {
  for (const CataloguedResult& result : catalogue()) {
    if (!path.starts_with(result.root)) continue;
    for (const CatalogueEntry& entry : *result.entries) {
      if (entry.path == path) return &entry;
    }
  }
  return nullptr;
}

}  // namespace collapse
