#include <collapse/statistics/pairs/row_pairs.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

template <class Scalar>
RowProducts products_of(const linalg::MatrixView<Scalar>& z, std::uint64_t seed = 0,
                        NonFinite policy = NonFinite::reject) {
  const Rows rows = statistics::scan_rows(z, policy);
  const Sums sums = statistics::sum_rows(z, rows, {.scatter = false, .directions = false, .direction_scatter = false});
  return statistics::row_products(z, rows, sums.moments, seed);
}

template <class Derived>
RowProducts products_of(const Eigen::DenseBase<Derived>& z, std::uint64_t seed = 0,
                        NonFinite policy = NonFinite::reject) {
  const linalg::Evaluated<Derived> evaluated(z);
  return products_of(evaluated.view(), seed, policy);
}

struct Expected {
  Real quartic;
  Real alignment;
};

/// Over all pairs, by plain loops.
template <class Derived>
Expected all_pairs(const Eigen::DenseBase<Derived>& z) {
  const reference::Matrix x = reference::centred(reference::widened(z)).transpose();
  const reference::Vector squares = x.colwise().squaredNorm().transpose();
  Real products = 0.0L;
  Real lengths = 0.0L;
  for (Index i = 0; i < x.cols(); ++i) {
    for (Index j = 0; j < i; ++j) {
      products += x.col(i).dot(x.col(j)) * x.col(i).dot(x.col(j));
      lengths += squares(i) * squares(j);
    }
  }
  return {squares.squaredNorm() / (squares.sum() * squares.sum()), products / lengths};
}

bool same(const RowProducts& a, const RowProducts& b) {
  return a.rows == b.rows && a.pairs == b.pairs && a.quartic == b.quartic && a.alignment == b.alignment &&
         a.defined == b.defined;
}

void check_close(const RowProducts& measured, const Expected& expected, Real tolerance) {
  CHECK(measured.defined);
  CHECK(std::abs(static_cast<Real>(measured.quartic) - expected.quartic) <= tolerance * expected.quartic);
  CHECK(std::abs(static_cast<Real>(measured.alignment) - expected.alignment) <= tolerance * expected.alignment);
}

}  // namespace

TEST_CASE("a random order holds every place once", "[row_products]") {
  for (const Index count : {1, 2, 7, 1000}) {
    std::vector<Index> order = statistics::random_order(count, count, 5);
    CHECK(order == statistics::random_order(count, count, 5));
    if (count == 1000) CHECK(order != statistics::random_order(count, count, 6));
    std::sort(order.begin(), order.end());
    for (Index i = 0; i < count; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  }
  std::vector<Index> some = statistics::random_order(1000, 10, 5);
  CHECK(some.size() == 10);
  std::sort(some.begin(), some.end());
  CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
  CHECK(some.back() < 1000);
}

TEST_CASE("every place is as likely as any other in a random order", "[row_products]") {
  constexpr Index count = 10;
  constexpr int draws = 4000;
  Eigen::MatrixXd hits = Eigen::MatrixXd::Zero(count, 3);
  for (int seed = 0; seed < draws; ++seed) {
    const std::vector<Index> order = statistics::random_order(count, 3, static_cast<std::uint64_t>(seed));
    for (Index k = 0; k < 3; ++k) hits(order[static_cast<std::size_t>(k)], k) += 1.0;
  }
  const double expected = static_cast<double>(draws) / static_cast<double>(count);
  // Binomial with standard deviation 19; 30 of them.
  CHECK((hits.array() - expected).abs().maxCoeff() < 4.0 * std::sqrt(expected * 0.9));
}

TEMPLATE_TEST_CASE("up to 91 rows the products are those of all pairs", "[row_products]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {2, 3, 4, 5, 16, 17, 90, 91}) {
    for (const Index d : {1, 31, 32, 33, 300}) {
      CAPTURE(n, d);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 3, 0.5);
      const RowProducts result = products_of(z);
      CHECK(result.rows == n);
      CHECK(result.pairs == n * (n - 1) / 2);
      check_close(result, all_pairs(z), 1e-13L);
    }
  }
}

TEST_CASE("longer batches have 4096 pairs or 8 per row of 1024", "[row_products]") {
  const auto size = [](Index rows) { return products_of(reference::gaussian<float>(rows, 2)); };
  CHECK(size(92).pairs == 92 * 45);
  CHECK(size(256).pairs == 256 * 16);
  CHECK(size(512).pairs == 512 * 8);
  CHECK(size(1024).pairs == 1024 * 8);
  CHECK(size(1024).rows == 1024);
  CHECK(size(1025).pairs == 1024 * 8);
  CHECK(size(1025).rows == 1024);
  CHECK(size(5000).rows == 1024);
}

TEST_CASE("every pair of rows is as likely as any other", "[row_products]") {
  // Each row stands beside one like it, and lengths differ: neighbours are more alike than other pairs.
  constexpr Index n = 200;
  Dense<double> z = reference::gaussian<double>(n, 4, 2);
  for (Index i = 0; i + 1 < n; i += 2) z.row(i + 1) = z.row(i);
  const auto expected = static_cast<double>(all_pairs(z).alignment);
  const linalg::Evaluated<Dense<double>> evaluated(z);
  const Rows rows = statistics::scan_rows(evaluated.view(), NonFinite::reject);
  const Moments all = moments(z);
  constexpr int draws = 200;
  double sum = 0.0;
  double squares = 0.0;
  for (int seed = 0; seed < draws; ++seed) {
    const double alignment =
        statistics::row_products(evaluated.view(), rows, all, static_cast<std::uint64_t>(seed)).alignment;
    sum += alignment;
    squares += alignment * alignment;
  }
  const double mean = sum / draws;
  const double deviation = std::sqrt(squares / draws - mean * mean);
  CHECK(deviation > 0.0);
  CHECK(deviation < 0.03 * expected);
  CHECK(std::abs(mean - expected) < 4.0 * deviation / std::sqrt(static_cast<double>(draws)));
}

TEST_CASE("of a long batch rows from all parts take part", "[row_products]") {
  // Two halves, each along an axis of its own: of one of them alone the alignment would be 1.
  constexpr Index n = 4000;
  Dense<double> z = Dense<double>::Zero(n, 2);
  z.col(0).head(n / 2) = reference::gaussian<double>(n / 2, 1, 4);
  z.col(1).tail(n / 2) = reference::gaussian<double>(n / 2, 1, 5);
  const auto expected = static_cast<double>(all_pairs(z.bottomRows(2500)).alignment);
  CHECK(expected < 0.7);
  // About 0.5 for all rows; the error of 1024 rows with 8192 pairs is some 4 %.
  CHECK(std::abs(products_of(z).alignment - 0.5) < 0.06);
}

TEMPLATE_TEST_CASE("row products have the same bits in every layout", "[row_products]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(131, 37);
  const RowProducts expected = products_of(z);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    CHECK(same(products_of(view), expected));
  });
}

TEST_CASE("row products have the same bits whatever the number of threads", "[row_products]") {
  const Dense<float> z = reference::gaussian<float>(1500, 333);
  const RowProducts expected = products_of(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(products_of(z), expected));
  });
}

TEST_CASE("a mean that is huge against the spread costs the products no digits", "[row_products]") {
  for (const double spread : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(spread);
    const Dense<double> far = reference::gaussian<double>(80, 40, 5, 1e6, spread);
    check_close(products_of(far), all_pairs(far), 1e-12L);
    const Dense<float> near = reference::around_a_point<float>(80, 40, spread);
    check_close(products_of(near), all_pairs(near), 1e-12L);
  }
  Dense<double> z = reference::gaussian<double>(60, 5, 8, 1.0, 1e-3);
  z.row(0).setConstant(1e6);
  check_close(products_of(z), all_pairs(z), 1e-9L);
}

TEST_CASE("row products do not depend on the unit", "[row_products]") {
  const Dense<double> z = reference::gaussian<double>(70, 40, 3, 0.7);
  const RowProducts expected = products_of(z);
  for (const int exponent : {-960, -500, -1, 1, 500, 1000}) {
    CAPTURE(exponent);
    CHECK(same(products_of(Dense<double>(z.unaryExpr([&](double v) { return std::ldexp(v, exponent); }))), expected));
  }
  for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
    CAPTURE(scale);
    const Dense<double> scaled = z * scale;
    check_close(products_of(scaled), all_pairs(scaled), 1e-13L);
  }
}

TEST_CASE("row products see denormal rows beside a large constant dimension", "[row_products]") {
  Dense<double> z = Dense<double>::Constant(4, 3, 1e300);
  z.col(0) << 0.0, 10 * 5e-324, 20 * 5e-324, 30 * 5e-324;
  z.col(1) << 0.0, 20 * 5e-324, 10 * 5e-324, 50 * 5e-324;
  const RowProducts result = products_of(z);
  CHECK(result.defined);
  Dense<double> plain(4, 2);
  plain << 0, 0, 10, 20, 20, 10, 30, 50;
  check_close(result, all_pairs(plain), 1e-13L);
}

TEST_CASE("a far dimension that varies by rounding alone hides no small ones", "[row_products]") {
  Dense<double> z = reference::gaussian<double>(50, 3);
  z.col(2).setZero();
  const RowProducts expected = products_of(z);
  for (Index i = 0; i < z.rows(); ++i) z(i, 2) = i % 3 == 0 ? 1e300 : 1e300 * (1.0 + 0x1p-52);
  const RowProducts measured = products_of(z);
  CHECK(measured.defined);
  CHECK(std::abs(measured.alignment - expected.alignment) < 1e-13);
  CHECK(std::abs(measured.quartic - expected.quartic) < 1e-13);
}

TEST_CASE("values near the largest double have row products", "[row_products]") {
  Dense<double> z(5, 2);
  z << 1.7e308, 1.0, -1.7e308, 1e308, 1.5e308, 3.0, -1.5e308, -1e308, 0.0, 0.0;
  const Dense<double> halved = z * 0x1p-600;
  check_close(products_of(z), all_pairs(halved), 1e-13L);
}

TEST_CASE("a dimension that varies by rounding alone has no products", "[row_products]") {
  Dense<float> z = reference::gaussian<float>(50, 3, 1, 0.0, 1e-9);
  z.col(2).setZero();
  const RowProducts expected = products_of(z);
  // Far above the spread of the others, were it taken for one.
  for (Index i = 0; i < z.rows(); ++i) z(i, 2) = i % 3 == 0 ? 1.0F : 1.0F + 0x1p-23F;
  const RowProducts measured = products_of(z);
  CHECK(std::abs(measured.alignment - expected.alignment) < 1e-9);
  CHECK(std::abs(measured.quartic - expected.quartic) < 1e-9);
}

TEST_CASE("rows along one line are aligned", "[row_products]") {
  const Dense<double> line = reference::gaussian<double>(300, 1) * reference::gaussian<double>(1, 50, 9);
  const RowProducts result = products_of(line);
  CHECK(result.pairs < 300 * 299 / 2);
  CHECK(std::abs(result.alignment - 1.0) < 1e-13);
}

TEST_CASE("equal rows and a single row have no products", "[row_products]") {
  CHECK_FALSE(products_of(reference::gaussian<float>(1, 50).replicate(20, 1).eval()).defined);
  CHECK_FALSE(products_of(Dense<float>(Dense<float>::Zero(20, 3))).defined);
  CHECK_FALSE(products_of(reference::gaussian<float>(1, 50)).defined);
  CHECK(products_of(reference::gaussian<float>(2, 50)).alignment == 1.0);
}

TEST_CASE("skipped rows take no part in the products", "[row_products]") {
  for (const Index n : {100, 1500}) {
    CAPTURE(n);
    Dense<double> z = reference::gaussian<double>(n, 4, 2, 7.0);
    z(0, 3) = std::numeric_limits<double>::quiet_NaN();
    z(70, 0) = std::numeric_limits<double>::infinity();
    Dense<double> rest(n - 2, 4);
    rest << z.middleRows(1, 69), z.bottomRows(n - 71);
    CHECK(same(products_of(z, 3, NonFinite::skip_rows), products_of(rest, 3)));
  }
}
