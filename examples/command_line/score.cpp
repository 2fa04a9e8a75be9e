#include "score.hpp"

#include "command.hpp"
#include "parser.hpp"
#include "values.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace command_line {

namespace {

using collapse::Index;

enum class Nearness { euclidean, cosine };

constexpr std::string_view to_string(Nearness nearness) {
  return nearness == Nearness::cosine ? "cosine" : "euclidean";
}

void declare_input(Arguments& arguments, ScoreArguments& score) {
  arguments.files("FILE",
                  "Embeddings, rows are samples; several files of equal width are one set.\n"
                  ".npy (np.save, 2-D), .safetensors, or text (.csv .tsv .txt .vec .emb)",
                  score.input.paths, false);
  declare_format(arguments, score.input);
  arguments.flag({.name = "--stdin", .help = "Read rows without a header from standard input", .excludes = "FILE"},
                 score.standard_input);
  arguments.value({.name = "--dims", .value = "D", .help = "Values of a row of standard input", .needs = "--stdin"},
                  [&score](const std::string& text) { score.dims = whole_number<Index>("--dims", text, 1); });
  arguments.value(
      {.name = "--dtype", .value = "T", .help = "Their type, little-endian: f2, bf16, f4 or f8", .needs = "--stdin"},
      [&score](const std::string& text) { score.dtype = text; });
}

void declare_repeating(Arguments& arguments, std::int64_t& repeat) {
  arguments.value({.name = "--repeat",
                   .value = "N",
                   .help = "Measure N times; `seconds` in --json is the median",
                   .preset = "1",
                   .needs = "--json",
                   .excludes = "--stdin"},
                  [&repeat](const std::string& text) { repeat = whole_number<std::int64_t>("--repeat", text, 1); });
}

/// What is measured only where it is asked for.
void declare_on_demand(Arguments& arguments, ScoreArguments& score) {
  arguments.value(
      {.name = "--resamples",
       .value = "N",
       .help = "Also standard errors and intervals, from leaving out each of N groups\nof rows"},
      [&score](const std::string& text) { score.options.resamples = whole_number<Index>("--resamples", text, 2); });
  arguments.flag({.name = "--isotropy,--uniformity",
                  .help = "Also uniformity, IsoScore, Vendi score and the like; holds all rows in\n"
                          "memory. --uniformity is its former name"},
                 score.isotropy);
  arguments.value({.name = "--labels",
                   .value = "FILE",
                   .help = "Also how rows lie by class: neural collapse, LiDAR, rank of each class,\n"
                           "k-NN and probe; a whole number for each row, in .npy or lines of text"},
                  [&score](const std::string& text) { score.labels = file_name("--labels", text); });
  arguments.value({.name = "--unlabelled",
                   .value = "LABEL",
                   .help = "The label of rows that have none, such as -1; by default all labels are classes",
                   .needs = "--labels"},
                  [&score](const std::string& text) {
                    score.unlabelled = whole_number("--unlabelled", text, std::numeric_limits<std::int64_t>::min());
                  });
  arguments.flag({.name = "--neighbours",
                  .help = "Also the neighbourhoods of the rows: intrinsic dimension, hubness,\n"
                          "duplicates, distinct modes; takes time N^2 D and holds all rows in memory"},
                 score.neighbours);
  arguments.value({.name = "--metric",
                   .value = "euclidean|cosine",
                   .help = "What the nearest ones are",
                   .preset = "euclidean",
                   .needs = "--neighbours"},
                  [&score](const std::string& text) {
                    score.neighbours_by_cosine =
                        by_name("--metric", text, std::array{Nearness::euclidean, Nearness::cosine}) ==
                        Nearness::cosine;
                  });
}

void declare_baseline(Arguments& arguments, std::string& baseline) {
  arguments.value({.name = "--baseline",
                   .value = "REPORT",
                   .help = "Exit with status 1, and say why, when numbers fell since a report of\n"
                           "--json that was good: the rank by half, the spread to a quarter"},
                  [&baseline](const std::string& text) { baseline = file_name("--baseline", text); });
}

/// What the parser cannot see alone.
void check(const ScoreArguments& score) {
  if (!score.standard_input && score.input.paths.empty()) throw UsageError("FILE, or --stdin, is required");
  if (!score.standard_input) return;
  if (score.dims == 0) throw UsageError("--dims beside --stdin is required");
  if (score.dtype.empty()) throw UsageError("--dtype beside --stdin is required");
}

}  // namespace

std::string name_of(const ScoreArguments& arguments) {
  return arguments.standard_input ? "standard input" : name_of(arguments.input.paths);
}

Command score_command(Arguments& arguments) {
  const auto told = std::make_shared<ScoreArguments>();
  arguments.footer(verdicts_and_status() +
                   "The object of --json ends with `seconds`: the wall time of the measuring alone.\n"
                   "Opening, reading and parsing the input are not in it: each block of rows is in\n"
                   "memory before its time is taken.\n\n"
                   "Examples:\n"
                   "  collapse score embeddings.npy\n"
                   "  collapse score shard-*.npy --json > report.json\n"
                   "  collapse score model.safetensors --tensor embed.weight\n"
                   "  collapse score embeddings.npy --labels labels.npy --isotropy\n"
                   "  collapse score embeddings.npy --neighbours --metric cosine\n"
                   "  collapse score table.csv --columns dim_0-dim_63\n"
                   "  collapse score embeddings.npy --baseline report.json\n"
                   "  collapse score embeddings.npy --fail-on complete_collapse,dimensional_collapse\n"
                   "  encode | collapse score --stdin --dims 768 --dtype f4");
  declare_input(arguments, *told);
  declare_output(arguments, told->output);
  declare_baseline(arguments, told->baseline);
  declare_thresholds(arguments, told->options.thresholds);
  declare_saving(arguments, told->save_state);
  declare_repeating(arguments, told->repeat);
  declare_pairs(arguments, told->options);
  declare_measuring(arguments, told->options);
  declare_on_demand(arguments, *told);
  return {[told] { return name_of(*told); },
          [told] {
            check(*told);
            return score(*told);
          }};
}

}  // namespace command_line
