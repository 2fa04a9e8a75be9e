#!/usr/bin/env bash
# The job for PyTorch, apart from the tests proper because its packages weigh 2.4 GB: tensors of LibTorch as embeddings,
# the gradients of the penalties against torch's own, and the example that trains an encoder and watches it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev catch2 libcli11-dev nlohmann-json3-dev libtorch-dev python3-torch

# The system's Python, which the package is for; another one may come first on the path.
[ -x /usr/bin/python3 ] && cmake_options+=(-DPython3_EXECUTABLE=/usr/bin/python3)

cmake --preset test -B build/libtorch -DCOLLAPSE_LIBTORCH=ON -DCOLLAPSE_BUILD_BENCHMARKS=OFF "${cmake_options[@]}"
cmake --build build/libtorch --parallel "$(jobs)" --target collapse_libtorch collapse_penalties libtorch_training
ctest --test-dir build/libtorch --output-on-failure --no-tests=error -R 'torch|LibTorch'
build/libtorch/examples/libtorch_training
