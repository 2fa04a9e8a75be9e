#pragma once

#include <collapse/diagnosis/findings.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/report.hpp>

#include <algorithm>
#include <cmath>

/// Whether what is left of the rows is noise: what an encoder learns has a shape, what it has lost leaves none.
namespace collapse::diagnosis {

/// Whether the rows vary alike in all directions that are left when the first `taken` are removed: their effective rank
/// is near that of an isotropic sample, and the largest of them do not stand out (participation ratio of such a sample
/// of n rows and d dimensions: n d / (n + d)). Or nothing worth the name is left.
///
/// The second condition holds for few rows too, where every spectrum fills the rank that the sample allows.
[[nodiscard]] COLLAPSE_COLD inline bool is_noise_beyond(const Report& report, Index taken, double least) {
  const Eigen::VectorXd& values = report.spectrum.singular_values;
  const Index rows = report.samples - 1 - taken;
  const Index dims = report.dims - report.variance.dead_dimensions - taken;
  if (rows < 1 || dims < 1 || values.size() == 0) return false;
  double all = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  double fourths = 0.0;
  const double unit = values(0);
  for (Index k = 0; k < values.size(); ++k) {
    if (!(values(k) > report.spectrum.noise_floor)) continue;
    const double value = values(k) / unit;
    all += value * value;
    if (k < taken) continue;
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
  }
  if (squares <= 1e-4 * all) return true;
  double entropy = 0.0;
  for (Index k = taken; k < values.size(); ++k) {
    if (!(values(k) > report.spectrum.noise_floor)) continue;
    const double share = values(k) / unit / sum;
    entropy -= share * std::log(share);
  }
  const double n = static_cast<double>(rows);
  const double d = static_cast<double>(dims);
  return std::exp(entropy) >= least * expected_effective_rank(rows, dims) &&
         squares * squares / fourths >= 0.35 * n * d / (n + d);
}

}  // namespace collapse::diagnosis
