#pragma once

#include <collapse/report.hpp>
#include <collapse/text/page.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The page of a report, and its one line.
namespace collapse::text {

/// Largest of the positive, finite values; 0 when there is none.
[[nodiscard]] COLLAPSE_COLD inline double largest(const Eigen::VectorXd& values) {
  double top = 0.0;
  for (Index k = 0; k < values.size(); ++k) {
    if (std::isfinite(values[k])) top = std::max(top, values[k]);
  }
  return top;
}

[[nodiscard]] COLLAPSE_COLD inline bool above_floor(double value, double floor) {
  return std::isfinite(value) && value > 0.0 && !(value <= floor);
}

/// Decades from the largest singular value down to the smallest above the noise floor; 0 when there is none.
[[nodiscard]] COLLAPSE_COLD inline double decades_below(double top, const Spectrum& spectrum) {
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
[[nodiscard]] COLLAPSE_COLD inline std::string spectrum_bars(const Glyphs& glyphs, const Spectrum& spectrum, double top,
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
[[nodiscard]] COLLAPSE_COLD inline std::string histogram_bars(const Glyphs& glyphs, const std::array<std::int64_t, 64>& histogram) {
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
[[nodiscard]] COLLAPSE_COLD inline std::string cosine_axis(const Glyphs& glyphs, const Cosine& cosine) {
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
[[nodiscard]] COLLAPSE_COLD inline std::string_view scalar_name(double epsilon) {
  if (epsilon == 0x1p-52) return "float64";
  if (epsilon == 0x1p-23) return "float32";
  if (epsilon == 0x1p-10) return "float16";
  if (epsilon == 0x1p-7 || epsilon == 0x1p-8) return "bfloat16";
  return {};
}

/// Largest rank that the centred rows can have.
[[nodiscard]] COLLAPSE_COLD inline Index largest_rank(const Report& report) {
  return std::max<Index>(0, std::min(report.samples - 1, report.dims));
}

/// sqrt(D) * normalized_std: 1 when the directions fill the sphere.
[[nodiscard]] COLLAPSE_COLD inline double relative_std(const Report& report) {
  return report.variance.normalized_std * std::sqrt(static_cast<double>(report.dims));
}

/// What the verdict rests on, in a few words.
[[nodiscard]] COLLAPSE_COLD inline std::string certainty(const Glyphs& glyphs, const Report& report, std::size_t room) {
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

COLLAPSE_COLD inline void put_verdict(std::string& out, const Glyphs& glyphs, const Report& report) {
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

COLLAPSE_COLD inline void put_findings(std::string& out, const Glyphs& glyphs, const std::vector<Finding>& findings) {
  const auto plain = [&glyphs](const std::string& words) { return glyphs.ascii ? to_ascii(words) : words; };
  if (findings.empty()) return;
  put_line(out, "");
  put_line(out, title(glyphs, "findings", page_width, "severity 0 to 1, gravest first"));
  bool first = true;
  for (const Finding& finding : findings) {
    if (!first) put_line(out, "");
    first = false;
    const std::string kind = spaced(to_string(finding.kind));
    const bool in_range = finding.severity >= 0.0 && finding.severity <= 1.0;
    const std::string severity = in_range ? fmt::format("{:.2f}", finding.severity) : std::string("-");
    const std::string margin = fmt::format("  {}  ", pad_left(severity, 4));
    std::string evidence;
    if (!finding.metric.empty()) {
      evidence = finding.metric.view();
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

COLLAPSE_COLD inline void put_rows_and_dimensions(std::string& out, const Glyphs& glyphs, const Report& report) {
  constexpr std::size_t width = 38;
  constexpr std::size_t gap = page_width - 2 * width;
  put_side_by_side(out, panel(glyphs, "norms of the rows", rows_of(report.norms), width),
                   panel(glyphs, "decorrelation", rows_of(report.decorrelation), width), width, gap);
  put_line(out, "");
  // First what is in squared units of the input, then what is free of units.
  std::vector<Row> variances = rows_of(report.variance);
  const auto named = [](const char* name) { return [name](const Row& row) { return row.name == name; }; };
  const auto middle = std::find_if(variances.begin(), variances.end(), named(member_name<&Variance::dead_dimensions>));
  std::vector<Row> spread(middle, variances.end());
  variances.erase(middle, variances.end());
  const std::string healthy_std = fmt::format("  {} sqrt(D), healthy 1", glyphs.times);
  const auto deviation = std::find_if(spread.begin(), spread.end(), named(member_name<&Variance::normalized_std>));
  spread.insert(deviation + (deviation != spread.end() ? 1 : 0), {healthy_std, number(relative_std(report))});
  put_side_by_side(out, panel(glyphs, "variance of the dims", variances, width), panel(glyphs, "spread", spread, width),
                   width, gap);
}

COLLAPSE_COLD inline void put_spectra(std::string& out, const Glyphs& glyphs, const Report& report) {
  const Spectrum& centred = report.spectrum;
  const Spectrum& raw = report.spectrum_uncentered;
  constexpr std::size_t label_width = 24;
  constexpr std::size_t column_width = 12;
  const auto row = [&](std::string_view label, std::string_view left, std::string_view right, std::string_view note) {
    put_line(out, pad_right(fmt::format("  {}", label), label_width) + pad_left(left, column_width) +
                      pad_left(right, column_width) + "   " + std::string(note));
  };
  std::string heading = title(glyphs, "spectrum", label_width + column_width, "centred");
  heading += title(glyphs, "", column_width, "uncentred");
  heading += title(glyphs, "", page_width - columns(heading));
  put_line(out, heading);
  for_each_shown<Spectrum>([&](const auto& field) {
    row(field.info.label, shown(centred.*field.member), shown(raw.*field.member), field.info.remark);
  });

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

COLLAPSE_COLD inline void put_cosines(std::string& out, const Glyphs& glyphs, const Report& report) {
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

COLLAPSE_COLD inline void put_confidence(std::string& out, const Glyphs& glyphs, const Report& report) {
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
[[nodiscard]] COLLAPSE_COLD inline std::string full(const Report& report, const Glyphs& glyphs) {
  std::string out;
  put_verdict(out, glyphs, report);
  put_findings(out, glyphs, report.diagnosis.findings);
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
[[nodiscard]] COLLAPSE_COLD inline std::string summary(const Report& report) {
  return fmt::format(
      "collapse {} N={} D={} erank={} vs_expected={} rankme={} cos={} cos_std={} disp={} nstd={} dead={} findings={}",
      to_string(report.diagnosis.verdict), report.samples, report.dims, brief(report.spectrum.effective_rank),
      brief(report.spectrum.effective_rank_vs_expected), brief(report.spectrum_uncentered.effective_rank),
      brief(report.cosine.mean), brief(report.cosine.std), brief(report.variance.dispersion),
      brief(relative_std(report)), report.variance.dead_dimensions, report.diagnosis.findings.size());
}

/// As `style` asks for: 's' is one line, 'a' a page in ASCII, anything else a page in UTF-8.
[[nodiscard]] COLLAPSE_COLD inline std::string make_page(const Report& report, char style) {
  return style == 's' ? summary(report) : full(report, style == 'a' ? ascii_glyphs : utf8_glyphs);
}

}  // namespace collapse::text
