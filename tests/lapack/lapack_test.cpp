#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/tridiagonalization.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#ifndef COLLAPSE_USE_LAPACK
#error "compile with COLLAPSE_USE_LAPACK"
#endif

// Eigenvalues of a tridiagonal matrix by halving. What works by QL (dsterf, and what calls it) is further from the
// truth than the two reductions are from each other.
extern "C" void dstebz_(const char* range, const char* by_block, const int* order, const double* low,
                        const double* high, const int* first, const int* last, const double* tolerance,
                        const double* diagonal, const double* beside, int* found, int* blocks, double* values,
                        int* block, int* split, double* work, int* int_work, int* info, std::size_t, std::size_t);

using namespace collapse;
using linalg::Index;
using linalg::Tridiagonal;
using reference::farthest;
using reference::lower_only;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

/// By the code that LAPACK takes the place of.
Tridiagonal in_two_stages(Eigen::MatrixXd lower) { return linalg::chase_bulges(linalg::reduce_to_band(lower)); }

Eigen::VectorXd halved_by_lapack(const Tridiagonal& t) {
  const auto order = static_cast<int>(t.order());
  const auto size = static_cast<std::size_t>(order);
  const double unused = 0.0;
  // Twice the smallest normal number: as exact as dstebz can be.
  const double tolerance = 2.0 * std::numeric_limits<double>::min();
  const int none = 0;
  int found = 0;
  int blocks = 0;
  int info = 0;
  Eigen::VectorXd values(order);
  std::vector<int> block(size);
  std::vector<int> split(size);
  std::vector<int> int_work(3 * size);
  std::vector<double> work(4 * size);
  dstebz_("A", "E", &order, &unused, &unused, &none, &none, &tolerance, t.diagonal.data(), t.beside.data(), &found,
          &blocks, values.data(), block.data(), split.data(), work.data(), int_work.data(), &info, 1, 1);
  REQUIRE(info == 0);
  REQUIRE(found == order);
  return values;
}

Eigen::MatrixXd gram(Index order, Index depth, double offset) {
  const Eigen::MatrixXd z = reference::gaussian<double>(depth, order, 3, offset);
  return z.transpose() * z;
}

}  // namespace

TEST_CASE("our reduction and values are those of LAPACK to 1e-13 of the norm", "[lapack]") {
  for (const Index order : {65, 96, 97, 130, 257, 600}) {
    for (const double offset : {0.0, 3.0}) {
      if (order == 600 && offset == 0.0) continue;
      CAPTURE(order, offset);
      const Eigen::MatrixXd a = gram(order, order + 7, offset);
      const Tridiagonal theirs = linalg::tridiagonalize(lower_only(a));
      const Eigen::VectorXd expected = halved_by_lapack(theirs);
      const Real norm = static_cast<Real>(expected.cwiseAbs().maxCoeff());
      CHECK(farthest(linalg::eigenvalues(in_two_stages(lower_only(a))), expected) < 1e-13L * norm);
      CHECK(farthest(linalg::eigenvalues(theirs), expected) < 8.0L * epsilon * norm);
    }
  }
}

TEST_CASE("values through LAPACK are known ones", "[lapack]") {
  for (const Index order : {65, 193}) {
    CAPTURE(order);
    const reference::Vector expected = reference::spread_values(order);
    const Eigen::MatrixXd a = reference::with_eigenvalues(expected);
    CHECK(farthest(linalg::eigenvalues(linalg::tridiagonalize(lower_only(a))), expected) < 40.0L * epsilon);
  }
}

TEST_CASE("LAPACK leaves the first unit vector as it is", "[lapack]") {
  for (const Index order : {1, 2, 65, 130, 257}) {
    CAPTURE(order);
    Eigen::MatrixXd a = gram(order, order + 7, 0.5);
    const double norm = a.norm();
    a /= norm;
    Eigen::MatrixXd lower = lower_only(a);
    const Tridiagonal t = linalg::lapack_tridiagonalize(lower);
    REQUIRE(t.order() == order);
    REQUIRE(t.beside.size() == order - 1);
    CHECK(t.diagonal(0) == a(0, 0));
    const auto expected = reference::first_moments(a.cast<Real>());
    const auto moments = reference::first_moments(reference::dense(t));
    for (std::size_t k = 0; k < moments.size(); ++k) CHECK(std::abs(moments[k] - expected[k]) < 40.0L * epsilon);
  }
}

TEST_CASE("LAPACK is handed the matrix in a unit of its own", "[lapack]") {
  const Eigen::MatrixXd a = gram(100, 100, 0.5);
  const Tridiagonal t = linalg::tridiagonalize(a);
  for (const int power : {900, -900}) {
    CAPTURE(power);
    const Tridiagonal scaled = linalg::tridiagonalize(a * std::ldexp(1.0, power));
    CHECK(reference::same_bits(scaled.diagonal, t.diagonal * std::ldexp(1.0, power)));
    CHECK(reference::same_bits(scaled.beside, t.beside * std::ldexp(1.0, power)));
  }
}

TEST_CASE("LAPACK is not asked about a matrix of no rows", "[lapack]") {
  Eigen::MatrixXd none(0, 0);
  CHECK(linalg::lapack_tridiagonalize(none).order() == 0);
}
