#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/spectrum.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

using namespace collapse;
using reference::Real;

namespace {

constexpr Real pi = 3.14159265358979323846264338327950288L;

/// The mean of f(lambda) under the Marchenko-Pastur density of variance 1 in its textbook form,
/// sqrt((b - x)(x - a)) / (2 pi y x) on [a, b] = [(1 - sqrt y)^2, (1 + sqrt y)^2], by tanh-sinh quadrature, which the
/// square roots at both ends and the logarithm at a = 0 do not slow down.
template <class F>
Real mean_under_density(Real y, F&& f) {
  const Real a = (1.0L - std::sqrt(y)) * (1.0L - std::sqrt(y));
  const Real half = 2.0L * std::sqrt(y);
  Real sum = 0.0L;
  constexpr int steps = 640;
  constexpr Real h = 4.5L / steps;
  for (int i = -steps; i <= steps; ++i) {
    const Real t = h * static_cast<Real>(i);
    const Real u = pi / 2.0L * std::sinh(t);
    // Distances from the ends, not differences: they keep their digits down to nothing.
    const Real from_a = half * 2.0L / (1.0L + std::exp(-2.0L * u));
    const Real to_b = half * 2.0L / (1.0L + std::exp(2.0L * u));
    const Real x = a + from_a;
    const Real step = h * pi / 2.0L * std::cosh(t) * from_a * to_b / half;
    sum += step * std::sqrt(from_a) * std::sqrt(to_b) / (2.0L * pi * y * x) * f(x);
  }
  return sum;
}

/// Effective rank over the rank, in the limit of large shapes.
Real limit_ratio(Real y) {
  const Real mean = mean_under_density(y, [](Real x) { return std::sqrt(x); });
  const Real mean_log = mean_under_density(y, [](Real x) { return std::sqrt(x) * std::log(x) / 2.0L; });
  return mean * std::exp(-mean_log / mean);
}

Real deviation(double measured, Real expected) { return std::abs(static_cast<Real>(measured) / expected - 1.0L); }

struct Deviations {
  double mean = 0.0;
  double largest = 0.0;
};

/// How far the effective ranks of isotropic samples are from what is expected of them, relative, over 24 seeds.
Deviations of_samples(Index n, Index d, Centring centring) {
  Deviations result;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const Spectrum block =
        spectrum(synthetic::isotropic<double>(n, d, seed), {.method = SpectrumMethod::gram}, centring);
    result.mean += (block.effective_rank_vs_expected - 1.0) / 24.0;
    result.largest = std::max(result.largest, std::abs(block.effective_rank_vs_expected - 1.0));
  }
  return result;
}

}  // namespace

TEST_CASE("the quadrature of the Marchenko-Pastur density knows its moments", "[marchenko_pastur]") {
  for (const Real y : {1e-3L, 0.1L, 0.5L, 0.75L, 0.999L, 1.0L}) {
    CAPTURE(static_cast<double>(y));
    CHECK(std::abs(mean_under_density(y, [](Real) { return 1.0L; }) - 1.0L) < 1e-15L);
    CHECK(std::abs(mean_under_density(y, [](Real x) { return x; }) - 1.0L) < 1e-15L);
    CHECK(std::abs(mean_under_density(y, [](Real x) { return x * x; }) - (1.0L + y)) < 1e-15L);
    CHECK(std::abs(mean_under_density(y, [](Real x) { return x * x * x; }) - (1.0L + 3.0L * y + y * y)) < 1e-15L);
  }
  CHECK(std::abs(limit_ratio(1.0L) - 2.0L / (3.0L * pi) * std::exp(4.0L / 3.0L)) < 1e-15L);
}

TEST_CASE("the expected effective rank is that of the Marchenko-Pastur density", "[marchenko_pastur]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{1000, 1},
                             {1000000, 2},
                             {1000, 10},
                             {63, 768},
                             {500, 100},
                             {256, 128},
                             {1023, 768},
                             {10, 9},
                             {100, 90}}) {
    CAPTURE(n, d);
    const Index rank = std::min(n, d);
    const Real y = static_cast<Real>(rank) / static_cast<Real>(std::max(n, d));
    const Real expected = rank == 1 ? 1.0L : static_cast<Real>(rank) * limit_ratio(y);
    CHECK(deviation(expected_effective_rank(n, d), expected) < 1e-14L);
    CHECK(deviation(expected_effective_rank(d, n), expected) < 1e-14L);
  }
}

TEST_CASE("near the square the midpoint rule meets a logarithm and keeps six digits", "[marchenko_pastur]") {
  for (const auto& [n, d] :
       {std::pair<Index, Index>{2, 2}, {64, 64}, {1000, 999}, {100000, 99999}, {2048, 2047}, {1024, 1000}}) {
    CAPTURE(n, d);
    const Real y = static_cast<Real>(d) / static_cast<Real>(n);
    CHECK(deviation(expected_effective_rank(n, d), static_cast<Real>(d) * limit_ratio(y)) < 1e-6L);
  }
}

TEST_CASE("a square shape keeps the share 2 / (3 pi) exp(4 / 3)", "[marchenko_pastur]") {
  // The singular values of a square Gaussian matrix fill a quarter circle: E[s] = 8 / (3 pi),
  // E[s ln s] / E[s] = 2 ln 2 - 4 / 3.
  for (const Index n : {2, 3, 50, 1000, 1000000}) {
    CAPTURE(n);
    CHECK(deviation(expected_effective_rank(n, n), static_cast<Real>(n) * 2.0L / (3.0L * pi) * std::exp(4.0L / 3.0L)) <
          1e-6L);
  }
}

TEST_CASE("long shapes miss 1 / 8 of the aspect ratio", "[marchenko_pastur]") {
  // The standard deviation of a singular value is sqrt(y) / 2 of their mean: the entropy loses half of its square.
  for (const Index n : {1000, 10000, 1000000, 100000000}) {
    const double y = 10.0 / static_cast<double>(n);
    CAPTURE(y);
    CHECK(std::abs(expected_effective_rank(n, 10) / 10.0 - (1.0 - y / 8.0)) < y * y + 1e-14);
  }
}

TEST_CASE("1024 and 64 rows in 768 dimensions have the expectation of their shapes", "[marchenko_pastur]") {
  CHECK(std::abs(expected_effective_rank(1023, 768) / 768.0 - 0.8759) < 5e-5);
  CHECK(std::abs(expected_effective_rank(63, 768) / 63.0 - 0.9895) < 5e-5);
}

TEST_CASE("the expectation depends on shape as it must", "[marchenko_pastur]") {
  for (const Index d : {1, 2, 3, 17, 64, 500}) {
    double before = 0.0;
    for (const Index n : {1, 2, 3, 5, 8, 16, 17, 18, 63, 64, 65, 100, 499, 500, 501, 5000, 1000000}) {
      CAPTURE(n, d);
      const double expected = expected_effective_rank(n, d);
      CHECK(expected == expected_effective_rank(d, n));
      CHECK(expected >= 1.0);
      CHECK(expected <= static_cast<double>(std::min(n, d)));
      if (d > 1 && n > 1) CHECK(expected > before);
      before = expected;
    }
  }
  // The aspect ratio alone sets the share.
  CHECK(deviation(expected_effective_rank(3000, 2000) / 2000.0,
                  static_cast<Real>(expected_effective_rank(30, 20)) / 20.0L) < 1e-14L);
}

TEST_CASE("one eigenvalue is one, none are undefined", "[marchenko_pastur]") {
  constexpr Index most = std::numeric_limits<Index>::max();
  for (const Index n : {Index{1}, Index{2}, Index{1000}, most}) {
    CHECK(expected_effective_rank(1, n) == 1.0);
    CHECK(expected_effective_rank(n, 1) == 1.0);
  }
  for (const Index n : {Index{0}, Index{-1}, std::numeric_limits<Index>::min()}) {
    CHECK(std::isnan(expected_effective_rank(n, 5)));
    CHECK(std::isnan(expected_effective_rank(5, n)));
  }
  CHECK(deviation(expected_effective_rank(most, 2), 2.0L) < 1e-14L);
  CHECK(deviation(expected_effective_rank(most, most), static_cast<Real>(most) * limit_ratio(1.0L)) < 1e-6L);
}

// The law is that of infinite samples. Measured over 200 seeds at ranks 8 to 256, effective ranks lie below it on
// average by 0.02 to 0.05 of one rank where one side is four times the other, by 0.16 to 0.29 where the sides are
// equal, whatever the rank; single samples lie within 0.3 and 1.7 of one rank. In relative terms: 0.4 % at 64 x 64,
// 0.05 % at 257 x 64.
TEST_CASE("effective ranks of isotropic samples are as expected, to a fraction of one rank", "[marchenko_pastur]") {
  for (const Centring centring : {Centring::centred, Centring::uncentred}) {
    for (const auto& [n, d] : {std::pair<Index, Index>{33, 8}, {65, 16}, {129, 32}, {17, 64}, {33, 128}}) {
      CAPTURE(n, d);
      const Deviations deviations = of_samples(n, d, centring);
      const double rank = static_cast<double>(std::min(centring == Centring::centred ? n - 1 : n, d));
      CHECK(std::abs(deviations.mean) < 0.1 / rank);
      CHECK(deviations.largest < 0.35 / rank);
    }
    for (const Index n : {17, 32, 64}) {
      CAPTURE(n);
      const Deviations deviations = of_samples(n, n, centring);
      const double rank = static_cast<double>(centring == Centring::centred ? n - 1 : n);
      CHECK(std::abs(deviations.mean) < 0.5 / rank);
      CHECK(deviations.largest < 2.0 / rank);
    }
  }
}

TEST_CASE("what is expected of centred rows has one degree of freedom less", "[marchenko_pastur]") {
  // Of 9 rows in 64 dimensions 8 singular values are left: to forget that would show as 10 %.
  const Spectrum centred = spectrum(synthetic::isotropic<double>(9, 64, 1));
  CHECK(centred.expected_effective_rank == expected_effective_rank(8, 64));
  CHECK(std::abs(centred.effective_rank_vs_expected - 1.0) < 0.03);
  const Spectrum as_is = spectrum(synthetic::isotropic<double>(9, 64, 1), {}, Centring::uncentred);
  CHECK(as_is.expected_effective_rank == expected_effective_rank(9, 64));
  CHECK(std::abs(as_is.effective_rank_vs_expected - 1.0) < 0.03);
}
