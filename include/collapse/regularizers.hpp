#pragma once

#include <collapse/regularizers/alignment.hpp>
#include <collapse/regularizers/barlow_twins.hpp>
#include <collapse/regularizers/covariance_penalty.hpp>
#include <collapse/regularizers/info_nce.hpp>
#include <collapse/regularizers/log_determinant.hpp>
#include <collapse/regularizers/spectral_entropy.hpp>
#include <collapse/regularizers/uniformity.hpp>
#include <collapse/regularizers/variance_hinge.hpp>
#include <collapse/regularizers/vicreg.hpp>

/// Penalties that keep embeddings from collapsing, each with its gradient in closed form:
///
///     collapse::regularizers::CovariancePenalty penalty;   // keeps its memory: make one, use it at every step
///     Eigen::MatrixXf gradient;
///     const double value = penalty.value_and_gradient(Z, gradient);   // dL/dZ, to be passed on to the encoder
///
/// Embeddings and gradients are of any scalar that the library measures, and any storage order; the arithmetic between
/// is in double. The value is that of the metric of the same name.
namespace collapse::regularizers {}
