#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/labelled_accumulator.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/class_means.hpp>
#include <collapse/statistics/sums/class_sums.hpp>
#include <collapse/streams/container.hpp>
#include <collapse/streams/labelled_state.hpp>
#include <collapse/streams/labelled_stream.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How a LabelledAccumulator does what `labelled_accumulator.hpp` declares.
namespace collapse {

template <EmbeddingScalar Scalar>
void LabelledAccumulator::add_rows(const linalg::MatrixView<Scalar>& z, const std::vector<std::int64_t>& labels,
                                   const std::vector<std::int64_t>* predictions) {
  stream().add(z, labels, predictions, options_.unlabelled, options_.nonfinite, options_.seed);
}

namespace streams {

/// The options of a LabelledAccumulator.
void exchange(auto& archive, MaybeConst<ClassOptions> auto& options) {
  constexpr bool reads = std::remove_cvref_t<decltype(archive)>::reads;
  // A new option does not compile here: either it is stored, in another version of the format, or it is left out.
  auto& [classifier, unlabelled, per_class, silhouette, knn, neighbours, linear_probe, ridge, lidar_delta,
         about_all_rows, method, nonfinite, sample_rows, seed] = options;
  archive(per_class);
  archive(silhouette);
  archive(knn);
  archive(neighbours);
  archive(linear_probe);
  archive(ridge);
  archive(lidar_delta);
  archive(about_all_rows);
  archive(method);
  archive(nonfinite);
  archive(sample_rows);
  archive(seed);
  bool has_unlabelled = unlabelled.has_value();
  archive(has_unlabelled);
  if (has_unlabelled) {
    if constexpr (reads) unlabelled.emplace();
    archive(*unlabelled);
  }
  bool has_classifier = classifier.has_value();
  archive(has_classifier);
  if (!has_classifier) return;
  if constexpr (reads) classifier.emplace();
  auto& [weights, bias] = *classifier;
  Index outputs = weights.rows();
  Index inputs = weights.cols();
  Index biases = bias.size();
  archive(outputs);
  archive(inputs);
  archive(biases);
  if constexpr (reads) {
    archive.need(outputs, inputs);
    archive.need(biases, 1);
    weights.resize(outputs, inputs);
    bias.resize(biases);
  }
  exchange_vector(archive, weights);
  exchange_vector(archive, bias);
}

}  // namespace streams

COLLAPSE_INLINE LabelledAccumulator::LabelledAccumulator(Index dims, const ClassOptions& options)
    : dims_(dims), options_(options) {
  validate(options);
  if (dims < 1) {
    throw ShapeError(fmt::format("a LabelledAccumulator of {} dimensions; at least 1 is needed", dims), 0, dims);
  }
  streams::require_classifier(options, dims);
}

COLLAPSE_INLINE LabelledAccumulator::LabelledAccumulator(const LabelledAccumulator& other)
    : dims_(other.dims_),
      options_(other.options_),
      stream_(other.stream_ ? std::make_unique<streams::LabelledStream>(*other.stream_) : nullptr) {}

COLLAPSE_INLINE LabelledAccumulator& LabelledAccumulator::operator=(const LabelledAccumulator& other) {
  LabelledAccumulator copy(other);
  *this = std::move(copy);
  return *this;
}

COLLAPSE_INLINE LabelledAccumulator::LabelledAccumulator(LabelledAccumulator&& other) noexcept = default;
COLLAPSE_INLINE LabelledAccumulator& LabelledAccumulator::operator=(LabelledAccumulator&& other) noexcept = default;
COLLAPSE_INLINE LabelledAccumulator::~LabelledAccumulator() = default;

COLLAPSE_INLINE streams::LabelledStream& LabelledAccumulator::stream() {
  if (!stream_) stream_ = std::make_unique<streams::LabelledStream>(dims_, options_.sample_rows);
  return *stream_;
}

COLLAPSE_INLINE Index LabelledAccumulator::count() const noexcept { return stream_ ? stream_->sums().samples() : 0; }

COLLAPSE_INLINE Index LabelledAccumulator::classes() const noexcept { return stream_ ? stream_->sums().classes() : 0; }

COLLAPSE_INLINE Index LabelledAccumulator::unlabelled_rows() const noexcept {
  return stream_ ? stream_->sums().unlabelled_rows : 0;
}

COLLAPSE_INLINE Index LabelledAccumulator::skipped_rows() const noexcept {
  return stream_ ? stream_->sums().skipped_rows : 0;
}

COLLAPSE_INLINE void LabelledAccumulator::merge(const LabelledAccumulator& other) {
  if (other.dims_ != dims_) {
    throw ShapeError(fmt::format("a LabelledAccumulator of {} dimensions cannot merge one of {} dimensions ({} rows)",
                                 dims_, other.dims_, other.count()),
                     other.count(), other.dims_);
  }
  if (other.options_.sample_rows != options_.sample_rows) {
    throw OptionError(fmt::format("accumulators to be merged must sample alike: sample_rows = {} and {}",
                                  options_.sample_rows, other.options_.sample_rows));
  }
  if (other.options_.unlabelled != options_.unlabelled) {
    const auto label = [](const ClassOptions& options) {
      return options.unlabelled ? std::to_string(*options.unlabelled) : std::string("none");
    };
    throw OptionError(fmt::format("accumulators to be merged must leave out the same label: unlabelled = {} and {}",
                                  label(options_), label(other.options_)));
  }
  if (other.stream_) stream().merge(*other.stream_);
}

COLLAPSE_INLINE void LabelledAccumulator::reset() noexcept { stream_.reset(); }

COLLAPSE_INLINE ClassCollapse LabelledAccumulator::report() const {
  if (count() == 0) streams::throw_without_labels(unlabelled_rows(), skipped_rows(), dims_);
  const ClassSums& sums = stream_->sums();
  const ClassMeans means = class_means(sums);
  ClassCollapse result;
  streams::measure_class_sums(result, sums, means, options_);

  const linalg::MatrixView<double> z = stream_->sample().view();
  LabelledRows sample;
  sample.rows = statistics::scan_rows(z, NonFinite::reject);
  sample.label = stream_->labels();
  ClassSums of_sample = statistics::sum_classes(z, sample);
  of_sample.input_epsilon = sums.input_epsilon;
  streams::measure_class_rows(result, z, sample, of_sample, class_means(of_sample), means, stream_->predictions(),
                              options_);
  return result;
}

COLLAPSE_INLINE void LabelledAccumulator::save(std::ostream& out) const {
  streams::WordWriter archive;
  archive(dims_);
  streams::exchange(archive, options_);
  if (stream_) {
    streams::LabelledStream::exchange(archive, *stream_);
  } else {
    const streams::LabelledStream nothing(dims_, options_.sample_rows);
    streams::LabelledStream::exchange(archive, nothing);
  }
  streams::write_container(out, streams::StateKind::labelled_accumulator, archive.take());
}

COLLAPSE_INLINE LabelledAccumulator LabelledAccumulator::load(std::istream& in) { return load(streams::read_all(in)); }

COLLAPSE_INLINE LabelledAccumulator LabelledAccumulator::load(std::string_view bytes) {
  return streams::read_container(bytes, streams::StateKind::labelled_accumulator,
                                 [](streams::WordReader& archive, int /*version*/) {
                                   Index dims = 0;
                                   ClassOptions options;
                                   archive(dims);
                                   streams::exchange(archive, options);
                                   streams::require_possible(archive, options.method, options.nonfinite);
                                   LabelledAccumulator loaded(dims, options);
                                   streams::LabelledStream::exchange(archive, loaded.stream());
                                   return loaded;
                                 });
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_LABELLED_ACCUMULATOR_INSTANCES(Keyword, Scalar) \
  Keyword template void LabelledAccumulator::add_rows(           \
      const linalg::MatrixView<Scalar>&, const std::vector<std::int64_t>&, const std::vector<std::int64_t>*);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_LABELLED_ACCUMULATOR_INSTANCES)
#endif

}  // namespace collapse
