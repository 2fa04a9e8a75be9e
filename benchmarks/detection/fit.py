"""Fits the thresholds of the diagnosis to sets of known truth, leaving one family out at a time.

    python3 fit.py COLLAPSE FOLDER [FOLDER ...]

COLLAPSE is the command line; each FOLDER has a zoo.json as zoo/zoo.py writes it. Every set is scored once. For each rule
the script looks for the threshold that parts the sets that collapsed in its way from those that have not, takes the middle of
the gap (of the logarithms), and does the same again for each family without it: what is printed is how far the threshold moves
and what it says of the family that took no part. Last comes the whole verdict against the truth, by family, as the table of
docs/kinds_of_collapse.md.
"""

import collections
import json
import math
import os
import subprocess
import sys

HARMLESS = {"healthy", "undetermined"}


def score(program, folder, entry, labels):
    command = [program, "score", os.path.join(folder, entry["file"]), "--json"]
    if labels:
        command += ["--labels", os.path.join(folder, entry["labels"])]
    out = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if out.returncode != 0:
        raise SystemExit(f"{entry['name']}: {out.stderr.strip()}")
    return json.loads(out.stdout)


def number(report, path):
    for key in path.split("."):
        report = report[key]
    return report


def isotropic(report):
    """How near to isotropic the rows are about their mean: the smaller of the two measures, over their thresholds."""
    spectrum = report["spectrum"]
    n = report["samples"] - 1
    d = max(1, report["dims"] - report["variance"]["dead_dimensions"])
    if not spectrum["effective_rank"] or spectrum["participation_ratio"] is None:
        return None
    return min(spectrum["effective_rank_vs_expected"], spectrum["participation_ratio"] * (n + d) / (n * d) / 0.35)


def near_point(report):
    value = report["variance"]["dispersion"]
    return value is not None and value <= 0.1


def mixed(report):
    """Columns of about one unit."""
    variances = [v for v in report["variance"]["per_dimension"] if v]
    if not variances:
        return False
    top = max(variances)
    used = sum(variances) ** 2 / max(sum(v * v for v in variances), 1e-300)
    return used >= 0.2 * len(variances) or top < 900 * sorted(variances)[len(variances) // 2]


# Name of the threshold, number, whether low values are a collapse, which kinds it is for, which sets it is asked of, and why.
RULES = [
    ("partial_share", lambda r: number(r, "variance.largest_point"), False, {"partial_collapse"}, lambda r: True,
     "rows that cannot be told from each other have lost the differences between their inputs"),
    ("isotropic_ratio", isotropic, False, {"complete_collapse"},
     lambda r: near_point(r) and mixed(r) and r["cosine"]["mean"] < 0.975,
     "what an encoder keeps has a shape; equal variance in all directions about a far mean is what is left of nothing"),
    ("complete_cosine", lambda r: 1 - r["cosine"]["mean"] if r["cosine"]["mean"] is not None else None, True, {"complete_collapse"},
     lambda r: near_point(r) and mixed(r) and r["variance"]["dispersion"] <= 0.05 and (isotropic(r) or 0) < 0.78,
     "rows near one point in one direction differ by little more than rounding"),
    ("line_participation", lambda r: r["spectrum"]["participation_ratio"] and max(
        r["spectrum"]["participation_ratio"], r["decorrelation"]["participation_ratio"] / 1.2), True, {"dimensional_collapse"},
     lambda r: mixed(r) and r["dims"] >= 4, "one number for each input cannot hold what inputs differ in"),
]


def gap(values):
    """The threshold between (value, collapsed) with the fewest errors, in the middle of its gap: low is a collapse."""
    values = sorted(values)
    best, at = None, None
    bad = sum(1 for _, c in values if c)
    errors = bad
    for i in range(len(values) + 1):
        if best is None or errors < best:
            best, at = errors, i
        if i < len(values):
            errors += -1 if values[i][1] else 1
    if at == 0 or at == len(values):
        return None, best
    low, high = values[at - 1][0], values[at][0]
    return (math.sqrt(low * high) if low > 0 else 0.5 * (low + high)), best


def main():
    program, folders = sys.argv[1], sys.argv[2:]
    sets = []
    for folder in folders:
        for entry in json.load(open(os.path.join(folder, "zoo.json"))):
            sets.append((entry, score(program, folder, entry, False),
                         score(program, folder, entry, True) if entry.get("labels") else None))
    families = sorted({e["system"] for e, _, _ in sets})
    known = [(e, r) for e, r, _ in sets if e["collapsed"] in ("yes", "no")]

    print("| threshold | fitted | without one family: least, most | errors, each family by the fit of the others | reason |\n|---|---|---|---|---|")
    for name, read, low, kinds, asked, reason in RULES:
        points = []
        for entry, report in known:
            value = read(report) if asked(report) else None
            collapsed = entry["collapsed"] == "yes" and bool(kinds & set(entry["kinds"]))
            # A set that collapsed in another way, or in one of several, is no evidence against this one.
            if value is None or (entry["collapsed"] == "yes" and (not collapsed or len(entry["kinds"]) > 1 and name != "line_participation")):
                continue
            # Where high values are a collapse, their inverses are low.
            points.append((entry["system"], value if low else 1 / max(value, 1e-12), collapsed))
        fitted, _ = gap([(v, c) for _, v, c in points])
        back = (lambda t: t) if low else (lambda t: 1 / t)
        if fitted is None:
            print(f"| {name} | no set of both kinds | | | {reason} |")
            continue
        others, wrong, total = [], 0, 0
        for family in families:
            rest = [(v, c) for f, v, c in points if f != family]
            threshold, _ = gap(rest)
            if threshold is None:
                continue
            others.append(back(threshold))
            for f, v, c in points:
                if f == family:
                    total += 1
                    wrong += (v <= threshold) != c
        print(f"| {name} | {back(fitted):.3g} | {min(others):.3g}, {max(others):.3g} | {wrong} of {total} | {reason} |")

    print("\n| family | false alarms | undetermined | missed |\n|---|---|---|---|")
    totals = collections.Counter()
    lines = []
    for family in families:
        count = collections.Counter()
        for entry, plain, labelled in sets:
            if entry["system"] != family or entry["collapsed"] == "arguable":
                continue
            for report in (plain, labelled):
                if report is None:
                    continue
                said = report["diagnosis"]["verdict"]
                count[entry["collapsed"]] += 1
                wrong = (entry["collapsed"] == "no") != (said in HARMLESS)
                count[entry["collapsed"] + " wrong"] += wrong
                count["open"] += entry["collapsed"] == "no" and said == "undetermined"
                if wrong:
                    lines.append(f"{entry['name']}: {said} ({entry['why']})")
        totals += count
        print(f"| {family} | {count['no wrong']} of {count['no']} | {count['open']} | {count['yes wrong']} of {count['yes']} |")
    print(f"| all | {totals['no wrong']} of {totals['no']} | {totals['open']} | {totals['yes wrong']} of {totals['yes']} |")
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
