#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/linalg/products.hpp>

#include <cmath>
#include <limits>

using namespace collapse;
using linalg::Index;
using linalg::PackedVectors;
using reference::Dense;

namespace {

/// The columns of a matrix as vectors.
PackedVectors packed_columns(const Dense<double>& columns) {
  linalg::Panel panel(columns.rows(), columns.cols());
  panel.view(columns.rows(), columns.cols()).matrix() = columns;
  PackedVectors result(columns.cols(), columns.rows());
  result.pack_columns(0, columns.cols(), panel.view(columns.rows(), columns.cols()));
  return result;
}

/// Whole numbers, whose products and sums are exact in any order.
Dense<double> whole_numbers(Index rows, Index cols, std::uint64_t seed) {
  reference::Random random(seed);
  Dense<double> result(rows, cols);
  for (Index j = 0; j < cols; ++j) {
    for (Index i = 0; i < rows; ++i) result(i, j) = std::floor(random.uniform() * 2001.0) - 1000.0;
  }
  return result;
}

}  // namespace

TEST_CASE("products of whole numbers are exact for every shape of a tile", "[products]") {
  for (const Index depth : {1, 2, 127, 128, 129, 300}) {
    for (const Index n : {1, 3, 11, 12, 13, 24, 25, 95, 96}) {
      for (const Index m : {1, 4, 5, 48, 96}) {
        CAPTURE(depth, n, m);
        const Dense<double> x = whole_numbers(depth, n, 1);
        const Dense<double> y = whole_numbers(depth, m, 2);
        Eigen::MatrixXd sums = Eigen::MatrixXd::Constant(n, m, 7.0);
        linalg::add_products(packed_columns(x), 0, packed_columns(y), 0, depth, sums);
        const Eigen::MatrixXd expected = ((x.transpose() * y).array() + 7.0).matrix();
        REQUIRE(sums == expected);
      }
    }
  }
}

TEST_CASE("vectors packed from rows are those packed from columns", "[products]") {
  const Dense<double> x = whole_numbers(37, 50, 3);
  const PackedVectors from_columns = packed_columns(x);
  linalg::Panel panel(50, 37);
  panel.view(50, 37).matrix() = x.transpose();
  PackedVectors from_rows(50, 37);
  from_rows.pack_rows(0, panel.view(50, 37));
  for (Index i = 0; i < 50; ++i) {
    for (Index k = 0; k < 37; ++k) {
      REQUIRE(from_columns.vector(i)[k * linalg::MicroKernel::group] == x(k, i));
      REQUIRE(from_rows.vector(i)[k * linalg::MicroKernel::group] == x(k, i));
    }
  }
}

TEST_CASE("a tile may begin at any group and is surrounded by what was there", "[products]") {
  const Dense<double> x = whole_numbers(40, 96, 4);
  const PackedVectors packed = packed_columns(x);
  const Index first = 2 * linalg::MicroKernel::group;
  Eigen::MatrixXd sums = Eigen::MatrixXd::Constant(60, 60, 5.0);
  linalg::add_products(packed, first, packed, 0, 40, linalg::ColumnsView<double>(sums).block(3, 7, 19, 21));
  Eigen::MatrixXd expected = Eigen::MatrixXd::Constant(60, 60, 5.0);
  expected.block(3, 7, 19, 21) += x.middleCols(first, 19).transpose() * x.leftCols(21);
  CHECK(sums == expected);
}

TEST_CASE("of a lower triangle nothing is missing", "[products]") {
  for (const Index n : {1, 12, 50, 96}) {
    CAPTURE(n);
    const Dense<double> x = whole_numbers(33, n, 5);
    const PackedVectors packed = packed_columns(x);
    Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(n, n);
    linalg::add_products(packed, 0, packed, 0, 33, sums, true);
    const Eigen::MatrixXd expected = x.transpose() * x;
    CHECK(Eigen::MatrixXd(sums.triangularView<Eigen::Lower>()) ==
          Eigen::MatrixXd(expected.triangularView<Eigen::Lower>()));
  }
}

TEST_CASE("what fills up a group has no influence, whatever lay in memory", "[products]") {
  Dense<double> x = Dense<double>::Constant(10, 96, std::numeric_limits<double>::quiet_NaN());
  PackedVectors packed = packed_columns(x);
  x = whole_numbers(10, 96, 6);
  linalg::Panel panel(10, 96);
  panel.view(10, 96).matrix() = x;
  packed.pack_columns(0, 13, panel.view(10, 13));
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(13, 13);
  linalg::add_products(packed, 0, packed, 0, 10, sums);
  const Eigen::MatrixXd expected = x.leftCols(13).transpose() * x.leftCols(13);
  CHECK(sums == expected);
}

TEST_CASE("products round no more than their length allows", "[products]") {
  const Dense<double> x = reference::gaussian<double>(1024, 24, 7);
  const PackedVectors packed = packed_columns(x);
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(24, 24);
  linalg::add_products(packed, 0, packed, 0, 1024, sums);
  const reference::Matrix wide = reference::widened(x);
  const reference::Matrix expected = wide.transpose() * wide;
  const reference::Matrix sizes = wide.cwiseAbs().transpose() * wide.cwiseAbs();
  const reference::Real worst = ((sums.cast<reference::Real>() - expected).array().abs() / sizes.array()).maxCoeff();
  CHECK(worst < 128.0L * std::numeric_limits<double>::epsilon() / 2.0L);
}

TEST_CASE("products in float of small whole numbers are exact for every shape of a tile", "[products]") {
  using Packed = linalg::BasicPackedVectors<float>;
  const auto packed_rows = [](const Dense<double>& columns) {
    linalg::Panel panel(columns.cols(), columns.rows());
    panel.view(columns.cols(), columns.rows()).matrix() = columns.transpose();
    Packed result(columns.cols(), columns.rows());
    result.pack_rows(0, panel.view(columns.cols(), columns.rows()));
    return result;
  };
  for (const Index depth : {1, 127, 128, 129, 300}) {
    for (const Index n : {1, 23, 24, 25, 96}) {
      for (const Index m : {1, 5, 48, 96}) {
        CAPTURE(depth, n, m);
        // At most 100 each: sums stay below 2^24.
        const Dense<double> x = (whole_numbers(depth, n, 8) / 10.0).array().round();
        const Dense<double> y = (whole_numbers(depth, m, 9) / 10.0).array().round();
        Eigen::MatrixXf sums = Eigen::MatrixXf::Constant(n, m, 7.0F);
        linalg::add_products(packed_rows(x), 0, packed_rows(y), 0, depth, sums);
        const Eigen::MatrixXd expected = ((x.transpose() * y).array() + 7.0).matrix();
        REQUIRE(sums.cast<double>() == expected);
      }
    }
  }
}

TEST_CASE("products of single pairs have the bits of those of a tile", "[products]") {
  for (const Index depth : {1, 3, 127, 128, 129, 700}) {
    CAPTURE(depth);
    const Dense<double> x = reference::gaussian<double>(depth, 24, 10, 0.5);
    const PackedVectors packed = packed_columns(x);
    Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(24, 24);
    linalg::add_products(packed, 0, packed, 0, depth, sums);
    for (Index i = 0; i < 24; ++i) {
      for (Index j = 0; j + 1 < 24; ++j) {
        const auto from_packed =
            linalg::pair_products<1, double>({packed.vector(i)}, {packed.vector(j)}, linalg::MicroKernel::group, depth);
        REQUIRE(from_packed[0] == sums(i, j));
        const auto two = linalg::pair_products<2, double>({x.col(i).data(), x.col(j + 1).data()},
                                                          {x.col(j).data(), x.col(i).data()}, 1, depth);
        REQUIRE(two[0] == sums(i, j));
        REQUIRE(two[1] == sums(i, j + 1));
      }
    }
  }
}
