#pragma once

/// Programs that link `collapse::compiled` define COLLAPSE_COMPILED (its CMake target does) and compile none of what the
/// library holds: the functions that take long, for each scalar that embeddings come in. All other programs compile what
/// they call, from the same headers and to the same bits.
///
/// What a function is stands in one header, how it is computed in another, which the first includes at its end unless
/// the library holds it. The second lists in a macro, COLLAPSE_..._INSTANCES(Keyword, Scalar), which templates the
/// library defines (cmake/compiled); whoever includes it all the same compiles none of them again. Functions that
/// depend on no scalar are marked COLLAPSE_INLINE, and one source of the library includes their definitions.
#ifdef COLLAPSE_COMPILED

#include <Eigen/Core>

#define COLLAPSE_INLINE

#define COLLAPSE_EXTERN_INSTANCES(List) \
  List(extern, float) List(extern, double) List(extern, Eigen::half) List(extern, Eigen::bfloat16)
#define COLLAPSE_DEFINE_INSTANCES(List) List(, float) List(, double) List(, Eigen::half) List(, Eigen::bfloat16)

#else

#define COLLAPSE_INLINE inline

#endif
