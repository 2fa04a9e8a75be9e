// What the commands `score` and `merge` do: both report on what accumulators have seen, and are compiled together for
// that.

#include "baseline.hpp"
#include "on_demand.hpp"
#include "reading.hpp"
#include "result.hpp"
#include "score.hpp"
#include "stopwatch.hpp"

#include <collapse/accumulator.hpp>
#include <collapse/confidence.hpp>
#include <collapse/diagnosis/classes.hpp>
#include <collapse/error.hpp>
#include <collapse/io/state_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace command_line {

namespace {

/// What was found out, and what the next run can go on from.
struct Measured {
  collapse::Accumulator seen;
  Result result;
};

/// What is measured several times has to be read several times.
void require_files(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code ignored;
    const auto type = std::filesystem::status(path, ignored).type();
    if (type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::socket) {
      throw collapse::FileError(path, "a pipe can be read only once; --repeat takes files");
    }
  }
}

/// What all parts have seen.
collapse::Accumulator merged(const std::vector<collapse::Accumulator>& parts) {
  collapse::Accumulator all = parts.front();
  for (std::size_t part = 1; part < parts.size(); ++part) all.merge(parts[part]);
  return all;
}

/// Whether there are rows to compare; a shard that is saved for a later merge may have none or one.
bool is_measurable(const collapse::Accumulator& seen, const std::string& name, bool saved) {
  if (seen.count() >= 2) return true;
  if (!saved) reject_too_few(name, seen.count(), seen.dims(), seen.skipped_rows());
  return false;
}

collapse::NeighbourhoodOptions neighbourhood_options(const ScoreArguments& arguments) {
  collapse::NeighbourhoodOptions options;
  options.metric = arguments.neighbours_by_cosine ? collapse::Metric::cosine : collapse::Metric::euclidean;
  options.nonfinite = arguments.options.nonfinite;
  options.seed = arguments.options.seed;
  return options;
}

/// Measures everything once.
Measured measure_once(const ScoreArguments& arguments) {
  Stopwatch measuring;
  AllRows kept;
  const bool keep = arguments.neighbours || arguments.isotropy;
  Readers readers = read_rows(arguments, measuring, keep ? &kept : nullptr);
  collapse::Accumulator seen = measuring.time([&] { return merged(readers.parts); });
  if (!is_measurable(seen, name_of(arguments), !arguments.save_state.empty())) {
    return {std::move(seen), {.seconds = measuring.seconds(), .remarks = std::move(readers.remarks)}};
  }
  // Of fewer rows than groups some were dealt none.
  std::erase_if(readers.parts, [](const collapse::Accumulator& part) { return part.count() == 0; });
  Result result;
  measuring.time([&] {
    result.report = readers.parts.size() > 1
                        ? collapse::jackknife_report(readers.parts, arguments.options.confidence_level)
                        : seen.report();
    if (arguments.isotropy) result.isotropy = isotropy(kept, arguments.options);
    if (readers.labelled) {
      result.labels = readers.labelled->report();
      result.report.diagnosis = collapse::diagnose(result.report, *result.labels, arguments.options.thresholds);
    }
    if (arguments.neighbours) result.neighbours = neighbourhood(kept, neighbourhood_options(arguments));
  });
  result.seconds = measuring.seconds();
  result.remarks = std::move(readers.remarks);
  return {std::move(seen), std::move(result)};
}

/// @param values  at least one
double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return std::midpoint(values[(values.size() - 1) / 2], values[values.size() / 2]);
}

/// Measures as many times as asked for: each time anew, from the opening of the files on.
Measured measure(const ScoreArguments& arguments) {
  if (arguments.repeat > 1) require_files(arguments.input.paths);
  std::vector<double> seconds;
  for (;;) {
    Measured measured = measure_once(arguments);
    seconds.push_back(*measured.result.seconds);
    if (static_cast<std::int64_t>(seconds.size()) == arguments.repeat) {
      measured.result.seconds = median(seconds);
      return measured;
    }
  }
}

/// What the states in files have seen together.
Measured load(const std::vector<std::string>& paths, bool saved, const collapse::Thresholds& thresholds) {
  std::optional<collapse::Accumulator> all;
  for (const std::string& path : paths) {
    collapse::Accumulator part = collapse::io::load_state(path);
    if (!all) {
      all = std::move(part);
      continue;
    }
    try {
      all->merge(part);
    } catch (const collapse::Error& error) {
      throw collapse::FileError(path, error.what());
    }
  }
  if (!is_measurable(*all, name_of(paths), saved)) return {std::move(*all), {}};
  collapse::Report report = all->report(thresholds);
  return {std::move(*all), {.report = std::move(report)}};
}

/// Saves and prints what was asked for.
int conclude(const Measured& measured, const std::string& save_state, const Output& output) {
  for (const std::string& remark : measured.result.remarks) fmt::print(stderr, "collapse: {}\n", remark);
  if (measured.seen.count() < 2) {
    collapse::io::save_state(measured.seen, save_state);
    fmt::print(stderr, "collapse: {} row{} saved; a report needs 2, merge the state with others\n",
               measured.seen.count(), measured.seen.count() == 1 ? "" : "s");
    return 0;
  }
  const std::string text = render(measured.result, output);
  if (!save_state.empty()) collapse::io::save_state(measured.seen, save_state);
  const int status = print(text, output, {measured.result.report.diagnosis.verdict});
  return measured.result.baseline && measured.result.baseline->fell() ? verdict_reached : status;
}

}  // namespace

int score(const ScoreArguments& arguments) {
  // A file that is no report is refused before the long part.
  std::optional<collapse::Baseline> before;
  if (!arguments.baseline.empty()) before = read_baseline(arguments.baseline);
  Measured measured = measure(arguments);
  if (before) measured.result.baseline = compare_with(arguments.baseline, *before, measured.result.report);
  return conclude(measured, arguments.save_state, arguments.output);
}

int merge(const std::vector<std::string>& paths, const std::string& save_state, const Output& output,
          const collapse::Thresholds& thresholds) {
  return conclude(load(paths, !save_state.empty(), thresholds), save_state, output);
}

}  // namespace command_line
