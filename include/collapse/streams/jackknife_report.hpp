#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/compiled.hpp>
#include <collapse/confidence.hpp>
#include <collapse/error.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/streams/jackknife.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace collapse {
namespace streams {

/// Adds to `errors` the reports on all parts but one, for each of `parts`; `outside` has seen all that are not among
/// these. G log2 G merges instead of G^2, and log2 G accumulators at a time.
inline void leave_out_each(std::span<const Accumulator> parts, const std::optional<Accumulator>& outside,
                           Jackknife& errors) {
  if (parts.size() == 1) {
    if (outside) errors.add(outside->report());
    return;
  }
  const std::size_t half = parts.size() / 2;
  const auto descend = [&](std::span<const Accumulator> kept, std::span<const Accumulator> others) {
    std::optional<Accumulator> all = outside;
    for (const Accumulator& other : others) {
      if (all)
        all->merge(other);
      else
        all = other;
    }
    leave_out_each(kept, all, errors);
  };
  descend(parts.first(half), parts.subspan(half));
  descend(parts.subspan(half), parts.first(half));
}

}  // namespace streams

COLLAPSE_INLINE Report jackknife_report(std::span<const Accumulator> parts, double level) {
  if (parts.size() < 2) {
    throw Error(fmt::format("{} accumulator{} given; standard errors come from leaving out one of at least 2",
                            parts.size(), parts.size() == 1 ? "" : "s"));
  }
  validate({.confidence_level = level});
  Accumulator all = parts.front();
  for (const Accumulator& part : parts.subspan(1)) all.merge(part);
  Report result = all.report();
  streams::Jackknife errors(result, level);
  streams::leave_out_each(parts, std::nullopt, errors);
  const double count = static_cast<double>(parts.size());
  result.confidence = errors.result((count - 1.0) / count);
  return result;
}

}  // namespace collapse
