#pragma once

#include <collapse/compiled.hpp>
#include <collapse/diagnosis/comparison.hpp>
#include <collapse/error.hpp>
#include <collapse/measure.hpp>
#include <collapse/metrics/alignment.hpp>
#include <collapse/metrics/cka.hpp>
#include <collapse/metrics/cross_correlation.hpp>
#include <collapse/metrics/modality_gap.hpp>
#include <collapse/metrics/signal.hpp>
#include <collapse/metrics/vicreg.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/report/comparison.hpp>
#include <collapse/statistics/rows/paired_rows.hpp>
#include <collapse/statistics/sums/cross_sums.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// @page family_two_views Two views
/// What two views of the same samples have in common: `compare` and PairedAccumulator.
///
/// - **Signal** is the part of the variance that two augmentations of the same inputs share, and the directions of it.
///   It tells what no number of one view can: noise about one point has the best spectrum of all, and shares nothing.
/// - **Linear CKA** comes in two estimates. The biased one, of Kornblith et al. 2019, is high for few rows by chance:
///   D / (N + D) for independent Gaussians, 0.2 for 32 rows of 8 dimensions. The debiased one takes the unbiased HSIC
///   of Song et al. 2007 and is 0 on average there. A `domain_shift` that pairs the rows of two unrelated sets at
///   random and takes the biased estimate measures the number of rows; rows here have to be pairs.
/// - **Barlow Twins** sums are those of the loss, with standardised views and ddof 0. **VICReg** has its weights as an
///   argument, 25, 25 and 1 by default; its invariance is a mean over rows and dimensions, as in the published code.
/// - **Modality gap** is the distance of the mean directions (Liang et al. 2022); a difference of means of unnormalised
///   rows is not scale free.

namespace collapse {

namespace streams {

/// Adds to a comparison what follows from sums over pairs that are relative to the mean.
/// @param eigenvalues  of the signal; none where the views differ in dimensions
inline void compare_sums(Comparison& to, const CrossSums& sums, const HsicSums& hsic,
                         const Eigen::VectorXd& eigenvalues, const VicregWeights& weights) {
  const Alignment pairs = alignment(sums);
  to.directed_pairs = pairs.directed_pairs;
  to.alignment = pairs.alignment;
  to.invariance = pairs.invariance;
  to.paired_cosine = pairs.paired_cosine;
  to.unpaired_cosine = pairs.unpaired_cosine;
  to.modality_gap = modality_gap(sums);
  const CrossCorrelation barlow = cross_correlation(sums);
  to.barlow_on_diagonal = barlow.on_diagonal;
  to.barlow_off_diagonal = barlow.off_diagonal;
  to.vicreg = vicreg(pairs.invariance, to.a, to.b, weights);
  const LinearCka cka = linear_cka(hsic);
  to.linear_cka = cka.biased;
  to.linear_cka_debiased = cka.debiased;
  if (sums.same_dims()) to.signal = metrics::signal(sums, eigenvalues, hsic);
}

/// Says why numbers are undefined.
inline void explain_undefined(Comparison& comparison) {
  const auto because = [&](MetricPath metric, double value, const std::string& reason) {
    if (!std::isnan(value)) return;
    Finding finding;
    finding.kind = FindingKind::undefined_number;
    finding.metric = metric.in_result();
    finding.explanation = reason;
    comparison.findings.push_back(std::move(finding));
  };
  const Comparison& c = comparison;
  const bool same_dims = c.a.dims == c.b.dims;
  const std::string dims = fmt::format("views of {} and {} dimensions have no common space", c.a.dims, c.b.dims);
  const std::string no_pair = "no pair has two rows of positive length";
  const std::string constant = c.samples < 2 ? "a single pair has no spread" : "a view is constant up to rounding";
  const auto of_directions = [&](const std::string& otherwise) { return same_dims ? otherwise : dims; };
  because(metric_path<&Comparison::alignment>, c.alignment, of_directions(no_pair));
  because(metric_path<&Comparison::invariance>, c.invariance, dims);
  because(metric_path<&Comparison::barlow_on_diagonal>, c.barlow_on_diagonal, of_directions(constant));
  because(metric_path<&Comparison::barlow_off_diagonal>, c.barlow_off_diagonal, of_directions(constant));
  because(metric_path<&Comparison::vicreg>, c.vicreg, of_directions("a single pair has no variance"));
  because(metric_path<&Comparison::modality_gap>, c.modality_gap, of_directions(no_pair));
  because(metric_path<&Comparison::paired_cosine>, c.paired_cosine, of_directions(no_pair));
  because(metric_path<&Comparison::unpaired_cosine>, c.unpaired_cosine,
          of_directions("fewer than two pairs have two rows of positive length"));
  const std::string nothing_shared =
      std::isnan(c.signal.share) ? constant : std::string("no dimension of one view varies with one of the other");
  because(metric_path<&Comparison::signal, &Signal::share>, c.signal.share, of_directions(constant));
  because(metric_path<&Comparison::signal, &Signal::effective_rank>, c.signal.effective_rank,
          of_directions(nothing_shared));
  because(metric_path<&Comparison::signal, &Signal::participation_ratio>, c.signal.participation_ratio,
          of_directions(nothing_shared));
  because(metric_path<&Comparison::linear_cka>, c.linear_cka, constant);
  because(metric_path<&Comparison::linear_cka_debiased>, c.linear_cka_debiased,
          std::isnan(c.linear_cka) ? constant
          : c.samples < 4          ? "the unbiased estimate needs at least 4 pairs"
                                   : "the unbiased estimate of a view with itself is not positive");
}

/// ||X^T X||_F^2 from the singular values of X, in units of 2^(4 exponent).
[[nodiscard]] inline double self_product(const Eigen::VectorXd& singular_values, int exponent) {
  double sum = 0.0;
  for (const double value : singular_values) {
    const double square = std::ldexp(value, -exponent) * std::ldexp(value, -exponent);
    sum += square * square;
  }
  return sum;
}

template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
[[nodiscard]] Comparison compare(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a,
                                 const streams::Origin& origin_a, const linalg::MatrixView<ScalarB>& b,
                                 const Rows& rows_b, const streams::Origin& origin_b, const Options& options,
                                 const VicregWeights& weights) {
  Comparison result;
  result.samples = rows_a.samples;
  result.skipped_rows = origin_a.skipped;
  result.a = streams::measure(a, options, origin_a);
  result.b = streams::measure(b, options, origin_b);
  if (rows_a.dims != rows_b.dims && metrics::kernels_are_smaller(rows_a.samples, rows_a.dims, rows_b.dims)) {
    // Without a common space nothing but the kernels is asked for.
    const LinearCka cka =
        linear_cka(metrics::hsic_of_samples(a, rows_a, origin_a.epsilon, b, rows_b, origin_b.epsilon));
    result.linear_cka = cka.biased;
    result.linear_cka_debiased = cka.debiased;
  } else {
    CrossSums sums = statistics::cross_sums(a, rows_a, b, rows_b);
    sums.a.input_epsilon = origin_a.epsilon;
    sums.b.input_epsilon = origin_b.epsilon;
    compare_sums(result, sums,
                 metrics::hsic_sums(sums, self_product(result.a.spectrum.singular_values, sums.a.exponent),
                                    self_product(result.b.spectrum.singular_values, sums.b.exponent)),
                 metrics::signal_eigenvalues(a, rows_a, b, rows_b, sums), weights);
  }
  explain_undefined(result);
  result.diagnosis = diagnose(result, options.thresholds);
  return result;
}

}  // namespace streams

/// Compares two views of the same samples: two augmentations, two modalities, two layers, two checkpoints.
///
/// @param A, B     N x D_a and N x D_b embeddings as Z of `measure`, of any scalars; row i of both is one sample
/// @param options  as of `measure`, for the reports on both views. `nonfinite` applies to pairs: one is left out when
///                 either row is not finite, and the others are copied then
/// @param weights  of the terms of `vicreg`
/// @return every number of two views, and the report on each. When D_a != D_b only the kernel alignments have a
///         meaning, the others are undefined
/// @throws ShapeError when A and B differ in rows, have none, or have no columns; NonFiniteError, OptionError
/// Cost: that of `measure` on both, N D_a D_b multiplications and, where D_a = D_b, one reduction of a symmetric matrix of
///       order D, 4/3 D^3 (of order 2 N where 4 N <= D); D_a x D_b doubles (N x N when D_a != D_b and
///       N <= min(D_a, D_b)).
template <class DerivedA, class DerivedB>
[[nodiscard]] Comparison compare(const Eigen::DenseBase<DerivedA>& A, const Eigen::DenseBase<DerivedB>& B,
                                 const Options& options = {}, const VicregWeights& weights = {}) {
  validate(options);
  return statistics::with_measurable_pairs(
      A, B, options.nonfinite,
      [&](const auto& a, const Rows& rows_a, const auto& b, const Rows& rows_b, Index skipped) {
        const streams::Origin origin_a{linalg::input_epsilon<typename DerivedA::Scalar>(), skipped};
        const streams::Origin origin_b{linalg::input_epsilon<typename DerivedB::Scalar>(), skipped};
        return streams::compare(a, rows_a, origin_a, b, rows_b, origin_b, options, weights);
      });
}

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_COMPARE_INSTANCES(Keyword, Scalar)                                                                    \
  Keyword template Comparison streams::compare(const linalg::MatrixView<Scalar>&, const Rows&, const streams::Origin&, \
                                               const linalg::MatrixView<Scalar>&, const Rows&, const streams::Origin&, \
                                               const Options&, const VicregWeights&);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_COMPARE_INSTANCES)
#endif

}  // namespace collapse
