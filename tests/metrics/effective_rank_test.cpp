#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/spectrum_of.hpp"

#include <collapse/metrics/spectrum.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;
using reference::RowMajor;
using reference::spectrum_of;

namespace {

std::vector<double> descending(Index count, std::uint64_t seed) {
  reference::Random random(seed);
  std::vector<double> values;
  for (Index k = 0; k < count; ++k) values.push_back(std::exp(3.0 * random.normal()));
  std::sort(values.rbegin(), values.rend());
  return values;
}

bool near(double measured, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::abs(expected);
}

/// Every number that depends on the shares alone.
std::vector<double> shape_numbers(const SingularValues& values) {
  std::vector<double> result{effective_rank(values),      effective_rank(values, 1e-7), entropy_rank(values),
                             participation_ratio(values), stable_rank(values),          condition_number(values),
                             energy_share(values, 1),     energy_share(values, 10),     energy_share(values, 1000000)};
  for (const double share : {0.5, 0.9, 0.95, 0.99}) {
    result.push_back(static_cast<double>(rank_for_share(values, share).value_or(-1)));
  }
  return result;
}

struct Expected {
  Real effective, entropy, participation, stable, condition, top1, top10;
  Index rank_90, rank_95, rank_99;
};

/// From the definitions, value by value. The entropy as ln T - (1/T) sum w ln w.
Expected by_loops(const reference::Vector& singular) {
  Real sum = 0.0L, sum_log = 0.0L, energy = 0.0L, energy_log = 0.0L, fourth = 0.0L;
  for (const Real value : singular) {
    const Real square = value * value;
    sum += value;
    sum_log += value * std::log(value);
    energy += square;
    energy_log += square * std::log(square);
    fourth += square * square;
  }
  const auto rank_of = [&](Real share) {
    // From the other end: components that may go while the rest still holds the share.
    Real tail = 0.0L;
    Index kept = singular.size();
    while (kept > 1 && tail + singular(kept - 1) * singular(kept - 1) <= (1.0L - share) * energy) {
      tail += singular(kept - 1) * singular(kept - 1);
      --kept;
    }
    return kept;
  };
  const Real largest = singular(0) * singular(0);
  return {sum * std::exp(-sum_log / sum),
          energy * std::exp(-energy_log / energy),
          energy * energy / fourth,
          energy / largest,
          singular(0) / singular(singular.size() - 1),
          largest / energy,
          singular.head(std::min<Index>(10, singular.size())).squaredNorm() / energy,
          rank_of(0.90L),
          rank_of(0.95L),
          rank_of(0.99L)};
}

void check_block(const Spectrum& block, const Expected& expected, Real tolerance) {
  CHECK(near(block.effective_rank, expected.effective, tolerance));
  CHECK(near(block.entropy_rank, expected.entropy, tolerance));
  CHECK(near(block.participation_ratio, expected.participation, tolerance));
  CHECK(near(block.stable_rank, expected.stable, tolerance));
  CHECK(near(block.condition_number, expected.condition, tolerance));
  CHECK(near(block.top1_share, expected.top1, tolerance));
  CHECK(near(block.top10_share, expected.top10, tolerance));
  CHECK(block.rank_90 == std::optional(expected.rank_90));
  CHECK(block.rank_95 == std::optional(expected.rank_95));
  CHECK(block.rank_99 == std::optional(expected.rank_99));
}

/// Rows +a_k e_k and -a_k e_k: the mean is 0 and the singular values are sqrt(2) |a_k|, exactly known.
template <class Scalar>
Dense<Scalar> plus_minus(const std::vector<double>& lengths) {
  const auto dims = static_cast<Index>(lengths.size());
  Dense<Scalar> z = Dense<Scalar>::Zero(2 * dims, dims);
  for (Index k = 0; k < dims; ++k) {
    z(2 * k, k) = reference::narrow<Scalar>(lengths[static_cast<std::size_t>(k)]);
    z(2 * k + 1, k) = reference::narrow<Scalar>(-lengths[static_cast<std::size_t>(k)]);
  }
  return z;
}

Dense<double> orthogonal(Index dims, std::uint64_t seed) {
  return Eigen::HouseholderQR<Dense<double>>(reference::gaussian<double>(dims, dims, seed)).householderQ();
}

const Options by_gram{.method = SpectrumMethod::gram};
const Options by_svd{.method = SpectrumMethod::svd};

bool close(const Spectrum& a, const Spectrum& b, double tolerance) {
  const auto same = [tolerance](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= tolerance * std::abs(y);
  };
  return same(a.effective_rank, b.effective_rank) && same(a.entropy_rank, b.entropy_rank) &&
         same(a.participation_ratio, b.participation_ratio) && same(a.stable_rank, b.stable_rank) &&
         same(a.condition_number, b.condition_number) && same(a.top1_share, b.top1_share) &&
         same(a.top10_share, b.top10_share) && same(a.alpha, b.alpha) && a.numerical_rank == b.numerical_rank &&
         a.rank_90 == b.rank_90 && a.rank_95 == b.rank_95 && a.rank_99 == b.rank_99;
}

}  // namespace

TEST_CASE("every rank of k equal singular values is k", "[effective_rank]") {
  for (const Index k : {1, 2, 3, 7, 20, 100, 333}) {
    for (const double scale : {5e-324, 1e-300, 1e-150, 1.0, 0.3, 1e150, 1e300}) {
      for (const Index zeros : {0, 4}) {
        CAPTURE(k, scale, zeros);
        std::vector<double> values(static_cast<std::size_t>(k), scale);
        values.resize(static_cast<std::size_t>(k + zeros), 0.0);
        const SingularValues spectrum = spectrum_of(values);
        CHECK(near(effective_rank(spectrum), static_cast<Real>(k), 1e-14L));
        CHECK(near(entropy_rank(spectrum), static_cast<Real>(k), 1e-14L));
        CHECK(participation_ratio(spectrum) == static_cast<double>(k));
        CHECK(stable_rank(spectrum) == static_cast<double>(k));
        CHECK(information_abundance(spectrum) == static_cast<double>(k));
        CHECK(condition_number(spectrum) == 1.0);
        CHECK(energy_share(spectrum, 1) == 1.0 / static_cast<double>(k));
        CHECK(energy_share(spectrum, k) == 1.0);
        CHECK(energy_share(spectrum, k + 50) == 1.0);
        CHECK(rank_for_share(spectrum, 0.9) == std::optional((9 * k + 9) / 10));
        CHECK(rank_for_share(spectrum, 0.95) == std::optional((19 * k + 19) / 20));
        CHECK(rank_for_share(spectrum, 0.99) == std::optional((99 * k + 99) / 100));
        CHECK(rank_for_share(spectrum, 1.0) == std::optional(k));
      }
    }
  }
}

TEST_CASE("ranks of two singular values 3 and 1 are those on paper", "[effective_rank]") {
  const SingularValues spectrum = spectrum_of({3.0, 1.0});
  // Shares 3/4 and 1/4 of the values, 9/10 and 1/10 of their squares.
  CHECK(near(effective_rank(spectrum), 4.0L / std::pow(3.0L, 0.75L), 1e-15L));
  CHECK(near(entropy_rank(spectrum), 10.0L / std::pow(9.0L, 0.9L), 1e-15L));
  CHECK(near(participation_ratio(spectrum), 100.0L / 82.0L, 1e-15L));
  CHECK(near(stable_rank(spectrum), 10.0L / 9.0L, 1e-15L));
  CHECK(near(information_abundance(spectrum), 4.0L / 3.0L, 1e-15L));
  CHECK(near(condition_number(spectrum), 3.0L, 1e-15L));
  CHECK(near(energy_share(spectrum, 1), 0.9L, 1e-15L));
  CHECK(rank_for_share(spectrum, 0.89) == std::optional<Index>(1));
  CHECK(rank_for_share(spectrum, 0.91) == std::optional<Index>(2));
}

TEST_CASE("ranks of a geometric spectrum are those of the geometric distribution", "[effective_rank]") {
  // Eigenvalues 2^-k: what is cut off after 120 of them is below 1e-17 of the singular values too.
  std::vector<double> values;
  for (int k = 0; k < 120; ++k) values.push_back(std::pow(2.0, -0.5 * k));
  const SingularValues spectrum = spectrum_of(values);
  const Real ratio = std::sqrt(0.5L);
  const Real entropy = -std::log(1.0L - ratio) - ratio / (1.0L - ratio) * std::log(ratio);
  CHECK(near(effective_rank(spectrum), std::exp(entropy), 1e-14L));
  CHECK(near(entropy_rank(spectrum), 4.0L, 1e-14L));
  CHECK(near(participation_ratio(spectrum), 3.0L, 1e-14L));
  CHECK(near(stable_rank(spectrum), 2.0L, 1e-14L));
  CHECK(near(condition_number(spectrum), std::pow(2.0L, 59.5L), 1e-14L));
  CHECK(near(energy_share(spectrum, 1), 0.5L, 1e-14L));
  CHECK(near(energy_share(spectrum, 10), 1.0L - 0x1p-10L, 1e-14L));
  // 1 - 2^-k reaches 0.9, 0.95 and 0.99 at k = 4, 5 and 7.
  CHECK(rank_for_share(spectrum, 0.90) == std::optional<Index>(4));
  CHECK(rank_for_share(spectrum, 0.95) == std::optional<Index>(5));
  CHECK(rank_for_share(spectrum, 0.99) == std::optional<Index>(7));
}

TEST_CASE("a share that components hold exactly is held", "[effective_rank]") {
  // Shares of quarters are exact in binary.
  const SingularValues spectrum = spectrum_of({0.7, 0.7, 0.7, 0.7});
  CHECK(rank_for_share(spectrum, 0.25) == std::optional<Index>(1));
  CHECK(rank_for_share(spectrum, 0.5) == std::optional<Index>(2));
  CHECK(rank_for_share(spectrum, 0.75) == std::optional<Index>(3));
  CHECK(rank_for_share(spectrum, std::nextafter(0.75, 1.0)) == std::optional<Index>(4));
  CHECK(energy_share(spectrum, 3) == 0.75);
}

TEST_CASE("ranks of spectra over many magnitudes are those of long double loops", "[effective_rank]") {
  for (const Index count : {1, 2, 5, 9, 10, 11, 64, 700}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      CAPTURE(count, seed);
      const SingularValues values = spectrum_of(descending(count, seed));
      check_block(spectrum(values), by_loops(values.values.cast<Real>()), 1e-13L);
    }
  }
}

TEST_CASE("ranks are ordered: stable, participation, entropy, effective, numerical", "[effective_rank]") {
  for (const Index count : {1, 2, 3, 10, 50}) {
    for (std::uint64_t seed = 10; seed < 30; ++seed) {
      CAPTURE(count, seed);
      const SingularValues values = spectrum_of(descending(count, seed));
      constexpr double rounding = 1.0 + 1e-14;
      CHECK(1.0 <= stable_rank(values) * rounding);
      CHECK(stable_rank(values) <= participation_ratio(values) * rounding);
      CHECK(participation_ratio(values) <= entropy_rank(values) * rounding);
      CHECK(entropy_rank(values) <= effective_rank(values) * rounding);
      CHECK(effective_rank(values) <= static_cast<double>(values.above_floor()) * rounding);
      CHECK(condition_number(values) >= 1.0);
      Index before = 0;
      for (const double share : {0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
        const Index rank = rank_for_share(values, share).value();
        CHECK(rank >= std::max<Index>(before, 1));
        CHECK(rank <= count);
        CHECK(energy_share(values, rank) >= share / rounding);
        if (rank > 1) CHECK(energy_share(values, rank - 1) < share * rounding);
        before = rank;
      }
    }
  }
}

TEST_CASE("values at or below the noise floor count as zero in every number", "[effective_rank]") {
  std::vector<double> values = descending(40, 3);
  const double floor = values[25];
  const SingularValues noisy = spectrum_of(values, floor);
  std::fill(values.begin() + 25, values.end(), 0.0);
  const SingularValues clean = spectrum_of(values);
  CHECK(noisy.above_floor() == 25);
  CHECK(shape_numbers(noisy) == shape_numbers(clean));
  values.resize(25);
  const SingularValues alone = spectrum_of(values);
  CHECK(effective_rank(noisy) == effective_rank(alone));
  CHECK(condition_number(noisy) == condition_number(alone));
  // With an epsilon the zeros take part.
  CHECK(effective_rank(noisy, 1e-3) > effective_rank(alone, 1e-3));
  const Spectrum block = spectrum(noisy);
  CHECK(block.numerical_rank == 25);
  CHECK(block.below_noise_floor == 15);
  CHECK(block.noise_floor == floor);
}

TEST_CASE("scale has no influence on any rank or share", "[effective_rank]") {
  // Whole numbers, so that multiples of the smallest denormal are exact; powers of two leave every bit.
  std::vector<double> plain = descending(30, 5);
  for (double& value : plain) value = std::ceil(1000.0 * value);
  const std::vector<double> expected = shape_numbers(spectrum_of(plain, 2000.0));
  for (const double scale : {5e-324, 0x1p-900, 0x1p-500, 0x1p500, 0x1p900}) {
    CAPTURE(scale);
    std::vector<double> values = plain;
    for (double& value : values) value *= scale;
    CHECK(shape_numbers(spectrum_of(values, 2000.0 * scale)) == expected);
  }
}

TEST_CASE("the epsilon is added to every share, also those of zeros", "[effective_rank]") {
  for (const double epsilon : {1e-7, 1e-5, 1e-3}) {
    for (const auto& [count, zeros] : {std::pair<Index, Index>{1, 0}, {3, 0}, {3, 5}, {40, 200}}) {
      CAPTURE(epsilon, count, zeros);
      std::vector<double> values(static_cast<std::size_t>(count), 0.6);
      values.resize(static_cast<std::size_t>(count + zeros), 0.0);
      const Real e = static_cast<Real>(epsilon);
      const Real share = 1.0L / static_cast<Real>(count) + e;
      const Real entropy =
          -static_cast<Real>(count) * share * std::log(share) - static_cast<Real>(zeros) * e * std::log(e);
      CHECK(near(effective_rank(spectrum_of(values), epsilon), std::exp(entropy), 1e-13L));
    }
    std::vector<double> values = descending(30, 9);
    Real sum = 0.0L, entropy = 0.0L;
    for (const double value : values) sum += static_cast<Real>(value);
    for (const double value : values) {
      const Real share = static_cast<Real>(value) / sum + static_cast<Real>(epsilon);
      entropy -= share * std::log(share);
    }
    CHECK(near(effective_rank(spectrum_of(values), epsilon), std::exp(entropy), 1e-13L));
  }
  const SingularValues values = spectrum_of(descending(30, 9));
  CHECK(effective_rank(values, 0.0) == effective_rank(values));
}

TEST_CASE("a spectrum of zeros has no ranks, and its effective rank is 0 where rows are equal", "[effective_rank]") {
  const auto check_undefined = [](const SingularValues& values) {
    CHECK(std::isnan(entropy_rank(values)));
    CHECK(std::isnan(participation_ratio(values)));
    CHECK(std::isnan(stable_rank(values)));
    CHECK(std::isnan(information_abundance(values)));
    CHECK(std::isnan(condition_number(values)));
    CHECK(std::isnan(energy_share(values, 1)));
    CHECK(std::isnan(energy_share(values, 10)));
    CHECK_FALSE(rank_for_share(values, 0.9).has_value());
    const Spectrum block = spectrum(values);
    CHECK(std::isnan(block.entropy_rank));
    CHECK(std::isnan(block.participation_ratio));
    CHECK(std::isnan(block.stable_rank));
    CHECK(std::isnan(block.condition_number));
    CHECK(std::isnan(block.top1_share));
    CHECK(std::isnan(block.top10_share));
    CHECK_FALSE(block.rank_90.has_value());
    CHECK_FALSE(block.rank_95.has_value());
    CHECK_FALSE(block.rank_99.has_value());
    CHECK(std::isnan(block.alpha));
    CHECK(std::isnan(block.alpha_r2));
    CHECK(block.numerical_rank == 0);
    CHECK(block.below_noise_floor == values.values.size());
  };
  for (const double floor : {0.0, 1.0}) {
    SingularValues values = spectrum_of({floor, floor / 2.0, 0.0}, floor);
    check_undefined(values);
    CHECK(effective_rank(values) == 0.0);
    CHECK(effective_rank(values, 1e-7) == 0.0);
    CHECK(spectrum(values).effective_rank == 0.0);
    CHECK(spectrum(values).effective_rank_ratio == 0.0);
    CHECK(spectrum(values).effective_rank_vs_expected == 0.0);

    values.centred = false;
    check_undefined(values);
    CHECK(std::isnan(effective_rank(values)));
    CHECK(std::isnan(effective_rank(values, 1e-7)));
    CHECK(std::isnan(spectrum(values).effective_rank_ratio));
    CHECK(std::isnan(spectrum(values).effective_rank_vs_expected));

    values = spectrum_of({0.0}, floor);
    values.samples = 1;
    values.dims = 3;
    check_undefined(values);
    CHECK(std::isnan(effective_rank(values)));
    CHECK(std::isnan(spectrum(values).effective_rank_ratio));
    CHECK(std::isnan(spectrum(values).expected_effective_rank));
  }
}

TEST_CASE("the block of a spectrum is what the functions say of it", "[effective_rank]") {
  SingularValues values = spectrum_of(descending(60, 7), 1e-2);
  values.method = SpectrumMethod::svd;
  for (const bool centred : {true, false}) {
    for (const Index samples : {60, 61, 1000}) {
      values.centred = centred;
      values.samples = samples;
      CAPTURE(centred, samples);
      const Spectrum block = spectrum(values, {.alpha_first = 2, .alpha_last = 9});
      CHECK(reference::same_bits(block.singular_values, values.values));
      CHECK(block.method == SpectrumMethod::svd);
      CHECK(block.numerical_rank == values.above_floor());
      CHECK(block.below_noise_floor == 60 - values.above_floor());
      CHECK(block.effective_rank == effective_rank(values));
      CHECK(block.effective_rank_ratio ==
            effective_rank(values) / static_cast<double>(std::min<Index>(centred ? samples - 1 : samples, 60)));
      CHECK(block.entropy_rank == entropy_rank(values));
      CHECK(block.participation_ratio == participation_ratio(values));
      CHECK(block.stable_rank == stable_rank(values));
      CHECK(block.information_abundance == information_abundance(values));
      CHECK(block.condition_number == condition_number(values));
      CHECK(block.top1_share == energy_share(values, 1));
      CHECK(block.top10_share == energy_share(values, 10));
      CHECK(block.rank_90 == rank_for_share(values, 0.90));
      CHECK(block.rank_95 == rank_for_share(values, 0.95));
      CHECK(block.rank_99 == rank_for_share(values, 0.99));
      CHECK(block.alpha == power_law(values, 2, 9).alpha);
      CHECK(block.alpha_r2 == power_law(values, 2, 9).r2);
      CHECK(block.alpha != power_law(values).alpha);
      CHECK(block.expected_effective_rank == expected_effective_rank(centred ? samples - 1 : samples, 60));
      CHECK(block.effective_rank_vs_expected == block.effective_rank / block.expected_effective_rank);
    }
  }
}

TEMPLATE_TEST_CASE("ranks of rows along the axes are those of their lengths", "[effective_rank]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  // Lengths that every scalar holds exactly.
  const std::vector<double> lengths{7.0, 5.0, 4.0, 3.0, 3.0, 2.0, 1.5, 1.0, 1.0, 0.75, 0.5, 0.5};
  const Dense<TestType> z = plus_minus<TestType>(lengths);
  reference::Vector singular(12);
  for (Index k = 0; k < 12; ++k)
    singular(k) = std::sqrt(2.0L) * static_cast<Real>(lengths[static_cast<std::size_t>(k)]);
  const Expected expected = by_loops(singular);
  for (const Options& options : {by_gram, by_svd}) {
    for (const Centring centring : {Centring::centred, Centring::uncentred}) {
      CAPTURE(options.method == SpectrumMethod::gram, centring == Centring::centred);
      const Spectrum block = spectrum(z, options, centring);
      check_block(block, expected, 1e-14L);
      CHECK(block.numerical_rank == 12);
      CHECK(block.below_noise_floor == 0);
      CHECK(block.method == options.method);
      CHECK(near(block.effective_rank_ratio, expected.effective / 12.0L, 1e-14L));
      CHECK(block.expected_effective_rank == expected_effective_rank(centring == Centring::centred ? 23 : 24, 12));
    }
    CHECK(near(effective_rank(z, options), expected.effective, 1e-14L));
    CHECK(near(rankme(z, options), expected.effective, 1e-14L));
    CHECK(near(entropy_rank(z, options), expected.entropy, 1e-14L));
    CHECK(near(participation_ratio(z, options), expected.participation, 1e-14L));
    CHECK(near(stable_rank(z, options), expected.stable, 1e-14L));
  }
}

TEMPLATE_TEST_CASE("one-hot rows have rank N uncentred and N - 1 centred", "[effective_rank]", float, double,
                   Eigen::half) {
  for (const Index n : {2, 3, 8, 31}) {
    for (const Index d : {n, n + 9}) {
      for (const Options& options : {by_gram, by_svd}) {
        CAPTURE(n, d, options.method == SpectrumMethod::gram);
        const Dense<TestType> z = Dense<TestType>::Identity(n, d);
        const Spectrum centred = spectrum(z, options);
        const Spectrum as_is = spectrum(z, options, Centring::uncentred);
        CHECK(centred.numerical_rank == n - 1);
        CHECK(near(centred.effective_rank, static_cast<Real>(n - 1), 1e-13L));
        CHECK(near(centred.effective_rank_ratio, 1.0L, 1e-13L));
        CHECK(near(centred.participation_ratio, static_cast<Real>(n - 1), 1e-13L));
        CHECK(as_is.numerical_rank == n);
        CHECK(near(as_is.effective_rank, static_cast<Real>(n), 1e-13L));
        CHECK(near(as_is.effective_rank_ratio, 1.0L, 1e-13L));
        CHECK(near(as_is.stable_rank, static_cast<Real>(n), 1e-13L));
      }
    }
  }
}

TEMPLATE_TEST_CASE("every number of the block is that of a Jacobi SVD in long double", "[effective_rank]", float,
                   double, Eigen::half, Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{90, 20}, {20, 90}, {40, 3}, {2, 30}}) {
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 5, 0.5);
    const reference::Matrix wide = reference::widened(z);
    for (const Centring centring : {Centring::centred, Centring::uncentred}) {
      const bool centred = centring == Centring::centred;
      const reference::Matrix x = centred ? reference::centred(wide) : wide;
      // The last value of centred rows is 0 in exact arithmetic when there are fewer rows than dimensions.
      const reference::Vector singular =
          Eigen::JacobiSVD<reference::Matrix>(x).singularValues().head(std::min(centred ? n - 1 : n, d));
      for (const Options& options : {by_gram, by_svd}) {
        CAPTURE(n, d, centred, options.method == SpectrumMethod::gram);
        check_block(spectrum(z, options, centring), by_loops(singular), 1e-13L);
      }
    }
  }
}

TEST_CASE("rankme with an epsilon is the code of its paper", "[effective_rank]") {
  const Dense<double> z = reference::gaussian<double>(50, 12, 8) * reference::gaussian<double>(12, 30, 9);
  reference::Vector singular = reference::singular_values(reference::widened(z));
  singular.tail(18).setZero();
  const Real sum = singular.sum();
  Real entropy = 0.0L;
  for (const Real value : singular) entropy -= (value / sum + 1e-5L) * std::log(value / sum + 1e-5L);
  CHECK(near(rankme(z, {}, 1e-5), std::exp(entropy), 1e-12L));
  CHECK(rankme(z, {}, 1e-5) > rankme(z));
}

TEST_CASE("order, rotation, sign, scale and offset of the rows leave the centred ranks", "[effective_rank]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{80, 24}, {24, 80}}) {
    Dense<double> z = reference::gaussian<double>(n, d, 21, 0.3);
    for (Index j = 0; j < d; ++j) z.col(j) /= 1.0 + static_cast<double>(j);
    for (const Options& options : {by_gram, by_svd}) {
      CAPTURE(n, d, options.method == SpectrumMethod::gram);
      const Spectrum expected = spectrum(z, options);
      const Spectrum expected_as_is = spectrum(z, options, Centring::uncentred);
      const auto check_both = [&](const Dense<double>& moved) {
        CHECK(close(spectrum(moved, options), expected, 1e-12));
        CHECK(close(spectrum(moved, options, Centring::uncentred), expected_as_is, 1e-12));
      };
      check_both(z.colwise().reverse());
      check_both(z.rowwise().reverse());
      check_both(-z);
      check_both(z * orthogonal(d, 22));
      check_both(z * 1e150);
      check_both(z * 1e-150);
      CHECK(close(spectrum(z.rowwise() + reference::gaussian<double>(1, d, 23, 0.0, 10.0).row(0), options), expected,
                  1e-12));
      // A rotation of the samples leaves the rows as they are, but not their mean.
      CHECK(close(spectrum(orthogonal(n, 24) * z, options, Centring::uncentred), expected_as_is, 1e-12));
      // As do rows of zeros, dimensions of zeros and every row twice.
      Dense<double> padded = Dense<double>::Zero(n + 7, d + 5);
      padded.topLeftCorner(n, d) = z;
      CHECK(close(spectrum(padded, options, Centring::uncentred), expected_as_is, 1e-12));
      CHECK(close(spectrum(padded.topRows(n), options), expected, 1e-12));
      check_both(z.replicate(2, 1));
    }
  }
}

TEST_CASE("ranks have the same bits in every layout", "[effective_rank]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 14}, {14, 60}}) {
    CAPTURE(n, d);
    const Dense<float> z = reference::gaussian<float>(n, d, 25, 0.3);
    const auto numbers = [](const auto& expression) {
      return std::vector<double>{effective_rank(expression), rankme(expression), entropy_rank(expression),
                                 participation_ratio(expression), stable_rank(expression)};
    };
    const std::vector<double> expected = numbers(z);
    const RowMajor<float> row_major = z;
    CHECK(numbers(row_major) == expected);
    const Dense<float> dims_as_rows = z.transpose();
    CHECK(numbers(dims_as_rows.transpose()) == expected);
    Dense<float> larger = Dense<float>::Constant(n + 2, d + 3, std::numeric_limits<float>::quiet_NaN());
    larger.block(1, 2, n, d) = z;
    CHECK(numbers(larger.block(1, 2, n, d)) == expected);
    using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    std::vector<float> buffer(static_cast<std::size_t>(2 * n * d), std::numeric_limits<float>::quiet_NaN());
    Eigen::Map<Dense<float>, 0, Strides> strided(buffer.data(), n, d, Strides(2 * n, 2));
    strided = z;
    CHECK(numbers(strided) == expected);
    CHECK(numbers(1.0F * z) == expected);
    CHECK(numbers(z.array()) == expected);
  }
}

TEST_CASE("the mean of the rows counts for rankme and for no centred rank", "[effective_rank]") {
  // An offset that dwarfs the spread: one direction as it is, all of them centred.
  const Dense<double> z = reference::gaussian<double>(100, 10, 27, 1e6);
  CHECK(effective_rank(z) > 9.0);
  CHECK(entropy_rank(z) > 8.0);
  CHECK(participation_ratio(z) > 8.0);
  CHECK(stable_rank(z) > 5.0);
  CHECK(rankme(z) < 1.001);
  CHECK(rankme(z) > 1.0);
}

TEMPLATE_TEST_CASE("ranks of degenerate rows", "[effective_rank]", float, double, Eigen::half) {
  for (const Options& options : {by_gram, by_svd}) {
    CAPTURE(options.method == SpectrumMethod::gram);
    const auto check_undefined_but_effective = [&](const Dense<TestType>& z) {
      CHECK(std::isnan(entropy_rank(z, options)));
      CHECK(std::isnan(participation_ratio(z, options)));
      CHECK(std::isnan(stable_rank(z, options)));
    };
    const Dense<TestType> one = reference::gaussian<TestType>(1, 6, 29, 2.0);
    CHECK(std::isnan(effective_rank(one, options)));
    check_undefined_but_effective(one);
    CHECK(near(rankme(one, options), 1.0L, 1e-14L));

    const Dense<TestType> equal = one.replicate(20, 1);
    CHECK(effective_rank(equal, options) == 0.0);
    check_undefined_but_effective(equal);
    CHECK(near(rankme(equal, options), 1.0L, 1e-14L));

    const Dense<TestType> zeros = Dense<TestType>::Zero(20, 3);
    CHECK(effective_rank(zeros, options) == 0.0);
    check_undefined_but_effective(zeros);
    CHECK(std::isnan(rankme(zeros, options)));
    CHECK(std::isnan(rankme(zeros, options, 1e-7)));

    const Dense<TestType> two = reference::gaussian<TestType>(2, 9, 31);
    CHECK(near(effective_rank(two, options), 1.0L, 1e-14L));
    CHECK(near(stable_rank(two, options), 1.0L, 1e-14L));

    const Dense<TestType> column = reference::gaussian<TestType>(30, 1, 33, 1.0);
    CHECK(effective_rank(column, options) == 1.0);
    CHECK(rankme(column, options) == 1.0);
    CHECK(participation_ratio(column, options) == 1.0);
    CHECK(spectrum(column, options).effective_rank_vs_expected == 1.0);

    // Two points, many times each: one direction centred, two as they are.
    const Dense<TestType> duplicates = two.replicate(15, 1);
    CHECK(near(effective_rank(duplicates, options), 1.0L, 1e-14L));
    CHECK(near(entropy_rank(duplicates, options), 1.0L, 1e-14L));
    CHECK(spectrum(duplicates, options, Centring::uncentred).numerical_rank == 2);

    Dense<TestType> with_zero_rows = Dense<TestType>::Zero(12, 6);
    with_zero_rows.row(4) = one;
    CHECK(near(effective_rank(with_zero_rows, options), 1.0L, 1e-14L));
    CHECK(near(rankme(with_zero_rows, options), 1.0L, 1e-14L));
  }
}

TEST_CASE("denormal and huge rows along the axes have the ranks of their lengths", "[effective_rank]") {
  const std::vector<double> lengths{64.0, 48.0, 32.0, 17.0, 8.0};
  const Spectrum expected = spectrum(plus_minus<double>(lengths));
  for (const double scale : {5e-324, 1e-310, 1e-150, 1e150, 1e300}) {
    std::vector<double> scaled = lengths;
    for (double& length : scaled) length *= scale;
    for (const Options& options : {by_gram, by_svd}) {
      for (const Centring centring : {Centring::centred, Centring::uncentred}) {
        CAPTURE(scale, options.method == SpectrumMethod::gram, centring == Centring::centred);
        const Spectrum block = spectrum(plus_minus<double>(scaled), options, centring);
        // Singular values that are denormals themselves are whole multiples of the smallest: 1/16 of an ulp of 8.
        const double tolerance = scale < 1e-320 ? 0.05 : 1e-13;
        CHECK(block.numerical_rank == 5);
        CHECK(std::abs(block.effective_rank / expected.effective_rank - 1.0) < tolerance);
        CHECK(std::abs(block.stable_rank / expected.stable_rank - 1.0) < tolerance);
        CHECK(block.rank_90 == expected.rank_90);
      }
    }
  }
}

TEST_CASE("ranks refuse what they cannot measure, by type", "[effective_rank]") {
  using Function = std::function<void(const Dense<double>&, const Options&)>;
  const std::vector<std::pair<std::string, Function>> functions{
      {"effective_rank", [](const auto& z, const auto& options) { static_cast<void>(effective_rank(z, options)); }},
      {"rankme", [](const auto& z, const auto& options) { static_cast<void>(rankme(z, options)); }},
      {"entropy_rank", [](const auto& z, const auto& options) { static_cast<void>(entropy_rank(z, options)); }},
      {"participation", [](const auto& z, const auto& options) { static_cast<void>(participation_ratio(z, options)); }},
      {"stable_rank", [](const auto& z, const auto& options) { static_cast<void>(stable_rank(z, options)); }},
      {"spectrum", [](const auto& z, const auto& options) { static_cast<void>(spectrum(z, options)); }}};
  for (const auto& [name, function] : functions) {
    CAPTURE(name);
    CHECK_THROWS_AS(function(Dense<double>(0, 3), {}), ShapeError);
    CHECK_THROWS_AS(function(Dense<double>(3, 0), {}), ShapeError);
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()}) {
      Dense<double> z = reference::gaussian<double>(20, 4);
      z(7, 2) = bad;
      CHECK_THROWS_AS(function(z, {}), NonFiniteError);
      CHECK_NOTHROW(function(z, {.nonfinite = NonFinite::skip_rows}));
    }
  }
  const Dense<double> z = reference::gaussian<double>(20, 4);
  CHECK_THROWS_AS(spectrum(z, {.alpha_first = 0}), OptionError);
  CHECK_THROWS_AS(spectrum(z, {.alpha_first = 5, .alpha_last = 4}), OptionError);
}

TEST_CASE("skipped rows leave the ranks of the others", "[effective_rank]") {
  for (const Index d : {6, 60}) {
    const Dense<double> rest = reference::gaussian<double>(40, d, 35, 0.5);
    Dense<double> z(41, d);
    z << rest.topRows(11), Eigen::RowVectorXd::Constant(d, std::numeric_limits<double>::quiet_NaN()),
        rest.bottomRows(29);
    for (Options options : {by_gram, by_svd}) {
      const Spectrum expected = spectrum(rest, options);
      options.nonfinite = NonFinite::skip_rows;
      const Spectrum block = spectrum(z, options);
      CHECK(close(block, expected, 1e-12));
      // The rows that are left set what is expected of them.
      CHECK(block.expected_effective_rank == expected.expected_effective_rank);
      CHECK(std::abs(block.effective_rank_ratio - expected.effective_rank_ratio) < 1e-12);
    }
  }
}
