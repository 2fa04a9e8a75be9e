#pragma once

#include "digits.hpp"
#include "run.hpp"

#include <cstdint>

/// Systems that are no joint embedding. What shows their collapse besides the report stands in Run::shows.
namespace training {

/// A variational autoencoder of the digits with 16 latent dimensions.
/// @param beta  weight of the divergence from the prior: 1 is the bound of Kingma & Welling; 0 an autoencoder
[[nodiscard]] Run train_autoencoder(const Digits& digits, double beta, std::uint64_t seed);

/// Values of the moves on a grid with one reward, from the network's own values of the next states.
/// @param regularised  whether the features are kept from collapsing, by the log-determinant of their covariance
[[nodiscard]] Run train_values(bool regularised, std::uint64_t seed);

/// A generator of a ring of eight Gaussians, by kernel scores.
/// @param repulsion  whether samples also repel each other, as the maximum mean discrepancy asks
[[nodiscard]] Run train_generator(bool repulsion, std::uint64_t seed);

/// Two encoders, of the upper and the lower half of the digits, with InfoNCE between them.
[[nodiscard]] Run train_two_towers(const Digits& digits, double temperature, std::uint64_t seed);

/// A classifier of the digits.
/// @param past_zero_error  trained on long after it makes no error
[[nodiscard]] Run train_classifier(const Digits& digits, bool past_zero_error, std::uint64_t seed);

}  // namespace training
