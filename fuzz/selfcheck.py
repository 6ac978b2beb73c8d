"""Proof that the harness finds bugs: plant one fault at a time, hunt it, see how long that takes."""

import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

from fuzz.faults import FAULTS
from fuzz.running import Run

#: Seconds a fault is hunted. What must be found in all, and within QUICK seconds.
HUNT, QUICK = 60.0, 5.0
WANTED, WANTED_QUICKLY = 28 / 30, 0.5

Hunt = namedtuple("Hunt", "fault seconds programs signature")
Hunt.__doc__ = """How one hunt went: Fault or None (nothing planted), seconds until found or None, cases run, signature found or ""."""


def hunt(fault, target, seed, seconds=HUNT):
    """Run a target with a fault planted until something is found."""
    started = time.monotonic()
    run = Run(target, seed, seconds=seconds, fault=fault and fault.name, first=True)
    summary = run.run()
    found = next(iter(summary.findings), "")
    return Hunt(fault, time.monotonic() - started if found else None, summary.programs, found)


def selfcheck(names=None, seed="selfcheck", seconds=HUNT, jobs=1, show=lambda hunt: None):
    """Hunt every fault, and nothing at all.

    Args:
        names: of faults, or None for all. jobs: hunts at a time. show: called with each Hunt as it ends.

    Returns:
        (list of Hunts of faults, list of Hunts with nothing planted).
    """
    chosen = [FAULTS[name] for name in names] if names else list(FAULTS.values())

    def one(fault, target):
        ended = hunt(fault, target, seed, seconds)
        show(ended)
        return ended

    targets = list(dict.fromkeys(fault.target for fault in chosen))
    with ThreadPoolExecutor(jobs) as pool:
        with_fault = [pool.submit(one, fault, fault.target) for fault in chosen]
        without = [pool.submit(one, None, target) for target in targets]
        return [job.result() for job in with_fault], [job.result() for job in without]


def table(hunts, without, seconds=HUNT):
    """The result as a Markdown table."""
    lines = ["| fault | part | target | found after | what was seen |", "|---|---|---|---:|---|"]
    for found in sorted(hunts, key=lambda item: (item.fault.part, item.fault.name)):
        when = f"not in {seconds:.0f} s" if found.seconds is None else f"{found.seconds:.1f} s"
        lines.append(f"| {found.fault.name} | {found.fault.part} | {found.fault.target} | {when} | {found.signature} |")
    for clean in without:
        seen = clean.signature or "nothing"
        lines.append(f"| (none planted) | | | | {seen} in {clean.programs} cases |")
    times = [found.seconds for found in hunts if found.seconds is not None]
    lines.append("")
    lines.append(f"{len(times)} of {len(hunts)} found within {seconds:.0f} s, {sum(time <= QUICK for time in times)} within {QUICK:.0f} s.")
    return "\n".join(lines)


def is_good(hunts, without):
    """Whether enough was found, quickly enough, and nothing where nothing was planted."""
    times = [found.seconds for found in hunts if found.seconds is not None]
    return len(times) >= WANTED * len(hunts) and sum(time <= QUICK for time in times) >= WANTED_QUICKLY * len(hunts) and \
        not any(clean.signature for clean in without)


def print_hunt(ended):
    """One line on standard error."""
    name = ended.fault.name if ended.fault else "nothing planted"
    when = "not found" if ended.seconds is None else f"{ended.seconds:.1f} s"
    print(f"{name}: {when}, {ended.programs} cases {ended.signature}", file=sys.stderr, flush=True)
