#pragma once

#include <collapse/compare.hpp>
#include <collapse/compiled.hpp>
#include <collapse/diagnosis/comparison.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/cka.hpp>
#include <collapse/metrics/signal.hpp>
#include <collapse/paired_accumulator.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/streams/container.hpp>
#include <collapse/streams/paired_state.hpp>
#include <collapse/streams/paired_stream.hpp>
#include <collapse/streams/report.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

/// How a PairedAccumulator does what `paired_accumulator.hpp` declares.
namespace collapse {

template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
void PairedAccumulator::add(const linalg::MatrixView<ScalarA>& a, const linalg::MatrixView<ScalarB>& b) {
  stream().add(a, b);
}

COLLAPSE_INLINE PairedAccumulator::PairedAccumulator(Index dims_a, Index dims_b, const Options& options,
                                                     const VicregWeights& weights)
    : dims_a_(dims_a), dims_b_(dims_b), options_(options), weights_(weights) {
  validate(options);
  options_.resamples = 0;
  for (const Index dims : {dims_a, dims_b}) {
    if (dims >= 1) continue;
    throw ShapeError(fmt::format("PairedAccumulator of {} and {} dimensions; name the numbers of columns of both views",
                                 dims_a, dims_b),
                     0, dims);
  }
}

COLLAPSE_INLINE PairedAccumulator::PairedAccumulator(const PairedAccumulator& other)
    : dims_a_(other.dims_a_),
      dims_b_(other.dims_b_),
      options_(other.options_),
      weights_(other.weights_),
      stream_(other.stream_ ? std::make_unique<streams::PairedStream>(*other.stream_) : nullptr) {}

COLLAPSE_INLINE PairedAccumulator& PairedAccumulator::operator=(const PairedAccumulator& other) {
  PairedAccumulator copy(other);
  *this = std::move(copy);
  return *this;
}

COLLAPSE_INLINE PairedAccumulator::PairedAccumulator(PairedAccumulator&& other) noexcept = default;
COLLAPSE_INLINE PairedAccumulator& PairedAccumulator::operator=(PairedAccumulator&& other) noexcept = default;
COLLAPSE_INLINE PairedAccumulator::~PairedAccumulator() = default;

COLLAPSE_INLINE streams::PairedStream& PairedAccumulator::stream() {
  if (!stream_) stream_ = std::make_unique<streams::PairedStream>(dims_a_, dims_b_, options_);
  return *stream_;
}

COLLAPSE_INLINE Index PairedAccumulator::count() const noexcept { return stream_ ? stream_->count() : 0; }

COLLAPSE_INLINE Index PairedAccumulator::skipped_rows() const noexcept { return stream_ ? stream_->skipped() : 0; }

COLLAPSE_INLINE void PairedAccumulator::merge(const PairedAccumulator& other) {
  streams::require_mergeable(dims_a_, dims_b_, options_, other.dims_a_, other.dims_b_, other.options_, other.count());
  if (other.stream_) stream().merge(*other.stream_);
}

COLLAPSE_INLINE void PairedAccumulator::reset() noexcept { stream_.reset(); }

COLLAPSE_INLINE Comparison PairedAccumulator::report() const { return report(options_.thresholds); }

COLLAPSE_INLINE Comparison PairedAccumulator::report(const Thresholds& thresholds) const {
  validate(thresholds);
  if (count() == 0) {
    throw ShapeError(fmt::format("a PairedAccumulator of {} and {} dimensions without pairs has nothing to report; "
                                 "update it first ({} skipped)",
                                 dims_a_, dims_b_, skipped_rows()),
                     0, dims_a_);
  }
  Options options = options_;
  options.thresholds = thresholds;
  const streams::RowStream& a = stream_->a();
  const streams::RowStream& b = stream_->b();
  if (!stream_->folded()) {
    const Rows rows_a = statistics::scan_rows(a.held(), NonFinite::reject);
    const Rows rows_b = statistics::scan_rows(b.held(), NonFinite::reject);
    return streams::compare(a.held(), rows_a, a.origin(), b.held(), rows_b, b.origin(), options, weights_);
  }
  Comparison result;
  result.samples = count();
  result.skipped_rows = skipped_rows();
  result.a = streams::report(a, options);
  result.b = streams::report(b, options);
  CrossSums sums = stream_->sums();
  const ViewScatters views = stream_->scatters(sums.a.exponent, sums.b.exponent);
  sums.centre(views);
  streams::compare_sums(result, sums,
                        metrics::hsic_sums(sums, statistics::symmetric_squared_norm(views.a),
                                           statistics::symmetric_squared_norm(views.b)),
                        metrics::signal_eigenvalues(sums), weights_);
  streams::explain_undefined(result);
  result.diagnosis = diagnose(result, options.thresholds);
  return result;
}

COLLAPSE_INLINE void PairedAccumulator::save(std::ostream& out) const {
  streams::WordWriter archive;
  for (const double weight : {weights_.invariance, weights_.variance, weights_.covariance}) archive(weight);
  const std::vector<std::uint64_t> words =
      stream_ ? streams::write_words(std::move(archive), *stream_)
              : streams::write_words(std::move(archive), streams::PairedStream(dims_a_, dims_b_, options_));
  streams::write_container(out, streams::StateKind::paired_accumulator, words);
}

COLLAPSE_INLINE PairedAccumulator PairedAccumulator::load(std::istream& in) { return load(streams::read_all(in)); }

COLLAPSE_INLINE PairedAccumulator PairedAccumulator::load(std::string_view bytes) {
  return streams::read_container(
      bytes, streams::StateKind::paired_accumulator, [](streams::WordReader& archive, int /*version*/) {
        VicregWeights weights;
        for (double* const weight : {&weights.invariance, &weights.variance, &weights.covariance}) archive(*weight);
        streams::PairedStream stream = streams::read_paired_words(archive);
        PairedAccumulator loaded(stream.a().dims(), stream.b().dims(), stream.a().options(), weights);
        loaded.stream_ = std::make_unique<streams::PairedStream>(std::move(stream));
        return loaded;
      });
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES_OF(Keyword, ScalarA, ScalarB) \
  Keyword template void PairedAccumulator::add(const linalg::MatrixView<ScalarA>&, const linalg::MatrixView<ScalarB>&);
#define COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES(Keyword, Scalar)           \
  COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES_OF(Keyword, Scalar, float)       \
  COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES_OF(Keyword, Scalar, double)      \
  COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES_OF(Keyword, Scalar, Eigen::half) \
  COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES_OF(Keyword, Scalar, Eigen::bfloat16)
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES)
#endif

}  // namespace collapse
