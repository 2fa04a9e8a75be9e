#pragma once

#include "digits.hpp"
#include "network.hpp"
#include "run.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace training {

enum class Objective { invariance, simclr, moco, byol, simsiam, barlow_twins, vicreg };

/// A way to train an encoder so that two views of an image have like embeddings. The defaults are the system as its
/// authors describe it, on the scale of these images.
struct Recipe {
  std::string system;
  std::string ablation = "-";
  Objective objective = Objective::invariance;
  bool batch_norm = true;
  bool negatives = true;       ///< of SimCLR and MoCo
  bool predictor = true;       ///< of BYOL and SimSiam
  bool stop_gradient = true;   ///< of BYOL and SimSiam
  float momentum = 0.99F;      ///< of the target network of BYOL and MoCo
  double off_diagonal = 0.02;  ///< weight of Barlow Twins' second term
  double variance = 25.0;      ///< weights of VICReg's terms
  double covariance = 1.0;
  bool head = false;  ///< a projection that is thrown away after training
  Augmentation augmentation{};
  int steps = 600;
};

/// @param recipe  followed for its steps
/// @param then    another, followed from there on; it may differ in the loss alone
[[nodiscard]] Run train(const Recipe& recipe, const Digits& digits, std::uint64_t seed,
                        const std::optional<Recipe>& then = std::nullopt);

}  // namespace training
