#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/linalg/tridiagonal.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using linalg::Index;
using linalg::RankedInterval;
using linalg::SturmCounts;
using linalg::Tridiagonal;
using reference::farthest;
using reference::Real;

namespace {

constexpr Real epsilon = reference::double_epsilon;

/// 2 on the diagonal, -1 beside it.
Tridiagonal second_difference(Index order) {
  return {Eigen::VectorXd::Constant(order, 2.0), Eigen::VectorXd::Constant(std::max<Index>(order - 1, 0), -1.0)};
}

/// 2 - 2 cos(k pi / (n + 1)), k = 1, ..., n.
reference::Vector second_difference_values(Index order) {
  reference::Vector values(order);
  for (Index k = 0; k < order; ++k) {
    const Real s = std::sin(static_cast<Real>(k + 1) * std::acos(-1.0L) / (2.0L * static_cast<Real>(order + 1)));
    values(k) = 4.0L * s * s;
  }
  return values;
}

Tridiagonal random_tridiagonal(Index order, std::uint64_t seed) {
  reference::Random random(seed);
  Tridiagonal t{Eigen::VectorXd(order), Eigen::VectorXd(order - 1)};
  for (double& value : t.diagonal) value = random.normal();
  for (double& value : t.beside) value = random.normal();
  return t;
}

/// How many eigenvalues lie below one number, wherever it stands among the lanes.
double count_below(const SturmCounts& counts, double x) {
  SturmCounts::Lanes lanes{};
  lanes.fill(x);
  const SturmCounts::Lanes below = counts.below(lanes);
  for (const double count : below) REQUIRE(count == below[0]);
  return below[0];
}

}  // namespace

TEST_CASE("eigenvalues of the second difference are 2 - 2 cos of its angles", "[tridiagonal]") {
  for (const Index order : reference::edge_orders) {
    CAPTURE(order);
    CHECK(farthest(linalg::eigenvalues(second_difference(order)), second_difference_values(order)) < 4.0L * epsilon);
  }
}

TEST_CASE("eigenvalues of the matrix of Kac are whole numbers", "[tridiagonal]") {
  for (const Index order : {2, 3, 10, 65, 130}) {
    CAPTURE(order);
    Tridiagonal t{Eigen::VectorXd::Zero(order), Eigen::VectorXd(order - 1)};
    reference::Vector expected(order);
    for (Index k = 0; k + 1 < order; ++k) t.beside(k) = std::sqrt(static_cast<double>((k + 1) * (order - 1 - k)));
    for (Index k = 0; k < order; ++k) expected(k) = static_cast<Real>(2 * k - (order - 1));
    CHECK(farthest(linalg::eigenvalues(t), expected) < 2.0L * epsilon * static_cast<Real>(t.bound()));
  }
}

TEST_CASE("eigenvalues of Wilkinson's matrix come in pairs that agree to fourteen digits", "[tridiagonal]") {
  Tridiagonal t{Eigen::VectorXd(21), Eigen::VectorXd::Ones(20)};
  for (Index k = 0; k < 21; ++k) t.diagonal(k) = std::abs(10.0 - static_cast<double>(k));
  const Eigen::VectorXd values = linalg::eigenvalues(t);
  CHECK(std::abs(values(20) - 10.746194182903393) < 4e-15);
  CHECK(std::abs(values(19) - 10.746194182903322) < 4e-15);
  CHECK(std::abs(values(0) + 1.1254415221199847) < 4e-15);
  CHECK(farthest(values, reference::jacobi_eigenvalues(reference::dense(t))) < 2.0L * epsilon * 12.0L);
}

TEST_CASE("eigenvalues of random tridiagonal matrices are those of rotations in long double", "[tridiagonal]") {
  for (const Index order : {1, 2, 3, 7, 8, 9, 16, 33, 64, 65}) {
    CAPTURE(order);
    const Tridiagonal t = random_tridiagonal(order, static_cast<std::uint64_t>(order));
    CHECK(farthest(linalg::eigenvalues(t), reference::jacobi_eigenvalues(reference::dense(t))) <
          2.0L * epsilon * static_cast<Real>(t.bound()));
  }
}

TEST_CASE("eigenvalues add up to the trace and their squares to the squared norm", "[tridiagonal]") {
  const Tridiagonal t = random_tridiagonal(300, 7);
  const reference::Vector values = linalg::eigenvalues(t).cast<Real>();
  const reference::Matrix a = reference::dense(t);
  CHECK(std::abs(values.sum() - a.trace()) < 20.0L * epsilon * static_cast<Real>(t.bound()));
  CHECK(std::abs(values.squaredNorm() / a.squaredNorm() - 1.0L) < 2.0L * epsilon);
}

TEST_CASE("a diagonal matrix has its diagonal as eigenvalues and so often as they stand there", "[tridiagonal]") {
  for (const Index order : {1, 8, 65}) {
    CAPTURE(order);
    Tridiagonal t{Eigen::VectorXd(order), Eigen::VectorXd::Zero(order - 1)};
    for (Index k = 0; k < order; ++k) t.diagonal(k) = static_cast<double>((7 * k) % 5) - 2.0;
    Eigen::VectorXd sorted = t.diagonal;
    std::sort(sorted.begin(), sorted.end());
    CHECK(farthest(linalg::eigenvalues(t), sorted) <= epsilon);
  }
}

TEST_CASE("a matrix that falls apart has the eigenvalues of its parts", "[tridiagonal]") {
  constexpr Index parts = 25;
  Tridiagonal t{Eigen::VectorXd::Zero(3 * parts), Eigen::VectorXd::Zero(3 * parts - 1)};
  reference::Vector expected(3 * parts);
  for (Index p = 0; p < parts; ++p) {
    // c - b sqrt 2, c, c + b sqrt 2; equal parts every fifth.
    const double centre = static_cast<double>(p % 5) - 1.0;
    t.diagonal.segment(3 * p, 3).setConstant(centre);
    t.beside.segment(3 * p, 2).setConstant(0.5);
    for (Index k = 0; k < 3; ++k) {
      expected(3 * p + k) = static_cast<Real>(centre) + static_cast<Real>(k - 1) * std::sqrt(0.5L);
    }
  }
  std::sort(expected.begin(), expected.end());
  CHECK(farthest(linalg::eigenvalues(t), expected) < 4.0L * epsilon);
}

TEST_CASE("minors that vanish again and again do not spoil a count", "[tridiagonal]") {
  // Sequences that shrink as fast as the entries allow, in every phase to where they are rescaled.
  for (const double tiny : {0.0, 1e-60, 2e-60, 4e-60, 1e-58, 1e-40, 1e-30, 1e-200, 5e-324}) {
    for (Index phase = 0; phase < 24; ++phase) {
      CAPTURE(tiny, phase);
      Tridiagonal t{Eigen::VectorXd::Ones(64), Eigen::VectorXd::Zero(63)};
      for (Index k = phase; k < 56; k += 3) t.diagonal(k) = tiny;
      t.diagonal(phase) = 2.0 * tiny;
      t.diagonal.tail(8).setConstant(-1.0);
      const Index zeros = (t.diagonal.array().abs() < 0.5).count();
      const SturmCounts counts(t);
      CHECK(count_below(counts, -1e-9) == 8.0);
      CHECK(count_below(counts, 0.0) >= 8.0);
      CHECK(count_below(counts, 0.0) <= static_cast<double>(8 + zeros));
      CHECK(count_below(counts, 0.5) == static_cast<double>(8 + zeros));
      CHECK(count_below(counts, 1.5) == 64.0);
      const Eigen::VectorXd values = linalg::eigenvalues(t);
      CHECK((values.head(8).array() + 1.0).abs().maxCoeff() <= 2e-16);
      CHECK(values.segment(8, zeros).cwiseAbs().maxCoeff() <= 2e-16);
      CHECK((values.tail(56 - zeros).array() - 1.0).abs().maxCoeff() <= 2e-16);
    }
  }
}

TEST_CASE("a count says how many eigenvalues lie below, in every lane", "[tridiagonal]") {
  for (const Index order : {1, 2, 7, 8, 9, 300}) {
    CAPTURE(order);
    Tridiagonal t = second_difference(order);
    t.diagonal /= 8.0;
    t.beside /= 8.0;
    const reference::Vector values = second_difference_values(order) / 8.0L;
    const SturmCounts counts(t);
    CHECK(count_below(counts, -1.0) == 0.0);
    CHECK(count_below(counts, 1.0) == static_cast<double>(order));
    SturmCounts::Lanes lanes{};
    for (Index k = 0; k < order; ++k) {
      const auto margin = static_cast<double>(2.0L * epsilon);
      CHECK(count_below(counts, static_cast<double>(values(k)) - margin) == static_cast<double>(k));
      CHECK(count_below(counts, static_cast<double>(values(k)) + margin) == static_cast<double>(k + 1));
      lanes[static_cast<std::size_t>(k) % lanes.size()] = static_cast<double>(values(k)) + margin;
    }
    const SturmCounts::Lanes below = counts.below(lanes);
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) CHECK(below[lane] == count_below(counts, lanes[lane]));
  }
}

TEST_CASE("a part of the eigenvalues has the bits that it has among all", "[tridiagonal]") {
  for (const Index order : {1, 5, 65, 200}) {
    const Tridiagonal t = random_tridiagonal(order, 3);
    const double tolerance = 1e-16 * t.bound();
    const Eigen::VectorXd all = linalg::eigenvalues(t, 0, order, tolerance);
    for (const Index first : {Index{0}, order / 3, order - 1, order}) {
      for (const Index end : {first, (first + order) / 2, order}) {
        CAPTURE(order, first, end);
        CHECK(reference::same_bits(linalg::eigenvalues(t, first, end, tolerance), all.segment(first, end - first)));
      }
    }
  }
}

TEST_CASE("eigenvalues are ascending and within the tolerance whatever it is", "[tridiagonal]") {
  const Tridiagonal t = second_difference(150);
  const reference::Vector expected = second_difference_values(150);
  for (const double tolerance : {1.0, 1e-3, 1e-10, 1e-30, 0.0}) {
    CAPTURE(tolerance);
    const Eigen::VectorXd values = linalg::eigenvalues(t, 0, 150, tolerance);
    CHECK(farthest(values, expected) <= 0.5L * static_cast<Real>(tolerance) + 4.0L * epsilon);
    CHECK(std::is_sorted(values.begin(), values.end()));
  }
}

TEST_CASE("small eigenvalues below one large entry keep their digits", "[tridiagonal]") {
  for (const double small : {1e-3, 1e-6, 1e-12, 1e-18, 1e-24}) {
    CAPTURE(small);
    const Index order = 40;
    // Of second_difference * small with one more row, from where the large entry seems infinitely far.
    Tridiagonal t = second_difference(order);
    t.diagonal *= small;
    t.beside *= small;
    t.diagonal(0) = 1.0;
    const double tolerance = 1e-16 * small;
    const Eigen::VectorXd values = linalg::eigenvalues(t, 0, order, tolerance);
    CHECK(std::abs(values(order - 1) - 1.0) < small);
    reference::Matrix rest = reference::dense(t.without_first());
    // The first order of the large row's influence; the next is smaller by another factor of `small`.
    rest(0, 0) -= static_cast<Real>(t.beside(0)) * static_cast<Real>(t.beside(0));
    const reference::Vector expected = reference::jacobi_eigenvalues(rest);
    const Real neglected = 4.0L * static_cast<Real>(small) * static_cast<Real>(small) * static_cast<Real>(small);
    CHECK(farthest(values.head(order - 1), expected) < 8.0L * epsilon * static_cast<Real>(small) + neglected);
  }
}

TEST_CASE("eigenvalues scale by powers of two to the bit", "[tridiagonal]") {
  const Tridiagonal t = random_tridiagonal(70, 5);
  const double tolerance = 1e-16 * t.bound();
  const Eigen::VectorXd values = linalg::eigenvalues(t, 0, 70, tolerance);
  for (const int power : {-960, -500, 1, 500, 1000}) {
    CAPTURE(power);
    const double unit = std::ldexp(1.0, power);
    const Eigen::VectorXd scaled = linalg::eigenvalues({t.diagonal * unit, t.beside * unit}, 0, 70, tolerance * unit);
    CHECK(reference::same_bits(scaled, values * unit));
  }
}

TEST_CASE("eigenvalues of entries at both ends of the range of double", "[tridiagonal]") {
  for (const double unit : {5e-324, 1e-310, 1e-300, 1e-150, 1e150, 1e300, 4e307}) {
    CAPTURE(unit);
    Tridiagonal t = second_difference(33);
    t.diagonal *= unit;
    t.beside *= unit;
    const Eigen::VectorXd values = linalg::eigenvalues(t);
    const reference::Vector expected = second_difference_values(33) * static_cast<Real>(unit);
    // A denormal value is a whole multiple of the smallest.
    CHECK(farthest(values, expected) <= 4.0L * epsilon * static_cast<Real>(unit) + 5e-324L);
  }
}

TEST_CASE("a graded matrix keeps its large eigenvalues", "[tridiagonal]") {
  for (const bool descending : {false, true}) {
    CAPTURE(descending);
    Tridiagonal t{Eigen::VectorXd(31), Eigen::VectorXd(30)};
    for (Index k = 0; k < 31; ++k) t.diagonal(k) = std::pow(10.0, -150.0 + 10.0 * static_cast<double>(k));
    for (Index k = 0; k < 30; ++k) t.beside(k) = 0.5 * std::sqrt(t.diagonal(k)) * std::sqrt(t.diagonal(k + 1));
    if (descending) {
      t.diagonal.reverseInPlace();
      t.beside.reverseInPlace();
    }
    const Eigen::VectorXd values = linalg::eigenvalues(t);
    CHECK(farthest(values, reference::jacobi_eigenvalues(reference::dense(t))) < 2.0L * epsilon * 1e150L);
    // The one after the largest, to the last digits of the largest: 0.75 by the quotient of the minors.
    CHECK(std::abs(values(30) / 1e150 - 1.0) < 1e-9);
    CHECK(std::abs(values(29) / 1e140 - 0.75) < 1e-5);
  }
}

TEST_CASE("eigenvalues have the same bits whatever the number of threads", "[tridiagonal]") {
  const Tridiagonal t = random_tridiagonal(600, 11);
  const Eigen::VectorXd values = linalg::eigenvalues(t);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(reference::same_bits(linalg::eigenvalues(t), values));
  });
}

TEST_CASE("all eigenvalues of a matrix of zeros or of no rows are zero", "[tridiagonal]") {
  CHECK(linalg::eigenvalues({}, 0, 0, 0.0).size() == 0);
  const Tridiagonal zero{Eigen::VectorXd::Zero(9), Eigen::VectorXd::Zero(8)};
  CHECK(linalg::eigenvalues(zero) == Eigen::VectorXd::Zero(9));
}

TEST_CASE("the bound of a tridiagonal matrix is its largest sum of a row", "[tridiagonal]") {
  Tridiagonal t{Eigen::VectorXd(3), Eigen::VectorXd(2)};
  t.diagonal << 1.0, -2.0, 6.0;
  t.beside << -8.0, 16.0;
  CHECK(t.bound() == 26.0);
  t.beside << -8.0, 1.0;
  CHECK(t.bound() == 11.0);
  CHECK(Tridiagonal{}.bound() == 0.0);
}

TEST_CASE("a tridiagonal matrix without its first row and column", "[tridiagonal]") {
  Tridiagonal t{Eigen::VectorXd(3), Eigen::VectorXd(2)};
  t.diagonal << 1.0, 2.0, 3.0;
  t.beside << 4.0, 5.0;
  const Tridiagonal two = t.without_first();
  CHECK(two.diagonal == Eigen::Vector2d(2.0, 3.0));
  CHECK(two.beside == Eigen::VectorXd::Constant(1, 5.0));
  const Tridiagonal one = two.without_first();
  CHECK(one.diagonal == Eigen::VectorXd::Constant(1, 3.0));
  CHECK(one.beside.size() == 0);
  CHECK(one.without_first().order() == 0);
  CHECK(Tridiagonal{}.without_first().order() == 0);
}

TEST_CASE("halving stops at the tolerance or when there are enough intervals and loses no eigenvalue",
          "[tridiagonal]") {
  Tridiagonal t = second_difference(100);
  t.diagonal /= 8.0;
  t.beside /= 8.0;
  const SturmCounts counts(t);
  for (const std::size_t enough : {std::size_t{1}, std::size_t{10}, std::size_t{1000}}) {
    CAPTURE(enough);
    std::vector<RankedInterval> intervals{{-1.0, 1.0, 0, 100}};
    linalg::bisect(counts, intervals, 1e-3, enough);
    CHECK(intervals.size() >= std::min<std::size_t>(enough, 50));
    if (enough < 50) CHECK(intervals.size() < 2 * enough);
    Index next = 0;
    double low = -1.0;
    for (const RankedInterval& interval : intervals) {
      CHECK(interval.first == next);
      CHECK(interval.end > interval.first);
      CHECK(interval.low >= low);
      CHECK(interval.high > interval.low);
      if (enough == 1000) CHECK(interval.high - interval.low <= 1e-3);
      CHECK(count_below(counts, interval.low) == static_cast<double>(interval.first));
      CHECK(count_below(counts, interval.high) == static_cast<double>(interval.end));
      next = interval.end;
      low = interval.high;
    }
    CHECK(next == 100);
  }
}
