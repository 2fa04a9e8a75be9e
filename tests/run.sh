#!/usr/bin/env bash
# Builds the tests and runs them. Installs what is missing from Debian's or Ubuntu's packages; needs bash alone to begin
# with. Arguments go to ctest: `bash tests/run.sh -R cosine`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source cmake/setup.sh
need g++ cmake make python3 libeigen3-dev libfmt-dev catch2 libcli11-dev nlohmann-json3-dev \
  libopenmpi-dev openmpi-bin

cmake --preset "${COLLAPSE_PRESET:-test}" -DCOLLAPSE_BUILD_BENCHMARKS=OFF "${cmake_options[@]}"
cmake --build --preset "${COLLAPSE_PRESET:-test}" --parallel "$(jobs)"
# Tests share the cores with each other: a thread that waits for its team must not keep one from the rest.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
ctest --preset "${COLLAPSE_PRESET:-test}" --parallel "$(jobs)" "$@"
