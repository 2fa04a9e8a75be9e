#pragma once

#include <collapse/error.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/sums/directions.hpp>
#include <collapse/statistics/sums/folder.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/moments.hpp>
#include <collapse/statistics/sums/sums.hpp>
#include <collapse/streams/archive.hpp>
#include <collapse/streams/container.hpp>
#include <collapse/streams/row_stream.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

/// What accumulators hold as words; see `streams/archive.hpp`. A change to what is exchanged here is a change of the
/// format of saved states: it takes a new `newest_version` in `streams/container.hpp`, and a reader for the old one.
namespace collapse::streams {

template <class Value, class Plain>
concept MaybeConst = std::same_as<std::remove_const_t<Value>, Plain>;

/// The options of an Accumulator, without the thresholds: these belong to the report that is asked for.
void exchange(auto& archive, MaybeConst<Options> auto& options) {
  // A new option does not compile here: either it is stored, in another version of the format, or it is left out.
  auto& [method, nonfinite, pair_rows, all_pairs, seed, alpha_first, alpha_last, resamples, level, thresholds] =
      options;
  archive(method);
  archive(nonfinite);
  archive(pair_rows);
  archive(all_pairs);
  archive(seed);
  archive(alpha_first);
  archive(alpha_last);
  static_cast<void>(resamples);
  static_cast<void>(level);
  static_cast<void>(thresholds);
}

/// Throws StateError for options that are no enumerators.
inline void require_possible(const WordReader& archive, SpectrumMethod method, NonFinite nonfinite) {
  archive.require(method <= SpectrumMethod::svd && nonfinite <= NonFinite::skip_rows, "an option is out of range");
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

template <class Archive, class Self>
void RowStream::exchange(Archive& archive, Self& self) {
  archive(self.count_);
  archive(self.skipped_);
  archive(self.epsilon_);
  bool folded = self.folded();
  bool moments_only = self.moments_only();
  Index rows = folded ? self.sample_.rows() : self.count_;
  archive(folded);
  archive(moments_only);
  archive(rows);
  if constexpr (Archive::reads) {
    for (const Index count : {self.count_, self.skipped_, rows}) require_count(archive, count);
    archive.require(self.epsilon_ >= 0.0 && self.epsilon_ < 1.0, "a precision is impossible");
    archive.require(folded ? rows <= self.options_.pair_rows : rows == self.count_ && self.can_hold(0),
                    "more rows are held than fit");
    archive.require(!moments_only || (folded && rows == 0), "rows are held where only moments are known");
    archive.require(!folded || !needs_rows(self.options_), "all rows ought to be held");
  }
  if (!folded) {
    if constexpr (Archive::reads) {
      archive.need(rows, self.dims_);
      self.held_.resize(static_cast<std::size_t>(rows * self.dims_));
    }
    archive(self.held_.data(), rows * self.dims_);
    return;
  }
  RowSample::exchange_rows(archive, self.sample_, rows);
  if constexpr (Archive::reads) {
    archive.need(self.dims_, self.dims_ / 2 + 1);
    self.folder_.emplace(self.dims_, moments_only ? without_directions : SumParts{});
    self.sums_ = self.folder_->empty();
  }
  RowSample::exchange_keys(archive, self.sample_, rows);
  statistics::Folder::exchange(archive, *self.folder_);
  streams::exchange(archive, self.sums_);
  if constexpr (Archive::reads) {
    require_possible(archive, self.sums_);
    archive.require(self.sums_.moments.count == self.count_ - self.folder_->waiting() &&
                        self.sums_.directions.count <= self.sums_.moments.count,
                    "the counts of rows disagree");
  }
}

/// The words of an Accumulator.
[[nodiscard]] inline std::vector<std::uint64_t> write_words(const RowStream& stream) {
  WordWriter archive;
  archive(stream.dims());
  exchange(archive, stream.options());
  RowStream::exchange(archive, stream);
  return archive.take();
}

[[nodiscard]] inline RowStream read_words(WordReader& archive, int version) {
  constexpr Index thresholds_of_version_3 = 11;
  Index dims = 0;
  Options options;
  archive(dims);
  exchange(archive, options);
  if (version == 3) archive.skip(thresholds_of_version_3);
  require_possible(archive, options.method, options.nonfinite);
  archive.require(dims >= 1, "there are no dimensions");
  validate(options);
  RowStream stream(dims, options);
  RowStream::exchange(archive, stream);
  return stream;
}

/// See `Accumulator::most_state_words`.
[[nodiscard]] inline std::size_t most_words(Index dims, const Options& options, Index rows) {
  const auto words = [](Index count, Index each) {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(each);
  };
  constexpr std::size_t numbers = 64;  // options, counts and the like, with room to spare
  // Also few rows may be folded, when some of them are moments from elsewhere.
  const std::size_t folded = words(std::min(options.pair_rows, rows), dims + 1) +
                             words(std::min(statistics::Folder::block, rows), dims + 2) + words(dims, dims + 1) +
                             words(dims, 8);
  if (needs_rows(options)) return numbers + words(rows, dims);
  const bool may_be_held = rows <= std::max(options.pair_rows, dims);
  return numbers + (may_be_held ? std::max(folded, words(rows, dims)) : folded);
}

}  // namespace collapse::streams
