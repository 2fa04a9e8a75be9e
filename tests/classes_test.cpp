#include "support/catch.hpp"
#include "support/decompositions.hpp"
#include "support/labelled.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/classes.hpp>
#include <collapse/report/catalogue.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::classes_around;
using reference::Dense;
using reference::labels_of;
using reference::Real;

namespace {

struct Oracle {
  Real nc1_ratio = 0, nc1 = 0, cdnv = 0, equinorm = 0, equiangular = 0, max_angle = 0, lidar = 0;
};

/// By plain loops in long double; labels are 0 .. classes - 1, each with rows.
Oracle oracle_of(const reference::Matrix& wide, const std::vector<int>& labels, int classes) {
  using reference::Matrix;
  using reference::Vector;
  const Matrix x = reference::centred(wide);
  const Index dims = x.cols();
  const Real n = static_cast<Real>(x.rows());
  Matrix means = Matrix::Zero(classes, dims);
  Vector counts = Vector::Zero(classes);
  Vector variances = Vector::Zero(classes);
  for (Index i = 0; i < x.rows(); ++i) {
    const int c = labels[static_cast<std::size_t>(i)];
    means.row(c) += x.row(i);
    counts(c) += 1.0L;
  }
  for (Index c = 0; c < classes; ++c) means.row(c) /= counts(c);
  Matrix within = Matrix::Zero(dims, dims);
  for (Index i = 0; i < x.rows(); ++i) {
    const int c = labels[static_cast<std::size_t>(i)];
    const Vector r = (x.row(i) - means.row(c)).transpose();
    within += r * r.transpose() / n;
    variances(c) += r.squaredNorm() / counts(c);
  }
  Oracle result;
  const Real k = static_cast<Real>(classes);
  means = (means.rowwise() - means.colwise().mean()).eval();
  const Matrix between = means.transpose() * means / k;
  result.nc1_ratio = within.trace() / between.trace();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(between);
  for (Index j = 0; j < dims; ++j) {
    const Real value = solver.eigenvalues()(j);
    if (value <= 1e-14L * solver.eigenvalues()(dims - 1)) continue;
    const Vector v = solver.eigenvectors().col(j);
    result.nc1 += v.dot(within * v) / value / k;
  }
  Vector lengths = means.rowwise().norm();
  result.equinorm = std::sqrt((lengths.array() - lengths.mean()).square().mean()) / lengths.mean();
  std::vector<Real> cosines;
  for (Index i = 0; i < classes; ++i) {
    for (Index j = 0; j < i; ++j) {
      result.cdnv += (variances(i) + variances(j)) / (2.0L * (means.row(i) - means.row(j)).squaredNorm());
      cosines.push_back(means.row(i).dot(means.row(j)) / (lengths(i) * lengths(j)));
      result.max_angle += std::abs(cosines.back() + 1.0L / (k - 1.0L));
    }
  }
  const Real pairs = static_cast<Real>(cosines.size());
  result.cdnv /= pairs;
  result.max_angle /= pairs;
  result.equiangular = reference::mean_std(cosines).std;
  const Matrix regular = within + 1e-4L * Matrix::Identity(dims, dims);
  const Eigen::SelfAdjointEigenSolver<Matrix> root(regular);
  const Matrix inverse_root = root.operatorInverseSqrt();
  const Matrix objects = means.rowwise() - means.colwise().mean();
  const Matrix whitened = inverse_root * (objects.transpose() * objects / k) * inverse_root;
  const Eigen::SelfAdjointEigenSolver<Matrix> shares(Matrix(0.5L * (whitened + whitened.transpose())),
                                                     Eigen::EigenvaluesOnly);
  result.lidar = reference::effective_rank(shares.eigenvalues().cwiseMax(0.0L));
  return result;
}

bool near(double measured, Real expected, Real tolerance) {
  CAPTURE(measured, static_cast<double>(expected));
  return std::abs(static_cast<Real>(measured) - expected) <= tolerance * std::max(std::abs(expected), 1e-300L);
}

std::string why(const ClassCollapse& result, const std::string& metric) {
  for (const Finding& finding : result.findings) {
    CHECK(find_entry(finding.metric.full()) != nullptr);
    if (finding.metric == metric) return finding.explanation;
  }
  return "no finding";
}

}  // namespace

TEMPLATE_TEST_CASE("numbers of classes are those of long double loops", "[class_collapse]", float, double,
                   Eigen::half) {
  for (const auto& [n, d, k] : {std::tuple<Index, Index, int>{60, 5, 3}, {700, 9, 4}, {150, 4, 7}, {40, 60, 5}}) {
    CAPTURE(n, d, k);
    std::vector<int> labels;
    for (Index i = 0; i < n; ++i) labels.push_back(static_cast<int>(i < k ? i : (i * i + i / 3) % k));
    const Dense<TestType> z = classes_around<TestType>(labels, d, 0.5, 1.0);
    const Oracle expected = oracle_of(reference::widened(z), labels, k);
    const ClassCollapse result = class_collapse(z, labels);
    CHECK(near(result.nc1_ratio, expected.nc1_ratio, 1e-13L));
    CHECK(near(result.nc1, expected.nc1, 1e-11L));
    CHECK(near(result.cdnv, expected.cdnv, 1e-12L));
    CHECK(near(result.nc2_equinorm, expected.equinorm, 1e-12L));
    CHECK(near(result.nc2_equiangular, expected.equiangular, 1e-12L));
    CHECK(near(result.nc2_max_angle, expected.max_angle, 1e-12L));
    CHECK(near(result.lidar, expected.lidar, 1e-9L));
  }
}

TEST_CASE("classes keep their digits where the mean is huge against the spread", "[class_collapse]") {
  std::vector<int> labels = labels_of(400, 4);
  for (int c = 0; c < 4; ++c) labels[static_cast<std::size_t>(c)] = c;
  const Dense<double> z = classes_around<double>(labels, 6, 1e6, 1.0);
  const Oracle expected = oracle_of(reference::widened(z), labels, 4);
  const ClassCollapse result = class_collapse(z, labels);
  CHECK(near(result.nc1_ratio, expected.nc1_ratio, 1e-13L));
  CHECK(near(result.nc1, expected.nc1, 1e-11L));
  CHECK(near(result.cdnv, expected.cdnv, 1e-12L));
}

TEST_CASE("sums of classes that are merged are those of one pass", "[class_collapse]") {
  const std::vector<int> labels = labels_of(3000, 7);
  for (const double offset : {0.0, 1e6, 1e9}) {
    const Dense<double> z = classes_around<double>(labels, 11, offset, 1.0);
    const ClassCollapse whole = class_collapse(z, labels, {.per_class = false});
    std::vector<ClassSums> parts;
    for (Index first = 0, size = 1; first < z.rows(); first += size, size = size * 2 + 3) {
      const Index count = std::min(size, z.rows() - first);
      const Dense<double> part = z.middleRows(first, count);
      const std::vector<std::int64_t> of_part(labels.begin() + first, labels.begin() + first + count);
      const linalg::Evaluated<Dense<double>> evaluated(part);
      parts.push_back(statistics::sum_classes(
          evaluated.view(),
          statistics::labelled_rows(statistics::scan_rows(evaluated.view(), NonFinite::reject), of_part)));
    }
    statistics::ClassFolder folder(11);
    ClassSums merged = folder.empty();
    for (std::size_t p = parts.size(); p-- > 0;) folder.merge(parts[p], merged);
    ClassCollapse result;
    streams::measure_class_sums(result, merged, class_means(merged), {});
    CHECK(result.samples == 3000);
    CHECK(near(result.nc1, static_cast<Real>(whole.nc1), 1e-10L));
    CHECK(near(result.nc1_ratio, static_cast<Real>(whole.nc1_ratio), 1e-10L));
    CHECK(near(result.cdnv, static_cast<Real>(whole.cdnv), 1e-10L));
    CHECK(near(result.lidar, static_cast<Real>(whole.lidar), 1e-10L));
    CHECK(near(result.nc2_equiangular, static_cast<Real>(whole.nc2_equiangular), 1e-10L));
  }
}

TEST_CASE("rows with a label each have nothing within their classes", "[class_collapse]") {
  const Dense<double> z = reference::gaussian<double>(100, 8, 3);
  std::vector<int> labels;
  for (int i = 0; i < 100; ++i) labels.push_back(i);
  const ClassCollapse result = class_collapse(z, labels);
  CHECK(std::isnan(result.nc1));
  CHECK(std::isnan(result.nc1_ratio));
  CHECK(std::isnan(result.cdnv));
  Index told = 0;
  for (const Finding& finding : result.findings) {
    told += finding.explanation == "each row has a label of its own: there is nothing within classes" ? 1 : 0;
  }
  CHECK(told == 3);
  labels[1] = 0;
  CHECK(std::isfinite(class_collapse(z, labels).nc1));
}

TEST_CASE("an equiangular frame is one whatever the sizes of its classes", "[class_collapse]") {
  constexpr int classes = 4;
  Dense<double> z(40, 6);
  std::vector<int> labels;
  z.setZero();
  for (int i = 0; i < 40; ++i) {
    labels.push_back(i < 28 ? 0 : i < 36 ? 1 : i < 38 ? 2 : 3);
    z(i, labels.back()) = 1.0;
  }
  z.array() += 0.3;
  const ClassCollapse result = class_collapse(z, labels);
  CHECK(std::abs(result.nc2_equinorm) < 1e-14);
  CHECK(std::abs(result.nc2_equiangular) < 1e-14);
  CHECK(std::abs(result.nc2_max_angle) < 1e-14);
  CHECK(std::abs(result.centroid_cosine_centred + 1.0 / (classes - 1)) < 1e-14);
  ClassOptions options;
  options.about_all_rows = true;
  CHECK(class_collapse(z, labels, options).nc2_equinorm > 0.1);
  CHECK(class_collapse(z, labels, options).nc2_max_angle > 0.1);
}

TEST_CASE("an equiangular tight frame without spread is neural collapse", "[class_collapse]") {
  constexpr int classes = 5;
  Dense<double> z(4 * classes, 8);
  std::vector<int> labels;
  z.setZero();
  for (int i = 0; i < 4 * classes; ++i) {
    labels.push_back(i % classes);
    z.row(i).head(classes).setConstant(-1.0 / classes);
    z(i, i % classes) += 1.0;
  }
  ClassOptions options;
  options.classifier = Classifier{z.topRows(classes) * 3.0, {}};
  options.silhouette = options.knn = options.linear_probe = true;
  options.neighbours = 3;
  const ClassCollapse result = class_collapse(z, labels, options);
  CHECK(result.nc1 == 0.0);
  CHECK(result.nc1_ratio == 0.0);
  CHECK(result.cdnv == 0.0);
  CHECK(std::abs(result.nc2_equinorm) < 1e-15);
  CHECK(std::abs(result.nc2_equiangular) < 1e-15);
  CHECK(std::abs(result.nc2_max_angle) < 1e-15);
  CHECK(std::abs(result.nc3) < 1e-15);
  CHECK(result.nc4 == 0.0);
  CHECK(std::abs(result.centroid_cosine_centred + 0.25) < 1e-15);
  CHECK(std::abs(result.class_effective_rank - 4.0) < 1e-12);
  CHECK(std::abs(result.lidar - 4.0) < 1e-12);
  CHECK(std::abs(result.silhouette - 1.0) < 1e-12);
  CHECK(result.knn_accuracy == 1.0);
  CHECK(result.linear_probe_accuracy == 1.0);
  CHECK(result.per_class.effective_rank.isZero(0.0));
}

TEST_CASE("two classes at a distance give CDNV and NC1 by formula", "[class_collapse]") {
  // Each class: a cross of 2 D points at distance s about its mean, covariance s^2 / D I.
  constexpr Index dims = 6;
  constexpr double s = 0.3;
  constexpr double distance = 2.0;
  Dense<double> z = Dense<double>::Zero(4 * dims, dims);
  std::vector<std::int64_t> labels;
  for (Index i = 0; i < 4 * dims; ++i) {
    const bool second = i >= 2 * dims;
    labels.push_back(second ? 900 : 3);
    z(i, (i / 2) % dims) = i % 2 == 0 ? s : -s;
    z(i, 0) += second ? distance : 0.0;
  }
  const ClassCollapse result = class_collapse(z, labels);
  CHECK(std::abs(result.cdnv - s * s / (distance * distance)) < 1e-15);
  CHECK(std::abs(result.nc1_ratio - s * s / (distance * distance / 4.0)) < 1e-14);
  CHECK(std::abs(result.nc1 - (s * s / dims) / (distance * distance / 4.0) / 2.0) < 1e-15);
  CHECK(std::abs(result.centroid_cosine_centred + 1.0) < 1e-15);
  CHECK(std::abs(result.per_class.effective_rank(1) - dims) < 1e-9);
  CHECK((result.per_class.variance.array() - s * s).abs().maxCoeff() < 1e-15);
  // In squared units of the rows, whatever these are.
  const double unit = 0x1p300;
  CHECK(
      (class_collapse(unit * z, labels).per_class.variance / (unit * unit) - result.per_class.variance).isZero(1e-15));
}

TEST_CASE("leaving a row out of the linear probe is what fitting without it gives", "[class_collapse]") {
  // With few rows for a dimension each decides much of its own fit.
  for (const auto& [n, d] : {std::pair<Index, Index>{45, 4}, {40, 12}, {40, 25}}) {
    CAPTURE(n, d);
    const std::vector<int> labels = labels_of(n, 3);
    Dense<double> z = reference::gaussian<double>(n, d, 5, 0.3);
    for (Index i = 0; i < n; ++i) z(i, 0) += 1.5 * labels[static_cast<std::size_t>(i)];
    const ClassCollapse result = class_collapse(z, labels, {.per_class = false, .linear_probe = true, .ridge = 1e-3});
    const Dense<double> all = z.rowwise() - z.colwise().mean();
    const double ridge = 1e-3 * all.squaredNorm() / static_cast<double>(d);
    int right = 0;
    for (Index left_out = 0; left_out < n; ++left_out) {
      Dense<double> x(n - 1, d);
      Dense<double> y = Dense<double>::Zero(n - 1, 3);
      for (Index i = 0, r = 0; i < n; ++i) {
        if (i == left_out) continue;
        x.row(r) = z.row(i);
        y(r++, labels[static_cast<std::size_t>(i)]) = 1.0;
      }
      const Eigen::RowVectorXd mean = x.colwise().mean();
      const Eigen::RowVectorXd level = y.colwise().mean();
      x.rowwise() -= mean;
      const Dense<double> normal = x.transpose() * x + ridge * Dense<double>::Identity(d, d);
      const Dense<double> slopes = normal.llt().solve(x.transpose() * y);
      const Eigen::RowVectorXd score = (z.row(left_out) - mean) * slopes + level;
      Index best = 0;
      score.maxCoeff(&best);
      right += best == labels[static_cast<std::size_t>(left_out)] ? 1 : 0;
    }
    CHECK(right < n);
    CHECK(std::abs(result.linear_probe_accuracy - right / static_cast<double>(n)) < 1e-15);
  }
}

TEST_CASE("silhouettes and neighbours are those of plain loops over all pairs", "[class_collapse]") {
  const std::vector<int> labels = labels_of(210, 4);
  const Dense<double> z = classes_around<double>(labels, 5, 2.0, 1.0);
  const ClassCollapse result =
      class_collapse(z, labels, {.per_class = false, .silhouette = true, .knn = true, .neighbours = 5});
  double euclidean = 0.0;
  double cosine = 0.0;
  int right = 0;
  const auto of_row = [&](Index i, const auto& distance) {
    Eigen::Vector4d sums = Eigen::Vector4d::Zero();
    Eigen::Vector4d counts = Eigen::Vector4d::Zero();
    for (Index j = 0; j < 210; ++j) {
      if (j == i) continue;
      sums(labels[static_cast<std::size_t>(j)]) += distance(i, j);
      counts(labels[static_cast<std::size_t>(j)]) += 1.0;
    }
    const int own = labels[static_cast<std::size_t>(i)];
    const double a = sums(own) / counts(own);
    double b = std::numeric_limits<double>::infinity();
    for (int c = 0; c < 4; ++c) {
      if (c != own && counts(c) > 0.0) b = std::min(b, sums(c) / counts(c));
    }
    return (b - a) / std::max(a, b);
  };
  const auto cosine_distance = [&](Index i, Index j) { return 1.0 - z.row(i).normalized().dot(z.row(j).normalized()); };
  for (Index i = 0; i < 210; ++i) {
    euclidean += of_row(i, [&](Index p, Index q) { return (z.row(p) - z.row(q)).norm(); }) / 210.0;
    cosine += of_row(i, cosine_distance) / 210.0;
    std::vector<std::pair<double, int>> others;
    for (Index j = 0; j < 210; ++j) {
      if (j != i) others.emplace_back(cosine_distance(i, j), labels[static_cast<std::size_t>(j)]);
    }
    std::sort(others.begin(), others.end());
    std::vector<int> votes(4, 0);
    int most = 0;
    for (std::size_t k = 0; k < 5; ++k) most = std::max(most, ++votes[static_cast<std::size_t>(others[k].second)]);
    for (std::size_t k = 0; k < 5; ++k) {
      if (votes[static_cast<std::size_t>(others[k].second)] != most) continue;
      right += others[k].second == labels[static_cast<std::size_t>(i)] ? 1 : 0;
      break;
    }
  }
  CHECK(std::abs(result.silhouette - euclidean) < 1e-12);
  CHECK(std::abs(result.silhouette_cosine - cosine) < 1e-12);
  CHECK(std::abs(result.knn_accuracy - right / 210.0) < 1e-15);
}

TEST_CASE("numbers of classes do not depend on order or names or scale", "[class_collapse]") {
  const std::vector<int> labels = labels_of(600, 5);
  const Dense<double> z = classes_around<double>(labels, 7, 0.5, 1.0);
  const ClassCollapse result = class_collapse(z, labels, {.lidar_delta = 0.0});
  Dense<double> other = z.colwise().reverse();
  std::vector<std::int64_t> renamed;
  for (std::size_t i = labels.size(); i-- > 0;) renamed.push_back(std::int64_t{1} << (40 - 3 * labels[i]));
  for (const double scale : {1.0, 1e150, 1e-150, 1e300}) {
    CAPTURE(scale);
    const ClassCollapse moved = class_collapse(other * scale, renamed, {.lidar_delta = 0.0});
    CHECK(near(moved.nc1, static_cast<Real>(result.nc1), 1e-10L));
    CHECK(near(moved.nc1_ratio, static_cast<Real>(result.nc1_ratio), 1e-10L));
    CHECK(near(moved.cdnv, static_cast<Real>(result.cdnv), 1e-10L));
    CHECK(near(moved.nc2_max_angle, static_cast<Real>(result.nc2_max_angle), 1e-10L));
    CHECK(near(moved.centroid_cosine, static_cast<Real>(result.centroid_cosine), 1e-10L));
    CHECK(near(moved.class_effective_rank, static_cast<Real>(result.class_effective_rank), 1e-10L));
    CHECK(near(moved.lidar, static_cast<Real>(result.lidar), 1e-10L));
    CHECK(near(moved.per_class.effective_rank.minCoeff(), static_cast<Real>(result.per_class.effective_rank.minCoeff()),
               1e-10L));
  }
}

TEST_CASE("what is undefined for labels says why", "[class_collapse]") {
  const Dense<double> z = reference::gaussian<double>(6, 3);
  const ClassCollapse one = class_collapse(z, std::vector<int>(6, 4));
  CHECK(std::isnan(one.nc1));
  CHECK(why(one, "nc1") == "all rows have the label 4: there is nothing between classes");
  const ClassCollapse single = class_collapse(z, std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(std::isnan(single.nc1_ratio));
  CHECK(single.per_class.effective_rank.array().isNaN().all());
  CHECK(why(single, "per_class.effective_rank") == "6 of 6 classes have a single row: it has no spread");
  const ClassCollapse same = class_collapse(Dense<double>::Constant(6, 3, 0.1), std::vector<int>{0, 0, 1, 1, 2, 2});
  CHECK(std::isnan(same.nc1));
  CHECK(std::isnan(same.lidar));
  CHECK(same.class_effective_rank == 0.0);
  CHECK(why(same, "cdnv") == "the means of the classes 0 and 1 are equal up to the rounding of the input");
  const ClassCollapse some = class_collapse(z, std::vector<int>{0, -1, 0, 1, 1, -1}, {.unlabelled = -1});
  CHECK(some.samples == 4);
  CHECK(some.unlabelled_rows == 2);
}

TEST_CASE("no label means none unless it is named", "[class_collapse]") {
  const Dense<double> z = reference::gaussian<double>(6, 3);
  const ClassCollapse two = class_collapse(z, std::vector<int>{-1, 1, -1, 1, 1, -1});
  CHECK(two.classes == 2);
  CHECK(two.samples == 6);
  CHECK(two.unlabelled_rows == 0);
  CHECK(two.per_class.label == std::vector<std::int64_t>{-1, 1});
  const ClassCollapse renamed = class_collapse(z, std::vector<int>{0, 1, 0, 1, 1, 0});
  CHECK(two.nc1_ratio == renamed.nc1_ratio);
  CHECK(two.lidar == renamed.lidar);
  const ClassCollapse nine = class_collapse(z, std::vector<int>{0, 9, 0, 1, 1, 9}, {.unlabelled = 9});
  CHECK(nine.classes == 2);
  CHECK(nine.unlabelled_rows == 2);
  // A classifier has no row for a negative label.
  const Classifier classifier{Eigen::MatrixXd::Ones(2, 3), {}};
  CHECK_THROWS_AS(class_collapse(z, std::vector<int>{-1, 1, -1, 1, 1, -1}, {.classifier = classifier}), ShapeError);
}

TEST_CASE("labels that do not fit are refused by name", "[class_collapse]") {
  Dense<double> z = reference::gaussian<double>(6, 3);
  CHECK_THROWS_AS(class_collapse(z, std::vector<int>(5, 0)), ShapeError);
  CHECK_THROWS_AS(class_collapse(z, std::vector<int>(6, -1), {.unlabelled = -1}), ShapeError);
  CHECK_THROWS_AS(class_collapse(z, std::vector<int>(6, 0), std::vector<int>(7, 0)), ShapeError);
  CHECK_THROWS_AS(class_collapse(z, std::vector<std::uint64_t>(6, ~std::uint64_t{0})), OptionError);
  z(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(class_collapse(z, std::vector<int>{0, 1, 0, 1, 0, 1}), NonFiniteError);
  const ClassCollapse rest = class_collapse(z, std::vector<int>{0, 1, 0, 1, 0, 1}, {.nonfinite = NonFinite::skip_rows});
  CHECK(rest.samples == 5);
  CHECK(rest.skipped_rows == 1);
}
