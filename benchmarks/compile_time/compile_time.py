"""What the library costs to compile, beside Eigen and {fmt} alone and beside a program with Eigen's own eigenvalues.

    python3 benchmarks/compile_time/compile_time.py [--compiler g++] [--repeat 3] [--flags "-O3"]

Each program is compiled `repeat` times, all in turns; the table has the median of the compiler's CPU time (user and
system), its ratio to the two programs that have nothing of the library, and the compiler's largest memory. Nothing is
linked. "compiled" is the form for programs that link collapse::compiled.
"""

import argparse
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[2]

PROGRAMS = {
    "Eigen/Core and fmt/format.h": ("#include <Eigen/Core>\n#include <fmt/format.h>\nint main() {}\n", False),
    "SelfAdjointEigenSolver": (
        "#include <Eigen/Eigenvalues>\n#include <fmt/format.h>\n"
        "int main() {\n"
        "  const Eigen::MatrixXd a = Eigen::MatrixXd::Random(50, 50);\n"
        "  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(a.transpose() * a);\n"
        '  fmt::print("{}\\n", solver.eigenvalues()(0));\n}\n',
        False,
    ),
    "include collapse.hpp": ("#include <collapse/collapse.hpp>\nint main() {}\n", True),
    "measure and print": (
        "#include <collapse/collapse.hpp>\n"
        "int main() {\n"
        "  const Eigen::MatrixXf z = Eigen::MatrixXf::Random(500, 50);\n"
        '  fmt::print("{}\\n", collapse::measure(z));\n}\n',
        True,
    ),
    "accumulator": (
        "#include <collapse/accumulator.hpp>\n#include <collapse/text.hpp>\n"
        "int main() {\n"
        "  collapse::Accumulator seen(50);\n"
        "  for (int k = 0; k < 9; ++k) seen.update(Eigen::MatrixXf::Random(500, 50));\n"
        '  fmt::print("{}\\n", seen.report());\n}\n',
        True,
    ),
    "monitor": (
        "#include <collapse/monitor.hpp>\n"
        "int main() {\n"
        "  collapse::Monitor monitor;\n"
        "  return monitor.observe(0, Eigen::MatrixXf::Random(500, 50)).has_value() ? 1 : 0;\n}\n",
        True,
    ),
    "penalties (VICReg)": (
        "#include <collapse/penalties/vicreg.hpp>\n"
        "int main() {\n"
        "  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(64, 32), b = Eigen::MatrixXf::Random(64, 32);\n"
        "  Eigen::MatrixXf da(64, 32), db(64, 32);\n"
        "  return collapse::penalties::Vicreg().value_and_gradient(a, b, da, db) > 0.0 ? 0 : 1;\n}\n",
        True,
    ),
}


def compile_once(compiler, flags, source, folder):
    """CPU seconds and the largest resident set in MB."""
    command = [compiler, *flags, "-c", str(source), "-o", str(folder / "out.o")]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit("failed: " + shlex.join(command))
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--flags", default="-O3")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="folder of Eigen's headers")
    told = parser.parse_args()
    flags = ["-std=c++20", *shlex.split(told.flags), "-isystem", told.eigen, f"-I{HERE / 'include'}"]
    runs = []
    for name, (_, ours) in PROGRAMS.items():
        runs.append((name, "header-only" if ours else "", []))
        if ours:
            runs.append((name, "compiled", ["-DCOLLAPSE_COMPILED"]))
    seconds = {key[:2]: [] for key in runs}
    memory = {key[:2]: 0.0 for key in runs}
    with tempfile.TemporaryDirectory() as folder_name:
        folder = pathlib.Path(folder_name)
        for k, (name, _, _) in enumerate(runs):
            (folder / f"{k}.cpp").write_text(PROGRAMS[name][0])
        for _ in range(told.repeat):
            for k, (name, form, extra) in enumerate(runs):
                spent, largest = compile_once(told.compiler, flags + extra, folder / f"{k}.cpp", folder)
                seconds[name, form].append(spent)
                memory[name, form] = max(memory[name, form], largest)
    median = {key: statistics.median(values) for key, values in seconds.items()}
    base = median["Eigen/Core and fmt/format.h", ""]
    eigenvalues = median["SelfAdjointEigenSolver", ""]
    print(f"{'program':30}{'form':14}{'CPU s':>8}{'x Core + fmt':>14}{'x eigenvalues':>15}{'MB':>7}")
    for key, spent in median.items():
        print(f"{key[0]:30}{key[1]:14}{spent:8.2f}{spent / base:14.2f}{spent / eigenvalues:15.2f}{memory[key]:7.0f}")


if __name__ == "__main__":
    main()
