#pragma once

#include <collapse/options.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/streams/archive.hpp>
#include <collapse/streams/paired_stream.hpp>
#include <collapse/streams/state.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

/// What a PairedAccumulator holds as words; see `streams/state.hpp`.
namespace collapse::streams {

// New sums do not compile below: they are a new version of the format.

void exchange(auto& archive, MaybeConst<ViewSums> auto& view) {
  auto& [reference, reference_low, sum, sum_squares, own_cubic, other_cubic, product_cubic, exponent, input_epsilon] =
      view;
  exchange_vector(archive, reference);
  exchange_vector(archive, reference_low);
  exchange_vector(archive, sum);
  exchange_vector(archive, sum_squares);
  exchange_vector(archive, own_cubic);
  exchange_vector(archive, other_cubic);
  exchange_vector(archive, product_cubic);
  archive(exponent);
  archive(input_epsilon);
}

/// Of sums that have their sizes already.
void exchange(auto& archive, MaybeConst<CrossSums> auto& sums) {
  auto& [count, a, b, scatter, quartic_a, quartic_b, quartic_ab, difference_squares, products, product_squares,
         product_a, product_b, directed, direction_squares, directions, direction_distance] = sums;
  archive(count);
  exchange(archive, a);
  exchange(archive, b);
  exchange_vector(archive, scatter);
  archive(quartic_a);
  archive(quartic_b);
  archive(quartic_ab);
  archive(difference_squares);
  exchange_vector(archive, products);
  archive(product_squares);
  archive(product_a);
  archive(product_b);
  archive(directed);
  archive(direction_squares);
  exchange_vector(archive, directions);
  exchange_vector(archive, direction_distance);
}

/// That what was read can be sums over some pairs: nothing in it can lead astray what is computed from them.
inline void require_possible(const WordReader& archive, const CrossSums& sums) {
  require_count(archive, sums.count);
  archive.require(sums.directed >= 0 && sums.directed <= sums.count, "more pairs have directions than there are");
  for (const ViewSums* const view : {&sums.a, &sums.b}) {
    archive.require(view->exponent >= -1100 && view->exponent <= 1100, "a unit is out of range");
    archive.require(view->input_epsilon >= 0.0 && view->input_epsilon < 1.0, "a precision is impossible");
  }
  for (const double value : {sums.quartic_a, sums.quartic_b, sums.quartic_ab, sums.difference_squares,
                             sums.product_squares, sums.product_a, sums.product_b, sums.direction_squares}) {
    archive.require(std::isfinite(value), "a value is not finite");
  }
}

template <class Archive, class Self>
void PairedStream::exchange(Archive& archive, Self& self) {
  RowStream::exchange(archive, self.a_);
  RowStream::exchange(archive, self.b_);
  bool folded = self.folded();
  archive(folded);
  if constexpr (Archive::reads) {
    archive.require(self.a_.count() == self.b_.count() && self.a_.skipped() == self.b_.skipped(),
                    "the views have not as many rows");
    archive.require(!self.a_.moments_only() && !self.b_.moments_only(), "of a view only moments are known");
    archive.require(folded || (!self.a_.folded() && !self.b_.folded()), "rows of pairs that are held are missing");
    archive.require(!folded || !needs_rows(self.a_.options()), "all pairs ought to be held");
    archive.require(!folded || self.count() > 0, "no pairs were folded");
    if (folded) {
      archive.need(self.a_.dims(), self.b_.dims());
      self.folder_.emplace(self.a_.dims(), self.b_.dims());
      self.sums_ = self.folder_->empty();
    }
  }
  if (!folded) return;
  statistics::CrossFolder::exchange(archive, *self.folder_);
  streams::exchange(archive, self.sums_);
  if constexpr (Archive::reads) {
    require_possible(archive, self.sums_);
    archive.require(self.sums_.count == self.count() - self.folder_->waiting(), "the counts of pairs disagree");
  }
}

/// The words of a PairedAccumulator but for the weights.
[[nodiscard]] inline std::vector<std::uint64_t> write_words(WordWriter&& archive, const PairedStream& stream) {
  archive(stream.a().dims());
  archive(stream.b().dims());
  exchange(archive, stream.a().options());
  PairedStream::exchange(archive, stream);
  return archive.take();
}

[[nodiscard]] inline PairedStream read_paired_words(WordReader& archive) {
  Index dims_a = 0;
  Index dims_b = 0;
  Options options;
  archive(dims_a);
  archive(dims_b);
  exchange(archive, options);
  require_possible(archive, options.method, options.nonfinite);
  archive.require(dims_a >= 1 && dims_b >= 1, "there are no dimensions");
  validate(options);
  PairedStream stream(dims_a, dims_b, options);
  PairedStream::exchange(archive, stream);
  return stream;
}

}  // namespace collapse::streams
