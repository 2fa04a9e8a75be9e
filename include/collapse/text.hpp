#pragma once

#include <collapse/compiled.hpp>
#include <collapse/report.hpp>
#ifndef COLLAPSE_COMPILED
#include <collapse/text/report.hpp>
#endif

#include <fmt/format.h>

#include <algorithm>
#include <string>

/// Reports as text, through {fmt}:
///
///     fmt::print("{}\n", report);    // the whole report, 80 columns of UTF-8: verdict, findings, numbers, charts
///     fmt::print("{:a}\n", report);  // the same in ASCII, for logs and terminals without UTF-8
///     fmt::print("{:s}\n", report);  // one line of stable key=value fields, for training logs
///
/// An undefined number prints as `-`. Any other specification is an error, at compile time where {fmt} checks there.
/// A Verdict, a FindingKind, a SpectrumMethod and a MetricPath print as their names and take the specifications of a
/// string (`{:>20}`).
namespace collapse::text {

/// A report as text: `style` is 's' for one line, 'a' for ASCII.
#ifdef COLLAPSE_COMPILED
[[nodiscard]] std::string page_of(const Report& report, char style);
#else
[[nodiscard]] inline std::string page_of(const Report& report, char style) { return make_page(report, style); }
#endif

}  // namespace collapse::text

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
    const std::string rendered = collapse::text::page_of(report, style_);
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

template <>
struct fmt::formatter<collapse::FindingKind> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(collapse::FindingKind kind, Context& context) const -> decltype(context.out()) {
    return fmt::formatter<fmt::string_view>::format(collapse::to_string(kind), context);
  }
};

template <>
struct fmt::formatter<collapse::MetricPath> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const collapse::MetricPath& metric, Context& context) const -> decltype(context.out()) {
    return fmt::formatter<fmt::string_view>::format(metric.view(), context);
  }
};
