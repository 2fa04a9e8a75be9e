#pragma once

#include <collapse/penalties/alignment.hpp>
#include <collapse/penalties/barlow_twins.hpp>
#include <collapse/penalties/covariance_penalty.hpp>
#include <collapse/penalties/info_nce.hpp>
#include <collapse/penalties/log_determinant.hpp>
#include <collapse/penalties/spectral_entropy.hpp>
#include <collapse/penalties/uniformity.hpp>
#include <collapse/penalties/variance_hinge.hpp>
#include <collapse/penalties/vicreg.hpp>

/// Penalties that keep embeddings from collapsing, each with its gradient in closed form:
///
///     collapse::penalties::CovariancePenalty penalty;   // keeps its memory: make one, use it at every step
///     Eigen::MatrixXf gradient;
///     const double value = penalty.value_and_gradient(Z, gradient);   // dL/dZ, to be passed on to the encoder
///
/// Embeddings and gradients are of any scalar that the library measures, and any storage order; the arithmetic between
/// is in double. The value is that of the metric of the same name.
namespace collapse::penalties {}
