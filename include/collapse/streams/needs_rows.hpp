#pragma once

#include <collapse/options.hpp>

namespace collapse::streams {

/// Whether a report with these options needs the rows themselves, however many.
[[nodiscard]] inline bool needs_rows(const Options& options) {
  return options.all_pairs || options.method == SpectrumMethod::svd;
}

}  // namespace collapse::streams
