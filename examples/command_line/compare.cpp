#include "all_rows.hpp"
#include "command.hpp"
#include "groups.hpp"
#include "output.hpp"
#include "parser.hpp"
#include "source.hpp"

#include <collapse/error.hpp>
#include <collapse/json.hpp>
#include <collapse/options.hpp>
#include <collapse/paired_accumulator.hpp>
#include <collapse/text/comparison.hpp>

#include <fmt/format.h>
#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <memory>
#include <string>

namespace command_line {

namespace {

struct CompareArguments {
  Input input;
  Output output;
  collapse::Options options;
};

/// Adds pairs; a value that is none is named by its file and its row there.
template <class A, class B>
void update(collapse::PairedAccumulator& seen, const A& a, const B& b, const std::string& path_a,
            const std::string& path_b, Eigen::Index first) {
  try {
    seen.update(a, b);
  } catch (const collapse::NonFiniteError& error) {
    const Eigen::Index row = error.row();
    const Eigen::Index col = error.col();
    const bool in_a = col < a.cols() && !std::isfinite(static_cast<double>(a(row, col)));
    throw non_finite(in_a ? path_a : path_b, first + row, col,
                     in_a ? static_cast<double>(a(row, col)) : static_cast<double>(b(row, col)));
  }
}

/// The views of the same samples in two files, of which the first is held in memory.
collapse::Comparison compare_files(const Input& input, const collapse::Options& options) {
  const std::string& path_a = input.paths[0];
  const std::string& path_b = input.paths[1];
  collapse::io::TextOptions reading = input.text;
  reading.missing_is_nan = options.nonfinite == collapse::NonFinite::skip_rows;
  Source source_a = Source::open(path_a, input.format, input.tensor, reading);
  Source source_b = Source::open(path_b, input.format, input.tensor, reading);
  print_remarks(path_a, source_a.remarks());
  print_remarks(path_b, source_b.remarks());
  AllRows rows_a;
  source_a.for_each_block(1024, [&](const auto& block) { rows_a.add(block, source_a.name()); });
  const auto require_as_many = [&](Eigen::Index rows_b) {
    if (rows_b == rows_a.rows()) return;
    throw collapse::FileError(
        path_b, fmt::format("has {} rows, {} has {}; row i of both is one sample", rows_b, path_a, rows_a.rows()));
  };
  if (const auto known = source_b.known_rows()) require_as_many(*known);
  collapse::PairedAccumulator seen(std::max<Eigen::Index>(source_a.cols(), 1),
                                   std::max<Eigen::Index>(source_b.cols(), 1), options);
  Eigen::Index first = 0;
  source_b.for_each_block(1024, [&]<class Scalar>(const collapse::io::RowBlock<Scalar>& b) {
    if (first + b.rows() <= rows_a.rows()) {
      rows_a.visit([&]<class Rows>(const Rows& all) {
        if constexpr (std::same_as<typename Rows::Scalar, Scalar>) {
          update(seen, all.middleRows(first, b.rows()), b, path_a, path_b, first);
        } else {
          throw collapse::FileError(path_b,
                                    fmt::format("holds another type of number than {}; save both views alike", path_a));
        }
      });
    }
    first += b.rows();
  });
  require_as_many(first);
  if (seen.count() < 2) {
    throw collapse::FileError(path_a,
                              fmt::format("has {} usable pairs with {}; give at least 2", seen.count(), path_b));
  }
  return seen.report();
}

int compare(const CompareArguments& arguments) {
  const collapse::Comparison comparison = compare_files(arguments.input, arguments.options);
  const std::string text =
      arguments.output.json ? nlohmann::ordered_json(comparison).dump() + '\n' : fmt::format("{}\n", comparison);
  return print(text, arguments.output, {comparison.a.diagnosis.verdict, comparison.b.diagnosis.verdict});
}

}  // namespace

Command compare_command(Arguments& arguments) {
  const auto told = std::make_shared<CompareArguments>();
  arguments.footer(verdicts_and_status() +
                   "With --fail-on the verdict of either view counts.\n\n"
                   "Examples:\n"
                   "  collapse compare images.npy captions.npy\n"
                   "  collapse compare before.npy after.npy --json");
  arguments.files("FILE", "Two files of as many rows: row i of both is one sample", told->input.paths, true, 2);
  declare_format(arguments, told->input);
  declare_output(arguments, told->output);
  declare_thresholds(arguments, told->options.thresholds);
  declare_pairs(arguments, told->options);
  declare_measuring(arguments, told->options);
  return {[told] { return name_of(told->input.paths); }, [told] { return compare(*told); }};
}

}  // namespace command_line
