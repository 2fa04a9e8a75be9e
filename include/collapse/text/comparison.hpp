#pragma once

#include <collapse/compare.hpp>
#include <collapse/text.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// Comparisons of two views as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// Without a newline at its end.
[[nodiscard]] inline std::string page(const Comparison& comparison, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "two views", page_width, counted(comparison.samples, "pair", "pairs")));
  const auto put = [&out](std::string_view label, double value, std::string_view remark) {
    put_number(out, label, number(value), remark);
  };
  put("alignment", comparison.alignment, "of pairs on the sphere, 0 to 4");
  put("invariance", comparison.invariance, "mean squared difference");
  put("paired cosine", comparison.paired_cosine, "of rows of one sample");
  put("unpaired cosine", comparison.unpaired_cosine, "of two samples; as high: collapse");
  put("modality gap", comparison.modality_gap, "between mean directions; healthy 0");
  put("linear CKA", comparison.linear_cka, "0 to 1, biased up for few rows");
  put("  debiased", comparison.linear_cka_debiased, "0 for independent views, 1 the same");
  put("Barlow Twins, on diagonal", comparison.barlow_on_diagonal, "0 when each dimension agrees");
  put("  off diagonal", comparison.barlow_off_diagonal, "0 when no two dimensions repeat");
  put("VICReg", comparison.vicreg, "the weighted loss");
  put_number(out, "skipped pairs", integer(comparison.skipped_rows));
  for (const Finding& finding : comparison.findings) put_reason(out, glyphs, finding.metric, finding.explanation);
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
