"""How fast the fuzz harness is, and how far it gets.

    python benchmarks/fuzzing.py            programs per second; coverage after 60 s and 600 s
    python benchmarks/fuzzing.py --selfcheck  planted faults: how soon each is found
    ... --write                             the same into docs/FUZZING.md
"""

import argparse
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from report import command_line, interpreter, processor, table, verdict, write_section

from fuzz import targets
from fuzz.choices import Seeded
from fuzz.coverage import Coverage
from fuzz.running import Run

#: Programs per second and core that are wanted of target "jit".
IN_PROCESS, IN_CHILDREN = 200, 50
#: Seconds after which coverage is looked at, and the shares wanted at the end.
STAGES, SHARES = (60, 600), {"template": 1.0, "guard": 0.95, "exit": 0.95}
MEASURED = ("jit", "encoder", "allocator", "decoder")


def in_process(name, seconds, seed="benchmark"):
    """Cases per processor second, made and run in this process: the median of three stretches."""
    target, number, rates = targets.make(name), 0, []
    for _ in range(3):
        started, first = time.process_time(), number
        while time.process_time() - started < seconds / 3:
            number += 1
            target.run(target.case(Seeded(f"{seed}:{number}")))
        rates.append((number - first) / (time.process_time() - started))
    return sorted(rates)[1]


def in_children(name, seconds):
    """Cases per second of one worker process, its start included."""
    summary = Run(name, "benchmark", seconds=seconds).run()
    return summary.programs / summary.seconds


def speed_section(seconds):
    """Markdown table of rates."""
    rows = []
    for name in MEASURED:
        one, two = in_process(name, seconds), in_children(name, seconds)
        wanted = (verdict(one >= IN_PROCESS), verdict(two >= IN_CHILDREN)) if name == "jit" else ("", "")
        rows.append((name, f"{one:.0f}", wanted[0], f"{two:.0f}", wanted[1]))
    return table(("target", "in process, a core and second", f"{IN_PROCESS}", "in a child process", f"{IN_CHILDREN}"), rows)


def coverage_section(stages, jobs):
    """Markdown table of what is reached after each stage, and the list of what never was."""
    rows, found = [], None
    for seconds in stages:
        summary = Run("jit", "coverage", seconds=seconds, jobs=jobs).run()
        found = Coverage(summary.features)
        for kind, share in SHARES.items():
            reached, total = found.reached(kind), found.total(kind)
            target = verdict(reached >= share * total) if seconds == stages[-1] else ""
            rows.append((f"{seconds} s", f"{summary.programs}", kind, f"{reached} of {total}", f"{100 * reached / total:.1f} %", target))
    text = table(("after", "programs", "what", "reached", "", "target"), rows)
    missing = [f"- {kind}: {name}" for kind in SHARES for name in found.unreached(kind)]
    return text + ("\n\nNever reached in the longest run:\n\n" + "\n".join(missing) if missing else "")


def selfcheck_section(jobs):
    """The table of `python -m fuzz selfcheck`."""
    from fuzz import selfcheck
    hunts, without = selfcheck.selfcheck(jobs=jobs, show=selfcheck.print_hunt)
    return f"{selfcheck.table(hunts, without)} Target: {verdict(selfcheck.is_good(hunts, without))}."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12.0, help="for each rate")
    parser.add_argument("--stages", type=int, nargs="*", default=STAGES, help="seconds of the coverage runs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/FUZZING.md")
    parser.add_argument("--selfcheck", action="store_true", help="planted faults instead")
    options = parser.parse_args()
    if options.selfcheck:
        name, text = "selfcheck", f"{processor()}; {interpreter()}; {options.jobs} at a time.\n\n{selfcheck_section(options.jobs)}"
    else:
        name, text = "figures", figures(options)
    print(text)
    if options.write:
        write_section(name, f"    {command_line()}\n\n{text}", os.path.join(ROOT, "docs", "FUZZING.md"))


def figures(options):
    """Rates, and coverage."""
    parts = [f"{processor()}; {interpreter()}; {options.jobs} job(s).", speed_section(options.seconds)]
    if options.stages:
        parts.append(coverage_section(options.stages, options.jobs))
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
