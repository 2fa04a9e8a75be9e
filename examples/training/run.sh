#!/usr/bin/env bash
# Makes every system collapse and recover, and checks that each does what theory and papers say: the table on the
# standard output, the histories in build/release/examples/training.svg; exit status 1 where one does otherwise.
# Arguments go to the program: `bash examples/training/run.sh --seeds 5`, `--only VICReg --history`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=OFF "${cmake_options[@]}" >&2
cmake --build --preset release --parallel "$(jobs)" --target training >&2

OMP_NUM_THREADS=1 build/release/examples/training examples/data --plot build/release/examples/training.svg "$@"
