"""Whether the innermost loops of the matrix products keep their sums in registers: spills.py OBJDUMP BINARY...

Disassembles each file, finds the innermost loops that multiply and add packed numbers, and prints those that write to
the stack. Ends with 1 if there is one, or if a file has no loop that is long enough to be the kernel. x86-64 alone."""

import re
import subprocess
import sys

KERNEL = 9  # multiplications and additions of packets in one turn of the smallest kernel: three packets by three columns

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
JUMP = re.compile(r"^j(?!mp)[a-z]+$")
TARGET = re.compile(r"^(?:0x)?([0-9a-f]+)\b")
PACKED = re.compile(r"^vfn?m(?:add|sub)\d*p[sd]$")
STACK_STORE = re.compile(r"%[xyz]mm\d+,\s*-?(?:0x[0-9a-f]+)?\(%r[sb]p\)")


def functions(objdump, path):
    """Yields (name, [(address, mnemonic, operands)])."""
    listing = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", path], capture_output=True, text=True,
                             check=True).stdout
    name, body = None, []
    for line in listing.splitlines():
        if found := FUNCTION.match(line):
            if body:
                yield name, body
            name, body = found.group(1), []
        elif found := INSTRUCTION.match(line):
            body.append((int(found.group(1), 16), found.group(2), found.group(3)))
    if body:
        yield name, body


def innermost_loops(body):
    """Slices of a function that a conditional jump back repeats and that hold no other such slice."""
    at = {address: i for i, (address, _, _) in enumerate(body)}
    loops = []
    for i, (address, mnemonic, operands) in enumerate(body):
        target = TARGET.match(operands)
        if JUMP.match(mnemonic) and target and int(target.group(1), 16) <= address:
            begin = at.get(int(target.group(1), 16))
            if begin is not None:
                loops.append((begin, i))
    return [body[a:b + 1] for a, b in loops if not any((c, d) != (a, b) and a <= c and d <= b for c, d in loops)]


def main(objdump, paths):
    failed = False
    for path in paths:
        kernels, spilling = 0, 0
        for name, body in functions(objdump, path):
            for loop in innermost_loops(body):
                products = sum(bool(PACKED.match(mnemonic)) for _, mnemonic, _ in loop)
                if products < KERNEL:
                    continue
                kernels += 1
                stores = sum(mnemonic.startswith("vmov") and bool(STACK_STORE.search(operands))
                             for _, mnemonic, operands in loop)
                if stores:
                    spilling += 1
                    print(f"{path}: {stores} stores to the stack beside {products} multiplications in {name[:200]}")
        print(f"{path}: {kernels} loops of products, {spilling} of which write to the stack")
        failed = failed or kernels == 0 or spilling > 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
