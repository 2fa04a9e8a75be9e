#pragma once

#include <collapse/report/classes.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

/// Reports on labelled embeddings as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// The classes whose effective rank is lowest against what is expected, lowest first; at most so many.
[[nodiscard]] COLLAPSE_COLD inline std::vector<std::size_t> worst_classes(const PerClass& classes, std::size_t most) {
  std::vector<std::size_t> order(classes.label.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto share = [&classes](std::size_t c) { return classes.effective_rank_vs_expected(static_cast<Index>(c)); };
  std::erase_if(order, [&share](std::size_t c) { return std::isnan(share(c)); });
  std::stable_sort(order.begin(), order.end(), [&share](std::size_t a, std::size_t b) { return share(a) < share(b); });
  if (order.size() > most) order.resize(most);
  return order;
}

/// Without a newline at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string page(const ClassCollapse& report, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "labels", page_width,
                      fmt::format("{} in {}", counted(report.samples, "row", "rows"),
                                  counted(report.classes, "class", "classes"))));
  put_numbers(out, report);
  if (report.unlabelled_rows > 0) put_number(out, "unlabelled rows", integer(report.unlabelled_rows));
  if (report.skipped_rows > 0) put_number(out, "skipped rows", integer(report.skipped_rows));

  const PerClass& classes = report.per_class;
  constexpr std::size_t shown = 5;
  const std::vector<std::size_t> worst = worst_classes(classes, shown);
  if (!worst.empty()) {
    put_line(out, "");
    put_line(out, title(glyphs, "effective rank of each class", page_width,
                        classes.label.size() > worst.size() ? fmt::format("the {} lowest", worst.size()) : ""));
  }
  for (const std::size_t c : worst) {
    const auto k = static_cast<Index>(c);
    put_number(out, fmt::format("class {}", classes.label[c]), number(classes.effective_rank(k)),
               fmt::format("{} of expected, {}", number(classes.effective_rank_vs_expected(k)),
                           counted(classes.samples[c], "row", "rows")));
  }
  if (!report.exact) {
    wrap(out, "  ",
         fmt::format("NC4, the ranks of the classes and what was asked for are of {}",
                     counted(report.sampled_rows, "sampled row", "sampled rows")));
  }
  for (const Finding& finding : report.findings) put_reason(out, glyphs, finding.metric, finding.explanation);
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::ClassCollapse> : collapse::text::PageFormatter<collapse::ClassCollapse> {};
