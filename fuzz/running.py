"""A run: several workers explore one target; what they find and reach is stored and shown."""

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from fuzz.processes import Death, Worker


@dataclass
class Summary:
    """What a run came to.

    Attributes:
        programs: cases run. skipped: those that said nothing. features: all reached. findings: signature -> times met.
        numbers: signature -> number in the store.
    """

    target: str
    seed: str
    seconds: float = 0.0
    programs: int = 0
    skipped: int = 0
    features: set = field(default_factory=set)
    findings: Counter = field(default_factory=Counter)
    numbers: dict = field(default_factory=dict)


@dataclass
class Slot:
    """A worker's place in a run: the process, and what a successor has to know if it dies."""

    number: int
    worker: Worker = None
    first: int = 1
    done: int = 0
    skipped: int = 0
    kept: list = field(default_factory=list)
    features: set = field(default_factory=set)
    finished: bool = False


class Run:
    """Explore a target for a time.

    Args:
        target: name. seed: text. seconds: clock time, or None. count: cases per worker, or None. jobs: number of workers.
        store: Store or None. options: the target's. fault: name of a fault to plant (see fuzz/faults.py) or None.
        first: stop at the first finding. known: store.Entry list to begin with. show: called with the Summary and the seconds left.
    """

    def __init__(self, target, seed, seconds=None, count=None, jobs=1, store=None, options=None, fault=None, first=False,
                 known=(), show=lambda summary, left: None):
        self.job = {"kind": "explore", "target": target, "options": options or {}, "seed": str(seed), "fault": fault}
        self.summary = Summary(target, str(seed))
        self.seconds, self.count, self.store, self.first, self.show = seconds, count, store, first, show
        self.slots = [Slot(number, kept=[entry.recipe for entry in known],
                           features={feature for entry in known for feature in entry.features}) for number in range(jobs)]

    def run(self):
        """Run to the end; returns the Summary. Ctrl-C ends it early, with all that was found."""
        started = time.monotonic()
        try:
            for slot in self.slots:
                self.start(slot, self.seconds)
            while not all(slot.finished for slot in self.slots):
                self.turn(started)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
        finally:
            for slot in self.slots:
                if slot.worker is not None:
                    slot.worker.close()
            self.summary.seconds = time.monotonic() - started
            self.total()
        if self.store is not None:
            self.store.add_run(self.summary.target, self.summary.seed, self.summary.seconds, self.summary.programs)
        return self.summary

    def start(self, slot, seconds):
        left = None if self.count is None else self.count - (slot.first - 1)
        slot.worker = Worker({**self.job, "worker": slot.number, "first": slot.first, "seconds": seconds, "count": left,
                              "features": sorted(slot.features), "kept": slot.kept})

    def turn(self, started):
        """Take up what the workers report."""
        for slot in self.slots:
            if slot.finished:
                continue
            try:
                for event in slot.worker.events(0.2 / len(self.slots)):
                    self.take_up(slot, event)
            except Death as death:
                self.bury(slot, death, started)
        self.total()
        left = None if self.seconds is None else self.seconds - (time.monotonic() - started)
        self.show(self.summary, left)

    def take_up(self, slot, event):
        kind = event["event"]
        if kind == "found":
            self.found(event["signature"], event["detail"], event["case"], event["recipe"])
        elif kind == "new":
            slot.features.update(event["features"])
            slot.kept.append(event["recipe"])
            self.summary.features.update(event["features"])
            if self.store is not None:
                self.store.add_corpus(self.summary.target, event["recipe"], event["features"])
        else:
            slot.done, slot.skipped = event["number"] - 1, event["skipped"]
            slot.finished = slot.finished or kind == "done"

    def bury(self, slot, death, started):
        """A worker has died of its case: that is a finding, and another goes on behind it."""
        slot.worker.close()
        if death.case is None:
            raise RuntimeError(f"a worker ended before its first case\n{death.detail}")
        self.found(death.signature, death.detail, death.case, death.recipe)
        slot.first, slot.done = death.number + 1, death.number
        left = None if self.seconds is None else self.seconds - (time.monotonic() - started)
        if slot.finished or left is not None and left <= 0:
            slot.finished = True
        else:
            self.start(slot, left)

    def found(self, signature, detail, case, recipe):
        self.summary.findings[signature] += 1
        if self.store is not None:
            number, _ = self.store.add_finding(self.summary.target, signature, detail, case, recipe, self.summary.seed, versions())
            self.summary.numbers[signature] = number
        if self.first:
            for slot in self.slots:
                slot.finished = True

    def total(self):
        self.summary.programs = sum(slot.done for slot in self.slots)
        self.summary.skipped = sum(slot.skipped for slot in self.slots)


def versions():
    """What a finding was made with: Python and purejit."""
    from importlib.metadata import PackageNotFoundError, version
    try:
        own = version("purejit")
    except PackageNotFoundError:
        own = "not installed"
    return f"Python {sys.version.split()[0]}, purejit {own}"
