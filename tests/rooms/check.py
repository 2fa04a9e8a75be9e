"""Which header may include which, and name whose `detail`: check.py INCLUDE_DIR. docs/architecture.md has the order.

Prints a line for each include or name that breaks it, and ends with 1 if there is one."""

import pathlib
import re
import sys

# What a room may include, beside itself. A header of `include/collapse` with the name of a room is in that room; all
# other headers there answer a user's question, and are in `public`.
BASE = {"base"}
REPORT = BASE | {"report"}
STATISTICS = REPORT | {"linalg"}
METRICS = STATISTICS | {"statistics"}
DIAGNOSIS = METRICS | {"metrics"}
STREAMS = DIAGNOSIS | {"diagnosis"}
PUBLIC = STREAMS | {"streams"}
ALLOWED = {
    "base": set(),
    "report": BASE,
    "linalg": BASE,
    "statistics": STATISTICS,
    "metrics": METRICS,
    "diagnosis": DIAGNOSIS,
    "streams": STREAMS,
    "public": PUBLIC,
    "penalties": METRICS | {"metrics"},
    "synthetic": STATISTICS,
    "text": REPORT,
    "json": REPORT,
    "io": BASE | {"public"},
    "adapters": PUBLIC | {"public", "penalties"},
    "umbrella": PUBLIC | {"public", "text"},
}
ROOM_OF = {
    "error.hpp": "base",
    "version.hpp": "base",
    "compiled.hpp": "base",
    "options.hpp": "report",
    "collapse.hpp": "umbrella",
}


def room_of(path):
    """Of a header, by its path from `collapse/`."""
    if "/" in path:
        return path.split("/")[0]
    name = path.removesuffix(".hpp")
    return ROOM_OF.get(path) or (name if name in ALLOWED else "public")


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def includes_of(text):
    return re.findall(r"^\s*#\s*include\s*<collapse/([^>]+)>", text, flags=re.M)


def definitions_of(text):
    """The headers that one includes at its end, after all that it declares: they define it. Most are left out where the
    library holds what they define."""
    return includes_of(text[text.rfind("}") + 1:]) if "}" in text else []


def detail_blocks(text):
    """The text in each `namespace ...detail { ... }`."""
    for begin in re.finditer(r"namespace\s+(?:\w+::)*detail\s*\{", text):
        depth, at = 1, begin.end()
        while depth > 0 and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield text[begin.end():at]


def check(include):
    root = include / "collapse"
    texts = {p.relative_to(root).as_posix(): without_comments(p.read_text()) for p in sorted(root.rglob("*.hpp"))}
    faults = []

    # A header that defines what a public one declares may include what that one may.
    defines = {}
    for path, text in texts.items():
        for header in definitions_of(text):
            defines.setdefault(header, set()).add(room_of(path))

    for path, text in texts.items():
        room = room_of(path)
        if room not in ALLOWED:
            faults.append(f"{path}: the room {room} is not in the order of {pathlib.Path(__file__).name}")
            continue
        allowed = ALLOWED[room] | {room}
        for of in defines.get(path, ()):
            allowed |= ALLOWED[of] | {of}
        definitions = set(definitions_of(text))
        for header in includes_of(text):
            if header not in texts:
                faults.append(f"{path} includes {header}, which is not there")
            elif header not in definitions and room_of(header) not in allowed:
                faults.append(f"{path} includes {header}: {room} may not include {room_of(header)}")

    # Within a room order is left to the headers, but there is one.
    state = {}

    def visit(path, trail):
        state[path] = "open"
        for header in includes_of(texts[path]):
            if header not in texts or header in definitions_of(texts[path]):
                continue
            if state.get(header) == "open":
                faults.append(f"{header} includes itself: {' -> '.join([*trail, path, header])}")
            elif header not in state:
                visit(header, [*trail, path])
        state[path] = "done"

    for path in texts:
        if path not in state:
            visit(path, [])

    declared = {path: " ".join(detail_blocks(text)) for path, text in texts.items()}
    for path, text in texts.items():
        for qualifier, name in sorted(set(re.findall(r"(?:(\w+)::)?\bdetail::(\w+)", text))):
            holds = re.compile(rf"\b{name}\b")
            homes = [other for other, block in declared.items() if holds.search(block)]
            here = room_of(path)
            at_home = path in homes or (here != "public" and any(room_of(home) == here for home in homes))
            if homes and not at_home and qualifier not in ("nlohmann", "fmt"):
                faults.append(f"{path} names detail::{name} of {homes[0]}")
    return faults


faults = check(pathlib.Path(sys.argv[1]))
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
