#include <collapse/metrics/coherence.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <cmath>
#include <limits>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// z_i^T (Z^T Z)^-1 z_i in long double, for independent columns; the larger digits of the Gram matrix are there.
template <class Derived>
reference::Vector by_normal_equations(const Eigen::DenseBase<Derived>& embeddings) {
  const reference::Matrix z = reference::widened(embeddings);
  const reference::Matrix gram = z.transpose() * z;
  const reference::Matrix solved = gram.ldlt().solve(z.transpose());
  return z.cwiseProduct(solved.transpose()).rowwise().sum();
}

/// Lengths of the rows of an orthonormal basis of the columns, by Gram and Schmidt, each step taken twice: no Gram
/// matrix that would square their condition.
template <class Derived>
reference::Vector by_orthogonalisation(const Eigen::DenseBase<Derived>& embeddings) {
  reference::Matrix basis = reference::widened(embeddings);
  for (Index k = 0; k < basis.cols(); ++k) {
    for (int pass = 0; pass < 2; ++pass) {
      for (Index j = 0; j < k; ++j) basis.col(k) -= basis.col(j).dot(basis.col(k)) * basis.col(j);
    }
    basis.col(k).normalize();
  }
  return basis.rowwise().squaredNorm();
}

Real largest_difference(const Eigen::VectorXd& measured, const reference::Vector& expected) {
  return (measured.cast<Real>() - expected).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("leverages are those of the normal equations", "[coherence]") {
  [[maybe_unused]] const test::OneThread one;
  for (const double offset : {0.0, 2.0, 50.0}) {
    for (const Index d : {1, 2, 13, 40}) {
      for (const Index n : {d + 1, 2 * d, Index{150}}) {
        CAPTURE(offset, n, d);
        const Dense<double> z = reference::gaussian<double>(n, d, 3, offset);
        CHECK(largest_difference(leverages(z), by_normal_equations(z)) < 1e-11L);
      }
    }
  }
  const Dense<float> narrow = reference::gaussian<float>(90, 20, 4, 0.5);
  CHECK(largest_difference(leverages(narrow), by_normal_equations(narrow)) < 1e-12L);
  const Dense<Eigen::half> narrower = reference::gaussian<Eigen::half>(90, 20, 4, 0.5);
  CHECK(largest_difference(leverages(narrower), by_normal_equations(narrower)) < 1e-12L);
}

TEST_CASE("leverages of dependent columns are those of a basis of them", "[coherence]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {20, 60}) {
    for (const Index rank : {1, 3, 12}) {
      CAPTURE(n, rank);
      const Dense<double> basis = reference::gaussian<double>(n, rank, 5);
      const Dense<double> z = basis * reference::gaussian<double>(rank, 30, 6);
      const Eigen::VectorXd measured = leverages(z);
      CHECK(largest_difference(measured, by_normal_equations(basis)) < 1e-12L);
      CHECK(std::abs(measured.sum() - static_cast<double>(rank)) < 1e-12);
      // Rounded to float the rest has singular values still, but nothing that is above the rounding.
      CHECK(largest_difference(leverages(z.cast<float>()), by_normal_equations(basis)) < 1e-5L);
    }
  }
}

TEST_CASE("near collapse leverages keep their digits", "[coherence]") {
  for (const double e : {1e-2, 1e-4, 1e-6, 1e-8}) {
    CAPTURE(e);
    const Dense<double> z = reference::around_a_point<double>(80, 10, e, 7);
    CHECK(largest_difference(leverages(z), by_orthogonalisation(z)) < 2e-15L / static_cast<Real>(e));
  }
  // Complete collapse is one direction that all rows share.
  const Eigen::VectorXd equal = leverages(Dense<double>::Constant(50, 10, 0.3));
  CHECK((equal.array() - 0.02).abs().maxCoeff() < 1e-15);
  CHECK(std::abs(coherence(Dense<double>::Constant(50, 10, 0.3)) - 1.0) < 1e-13);
}

TEST_CASE("leverages add up to the rank and independent rows have all of theirs", "[coherence]") {
  const Dense<double> z = reference::gaussian<double>(100, 12, 8, 1.0);
  CHECK(std::abs(leverages(z).sum() - 12.0) < 1e-12);
  CHECK(leverages(z).minCoeff() > 0.0);
  CHECK(leverages(z).maxCoeff() < 1.0);
  CHECK(leverages(reference::gaussian<double>(12, 30, 9)) == Eigen::VectorXd::Ones(12));
  CHECK(coherence(reference::gaussian<double>(12, 30, 9)) == 1.0);
  // Two of the rows are one, and one is none.
  Dense<double> some = reference::gaussian<double>(12, 30, 9);
  some.row(3) = 2.0 * some.row(7);
  some.row(0).setZero();
  Eigen::VectorXd expected = Eigen::VectorXd::Ones(12);
  expected(3) = 0.8;
  expected(7) = 0.2;
  expected(0) = 0.0;
  CHECK((leverages(some) - expected).cwiseAbs().maxCoeff() < 1e-13);
  CHECK(std::abs(coherence(some) - 12.0 / 10.0) < 1e-13);
}

TEST_CASE("rows that share all directions evenly have coherence 1 and one that is alone N / rank", "[coherence]") {
  for (const Index d : {1, 2, 10}) {
    for (const Index copies : {1, 3, 40}) {
      CAPTURE(d, copies);
      Dense<double> z = Dense<double>::Identity(d, d).replicate(copies, 1);
      CHECK(std::abs(coherence(z) - 1.0) < 1e-14);
      if (copies == 1 || d == 1) continue;
      // The last direction is left to one row.
      z.col(d - 1).head((copies - 1) * d).setZero();
      CHECK(std::abs(coherence(z) - static_cast<double>(copies)) < 1e-13);
    }
  }
}

TEST_CASE("leverages do not change with another basis of the columns or another unit", "[coherence]") {
  [[maybe_unused]] const test::OneThread one;
  const Dense<double> z = reference::gaussian<double>(70, 9, 10, 0.5);
  const Eigen::VectorXd expected = leverages(z);
  CHECK((leverages(z * reference::gaussian<double>(9, 9, 11)) - expected).cwiseAbs().maxCoeff() < 1e-12);
  for (const double unit : {1e-300, 1e-150, 3.0, 1e150, 1e307}) {
    CHECK((leverages(z * unit) - expected).cwiseAbs().maxCoeff() < 1e-13);
  }
  CHECK((leverages(z.colwise().reverse()).reverse() - expected).cwiseAbs().maxCoeff() < 1e-13);
  const reference::RowMajor<double> row_major = z;
  CHECK((leverages(row_major) - expected).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("leverages have the same bits for any number of threads", "[coherence]") {
  const Dense<float> z = reference::gaussian<float>(300, 20, 12, 0.2);
  std::vector<Eigen::VectorXd> results;
  reference::for_thread_counts([&](int) { results.push_back(leverages(z)); });
  for (const Eigen::VectorXd& result : results) CHECK(reference::same_bits(result, results.front()));
}

TEST_CASE("a coherence of nothing is undefined", "[coherence]") {
  CHECK(std::isnan(coherence(Dense<double>::Zero(5, 3))));
  CHECK(leverages(Dense<double>::Zero(5, 3)) == Eigen::VectorXd::Zero(5));
  CHECK(leverages(Dense<double>::Zero(3, 5)) == Eigen::VectorXd::Zero(3));
  CHECK(coherence(Dense<double>::Constant(1, 4, 2.0)) == 1.0);
  Dense<double> bad = reference::gaussian<double>(9, 3, 13);
  const double expected = coherence(bad.bottomRows(8));
  bad(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(coherence(bad), NonFiniteError);
  CHECK(std::abs(coherence(bad, {.nonfinite = NonFinite::skip_rows}) - expected) < 1e-14);
  CHECK_THROWS_AS(coherence(Dense<double>(4, 0)), ShapeError);
}
