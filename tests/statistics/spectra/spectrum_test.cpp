#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/spectra/singular_values.hpp>

#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Largest |sigma_k - expected_k| over expected_1.
Real deviation(const SingularValues& values, const reference::Vector& expected) {
  if (values.values.size() != expected.size()) return 1e9L;
  return (values.values.cast<Real>() - expected).cwiseAbs().maxCoeff() / expected(0);
}

/// Largest |sigma_k^2 - expected_k^2| over expected_1^2.
Real square_deviation(const SingularValues& values, const reference::Vector& expected) {
  if (values.values.size() != expected.size()) return 1e9L;
  const reference::Vector measured = values.values.cast<Real>();
  return (measured.cwiseAbs2() - expected.cwiseAbs2()).cwiseAbs().maxCoeff() / (expected(0) * expected(0));
}

template <class Scalar>
reference::Vector expected_values(const Dense<Scalar>& z, Centring centring) {
  const reference::Matrix wide = reference::widened(z);
  return reference::singular_values(centring == Centring::centred ? reference::centred(wide) : wide);
}

const Options by_gram{.method = SpectrumMethod::gram};
const Options by_svd{.method = SpectrumMethod::svd};

bool descending(const Eigen::VectorXd& values) {
  for (Index k = 1; k < values.size(); ++k) {
    if (!(values(k) <= values(k - 1))) return false;
  }
  return values.size() == 0 || values(values.size() - 1) >= 0.0;
}

}  // namespace

TEMPLATE_TEST_CASE("singular values of both methods are those of long double", "[spectrum]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] :
       {std::pair<Index, Index>{2, 1}, {1, 2}, {2, 2}, {65, 64}, {64, 65}, {97, 96}, {40, 40}, {300, 17}, {17, 300}}) {
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 41, 0.5);
    for (const Centring centring : {Centring::centred, Centring::uncentred}) {
      if (n == 1 && centring == Centring::centred) continue;
      CAPTURE(n, d, centring == Centring::centred);
      const reference::Vector expected = expected_values(z, centring);
      const SingularValues gram = singular_values(z, by_gram, centring);
      const SingularValues svd = singular_values(z, by_svd, centring);
      CHECK(gram.method == SpectrumMethod::gram);
      CHECK(svd.method == SpectrumMethod::svd);
      CHECK(descending(gram.values));
      CHECK(descending(svd.values));
      // The loss of a Gram matrix is in the squares: a small value may be off by the root of it.
      CHECK(square_deviation(gram, expected) < 1e-14L);
      CHECK(square_deviation(svd, expected) < 1e-14L);
      CHECK(deviation(svd, expected) < 1e-9L);
      for (const SingularValues& values : {gram, svd}) {
        CHECK(values.samples == n);
        CHECK(values.dims == d);
        CHECK(values.centred == (centring == Centring::centred));
        CHECK(values.largest_rank() == std::min(centring == Centring::centred ? n - 1 : n, d));
        // Square Gaussian matrices have a singular value near 0, which narrow scalars cannot tell from rounding.
        if (std::max(n, d) > 2 * std::min(n, d)) CHECK(values.above_floor() == values.largest_rank());
      }
    }
  }
}

TEST_CASE("the svd method resolves sixteen digits, against a Jacobi SVD in long double", "[spectrum]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{40, 12}, {12, 40}, {20, 20}, {130, 30}}) {
    CAPTURE(n, d);
    // Singular values from 1 down to 1e-14.
    Dense<double> z = reference::gaussian<double>(n, d, 43);
    for (Index j = 0; j < d; ++j)
      z.col(j) *= std::pow(10.0, -14.0 * static_cast<double>(j) / static_cast<double>(d - 1));
    const reference::Matrix wide = reference::widened(z);
    const reference::Vector centred = Eigen::JacobiSVD<reference::Matrix>(reference::centred(wide)).singularValues();
    const reference::Vector as_is = Eigen::JacobiSVD<reference::Matrix>(wide).singularValues();
    // The floors of the methods: max(N, D) eps of sigma_1, and of its square.
    const Real bound = static_cast<Real>(epsilon) * static_cast<Real>(std::max(n, d));
    CHECK(deviation(singular_values(z, by_svd), centred) < bound);
    CHECK(deviation(singular_values(z, by_svd, Centring::uncentred), as_is) < bound);
    CHECK(square_deviation(singular_values(z, by_gram), centred) < bound);
    CHECK(square_deviation(singular_values(z, by_gram, Centring::uncentred), as_is) < bound);
  }
}

TEST_CASE("the running QR is right at every number of blocks", "[spectrum]") {
  for (const Index depth : {5, 63, 64, 65, 127, 128, 129, 640, 641}) {
    for (const Index order : {1, 5, 33}) {
      if (depth < order) continue;
      CAPTURE(depth, order);
      const Dense<double> a = reference::gaussian<double>(depth, order, 47);
      const Eigen::VectorXd values = statistics::qr_singular_values(
          depth, order, [&](Index first, linalg::Panel::View out) { out.matrix() = a.middleRows(first, out.rows()); });
      const reference::Vector expected = reference::singular_values(reference::widened(a));
      REQUIRE(values.size() == expected.size());
      CHECK((values.cast<Real>() - expected).cwiseAbs().maxCoeff() < 1e-14L * expected(0));
    }
  }
}

TEST_CASE("automatic is a Gram for narrow input and an SVD for double while that is affordable", "[spectrum]") {
  CHECK(statistics::resolve_method({}, linalg::input_epsilon<float>(), 100, 10) == SpectrumMethod::gram);
  CHECK(statistics::resolve_method({}, linalg::input_epsilon<Eigen::half>(), 100, 10) == SpectrumMethod::gram);
  CHECK(statistics::resolve_method({}, epsilon, 100, 10) == SpectrumMethod::svd);
  CHECK(statistics::resolve_method({}, epsilon, 10, 100) == SpectrumMethod::svd);
  // An accumulator holds so many rows, and then no longer.
  CHECK(statistics::resolve_method({}, epsilon, 4096, 10) == SpectrumMethod::svd);
  CHECK(statistics::resolve_method({}, epsilon, 4097, 10) == SpectrumMethod::gram);
  CHECK(statistics::resolve_method({.pair_rows = 100}, epsilon, 101, 10) == SpectrumMethod::gram);
  CHECK(statistics::resolve_method({.pair_rows = 100}, epsilon, 101, 101) == SpectrumMethod::svd);
  CHECK(statistics::resolve_method({}, epsilon, 100000, 1000) == SpectrumMethod::gram);
  CHECK(statistics::resolve_method({}, epsilon, 1000, 100000) == SpectrumMethod::gram);
  for (const double e : {epsilon, linalg::input_epsilon<float>()}) {
    CHECK(statistics::resolve_method({.method = SpectrumMethod::gram}, e, 100, 10) == SpectrumMethod::gram);
    CHECK(statistics::resolve_method({.method = SpectrumMethod::svd}, e, 100000, 1000) == SpectrumMethod::svd);
  }
  CHECK(singular_values(reference::gaussian<double>(30, 4)).method == SpectrumMethod::svd);
  CHECK(singular_values(reference::gaussian<float>(30, 4)).method == SpectrumMethod::gram);
}

TEMPLATE_TEST_CASE("the noise floor is that of the input's rounding or of the method, whichever is higher",
                   "[spectrum]", float, double, Eigen::half, Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(200, 30, 3, 5.0, 0.25);
  const reference::Matrix wide = reference::widened(z);
  // The length of each column of rounding errors, largest first.
  std::vector<double> errors;
  for (Index d = 0; d < 30; ++d) {
    errors.push_back(0.5 * linalg::input_epsilon<TestType>() * static_cast<double>(wide.col(d).norm()));
  }
  std::sort(errors.begin(), errors.end(), std::greater<>());
  for (const Centring centring : {Centring::centred, Centring::uncentred}) {
    const reference::Vector values = expected_values(z, centring);
    const double largest = static_cast<double>(values(0));
    for (const auto& [options, least] :
         {std::pair{by_gram, largest * std::sqrt(200.0 * epsilon)}, std::pair{by_svd, largest * 200.0 * epsilon}}) {
      double expected = 0.0;
      Index certified = -100;
      for (std::size_t j = 0; j < errors.size(); ++j) {
        double rest = 0.0;
        for (std::size_t k = j; k < errors.size(); ++k) rest += errors[k] * errors[k];
        const double floor = std::max(least, errors[j] + std::sqrt(rest / 200.0));
        Index above = 0;
        for (const reference::Real value : values) above += value > static_cast<reference::Real>(floor) ? 1 : 0;
        if (above - static_cast<Index>(j) >= certified) {
          certified = above - static_cast<Index>(j);
          expected = floor;
        }
      }
      const SingularValues measured = singular_values(z, options, centring);
      CHECK(std::abs(measured.noise_floor / expected - 1.0) < 1e-12);
      CHECK(measured.certified_rank == certified);
    }
  }
}

TEST_CASE("one huge column says nothing about the others", "[spectrum]") {
  // A constant of 2000 in bfloat16, and -3.7e9 in float, that rounding moves by one unit here and there.
  const Dense<double> live = reference::gaussian<double>(200, 63, 4, 0.0, 0.1);
  const auto with = [](const auto& z, double constant, Index every) {
    auto wide = z;
    wide.conservativeResize(Eigen::NoChange, z.cols() + 1);
    using Scalar = typename std::decay_t<decltype(z)>::Scalar;
    wide.col(z.cols()).setConstant(static_cast<Scalar>(static_cast<float>(constant)));
    if (every > 0) {
      for (Index i = 0; i < z.rows(); i += every) {
        wide(i, z.cols()) = static_cast<Scalar>(std::nextafter(static_cast<float>(constant), 0.0F));
      }
    }
    return wide;
  };
  for (const Options& options : {by_gram, by_svd}) {
    const Dense<Eigen::bfloat16> narrow = live.cast<Eigen::bfloat16>();
    const SingularValues alone = singular_values(narrow, options);
    const SingularValues beside = singular_values(with(narrow, 2000.0, 0), options);
    CHECK(alone.above_floor() == 63);
    CHECK(beside.above_floor() == 63);
    CHECK(beside.certified_rank == 63);
    CHECK(std::abs(beside.values(0) / alone.values(0) - 1.0) < 1e-12);
    CHECK(std::abs(beside.noise_floor / alone.noise_floor - 1.0) < 1e-12);
    const Dense<float> floats = live.cast<float>();
    for (const Index rows : {200, 40}) {
      const SingularValues expected = singular_values(floats.topRows(rows), options);
      const SingularValues rounded = singular_values(with(Dense<float>(floats.topRows(rows)), -3.7e9, 3), options);
      CHECK(rounded.above_floor() == expected.above_floor());
      CHECK(std::abs(rounded.values(0) / expected.values(0) - 1.0) < 1e-12);
    }
    // A column at a thousand times the others has errors as large as they are, and they keep their rank.
    Dense<double> unequal = reference::gaussian<double>(500, 64, 5);
    unequal.col(0) *= 1000.0;
    CHECK(singular_values(Dense<Eigen::bfloat16>(unequal.cast<Eigen::bfloat16>()), options).above_floor() == 64);
  }
}

TEST_CASE("an exactly low rank is seen as such", "[spectrum]") {
  const Dense<double> z = reference::gaussian<double>(120, 3, 1) * reference::gaussian<double>(3, 50, 2);
  for (const Options& options : {by_gram, by_svd}) {
    CHECK(singular_values(z, options).above_floor() == 3);
    CHECK(singular_values(z, options, Centring::uncentred).above_floor() == 3);
    const Dense<float> narrow = z.cast<float>();
    CHECK(singular_values(narrow, options).above_floor() == 3);
    CHECK(singular_values(narrow, options, Centring::uncentred).above_floor() == 3);
  }
}

TEMPLATE_TEST_CASE("a spread below the rounding of the scalar counts as none, a spread above it as what it is",
                   "[spectrum]", float, Eigen::half, Eigen::bfloat16) {
  // Rows around a unit vector: entries near 0.2, rounded at 0.05 eps on average.
  const double rounding = linalg::input_epsilon<TestType>();
  for (const Options& options : {by_gram, by_svd}) {
    CHECK(singular_values(reference::around_a_point<TestType>(300, 32, 4.0 * rounding, 15), options).above_floor() ==
          32);
    CHECK(singular_values(reference::around_a_point<TestType>(300, 32, 1e-6 * rounding, 15), options).above_floor() ==
          0);
  }
}

TEST_CASE("equal rows have no centred singular value above the floor", "[spectrum]") {
  for (const Index n : {50, 5}) {
    const Dense<float> z = reference::gaussian<float>(1, 20).replicate(n, 1);
    for (const Options& options : {by_gram, by_svd}) {
      const SingularValues values = singular_values(z, options);
      CHECK(values.values.isZero(0));
      CHECK(values.above_floor() == 0);
      CHECK(values.noise_floor > 0.0);
      CHECK(singular_values(z, options, Centring::uncentred).above_floor() == 1);
    }
  }
  const Dense<float> zero = Dense<float>::Zero(10, 4);
  CHECK(singular_values(zero).above_floor() == 0);
  CHECK(singular_values(zero, by_svd, Centring::uncentred).above_floor() == 0);
}

TEST_CASE("a single row has no centred spectrum", "[spectrum]") {
  const Dense<double> z = reference::gaussian<double>(1, 6);
  for (const Options& options : {by_gram, by_svd}) {
    const SingularValues centred = singular_values(z, options);
    CHECK(centred.values.size() == 1);
    CHECK(centred.values(0) == 0.0);
    CHECK(centred.largest_rank() == 0);
    const SingularValues as_is = singular_values(z, options, Centring::uncentred);
    CHECK(std::abs(as_is.values(0) - z.norm()) < 1e-15 * z.norm());
  }
}

TEST_CASE("singular values scale with the data at every scale", "[spectrum]") {
  for (const Index n : {60, 9}) {
    const Dense<double> plain = reference::gaussian<double>(n, 10, 3, 0.5);
    for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
      const Dense<double> z = plain * scale;
      for (const Options& options : {by_gram, by_svd}) {
        for (const Centring centring : {Centring::centred, Centring::uncentred}) {
          CAPTURE(n, scale, options.method == SpectrumMethod::gram, centring == Centring::centred);
          const SingularValues expected = singular_values(plain, options, centring);
          const SingularValues values = singular_values(z, options, centring);
          REQUIRE(values.values.allFinite());
          const Index rank = expected.above_floor();
          CHECK(values.above_floor() == rank);
          CHECK((values.values.head(rank).array() / scale / expected.values.head(rank).array() - 1.0).abs().maxCoeff() <
                1e-10);
          // The floor of a value near 1e-300 may be a denormal.
          CHECK(std::abs(values.noise_floor - scale * expected.noise_floor) <=
                1e-10 * scale * expected.noise_floor + 5e-324);
        }
      }
    }
  }
}

TEST_CASE("dimensions of wildly different scales do not disturb the largest", "[spectrum]") {
  for (const Index n : {60, 6}) {
    Dense<double> z = reference::gaussian<double>(n, 8, 3, 0.5);
    for (Index d = 0; d < 8; ++d) z.col(d) *= std::pow(10.0, -300.0 + 80.0 * static_cast<double>(d));
    for (const Options& options : {by_gram, by_svd}) {
      for (const Centring centring : {Centring::centred, Centring::uncentred}) {
        CAPTURE(n, options.method == SpectrumMethod::gram, centring == Centring::centred);
        CHECK(square_deviation(singular_values(z, options, centring), expected_values(z, centring)) < 1e-14L);
      }
    }
  }
}

TEST_CASE("denormal input has a spectrum", "[spectrum]") {
  // Whole multiples of the smallest denormal are exact.
  Dense<double> plain = reference::gaussian<double>(40, 5, 3, 10.0, 1000.0).array().round();
  const Dense<double> z = plain * 5e-324;
  for (const Options& options : {by_gram, by_svd}) {
    for (const Centring centring : {Centring::centred, Centring::uncentred}) {
      const SingularValues values = singular_values(z, options, centring);
      const reference::Vector expected = expected_values(plain, centring);
      CHECK(values.above_floor() == 5);
      // The result is itself a denormal: rounded to a whole multiple.
      CHECK((values.values.cast<Real>() / static_cast<Real>(5e-324) - expected).cwiseAbs().maxCoeff() <= 1.0L);
    }
  }
}

TEST_CASE("an offset of any size leaves the centred spectrum", "[spectrum]") {
  for (const Index n : {80, 12}) {
    for (const double offset : {1e3, 1e6}) {
      const Dense<double> z = reference::gaussian<double>(n, 20, 9, offset);
      CAPTURE(n, offset);
      const reference::Vector expected = expected_values(z, Centring::centred);
      CHECK(square_deviation(singular_values(z, by_gram), expected) < 1e-13L);
      CHECK(square_deviation(singular_values(z, by_svd), expected) < 1e-13L);
      const reference::Vector as_is = expected_values(z, Centring::uncentred);
      CHECK(square_deviation(singular_values(z, by_gram, Centring::uncentred), as_is) < 1e-14L);
      CHECK(deviation(singular_values(z, by_svd, Centring::uncentred), as_is) < 1e-9L);
    }
  }
}

TEST_CASE("the spectrum has the same bits in every layout", "[spectrum]") {
  for (const Index n : {100, 21}) {
    const Dense<float> z = reference::gaussian<float>(n, 33);
    for (const bool centred : {true, false}) {
      const Centring centring = centred ? Centring::centred : Centring::uncentred;
      const Eigen::VectorXd gram_values = singular_values(z, by_gram, centring).values;
      const Eigen::VectorXd svd_values = singular_values(z, by_svd, centring).values;
      const reference::RowMajor<float> r = z;
      const Dense<float> t = z.transpose();
      CHECK(reference::same_bits(singular_values(r, by_gram, centring).values, gram_values));
      CHECK(reference::same_bits(singular_values(r, by_svd, centring).values, svd_values));
      CHECK(reference::same_bits(singular_values(t.transpose(), by_gram, centring).values, gram_values));
      CHECK(reference::same_bits(singular_values(t.transpose(), by_svd, centring).values, svd_values));
    }
  }
}

TEST_CASE("the spectrum has the same bits whatever the number of threads", "[spectrum]") {
  const Dense<double> z = reference::gaussian<double>(500, 200, 1, 1.0);
  const Eigen::VectorXd gram_values = singular_values(z, by_gram).values;
  const Eigen::VectorXd svd_values = singular_values(z, by_svd).values;
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(reference::same_bits(singular_values(z, by_gram).values, gram_values));
    CHECK(reference::same_bits(singular_values(z, by_svd).values, svd_values));
  });
}

TEST_CASE("skipped rows take no part in the spectrum", "[spectrum]") {
  for (const Index d : {6, 120}) {
    Dense<double> z = reference::gaussian<double>(60, d, 2, 1.0);
    z(0, 3) = std::numeric_limits<double>::quiet_NaN();
    z(40, 0) = std::numeric_limits<double>::infinity();
    Dense<double> rest(58, d);
    rest << z.middleRows(1, 39), z.bottomRows(19);
    for (Options options : {by_gram, by_svd}) {
      options.nonfinite = NonFinite::skip_rows;
      for (const Centring centring : {Centring::centred, Centring::uncentred}) {
        CHECK(square_deviation(singular_values(z, options, centring), expected_values(rest, centring)) < 1e-14L);
      }
    }
  }
}

TEST_CASE("singular values of square matrices that are known on paper", "[spectrum]") {
  const auto square_singular_values = [](const Eigen::MatrixXd& matrix) {
    return collapse::statistics::square_singular_values(matrix);
  };
  // At a power of two the numbers above lie further apart than those below.
  for (const double value : {1.0, 2.0, 0.68, 1e300, 1e-300}) {
    CAPTURE(value);
    CHECK(std::abs(square_singular_values(Eigen::MatrixXd::Constant(1, 1, -value))(0) / value - 1.0) < 1e-15);
    const Eigen::VectorXd same = square_singular_values(value * Eigen::MatrixXd::Identity(9, 9));
    CHECK((same.array() / value - 1.0).abs().maxCoeff() < 1e-15);
  }
  CHECK(square_singular_values(Eigen::MatrixXd::Zero(3, 3)) == Eigen::VectorXd::Zero(3));
  const Eigen::VectorXd one = square_singular_values(Eigen::MatrixXd::Ones(20, 20));
  CHECK(std::abs(one(0) - 20.0) < 20.0 * 1e-15);
  CHECK(one.tail(19).maxCoeff() < 20.0 * 1e-15);
}
