#!/usr/bin/env bash
# Builds collapse for this machine and compares it with numpy and torch, straightforward and expert versions, in one
# run: a table, a plot and all times in build/release/benchmarks/peers. Installs what is missing from Debian's or
# Ubuntu's packages; torch is left out where it cannot be had. Takes minutes and some GB of memory. Arguments go to
# compare.py: --turns 3 is shorter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source cmake/setup.sh
need g++ cmake make libeigen3-dev libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev \
  python3-numpy libopenblas0-pthread
(need python3-torch) || echo "python3-torch could not be installed" >&2

cmake --preset release -DCOLLAPSE_BUILD_BENCHMARKS=ON "${cmake_options[@]}"
cmake --build --preset release --parallel "$(jobs)" --target measure_rows

# Debian's packages are seen by Debian's interpreter.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
folder=build/release/benchmarks/peers
"$python" benchmarks/peers/compare.py "$folder/measure_rows" "$folder" "$@"
