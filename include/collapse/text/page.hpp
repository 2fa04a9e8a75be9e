#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/spectrum.hpp>
#include <collapse/report/undefined.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the pages of all results are made of: signs, numbers, lines and groups of them.
namespace collapse::text {

inline constexpr std::size_t page_width = 80;
inline constexpr std::size_t chart_width = 64;

/// The signs a report is drawn with: one set for UTF-8, one for ASCII.
struct Glyphs {
  std::array<std::string_view, 8> bars;  ///< lowest to highest
  std::string_view below_floor, separator, times, plus_minus, rule, arrow;
  std::string_view axis, axis_left, axis_zero, axis_right, range, range_left, range_mean, range_right;
  bool ascii;
};

inline constexpr Glyphs utf8_glyphs{{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
                                    "·",
                                    "·",
                                    "×",
                                    "±",
                                    "─",
                                    "→",
                                    "─",
                                    "└",
                                    "┴",
                                    "┘",
                                    "━",
                                    "┝",
                                    "┿",
                                    "┥",
                                    false};
inline constexpr Glyphs ascii_glyphs{{"1", "2", "3", "4", "5", "6", "7", "8"},
                                     ".",
                                     "|",
                                     "x",
                                     "+-",
                                     "-",
                                     "->",
                                     "-",
                                     "|",
                                     "|",
                                     "|",
                                     "=",
                                     "[",
                                     "#",
                                     "]",
                                     true};

/// Columns that a UTF-8 string takes in a terminal, every code point counted as one.
[[nodiscard]] COLLAPSE_COLD inline std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

[[nodiscard]] COLLAPSE_COLD inline std::string repeat(std::string_view sign, std::size_t times) {
  std::string out;
  out.reserve(sign.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += sign;
  return out;
}

[[nodiscard]] COLLAPSE_COLD inline std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(used < width ? width - used : 0, ' ').append(text);
}

[[nodiscard]] COLLAPSE_COLD inline std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text).append(used < width ? width - used : 0, ' ');
}

/// Four significant digits: plain from 0.001 to 99999, scientific beyond, `-` where undefined. At most 11 columns.
[[nodiscard]] COLLAPSE_COLD inline std::string number(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0.0) return "0";
  std::string scientific = fmt::format("{:.3e}", value);
  // The exponent after rounding: 9.9999 has four significant digits as 10.00, not as 10.000.
  const std::size_t mark = scientific.find('e');
  const char* const first = scientific.data() + mark + (scientific[mark + 1] == '+' ? 2 : 1);
  int exponent = 0;
  std::from_chars(first, scientific.data() + scientific.size(), exponent);
  if (exponent < -3 || exponent > 4) return scientific;
  return fmt::format("{:.{}f}", value, std::max(0, 3 - exponent));
}

/// As `number` without trailing zeros, for running text and log fields.
[[nodiscard]] COLLAPSE_COLD inline std::string brief(double value) {
  std::string text = number(value);
  if (!std::isfinite(value) || text.find('.') == std::string::npos) return text;
  const std::size_t mark = std::min(text.find('e'), text.size());
  std::size_t end = mark;
  while (text[end - 1] == '0') --end;
  if (text[end - 1] == '.') --end;
  return text.erase(end, mark - end);
}

/// A count, exact as long as it fits the columns of a number.
[[nodiscard]] COLLAPSE_COLD inline std::string integer(Index value) {
  return std::abs(value) < 10'000'000'000 ? fmt::format("{}", value) : number(static_cast<double>(value));
}

[[nodiscard]] COLLAPSE_COLD inline std::string integer(const std::optional<Index>& value) {
  return value ? integer(*value) : std::string("-");
}

/// A cosine in seven columns: four decimals whatever its size, so that a row of quantiles compares at a glance.
[[nodiscard]] COLLAPSE_COLD inline std::string cosine_number(double value) {
  if (std::isnan(value)) return "-";
  if (std::abs(value) > 9.0) return fmt::format("{:.0e}", value);
  if (value > 0.0 && value < 5e-5) return "<1e-4";
  std::string text = fmt::format("{:.4f}", value);
  return text == "-0.0000" ? std::string("0.0000") : text;
}

/// A count with its noun.
[[nodiscard]] COLLAPSE_COLD inline std::string counted(Index count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", integer(count), count == 1 ? singular : plural);
}

[[nodiscard]] COLLAPSE_COLD inline std::string spaced(std::string_view identifier) {
  std::string out(identifier);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

/// Replaces what ASCII lacks; a sign without a known spelling becomes `?`.
[[nodiscard]] COLLAPSE_COLD inline std::string to_ascii(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 26> spelling{{
      {"×", "x"},  {"·", "*"},     {"±", "+-"},    {"≤", "<="}, {"≥", ">="},    {"≠", "!="},    {"≈", "~"},
      {"→", "->"}, {"←", "<-"},    {"–", "-"},     {"—", "-"},  {"−", "-"},     {"‘", "'"},     {"’", "'"},
      {"“", "\""}, {"”", "\""},    {"…", "..."},   {"²", "^2"}, {"√", "sqrt "}, {"σ", "sigma"}, {"λ", "lambda"},
      {"μ", "mu"}, {"γ", "gamma"}, {"α", "alpha"}, {"‖", "||"}, {"∞", "inf"},
  }};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xC0U) == 0x80U) ++length;
    const std::string_view sign = text.substr(i, length);
    if (static_cast<unsigned char>(sign[0]) < 0x80U) {
      out += sign[0];
    } else {
      const auto* const known =
          std::find_if(spelling.begin(), spelling.end(), [sign](const auto& entry) { return entry.first == sign; });
      out += known != spelling.end() ? known->second : std::string_view("?");
    }
    i += length;
  }
  return out;
}

/// Tabs, line ends, escapes: what would move the cursor of a terminal.
[[nodiscard]] COLLAPSE_COLD inline bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

/// The first `count` code points of a UTF-8 string.
[[nodiscard]] COLLAPSE_COLD inline std::string_view prefix(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size() && (count > 0 || (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U) --count;
    ++end;
  }
  return text.substr(0, end);
}

/// Appends `text` as lines of at most `page_width` columns: `first` before the first, blanks of the same width before
/// the others. White space and control characters collapse to one blank; a word wider than a line is cut.
COLLAPSE_COLD inline void wrap(std::string& out, std::string_view first, std::string_view text) {
  const std::size_t indent = columns(first);
  const std::size_t room = std::max<std::size_t>(page_width, indent + 16) - indent;
  const auto is_blank = [](char c) { return c == ' ' || is_control(c); };
  std::string line;
  bool at_first = true;
  const auto flush = [&] {
    out.append(at_first ? std::string(first) : std::string(indent, ' ')).append(line).push_back('\n');
    at_first = false;
    line.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !is_blank(text[end])) ++end;
    std::string_view word = text.substr(i, end - i);
    i = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && columns(line) + 1 + columns(word) > room) flush();
    while (columns(word) > room) {
      line = prefix(word, room);
      word.remove_prefix(line.size());
      flush();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (at_first || !line.empty()) flush();
}

/// Appends a line without the blanks at its end.
COLLAPSE_COLD inline void put_line(std::string& out, std::string_view line) {
  const std::size_t last = line.find_last_not_of(' ');
  out.append(line.substr(0, last == std::string_view::npos ? 0 : last + 1)).push_back('\n');
}

/// A group title, followed by a rule up to `width` and an optional remark at its right end.
[[nodiscard]] COLLAPSE_COLD inline std::string title(const Glyphs& glyphs, std::string_view name, std::size_t width,
                                       std::string_view remark = {}) {
  std::string out(name);
  const std::size_t taken = columns(name) + 1 + (remark.empty() ? 0 : columns(remark) + 1);
  out += ' ';
  out += repeat(glyphs.rule, taken < width ? width - taken : 0);
  if (!remark.empty()) out.append(" ").append(remark);
  return out;
}

struct Row {
  std::string_view label;
  std::string value;
  std::string_view name{};  ///< in the catalogue
};

/// A value as a page shows it.
[[nodiscard]] COLLAPSE_COLD inline std::string shown(double value) { return number(value); }
[[nodiscard]] COLLAPSE_COLD inline std::string shown(Index value) { return integer(value); }
[[nodiscard]] COLLAPSE_COLD inline std::string shown(const std::optional<Index>& value) { return integer(value); }
[[nodiscard]] COLLAPSE_COLD inline std::string shown(SpectrumMethod method) { return std::string(to_string(method)); }
[[nodiscard]] COLLAPSE_COLD inline std::string shown(const std::optional<std::array<Index, 2>>& pair) {
  return pair ? fmt::format("{}, {}", integer((*pair)[0]), integer((*pair)[1])) : std::string("-");
}

/// visit(field) for those that have a label and a value that a page shows.
template <Block Of, class Visit>
void for_each_shown(const Visit& visit) {
  Of::fields([&visit](const auto& field) {
    if constexpr (requires(const Of& block) { shown(block.*field.member); }) {
      if (*field.info.label != '\0') visit(field);
    }
  });
}

/// Apart from the walk, so that its code is there once and not for each field.
COLLAPSE_COLD inline void add_row(std::vector<Row>& rows, const char* name, const char* label, std::string value) {
  rows.push_back({label, std::move(value), name});
}

/// The numbers of a block under their labels.
template <Block Of>
[[nodiscard]] std::vector<Row> rows_of(const Of& block) {
  std::vector<Row> rows;
  for_each_shown<Of>(
      [&](const auto& field) { add_row(rows, field.name, field.info.label, shown(block.*field.member)); });
  return rows;
}

using Panel = std::vector<std::string>;

/// A group of rows, labels on the left, all values ending in column `width`.
[[nodiscard]] COLLAPSE_COLD inline Panel panel(const Glyphs& glyphs, std::string_view name, const std::vector<Row>& rows,
                                 std::size_t width) {
  Panel lines{title(glyphs, name, width)};
  for (const Row& row : rows) {
    std::string line = fmt::format("  {} ", row.label);
    line += pad_left(row.value, width - std::min(width, columns(line)));
    lines.push_back(std::move(line));
  }
  return lines;
}

COLLAPSE_COLD inline void put_side_by_side(std::string& out, const Panel& left, const Panel& right, std::size_t width,
                             std::size_t gap) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    std::string line = pad_right(i < left.size() ? left[i] : std::string(), width + gap);
    if (i < right.size()) line += right[i];
    put_line(out, line);
  }
}

/// Of a line of a table: label, value, remark.
COLLAPSE_COLD inline void put_number(std::string& out, std::string_view label, std::string_view value, std::string_view remark = {}) {
  put_line(out, pad_right(fmt::format("  {}", label), 28) + pad_left(value, 12) + "   " + std::string(remark));
}

/// Why a number is undefined.
COLLAPSE_COLD inline void put_reason(std::string& out, const Glyphs& glyphs, std::string_view metric, std::string_view reason) {
  const std::string words = fmt::format("{} is undefined: {}", metric, reason);
  wrap(out, "  ", glyphs.ascii ? to_ascii(words) : words);
}

/// The numbers of a block, a line each. What is measured on demand and was not asked for is left out.
/// @param remark  remark(name) beside a number where that of the catalogue does not do: std::optional<std::string>
template <Block Of, class Remark>
void put_numbers(std::string& out, const Of& block, const Remark& remark) {
  for_each_shown<Of>([&](const auto& field) {
    const std::string value = shown(block.*field.member);
    if (field.info.on_demand && value == "-") return;
    const std::optional<std::string> own = remark(std::string_view(field.name));
    put_number(out, field.info.label, value, own ? std::string_view(*own) : std::string_view(field.info.remark));
  });
}

template <Block Of>
void put_numbers(std::string& out, const Of& block) {
  put_numbers(out, block, [](std::string_view) { return std::optional<std::string>(); });
}

/// What has a page of its own: `{}`, or `{:a}` in ASCII.
template <class Block>
struct PageFormatter {
  template <class ParseContext>
  constexpr auto parse(ParseContext& context) -> decltype(context.begin()) {
    auto it = context.begin();
    if (it != context.end() && *it == 'a') ascii_ = *it++ == 'a';
    if (it != context.end() && *it != '}') throw fmt::format_error("it formats as {} or {:a} (ASCII)");
    return it;
  }

  template <class Context>
  auto format(const Block& block, Context& context) const -> decltype(context.out()) {
    const std::string rendered = page(block, ascii_ ? ascii_glyphs : utf8_glyphs);
    return std::copy(rendered.begin(), rendered.end(), context.out());
  }

 private:
  bool ascii_ = false;
};

}  // namespace collapse::text
