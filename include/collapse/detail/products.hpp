#pragma once

#include <collapse/detail/load.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <utility>

/// Products of packed vectors: all x_i . y_j for a tile of vectors. Both factors have one layout, so a symmetric
/// product packs its vectors once; Eigen's own matrix product packs each operand of each tile again, and where the
/// compiler folds its loads into the multiplications, as GCC does, it stays at two thirds of the machine's peak.
namespace collapse::detail {

/// The innermost step: a small block of products, held in registers while it runs along the vectors.
struct MicroKernel {
  using Packet = Eigen::internal::packet_traits<double>::type;
  static constexpr int width = static_cast<int>(sizeof(Packet) / sizeof(double));
  static constexpr int group = 3 * width;  ///< vectors that are packed together
  /// Vectors of the right-hand side taken at a time: accumulators fill the registers and leave room for the operands.
#ifdef EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS
  static constexpr int registers = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;
#else
  static constexpr int registers = 16;
#endif
  static constexpr int columns = registers >= 32 ? (width >= 8 ? 8 : (width >= 2 ? 6 : 3)) : (width >= 4 ? 4 : 3);
  static_assert(group % columns == 0);

  /// c(i, j) += sum_k a[k * group + i] * b[k * group + j] for i < group, j < columns.
  static void run(Index depth, const double* a, const double* b, double* c, Index c_stride) {
    run(depth, a, b, c, c_stride, std::make_integer_sequence<int, columns>());
  }

 private:
  // Keeps GCC from folding a load that is used several times into each of its uses: the load ports are the bottleneck.
  static void keep_in_register([[maybe_unused]] Packet& value) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    asm("" : "+v"(value));
#endif
  }

  template <int... J>
  static void run(Index depth, const double* a, const double* b, double* c, Index c_stride,
                  std::integer_sequence<int, J...> /*columns*/) {
    using Eigen::internal::padd;
    using Eigen::internal::pload;
    using Eigen::internal::ploadu;
    using Eigen::internal::pmadd;
    using Eigen::internal::pset1;
    using Eigen::internal::pstoreu;
    Packet low[columns] = {(static_cast<void>(J), pset1<Packet>(0.0))...};
    Packet mid[columns] = {(static_cast<void>(J), pset1<Packet>(0.0))...};
    Packet high[columns] = {(static_cast<void>(J), pset1<Packet>(0.0))...};
    for (Index k = 0; k < depth; ++k) {
      Packet left0 = pload<Packet>(a);
      Packet left1 = pload<Packet>(a + width);
      Packet left2 = pload<Packet>(a + 2 * static_cast<std::ptrdiff_t>(width));
      keep_in_register(left0);
      keep_in_register(left1);
      keep_in_register(left2);
      const auto column = [&](int j) {
        const Packet right = pset1<Packet>(b[j]);
        low[j] = pmadd(left0, right, low[j]);
        mid[j] = pmadd(left1, right, mid[j]);
        high[j] = pmadd(left2, right, high[j]);
      };
      (column(J), ...);
      a += group;
      b += group;
    }
    const auto add = [&](int j) {
      double* const to = c + j * c_stride;
      pstoreu(to, padd(ploadu<Packet>(to), low[j]));
      pstoreu(to + width, padd(ploadu<Packet>(to + width), mid[j]));
      double* const last = to + 2 * static_cast<std::ptrdiff_t>(width);
      pstoreu(last, padd(ploadu<Packet>(last), high[j]));
    };
    (add(J), ...);
  }
};

/// Up to `max_vectors` vectors of up to `max_depth` entries in the layout that the kernel reads: entry k of the vectors
/// of a group side by side.
class PackedVectors {
 public:
  static constexpr Index tile = 96;  ///< a multiple of every group: whole tiles consist of whole groups
  static_assert(tile % MicroKernel::group == 0);

  PackedVectors(Index max_vectors, Index max_depth)
      : max_depth_(max_depth), values_((max_vectors + tile - 1) / tile * tile * max_depth) {}

  /// Entry k of vector i stands at vector(i)[k * MicroKernel::group].
  [[nodiscard]] double* vector(Index i) {
    return values_.data() + i / MicroKernel::group * (MicroKernel::group * max_depth_) + i % MicroKernel::group;
  }
  [[nodiscard]] const double* vector(Index i) const {
    return values_.data() + i / MicroKernel::group * (MicroKernel::group * max_depth_) + i % MicroKernel::group;
  }

  /// Vectors [first, first + count) from the columns of `rows`, and zeros up to the end of the last group.
  void pack_columns(Index first, Index count, const Panel::View& rows) {
    for (Index i = 0; i < count; i += MicroKernel::group) {
      const Index taken = std::min<Index>(MicroKernel::group, count - i);
      double* to = vector(first + i);
      const double* from = rows.data() + i;
      for (Index k = 0; k < rows.rows(); ++k, to += MicroKernel::group, from += rows.outerStride()) {
        if (taken == MicroKernel::group) {
          for (Index v = 0; v < MicroKernel::group; ++v) to[v] = from[v];
        } else {
          for (Index v = 0; v < MicroKernel::group; ++v) to[v] = v < taken ? from[v] : 0.0;
        }
      }
    }
  }

  /// Vectors [first, first + rows.rows()) from the rows of `rows`, and zeros up to the end of the last group.
  void pack_rows(Index first, const Panel::View& rows) {
    for (Index i = 0; i < rows.rows(); i += MicroKernel::group) {
      const Index taken = std::min<Index>(MicroKernel::group, rows.rows() - i);
      double* to = vector(first + i);
      for (Index k = 0; k < rows.cols(); ++k, to += MicroKernel::group) {
        const double* from = rows.data() + i * rows.outerStride() + k;
        for (Index v = 0; v < MicroKernel::group; ++v) to[v] = v < taken ? from[v * rows.outerStride()] : 0.0;
      }
    }
  }

 private:
  Index max_depth_;
  Eigen::VectorXd values_;
};

/// sums(i, j) += x_(first_x + i) . y_(first_y + j) for all entries of `sums`; with `lower`, those above the diagonal
/// may be left out. `first_x` and `first_y` are multiples of a group. Entries are summed in one order whatever the
/// tile.
inline void add_products(const PackedVectors& x, Index first_x, const PackedVectors& y, Index first_y, Index depth,
                         Eigen::Ref<Eigen::MatrixXd, 0, Eigen::OuterStride<>> sums, bool lower = false) {
  constexpr Index group = MicroKernel::group;
  // A group of this depth and the slice that it meets stay in the first-level cache.
  constexpr Index most = 128;
  alignas(64) double edge[static_cast<std::size_t>(group) * MicroKernel::columns];
  for (Index k = 0; k < depth; k += most) {
    const Index count = std::min(most, depth - k);
    for (Index i = 0; i < sums.rows(); i += group) {
      const double* const left = x.vector(first_x + i) + k * group;
      for (Index j = 0; j < (lower ? std::min(sums.cols(), i + group) : sums.cols()); j += MicroKernel::columns) {
        const double* const right = y.vector(first_y + j) + k * group;
        const Index rows = std::min(group, sums.rows() - i);
        const Index cols = std::min<Index>(MicroKernel::columns, sums.cols() - j);
        double* const to = sums.data() + j * sums.outerStride() + i;
        if (rows == group && cols == MicroKernel::columns) {
          MicroKernel::run(count, left, right, to, sums.outerStride());
          continue;
        }
        std::fill(std::begin(edge), std::end(edge), 0.0);
        MicroKernel::run(count, left, right, edge, group);
        for (Index c = 0; c < cols; ++c) {
          for (Index r = 0; r < rows; ++r) to[c * sums.outerStride() + r] += edge[c * group + r];
        }
      }
    }
  }
}

}  // namespace collapse::detail
