"""A process that runs cases: ``python -m fuzz.worker``, job on standard input, one JSON object a line on standard output.

Two kinds of job: "explore" makes and runs cases until its time or number is up; "judge" runs the cases it is sent. Before a case
runs, it is written into a shared file, so that whoever watches knows what killed or stopped this process.
"""

import gc
import json
import mmap
import os
import resource
import struct
import sys
import time
import warnings

from fuzz import targets
from fuzz.explore import Explorer

#: Address space of a worker: enough for all cases; more is a MemoryError for either side.
MEMORY_LIMIT = 1 << 30
#: The shared file: number of the case, length of its text, text.
SHARED_SIZE = 1 << 20
_HEAD = struct.Struct("<qq")
#: Cases between progress reports, and between garbage collections.
REPORT_EVERY, COLLECT_EVERY = 50, 200


class AtWork:
    """The shared file in which a worker notes its case."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), SHARED_SIZE)

    @staticmethod
    def create(path):
        """Make the file."""
        with open(path, "wb") as file:
            file.truncate(SHARED_SIZE)

    def note(self, number, text):
        """Case `number` begins; `text`: bytes, left out if too long."""
        if len(text) > SHARED_SIZE - _HEAD.size:
            text = b""
        self.map[_HEAD.size:_HEAD.size + len(text)] = text
        self.map[:_HEAD.size] = _HEAD.pack(number, len(text))

    def read(self):
        """(number, text) of the case that began last; (0, b"") before the first."""
        number, length = _HEAD.unpack(self.map[:_HEAD.size])
        return number, self.map[_HEAD.size:_HEAD.size + length]


def explore(job, at_work, report):
    """Make and run cases.

    Args:
        job: dict with target, options, seed, worker, first (number of the first case), seconds or None, count or None,
        features, kept. at_work: AtWork. report: called with a dict per event.
    """
    target = targets.make(job["target"], job["options"])
    explorer = Explorer(job["seed"], job["worker"], job["features"], job["kept"])
    ends = None if job["seconds"] is None else time.monotonic() + job["seconds"]
    number, last, skipped = job["first"], None, 0
    if job["count"] is not None:
        last = job["first"] + job["count"]
    while (ends is None or time.monotonic() < ends) and (last is None or number < last):
        choices = explorer.choices(number)
        case = target.case(choices)
        at_work.note(number, json.dumps([case, choices.recipe]).encode())
        verdict = target.run(case)
        skipped += bool(verdict.skipped)
        new = explorer.take_up(choices.recipe, verdict.features)
        if verdict.difference is not None:
            report({"event": "found", "signature": verdict.difference.signature, "detail": verdict.difference.detail, "case": case,
                    "recipe": choices.recipe, "number": number})
        if new:
            report({"event": "new", "features": sorted(new), "recipe": choices.recipe})
        number += 1
        if number % REPORT_EVERY == 0:
            report({"event": "progress", "number": number, "skipped": skipped})
        if number % COLLECT_EVERY == 0:
            gc.collect()
    report({"event": "done", "number": number, "skipped": skipped})


def judge(job, at_work, report):
    """Run the cases that come in, one JSON text a line, until the input ends; report each verdict."""
    target = targets.make(job["target"], job["options"])
    report({"event": "ready"})
    for number, line in enumerate(sys.stdin, 1):
        case = json.loads(line)
        at_work.note(number, json.dumps([case, []]).encode())
        verdict = target.run(case)
        difference = verdict.difference
        report({"event": "verdict", "signature": difference and difference.signature, "detail": difference and difference.detail,
                "skipped": verdict.skipped, "features": sorted(verdict.features)})


def main():
    """Read the job, work, end. What cases print is thrown away."""
    sink = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    job = json.loads(sys.stdin.readline())
    warnings.simplefilter("ignore")
    if job.get("fault"):
        from fuzz.faults import FAULTS
        FAULTS[job["fault"]].plant()

    def report(event):
        sink.write(json.dumps(event) + "\n")

    {"explore": explore, "judge": judge}[job["kind"]](job, AtWork(job["shared"]), report)


if __name__ == "__main__":
    main()
