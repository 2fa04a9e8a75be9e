#!/usr/bin/env bash
# Builds the command line for this machine and scores the real embeddings in examples/data.
# Installs what is missing from Debian's or Ubuntu's packages; needs bash alone to begin with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=OFF "${cmake_options[@]}"
cmake --build --preset release --parallel "$(jobs)" --target collapse_command_line

for file in examples/data/*.npy; do
  printf '\n== collapse score %s\n\n' "$file"
  build/release/examples/collapse score "$file"
done
