#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/streams/container.hpp>
#include <collapse/streams/moments.hpp>
#include <collapse/streams/report.hpp>
#include <collapse/streams/row_stream.hpp>
#include <collapse/streams/state.hpp>

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

/// How an Accumulator does what `accumulator.hpp` declares.
namespace collapse {

template <EmbeddingScalar Scalar>
void Accumulator::add(const linalg::MatrixView<Scalar>& z) {
  stream().add(z);
}

COLLAPSE_INLINE Accumulator::Accumulator(Index dims, const Options& options) : dims_(dims), options_(options) {
  validate(options);
  options_.resamples = 0;
  if (dims < 1) {
    throw ShapeError(fmt::format("Accumulator of {} dimensions; name the number of columns of the batches", dims), 0,
                     dims);
  }
}

COLLAPSE_INLINE Accumulator::Accumulator(streams::RowStream&& stream)
    : dims_(stream.dims()),
      options_(stream.options()),
      stream_(std::make_unique<streams::RowStream>(std::move(stream))) {}

COLLAPSE_INLINE Accumulator::Accumulator(const Accumulator& other)
    : dims_(other.dims_),
      options_(other.options_),
      stream_(other.stream_ ? std::make_unique<streams::RowStream>(*other.stream_) : nullptr) {}

COLLAPSE_INLINE Accumulator& Accumulator::operator=(const Accumulator& other) {
  Accumulator copy(other);
  *this = std::move(copy);
  return *this;
}

COLLAPSE_INLINE Accumulator::Accumulator(Accumulator&& other) noexcept = default;
COLLAPSE_INLINE Accumulator& Accumulator::operator=(Accumulator&& other) noexcept = default;
COLLAPSE_INLINE Accumulator::~Accumulator() = default;

COLLAPSE_INLINE streams::RowStream& Accumulator::stream() {
  if (!stream_) stream_ = std::make_unique<streams::RowStream>(dims_, options_);
  return *stream_;
}

/// The rows that a report is about. Throws ShapeError when there are none.
COLLAPSE_INLINE const streams::RowStream& Accumulator::rows(const char* lacks) const {
  if (count() > 0) return *stream_;
  throw ShapeError(fmt::format("an Accumulator of {} dimensions without rows has {}; update it first ({} skipped)",
                               dims_, lacks, skipped_rows()),
                   0, dims_);
}

COLLAPSE_INLINE Index Accumulator::count() const noexcept { return stream_ ? stream_->count() : 0; }

COLLAPSE_INLINE Index Accumulator::skipped_rows() const noexcept { return stream_ ? stream_->skipped() : 0; }

COLLAPSE_INLINE void Accumulator::merge(const Accumulator& other) {
  streams::require_mergeable(dims_, options_, other.dims_, other.options_, other.count());
  if (other.stream_) stream().merge(*other.stream_);
}

COLLAPSE_INLINE void Accumulator::reset() noexcept { stream_.reset(); }

COLLAPSE_INLINE Report Accumulator::report() const { return report(options_.thresholds); }

COLLAPSE_INLINE Report Accumulator::report(const Thresholds& thresholds) const {
  validate(thresholds);
  const streams::RowStream& seen = rows("nothing to report");
  Options options = options_;
  options.thresholds = thresholds;
  return streams::report(seen, options);
}

COLLAPSE_INLINE Accumulator Accumulator::from_moments(Index count, const Eigen::VectorXd& mean,
                                                      const Eigen::MatrixXd& scatter, const Options& options,
                                                      double input_epsilon) {
  Accumulator made(mean.size(), options);
  made.stream_ =
      std::make_unique<streams::RowStream>(streams::import_moments(count, mean, scatter, made.options_, input_epsilon));
  return made;
}

COLLAPSE_INLINE MomentState Accumulator::state() const { return streams::export_moments(rows("no moments")); }

COLLAPSE_INLINE std::size_t Accumulator::most_state_words(Index dims, const Options& options, Index rows) {
  return streams::most_words(dims, Accumulator(dims, options).options_, rows);
}

COLLAPSE_INLINE void Accumulator::save(std::ostream& out) const {
  streams::write_container(out, streams::StateKind::accumulator, streams::StateWords::write(*this));
}

COLLAPSE_INLINE Accumulator Accumulator::load(std::istream& in) { return load(streams::read_all(in)); }

COLLAPSE_INLINE Accumulator Accumulator::load(std::string_view bytes) {
  return Accumulator(streams::read_container(bytes, streams::StateKind::accumulator, &streams::read_words));
}

COLLAPSE_INLINE std::vector<std::uint64_t> streams::StateWords::write(const Accumulator& accumulator) {
  if (accumulator.stream_) return write_words(*accumulator.stream_);
  return write_words(RowStream(accumulator.dims_, accumulator.options_));
}

COLLAPSE_INLINE Accumulator streams::StateWords::read(std::span<const std::uint64_t> words) {
  return read_untrusted([&] {
    WordReader archive(words);
    Accumulator result(read_words(archive, newest_version));
    archive.finish();
    return result;
  });
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ACCUMULATOR_INSTANCES(Keyword, Scalar) \
  Keyword template void Accumulator::add(const linalg::MatrixView<Scalar>&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ACCUMULATOR_INSTANCES)
#endif

}  // namespace collapse
