#include "groups.hpp"

#include "values.hpp"

#include <collapse/error.hpp>
#include <collapse/io/columns.hpp>
#include <collapse/presets.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace command_line {

namespace {

constexpr std::array verdicts{
    collapse::Verdict::healthy,          collapse::Verdict::partial_collapse, collapse::Verdict::dimensional_collapse,
    collapse::Verdict::cluster_collapse, collapse::Verdict::class_collapse,   collapse::Verdict::complete_collapse,
    collapse::Verdict::undetermined};

constexpr std::array methods{collapse::SpectrumMethod::automatic, collapse::SpectrumMethod::gram,
                             collapse::SpectrumMethod::svd};

constexpr std::array formats{Format::automatic, Format::npy, Format::safetensors, Format::text};

constexpr std::array headers{collapse::io::Header::automatic, collapse::io::Header::yes, collapse::io::Header::no};

/// The library's refusals of a value, as those of an option.
template <class Action>
auto option_value(const char* option, Action&& action) {
  try {
    return action();
  } catch (const collapse::OptionError& error) {
    throw UsageError(fmt::format("{}: {}", option, error.what()));
  }
}

collapse::io::Columns column_list(const char* option, const std::string& text) {
  return option_value(option, [&] { return collapse::io::Columns(text); });
}

std::vector<collapse::Verdict> verdict_list(std::string_view names) {
  std::vector<collapse::Verdict> list;
  for (;;) {
    const std::size_t comma = names.find(',');
    list.push_back(by_name("--fail-on", names.substr(0, comma), verdicts));
    if (comma == std::string_view::npos) return list;
    names.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string name_of(const std::vector<std::string>& paths) {
  if (paths.empty()) return "";
  if (paths.size() == 1) return paths.front();
  return fmt::format("{} and {} more", paths.front(), paths.size() - 1);
}

std::string verdicts_and_status() {
  return "Verdicts: healthy, partial_collapse, dimensional_collapse, cluster_collapse,\n"
         "          class_collapse, complete_collapse, undetermined\n\n"
         "Exit status: 0 scored, 1 a verdict named by --fail-on was reached (the report\n"
         "is printed all the same), 2 bad usage or input (one line on standard error).\n\n";
}

void declare_format(Arguments& arguments, Input& input) {
  arguments.value({.name = "--format",
                   .value = "npy|safetensors|text|auto",
                   .help = "Of the files, when neither how they begin nor their names tell",
                   .preset = "auto"},
                  [&input](const std::string& text) { input.format = by_name("--format", text, formats); });
  arguments.value({.name = "--tensor",
                   .value = "NAME",
                   .help = "Which tensor of a .safetensors file; not needed when there is one"},
                  [&input](const std::string& text) { input.tensor = text; });
  arguments.value({.name = "--columns",
                   .value = "LIST",
                   .help = "These columns alone, such as 1-64, 0,2,5- or names of a header; positions\n"
                           "count from 0, and 0- are all, an index too"},
                  [&input](const std::string& text) { input.text.columns = column_list("--columns", text); });
  arguments.value({.name = "--drop-columns", .value = "LIST", .help = "All columns but these"},
                  [&input](const std::string& text) { input.text.drop_columns = column_list("--drop-columns", text); });
  arguments.value({.name = "--header",
                   .value = "yes|no|auto",
                   .help = "Whether the first line of a text names its columns",
                   .preset = "auto"},
                  [&input](const std::string& text) { input.text.header = by_name("--header", text, headers); });
  arguments.flag({.name = "--decimal-comma", .help = "Numbers of a text are written as 0,5 instead of 0.5"},
                 input.text.decimal_comma);
}

void declare_output(Arguments& arguments, Output& output) {
  arguments.flag({.name = "--json", .help = "Print one JSON object; undefined numbers are null"}, output.json);
  arguments.value({.name = "--fail-on",
                   .value = "VERDICT[,VERDICT...]",
                   .help = "Exit with status 1 when the verdict is one of these"},
                  [&output](const std::string& text) { output.fail_on = verdict_list(text); });
}

void declare_saving(Arguments& arguments, std::string& path) {
  arguments.value(
      {.name = "--save-state", .value = "STATE", .help = "Write all that was seen to a file, for `collapse merge`"},
      [&path](const std::string& text) { path = file_name("--save-state", text); });
}

void declare_pairs(Arguments& arguments, collapse::Options& options) {
  arguments.flag({.name = "--all-pairs",
                  .help = "Cosine quantiles over all pairs of rows, however many; holds all\nrows in memory"},
                 options.all_pairs);
  arguments.value({.name = "--pair-rows",
                   .value = "N",
                   .help = "Of longer files, cosine quantiles over the pairs among N rows",
                   .preset = std::to_string(options.pair_rows)},
                  [&options](const std::string& text) {
                    options.pair_rows = whole_number<collapse::Index>("--pair-rows", text, 2);
                  });
  arguments.value(
      {.name = "--seed",
       .value = "S",
       .help = "Seed of the sample that --pair-rows draws",
       .preset = std::to_string(options.seed)},
      [&options](const std::string& text) { options.seed = whole_number<std::uint64_t>("--seed", text, 0); });
}

void declare_measuring(Arguments& arguments, collapse::Options& options) {
  arguments.value({.name = "--method",
                   .value = "gram|svd|auto",
                   .help = "Of the spectrum: gram is fast, svd resolves smaller values and\nholds all rows in memory",
                   .preset = "auto"},
                  [&options](const std::string& text) { options.method = by_name("--method", text, methods); });
  arguments.flag({.name = "--skip-nonfinite", .help = "Leave out rows that hold a NaN or an infinity"},
                 [&options] { options.nonfinite = collapse::NonFinite::skip_rows; });
}

void declare_thresholds(Arguments& arguments, collapse::Thresholds& thresholds) {
  arguments.value({.name = "--preset",
                   .value = "NAME",
                   .help = "Thresholds for what is no self-supervised encoder: contrastive,\n"
                           "language-model, supervised, autoencoder",
                   .preset = "self-supervised"},
                  [&thresholds](const std::string& text) {
                    thresholds = option_value("--preset", [&] { return collapse::preset(text).thresholds(); });
                  });
  arguments.values({.name = "--threshold",
                    .value = "NAME=VALUE",
                    .help = "Where one finding begins, such as dimensional_ratio=0.1; any number of times"},
                   [&thresholds](const std::string& text) {
                     const std::size_t equals = text.find('=');
                     if (equals == std::string::npos) {
                       throw UsageError(fmt::format("--threshold: '{}' is not NAME=VALUE", text));
                     }
                     const double value = number("--threshold", text.substr(equals + 1));
                     option_value("--threshold",
                                  [&] { collapse::set_threshold(thresholds, text.substr(0, equals), value); });
                   });
}

void print_remarks(const std::string& name, const std::vector<std::string>& remarks) {
  for (const std::string& remark : remarks) fmt::print(stderr, "collapse: {}: {}\n", name, remark);
}

}  // namespace command_line
