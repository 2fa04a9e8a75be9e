#pragma once

#include <collapse/measure.hpp>
#include <collapse/metrics/activations.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/layers.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collapse {

/// How a layer is measured.
struct LayerProfileOptions {
  Options measure{};
  double tau = 0.025;  ///< dormant up to this share of the mean activity of all units, >= 0
};

/// Throws OptionError unless every option lies in its range.
inline void validate(const LayerProfileOptions& options) {
  validate(options.measure);
  validate(ActivationOptions{.tau = options.tau});
}

namespace detail {

/// Calls action(), and adds the name of the layer to the errors that it throws.
template <class Action>
auto for_layer(std::string_view name, Action&& action) {
  const auto layer = [name] { return fmt::format("layer \"{}\"", name); };
  try {
    return action();
  } catch (const ShapeError& error) {
    throw ShapeError(fmt::format("{}: {}", layer(), error.what()), error.rows(), error.cols());
  } catch (const NonFiniteError& error) {
    throw NonFiniteError(layer(), error);
  }
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Layer measure_layer(std::string_view name, const linalg::MatrixView<Scalar>& h,
                                  const LayerProfileOptions& options) {
  const Report report = streams::measure(h, options.measure);
  const Activations units =
      metrics::activations(h, {.nonfinite = options.measure.nonfinite, .tau = options.tau, .with_srank = false});
  return {.name = std::string(name),
          .samples = report.samples,
          .units = report.dims,
          .effective_rank = report.spectrum.effective_rank,
          .effective_rank_ratio = report.spectrum.effective_rank_ratio,
          .expected_effective_rank = report.spectrum.expected_effective_rank,
          .effective_rank_vs_expected = report.spectrum.effective_rank_vs_expected,
          .dormant_fraction = units.dormant_fraction,
          .dead_units = units.dead_units,
          .mean_cosine = report.cosine.mean,
          .verdict = report.diagnosis.verdict};
}

/// Sets `first_collapsed` and `steepest` from the layers.
inline void find_collapse(LayerProfile& profile) {
  double lowest = 1.0;
  for (std::size_t i = 0; i < profile.layers.size(); ++i) {
    const Layer& layer = profile.layers[i];
    const bool sick = layer.verdict != Verdict::healthy && layer.verdict != Verdict::undetermined;
    if (sick && !profile.first_collapsed) profile.first_collapsed = static_cast<Index>(i);
    if (i == 0) continue;
    const double change = layer.effective_rank_vs_expected / profile.layers[i - 1].effective_rank_vs_expected;
    if (change < lowest) {
      lowest = change;
      profile.steepest = static_cast<Index>(i);
    }
  }
}

}  // namespace detail

/// Measures one more layer, the next towards the output. For activations that are not all in memory at once, or whose
/// scalars differ.
///
/// @param profile  of the layers before; unchanged when something is thrown
/// @param name     of the layer
/// @param H        N x D, rows inputs, columns units: any dense Eigen expression
/// @param options  see LayerProfileOptions
/// @throws ShapeError, NonFiniteError as `moments`, each naming the layer; OptionError
/// Cost: that of measure(H).
template <class Derived>
void add_layer(LayerProfile& profile, std::string_view name, const Eigen::DenseBase<Derived>& H,
               const LayerProfileOptions& options = {}) {
  validate(options);
  profile.layers.push_back(detail::for_layer(name, [&] {
    const linalg::Evaluated<Derived> evaluated(H);
    return detail::measure_layer(name, evaluated.view(), options);
  }));
  detail::find_collapse(profile);
}

/// Where along the depth a network collapses: the same few numbers for each layer.
///
/// @param layers   anything to iterate over whose elements unpack as [name, activations]: std::vector or std::array of
///                 std::pair, std::map, a struct of two; activations are N x D, rows inputs, columns units, any dense
///                 Eigen expression. Layers may differ in N and D; give them in the order of the network
/// @param options  see LayerProfileOptions
/// @return one Layer for each, in the order given. A collapse shows as a fall of `effective_rank_vs_expected` from one
///         layer to the next; `steepest` is the layer whose ratio to the one before is smallest
/// @throws ShapeError, NonFiniteError as `moments`, each naming the layer; OptionError
/// Cost: that of measure(H) for each layer.
/// Source: the ranks of the layers of a network, in Feng et al., Rank diminishing in deep neural networks, 2022.
template <class Layers>
[[nodiscard]] LayerProfile layer_profile(const Layers& layers, const LayerProfileOptions& options = {}) {
  validate(options);
  LayerProfile profile;
  for (const auto& [name, activations] : layers) add_layer(profile, name, activations, options);
  return profile;
}

}  // namespace collapse
