#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/compiled.hpp>
#include <collapse/report.hpp>

#include <span>

namespace collapse {

/// The report on what several accumulators have seen together, with standard errors of its numbers from leaving out one
/// accumulator in turn: for rows that come in a stream, what Options::resamples is for a matrix.
///
/// @param parts  at least two, of equally many rows as far as possible: a difference in size counts as spread. Rows of
///               a part may depend on each other; parts should not
/// @param level  of the intervals, in (0, 1)
/// @return the report of all merged, `confidence` filled in
/// @throws Error with fewer than two parts; OptionError; whatever `Accumulator::merge` and `report` throw
/// Cost: that of parts.size() + 1 reports and parts.size() log2 parts.size() merges; the memory of log2 parts.size()
///       accumulators.
[[nodiscard]] COLLAPSE_INLINE Report jackknife_report(std::span<const Accumulator> parts, double level = 0.95);

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/streams/jackknife_report.hpp>
#endif
