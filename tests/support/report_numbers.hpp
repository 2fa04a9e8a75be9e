#pragma once

#include <collapse/report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace collapse::reference {

/// Every number of a report, by name, in a fixed order.
using Numbers = std::vector<std::pair<std::string, double>>;

inline void add(Numbers& to, const std::string& name, double value) { to.emplace_back(name, value); }

inline void add_quantiles(Numbers& to, const std::string& name, const CosineQuantiles& q) {
  add(to, name + "p01", q.p01);
  add(to, name + "p05", q.p05);
  add(to, name + "p25", q.p25);
  add(to, name + "p50", q.p50);
  add(to, name + "p75", q.p75);
  add(to, name + "p95", q.p95);
  add(to, name + "p99", q.p99);
}

inline void add_spectrum(Numbers& to, const std::string& name, const Spectrum& s) {
  add(to, name + "size", static_cast<double>(s.singular_values.size()));
  for (const double value : s.singular_values) add(to, name + "singular_values", value);
  add(to, name + "noise_floor", s.noise_floor);
  add(to, name + "below_noise_floor", static_cast<double>(s.below_noise_floor));
  add(to, name + "effective_rank", s.effective_rank);
  add(to, name + "effective_rank_ratio", s.effective_rank_ratio);
  add(to, name + "entropy_rank", s.entropy_rank);
  add(to, name + "participation_ratio", s.participation_ratio);
  add(to, name + "stable_rank", s.stable_rank);
  add(to, name + "numerical_rank", static_cast<double>(s.numerical_rank));
  add(to, name + "condition_number", s.condition_number);
  add(to, name + "top1_share", s.top1_share);
  add(to, name + "top10_share", s.top10_share);
  add(to, name + "rank_90", static_cast<double>(s.rank_90.value_or(-1)));
  add(to, name + "rank_95", static_cast<double>(s.rank_95.value_or(-1)));
  add(to, name + "rank_99", static_cast<double>(s.rank_99.value_or(-1)));
  add(to, name + "alpha", s.alpha);
  add(to, name + "alpha_r2", s.alpha_r2);
  add(to, name + "expected_effective_rank", s.expected_effective_rank);
  add(to, name + "effective_rank_vs_expected", s.effective_rank_vs_expected);
  add(to, name + "method", static_cast<double>(s.method));
}

[[nodiscard]] inline Numbers numbers(const Report& report) {
  Numbers all;
  add(all, "samples", static_cast<double>(report.samples));
  add(all, "dims", static_cast<double>(report.dims));
  add(all, "input_epsilon", report.input_epsilon);
  add(all, "norms.mean", report.norms.mean);
  add(all, "norms.std", report.norms.std);
  add(all, "norms.min", report.norms.min);
  add(all, "norms.max", report.norms.max);
  add(all, "norms.zero_rows", static_cast<double>(report.norms.zero_rows));
  add(all, "norms.skipped_rows", static_cast<double>(report.norms.skipped_rows));
  add(all, "cosine.mean", report.cosine.mean);
  add(all, "cosine.std", report.cosine.std);
  add(all, "cosine.min", report.cosine.min);
  add(all, "cosine.max", report.cosine.max);
  add_quantiles(all, "cosine.", report.cosine);
  add_quantiles(all, "cosine.standard_error.", report.cosine.standard_error);
  for (const auto count : report.cosine.histogram) add(all, "cosine.histogram", static_cast<double>(count));
  add(all, "cosine.pairs", static_cast<double>(report.cosine.pairs));
  add(all, "cosine.sampled_rows", static_cast<double>(report.cosine.sampled_rows));
  add(all, "cosine.exact", report.cosine.exact ? 1.0 : 0.0);
  for (const double value : report.variance.per_dimension) add(all, "variance.per_dimension", value);
  add(all, "variance.min", report.variance.min);
  add(all, "variance.mean", report.variance.mean);
  add(all, "variance.max", report.variance.max);
  add(all, "variance.median", report.variance.median);
  add(all, "variance.total", report.variance.total);
  add(all, "variance.dead_dimensions", static_cast<double>(report.variance.dead_dimensions));
  add(all, "variance.low_dimensions", static_cast<double>(report.variance.low_dimensions));
  add(all, "variance.hinge", report.variance.hinge);
  add(all, "variance.normalized_std", report.variance.normalized_std);
  add(all, "variance.dispersion", report.variance.dispersion);
  add(all, "decorrelation.covariance_penalty", report.decorrelation.covariance_penalty);
  add(all, "decorrelation.mean_abs_correlation", report.decorrelation.mean_abs_correlation);
  add(all, "decorrelation.rms_correlation", report.decorrelation.rms_correlation);
  add(all, "decorrelation.max_abs_correlation", report.decorrelation.max_abs_correlation);
  const std::array<Index, 2> pair = report.decorrelation.max_pair.value_or(std::array<Index, 2>{-1, -1});
  add(all, "decorrelation.max_pair", static_cast<double>(pair[0]));
  add(all, "decorrelation.max_pair", static_cast<double>(pair[1]));
  add(all, "decorrelation.redundancy", report.decorrelation.redundancy);
  add_spectrum(all, "spectrum.", report.spectrum);
  add_spectrum(all, "spectrum_uncentered.", report.spectrum_uncentered);
  add(all, "diagnosis.verdict", static_cast<double>(report.diagnosis.verdict));
  for (const Finding& finding : report.diagnosis.findings) {
    const std::string name = "finding " + finding.kind + finding.metric + finding.explanation + finding.remedy;
    add(all, name, finding.severity);
    add(all, name, finding.value);
    add(all, name, finding.threshold);
  }
  return all;
}

/// Whether all numbers are the same; undefined ones are.
[[nodiscard]] inline bool same(const Numbers& left, const Numbers& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || (std::isnan(a.second) && std::isnan(b.second)));
  });
}

}  // namespace collapse::reference
