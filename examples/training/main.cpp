// Makes systems collapse and recover before the reader's eyes:
//
//     training DATA_FOLDER [--seeds N] [--first-seed N] [--only TEXT] [--history] [--plot FILE]
//
// prints a table of every system, as it is and with something taken away, over N seeds from the first on, and ends with
// 1 where one of them does otherwise than theory and papers say. --only takes those whose name holds TEXT; --history
// prints what every run went through, and its last report.

#include "experiments.hpp"

#include <collapse/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using training::Activity;
using training::Point;
using training::Run;

struct Arguments {
  std::string folder;
  std::uint64_t seeds = 1;
  std::uint64_t first_seed = 0;
  std::string only;
  std::string plot;
  bool history = false;
};

/// @throws std::exception where they make no sense
Arguments parse(int argc, char** argv) {
  Arguments result;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto next = [&]() -> std::string {
      if (i + 1 == argc) throw collapse::OptionError(fmt::format("{} needs a value", argument));
      return argv[++i];
    };
    if (argument == "--seeds") {
      result.seeds = std::stoull(next());
    } else if (argument == "--first-seed") {
      result.first_seed = std::stoull(next());
    } else if (argument == "--only") {
      result.only = next();
    } else if (argument == "--plot") {
      result.plot = next();
    } else if (argument == "--history") {
      result.history = true;
    } else if (result.folder.empty() && argument.substr(0, 2) != "--") {
      result.folder = argument;
    } else {
      throw collapse::OptionError(fmt::format("'{}' is not understood", argument));
    }
  }
  if (result.folder.empty()) throw collapse::OptionError("the folder with digits_pixels.npy is needed");
  return result;
}

void put_history(const Run& run) {
  for (const Point& p : run.history) {
    fmt::print("  step {:4}  {:22} effective rank {:5.2f}  dispersion {:.4f}  mean cosine {:.4f}  5-NN {:.3f}\n",
               p.step, to_string(p.verdict), p.effective_rank, p.dispersion, p.mean_cosine, p.knn);
  }
  for (const Activity& a : run.activity) {
    fmt::print("  step {:4}  srank {:2.0f}  dormant units {:.2f}\n", a.step, a.srank, a.dormant);
  }
  fmt::print("\n{}\n\n", run.report);
}

/// Median of what is measured of each run.
template <class Of>
double median_of(const std::vector<Run>& runs, const Of& of) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(of(run));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

std::string steps_of(const std::vector<Run>& runs, bool alarm) {
  std::string result;
  for (const Run& run : runs) {
    const std::optional<int> half = run.half_lost();
    const std::string step =
        alarm ? (run.alarm ? fmt::format("{}", run.alarm->step) : "-") : (half ? fmt::format("{}", *half) : "-");
    result += (result.empty() ? "" : " ") + step;
  }
  return result;
}

void put_row(const std::string& name, const std::vector<Run>& runs) {
  std::vector<std::pair<std::string_view, int>> verdicts;
  for (const Run& run : runs) {
    const std::string_view verdict = to_string(run.report.diagnosis.verdict);
    const auto known =
        std::find_if(verdicts.begin(), verdicts.end(), [verdict](const auto& entry) { return entry.first == verdict; });
    if (known == verdicts.end()) {
      verdicts.emplace_back(verdict, 1);
    } else {
      ++known->second;
    }
  }
  std::string verdict;
  for (const auto& [text, count] : verdicts) {
    verdict += (verdict.empty() ? "" : ", ") + std::string(text);
    if (verdicts.size() > 1) verdict += fmt::format(" {}x", count);
  }
  const collapse::Report& first = runs.front().report;
  const bool has_history = !runs.front().history.empty();
  fmt::print("| {} | {} | {:.1f} of {} | {:.2g} | {:.2f} | {:.2f} | {} | {} | {} | {} |\n", name, verdict,
             median_of(runs, [](const Run& run) { return run.report.spectrum.effective_rank; }), first.dims,
             median_of(runs, [](const Run& run) { return run.report.variance.dispersion; }),
             median_of(runs,
                       [](const Run& run) {
                         return run.report.variance.normalized_std * std::sqrt(static_cast<double>(run.report.dims));
                       }),
             median_of(runs, [](const Run& run) { return run.report.cosine.mean; }),
             has_history ? fmt::format("{:.2f}", median_of(runs, [](const Run& run) { return run.history.back().knn; }))
                         : std::string("-"),
             has_history ? steps_of(runs, true) : "-", has_history ? steps_of(runs, false) : "-", runs.front().shows);
  std::fflush(stdout);
}

/// Accuracy (solid) and dispersion (dashed) along training, one panel for each system.
void draw(const std::string& path, const std::vector<Run>& runs) {
  constexpr int width = 250;
  constexpr int height = 130;
  constexpr int columns = 4;
  const std::vector<const char*> colours{"#2a5c9a", "#c0392b", "#e08e0b", "#27803b"};
  std::vector<std::string> systems;
  for (const Run& run : runs) {
    if (run.onset == 0 && run.history.size() > 2 &&
        std::find(systems.begin(), systems.end(), run.system) == systems.end()) {
      systems.push_back(run.system);
    }
  }
  const int rows = (static_cast<int>(systems.size()) + columns - 1) / columns;
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" font-family="sans-serif" font-size="11">)"
      R"(<rect width="100%" height="100%" fill="white"/>)",
      columns * (width + 30) + 20, rows * (height + 90) + 20);
  for (std::size_t s = 0; s < systems.size(); ++s) {
    const int left = 30 + static_cast<int>(s) % columns * (width + 30);
    const int top = 30 + static_cast<int>(s) / columns * (height + 90);
    svg += fmt::format(R"(<text x="{}" y="{}" font-size="13">{}</text><rect x="{}" y="{}" width="{}" height="{}" )"
                       R"(fill="none" stroke="#bbb"/>)",
                       left, top - 8, systems[s], left, top, width, height);
    std::size_t line = 0;
    for (const Run& run : runs) {
      if (run.system != systems[s] || run.onset != 0 || run.history.size() <= 2) continue;
      const char* const colour = colours[line % colours.size()];
      const auto curve = [&](auto&& of, const char* dashes) {
        std::string points;
        for (const Point& p : run.history) {
          points += fmt::format("{:.1f},{:.1f} ", left + p.step * static_cast<double>(width) / run.history.back().step,
                                top + height * (1.0 - of(p)));
        }
        svg += fmt::format(R"(<polyline points="{}" fill="none" stroke="{}" stroke-dasharray="{}"/>)", points, colour,
                           dashes);
      };
      curve([](const Point& p) { return p.knn; }, "none");
      curve([](const Point& p) { return p.dispersion; }, "4 3");
      svg += fmt::format(R"(<text x="{}" y="{}" fill="{}">{}: {}</text>)", left,
                         top + height + 13 + 13 * static_cast<int>(line), colour,
                         run.ablation == "-" ? "as it is" : run.ablation, to_string(run.history.back().verdict));
      ++line;
    }
  }
  std::ofstream out(path);
  out << svg << "</svg>\n";
  if (!out.flush()) throw collapse::FileError(path, "cannot be written");
}

int run_all(const Arguments& arguments) {
  const training::Digits digits = training::Digits::load(arguments.folder);
  std::vector<Run> first_runs;
  std::vector<std::string> contradictions;
  fmt::print(
      "| system | verdict | effective rank | dispersion | std of directions | mean cosine | 5-NN | alarm at step | "
      "half of accuracy lost at | what else shows it |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const training::Experiment& experiment : training::experiments(digits)) {
    if (experiment.name.find(arguments.only) == std::string::npos) continue;
    std::vector<Run> runs;
    for (std::uint64_t s = 0; s < arguments.seeds; ++s) {
      const std::uint64_t seed = arguments.first_seed + s;
      runs.push_back(experiment.run(seed));
      const std::string contradiction = experiment.contradiction(runs.back());
      if (!contradiction.empty())
        contradictions.push_back(fmt::format("{}, seed {}: {}", experiment.name, seed, contradiction));
    }
    put_row(experiment.name, runs);
    if (arguments.history) put_history(runs.front());
    first_runs.push_back(std::move(runs.front()));
  }
  if (first_runs.empty()) throw collapse::OptionError(fmt::format("no system's name holds '{}'", arguments.only));
  if (!arguments.plot.empty()) draw(arguments.plot, first_runs);
  for (const std::string& contradiction : contradictions) fmt::print("\notherwise than expected: {}", contradiction);
  fmt::print("\n{} of {} runs otherwise than expected\n", contradictions.size(), first_runs.size() * arguments.seeds);
  return contradictions.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "training: {}\n", error.what());
    return 2;
  }
}
