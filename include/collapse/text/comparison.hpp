#pragma once

#include <collapse/report/comparison.hpp>
#include <collapse/text/page.hpp>
#include <collapse/text/report.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// Comparisons of two views as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// Without a newline at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string page(const Comparison& comparison, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "two views", page_width, counted(comparison.samples, "pair", "pairs")));
  put_line(out, "  both views: " + spaced(to_string(comparison.diagnosis.verdict)));
  put_line(out, "");
  put_numbers(out, comparison);
  put_numbers(out, comparison.signal);
  for (const Finding& finding : comparison.findings) put_reason(out, glyphs, finding.metric, finding.explanation);
  put_findings(out, glyphs, comparison.diagnosis.findings);
  for (const auto& [name, report] : {std::pair("a", &comparison.a), std::pair("b", &comparison.b)}) {
    put_line(out, "");
    put_line(out, title(glyphs, fmt::format("view {}", name), page_width));
    put_verdict(out, glyphs, *report);
  }
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::Comparison> : collapse::text::PageFormatter<collapse::Comparison> {};
