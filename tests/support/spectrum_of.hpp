#pragma once

#include <collapse/statistics/spectra/spectrum.hpp>

#include <vector>

namespace collapse::reference {

/// A spectrum of these values, descending, of a few rows more than there are dimensions.
[[nodiscard]] inline SingularValues spectrum_of(const std::vector<double>& values, double floor = 0.0,
                                                bool centred = true) {
  SingularValues result;
  result.values = Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Index>(values.size()));
  result.noise_floor = floor;
  result.dims = static_cast<Index>(values.size());
  result.samples = result.dims + 5;
  result.centred = centred;
  return result;
}

}  // namespace collapse::reference
