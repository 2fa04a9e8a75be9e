#include <collapse/metrics/signal.hpp>

#include "support/catch.hpp"
#include "support/reference_views.hpp"

#include <Eigen/Eigenvalues>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::near;
using reference::Real;

namespace {

struct Expected {
  Real share = 0.0L;
  Real standard_error = 0.0L;
  Real effective_rank = 0.0L;
  Real participation_ratio = 0.0L;
  Real symmetry = 0.0L;
};

/// By loops over rows, with dense eigenvalues, in long double.
Expected expected_signal(const reference::Matrix& a, const reference::Matrix& b) {
  const reference::Matrix x = reference::centred(a);
  const reference::Matrix y = reference::centred(b);
  const Index d = x.cols();
  const Index n = x.rows();
  reference::Matrix cross = reference::Matrix::Zero(d, d);
  for (Index i = 0; i < n; ++i) cross += x.row(i).transpose() * y.row(i);
  const reference::Matrix s = 0.5L * (cross + cross.transpose());
  Real together = 0.0L;
  Real total = 0.0L;
  for (Index i = 0; i < n; ++i) {
    together += x.row(i).dot(y.row(i));
    total += 0.5L * (x.row(i).squaredNorm() + y.row(i).squaredNorm());
  }
  Expected result;
  result.share = together / total;
  Real squares = 0.0L;
  for (Index i = 0; i < n; ++i) {
    const Real rest = x.row(i).dot(y.row(i)) - result.share * 0.5L * (x.row(i).squaredNorm() + y.row(i).squaredNorm());
    squares += rest * rest;
  }
  result.standard_error = std::sqrt(squares * static_cast<Real>(n) / static_cast<Real>(n - 1)) / total;
  const reference::Vector values =
      Eigen::SelfAdjointEigenSolver<reference::Matrix>(s, Eigen::EigenvaluesOnly).eigenvalues();
  Real positive = 0.0L;
  for (const Real value : values) positive += value > 0.0L ? value : 0.0L;
  Real entropy = 0.0L;
  for (const Real value : values) entropy -= value > 0.0L ? value / positive * std::log(value / positive) : 0.0L;
  result.effective_rank = std::exp(entropy);
  result.participation_ratio = s.trace() * s.trace() / s.squaredNorm();
  result.symmetry = (cross * cross).trace() / cross.squaredNorm();
  return result;
}

/// A signal with the given standard deviations along the axes, and noise of another in each view.
std::pair<Dense<double>, Dense<double>> views(Index n, const std::vector<double>& signal, double noise,
                                              std::uint64_t seed = 1) {
  const auto dims = static_cast<Index>(signal.size());
  Dense<double> a = reference::gaussian<double>(n, dims, seed);
  for (Index d = 0; d < dims; ++d) a.col(d) *= signal[static_cast<std::size_t>(d)];
  Dense<double> b = a;
  a += noise * reference::gaussian<double>(n, dims, seed + 100);
  b += noise * reference::gaussian<double>(n, dims, seed + 200);
  return {a, b};
}

bool same(double left, double right, double tolerance = 1e-12) {
  return (std::isnan(left) && std::isnan(right)) ||
         std::abs(left - right) <= tolerance * std::max(1.0, std::abs(right));
}

void check_same(const Signal& left, const Signal& right, double tolerance = 1e-12) {
  CHECK(same(left.share, right.share, tolerance));
  CHECK(same(left.share_standard_error, right.share_standard_error, 1e-7));
  CHECK(same(left.independent_share, right.independent_share, tolerance));
  CHECK(same(left.effective_rank, right.effective_rank, tolerance));
  CHECK(same(left.participation_ratio, right.participation_ratio, tolerance));
  CHECK(same(left.symmetry, right.symmetry, tolerance));
}

}  // namespace

TEMPLATE_TEST_CASE("the signal is that of long double loops and dense eigenvalues", "[signal]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const Index n : {2, 3, 5, 17, 600}) {
    for (const Index d : {1, 2, 24, 70}) {
      CAPTURE(n, d);
      const Dense<TestType> a = reference::gaussian<TestType>(n, d, 1, 0.5);
      Dense<double> b = reference::gaussian<double>(n, d, 2, 0.1);
      b += reference::widened(a).template cast<double>();
      const Expected expected = expected_signal(reference::widened(a), reference::widened(b));
      const Signal measured = shared_signal(a, b);
      CHECK(near(measured.share, expected.share, 1e-13L));
      if (n >= 3) CHECK(near(measured.share_standard_error, expected.standard_error, 1e-7L));
      CHECK(near(measured.effective_rank, expected.effective_rank, 1e-11L * expected.effective_rank));
      CHECK(near(measured.participation_ratio, expected.participation_ratio,
                 1e-11L * (1.0L + expected.participation_ratio)));
      CHECK(near(measured.symmetry, expected.symmetry, 1e-12L));
    }
  }
}

TEST_CASE("identical views share all of their variance, in the directions of one view", "[signal]") {
  // Equal variances along the axes, exactly: a plan of two levels.
  Dense<double> a(8, 3);
  a << 1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, -1, 1, 1, -1, 1, -1, -1, -1, 1, -1, -1, -1;
  const Signal equal = shared_signal(a, a);
  CHECK(same(equal.share, 1.0, 1e-15));
  CHECK(equal.share_standard_error < 1e-7);
  CHECK(same(equal.effective_rank, 3.0));
  CHECK(same(equal.participation_ratio, 3.0));
  CHECK(same(equal.symmetry, 1.0));
  // Variances 4 : 1 : 1, so that p = 2/3, 1/6, 1/6.
  a.col(0) *= 2.0;
  const Signal unequal = shared_signal(a, a);
  CHECK(same(unequal.share, 1.0, 1e-15));
  CHECK(same(unequal.effective_rank, std::exp(2.0 / 3.0 * std::log(1.5) + 1.0 / 3.0 * std::log(6.0))));
  CHECK(same(unequal.participation_ratio, 36.0 / 18.0));
}

TEST_CASE("opposite and orthogonal views have a share of -1 and 0", "[signal]") {
  Dense<double> a(4, 2);
  a << 1, 1, 1, -1, -1, 1, -1, -1;
  const Signal opposite = shared_signal(a, Dense<double>(-a));
  CHECK(same(opposite.share, -1.0, 1e-15));
  CHECK(std::isnan(opposite.effective_rank));
  CHECK(same(opposite.participation_ratio, 2.0));
  // A quarter turn: what is shared has no symmetric part.
  Dense<double> turned(4, 2);
  turned << a.col(1), -a.col(0);
  const Signal quarter = shared_signal(a, turned);
  CHECK(quarter.share == 0.0);
  CHECK(std::isnan(quarter.effective_rank));
  CHECK(std::isnan(quarter.participation_ratio));
  CHECK(same(quarter.symmetry, -1.0));
}

TEST_CASE("signal and noise add up to the share and the directions that they were made with", "[signal]") {
  // Signal variances 9, 4, 1 and noise of variance 2 in five dimensions: 14 of 24.
  const auto [a, b] = views(200000, {3.0, 2.0, 1.0, 0.0, 0.0}, std::sqrt(2.0));
  const Signal s = shared_signal(a, b);
  CHECK(std::abs(s.share - 14.0 / 24.0) < 4.0 * s.share_standard_error);
  CHECK(s.share_standard_error < 0.002);
  const double entropy = -(9.0 * std::log(9.0 / 14.0) + 4.0 * std::log(4.0 / 14.0) + std::log(1.0 / 14.0)) / 14.0;
  CHECK(std::abs(s.effective_rank - std::exp(entropy)) < 0.05);
  CHECK(std::abs(s.participation_ratio - 196.0 / 98.0) < 0.02);
  CHECK(s.symmetry > 0.999);
}

TEST_CASE("the standard error of the share is the spread of the share over samples", "[signal]") {
  double sum = 0.0;
  double squares = 0.0;
  double error = 0.0;
  constexpr int samples = 400;
  for (int k = 0; k < samples; ++k) {
    const auto [a, b] = views(200, {2.0, 1.0, 1.0, 0.2}, 1.0, 1000 + static_cast<std::uint64_t>(k));
    const Signal s = shared_signal(a, b);
    sum += s.share / samples;
    squares += s.share * s.share / samples;
    error += s.share_standard_error / samples;
  }
  const double spread = std::sqrt(squares - sum * sum);
  CHECK(error > 0.85 * spread);
  CHECK(error < 1.15 * spread);
}

TEST_CASE("independent views have the numbers that stand beside each", "[signal]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2000, 40}, {200, 50}, {60, 60}, {50, 90}, {50, 100}, {30, 200}}) {
    CAPTURE(n, d);
    double squares = 0.0;
    double rank = 0.0;
    double ratio = 0.0;
    constexpr int samples = 12;
    Signal s;
    for (std::uint64_t k = 0; k < samples; ++k) {
      s = shared_signal(reference::gaussian<double>(n, d, 10 + k), reference::gaussian<double>(n, d, 500 + k));
      squares += s.share * s.share / samples;
      rank += s.effective_rank / samples;
      ratio += s.participation_ratio / samples;
    }
    CHECK(std::abs(s.independent_effective_rank / rank - 1.0) < 0.03);
    CHECK(std::sqrt(squares) > 0.5 * s.independent_share);
    CHECK(std::sqrt(squares) < 1.7 * s.independent_share);
    CHECK(ratio < 4.0 * s.independent_participation_ratio);
    CHECK(s.independent_share <= 1.0 / std::sqrt(static_cast<double>(n - 1)));
  }
}

TEST_CASE("what independent views share has the rank of a semicircle where rows are many", "[signal]") {
  // Of the positive half of a semicircle of n values: E[x] = 4 / (3 pi), and exp(-E[x ln x] / E[x]) by quadrature.
  double mean = 0.0;
  double mean_log = 0.0;
  constexpr int nodes = 200000;
  for (int i = 0; i < nodes; ++i) {
    const double x = (i + 0.5) / nodes;
    const double weight = 4.0 / 3.14159265358979323846 * std::sqrt(1.0 - x * x) / nodes;
    mean += weight * x;
    mean_log += weight * x * std::log(x);
  }
  const double share = mean * std::exp(-mean_log / mean);
  CHECK(std::abs(metrics::independent_signal_rank(100000000, 64) / (32.0 * share) - 1.0) < 1e-3);
  CHECK(metrics::independent_signal_rank(1, 1) == 1.0);
  CHECK(metrics::independent_signal_rank(1, 100000) < 1.2);
  CHECK(std::isnan(metrics::independent_signal_rank(0, 4)));
}

TEST_CASE("the signal does not ask for the order of pairs, a joint rotation, an offset or the scale", "[signal]") {
  const auto [a, b] = views(90, {3.0, 2.0, 1.0, 0.5, 0.1, 0.1}, 0.7);
  const Signal plain = shared_signal(a, b);
  check_same(shared_signal(Dense<double>(a.colwise().reverse()), Dense<double>(b.colwise().reverse())), plain);
  const Dense<double> turn = reference::rotation(6, 7);
  check_same(shared_signal(Dense<double>(a * turn), Dense<double>(b * turn)), plain);
  check_same(shared_signal(Dense<double>(a.array() + 3.0), Dense<double>(b.array() - 5.0)), plain);
  check_same(shared_signal(b, a), plain);
  for (const double scale : {1e-150, 1e-30, 1e30, 1e150, 1e290}) {
    CAPTURE(scale);
    check_same(shared_signal(Dense<double>(a * scale), Dense<double>(b * scale)), plain);
  }
  const reference::RowMajor<double> rows = b;
  const Signal by_rows = shared_signal(a, rows);
  CHECK(by_rows.share == plain.share);
  CHECK(by_rows.effective_rank == plain.effective_rank);
}

TEST_CASE("few pairs of many dimensions give the eigenvalues of the D x D matrix from the other side", "[signal]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 8}, {3, 30}, {10, 40}, {20, 150}}) {
    CAPTURE(n, d);
    REQUIRE(metrics::few_pairs(n, d));
    const Dense<float> a = reference::gaussian<float>(n, d, 1, 2.0);
    const Dense<float> b = reference::gaussian<float>(n, d, 2) + a;
    const Expected expected = expected_signal(reference::widened(a), reference::widened(b));
    const Signal measured = shared_signal(a, b);
    CHECK(near(measured.effective_rank, expected.effective_rank, 1e-11L * expected.effective_rank));
    CHECK(near(measured.participation_ratio, expected.participation_ratio, 1e-11L * expected.participation_ratio));
    CHECK(near(measured.share, expected.share, 1e-13L));
  }
  CHECK_FALSE(metrics::few_pairs(3, 11));
}

TEST_CASE("near collapse the signal is that of the small differences", "[signal]") {
  const auto [x, y] = views(300, {2.0, 1.0, 0.5, 0.2}, 0.8);
  const Dense<double> a = (1e-7 * x).array() + 1.0;
  const Dense<double> b = (1e-7 * y).array() + 1.0;
  const Expected expected = expected_signal(reference::widened(a), reference::widened(b));
  const Signal measured = shared_signal(a, b);
  CHECK(near(measured.share, expected.share, 1e-11L));
  CHECK(near(measured.effective_rank, expected.effective_rank, 1e-10L));
}

TEST_CASE("a column that is constant but for rounding is no part of the signal", "[signal]") {
  auto [a, b] = views(100, {2.0, 1.0, 1.0}, 0.5);
  Dense<float> far_a(100, 4);
  Dense<float> far_b(100, 4);
  far_a << a.cast<float>(), Eigen::VectorXf::Constant(100, -3.7e9F);
  far_b << b.cast<float>(), Eigen::VectorXf::Constant(100, -3.7e9F);
  for (Index i = 0; i < 100; i += 3) far_a(i, 3) = std::nextafter(far_a(i, 3), 0.0F);
  for (Index i = 0; i < 100; i += 7) far_b(i, 3) = std::nextafter(far_b(i, 3), 0.0F);
  const Signal plain = shared_signal(Dense<float>(a.cast<float>()), Dense<float>(b.cast<float>()));
  const Signal far = shared_signal(far_a, far_b);
  CHECK(same(far.share, plain.share));
  CHECK(same(far.effective_rank, plain.effective_rank));
  CHECK(std::isnan(far.share_standard_error));
}

TEST_CASE("the signal of one pair, of constant views and of other dimensions is undefined", "[signal]") {
  const Dense<double> a = reference::gaussian<double>(9, 4, 1);
  const Dense<double> b = reference::gaussian<double>(9, 4, 2);
  const auto undefined_all = [](const Signal& s) {
    CHECK(std::isnan(s.share));
    CHECK(std::isnan(s.effective_rank));
    CHECK(std::isnan(s.participation_ratio));
    CHECK(std::isnan(s.symmetry));
  };
  undefined_all(shared_signal(a.topRows(1), b.topRows(1)));
  undefined_all(shared_signal(a, b.leftCols(3)));
  undefined_all(shared_signal(a, Dense<double>(Dense<double>::Constant(9, 4, 0.1))));
  undefined_all(shared_signal(Dense<double>(Dense<double>::Zero(9, 4)), b));
  undefined_all(
      shared_signal(Dense<float>(Dense<float>::Constant(9, 40, 0.1F)), Dense<float>(Dense<float>::Ones(9, 40))));
  const Signal two = shared_signal(a.topRows(2), b.topRows(2));
  CHECK(std::isfinite(two.share));
  CHECK(std::isnan(two.share_standard_error));
  Dense<double> broken = a;
  broken(3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(shared_signal(broken, b), NonFiniteError);
  broken(3, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(shared_signal(b, broken), NonFiniteError);
  CHECK_THROWS_AS(shared_signal(a, b.topRows(3)), ShapeError);
  const Signal skipped = shared_signal(broken, b, {.nonfinite = NonFinite::skip_rows});
  CHECK(std::isfinite(skipped.share));
  // The smallest numbers that there are.
  const double least = std::numeric_limits<double>::denorm_min();
  const Signal denormal =
      shared_signal(Dense<double>((a.array() * 1e3).round() * least), Dense<double>((a.array() * 1e3).round() * least));
  CHECK(same(denormal.share, 1.0));
}
