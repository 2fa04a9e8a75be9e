#include "all_rows.hpp"
#include "command.hpp"
#include "groups.hpp"
#include "output.hpp"
#include "parser.hpp"
#include "source.hpp"
#include "values.hpp"

#include <collapse/error.hpp>
#include <collapse/json.hpp>
#include <collapse/layers.hpp>
#include <collapse/text/layers.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace command_line {

namespace {

struct LayersArguments {
  Input input;
  Output output;
  collapse::LayerProfileOptions options;
};

/// What the layers in files are called: the name of the file without folder and ending, unless two were called the
/// same.
std::vector<std::string> layer_names(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) names.push_back(std::filesystem::path(path).stem().string());
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() ? names : paths;
}

/// The profile of the layers in files, one of which is in memory at a time.
collapse::LayerProfile profile_files(const Input& input, const collapse::LayerProfileOptions& options) {
  const std::vector<std::string> names = layer_names(input.paths);
  collapse::io::TextOptions reading = input.text;
  reading.missing_is_nan = options.measure.nonfinite == collapse::NonFinite::skip_rows;
  collapse::LayerProfile profile;
  for (std::size_t i = 0; i < input.paths.size(); ++i) {
    Source source = Source::open(input.paths[i], input.format, input.tensor, reading);
    print_remarks(source.name(), source.remarks());
    AllRows rows;
    source.for_each_block(1024, [&](const auto& block) { rows.add(block, source.name()); });
    rows.visit([&](const auto& activations) {
      try {
        collapse::add_layer(profile, names[i], activations, options);
      } catch (const collapse::NonFiniteError& error) {
        throw non_finite(source.name(), error.row(), error.col(),
                         static_cast<double>(activations(error.row(), error.col())));
      } catch (const collapse::Error& error) {
        throw collapse::FileError(source.name(), error.what());
      }
    });
  }
  for (std::size_t i = 1; i < profile.layers.size(); ++i) {
    if (profile.layers[i].samples == profile.layers[0].samples) continue;
    print_remarks(input.paths[i],
                  {fmt::format("has {} rows, {} has {}; layers are compared on the same inputs, one row "
                               "for each",
                               profile.layers[i].samples, input.paths[0], profile.layers[0].samples)});
  }
  return profile;
}

int layers(const LayersArguments& arguments) {
  const collapse::LayerProfile profile = profile_files(arguments.input, arguments.options);
  std::vector<collapse::Verdict> found;
  for (const collapse::Layer& layer : profile.layers) found.push_back(layer.verdict);
  const std::string text =
      arguments.output.json ? nlohmann::ordered_json(profile).dump() + '\n' : fmt::format("{}\n", profile);
  return print(text, arguments.output, found);
}

}  // namespace

Command layers_command(Arguments& arguments) {
  const auto told = std::make_shared<LayersArguments>();
  arguments.footer(verdicts_and_status() +
                   "With --fail-on the verdict of any layer counts.\n\n"
                   "Examples:\n"
                   "  collapse layers block0.npy block1.npy block2.npy head.npy\n"
                   "  collapse layers block*.npy --json --fail-on complete_collapse");
  arguments.files("FILE", "Activations, one file for each layer from input to output:\nrows are inputs, columns units",
                  told->input.paths);
  declare_format(arguments, told->input);
  declare_output(arguments, told->output);
  arguments.value({.name = "--tau",
                   .value = "T",
                   .help = "Units are dormant up to this share of the mean activity of all",
                   .preset = fmt::format("{}", told->options.tau)},
                  [told = told.get()](const std::string& text) { told->options.tau = share("--tau", text); });
  declare_thresholds(arguments, told->options.measure.thresholds);
  declare_measuring(arguments, told->options.measure);
  return {[told] { return name_of(told->input.paths); }, [told] { return layers(*told); }};
}

}  // namespace command_line
