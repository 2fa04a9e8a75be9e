#pragma once

#include <collapse/error.hpp>
#include <collapse/options.hpp>
#include <collapse/report/edit_distance.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Thresholds by their names, for what is configured by text: a command line, a file.
namespace collapse {

/// Thresholds for a kind of encoder.
struct Preset {
  std::string_view name;
  Thresholds (*thresholds)();
  std::string_view reason;  ///< why they differ from the defaults
};

namespace detail {

/// Rows of a classifier lie at their class means: what else were a collapse of clusters, and a rank near the number of
/// classes, is its aim.
[[nodiscard]] inline Thresholds supervised_thresholds() {
  Thresholds result = Thresholds::autoencoder();
  result.cluster_pairs = 1.0;
  return result;
}

}  // namespace detail

inline constexpr std::array presets{
    Preset{"self-supervised", &Thresholds::self_supervised, "the defaults are meant for these"},
    Preset{"contrastive", &Thresholds::contrastive, "negatives spread directions over the sphere"},
    Preset{"language-model", &Thresholds::language_model,
           "hidden states share a direction, and a few dimensions hold most of their variance"},
    Preset{"supervised", &detail::supervised_thresholds,
           "rows lie at their class means, in few directions, by what the loss asks for"},
    Preset{"autoencoder", &Thresholds::autoencoder, "codes follow the spectrum of the data"}};

namespace detail {

/// At most `most` of the names, the most similar first.
[[nodiscard]] inline std::string nearest_names(std::string_view name, std::vector<std::string_view> names,
                                               std::size_t most) {
  // A name that the text is a part of is meant rather than one of few other letters.
  const auto distance = [name](std::string_view other) {
    const bool part = name.size() > 2 && other.find(name) != std::string_view::npos;
    return part ? 0 : edit_distance(name, other);
  };
  std::stable_sort(names.begin(), names.end(),
                   [&](std::string_view a, std::string_view b) { return distance(a) < distance(b); });
  std::string list;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) list.append(i > 0 ? ", " : "").append(names[i]);
  return list;
}

}  // namespace detail

/// The preset of a name.
/// @throws OptionError that lists them all for a name that none bears
[[nodiscard]] inline const Preset& preset(std::string_view name) {
  const auto* const found =
      std::find_if(presets.begin(), presets.end(), [name](const Preset& each) { return each.name == name; });
  if (found != presets.end()) return *found;
  std::vector<std::string_view> names;
  for (const Preset& each : presets) names.push_back(each.name);
  throw OptionError(
      fmt::format("'{}' is no preset; there are {}", name, detail::nearest_names(name, names, names.size())));
}

/// Sets one threshold by the name of its member.
/// @param thresholds  stay in their ranges: unchanged when something is thrown
/// @param name        such as "dimensional_ratio"
/// @param value       a whole number where the threshold counts
/// @throws OptionError that lists the most similar names for one that no threshold bears; for a value out of its range
/// Cost: O(thresholds).
inline void set_threshold(Thresholds& thresholds, std::string_view name, double value) {
  Thresholds changed = thresholds;
  bool found = false;
  std::vector<std::string_view> names;
  Thresholds::fields([&](const auto& field) {
    names.push_back(field.name);
    if (name != field.name) return;
    found = true;
    auto& member = changed.*field.member;
    using Value = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_floating_point_v<Value>) {
      member = value;
    } else {
      constexpr double most = 9007199254740992.0;
      if (!(value >= -most && value <= most) || static_cast<double>(static_cast<Index>(value)) != value) {
        throw OptionError(fmt::format("{} is a whole number, got {}", name, value));
      }
      member = static_cast<Value>(value);
    }
  });
  if (!found) {
    throw OptionError(
        fmt::format("no threshold is called '{}'; similar ones are {}", name, detail::nearest_names(name, names, 3)));
  }
  validate(changed);
  thresholds = changed;
}

}  // namespace collapse
