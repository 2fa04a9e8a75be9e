#pragma once

#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/streams/archive.hpp>
#include <collapse/streams/labelled_stream.hpp>
#include <collapse/streams/state.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

/// What a LabelledAccumulator holds as words; see `streams/state.hpp`.
namespace collapse::streams {

/// That what was read can be the sums of some classes: nothing in it can lead astray what is computed from them.
inline void require_possible(const WordReader& archive, const ClassSums& sums) {
  Index rows = 0;
  for (const Index count : sums.count) {
    archive.require(1 <= count && count <= most_rows - rows, "a count is out of range");
    rows += count;
  }
  const auto negative = [](double value) { return !(value >= 0.0); };
  archive.require(std::none_of(sums.sum_squares.begin(), sums.sum_squares.end(), negative) &&
                      (sums.scatter.diagonal().array() >= 0.0).all(),
                  "a sum of squares is negative");
  archive.require(sums.largest >= 0.0 && std::isfinite(sums.largest), "the lengths contradict each other");
  archive.require(sums.input_epsilon >= 0.0 && sums.input_epsilon < 1.0, "a precision is impossible");
}

/// Of sums whose dims are known; read into sums of no rows.
void exchange(auto& archive, MaybeConst<ClassSums> auto& sums) {
  constexpr bool reads = std::remove_cvref_t<decltype(archive)>::reads;
  Index classes = sums.classes();
  archive(classes);
  archive(sums.unlabelled_rows);
  archive(sums.skipped_rows);
  if constexpr (reads) {
    for (const Index count : {classes, sums.unlabelled_rows, sums.skipped_rows}) require_count(archive, count);
  }
  if (classes == 0) return;
  if constexpr (reads) {
    archive.need(sums.dims, sums.dims / 2 + 1);
    archive.need(classes, 2 * sums.dims + 3);
    sums.scatter = Eigen::MatrixXd::Zero(sums.dims, sums.dims);
  }
  archive(sums.largest);
  archive(sums.input_epsilon);
  for (Index c = 0; c < classes; ++c) {
    if constexpr (reads) {
      std::int64_t label = 0;
      archive(label);
      archive.require(sums.find(label) < 0, "a class is there twice");
      sums.add_classes({label});
    } else {
      archive(sums.label[static_cast<std::size_t>(c)]);
    }
  }
  for (auto& count : sums.count) archive(count);
  archive(sums.mean.data(), classes * sums.dims);
  archive(sums.mean_low.data(), classes * sums.dims);
  archive(sums.sum_squares.data(), classes);
  exchange_lower(archive, sums.scatter);
  if constexpr (reads) require_possible(archive, sums);
}

template <class Archive, class Self>
void LabelledStream::exchange(Archive& archive, Self& self) {
  streams::exchange(archive, self.sums_);
  Index rows = self.sample_.rows();
  archive(rows);
  if constexpr (Archive::reads) {
    archive.require(rows == std::min(self.sums_.samples(), self.sample_.size()), "the sample has another size");
    archive.need(rows, self.dims_);
    archive.need(rows, 3);
    self.label_.resize(static_cast<std::size_t>(rows));
    self.prediction_.resize(static_cast<std::size_t>(rows));
  }
  RowSample::exchange_rows(archive, self.sample_, rows);
  RowSample::exchange_keys(archive, self.sample_, rows);
  for (auto& label : self.label_) {
    archive(label);
    if constexpr (Archive::reads) archive.require(self.sums_.find(label) >= 0, "a sampled row has an unknown label");
  }
  for (auto& prediction : self.prediction_) archive(prediction);
}

}  // namespace collapse::streams
