#pragma once

#include <collapse/linalg/products.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>

namespace collapse::linalg {

/// As many doubles side by side as the kernel packs together, in registers: entry d of `group` vectors, or entries
/// d, d + 1, ... of one. Inlined by force: a compiler's own choice depends on the size of the whole source, and a call in
/// an innermost loop puts what was in registers into memory.
class Lanes {
 public:
  static constexpr Index size = MicroKernel::group;

  EIGEN_ALWAYS_INLINE Lanes() : Lanes(0.0) {}
  EIGEN_ALWAYS_INLINE explicit Lanes(double value)
      : low_(Eigen::internal::pset1<Packet>(value)), mid_(low_), high_(low_) {}

  [[nodiscard]] EIGEN_ALWAYS_INLINE static Lanes load(const double* from) {
    using Eigen::internal::ploadu;
    return {ploadu<Packet>(from), ploadu<Packet>(from + width), ploadu<Packet>(from + 2 * width)};
  }
  /// The first `count` of them, and zeros.
  [[nodiscard]] EIGEN_ALWAYS_INLINE static Lanes load(const double* from, Index count) {
    double all[static_cast<std::size_t>(size)] = {};
    std::copy_n(from, count, all);
    return load(all);
  }
  EIGEN_ALWAYS_INLINE void store(double* to) const {
    Eigen::internal::pstoreu(to, low_);
    Eigen::internal::pstoreu(to + width, mid_);
    Eigen::internal::pstoreu(to + 2 * width, high_);
  }
  /// The first `count` of them.
  EIGEN_ALWAYS_INLINE void store(double* to, Index count) const {
    double all[static_cast<std::size_t>(size)];
    store(all);
    std::copy_n(all, count, to);
  }

  EIGEN_ALWAYS_INLINE friend Lanes operator+(const Lanes& a, const Lanes& b) {
    using Eigen::internal::padd;
    return {padd(a.low_, b.low_), padd(a.mid_, b.mid_), padd(a.high_, b.high_)};
  }
  EIGEN_ALWAYS_INLINE friend Lanes operator-(const Lanes& a, const Lanes& b) {
    using Eigen::internal::psub;
    return {psub(a.low_, b.low_), psub(a.mid_, b.mid_), psub(a.high_, b.high_)};
  }
  EIGEN_ALWAYS_INLINE friend Lanes operator*(const Lanes& a, const Lanes& b) {
    using Eigen::internal::pmul;
    return {pmul(a.low_, b.low_), pmul(a.mid_, b.mid_), pmul(a.high_, b.high_)};
  }
  EIGEN_ALWAYS_INLINE friend Lanes operator*(const Lanes& a, double b) { return a * Lanes(b); }
  EIGEN_ALWAYS_INLINE friend Lanes operator/(const Lanes& a, double b) {
    using Eigen::internal::pdiv;
    const Packet by = Eigen::internal::pset1<Packet>(b);
    return {pdiv(a.low_, by), pdiv(a.mid_, by), pdiv(a.high_, by)};
  }
  EIGEN_ALWAYS_INLINE Lanes& operator+=(const Lanes& b) { return *this = *this + b; }

  /// The sum of the packets, not of what is in them: as many numbers as a packet has.
  EIGEN_ALWAYS_INLINE void add_packets_to(double* sums) const {
    using Eigen::internal::padd;
    Eigen::internal::pstoreu(sums, padd(Eigen::internal::ploadu<Packet>(sums), padd(padd(low_, mid_), high_)));
  }

 private:
  using Packet = MicroKernel::Packet;
  static constexpr std::ptrdiff_t width = MicroKernel::width;

  EIGEN_ALWAYS_INLINE Lanes(const Packet& low, const Packet& mid, const Packet& high)
      : low_(low), mid_(mid), high_(high) {}

  Packet low_;
  Packet mid_;
  Packet high_;
};

}  // namespace collapse::linalg
