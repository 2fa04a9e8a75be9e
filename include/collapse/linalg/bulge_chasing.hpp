#pragma once

#include <collapse/linalg/band_reduction.hpp>
#include <collapse/linalg/block_reflector.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/tridiagonal.hpp>
#include <collapse/linalg/vectors.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <thread>

namespace collapse::linalg {

/// I - scale v v^T with v(0) = 1.
struct Reflector {
  static constexpr Index size = Band::width;
  alignas(64) double v[static_cast<std::size_t>(size)];
  double scale;

  /// The one that takes `column` to a multiple of the first unit vector, and does so.
  void eliminate(double* column) { scale = householder(column, v, size); }
};

/// One step of a sweep: the window of a band that begins at a column, on whose diagonal block a reflector is applied
/// from both sides, and which is moved on by the block below.
class Window {
 public:
  explicit Window(double* corner) : corner_(corner) {}

  /// Applies the reflector to the block on the diagonal from both sides.
  void both_sides(const Reflector& reflector) const {
    alignas(64) double products[static_cast<std::size_t>(size)] = {};
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
    scale(products, reflector.scale, size);
    add_scaled(products, -0.5 * reflector.scale * dot(products, reflector.v, size), reflector.v, size);
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
    alignas(64) double q[static_cast<std::size_t>(size)] = {};
    // Column j of the block stands one entry higher than the one before it.
    constexpr Index apart = Band::stride - 1;
    add_columns(q, block(0), apart, size, reflector.v, size);
    scale(q, reflector.scale, size);
    Reflector next;
    add_scaled(block(0), -1.0, q, size);
    next.eliminate(block(0));
    for (Index j = 1; j < size; ++j) add_scaled(block(j), -reflector.v[j], q, size);
    alignas(64) double along[static_cast<std::size_t>(size)];
    dot_columns(block(1), apart, size - 1, next.v, size, along + 1);
    for (Index j = 1; j < size; ++j) add_scaled(block(j), -next.scale * along[j], next.v, size);
    reflector = next;
  }

 private:
  static constexpr Index size = Reflector::size;

  /// Column j of the block below the diagonal one.
  [[nodiscard]] double* block(Index j) const { return corner_ + j * Band::stride + size - j; }

  double* corner_;
};

/// The sweeps of the second stage, each of which takes the entries of one column to the one beside the diagonal, window
/// by window from there to the end of the matrix. A sweep stays behind the one before it at a distance where nothing
/// that it touches changes any more (Haidar, Ltaief & Dongarra 2011), so several move at a time.
///
/// A sweep belongs to a thread only while it moves: whoever is left on a core continues what others have let go, and
/// nobody waits long for a thread whose core was taken away.
class Sweeps {
 public:
  explicit Sweeps(Band& band, Index threads)
      : band_(band),
        count_(std::max<Index>(band.order() - 2, 0)),
        // All threads find work, and one that was stopped in the middle of a window does not stop the others at once.
        reach_(2 * threads),
        // Who caught up with the sweep before does not go on for a single window.
        lead_(std::min<Index>(8, band.order() / Band::width / (2 * threads))),
        sweeps_(new Sweep[static_cast<std::size_t>(count_)]) {}

  /// Moves sweeps until all are finished. For any number of threads at the same time.
  void work() {
    int idle = 0;
    for (;;) {
      const Index oldest = first_unfinished();
      if (oldest >= count_) return;
      bool moved = false;
      for (Index s = oldest; s < std::min(count_, oldest + reach_) && !moved; ++s) moved = try_to_move(s);
      // Some windows take less time than giving the core away.
      constexpr int patience = 1 << 12;
      idle = moved ? 0 : idle + 1;
      if (idle > patience) std::this_thread::yield();
    }
  }

 private:
  static constexpr Index finished = std::numeric_limits<Index>::max();

  struct Sweep {
    std::atomic<Index> done{0};  ///< windows left behind
    std::atomic<bool> taken{false};
    Reflector reflector;  ///< of the next window
  };

  [[nodiscard]] Index done(Index sweep) const {
    return sweeps_[static_cast<std::size_t>(sweep)].done.load(std::memory_order_acquire);
  }

  /// Whether the sweep before has left as many windows behind.
  [[nodiscard]] bool is_free(Index sweep, Index windows) const { return sweep == 0 || done(sweep - 1) >= windows; }

  [[nodiscard]] Index first_unfinished() {
    Index oldest = oldest_.load(std::memory_order_relaxed);
    const Index before = oldest;
    while (oldest < count_ && done(oldest) == finished) ++oldest;
    // Only a hint where to look; another thread may have written less.
    if (oldest != before) oldest_.store(oldest, std::memory_order_relaxed);
    return oldest;
  }

  bool try_to_move(Index s) {
    Sweep& sweep = sweeps_[static_cast<std::size_t>(s)];
    const Index windows = sweep.done.load(std::memory_order_relaxed);
    if (windows == finished || !is_free(s, windows + 2 + lead_)) return false;
    if (sweep.taken.exchange(true, std::memory_order_acquire)) return false;
    move(s, sweep);
    sweep.taken.store(false, std::memory_order_release);
    return true;
  }

  /// As far as the sweep before allows.
  void move(Index s, Sweep& sweep) {
    Index window = sweep.done.load(std::memory_order_relaxed);
    if (window == finished) return;
    Reflector& reflector = sweep.reflector;
    for (Index first = s + 1 + window * Band::width; first < band_.order() - 1; first += Band::width) {
      // The next window of the sweep before shares its first column with this one.
      if (!is_free(s, window + 2)) return;
      if (window == 0) reflector.eliminate(band_.column(s) + 1);
      const Window at(band_.column(first));
      at.both_sides(reflector);
      at.move_on(reflector);
      sweep.done.store(++window, std::memory_order_release);
    }
    sweep.done.store(finished, std::memory_order_release);
  }

  Band& band_;
  Index count_;
  Index reach_;
  Index lead_;
  std::unique_ptr<Sweep[]> sweeps_;
  std::atomic<Index> oldest_{0};
};

/// The second stage of a tridiagonalisation: takes the entries of one column after the other to the one beside the
/// diagonal, and what that brings out of the band down and out of the matrix (Schwarz 1968; in blocks, Bischof, Lang &
/// Sun 2000). Leaves the first unit vector as it is. 6 n^2 Band::width flops. Bits do not depend on the number of
/// threads.
[[nodiscard]] inline Tridiagonal chase_bulges(Band band) {
  const Index order = band.order();
  const auto threads = static_cast<Index>(max_threads());
  Sweeps sweeps(band, threads);
  parallel_for({threads, order, order, Band::width}, [&sweeps](Index) { sweeps.work(); });
  Tridiagonal result{Eigen::VectorXd(order), Eigen::VectorXd(std::max<Index>(order - 1, 0))};
  for (Index j = 0; j < order; ++j) {
    result.diagonal(j) = band.column(j)[0];
    if (j + 1 < order) result.beside(j) = band.column(j)[1];
  }
  return result;
}

}  // namespace collapse::linalg
