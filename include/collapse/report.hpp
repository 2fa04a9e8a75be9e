#pragma once

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What `measure` returns: plain aggregates, no behaviour. Every field carries the name of its JSON key. A number that
/// is undefined for the input is NaN (an index or a count: `std::nullopt`), never 0 or 1 by accident, and the findings
/// of the diagnosis say why.
namespace collapse {

using Eigen::Index;

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Lengths of the rows, ||z_i||, in the units of the input.
struct Norms {
  double mean = undefined;
  double std = undefined;  ///< ddof 0
  double min = undefined;
  double max = undefined;
  Index zero_rows = 0;     ///< rows of length 0: they have no direction and take no part in any cosine
  Index skipped_rows = 0;  ///< rows dropped for a non-finite value (NonFinite::skip_rows)
};

/// Seven quantiles of the pairwise cosines.
struct CosineQuantiles {
  double p01 = undefined, p05 = undefined, p25 = undefined, p50 = undefined, p75 = undefined, p95 = undefined,
         p99 = undefined;
};

/// Cosines over the unordered pairs of non-zero rows: 1 is the same direction, 0 orthogonal.
struct Cosine : CosineQuantiles {
  double mean = undefined;  ///< over all pairs, always exact
  double std = undefined;   ///< over all pairs (ddof 0), always exact
  double min = undefined;   ///< over the pairs counted in `pairs`, as are max, the quantiles and the histogram
  double max = undefined;
  std::array<std::int64_t, 64> histogram{};  ///< equal bins on [-1, 1]
  std::int64_t pairs = 0;                    ///< pairs behind min, max, quantiles and histogram
  Index sampled_rows = 0;                    ///< rows those pairs come from
  bool exact = false;                        ///< true when these are all rows
  CosineQuantiles standard_error;            ///< of each quantile; 0 when exact (jackknife over rows otherwise)
};

/// Spread of each dimension, ddof 1, in squared units of the input.
struct Variance {
  Eigen::VectorXd per_dimension;
  double min = undefined;
  double mean = undefined;
  double max = undefined;
  double median = undefined;
  double total = undefined;           ///< trace of the covariance
  Index dead_dimensions = 0;          ///< constant up to the rounding of the input scalar
  Index low_dimensions = 0;           ///< std below 1 % of the root mean square std
  double hinge = undefined;           ///< variance term of VICReg, [0, 1]; healthy near 0 at its scale
  double normalized_std = undefined;  ///< of the L2-normalised rows; healthy is 1 / sqrt(D)
  double dispersion = undefined;      ///< [0, 1], scale free; 0 is complete collapse
};

/// How far the dimensions repeat each other. Correlations are over pairs of dimensions that are not dead.
struct Decorrelation {
  double covariance_penalty = undefined;         ///< covariance term of VICReg
  double mean_abs_correlation = undefined;       ///< [0, 1]
  double rms_correlation = undefined;            ///< [0, 1]
  double max_abs_correlation = undefined;        ///< [0, 1]
  std::optional<std::array<Index, 2>> max_pair;  ///< the two columns that reach the maximum, first < second
  double redundancy = undefined;                 ///< mean squared correlation, [0, 1]
};

/// How a spectrum was computed.
enum class SpectrumMethod {
  automatic,  ///< svd for double where it is affordable, gram otherwise
  gram,       ///< eigenvalues of the smaller Gram matrix, in double: resolves sigma down to ~1e-8 sigma_1
  svd         ///< QR and singular values in double: resolves down to ~1e-16 sigma_1, several times the cost
};

/// Shape of the singular value spectrum. Values below the noise floor count as zero in every number here.
struct Spectrum {
  Eigen::VectorXd singular_values;  ///< descending, min(N, D) of them
  double noise_floor = undefined;   ///< in the units of the singular values
  Index below_noise_floor = 0;
  double effective_rank = undefined;        ///< Roy & Vetterli 2007, [1, r]; 0 for constant centred rows
  double effective_rank_ratio = undefined;  ///< over the largest rank possible
  double entropy_rank = undefined;
  double participation_ratio = undefined;
  double stable_rank = undefined;
  Index numerical_rank = 0;
  double condition_number = undefined;
  double top1_share = undefined;
  double top10_share = undefined;
  std::optional<Index> rank_90;
  std::optional<Index> rank_95;
  std::optional<Index> rank_99;
  double alpha = undefined;
  double alpha_r2 = undefined;
  double expected_effective_rank = undefined;     ///< of an isotropic Gaussian sample of this shape
  double effective_rank_vs_expected = undefined;  ///< healthy near 1, whatever the shape
  SpectrumMethod method = SpectrumMethod::gram;   ///< the one used, never `automatic`
};

/// The answer to "is it collapsing, and in which way?"
enum class Verdict {
  healthy,
  dimensional_collapse,
  anisotropic,
  cluster_collapse,
  class_collapse,
  complete_collapse,
  undetermined
};

[[nodiscard]] constexpr std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::healthy: return "healthy";
    case Verdict::dimensional_collapse: return "dimensional_collapse";
    case Verdict::anisotropic: return "anisotropic";
    case Verdict::cluster_collapse: return "cluster_collapse";
    case Verdict::class_collapse: return "class_collapse";
    case Verdict::complete_collapse: return "complete_collapse";
    case Verdict::undetermined: return "undetermined";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view to_string(SpectrumMethod method) noexcept {
  switch (method) {
    case SpectrumMethod::automatic: return "auto";
    case SpectrumMethod::gram: return "gram";
    case SpectrumMethod::svd: return "svd";
  }
  return "unknown";
}

/// One observation that speaks for or against health.
struct Finding {
  std::string kind;              ///< machine-readable, e.g. "complete_collapse", "dead_dimensions", "undefined"
  double severity = 0.0;         ///< 0 (a remark) to 1 (as bad as it gets)
  std::string metric;            ///< JSON path of the evidence, e.g. "variance.dispersion"
  double value = undefined;      ///< what was measured
  double threshold = undefined;  ///< where the finding begins
  std::string explanation;       ///< what it means, in a sentence
  std::string remedy;            ///< what usually cures it; empty when there is nothing to cure
  std::string origin{};          ///< where the threshold comes from; empty when there is none
  bool decisive = false;         ///< the verdict rests on this one; at most one in a diagnosis
};

struct Diagnosis {
  Verdict verdict = Verdict::undetermined;
  std::vector<Finding> findings;  ///< gravest first
};

/// How evenly the embeddings fill the space, and how many different ones there seem to be. On demand, by `uniformity`.
struct Isotropy {
  double uniformity = undefined;                 ///< Wang & Isola 2020, [-8, 0]; 0 is complete collapse
  double uniformity_standard_error = undefined;  ///< 0 when exact
  std::int64_t pairs = 0;                        ///< pairs behind it, those of the quantiles of the cosine
  Index sampled_rows = 0;                        ///< rows these come from
  bool exact = false;                            ///< true when these are all rows
  double isoscore = undefined;                   ///< Rudman et al. 2022, [0, 1]; 0 is a line
  double vendi_score = undefined;                ///< Friedman & Dieng 2023, order 1, [1, min(M, D)]
  double vendi_score_2 = undefined;              ///< order 2
  double vendi_score_inf = undefined;            ///< order infinity
  double vendi_ratio = undefined;                ///< of order 1 over min(M, D), (0, 1]
  double self_cluster = undefined;               ///< Tsitsulin et al. 2023, <= 1; 0 uniform, 1 collapsed
  double coherence = undefined;                  ///< Tsitsulin et al. 2023, [rank / D, N / D]; healthy 1
  double partition_isotropy = undefined;         ///< Mu & Viswanath 2018, [0, 1]; healthy 1
  double log_partition_isotropy = undefined;     ///< its logarithm, where it is too small for a double
};

/// How far a number may be from that of other rows of the same source.
struct Estimate {
  std::string metric;                 ///< JSON path, e.g. "spectrum.effective_rank"
  double value = undefined;           ///< as in the report
  double standard_error = undefined;  ///< of what as many rows of the same source would give
  double low = undefined;             ///< interval for the expectation over such samples
  double high = undefined;
};

/// Standard errors and intervals of a report's numbers; `resamples` is 0 when they were not asked for.
struct Confidence {
  Index resamples = 0;       ///< groups of rows that were left out in turn
  double level = undefined;  ///< of the intervals
  std::vector<Estimate> estimates;
};

/// Everything that one pass over the embeddings tells.
struct Report {
  Index samples = 0;  ///< rows measured (skipped rows not counted)
  Index dims = 0;
  double input_epsilon = 0.0;  ///< machine epsilon of the scalar that the embeddings came in
  Norms norms;
  Cosine cosine;
  Variance variance;
  Decorrelation decorrelation;
  Spectrum spectrum;             ///< of the centred rows
  Spectrum spectrum_uncentered;  ///< of the rows as they are; its effective rank is RankMe
  Diagnosis diagnosis;
  Confidence confidence;  ///< see Options::resamples
};

}  // namespace collapse
