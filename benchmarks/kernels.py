"""How many times faster the kernels run compiled than interpreted, in this interpreter.

    python benchmarks/kernels.py [--rounds N] [--kernel NAME] [--write]

Both sides run in one process, in turn, with garbage collection off; each figure is the minimum of the rounds.
Where installed, PyPy (--pypy), gcc's C and numba (--numba) are measured beside by the same protocol in processes of their own.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import sysconfig
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

import jit  # noqa: E402
from jit import kernels  # noqa: E402

BEGIN, END = "<!-- kernels -->", "<!-- end of kernels -->"


def best_times(kernel, rounds):
    """(seconds interpreted, seconds compiled, equal results)."""
    interpreted, compiled = kernel.copies(), kernel.copies(jit.jit)
    expected = kernel.run(interpreted)
    equal = all(kernels.same(expected, kernel.run(compiled)) for _ in range(8))
    times = [float("inf"), float("inf")]
    gc.disable()
    try:
        for _ in range(rounds):
            for side, function in enumerate((interpreted, compiled)):
                for _ in range(3 if side else 1):
                    arguments = kernels.copy.deepcopy(kernel.arguments(1.0))
                    start = time.perf_counter()
                    function(*arguments)
                    times[side] = min(times[side], time.perf_counter() - start)
    finally:
        gc.enable()
    return times[0], times[1], equal


PYPY_PROGRAM = """
import importlib.util, json, sys, time
spec = importlib.util.spec_from_file_location("kernels", sys.argv[1])
kernels = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernels)
found = {}
for kernel in kernels.KERNELS:
    function = kernel.copies(%s)
    best = 1e9
    try:
        for _ in range(25):
            arguments = kernels.copy.deepcopy(kernel.arguments(1.0))
            start = time.perf_counter()
            function(*arguments)
            best = min(best, time.perf_counter() - start)
        found[kernel.name] = best
    except Exception:
        pass
print(json.dumps(found))
"""


def other_times(python, decorator):
    """Seconds per kernel in another interpreter, or {} where that does not run."""
    path = os.path.join(os.path.dirname(os.path.abspath(kernels.__file__)), "kernels.py")
    prefix = "import numba\n" if "numba" in decorator else ""
    try:
        done = subprocess.run([python, "-W", "ignore", "-c", prefix + PYPY_PROGRAM % decorator, path], capture_output=True,
                              text=True, timeout=600)
        return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return {}


def machine():
    """One line on the machine and the interpreter."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return (f"{model}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; CPython {platform.python_version()} "
            f"({'with' if optimised else 'without or with unrecorded'} PGO, {sys.version.split('[')[-1].rstrip(']')})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--kernel", action="append", choices=[kernel.name for kernel in kernels.KERNELS])
    parser.add_argument("--pypy", metavar="PATH", help="a PyPy to measure beside")
    parser.add_argument("--numba", metavar="PYTHON", help="an interpreter that has numba")
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    options = parser.parse_args()
    if not jit.available():
        parser.exit(2, f"purejit does not run here: {jit.available().reason}\n")
    chosen = [kernel for kernel in kernels.KERNELS if not options.kernel or kernel.name in options.kernel]
    beside = {}
    if options.pypy:
        beside["PyPy"] = other_times(options.pypy, "")
    if options.numba:
        beside["numba"] = other_times(options.numba, "numba.njit")
    rows = ["| kernel | interpreted ms | compiled ms | ratio | aimed at | equal |" + "".join(f" {name} ratio |" for name in beside),
            "|---|---|---|---|---|---|" + "---|" * len(beside)]
    product, count = 1.0, 0
    for kernel in chosen:
        slow, fast, equal = best_times(kernel, options.rounds)
        ratio = slow / fast
        product, count = product * ratio, count + 1
        others = "".join(f" {slow / times[kernel.name]:.1f} |" if kernel.name in times else " - |" for times in beside.values())
        rows.append(f"| {kernel.title} | {slow * 1e3:.2f} | {fast * 1e3:.3f} | {ratio:.1f} | {kernel.target}"
                    f"{'' if ratio >= kernel.target else ' (missed)'} | {'yes' if equal else 'NO'} |{others}")
        print(rows[-1], flush=True)
    rows.append(f"| geometric mean | | | {product ** (1 / count):.1f} | 22 | |" + " |" * len(beside))
    text = f"{machine()}\n\n" + "\n".join(rows)
    print("\n" + text)
    if options.write:
        write(text)


def write(text):
    """Replace this interpreter's section of docs/BENCHMARKS.md."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "docs", "BENCHMARKS.md")
    command = "python " + " ".join(["benchmarks/kernels.py", *[a for a in sys.argv[1:] if not a.startswith("/")]])
    version = platform.python_version()
    begin, end = BEGIN.replace("kernels", f"kernels {version}"), END.replace("kernels", f"kernels {version}")
    section = f"{begin}\n## Kernels, CPython {version}\n\n`{command}`: {text}\n{end}"
    old = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            old = file.read()
    if begin in old:
        head, rest = old.split(begin, 1)
        old = head + section + rest.split(end, 1)[1]
    else:
        old = (old or "# Benchmarks\n\nEach table was written by the command above it.\n") + "\n" + section + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(old)


if __name__ == "__main__":
    main()
