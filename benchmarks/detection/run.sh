#!/usr/bin/env bash
# Builds the detection benchmark and judges every number and the diagnosis on seeds that no threshold was tuned on:
# the tables on the standard output, and detection.svg beside the raw lines in build/release/benchmarks. Arguments: the
# number of seeds (default 10) and the first of them (default 4000). Tune with seeds below 1000 only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev python3

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}" >&2
cmake --build --preset release --parallel "$(jobs)" --target detection alarms >&2

out=build/release/benchmarks
OMP_NUM_THREADS=1 "$out/detection/detection" "${2:-4000}" "${1:-10}" >"$out/detection.tsv"
python3 benchmarks/detection/evaluate.py "$out/detection.tsv" "$out/detection.svg"
echo
OMP_NUM_THREADS=1 "$out/detection/alarms" "${2:-4000}" "${1:-10}"
