#pragma once

#include <collapse/neighbourhood.hpp>
#include <collapse/text.hpp>

#include <fmt/format.h>

#include <string>

/// Neighbourhoods as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// Without a newline at its end.
[[nodiscard]] inline std::string page(const Neighbourhood& rows, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "neighbours", page_width,
                      fmt::format("{}, {}", rows.metric == Metric::cosine ? "cosine" : "Euclidean",
                                  counted(rows.samples, "row", "rows"))));
  const IntrinsicDimension& dimension = rows.intrinsic_dimension;
  const auto error = [&glyphs](double value) { return fmt::format("{} {}", glyphs.plus_minus, number(value)); };
  put_number(out, "intrinsic dimension", number(dimension.two_nn),
             fmt::format("{}; from two neighbours", error(dimension.two_nn_standard_error)));
  put_number(out, "", number(dimension.mle),
             fmt::format("{}; from {}", error(dimension.mle_standard_error),
                         counted(dimension.mle_k, "neighbour", "neighbours")));
  put_number(out, "hubness", number(rows.hubness),
             fmt::format("over {}; above 1: hubs", counted(rows.hubness_k, "neighbour", "neighbours")));
  put_number(out, "duplicate rows", number(rows.duplicate_rows), "share; healthy 0");
  put_number(out, "near duplicates", number(rows.near_duplicates), "share; healthy 0");
  put_number(out, "distinct modes", integer(rows.distinct_modes), "healthy: as many as rows");
  put_number(out, "median distance", number(rows.median_distance));
  put_number(out, "zero rows", integer(rows.zero_rows));
  put_number(out, "skipped rows", integer(rows.skipped_rows));
  for (const Undefined& lacking : rows.undefined_numbers) put_reason(out, glyphs, lacking.metric, lacking.reason);
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::Neighbourhood> : collapse::text::PageFormatter<collapse::Neighbourhood> {};
