"""Worker processes from outside: starting them, reading what they report, and telling how they died."""

import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time

from fuzz.worker import AtWork

ROOT = pathlib.Path(__file__).resolve().parents[1]
#: Seconds of clock time after which a case counts as hanging (its own limit, of processor time, is far below).
PATIENCE = 40.0


class Death(Exception):
    """A worker is gone.

    Attributes:
        signature: "crash: SIGSEGV", "hang", "exit 1: ...". detail: faulthandler's trace. case, recipe: at work then, or None.
        number: of that case.
    """

    def __init__(self, signature, detail, number, case, recipe):
        super().__init__(signature)
        self.signature, self.detail, self.number, self.case, self.recipe = signature, detail, number, case, recipe


class Worker:
    """One worker process.

    Args:
        job: dict, see fuzz/worker.py. python: interpreter.
    """

    def __init__(self, job, python=sys.executable):
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        shared = os.path.join(self.folder.name, "at-work")
        AtWork.create(shared)
        self.at_work = AtWork(shared)
        self.errors = open(os.path.join(self.folder.name, "errors"), "w+b")
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen([python, "-X", "faulthandler", "-m", "fuzz.worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, cwd=self.folder.name,
                                        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"})
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.pending = b""
        self.seen = (None, time.monotonic())
        self.send({**job, "shared": shared})

    def send(self, item):
        """Write one JSON line; a worker that is already gone is noticed by `events`."""
        try:
            self.process.stdin.write(json.dumps(item).encode() + b"\n")
            self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            pass

    def events(self, timeout):
        """What has been reported, waiting at most `timeout` seconds for the first.

        Raises:
            Death: the process ended otherwise than by finishing, or its case hangs (it is then killed).
        """
        if self.selector.select(timeout):
            self.pending += self.process.stdout.read() or b""
            *lines, self.pending = self.pending.split(b"\n")
            if lines:
                return [json.loads(line) for line in lines]
        if self.process.poll() is not None:
            rest = self.pending + (self.process.stdout.read() or b"")
            self.pending = b""
            if rest:
                return [json.loads(line) for line in rest.split(b"\n") if line]
            raise self.death()
        self.check_progress()
        return []

    def check_progress(self):
        """Kill a worker whose case does not end."""
        number, _ = self.at_work.read()
        if number != self.seen[0]:
            self.seen = (number, time.monotonic())
        elif time.monotonic() - self.seen[1] > PATIENCE and number:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise self.death("hang")

    def idle(self):
        """Nothing is expected of it: do not count this time as hanging."""
        self.seen = (None, time.monotonic())

    def death(self, signature=None):
        """The Death of the ended process."""
        self.errors.seek(0)
        trace = self.errors.read().decode(errors="replace")[-4000:]
        code = self.process.returncode
        if signature is None:
            if code < 0:
                signature = f"crash: {signal.Signals(-code).name}"
            else:
                last = trace.strip().splitlines()[-1:] or [""]
                signature = f"worker ended with {code}: {re.sub(r'0x[0-9a-f]+|[0-9]+', '#', last[0])[:80]}"
        number, text = self.at_work.read()
        case, recipe = json.loads(text) if text else (None, None)
        if case is not None and "way" in case:
            signature = f"{case['way']}: {signature}"
        return Death(signature, trace, number, case, recipe)

    def close(self):
        """End the process and clean up."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.selector.close()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.at_work.map.close()
        self.folder.cleanup()


class Judge:
    """Runs single cases in a process of their own, which is replaced when a case kills it."""

    def __init__(self, target, options=None, fault=None):
        self.job = {"kind": "judge", "target": target, "options": options or {}, "fault": fault}
        self.worker = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.worker is not None:
            self.worker.close()

    def verdict(self, case):
        """(signature or None, detail) of a case."""
        if self.worker is None:
            self.worker = Worker(self.job)
            self.wait_for("ready")
        self.worker.idle()
        self.worker.send(case)
        try:
            event = self.wait_for("verdict")
        except Death as death:
            self.worker.close()
            self.worker = None
            return death.signature, death.detail
        return event["signature"], event["detail"] or event["skipped"]

    def wait_for(self, kind):
        while True:
            for event in self.worker.events(1.0):
                if event["event"] == kind:
                    return event
