"""How much faster pyperformance's programs run under `python -m jit run` than under plain python.

    python benchmarks/programs.py                          the twelve programs that have targets
    python benchmarks/programs.py --all --write            every program that needs the standard library alone
    python benchmarks/programs.py richards go --rounds 5
    python benchmarks/programs.py --explain --write        what the misses would be without the collector, and without compiling
    python benchmarks/programs.py --all --explain          those below the least once more, beside plain again, an idle compiler, and without the collector

The benchmark files come from the package index and are run unchanged, in child processes, with a stub in place of pyperf
(benchmarks/stub). Loops are calibrated as pyperf does, plain, so that a value takes at least 0.1 s; then each round runs the
same loops and values in a plain process and in one under the JIT, which take turns value by value, so that what slows the machine down meets both. A run has as many values as a default run of pyperf,
60, or fewer where that would take longer than --seconds (but at least 4, as many as a process of pyperf's): none of the twelve does.

- warm: plain over compiled, the median of the last third of the turns; milliseconds are the best of the second half;
- cold: the whole processes, start-up and compile time in, from their start to their end;
- first: the same from the start to the end of the fourth value, as one of pyperf's own processes is.
Programs that consist of starting a python start it in the same way as they were started themselves.
"""

import argparse
import os
import shutil
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import suite
from report import command_line, geometric_mean, interpreter, load, processor, table, verdict, write_section
from platforms.cpython.build import facts

TARGETS = {"richards": 6, "deltablue": 4, "nbody": 7, "float": 3.5, "spectral_norm": 15, "comprehensions": 2.5, "chaos": 4, "go": 3,
           "nqueens": 2.5, "fannkuch": 4.5, "unpack_sequence": 5, "generators": 1.0}
GEOMETRIC_MEAN_TARGET = 4
LEAST = 0.97
LEAST_COLD = 0.8
#: Of the names of ways to run a program without the garbage collector.
NO_COLLECTOR = ", no collector"
#: Ways that show what chance does: plain once more; beside the clock and a compiler that compiles nothing, see idle.py. Rounds of these, at least.
AGAIN, IDLE = "plain again", "idle compiler"
REPEATS = 2
#: Values of a default run of pyperf, 20 processes of 3; and of one of its processes, with the warm-up.
DEFAULT_VALUES = 60
LEAST_VALUES = 4
#: Seconds that a plain run may take: of the programs that are asked for, and with --all.
MOST_SECONDS, MOST_SECONDS_ALL = 30, 8
#: Here only the time that the JIT needs to start is measured: these may take so many times plain's seconds, and so many more.
STARTUP = ("python_startup", "python_startup_no_site")
STARTUP_LIMIT = (1.05, 0.020)


def number_of_values(seconds, most_seconds):
    """How many values a run has, each of so many seconds."""
    return max(LEAST_VALUES, min(DEFAULT_VALUES, round(most_seconds / seconds)))


def summary(runs):
    """What several runs of one benchmark come to.

    Args:
        runs: list of reports of that benchmark.

    Returns:
        dictionary: `warm` seconds per loop, the best, and all values of the last turns, `settled`; `cold` and `first` seconds; of the shortest run
        `compiling` seconds, `outside` of values, and what its values would have taken if all had been `warmed`.
    """
    shortest = min(runs, key=lambda run: run["whole"])
    best = min(value for run in runs for value in run["values"][len(run["values"]) // 2:])
    settled = [value for run in runs for value in run["values"][-max(LEAST_VALUES // 2, len(run["values"]) // 3):]]
    return {"warm": best / runs[0]["loops"] / runs[0]["inner"], "settled": settled, "cold": shortest["whole"], "compiling": shortest["compiling"],
            "outside": shortest["whole"] - sum(shortest["values"]), "warmed": best * len(shortest["values"]),
            "first": min(run["whole"] - sum(run["values"][LEAST_VALUES:]) for run in runs)}


def times(slow, fast):
    """How many times as fast one way is as another, of two summaries: the median of the last turns, in each of which either meets the same machine."""
    return statistics.median(one / other for one, other in zip(slow["settled"], fast["settled"]))


def measure(program, launchers, options, rounds, wanted=None):
    """Run a program by turns in all ways.

    Args:
        program: a Program. launchers: by way, (list of str that stands for `python`, environment). options: the command line's. rounds: how often.
        wanted: names of benchmarks, or None; the program's others have one value only.

    Returns:
        by benchmark's name, by way, a `summary`, or a str: why the way failed.
    """
    calibrated = suite.run(program, [sys.executable])
    loops = {name: found["loops"] for name, found in calibrated.items()}
    values = {name: number_of_values(found["values"][-1], options.seconds) if wanted is None or name in wanted else 1 for name, found in calibrated.items()}
    runs = {way: {name: [] for name in loops} for way in launchers}
    failures = {}
    for _ in range(rounds):
        for way, found in suite.run_by_turns(program, {way: launchers[way] for way in launchers if way not in failures}, loops, values).items():
            if isinstance(found, suite.Failed):
                failures[way] = str(found)
            else:
                for name in loops:
                    runs[way][name].append(found[name])
    return {name: {way: failures.get(way) or summary(runs[way][name]) for way in launchers} for name in loops}


class Row:
    """One benchmark's ratios.

    Attributes:
        name: the benchmark's. target: what `warm` has to reach. found: by way, its summary or why it failed.
        failure: why it failed plain or under the JIT, or None. warm, cold, first: ratios, 0 after a failure.
    """

    def __init__(self, name, target, found):
        self.name = name
        self.target = target
        self.found = found
        self.failure = next((found[way] for way in ("plain", "jit") if isinstance(found[way], str)), None)
        self.warm = 0 if self.failure else times(found["plain"], found["jit"])
        self.cold, self.first = (0, 0) if self.failure else (found["plain"][key] / found["jit"][key] for key in ("cold", "first"))

    @property
    def fast_enough(self):
        if self.name in STARTUP and not self.failure:
            factor, more = STARTUP_LIMIT
            return self.found["jit"]["warm"] <= factor * self.found["plain"]["warm"] + more
        return self.warm >= self.target

    @property
    def starts_fast_enough(self):
        return self.cold >= LEAST_COLD * self.warm > 0

    def cells(self, others):
        if self.failure:
            return [self.name, "", "", "FAILED", self.target, "MISSED", "", "", "", "", *("" for _ in others)]
        plain, compiled = self.found["plain"]["warm"], self.found["jit"]["warm"]
        ratios = ["-" if isinstance(self.found[way], str) else f"{times(self.found['plain'], self.found[way]):.2f}" for way in others]
        return [self.name, milliseconds(plain), milliseconds(compiled), f"{self.warm:.2f}",
                "start-up" if self.name in STARTUP else self.target, verdict(self.fast_enough), f"{self.cold:.2f}",
                f"{self.cold / self.warm:.2f}", verdict(self.starts_fast_enough), f"{self.first:.2f}", *ratios]


def milliseconds(seconds):
    return f"{seconds * 1e3:.4g}"


def rows_table(rows, others):
    headings = ["program", "plain ms", "jit ms", "warm", "at least", "", "cold", "cold/warm", "", "first", *others]
    return table(headings, [row.cells(others) for row in rows])


def aims(rows):
    """One line for each aim over all programs."""
    worked = [row for row in rows if not row.failure]
    with_target = [row for row in worked if row.name in TARGETS]
    if len(with_target) == len(TARGETS):
        mean = geometric_mean(row.warm for row in with_target)
        yield f"- {mean:.2f} in geometric mean over the {len(TARGETS)}; to reach on 3.11: {GEOMETRIC_MEAN_TARGET} " \
              f"({verdict(mean >= GEOMETRIC_MEAN_TARGET)})"
    measured = [row for row in worked if row.name not in STARTUP]
    if measured:
        slowest = min(measured, key=lambda row: row.warm)
        yield f"- slowest of {len(measured)}: {slowest.name}, {slowest.warm:.2f}; at least {LEAST} ({verdict(slowest.warm >= LEAST)})"
        slow = [row for row in measured if row.warm < LEAST]
        yield f"- less than {LEAST}: {len(slow)} of {len(measured)} ({verdict(not slow)})"
        late = [row for row in measured if not row.starts_fast_enough]
        yield f"- cold less than {LEAST_COLD} of warm: {len(late)} of {len(measured)} ({verdict(not late)})"
        yield f"- {geometric_mean(row.warm for row in measured):.2f} in geometric mean over all that were measured"
    for row in rows:
        if row.failure:
            yield f"- {row.name} FAILED: {row.failure}"


def ways(options):
    """Launchers by the names of columns: plain, jit, and others that were found."""
    found = {"plain": ([sys.executable], {}), "jit": ([sys.executable, "-m", "jit", "run"], {})}
    if options.pypy and not options.no_peers:
        found["PyPy"] = ([options.pypy], {})
    for python in [] if options.no_peers else options.jit:
        name = os.path.basename(python)
        found[f"{name}, JIT off"] = ([python], {"PYTHON_JIT": "0"})
        found[f"{name}, JIT on"] = ([python], {"PYTHON_JIT": "1"})
    if options.explain and not options.all:
        found.update({f"{way}{NO_COLLECTOR}": (found[way][0], {"PYPERF_GC": "off"}) for way in ("plain", "jit")})
    return found


def explained(rows):
    """A table of what the misses come from: the collector, and what a whole run spends in neither warm values nor the program's start."""
    headings = ["program", "warm", "at least", "warm, no collector", "cold/warm", "at best", "whole run s", "start s", "warm values s", "compiling s",
                "interpreted s"]
    cells = []
    for row in rows:
        if row.failure or row.fast_enough and row.starts_fast_enough:
            continue
        plain, jit = row.found["plain"], row.found["jit"]
        ratio = ratio_text(without_collector(row))
        start, compiling = plain["outside"], jit["compiling"]
        at_best = plain["cold"] / (start + jit["warmed"]) / row.warm
        seconds = jit["cold"], start, jit["warmed"], compiling, max(0.0, jit["cold"] - start - jit["warmed"] - compiling)
        cells.append([row.name, f"{row.warm:.2f}", row.target, ratio, f"{row.cold / row.warm:.2f}", f"{at_best:.2f}",
                      *(f"{part:.2f}" for part in seconds)])
    return table(headings, cells)


def fallen(rows):
    """Names of those that fell below the least."""
    return {row.name for row in rows if not row.failure and not row.fast_enough and row.name not in (*STARTUP, *TARGETS)}


def repeated(rows, programs, options):
    """Measure those that fell below once more, beside what only chance and an idle compiler do, and without the garbage collector.

    Yields:
        Rows of one program's benchmarks that had fallen below.
    """
    plain = [sys.executable]
    launchers = {"plain": (plain, {}), AGAIN: (plain, {}), IDLE: ([sys.executable, os.path.join(suite.ROOT, "benchmarks", "idle.py")], {}),
                 "jit": ([sys.executable, "-m", "jit", "run"], {})}
    launchers.update({f"{way}{NO_COLLECTOR}": (launchers[way][0], {"PYPERF_GC": "off"}) for way in ("plain", "jit")})
    below = fallen(rows)
    for program, names in programs.items():
        wanted = below.intersection(names)
        if wanted:
            measured = measure(program, launchers, options, max(REPEATS, options.rounds), wanted)
            found = [Row(name, LEAST, measured[name]) for name in names if name in wanted]
            for cells in chances(found):
                print("  ".join(cells), flush=True)
            yield found


def without_collector(row):
    """The warm ratio with the collector off on either side, or None if a run failed."""
    free, compiled = row.found["plain" + NO_COLLECTOR], row.found["jit" + NO_COLLECTOR]
    return None if isinstance(free, str) or isinstance(compiled, str) else times(free, compiled)


def chances(rows):
    """Cells of a table of what was repeated: ratios over plain, that of the JIT over an idle compiler, and over plain without the collector."""
    cells = []
    for row in rows:
        if row.failure or any(isinstance(row.found[way], str) for way in (AGAIN, IDLE)):
            cells.append([row.name, "FAILED", "", "", "", ""])
            continue
        again, idle = (times(row.found["plain"], row.found[way]) for way in (AGAIN, IDLE))
        cells.append([row.name, f"{row.warm:.2f}", f"{again:.2f}", f"{idle:.2f}", f"{row.warm / idle:.2f}", ratio_text(without_collector(row))])
    return cells


def ratio_text(ratio):
    return "-" if ratio is None else f"{ratio:.2f}"


def repeated_text(rows, fell):
    """The table of what was repeated, and what it comes to. Args: fell: how many fell below at first, of which some may not have been repeated yet."""
    worked = [row for row in rows if not row.failure]
    slow = [row for row in worked if not row.fast_enough]
    idle = [row for row in slow if isinstance(row.found[IDLE], dict) and row.warm >= LEAST * times(row.found["plain"], row.found[IDLE])]
    collected = [row for row in slow if row not in idle and (without_collector(row) or 0) >= LEAST]
    headings = ["program", "warm", AGAIN, IDLE, "warm / idle", "warm" + NO_COLLECTOR]
    return "Those below once more, by turns with plain again, which shows what chance does, with a clock and a compiler that compiles nothing " \
           "(benchmarks/idle.py), and without the garbage collector on either side. The last column but one is what compiling does. What compiling " \
           "leaves lies among the program's objects: CPython cannot give back the memory around it when they die, the next ones lie less close to each " \
           "other, and the collector takes longer to walk over them.\n\n" + table(headings, chances(rows)) + \
           f"\n\n- less than {LEAST} again: {len(slow)} of {len(rows)}; of these, {len(idle)} lose it beside an idle compiler already, and " \
           f"{len(collected)} more only to the collector" + ("" if fell == len(rows) else f"\n- not repeated: {fell - len(rows)} of the {fell}")


def chosen(available, options):
    """The programs to run, and (name, why not) of those that cannot be."""
    if options.names:
        unknown = [name for name in options.names if name not in available]
        if unknown:
            raise SystemExit(f"pyperformance has no program {', '.join(unknown)}")
        return [available[name] for name in options.names], []
    if not options.all:
        return [available[name] for name in TARGETS], []
    programs, skipped, version = [], [], facts().version
    for program in available.values():
        if program.requires:
            skipped.append((program.name, "needs " + ", ".join(program.requires)))
        elif program.oldest > version:
            skipped.append((program.name, "needs Python {}.{}".format(*program.oldest)))
        else:
            programs.append(program)
    return sorted(programs, key=lambda program: program.name not in TARGETS), skipped


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--all", action="store_true", help="every program that needs the standard library alone")
    parser.add_argument("names", nargs="*", metavar="NAME", help="programs to run in place of the twelve")
    parser.add_argument("--python", metavar="PATH", help="the interpreter to measure (this one)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program in each way (3)")
    parser.add_argument("--seconds", type=float, help=f"about how long a plain run may take ({MOST_SECONDS}; {MOST_SECONDS_ALL} with --all)")
    parser.add_argument("--cache", metavar="FOLDER", default=suite.default_cache(), help="where downloaded files are kept")
    parser.add_argument("--pypy", metavar="PATH", default=shutil.which("pypy3"), help="PyPy (pypy3 on the path)")
    parser.add_argument("--jit", action="append", metavar="PATH", help="a CPython with a JIT of its own",
                        default=[path for path in map(shutil.which, ("python3.14", "python3.15")) if path])
    parser.add_argument("--no-peers", action="store_true", help="no PyPy, no other JIT")
    parser.add_argument("--explain", action="store_true", help="also run without the garbage collector, and say what the misses come from; with --all, "
                        "run what falls below once more, beside plain again, an idle compiler (idle.py), and without the collector")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    parser.add_argument("--list", action="store_true", help="run each program once, plain, and say which work")
    options = parser.parse_args()
    if options.seconds is None:
        options.seconds = MOST_SECONDS_ALL if options.all else MOST_SECONDS
    return options


def list_programs(programs, skipped):
    """Which programs work, plain."""
    for program in programs:
        try:
            found = suite.run(program, [sys.executable])
        except suite.Failed as problem:
            skipped.append((program.name, str(problem)))
        else:
            shown = ", ".join(f"{name} {milliseconds(part['values'][-1] / part['loops'] / part['inner'])} ms" for name, part in found.items())
            print(f"{program.name}: {shown}", flush=True)
    for name, reason in skipped:
        print(f"{name}: not run: {reason}")


def main():
    options = parse()
    if options.python:
        place = next(number for number, word in enumerate(sys.argv) if word.startswith("--python"))
        rest = sys.argv[:place] + sys.argv[place + (1 if "=" in sys.argv[place] else 2):]
        os.execvp(options.python, [options.python, *rest])
    available = suite.programs(suite.fetch(options.cache))
    programs, skipped = chosen(available, options)
    if options.list:
        list_programs(programs, skipped)
        return
    suite.compile_packages()
    launchers = ways(options)
    others = [way for way in launchers if way not in ("plain", "jit") and not way.endswith(NO_COLLECTOR)]
    rows, benchmarks = [], {}
    for program in programs:
        try:
            measured = measure(program, launchers, options, options.rounds)
        except suite.Failed as problem:
            skipped.append((program.name, f"fails plain: {problem}"))
            continue
        benchmarks[program] = list(measured)
        for name, found in measured.items():
            row = Row(name, TARGETS.get(name, LEAST), found)
            rows.append(row)
            print("  ".join(str(cell) for cell in row.cells(others)) + (f"  {row.failure}" if row.failure else ""), flush=True)
    parts = [f"## {'All programs' if options.all else 'Programs'}\n\n    {command_line()}\n\n{processor()}; {interpreter()}; {load()}. The files of pyperformance "
             f"{suite.VERSION}, under `python -m jit run` against plain, the same interpreter; {options.rounds} rounds, value by value in turn. Warm: median "
             "of the last third of the turns, of which milliseconds are the best; cold: whole processes of pyperf's default number of values, start and compile time in; first: "
             "whole processes of four values. Other columns are ratios over plain, warm.", rows_table(rows, others),
             "\n".join(aims(rows))]
    ending = ["Not run: " + "; ".join(f"{name} ({reason})" for name, reason in skipped) + "."] if skipped else []
    if options.explain and options.all:
        publish(parts + ending, options)  # what follows takes as long again: if it is stopped, nothing is lost
        again, explanation = [], []
        for found in repeated(rows, benchmarks, options):
            again += found
            explanation = [repeated_text(again, len(fallen(rows)))]
            publish(parts + explanation + ending, options)
        parts += explanation
    elif options.explain:
        parts.append("What the misses come from: the ratio without the collector on either side; and what the whole run consists of, under the JIT: the "
                     "program's start as it is plain, its values as if all had been warm, loading and compiling, and what else was spent, most of it in "
                     "code that was still interpreted. At best: cold/warm if there were only the first two.\n\n" + explained(rows))
    parts += ending
    print("\n" + "\n\n".join(parts))
    publish(parts, options)


def publish(parts, options):
    """Put the tables into docs/BENCHMARKS.md, if that is asked for."""
    if options.write:
        write_section("all programs" if options.all else "programs", "\n\n".join(parts))


if __name__ == "__main__":
    main()
