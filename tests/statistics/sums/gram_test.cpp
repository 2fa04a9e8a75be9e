#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/sums/gram_products.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <atomic>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using linalg::Panel;
using reference::Dense;
using reference::Real;

namespace {

/// a^T a or a a^T, whichever `side` says.
reference::Matrix product(const reference::Matrix& a, Side side) {
  return side == Side::dims ? reference::Matrix(a.transpose() * a) : reference::Matrix(a * a.transpose());
}

/// Largest |g_ij - expected_ij| of the lower triangle over sqrt(expected_ii expected_jj).
Real deviation(const Eigen::MatrixXd& lower, const reference::Matrix& expected) {
  if (lower.rows() != expected.rows() || lower.cols() != expected.cols()) return 1e9L;
  Real worst = 0.0L;
  for (Index j = 0; j < lower.cols(); ++j) {
    for (Index i = j; i < lower.rows(); ++i) {
      const Real scale = std::sqrt(expected(i, i) * expected(j, j));
      const Real difference = std::abs(static_cast<Real>(lower(i, j)) - expected(i, j));
      worst = std::max(worst, scale > 0.0L ? difference / scale : difference);
    }
  }
  return worst;
}

template <class Scalar>
Gram direction_gram_of(const linalg::MatrixView<Scalar>& view, NonFinite policy = NonFinite::reject) {
  const Rows rows = statistics::scan_rows(view, policy);
  statistics::DirectionStatistics statistics = statistics::direction_statistics(view, rows);
  if (statistics.products() != nullptr) return {Side::samples, std::move(statistics.lower)};
  return {Side::dims, std::move(statistics.sums.scatter)};
}

template <class Scalar>
Gram direction_gram_of(const Dense<Scalar>& z) {
  return direction_gram_of(linalg::Evaluated<Dense<Scalar>>(z).view());
}

template <class Scalar>
Gram centred_gram_of(const linalg::MatrixView<Scalar>& view) {
  const Rows rows = statistics::scan_rows(view, NonFinite::reject);
  return statistics::centred_gram(view, rows).gram;
}

}  // namespace

TEST_CASE("accumulate_gram is A^T A exactly for whole numbers, at every block edge", "[gram]") {
  reference::Random random(5);
  for (const Index depth : {1, 2, 15, 16, 17, 255, 256, 257, 513}) {
    for (const Index order : {1, 2, 95, 96, 97, 193}) {
      CAPTURE(depth, order);
      Eigen::MatrixXd a(depth, order);
      for (Index j = 0; j < order; ++j) {
        for (Index i = 0; i < depth; ++i) a(i, j) = std::floor(random.uniform() * 201.0) - 100.0;
      }
      std::vector<std::atomic<int>> asked(static_cast<std::size_t>(depth));
      const Eigen::MatrixXd gram = statistics::accumulate_gram(depth, order, [&](Index first, Panel::View out) {
        out.matrix() = a.middleRows(first, out.rows());
        for (Index r = 0; r < out.rows(); ++r) ++asked[static_cast<std::size_t>(first + r)];
      });
      for (const auto& times : asked) REQUIRE(times == 1);
      const Eigen::MatrixXd expected = a.transpose() * a;
      CHECK(Eigen::MatrixXd(gram.triangularView<Eigen::Lower>()) ==
            Eigen::MatrixXd(expected.triangularView<Eigen::Lower>()));
    }
  }
}

TEST_CASE("the smaller side is the samples when there are no more of them than dimensions", "[gram]") {
  CHECK(statistics::smaller_side(5, 6) == Side::samples);
  CHECK(statistics::smaller_side(6, 6) == Side::samples);
  CHECK(statistics::smaller_side(7, 6) == Side::dims);
}

TEMPLATE_TEST_CASE("the Gram of the centred rows is that of long double loops", "[gram]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 1},
                             {3, 2},
                             {97, 96},
                             {257, 95},
                             {300, 97},
                             {2, 2},
                             {2, 7},
                             {95, 97},
                             {17, 256},
                             {65, 257}}) {
    CAPTURE(n, d);
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 31, 0.5);
    const Gram result = gram(z);
    CHECK(result.side == (n > d ? Side::dims : Side::samples));
    const reference::Matrix x = reference::centred(reference::widened(z));
    CHECK(deviation(result.lower, product(x, result.side)) < 2e-15L);
  }
}

TEMPLATE_TEST_CASE("the Gram of the directions is that of long double loops", "[gram]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] :
       {std::pair<Index, Index>{3, 2}, {97, 96}, {257, 95}, {300, 97}, {2, 2}, {2, 7}, {95, 97}, {65, 257}}) {
    CAPTURE(n, d);
    const Dense<TestType> z = reference::gaussian<TestType>(n, d, 33, 0.5);
    const Gram result = direction_gram_of(z);
    CHECK(result.side == (n > d ? Side::dims : Side::samples));
    const reference::Matrix v = reference::centred(reference::unit_rows(reference::widened(z)));
    CHECK(deviation(result.lower, product(v, result.side)) < 4e-15L);
  }
}

TEST_CASE("zero rows have zero rows and columns in the Gram of the directions", "[gram]") {
  for (const Index d : {4, 90}) {
    CAPTURE(d);
    Dense<float> z = reference::gaussian<float>(60, d, 2, 0.5);
    z.row(0).setZero();
    z.row(33).setZero();
    const Gram result = direction_gram_of(z);
    reference::Matrix v = reference::Matrix::Zero(60, d);
    const reference::Matrix small = reference::centred(reference::unit_rows(reference::widened(z)));
    v.middleRows(1, 32) = small.topRows(32);
    v.bottomRows(26) = small.bottomRows(26);
    CHECK(deviation(result.lower, product(v, result.side)) < 2e-15L);
    if (result.side == Side::samples) {
      CHECK(result.lower.col(0).isZero(0));
      CHECK(result.lower.row(33).head(34).isZero(0));
      CHECK(result.lower.col(33).tail(27).isZero(0));
    }
  }
}

TEST_CASE("near collapse the Gram keeps the digits of the spread", "[gram]") {
  for (const Index n : {200, 20}) {
    CAPTURE(n);
    const Dense<double> z = reference::gaussian<double>(n, 40, 3, 1e6, 1e-4);
    const Gram result = gram(z);
    CHECK(deviation(result.lower, product(reference::centred(reference::widened(z)), result.side)) < 1e-13L);
  }
  for (const Index n : {200, 20}) {
    CAPTURE(n);
    const Dense<double> z = reference::around_a_point<double>(n, 40, 1e-6);
    const Gram result = direction_gram_of(z);
    const reference::Matrix v = reference::centred(reference::unit_rows(reference::widened(z)));
    CHECK(deviation(result.lower, product(v, result.side)) < 1e-9L);
  }
}

TEST_CASE("the Gram keeps its digits at every scale", "[gram]") {
  for (const double scale : {1e-150, 1e-100, 1e100, 1e150}) {
    for (const Index n : {30, 9}) {
      CAPTURE(scale, n);
      const Dense<double> z = reference::gaussian<double>(n, 10, 3, 0.5) * scale;
      const Gram result = gram(z);
      CHECK(deviation(result.lower, product(reference::centred(reference::widened(z)), result.side)) < 1e-14L);
    }
  }
  for (const double scale : {1e-300, 1e300}) {
    for (const Index n : {30, 9}) {
      CAPTURE(scale, n);
      const Dense<double> z = reference::gaussian<double>(n, 10, 3, 0.5) * scale;
      const auto view = linalg::Evaluated<Dense<double>>(z).view();
      const Gram result = centred_gram_of(view);
      const int unit = moments(z).common_exponent();
      const reference::Matrix x = std::ldexp(1.0L, -unit) * reference::centred(reference::widened(z));
      reference::Matrix expected = product(x, result.side);
      if (result.side == Side::dims) {
        const Eigen::VectorXi exponent = moments(z).exponent;
        for (Index i = 0; i < 10; ++i) {
          for (Index j = 0; j < 10; ++j)
            expected(i, j) = std::ldexp(expected(i, j), 2 * unit - exponent(i) - exponent(j));
        }
      }
      CHECK(deviation(result.lower, expected) < 1e-14L);
      CHECK(deviation(direction_gram_of(z).lower,
                      product(reference::centred(reference::unit_rows(reference::widened(z))), result.side)) < 1e-14L);
    }
  }
}

TEST_CASE("dimensions of wildly different scales each keep their digits in the D x D Gram", "[gram]") {
  Dense<double> z = reference::gaussian<double>(40, 5, 6, 0.4);
  for (Index d = 0; d < 5; ++d) z.col(d) *= std::pow(10.0, -140.0 + 70.0 * static_cast<double>(d));
  CHECK(deviation(gram(z).lower, product(reference::centred(reference::widened(z)), Side::dims)) < 1e-14L);
}

TEMPLATE_TEST_CASE("both Grams have the same bits in every layout", "[gram]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {131, 29}) {
    const Dense<TestType> z = reference::gaussian<TestType>(n, 41);
    const Gram centred = gram(z);
    const Gram directed = direction_gram_of(z);
    reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
      CAPTURE(n, layout);
      CHECK(reference::same_bits(centred_gram_of(view).lower, centred.lower));
      CHECK(reference::same_bits(direction_gram_of(view).lower, directed.lower));
    });
  }
}

TEST_CASE("both Grams have the same bits whatever the number of threads", "[gram]") {
  for (const Index n : {1100, 150}) {
    const Dense<float> z = reference::gaussian<float>(n, 211, 1, 1.0);
    const Gram centred = gram(z);
    const Gram directed = direction_gram_of(z);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(n, threads);
      CHECK(reference::same_bits(gram(z).lower, centred.lower));
      CHECK(reference::same_bits(direction_gram_of(z).lower, directed.lower));
    });
  }
}

TEST_CASE("skipped rows take no part in the Grams", "[gram]") {
  for (const Index d : {6, 120}) {
    CAPTURE(d);
    Dense<double> z = reference::gaussian<double>(100, d, 2, 1.0);
    z(0, 3) = std::numeric_limits<double>::quiet_NaN();
    z(70, 0) = std::numeric_limits<double>::infinity();
    Dense<double> rest(98, d);
    rest << z.middleRows(1, 69), z.bottomRows(29);
    const Gram result = gram(z, {.nonfinite = NonFinite::skip_rows});
    CHECK(deviation(result.lower, product(reference::centred(reference::widened(rest)), result.side)) < 1e-14L);
    const Gram directed = direction_gram_of(linalg::Evaluated<Dense<double>>(z).view(), NonFinite::skip_rows);
    const reference::Matrix v = reference::centred(reference::unit_rows(reference::widened(rest)));
    CHECK(deviation(directed.lower, product(v, directed.side)) < 1e-14L);
    CHECK_THROWS_AS(gram(z), NonFiniteError);
  }
}

TEST_CASE("the squared norm of a Gram counts both triangles", "[gram]") {
  const Dense<double> z = reference::gaussian<double>(50, 7, 3, 1.0);
  const Gram result = gram(z);
  const reference::Matrix expected = product(reference::centred(reference::widened(z)), Side::dims);
  CHECK(std::abs(static_cast<Real>(statistics::symmetric_squared_norm(result.lower)) - expected.squaredNorm()) <
        1e-14L * expected.squaredNorm());
  CHECK(statistics::symmetric_squared_norm(Eigen::MatrixXd()) == 0.0);
}
