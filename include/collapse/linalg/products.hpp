#pragma once

#include <collapse/linalg/load.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

/// Products of packed vectors: all x_i . y_j for a tile of vectors. Both factors have one layout, so a symmetric
/// product packs its vectors once; Eigen's own matrix product packs each operand of each tile again, and where the
/// compiler folds its loads into the multiplications, as GCC does, it stays at two thirds of the machine's peak.
namespace collapse::linalg {

/// The innermost step: a small block of products, held in registers while it runs along the vectors. In float or in
/// double.
template <class Scalar>
struct BasicMicroKernel {
  using Packet = typename Eigen::internal::packet_traits<Scalar>::type;
  static constexpr int width = static_cast<int>(sizeof(Packet) / sizeof(Scalar));
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
  static void run(Index depth, const Scalar* a, const Scalar* b, Scalar* c, Index c_stride) {
    run(depth, a, b, c, c_stride, std::make_integer_sequence<int, columns>());
  }

 private:
  // Keeps GCC from folding a load that is used several times into each of its uses: the load ports are the bottleneck.
  EIGEN_ALWAYS_INLINE static void keep_in_register([[maybe_unused]] Packet& value) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    asm("" : "+v"(value));
#endif
  }

  template <int... J>
  static void run(Index depth, const Scalar* a, const Scalar* b, Scalar* c, Index c_stride,
                  std::integer_sequence<int, J...> /*columns*/) {
    using Eigen::internal::pload;
    using Eigen::internal::pmadd;
    using Eigen::internal::pset1;
    // No lambda may take these by reference: GCC does not inline it in a large source, and each product is then stored.
    Packet low[] = {(static_cast<void>(J), pset1<Packet>(Scalar(0)))...};
    Packet mid[] = {(static_cast<void>(J), pset1<Packet>(Scalar(0)))...};
    Packet high[] = {(static_cast<void>(J), pset1<Packet>(Scalar(0)))...};
    // What the products are added to arrives while they are formed.
    ((Eigen::internal::prefetch(c + J * c_stride), Eigen::internal::prefetch(c + J * c_stride + group - 1)), ...);
    Packet right;
    for (Index k = 0; k < depth; ++k) {
      Packet left0 = pload<Packet>(a);
      Packet left1 = pload<Packet>(a + width);
      Packet left2 = pload<Packet>(a + 2 * static_cast<std::ptrdiff_t>(width));
      keep_in_register(left0);
      keep_in_register(left1);
      keep_in_register(left2);
      ((right = pset1<Packet>(b[J]),           //
        low[J] = pmadd(left0, right, low[J]),  //
        mid[J] = pmadd(left1, right, mid[J]),  //
        high[J] = pmadd(left2, right, high[J])),
       ...);
      a += group;
      b += group;
    }
    (add(c + J * c_stride, low[J], mid[J], high[J]), ...);
  }

  EIGEN_ALWAYS_INLINE static void add(Scalar* to, const Packet& low, const Packet& mid, const Packet& high) {
    using Eigen::internal::padd;
    using Eigen::internal::ploadu;
    using Eigen::internal::pstoreu;
    pstoreu(to, padd(ploadu<Packet>(to), low));
    pstoreu(to + width, padd(ploadu<Packet>(to + width), mid));
    Scalar* const last = to + 2 * static_cast<std::ptrdiff_t>(width);
    pstoreu(last, padd(ploadu<Packet>(last), high));
  }
};

using MicroKernel = BasicMicroKernel<double>;

/// Up to `max_vectors` vectors of up to `max_depth` entries in the layout that the kernel reads: entry k of the vectors
/// of a group side by side.
template <class Scalar>
class BasicPackedVectors {
 public:
  using Kernel = BasicMicroKernel<Scalar>;
  static constexpr Index tile = 96;  ///< a multiple of every group: whole tiles consist of whole groups
  static_assert(tile % Kernel::group == 0);

  BasicPackedVectors(Index max_vectors, Index max_depth)
      : max_depth_(max_depth), values_((max_vectors + tile - 1) / tile * tile * max_depth) {}

  /// Entry k of vector i stands at vector(i)[k * Kernel::group].
  [[nodiscard]] Scalar* vector(Index i) {
    return values_.data() + i / Kernel::group * (Kernel::group * max_depth_) + i % Kernel::group;
  }
  [[nodiscard]] const Scalar* vector(Index i) const {
    return values_.data() + i / Kernel::group * (Kernel::group * max_depth_) + i % Kernel::group;
  }

  /// Entries [depth, depth + rows.rows()) of vectors [first, first + count) from the columns of `rows`, and zeros up to
  /// the end of the last group.
  void pack_columns(Index first, Index count, const Panel::View& rows, Index depth = 0) {
    for (Index i = 0; i < count; i += Kernel::group) {
      const Index taken = std::min<Index>(Kernel::group, count - i);
      Scalar* to = vector(first + i) + depth * Kernel::group;
      const double* from = rows.data() + i;
      for (Index k = 0; k < rows.rows(); ++k, to += Kernel::group, from += rows.stride()) {
        if (taken == Kernel::group) {
          for (Index v = 0; v < Kernel::group; ++v) to[v] = static_cast<Scalar>(from[v]);
        } else {
          for (Index v = 0; v < Kernel::group; ++v) to[v] = v < taken ? static_cast<Scalar>(from[v]) : Scalar(0);
        }
      }
    }
  }

  /// Vectors [first, first + rows.rows()) from the rows of `rows`, and zeros up to the end of the last group.
  void pack_rows(Index first, const Panel::View& rows) {
    for (Index i = 0; i < rows.rows(); i += Kernel::group) {
      const Index taken = std::min<Index>(Kernel::group, rows.rows() - i);
      Scalar* to = vector(first + i);
      for (Index k = 0; k < rows.cols(); ++k, to += Kernel::group) {
        const double* from = rows.data() + i * rows.stride() + k;
        for (Index v = 0; v < Kernel::group; ++v) {
          to[v] = v < taken ? static_cast<Scalar>(from[v * rows.stride()]) : Scalar(0);
        }
      }
    }
  }

 private:
  Index max_depth_;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> values_;
};

using PackedVectors = BasicPackedVectors<double>;

/// Row and column of the first entry of each tile of a lower triangle, one column of tiles after the other.
[[nodiscard]] inline std::vector<std::pair<Index, Index>> lower_tiles(Index order, Index tile) {
  std::vector<std::pair<Index, Index>> corners;
  for (Index j = 0; j < order; j += tile) {
    for (Index i = j; i < order; i += tile) corners.emplace_back(i, j);
  }
  return corners;
}

/// Products are summed in runs of at most so many terms, and the runs then added up: rounding grows with
/// run + depth / run and not with the depth. A group of this depth and the slice that it meets stay in the first-level
/// cache.
inline constexpr Index product_run = 128;

/// sums(i, j) += x_(first_x + i) . y_(first_y + j) for all entries of `sums`; with `lower`, those above the diagonal
/// may be left out. `first_x` and `first_y` are multiples of a group. Entries are summed in one order whatever the
/// tile.
/// @param depth  of the entries from `begin` on
template <class Scalar>
void add_products(const BasicPackedVectors<Scalar>& x, Index first_x, const BasicPackedVectors<Scalar>& y,
                  Index first_y, Index depth, std::type_identity_t<ColumnsView<Scalar>> sums, bool lower = false,
                  Index begin = 0, Index run = product_run) {
  using Kernel = BasicMicroKernel<Scalar>;
  constexpr Index group = Kernel::group;
  alignas(64) Scalar edge[static_cast<std::size_t>(group) * Kernel::columns];
  for (Index k = begin; k < begin + depth; k += run) {
    const Index count = std::min(run, begin + depth - k);
    for (Index i = 0; i < sums.rows(); i += group) {
      const Scalar* const left = x.vector(first_x + i) + k * group;
      for (Index j = 0; j < (lower ? std::min(sums.cols(), i + group) : sums.cols()); j += Kernel::columns) {
        const Scalar* const right = y.vector(first_y + j) + k * group;
        const Index rows = std::min(group, sums.rows() - i);
        const Index cols = std::min<Index>(Kernel::columns, sums.cols() - j);
        Scalar* const to = sums.col(j) + i;
        if (rows == group && cols == Kernel::columns) {
          Kernel::run(count, left, right, to, sums.stride());
          continue;
        }
        std::fill(std::begin(edge), std::end(edge), Scalar(0));
        Kernel::run(count, left, right, edge, group);
        for (Index c = 0; c < cols; ++c) {
          for (Index r = 0; r < rows; ++r) to[c * sums.stride() + r] += edge[c * group + r];
        }
      }
    }
  }
}

/// out[p] = x[p] . y[p] for Pairs pairs of vectors whose entries stand `stride` apart: the bits that `add_products`
/// adds to zero. Several pairs at a time hide the time that one addition takes.
template <std::size_t Pairs, class Scalar>
std::array<Scalar, Pairs> pair_products(const std::array<const Scalar*, Pairs>& x,
                                        const std::array<const Scalar*, Pairs>& y, Index stride, Index depth) {
  using Packet = typename BasicMicroKernel<Scalar>::Packet;
  using Eigen::internal::pfirst;
  using Eigen::internal::pmadd;
  using Eigen::internal::pset1;
  std::array<Scalar, Pairs> result{};
  for (Index first = 0; first < depth; first += product_run) {
    const Index end = std::min(depth, first + product_run);
    // Whole packets of one number: multiplied and added as in the kernel, fused or not.
    Packet sums[Pairs];
    for (Packet& sum : sums) sum = pset1<Packet>(Scalar(0));
    for (Index k = first; k < end; ++k) {
      for (std::size_t p = 0; p < Pairs; ++p) {
        sums[p] = pmadd(pset1<Packet>(x[p][k * stride]), pset1<Packet>(y[p][k * stride]), sums[p]);
      }
    }
    for (std::size_t p = 0; p < Pairs; ++p) result[p] += pfirst(sums[p]);
  }
  return result;
}

}  // namespace collapse::linalg
