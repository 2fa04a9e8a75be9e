#include <collapse/metrics/cka.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_views.hpp"

#include <cmath>
#include <limits>

using namespace collapse;
using reference::Dense;
using reference::near;
using reference::Real;
using reference::rotation;

namespace {

template <class A, class B>
void check_by_definition(const Dense<A>& a, const Dense<B>& b, Real tolerance) {
  const reference::Cka expected = reference::linear_cka(reference::widened(a), reference::widened(b));
  const LinearCka measured = linear_cka(a, b);
  CHECK(near(measured.biased, expected.biased, tolerance));
  if (a.rows() >= 4 && !std::isnan(expected.debiased)) CHECK(near(measured.debiased, expected.debiased, tolerance));
}

/// b follows the first column of a.
Dense<double> follows(const Dense<double>& a, Index dims, std::uint64_t seed) {
  Dense<double> b = reference::gaussian<double>(a.rows(), dims, seed, 0.3);
  b.col(0) += 2.0 * a.col(0);
  return b;
}

}  // namespace

TEMPLATE_TEST_CASE("linear CKA is that of kernels of all pairs of rows", "[cka]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {2, 3, 4, 5, 30, 90}) {
    for (const Index d : {1, 7, 40}) {
      CAPTURE(n, d);
      const Dense<TestType> a = reference::gaussian<TestType>(n, d, 1, 0.5);
      check_by_definition(a, follows(reference::widened(a).template cast<double>(), 6, 2), 1e-10L);
    }
  }
}

TEST_CASE("linear CKA over several blocks and tiles is that of the kernels", "[cka]") {
  const Dense<double> a = reference::gaussian<double>(600, 100, 1, 0.5);
  check_by_definition(a, follows(a, 9, 2), 1e-12L);
}

TEST_CASE("linear CKA of views far from the origin keeps its digits", "[cka]") {
  // A column that is skew, so that the rounding of its mean matters to the products of deviations.
  Dense<double> n = reference::gaussian<double>(120, 6, 1);
  n.col(0) = n.col(0).array().square();
  const Dense<double> a = (1e-6 * n).array() + 1e6;
  const Dense<double> b = n.leftCols(4) + reference::gaussian<double>(120, 4, 2);
  const reference::Cka expected = reference::linear_cka(reference::widened(a), reference::widened(b));
  const LinearCka measured = linear_cka(a, b);
  CHECK(near(measured.biased, expected.biased, 1e-12L));
  CHECK(near(measured.debiased, expected.debiased, 1e-12L));
}

TEST_CASE("CKA is 1 for a view rotated and scaled and shifted", "[cka]") {
  for (const Index n : {6, 100}) {
    CAPTURE(n);
    const Dense<double> a = reference::gaussian<double>(n, 12, 1, 0.7);
    Dense<double> b = 3.0 * a * rotation(12, 4);
    b.array() += 5.0;
    CHECK(std::abs(linear_cka(a, b).biased - 1.0) < 1e-13);
    CHECK(std::abs(linear_cka(a, b).debiased - 1.0) < 1e-12);
    CHECK(std::abs(linear_cka(a, a).debiased - 1.0) < 1e-14);
    // Into a space of more dimensions as well.
    Dense<double> wide = Dense<double>::Zero(n, 20);
    wide.leftCols(12) = b;
    CHECK(std::abs(linear_cka(a, wide).biased - 1.0) < 1e-13);
  }
}

TEST_CASE("CKA of uncorrelated feature spaces is 0", "[cka]") {
  // Columns of a Hadamard matrix are orthogonal to each other and to the constant.
  Dense<double> h(16, 16);
  for (Index i = 0; i < 16; ++i) {
    for (Index j = 0; j < 16; ++j) {
      int parity = 0;
      for (Index bits = i & j; bits != 0; bits >>= 1) parity ^= static_cast<int>(bits & 1);
      h(i, j) = parity == 0 ? 1.0 : -1.0;
    }
  }
  CHECK(linear_cka(h.middleCols(1, 5), h.middleCols(6, 8)).biased < 1e-30);
  // Shared columns: ||A^T B||^2 = 256 * 2 over 256 sqrt(5 * 4).
  CHECK(std::abs(linear_cka(h.middleCols(1, 5), h.middleCols(4, 4)).biased - 2.0 / std::sqrt(20.0)) < 1e-14);
}

TEST_CASE("CKA of independent views is biased by the formula and the debiased form is not", "[cka]") {
  // E ||A^T B||^2 = (n - 1) p q, E ||A^T A||^2 = (n - 1) p (n + p) for centred Gaussians.
  const test::OneThread one_thread;
  const Index n = 50;
  const Index p = 40;
  const Index q = 30;
  double biased = 0.0;
  double debiased = 0.0;
  constexpr int times = 40;
  for (int t = 0; t < times; ++t) {
    const auto seed = static_cast<std::uint64_t>(2 * t + 1);
    const LinearCka cka =
        linear_cka(reference::gaussian<double>(n, p, seed), reference::gaussian<double>(n, q, seed + 1));
    biased += cka.biased / times;
    debiased += cka.debiased / times;
  }
  const double expected = std::sqrt(double(p * q) / (double(n + p) * double(n + q)));
  CHECK(expected > 0.4);
  CHECK(std::abs(biased - expected) < 0.01);
  // One estimate has a standard deviation of about sqrt(2) / n, 40 of them a sixth of that.
  CHECK(std::abs(debiased) < 0.02);
}

TEST_CASE("CKA does not ask for order of rows nor for scale", "[cka]") {
  const Dense<double> a = reference::gaussian<double>(60, 8, 1, 0.4);
  const Dense<double> b = follows(a, 5, 2);
  const LinearCka plain = linear_cka(a, b);
  const Dense<double> back_a = a.colwise().reverse();
  const Dense<double> back_b = b.colwise().reverse();
  CHECK(std::abs(linear_cka(back_a, back_b).debiased - plain.debiased) < 1e-13);
  CHECK(linear_cka(a, back_b).biased < 0.5 * plain.biased);
  CHECK(std::abs(linear_cka(b, a).debiased - plain.debiased) < 1e-13);
  for (const double scale : {1e-290, 1e-150, 1e-60, 1e60, 1e150, 1e290}) {
    CAPTURE(scale);
    for (const Index rows : {6, 60}) {
      const LinearCka expected = linear_cka(a.topRows(rows), b.topRows(rows));
      const LinearCka scaled = linear_cka(a.topRows(rows) * scale, b.topRows(rows));
      CHECK(std::abs(scaled.biased - expected.biased) < 1e-13);
      CHECK(std::abs(scaled.debiased - expected.debiased) < 1e-12);
    }
  }
}

TEST_CASE("CKA keeps its digits where the mean is huge against the spread", "[cka]") {
  const Dense<double> noise = reference::gaussian<double>(120, 6, 1);
  const Dense<double> a = (noise.array() * 1e-6 + 1.0).matrix();
  const Dense<double> b = (follows(noise, 4, 2).array() * 1e-4 - 1e3).matrix();
  check_by_definition(a, b, 1e-12L);
  check_by_definition(Dense<float>(a.cast<float>()), Dense<float>(b.cast<float>()), 1e-12L);
}

TEST_CASE("CKA is undefined without rows enough or without a spread", "[cka]") {
  const Dense<double> a = reference::gaussian<double>(9, 3, 1);
  const Dense<double> b = reference::gaussian<double>(9, 4, 2);
  CHECK(std::isnan(linear_cka(a.topRows(1), b.topRows(1)).biased));
  CHECK(std::abs(linear_cka(a.topRows(2), b.topRows(2)).biased - 1.0) < 1e-14);  // two rows have one geometry
  CHECK(std::isfinite(linear_cka(a.topRows(3), b.topRows(3)).biased));
  CHECK(std::isnan(linear_cka(a.topRows(3), b.topRows(3)).debiased));
  CHECK(std::isfinite(linear_cka(a, b).debiased));
  Dense<float> constant = Dense<float>::Constant(9, 4, 0.1F);
  CHECK(std::isnan(linear_cka(a, constant).biased));
  CHECK(std::isnan(linear_cka(constant, a).debiased));
  constant(3, 2) = std::nextafter(0.1F, 1.0F);  // no more than rounding
  CHECK(std::isnan(linear_cka(a, constant).biased));
  CHECK(std::isnan(linear_cka(reference::gaussian<double>(9, 12), constant.replicate(1, 4)).biased));
}

TEST_CASE("CKA leaves out pairs that are not finite", "[cka]") {
  Dense<double> a = reference::gaussian<double>(30, 3, 1);
  const Dense<double> b = follows(a, 4, 2);
  a(29, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(linear_cka(a, b), NonFiniteError);
  CHECK(linear_cka(a, b, {.nonfinite = NonFinite::skip_rows}).debiased ==
        linear_cka(a.topRows(29), b.topRows(29)).debiased);
  CHECK_THROWS_AS(linear_cka(a, b.topRows(20)), ShapeError);
}

TEST_CASE("both sides of the kernels give one CKA", "[cka]") {
  const Dense<double> a = reference::gaussian<double>(20, 20, 1);
  const Dense<double> b = follows(a, 31, 2);
  Dense<double> padded = Dense<double>::Zero(20, 20);
  padded.leftCols(8) = a.leftCols(8);
  const LinearCka samples = linear_cka(padded, b);
  const LinearCka dims = linear_cka(a.leftCols(8), b);
  CHECK(std::abs(samples.biased - dims.biased) < 1e-14);
  CHECK(std::abs(samples.debiased - dims.debiased) < 1e-13);
}
