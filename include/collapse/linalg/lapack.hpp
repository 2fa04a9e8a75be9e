#pragma once

/// Define COLLAPSE_USE_LAPACK in all sources of a program, or in none, and link LAPACK (OpenBLAS, MKL, Accelerate): the
/// eigenvalues of large Gram matrices then go through it. CMake does both with -DCOLLAPSE_USE_LAPACK=ON. Values agree
/// to rounding with those without it; whether their bits depend on the number of threads is then up to that library.
#ifdef COLLAPSE_USE_LAPACK

#include <collapse/error.hpp>
#include <collapse/linalg/tridiagonal.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>

/// As LAPACK's own header has it, with the length of a character argument that Fortran compilers pass last. Integers
/// have 32 bits (LP64: libopenblas, libmkl_intel_lp64). A library whose integers have 64 (ILP64: libopenblas64,
/// libmkl_intel_ilp64) works too on little-endian machines, see `lapack_tridiagonalize`; not one that renames its
/// functions (dsytrd_64_).
extern "C" void dsytrd_(const char* uplo, const int* order, double* a, const int* stride, double* diagonal,
                        double* beside, double* factors, double* work, const int* work_size, int* info,
                        std::size_t uplo_length);

namespace collapse::linalg {

/// As `tridiagonalize`, for a matrix whose squares neither overflow nor vanish. With the lower triangle given, dsytrd
/// leaves the first unit vector as it is; what only gives eigenvalues (dsyevd, dsyevr) could serve but one of the two
/// spectra.
///
/// @param lower  destroyed
/// @throws Error when LAPACK refuses an argument
[[nodiscard]] inline Tridiagonal lapack_tridiagonalize(Eigen::MatrixXd& lower) {
  // A matrix whose order int does not hold is not in any memory.
  const auto order = static_cast<int>(lower.rows());
  Tridiagonal result{Eigen::VectorXd(order), Eigen::VectorXd(order > 0 ? order - 1 : 0)};
  if (order == 0) return result;
  Eigen::VectorXd factors(order);
  // Two ints each: a library whose integers have 64 bits reads both.
  alignas(8) const int n[2] = {order, 0};
  alignas(8) int work_size[2] = {-1, -1};
  alignas(8) int info[2] = {0, 0};
  const auto call = [&](double* work) {
    dsytrd_("L", n, lower.data(), n, result.diagonal.data(), result.beside.data(), factors.data(), work, work_size,
            info, 1);
    if (info[0] != 0) {
      throw Error(fmt::format(
          "LAPACK's dsytrd refused its argument {} for a matrix of order {}; link another LAPACK or compile "
          "without COLLAPSE_USE_LAPACK",
          -info[0], order));
    }
  };
  double best_size = 0.0;
  call(&best_size);
  Eigen::VectorXd work(static_cast<Index>(best_size));
  work_size[0] = static_cast<int>(work.size());
  work_size[1] = 0;
  call(work.data());
  return result;
}

}  // namespace collapse::linalg

#endif
