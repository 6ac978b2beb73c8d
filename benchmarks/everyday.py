"""Fifty small programs of everyday, one after the other in one process: `python -m jit run` against plain.

    python benchmarks/everyday.py
    python benchmarks/everyday.py --seconds 2 --rounds 3 --write
    python benchmarks/everyday.py --only sieve,tree

Each program is called again and again for some of the processor's time before the next one is, as scripts that compare things do; so what is hot changes all
the time, and the compiler has the budget of one process for all of them. Plain and compiled processes take turns; times are the best of a call, the results must
be equal.
"""

import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import everyday_algorithms
import everyday_programs

PROGRAMS = {program.__name__: program for module in (everyday_algorithms, everyday_programs) for program in module.PROGRAMS}
#: A ratio below is a loss.
LEAST = 0.97


def run_here(seconds, names):
    """Print the least nanoseconds of a call, and its result, of each of these programs. Nothing of the benchmarks' is imported for that."""
    for name in names:
        program, least, end = PROGRAMS[name], float("inf"), time.process_time() + seconds
        while time.process_time() < end:
            started = time.perf_counter_ns()
            result = program()
            least = min(least, time.perf_counter_ns() - started)
        print(name, least, repr(result), sep="\t", flush=True)


def run(launcher, seconds, names):
    """{name: (nanoseconds, result)} of a process."""
    import suite
    command = [*launcher, os.path.abspath(__file__), "--here", "--seconds", str(seconds), "--only", ",".join(names)]
    variables = {**os.environ, "PYTHONPATH": suite.ROOT, "PYTHONHASHSEED": "0"}
    printed = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout
    return {name: (int(least), result) for name, least, result in (line.split("\t") for line in printed.splitlines())}


def report(rounds, seconds, names):
    """The table, and what it comes to."""
    import suite
    from report import geometric_mean, interpreter, load, processor, table
    suite.compile_packages()
    state = f"{processor()}; {interpreter()}; {load()}. {seconds:g} seconds of each, {rounds} processes each way, by turns; the least times."
    pairs = [(run([sys.executable], seconds / 2, names), run([sys.executable, "-m", "jit", "run"], seconds, names)) for _ in range(rounds)]
    rows, ratios = [], []
    for name in names:
        plain, compiled = (min(found[name][0] for found in side) for side in zip(*pairs))
        equal = len({found[name][1] for pair in pairs for found in pair}) == 1
        ratios.append(plain / compiled)
        rows.append((name.replace("_", " "), f"{plain / 1000:.0f}", f"{compiled / 1000:.0f}", f"{plain / compiled:.2f}", "yes" if equal else "NO"))
    return (f"{state}\n\n{table(['program', 'plain us', 'compiled us', 'ratio', 'equal'], rows)}\n\n- {geometric_mean(ratios):.2f} in geometric mean of {len(ratios)}\n"
            f"- slower than {LEAST} of plain's speed: {sum(ratio < LEAST for ratio in ratios)}\n"), all(row[-1] == "yes" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PROGRAMS), help="names, with commas between")
    parser.add_argument("--seconds", type=float, default=1.5, help="of the processor's time, of each program, compiled; plain has half")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/BENCHMARKS.md")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := [name for name in names if name not in PROGRAMS]:
        raise SystemExit(f"no program named {', '.join(unknown)}")
    if options.here:
        run_here(options.seconds, names)
        return
    text, equal = report(options.rounds, options.seconds, names)
    print(text)
    if options.write:
        from report import command_line, write_section
        write_section("everyday", f"## Everyday\n\n    {command_line()}\n\n{text}")
    if not equal:
        raise SystemExit("results differ")


if __name__ == "__main__":
    main()
