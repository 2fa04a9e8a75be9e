// collapse: measures representation collapse of the embeddings in files.

#include "all_rows.hpp"
#include "on_demand.hpp"
#include "progress.hpp"
#include "source.hpp"
#include "stopwatch.hpp"

#include <collapse/accumulator.hpp>
#include <collapse/confidence.hpp>
#include <collapse/diagnosis/classes.hpp>
#include <collapse/io/labels.hpp>
#include <collapse/io/state_file.hpp>
#include <collapse/json.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/neighbourhood.hpp>
#include <collapse/streams/labelled_accumulator.hpp>
#include <collapse/text.hpp>
#include <collapse/text/classes.hpp>
#include <collapse/text/comparison.hpp>
#include <collapse/text/layers.hpp>
#include <collapse/text/neighbourhood.hpp>
#include <collapse/version.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace {

using command_line::AllRows;
using command_line::Format;
using command_line::Source;
using Eigen::Index;

constexpr int scored = 0;
constexpr int verdict_reached = 1;
constexpr int bad_input = 2;

constexpr std::array verdicts{collapse::Verdict::healthy,        collapse::Verdict::dimensional_collapse,
                              collapse::Verdict::anisotropic,    collapse::Verdict::cluster_collapse,
                              collapse::Verdict::class_collapse, collapse::Verdict::complete_collapse,
                              collapse::Verdict::undetermined};

constexpr std::array methods{collapse::SpectrumMethod::automatic, collapse::SpectrumMethod::gram,
                             collapse::SpectrumMethod::svd};

constexpr std::array metrics{collapse::Metric::euclidean, collapse::Metric::cosine};

constexpr std::array formats{Format::by_name, Format::npy, Format::safetensors, Format::text};

struct Arguments {
  std::vector<std::string> paths;
  Format format = Format::by_name;
  std::string tensor;
  bool standard_input = false;
  Index dims = 0;
  std::string dtype;
  std::string save_state;
  bool json = false;
  Index repeat = 1;
  std::vector<collapse::Verdict> fail_on;
  collapse::Options options;
  bool uniformity = false;
  std::string labels;
  bool neighbours = false;
  collapse::Metric metric = collapse::Metric::euclidean;
  double tau = collapse::LayerProfileOptions{}.tau;
};

/// The value among `choices` that bears a name.
template <class Choices>
auto by_name(const std::string& option, std::string_view name, const Choices& choices) {
  const auto* const found =
      std::find_if(choices.begin(), choices.end(), [name](auto choice) { return to_string(choice) == name; });
  if (found == choices.end()) {
    std::vector<std::string_view> names;
    names.reserve(choices.size());
    for (const auto choice : choices) names.push_back(to_string(choice));
    throw CLI::ValidationError(option, fmt::format("'{}' is not one of {}", name, fmt::join(names, ", ")));
  }
  return *found;
}

template <class Integer>
Integer whole_number(const std::string& option, const std::string& text, Integer least) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range)
    throw CLI::ValidationError(option, fmt::format("'{}' is too large", text));
  if (error != std::errc() || stop != end || value < least) {
    throw CLI::ValidationError(option, fmt::format("'{}' is not a whole number of at least {}", text, least));
  }
  return value;
}

std::vector<collapse::Verdict> verdict_list(const std::string& option, std::string_view names) {
  std::vector<collapse::Verdict> list;
  for (;;) {
    const std::size_t comma = names.find(',');
    list.push_back(by_name(option, names.substr(0, comma), verdicts));
    if (comma == std::string_view::npos) return list;
    names.remove_prefix(comma + 1);
  }
}

constexpr const char* verdict_list_and_status =
    "Verdicts: healthy, dimensional_collapse, anisotropic, cluster_collapse,\n"
    "          class_collapse, complete_collapse, undetermined\n\n"
    "Exit status: 0 scored, 1 a verdict named by --fail-on was reached (the report\n"
    "is printed all the same), 2 bad usage or input (one line on standard error).\n\n";

std::string no_empty_name(const std::string& path) { return path.empty() ? "the name is empty" : ""; }

void declare_saving(CLI::App& command, Arguments& arguments) {
  command.add_option("--save-state", arguments.save_state, "Write all that was seen to a file, for `collapse merge`")
      ->check(no_empty_name)
      ->type_name("STATE");
}

/// What all commands do with what they measured.
void declare_output(CLI::App& command, Arguments& arguments) {
  command.add_flag("--json", arguments.json, "Print one JSON object; undefined numbers are null");
  command
      .add_option_function<std::string>(
          "--fail-on", [&arguments](const std::string& text) { arguments.fail_on = verdict_list("--fail-on", text); },
          "Exit with status 1 when the verdict is one of these")
      ->type_name("VERDICT[,VERDICT...]");
}

/// How the files of a command are read.
void declare_format(CLI::App& command, Arguments& arguments) {
  command
      .add_option_function<std::string>(
          "--format", [&arguments](const std::string& text) { arguments.format = by_name("--format", text, formats); },
          "Of the files, when their names do not tell")
      ->type_name("npy|safetensors|text|auto")
      ->default_str("auto");
  command.add_option("--tensor", arguments.tensor, "Which tensor of a .safetensors file; not needed when there is one")
      ->type_name("NAME");
}

void declare_input(CLI::App& score, Arguments& arguments) {
  CLI::Option* const files = score
                                 .add_option("FILE", arguments.paths,
                                             "Embeddings, rows are samples; several files of equal width are one set.\n"
                                             ".npy (np.save, 2-D), .safetensors, or text (.csv .tsv .txt .vec)")
                                 ->check(no_empty_name)
                                 ->type_name("");
  declare_format(score, arguments);
  CLI::Option* const standard_input =
      score.add_flag("--stdin", arguments.standard_input, "Read rows without a header from standard input")
          ->excludes(files);
  score
      .add_option_function<std::string>(
          "--dims", [&arguments](const std::string& text) { arguments.dims = whole_number<Index>("--dims", text, 1); },
          "Values of a row of standard input")
      ->type_name("D")
      ->needs(standard_input);
  score.add_option("--dtype", arguments.dtype, "Their type, little-endian: f2, bf16, f4 or f8")
      ->type_name("T")
      ->needs(standard_input);
}

void declare_repeating(CLI::App& score, Arguments& arguments) {
  score
      .add_option_function<std::string>(
          "--repeat",
          [&arguments](const std::string& text) { arguments.repeat = whole_number<Index>("--repeat", text, 1); },
          "Measure N times; `seconds` in --json is the median")
      ->type_name("N")
      ->default_str("1")
      ->needs("--json")
      ->excludes("--stdin");
}

void declare_pairs(CLI::App& score, collapse::Options& options) {
  score.add_flag("--all-pairs", options.all_pairs,
                 "Cosine quantiles over all pairs of rows, however many; holds all\nrows in memory");
  score
      .add_option_function<std::string>(
          "--pair-rows",
          [&options](const std::string& text) { options.pair_rows = whole_number<Index>("--pair-rows", text, 2); },
          "Of longer files, cosine quantiles over the pairs among N rows")
      ->type_name("N")
      ->default_str(std::to_string(options.pair_rows));
  score
      .add_option_function<std::string>(
          "--seed",
          [&options](const std::string& text) { options.seed = whole_number<std::uint64_t>("--seed", text, 0); },
          "Seed of the sample that --pair-rows draws")
      ->type_name("S")
      ->default_str(std::to_string(options.seed));
}

/// What holds for whatever is measured of a matrix.
void declare_measuring(CLI::App& command, collapse::Options& options) {
  command
      .add_option_function<std::string>(
          "--method", [&options](const std::string& text) { options.method = by_name("--method", text, methods); },
          "Of the spectrum: gram is fast, svd resolves smaller values and\nholds all rows in memory")
      ->type_name("gram|svd|auto")
      ->default_str("auto");
  command.add_flag_callback(
      "--skip-nonfinite", [&options] { options.nonfinite = collapse::NonFinite::skip_rows; },
      "Leave out rows that hold a NaN or an infinity");
}

void declare_on_demand(CLI::App& score, Arguments& arguments) {
  score
      .add_option_function<std::string>(
          "--resamples",
          [&arguments](const std::string& text) {
            arguments.options.resamples = whole_number<Index>("--resamples", text, 2);
          },
          "Also standard errors and intervals, from leaving out each of N groups\nof rows")
      ->type_name("N");
  score.add_flag("--uniformity", arguments.uniformity,
                 "Also uniformity, IsoScore, Vendi score and the like; holds all rows in\nmemory");
  score
      .add_option("--labels", arguments.labels,
                  "Also how rows lie by class: neural collapse, LiDAR, rank of each class,\n"
                  "k-NN and probe; a whole number for each row, in .npy or lines of text")
      ->check(no_empty_name)
      ->type_name("FILE");
}

void declare_neighbours(CLI::App& score, Arguments& arguments) {
  score.add_flag("--neighbours", arguments.neighbours,
                 "Also the neighbourhoods of the rows: intrinsic dimension, hubness,\n"
                 "duplicates, distinct modes; takes time N^2 D and holds all rows in memory");
  score
      .add_option_function<std::string>(
          "--metric", [&arguments](const std::string& text) { arguments.metric = by_name("--metric", text, metrics); },
          "What the nearest ones are")
      ->type_name("euclidean|cosine")
      ->default_str("euclidean")
      ->needs("--neighbours");
}

void declare_compare(CLI::App& app, Arguments& arguments) {
  CLI::App* const compare = app.add_subcommand("compare", "Compare two views of the same samples");
  compare->footer(std::string(verdict_list_and_status) +
                  "With --fail-on the verdict of either view counts.\n\n"
                  "Examples:\n"
                  "  collapse compare images.npy captions.npy\n"
                  "  collapse compare before.npy after.npy --json");
  compare->add_option("FILE", arguments.paths, "Two files of as many rows: row i of both is one sample")
      ->required()
      ->expected(2)
      ->check(no_empty_name)
      ->type_name("");
  declare_format(*compare, arguments);
  declare_output(*compare, arguments);
  declare_pairs(*compare, arguments.options);
  declare_measuring(*compare, arguments.options);
}

void declare_layers(CLI::App& app, Arguments& arguments) {
  CLI::App* const layers = app.add_subcommand("layers", "Show where along the layers of a network it collapses");
  layers->footer(std::string(verdict_list_and_status) +
                 "With --fail-on the verdict of any layer counts.\n\n"
                 "Examples:\n"
                 "  collapse layers block0.npy block1.npy block2.npy head.npy\n"
                 "  collapse layers block*.npy --json --fail-on complete_collapse");
  layers
      ->add_option("FILE", arguments.paths,
                   "Activations, one file for each layer from input to output:\nrows are inputs, columns units")
      ->required()
      ->check(no_empty_name)
      ->type_name("");
  declare_format(*layers, arguments);
  declare_output(*layers, arguments);
  layers->add_option("--tau", arguments.tau, "Units are dormant up to this share of the mean activity of all")
      ->type_name("T")
      ->check([](const std::string& text) {
        // What is no number at all is refused by the parser.
        return std::strtod(text.c_str(), nullptr) >= 0.0 ? "" : fmt::format("'{}' is not at least 0", text);
      })
      ->capture_default_str();
  declare_measuring(*layers, arguments.options);
}

/// Declares the command line; parsing it fills `arguments`.
void declare(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", "collapse " COLLAPSE_VERSION_STRING, "Print the version and exit");
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 scored, 1 a verdict named by --fail-on was reached, 2 bad usage or input.\n"
      "`collapse score --help` lists the options of a command, as do merge, compare and layers.");

  CLI::App* const score = app.add_subcommand("score", "Measure the embeddings in files and print a report");
  score->footer(std::string(verdict_list_and_status) +
                "The object of --json ends with `seconds`: the wall time of the measuring alone.\n"
                "Opening, reading and parsing the input are not in it: each block of rows is in\n"
                "memory before its time is taken.\n\n"
                "Examples:\n"
                "  collapse score embeddings.npy\n"
                "  collapse score shard-*.npy --json > report.json\n"
                "  collapse score model.safetensors --tensor embed.weight\n"
                "  collapse score embeddings.npy --labels labels.npy --uniformity\n"
                "  collapse score embeddings.npy --neighbours --metric cosine\n"
                "  collapse score embeddings.npy --fail-on complete_collapse,dimensional_collapse\n"
                "  encode | collapse score --stdin --dims 768 --dtype f4");
  declare_input(*score, arguments);
  declare_output(*score, arguments);
  declare_saving(*score, arguments);
  declare_repeating(*score, arguments);
  declare_pairs(*score, arguments.options);
  declare_measuring(*score, arguments.options);
  declare_on_demand(*score, arguments);
  declare_neighbours(*score, arguments);

  CLI::App* const merge = app.add_subcommand("merge", "Report on what several runs with --save-state have seen");
  merge->footer(std::string(verdict_list_and_status) +
                "Examples:\n"
                "  collapse score monday.npy --save-state monday.state\n"
                "  collapse merge monday.state tuesday.state --save-state week.state");
  merge->add_option("STATE", arguments.paths, "Files written by --save-state")
      ->required()
      ->check(no_empty_name)
      ->type_name("");
  declare_output(*merge, arguments);
  declare_saving(*merge, arguments);
  declare_compare(app, arguments);
  declare_layers(app, arguments);
}

/// `text` on one line: whatever would break it is replaced.
std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  return text;
}

int refuse(const std::string& reason) {
  fmt::print(stderr, "collapse: {}\n", one_line(reason));
  return bad_input;
}

/// "a.npy", or "a.npy and 3 more".
std::string name_of(const Arguments& arguments) {
  if (arguments.standard_input) return "standard input";
  if (arguments.paths.empty()) return "";
  if (arguments.paths.size() == 1) return arguments.paths.front();
  return fmt::format("{} and {} more", arguments.paths.front(), arguments.paths.size() - 1);
}

std::vector<Source> open_sources(const Arguments& arguments) {
  std::vector<Source> sources;
  if (arguments.standard_input) {
#if __has_include(<unistd.h>)
    if (::isatty(STDIN_FILENO) == 1) throw collapse::Error("standard input is a terminal; pipe rows into it");
#endif
    sources.emplace_back("standard input", collapse::io::RawStream(stdin, arguments.dims, arguments.dtype));
  }
  for (const std::string& path : arguments.paths) {
    sources.push_back(Source::open(path, arguments.format, arguments.tensor));
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

[[noreturn]] void reject_too_few(const std::string& name, Index rows, Index cols, Index skipped) {
  if (skipped == 0) collapse::statistics::require_shape(rows, cols);
  if (rows == 0) {
    throw collapse::FileError(
        name, fmt::format("every one of the {} rows holds a non-finite value; nothing is left to measure", skipped));
  }
  const std::string left = skipped > 0 ? fmt::format(" left after {} with a NaN or an infinity", skipped) : "";
  throw collapse::FileError(
      name, fmt::format("has {} row{}; collapse is measured between samples, give at least 2", rows, left));
}

/// What looks at every row as it is read.
struct Readers {
  std::vector<collapse::Accumulator> parts;  ///< rows are dealt to them in turn
  std::optional<collapse::LabelledAccumulator> labelled;
  std::vector<std::int64_t> labels;
  AllRows* kept = nullptr;
};

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
void add(Readers& readers, Source& source, Index& read, const Arguments& arguments, command_line::Progress& progress,
         command_line::Stopwatch& measuring) {
  // As many as the accumulator folds at a time, so that they are taken from where they lie.
  constexpr Index block_rows = collapse::statistics::Folder::block;
  const auto parts = static_cast<Index>(readers.parts.size());
  Index first = 0;
  source.for_each_block(block_rows, [&](const auto& block) {
    const auto refused = [&](Index row, Index col) {
      return command_line::non_finite(source.name(), first + row, col, static_cast<double>(block(row, col)));
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
      if (readers.labelled) readers.labelled->update(block, labels_of(readers, read, block.rows(), arguments.labels));
    });
    if (readers.kept != nullptr) readers.kept->add(block, source.name());
    first += block.rows();
    read += block.rows();
    progress.advance(block.rows());
  });
}

Readers read_rows(const Arguments& arguments, command_line::Stopwatch& measuring, AllRows* kept) {
  std::vector<Source> sources = open_sources(arguments);
  const Index cols = sources.front().cols();
  const std::optional<Index> rows = known_rows(sources);
  if (cols == 0 || (rows && *rows < 2)) reject_too_few(name_of(arguments), rows.value_or(0), cols, 0);
  Readers readers;
  readers.kept = kept;
  if (!arguments.labels.empty()) {
    readers.labels = collapse::io::read_labels(arguments.labels);
    collapse::ClassOptions options;
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
  command_line::Progress progress(rows);
  Index read = 0;
  for (Source& source : sources) add(readers, source, read, arguments, progress, measuring);
  if (readers.labelled && read != static_cast<Index>(readers.labels.size())) {
    throw collapse::FileError(arguments.labels, fmt::format("holds {} labels for {} rows; one for each is needed",
                                                            readers.labels.size(), read));
  }
  return readers;
}

/// What all parts have seen.
collapse::Accumulator merged(const std::vector<collapse::Accumulator>& parts, const Arguments& arguments) {
  collapse::Accumulator all = parts.front();
  for (std::size_t part = 1; part < parts.size(); ++part) all.merge(parts[part]);
  if (all.count() < 2) reject_too_few(name_of(arguments), all.count(), all.dims(), all.skipped_rows());
  return all;
}

/// What a command found out.
struct Result {
  collapse::Accumulator seen;
  collapse::Report report;
  std::optional<double> seconds;  ///< of the measuring, the median of all times
  std::optional<collapse::Isotropy> uniformity;
  std::optional<collapse::ClassCollapse> labels;
  std::optional<collapse::Neighbourhood> neighbours;
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

collapse::NeighbourhoodOptions neighbourhood_options(const Arguments& arguments) {
  collapse::NeighbourhoodOptions options;
  options.metric = arguments.metric;
  options.nonfinite = arguments.options.nonfinite;
  options.seed = arguments.options.seed;
  return options;
}

/// Measures everything once.
Result measure_once(const Arguments& arguments) {
  command_line::Stopwatch measuring;
  AllRows kept;
  const bool keep = arguments.neighbours || arguments.uniformity;
  Readers readers = read_rows(arguments, measuring, keep ? &kept : nullptr);
  collapse::Accumulator seen = measuring.time([&] { return merged(readers.parts, arguments); });
  // Of fewer rows than groups some were dealt none.
  std::erase_if(readers.parts, [](const collapse::Accumulator& part) { return part.count() == 0; });
  Result result{std::move(seen), {}, {}, {}, {}, {}};
  measuring.time([&] {
    result.report = readers.parts.size() > 1
                        ? collapse::jackknife_report(readers.parts, arguments.options.confidence_level)
                        : result.seen.report();
    if (arguments.uniformity) result.uniformity = command_line::isotropy(kept, arguments.options);
    if (readers.labelled) {
      result.labels = readers.labelled->report();
      result.report.diagnosis = collapse::diagnose(result.report, *result.labels, arguments.options.thresholds);
    }
    if (arguments.neighbours) result.neighbours = command_line::neighbourhood(kept, neighbourhood_options(arguments));
  });
  result.seconds = measuring.seconds();
  return result;
}

/// Measures as many times as asked for: each time anew, from the opening of the files on.
Result score(const Arguments& arguments) {
  if (arguments.repeat > 1) require_files(arguments.paths);
  std::vector<double> seconds;
  for (;;) {
    Result result = measure_once(arguments);
    seconds.push_back(*result.seconds);
    if (const auto count = static_cast<Index>(seconds.size()); count == arguments.repeat) {
      result.seconds = collapse::metrics::median(Eigen::Map<const Eigen::VectorXd>(seconds.data(), count));
      return result;
    }
  }
}

Result merge(const Arguments& arguments) {
  std::optional<collapse::Accumulator> all;
  for (const std::string& path : arguments.paths) {
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
  if (all->count() < 2) reject_too_few(name_of(arguments), all->count(), all->dims(), all->skipped_rows());
  collapse::Report report = all->report();
  return {std::move(*all), std::move(report), {}, {}, {}, {}};
}

/// What `score` could have measured as well; nothing for other commands.
std::string not_asked_for(const Result& result) {
  if (!result.seconds) return {};
  std::vector<std::string_view> options;
  if (!result.uniformity) options.emplace_back("--uniformity");
  if (!result.labels) options.emplace_back("--labels FILE");
  if (!result.neighbours) options.emplace_back("--neighbours");
  if (result.report.confidence.resamples == 0) options.emplace_back("--resamples N");
  return options.empty() ? std::string() : fmt::format("\nnot asked for: {}\n", fmt::join(options, ", "));
}

std::string render(const Result& result, const Arguments& arguments) {
  if (!arguments.json) {
    std::string text = fmt::format("{}\n", result.report);
    if (result.uniformity) text += fmt::format("\n{}\n", *result.uniformity);
    if (result.labels) text += fmt::format("\n{}\n", *result.labels);
    if (result.neighbours) text += fmt::format("\n{}\n", *result.neighbours);
    return text + not_asked_for(result);
  }
  nlohmann::ordered_json json = result.report;
  if (result.uniformity) json["uniformity"] = *result.uniformity;
  if (result.labels) json["labels"] = *result.labels;
  if (result.neighbours) json["neighbours"] = *result.neighbours;
  if (result.seconds) json["seconds"] = *result.seconds;
  return json.dump() + '\n';
}

/// Prints what was measured; the status follows from its verdicts.
template <class Verdicts>
int print(const std::string& text, const Arguments& arguments, const Verdicts& found) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return refuse("cannot write the report: " + std::generic_category().message(errno));
  }
  const auto& list = arguments.fail_on;
  const bool reached = std::find_first_of(found.begin(), found.end(), list.begin(), list.end()) != found.end();
  return reached ? verdict_reached : scored;
}

/// Saves and prints what was asked for.
int conclude(const Result& result, const Arguments& arguments) {
  const std::string text = render(result, arguments);
  if (!arguments.save_state.empty()) collapse::io::save_state(result.seen, arguments.save_state);
  return print(text, arguments, std::array{result.report.diagnosis.verdict});
}

int profile_layers(const Arguments& arguments) {
  const collapse::LayerProfile profile = command_line::profile_files(
      arguments.paths, arguments.format, arguments.tensor, {.measure = arguments.options, .tau = arguments.tau});
  std::vector<collapse::Verdict> found;
  for (const collapse::Layer& layer : profile.layers) found.push_back(layer.verdict);
  return print(arguments.json ? nlohmann::ordered_json(profile).dump() + '\n' : fmt::format("{}\n", profile), arguments,
               found);
}

int compare_views(const Arguments& arguments) {
  const collapse::Comparison comparison = command_line::compare_files(
      arguments.paths[0], arguments.paths[1], arguments.format, arguments.tensor, arguments.options);
  return print(arguments.json ? nlohmann::ordered_json(comparison).dump() + '\n' : fmt::format("{}\n", comparison),
               arguments, std::array{comparison.a.diagnosis.verdict, comparison.b.diagnosis.verdict});
}

/// What the parser cannot see alone.
void check(const CLI::App& score, const Arguments& arguments) {
  if (!score.parsed()) return;
  if (!arguments.standard_input && arguments.paths.empty()) {
    throw CLI::RequiredError("FILE, or --stdin,");
  }
  if (!arguments.standard_input) return;
  if (arguments.dims == 0 || arguments.dtype.empty()) {
    throw CLI::RequiredError(arguments.dims == 0 ? "--dims beside --stdin" : "--dtype beside --stdin");
  }
}

int run(int argc, char** argv) {
  CLI::App app("Measures representation collapse: are these embeddings collapsing, in which way, and how badly?",
               "collapse");
  Arguments arguments;
  declare(app, arguments);
  const CLI::App& command = *app.get_subcommand("score");
  try {
    app.parse(argc, argv);
    check(command, arguments);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    if (app.get_subcommands().empty()) {
      return refuse("the command to run is missing or unknown; give `collapse score FILE`, see `collapse --help`");
    }
    return refuse(fmt::format("{}; see `collapse {} --help`", error.what(), app.get_subcommands().front()->get_name()));
  }
  const std::string name = name_of(arguments);
  try {
    if (app.got_subcommand("compare")) return compare_views(arguments);
    if (app.got_subcommand("layers")) return profile_layers(arguments);
    return conclude(command.parsed() ? score(arguments) : merge(arguments), arguments);
  } catch (const std::bad_alloc&) {
    return refuse(name + ": not enough memory to measure it");
  } catch (const collapse::FileError& error) {
    return refuse(error.what());
  } catch (const std::exception& error) {
    return refuse(std::string_view(error.what()).starts_with(name) ? std::string(error.what())
                                                                   : fmt::format("{}: {}", name, error.what()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    static_cast<void>(std::fputs("collapse: stopped by an unexpected error\n", stderr));
    return bad_input;
  }
}
