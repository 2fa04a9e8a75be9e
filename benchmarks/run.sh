#!/usr/bin/env bash
# Builds the benchmarks for this machine and runs them: the table of every number over every scenario, the growth with
# the number of rows, and the speed of the whole and its parts beside OpenBLAS and Eigen. Arguments go to the last one:
# --benchmark_filter=gram. Installs what is missing from Debian's or Ubuntu's packages. The comparison with numpy and
# torch is peers/run.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev libopenblas-dev

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}"
cmake --build --preset release --parallel "$(jobs)"

build/release/benchmarks/scenarios
build/release/benchmarks/growth
# In turns, so that a machine whose speed changes is fair to all.
build/release/benchmarks/speed --benchmark_enable_random_interleaving --benchmark_repetitions=5 \
  --benchmark_report_aggregates_only "$@"
