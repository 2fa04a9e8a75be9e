"""Penalties and their gradients beside torch's forward and backward, in turns: compare.py PROGRAM. Both on all threads;
torch in float, ours in double inside."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "torch"))
import torch  # noqa: E402

import check  # noqa: E402

PENALTIES = {"vicreg": check.vicreg, "barlow_twins": check.barlow_twins, "info_nce": check.info_nce}


def torch_seconds(penalty, rows, cols):
    a = torch.randn(rows, cols, requires_grad=True)
    b = torch.randn(rows, cols, requires_grad=True)
    best = float("inf")
    for turn in range(4):
        a.grad = b.grad = None
        begin = time.perf_counter()
        penalty(a, b).backward()
        if turn > 0:
            best = min(best, time.perf_counter() - begin)
    return best


def main():
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    print("| N x D | penalty | ours, s | torch, s | torch / ours |\n|---|---|---|---|---|")
    for rows, cols in ((256, 512), (1024, 2048)):
        seen = {name: ([], []) for name in PENALTIES}
        for _ in range(5):
            out = subprocess.run([sys.argv[1], str(rows), str(cols)], stdout=subprocess.PIPE, check=True, text=True)
            for line in out.stdout.splitlines():
                name, seconds = line.split()
                seen[name][0].append(float(seconds))
            for name, penalty in PENALTIES.items():
                seen[name][1].append(torch_seconds(penalty, rows, cols))
        for name, (ours, theirs) in seen.items():
            o, t = statistics.median(ours), statistics.median(theirs)
            print(f"| {rows} x {cols} | {name} | {o:.4f} | {t:.4f} | {t / o:.2f} |")


if __name__ == "__main__":
    main()
