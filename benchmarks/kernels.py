"""How much faster the kernels of jit/kernels.py run compiled than interpreted, and how fast others run them.

    python benchmarks/kernels.py                            ratios in this interpreter, and their targets
    python benchmarks/kernels.py --python /usr/bin/python3  and in another
    python benchmarks/kernels.py --numba PYTHON --write     numba from that interpreter's packages; update the document

In each round one interpreted run is followed by compiled runs for about as long, in one process, without garbage
collection. The ratio is the median of the rounds' own: on a busy machine a short run finds a quiet moment sooner than
a long one, so that the best time of each, printed beside it, would flatter the compiled side.
PyPy (pypy3 on the path, or --pypy) and gcc run the same kernels as child processes where they are installed.
All results are compared with the interpreter's, floats to the last bit.
"""

import argparse
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from report import command_line, geometric_mean, interpreter, processor, table, verdict, write_section

from jit import available
from jit.kernels import GEOMETRIC_MEAN_TARGET, KERNELS, find, pair, same

#: The compiler of a peer may replace a loop by its closed form; such a ratio counts as this in a mean.
LARGEST_RATIO = 150
MOST_COMPILED_PER_ROUND = 40
PASSES = 3

#: Runs a kernel in PyPy or under numba: arguments are the path of kernels.py, "pypy" or "numba", scale, seconds, names.
PEER = r"""
import gc, importlib.util, json, sys, time
specification = importlib.util.spec_from_file_location("kernels", sys.argv[1])
kernels = importlib.util.module_from_spec(specification)
sys.modules["kernels"] = kernels  # numba looks up a function's module there to compile its recursion
specification.loader.exec_module(kernels)
scale, seconds = float(sys.argv[3]), float(sys.argv[4])
wrap = arrays = None
version = sys.version.split("[", 1)[-1].split(" with")[0]
if sys.argv[2] == "numba":
    import numba, numpy
    version = "numba " + numba.__version__
    wrap = numba.njit
    def arrays(value):
        return numpy.array(value) if isinstance(value, list) else value
gc.disable()
report = {"version": version}
for name in sys.argv[5:]:
    kernel = kernels.find(name)
    # The module's own functions: PyPy is several times slower with globals that are no module's.
    main = kernel.functions[0] if wrap is None else kernels.fresh(kernel, wrap)
    best, runs, deadline, first = 1e9, 0, None, None
    while runs < 5 or time.perf_counter() < deadline:
        arguments = kernel.make_arguments(scale)
        if arrays is not None:
            arguments = tuple(map(arrays, arguments))
        started = time.perf_counter()
        try:
            result = main(*arguments)
        except Exception as error:
            report[name] = {"error": str(error).strip().splitlines()[0][:100]}
            break
        taken = time.perf_counter() - started
        if runs == 0:
            first = taken
            deadline = time.perf_counter() + seconds
        best = min(best, taken)
        runs += 1
    else:
        report[name] = {"seconds": best, "first": first, "numbers": [
            str(number) for number in kernels.numbers(result, arguments)]}
print(json.dumps(report))
"""


def measure(kernel, scale, rounds):
    """Dictionary of what one kernel does in this process."""
    interpreted, compiled = pair(kernel)
    arguments = kernel.make_arguments(scale)
    started = time.perf_counter()
    result = compiled(*arguments)
    first = time.perf_counter() - started
    expected_arguments = kernel.make_arguments(scale)
    expected = interpreted(*expected_arguments)
    equal = same((result, arguments), (expected, expected_arguments))
    slow, fast, ratios = [], [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            slow.append(timed(interpreted, kernel, scale))
            now = [timed(compiled, kernel, scale)]
            while sum(now) < slow[-1] and len(now) < MOST_COMPILED_PER_ROUND:
                now.append(timed(compiled, kernel, scale))
            fast += now
            ratios.append(slow[-1] / statistics.mean(now))
    finally:
        gc.enable()
    last_arguments = kernel.make_arguments(scale)
    equal = equal and same((compiled(*last_arguments), last_arguments), (expected, expected_arguments))
    return {"interpreted": min(slow), "compiled": min(fast), "ratios": ratios, "first": first - min(fast),
            "equal": equal}


def ratio_of(found):
    return statistics.median(found["ratios"])


def timed(function, kernel, scale):
    arguments = kernel.make_arguments(scale)
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def measure_here(names, scale, rounds):
    report = {"interpreter": interpreter()}
    support = available()
    if not support:
        report["unavailable"] = support.reason
        return report
    for name in names:
        report[name] = measure(find(name), scale, rounds)
    return report


def measure_in(python, names, options):
    """The same in a child process of another interpreter."""
    command = [python, os.path.abspath(__file__), "--json", "--rounds", str(options.rounds),
               "--scale", str(options.scale), *(word for name in names for word in ("--kernel", name))]
    return json.loads(output_of(command))


def measure_peer(python, peer, names, options):
    file = os.path.join(ROOT, "jit", "kernels.py")
    seconds = 0.04 * options.rounds
    return json.loads(output_of([python, "-c", PEER, file, peer, str(options.scale), str(seconds), *names]))


def better(before, now, names):
    """Of two measurements of the same kernels, the least of each time; equal only where both were."""
    if before is None or "unavailable" in now:
        return now
    for name in names:
        old, new = before[name], now[name]
        for key in ("interpreted", "compiled", "seconds", "first"):
            if key in old and key in new:
                new[key] = min(old[key], new[key])
        if "equal" in old:
            new["equal"] = old["equal"] and new["equal"]
            new["ratios"] = old["ratios"] + new["ratios"]
        elif "seconds" in old and "seconds" not in new:
            now[name] = old
    return now


def measure_all(names, options):
    """This interpreter and its peers, by turns in PASSES passes: they share the machine's good and bad moments.

    Peers get a new process each time: what a tracing compiler makes of a loop differs from one to the next.
    """
    ways = {}
    if options.numba:
        ways["numba"] = lambda: measure_peer(options.numba, "numba", names, options)
    if options.pypy and not options.no_peers:
        ways["PyPy"] = lambda: measure_peer(options.pypy, "pypy", names, options)
    if shutil.which("gcc") and not options.no_peers:
        ways["gcc"] = lambda: measure_gcc(names, options)
    report, peers = None, dict.fromkeys(ways)
    for _ in range(PASSES):
        report = better(report, measure_here(names, options.scale, max(1, options.rounds // PASSES)), names)
        if "unavailable" in report:
            return report, {}
        for peer, way in ways.items():
            peers[peer] = better(peers[peer], way(), names)
    return report, peers


def measure_gcc(names, options):
    """The kernels in C, with gcc -O2."""
    version = output_of(["gcc", "-dumpfullversion"]).strip()
    report = {"version": f"gcc {version} -O2"}
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "kernels")
        source = os.path.join(ROOT, "benchmarks", "kernels.c")
        output_of(["gcc", "-O2", "-o", program, source, "-lm"])
        for name in names:
            rounds = str(options.rounds * 4)
            parameters = parameters_in_c(name, find(name).make_arguments(options.scale))
            seconds, *numbers = output_of([program, name, rounds, *map(repr, parameters)]).split()
            report[name] = {"seconds": float(seconds), "numbers": numbers}
    return report


def parameters_in_c(name, arguments):
    """What the program in C is given for the arguments of a kernel."""
    if name == "sieve_bytearray" or name == "matmul":
        return [len(arguments[0])]
    if name == "advance":
        bodies, dt, steps = arguments
        return [steps, dt, *(number for body in bodies for number in body)]
    return arguments


def output_of(command, environment=None):
    """Standard output of a child process; SystemExit with its last word if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise SystemExit(f"{command[0]} failed: {words[-1]}")
    return done.stdout


def agreement(name, numbers, scale):
    """How a peer's numbers compare with the interpreter's: "", "~" (differ in the last digits) or "WRONG"."""
    from jit.kernels import fresh, numbers as flatten
    kernel = find(name)
    arguments = kernel.make_arguments(scale)
    expected = flatten(fresh(kernel)(*arguments), arguments)
    found = [float(number) if isinstance(wanted, float) else int(number)
             for number, wanted in zip(numbers, expected)]
    if len(numbers) != len(expected):
        return "WRONG"
    if same(found, expected):
        return ""
    close = all(abs(a - b) <= 1e-9 * max(1.0, abs(b)) for a, b in zip(found, expected))
    return "~" if close else "WRONG"


def results_table(names, report):
    rows, ratios = [], []
    for name in names:
        kernel, found = find(name), report[name]
        ratio = ratio_of(found)
        ratios.append(ratio)
        rows.append([kernel.title, f"{found['interpreted'] * 1e3:.1f}", f"{found['compiled'] * 1e3:.3f}",
                     f"{max(0, found['first']) * 1e3:.1f}", f"{ratio:.1f}", kernel.target,
                     verdict(ratio >= kernel.target), "yes" if found["equal"] else "NO"])
    if len(names) == len(KERNELS):
        mean = geometric_mean(ratios)
        rows.append(["geometric mean", "", "", "", f"{mean:.1f}", GEOMETRIC_MEAN_TARGET,
                     verdict(mean >= GEOMETRIC_MEAN_TARGET), ""])
    headings = ["kernel", "interpreted ms", "compiled ms", "first call ms", "ratio", "target", "", "equal"]
    return table(headings, rows)


def times_interpreter(ours, theirs):
    """A peer's ratio over the interpreter: ours, times how much faster its best run is than our best."""
    return ratio_of(ours) * ours["compiled"] / theirs["seconds"]


def peers_table(names, report, peers, scale):
    """Everybody's ratio over the interpreter; then ours over theirs."""
    rows, over = [], {peer: [] for peer in peers}
    ratios = {peer: [] for peer in peers}
    notes = []
    for name in names:
        ours = ratio_of(report[name])
        row = [find(name).title, f"{ours:.1f}"]
        for peer, found in peers.items():
            result = found[name]
            if "error" in result:
                row += ["-", "-"]
                notes.append(f"{peer} refuses {name}: {result['error']}")
                continue
            theirs = times_interpreter(report[name], result)
            counted = min(theirs, LARGEST_RATIO)
            mark = agreement(name, result["numbers"], scale)
            row += [f"{theirs:.1f}{mark and ' ' + mark}", f"{ours / counted:.2f}"]
            ratios[peer].append(counted)
            over[peer].append(ours / counted)
        rows.append(row)
    mean = geometric_mean(ratio_of(report[name]) for name in names)
    row = ["geometric mean", f"{mean:.1f}"]
    for peer in peers:
        row += [f"{geometric_mean(ratios[peer]):.1f}", f"{geometric_mean(over[peer]):.2f}"]
    headings = ["times the interpreter", "purejit"]
    for peer in peers:
        headings += [peer, f"purejit / {peer}"]
    return table(headings, [*rows, row]), notes


def peer_targets(names, report, peers):
    """One line for each aim set against a peer."""
    def ours_over(peer, name):
        theirs = times_interpreter(report[name], peers[peer][name])
        return ratio_of(report[name]) / min(theirs, LARGEST_RATIO)

    lines = []
    measured = {peer: [name for name in names if "seconds" in peers[peer][name]] for peer in peers}
    for peer, aim in (("numba", 0.5), ("PyPy", 1.4)):
        if peer in peers and len(names) == len(KERNELS):
            mean = geometric_mean(ours_over(peer, name) for name in measured[peer])
            lines.append(f"- {mean:.2f} × {peer} in geometric mean; to reach: {aim} ({verdict(mean >= aim)})")
    for name in ("fib", "mandelbrot"):
        if "numba" in peers and name in measured["numba"]:
            ratio = ours_over("numba", name)
            lines.append(f"- {ratio:.2f} × numba on {name}; to reach: 0.9 ({verdict(ratio >= 0.9)})")
    return lines


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="rounds of one interpreted run and some compiled ones")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the problems (1: 10 to 60 ms interpreted)")
    parser.add_argument("--kernel", action="append", choices=[kernel.name for kernel in KERNELS], help="only this one")
    parser.add_argument("--quick", action="store_true", help="three rounds of problems a third the size")
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="another interpreter to measure")
    parser.add_argument("--numba", metavar="PATH", help="an interpreter that has numba")
    parser.add_argument("--pypy", metavar="PATH", default=shutil.which("pypy3"), help="PyPy (pypy3 on the path)")
    parser.add_argument("--no-peers", action="store_true", help="no PyPy, no gcc")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    parser.add_argument("--json", action="store_true", help="this interpreter's figures, as JSON")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.scale = min(options.rounds, 3), options.scale / 3
    return options


def main():
    options = parse()
    names = [kernel.name for kernel in KERNELS if not options.kernel or kernel.name in options.kernel]
    if options.json:
        print(json.dumps(measure_here(names, options.scale, options.rounds)))
        return
    report, peers = measure_all(names, options)
    parts = [f"## Kernels\n\n    {command_line()}\n\n{processor()}. "
             f"{options.rounds} rounds in {PASSES} passes; times are the best, ratios the median of the rounds."]

    def add(text):
        parts.append(text)
        print(text + "\n", flush=True)

    print(parts[0] + "\n", flush=True)
    for found in [report, *(measure_in(python, names, options) for python in options.python)]:
        add("### " + found["interpreter"])
        if "unavailable" in found:
            add(f"Nothing is compiled here: {found['unavailable']}.")
        else:
            add(results_table(names, found))
    if "unavailable" in report:
        raise SystemExit(1)
    if peers:
        text, notes = peers_table(names, report, peers, options.scale)
        add("### Beside others: " + ", ".join(found["version"] for found in peers.values()))
        add(text)
        add("All ratios are over the first interpreter above. In place of lists of lists numba is given "
            "two-dimensional numpy arrays, and gcc has dense arrays in place of all lists: not the same data. "
            f"A ratio over {LARGEST_RATIO} (a loop replaced by its closed form) counts as {LARGEST_RATIO}. "
            "\"~\": floats differ from Python's in the last digits.")
        lines = peer_targets(names, report, peers) + [f"- {note}" for note in notes]
        if lines:
            add("\n".join(lines))
    if options.write:
        write_section("kernels", "\n\n".join(parts))


if __name__ == "__main__":
    main()
