"""Target "interpreters": the same programs in this Python and in another; no compiler of ours is involved.

Between versions and implementations, results, arguments, globals and exception types must agree; messages, tracebacks and locals
are compared only if the other is of the same version (CPython's own JIT, say, switched on by an environment variable).
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import weakref

from fuzz import outsider
from fuzz.generators import programs
from fuzz.observe import first_difference
from fuzz.processes import ROOT
from fuzz.program import Program
from fuzz.reducing import smaller_programs
from fuzz.targets import BaseTarget, Difference, Verdict

#: Seconds the other Python may take for one program.
PATIENCE = 20.0


class Other:
    """The other Python, started when it is needed.

    Attributes:
        version: its sys.version.
    """

    def __init__(self, python, environment):
        path = shutil.which(python)
        if path is None:
            raise RuntimeError(f"there is no program {python!r}")
        self.command = [path, "-X", "faulthandler", "-m", "fuzz.outsider"]
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **environment}
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=self.environment, cwd="/")
        self.finalizer = weakref.finalize(self, _stop, self.process)
        self.version = self.answer()
        if self.version is None:
            raise RuntimeError(f"{self.command[0]} does not run fuzz.outsider")

    def answer(self):
        """The next line it writes, decoded; None if it has ended."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(PATIENCE):
                self.process.kill()
                raise TimeoutError
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def outcomes(self, program):
        """What the calls of a program come to there; None if it cannot be loaded; a text if the process died or hung."""
        try:
            self.process.stdin.write(json.dumps(program).encode() + b"\n")
            self.process.stdin.flush()
            line = self.answer()
        except (BrokenPipeError, TimeoutError) as problem:
            line = problem
        if self.process.poll() is None and not isinstance(line, Exception) and line is not None:
            return line
        if line is None and self.process.poll() is None:
            return None
        self.process.kill()
        code = self.process.wait()
        self.finalizer()
        self.start()
        return "hang" if isinstance(line, TimeoutError) else f"ended with {code}"


def _stop(process):
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        try:
            stream.close()
        except BrokenPipeError:
            pass


class Target(BaseTarget):
    """Cases are programs. Options: "against", a Python; "environment", a dict."""

    name = "interpreters"

    def __init__(self, options=None):
        super().__init__(options)
        self.other = None

    def connect(self):
        if self.other is None:
            self.other = Other(self.options.get("against", sys.executable), self.options.get("environment", {}))
            self.strict = self.other.version.split()[0] == sys.version.split()[0] and ("PyPy" in self.other.version) == ("PyPy" in sys.version)
        return self.other

    def case(self, choices):
        return programs.source_program(choices).as_case()

    def run(self, case):
        sent = {name: case[name] for name in ("source", "entry", "calls")}
        theirs = self.connect().outcomes(sent)
        ours = json.loads(json.dumps(outsider.run_program(sent)))
        if isinstance(theirs, str):
            return Verdict(Difference(f"the other Python: {theirs}", self.other.version))
        if ours is None or theirs is None:
            return Verdict(skipped="it does not load in both")
        for number, (one, two) in enumerate(zip(ours, theirs)):
            found = first_difference(self.comparable(one), self.comparable(two))
            if found:
                what, wanted, got = found
                call = case["calls"][number % len(case["calls"])]
                return Verdict(Difference(what, f"{case['entry']}(*{call})\n  this: {wanted}\n  other: {got}"))
        return Verdict(features=frozenset(_features(case["source"])))

    def comparable(self, found):
        """An outcome without what may differ between versions."""
        if self.strict or "exception" not in found:
            return found
        kind, *_ = found["exception"]
        return {**found, "exception": (kind, None, None, None, None, None, None)}

    def reduce(self, case):
        for changes in smaller_programs(Program.from_case(case)):
            yield {**case, **changes}

    def text(self, case):
        return Program.from_case(case).text()


def _features(source):
    """Opcodes of a program: what else is reached in another interpreter cannot be seen from here."""
    import dis
    found, codes = set(), [compile(source, "<fuzz>", "exec")]
    while codes:
        code = codes.pop()
        names = [instruction.opname for instruction in dis.get_instructions(code)]
        found.update(f"pair:{one},{two}" for one, two in zip(names, names[1:]))
        codes.extend(constant for constant in code.co_consts if hasattr(constant, "co_code"))
    return found
