#pragma once

#include <collapse/report/neighbourhood.hpp>
#include <collapse/report/path.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

/// Neighbourhoods as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// Without a newline at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string page(const Neighbourhood& rows, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "neighbours", page_width,
                      fmt::format("{}, {}", rows.metric == Metric::cosine ? "cosine" : "Euclidean",
                                  counted(rows.samples, "row", "rows"))));
  const IntrinsicDimension& dimension = rows.intrinsic_dimension;
  const auto error = [&glyphs](double value) { return fmt::format("{} {}", glyphs.plus_minus, number(value)); };
  put_numbers(out, dimension, [&](std::string_view name) {
    std::optional<std::string> remark;
    if (name == member_name<&IntrinsicDimension::two_nn>) {
      remark = fmt::format("{}; from two neighbours", error(dimension.two_nn_standard_error));
    } else if (name == member_name<&IntrinsicDimension::mle>) {
      remark = fmt::format("{}; from {}", error(dimension.mle_standard_error),
                           counted(dimension.mle_k, "neighbour", "neighbours"));
    }
    return remark;
  });
  put_numbers(out, rows, [&](std::string_view name) {
    std::optional<std::string> remark;
    if (name == member_name<&Neighbourhood::hubness>) {
      remark = fmt::format("over {}; above 1: hubs", counted(rows.hubness_k, "neighbour", "neighbours"));
    }
    return remark;
  });
  for (const Undefined& lacking : rows.undefined_numbers) put_reason(out, glyphs, lacking.metric, lacking.reason);
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::Neighbourhood> : collapse::text::PageFormatter<collapse::Neighbourhood> {};
