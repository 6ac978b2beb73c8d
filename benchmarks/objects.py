"""How much faster objects, containers and strings are compiled than interpreted: the kernels of object_kernels.py.

    python benchmarks/objects.py                            ratios in this interpreter, and their targets
    python benchmarks/objects.py --only vectors --rounds 30
    python benchmarks/objects.py --cython PYTHON --mypyc PYTHON --jit PYTHON --write

The file of the kernels is loaded twice: as it is, and with every function and method of it given to jit. In each round one
interpreted run is followed by compiled runs for about as long, in one process, without garbage collection; the ratio is that
of the best times. Results are compared with the interpreter's, floats to the last bit.

PyPy (pypy3 on the path, or --pypy), Cython and mypyc (in this interpreter, or the one given, whose version should be the same)
and CPython with its own JIT switched on and off (python3.14 or python3.15 on the path, or --jit) run the same file as child
processes, wherever they are found. Cython and mypyc compile it as it stands, without types declared.
"""

import argparse
import gc
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from types import FunctionType

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from kernels import output_of
from report import command_line, geometric_mean, interpreter, load, processor, table, verdict, write_section

import object_kernels
from jit import available, jit
from jit.kernels import same

#: Geometric means to reach, on CPython 3.11.
TARGETS = {"objects": ("Objects", object_kernels.OBJECTS, 6), "containers": ("Containers and strings", object_kernels.CONTAINERS, 2.2)}
FILE = os.path.abspath(object_kernels.__file__)
MOST_COMPILED_PER_ROUND = 40

#: Times kernels elsewhere: arguments are the folder of the module (source or extension), scale, seconds, names.
PEER = r"""
import gc, json, sys, time
sys.path.insert(0, sys.argv[1])
import object_kernels
scale, seconds = float(sys.argv[2]), float(sys.argv[3])
report = {"version": sys.version.split("[", 1)[-1].split(" with")[0] if "PyPy" in sys.version else sys.version.split()[0]}
own = getattr(sys, "_jit", None)
report["own jit"] = own is not None and own.is_enabled()
gc.disable()
for name in sys.argv[4:]:
    kernel = object_kernels.find(name)
    best, runs, deadline = 1e9, 0, time.perf_counter() + seconds
    while runs < 5 or time.perf_counter() < deadline:
        arguments = kernel.make_arguments(scale)
        started = time.perf_counter()
        result = kernel.function(*arguments)
        best = min(best, time.perf_counter() - started)
        runs += 1
    report[name] = {"seconds": best, "result": repr(result)}
print(json.dumps(report))
"""


def compiled_module():
    """The kernels' module anew, with all of its functions and methods given to jit."""
    specification = importlib.util.spec_from_file_location("object_kernels_compiled", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for thing in list(vars(module).values()):
        functions = vars(thing).values() if isinstance(thing, type) else [thing]
        for function in functions:
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                jit(function)
    return module


def timed(kernel, scale):
    arguments = kernel.make_arguments(scale)
    started = time.perf_counter()
    result = kernel.function(*arguments)
    return time.perf_counter() - started, result


def measure(interpreted, compiled, scale, rounds):
    """What one kernel does in this process.

    Args:
        interpreted, compiled: the Kernel, of the one module and of the other. scale, rounds: numbers.

    Returns:
        dictionary: seconds `interpreted`, `compiled`, `first` (the first call, less the best); `equal`; `result`, its repr.
    """
    first, result = timed(compiled, scale)
    expected = timed(interpreted, scale)[1]
    equal = same(result, expected)
    slow, fast = [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            slow.append(timed(interpreted, scale)[0])
            spent = 0
            for _ in range(MOST_COMPILED_PER_ROUND):
                seconds, result = timed(compiled, scale)
                fast.append(seconds)
                spent += seconds
                equal = equal and same(result, expected)
                if spent >= slow[-1]:
                    break
    finally:
        gc.enable()
    return {"interpreted": min(slow), "compiled": min(fast), "first": max(0, first - min(fast)), "equal": equal, "result": repr(expected)}


def measure_here(names, options):
    report = {"interpreter": interpreter(), "load": load()}
    support = available()
    if not support:
        report["unavailable"] = support.reason
        return report
    module = compiled_module()
    for name in names:
        report[name] = measure(object_kernels.find(name), module.find(name), options.scale, options.rounds)
    return report


def measure_in(python, names, options):
    """The same in a child process of another interpreter."""
    command = [python, os.path.abspath(__file__), "--json", "--rounds", str(options.rounds), "--scale", str(options.scale)]
    return json.loads(output_of([*command, *(word for name in names for word in ("--only", name))]))


# -- others --------------------------------------------------------------------------------------------


def has(python, module):
    """Whether an interpreter has a module; None stands for no interpreter."""
    return python is not None and not subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode


def measure_peer(python, folder, names, options, **environment):
    command = [python, "-c", PEER, folder, str(options.scale), str(0.03 * options.rounds), *names]
    return json.loads(output_of(command, {**os.environ, **environment}))


def measure_built(python, build, names, options):
    """The kernels as an extension module: `build` are the arguments of python that build it where the copied source is."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(FILE, folder)
        done = subprocess.run([python, *build, "object_kernels.py"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()
            raise SystemExit(f"{' '.join(build)} failed: {words[-1]}")
        os.remove(os.path.join(folder, "object_kernels.py"))
        return measure_peer(python, folder, names, options)


def measure_peers(names, options):
    """Name of each peer that was found, to its report."""
    here, peers = os.path.dirname(FILE), {}
    if options.pypy:
        found = measure_peer(options.pypy, here, names, options)
        peers[found["version"]] = found
    if has(options.cython, "Cython"):
        peers["Cython"] = measure_built(options.cython, ["-m", "Cython.Build.Cythonize", "-i", "-q", "-3"], names, options)
    if has(options.mypyc, "mypyc"):
        peers["mypyc"] = measure_built(options.mypyc, ["-m", "mypyc"], names, options)
    for python in options.jit:
        off, on = (measure_peer(python, here, names, options, PYTHON_JIT=switch) for switch in "01")
        peers[f"CPython {off['version']}"] = off
        if on["own jit"]:
            peers[f"CPython {on['version']} with its JIT"] = on
    return peers


# -- tables --------------------------------------------------------------------------------------------


def results_table(kernels, report, peers):
    """One part of the kernels: times, ratios, and everybody's ratio over the interpreter."""
    def milliseconds(seconds):
        return f"{seconds * 1e3:.2f}"

    def over(name, seconds):
        return report[name]["interpreted"] / seconds

    rows = []
    for kernel in kernels:
        found = report[kernel.name]
        row = [kernel.title, milliseconds(found["interpreted"]), milliseconds(found["compiled"]), milliseconds(found["first"]),
               f"{over(kernel.name, found['compiled']):.2f}", "yes" if found["equal"] else "NO"]
        for peer in peers.values():
            other = peer[kernel.name]
            row.append(f"{over(kernel.name, other['seconds']):.2f}" + ("" if other["result"] == found["result"] else " WRONG"))
        rows.append(row)
    last = ["geometric mean", "", "", "", f"{mean_ratio(kernels, report):.2f}", ""]
    last += [f"{geometric_mean(over(kernel.name, peer[kernel.name]['seconds']) for kernel in kernels):.2f}" for peer in peers.values()]
    headings = ["kernel", "interpreted ms", "compiled ms", "first call ms", "ratio", "equal", *peers]
    return table(headings, [*rows, last])


def mean_ratio(kernels, report):
    return geometric_mean(report[kernel.name]["interpreted"] / report[kernel.name]["compiled"] for kernel in kernels)


def part_lines(names, report, peers):
    """The tables of a report, each with its verdict where all of its kernels were measured."""
    for title, kernels, target in TARGETS.values():
        chosen = [kernel for kernel in kernels if kernel.name in names]
        if not chosen:
            continue
        yield f"#### {title}\n\n{results_table(chosen, report, peers)}"
        if len(chosen) == len(kernels):
            mean = mean_ratio(kernels, report)
            yield f"{mean:.2f} in geometric mean; to reach on 3.11: {target} ({verdict(mean >= target)})"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="rounds of one interpreted run and some compiled ones")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the problems (1: about 10 ms interpreted)")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[kernel.name for kernel in object_kernels.KERNELS],
                        help="only this kernel (may be repeated)")
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="another interpreter to measure")
    parser.add_argument("--pypy", metavar="PATH", default=shutil.which("pypy3"), help="PyPy (pypy3 on the path)")
    parser.add_argument("--cython", metavar="PATH", default=sys.executable, help="an interpreter that has Cython")
    parser.add_argument("--mypyc", metavar="PATH", default=sys.executable, help="an interpreter that has mypyc")
    parser.add_argument("--jit", action="append", metavar="PATH", help="a CPython with a JIT of its own",
                        default=[path for path in map(shutil.which, ("python3.14", "python3.15")) if path])
    parser.add_argument("--no-peers", action="store_true", help="no PyPy, Cython, mypyc, other JIT")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    parser.add_argument("--json", action="store_true", help="this interpreter's figures, as JSON")
    return parser.parse_args()


def main():
    options = parse()
    names = [kernel.name for kernel in object_kernels.KERNELS if not options.only or kernel.name in options.only]
    if options.json:
        print(json.dumps(measure_here(names, options)))
        return
    parts = [f"## Objects, containers and strings\n\n    {command_line()}\n\n{processor()}. Best times of {options.rounds} rounds; "
             "ratios are over the interpreter, of purejit and of each other implementation."]

    def add(text):
        parts.append(text)
        print(text + "\n", flush=True)

    print(parts[0] + "\n", flush=True)
    report = measure_here(names, options)
    peers = {} if options.no_peers or "unavailable" in report else measure_peers(names, options)
    for found in [report, *(measure_in(python, names, options) for python in options.python)]:
        add(f"### {found['interpreter']}; {found['load']}")
        if "unavailable" in found:
            add(f"Nothing is compiled here: {found['unavailable']}.")
            continue
        for text in part_lines(names, found, peers if found is report else {}):
            add(text)
    if options.write:
        write_section("objects", "\n\n".join(parts))


if __name__ == "__main__":
    main()
