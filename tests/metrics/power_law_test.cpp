#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/spectrum.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// sigma_k = scale k^(-alpha / 2), so that lambda_k ~ k^-alpha.
SingularValues decaying(Index count, double alpha, double scale = 1.0) {
  SingularValues result;
  result.values.resize(count);
  for (Index k = 0; k < count; ++k) result.values(k) = scale * std::pow(static_cast<double>(k + 1), -0.5 * alpha);
  result.samples = count + 1;
  result.dims = count;
  return result;
}

SingularValues random_spectrum(Index count, std::uint64_t seed) {
  reference::Random random(seed);
  SingularValues result = decaying(count, 1.0);
  for (double& value : result.values) value = std::exp(random.normal());
  std::sort(result.values.begin(), result.values.end(), [](double a, double b) { return a > b; });
  return result;
}

struct Fit {
  Real alpha, r2;
};

/// Weighted least squares by QR in long double, and the share of the weighted squares that the residuals leave.
Fit by_qr(const Eigen::VectorXd& singular, Index first, Index last) {
  const Index count = last - first + 1;
  reference::Matrix design(count, 2);
  reference::Vector response(count);
  reference::Vector root(count);
  for (Index i = 0; i < count; ++i) {
    const Real k = static_cast<Real>(first + i);
    const Real value = static_cast<Real>(singular(first + i - 1));
    root(i) = 1.0L / std::sqrt(k);
    design(i, 0) = root(i);
    design(i, 1) = root(i) * std::log(k);
    response(i) = -root(i) * std::log(value * value);
  }
  const reference::Vector solution = Eigen::HouseholderQR<reference::Matrix>(design).solve(response);
  const Real mean = response.dot(root) / root.squaredNorm();
  const Real residual = (response - design * solution).squaredNorm();
  return {solution(1), 1.0L - residual / (response - mean * root).squaredNorm()};
}

bool near(double measured, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::abs(expected);
}

bool undefined_fit(const PowerLaw& fit) { return std::isnan(fit.alpha) && std::isnan(fit.r2); }

}  // namespace

TEST_CASE("the exponent of an exact power law is recovered, with a perfect fit", "[power_law]") {
  for (const double alpha : {0.01, 0.5, 1.0, 1.7, 4.0, 20.0}) {
    for (const double scale : {1e-150, 1e-3, 1.0, 1e150}) {
      CAPTURE(alpha, scale);
      const PowerLaw fit = power_law(decaying(120, alpha, scale));
      // Logarithms near 700 have ulps of 1e-13, which a slope of 0.01 feels.
      CHECK(near(fit.alpha, static_cast<Real>(alpha), 1e-13L + 1e-13L / static_cast<Real>(alpha)));
      CHECK(std::abs(fit.r2 - 1.0) < 1e-12);
    }
  }
}

TEST_CASE("the fit of three ranks is the one on paper", "[power_law]") {
  // -ln lambda = 0, ln 2, ln 2 at ranks 1, 2, 3 with weights 1, 1/2, 1/3: the formula with its sums written out.
  SingularValues spectrum = decaying(3, 0.0);
  spectrum.values << 1.0, std::sqrt(0.5), std::sqrt(0.5);
  const Real a = std::log(2.0L);
  const Real b = std::log(3.0L);
  const Real weights = 11.0L / 6.0L;
  const Real mean_x = (a / 2.0L + b / 3.0L) / weights;
  const Real mean_y = (a / 2.0L + a / 3.0L) / weights;
  const Real xy = a * a / 2.0L + b * a / 3.0L - weights * mean_x * mean_y;
  const Real xx = a * a / 2.0L + b * b / 3.0L - weights * mean_x * mean_x;
  const Real yy = a * a / 2.0L + a * a / 3.0L - weights * mean_y * mean_y;
  const PowerLaw fit = power_law(spectrum, 1, 3);
  CHECK(near(fit.alpha, xy / xx, 1e-14L));
  CHECK(near(fit.r2, xy * xy / (xx * yy), 1e-14L));
}

TEST_CASE("the fit is that of a QR in long double, over any range", "[power_law]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const SingularValues spectrum = random_spectrum(150, seed);
    for (const auto& [first, last] :
         {std::pair<Index, Index>{11, 100}, {1, 3}, {1, 150}, {148, 150}, {2, 40}, {50, 51 + 40}}) {
      CAPTURE(seed, first, last);
      const Fit expected = by_qr(spectrum.values, first, last);
      const PowerLaw fit = power_law(spectrum, first, last);
      CHECK(near(fit.alpha, expected.alpha, 1e-12L));
      CHECK(near(fit.r2, expected.r2, 1e-12L));
      CHECK(fit.r2 <= 1.0 + 1e-15);
      CHECK(fit.r2 >= 0.0);
    }
    CHECK(power_law(spectrum).alpha == power_law(spectrum, 11, 100).alpha);
  }
}

TEST_CASE("ranks outside the range have no say", "[power_law]") {
  const SingularValues plain = random_spectrum(150, 7);
  SingularValues changed = plain;
  changed.values.head(10) *= 1e6;
  changed.values.tail(50) *= 1e-6;
  CHECK(power_law(changed).alpha == power_law(plain).alpha);
  CHECK(power_law(changed).r2 == power_law(plain).r2);
  // The first and the last rank of the range do.
  changed = plain;
  changed.values(10) *= 1.001;
  CHECK(power_law(changed).alpha != power_law(plain).alpha);
  changed = plain;
  changed.values(99) *= 0.999;
  CHECK(power_law(changed).alpha != power_law(plain).alpha);
}

TEST_CASE("a range beyond the last value ends there", "[power_law]") {
  const SingularValues spectrum = random_spectrum(40, 8);
  const PowerLaw expected = power_law(spectrum, 5, 40);
  for (const Index last : {Index{41}, Index{100}, std::numeric_limits<Index>::max()}) {
    CHECK(power_law(spectrum, 5, last).alpha == expected.alpha);
    CHECK(power_law(spectrum, 5, last).r2 == expected.r2);
  }
}

TEST_CASE("values at or below the noise floor are no part of the fit", "[power_law]") {
  SingularValues noisy = random_spectrum(60, 9);
  noisy.noise_floor = noisy.values(30);
  SingularValues clean = noisy;
  clean.noise_floor = 0.0;
  clean.values.tail(30).setZero();
  SingularValues alone = clean;
  alone.values.conservativeResize(30);
  const Fit expected = by_qr(noisy.values, 11, 30);
  for (const SingularValues& spectrum : {noisy, clean, alone}) {
    CHECK(near(power_law(spectrum).alpha, expected.alpha, 1e-12L));
    CHECK(power_law(spectrum).alpha == power_law(noisy).alpha);
    CHECK(power_law(spectrum).r2 == power_law(noisy).r2);
  }
}

TEST_CASE("fewer than three values in the range have no exponent", "[power_law]") {
  for (const Index count : {0, 1, 10, 11, 12}) {
    CAPTURE(count);
    CHECK(undefined_fit(power_law(decaying(count, 1.0))));
  }
  CHECK_FALSE(undefined_fit(power_law(decaying(13, 1.0))));
  const SingularValues spectrum = decaying(100, 1.0);
  CHECK(undefined_fit(power_law(spectrum, 20, 21)));
  CHECK_FALSE(undefined_fit(power_law(spectrum, 20, 22)));
  CHECK(undefined_fit(power_law(spectrum, 20, 19)));
  CHECK(undefined_fit(power_law(spectrum, 99, 200)));
  CHECK_FALSE(undefined_fit(power_law(spectrum, 98, 200)));
  CHECK(undefined_fit(power_law(spectrum, 101, 200)));
  CHECK(undefined_fit(power_law(spectrum, std::numeric_limits<Index>::max() - 5, std::numeric_limits<Index>::max())));
  SingularValues below = spectrum;
  below.noise_floor = spectrum.values(12);
  CHECK(undefined_fit(power_law(below)));
  below.noise_floor = spectrum.values(13);
  CHECK_FALSE(undefined_fit(power_law(below)));
}

TEST_CASE("a flat spectrum has exponent 0 and no coefficient of determination", "[power_law]") {
  for (const double value : {1.0, 2.0, 0.3, 7.0, 1e-150, 1e150, 5e-324}) {
    for (const Index count : {13, 40, 200}) {
      CAPTURE(value, count);
      const PowerLaw fit = power_law(decaying(count, 0.0, value));
      CHECK(std::abs(fit.alpha) < 1e-12);
      CHECK(std::isnan(fit.r2));
    }
  }
}

TEST_CASE("scale has no influence on the exponent", "[power_law]") {
  const SingularValues plain = random_spectrum(120, 10);
  const PowerLaw expected = power_law(plain);
  for (const double scale : {1e-300, 1e-150, 1e-6, 1e150, 1e300}) {
    CAPTURE(scale);
    SingularValues spectrum = plain;
    spectrum.values *= scale;
    CHECK(near(power_law(spectrum).alpha, static_cast<Real>(expected.alpha), 1e-12L));
    CHECK(near(power_law(spectrum).r2, static_cast<Real>(expected.r2), 1e-12L));
  }
  // Whole multiples of the smallest denormal are exact.
  SingularValues whole = plain;
  whole.values = (1e4 * plain.values).array().ceil();
  SingularValues denormal = whole;
  denormal.values *= 5e-324;
  CHECK(near(power_law(denormal).alpha, static_cast<Real>(power_law(whole).alpha), 1e-12L));
}

TEMPLATE_TEST_CASE("the exponent of embeddings is that of their singular values", "[power_law]", float, double,
                   Eigen::half) {
  // Rows +-a_k e_k have the singular values sqrt(2) a_k, the mean 0.
  constexpr Index dims = 40;
  for (const double alpha : {0.5, 1.0, 2.0}) {
    Dense<TestType> z = Dense<TestType>::Zero(2 * dims, dims);
    Eigen::VectorXd singular(dims);
    for (Index k = 0; k < dims; ++k) {
      z(2 * k, k) = reference::narrow<TestType>(std::pow(static_cast<double>(k + 1), -0.5 * alpha));
      z(2 * k + 1, k) = -z(2 * k, k);
      singular(k) = static_cast<double>(reference::widen(z(2 * k, k)));
    }
    for (const SpectrumMethod method : {SpectrumMethod::gram, SpectrumMethod::svd}) {
      for (const Centring centring : {Centring::centred, Centring::uncentred}) {
        CAPTURE(alpha, method == SpectrumMethod::gram, centring == Centring::centred);
        const Spectrum block = spectrum(z, {.method = method}, centring);
        const Fit expected = by_qr(singular, 11, dims);
        CHECK(near(block.alpha, expected.alpha, 1e-12L));
        CHECK(near(block.alpha_r2, expected.r2, 1e-12L));
        const Spectrum other = spectrum(z, {.method = method, .alpha_first = 2, .alpha_last = 20}, centring);
        CHECK(near(other.alpha, by_qr(singular, 2, 20).alpha, 1e-12L));
        // Rounding to the scalar is all that parts it from the law.
        CHECK(std::abs(other.alpha - alpha) < 4.0 * linalg::input_epsilon<TestType>() + 1e-13);
      }
    }
  }
}

TEST_CASE("order and rotation of the rows leave the exponent", "[power_law]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{90, 30}, {30, 90}}) {
    Dense<double> z = reference::gaussian<double>(n, d, 11, 0.2);
    for (Index j = 0; j < d; ++j) z.col(j) /= 1.0 + static_cast<double>(j);
    const double expected = spectrum(z).alpha;
    const Dense<double> q = Eigen::HouseholderQR<Dense<double>>(reference::gaussian<double>(d, d, 12)).householderQ();
    CHECK(std::abs(spectrum(z.colwise().reverse()).alpha / expected - 1.0) < 1e-12);
    CHECK(std::abs(spectrum(z * q).alpha / expected - 1.0) < 1e-12);
    CHECK(std::abs(spectrum(1e150 * z).alpha / expected - 1.0) < 1e-12);
    const reference::RowMajor<double> row_major = z;
    CHECK(spectrum(row_major).alpha == expected);
  }
}

TEST_CASE("embeddings of few directions have no exponent in the default range", "[power_law]") {
  CHECK(std::isnan(spectrum(reference::gaussian<double>(1, 50)).alpha));
  CHECK(std::isnan(spectrum(reference::gaussian<double>(30, 1)).alpha));
  CHECK(std::isnan(spectrum(reference::gaussian<double>(13, 50)).alpha));
  CHECK_FALSE(std::isnan(spectrum(reference::gaussian<double>(14, 50)).alpha));
  CHECK_FALSE(std::isnan(spectrum(reference::gaussian<double>(13, 50), {}, Centring::uncentred).alpha));
  CHECK(std::isnan(spectrum(Dense<double>(Dense<double>::Constant(50, 50, 3.0))).alpha));
  const Dense<double> low = reference::gaussian<double>(60, 12, 1) * reference::gaussian<double>(12, 50, 2);
  CHECK(std::isnan(spectrum(low).alpha));
  CHECK_FALSE(std::isnan(spectrum(low, {.alpha_first = 1}).alpha));
}
