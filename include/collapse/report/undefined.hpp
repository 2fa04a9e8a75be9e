#pragma once

#include <Eigen/Core>

#include <limits>

namespace collapse {

using Eigen::Index;

/// The value of a number that the input does not define; never 0 or 1 by accident.
inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace collapse
