#pragma once

#include <collapse/report.hpp>

namespace collapse {

/// The weights of the terms of the VICReg loss. The defaults are those of the paper. Its published code halves the
/// variance term: that is `{.variance = 12.5}`.
struct VicregWeights {
  double invariance = 25.0;
  double variance = 25.0;
  double covariance = 1.0;
};

/// The VICReg loss: weight.invariance * s(A, B) + weight.variance (v(A) + v(B)) + weight.covariance (c(A) + c(B)).
///
/// @param invariance  mean over rows and dimensions of (a_id - b_id)^2
/// @param a, b        the reports on both views, of which `variance.hinge` and `decorrelation.covariance_penalty` are
///                    used
/// @param weight      of the three terms
/// @return >= 0, in mixed units: the loss means something at the scale it was trained at. Undefined when one of its
///         terms is
/// Cost: O(1).
/// Source: Bardes, Ponce & LeCun, VICReg, 2022, eq. 1-6 and Algorithm 1.
[[nodiscard]] inline double vicreg(double invariance, const Report& a, const Report& b,
                                   const VicregWeights& weight = {}) {
  return weight.invariance * invariance + weight.variance * (a.variance.hinge + b.variance.hinge) +
         weight.covariance * (a.decorrelation.covariance_penalty + b.decorrelation.covariance_penalty);
}

}  // namespace collapse
