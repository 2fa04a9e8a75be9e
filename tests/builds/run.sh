#!/usr/bin/env bash
# Builds main.cpp with every compiler at hand, for SSE2, AVX2 and this machine, runs it on one thread and on several, and
# compares all numbers with those of the first: no number may differ by more than 1e-10 of itself (a singular value above
# the noise floor: of the largest of its spectrum), and between numbers of threads by nothing at all. Takes some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags=(-std=c++20 -O2 -fopenmp -Iinclude -isystem "${EIGEN_INCLUDE:-/usr/include/eigen3}")
failures=0
first=
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not installed: left out" >&2; continue; }
  for target in -msse2 "-mavx2 -mfma" -march=native; do
    name=$compiler${target// /}
    # shellcheck disable=SC2086
    if ! "$compiler" "${flags[@]}" $target tests/builds/main.cpp -o "$folder/$name" -lfmt 2>"$folder/errors"; then
      cat "$folder/errors" >&2
      echo "FAILED $name does not compile"
      failures=$((failures + 1))
      continue
    fi
    OMP_NUM_THREADS=1 "$folder/$name" >"$folder/$name.1"
    OMP_NUM_THREADS=3 "$folder/$name" >"$folder/$name.3"
    if ! cmp -s "$folder/$name.1" "$folder/$name.3"; then
      echo "FAILED $name: one thread and three differ"
      diff "$folder/$name.1" "$folder/$name.3" | head -n 5 || true
      failures=$((failures + 1))
    fi
    first=${first:-$folder/$name.1}
    if paste -d ' ' "$first" "$folder/$name.1" | awk -v name="$name" '
      function abs(x) { return x < 0 ? -x : x }
      {
        if ($1 != $3) { print "FAILED " name ": " $1 " stands where " $3 " does"; exit 1 }
        ++numbers
        if ($2 == $4) next
        a = $2 + 0; b = $4 + 0; scale = abs(a) > abs(b) ? abs(a) : abs(b)
        if ($1 ~ /noise_floor/) floor = a
        # Below the floor stands what rounding left; of pairs that tie any may be named.
        if ($1 ~ /singular_values/) { if ($1 ~ /\.0$/) largest = scale; if (scale < floor) next; scale = largest }
        if ($1 ~ /max_pair/) next
        if ($1 ~ /cosine/ && scale < 1e-4) scale = 1e-4
        difference = scale > 0 ? abs(a - b) / scale : 0
        if (difference > worst) { worst = difference; where = $1 }
        if (!(difference <= 1e-10)) { if (++bad <= 5) print "FAILED " name ": " $1 " is " $2 " and " $4 }
      }
      END { printf "%-24s %d numbers, the largest difference is %.1e (%s)\n", name, numbers, worst, where; exit bad > 0 }'
    then :; else failures=$((failures + 1)); fi
  done
done
[ "$failures" -eq 0 ] || { echo "$failures of the builds differ"; exit 1; }
echo "all builds agree"
