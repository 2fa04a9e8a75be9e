#pragma once

#include <collapse/text.hpp>

#include <ostream>

namespace collapse {

/// Writes the whole report, as `fmt::format("{}", report)` does, without a newline at its end.
inline std::ostream& operator<<(std::ostream& out, const Report& report) { return out << fmt::format("{}", report); }

}  // namespace collapse
