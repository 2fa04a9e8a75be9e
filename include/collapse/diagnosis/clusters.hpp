#pragma once

#include <collapse/diagnosis/findings.hpp>
#include <collapse/diagnosis/noise.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace collapse::diagnosis {

/// Rows on few points: pairs within a cluster point the same way, and a gap parts them from the others. Rows on a line
/// also come in two directions, with lengths of every size.
///
/// A good encoder of classes looks the same. It is told from a collapse where the rows about their points still have a
/// shape, and where points are many: then the finding gives both readings, and labels decide.
COLLAPSE_COLD inline void clusters(const Evidence& evidence) {
  const Report& report = evidence.report;
  const Cosine& cosine = report.cosine;
  const double least = evidence.thresholds.cluster_pairs;
  if (report.dims < 2 || cosine.pairs < 1 || !(report.norms.std <= 0.5 * report.norms.mean)) return;
  // Pairs of a small sample share their rows: a share of them tells little of all.
  if (!cosine.exact && cosine.sampled_rows > 0 && cosine.sampled_rows < 64) return;
  // Rows that repeat others bit for bit point the same way, and that is told of them.
  if (report.variance.duplicate_rows > 0.5) return;
  for (const Finding& finding : evidence.findings) {
    if (finding.kind == FindingKind::cluster_collapse) return;
  }
  constexpr std::size_t gap = 52;   // cosines from 0.625
  constexpr std::size_t same = 60;  // ... and from 0.875
  const auto& histogram = cosine.histogram;
  const auto from = [&histogram](std::size_t bin) { return histogram.begin() + static_cast<std::ptrdiff_t>(bin); };
  const auto together = std::accumulate(from(same), histogram.end(), std::int64_t{0});
  const auto between = std::accumulate(from(gap), from(same), std::int64_t{0});
  const double share = static_cast<double>(together) / static_cast<double>(cosine.pairs);
  // Most rows around one point, and the others apart from it: pairs are alike or unlike, and nothing lies between.
  const double unlike = 1.0 - static_cast<double>(together + between) / static_cast<double>(cosine.pairs);
  if (share > 0.6 && together >= 5 * between && unlike >= 0.015 &&
      unlike * static_cast<double>(cosine.pairs) >= 5.0 * static_cast<double>(between)) {
    const double rows = std::sqrt(share);
    evidence.add(
        FindingKind::partial_collapse, graded(rows, 0.75, 1.0, 0.8, 0.95),
        metric_path<&Report::cosine, &Cosine::histogram>, share, 0.6,
        fmt::format("about {:.3g} % of the rows, {}, point the same way and the others elsewhere, with nothing "
                    "between: they lie around one point",
                    100.0 * rows, std::lround(rows * static_cast<double>(report.samples))),
        "look at these inputs first (padding, empty or repeated ones), then for what maps them together",
        threshold_origin<&Thresholds::partial_share>(" is the least of the others"));
    return;
  }
  // Above a half there is one main direction: that is a cone with outliers.
  if (!(share >= least && share <= 0.6) || together < 5 * between) return;
  const double points = 1.0 / share;
  const bool collapsed =
      points <= evidence.thresholds.cluster_points &&
      is_noise_beyond(report, static_cast<Index>(std::lround(points)) - 1, evidence.thresholds.isotropic_ratio);
  const MetricPath metric = metric_path<&Report::cosine, &Cosine::histogram>;
  if (collapsed) {
    evidence.add(FindingKind::cluster_collapse, graded(share, least, 0.6, 0.91, 0.95), metric, share, least,
                 fmt::format("{:.3g} % of the pairs point the same way and few come near: the rows sit on about {:.3g} "
                             "points, and about these they are noise",
                             100.0 * share, points),
                 "push samples of one cluster apart: more or harder negatives (SimCLR, MoCo), a larger batch, a "
                 "uniformity term; for a generator, a minibatch statistic",
                 threshold_origin<&Thresholds::cluster_pairs>(
                     "; random directions have no such pairs from a few dimensions on"));
    return;
  }
  evidence.add(
      FindingKind::cluster_collapse, 0.3, metric, share, least,
      fmt::format("{:.3g} % of the pairs point the same way and few come near: the rows sit on about {:.3g} "
                  "points. If these are your classes or identities, that is a good encoder; if not, samples "
                  "of one point have been lost to each other",
                  100.0 * share, points),
      "pass the labels (with them it is decided), or compare the points with what they should stand for",
      threshold_origin<&Thresholds::cluster_pairs>("; random directions have no such pairs from a few dimensions on"));
}

}  // namespace collapse::diagnosis
