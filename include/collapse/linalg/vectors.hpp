#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>

/// Sums over vectors that lie side by side in memory, in plain loops over packets. Eigen has all of these; but each use
/// of an expression is some dozens of classes to the compiler, and a program that measures embeddings would spend more
/// time on them than on everything else.
namespace collapse::linalg {

using Eigen::Index;

/// out[c] = a_c . x for `columns` vectors a_c of n entries, `stride` apart.
/// @param out  must not overlap what is read
inline void dot_columns(const double* a, Index stride, Index columns, const double* x, Index n, double* out) {
  using Eigen::internal::padd;
  using Eigen::internal::ploadu;
  using Eigen::internal::pmadd;
  using Eigen::internal::predux;
  using Eigen::internal::pset1;
  using Packet = Eigen::internal::packet_traits<double>::type;
  constexpr auto width = static_cast<Index>(sizeof(Packet) / sizeof(double));
  const Index whole = n / (2 * width) * (2 * width);
  const auto finish = [=](const double* column, Packet low, Packet high) {
    double sum = predux(padd(low, high));
    for (Index i = whole; i < n; ++i) sum += column[i] * x[i];
    return sum;
  };
  const Packet zero = pset1<Packet>(0.0);
  const Index fours = columns / 4 * 4;
  // Four columns share what is loaded of x and hide the time that one addition takes.
  for (Index c = 0; c < fours; c += 4) {
    const double* const a0 = a + c * stride;
    const double* const a1 = a0 + stride;
    const double* const a2 = a1 + stride;
    const double* const a3 = a2 + stride;
    Packet l0 = zero, l1 = zero, l2 = zero, l3 = zero, h0 = zero, h1 = zero, h2 = zero, h3 = zero;
    for (Index i = 0; i < whole; i += 2 * width) {
      const Packet low = ploadu<Packet>(x + i);
      const Packet high = ploadu<Packet>(x + i + width);
      l0 = pmadd(ploadu<Packet>(a0 + i), low, l0);
      l1 = pmadd(ploadu<Packet>(a1 + i), low, l1);
      l2 = pmadd(ploadu<Packet>(a2 + i), low, l2);
      l3 = pmadd(ploadu<Packet>(a3 + i), low, l3);
      h0 = pmadd(ploadu<Packet>(a0 + i + width), high, h0);
      h1 = pmadd(ploadu<Packet>(a1 + i + width), high, h1);
      h2 = pmadd(ploadu<Packet>(a2 + i + width), high, h2);
      h3 = pmadd(ploadu<Packet>(a3 + i + width), high, h3);
    }
    out[c] = finish(a0, l0, h0);
    out[c + 1] = finish(a1, l1, h1);
    out[c + 2] = finish(a2, l2, h2);
    out[c + 3] = finish(a3, l3, h3);
  }
  for (Index c = fours; c < columns; ++c) {
    const double* const column = a + c * stride;
    Packet low = zero, high = zero;
    for (Index i = 0; i < whole; i += 2 * width) {
      low = pmadd(ploadu<Packet>(column + i), ploadu<Packet>(x + i), low);
      high = pmadd(ploadu<Packet>(column + i + width), ploadu<Packet>(x + i + width), high);
    }
    out[c] = finish(column, low, high);
  }
}

/// x . y, summed in four packets side by side: rounding grows with n over their entries.
[[nodiscard]] inline double dot(const double* x, const double* y, Index n) {
  using Eigen::internal::padd;
  using Eigen::internal::ploadu;
  using Eigen::internal::pmadd;
  using Packet = Eigen::internal::packet_traits<double>::type;
  constexpr auto width = static_cast<Index>(sizeof(Packet) / sizeof(double));
  constexpr Index step = 4 * width;
  const Packet zero = Eigen::internal::pset1<Packet>(0.0);
  Packet s0 = zero, s1 = zero, s2 = zero, s3 = zero;
  const Index whole = n / step * step;
  for (Index i = 0; i < whole; i += step) {
    s0 = pmadd(ploadu<Packet>(x + i), ploadu<Packet>(y + i), s0);
    s1 = pmadd(ploadu<Packet>(x + i + width), ploadu<Packet>(y + i + width), s1);
    s2 = pmadd(ploadu<Packet>(x + i + 2 * width), ploadu<Packet>(y + i + 2 * width), s2);
    s3 = pmadd(ploadu<Packet>(x + i + 3 * width), ploadu<Packet>(y + i + 3 * width), s3);
  }
  double rest = 0.0;
  for (Index i = whole; i < n; ++i) rest += x[i] * y[i];
  return Eigen::internal::predux(padd(padd(s0, s1), padd(s2, s3))) + rest;
}

/// ||x||^2; squares of the entries must neither overflow nor vanish.
[[nodiscard]] inline double squared_norm(const double* x, Index n) { return dot(x, x, n); }

/// y := y + factor x
inline void add_scaled(double* y, double factor, const double* x, Index n) {
  for (Index i = 0; i < n; ++i) y[i] += factor * x[i];
}

/// y := y + sum_c factors[c] a_c for `columns` vectors a_c, `stride` apart.
inline void add_columns(double* y, const double* a, Index stride, Index columns, const double* factors, Index n) {
  const Index fours = columns / 4 * 4;
  for (Index c = 0; c < fours; c += 4) {
    const double* const a0 = a + c * stride;
    const double* const a1 = a0 + stride;
    const double* const a2 = a1 + stride;
    const double* const a3 = a2 + stride;
    const double f0 = factors[c], f1 = factors[c + 1], f2 = factors[c + 2], f3 = factors[c + 3];
    for (Index i = 0; i < n; ++i) y[i] += (a0[i] * f0 + a1[i] * f1) + (a2[i] * f2 + a3[i] * f3);
  }
  for (Index c = fours; c < columns; ++c) add_scaled(y, factors[c], a + c * stride, n);
}

/// x := factor x
inline void scale(double* x, double factor, Index n) {
  for (Index i = 0; i < n; ++i) x[i] *= factor;
}

/// max |x_i|; 0 of no entries, and NaN is passed over.
[[nodiscard]] inline double largest_magnitude(const double* x, Index n) {
  double largest = 0.0;
  for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
  return largest;
}

/// x_0 + x_1 + ...
[[nodiscard]] inline double sum(const double* x, Index n) {
  using Eigen::internal::padd;
  using Eigen::internal::ploadu;
  using Packet = Eigen::internal::packet_traits<double>::type;
  constexpr auto width = static_cast<Index>(sizeof(Packet) / sizeof(double));
  const Index whole = n / (2 * width) * (2 * width);
  Packet low = Eigen::internal::pset1<Packet>(0.0);
  Packet high = low;
  for (Index i = 0; i < whole; i += 2 * width) {
    low = padd(low, ploadu<Packet>(x + i));
    high = padd(high, ploadu<Packet>(x + i + width));
  }
  double total = Eigen::internal::predux(padd(low, high));
  for (Index i = whole; i < n; ++i) total += x[i];
  return total;
}

[[nodiscard]] inline double dot(const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
  return dot(x.data(), y.data(), x.size());
}
[[nodiscard]] inline double squared_norm(const Eigen::VectorXd& x) { return squared_norm(x.data(), x.size()); }
[[nodiscard]] inline double sum(const Eigen::VectorXd& x) { return sum(x.data(), x.size()); }
[[nodiscard]] inline double largest_magnitude(const Eigen::VectorXd& x) {
  return largest_magnitude(x.data(), x.size());
}
inline void add_scaled(Eigen::VectorXd& y, double factor, const Eigen::VectorXd& x) {
  add_scaled(y.data(), factor, x.data(), y.size());
}

/// y = factor A x for a symmetric matrix given by its lower triangle.
inline void multiply_symmetric(const Eigen::MatrixXd& lower, double factor, const Eigen::VectorXd& x,
                               Eigen::VectorXd& y) {
  const Index n = lower.cols();
  y.setZero(n);
  for (Index j = 0; j < n; ++j) {
    const double* const column = lower.data() + j * n;
    const Index below = n - j - 1;
    y(j) += column[j] * x(j) + dot(column + j + 1, x.data() + j + 1, below);
    add_scaled(y.data() + j + 1, x(j), column + j + 1, below);
  }
  scale(y.data(), factor, n);
}

/// A += factor (x y^T + y x^T) / 2 on the lower triangle.
inline void add_symmetric_product(Eigen::MatrixXd& lower, double factor, const Eigen::VectorXd& x,
                                  const Eigen::VectorXd& y) {
  const Index n = lower.cols();
  for (Index j = 0; j < n; ++j) {
    double* const column = lower.data() + j * n;
    const double from_x = 0.5 * factor * y(j);
    const double from_y = 0.5 * factor * x(j);
    for (Index i = j; i < n; ++i) column[i] += x(i) * from_x + y(i) * from_y;
  }
}

/// A += B on the lower triangle.
inline void add_lower(Eigen::MatrixXd& lower, const Eigen::MatrixXd& other) {
  const Index n = lower.cols();
  for (Index j = 0; j < n; ++j) add_scaled(lower.data() + j * n + j, 1.0, other.data() + j * n + j, n - j);
}

}  // namespace collapse::linalg
