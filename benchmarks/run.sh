#!/usr/bin/env bash
# Builds the benchmarks for this machine and runs them: the table of every number over every scenario, the speed of the
# whole and its parts, and the whole against numpy. Installs what is missing from Debian's or Ubuntu's packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev python3-numpy libopenblas0-pthread

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}"
cmake --build --preset release --parallel "$(jobs)"

build/release/benchmarks/scenarios
build/release/benchmarks/speed
if command -v /usr/bin/python3 >/dev/null; then
  /usr/bin/python3 benchmarks/against_numpy.py build/release/benchmarks/measure_file
fi
