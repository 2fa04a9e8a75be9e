#include "reading.hpp"

#include "progress.hpp"
#include "source.hpp"

#include <collapse/error.hpp>
#include <collapse/io/labels.hpp>
#include <collapse/io/raw.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace command_line {

namespace {

using Eigen::Index;

std::vector<Source> open_sources(const ScoreArguments& arguments) {
  std::vector<Source> sources;
  if (arguments.standard_input) {
#if __has_include(<unistd.h>)
    if (::isatty(STDIN_FILENO) == 1) throw collapse::Error("standard input is a terminal; pipe rows into it");
#endif
    sources.emplace_back("standard input", collapse::io::RawStream(stdin, arguments.dims, arguments.dtype),
                         arguments.input.text);
  }
  collapse::io::TextOptions options = arguments.input.text;
  options.missing_is_nan = arguments.options.nonfinite == collapse::NonFinite::skip_rows;
  for (const std::string& path : arguments.input.paths) {
    sources.push_back(Source::open(path, arguments.input.format, arguments.input.tensor, options));
  }
  for (const Source& source : sources) {
    if (source.cols() != sources.front().cols()) {
      throw collapse::FileError(source.name(),
                                fmt::format("has {} columns, {} has {}; files of one set must agree", source.cols(),
                                            sources.front().name(), sources.front().cols()));
    }
  }
  return sources;
}

/// The rows of all sources, where all of them tell.
std::optional<Index> known_rows(const std::vector<Source>& sources) {
  Index all = 0;
  for (const Source& source : sources) {
    const std::optional<Index> rows = source.known_rows();
    if (!rows || *rows > std::numeric_limits<Index>::max() - all) return std::nullopt;
    all += *rows;
  }
  return all;
}

/// Every `step`th row of a block from the one at `start` on.
template <class Scalar>
collapse::io::RowBlock<Scalar> every(Index step, Index start, const collapse::io::RowBlock<Scalar>& block) {
  const Index count = start < block.rows() ? (block.rows() - start + step - 1) / step : 0;
  return {block.data() + (count > 0 ? start * block.outerStride() : 0), count, block.cols(),
          Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(step * block.outerStride(), block.innerStride())};
}

/// Labels of the next rows, of which `read` were read.
std::vector<std::int64_t> labels_of(const Readers& readers, Index read, Index count, const std::string& path) {
  const auto known = static_cast<Index>(readers.labels.size());
  if (read + count > known) {
    throw collapse::FileError(
        path, fmt::format("holds {} labels, the embeddings have more rows; one for each is needed", known));
  }
  const auto first = readers.labels.begin() + read;
  return {first, first + count};
}

/// Shows all rows of a source to all readers; `read` rows were read before.
void add(Readers& readers, Source& source, Index& read, const std::string& labels, Progress& progress,
         Stopwatch& measuring) {
  // As many as the accumulator folds at a time: it takes such a block from where it lies, any other it copies first.
  constexpr Index block_rows = 1023;
  const auto parts = static_cast<Index>(readers.parts.size());
  Index first = 0;
  source.for_each_block(block_rows, [&](const auto& block) {
    const auto refused = [&](Index row, Index col) {
      return non_finite(source.name(), first + row, col, static_cast<double>(block(row, col)));
    };
    measuring.time([&] {
      for (Index part = 0; part < parts; ++part) {
        const Index start = ((part - read) % parts + parts) % parts;
        try {
          readers.parts[static_cast<std::size_t>(part)].update(every(parts, start, block));
        } catch (const collapse::NonFiniteError& error) {
          throw refused(start + parts * error.row(), error.col());
        }
      }
      if (readers.labelled) readers.labelled->update(block, labels_of(readers, read, block.rows(), labels));
    });
    if (readers.kept != nullptr) readers.kept->add(block, source.name());
    first += block.rows();
    read += block.rows();
    progress.advance(block.rows());
  });
}

}  // namespace

void reject_too_few(const std::string& name, Index rows, Index cols, Index skipped) {
  if (skipped == 0 && (rows == 0 || cols == 0)) {
    throw collapse::FileError(
        name, fmt::format("embeddings have {} {} (shape {} x {}); rows are samples and columns dimensions, and at "
                          "least one of each is needed",
                          rows == 0 ? rows : cols, rows == 0 ? "rows" : "columns", rows, cols));
  }
  if (rows == 0) {
    throw collapse::FileError(
        name, fmt::format("every one of the {} rows holds a non-finite value; nothing is left to measure", skipped));
  }
  const std::string left = skipped > 0 ? fmt::format(" left after {} with a NaN or an infinity", skipped) : "";
  throw collapse::FileError(
      name, fmt::format("has {} row{}; collapse is measured between samples, give at least 2", rows, left));
}

Readers read_rows(const ScoreArguments& arguments, Stopwatch& measuring, AllRows* kept) {
  std::vector<Source> sources = open_sources(arguments);
  const Index cols = sources.front().cols();
  const std::optional<Index> rows = known_rows(sources);
  const bool shard = !arguments.save_state.empty();
  if (cols == 0 || (rows && *rows < 2 && !shard)) reject_too_few(name_of(arguments), rows.value_or(0), cols, 0);
  Readers readers;
  readers.kept = kept;
  for (const Source& source : sources) {
    for (const std::string& remark : source.remarks()) readers.remarks.push_back(source.name() + ": " + remark);
  }
  if (!arguments.labels.empty()) {
    readers.labels = collapse::io::read_labels(arguments.labels);
    collapse::ClassOptions options;
    options.unlabelled = arguments.unlabelled;
    options.silhouette = options.knn = options.linear_probe = true;
    options.method = arguments.options.method;
    options.nonfinite = arguments.options.nonfinite;
    options.sample_rows = arguments.options.pair_rows;
    options.seed = arguments.options.seed;
    readers.labelled.emplace(cols, options);
  }
  measuring.time([&] {
    const auto parts = static_cast<std::size_t>(std::max<Index>(arguments.options.resamples, 1));
    readers.parts.assign(parts, collapse::Accumulator(cols, arguments.options));
  });
  Progress progress(rows);
  Index read = 0;
  for (Source& source : sources) add(readers, source, read, arguments.labels, progress, measuring);
  if (readers.labelled && read != static_cast<Index>(readers.labels.size())) {
    const bool header = static_cast<Index>(readers.labels.size()) == read + 1 && readers.labels.front() == 0;
    throw collapse::FileError(
        arguments.labels, fmt::format("holds {} labels for {} rows; one for each is needed{}", readers.labels.size(),
                                      read, header ? ", and the first, 0, may be a header as pandas writes it" : ""));
  }
  return readers;
}

}  // namespace command_line
