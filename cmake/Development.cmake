# Flags of our own programs. None of them is part of collapse::collapse: a consumer gets C++20 and the include folders.
include_guard()

option(COLLAPSE_WARNINGS_AS_ERRORS "Treat warnings in our own programs as errors" ${PROJECT_IS_TOP_LEVEL})
option(COLLAPSE_NATIVE "Compile our own programs for this machine alone (-march=native)" OFF)

add_library(collapse_development INTERFACE)

if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(
    collapse_development INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion
                                   $<$<BOOL:${COLLAPSE_WARNINGS_AS_ERRORS}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC PR 105593: the compiler's own AVX-512 intrinsics read a variable that is undefined on purpose, and the warning
    # lands on whoever they are inlined into.
    target_compile_options(collapse_development INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
  if(COLLAPSE_NATIVE)
    target_compile_options(collapse_development INTERFACE -march=native)
  endif()
elseif(MSVC)
  target_compile_options(collapse_development INTERFACE /W4 /utf-8 /bigobj
                                                        $<$<BOOL:${COLLAPSE_WARNINGS_AS_ERRORS}>:/WX>)
endif()

if(COLLAPSE_OPENMP)
  find_package(OpenMP COMPONENTS CXX QUIET)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(collapse_development INTERFACE OpenMP::OpenMP_CXX)
  else()
    message(STATUS "collapse: no OpenMP for ${CMAKE_CXX_COMPILER_ID}, our own programs run on one thread")
  endif()
endif()

add_library(collapse::development ALIAS collapse_development)
