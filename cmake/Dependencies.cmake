# What the library and its own programs build on: the installed package first; where there is none and
# COLLAPSE_FETCH_DEPENDENCIES allows it, a pinned release, checked by its hash.
include_guard()
include(FetchContent)

# Downloads `name`, or stops and says what to do.
macro(collapse_fetch name debian_package)
  if(NOT COLLAPSE_FETCH_DEPENDENCIES)
    message(
      FATAL_ERROR
        "collapse needs ${name}, which was not found. Install it (Debian, Ubuntu: apt install ${debian_package}; vcpkg and "
        "conan have it too) and name its place in CMAKE_PREFIX_PATH if it is unusual, or configure with "
        "-DCOLLAPSE_FETCH_DEPENDENCIES=ON to download it.")
  endif()
  message(STATUS "collapse: ${name} was not found, it is downloaded")
  FetchContent_Declare(${name} ${ARGN})
  FetchContent_MakeAvailable(${name})
endmacro()

# An imported target of nothing but headers, without running the CMake code of those who wrote them. Its folder is a
# system folder, so that warnings in it are not ours, and an installed collapse refers to it by name alone.
function(collapse_add_headers target directory)
  if(NOT TARGET ${target})
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${directory}")
  endif()
endfunction()

macro(collapse_find_eigen)
  if(NOT TARGET Eigen3::Eigen)
    # No version here: the package of Eigen 5 refuses to serve a request for 3.4.
    find_package(Eigen3 CONFIG QUIET)
    if(Eigen3_FOUND AND Eigen3_VERSION VERSION_LESS 3.4)
      message(STATUS "collapse: Eigen ${Eigen3_VERSION} is too old, 3.4 is the oldest that works")
      set(Eigen3_FOUND FALSE)
    endif()
    if(NOT Eigen3_FOUND)
      collapse_fetch(
        Eigen3 libeigen3-dev
        URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
        URL_HASH SHA256=8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72
        SOURCE_SUBDIR headers-only)
      collapse_add_headers(Eigen3::Eigen "${eigen3_SOURCE_DIR}")
    endif()
  endif()
endmacro()

macro(collapse_find_fmt)
  if(NOT TARGET fmt::fmt)
    find_package(fmt CONFIG QUIET)
    if(fmt_FOUND AND fmt_VERSION VERSION_LESS 9)
      message(FATAL_ERROR "collapse needs fmt 9 or newer, found ${fmt_VERSION} in ${fmt_DIR}")
    endif()
    if(NOT fmt_FOUND)
      collapse_fetch(
        fmt libfmt-dev
        URL https://github.com/fmtlib/fmt/archive/refs/tags/10.2.1.tar.gz
        URL_HASH SHA256=1250e4cc58bf06ee631567523f48848dc4596133e163f02615c97f78bab6c811
        SOURCE_SUBDIR headers-only)
      collapse_add_headers(fmt::fmt "${fmt_SOURCE_DIR}/include")
      set_target_properties(fmt::fmt PROPERTIES INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
    endif()
  endif()
endmacro()

# Never downloaded: who asks for it has one that fits his machine. BLA_VENDOR chooses among several.
macro(collapse_find_lapack)
  if(NOT TARGET LAPACK::LAPACK)
    find_package(LAPACK QUIET)
    if(NOT LAPACK_FOUND)
      message(
        FATAL_ERROR
          "COLLAPSE_USE_LAPACK is on and no LAPACK was found. Install one (Debian, Ubuntu: apt install libopenblas-dev), name "
          "its place in CMAKE_PREFIX_PATH or its kind in BLA_VENDOR, or configure with -DCOLLAPSE_USE_LAPACK=OFF.")
    endif()
  endif()
endmacro()

macro(collapse_find_cli11)
  if(NOT TARGET CLI11::CLI11)
    find_package(CLI11 CONFIG QUIET)
    if(NOT CLI11_FOUND)
      collapse_fetch(
        CLI11 libcli11-dev
        URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
        URL_HASH SHA256=f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a
        SOURCE_SUBDIR headers-only)
      collapse_add_headers(CLI11::CLI11 "${cli11_SOURCE_DIR}/include")
    endif()
  endif()
endmacro()

macro(collapse_find_json)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.9 CONFIG QUIET)
    if(NOT nlohmann_json_FOUND)
      collapse_fetch(
        nlohmann_json nlohmann-json3-dev
        URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
        URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d
        SOURCE_SUBDIR headers-only)
      collapse_add_headers(nlohmann_json::nlohmann_json "${nlohmann_json_SOURCE_DIR}/include")
    endif()
  endif()
endmacro()

macro(collapse_find_catch2)
  if(NOT TARGET Catch2::Catch2)
    find_package(Catch2 CONFIG QUIET)
    if(Catch2_FOUND AND Catch2_VERSION VERSION_LESS 2.13)
      message(FATAL_ERROR "the tests need Catch2 2.13 or newer, found ${Catch2_VERSION} in ${Catch2_DIR}")
    endif()
    if(NOT Catch2_FOUND)
      collapse_fetch(
        Catch2 catch2
        URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.8.1.tar.gz
        URL_HASH SHA256=18b3f70ac80fccc340d8c6ff0f339b2ae64944782f8d2fca2bd705cf47cadb79)
      list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
    endif()
  endif()
endmacro()

macro(collapse_find_benchmark)
  if(NOT TARGET benchmark::benchmark)
    find_package(benchmark CONFIG QUIET)
    if(NOT benchmark_FOUND)
      set(BENCHMARK_ENABLE_TESTING OFF)
      set(BENCHMARK_ENABLE_INSTALL OFF)
      collapse_fetch(
        benchmark libbenchmark-dev
        URL https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
        URL_HASH SHA256=6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce)
    endif()
  endif()
endmacro()
