#pragma once

#include <collapse/options.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/archive.hpp>

#include <cmath>
#include <concepts>
#include <type_traits>

/// Options and sums as words; see `streams/archive.hpp`. A change to what is exchanged here is a change of the format of
/// saved states, and with it `Accumulator`'s magic.
namespace collapse::streams {

template <class Value, class Plain>
concept MaybeConst = std::same_as<std::remove_const_t<Value>, Plain>;

void exchange(auto& archive, MaybeConst<Options> auto& options) {
  archive(options.method);
  archive(options.nonfinite);
  archive(options.pair_rows);
  archive(options.all_pairs);
  archive(options.seed);
  archive(options.alpha_first);
  archive(options.alpha_last);
  auto& thresholds = options.thresholds;
  archive(thresholds.complete_dispersion);
  archive(thresholds.complete_cosine);
  archive(thresholds.dimensional_ratio);
  archive(thresholds.anisotropic_cosine);
  archive(thresholds.redundant_correlation);
  archive(thresholds.minimum_samples);
  archive(thresholds.redundancy);
  archive(thresholds.cluster_pairs);
  archive(thresholds.neural_collapse);
  archive(thresholds.smallest_norm);
  archive(thresholds.largest_norm);
}

void exchange(auto& archive, MaybeConst<Moments> auto& moments) {
  archive(moments.count);
  exchange_vector(archive, moments.mean);
  exchange_vector(archive, moments.mean_low);
  exchange_vector(archive, moments.sum_squares);
  for (auto& exponent : moments.exponent) archive(exponent);
  archive(moments.input_epsilon);
}

void exchange(auto& archive, MaybeConst<Lengths> auto& lengths) {
  archive(lengths.count);
  archive(lengths.mean);
  archive(lengths.sum_squares);
  archive(lengths.min);
  archive(lengths.max);
}

void exchange(auto& archive, MaybeConst<DirectionSums> auto& directions) {
  archive(directions.count);
  exchange_vector(archive, directions.reference);
  exchange_vector(archive, directions.shift);
  exchange_vector(archive, directions.sum_squares);
  exchange_lower(archive, directions.scatter);
  exchange_vector(archive, directions.cubic);
  archive(directions.quartic);
}

/// Of sums that have their sizes already.
void exchange(auto& archive, MaybeConst<Sums> auto& sums) {
  exchange(archive, sums.moments);
  exchange_lower(archive, sums.scatter);
  exchange(archive, sums.lengths);
  exchange(archive, sums.directions);
  archive(sums.zero_rows);
  archive(sums.skipped_rows);
}

/// No set of rows is larger than the whole numbers that double can count.
inline constexpr Index most_rows = Index{1} << 53;

inline void require_count(const WordReader& archive, Index count) {
  archive.require(0 <= count && count <= most_rows, "a count is out of range");
}

/// That what was read can be the sums of some rows: nothing in it can lead astray what is computed from them.
inline void require_possible(const WordReader& archive, const Sums& sums) {
  const auto& [moments, scatter, lengths, directions, zero_rows, skipped_rows] = sums;
  for (const Index count : {moments.count, lengths.count, directions.count, zero_rows, skipped_rows}) {
    require_count(archive, count);
  }
  archive.require((moments.sum_squares.array() >= 0.0).all() && (scatter.diagonal().array() >= 0.0).all() &&
                      (directions.sum_squares.array() >= 0.0).all() &&
                      (directions.scatter.diagonal().array() >= 0.0).all(),
                  "a sum of squares is negative");
  archive.require((moments.exponent.array() >= -1100).all() && (moments.exponent.array() <= 1100).all(),
                  "a unit is out of range");
  archive.require(moments.input_epsilon >= 0.0 && moments.input_epsilon < 1.0, "a precision is impossible");
  archive.require(std::isfinite(directions.quartic), "a value is not finite");
  archive.require(
      lengths.count == 0 || (lengths.sum_squares >= 0.0 && std::isfinite(lengths.sum_squares) && 0.0 <= lengths.min &&
                             lengths.min <= lengths.mean && lengths.mean <= lengths.max && std::isfinite(lengths.max)),
      "the lengths contradict each other");
}

}  // namespace collapse::streams
