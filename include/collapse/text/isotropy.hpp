#pragma once

#include <collapse/report/isotropy.hpp>
#include <collapse/report/path.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

/// Isotropy and diversity as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// Without a newline at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string page(const Isotropy& block, const Glyphs& glyphs) {
  std::string out;
  const std::string pairs = block.exact ? "all pairs"
                                        : fmt::format("{} of {}", counted(block.pairs, "pair", "pairs"),
                                                      counted(block.sampled_rows, "sampled row", "sampled rows"));
  put_line(out, title(glyphs, "isotropy", page_width, block.pairs == 0 ? "no pairs of non-zero rows" : pairs));
  put_numbers(out, block, [&](std::string_view name) {
    std::optional<std::string> remark;
    if (name == member_name<&Isotropy::uniformity> && !block.exact) {
      remark = fmt::format("{} {}; 0 is collapse", glyphs.plus_minus, number(block.uniformity_standard_error));
    }
    return remark;
  });
  if (block.partition_isotropy == 0.0) put_number(out, "  ln", number(block.log_partition_isotropy));
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::Isotropy> : collapse::text::PageFormatter<collapse::Isotropy> {};
