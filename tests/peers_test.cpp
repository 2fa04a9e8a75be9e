#include <collapse/io/npy.hpp>
#include <collapse/metrics/isoscore.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/statistics/spectra/singular_values.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

/// What other libraries print for the same 1000 x 1024 normal deviates, each by its own definition of a name.
using namespace collapse;

namespace {

struct Spectra {
  SingularValues centred, uncentred;
};

/// None when the file is not on this machine.
std::optional<Spectra> spectra() {
  const char* const folder = std::getenv("COLLAPSE_REFERENCE_DIR");
  const std::filesystem::path path = folder == nullptr ? "" : std::filesystem::path(folder) / "randn_1000x1024.npy";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder with randn_1000x1024.npy");
    return std::nullopt;
  }
  const io::NpyFile file(path);
  return file.visit([]<class Z>(const Z& embeddings) {
    // Both from one Gram matrix.
    const auto view = linalg::Evaluated<Z>(embeddings).view();
    const Rows rows = statistics::scan_rows(view, NonFinite::reject);
    auto [moments, gram] = statistics::centred_gram(view, rows);
    REQUIRE(gram.side == Side::samples);
    const statistics::GramSpectra both =
        statistics::GramSpectra::of_samples(view, rows, moments, std::move(gram.lower));
    return Spectra{statistics::with_floor(both.singular_values(true), moments, true, SpectrumMethod::gram),
                   statistics::with_floor(both.singular_values(false), moments, false, SpectrumMethod::gram)};
  });
}

bool near(double measured, double expected, double tolerance) {
  return std::abs(measured / expected - 1.0) <= tolerance;
}

}  // namespace

TEST_CASE("ranks and slopes of peers come out of the same values by their definitions", "[peers]") {
  const std::optional<Spectra> found = spectra();
  if (!found) return;
  const SingularValues& centred = found->centred;
  const SingularValues& uncentred = found->uncentred;
  REQUIRE(centred.samples == 1000);
  REQUIRE(centred.dims == 1024);
  // RankMe without an eps, with that of the paper, and with 1e-5: 6 % more.
  CHECK(near(effective_rank(uncentred), 813.8518470809393, 1e-9));
  CHECK(near(effective_rank(uncentred, 1e-7), 814.3569520079602, 1e-9));
  CHECK(near(effective_rank(uncentred, 1e-5), 865.842263633359, 1e-9));
  // Another code calls RankMe what is the entropy rank of the covariance; printed from float.
  CHECK(near(entropy_rank(centred), 613.0541899033622, 1e-9));
  CHECK(near(entropy_rank(centred, 1e-7), 613.4726, 1e-5));
  // alpha-ReQ over ranks 11 to 100, weighted.
  CHECK(near(power_law(centred).alpha, 0.148936, 1e-5));
  // The identity behind IsoScore.
  CHECK(near(isoscore(centred), (participation_ratio(centred) - 1.0) / 1023.0, 1e-14));
}

TEST_CASE("an epsilon is added to every share and to those of zeros too", "[peers]") {
  SingularValues spectrum;
  spectrum.samples = spectrum.dims = 10;
  spectrum.centred = false;
  for (const double epsilon : {1e-7, 1e-5, 1e-2}) {
    for (const Index zeros : {0, 6}) {
      CAPTURE(epsilon, zeros);
      spectrum.values = Eigen::VectorXd::Zero(4 + zeros);
      spectrum.values.head(4).setConstant(3.0);
      const double share = 0.25 + epsilon;
      const double expected =
          std::exp(-4.0 * share * std::log(share) - static_cast<double>(zeros) * epsilon * std::log(epsilon));
      CHECK(near(effective_rank(spectrum, epsilon), expected, 1e-14));
      CHECK(near(entropy_rank(spectrum, epsilon), expected, 1e-14));
    }
  }
}
