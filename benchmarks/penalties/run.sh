#!/usr/bin/env bash
# Penalties with their gradients beside torch: a table on the standard output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev python3 python3-torch

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}" >&2
cmake --build --preset release --parallel "$(jobs)" --target penalties >&2

/usr/bin/python3 benchmarks/penalties/compare.py build/release/benchmarks/penalties/penalties
