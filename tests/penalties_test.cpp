#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/compare.hpp>
#include <collapse/measure.hpp>
#include <collapse/metrics/uniformity.hpp>
#include <collapse/penalties.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
namespace reg = collapse::penalties;

namespace {

using Matrix = Eigen::MatrixXd;
using RowMajorF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Correlated rows away from the origin, of different variances.
Matrix batch(Index rows, Index dims, std::uint64_t seed) {
  Matrix z = synthetic::power_law<double>(rows, dims, 0.8, seed) * synthetic::isotropic<double>(dims, dims, 77) * 0.4;
  return z.rowwise() + 0.7 * synthetic::isotropic<double>(1, dims, seed + 1).row(0);
}

/// A penalty of one batch.
using One = std::function<double(const Matrix&, Matrix&)>;
/// A penalty of two views.
using Two = std::function<double(const Matrix&, const Matrix&, Matrix&, Matrix&)>;

struct NamedOne {
  const char* name;
  One penalty;
};
struct NamedTwo {
  const char* name;
  Two penalty;
};

template <class Penalty>
One one(Penalty penalty) {
  return [penalty](const Matrix& z, Matrix& gradient) mutable { return penalty.value_and_gradient(z, gradient); };
}
template <class Penalty>
Two two(Penalty penalty) {
  return [penalty](const Matrix& a, const Matrix& b, Matrix& da, Matrix& db) mutable {
    return penalty.value_and_gradient(a, b, da, db);
  };
}

std::vector<NamedOne> ones() {
  reg::VarianceHinge hinge;
  hinge.gamma = 1.3;
  reg::Uniformity uniformity;
  uniformity.t = 1.5;
  return {{"hinge", one(hinge)},
          {"covariance", one(reg::CovariancePenalty())},
          {"uniformity", one(uniformity)},
          {"log determinant", one(reg::LogDeterminant())},
          {"spectral entropy", one(reg::SpectralEntropy())}};
}

std::vector<NamedTwo> twos() {
  reg::InfoNce contrast;
  contrast.temperature = 0.3;
  reg::BarlowTwins diagonal;
  diagonal.off_diagonal_weight = 0.0;
  return {{"alignment", two(reg::Alignment())},
          {"vicreg", two(reg::Vicreg())},
          {"barlow", two(reg::BarlowTwins())},
          {"barlow diagonal", two(diagonal)},
          {"info nce", two(contrast)}};
}

/// Largest difference between the gradient and central differences, over the largest entry of either.
double error_of(const Matrix& gradient, Matrix z, const std::function<double(const Matrix&)>& value) {
  Matrix slopes(z.rows(), z.cols());
  for (Index i = 0; i < z.rows(); ++i) {
    for (Index d = 0; d < z.cols(); ++d) {
      const double at = z(i, d);
      // Fourth order: what is left is rounding.
      const double h = 2e-4 * std::max(1.0, std::abs(at));
      const auto moved = [&](double by) {
        z(i, d) = at + by;
        return value(z);
      };
      slopes(i, d) = (8.0 * (moved(h) - moved(-h)) - (moved(2.0 * h) - moved(-2.0 * h))) / (12.0 * h);
      z(i, d) = at;
    }
  }
  const double size = std::max(slopes.cwiseAbs().maxCoeff(), gradient.cwiseAbs().maxCoeff());
  return (gradient - slopes).cwiseAbs().maxCoeff() / size;
}

bool near(double a, double b, double tolerance) {
  CAPTURE(a, b);
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

}  // namespace

TEST_CASE("gradients of a batch are its central differences", "[penalties]") {
  for (const auto& [rows, dims] : {std::pair<Index, Index>{12, 5}, {7, 11}, {6, 6}, {2, 3}}) {
    const Matrix z = batch(rows, dims, 3);
    for (const NamedOne& named : ones()) {
      CAPTURE(named.name, rows, dims);
      Matrix gradient, unused;
      named.penalty(z, gradient);
      // Two rows span one direction: the entropy of one share is constant.
      if (rows == 2 && std::string(named.name) == "spectral entropy") {
        CHECK(gradient.cwiseAbs().maxCoeff() < 1e-12);
        continue;
      }
      CHECK(error_of(gradient, z, [&](const Matrix& moved) { return named.penalty(moved, unused); }) < 1e-7);
    }
  }
}

TEST_CASE("gradients of two views are their central differences", "[penalties]") {
  for (const auto& [rows, dims] : {std::pair<Index, Index>{12, 5}, {7, 11}, {6, 6}, {3, 2}}) {
    const Matrix a = batch(rows, dims, 3);
    const Matrix b = a + 0.5 * batch(rows, dims, 9);
    for (const NamedTwo& named : twos()) {
      CAPTURE(named.name, rows, dims);
      Matrix da, db, unused, unused_too;
      named.penalty(a, b, da, db);
      CHECK(error_of(da, a, [&](const Matrix& moved) { return named.penalty(moved, b, unused, unused_too); }) < 1e-7);
      CHECK(error_of(db, b, [&](const Matrix& moved) { return named.penalty(a, moved, unused, unused_too); }) < 1e-7);
    }
  }
}

TEST_CASE("the value of a penalty is the metric of the same name", "[penalties]") {
  // More than one tile each way.
  for (const auto& [rows, dims] : {std::pair<Index, Index>{150, 20}, {40, 130}, {110, 100}}) {
    CAPTURE(rows, dims);
    const Matrix a = batch(rows, dims, 3);
    const Matrix b = a + 0.5 * batch(rows, dims, 9);
    const Report report = measure(a);
    const Comparison views = compare(a, b);
    Matrix da, db;
    CHECK(near(reg::VarianceHinge().value_and_gradient(a, da), report.variance.hinge, 1e-12));
    CHECK(near(reg::CovariancePenalty().value_and_gradient(a, da), report.decorrelation.covariance_penalty, 1e-11));
    CHECK(near(reg::Vicreg().value_and_gradient(a, b, da, db), views.vicreg, 1e-11));
    CHECK(near(reg::Alignment().value_and_gradient(a, b, da, db), views.alignment, 1e-12));
    reg::BarlowTwins barlow;
    barlow.off_diagonal_weight = 0.0;
    CHECK(near(barlow.value_and_gradient(a, b, da, db), views.barlow_on_diagonal, 1e-11));
    barlow.off_diagonal_weight = 0.3;
    CHECK(near(barlow.value_and_gradient(a, b, da, db), views.barlow_on_diagonal + 0.3 * views.barlow_off_diagonal,
               1e-11));
    CHECK(near(reg::Uniformity().value_and_gradient(a, da), uniformity(a).value, 1e-12));
    CHECK(near(std::exp(-reg::SpectralEntropy().value_and_gradient(a, da)), report.spectrum.entropy_rank, 1e-10));
    double logs = 0.0;
    const Eigen::VectorXd eigenvalues =
        report.spectrum.singular_values.array().square() / static_cast<double>(rows - 1);
    for (Index k = 0; k < dims; ++k) logs += std::log((k < eigenvalues.size() ? eigenvalues(k) : 0.0) + 1e-4);
    CHECK(near(reg::LogDeterminant().value_and_gradient(a, da), -logs / static_cast<double>(dims), 1e-10));
  }
}

TEST_CASE("InfoNCE of rows that nothing tells apart is ln N, of orthogonal pairs near 0", "[penalties]") {
  Matrix da, db;
  reg::InfoNce contrast;
  const Matrix same = Matrix::Ones(8, 3);
  CHECK(near(contrast.value_and_gradient(same, same, da, db), std::log(8.0), 1e-15));
  contrast.temperature = 0.01;
  const Matrix apart = Matrix::Identity(8, 8);
  // exp(-1 / temperature) for each of the others.
  CHECK(contrast.value_and_gradient(apart, apart, da, db) < 1e-40);
  contrast.temperature = 0.5;
  const double e = std::exp(2.0);
  CHECK(near(contrast.value_and_gradient(apart, apart, da, db), std::log((e + 7.0) / e), 1e-14));
}

TEST_CASE("penalties know nothing of the storage and round at the end alone", "[penalties]") {
  const RowMajorF a = batch(30, 12, 3).cast<float>();
  const RowMajorF b = a + (0.5 * batch(30, 12, 9)).cast<float>();
  const Matrix ad = a.cast<double>(), bd = b.cast<double>();
  Matrix exact_a, exact_b;
  RowMajorF da, db;
  reg::Vicreg vicreg;
  const double value = vicreg.value_and_gradient(ad, bd, exact_a, exact_b);
  CHECK(vicreg.value_and_gradient(a, b, da, db) == value);
  CHECK(da == exact_a.cast<float>().eval());
  CHECK(db == exact_b.cast<float>().eval());
  // Into a view, from an expression, by one object for shapes that come and go.
  RowMajorF wide = RowMajorF::Constant(40, 20, 7.0F);
  CHECK(reg::CovariancePenalty().value_and_gradient(2.0F * a, wide.block(3, 2, 30, 12)) > 0.0);
  CHECK(wide(2, 2) == 7.0F);
  CHECK(wide(3, 2) != 7.0F);
  reg::CovariancePenalty kept;
  Matrix small, large, again;
  const double first = kept.value_and_gradient(ad.topRows(20), small);
  kept.value_and_gradient(batch(200, 120, 5), large);
  CHECK(kept.value_and_gradient(ad.topRows(20), again) == first);
  CHECK(again == small);
  const Eigen::Matrix<Eigen::half, Eigen::Dynamic, Eigen::Dynamic> half = a.cast<Eigen::half>();
  Eigen::Matrix<Eigen::half, Eigen::Dynamic, Eigen::Dynamic> dh;
  CHECK(near(kept.value_and_gradient(half, dh), kept.value_and_gradient(ad, again), 1e-2));
}

TEST_CASE("penalties do not depend on the order of the rows", "[penalties]") {
  const Matrix a = batch(23, 9, 3);
  const Matrix b = a + 0.5 * batch(23, 9, 9);
  const Matrix reversed_a = a.colwise().reverse(), reversed_b = b.colwise().reverse();
  Matrix da, db, ra, rb;
  for (const NamedOne& named : ones()) {
    CAPTURE(named.name);
    CHECK(near(named.penalty(a, da), named.penalty(reversed_a, ra), 1e-12));
    CHECK((da.colwise().reverse() - ra).cwiseAbs().maxCoeff() <= 1e-11 * da.cwiseAbs().maxCoeff());
  }
  for (const NamedTwo& named : twos()) {
    CAPTURE(named.name);
    CHECK(near(named.penalty(a, b, da, db), named.penalty(reversed_a, reversed_b, ra, rb), 1e-12));
    CHECK((da.colwise().reverse() - ra).cwiseAbs().maxCoeff() <= 1e-11 * da.cwiseAbs().maxCoeff());
    CHECK((db.colwise().reverse() - rb).cwiseAbs().maxCoeff() <= 1e-11 * db.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("degenerate batches have finite gradients", "[penalties]") {
  Matrix zero_row = batch(6, 4, 3);
  zero_row.row(2).setZero();
  const std::vector<Matrix> cases{Matrix::Zero(4, 3),
                                  Matrix::Constant(4, 3, 5.0),
                                  Matrix::Constant(5, 1, 5.0),
                                  zero_row,
                                  batch(2, 1, 3),
                                  (Matrix(3, 2) << 1e150, 0.0, 0.0, 1e150, 1e150, 1e150).finished(),
                                  1e-160 * batch(5, 4, 3),
                                  Matrix::Constant(3, 3, 1e-310)};
  Matrix da, db;
  for (std::size_t k = 0; k < cases.size(); ++k) {
    CAPTURE(k);
    const Matrix& z = cases[k];
    const bool huge = z.cwiseAbs().maxCoeff() > 1e100;
    for (const NamedOne& named : ones()) {
      CAPTURE(named.name);
      // Fourth powers of these are beyond any double.
      if (huge && std::string(named.name) != "uniformity" && std::string(named.name) != "hinge") continue;
      named.penalty(z, da);
      CHECK(da.allFinite());
      CHECK((da.rows() == z.rows() && da.cols() == z.cols()));
    }
    for (const NamedTwo& named : twos()) {
      CAPTURE(named.name);
      if (huge && std::string(named.name) == "vicreg") continue;
      named.penalty(z, z, da, db);
      CHECK(da.allFinite());
      CHECK(db.allFinite());
    }
  }
  // A row without a direction is not moved.
  reg::Uniformity uniformity;
  uniformity.value_and_gradient(zero_row, da);
  CHECK(da.row(2).isZero(0.0));
  CHECK_FALSE(da.row(1).isZero(0.0));
}

TEST_CASE("what a penalty cannot be computed of is refused", "[penalties]") {
  const Matrix a = batch(6, 4, 3);
  Matrix da, db;
  CHECK_THROWS_AS(reg::VarianceHinge().value_and_gradient(a.topRows(1), da), ShapeError);
  CHECK_THROWS_AS(reg::CovariancePenalty().value_and_gradient(a.leftCols(0), da), ShapeError);
  CHECK_THROWS_AS(reg::Vicreg().value_and_gradient(a, a.topRows(5), da, db), ShapeError);
  CHECK_THROWS_AS(reg::BarlowTwins().value_and_gradient(a, a.leftCols(3), da, db), ShapeError);
  Matrix wrong(6, 5);
  CHECK_THROWS_AS(reg::VarianceHinge().value_and_gradient(a, wrong.leftCols(3)), ShapeError);
  Matrix bad = a;
  bad(4, 1) = std::numeric_limits<double>::quiet_NaN();
  for (const NamedOne& named : ones()) {
    CAPTURE(named.name);
    try {
      named.penalty(bad, da);
      FAIL("was accepted");
    } catch (const NonFiniteError& error) {
      CHECK(error.row() == 4);
      CHECK(error.col() == 1);
    }
  }
  for (const NamedTwo& named : twos()) {
    CAPTURE(named.name);
    CHECK_THROWS_AS(named.penalty(a, bad, da, db), NonFiniteError);
  }
  reg::InfoNce contrast;
  contrast.temperature = 0.0;
  CHECK_THROWS_AS(contrast.value_and_gradient(a, a, da, db), OptionError);
  reg::LogDeterminant volume;
  volume.epsilon = 0.0;
  CHECK_THROWS_AS(volume.value_and_gradient(a, da), OptionError);
}

TEST_CASE("descending a penalty undoes the collapse that it is against", "[penalties]") {
  // All rows near a line through a far point.
  Matrix z = 0.02 * batch(64, 8, 3);
  z.col(0) *= 40.0;
  z.array() += 1.0;
  const auto descend = [&](const One& penalty, double rate) {
    Matrix moved = z, gradient;
    for (int step = 0; step < 400; ++step) {
      penalty(moved, gradient);
      moved -= rate * gradient;
    }
    return measure(moved);
  };
  const Report before = measure(z);
  CHECK(before.variance.hinge > 0.5);
  CHECK(descend(one(reg::VarianceHinge()), 20.0).variance.hinge < 0.01);
  CHECK(descend(one(reg::LogDeterminant()), 1.0).spectrum.effective_rank > 1.5 * before.spectrum.effective_rank);
  CHECK(descend(one(reg::SpectralEntropy()), 1.0).spectrum.effective_rank > 1.5 * before.spectrum.effective_rank);
  CHECK(descend(one(reg::Uniformity()), 1.0).cosine.mean < 0.5 * before.cosine.mean);
}
