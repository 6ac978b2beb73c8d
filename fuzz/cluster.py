"""A run spread over a Dask cluster (dask.distributed, extra ``purejit[cluster]``).

Work is sent in slices of some seconds. Each slice runs in a process of its own on the cluster's worker, so that a case that
crashes takes nothing else with it; a slice whose cluster worker is lost is sent again. Findings and corpus are merged here.
"""

import sys
import time

from fuzz.processes import Death, Worker
from fuzz.running import Summary, versions

#: Seconds of one slice; slices under way for each worker thread of the cluster; how often a lost one is sent again.
SLICE, AHEAD, RETRIES = 10.0, 2, 3
#: Recipes sent along, the newest.
KEPT = 200


def explore_slice(job):
    """Explore for a while; runs on the cluster.

    Args:
        job: see fuzz/worker.py.

    Returns:
        dict: events (found and new ones), programs, skipped.
    """
    events, programs, skipped = [], 0, 0
    worker = Worker(job)
    ends = time.monotonic() + job["seconds"]
    try:
        while True:
            try:
                for event in worker.events(0.5):
                    if event["event"] in ("found", "new"):
                        events.append(event)
                    else:
                        programs, skipped = event["number"] - job["first"], event["skipped"]
                    if event["event"] == "done":
                        return {"events": events, "programs": programs, "skipped": skipped}
            except Death as death:
                events.append({"event": "found", "signature": death.signature, "detail": death.detail, "case": death.case,
                               "recipe": death.recipe})
                programs = death.number
                left = ends - time.monotonic()
                if left <= 0 or death.case is None:
                    return {"events": events, "programs": programs, "skipped": skipped}
                worker.close()
                worker = Worker({**job, "first": death.number + 1, "seconds": left})
    finally:
        worker.close()


class ClusterRun:
    """Explore a target on a cluster; the same interface as `fuzz.running.Run`.

    Raises:
        RuntimeError: dask.distributed is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address, target, seed, seconds, store=None, options=None, show=lambda summary, left: None):
        try:
            from distributed import Client
        except ImportError:
            raise RuntimeError("--dask needs dask.distributed: pip install 'purejit[cluster]'") from None
        try:
            self.client = Client(address, timeout=20)
        except (OSError, ValueError) as problem:
            raise RuntimeError(f"no Dask cluster at {address}: {problem}") from None
        self.summary = Summary(target, str(seed))
        self.seconds, self.store, self.options, self.show = seconds, store, options or {}, show
        self.slices, self.kept = 0, []

    def job(self, left):
        """The next slice: a worker number of its own, and what is known."""
        self.slices += 1
        return {"kind": "explore", "target": self.summary.target, "options": self.options, "seed": self.summary.seed, "fault": None,
                "worker": self.slices, "first": 1, "seconds": min(SLICE, left), "count": None,
                "features": sorted(self.summary.features), "kept": self.kept[-KEPT:]}

    def run(self):
        """Run to the end; returns the Summary."""
        from distributed import as_completed
        started = time.monotonic()
        with self.client:
            places = sum(self.client.nthreads().values()) or 1
            ends = started + self.seconds

            def submit():
                return self.client.submit(explore_slice, self.job(max(1.0, ends - time.monotonic())), pure=False, retries=RETRIES)

            under_way = as_completed([submit() for _ in range(places * AHEAD)])
            try:
                for future in under_way:
                    self.take_up(future)
                    if time.monotonic() < ends - SLICE / 2:
                        under_way.add(submit())
                    self.show(self.summary, ends - time.monotonic())
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
        self.summary.seconds = time.monotonic() - started
        if self.store is not None:
            self.store.add_run(self.summary.target, self.summary.seed, self.summary.seconds, self.summary.programs)
        return self.summary

    def take_up(self, future):
        """Merge what a slice has brought; one that was lost for good brings nothing."""
        summary, problem = self.summary, future.exception()
        if problem is not None:
            print(f"a slice was lost: {problem!r}", file=sys.stderr)
            return
        result = future.result()
        summary.programs += result["programs"]
        summary.skipped += result["skipped"]
        for event in result["events"]:
            if event["event"] == "new":
                fresh = set(event["features"]) - summary.features
                summary.features |= fresh
                if fresh:
                    self.kept.append(event["recipe"])
                    if self.store is not None:
                        self.store.add_corpus(summary.target, event["recipe"], event["features"])
            else:
                summary.findings[event["signature"]] += 1
                if self.store is not None:
                    number, _ = self.store.add_finding(summary.target, event["signature"], event["detail"], event["case"],
                                                       event["recipe"], summary.seed, versions())
                    summary.numbers[event["signature"]] = number
