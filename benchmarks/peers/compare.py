"""collapse::measure against numpy and torch: the same numbers on the same files, in turns.

    compare.py PROGRAM FOLDER [--turns N] [--shapes NxD ...]

PROGRAM is measure_rows; the table, the plot and all times are written into FOLDER. What is compared is the core report:
both spectra (singular values of Z and of Z without its mean), VICReg's covariance penalty, rms correlation, standard
deviation per dimension, mean and standard deviation of the cosines of all pairs. The peers compute no more;
collapse::measure computes the whole report. See contender.py for how the peers do it.

Every contender is a process that has imported what it needs, measured a small file and read the one at hand before its
time is taken. In one turn each measures once, one after the other, and who begins changes from turn to turn. Contenders
that take more than 10 s have 3 turns. All answers must agree, or the exit status is 1.
"""

import argparse
import html
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

slow = 10.0  # seconds
slow_turns = 3
pause = 0.1  # seconds between two measurements: threads of the one before have gone to sleep

# Experts compute in double (cosines partly in float32), the straightforward versions in float32. Relative to the
# largest singular value, to the value itself, or for the mean cosine to the standard deviation of the cosines.
tolerances = {"expert": 1e-8, "straightforward": 2e-5}


class Contender:
    def __init__(self, name, way, command):
        self.name = name
        self.way = way
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            sys.exit(f"compare.py: {self.name} ended with status {self.process.wait()}")
        return json.loads(answer)

    def read(self, path):
        self.ask(path)

    def measure(self):
        """What it answers, and `memory_mib`: its peak beyond what it held before."""
        before = self.reset_peak()
        answer = self.ask("")
        peak = self.memory("VmHWM")
        answer["memory_mib"] = peak - before if peak and before else None
        return answer

    def reset_peak(self):
        try:
            with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            return None
        return self.memory("VmRSS")

    def memory(self, key):
        try:
            with open(f"/proc/{self.process.pid}/status") as file:
                return next((int(line.split()[1]) / 1024 for line in file if line.startswith(key + ":")), None)
        except OSError:
            return None

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def start_contenders(program):
    """The first is ours."""
    peer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "contender.py")
    libraries = [name for name in ("numpy", "torch") if importlib.util.find_spec(name)]
    contenders = [Contender("collapse::measure", "ours", [program])]
    for way in ("expert", "straightforward"):
        for library in libraries:
            contenders.append(Contender(f"{library}, {way}", way, [sys.executable, peer, library, way]))
    return contenders


def write_rows(path, rows, dims):
    """Gaussian noise, 16 stronger directions and an offset: no number of the report is near 0 or 1."""
    random = np.random.default_rng(0)
    normal = lambda *shape: random.standard_normal(shape, dtype=np.float32)
    z = normal(rows, dims)
    z += 0.25 * normal(rows, 16) @ normal(16, dims)
    z += 0.25 * normal(dims)
    np.save(path, z)


def core_of_report(report):
    """The numbers of our report under the peers' names."""
    return {
        "spectrum": report["spectrum"]["singular_values"],
        "spectrum_uncentered": report["spectrum_uncentered"]["singular_values"],
        "std": np.sqrt(report["variance"]["per_dimension"]),
        "covariance_penalty": report["decorrelation"]["covariance_penalty"],
        "rms_correlation": report["decorrelation"]["rms_correlation"],
        "cosine_mean": report["cosine"]["mean"],
        "cosine_std": report["cosine"]["std"],
        "noise_floor": report["spectrum"]["noise_floor"],
    }


def differences(ours, theirs):
    """Largest difference of each number, relative as `tolerances` says."""
    largest = {}
    for key in ("spectrum", "spectrum_uncentered"):
        a, b = (np.asarray(x[key], dtype=float) for x in (ours, theirs))
        a, b = (np.where(x <= ours["noise_floor"], 0.0, x) for x in (a, b))  # below, there is only rounding
        largest[key] = np.abs(a - b).max() / a[0] if a.shape == b.shape else math.inf
    for key in ("std", "covariance_penalty", "rms_correlation", "cosine_std"):
        a, b = (np.asarray(x[key], dtype=float) for x in (ours, theirs))
        largest[key] = np.abs(b / a - 1.0).max()
    largest["cosine_mean"] = abs(theirs["cosine_mean"] - ours["cosine_mean"]) / ours["cosine_std"]
    return largest


def take_turns(contenders, turns):
    """All answers of each contender."""
    answers = {contender: [] for contender in contenders}
    for turn in range(turns):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            given = answers[contender]
            if len(given) >= slow_turns and given[0]["seconds"] > slow:
                continue
            time.sleep(pause)
            given.append(contender.measure())
    return answers


def compare(program, rows, dims, turns):
    """Times, memory and disagreements of all contenders on one shape."""
    contenders = start_contenders(program)
    with tempfile.TemporaryDirectory() as folder:
        small, path = (os.path.join(folder, name) for name in ("small.npy", "rows.npy"))
        write_rows(small, 600, 200)
        write_rows(path, rows, dims)
        for contender in contenders:
            contender.read(small)
            contender.measure()
            contender.read(path)
    answers = take_turns(contenders, turns)
    for contender in contenders:
        contender.stop()
    ours = core_of_report(answers[contenders[0]][0])
    results, wrong = [], []
    for contender in contenders:
        given = answers[contender]
        memory = [answer["memory_mib"] for answer in given if answer["memory_mib"] is not None]
        results.append(
            {
                "name": contender.name,
                "way": contender.way,
                "seconds": [answer["seconds"] for answer in given],
                "median": statistics.median(answer["seconds"] for answer in given),
                "memory_mib": max(memory, default=None),
                "built_with": given[0]["built_with"],
                "threads": given[0]["threads"],
            }
        )
        if contender.way == "ours":
            continue
        tolerance = tolerances[contender.way]
        largest = differences(ours, given[0])
        results[-1]["differences"] = largest
        wrong += [
            f"{rows} x {dims}: {key} of {contender.name} differs by {value:.1e}, allowed are {tolerance:.0e}"
            for key, value in largest.items()
            if not value <= tolerance
        ]
    return results, wrong


def table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    aligned = lambda i, cell: cell.rjust(widths[i]) if i else cell.ljust(widths[i])
    rows = ["| " + " | ".join(aligned(i, cell) for i, cell in enumerate(line)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)) + "|"
    return "\n".join([rows[0], rule, *rows[1:]])


def table_of(shape, results):
    ours = results[0]["median"]
    lines = [[shape, "median s", "min to max", "turns", "memory MiB", "times ours"]]
    for result in results:
        seconds = result["seconds"]
        lines.append(
            [
                result["name"],
                f"{result['median']:.3f}",
                f"{min(seconds):.3f} to {max(seconds):.3f}",
                str(len(seconds)),
                "-" if result["memory_mib"] is None else f"{result['memory_mib']:.0f}",
                f"{result['median'] / ours:.2f}",
            ]
        )
    return table(lines)


def summary_of(all_results):
    """Ours against the best of each kind."""
    lines = [["seconds (times ours)", "collapse::measure", "best expert", "best straightforward", "fastest peer"]]
    for shape, results in all_results.items():
        ours = results[0]["median"]
        line = [shape, f"{ours:.3f}"]
        for ways in (["expert"], ["straightforward"], ["expert", "straightforward"]):
            best = min((r for r in results if r["way"] in ways), key=lambda r: r["median"])
            line.append(f"{best['name'].split(',')[0]} {best['median']:.3f} ({best['median'] / ours:.2f})")
        lines.append(line)
    return table(lines)


def plot(all_results, caption):
    """Bars of the medians on a logarithmic axis, one group per shape, as SVG."""
    left, width, bar, gap, top = 190, 470, 18, 34, 58
    colours = {"ours": "#0b6e99", "expert": "#8a8f98", "straightforward": "#c9ccd1"}
    medians = [r["median"] for results in all_results.values() for r in results]
    low, high = math.floor(math.log10(min(medians))), math.ceil(math.log10(max(medians)))
    per_decade = width / max(high - low, 1)
    heights = [gap + bar * len(results) for results in all_results.values()]
    height = top + sum(heights) + 46
    text = lambda x, y, words, more="": f'<text x="{x:.1f}" y="{y:.1f}" {more}>{html.escape(words)}</text>'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 130}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        text(12, 22, "One core report, float32: median seconds (times ours)", 'font-size="15" font-weight="bold"'),
        text(12, 40, caption, 'fill="#555"'),
    ]
    for power in range(low, high + 1):
        x = left + (power - low) * per_decade
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - 40}" stroke="#ddd"/>')
        parts.append(text(x, height - 24, f"{10.0**power:g} s", 'text-anchor="middle" fill="#555"'))
    y = top
    for shape, results in all_results.items():
        parts.append(text(12, y + gap - 10, shape, 'font-weight="bold"'))
        y += gap
        for result in results:
            length = max((math.log10(result["median"]) - low) * per_decade, 1.0)
            times = "" if result["way"] == "ours" else f" ({result['median'] / results[0]['median']:.2g}x)"
            parts.append(text(left - 8, y + 13, result["name"], 'text-anchor="end"'))
            size = f'width="{length:.1f}" height="{bar - 4}"'
            parts.append(f'<rect x="{left}" y="{y + 2}" {size} fill="{colours[result["way"]]}"/>')
            parts.append(text(left + length + 6, y + 13, f"{result['median']:.3g} s{times}"))
            y += bar
    return "\n".join(parts + ["</svg>", ""])


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--shapes", nargs="+", default=["512x2048", "8192x2048", "32768x768"])
    arguments = parser.parse_args()
    shapes = [tuple(int(n) for n in shape.split("x")) for shape in arguments.shapes]

    load = os.getloadavg()[0]
    if not importlib.util.find_spec("torch"):
        print("torch is not installed (Debian's python3-torch): it is left out")
    all_results, wrong = {}, []
    for rows, dims in shapes:
        shape = f"{rows} x {dims}"
        all_results[shape], wrong_here = compare(arguments.program, rows, dims, arguments.turns)
        wrong += wrong_here
        print(table_of(shape, all_results[shape]) + "\n", flush=True)

    some = next(iter(all_results.values()))
    turns = f"medians of {arguments.turns} turns ({min(slow_turns, arguments.turns)} above {slow:g} s)"
    caption = f"{processor()}, {some[0]['threads']} threads, {turns}"
    machine = f"{caption}; load average at the start {load:.2f}"
    versions = "\n".join(sorted({f"{result['built_with']}, {result['threads']} threads" for result in some}))
    text = "\n\n".join(
        [
            machine + "\n" + versions,
            *(table_of(shape, results) for shape, results in all_results.items()),
            summary_of(all_results),
        ]
    )
    os.makedirs(arguments.folder, exist_ok=True)
    for name, content in (
        ("table.md", text + "\n"),
        ("times.svg", plot(all_results, caption)),
        ("times.json", json.dumps(all_results, indent=1) + "\n"),
    ):
        with open(os.path.join(arguments.folder, name), "w") as file:
            file.write(content)
    print(f"{summary_of(all_results)}\n\n{machine}\n{versions}")
    print(f"written: table.md, times.svg and times.json in {arguments.folder}")
    if wrong:
        sys.exit("the contenders disagree:\n" + "\n".join(wrong))
    allowed = ", ".join(f"{tolerance:g} ({way})" for way, tolerance in tolerances.items())
    print(f"all contenders agree to the tolerance: {allowed}")


if __name__ == "__main__":
    main()
