#pragma once

#include <collapse/compiled.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/metrics/coherence.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/isoscore.hpp>
#include <collapse/metrics/partition_isotropy.hpp>
#include <collapse/metrics/self_cluster.hpp>
#include <collapse/metrics/uniformity.hpp>
#include <collapse/metrics/vendi.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/statistics/pairs/pair_potential.hpp>
#include <collapse/statistics/pairs/pair_selection.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/spectra/direction_singular_values.hpp>
#include <collapse/statistics/spectra/leverage.hpp>
#include <collapse/statistics/spectra/partition_function.hpp>
#include <collapse/statistics/spectra/spectrum.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <utility>

/// @page family_isotropy Isotropy and diversity
/// How evenly the rows fill the space and how many different ones there seem to be: the block `isotropy`, on demand.
///
/// - **Uniformity** (Wang & Isola 2020) is over pairs i < j with t = 2, the logarithm of a mean. Codes that include
///   i = j are higher by up to ln(1 + e^-u / N).
/// - **IsoScore** is by its closed form, (participation ratio - 1) / (D - 1), to which the published steps reduce.
/// - **Vendi score** is taken on the smaller side, where the kernel has the same non-zero eigenvalues. `vendi_ratio` is
///   over min(M, D), the most that the shape allows; divided by M it falls with every row beyond D.
/// - **Partition isotropy** takes both signs of each eigenvector. The sign that a solver returns is arbitrary and moves
///   the published number.
/// - **Coherence** and **self cluster** follow Tsitsulin et al. 2023; leverages come from a pivoted QR, not from
///   squares.

namespace collapse {

namespace detail {

/// The block from what a report has already: sums over the directions (with V V^T where N <= D) and the centred
/// spectrum.
template <EmbeddingScalar Scalar>
[[nodiscard]] Isotropy isotropy(const linalg::MatrixView<Scalar>& z, const Rows& rows,
                                statistics::DirectionStatistics directions, const SingularValues& centred,
                                const Options& options) {
  Isotropy result;
  const Uniformity potential = uniformity(statistics::pair_potential(
      z, rows, statistics::select_pairs(z, rows, options), directions.sums.mean(), directions.products()));
  result.uniformity = potential.value;
  result.uniformity_standard_error = potential.standard_error;
  result.pairs = potential.pairs;
  result.sampled_rows = potential.sampled_rows;
  result.exact = potential.exact;
  result.isoscore = isoscore(centred);
  result.self_cluster = self_cluster(cosine_moments(directions.sums, directions.products()), rows.dims);
  const SingularValues spectrum =
      statistics::direction_spectrum(std::move(directions), rows, linalg::input_epsilon<Scalar>());
  result.vendi_score = vendi_score(spectrum);
  result.vendi_score_2 = vendi_score(spectrum, 2.0);
  result.vendi_score_inf = vendi_score(spectrum, std::numeric_limits<double>::infinity());
  result.vendi_ratio = vendi_ratio(spectrum);
  result.coherence = coherence(statistics::leverages(z, rows));
  result.log_partition_isotropy = statistics::log_partition_ratio(z, rows);
  result.partition_isotropy = std::exp(result.log_partition_isotropy);
  return result;
}

}  // namespace detail

/// Isotropy and diversity of Z: every number of `Isotropy`. Each is also a function of its own, whose docstring has its
/// formula: uniformity, isoscore, vendi_score, self_cluster, coherence, partition_isotropy.
///
/// @param Z        N x D embeddings
/// @param options  see Options
/// @return see Isotropy; numbers that are undefined for the input (one row, rows of zeros, one dimension) are NaN
/// @throws ShapeError, NonFiniteError as `moments`; OptionError
/// Cost: that of a report once more, mostly in the QR for the coherence and the eigenvectors for the isotropy: about
///       8 N D m + 15 m^3 + min(N, pair_rows)^2 D flops, m = min(N, D). Memory: a few m x m matrices.
template <class Derived>
[[nodiscard]] Isotropy isotropy(const Eigen::DenseBase<Derived>& Z, const Options& options = {}) {
  validate(options);
  const linalg::Evaluated<Derived> evaluated(Z);
  const Rows rows = statistics::scan_rows(evaluated.view(), options.nonfinite);
  return detail::isotropy(evaluated.view(), rows, statistics::direction_statistics(evaluated.view(), rows),
                          statistics::singular_values(evaluated.view(), rows, options, Centring::centred), options);
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ISOTROPY_INSTANCES(Keyword, Scalar)                                         \
  Keyword template Isotropy detail::isotropy(const linalg::MatrixView<Scalar>&, const Rows&, \
                                             statistics::DirectionStatistics, const SingularValues&, const Options&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ISOTROPY_INSTANCES)
#endif

}  // namespace collapse
