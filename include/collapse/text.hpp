#pragma once

#include <collapse/report.hpp>

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

/// Reports as text, through {fmt}:
///
///     fmt::print("{}\n", report);    // the whole report, 80 columns of UTF-8: verdict, findings, numbers, charts
///     fmt::print("{:a}\n", report);  // the same in ASCII, for logs and terminals without UTF-8
///     fmt::print("{:s}\n", report);  // one line of stable key=value fields, for training logs
///
/// An undefined number prints as `-`. Any other specification is an error, at compile time where {fmt} checks there.
/// A Verdict and a SpectrumMethod print as their names and take the specifications of a string (`{:>20}`).
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
[[nodiscard]] inline std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

[[nodiscard]] inline std::string repeat(std::string_view sign, std::size_t times) {
  std::string out;
  out.reserve(sign.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += sign;
  return out;
}

[[nodiscard]] inline std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(used < width ? width - used : 0, ' ').append(text);
}

[[nodiscard]] inline std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text).append(used < width ? width - used : 0, ' ');
}

/// Four significant digits: plain from 0.001 to 99999, scientific beyond, `-` where undefined. At most 11 columns.
[[nodiscard]] inline std::string number(double value) {
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
[[nodiscard]] inline std::string brief(double value) {
  std::string text = number(value);
  if (!std::isfinite(value) || text.find('.') == std::string::npos) return text;
  const std::size_t mark = std::min(text.find('e'), text.size());
  std::size_t end = mark;
  while (text[end - 1] == '0') --end;
  if (text[end - 1] == '.') --end;
  return text.erase(end, mark - end);
}

/// A count, exact as long as it fits the columns of a number.
[[nodiscard]] inline std::string integer(Index value) {
  return std::abs(value) < 10'000'000'000 ? fmt::format("{}", value) : number(static_cast<double>(value));
}

[[nodiscard]] inline std::string integer(const std::optional<Index>& value) {
  return value ? integer(*value) : std::string("-");
}

/// A cosine in seven columns: four decimals whatever its size, so that a row of quantiles compares at a glance.
[[nodiscard]] inline std::string cosine_number(double value) {
  if (std::isnan(value)) return "-";
  if (std::abs(value) > 9.0) return fmt::format("{:.0e}", value);
  if (value > 0.0 && value < 5e-5) return "<1e-4";
  std::string text = fmt::format("{:.4f}", value);
  return text == "-0.0000" ? std::string("0.0000") : text;
}

/// A count with its noun.
[[nodiscard]] inline std::string counted(Index count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", integer(count), count == 1 ? singular : plural);
}

[[nodiscard]] inline std::string spaced(std::string_view identifier) {
  std::string out(identifier);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

/// Replaces what ASCII lacks; a sign without a known spelling becomes `?`.
[[nodiscard]] inline std::string to_ascii(std::string_view text) {
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
[[nodiscard]] inline bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

/// The first `count` code points of a UTF-8 string.
[[nodiscard]] inline std::string_view prefix(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size() && (count > 0 || (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U) --count;
    ++end;
  }
  return text.substr(0, end);
}

/// Appends `text` as lines of at most `page_width` columns: `first` before the first, blanks of the same width before
/// the others. White space and control characters collapse to one blank; a word wider than a line is cut.
inline void wrap(std::string& out, std::string_view first, std::string_view text) {
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
inline void put_line(std::string& out, std::string_view line) {
  const std::size_t last = line.find_last_not_of(' ');
  out.append(line.substr(0, last == std::string_view::npos ? 0 : last + 1)).push_back('\n');
}

/// A group title, followed by a rule up to `width` and an optional remark at its right end.
[[nodiscard]] inline std::string title(const Glyphs& glyphs, std::string_view name, std::size_t width,
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
};

using Panel = std::vector<std::string>;

/// A group of rows, labels on the left, all values ending in column `width`.
[[nodiscard]] inline Panel panel(const Glyphs& glyphs, std::string_view name, const std::vector<Row>& rows,
                                 std::size_t width) {
  Panel lines{title(glyphs, name, width)};
  for (const Row& row : rows) {
    std::string line = fmt::format("  {} ", row.label);
    line += pad_left(row.value, width - std::min(width, columns(line)));
    lines.push_back(std::move(line));
  }
  return lines;
}

inline void put_side_by_side(std::string& out, const Panel& left, const Panel& right, std::size_t width,
                             std::size_t gap) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    std::string line = pad_right(i < left.size() ? left[i] : std::string(), width + gap);
    if (i < right.size()) line += right[i];
    put_line(out, line);
  }
}

/// Largest of the positive, finite values; 0 when there is none.
[[nodiscard]] inline double largest(const Eigen::VectorXd& values) {
  double top = 0.0;
  for (Index k = 0; k < values.size(); ++k) {
    if (std::isfinite(values[k])) top = std::max(top, values[k]);
  }
  return top;
}

[[nodiscard]] inline bool above_floor(double value, double floor) {
  return std::isfinite(value) && value > 0.0 && !(value <= floor);
}

/// Decades from the largest singular value down to the smallest above the noise floor; 0 when there is none.
[[nodiscard]] inline double decades_below(double top, const Spectrum& spectrum) {
  double lowest = top;
  for (Index k = 0; k < spectrum.singular_values.size(); ++k) {
    const double value = spectrum.singular_values[k];
    if (above_floor(value, spectrum.noise_floor)) lowest = std::min(lowest, value);
  }
  return lowest > 0.0 ? std::log10(top) - std::log10(lowest) : 0.0;
}

/// One sign per singular value, or per equal run of ranks when there are more than `chart_width`: the height is log10
/// of the largest one in the run, from `top` (highest bar) to `decades` below it (lowest bar). The largest, not the
/// mean, so that a lone direction towering over thousands keeps its own height at the left edge.
[[nodiscard]] inline std::string spectrum_bars(const Glyphs& glyphs, const Spectrum& spectrum, double top,
                                               double decades) {
  const Index size = spectrum.singular_values.size();
  const Index shown = std::min(size, static_cast<Index>(chart_width));
  std::string out;
  for (Index c = 0; c < shown; ++c) {
    double highest = 0.0;
    for (Index k = c * size / shown; k < (c + 1) * size / shown; ++k) {
      const double value = spectrum.singular_values[k];
      if (above_floor(value, spectrum.noise_floor)) highest = std::max(highest, value);
    }
    if (!(highest > 0.0)) {
      out += glyphs.below_floor;
      continue;
    }
    const double drop = (std::log10(top) - std::log10(highest)) / decades;
    out += glyphs.bars[static_cast<std::size_t>(7 - std::clamp(static_cast<int>(8.0 * drop), 0, 7))];
  }
  return out;
}

/// One sign per bin, its height the count over the largest count; an empty bin is blank, a lone pair still shows.
[[nodiscard]] inline std::string histogram_bars(const Glyphs& glyphs, const std::array<std::int64_t, 64>& histogram) {
  const std::int64_t most = *std::max_element(histogram.begin(), histogram.end());
  std::string out;
  for (const std::int64_t count : histogram) {
    if (count <= 0) {
      out += ' ';
      continue;
    }
    const double share = static_cast<double>(count) / static_cast<double>(most);
    out += glyphs.bars[static_cast<std::size_t>(std::clamp(static_cast<int>(std::ceil(8.0 * share)) - 1, 0, 7))];
  }
  return out;
}

/// The axis from -1 to 1 below the histogram, with p05, mean and p95 marked on it.
[[nodiscard]] inline std::string cosine_axis(const Glyphs& glyphs, const Cosine& cosine) {
  std::array<std::string_view, chart_width> signs;
  signs.fill(glyphs.axis);
  signs.front() = glyphs.axis_left;
  signs[chart_width / 2] = glyphs.axis_zero;
  signs.back() = glyphs.axis_right;
  const auto bin = [](double value) {
    return static_cast<std::size_t>(std::clamp(static_cast<int>((std::clamp(value, -1.0, 1.0) + 1.0) * 32.0), 0, 63));
  };
  if (!std::isnan(cosine.p05) && !std::isnan(cosine.p95)) {
    for (std::size_t b = bin(cosine.p05); b <= bin(cosine.p95); ++b) signs[b] = glyphs.range;
    signs[bin(cosine.p05)] = glyphs.range_left;
    signs[bin(cosine.p95)] = glyphs.range_right;
  }
  if (!std::isnan(cosine.mean)) signs[bin(cosine.mean)] = glyphs.range_mean;
  std::string out;
  for (const std::string_view sign : signs) out += sign;
  return out;
}

/// The scalar that an epsilon belongs to; empty when it is none of the usual ones.
[[nodiscard]] inline std::string_view scalar_name(double epsilon) {
  if (epsilon == 0x1p-52) return "float64";
  if (epsilon == 0x1p-23) return "float32";
  if (epsilon == 0x1p-10) return "float16";
  if (epsilon == 0x1p-7 || epsilon == 0x1p-8) return "bfloat16";
  return {};
}

/// Largest rank that the centred rows can have.
[[nodiscard]] inline Index largest_rank(const Report& report) {
  return std::max<Index>(0, std::min(report.samples - 1, report.dims));
}

/// sqrt(D) * normalized_std: 1 when the directions fill the sphere.
[[nodiscard]] inline double relative_std(const Report& report) {
  return report.variance.normalized_std * std::sqrt(static_cast<double>(report.dims));
}

/// What the verdict rests on, in a few words.
[[nodiscard]] inline std::string certainty(const Glyphs& glyphs, const Report& report, std::size_t room) {
  const std::vector<Finding>& findings = report.diagnosis.findings;
  const auto own =
      std::find_if(findings.begin(), findings.end(), [](const Finding& finding) { return finding.decisive; });
  if (report.diagnosis.verdict == Verdict::undetermined) {
    if (findings.empty()) return "too little to judge by";
    const Finding& reason = own != findings.end() ? *own : findings.front();
    std::string words = glyphs.ascii ? to_ascii(reason.explanation) : reason.explanation;
    const bool one_line = std::none_of(words.begin(), words.end(), is_control);
    if (one_line && !words.empty() && columns(words) <= room) return words;
    return "reason below";
  }
  if (own != findings.end()) return "severity " + brief(own->severity);
  if (findings.empty()) return "no findings";
  return counted(static_cast<Index>(findings.size()), "finding", "findings");
}

inline void put_verdict(std::string& out, const Glyphs& glyphs, const Report& report) {
  std::string words = spaced(to_string(report.diagnosis.verdict));
  std::transform(words.begin(), words.end(), words.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const std::string mark = fmt::format(" {} ", glyphs.separator);
  words += mark;
  words += counted(report.samples, "sample", "samples");
  words += fmt::format(" {} ", glyphs.times);
  words += counted(report.dims, "dim", "dims");
  if (const std::string_view scalar = scalar_name(report.input_epsilon); !scalar.empty()) {
    words += mark;
    words += scalar;
  }
  words += mark;
  const std::size_t used = columns(words);
  words += certainty(glyphs, report, used < page_width ? page_width - used : 0);
  out.append(words).push_back('\n');
  put_line(out, "");
  const auto headline = [&out](std::string_view label, double value, const std::string& reading) {
    put_line(out, pad_right(fmt::format("  {}", label), 16) + pad_left(number(value), 12) + "   " + reading);
  };
  const auto or_undefined = [](double value, const std::string& reading) {
    return std::isnan(value) ? std::string("undefined") : reading;
  };
  const double share = report.spectrum.effective_rank_vs_expected;
  headline("effective rank", report.spectrum.effective_rank,
           or_undefined(report.spectrum.effective_rank,
                        fmt::format("of {}", integer(largest_rank(report))) +
                            (std::isnan(share) ? std::string()
                                               : fmt::format("; {} of expected (healthy near 1)", number(share)))));
  headline("mean cosine", report.cosine.mean,
           or_undefined(report.cosine.mean, fmt::format("{} {}; 0 is orthogonal, 1 all alike", glyphs.plus_minus,
                                                        number(report.cosine.std))));
  headline("dispersion", report.variance.dispersion,
           or_undefined(report.variance.dispersion, "0 is complete collapse, 1 centred at the origin"));
}

inline void put_findings(std::string& out, const Glyphs& glyphs, const Report& report) {
  const auto plain = [&glyphs](const std::string& words) { return glyphs.ascii ? to_ascii(words) : words; };
  if (report.diagnosis.findings.empty()) return;
  put_line(out, "");
  put_line(out, title(glyphs, "findings", page_width, "severity 0 to 1, gravest first"));
  bool first = true;
  for (const Finding& finding : report.diagnosis.findings) {
    if (!first) put_line(out, "");
    first = false;
    const std::string kind = spaced(plain(finding.kind));
    const bool in_range = finding.severity >= 0.0 && finding.severity <= 1.0;
    const std::string severity = in_range ? fmt::format("{:.2f}", finding.severity) : std::string("-");
    const std::string margin = fmt::format("  {}  ", pad_left(severity, 4));
    std::string evidence;
    if (!finding.metric.empty()) {
      evidence = plain(finding.metric);
      evidence += std::isnan(finding.value) ? std::string(" is undefined") : " = " + brief(finding.value);
      if (!std::isnan(finding.threshold)) evidence += fmt::format(", threshold {}", brief(finding.threshold));
    }
    // Kind and evidence share a line when they fit.
    const std::string indent(columns(margin), ' ');
    if (evidence.empty() || columns(margin) + columns(kind) + 2 + columns(evidence) > page_width) {
      wrap(out, margin, kind);
      if (!evidence.empty()) wrap(out, indent, evidence);
    } else {
      wrap(out, margin, fmt::format("{}: {}", kind, evidence));
    }
    if (!finding.explanation.empty()) wrap(out, indent, plain(finding.explanation));
    if (!finding.origin.empty()) wrap(out, indent, "threshold: " + plain(finding.origin));
    if (!finding.remedy.empty()) wrap(out, fmt::format("{}{} ", indent, glyphs.arrow), plain(finding.remedy));
  }
}

inline void put_rows_and_dimensions(std::string& out, const Glyphs& glyphs, const Report& report) {
  constexpr std::size_t width = 38;
  constexpr std::size_t gap = page_width - 2 * width;
  const Norms& norms = report.norms;
  const Variance& variance = report.variance;
  const Decorrelation& decorrelation = report.decorrelation;
  std::string pair = "-";
  if (decorrelation.max_pair) {
    pair = fmt::format("{}, {}", integer((*decorrelation.max_pair)[0]), integer((*decorrelation.max_pair)[1]));
  }

  const std::string healthy_std = fmt::format("  {} sqrt(D), healthy 1", glyphs.times);
  put_side_by_side(out,
                   panel(glyphs, "norms of the rows",
                         {{"mean", number(norms.mean)},
                          {"std", number(norms.std)},
                          {"min", number(norms.min)},
                          {"max", number(norms.max)},
                          {"zero rows", integer(norms.zero_rows)},
                          {"skipped rows", integer(norms.skipped_rows)}},
                         width),
                   panel(glyphs, "decorrelation",
                         {{"covariance penalty", number(decorrelation.covariance_penalty)},
                          {"mean abs correlation", number(decorrelation.mean_abs_correlation)},
                          {"rms correlation", number(decorrelation.rms_correlation)},
                          {"max abs correlation", number(decorrelation.max_abs_correlation)},
                          {"max pair", std::move(pair)},
                          {"redundancy", number(decorrelation.redundancy)}},
                         width),
                   width, gap);
  put_line(out, "");
  put_side_by_side(out,
                   panel(glyphs, "variance of the dims",
                         {{"min", number(variance.min)},
                          {"median", number(variance.median)},
                          {"mean", number(variance.mean)},
                          {"max", number(variance.max)},
                          {"total", number(variance.total)},
                          {"hinge", number(variance.hinge)}},
                         width),
                   panel(glyphs, "spread",
                         {{"dispersion", number(variance.dispersion)},
                          {"normalized std", number(variance.normalized_std)},
                          {healthy_std, number(relative_std(report))},
                          {"dead dimensions", integer(variance.dead_dimensions)},
                          {"low dimensions", integer(variance.low_dimensions)}},
                         width),
                   width, gap);
}

inline void put_spectra(std::string& out, const Glyphs& glyphs, const Report& report) {
  const Spectrum& centred = report.spectrum;
  const Spectrum& raw = report.spectrum_uncentered;
  constexpr std::size_t label_width = 24;
  constexpr std::size_t column_width = 12;
  const auto row = [&](std::string_view label, std::string_view left, std::string_view right, std::string_view note) {
    put_line(out, pad_right(fmt::format("  {}", label), label_width) + pad_left(left, column_width) +
                      pad_left(right, column_width) + "   " + std::string(note));
  };
  const auto numbers = [&](std::string_view label, double Spectrum::*field, std::string_view note) {
    row(label, number(centred.*field), number(raw.*field), note);
  };
  const auto counts = [&](std::string_view label, Index Spectrum::*field, std::string_view note) {
    row(label, integer(centred.*field), integer(raw.*field), note);
  };
  const auto ranks = [&](std::string_view label, std::optional<Index> Spectrum::*field, std::string_view note) {
    row(label, integer(centred.*field), integer(raw.*field), note);
  };

  std::string heading = title(glyphs, "spectrum", label_width + column_width, "centred");
  heading += title(glyphs, "", column_width, "uncentred");
  heading += title(glyphs, "", page_width - columns(heading));
  put_line(out, heading);

  numbers("effective rank", &Spectrum::effective_rank, "uncentred: RankMe");
  numbers("  / largest possible", &Spectrum::effective_rank_ratio, "0 to 1, falls with small N");
  numbers("  expected", &Spectrum::expected_effective_rank, "isotropic sample, this N, D");
  numbers("  / expected", &Spectrum::effective_rank_vs_expected, "healthy near 1");
  numbers("entropy rank", &Spectrum::entropy_rank, "of the eigenvalues sigma^2");
  numbers("participation ratio", &Spectrum::participation_ratio, "");
  numbers("stable rank", &Spectrum::stable_rank, "total over largest");
  counts("numerical rank", &Spectrum::numerical_rank, "above the noise floor");
  counts("below noise floor", &Spectrum::below_noise_floor, "count as zero");
  numbers("noise floor", &Spectrum::noise_floor, "");
  numbers("condition number", &Spectrum::condition_number, "");
  numbers("top 1 share", &Spectrum::top1_share, "of the total variance");
  numbers("top 10 share", &Spectrum::top10_share, "");
  ranks("rank 90 %", &Spectrum::rank_90, "components for this share");
  ranks("rank 95 %", &Spectrum::rank_95, "");
  ranks("rank 99 %", &Spectrum::rank_99, "");
  numbers("alpha", &Spectrum::alpha, "eigenvalues ~ rank^-alpha");
  numbers("  r2 of the fit", &Spectrum::alpha_r2, "");
  row("method", to_string(centred.method), to_string(raw.method), "");

  const double top = std::max(largest(centred.singular_values), largest(raw.singular_values));
  // At least three decades, so that the gentle slope of healthy embeddings looks gentle.
  const double decades =
      std::max(3.0, std::ceil(std::max(decades_below(top, centred), decades_below(top, raw)) - 1e-9));
  put_line(out, "");
  if (!(top > 0.0)) {
    put_line(out, title(glyphs, "singular values", page_width, "all zero"));
    return;
  }
  put_line(out, title(glyphs, "singular values, log10", page_width,
                      fmt::format("{} = {}   {} = {} decades less   {} = below noise", glyphs.bars.back(), brief(top),
                                  glyphs.bars.front(), static_cast<int>(decades), glyphs.below_floor)));
  constexpr std::size_t margin = 13;
  put_line(out, pad_right("  centred", margin) + spectrum_bars(glyphs, centred, top, decades));
  put_line(out, pad_right("  uncentred", margin) + spectrum_bars(glyphs, raw, top, decades));
  const Index size = std::max(centred.singular_values.size(), raw.singular_values.size());
  const std::size_t shown = static_cast<std::size_t>(std::min(size, static_cast<Index>(chart_width)));
  // Below eight columns the two ends would run together.
  const std::string ends = shown < 2   ? std::string("1")
                           : shown < 8 ? fmt::format("1 to {}", size)
                                       : "1" + pad_left(fmt::format("{}", size), shown - 1);
  put_line(out, pad_right("  rank", margin) + ends);
}

inline void put_cosines(std::string& out, const Glyphs& glyphs, const Report& report) {
  const Cosine& cosine = report.cosine;
  const std::string pairs = cosine.pairs == 0 ? std::string("no pairs of non-zero rows")
                            : cosine.exact    ? fmt::format("all {}", counted(cosine.pairs, "pair", "pairs"))
                                              : fmt::format("{} of {}", counted(cosine.pairs, "pair", "pairs"),
                                                            counted(cosine.sampled_rows, "sampled row", "sampled rows"));
  put_line(out, title(glyphs, "pairwise cosines", page_width, pairs));

  const bool any = std::any_of(cosine.histogram.begin(), cosine.histogram.end(), [](auto count) { return count > 0; });
  if (any) {
    constexpr std::size_t margin = 8;
    const std::string indent(margin, ' ');
    put_line(out, indent + histogram_bars(glyphs, cosine.histogram));
    put_line(out, indent + cosine_axis(glyphs, cosine));
    put_line(out,
             std::string(margin - 1, ' ') + "-1" + pad_left("0", chart_width / 2) + pad_left("1", chart_width / 2 - 1));
  }
  const std::string legend = any ? fmt::format("        {}{}{}{}{} p05, mean, p95", glyphs.range_left, glyphs.range,
                                               glyphs.range_mean, glyphs.range, glyphs.range_right)
                                 : std::string();
  const std::string moments = fmt::format("mean {}   std {}", number(cosine.mean), number(cosine.std));
  put_line(out, legend + pad_left(moments, page_width - columns(legend)));
  constexpr std::size_t width = 8;
  std::string head = pad_right("", width), values = pad_right("", width), errors = pad_right("  s.e.", width);
  const auto cell = [&](std::string_view name, double value, double error, bool has_error) {
    head += pad_left(name, width);
    values += pad_left(cosine_number(value), width);
    errors += pad_left(has_error ? cosine_number(error) : std::string(), width);
  };
  const CosineQuantiles& error = cosine.standard_error;
  cell("min", cosine.min, 0, false);
  cell("p01", cosine.p01, error.p01, true);
  cell("p05", cosine.p05, error.p05, true);
  cell("p25", cosine.p25, error.p25, true);
  cell("p50", cosine.p50, error.p50, true);
  cell("p75", cosine.p75, error.p75, true);
  cell("p95", cosine.p95, error.p95, true);
  cell("p99", cosine.p99, error.p99, true);
  cell("max", cosine.max, 0, false);
  put_line(out, head);
  put_line(out, values);
  if (!cosine.exact && cosine.pairs > 0) put_line(out, errors);
}

inline void put_confidence(std::string& out, const Glyphs& glyphs, const Report& report) {
  const Confidence& confidence = report.confidence;
  put_line(out,
           title(glyphs, "standard errors", page_width,
                 fmt::format("{} left out in turn", counted(confidence.resamples, "group of rows", "groups of rows"))));
  constexpr std::size_t label_width = 42;
  constexpr std::size_t column_width = 12;
  const auto row = [&out](std::string_view label, std::string_view error, std::string_view low, std::string_view high) {
    put_line(out, pad_right(fmt::format("  {}", label), label_width) + pad_left(error, column_width) +
                      pad_left(low, column_width) + pad_left(high, column_width));
  };
  row("", "s.e.", fmt::format("{} %", brief(100.0 * confidence.level)), "interval");
  for (const Estimate& estimate : confidence.estimates) {
    std::string_view label = estimate.metric;
    if (label.starts_with("spectrum_uncentered.")) label.remove_prefix(std::string_view("spectrum_").size());
    row(label, number(estimate.standard_error), number(estimate.low), number(estimate.high));
  }
}

/// The whole report, without a newline at its end.
[[nodiscard]] inline std::string full(const Report& report, const Glyphs& glyphs) {
  std::string out;
  put_verdict(out, glyphs, report);
  put_findings(out, glyphs, report);
  put_line(out, "");
  put_spectra(out, glyphs, report);
  put_line(out, "");
  put_cosines(out, glyphs, report);
  put_line(out, "");
  put_rows_and_dimensions(out, glyphs, report);
  if (report.confidence.resamples > 0) {
    put_line(out, "");
    put_confidence(out, glyphs, report);
  }
  out.pop_back();
  return out;
}

/// One line: `collapse <verdict> N= D= erank= expected= rankme= cos= cos_std= disp= nstd= dead= findings=`.
[[nodiscard]] inline std::string summary(const Report& report) {
  return fmt::format(
      "collapse {} N={} D={} erank={} vs_expected={} rankme={} cos={} cos_std={} disp={} nstd={} dead={} findings={}",
      to_string(report.diagnosis.verdict), report.samples, report.dims, brief(report.spectrum.effective_rank),
      brief(report.spectrum.effective_rank_vs_expected), brief(report.spectrum_uncentered.effective_rank),
      brief(report.cosine.mean), brief(report.cosine.std), brief(report.variance.dispersion),
      brief(relative_std(report)), report.variance.dead_dimensions, report.diagnosis.findings.size());
}

/// Of a line of a table: label, value, remark.
inline void put_number(std::string& out, std::string_view label, std::string_view value, std::string_view remark = {}) {
  put_line(out, pad_right(fmt::format("  {}", label), 28) + pad_left(value, 12) + "   " + std::string(remark));
}

/// Why a number is undefined.
inline void put_reason(std::string& out, const Glyphs& glyphs, std::string_view metric, std::string_view reason) {
  const std::string words = fmt::format("{} is undefined: {}", metric, reason);
  wrap(out, "  ", glyphs.ascii ? to_ascii(words) : words);
}

/// Isotropy and diversity, without a newline at the end.
[[nodiscard]] inline std::string page(const Isotropy& block, const Glyphs& glyphs) {
  std::string out;
  const std::string pairs = block.exact ? "all pairs"
                                        : fmt::format("{} of {}", counted(block.pairs, "pair", "pairs"),
                                                      counted(block.sampled_rows, "sampled row", "sampled rows"));
  put_line(out, title(glyphs, "isotropy", page_width, block.pairs == 0 ? "no pairs of non-zero rows" : pairs));
  put_number(out, "uniformity", number(block.uniformity),
             block.exact
                 ? "0 is collapse, down to -4 spread out"
                 : fmt::format("{} {}; 0 is collapse", glyphs.plus_minus, number(block.uniformity_standard_error)));
  put_number(out, "isoscore", number(block.isoscore), "0 one line, 1 alike in all directions");
  put_number(out, "vendi score", number(block.vendi_score), "how many rows differ, as it were");
  put_number(out, "  order 2", number(block.vendi_score_2));
  put_number(out, "  order infinity", number(block.vendi_score_inf));
  put_number(out, "  / largest possible", number(block.vendi_ratio), "0 to 1");
  put_number(out, "self cluster", number(block.self_cluster), "0 uniform, 1 one point");
  put_number(out, "coherence", number(block.coherence), "healthy near 1, high if few rows rule");
  put_number(out, "partition isotropy", number(block.partition_isotropy), "1 the same seen from all sides");
  if (block.partition_isotropy == 0.0) put_number(out, "  ln", number(block.log_partition_isotropy));
  out.pop_back();
  return out;
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

template <>
struct fmt::formatter<collapse::Isotropy> : collapse::text::PageFormatter<collapse::Isotropy> {};

template <>
struct fmt::formatter<collapse::Report> {
  template <class ParseContext>
  constexpr auto parse(ParseContext& context) -> decltype(context.begin()) {
    auto it = context.begin();
    if (it != context.end() && (*it == 's' || *it == 'a')) style_ = *it++;
    if (it != context.end() && *it != '}') {
      throw fmt::format_error("a collapse::Report formats as {} (full), {:a} (full, ASCII) or {:s} (one line)");
    }
    return it;
  }

  template <class Context>
  auto format(const collapse::Report& report, Context& context) const -> decltype(context.out()) {
    namespace text = collapse::text;
    const std::string rendered = style_ == 's'
                                     ? text::summary(report)
                                     : text::full(report, style_ == 'a' ? text::ascii_glyphs : text::utf8_glyphs);
    return std::copy(rendered.begin(), rendered.end(), context.out());
  }

 private:
  char style_ = '\0';
};

template <>
struct fmt::formatter<collapse::Verdict> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(collapse::Verdict verdict, Context& context) const -> decltype(context.out()) {
    return fmt::formatter<fmt::string_view>::format(collapse::to_string(verdict), context);
  }
};

template <>
struct fmt::formatter<collapse::SpectrumMethod> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(collapse::SpectrumMethod method, Context& context) const -> decltype(context.out()) {
    return fmt::formatter<fmt::string_view>::format(collapse::to_string(method), context);
  }
};
