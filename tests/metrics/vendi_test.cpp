#include <collapse/metrics/vendi.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <Eigen/QR>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> orders{0.5, 1.0, 1.03, 2.0, 3.0, infinity};

/// From the definition: eigenvalues of the M x M kernel of the cosines, in long double.
template <class Derived>
reference::Vector kernel_shares(const Eigen::DenseBase<Derived>& z) {
  const reference::Matrix units = reference::unit_rows(reference::widened(z));
  const reference::Matrix kernel = units * units.transpose() / static_cast<Real>(units.rows());
  const Eigen::SelfAdjointEigenSolver<reference::Matrix> solver(kernel, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().reverse().cwiseMax(0.0L);
}

Real score_of(const reference::Vector& shares, double order) {
  if (std::isinf(order)) return 1.0L / shares.maxCoeff();
  Real sum = 0.0L;
  for (const Real p : shares) {
    if (p > 1e-17L) sum += order == 1.0 ? -p * std::log(p) : std::pow(p, static_cast<Real>(order));
  }
  return order == 1.0 ? std::exp(sum) : std::pow(sum, 1.0L / (1.0L - static_cast<Real>(order)));
}

bool near(double measured, Real expected, Real tolerance) {
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::abs(expected);
}

/// The vertices of a regular simplex: K unit vectors whose cosines are all -1 / (K - 1), in K dimensions.
Dense<double> simplex(Index k) {
  return Dense<double>::Identity(k, k) - Dense<double>::Constant(k, k, 1.0 / static_cast<double>(k));
}

Dense<double> orthogonal(Index dims, std::uint64_t seed) {
  return Eigen::HouseholderQR<Dense<double>>(reference::gaussian<double>(dims, dims, seed)).householderQ();
}

std::string message_of(const Eigen::MatrixXd& kernel) {
  try {
    static_cast<void>(kernel_vendi_score(kernel));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("the Vendi score of orthogonal rows is their number and of equal rows 1", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  for (const double order : orders) {
    CAPTURE(order);
    for (const Index k : {1, 2, 7, 40}) {
      CHECK(near(vendi_score(3.0 * Dense<double>::Identity(k, k), {}, order), static_cast<Real>(k), 1e-13L));
      CHECK(near(vendi_score(Dense<double>::Identity(k, k + 5), {}, order), static_cast<Real>(k), 1e-13L));
      // Each direction eight times.
      CHECK(near(vendi_score(Dense<double>::Identity(k, k).replicate(8, 1), {}, order), static_cast<Real>(k), 1e-13L));
      CHECK(vendi_score(Dense<double>::Constant(k, 4, 0.1), {}, order) == 1.0);
      CHECK(vendi_score(Dense<double>::Constant(k, 60, 0.1), {}, order) == 1.0);
    }
  }
}

TEST_CASE("the Vendi score of two orthogonal blocks is the diversity of their sizes", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index dims : {2, 200}) {
    Dense<double> z = Dense<double>::Zero(100, dims);
    z.topRows(90).col(0).setConstant(2.0);
    z.bottomRows(10).col(1).setConstant(-0.5);
    CHECK(near(vendi_score(z), 10.0L / std::pow(9.0L, 0.9L), 1e-14L));
    CHECK(near(vendi_score(z, {}, 2.0), 1.0L / 0.82L, 1e-14L));
    CHECK(near(vendi_score(z, {}, infinity), 1.0L / 0.9L, 1e-14L));
    CHECK(near(vendi_score(z, {}, 0.0), 2.0L, 1e-14L));
  }
}

TEST_CASE("the Vendi score of a simplex is one less than its vertices", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index k : {2, 3, 10, 50}) {
    for (const double order : orders) {
      CAPTURE(k, order);
      CHECK(near(vendi_score(simplex(k), {}, order), static_cast<Real>(k - 1), 1e-12L));
      CHECK(near(vendi_score(simplex(k).replicate(3, 1), {}, order), static_cast<Real>(k - 1), 1e-12L));
    }
  }
}

TEST_CASE("the Vendi score is that of the kernel of all cosines on either side", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  const auto check = [](const auto& z, Real tolerance) {
    const reference::Vector shares = kernel_shares(z);
    for (const double order : orders) {
      CAPTURE(order);
      CHECK(near(vendi_score(z, {}, order), score_of(shares, order), tolerance));
    }
    const SingularValues spectrum = direction_spectrum(z);
    CHECK(spectrum.values.size() == std::min<Index>(shares.size(), z.cols()));
    CHECK(near(vendi_ratio(spectrum),
               score_of(shares, 1.0) / static_cast<Real>(std::min<Index>(shares.size(), z.cols())), tolerance));
  };
  for (const double offset : {0.0, 0.5, 5.0}) {
    for (const Index n : {2, 9, 30, 70}) {
      CAPTURE(offset, n);
      check(reference::gaussian<double>(n, 20, 3, offset), 1e-11L);
    }
  }
  check(reference::gaussian<float>(40, 12, 4, 1.0), 1e-11L);
  check(reference::gaussian<float>(12, 40, 4, 1.0), 1e-11L);
  check(reference::gaussian<Eigen::half>(40, 12, 5, 0.5), 1e-11L);
  check(reference::gaussian<Eigen::bfloat16>(12, 40, 5, 0.5), 1e-11L);
  // Rows without a direction: first, last and so many that fewer rows than dimensions are left of more.
  Dense<double> z = reference::gaussian<double>(30, 50, 6, 0.3);
  z.row(0).setZero();
  z.row(29).setZero();
  check(z, 1e-11L);
  check(Dense<double>(z.leftCols(25)), 1e-11L);
  Dense<double> few = reference::gaussian<double>(30, 20, 7, 0.3);
  few.topRows(18).setZero();
  check(few, 1e-11L);
  CHECK(vendi_score(few, {}, 0.0) < 12.0 + 1e-9);
}

TEST_CASE("near collapse the diversity of directions keeps its digits", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  for (const double e : {1e-2, 1e-4}) {
    for (const Index n : {20, 80}) {
      CAPTURE(e, n);
      const Dense<double> z = reference::around_a_point<double>(n, 40, e, 5);
      const reference::Vector shares = kernel_shares(z);
      Real rest = 0.0L;
      Real entropy = 0.0L;
      for (Index k = 1; k < shares.size(); ++k) {
        // What long double leaves of zeros.
        if (shares(k) < 1e-17L) continue;
        rest += shares(k);
        entropy -= shares(k) * std::log(shares(k));
      }
      entropy -= (1.0L - rest) * std::log1p(-rest);
      CHECK(near(matrix_entropy(direction_spectrum(z)), entropy, 1e-8L));
    }
  }
  // Beyond what float can tell there is one direction.
  CHECK(vendi_score(reference::around_a_point<float>(50, 20, 1e-9, 6)) == 1.0);
}

TEST_CASE("random directions have the diversity of Page's formula", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  // Exact for the mean entropy of a random state up to 1 / (a b).
  for (const auto& [n, d] : {std::pair<Index, Index>{300, 100}, {100, 300}, {150, 150}, {400, 20}}) {
    CAPTURE(n, d);
    const double a = static_cast<double>(std::min(n, d));
    const double b = static_cast<double>(std::max(n, d));
    const double expected = a * std::exp(-a / (2.0 * b));
    CHECK(std::abs(vendi_score(reference::gaussian<double>(n, d, 9)) / expected - 1.0) < 0.01);
  }
}

TEST_CASE("the Vendi score sees directions alone in any order and from any side", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {30, 60}) {
    const Dense<double> z = reference::gaussian<double>(n, 40, 11, 0.2);
    for (const double order : orders) {
      CAPTURE(n, order);
      const Real expected = vendi_score(z, {}, order);
      Dense<double> scaled = z;
      for (Index i = 0; i < n; ++i) scaled.row(i) *= std::exp(static_cast<double>(i % 7) - 3.0);
      CHECK(near(vendi_score(scaled, {}, order), expected, 1e-11L));
      CHECK(near(vendi_score(z.colwise().reverse(), {}, order), expected, 1e-11L));
      CHECK(near(vendi_score(z * orthogonal(40, 2), {}, order), expected, 1e-11L));
      CHECK(near(vendi_score(z.replicate(3, 1), {}, order), expected, 1e-11L));
      CHECK(near(vendi_score(z * 1e-300, {}, order), expected, 1e-11L));
      CHECK(near(vendi_score(z * 1e300, {}, order), expected, 1e-11L));
    }
  }
}

TEST_CASE("a kernel has the Vendi score that its authors print", "[vendi]") {
  Eigen::Matrix3d kernel;
  kernel << 1.0, 0.9, 0.0, 0.9, 1.0, 0.0, 0.0, 0.0, 1.0;
  CHECK(near(kernel_vendi_score(kernel), 2.1573L, 1e-4L));
  // Its eigenvalues are 1.9, 1 and 0.1.
  Real entropy = 0.0L;
  for (const Real p : {1.9L / 3.0L, 1.0L / 3.0L, 0.1L / 3.0L}) entropy -= p * std::log(p);
  CHECK(near(kernel_vendi_score(kernel), std::exp(entropy), 1e-14L));
  CHECK(near(kernel_vendi_score(kernel, 2.0), 9.0L / (1.9L * 1.9L + 1.0L + 0.01L), 1e-14L));
  CHECK(near(kernel_vendi_score(kernel, infinity), 3.0L / 1.9L, 1e-14L));

  const Eigen::VectorXd samples = (Eigen::VectorXd(6) << 0.0, 0.0, 10.0, 10.0, 20.0, 20.0).finished();
  Eigen::MatrixXd similar(6, 6);
  for (Index i = 0; i < 6; ++i) {
    for (Index j = 0; j < 6; ++j) similar(i, j) = std::exp(-std::abs(samples(i) - samples(j)));
  }
  CHECK(near(kernel_vendi_score(similar), 2.9999L, 1e-4L));
  CHECK(kernel_vendi_score(similar) < 3.0);
}

TEST_CASE("the score of a kernel of cosines is that of the embeddings", "[vendi]") {
  [[maybe_unused]] const test::OneThread one;
  const Dense<double> z = reference::gaussian<double>(25, 10, 13, 0.3).rowwise().normalized();
  const Eigen::MatrixXd kernel = z * z.transpose();
  for (const double order : orders) {
    CHECK(near(kernel_vendi_score(kernel, order), vendi_score(z, {}, order), 1e-11L));
    CHECK(near(kernel_vendi_score(kernel * 1e-200, order), vendi_score(z, {}, order), 1e-11L));
  }
  CHECK(near(kernel_vendi_score(kernel.cast<float>()), vendi_score(z), 1e-4L));
  CHECK(near(kernel_vendi_score(Eigen::MatrixXi::Identity(4, 4)), 4.0L, 1e-14L));
  CHECK(kernel_vendi_score(Eigen::MatrixXd::Ones(9, 9)) == 1.0);
  CHECK(kernel_vendi_score(Eigen::MatrixXd::Constant(1, 1, 0.3)) == 1.0);
}

TEST_CASE("what is no kernel is refused with its place", "[vendi]") {
  Eigen::MatrixXd kernel = Eigen::MatrixXd::Identity(4, 4);
  CHECK_THROWS_AS(kernel_vendi_score(kernel.topRows(3)), ShapeError);
  CHECK_THROWS_AS(kernel_vendi_score(Eigen::MatrixXd(0, 0)), ShapeError);
  CHECK_THROWS_AS(kernel_vendi_score(kernel, -1.0), OptionError);
  kernel(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of(kernel).find("K(2, 1) is nan") != std::string::npos);
  kernel(2, 1) = 0.25;
  CHECK(message_of(kernel).find("not symmetric: K(2, 1) is 0.25, K(1, 2) is 0") != std::string::npos);
  kernel(2, 1) = kernel(1, 2) = 1.5;  // eigenvalues 2.5, 1, 1 and -0.5
  CHECK(message_of(kernel).find("not positive semi-definite: it has the eigenvalue -0.5") != std::string::npos);
  CHECK(std::isnan(kernel_vendi_score(Eigen::MatrixXd::Zero(3, 3))));
}

TEST_CASE("without a direction the Vendi score is undefined", "[vendi]") {
  CHECK(std::isnan(vendi_score(Dense<double>::Zero(5, 3))));
  CHECK(std::isnan(vendi_score(Dense<double>::Zero(3, 5))));
  CHECK(std::isnan(vendi_ratio(direction_spectrum(Dense<double>::Zero(3, 5)))));
  CHECK(direction_spectrum(Dense<double>::Zero(3, 5)).values.size() == 0);
  CHECK(vendi_score(Dense<double>::Ones(1, 1)) == 1.0);
  CHECK_THROWS_AS(vendi_score(Dense<double>::Ones(2, 2), {}, -0.5), OptionError);
  Dense<double> bad = reference::gaussian<double>(9, 3, 15);
  const Real expected = vendi_score(bad.topRows(8));
  bad(8, 1) = infinity;
  CHECK_THROWS_AS(vendi_score(bad), NonFiniteError);
  CHECK(near(vendi_score(bad, {.nonfinite = NonFinite::skip_rows}), expected, 1e-13L));
  CHECK_THROWS_AS(vendi_score(Dense<double>(0, 3)), ShapeError);
}
