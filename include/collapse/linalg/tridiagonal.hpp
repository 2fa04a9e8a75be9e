#pragma once

#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace collapse::linalg {

/// A symmetric tridiagonal matrix.
struct Tridiagonal {
  Eigen::VectorXd diagonal;
  Eigen::VectorXd beside;  ///< one less

  [[nodiscard]] Index order() const { return diagonal.size(); }

  /// Without the first row and column.
  [[nodiscard]] Tridiagonal without_first() const {
    if (order() < 2) return {};
    return {Eigen::VectorXd::Map(diagonal.data() + 1, order() - 1),
            Eigen::VectorXd::Map(beside.data() + 1, order() - 2)};
  }

  /// All eigenvalues lie within [-bound(), bound()] (Gershgorin). Entries must leave room for the sum of three.
  [[nodiscard]] double bound() const {
    double bound = 0.0;
    for (Index k = 0; k < order(); ++k) {
      const double left = k > 0 ? std::abs(beside(k - 1)) : 0.0;
      const double right = k + 1 < order() ? std::abs(beside(k)) : 0.0;
      bound = std::max(bound, std::abs(diagonal(k)) + left + right);
    }
    return bound;
  }

  /// Half a rounding of the bound: whatever a reduction to this form did not keep is larger.
  [[nodiscard]] double half_rounding() const { return 0.5 * std::numeric_limits<double>::epsilon() * bound(); }
};

/// How many eigenvalues of a tridiagonal matrix lie below each of several numbers: sign changes in the sequence of the
/// leading minors of T - x (Givens 1954; Wilkinson 1962). Each count is right for a matrix whose entries differ from
/// T - x by a few roundings of each. Without divisions, and several numbers side by side, which hides the time that one
/// step of the sequence takes.
class SturmCounts {
 public:
  using Packet = MicroKernel::Packet;
  static constexpr int packets = 2;
  static constexpr Index lanes = packets * MicroKernel::width;
  using Lanes = std::array<double, static_cast<std::size_t>(lanes)>;

  /// @param t      scaled so that no eigenvalue is larger than about 1 in magnitude
  explicit SturmCounts(const Tridiagonal& t) : entries_(2 * t.order()) {
    // Keeps the sequence from vanishing where the matrix falls apart; far below a rounding of the square.
    constexpr double least = 1e-60;
    for (Index k = 0; k < t.order(); ++k) {
      entries_(2 * k) = t.diagonal(k);
      entries_(2 * k + 1) = k > 0 ? -std::max(t.beside(k - 1) * t.beside(k - 1), least) : 0.0;
    }
  }

  [[nodiscard]] Lanes below(const Lanes& x) const {
    using Eigen::internal::pabs;
    using Eigen::internal::padd;
    using Eigen::internal::pand;
    using Eigen::internal::pcmp_lt;
    using Eigen::internal::pdiv;
    using Eigen::internal::ploadu;
    using Eigen::internal::pmadd;
    using Eigen::internal::pmax;
    using Eigen::internal::pmul;
    using Eigen::internal::pset1;
    using Eigen::internal::pstoreu;
    using Eigen::internal::psub;
    using Eigen::internal::pxor;
    // Two minors in a row shrink by no more than about 1e-120 in three steps, and grow by less than 4 in one.
    constexpr Index run = 6;
    Packet at[packets];
    Packet minor[packets];
    Packet before[packets];
    Packet negative[packets];
    Packet count[packets];
    const Packet zero = pset1<Packet>(0.0);
    const Packet one = pset1<Packet>(1.0);
    for (int p = 0; p < packets; ++p) {
      at[p] = ploadu<Packet>(x.data() + static_cast<std::ptrdiff_t>(p) * MicroKernel::width);
      minor[p] = one;
      before[p] = negative[p] = count[p] = zero;
    }
    const Index order = entries_.size() / 2;
    for (Index first = 0; first < order; first += run) {
      const Index end = std::min(order, first + run);
      for (Index k = first; k < end; ++k) {
        const Packet diagonal = pset1<Packet>(entries_(2 * k));
        const Packet square = pset1<Packet>(entries_(2 * k + 1));
        for (int p = 0; p < packets; ++p) {
          const Packet next = pmadd(psub(diagonal, at[p]), minor[p], pmul(square, before[p]));
          before[p] = minor[p];
          minor[p] = next;
          const Packet sign = pcmp_lt(next, zero);
          count[p] = padd(count[p], pand(pxor(sign, negative[p]), one));
          negative[p] = sign;
        }
      }
      for (int p = 0; p < packets; ++p) {
        const Packet scale = pdiv(one, pmax(pabs(minor[p]), pabs(before[p])));
        minor[p] = pmul(minor[p], scale);
        before[p] = pmul(before[p], scale);
      }
    }
    Lanes result;
    for (int p = 0; p < packets; ++p) {
      pstoreu(result.data() + static_cast<std::ptrdiff_t>(p) * MicroKernel::width, count[p]);
    }
    return result;
  }

 private:
  Eigen::VectorXd entries_;  ///< diagonal and the negative square of what stands left of it, in turn
};

/// An interval and the eigenvalues in it, by rank.
struct RankedInterval {
  double low, high;
  Index first, end;
};

/// Halves intervals until each is at most `tolerance` wide, or until there are `enough` of them. Those without
/// eigenvalues are dropped, so that a cluster costs no more than one value.
inline void bisect(const SturmCounts& counts, std::vector<RankedInterval>& intervals, double tolerance,
                   std::size_t enough = std::numeric_limits<std::size_t>::max()) {
  std::vector<RankedInterval> halves;
  for (;;) {
    if (intervals.size() >= enough) return;
    halves.clear();
    bool halved = false;
    for (std::size_t begin = 0; begin < intervals.size();) {
      SturmCounts::Lanes middle{};
      std::array<std::size_t, static_cast<std::size_t>(SturmCounts::lanes)> from{};
      std::size_t used = 0;
      for (; begin < intervals.size() && used < middle.size(); ++begin) {
        const RankedInterval& interval = intervals[begin];
        const double half = interval.low + 0.5 * (interval.high - interval.low);
        if (interval.high - interval.low <= tolerance || half <= interval.low || half >= interval.high) {
          halves.push_back(interval);
          continue;
        }
        middle[used] = half;
        from[used++] = begin;
      }
      if (used == 0) break;
      halved = true;
      const SturmCounts::Lanes below = counts.below(middle);
      for (std::size_t k = 0; k < used; ++k) {
        const RankedInterval& interval = intervals[from[k]];
        const Index split = std::clamp(static_cast<Index>(below[k]), interval.first, interval.end);
        if (split > interval.first) halves.push_back({interval.low, middle[k], interval.first, split});
        if (split < interval.end) halves.push_back({middle[k], interval.high, split, interval.end});
      }
    }
    intervals.swap(halves);
    if (!halved) return;
  }
}

/// Eigenvalues first, ..., end - 1 of a tridiagonal matrix, ascending, each within `tolerance` of one of a matrix whose
/// entries differ by a few roundings of each. About n^2 log2(bound / tolerance) steps of five operations; less where
/// eigenvalues coincide.
[[nodiscard]] inline Eigen::VectorXd eigenvalues(const Tridiagonal& t, Index first, Index end, double tolerance) {
  Eigen::VectorXd values = Eigen::VectorXd::Zero(end - first);
  const double bound = t.bound();
  if (bound == 0.0 || first == end) return values;
  int exponent = 0;
  std::frexp(bound, &exponent);
  const auto scaled = [exponent](Eigen::VectorXd v) {
    for (Index k = 0; k < v.size(); ++k) v(k) = std::ldexp(v(k), -exponent);
    return v;
  };
  const SturmCounts counts({scaled(t.diagonal), scaled(t.beside)});
  // Where a large entry stands beside a small matrix, the tolerance may be far below a rounding of the bound; but an
  // eigenvalue that is zero has no digits to reach.
  const double near = std::max(std::ldexp(tolerance, -exponent), 1e-45);

  std::vector<RankedInterval> intervals{{-1.0, 1.0, first, end}};
  constexpr std::size_t at_once = 4 * static_cast<std::size_t>(SturmCounts::lanes);
  bisect(counts, intervals, near, 8 * at_once);
  const auto groups = static_cast<Index>((intervals.size() + at_once - 1) / at_once);
  parallel_for({groups, end - first, t.order(), 100}, [&](Index g) {
    const auto begin = intervals.begin() + static_cast<std::ptrdiff_t>(at_once) * g;
    const auto last = std::min(begin + static_cast<std::ptrdiff_t>(at_once), intervals.end());
    std::vector<RankedInterval> own(begin, last);
    bisect(counts, own, near);
    for (const RankedInterval& interval : own) {
      const double value = std::ldexp(interval.low + 0.5 * (interval.high - interval.low), exponent);
      std::fill(values.data() + interval.first - first, values.data() + interval.end - first, value);
    }
  });
  return values;
}

/// All of them, each within half a rounding of the largest.
[[nodiscard]] inline Eigen::VectorXd eigenvalues(const Tridiagonal& t) {
  return eigenvalues(t, 0, t.order(), t.half_rounding());
}

}  // namespace collapse::linalg
