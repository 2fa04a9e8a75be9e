#pragma once

#include <collapse/detail/band_reduction.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/detail/tridiagonal.hpp>

#include <Eigen/Core>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <thread>

namespace collapse::detail {

/// I - scale v v^T with v(0) = 1.
struct Reflector {
  static constexpr Index size = Band::width;
  alignas(64) double v[static_cast<std::size_t>(size)];
  double scale;

  using Vector = Eigen::Map<Eigen::Matrix<double, size, 1>, Eigen::Aligned64>;
  using Column = Eigen::Map<Eigen::Matrix<double, size, 1>>;

  [[nodiscard]] Vector vector() { return Vector(v); }

  /// The one that takes `column` to a multiple of the first unit vector, and does so.
  void eliminate(double* column) {
    Column x(column);
    const double tail = x.tail<size - 1>().squaredNorm();
    Vector to(v);
    if (tail <= std::numeric_limits<double>::min()) {
      scale = 0.0;
      to.setZero();
    } else {
      const double head = x(0);
      const double norm = std::copysign(std::sqrt(head * head + tail), head);
      to = x / (head + norm);
      scale = (head + norm) / norm;
      x(0) = -norm;
    }
    v[0] = 1.0;
    x.tail<size - 1>().setZero();
  }
};

/// One step of a sweep: the window of a band that begins at a column, on whose diagonal block a reflector is applied
/// from both sides, and which is moved on by the block below.
class Window {
 public:
  explicit Window(double* corner) : corner_(corner) {}

  /// Applies the reflector to the block on the diagonal from both sides.
  void both_sides(Reflector& reflector) const {
    constexpr Index size = Reflector::size;
    alignas(64) double products[static_cast<std::size_t>(size)];
    Reflector::Vector p(products);
    const Reflector::Vector v = reflector.vector();
    p.setZero();
    for (Index j = 0; j < size; ++j) {
      const double* const column = corner_ + j * Band::stride;
      const double factor = reflector.v[j];
      double sum = column[0] * factor;
      double rest = 0.0;
      for (Index i = 1; i < size - j; ++i) {
        products[j + i] += column[i] * factor;
        rest += column[i] * reflector.v[j + i];
      }
      products[j] += sum + rest;
    }
    p *= reflector.scale;
    p -= (0.5 * reflector.scale * p.dot(v)) * v;
    for (Index j = 0; j < size; ++j) {
      double* const column = corner_ + j * Band::stride;
      const double a = reflector.v[j];
      const double b = products[j];
      for (Index i = 0; i < size - j; ++i) column[i] -= reflector.v[j + i] * b + products[j + i] * a;
    }
  }

  /// Applies the reflector to the block below from the right, and eliminates what that brought into its first column:
  /// the reflector of the next window.
  void move_on(Reflector& reflector) const {
    constexpr Index size = Reflector::size;
    alignas(64) double products[static_cast<std::size_t>(size)];
    Reflector::Vector q(products);
    q.setZero();
    for (Index j = 0; j < size; ++j) q += reflector.v[j] * block(j);
    q *= reflector.scale;
    Reflector next;
    block(0) -= q;
    next.eliminate(block(0).data());
    const Reflector::Vector v = next.vector();
    for (Index j = 1; j < size; ++j) {
      const Eigen::Matrix<double, size, 1> column = block(j) - reflector.v[j] * q;
      block(j) = column - (next.scale * v.dot(column)) * v;
    }
    reflector = next;
  }

 private:
  /// Column j of the block below the diagonal one.
  [[nodiscard]] Reflector::Column block(Index j) const {
    return Reflector::Column(corner_ + j * Band::stride + Reflector::size - j);
  }

  double* corner_;
};

/// The second stage of a tridiagonalisation: takes the entries of one column after the other to the one beside the
/// diagonal, and what that brings out of the band down and out of the matrix (Schwarz 1968; in blocks, Bischof, Lang &
/// Sun 2000). Leaves the first unit vector as it is. 6 n^2 Band::width flops.
///
/// Threads take sweeps in turn, each at a distance behind the one before it where nothing that it touches changes any
/// more (Haidar, Ltaief & Dongarra 2011); bits do not depend on their number.
[[nodiscard]] inline Tridiagonal chase_bulges(Band band) {
  const Index order = band.order();
  const Index sweeps = std::max<Index>(order - 2, 0);
  // How many windows each sweep has left behind.
  const std::unique_ptr<std::atomic<Index>[]> done(new std::atomic<Index>[static_cast<std::size_t>(sweeps) + 1]);
  for (Index s = 0; s <= sweeps; ++s) done[static_cast<std::size_t>(s)].store(0, std::memory_order_relaxed);
  std::atomic<Index> next{0};
  constexpr Index all = std::numeric_limits<Index>::max();
  const auto threads = static_cast<Index>(max_threads());
  // Who has to wait does so until there is work for a while, as long as all threads still find theirs: one meeting per
  // window would stop everything whenever a core is taken away.
  const Index lead = std::min<Index>(8, order / Band::width / (2 * threads));
  parallel_for({threads, order, order, Band::width}, [&](Index) {
    for (;;) {
      const Index sweep = next.fetch_add(1, std::memory_order_relaxed);
      if (sweep >= sweeps) return;
      std::atomic<Index>& own = done[static_cast<std::size_t>(sweep)];
      const auto wait_for = [&](Index windows) {
        if (sweep == 0) return;
        const std::atomic<Index>& before = done[static_cast<std::size_t>(sweep - 1)];
        if (before.load(std::memory_order_acquire) >= windows) return;
        // Some windows take less time than giving the core away.
        constexpr int patience = 1 << 14;
        for (int spins = 0; before.load(std::memory_order_acquire) < windows + lead; ++spins) {
          if (spins > patience) std::this_thread::yield();
        }
      };
      Reflector reflector;
      for (Index first = sweep + 1, window = 0; first < order - 1; first += Band::width, ++window) {
        // The next window of the sweep before it shares its first column with this one.
        wait_for(window + 2);
        if (window == 0) reflector.eliminate(band.column(sweep) + 1);
        const Window at(band.column(first));
        at.both_sides(reflector);
        at.move_on(reflector);
        own.store(window + 1, std::memory_order_release);
      }
      own.store(all, std::memory_order_release);
    }
  });
  Tridiagonal result{Eigen::VectorXd(order), Eigen::VectorXd(std::max<Index>(order - 1, 0))};
  for (Index j = 0; j < order; ++j) {
    result.diagonal(j) = band.column(j)[0];
    if (j + 1 < order) result.beside(j) = band.column(j)[1];
  }
  return result;
}

}  // namespace collapse::detail
