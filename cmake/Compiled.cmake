# The library that programs may link instead of compiling what takes long: the same headers, with COLLAPSE_COMPILED. Static,
# or shared with BUILD_SHARED_LIBS. Where collapse is a part of another project it is built only for those that link it.
include_guard()

set(COLLAPSE_LEAST_PARALLEL_WORK "" CACHE STRING
    "Loops of fewer multiplications stay on one thread, in the compiled library and in what links it; empty: the default")
mark_as_advanced(COLLAPSE_LEAST_PARALLEL_WORK)

set(compiled_sources)
foreach(part IN ITEMS accumulators reports activations classes compare isotropy neighbourhood)
  list(APPEND compiled_sources "${PROJECT_SOURCE_DIR}/cmake/compiled/${part}.cpp")
endforeach()
# What every report is made of is most of the work: a source for each scalar.
foreach(scalar IN ITEMS float double Eigen::half Eigen::bfloat16)
  string(REPLACE "Eigen::" "" name ${scalar})
  set(source "${PROJECT_BINARY_DIR}/compiled/embeddings_${name}.cpp")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/compiled/embeddings.cpp.in "${source}" @ONLY)
  list(APPEND compiled_sources "${source}")
endforeach()

if(PROJECT_IS_TOP_LEVEL)
  add_library(collapse_compiled ${compiled_sources})
else()
  add_library(collapse_compiled EXCLUDE_FROM_ALL ${compiled_sources})
endif()
add_library(collapse::compiled ALIAS collapse_compiled)
set_target_properties(collapse_compiled PROPERTIES EXPORT_NAME compiled POSITION_INDEPENDENT_CODE ON
                                                   WINDOWS_EXPORT_ALL_SYMBOLS ON VERSION ${PROJECT_VERSION}
                                                   SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_compile_definitions(
  collapse_compiled PUBLIC COLLAPSE_COMPILED
                           $<$<NOT:$<STREQUAL:${COLLAPSE_LEAST_PARALLEL_WORK},>>:COLLAPSE_LEAST_PARALLEL_WORK=${COLLAPSE_LEAST_PARALLEL_WORK}>)
target_link_libraries(collapse_compiled PUBLIC collapse)
# Threads are decided in the headers: the library and what links it must agree.
if(COLLAPSE_OPENMP)
  find_package(OpenMP COMPONENTS CXX QUIET)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(collapse_compiled PUBLIC OpenMP::OpenMP_CXX)
  endif()
endif()
