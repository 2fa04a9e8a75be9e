#pragma once

#include <collapse/compiled.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

namespace collapse {

/// Reads a report and says whether the embeddings have lost the differences between their inputs, in which way, how
/// badly, and what usually cures it.
///
/// - Partial collapse: a tenth of the rows or more on one point. Rows on few points are a cluster collapse.
/// - Complete collapse: dispersion near 0, or rows near a point that all point the same way or are noise about it, or no
///   singular value above the noise floor.
/// - Cluster collapse: pairs that point the same way, apart from all others, and noise about these points.
/// - Dimensional collapse: one direction, or few behind which the spectrum ends, or one factor that all dimensions
///   follow, with noise beside it. Not a small share of D: a wide encoder has lost nothing by being wide.
///
/// A common direction (a cone), dominant dimensions, columns of unequal scale, outlier rows, repeated rows and dead
/// dimensions are findings that lead to no verdict, and no verdict rests on what they alone make. The verdict is the
/// gravest finding of severity 0.5 or more, which is marked. Undetermined where the rows are too few, and where they sit
/// on points that may be classes.
/// @param report      its numbers; its own diagnosis is not read
/// @param thresholds  where each finding begins
/// @return verdict and findings, gravest first
/// @throws OptionError for a threshold out of its range
/// Cost: O(D).
/// Source: Jing, Vincent, LeCun & Tian, Understanding dimensional collapse in contrastive self-supervised learning,
/// 2022 (complete against dimensional); Ethayarajh, How contextual are contextualized word representations?, 2019
/// (anisotropy).
[[nodiscard]] COLLAPSE_INLINE Diagnosis diagnose(const Report& report, const Thresholds& thresholds = {});

}  // namespace collapse

#ifndef COLLAPSE_COMPILED
#include <collapse/diagnosis/rules.hpp>
#endif
