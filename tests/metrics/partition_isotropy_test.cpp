#include <collapse/metrics/partition_isotropy.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// The definition in long double, over all D eigenvectors of Z^T Z.
template <class Derived>
Real log_by_definition(const Eigen::DenseBase<Derived>& embeddings) {
  const reference::Matrix z = reference::widened(embeddings);
  const Eigen::SelfAdjointEigenSolver<reference::Matrix> solver(z.transpose() * z);
  Real least = std::numeric_limits<Real>::infinity();
  Real most = -least;
  for (Index k = 0; k < z.cols(); ++k) {
    for (const Real sign : {1.0L, -1.0L}) {
      const reference::Vector exponents = sign * (z * solver.eigenvectors().col(k));
      Real sum = 0.0L;
      for (const Real value : exponents) sum += std::exp(value - exponents.maxCoeff());
      const Real log_sum = exponents.maxCoeff() + std::log(sum);
      least = std::min(least, log_sum);
      most = std::max(most, log_sum);
    }
  }
  return least - most;
}

/// Rows +a_k e_k and -a_k e_k of different lengths: the axes are the eigenvectors.
Dense<double> plus_minus(const Eigen::VectorXd& lengths) {
  const Index dims = lengths.size();
  Dense<double> z(2 * dims, dims);
  z << Dense<double>(lengths.asDiagonal()), -Dense<double>(lengths.asDiagonal());
  return z;
}

}  // namespace

TEST_CASE("isotropy by the partition function is the definition", "[partition_isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const double offset : {0.0, 0.2, 3.0}) {
    for (const Index n : {1, 2, 15, 40, 130}) {
      for (const Index d : {1, 2, 15, 31}) {
        CAPTURE(offset, n, d);
        const Dense<double> z = reference::gaussian<double>(n, d, 3, offset, 0.5);
        const Real expected = log_by_definition(z);
        CHECK(std::abs(static_cast<Real>(log_partition_isotropy(z)) - expected) < 1e-11L * (1.0L - expected));
        CHECK(std::abs(static_cast<Real>(partition_isotropy(z)) - std::exp(expected)) < 1e-11L);
      }
    }
  }
  const Dense<float> narrow = reference::gaussian<float>(90, 20, 4, 0.5);
  CHECK(std::abs(static_cast<Real>(log_partition_isotropy(narrow)) - log_by_definition(narrow)) < 1e-11L);
  const Dense<Eigen::half> narrower = reference::gaussian<Eigen::half>(20, 25, 4, 0.5);
  CHECK(std::abs(static_cast<Real>(log_partition_isotropy(narrower)) - log_by_definition(narrower)) < 1e-11L);
}

TEST_CASE("isotropy of both ends of the axes is a ratio of cosines hyperbolic", "[partition_isotropy]") {
  const Eigen::VectorXd lengths = (Eigen::VectorXd(4) << 0.3, 1.0, 2.0, 0.7).finished();
  const double expected = (std::cosh(0.3) + 3.0) / (std::cosh(2.0) + 3.0);
  CHECK(std::abs(partition_isotropy(plus_minus(lengths)) - expected) < 1e-14);
  // Of one pair in more dimensions the others see nothing: F = 2.
  for (const Index dims : {2, 3, 50}) {
    Dense<double> z = Dense<double>::Zero(2, dims);
    z(0, 1) = 1.5;
    z(1, 1) = -1.5;
    CHECK(std::abs(partition_isotropy(z) - 1.0 / std::cosh(1.5)) < 1e-14);
  }
}

TEST_CASE("isotropy of equal rows is exp of minus twice their length", "[partition_isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {1, 3, 20, 200}) {
    for (const Index d : {1, 4, 50}) {
      for (const double length : {1e-8, 0.1, 3.0, 300.0, 1e6}) {
        CAPTURE(n, d, length);
        const Dense<double> z = Dense<double>::Constant(n, d, length / std::sqrt(static_cast<double>(d)));
        CHECK(std::abs(log_partition_isotropy(z) + 2.0 * length) < 1e-12 * length + 4e-15 * static_cast<double>(n));
        CHECK(std::abs(partition_isotropy(z) - std::exp(-2.0 * length)) < 1e-12);
      }
    }
  }
}

TEST_CASE("no length of the rows overflows the partition function", "[partition_isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {5, 40}) {
    const Dense<double> z = reference::gaussian<double>(n, 12, 5, 0.3);
    for (const double unit : {1e10, 1e100, 1e200, 1e300}) {
      // All but the largest exponents vanish.
      const Real expected = log_by_definition(z * 1e10) * static_cast<Real>(unit / 1e10);
      CAPTURE(n, unit);
      CHECK(std::abs(static_cast<Real>(log_partition_isotropy(z * unit)) / expected - 1.0L) < 1e-8L);
      CHECK(partition_isotropy(z * unit) == 0.0);
    }
    for (const double unit : {1e-20, 1e-300}) CHECK(std::abs(log_partition_isotropy(z * unit)) < 1e-14);
  }
  const Dense<double> ends = Dense<double>::Identity(1, 1) * 1e305;
  Dense<double> both(2, 1);
  both << ends, -ends;
  CHECK(partition_isotropy(both) == 1.0);
  CHECK(partition_isotropy(ends) == 0.0);
}

TEST_CASE("isotropy by the partition function does not change with sign and rotation and copies",
          "[partition_isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {10, 50}) {
    const Dense<double> z = reference::gaussian<double>(n, 14, 7, 0.2, 0.4);
    const double expected = log_partition_isotropy(z);
    const Dense<double> rotation =
        Eigen::HouseholderQR<Dense<double>>(reference::gaussian<double>(14, 14, 8)).householderQ();
    CHECK(std::abs(log_partition_isotropy(-z) - expected) < 1e-12);
    CHECK(std::abs(log_partition_isotropy(z * rotation) - expected) < 1e-11);
    CHECK(std::abs(log_partition_isotropy(z.replicate(3, 1)) - expected) < 1e-11);
    CHECK(std::abs(log_partition_isotropy(z.colwise().reverse()) - expected) < 1e-12);
  }
}

TEST_CASE("many short rows spread evenly are isotropic", "[partition_isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  CHECK(partition_isotropy(reference::gaussian<double>(20000, 4, 9, 0.0, 0.5)) > 0.97);
  // A mean is what breaks it.
  CHECK(partition_isotropy(reference::gaussian<double>(20000, 4, 9, 0.5, 0.5)) < 0.2);
}

TEST_CASE("isotropy by the partition function has the same bits for any number of threads", "[partition_isotropy]") {
  for (const Index n : {15, 300}) {
    const Dense<float> z = reference::gaussian<float>(n, 20, 12, 0.2);
    std::vector<double> results;
    reference::for_thread_counts([&](int) { results.push_back(log_partition_isotropy(z)); });
    for (const double result : results) CHECK(result == results.front());
  }
}

TEST_CASE("zeros weigh the same from all sides and rows that are no numbers are refused", "[partition_isotropy]") {
  CHECK(partition_isotropy(Dense<double>::Zero(5, 3)) == 1.0);
  CHECK(partition_isotropy(Dense<double>::Zero(3, 5)) == 1.0);
  // A row of zeros takes part.
  Dense<double> z(2, 1);
  z << 1.0, 0.0;
  CHECK(std::abs(partition_isotropy(z) - (std::exp(-1.0) + 1.0) / (std::exp(1.0) + 1.0)) < 1e-15);
  Dense<double> bad = reference::gaussian<double>(9, 3, 13);
  const double expected = partition_isotropy(bad.bottomRows(8));
  bad(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(partition_isotropy(bad), NonFiniteError);
  CHECK(std::abs(partition_isotropy(bad, {.nonfinite = NonFinite::skip_rows}) - expected) < 1e-14);
  CHECK_THROWS_AS(partition_isotropy(Dense<double>(4, 0)), ShapeError);
}
