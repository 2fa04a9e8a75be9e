#pragma once

#include <collapse/linalg/hash.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

/// Random numbers with the same bits on every platform. Logarithms and exponentials differ between standard libraries
/// in the last digit, and a compiler may or may not fuse a product with a sum. So only sums, quotients, square roots
/// and explicit std::fma are used here, each of which has one correctly rounded result.
namespace collapse::synthetic {

/// c[0] + c[1] x + c[2] x^2 + ...
template <std::size_t Size>
[[nodiscard]] inline double polynomial(const std::array<double, Size>& coefficients, double x) {
  double sum = coefficients[Size - 1];
  for (std::size_t k = Size - 1; k-- > 0;) sum = std::fma(sum, x, coefficients[k]);
  return sum;
}

/// ln x for normal x > 0, to 2 ulp: x = 2^k m with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
[[nodiscard]] inline double portable_log(double x) {
  int k = 0;
  double m = std::frexp(x, &k);
  if (m < 0.70710678118654752440) {
    m *= 2.0;
    --k;
  }
  const double s = (m - 1.0) / (m + 1.0);
  // 1/3, 1/5, ...: s^2 <= 0.0295, so that what is cut off is below 1e-18.
  static constexpr std::array<double, 11> odd{1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                              1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  const double square = s * s;
  const double ln_m = 2.0 * std::fma(s * square, polynomial(odd, square), s);
  return std::fma(k, 0x1.62e42fefa39efp-1, std::fma(k, 0x1.abc9e3b39803fp-56, ln_m));
}

/// e^x for |x| < 700, to about 1 ulp: x = k ln 2 + r.
[[nodiscard]] inline double portable_exp(double x) {
  const double k = std::floor(std::fma(x, 0x1.71547652b82fep+0, 0.5));
  const double r = std::fma(-k, 0x1.abc9e3b39803fp-56, std::fma(-k, 0x1.62e42fefa39efp-1, x));
  static constexpr std::array<double, 14> inverse_factorials = [] {
    std::array<double, 14> result{};
    double factorial = 1.0;
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = 1.0 / factorial;
      factorial *= static_cast<double>(i) + 1.0;
    }
    return result;
  }();
  return std::ldexp(polynomial(inverse_factorials, r), static_cast<int>(k));
}

/// The deviate with cumulative probability p in (0, 1), to 6e-16 relative for p above 1e-16, to 1e-15 further out.
///
/// Source: Wichura, Algorithm AS 241: the percentage points of the normal distribution, 1988 (PPND16).
[[nodiscard]] inline double normal_quantile(double p) {
  static constexpr std::array<double, 8> a{3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                           1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                           3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr std::array<double, 8> b{1.0,
                                           4.2313330701600911252e1,
                                           6.8718700749205790830e2,
                                           5.3941960214247511077e3,
                                           2.1213794301586595867e4,
                                           3.9307895800092710610e4,
                                           2.8729085735721942674e4,
                                           5.2264952788528545610e3};
  static constexpr std::array<double, 8> c{
      1.42343711074968357734e0, 4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
      1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> d{1.0,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9};
  static constexpr std::array<double, 8> e{
      6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> f{1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = std::fma(-q, q, 0.180625);
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-portable_log(q < 0.0 ? p : 1.0 - p));
  const double tail =
      r <= 5.0 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5.0) / polynomial(f, r - 5.0);
  return q < 0.0 ? -tail : tail;
}

/// A standard normal deviate that depends on (key, index) alone.
[[nodiscard]] inline double normal_deviate(std::uint64_t key, std::uint64_t index) {
  // The middle of one of 2^52 equal cells: never 0 or 1, and symmetric about 1/2.
  return normal_quantile((static_cast<double>(linalg::hash(key, index) >> 12) + 0.5) * 0x1p-52);
}

}  // namespace collapse::synthetic
