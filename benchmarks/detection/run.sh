#!/usr/bin/env bash
# Builds the detection benchmark and judges every number and the diagnosis on seeds that no threshold was tuned on:
# the table on the standard output, and detection.svg beside the raw lines in build/release/benchmarks. Argument: the
# number of seeds (default 10). Tune with `detection 0 10` only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev python3

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}" >&2
cmake --build --preset release --parallel "$(jobs)" --target detection >&2

out=build/release/benchmarks
OMP_NUM_THREADS=1 "$out/detection/detection" 1000 "${1:-10}" >"$out/detection.tsv"
python3 benchmarks/detection/evaluate.py "$out/detection.tsv" "$out/detection.svg"
