#include "support/catch.hpp"
#include "support/symmetric.hpp"

#include <collapse/statistics/spectra/gram_spectra.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

using namespace collapse;
using reference::Dense;
using reference::farthest;
using reference::Real;
using statistics::GramSpectra;
using statistics::ReflectionToFirst;

namespace {

constexpr Real epsilon = reference::double_epsilon;

/// Both spectra in input units, descending.
struct Spectra {
  Eigen::VectorXd centred;
  Eigen::VectorXd as_is;
};

Spectra in_input_units(const GramSpectra& spectra, const Moments& moments) {
  Spectra result{spectra.singular_values(true), spectra.singular_values(false)};
  for (Eigen::VectorXd* values : {&result.centred, &result.as_is}) {
    for (double& value : *values) value = std::ldexp(value, moments.common_exponent());
  }
  return result;
}

/// From the Gram matrix of the dimensions, however many samples there are.
Spectra of_dims(const Dense<double>& z) {
  const auto view = linalg::Evaluated<Dense<double>>(z).view();
  Sums sums = statistics::sum_rows(view, statistics::scan_rows(view, NonFinite::reject), {.scatter = true});
  const Moments moments = sums.moments;
  return in_input_units(GramSpectra::of_dims(std::move(sums.scatter), moments), moments);
}

/// From the Gram matrix of the samples, however many dimensions there are.
Spectra of_samples(const Dense<double>& z) {
  const auto view = linalg::Evaluated<Dense<double>>(z).view();
  const Rows rows = statistics::scan_rows(view, NonFinite::reject);
  const Moments moments = statistics::sum_rows(view, rows).moments;
  return in_input_units(
      GramSpectra::of_samples(view, rows, moments, statistics::samples_gram(view, rows, moments).lower), moments);
}

struct Expected {
  reference::Vector centred;
  reference::Vector as_is;
};

Expected expected(const Dense<double>& z) {
  const reference::Matrix wide = reference::widened(z);
  return {reference::jacobi_singular_values(reference::centred(wide)), reference::jacobi_singular_values(wide)};
}

/// Largest |x_k^2 - y_k^2| over y_0^2, where what x has beyond y must be zero.
Real square_deviation(const Eigen::VectorXd& x, const reference::Vector& y) {
  Real worst = 0.0L;
  for (Index k = 0; k < x.size(); ++k) {
    const Real value = static_cast<Real>(x(k)) / y(0);
    const Real truth = k < y.size() ? y(k) / y(0) : 0.0L;
    const Real off = std::abs(value * value - truth * truth);
    if (!(off <= worst)) worst = std::isnan(off) ? 1e300L : off;
  }
  return worst;
}

/// Largest |x_k / y_k - 1| over k = first, ..., end - 1.
Real relative_deviation(const Eigen::VectorXd& x, const reference::Vector& y, Index first, Index end) {
  Real worst = 0.0L;
  for (Index k = first; k < end; ++k) {
    const Real off = std::abs(static_cast<Real>(x(k)) / y(k) - 1.0L);
    if (!(off <= worst)) worst = std::isnan(off) ? 1e300L : off;
  }
  return worst;
}

/// The plain way: scatter + N mean mean^T, or (X + 1 mean^T)(X + 1 mean^T)^T from its parts, added in double.
Eigen::VectorXd added_in_double(const Dense<double>& z, Side side) {
  const Eigen::RowVectorXd mean = reference::mean_row(reference::widened(z)).transpose().cast<double>();
  const Eigen::MatrixXd x = reference::centred(reference::widened(z)).cast<double>();
  const auto n = static_cast<double>(z.rows());
  Eigen::MatrixXd gram;
  if (side == Side::dims) {
    gram = x.transpose() * x + n * mean.transpose() * mean;
  } else {
    const Eigen::VectorXd along = x * mean.transpose();
    gram = x * x.transpose();
    gram.colwise() += along;
    gram.rowwise() += along.transpose();
    gram.array() += mean.squaredNorm();
  }
  // What the sums have lost is lost: these are the exact values of that matrix.
  return reference::jacobi_eigenvalues(gram.cast<Real>()).reverse().cwiseMax(0.0L).cwiseSqrt().cast<double>();
}

}  // namespace

TEST_CASE("both spectra from either Gram matrix are those of the rows in long double", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{2, 1},
                             {1, 2},
                             {2, 2},
                             {2, 9},
                             {9, 2},
                             {40, 12},
                             {12, 40},
                             {30, 30},
                             {70, 67},
                             {67, 70}}) {
    for (const double offset : {0.0, 0.5, 100.0}) {
      if (std::min(n, d) > 64 && offset != 0.5) continue;
      CAPTURE(n, d, offset);
      const Dense<double> z = reference::gaussian<double>(n, d, 41, offset);
      const Expected truth = expected(z);
      for (const Spectra& spectra : {of_dims(z), of_samples(z)}) {
        if (n > 1) CHECK(square_deviation(spectra.centred, truth.centred) < 20.0L * epsilon);
        if (n == 1) CHECK(spectra.centred.isZero(0));
        CHECK(square_deviation(spectra.as_is, truth.as_is) < 20.0L * epsilon);
      }
      CHECK(of_dims(z).centred.size() == d);
      CHECK(of_dims(z).as_is.size() == d);
      CHECK(of_samples(z).centred.size() == n);
      CHECK(of_samples(z).as_is.size() == n);
    }
  }
}

TEST_CASE("near collapse small uncentred values keep digits that sums in double lose", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 12}, {12, 60}}) {
    const Side side = n > d ? Side::dims : Side::samples;
    for (const double e : {1e-3, 1e-6, 1e-9, 1e-12}) {
      CAPTURE(n, d, e);
      const Dense<double> z = reference::around_a_point<double>(n, d, e);
      const reference::Vector truth = expected(z).as_is;
      REQUIRE(truth(11) < 60.0L * static_cast<Real>(e));
      const Spectra spectra = side == Side::dims ? of_dims(z) : of_samples(z);
      // Rotations in long double leave 1e-19 of the largest.
      const Real own = relative_deviation(spectra.as_is, truth, 1, 12);
      CHECK(own < 1e-13L + 4e-19L / static_cast<Real>(e));
      CHECK(relative_deviation(spectra.as_is, truth, 0, 1) < 4.0L * epsilon);
      // Squares are rounded at the last digit of N mean . mean: half the digits that there are.
      const Real added = relative_deviation(added_in_double(z, side), truth, 1, 12);
      const Real lost = 3e-19L / static_cast<Real>(e * e);
      CHECK(added > std::min(0.5L, lost));
      CHECK(own < 1e-2L * added);
    }
  }
}

TEST_CASE("near collapse the centred values keep their digits", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{60, 12}, {12, 60}}) {
    for (const double e : {1e-3, 1e-6, 1e-9, 1e-12}) {
      CAPTURE(n, d, e);
      const Dense<double> z = reference::around_a_point<double>(n, d, e);
      const Spectra spectra = n > d ? of_dims(z) : of_samples(z);
      // Of the null vector of the samples' side no more than the squares tell.
      const reference::Vector truth = expected(z).centred;
      CHECK(relative_deviation(spectra.centred, truth, 0, 11) < 2e-14L + 1e-18L / static_cast<Real>(e));
    }
  }
}

TEST_CASE("equal rows have one uncentred value and no centred one", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{1, 1}, {1, 9}, {9, 1}, {30, 7}, {7, 30}, {100, 70}, {70, 100}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(1, d, 5).replicate(n, 1);
    for (const Spectra& spectra : {of_dims(z), of_samples(z)}) {
      CHECK(spectra.centred.isZero(0));
      CHECK(std::abs(static_cast<Real>(spectra.as_is(0)) / z.cast<Real>().norm() - 1.0L) < 4.0L * epsilon);
      CHECK((spectra.as_is.tail(spectra.as_is.size() - 1).array() <= 4e-15 * spectra.as_is(0)).all());
    }
  }
  const Dense<double> zero = Dense<double>::Zero(6, 4);
  for (const Spectra& spectra : {of_dims(zero), of_samples(zero)}) {
    CHECK(spectra.centred.isZero(0));
    CHECK(spectra.as_is.isZero(0));
  }
}

TEST_CASE("rows of mean zero have one spectrum", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{40, 9}, {8, 30}}) {
    CAPTURE(n, d);
    Dense<double> z(n, d);
    z.topRows(n / 2) = reference::gaussian<double>(n / 2, d, 5);
    z.bottomRows(n / 2) = -z.topRows(n / 2);
    const Expected truth = expected(z);
    for (const Spectra& spectra : {of_dims(z), of_samples(z)}) {
      CHECK(square_deviation(spectra.centred, truth.centred) < 20.0L * epsilon);
      CHECK(square_deviation(spectra.as_is, truth.centred) < 20.0L * epsilon);
    }
  }
}

TEST_CASE("rows that come twice have singular values larger by the root of two", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{20, 9}, {8, 30}}) {
    CAPTURE(n, d);
    const Dense<double> z = reference::gaussian<double>(n, d, 6, 0.5);
    const Dense<double> twice = z.replicate(2, 1);
    const Expected truth = expected(z);
    for (const Spectra& spectra : {of_dims(twice), of_samples(twice)}) {
      CHECK(square_deviation(spectra.centred, truth.centred * std::sqrt(2.0L)) < 20.0L * epsilon);
      CHECK(square_deviation(spectra.as_is, truth.as_is * std::sqrt(2.0L)) < 20.0L * epsilon);
    }
  }
}

TEST_CASE("one dimension has its norm and its spread as singular values", "[gram_spectra]") {
  const Dense<double> z = reference::gaussian<double>(50, 1, 7, 3.0);
  const Spectra dims = of_dims(z);
  const Spectra samples = of_samples(z);
  const Expected truth = expected(z);
  for (const Spectra& spectra : {dims, samples}) {
    CHECK(std::abs(static_cast<Real>(spectra.centred(0)) / truth.centred(0) - 1.0L) < 4.0L * epsilon);
    CHECK(std::abs(static_cast<Real>(spectra.as_is(0)) / truth.as_is(0) - 1.0L) < 4.0L * epsilon);
  }
}

TEST_CASE("one huge dimension and units of their own do not disturb the spectra", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{40, 9}, {9, 40}}) {
    for (const double huge : {1e10, 1e150, 1e300}) {
      CAPTURE(n, d, huge);
      Dense<double> z = reference::gaussian<double>(n, d, 8, 0.5);
      z.col(3) *= huge;
      z.col(5).setZero();
      const Expected truth = expected(z);
      for (const Spectra& spectra : {of_dims(z), of_samples(z)}) {
        CHECK(square_deviation(spectra.centred, truth.centred) < 20.0L * epsilon);
        CHECK(square_deviation(spectra.as_is, truth.as_is) < 20.0L * epsilon);
      }
    }
    for (const double unit : {1e-300, 1e-150, 1e150, 1e300}) {
      CAPTURE(n, d, unit);
      const Dense<double> z = reference::gaussian<double>(n, d, 8, 0.5) * unit;
      const Expected truth = expected(Dense<double>(z / unit));
      for (const Spectra& spectra : {of_dims(z), of_samples(z)}) {
        CHECK(square_deviation(spectra.centred / unit, truth.centred) < 30.0L * epsilon);
        CHECK(square_deviation(spectra.as_is / unit, truth.as_is) < 30.0L * epsilon);
      }
    }
  }
}

TEST_CASE("a reflection takes its vector to the first axis and is its own inverse", "[gram_spectra]") {
  for (const Index order : {1, 2, 33}) {
    for (const double unit : {1.0, -1.0, 1e-200, 1e200}) {
      CAPTURE(order, unit);
      const Eigen::VectorXd x = unit * reference::gaussian<double>(order, 1, 3);
      const ReflectionToFirst reflection(x);
      const Real norm = x.cast<Real>().stableNorm();
      CHECK(std::abs(std::abs(static_cast<Real>(reflection.image())) / norm - 1.0L) < 2.0L * epsilon);
      Eigen::VectorXd image = x;
      reflection.apply(image);
      CHECK(farthest(image, reflection.image() * Eigen::VectorXd::Unit(order, 0)) < 8.0L * epsilon * norm);

      const Eigen::MatrixXd half = reference::gaussian<double>(order, order, 4);
      const Eigen::MatrixXd a = half + half.transpose();
      Eigen::MatrixXd lower = reference::lower_only(a);
      reflection.apply_both(lower);
      Eigen::MatrixXd full = a;
      for (Index j = 0; j < order; ++j) {
        Eigen::VectorXd column = full.col(j);
        reflection.apply(column);
        full.col(j) = column;
      }
      for (Index i = 0; i < order; ++i) {
        Eigen::VectorXd row = full.row(i).transpose();
        reflection.apply(row);
        full.row(i) = row.transpose();
      }
      for (Index j = 0; j < order; ++j) {
        CHECK(farthest(lower.col(j).tail(order - j), full.col(j).tail(order - j)) < 16.0L * epsilon * a.norm());
      }
    }
  }
  const ReflectionToFirst none(Eigen::VectorXd::Zero(3));
  Eigen::VectorXd v = Eigen::Vector3d(1.0, 2.0, 3.0);
  none.apply(v);
  CHECK(v == Eigen::Vector3d(1.0, 2.0, 3.0));
  CHECK(none.image() == 0.0);
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(3, 3);
  none.apply_both(a);
  CHECK(a == Eigen::MatrixXd::Identity(3, 3));
}

TEST_CASE("both spectra have the same bits whatever the number of threads", "[gram_spectra]") {
  for (const auto& [n, d] : {std::pair<Index, Index>{300, 130}, {130, 300}}) {
    const Dense<double> z = reference::gaussian<double>(n, d, 9, 1.0);
    const Spectra once = n > d ? of_dims(z) : of_samples(z);
    reference::for_thread_counts([&](int threads) {
      CAPTURE(n, d, threads);
      const Spectra again = n > d ? of_dims(z) : of_samples(z);
      CHECK(reference::same_bits(again.centred, once.centred));
      CHECK(reference::same_bits(again.as_is, once.as_is));
    });
  }
}
