#include "support/catch.hpp"
#include "support/decompositions.hpp"
#include "support/labelled.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/classes.hpp>
#include <collapse/metrics/cka.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

/// A metric that is in use reports scores from 0 healthy to 1 collapsed. Each of them, by plain loops in long double,
/// follows from a number here; see the pages of the families for what its scores make of healthy data.
using namespace collapse;
using reference::Dense;
using reference::Matrix;
using reference::Real;

namespace {

bool near(double measured, Real expected, Real tolerance) {
  CAPTURE(measured, static_cast<double>(expected));
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance;
}

Matrix rows_of(const Matrix& z, const std::vector<int>& labels, int wanted) {
  Matrix some(0, z.cols());
  for (Index i = 0; i < z.rows(); ++i) {
    if (labels[static_cast<std::size_t>(i)] != wanted) continue;
    some.conservativeResize(some.rows() + 1, Eigen::NoChange);
    some.row(some.rows() - 1) = z.row(i);
  }
  return some;
}

Real centroid_similarity(const Matrix& z, const std::vector<int>& labels, int classes) {
  Matrix unit(classes, z.cols());
  for (int c = 0; c < classes; ++c) unit.row(c) = rows_of(z, labels, c).colwise().mean().normalized();
  Real sum = 0.0L;
  for (int a = 0; a < classes; ++a) {
    for (int b = 0; b < a; ++b) sum += unit.row(a).dot(unit.row(b));
  }
  return (2.0L * sum / static_cast<Real>(classes * (classes - 1)) + 1.0L) / 2.0L;
}

/// 1 - effective rank / min(N, D).
Real rank_score(const Matrix& z) {
  const Matrix x = reference::centred(z);
  const Matrix gram = x.rows() < x.cols() ? Matrix(x * x.transpose()) : Matrix(x.transpose() * x);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram, Eigen::EigenvaluesOnly);
  const reference::Vector values = solver.eigenvalues().cwiseMax(0.0L).cwiseSqrt();
  Real entropy = 0.0L;
  for (const Real value : values) {
    const Real p = value / values.sum();
    if (p > 0.0L) entropy -= p * std::log(p);
  }
  return 1.0L - std::exp(entropy) / static_cast<Real>(std::min(z.rows(), z.cols()));
}

/// (1 - mean silhouette) / 2 by 1 - cos.
Real separation(const Matrix& z, const std::vector<int>& labels, int classes) {
  const Matrix unit = z.rowwise().normalized();
  const Index n = z.rows();
  Real total = 0.0L;
  for (Index i = 0; i < n; ++i) {
    std::vector<Real> sum(static_cast<std::size_t>(classes), 0.0L);
    std::vector<Real> count(static_cast<std::size_t>(classes), 0.0L);
    for (Index j = 0; j < n; ++j) {
      if (i == j) continue;
      const auto c = static_cast<std::size_t>(labels[static_cast<std::size_t>(j)]);
      sum[c] += 1.0L - unit.row(i).dot(unit.row(j));
      count[c] += 1.0L;
    }
    const auto own = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
    const Real within = sum[own] / count[own];
    Real other = 1e30L;
    for (std::size_t c = 0; c < sum.size(); ++c) {
      if (c != own) other = std::min(other, sum[c] / count[c]);
    }
    total += (other - within) / std::max(other, within);
  }
  return (1.0L - total / static_cast<Real>(n)) / 2.0L;
}

/// Linear CKA from centred Gram matrices, diagonals included.
Real domain_shift(const Matrix& a, const Matrix& b) {
  const Matrix x = reference::centred(a);
  const Matrix y = reference::centred(b);
  const Matrix k = x * x.transpose();
  const Matrix l = y * y.transpose();
  return k.cwiseProduct(l).sum() / std::sqrt(k.squaredNorm() * l.squaredNorm());
}

}  // namespace

TEST_CASE("scores of collapse by class follow from ours", "[peer_scores]") {
  constexpr int classes = 4;
  const std::vector<int> labels = reference::labels_of(120, classes);
  const Dense<double> z = reference::classes_around<double>(labels, 9, 0.5, 1.0);
  const Matrix wide = reference::widened(z);
  const ClassCollapse report = class_collapse(z, labels, {.silhouette = true});
  CHECK(near((1.0 + report.centroid_cosine) / 2.0, centroid_similarity(wide, labels, classes), 1e-13L));
  CHECK(near((1.0 - report.silhouette_cosine) / 2.0, separation(wide, labels, classes), 1e-12L));
  for (int c = 0; c < classes; ++c) {
    const Matrix of_class = rows_of(wide, labels, c);
    const double most = static_cast<double>(std::min(of_class.rows(), of_class.cols()));
    CHECK(near(1.0 - report.per_class.effective_rank(c) / most, rank_score(of_class), 1e-12L));
  }
}

TEST_CASE("a rank score of healthy rows is their shape, an effective rank against its expectation is not",
          "[peer_scores]") {
  const Dense<double> few = reference::gaussian<double>(40, 160, 1);
  const Dense<double> square = reference::gaussian<double>(160, 120, 2);
  const auto score = [](const Dense<double>& z) {
    return 1.0 - effective_rank(z) / static_cast<double>(std::min(z.rows(), z.cols()));
  };
  CHECK(near(score(square), rank_score(reference::widened(square)), 1e-12L));
  CHECK(score(few) < 0.07);
  CHECK(score(square) > 0.1);  // 10 % collapsed, it says
  for (const Dense<double>* z : {&few, &square}) {
    CHECK(std::abs(effective_rank(*z) / expected_effective_rank(z->rows() - 1, z->cols()) - 1.0) < 0.01);
  }
}

TEST_CASE("a domain shift is the biased CKA of rows paired by chance", "[peer_scores]") {
  Real biased = 0.0L;
  double debiased = 0.0;
  constexpr int draws = 40;
  for (int draw = 0; draw < draws; ++draw) {
    const Dense<double> a = reference::gaussian<double>(32, 8, 10 + static_cast<std::uint64_t>(draw));
    const Dense<double> b = reference::gaussian<double>(32, 8, 90 + static_cast<std::uint64_t>(draw));
    const Real expected = domain_shift(reference::widened(a), reference::widened(b));
    const LinearCka cka = linear_cka(a, b);
    CHECK(near(cka.biased, expected, 1e-13L));
    biased += expected / draws;
    debiased += cka.debiased / draws;
  }
  CHECK(std::abs(biased - 0.2L) < 0.03L);
  CHECK(std::abs(debiased) < 0.03);
}
