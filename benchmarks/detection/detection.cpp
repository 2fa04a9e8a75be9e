// Numbers and verdicts against the truth of graded scenarios: one line of tab-separated values per sample.
//
//     detection FIRST_SEED SEEDS
//
// Thresholds are tuned on seeds below 1000 and judged on those from 1000 on; see run.sh.

#include <collapse/classes.hpp>
#include <collapse/diagnosis/classes.hpp>
#include <collapse/linalg/hash.hpp>
#include <collapse/measure.hpp>
#include <collapse/synthetic/scenario.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using collapse::Index;
using collapse::Report;
using collapse::synthetic::Family;

/// Six fixed ones, so that a rule can be read by strength, and one drawn anew for each seed, so that no threshold lies
/// on a strength by chance or by choice.
std::array<double, 7> strengths(std::uint64_t seed) {
  const double drawn = static_cast<double>(collapse::linalg::hash(seed, 0x5eedU) >> 11) * 0x1p-53;
  return {0.0, 0.25, 0.5, 0.75, 0.85, 1.0, drawn};
}

double gravest(const Report& report) {
  const auto& findings = report.diagnosis.findings;
  return findings.empty() ? 0.0 : findings.front().severity;
}

void put(const collapse::synthetic::Truth& truth, const Report& report, std::uint64_t seed) {
  const double dims = static_cast<double>(report.dims);
  const double rank = static_cast<double>(std::min(report.samples, report.dims));
  const auto name = [](const auto& verdict) { return verdict ? to_string(*verdict) : std::string_view("-"); };
  const auto& findings = report.diagnosis.findings;
  fmt::print(
      "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\n",
      to_string(truth.family), truth.strength, report.samples, report.dims, seed,
      truth.collapsed ? (*truth.collapsed ? "1" : "0") : "-", name(truth.verdict), to_string(report.diagnosis.verdict),
      findings.empty() ? std::string_view("-") : to_string(findings.front().kind), gravest(report),
      report.variance.normalized_std * std::sqrt(dims), report.spectrum_uncentered.effective_rank / rank,
      report.cosine.mean, report.variance.dispersion, report.spectrum.effective_rank_vs_expected,
      report.spectrum.participation_ratio / dims, report.decorrelation.redundancy, report.norms.mean / std::sqrt(dims));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: detection FIRST_SEED SEEDS\n");
    return 2;
  }
  const auto first = static_cast<std::uint64_t>(std::atoll(argv[1]));
  const auto seeds = static_cast<std::uint64_t>(std::atoll(argv[2]));
  // All scenarios have variance 1 per dimension at most; a baseline fixes the lengths alone.
  fmt::print(
      "family\tstrength\tN\tD\tseed\tcollapsed\ttruth\tverdict\tgravest\tseverity\tnstd\trankme_share\tmean_cosine\t"
      "dispersion\tvs_expected\tparticipation\tredundancy\tnorm\n");
  for (const Index dims : {32, 128, 512}) {
    collapse::Options options;
    const double length = std::sqrt(static_cast<double>(dims));
    options.thresholds.smallest_norm = 0.01 * length;
    options.thresholds.largest_norm = 100.0 * length;
    for (const Index rows : {64, 256, 1024, 16384}) {
      // The largest tell the stability of the verdict; a few seeds do.
      const std::uint64_t count = rows > 1024 ? (seeds + 9) / 10 : seeds;
      for (const Family family : collapse::synthetic::families) {
        for (std::uint64_t seed = first; seed < first + count; ++seed) {
          for (const double strength : strengths(seed)) {
            const auto sample = collapse::synthetic::scenario<float>(family, strength, rows, dims, seed);
            // All lengths of the complete family are about 1.
            auto used = options;
            if (family == Family::complete && strength > 0.0) used.thresholds.smallest_norm = 0.0;
            Report report = collapse::measure(sample.embeddings, used);
            auto truth = sample.truth;
            if (!sample.labels.empty()) {
              const auto classes = collapse::class_collapse(sample.embeddings, sample.labels);
              report.diagnosis = collapse::diagnose(report, classes, used.thresholds);
              // Of fewer rows than these for each class nobody can tell.
              if (rows < 16 * used.thresholds.minimum_samples) truth.verdict.reset(), truth.collapsed.reset();
            }
            put(truth, report, seed);
          }
        }
      }
    }
  }
}
