#pragma once

#include <collapse/linalg/view.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

/// Statistics by plain loops in long double, and small deterministic inputs: what the tests of statistics compare with.
namespace collapse::reference {

using Real = long double;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

template <class Scalar>
using Dense = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
template <class Scalar>
using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A small generator (xorshift64*; Vigna 2016): the same numbers with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x1234567ULL) {
    for (int i = 0; i < 8; ++i) next();
  }
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dULL;
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::uint64_t state_;
};

template <class Scalar>
[[nodiscard]] Scalar narrow(double value) {
  if constexpr (std::is_same_v<Scalar, double> || std::is_same_v<Scalar, float>) {
    return static_cast<Scalar>(value);
  } else {
    return static_cast<Scalar>(static_cast<float>(value));
  }
}

template <class Scalar>
[[nodiscard]] Real widen(Scalar value) {
  if constexpr (std::is_same_v<Scalar, double> || std::is_same_v<Scalar, float>) {
    return static_cast<Real>(value);
  } else {
    return static_cast<Real>(static_cast<float>(value));
  }
}

template <class Derived>
[[nodiscard]] Matrix widened(const Eigen::DenseBase<Derived>& z) {
  Matrix result(z.rows(), z.cols());
  for (Eigen::Index j = 0; j < z.cols(); ++j) {
    for (Eigen::Index i = 0; i < z.rows(); ++i) result(i, j) = widen(z.derived().coeff(i, j));
  }
  return result;
}

/// offset + spread * N(0, 1), rounded to the scalar.
template <class Scalar>
[[nodiscard]] Dense<Scalar> gaussian(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed = 1, double offset = 0.0,
                                     double spread = 1.0) {
  Random random(seed);
  Dense<Scalar> z(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) z(i, j) = narrow<Scalar>(offset + spread * random.normal());
  }
  return z;
}

/// Rows c + e * noise around a random unit vector c: complete collapse but for e. The noise is N(0, 1) per dimension.
template <class Scalar>
[[nodiscard]] Dense<Scalar> around_a_point(Eigen::Index rows, Eigen::Index cols, double e, std::uint64_t seed = 1) {
  Random random(seed);
  Eigen::VectorXd centre(cols);
  for (double& value : centre) value = random.normal();
  centre.normalize();
  Dense<Scalar> z(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) z(i, j) = narrow<Scalar>(centre(j) + e * random.normal());
  }
  return z;
}

[[nodiscard]] inline Vector mean_row(const Matrix& z) {
  return (z.colwise().sum() / static_cast<Real>(z.rows())).transpose();
}

/// Relative to the first row: of rows around a far point, long double too would lose the spread.
[[nodiscard]] inline Matrix centred(const Matrix& z) {
  const Matrix shifted = z.rowwise() - z.row(0);
  return shifted.rowwise() - mean_row(shifted).transpose();
}

/// The rows of positive length, divided by it.
[[nodiscard]] inline Matrix unit_rows(const Matrix& z) {
  Matrix result(z.rows(), z.cols());
  Eigen::Index kept = 0;
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    const Real length = std::sqrt(z.row(i).squaredNorm());
    if (length > 0.0L) result.row(kept++) = z.row(i) / length;
  }
  result.conservativeResize(kept, Eigen::NoChange);
  return result;
}

/// 1 - cos of every pair of unit rows, ascending; from the differences, so that it keeps its digits near 0.
[[nodiscard]] inline std::vector<Real> distances(const Matrix& units) {
  const Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic> columns = units.transpose();
  std::vector<Real> result;
  for (Eigen::Index i = 0; i < columns.cols(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) result.push_back((columns.col(i) - columns.col(j)).squaredNorm() / 2.0L);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// Linear interpolation between order statistics, the default of numpy and R.
[[nodiscard]] inline Real quantile(const std::vector<Real>& ascending, Real p) {
  const Real at = p * static_cast<Real>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (at - std::floor(at)) * (ascending[above] - ascending[below]);
}

struct MeanStd {
  Real mean = 0;
  Real std = 0;  ///< ddof 0
};

[[nodiscard]] inline MeanStd mean_std(const std::vector<Real>& values) {
  MeanStd result;
  for (const Real value : values) result.mean += value;
  result.mean /= static_cast<Real>(values.size());
  for (const Real value : values) result.std += (value - result.mean) * (value - result.mean);
  result.std = std::sqrt(result.std / static_cast<Real>(values.size()));
  return result;
}

/// Singular values of a, descending, min(rows, cols) of them, from the smaller Gram matrix: in long double that
/// resolves 3e-10 of the largest.
[[nodiscard]] inline Vector singular_values(const Matrix& a) {
  const Matrix gram = a.rows() <= a.cols() ? Matrix(a * a.transpose()) : Matrix(a.transpose() * a);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(gram, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().reverse().cwiseMax(0.0L).cwiseSqrt();
}

/// exp of the entropy of the shares.
[[nodiscard]] inline Real effective_rank(const Vector& singular) {
  const Real total = singular.sum();
  Real entropy = 0.0L;
  for (const Real value : singular) {
    if (value > 0.0L) entropy -= value / total * std::log(value / total);
  }
  return std::exp(entropy);
}

/// Hands the same numbers to `body(name, view)` in every way they may lie in memory. What lies between them is NaN.
template <class Scalar, class Body>
void in_every_layout(const Dense<Scalar>& z, Body&& body) {
  const auto view = [](const auto& expression) {
    return linalg::Evaluated<std::decay_t<decltype(expression)>>(expression).view();
  };
  const Eigen::Index n = z.rows();
  const Eigen::Index d = z.cols();
  const Scalar gap = narrow<Scalar>(std::numeric_limits<double>::quiet_NaN());

  body(std::string("column-major"), view(z));

  const RowMajor<Scalar> row_major = z;
  body(std::string("row-major"), view(row_major));

  const Dense<Scalar> dims_as_rows = z.transpose();
  body(std::string("transpose of a column-major matrix"), view(dims_as_rows.transpose()));

  RowMajor<Scalar> larger = RowMajor<Scalar>::Constant(n + 3, d + 5, gap);
  larger.block(2, 4, n, d) = z;
  body(std::string("block of a larger row-major matrix"), view(larger.block(2, 4, n, d)));

  using Strided = Eigen::Map<Dense<Scalar>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  std::vector<Scalar> buffer(static_cast<std::size_t>((3 * n + 2) * d), gap);
  Strided strided(buffer.data(), n, d, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(3 * n + 2, 3));
  strided = z;
  body(std::string("strided column-major map"), view(strided));

  const Dense<Scalar> reversed = z.rowwise().reverse().colwise().reverse();
  body(std::string("negative strides"),
       linalg::MatrixView<Scalar>{reversed.data() + n * d - 1, n, d, Eigen::Index{-1}, -n});
}

/// Calls body(threads) for several numbers of threads; once where the tests are compiled without OpenMP.
template <class Body>
void for_thread_counts(Body&& body) {
#ifdef _OPENMP
  const int before = omp_get_max_threads();
  for (const int threads : {1, 2, 3, 8}) {
    omp_set_num_threads(threads);
    body(threads);
  }
  omp_set_num_threads(before);
#else
  body(1);
#endif
}

/// Whether two Eigen objects hold the same bits.
template <class A, class B>
[[nodiscard]] bool same_bits(const Eigen::DenseBase<A>& a, const Eigen::DenseBase<B>& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  for (Eigen::Index j = 0; j < a.cols(); ++j) {
    for (Eigen::Index i = 0; i < a.rows(); ++i) {
      const double x = a.derived().coeff(i, j);
      const double y = b.derived().coeff(i, j);
      if (!(x == y || (std::isnan(x) && std::isnan(y)))) return false;
    }
  }
  return true;
}

}  // namespace collapse::reference
