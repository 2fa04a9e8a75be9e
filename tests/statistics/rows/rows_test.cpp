#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/statistics/rows/rows.hpp>

#include <array>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

template <class Scalar>
Rows scan(const Dense<Scalar>& z, NonFinite policy = NonFinite::reject) {
  return statistics::scan_rows(linalg::Evaluated<Dense<Scalar>>(z).view(), policy);
}

/// Largest deviation of what `scan_rows` says from long double loops: relative for the lengths, absolute for
/// directions.
template <class Scalar>
Real deviation(const Dense<Scalar>& z, const Rows& rows) {
  const reference::Matrix wide = reference::widened(z);
  Real worst = 0.0L;
  for (Index i = 0; i < z.rows(); ++i) {
    const Real length = std::sqrt(wide.row(i).squaredNorm());
    const auto measured = static_cast<Real>(rows.norm(i));
    worst = std::max(worst, length > 0.0L ? std::abs(measured - length) / length : std::abs(measured));
    if (length == 0.0L) {
      worst = std::max(worst, static_cast<Real>(rows.inverse_norm(i)));
      continue;
    }
    const double prescale = rows.prescale.size() > 0 ? rows.prescale(i) : 1.0;
    for (Index d = 0; d < z.cols(); ++d) {
      const double entry = static_cast<double>(wide(i, d)) * prescale * rows.inverse_norm(i);
      worst = std::max(worst, std::abs(static_cast<Real>(entry) - wide(i, d) / length));
    }
  }
  return worst;
}

/// Whether two scans found the same, bit for bit.
bool same(const Rows& a, const Rows& b) {
  using reference::same_bits;
  return a.samples == b.samples && a.dims == b.dims && a.skipped == b.skipped && a.zero == b.zero &&
         a.listed == b.listed && same_bits(a.norm, b.norm) && same_bits(a.inverse_norm, b.inverse_norm) &&
         same_bits(a.prescale, b.prescale);
}

}  // namespace

TEMPLATE_TEST_CASE("lengths and directions are those of long double loops", "[rows]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const Index n : {1, 2, 15, 16, 17, 63, 64, 65, 96, 257, 4097}) {
    for (const Index d : {1, 2, 8, 65}) {
      if (n > 1000 && d > 8) continue;
      CAPTURE(n, d);
      const Dense<TestType> z = reference::gaussian<TestType>(n, d, 3, 0.5);
      const Rows rows = scan(z);
      CHECK(rows.samples == n);
      CHECK(rows.dims == d);
      CHECK(rows.zero == 0);
      CHECK(rows.skipped == 0);
      CHECK(rows.listed.empty());
      CHECK(rows.prescale.size() == 0);
      CHECK(deviation(z, rows) < 2e-15L);
    }
  }
}

TEMPLATE_TEST_CASE("the same rows in another layout give the same bits", "[rows]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  Dense<TestType> z = reference::gaussian<TestType>(131, 37);
  z.row(20).setZero();
  const Rows expected = scan(z);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    CHECK(same(statistics::scan_rows(view, NonFinite::reject), expected));
  });
}

TEST_CASE("the scan has the same bits whatever the number of threads", "[rows]") {
  const Dense<float> z = reference::gaussian<float>(5000, 33);
  const Rows expected = scan(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(scan(z), expected));
  });
}

TEMPLATE_TEST_CASE("the first non-finite value in row order is named", "[rows]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const auto nan = reference::narrow<TestType>(std::numeric_limits<double>::quiet_NaN());
  const auto infinity = reference::narrow<TestType>(std::numeric_limits<double>::infinity());
  Dense<TestType> z = reference::gaussian<TestType>(300, 9);
  z(299, 0) = nan;
  z(200, 1) = infinity;
  z(130, 7) = nan;
  z(130, 5) = static_cast<TestType>(-infinity);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(threads);
      try {
        static_cast<void>(statistics::scan_rows(view, NonFinite::reject));
        FAIL("accepted");
      } catch (const NonFiniteError& error) {
        CHECK(error.row() == 130);
        CHECK(error.col() == 5);
        const std::string message = error.what();
        CHECK(message.find("Z(130, 5) is -inf") != std::string::npos);
      }
    });
  });
}

TEST_CASE("a NaN is found in the first and in the last place, also beside values whose squares overflow", "[rows]") {
  for (const double scale : {1.0, 1e200, 1e-200, 5e-324}) {
    for (const auto& [row, col] : {std::pair<Index, Index>{0, 0}, {0, 4}, {64, 2}, {129, 4}}) {
      CAPTURE(scale, row, col);
      Dense<double> z = reference::gaussian<double>(130, 5) * scale;
      z(row, col) = std::numeric_limits<double>::quiet_NaN();
      try {
        static_cast<void>(scan(z));
        FAIL("accepted");
      } catch (const NonFiniteError& error) {
        CHECK(error.row() == row);
        CHECK(error.col() == col);
      }
      CHECK(scan(z, NonFinite::skip_rows).skipped == 1);
    }
  }
}

TEST_CASE("skipped rows leave the statistics of the others", "[rows]") {
  const Dense<double> whole = reference::gaussian<double>(200, 6, 5, 3.0);
  Dense<double> z = whole;
  z.row(50).setZero();
  std::vector<Index> kept;
  for (Index i = 0; i < 200; ++i) {
    if (i % 7 == 0 || i == 64) {
      z(i, i % 6) = i % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    } else {
      kept.push_back(i);
    }
  }
  const Rows rows = scan(z, NonFinite::skip_rows);
  CHECK(rows.listed == kept);
  CHECK(rows.samples == static_cast<Index>(kept.size()));
  CHECK(rows.skipped == 200 - rows.samples);
  CHECK(rows.zero == 1);
  CHECK(rows.directed() == rows.samples - 1);
  CHECK(rows.norm.size() == rows.samples);
  CHECK(rows.inverse_norm.size() == rows.samples);
  Dense<double> reduced(rows.samples, 6);
  for (Index i = 0; i < rows.samples; ++i) reduced.row(i) = z.row(rows.selection()(i));
  CHECK(deviation(reduced, rows) < 2e-15L);
}

TEST_CASE("skipping keeps the prescale of each row beside its length", "[rows]") {
  Dense<double> z = reference::gaussian<double>(40, 4);
  for (Index i = 0; i < 40; ++i) z.row(i) *= std::ldexp(1.0, static_cast<int>(50 * i - 1000));
  z(3, 1) = std::numeric_limits<double>::quiet_NaN();
  z(17, 0) = std::numeric_limits<double>::infinity();
  const Rows rows = scan(z, NonFinite::skip_rows);
  REQUIRE(rows.samples == 38);
  REQUIRE(rows.prescale.size() == 38);
  for (Index i = 0; i < 38; ++i) {
    const reference::Matrix row = reference::widened(z.row(rows.selection()(i)));
    const Real length = std::sqrt(row.squaredNorm());
    CHECK(std::abs(static_cast<Real>(rows.norm(i)) - length) <= 1e-15L * length);
    CHECK(std::abs(static_cast<Real>(z(rows.selection()(i), 0) * rows.prescale(i) * rows.inverse_norm(i)) -
                   row(0, 0) / length) < 1e-15L);
  }
}

TEST_CASE("without a finite row there is nothing to skip to", "[rows]") {
  const Dense<float> z = Dense<float>::Constant(70, 3, std::numeric_limits<float>::infinity());
  try {
    static_cast<void>(scan(z, NonFinite::skip_rows));
    FAIL("accepted");
  } catch (const ShapeError& error) {
    CHECK(error.rows() == 70);
    CHECK(error.cols() == 3);
    CHECK(std::string(error.what()).find("70") != std::string::npos);
  }
  CHECK_THROWS_AS(scan(z), NonFiniteError);
}

TEST_CASE("an empty matrix is refused with its shape", "[rows]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{0, 5}, {5, 0}, {0, 0}}) {
    CAPTURE(n, d);
    try {
      static_cast<void>(scan(Dense<float>(n, d)));
      FAIL("accepted");
    } catch (const ShapeError& error) {
      CHECK(error.rows() == n);
      CHECK(error.cols() == d);
      const std::string message = error.what();
      CHECK(message.find(std::to_string(n) + " x " + std::to_string(d)) != std::string::npos);
    }
  }
}

TEST_CASE("scales from denormal to nearly overflowing keep their digits", "[rows]") {
  for (const double scale : {1e-300, 1e-250, 1e-150, 1e-126, 1e126, 1e144, 1e146, 1e150, 1e250, 1e300}) {
    CAPTURE(scale);
    const Dense<double> z = reference::gaussian<double>(130, 9, 2, 0.3) * scale;
    const Rows rows = scan(z);
    CHECK(deviation(z, rows) < 2e-15L);
  }
}

TEST_CASE("rows of many magnitudes at once keep their directions", "[rows]") {
  Dense<double> z = reference::gaussian<double>(200, 5, 4);
  for (Index i = 0; i < 200; ++i) z.row(i) *= std::pow(10.0, -300.0 + 3.0 * static_cast<double>(i));
  CHECK(deviation(z, scan(z)) < 2e-15L);
}

TEST_CASE("denormal rows have a length and a direction", "[rows]") {
  Dense<double> z(3, 2);
  z << 3 * 5e-324, 4 * 5e-324, 1e-310, 0, 0, -5e-324;
  const Rows rows = scan(z);
  CHECK(rows.zero == 0);
  CHECK(rows.norm(0) == 5 * 5e-324);
  CHECK(rows.norm(1) == 1e-310);
  CHECK(rows.norm(2) == 5e-324);
  CHECK(std::abs(z(0, 0) * rows.prescale(0) * rows.inverse_norm(0) - 0.6) < 1e-15);
  CHECK(std::abs(z(0, 1) * rows.prescale(0) * rows.inverse_norm(0) - 0.8) < 1e-15);
  CHECK(z(2, 1) * rows.prescale(2) * rows.inverse_norm(2) == -1.0);

  Dense<float> small(2, 2);
  small << 3e-45F, 0.0F, 0.0F, 1e-45F;
  CHECK(deviation(small, scan(small)) < 2e-15L);
}

TEST_CASE("zero rows are counted and have no direction", "[rows]") {
  Dense<double> z = reference::gaussian<double>(150, 4);
  for (const Index i : {0, 1, 63, 64, 149}) z.row(i).setZero();
  z(1, 2) = -0.0;
  const Rows rows = scan(z);
  CHECK(rows.zero == 5);
  CHECK(rows.directed() == 145);
  CHECK(deviation(z, rows) < 2e-15L);

  const Rows nothing = scan<float>(Dense<float>::Zero(20, 3));
  CHECK(nothing.zero == 20);
  CHECK(nothing.directed() == 0);
  CHECK(nothing.norm.isZero(0));
}

TEST_CASE("a scan into used rows leaves nothing of the scan before", "[rows]") {
  Dense<double> z = reference::gaussian<double>(100, 4) * 1e200;
  z(3, 1) = std::numeric_limits<double>::quiet_NaN();
  Rows rows = scan(z, NonFinite::skip_rows);
  const Dense<double> plain = reference::gaussian<double>(40, 6);
  statistics::scan_rows(linalg::Evaluated<Dense<double>>(plain).view(), NonFinite::reject, rows);
  CHECK(same(rows, scan(plain)));
  statistics::scan_rows(linalg::Evaluated<Dense<double>>(z).view(), NonFinite::skip_rows, rows);
  CHECK(same(rows, scan(z, NonFinite::skip_rows)));
}
