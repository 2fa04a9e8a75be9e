"""Reads the lines of detection, prints the table of every rule and the confusion matrix, and draws both as SVG."""

import collections
import csv
import sys

# Name, column, and whether low values are a collapse. The first three are the single-number rules in use.
RULES = [
    ("std of normalised rows * sqrt(D)", "nstd", True),
    ("RankMe share", "rankme_share", True),
    ("mean cosine", "mean_cosine", False),
    ("dispersion", "dispersion", True),
    ("effective rank vs expected", "vs_expected", True),
    ("participation ratio / D", "participation", True),
    ("redundancy", "redundancy", False),
    ("diagnosis (gravest severity)", "severity", False),
]
# The cuts that those who propose the rules use.
CUTS = {"nstd": 0.5, "rankme_share": 0.25, "mean_cosine": 0.99}
FALSE_ALARMS = 0.01
ALARM = 0.3  # severity of the mildest finding that has a verdict


def score(row, column, low):
    value = float(row[column])
    if value != value:
        return 0.0
    return -value if low else value


def auc(healthy, collapsed):
    """Share of pairs in the right order, ties by half (Mann & Whitney)."""
    merged = sorted([(s, 0) for s in healthy] + [(s, 1) for s in collapsed])
    rank_sum, i = 0.0, 0
    while i < len(merged):
        j = i
        while j < len(merged) and merged[j][0] == merged[i][0]:
            j += 1
        rank_sum += 0.5 * (i + j + 1) * sum(label for _, label in merged[i:j])
        i = j
    n, m = len(healthy), len(collapsed)
    return (rank_sum - 0.5 * m * (m + 1)) / (n * m)


FIXED = ("0.25", "0.5", "0.75", "0.85", "1")  # the other strengths have a sample or two each


def smallest_strength(rows, column, low, cut):
    """Per family: the smallest fixed strength from which on at least 95 % of the samples lie beyond the cut."""
    found = {}
    hits = collections.defaultdict(list)
    for row in rows:
        # Of 64 rows in 16 classes nobody can tell.
        if row["family"] == "single_class" and row["N"] == "64":
            continue
        if row["collapsed"] != "0" and row["strength"] in FIXED:
            hits[row["family"], float(row["strength"])].append(score(row, column, low) > cut)
    for family in dict.fromkeys(f for f, _ in hits):
        best = None
        for strength in sorted((s for f, s in hits if f == family), reverse=True):
            seen = hits[family, strength]
            if sum(seen) < 0.95 * len(seen):
                break
            best = strength
        found[family] = best
    return found


def distinct(rows):
    """Without the healthy rows that are there already: at strength 0 all families of collapse are isotropic rows, or the
    mixture, and the mixture is the same at every strength."""
    seen = set()
    kept = []
    for row in rows:
        same = None
        if row["family"] == "mixture" or (row["family"] == "single_class" and float(row["strength"]) == 0.0):
            same = "mixture"
        elif float(row["strength"]) == 0.0:
            same = "isotropic"
        key = (same, row["N"], row["D"], row["seed"])
        if same is not None and key in seen:
            continue
        seen.add(key)
        kept.append(row)
    return kept


def percent(part, whole):
    return f"{100.0 * part / whole:.2f} % ({part} of {whole})" if whole else "-"


def main():
    rows = distinct(csv.DictReader(open(sys.argv[1]), delimiter="\t"))
    healthy = [r for r in rows if r["collapsed"] == "0"]
    collapsed = [r for r in rows if r["collapsed"] == "1"]
    families = list(dict.fromkeys(r["family"] for r in collapsed))

    print("| rule | ROC AUC | caught at 1 % false alarms | at its usual cut: caught / false alarms | " +
          " | ".join(families) + " |")
    print("|---" * (4 + len(families)) + "|")
    bars = []
    for name, column, low in RULES:
        h = sorted(score(r, column, low) for r in healthy)
        c = [score(r, column, low) for r in collapsed]
        cut = h[min(len(h) - 1, int((1.0 - FALSE_ALARMS) * len(h)))]
        caught = sum(s > cut for s in c) / len(c)
        area = auc(h, c)
        usual = "-"
        if column in CUTS:
            at = -CUTS[column] if low else CUTS[column]
            usual = f"{100 * sum(s > at for s in c) / len(c):.1f} % / {100 * sum(s > at for s in h) / len(h):.2f} %"
        elif column == "severity":
            usual = f"{100 * sum(s >= ALARM for s in c) / len(c):.1f} % / " \
                    f"{100 * sum(s >= ALARM for s in h) / len(h):.2f} %"
        strengths = smallest_strength(rows, column, low, cut)
        print(f"| {name} | {area:.4f} | {100 * caught:.1f} % | {usual} | " +
              " | ".join("-" if strengths.get(f) is None else f"{strengths[f]:g}" for f in families) + " |")
        bars.append((name, area, caught))

    judged = [r for r in rows if r["truth"] != "-"]
    decided = [r for r in judged if r["verdict"] != "undetermined"]
    right = [r for r in judged if r["verdict"] == r["truth"]]
    print("\nColumns of families: smallest strength detected (95 % of samples) at 1 % false alarms.\n")
    print("verdict accuracy, undetermined counted as wrong:", percent(len(right), len(judged)))
    print("verdict accuracy where there is a verdict:", percent(len(right), len(decided)))
    print("undetermined:", percent(len(judged) - len(decided), len(judged)))
    alarms = [r for r in healthy if r["verdict"] not in ("healthy", "undetermined")]
    print("false alarms on healthy rows:", percent(len(alarms), len(healthy)))

    groups = collections.defaultdict(dict)
    for r in rows:
        groups[r["family"], r["strength"], r["D"], r["seed"]][int(r["N"])] = r["verdict"]
    for name, keep in (("where the truth is known", lambda k: truth_known(rows, k)), ("at all strengths", lambda k: True)):
        stable = total = 0
        for key, verdicts in groups.items():
            if not keep(key) or len(verdicts) < 3:
                continue
            total += 1
            smallest = min(verdicts)
            others = {v for n, v in verdicts.items() if n != smallest}
            stable += len(others) == 1 and verdicts[smallest] in others | {"undetermined"}
        print(f"one verdict at every N, or undetermined at the smallest, {name}:", percent(stable, total))

    names = sorted({r["truth"] for r in judged} | {r["verdict"] for r in judged})
    table = collections.Counter((r["truth"], r["verdict"]) for r in judged)
    print("\n| truth \\ verdict | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for truth in dict.fromkeys(r["truth"] for r in judged):
        print(f"| {truth} | " + " | ".join(str(table[truth, verdict]) for verdict in names) + " |")
    wrong = collections.Counter((r["family"], r["strength"], r["N"], r["D"], r["verdict"]) for r in judged
                                if r["verdict"] != r["truth"])
    print("\nwrong or undetermined (family, strength, N, D, verdict):")
    for case, count in sorted(wrong.items()):
        print(" ", *case, "x", count)
    if len(sys.argv) > 2:
        draw(sys.argv[2], bars)


KNOWN = {}


def truth_known(rows, key):
    if not KNOWN:
        KNOWN.update({(r["family"], r["strength"], r["D"], r["seed"]): r["truth"] != "-" for r in rows})
    return KNOWN[key]


def draw(path, bars):
    """ROC AUC (pale) and share caught at 1 % false alarms (dark), one pair of bars per rule."""
    left, width, step = 250, 420, 34
    height = 60 + step * len(bars)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{height}" '
           'font-family="sans-serif" font-size="13">',
           f'<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="20">ROC AUC (pale) and share caught at 1 % false alarms (dark)</text>']
    for i, (name, area, caught) in enumerate(bars):
        y = 34 + step * i
        out.append(f'<text x="{left - 10}" y="{y + 17}" text-anchor="end">{name}</text>')
        for value, colour, dy in ((area, "#a9c4e6", 0), (caught, "#2a5c9a", 12)):
            out.append(f'<rect x="{left}" y="{y + dy}" width="{max(0.0, value) * width:.1f}" height="11" fill="{colour}"/>')
            out.append(f'<text x="{left + max(0.0, value) * width + 5:.1f}" y="{y + dy + 10}" font-size="11">{value:.3f}</text>')
    out.append("</svg>\n")
    open(path, "w").write("\n".join(out))


if __name__ == "__main__":
    main()
