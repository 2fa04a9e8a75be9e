#include "result.hpp"

#include <collapse/json.hpp>
#include <collapse/text.hpp>
#include <collapse/text/classes.hpp>
#include <collapse/text/isotropy.hpp>
#include <collapse/text/neighbourhood.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>

namespace command_line {

namespace {

/// What `score` could have measured as well; nothing for other commands.
std::string not_asked_for(const Result& result) {
  if (!result.seconds) return {};
  std::string options;
  const auto mention = [&options](bool asked_for, const char* option) {
    if (!asked_for) options.append(options.empty() ? "" : ", ").append(option);
  };
  mention(result.isotropy.has_value(), "--isotropy");
  mention(result.labels.has_value(), "--labels FILE");
  mention(result.neighbours.has_value(), "--neighbours");
  mention(result.report.confidence.resamples > 0, "--resamples N");
  return options.empty() ? options : "\nnot asked for: " + options + '\n';
}

}  // namespace

std::string render(const Result& result, const Output& output) {
  if (!output.json) {
    std::string text = fmt::format("{}\n", result.report);
    if (result.isotropy) text += fmt::format("\n{}\n", *result.isotropy);
    if (result.labels) text += fmt::format("\n{}\n", *result.labels);
    if (result.neighbours) text += fmt::format("\n{}\n", *result.neighbours);
    if (result.baseline) text += '\n' + to_text(*result.baseline);
    return text + not_asked_for(result);
  }
  nlohmann::ordered_json json = result.report;
  if (result.isotropy) json["isotropy"] = *result.isotropy;
  if (result.labels) json["labels"] = *result.labels;
  if (result.neighbours) json["neighbours"] = *result.neighbours;
  if (result.baseline) json["baseline"] = to_json(*result.baseline);
  if (!result.remarks.empty()) json["remarks"] = result.remarks;
  if (result.seconds) json["seconds"] = *result.seconds;
  return json.dump() + '\n';
}

}  // namespace command_line
