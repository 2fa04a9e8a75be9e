#pragma once

#include <collapse/report.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// Graded families of embeddings with the truth attached, for judging how well a number or a verdict works:
///
///     const auto sample = collapse::synthetic::scenario<float>(Family::dimensional, 0.8, 256, 64, seed);
///     // sample.embeddings, sample.truth
namespace collapse::synthetic {

/// One way to collapse, or to be healthy.
enum class Family {
  power_law,       ///< healthy: eigenvalues k^-strength, flat to steep
  heavy_tails,     ///< healthy: lengths log-normal, with standard deviation strength / 2 of the logarithm
  mixture,         ///< healthy: 16 centres, a fifth of the variance
  complete,        ///< an offset of (1000^strength - 1) times the spread
  dimensional,     ///< D^(1 - strength) directions
  dead,            ///< strength (D - 1) constant dimensions
  redundant,       ///< every two dimensions have correlation strength
  cone,            ///< every two rows have cosine 0.95 strength
  clusters,        ///< 8 centres, (1 - strength) / strength * 0.75 around them
  single_class,    ///< the mixture, labelled; rows of label 0 are 1000^-strength times as far from their centre
  norm_collapse,   ///< 1000^-strength times healthy lengths
  norm_explosion,  ///< 1000^strength times healthy lengths
};

inline constexpr std::array<Family, 12> families{Family::power_law,    Family::heavy_tails,   Family::mixture,
                                                 Family::complete,     Family::dimensional,   Family::dead,
                                                 Family::redundant,    Family::cone,          Family::clusters,
                                                 Family::single_class, Family::norm_collapse, Family::norm_explosion};

[[nodiscard]] constexpr std::string_view to_string(Family family) noexcept {
  switch (family) {
    case Family::power_law: return "power_law";
    case Family::heavy_tails: return "heavy_tails";
    case Family::mixture: return "mixture";
    case Family::complete: return "complete";
    case Family::dimensional: return "dimensional";
    case Family::dead: return "dead";
    case Family::redundant: return "redundant";
    case Family::cone: return "cone";
    case Family::clusters: return "clusters";
    case Family::single_class: return "single_class";
    case Family::norm_collapse: return "norm_collapse";
    case Family::norm_explosion: return "norm_explosion";
  }
  return "unknown";
}

[[nodiscard]] constexpr bool is_healthy(Family family) noexcept {
  return family == Family::power_law || family == Family::heavy_tails || family == Family::mixture;
}

/// What is true of a family at a strength. It is a collapse from strength 0.75 on, is none at 0, and has no clear
/// answer between them. Dead dimensions and norms are findings that no verdict follows from: for them `verdict` is
/// empty at every strength above 0. A cone is no collapse; where it is so narrow that its rows may be noise around a
/// point, nobody can tell from the rows.
struct Truth {
  Family family = Family::power_law;
  double strength = 0.0;
  std::optional<bool> collapsed;   ///< empty where it is a matter of degree
  std::optional<Verdict> verdict;  ///< the one that is right; empty where more than one is
};

[[nodiscard]] inline Truth truth(Family family, double strength) {
  Truth result{family, strength, std::nullopt, std::nullopt};
  if (is_healthy(family) || strength == 0.0) {
    result.collapsed = false;
    result.verdict = Verdict::healthy;
  } else if (family == Family::cone) {
    if (strength <= 0.85) {
      result.collapsed = false;
      result.verdict = Verdict::healthy;
    }
  } else if (strength >= 0.75) {
    result.collapsed = true;
    switch (family) {
      case Family::complete: result.verdict = Verdict::complete_collapse; break;
      case Family::dimensional:
      case Family::redundant: result.verdict = Verdict::dimensional_collapse; break;
      case Family::clusters: result.verdict = Verdict::cluster_collapse; break;
      case Family::single_class: result.verdict = Verdict::class_collapse; break;
      default: break;
    }
  }
  return result;
}

template <EmbeddingScalar Scalar>
struct Scenario {
  Embeddings<Scalar> embeddings;
  std::vector<std::int64_t> labels;  ///< of Family::single_class: one for each row, 0 to 15; else none
  Truth truth;
};

namespace detail {

inline constexpr double log_thousand = 6.907755278982137;
inline constexpr Index mixture_centres = 16;
inline constexpr double mixture_spread = 2.0;

template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> scaled(Index rows, Index dims, double factor, std::uint64_t seed) {
  return generate<Scalar>(rows, dims, dims, seed, [&](Index, const auto& deviates, auto& values) {
    for (Index d = 0; d < dims; ++d) values(d) = factor * deviates(d);
  });
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> heavy_tails(Index rows, Index dims, double strength, std::uint64_t seed) {
  return generate<Scalar>(rows, dims, dims + 1, seed, [&](Index, const auto& deviates, auto& values) {
    const double length = collapse::synthetic::portable_exp(0.5 * strength * deviates(dims));
    for (Index d = 0; d < dims; ++d) values(d) = length * deviates(d);
  });
}

/// Formed in double: the spread of the collapsed class may be smaller than the rounding of its centre to the scalar.
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> single_class(Index rows, Index dims, double strength, std::uint64_t seed) {
  Embeddings<double> result = clusters<double>(rows, dims, mixture_centres, mixture_spread, seed);
  const Embeddings<double> centre = clusters<double>(1, dims, mixture_centres, 0.0, seed);
  const double shrink = collapse::synthetic::portable_exp(-log_thousand * strength);
  for (Index i = 0; i < rows; i += mixture_centres) {
    result.row(i) = centre.row(0) + shrink * (result.row(i) - centre.row(0));
  }
  return result.template cast<Scalar>();
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> member(Family family, double strength, Index rows, Index dims, std::uint64_t seed) {
  using collapse::synthetic::portable_exp;
  using collapse::synthetic::portable_log;
  const double size = static_cast<double>(dims);
  switch (family) {
    case Family::power_law: return power_law<Scalar>(rows, dims, strength, seed);
    case Family::heavy_tails: return heavy_tails<Scalar>(rows, dims, strength, seed);
    case Family::mixture: return clusters<Scalar>(rows, dims, mixture_centres, mixture_spread, seed);
    case Family::single_class: return single_class<Scalar>(rows, dims, strength, seed);
    case Family::norm_collapse: return scaled<Scalar>(rows, dims, portable_exp(-log_thousand * strength), seed);
    case Family::norm_explosion: return scaled<Scalar>(rows, dims, portable_exp(log_thousand * strength), seed);
    default: break;
  }
  if (strength == 0.0) return isotropic<Scalar>(rows, dims, seed);
  switch (family) {
    case Family::complete:
      return around_a_point<Scalar>(rows, dims, 1.0 / (std::sqrt(size) * (portable_exp(log_thousand * strength) - 1.0)),
                                    seed);
    case Family::dimensional: {
      const double rank = portable_exp((1.0 - strength) * portable_log(size));
      return low_rank<Scalar>(rows, dims, std::clamp<Index>(std::lround(rank), 1, dims), seed);
    }
    case Family::dead: return dead_dimensions<Scalar>(rows, dims, std::lround(strength * (size - 1.0)), seed);
    case Family::redundant: return correlated<Scalar>(rows, dims, strength, seed);
    case Family::cone: return cone<Scalar>(rows, dims, 0.95 * strength, seed);
    case Family::clusters: return clusters<Scalar>(rows, dims, 8, 0.75 * (1.0 - strength) / strength, seed);
    default: break;
  }
  return isotropic<Scalar>(rows, dims, seed);
}

}  // namespace detail

/// Rows of a family at a strength, and what they are.
/// @param strength  0 (healthy, or flat) to 1
/// @throws ShapeError, OptionError as the generators
/// Cost: O(N D log D), and O(N D^2) for the weakest dimensional collapse.
template <EmbeddingScalar Scalar>
[[nodiscard]] Scenario<Scalar> scenario(Family family, double strength, Eigen::Index rows, Eigen::Index dims,
                                        std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(strength >= 0.0 && strength <= 1.0, "scenario", "strength", strength, "from 0 to 1");
  Scenario<Scalar> result{detail::member<Scalar>(family, strength, rows, dims, seed), {}, truth(family, strength)};
  if (family == Family::single_class) {
    for (Index i = 0; i < rows; ++i) result.labels.push_back(i % detail::mixture_centres);
  }
  return result;
}

}  // namespace collapse::synthetic
