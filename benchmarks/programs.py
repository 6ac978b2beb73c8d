"""Whole programs: pyperformance's own benchmark files, unchanged, plain and under `python -m jit run`, the same interpreter, interleaved.

    python benchmarks/programs.py                the twelve programs with targets
    python benchmarks/programs.py richards go    these
    ... --write                                  the table into docs/BENCHMARKS.md

Warm is the median of the last rounds; cold is a process from its start to its end, compiling and start-up included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

from report import command_line, interpreter, processor, table, verdict, write_section

#: Program -> how many times faster it is to be, warm.
TARGETS = {"richards": 6, "deltablue": 4, "nbody": 7, "float": 3.5, "spectral_norm": 15, "comprehensions": 2.5, "chaos": 4, "go": 3,
           "nqueens": 2.5, "fannkuch": 4.5, "unpack_sequence": 5, "generators": 1.0}
#: Of their geometric mean; and how much of the warm figure a whole run from cold is to keep.
MEAN, COLD = 4.0, 0.8
FOLDER = "pyperformance/data-files/benchmarks"


def fetch(cache):
    """The folder with the benchmark files; downloads pyperformance's wheel from the package index if it is not there."""
    if not os.path.isdir(os.path.join(cache, FOLDER)):
        os.makedirs(cache, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", cache, "pyperformance"], check=True)
        for name in sorted(os.listdir(cache)):
            if name.startswith("pyperformance") and name.endswith(".whl"):
                zipfile.ZipFile(os.path.join(cache, name)).extractall(cache)
    return os.path.join(cache, FOLDER)


def run(python, arguments, script, rounds):
    """One process: (seconds from start to end, list of what the stub printed)."""
    path = os.pathsep.join((os.path.join(HERE, "pyperf_stub"), ROOT))
    environment = {**os.environ, "PYTHONPATH": path, "PUREJIT_ROUNDS": str(rounds)}
    started = time.perf_counter()
    done = subprocess.run([python, *arguments, script], capture_output=True, text=True, env=environment, timeout=900)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{os.path.basename(os.path.dirname(script))}: {done.stderr.strip().splitlines()[-1:]}")
    return seconds, [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]


def warm(results):
    """Geometric mean over a file's benchmarks of the median of the last half of their rounds."""
    return statistics.geometric_mean(statistics.median(result["times"][len(result["times"]) // 2:]) for result in results)


def measure(name, folder, options):
    """(warm seconds plain, with the JIT, ratio warm, ratio of whole processes): the median of pairs of processes."""
    script = os.path.join(folder, f"bm_{name}", "run_benchmark.py")
    pairs = []
    for _ in range(options.pairs):
        plain = run(options.python, (), script, options.rounds)
        jitted = run(options.python, ("-m", "jit", "run"), script, options.rounds)
        pairs.append((warm(plain[1]), warm(jitted[1]), plain[0] / jitted[0]))
    plain, jitted = (statistics.median(pair[part] for pair in pairs) for part in (0, 1))
    return plain, jitted, statistics.median(pair[0] / pair[1] for pair in pairs), statistics.median(pair[2] for pair in pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="programs; the twelve with targets if none are given")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cache", default=os.path.join(os.path.expanduser("~"), ".cache", "purejit", "pyperformance"))
    parser.add_argument("--write", action="store_true", help="into docs/BENCHMARKS.md")
    options = parser.parse_args()
    folder, rows, ratios = fetch(options.cache), [], []
    for name in options.names or TARGETS:
        try:
            plain, jitted, ratio, cold = measure(name, folder, options)
        except (RuntimeError, subprocess.TimeoutExpired) as problem:
            rows.append((name, str(problem)[:80], "", "", "", "", ""))
            continue
        ratios.append(ratio)
        wanted = TARGETS.get(name)
        rows.append((name, f"{plain * 1e3:.3g}", f"{jitted * 1e3:.3g}", f"{ratio:.2f}", f"{wanted or 0.97:g}", verdict(ratio >= (wanted or 0.97)),
                     f"{cold:.2f} {verdict(cold >= COLD * ratio)}"))
        print(*rows[-1], flush=True)
    mean = statistics.geometric_mean(ratios)
    text = table(("program", "plain, ms", "jit run, ms", "warm", "target", "", "cold"), rows)
    text = f"{processor()}; {interpreter()}; {options.pairs} pairs of processes, {options.rounds} rounds each.\n\n{text}\n\n" \
        f"Geometric mean {mean:.2f}, target {MEAN:g}: {verdict(mean >= MEAN)}."
    print(text)
    if options.write:
        write_section("programs", f"    {command_line()}\n\n{text}", os.path.join(ROOT, "docs", "BENCHMARKS.md"))


if __name__ == "__main__":
    main()
