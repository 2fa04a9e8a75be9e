#pragma once

#include <collapse/error.hpp>
#include <collapse/report/catalogue.hpp>
#include <collapse/report/edit_distance.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the numbers mean, from the catalogue: in a terminal by `explain`, in Markdown by `catalogue_table`.
namespace collapse {

/// The signs that a text may use.
enum class TextStyle { utf8, ascii };

namespace text {

/// What a path has after the name of its result.
[[nodiscard]] COLLAPSE_COLD inline std::string_view in_result(const CataloguedResult& result, const CatalogueEntry& entry) {
  return std::string_view(entry.path).substr(result.root.size());
}

/// Whether a result is the first that has this path: a Monitor sees numbers of a report.
[[nodiscard]] COLLAPSE_COLD inline bool is_own(const CatalogueEntry& entry) { return find_entry(entry.path) == &entry; }

/// The paths that may have been meant, nearest first; at most three. One that ends in what was asked for is nearest.
[[nodiscard]] COLLAPSE_COLD inline std::vector<std::string_view> near_paths(std::string_view path) {
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const CataloguedResult& result : catalogue()) {
    std::string again;
    for (const CatalogueEntry& entry : *result.entries) {
      const std::string_view known = entry.path;
      // The numbers of a whole result inside of another are known by the shorter path.
      if (std::string_view(entry.info.repeats).ends_with(')')) again = std::string(known).append(".");
      if (!is_own(entry) || (!again.empty() && known.starts_with(again))) continue;
      const std::string_view last = known.substr(known.rfind('.') == std::string_view::npos ? 0 : known.rfind('.') + 1);
      const std::size_t distance = std::min(edit_distance(path, known), edit_distance(path, last));
      if (distance <= std::max<std::size_t>(1, path.size() / 3)) found.emplace_back(distance, known);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, a.second.size()) < std::pair(b.first, b.second.size());
  });
  std::vector<std::string_view> paths;
  for (const auto& [distance, known] : found) {
    if (paths.size() < 3) paths.push_back(known);
  }
  return paths;
}

[[noreturn]] inline void throw_unknown_path(std::string_view path) {
  std::string message = "no number is called \"";
  for (const char c : path.substr(0, 80)) message += is_control(c) ? '?' : c;
  message += '"';
  const std::vector<std::string_view> near = near_paths(path);
  for (std::size_t i = 0; i < near.size(); ++i) {
    message.append(i == 0 ? "; did you mean " : i + 1 == near.size() ? " or " : ", ").append(near[i]);
  }
  throw Error(message.append(near.empty() ? "; without a path all blocks are listed" : "?"));
}

/// A name and what it tells, wrapped beside it.
COLLAPSE_COLD inline void put_entry(std::string& out, std::string_view name, std::string_view tells) {
  constexpr std::size_t width = 30;
  std::string start = pad_right(fmt::format("  {}", name), width);
  if (columns(start) > width) {
    put_line(out, start);
    start.assign(width, ' ');
  }
  if (tells.empty()) {
    put_line(out, start);
  } else {
    wrap(out, start + ' ', tells);
  }
}

/// What lies directly in a block: the entries after it with one more name in their path.
COLLAPSE_COLD inline void put_parts(std::string& out, const CataloguedResult& result, std::string_view prefix) {
  for (const CatalogueEntry& entry : *result.entries) {
    const std::string_view path = entry.path;
    if (!path.starts_with(prefix) || path.substr(prefix.size()).find('.') != std::string_view::npos) continue;
    if (is_own(entry)) put_entry(out, path.substr(prefix.size()), entry.info.tells);
  }
}

/// One number: all that the catalogue says of it.
COLLAPSE_COLD inline void put_explanation(std::string& out, const CataloguedResult& result, const CatalogueEntry& entry) {
  const FieldInfo& info = entry.info;
  put_line(out, entry.path);
  const auto put = [&out](std::string_view name, std::string_view words) {
    if (!words.empty()) wrap(out, pad_right(fmt::format("  {}", name), 12), words);
  };
  put("tells", info.tells);
  put("range", info.range);
  put("healthy", info.healthy);
  const std::string cost =
      *info.cost != '\0' ? std::string(info.cost) : fmt::format("that of {}: {}", result.call, result.cost);
  put("cost", cost);
  put("source", info.source);
  if (*info.formula != '\0') put("formula", std::string("collapse/").append(info.formula));
  if (info.resampled && !entry.block) put("error", "a standard error with Options::resamples");
  if (info.on_demand) put("when", "only where it is asked for");
}

[[nodiscard]] COLLAPSE_COLD inline std::string explanation(std::string_view path) {
  std::string out;
  if (path.empty()) {
    for (const CataloguedResult& result : catalogue()) {
      if (!out.empty()) put_line(out, "");
      put_line(out, fmt::format("{}: {}", result.call, result.tells));
      for (const CatalogueEntry& entry : *result.entries) {
        const bool top = in_result(result, entry).find('.') == std::string_view::npos;
        if (is_own(entry) && (top || result.entries == &entries_of<Observation>())) {
          put_entry(out, entry.path, entry.info.tells);
        }
      }
    }
    return out;
  }
  for (const CataloguedResult& result : catalogue()) {
    if (!result.root.empty() && path == result.root.substr(0, result.root.size() - 1)) {
      put_line(out, fmt::format("{}: {}", result.call, result.tells));
      put_parts(out, result, result.root);
      return out;
    }
    for (const CatalogueEntry& entry : *result.entries) {
      if (entry.path != path || !is_own(entry)) continue;
      put_explanation(out, result, entry);
      if (entry.block) {
        put_line(out, "");
        put_parts(out, result, entry.path + '.');
      }
      return out;
    }
  }
  throw_unknown_path(path);
}

}  // namespace text

/// What a number means: what it tells, its range, its healthy value, its cost, who introduced it and where its formula
/// stands; of a block also what it holds.
///
/// @param path   as in JSON, in findings and alarms: "variance.dispersion", "spectrum", "labels.nc1"; empty: all blocks
/// @param style  signs beyond ASCII or not
/// @return lines of at most 80 columns, each with its end
/// @throws Error for a path that the catalogue does not have, naming those near it
/// Cost: the length of the catalogue.
[[nodiscard]] COLLAPSE_COLD inline std::string explain(std::string_view path = {}, TextStyle style = TextStyle::utf8) {
  std::string words = text::explanation(path);
  return style == TextStyle::ascii ? text::to_ascii(words) : words;
}

/// Every number that has a formula, as a table in Markdown: a row for each, under the call that returns it. The README
/// holds it.
[[nodiscard]] COLLAPSE_COLD inline std::string catalogue_table() {
  std::string out =
      "| number | what it tells | range | healthy | cost | source |\n"
      "|---|---|---|---|---|---|\n";
  const auto put = [&out](std::string_view name, const FieldInfo& info) {
    out.append("| `").append(name).append("` |");
    for (const std::string_view cell : {info.tells, info.range, info.healthy, info.cost, info.source}) {
      out.append(cell.empty() ? "" : " ").append(cell).append(" |");
    }
    out += '\n';
  };
  for (const CataloguedResult& result : catalogue()) {
    out += fmt::format("| **`{}`** | {} | | | {} | |\n", result.call, result.tells, result.cost);
    std::string repeated;
    for (const CatalogueEntry& entry : *result.entries) {
      if (!text::is_own(entry)) continue;
      const std::string_view name = text::in_result(result, entry);
      if (!repeated.empty() && name.starts_with(repeated)) continue;
      if (*entry.info.repeats != '\0') {
        repeated = std::string(name).append(".");
        put(repeated + '*', entry.info);
      } else if (*entry.info.formula != '\0') {
        put(name, entry.info);
      }
    }
  }
  return out;
}

}  // namespace collapse
