"""collapse::measure (both spectra, covariance, correlation, cosines, the whole report) against numpy.linalg.svd alone
(singular values only) on the same file, in turns, medians.

    against_numpy.py MEASURE_FILE [ROWS DIMS [TURNS]]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy


def main():
    program = sys.argv[1]
    rows, dims = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (32768, 768)
    turns = int(sys.argv[4]) if len(sys.argv) > 4 else 7
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "embeddings.npy")
        z = numpy.random.default_rng(0).standard_normal((rows, dims), dtype=numpy.float32)
        numpy.save(path, z)
        ours, theirs, memory = [], [], 0.0
        for _ in range(turns):
            seconds, mib, _ = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout.split(" ", 2)
            ours.append(float(seconds))
            memory = max(memory, float(mib))
            start = time.perf_counter()
            numpy.linalg.svd(z, compute_uv=False)
            theirs.append(time.perf_counter() - start)
    allowed = 6 * 8 * min(rows, dims) ** 2 / 2**20 + 64
    print(f"{rows} x {dims} float32, {os.cpu_count()} threads, medians of {turns} turns")
    print(f"collapse::measure         {statistics.median(ours):8.3f} s   ({min(ours):.3f} to {max(ours):.3f})")
    print(f"numpy.linalg.svd, no UV   {statistics.median(theirs):8.3f} s   ({min(theirs):.3f} to {max(theirs):.3f})")
    print(f"ratio                     {statistics.median(theirs) / statistics.median(ours):8.2f}")
    print(f"memory beyond the input   {memory:8.1f} MiB (6 D x D doubles and 64 MiB are {allowed:.1f})")


if __name__ == "__main__":
    main()
