#include <collapse/metrics/matrix_entropy.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"
#include "support/spectrum_of.hpp"

#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;
using reference::spectrum_of;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> decaying(Index count, double decay, double scale = 1.0) {
  std::vector<double> values;
  for (Index k = 0; k < count; ++k) values.push_back(scale * std::exp(-decay * static_cast<double>(k)));
  return values;
}

/// ln(sum p^q) / (1 - q) and its limits, in long double.
Real by_definition(const std::vector<double>& singular, Real order) {
  Real total = 0.0L;
  for (const double value : singular) total += static_cast<Real>(value) * static_cast<Real>(value);
  Real sum = 0.0L;
  for (const double value : singular) {
    const Real p = static_cast<Real>(value) * static_cast<Real>(value) / total;
    sum += order == 1.0L ? -p * std::log(p) : std::pow(p, order);
  }
  return order == 1.0L ? sum : std::log(sum) / (1.0L - order);
}

}  // namespace

TEST_CASE("the entropy of k equal values is ln k whatever the order", "[matrix_entropy]") {
  for (const Index k : {1, 2, 3, 17, 1000}) {
    for (const double order : {0.0, 1e-3, 0.5, 0.95, 1.0, 1.05, 2.0, 7.5, 1e5, 1e300, infinity}) {
      for (const double scale : {1e-300, 1.0, 1e300}) {
        CAPTURE(k, order, scale);
        const std::vector<double> values(static_cast<std::size_t>(k), scale);
        // Two sums of k terms are rounded.
        const double expected = std::log(static_cast<double>(k));
        const double rounding = 4e-16 * (1.0 + static_cast<double>(k) * expected);
        CHECK(std::abs(matrix_entropy(spectrum_of(values), order) - expected) < rounding);
      }
    }
  }
}

TEST_CASE("entropies of two values 3 and 1 are those on paper", "[matrix_entropy]") {
  const SingularValues spectrum = spectrum_of({3.0, 1.0});  // shares 9 / 10 and 1 / 10
  const auto near = [&](double order, Real expected) {
    CHECK(std::abs(static_cast<Real>(matrix_entropy(spectrum, order)) - expected) < 1e-15L);
  };
  near(0.0, std::log(2.0L));
  near(0.5, 2.0L * std::log((3.0L + 1.0L) / std::sqrt(10.0L)));
  near(1.0, std::log(10.0L) - 0.9L * std::log(9.0L));
  near(2.0, -std::log(0.82L));
  near(3.0, -0.5L * std::log(0.73L));
  near(infinity, -std::log(0.9L));
}

TEST_CASE("entropies of a geometric spectrum are those of the geometric distribution", "[matrix_entropy]") {
  const std::vector<double> values = decaying(200, 0.5 * std::log(2.0));  // shares 2^-k
  for (const double order : {0.5, 0.9, 0.99, 1.01, 1.5, 2.0, 3.0, 40.0}) {
    CAPTURE(order);
    const Real q = static_cast<Real>(order);
    const Real expected = -std::log(std::pow(2.0L, q) - 1.0L) / (1.0L - q);
    CHECK(std::abs(static_cast<Real>(matrix_entropy(spectrum_of(values), order)) - expected) < 1e-13L);
  }
  CHECK(std::abs(matrix_entropy(spectrum_of(values)) - 2.0 * std::log(2.0)) < 1e-14);
}

TEST_CASE("orders 0 and 1 and 2 and infinity are the ranks", "[matrix_entropy]") {
  for (const double decay : {0.0, 0.01, 0.3, 2.0}) {
    const SingularValues spectrum = spectrum_of(decaying(60, decay), 1e-7);
    CAPTURE(decay);
    CHECK(std::abs(std::exp(matrix_entropy(spectrum, 0.0)) - static_cast<double>(spectrum.above_floor())) < 1e-11);
    CHECK(std::abs(std::exp(matrix_entropy(spectrum, 1.0)) / entropy_rank(spectrum) - 1.0) < 1e-13);
    CHECK(std::abs(std::exp(matrix_entropy(spectrum, 2.0)) / participation_ratio(spectrum) - 1.0) < 1e-13);
    CHECK(std::abs(std::exp(matrix_entropy(spectrum, infinity)) / stable_rank(spectrum) - 1.0) < 1e-13);
  }
}

TEST_CASE("the entropy is the definition for any order and never grows with it", "[matrix_entropy]") {
  for (const double decay : {0.003, 0.05, 0.4}) {
    const std::vector<double> values = decaying(50, decay);
    double before = std::log(50.0) + 1e-14;
    for (const double order : {1e-6, 0.1, 0.5, 0.9374, 0.9376, 0.99, 0.9999, 1.0 - 1e-7, 1.0, 1.0 + 1e-7, 1.01, 1.06,
                               1.0626, 1.5, 2.00000001, 3.0, 20.0, 1000.0}) {
      CAPTURE(decay, order);
      const double entropy = matrix_entropy(spectrum_of(values), order);
      // The definition loses digits of long double next to 1, where it is divided by the distance.
      const Real lost = order == 1.0 ? 0.0L : 1e-18L / std::abs(1.0L - static_cast<Real>(order));
      CHECK(std::abs(static_cast<Real>(entropy) - by_definition(values, static_cast<Real>(order))) <
            2e-14L + 10.0L * lost);
      CHECK(entropy <= before + 1e-14);
      before = entropy;
    }
    CHECK(matrix_entropy(spectrum_of(values), infinity) <= before);
    CHECK(std::abs(matrix_entropy(spectrum_of(values), 1e300) - matrix_entropy(spectrum_of(values), infinity)) < 1e-14);
  }
}

TEST_CASE("next to order 1 the entropy is that of order 1 less half the variance of the surprise", "[matrix_entropy]") {
  const std::vector<double> values = decaying(40, 0.1);
  Real total = 0.0L;
  for (const double value : values) total += static_cast<Real>(value) * static_cast<Real>(value);
  Real mean = 0.0L;
  Real square = 0.0L;
  for (const double value : values) {
    const Real p = static_cast<Real>(value) * static_cast<Real>(value) / total;
    mean -= p * std::log(p);
    square += p * std::log(p) * std::log(p);
  }
  for (const double step : {-1e-6, -1e-9, -1e-13, 1e-13, 1e-9, 1e-6}) {
    CAPTURE(step);
    const double order = 1.0 + step;
    const Real expected = mean - 0.5L * static_cast<Real>(order - 1.0) * (square - mean * mean);
    CHECK(std::abs(static_cast<Real>(matrix_entropy(spectrum_of(values), order)) - expected) <
          1e-14L + 1e-12L * std::abs(static_cast<Real>(step)) * 1e6L);
  }
}

TEST_CASE("near collapse the entropy keeps its digits", "[matrix_entropy]") {
  for (const double e : {1e-2, 1e-5, 1e-7, 1e-10}) {
    const SingularValues spectrum = spectrum_of({1.0, e, e, e});
    const Real x = static_cast<Real>(e) * static_cast<Real>(e);  // shares 1 / (1 + 3 x) and x / (1 + 3 x)
    const Real log_total = std::log1p(3.0L * x);
    CAPTURE(e);
    const auto off = [&](double order, Real expected) {
      return std::abs(static_cast<Real>(matrix_entropy(spectrum, order)) / expected - 1.0L);
    };
    CHECK(off(1.0, log_total - 3.0L * x / (1.0L + 3.0L * x) * std::log(x)) < 1e-14L);
    CHECK(off(2.0, 2.0L * log_total - std::log1p(3.0L * x * x)) < 1e-14L);
    CHECK(off(0.5, 2.0L * std::log1p(3.0L * std::sqrt(x)) - log_total) < 1e-14L);
    CHECK(off(infinity, log_total) < 1e-14L);
  }
}

TEST_CASE("the entropy of embeddings is that of their Gram matrix", "[matrix_entropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index d : {8, 60}) {
    const Dense<double> z = reference::gaussian<double>(30, d, 3, 0.4);
    const reference::Vector singular = reference::singular_values(reference::widened(z));
    std::vector<double> values;
    for (const Real value : singular) values.push_back(static_cast<double>(value));
    for (const double order : {0.5, 1.0, 2.0, infinity}) {
      CAPTURE(d, order);
      const Real expected = std::isinf(order) ? std::log(singular.squaredNorm() / (singular(0) * singular(0)))
                                              : by_definition(values, static_cast<Real>(order));
      CHECK(std::abs(static_cast<Real>(matrix_entropy(z, {}, order)) - expected) < 1e-12L);
      CHECK(std::abs(matrix_entropy(z * 1e200, {}, order) - matrix_entropy(z, {}, order)) < 1e-12);
    }
    CHECK(matrix_entropy(z, {}, 1.0, Centring::centred) == matrix_entropy(singular_values(z), 1.0));
    CHECK(matrix_entropy(z) != matrix_entropy(z, {}, 1.0, Centring::centred));
  }
  CHECK(matrix_entropy(Dense<double>::Ones(5, 3)) == 0.0);
}

TEST_CASE("an entropy of nothing is undefined and an order below 0 is an error", "[matrix_entropy]") {
  CHECK(std::isnan(matrix_entropy(Dense<double>::Zero(5, 3))));
  CHECK(std::isnan(matrix_entropy(spectrum_of({1.0, 0.5}, 2.0), infinity)));
  CHECK(matrix_entropy(spectrum_of({1.0, 0.5}, 0.7), 2.0) == 0.0);
  for (const double order : {-1e-9, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(matrix_entropy(spectrum_of({1.0}), order), OptionError);
    CHECK_THROWS_AS(matrix_entropy(Dense<double>::Ones(2, 2), {}, order), OptionError);
  }
  Dense<double> bad = reference::gaussian<double>(5, 3);
  bad(1, 1) = infinity;
  CHECK_THROWS_AS(matrix_entropy(bad), NonFiniteError);
  CHECK(std::isfinite(matrix_entropy(bad, {.nonfinite = NonFinite::skip_rows})));
}
