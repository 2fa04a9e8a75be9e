// collapse: measures representation collapse of the embeddings in a file.

#include <collapse/adapters/json.hpp>
#include <collapse/collapse.hpp>
#include <collapse/io/npy.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

constexpr int scored = 0;
constexpr int verdict_reached = 1;
constexpr int bad_input = 2;

constexpr std::array verdicts{collapse::Verdict::healthy,        collapse::Verdict::dimensional_collapse,
                              collapse::Verdict::anisotropic,    collapse::Verdict::cluster_collapse,
                              collapse::Verdict::class_collapse, collapse::Verdict::complete_collapse,
                              collapse::Verdict::undetermined};

constexpr std::array methods{collapse::SpectrumMethod::automatic, collapse::SpectrumMethod::gram,
                             collapse::SpectrumMethod::svd};

struct Arguments {
  std::string path;
  bool json = false;
  std::vector<collapse::Verdict> fail_on;
  collapse::Options options;
};

/// The value among `choices` that bears a name.
template <class Choices>
auto by_name(const std::string& option, std::string_view name, const Choices& choices) {
  const auto* const found =
      std::find_if(choices.begin(), choices.end(), [name](auto choice) { return to_string(choice) == name; });
  if (found == choices.end()) {
    std::vector<std::string_view> names;
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

/// Declares the command line; parsing it fills `arguments`.
void declare(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", "collapse " COLLAPSE_VERSION_STRING, "Print the version and exit");
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 scored, 1 a verdict named by --fail-on was reached, 2 bad usage or input.\n"
      "`collapse score --help` lists the options.");

  CLI::App* const score = app.add_subcommand("score", "Measure the embeddings in a .npy file and print a report");
  score->footer(
      "Verdicts: healthy, dimensional_collapse, anisotropic, cluster_collapse,\n"
      "          class_collapse, complete_collapse, undetermined\n\n"
      "Exit status: 0 scored, 1 a verdict named by --fail-on was reached (the report\n"
      "is printed all the same), 2 bad usage or input (one line on standard error).\n\n"
      "Examples:\n"
      "  collapse score embeddings.npy\n"
      "  collapse score embeddings.npy --json > report.json\n"
      "  collapse score embeddings.npy --fail-on complete_collapse,dimensional_collapse");
  score->add_option("FILE", arguments.path, "Embeddings saved by np.save: 2-D (samples, dims), float16/32/64")
      ->required()
      ->check([](const std::string& path) { return std::string(path.empty() ? "the name is empty" : ""); })
      ->type_name("");
  score->add_flag("--json", arguments.json, "Print one JSON object; undefined numbers are null");
  score->add_flag("--all-pairs", arguments.options.all_pairs, "Cosine quantiles over all pairs of rows, however many");
  score
      ->add_option_function<std::string>(
          "--pair-rows",
          [&arguments](const std::string& text) {
            arguments.options.pair_rows = whole_number<Eigen::Index>("--pair-rows", text, 2);
          },
          "Of longer files, cosine quantiles over the pairs among N rows")
      ->type_name("N")
      ->default_str(std::to_string(arguments.options.pair_rows));
  score
      ->add_option_function<std::string>(
          "--seed",
          [&arguments](const std::string& text) {
            arguments.options.seed = whole_number<std::uint64_t>("--seed", text, 0);
          },
          "Seed of the sample that --pair-rows draws")
      ->type_name("S")
      ->default_str(std::to_string(arguments.options.seed));
  score
      ->add_option_function<std::string>(
          "--method",
          [&arguments](const std::string& text) { arguments.options.method = by_name("--method", text, methods); },
          "Of the spectrum: gram is fast, svd resolves smaller values")
      ->type_name("gram|svd|auto")
      ->default_str("auto");
  score->add_flag_callback(
      "--skip-nonfinite", [&arguments] { arguments.options.nonfinite = collapse::NonFinite::skip_rows; },
      "Leave out rows that hold a NaN or an infinity");
  score
      ->add_option_function<std::string>(
          "--fail-on", [&arguments](const std::string& text) { arguments.fail_on = verdict_list("--fail-on", text); },
          "Exit with status 1 when the verdict is one of these")
      ->type_name("VERDICT[,VERDICT...]");
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

collapse::Report measure(const Arguments& arguments) {
  const collapse::io::NpyFile file(arguments.path);
  const auto reject_single_row = [&](Eigen::Index rows, const std::string& why) {
    if (rows == 1) {
      throw collapse::FileError(arguments.path, fmt::format("has 1 row{}; collapse is measured between samples, give "
                                                            "at least 2",
                                                            why));
    }
  };
  reject_single_row(file.rows(), "");
  try {
    collapse::Report report = file.visit([&](const auto& Z) { return collapse::measure(Z, arguments.options); });
    reject_single_row(report.samples,
                      fmt::format(" left after {} with a NaN or an infinity", report.norms.skipped_rows));
    return report;
  } catch (const collapse::NonFiniteError& error) {
    const double value = file.visit([&](const auto& Z) { return static_cast<double>(Z(error.row(), error.col())); });
    throw collapse::FileError(
        arguments.path, fmt::format("row {}, column {} (counted from 0) is {}; repair the file, or leave such rows "
                                    "out with --skip-nonfinite",
                                    error.row(), error.col(), value));
  }
}

std::string render(const collapse::Report& report, const Arguments& arguments) {
  if (!arguments.json) return fmt::format("{}\n", report);
  nlohmann::ordered_json json = report;
  return json.dump() + '\n';
}

int score(const Arguments& arguments) {
  const collapse::Report report = measure(arguments);
  const std::string text = render(report, arguments);
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return refuse("cannot write the report: " + std::generic_category().message(errno));
  }
  const auto& list = arguments.fail_on;
  const bool reached = std::find(list.begin(), list.end(), report.diagnosis.verdict) != list.end();
  return reached ? verdict_reached : scored;
}

int run(int argc, char** argv) {
  CLI::App app("Measures representation collapse: are these embeddings collapsing, in which way, and how badly?",
               "collapse");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    if (app.get_subcommands().empty()) {
      return refuse("the command to run is missing or unknown; give `collapse score FILE.npy`, see `collapse --help`");
    }
    return refuse(fmt::format("{}; see `collapse score --help`", error.what()));
  }
  try {
    return score(arguments);
  } catch (const std::bad_alloc&) {
    return refuse(arguments.path + ": not enough memory to measure it");
  } catch (const std::exception& error) {
    const std::string_view message = error.what();
    return refuse(message.starts_with(arguments.path) ? std::string(message)
                                                      : fmt::format("{}: {}", arguments.path, message));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    std::fputs("collapse: stopped by an unexpected error\n", stderr);
    return bad_input;
  }
}
