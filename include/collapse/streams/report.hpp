#pragma once

#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/streams/measure_rows.hpp>
#include <collapse/streams/row_stream.hpp>

namespace collapse::streams {

/// The report on a stream that has rows.
/// @param options  those of the stream, but for the thresholds
[[nodiscard]] inline Report report(const RowStream& stream, const Options& options) {
  if (!stream.folded()) return measure(stream.held(), options, stream.origin());
  return measure_sample(stream.sums(), stream.sample().view(), !stream.moments_only(), options, stream.origin());
}

}  // namespace collapse::streams
