#pragma once

/// Programs that link `collapse::compiled` define COLLAPSE_COMPILED (its CMake target does) and compile none of what the
/// library holds: the functions that take long, for each scalar that embeddings come in. All other programs compile what
/// they call, from the same headers and to the same bits.
///
/// A header with such functions lists them in a macro, COLLAPSE_..._INSTANCES(Keyword, Scalar), which declares them with
/// `extern` here and defines them in the sources of the library (cmake/compiled).
#ifdef COLLAPSE_COMPILED

#include <Eigen/Core>

#define COLLAPSE_EXTERN_INSTANCES(List) \
  List(extern, float) List(extern, double) List(extern, Eigen::half) List(extern, Eigen::bfloat16)
#define COLLAPSE_DEFINE_INSTANCES(List) List(, float) List(, double) List(, Eigen::half) List(, Eigen::bfloat16)

#endif
