#include <collapse/metrics/alignment.hpp>
#include <collapse/metrics/modality_gap.hpp>

#include "support/catch.hpp"
#include "support/reference_views.hpp"

#include <cmath>
#include <limits>
#include <string>

using namespace collapse;
using reference::Dense;
using reference::near;
using reference::Real;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class A, class B>
void check_by_definition(const Dense<A>& a, const Dense<B>& b, Real tolerance) {
  const reference::Pairs expected = reference::pairs(reference::widened(a), reference::widened(b));
  const Alignment measured = alignment(a, b);
  CHECK(measured.directed_pairs == a.rows());
  CHECK(near(measured.alignment, expected.alignment, tolerance * expected.alignment));
  CHECK(near(measured.invariance, expected.invariance, tolerance * expected.invariance));
  CHECK(near(measured.paired_cosine, expected.paired_cosine, tolerance));
  CHECK(near(measured.unpaired_cosine, expected.unpaired_cosine, tolerance));
  CHECK(near(modality_gap(a, b), expected.modality_gap, tolerance * expected.modality_gap));
}

}  // namespace

TEMPLATE_TEST_CASE("alignment and its kin are those of long double loops over pairs", "[alignment]", float, double,
                   Eigen::half, Eigen::bfloat16) {
  for (const Index n : {2, 3, 17, 130}) {
    for (const Index d : {1, 2, 33}) {
      CAPTURE(n, d);
      check_by_definition(reference::gaussian<TestType>(n, d, 1, 0.5), reference::gaussian<double>(n, d, 2, 0.1),
                          1e-13L);
    }
  }
}

TEST_CASE("pairs over several blocks are compared as within one", "[alignment]") {
  check_by_definition(reference::gaussian<float>(1100, 5, 3), reference::gaussian<Eigen::half>(1100, 5, 4), 1e-13L);
}

TEST_CASE("a view beside itself has alignment 0 and no gap", "[alignment]") {
  const Dense<float> z = reference::gaussian<float>(70, 9);
  const Alignment same = alignment(z, z);
  CHECK(same.alignment == 0.0);
  CHECK(same.invariance == 0.0);
  CHECK(same.paired_cosine == 1.0);
  CHECK(modality_gap(z, z) == 0.0);
}

TEST_CASE("opposite views have alignment 4", "[alignment]") {
  const Dense<double> z = reference::gaussian<double>(70, 9);
  const Alignment opposite = alignment(z, Dense<double>(-z));
  CHECK(std::abs(opposite.alignment - 4.0) < 1e-14);
  CHECK(std::abs(opposite.paired_cosine + 1.0) < 1e-14);
  CHECK(std::abs(opposite.invariance - 4.0 * z.squaredNorm() / 630.0) < 1e-13 * opposite.invariance);
}

TEST_CASE("orthogonal rows of one length have alignment 2 and the gap of their means", "[alignment]") {
  // A points along the first axis, B along the second: gap sqrt(2), every cosine 0.
  Dense<double> a = Dense<double>::Zero(6, 3);
  Dense<double> b = a;
  a.col(0).setConstant(2.0);
  b.col(1).setConstant(0.5);
  const Alignment result = alignment(a, b);
  CHECK(std::abs(result.alignment - 2.0) < 1e-15);
  CHECK(std::abs(result.paired_cosine) < 1e-15);
  CHECK(std::abs(result.unpaired_cosine) < 1e-15);
  CHECK(std::abs(result.invariance - 4.25 / 3.0) < 1e-15);
  CHECK(std::abs(modality_gap(a, b) - std::sqrt(2.0)) < 1e-15);
}

TEST_CASE("a view shifted along the axis of its mean has the gap of the formula", "[alignment]") {
  // Rows (cos t, sin t) and (cos t, -sin t) balanced in t, against the same turned by h: means cos t (1, 0) apart by
  // cos t * 2 sin(h / 2).
  const double t = 0.4;
  const double h = 0.3;
  Dense<double> a(2, 2);
  Dense<double> b(2, 2);
  a << std::cos(t), std::sin(t), std::cos(t), -std::sin(t);
  b << std::cos(t + h), std::sin(t + h), std::cos(h - t), std::sin(h - t);
  CHECK(std::abs(modality_gap(a, b) - 2.0 * std::cos(t) * std::sin(0.5 * h)) < 1e-15);
  CHECK(std::abs(alignment(a, b).alignment - 4.0 * std::sin(0.5 * h) * std::sin(0.5 * h)) < 1e-15);
}

TEST_CASE("views that are almost the same lose no digits", "[alignment]") {
  const Dense<double> a = reference::gaussian<double>(200, 12, 5, 1.0);
  const Dense<double> b = a + reference::gaussian<double>(200, 12, 6, 0.0, 1e-7);
  check_by_definition(a, b, 1e-8L);  // of 1e-7, rounding to unit length leaves 1e-9
  const reference::Pairs expected = reference::pairs(reference::widened(a), reference::widened(b));
  CHECK(near(alignment(a, b).invariance, expected.invariance, 1e-14L * expected.invariance));
}

TEST_CASE("directions do not ask for scale while invariance has its square", "[alignment]") {
  const Dense<double> a = reference::gaussian<double>(40, 6, 1);
  const Dense<double> b = reference::gaussian<double>(40, 6, 2);
  const Alignment plain = alignment(a, b);
  for (const double scale : {1e-150, 1e-90, 1e90, 1e150}) {
    CAPTURE(scale);
    const Dense<double> scaled_a = a * scale;
    const Dense<double> scaled_b = b * scale;
    const Alignment scaled = alignment(scaled_a, scaled_b);
    CHECK(std::abs(scaled.alignment - plain.alignment) < 1e-14);
    CHECK(std::abs(scaled.unpaired_cosine - plain.unpaired_cosine) < 1e-14);
    CHECK(std::abs(modality_gap(scaled_a, scaled_b) - modality_gap(a, b)) < 1e-14);
    CHECK(std::abs(scaled.invariance / scale / scale - plain.invariance) < 1e-13);
  }
  const Alignment denormal = alignment(Dense<double>(a * 1e-310), Dense<double>(b * 1e-310));
  CHECK(std::abs(denormal.alignment - plain.alignment) < 1e-10);
}

TEST_CASE("pairs with a row of length 0 have no direction", "[alignment]") {
  Dense<double> a = reference::gaussian<double>(20, 4, 1);
  Dense<double> b = reference::gaussian<double>(20, 4, 2);
  a.row(3).setZero();
  b.row(7).setZero();
  Dense<double> rest_a(18, 4);
  Dense<double> rest_b(18, 4);
  rest_a << a.topRows(3), a.middleRows(4, 3), a.bottomRows(12);
  rest_b << b.topRows(3), b.middleRows(4, 3), b.bottomRows(12);
  const Alignment with = alignment(a, b);
  const Alignment without = alignment(rest_a, rest_b);
  CHECK(with.directed_pairs == 18);
  CHECK(std::abs(with.alignment - without.alignment) < 1e-15);
  CHECK(std::abs(with.unpaired_cosine - without.unpaired_cosine) < 1e-15);
  CHECK(std::abs(with.invariance - (a - b).squaredNorm() / 80.0) < 1e-15);
  CHECK(std::abs(modality_gap(a, b) - modality_gap(rest_a, rest_b)) < 1e-15);
  const Dense<double> zeros = Dense<double>::Zero(5, 4);
  CHECK(std::isnan(alignment(zeros, zeros).alignment));
  CHECK(alignment(zeros, zeros).invariance == 0.0);
  CHECK(std::isnan(modality_gap(zeros, zeros)));
}

TEST_CASE("the cosine of non-pairs of one pair is undefined", "[alignment]") {
  const Dense<double> a = reference::gaussian<double>(1, 4, 1);
  const Dense<double> b = reference::gaussian<double>(1, 4, 2);
  CHECK(std::isnan(alignment(a, b).unpaired_cosine));
  CHECK(std::isfinite(alignment(a, b).alignment));
}

TEST_CASE("views of different dimensions have no alignment", "[alignment]") {
  const Alignment result = alignment(reference::gaussian<double>(9, 4), reference::gaussian<double>(9, 5));
  CHECK(std::isnan(result.alignment));
  CHECK(std::isnan(result.invariance));
  CHECK(std::isnan(result.paired_cosine));
  CHECK(std::isnan(result.unpaired_cosine));
  CHECK(std::isnan(modality_gap(reference::gaussian<double>(9, 4), reference::gaussian<double>(9, 5))));
}

TEST_CASE("a pair is left out when either of its rows is not finite", "[alignment]") {
  Dense<float> a = reference::gaussian<float>(12, 3, 1);
  Dense<double> b = reference::gaussian<double>(12, 3, 2);
  Dense<float> rest_a(10, 3);
  Dense<double> rest_b(10, 3);
  rest_a << a.topRows(2), a.middleRows(3, 5), a.bottomRows(3);
  rest_b << b.topRows(2), b.middleRows(3, 5), b.bottomRows(3);
  const Alignment expected = alignment(rest_a, rest_b);
  const Options skip{.nonfinite = NonFinite::skip_rows};
  a(2, 1) = std::numeric_limits<float>::infinity();
  CHECK(alignment(a, b, skip).directed_pairs == 11);
  b(8, 0) = not_a_number;
  b(2, 0) = not_a_number;
  const Alignment measured = alignment(a, b, skip);
  CHECK(measured.directed_pairs == 10);
  CHECK(measured.alignment == expected.alignment);
  CHECK(measured.invariance == expected.invariance);
  a.col(0).setConstant(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_AS(alignment(a, b, skip), ShapeError);
}

TEST_CASE("a non-finite value is reported with the name of its view", "[alignment]") {
  const Dense<double> good = reference::gaussian<double>(4, 3);
  Dense<double> bad = good;
  bad(2, 1) = not_a_number;
  const auto message = [](const auto& a, const auto& b) -> std::string {
    try {
      static_cast<void>(alignment(a, b));
    } catch (const NonFiniteError& error) {
      CHECK(error.row() == 2);
      CHECK(error.col() == 1);
      return error.what();
    }
    return "no error";
  };
  CHECK(message(bad, good).find("A(2, 1) is nan") != std::string::npos);
  CHECK(message(good, bad).find("B(2, 1) is nan") != std::string::npos);
}

TEST_CASE("views of different numbers of rows are refused by the names of both shapes", "[alignment]") {
  const auto message = [](Index rows_a, Index cols_a, Index rows_b, Index cols_b) -> std::string {
    try {
      static_cast<void>(alignment(Dense<double>::Ones(rows_a, cols_a), Dense<double>::Ones(rows_b, cols_b)));
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string mismatch = message(7, 3, 8, 5);
  CHECK(mismatch.find("7 x 3") != std::string::npos);
  CHECK(mismatch.find("8 x 5") != std::string::npos);
  CHECK(message(0, 3, 0, 3).find("0 x 3") != std::string::npos);
  CHECK(message(2, 3, 2, 0).find("2 x 0") != std::string::npos);
}

TEST_CASE("alignment has the same bits in every layout and for any number of threads", "[alignment]") {
  const Dense<float> a = reference::gaussian<float>(60, 17, 1);
  const Dense<float> b = reference::gaussian<float>(60, 17, 2);
  const Alignment expected = alignment(a, b);
  const reference::RowMajor<float> row_major = a;
  CHECK(alignment(row_major, b.block(0, 0, 60, 17)).alignment == expected.alignment);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(alignment(a, b).unpaired_cosine == expected.unpaired_cosine);
  });
}
