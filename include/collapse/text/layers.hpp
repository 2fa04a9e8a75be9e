#pragma once

#include <collapse/report/layers.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

/// Layer profiles as text, through {fmt}:
///
///     fmt::print("{}\n", profile);    // a table of 80 columns of UTF-8, one line for each layer
///     fmt::print("{:a}\n", profile);  // the same in ASCII
namespace collapse::text {

/// The name in so many columns: what does not fit is cut at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string layer_name(const Glyphs& glyphs, const std::string& name, std::size_t width) {
  std::string plain = glyphs.ascii ? to_ascii(name) : name;
  std::replace_if(plain.begin(), plain.end(), is_control, ' ');
  if (columns(plain) <= width) return pad_right(plain, width);
  const std::string_view cut = glyphs.ascii ? "..." : "…";
  return std::string(prefix(plain, width - columns(cut))).append(cut);
}

/// A share in so many bars; empty for an undefined one.
[[nodiscard]] COLLAPSE_COLD inline std::string share_bar(const Glyphs& glyphs, double share, std::size_t width) {
  if (std::isnan(share)) return {};
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  return repeat(glyphs.ascii ? std::string_view("#") : std::string_view("█"), static_cast<std::size_t>(filled + 0.5));
}

/// Without a newline at its end.
[[nodiscard]] COLLAPSE_COLD inline std::string page(const LayerProfile& profile, const Glyphs& glyphs) {
  constexpr std::size_t name_width = 14;
  constexpr std::size_t bar_width = 8;
  std::string out;
  put_line(out, title(glyphs, counted(static_cast<Index>(profile.layers.size()), "layer", "layers"), page_width,
                      "erank: effective rank, of that expected"));
  const auto line = [&](std::string_view name, std::string_view samples, std::string_view units, std::string_view rank,
                        std::string_view share, std::string_view bar, std::string_view dormant, std::string_view dead,
                        std::string_view cosine, std::string_view verdict) {
    put_line(out, pad_right(name, name_width) + pad_left(samples, 7) + pad_left(units, 6) + pad_left(rank, 7) +
                      pad_left(share, 5) + " " + pad_right(bar, bar_width) + pad_left(dormant, 5) + pad_left(dead, 6) +
                      pad_left(cosine, 6) + "  " + std::string(verdict));
  };
  const auto short_count = [](Index value) {
    return value < 100'000 ? fmt::format("{}", value) : fmt::format("{:.0e}", static_cast<double>(value));
  };
  const auto two_digits = [](double value) {
    if (std::isnan(value)) return std::string("-");
    std::string text = fmt::format("{:.2f}", value);
    return text == "-0.00" ? std::string("0.00") : text;
  };
  const auto rank_number = [](double value) {
    if (std::isnan(value)) return std::string("-");
    return fmt::format("{:.{}f}", value, value < 99.95 ? 2 : (value < 9999.5 ? 1 : 0));
  };
  line("layer", "N", "units", "erank", "of", "", "dorm", "dead", "cos", "verdict");
  for (const Layer& layer : profile.layers) {
    std::string verdict = spaced(to_string(layer.verdict));
    // What all of them end in.
    if (const std::size_t end = verdict.find(" collapse"); end != std::string::npos) verdict.resize(end);
    line(layer_name(glyphs, layer.name, name_width), short_count(layer.samples), short_count(layer.units),
         rank_number(layer.effective_rank), two_digits(layer.effective_rank_vs_expected),
         share_bar(glyphs, layer.effective_rank_vs_expected, bar_width), two_digits(layer.dormant_fraction),
         short_count(layer.dead_units), two_digits(layer.mean_cosine), verdict);
  }
  const auto remark = [&](std::string_view words, const std::optional<Index>& at) {
    if (!at) return;
    const std::string& name = profile.layers[static_cast<std::size_t>(*at)].name;
    wrap(out, "  ", fmt::format("{}: {}", words, glyphs.ascii ? to_ascii(name) : name));
  };
  if (profile.first_collapsed || profile.steepest) put_line(out, "");
  remark("first that is not healthy", profile.first_collapsed);
  remark("largest fall of the effective rank, to", profile.steepest);
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::LayerProfile> : collapse::text::PageFormatter<collapse::LayerProfile> {};
