#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/measure.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/synthetic.hpp>

#include <Eigen/SVD>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace synthetic = collapse::synthetic;
using collapse::Index;
using collapse::OptionError;
using collapse::ShapeError;
using collapse::undefined;
using collapse::Verdict;
using collapse::reference::Dense;
using collapse::reference::Random;
using collapse::reference::Real;
using collapse::reference::same_bits;
using collapse::synthetic::normal_deviate;
using collapse::synthetic::normal_quantile;
using collapse::synthetic::portable_exp;
using collapse::synthetic::portable_log;
using collapse::test::mentions;
namespace reference = collapse::reference;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// |got - exact| in units of the last place of `exact`.
Real ulps(double got, Real exact) {
  const Real unit = std::ldexp(1.0L, std::ilogb(exact) - 52);
  return std::abs(static_cast<Real>(got) - exact) / unit;
}

/// How far the quantile of p is off, relative to itself: the error of its probability over the density there. Each
/// probability is taken from the side where it keeps its digits.
Real quantile_error(double p) {
  const Real x = normal_quantile(p);
  const Real density = std::exp(-x * x / 2.0L) / std::sqrt(2.0L * std::acos(-1.0L));
  const Real from_middle = static_cast<Real>(p) - 0.5L;
  const Real miss = std::abs(from_middle) < 0.4L
                        ? std::erf(x / std::sqrt(2.0L)) / 2.0L - from_middle
                        : std::erfc(std::abs(x) / std::sqrt(2.0L)) / 2.0L - (p < 0.5 ? Real{p} : 1.0L - Real{p});
  return std::abs(miss / density / x);
}

template <class Scalar>
struct Generator {
  std::string name;
  std::function<Dense<Scalar>(Index, Index, std::uint64_t)> make;
};

template <class Scalar>
std::vector<Generator<Scalar>> generators() {
  return {
      {"isotropic", [](Index n, Index d, std::uint64_t seed) { return synthetic::isotropic<Scalar>(n, d, seed); }},
      {"low_rank", [](Index n, Index d,
                      std::uint64_t seed) { return synthetic::low_rank<Scalar>(n, d, std::min<Index>(d, 3), seed); }},
      {"power_law",
       [](Index n, Index d, std::uint64_t seed) { return synthetic::power_law<Scalar>(n, d, 1.25, seed); }},
      {"correlated",
       [](Index n, Index d, std::uint64_t seed) { return synthetic::correlated<Scalar>(n, d, 0.3, seed); }},
      {"duplicated",
       [](Index n, Index d, std::uint64_t seed) {
         return synthetic::duplicated<Scalar>(n, d, std::min<Index>(d, 4), seed);
       }},
      {"dead_dimensions",
       [](Index n, Index d, std::uint64_t seed) {
         return synthetic::dead_dimensions<Scalar>(n, d, std::min<Index>(d, 2), seed);
       }},
      {"cone", [](Index n, Index d, std::uint64_t seed) { return synthetic::cone<Scalar>(n, d, 0.6, seed); }},
      {"clusters",
       [](Index n, Index d, std::uint64_t seed) { return synthetic::clusters<Scalar>(n, d, 5, 0.1, seed); }},
      {"around_a_point",
       [](Index n, Index d, std::uint64_t seed) { return synthetic::around_a_point<Scalar>(n, d, 1e-3, seed); }},
      {"constant", [](Index n, Index d, std::uint64_t seed) { return synthetic::constant<Scalar>(n, d, seed); }},
  };
}

/// A number that changes with every bit of a matrix.
std::uint64_t fingerprint(const Dense<double>& z) {
  std::uint64_t result = 0;
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index d = 0; d < z.cols(); ++d) result = collapse::linalg::hash(result, std::bit_cast<std::uint64_t>(z(i, d)));
  }
  return result;
}

double largest_difference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return (a - b).cwiseAbs().maxCoeff(); }

reference::Vector singular_values(const reference::Matrix& a) {
  return Eigen::JacobiSVD<reference::Matrix>(a).singularValues();
}

Eigen::MatrixXd correlations(const Eigen::MatrixXd& z) {
  const Eigen::MatrixXd x = z.rowwise() - z.colwise().mean();
  const Eigen::MatrixXd covariance = x.transpose() * x;
  const Eigen::VectorXd scale = covariance.diagonal().cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * covariance * scale.asDiagonal();
}

/// The message of the Error that `call` throws; empty when it throws none.
template <class Error, class Call>
std::string refusal(Call&& call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// The neighbours of a 16-bit float, in magnitude.
template <class Scalar>
std::array<double, 2> neighbours(Scalar value) {
  const auto bits = Eigen::numext::bit_cast<std::uint16_t>(value);
  return {static_cast<double>(Eigen::numext::bit_cast<Scalar>(static_cast<std::uint16_t>(bits - 1))),
          static_cast<double>(Eigen::numext::bit_cast<Scalar>(static_cast<std::uint16_t>(bits + 1)))};
}

}  // namespace

TEST_CASE("the portable logarithm is that of long double to 2 units of the last place", "[synthetic]") {
  Random random(1);
  Real worst = 0.0L;
  const auto check = [&worst](double x) { worst = std::max(worst, ulps(portable_log(x), std::log(Real{x}))); };
  for (int i = 0; i < 20000; ++i) {
    check(0.5 + 1.5 * random.uniform());
    check(1.0 + 1e-3 * (random.uniform() - 0.5));
    check(std::ldexp(1.0 + random.uniform(), static_cast<int>(random.next() % 2045) - 1022));
  }
  for (const double x : {std::numeric_limits<double>::min(), std::numeric_limits<double>::max(),
                         std::nextafter(1.0, 2.0), std::nextafter(1.0, 0.0), std::sqrt(0.5), std::sqrt(2.0),
                         std::nextafter(std::sqrt(0.5), 0.0), 0.5, 2.0, 10.0, 0x1p-52}) {
    check(x);
  }
  CHECK(worst < 2.0L);
  CHECK(portable_log(1.0) == 0.0);
}

TEST_CASE("the portable exponential is that of long double to 1 unit of the last place", "[synthetic]") {
  Random random(2);
  Real worst = 0.0L;
  const auto check = [&worst](double x) { worst = std::max(worst, ulps(portable_exp(x), std::exp(Real{x}))); };
  for (int i = 0; i < 20000; ++i) {
    check(2.0 * random.uniform() - 1.0);
    check(1400.0 * random.uniform() - 700.0);
  }
  for (const double x : {-699.999, 699.999, -1e-300, 1e-17, 0.34657359027997264, -0.34657359027997264}) check(x);
  CHECK(worst < 1.0L);
  CHECK(portable_exp(0.0) == 1.0);
}

TEST_CASE("the normal quantile inverts the normal distribution", "[synthetic]") {
  Random random(3);
  Real worst = 0.0L;
  Real worst_far_out = 0.0L;
  for (int i = 0; i < 10000; ++i) {
    const double p = (static_cast<double>(random.next() >> 12) + 0.5) * 0x1p-52;
    worst = std::max(worst, quantile_error(p));
    worst = std::max(worst, quantile_error(0.5 + 1e-6 * (p - 0.5)));
    worst = std::max(worst, quantile_error(std::ldexp(p, -static_cast<int>(random.next() % 50))));
    worst_far_out = std::max(worst_far_out, quantile_error(std::ldexp(p, -static_cast<int>(random.next() % 960))));
  }
  // The seams of the three rational functions, and the ends of what normal_deviate asks for.
  const double second_seam = std::exp(-25.0);
  for (const double p : {0.075, std::nextafter(0.075, 0.0), std::nextafter(0.075, 1.0), 0.925, second_seam,
                         second_seam * (1.0 + 1e-14), second_seam * (1.0 - 1e-14), 0x1p-53, 1.0 - 0x1p-53}) {
    worst = std::max(worst, quantile_error(p));
  }
  CHECK(worst < 6e-16L);
  CHECK(worst_far_out < 1e-15L);
  CHECK(normal_quantile(0.5) == 0.0);
}

TEST_CASE("the normal quantile has the values of printed tables", "[synthetic]") {
  // 0.975 and 0.995 are rounded to double, which moves their quantiles.
  CHECK(std::abs(normal_quantile(0.975) - 1.959963984540054235) < 2e-15);
  CHECK(std::abs(normal_quantile(0.995) - 2.575829303548900761) < 5e-15);
  CHECK(std::abs(normal_quantile(0.75) - 0.674489750196081743) < 3e-16);
  CHECK(std::abs(normal_quantile(1e-12) + 7.034483825301131) < 4e-15);
}

TEST_CASE("the normal quantile is odd about one half and grows with the probability", "[synthetic]") {
  // Multiples of 2^-12, so that 1 - p is exact.
  double before = -infinite;
  for (int i = 1; i < 4096; ++i) {
    const double p = i * 0x1p-12;
    const double x = normal_quantile(p);
    if (normal_quantile(1.0 - p) != -x || !(x > before)) FAIL_CHECK("at p = " << p);
    before = x;
  }
}

TEST_CASE("a normal deviate is the quantile of the middle of one of 2^52 cells", "[synthetic]") {
  bool same = true;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto cell = static_cast<double>(collapse::linalg::hash(99, i) >> 12);
    same = same && normal_deviate(99, i) == normal_quantile((cell + 0.5) / 4503599627370496.0);
  }
  CHECK(same);
  CHECK(std::isfinite(normal_quantile(0.5 * 0x1p-52)));
  CHECK(std::isfinite(normal_quantile((4503599627370495.0 + 0.5) * 0x1p-52)));
}

TEST_CASE("normal deviates have the moments and the distribution of N(0, 1)", "[synthetic]") {
  constexpr std::size_t count = std::size_t{1} << 17;
  const double n = static_cast<double>(count);
  std::vector<double> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = normal_deviate(7, i);
  std::array<double, 5> moment{};
  double lagged = 0.0;
  double across_keys = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    double power = 1.0;
    for (std::size_t k = 1; k < 5; ++k) moment[k] += (power *= x[i]) / n;
    if (i > 0) lagged += x[i] * x[i - 1] / n;
    across_keys += x[i] * normal_deviate(8, i) / n;
  }
  // Four standard errors: sqrt(E[x^2k] - E[x^k]^2) over sqrt(n).
  const double error = 4.0 / std::sqrt(n);
  CHECK(std::abs(moment[1]) < error);
  CHECK(std::abs(moment[2] - 1.0) < error * std::sqrt(2.0));
  CHECK(std::abs(moment[3]) < error * std::sqrt(15.0));
  CHECK(std::abs(moment[4] - 3.0) < error * std::sqrt(96.0));
  CHECK(std::abs(lagged) < error);
  CHECK(std::abs(across_keys) < error);

  // Kolmogorov and Smirnov: beyond 1.95 / sqrt(n) once in a thousand seeds.
  std::sort(x.begin(), x.end());
  double distance = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double p = 0.5 * std::erfc(-x[i] / std::sqrt(2.0));
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  CHECK(distance < 1.95 / std::sqrt(n));
}

TEST_CASE("the same seed gives the same numbers on every platform", "[synthetic]") {
  struct Pinned {
    std::string name;
    std::array<double, 3> values;
    std::uint64_t all;
  };
  const std::vector<Pinned> pinned{
      {"isotropic", {0x1.f4b7371ea9da9p-1, 0x1.e65f8c64d2b24p+0, -0x1.c2fde8d92dc78p-2}, 0x4fb52d80e21af312ULL},
      {"low_rank", {0x1.61622b2a7562cp+0, 0x1.14dae850acfc3p-1, 0x1.70f95d39ff445p-2}, 0x6cb8e375d91db0faULL},
      {"power_law", {-0x1.13de0aa1f50c9p-2, -0x1.2e57770118336p-1, 0x1.3a302c900e80bp-2}, 0xe20480313f513c73ULL},
      {"correlated", {0x1.ebfaa58bc723ep+0, 0x1.00519845ff80bp+0, -0x1.528c6941a379dp-1}, 0xf10d70ba2abb379fULL},
      {"duplicated", {0x1.f4b7371ea9da9p-1, 0x1.032f8bb9d9eafp-1, -0x1.2db31d2077ddap-3}, 0x3315ccffda7347b2ULL},
      {"dead_dimensions", {0x1.f4b7371ea9da9p-1, 0x1.e65f8c64d2b24p+0, -0x1.051ef69a86b32p+0}, 0x2298078f4c7304bbULL},
      {"cone", {0x1.c21d977a9f4f8p+1, 0x1.60ff007e4a5dcp+0, -0x1.81f178218c828p+0}, 0xe891ee7862f1041cULL},
      {"clusters", {0x1.c5e9cf3a2015fp-1, -0x1.452304672408dp-1, 0x1.e2b9c4e96616fp+0}, 0xa52719389c46eed3ULL},
      {"around_a_point", {0x1.e7ee600de881bp-2, -0x1.87f59170d552bp-4, -0x1.9a4b98e38bbdep-3}, 0x1fd41bd4990fc22cULL},
      {"constant", {0x1.e6ee023f82ca7p-2, -0x1.8fbdc0be38f34p-4, -0x1.9964b07cb6257p-3}, 0xaead5fbf8de957a6ULL},
  };
  const auto all = generators<double>();
  REQUIRE(pinned.size() == all.size());
  for (std::size_t g = 0; g < all.size(); ++g) {
    CAPTURE(all[g].name);
    REQUIRE(pinned[g].name == all[g].name);
    const Dense<double> z = all[g].make(37, 19, 2024);
    CHECK(z(0, 0) == pinned[g].values[0]);
    CHECK(z(17, 5) == pinned[g].values[1]);
    CHECK(z(36, 18) == pinned[g].values[2]);
    CHECK(fingerprint(z) == pinned[g].all);
  }
}

TEMPLATE_TEST_CASE("a row depends on the seed and its index alone, not on how many there are", "[synthetic]", float,
                   double, Eigen::half, Eigen::bfloat16) {
  for (const auto& [name, make] : generators<TestType>()) {
    CAPTURE(name);
    const Dense<TestType> z = make(53, 11, 5);
    for (const Index n : {0, 1, 15, 17}) {
      CAPTURE(n);
      const Dense<TestType> fewer = make(n, 11, 5);
      CHECK(fewer.rows() == n);
      CHECK(fewer.cols() == 11);
      CHECK(same_bits(fewer.template cast<double>(), z.topRows(n).template cast<double>()));
    }
  }
}

TEST_CASE("synthetic embeddings have the same bits whatever the number of threads", "[synthetic]") {
  for (const auto& [name, make] : generators<double>()) {
    CAPTURE(name);
    const Dense<double> expected = make(130, 9, 6);
    reference::for_thread_counts([&, &make = make](int threads) {
      CAPTURE(threads);
      CHECK(same_bits(make(130, 9, 6), expected));
    });
  }
}

TEST_CASE("another seed gives other numbers, the default seed is 0", "[synthetic]") {
  for (const auto& [name, make] : generators<double>()) {
    CAPTURE(name);
    const Dense<double> z = make(6, 4, 1);
    CHECK(same_bits(make(6, 4, 1), z));
    const Dense<double> other = make(6, 4, 2);
    CHECK((z.array() != other.array()).all());
  }
  CHECK(same_bits(synthetic::isotropic<double>(6, 4), synthetic::isotropic<double>(6, 4, 0)));
  CHECK(same_bits(synthetic::low_rank<double>(6, 4, 2), synthetic::low_rank<double>(6, 4, 2, 0)));
  CHECK(same_bits(synthetic::power_law<double>(6, 4, 1.0), synthetic::power_law<double>(6, 4, 1.0, 0)));
  CHECK(same_bits(synthetic::correlated<double>(6, 4, 0.5), synthetic::correlated<double>(6, 4, 0.5, 0)));
  CHECK(same_bits(synthetic::duplicated<double>(6, 4, 2), synthetic::duplicated<double>(6, 4, 2, 0)));
  CHECK(same_bits(synthetic::dead_dimensions<double>(6, 4, 2), synthetic::dead_dimensions<double>(6, 4, 2, 0)));
  CHECK(same_bits(synthetic::cone<double>(6, 4, 0.5), synthetic::cone<double>(6, 4, 0.5, 0)));
  CHECK(same_bits(synthetic::clusters<double>(6, 4, 2, 0.5), synthetic::clusters<double>(6, 4, 2, 0.5, 0)));
  CHECK(same_bits(synthetic::around_a_point<double>(6, 4, 0.5), synthetic::around_a_point<double>(6, 4, 0.5, 0)));
  CHECK(same_bits(synthetic::constant<double>(6, 4), synthetic::constant<double>(6, 4, 0)));
}

TEST_CASE("what is drawn for different purposes shares no number", "[synthetic]") {
  const Dense<double> rows = synthetic::isotropic<double>(8, 8, 3);
  const Dense<double> centres = synthetic::clusters<double>(8, 8, 8, 0.0, 3);
  const Dense<double> offset = synthetic::dead_dimensions<double>(1, 8, 8, 3);
  std::vector<double> all(rows.data(), rows.data() + rows.size());
  all.insert(all.end(), centres.data(), centres.data() + centres.size());
  all.insert(all.end(), offset.data(), offset.data() + offset.size());
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEMPLATE_TEST_CASE("embeddings of every scalar are those of double, rounded", "[synthetic]", float, Eigen::half,
                   Eigen::bfloat16) {
  const auto narrow = generators<TestType>();
  const auto wide = generators<double>();
  const double half_unit = 0.5 * collapse::linalg::input_epsilon<TestType>();
  for (std::size_t g = 0; g < wide.size(); ++g) {
    CAPTURE(wide[g].name);
    const Dense<double> expected = wide[g].make(40, 7, 12);
    const Dense<double> got = narrow[g].make(40, 7, 12).template cast<double>();
    CHECK(((got - expected).array().abs() <= half_unit * (1.0 + 1e-3) * expected.array().abs() + 1e-7).all());
    if (std::is_same_v<TestType, float>) {
      CHECK(same_bits(got, expected.template cast<float>().template cast<double>()));
    }
  }
}

TEMPLATE_TEST_CASE("numbers are rounded to a 16-bit scalar once", "[synthetic]", Eigen::half, Eigen::bfloat16) {
  // Rounding to float on the way moves about one number in 16000 (half) or 260000 (bfloat16) to the wrong neighbour.
  constexpr Index n = 4000;
  const Dense<double> wide = synthetic::isotropic<double>(n, 100, 1);
  const Dense<TestType> narrow = synthetic::isotropic<TestType>(n, 100, 1);
  Index wrong = 0;
  for (Index d = 0; d < 100; ++d) {
    for (Index i = 0; i < n; ++i) {
      const double distance = std::abs(static_cast<double>(narrow(i, d)) - wide(i, d));
      for (const double other : neighbours(narrow(i, d))) wrong += std::abs(other - wide(i, d)) < distance ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("isotropic embeddings are the deviates of their row and dimension", "[synthetic]") {
  const Dense<double> z = synthetic::isotropic<double>(20, 5, 77);
  for (Index i = 0; i < 20; ++i) {
    const std::uint64_t key = synthetic::detail::key(77, synthetic::detail::Stream::rows, i);
    for (Index d = 0; d < 5; ++d) CHECK(z(i, d) == normal_deviate(key, static_cast<std::uint64_t>(d)));
  }
  const Dense<double> tall = synthetic::isotropic<double>(4000, 6, 1);
  const Eigen::MatrixXd deviation = tall.transpose() * tall / 4000.0 - Eigen::MatrixXd(Eigen::MatrixXd::Identity(6, 6));
  // Four and a half standard errors of a variance.
  CHECK(deviation.cwiseAbs().maxCoeff() < 4.5 * std::sqrt(2.0 / 4000.0));
  CHECK(tall.colwise().mean().cwiseAbs().maxCoeff() < 4.5 / std::sqrt(4000.0));
}

TEMPLATE_TEST_CASE("low rank embeddings have the rank asked for", "[synthetic]", float, double, Eigen::half) {
  for (const Index rank : {1, 2, 5, 12}) {
    CAPTURE(rank);
    const reference::Matrix z = reference::widened(synthetic::low_rank<TestType>(40, 12, rank, 4));
    const reference::Vector sigma = singular_values(z);
    const Real rms = std::sqrt(z.squaredNorm() / 480.0L);
    const Real rounding =
        static_cast<Real>(collapse::linalg::input_epsilon<TestType>()) * rms * (std::sqrt(40.0L) + std::sqrt(12.0L));
    // Twelve random directions in twelve dimensions are all but dependent.
    CHECK(sigma(rank - 1) > 10.0L * rounding);
    if (rank < 12) CHECK(sigma(rank) < rounding);
  }
}

TEST_CASE("low rank embeddings have variance 1 per dimension on average, whatever the rank", "[synthetic]") {
  for (const Index rank : {1, 3, 20}) {
    CAPTURE(rank);
    const Dense<double> z = synthetic::low_rank<double>(3000, 20, rank, 9);
    // The mean squared length is D; it spreads most for one direction, by sqrt(2 / N) of itself.
    CHECK(std::abs(z.squaredNorm() / 60000.0 - 1.0) < 4.0 * std::sqrt(2.0 / 3000.0));
  }
}

TEST_CASE("low rank embeddings are combinations of random directions of equal length", "[synthetic]") {
  const Dense<double> z = synthetic::low_rank<double>(15, 6, 2, 31);
  const Dense<double> weights = synthetic::isotropic<double>(15, 2, 31);
  // Solved for from more rows than directions.
  const Eigen::MatrixXd basis = weights.colPivHouseholderQr().solve(z);
  CHECK(largest_difference(weights * basis, z) < 4e-15);
  CHECK(std::abs(basis.row(0).squaredNorm() - 3.0) < 1e-14);
  CHECK(std::abs(basis.row(1).squaredNorm() - 3.0) < 1e-14);
}

TEST_CASE("a power law is an isotropic sample with its dimensions scaled by k^(-alpha / 2), then rotated",
          "[synthetic]") {
  // The rotation shows in no product of two rows if, and only if, it is orthogonal.
  for (const Index d : {1, 2, 5, 13, 16}) {
    for (const double alpha : {0.0, 1.0, 2.5, 100.0}) {
      CAPTURE(d, alpha);
      const Dense<double> z = synthetic::power_law<double>(2 * d, d, alpha, 21);
      Dense<double> plain = synthetic::isotropic<double>(2 * d, d, 21);
      for (Index k = 0; k < d; ++k) plain.col(k) *= std::pow(static_cast<double>(k + 1), -alpha / 2.0);
      const double scale = (plain * plain.transpose()).cwiseAbs().maxCoeff();
      CHECK(largest_difference(z * z.transpose(), plain * plain.transpose()) < 8e-15 * scale);
      const reference::Vector sigma = singular_values(reference::widened(z));
      const reference::Vector expected = singular_values(reference::widened(plain));
      CHECK((sigma - expected).cwiseAbs().maxCoeff() < 4e-15L * expected(0));
    }
  }
}

TEST_CASE("the covariance of a power law has the eigenvalues k^-alpha", "[synthetic]") {
  constexpr Index n = 8000;
  constexpr Index d = 12;
  for (const double alpha : {0.5, 1.0, 2.0}) {
    CAPTURE(alpha);
    const Dense<double> z = synthetic::power_law<double>(n, d, alpha, 8);
    const reference::Vector sigma = reference::singular_values(reference::widened(z));
    for (Index k = 0; k < d; ++k) {
      CAPTURE(k);
      const auto lambda = static_cast<double>(sigma(k) * sigma(k) / static_cast<Real>(n));
      const double expected = std::pow(static_cast<double>(k + 1), -alpha);
      // Four standard errors of an eigenvalue, and the repulsion of its neighbours.
      CHECK(std::abs(lambda / expected - 1.0) < 4.0 * std::sqrt(2.0 / static_cast<double>(n)) + 0.02);
    }
  }
  const Dense<double> z = synthetic::power_law<double>(n, d, 1.0, 8);
  const collapse::PowerLaw fit = collapse::power_law(collapse::singular_values(z), 1, d);
  CHECK(std::abs(fit.alpha - 1.0) < 0.03);
  CHECK(fit.r2 > 0.998);
}

TEST_CASE("the rotation of a power law is orthogonal", "[synthetic]") {
  for (const Index d : {1, 2, 3, 7, 8, 20, 64}) {
    CAPTURE(d);
    const synthetic::detail::Rotation rotation(d, 5);
    Eigen::MatrixXd q = Eigen::MatrixXd::Identity(d, d);
    for (Index k = 0; k < d; ++k) {
      Eigen::VectorXd column = q.col(k);
      rotation.apply(column);
      q.col(k) = column;
    }
    CHECK(largest_difference(q.transpose() * q, Eigen::MatrixXd::Identity(d, d)) < 4e-15);
    if (d > 1) CHECK(largest_difference(q, Eigen::MatrixXd::Identity(d, d)) > 0.1);
  }
}

TEST_CASE("the rotation of a power law brings every dimension to every other", "[synthetic]") {
  for (const Index d : {2, 3, 4, 5, 6, 8, 12, 16}) {
    CAPTURE(d);
    const synthetic::detail::Rotation rotation(d, 5);
    Index missed = 0;
    for (Index k = 0; k < d; ++k) {
      Eigen::VectorXd column = Eigen::VectorXd::Unit(d, k);
      rotation.apply(column);
      missed += (column.array() == 0.0).count();
    }
    CHECK(missed == 0);
  }
}

TEST_CASE("correlated dimensions are a part of their own and a part in common", "[synthetic]") {
  for (const double correlation : {0.0, 0.25, 0.7, 0.999, 1.0}) {
    CAPTURE(correlation);
    const Dense<double> z = synthetic::correlated<double>(30, 7, correlation, 14);
    const Dense<double> deviates = synthetic::isotropic<double>(30, 8, 14);
    const Eigen::MatrixXd expected =
        std::sqrt(1.0 - correlation) * deviates.leftCols(7) + std::sqrt(correlation) * deviates.col(7).replicate(1, 7);
    CHECK(largest_difference(z, expected) < 2e-15);
  }
  CHECK(same_bits(synthetic::correlated<double>(30, 7, 0.0, 14), synthetic::isotropic<double>(30, 7, 14)));
  const Dense<double> same = synthetic::correlated<double>(30, 7, 1.0, 14);
  CHECK(same_bits(same, same.col(0).replicate(1, 7)));
}

TEST_CASE("every two correlated dimensions have the correlation asked for", "[synthetic]") {
  constexpr double n = 4000.0;
  for (const double correlation : {0.0, 0.3, 0.9}) {
    CAPTURE(correlation);
    const Dense<double> z = synthetic::correlated<double>(4000, 6, correlation, 2);
    const Eigen::MatrixXd r = correlations(z);
    const double error = (1.0 - correlation * correlation) / std::sqrt(n);
    for (Index a = 0; a < 6; ++a) {
      CHECK(std::abs(z.col(a).squaredNorm() / n - 1.0) < 4.0 * std::sqrt(2.0 / n));
      for (Index b = 0; b < a; ++b) CHECK(std::abs(r(a, b) - correlation) < 4.0 * error);
    }
  }
}

TEMPLATE_TEST_CASE("duplicated dimensions repeat the distinct ones", "[synthetic]", float, double, Eigen::half) {
  for (const Index distinct : {1, 3, 10}) {
    CAPTURE(distinct);
    const auto z = synthetic::duplicated<TestType>(25, 10, distinct, 3).template cast<double>().eval();
    const auto own = synthetic::isotropic<TestType>(25, distinct, 3).template cast<double>().eval();
    for (Index d = 0; d < 10; ++d) CHECK(same_bits(z.col(d), own.col(d % distinct)));
  }
}

TEMPLATE_TEST_CASE("dead dimensions have one value in all rows, the others are alive", "[synthetic]", float, double,
                   Eigen::half) {
  for (const Index dead : {0, 1, 4, 9}) {
    CAPTURE(dead);
    const auto z = synthetic::dead_dimensions<TestType>(25, 9, dead, 3).template cast<double>().eval();
    const auto alive = synthetic::isotropic<TestType>(25, 9, 3).template cast<double>().eval();
    CHECK(same_bits(z.leftCols(9 - dead), alive.leftCols(9 - dead)));
    CHECK(same_bits(z.rightCols(dead), z.row(0).tail(dead).replicate(25, 1)));
    // Each has a value of its own.
    for (Index d = 10 - dead; d < 9; ++d) CHECK(z(0, d) != z(0, d - 1));
  }
}

TEST_CASE("a cone is an isotropic sample around a point", "[synthetic]") {
  for (const double cosine : {0.0, 0.2, 0.9, 0.999}) {
    CAPTURE(cosine);
    const Dense<double> z = synthetic::cone<double>(20, 16, cosine, 6);
    const Eigen::MatrixXd offset = z - synthetic::isotropic<double>(20, 16, 6);
    const double length = std::sqrt(16.0 * cosine / (1.0 - cosine));
    CHECK((offset.rowwise() - offset.row(0)).cwiseAbs().maxCoeff() < 2e-16 * (16.0 + 4.0 * length));
    CHECK(std::abs(offset.row(0).norm() - length) < 1e-15 * (10.0 + length));
  }
  CHECK(same_bits(synthetic::cone<double>(20, 16, 0.0, 6), synthetic::isotropic<double>(20, 16, 6)));
}

TEST_CASE("two rows of a cone have the cosine asked for, to O(1 / sqrt(D))", "[synthetic]") {
  constexpr Index d = 400;
  const double unit = 1.0 / std::sqrt(static_cast<double>(d));
  for (const double cosine : {0.0, 0.3, 0.8, 0.99}) {
    CAPTURE(cosine);
    const auto distances =
        reference::distances(reference::unit_rows(reference::widened(synthetic::cone<double>(60, d, cosine, 1))));
    const reference::MeanStd summary = reference::mean_std(distances);
    CHECK(std::abs(static_cast<double>(summary.mean) - (1.0 - cosine)) < 0.5 * unit);
    // A cosine of two isotropic rows spreads by 1 / sqrt(D); in a cone it spreads less.
    CHECK(static_cast<double>(summary.std) < 1.1 * unit);
    CHECK(std::abs(static_cast<double>(distances.front()) - (1.0 - cosine)) < 6.0 * unit);
    CHECK(std::abs(static_cast<double>(distances.back()) - (1.0 - cosine)) < 6.0 * unit);
  }
}

TEST_CASE("rows of clusters lie around their centres, in turn", "[synthetic]") {
  const Dense<double> centres = synthetic::clusters<double>(23, 6, 5, 0.0, 2);
  for (Index i = 0; i < 23; ++i) CHECK(same_bits(centres.row(i), centres.row(i % 5)));
  for (Index k = 1; k < 5; ++k) CHECK((centres.row(k).array() != centres.row(k - 1).array()).all());
  const Dense<double> noise = synthetic::isotropic<double>(23, 6, 2);
  for (const double spread : {1e-6, 0.1, 3.0}) {
    CAPTURE(spread);
    const Dense<double> z = synthetic::clusters<double>(23, 6, 5, spread, 2);
    CHECK(largest_difference(z, centres + spread * noise) < 2e-15 * (1.0 + spread));
  }
}

TEST_CASE("the centres of clusters are N(0, 1) in every dimension", "[synthetic]") {
  const Dense<double> centres = synthetic::clusters<double>(1000, 8, 1000, 0.0, 2);
  const double error = 4.0 / std::sqrt(8000.0);
  CHECK(std::abs(centres.mean()) < error);
  CHECK(std::abs(centres.array().square().mean() - 1.0) < error * std::sqrt(2.0));
  // More clusters than rows: each row has its own.
  CHECK(same_bits(synthetic::clusters<double>(10, 8, 1000, 0.0, 2), centres.topRows(10)));
}

TEST_CASE("rows around a point are that point and noise of the size asked for", "[synthetic]") {
  const Dense<double> point = synthetic::constant<double>(30, 9, 4);
  const Dense<double> noise = synthetic::isotropic<double>(30, 9, 4);
  for (const double size : {1e-12, 1e-4, 1.0, 50.0}) {
    CAPTURE(size);
    CHECK(largest_difference(synthetic::around_a_point<double>(30, 9, size, 4), point + size * noise) <
          1e-15 * (1.0 + size));
  }
  CHECK(same_bits(synthetic::around_a_point<double>(30, 9, 0.0, 4), point));
}

TEMPLATE_TEST_CASE("rows of complete collapse are all the same point of length 1", "[synthetic]", float, double,
                   Eigen::half) {
  for (const Index dims : {1, 2, 30}) {
    CAPTURE(dims);
    const auto z = synthetic::constant<TestType>(40, dims, 4).template cast<double>().eval();
    CHECK(same_bits(z, z.row(0).replicate(40, 1)));
    CHECK(std::abs(z.row(0).norm() - 1.0) <= collapse::linalg::input_epsilon<TestType>());
  }
  // A direction is drawn uniformly: its coordinates are N(0, 1 / D) but for O(1 / D).
  constexpr double d = 2000.0;
  const auto point = synthetic::constant<TestType>(1, 2000, 4).template cast<double>().eval();
  CHECK(std::abs(point.sum()) < 4.0);
  CHECK(std::abs(d * point.array().pow(4).sum() - 3.0) < 4.0 * std::sqrt(96.0 / d));
}

TEST_CASE("the library names the collapse that each generator makes", "[synthetic]") {
  const auto report = [](const Dense<float>& z) { return collapse::measure(z); };
  const auto has = [](const collapse::Report& of, const std::string& kind) {
    const auto& findings = of.diagnosis.findings;
    return std::any_of(findings.begin(), findings.end(), [&kind](const auto& f) { return to_string(f.kind) == kind; });
  };
  constexpr Index n = 200;
  constexpr Index d = 24;
  CHECK(report(synthetic::isotropic<float>(n, d)).diagnosis.verdict == Verdict::healthy);
  CHECK(report(synthetic::power_law<float>(n, d, 0.5)).diagnosis.verdict == Verdict::healthy);
  CHECK(report(synthetic::power_law<float>(n, d, 5.0)).diagnosis.verdict == Verdict::dimensional_collapse);

  const collapse::Report low = report(synthetic::low_rank<float>(n, d, 3));
  CHECK(low.diagnosis.verdict == Verdict::dimensional_collapse);
  CHECK(low.spectrum.numerical_rank == 3);
  CHECK(low.spectrum_uncentered.numerical_rank == 3);

  const collapse::Report copies = report(synthetic::duplicated<float>(n, d, 12));
  CHECK(copies.spectrum.numerical_rank == 12);
  CHECK(has(copies, "redundant_dimensions"));

  const collapse::Report dead = report(synthetic::dead_dimensions<float>(n, d, 7));
  CHECK(dead.variance.dead_dimensions == 7);
  CHECK(dead.spectrum.numerical_rank == d - 7);
  CHECK(has(dead, "dead_dimensions"));

  const collapse::Report cone = report(synthetic::cone<float>(n, d, 0.8));
  CHECK(cone.diagnosis.verdict == Verdict::healthy);
  CHECK(has(cone, "anisotropy"));
  CHECK(cone.spectrum.effective_rank_vs_expected > 0.95);

  // Four centres span three directions around their mean.
  CHECK(report(synthetic::clusters<float>(n, d, 4, 0.0)).spectrum.numerical_rank == 3);

  const collapse::Report near = report(synthetic::around_a_point<float>(n, d, 1e-5));
  CHECK(near.diagnosis.verdict == Verdict::complete_collapse);
  CHECK(near.spectrum.numerical_rank == d);
  for (const Dense<float>& z :
       {Dense<float>(synthetic::around_a_point<float>(n, d, 1e-10)), Dense<float>(synthetic::constant<float>(n, d))}) {
    const collapse::Report below = report(z);
    CHECK(below.diagnosis.verdict == Verdict::complete_collapse);
    CHECK(below.spectrum.numerical_rank == 0);
    CHECK(has(below, "below_precision"));
  }
}

TEMPLATE_TEST_CASE("synthetic embeddings may have no rows, or one dimension", "[synthetic]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [name, make] : generators<TestType>()) {
    CAPTURE(name);
    const Dense<TestType> none = make(0, 3, 1);
    CHECK(none.rows() == 0);
    CHECK(none.cols() == 3);
    const Dense<TestType> one = make(3, 1, 1);
    CHECK(one.rows() == 3);
    CHECK(one.cols() == 1);
    CHECK(one.template cast<double>().allFinite());
  }
}

TEST_CASE("a shape without dimensions or with negative rows is refused and named", "[synthetic]") {
  for (const auto& generator : generators<float>()) {
    CAPTURE(generator.name);
    for (const auto& [rows, dims] : {std::pair<Index, Index>{-1, 5}, {4, 0}, {4, -2}, {-7, 0}}) {
      const auto call = [&generator, n = rows, d = dims] { return generator.make(n, d, 0); };
      const std::string message = refusal<ShapeError>(call);
      CHECK(mentions(message, std::to_string(rows) + " rows"));
      CHECK(mentions(message, std::to_string(dims) + " dimensions"));
      CHECK(message.find('\n') == std::string::npos);
      try {
        static_cast<void>(call());
      } catch (const ShapeError& error) {
        CHECK(error.rows() == rows);
        CHECK(error.cols() == dims);
      }
    }
  }
}

TEST_CASE("a parameter out of its range is refused with its name and value", "[synthetic]") {
  struct Refused {
    std::string generator;
    std::string parameter;
    std::function<Dense<float>()> call;
  };
  std::vector<Refused> all;
  for (const Index rank : {Index{0}, Index{-1}, Index{5}}) {
    all.push_back(
        {"low_rank", fmt::format("rank is {}", rank), [rank] { return synthetic::low_rank<float>(6, 4, rank); }});
    all.push_back({"duplicated", fmt::format("distinct is {}", rank),
                   [rank] { return synthetic::duplicated<float>(6, 4, rank); }});
  }
  for (const Index dead : {Index{-1}, Index{5}}) {
    all.push_back({"dead_dimensions", fmt::format("dead is {}", dead),
                   [dead] { return synthetic::dead_dimensions<float>(6, 4, dead); }});
  }
  for (const double alpha : {-0.5, 100.5, undefined, infinite}) {
    all.push_back(
        {"power_law", fmt::format("alpha is {}", alpha), [alpha] { return synthetic::power_law<float>(6, 4, alpha); }});
  }
  for (const double correlation : {-0.25, 1.25, undefined}) {
    all.push_back({"correlated", fmt::format("correlation is {}", correlation),
                   [correlation] { return synthetic::correlated<float>(6, 4, correlation); }});
  }
  for (const double cosine : {-0.25, 1.0, 1.25, undefined}) {
    all.push_back(
        {"cone", fmt::format("cosine is {}", cosine), [cosine] { return synthetic::cone<float>(6, 4, cosine); }});
  }
  for (const Index count : {Index{0}, Index{-3}}) {
    all.push_back({"clusters", fmt::format("count is {}", count),
                   [count] { return synthetic::clusters<float>(6, 4, count, 0.5); }});
  }
  for (const double size : {-0.5, undefined, infinite}) {
    all.push_back(
        {"clusters", fmt::format("spread is {}", size), [size] { return synthetic::clusters<float>(6, 4, 2, size); }});
    all.push_back({"around_a_point", fmt::format("noise is {}", size),
                   [size] { return synthetic::around_a_point<float>(6, 4, size); }});
  }
  for (const Refused& refused : all) {
    const std::string message = refusal<OptionError>(refused.call);
    CHECK(mentions(message, refused.generator));
    CHECK(mentions(message, refused.parameter + ";"));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("the ends of every parameter's range are legal", "[synthetic]") {
  CHECK(synthetic::low_rank<double>(6, 4, 1).allFinite());
  CHECK(synthetic::low_rank<double>(6, 4, 4).allFinite());
  CHECK(synthetic::duplicated<double>(6, 4, 1).allFinite());
  CHECK(synthetic::duplicated<double>(6, 4, 4).allFinite());
  CHECK(synthetic::dead_dimensions<double>(6, 4, 0).allFinite());
  CHECK(synthetic::dead_dimensions<double>(6, 4, 4).allFinite());
  CHECK(synthetic::power_law<double>(6, 4, 0.0).allFinite());
  CHECK(synthetic::power_law<double>(6, 4, 100.0).allFinite());
  CHECK(synthetic::correlated<double>(6, 4, 0.0).allFinite());
  CHECK(synthetic::correlated<double>(6, 4, 1.0).allFinite());
  CHECK(synthetic::cone<double>(6, 4, 0.0).allFinite());
  CHECK(synthetic::cone<double>(6, 4, std::nextafter(1.0, 0.0)).allFinite());
  CHECK(synthetic::clusters<double>(6, 4, 1, 0.0).allFinite());
  CHECK(synthetic::around_a_point<double>(6, 4, 0.0).allFinite());
}
