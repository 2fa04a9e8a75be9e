#pragma once

#include <collapse/report/field.hpp>
#include <collapse/report/path.hpp>
#include <collapse/report/undefined.hpp>

#include <vector>

namespace collapse {

/// How far a number may be from that of other rows of the same source.
struct Estimate {
  MetricPath metric;                  ///< e.g. spectrum.effective_rank
  double value = undefined;           ///< as in the report
  double standard_error = undefined;  ///< of what as many rows of the same source would give
  double low = undefined;             ///< interval for the expectation over such samples
  double high = undefined;

  /// Without the path: that is the key in JSON.
  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("value", &Estimate::value, {.tells = "the number, as in the report"}));
    visit(field("standard_error", &Estimate::standard_error,
                {.tells = "its standard error, from leaving out groups of rows in turn",
                 .range = ">= 0",
                 .source = "Shao & Wu 1989",
                 .formula = "streams/jackknife.hpp"}));
    visit(field("low", &Estimate::low,
                {.tells = "lower end of the interval for its expectation", .formula = "streams/jackknife.hpp"}));
    visit(field("high", &Estimate::high,
                {.tells = "upper end of the interval for its expectation", .formula = "streams/jackknife.hpp"}));
  }
};

/// Standard errors and intervals of a report's numbers; `resamples` is 0 when they were not asked for.
struct Confidence {
  Index resamples = 0;       ///< groups of rows that were left out in turn
  double level = undefined;  ///< of the intervals
  std::vector<Estimate> estimates;

  template <class Visit>
  static constexpr void fields(Visit&& visit) {
    visit(field("resamples", &Confidence::resamples, {.tells = "groups of rows that were left out in turn"}));
    visit(field("level", &Confidence::level, {.tells = "probability of the intervals", .range = "(0, 1)"}));
    visit(field("estimates", &Confidence::estimates,
                {.tells = "standard errors and intervals, by path",
                 .cost = "one report for each group",
                 .source = "Shao & Wu 1989",
                 .formula = "streams/jackknife.hpp"}));
  }
};

}  // namespace collapse
