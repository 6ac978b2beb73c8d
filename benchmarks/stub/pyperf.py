"""What the files of pyperformance use of pyperf, for a single process that is told by its parent what to measure.

The parent (benchmarks/programs.py) gives a plan in the environment variable PYPERF_PLAN, as JSON:
    report: the file to write; started: time.monotonic() when the process was started;
    loops, values: for each benchmark's name, loops of a value and number of values. A name that is missing is calibrated: loops
        are doubled until a value takes as long as pyperf's do, and no values are measured;
    launcher: what takes the place of sys.executable in benchmarks that run a command;
    turns: descriptors to read a byte from before each value, and to write one to that asks for it: other processes run meanwhile.
The report is, for each benchmark's name, loops, inner (loops within a loop), values (seconds), begun and ended (monotonic, of a clock that stands still while it waits
for its turn) and waited (seconds by then). Without a plan
three values of each benchmark are measured and printed.
The report also says how many seconds of the processor's time the JIT has taken for itself, where there is one: `compiling`.
Keeps to Python 3.9, for PyPy. With PYPERF_GC=off the garbage collector is off. With PYPERF_CLOCK=thread the clock of the program's main thread is used, for machines that are busy.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import subprocess
import sys
import time

perf_counter = time.thread_time if os.environ.get("PYPERF_CLOCK") == "thread" else time.perf_counter

if os.environ.get("PYPERF_GC") == "off":
    gc.disable()

#: Seconds that a value takes at least: pyperf's --min-time.
SHORTEST_VALUE = 0.1
VALUES_WITHOUT_PLAN = int(os.environ.get("VALS", 3))


def python_implementation():
    return platform.python_implementation().lower()


def read_plan():
    text = os.environ.get("PYPERF_PLAN")
    return json.loads(text) if text else {}


class Turns:
    """Waits for its turn.

    Attributes:
        descriptors: (to read from, to write to), or None: it is always this process's turn. waited: seconds so far.
    """

    def __init__(self, descriptors):
        self.descriptors = descriptors
        self.waited = 0.0

    def wait(self):
        if self.descriptors:
            go_on, ask = self.descriptors
            asked = time.monotonic()
            os.write(ask, b".")
            if not os.read(go_on, 1):
                raise SystemExit("nobody measures this any more")
            self.waited += time.monotonic() - asked

    def clock(self):
        """Seconds of the monotonic clock, without those in which it waited."""
        return time.monotonic() - self.waited


TURNS = Turns(read_plan().get("turns"))


def calibrate(measure, shortest=SHORTEST_VALUE):
    """Loops of a value, and the seconds it takes.

    Args:
        measure: function of a number of loops that returns seconds. shortest: how many a value has to take at least.
    """
    loops = 1
    while True:
        seconds = measure(loops)
        if seconds >= shortest:
            return loops, seconds
        loops *= 2


class Runner:
    """Stands for pyperf.Runner.

    Attributes:
        argparser: of the program's own options. args: what parse_args found, or None before. metadata: not used.
    """

    def __init__(self, values=None, add_cmdline_args=None, **options):
        self.argparser = argparse.ArgumentParser()
        self.args = None
        self.metadata = {}
        self.plan = read_plan()
        self.begun = self.plan.get("started", TURNS.clock())
        self.report = {}

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, function, *arguments, inner_loops=None, metadata=None):
        """Measure a function that takes a number of loops and returns the seconds they took."""
        self.run(name, lambda loops: function(loops, *arguments), inner_loops)

    def bench_func(self, name, function, *arguments, inner_loops=None, metadata=None):
        """Measure calls of a function."""
        def measure(loops):
            numbers = range(loops)
            started = perf_counter()
            for _ in numbers:
                function(*arguments)
            return perf_counter() - started

        self.run(name, measure, inner_loops)

    def bench_async_func(self, name, function, *arguments, inner_loops=None, metadata=None, loop_factory=None):
        """Measure awaiting what a function returns, in an event loop that is new for each value."""
        async def repeat(loops):
            numbers = range(loops)
            started = perf_counter()
            for _ in numbers:
                await function(*arguments)
            return perf_counter() - started

        def measure(loops):
            if loop_factory is None:
                return asyncio.run(repeat(loops))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(repeat(loops))

        self.run(name, measure, inner_loops)

    def bench_command(self, name, command):
        """Measure running a command."""
        launcher = self.plan.get("launcher")
        if launcher and command[0] == sys.executable:
            # Options of the interpreter's own, such as -S, come before -m.
            own = next((place for place, word in enumerate(command[1:], 1) if word in ("-c", "-m") or not word.startswith("-")), len(command))
            command = [launcher[0], *command[1:own], *launcher[1:], *command[own:]]

        def measure(loops):
            started = perf_counter()
            for _ in range(loops):
                subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            return perf_counter() - started

        self.run(name, measure, None)

    @staticmethod
    def compiling():
        """Seconds that purejit has spent in this process."""
        module = sys.modules.get("jit.budget")
        return module.BUDGET.spent if module is not None else 0.0

    @staticmethod
    def take_turn(measure, loops):
        """A value, when it is this process's turn."""
        TURNS.wait()
        return measure(loops)

    def run(self, name, measure, inner_loops):
        """Do what the plan says of a benchmark, and report."""
        self.parse_args()
        loops = self.plan.get("loops", {}).get(name)
        if loops is None:
            loops, seconds = calibrate(measure)
            values = [seconds]
            if not self.plan:
                values = [measure(loops) for _ in range(VALUES_WITHOUT_PLAN)]
        else:
            values = [self.take_turn(measure, loops) for _ in range(self.plan["values"][name])]
        inner = inner_loops or 1
        ended = TURNS.clock()
        self.report[name] = {"loops": loops, "inner": inner, "values": values, "begun": self.begun, "ended": ended,
                             "waited": TURNS.waited, "compiling": self.compiling()}
        self.begun = ended
        self.write(name)

    def write(self, name):
        """Write what is known so far: a later benchmark of the file may fail."""
        if self.plan:
            with open(self.plan["report"], "w") as file:
                json.dump(self.report, file)
        else:
            found = self.report[name]
            values = sorted(value / found["loops"] / found["inner"] for value in found["values"])
            print(f"{name}: median {values[len(values) // 2]:.6g} s, best {values[0]:.6g} s", flush=True)
