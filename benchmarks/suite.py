"""pyperformance's own benchmark files: fetched from the package index, listed, and run unchanged with a stub of pyperf."""

import compileall
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STUB = os.path.join(ROOT, "benchmarks", "stub")
PACKAGES = ("jit", "asm", "regalloc", "platforms")
VERSION = "1.14.0"
INSIDE = "pyperformance/data-files/benchmarks/"
#: Seconds after which a child process is given up.
LONGEST_RUN = 900


class Failed(Exception):
    """A child process did not end well; says why in one line."""


class Program:
    """A benchmark of pyperformance.

    Attributes:
        name: pyperformance's. file: the Python file. options: its arguments. requires: packages it needs besides pyperf.
        oldest: (major, minor) of the oldest Python it is for.
    """

    def __init__(self, name, file, options, requires, oldest):
        self.name = name
        self.file = file
        self.options = options
        self.requires = requires
        self.oldest = oldest

    def __repr__(self):
        return f"Program({self.name!r})"


def default_cache():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "purejit")


def fetch(cache, version=VERSION):
    """The folder of the benchmark files; they are downloaded once.

    Args:
        cache: folder that keeps them. version: of pyperformance.
    """
    place = os.path.join(cache, f"pyperformance-{version}")
    folder = os.path.join(place, *INSIDE.split("/"))
    if os.path.isdir(folder):
        return folder
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", work,
                   f"pyperformance=={version}"]
        if subprocess.run(command).returncode:
            raise SystemExit(f"pyperformance {version} could not be downloaded")
        wheel, = (name for name in os.listdir(work) if name.endswith(".whl"))
        unpacked = os.path.join(work, "unpacked")
        with zipfile.ZipFile(os.path.join(work, wheel)) as archive:
            archive.extractall(unpacked, [name for name in archive.namelist() if name.startswith(INSIDE)])
        os.rename(unpacked, place)
    return folder


def compile_packages():
    """Have the bytecode of our packages on disk, as an installed distribution does; not every checkout has."""
    for package in PACKAGES:
        compileall.compile_dir(os.path.join(ROOT, package), quiet=2)


def parse_requirement(text):
    """The (major, minor) in a text such as ">=3.11"."""
    return tuple(map(int, text.removeprefix(">=").split(".")[:2]))


def programs_of(folder):
    """The programs in one benchmark's folder: of pyproject.toml, and of variants, which state what differs."""
    base, found = {}, []
    names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    for name in sorted(names, key=lambda name: name != "pyproject.toml"):
        with open(os.path.join(folder, name), "rb") as file:
            text = tomllib.load(file)
        project = {**base, **text.get("project", {})}
        if name == "pyproject.toml":
            base = project
        tool = text.get("tool", {}).get("pyperformance", {})
        requires = [word for word in project.get("dependencies", []) if word != "pyperf"]
        found.append(Program(tool["name"], os.path.join(folder, "run_benchmark.py"), tool.get("extra_opts", []), requires,
                             parse_requirement(project.get("requires-python", ">=3.8"))))
    return found


def programs(folder):
    """All programs, by name."""
    found = []
    for name in sorted(os.listdir(folder)):
        if name.startswith("bm_") and os.path.exists(os.path.join(folder, name, "pyproject.toml")):
            found += programs_of(os.path.join(folder, name))
    return {program.name: program for program in sorted(found, key=lambda program: program.name)}


class Child:
    """A run of a program in a child process, which waits for its turn before each value.

    Attributes:
        process: the child. ended: time.monotonic() when it was found to have ended.
    """

    def __init__(self, program, launcher, loops=None, values=None, **environment):
        """Args: see `run`."""
        self.work = tempfile.TemporaryDirectory()
        self.report = os.path.join(self.work.name, "report.json")
        self.errors = open(os.path.join(self.work.name, "errors"), "w+", errors="replace")
        go_on, self.go_on = os.pipe()
        self.asked, ask = os.pipe()
        self.begun, self.ended = time.monotonic(), None
        plan = {"report": self.report, "launcher": launcher, "loops": loops or {}, "values": values or {}, "started": self.begun, "turns": [go_on, ask]}
        # Where the library has no lib2to3 any more, 2to3 would install the copy that comes with it.
        vendored = os.path.join(os.path.dirname(program.file), "vendor", "src")
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join([STUB, ROOT, vendored]), "PYTHONHASHSEED": "0",
                     "PYPERF_PLAN": json.dumps(plan), **environment}
        try:
            self.process = subprocess.Popen([*launcher, program.file, *program.options], cwd=self.work.name, env=variables, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=self.errors, pass_fds=(go_on, ask))
        finally:
            os.close(go_on)
            os.close(ask)
        self.end = os.pidfd_open(self.process.pid)

    def waits(self):
        """Whether it waits for its turn, when it does, or not any more, when it has ended. It is given up after LONGEST_RUN."""
        left = self.begun + LONGEST_RUN - time.monotonic()
        ready, _, _ = select.select([self.asked, self.end], [], [], max(0.0, left))
        if self.asked in ready and os.read(self.asked, 1):
            return True
        if not ready:
            self.process.kill()
        self.process.wait()
        self.ended = time.monotonic() if ready else None
        return False

    def take_turn(self):
        """Let it go on to its next turn; returns whether there is one."""
        os.write(self.go_on, b".")
        return self.waits()

    def close(self):
        """Let go of all, its process included."""
        self.process.kill()
        self.process.wait()
        for descriptor in (self.go_on, self.asked, self.end):
            os.close(descriptor)
        self.errors.close()
        self.work.cleanup()

    def found(self):
        """The report of a child that has ended, or Failed."""
        if self.ended is None:
            return Failed(f"not done after {LONGEST_RUN} s")
        if self.process.returncode:
            self.errors.seek(0)
            return Failed(last_word(self.errors.read(), self.process.returncode))
        try:
            with open(self.report) as file:
                return with_wholes(json.load(file), self.ended)
        except FileNotFoundError:
            return Failed("measured nothing")


def run_by_turns(program, launchers, loops=None, values=None):
    """Run a program once in each of several ways: value by value in turn, so that whatever slows the machine down meets all alike.

    Args:
        program: a Program. launchers: by way, (list of str that stands for `python`, environment variables to set). loops, values: by benchmark's name; without
        loops it is calibrated.

    Returns:
        by way, the stub's report, each benchmark with `whole`: seconds from its begin, that of the process for the first, to its
        end, that of the process for the last, without those in which it waited for its turn; or Failed, if it did.
    """
    children = {}
    try:
        waiting = []
        for way, (launcher, environment) in launchers.items():
            children[way] = child = Child(program, launcher, loops, values, **environment)
            if child.waits():
                waiting.append(child)
        while waiting:
            waiting = [child for child in waiting if child.take_turn()]
        return {way: child.found() for way, child in children.items()}
    finally:
        for child in children.values():
            child.close()


def run(program, launcher, loops=None, values=None, **environment):
    """Run a program in one way only, see `run_by_turns`.

    Raises:
        Failed: the program failed.
    """
    found = run_by_turns(program, {"": (launcher, environment)}, loops, values)[""]
    if isinstance(found, Failed):
        raise found
    return found


def with_wholes(report, ended):
    """The report, each benchmark with `whole`: the last ends with the process."""
    last = list(report.values())[-1]
    last["ended"] = ended - last["waited"]
    for found in report.values():
        found["whole"] = found["ended"] - found["begun"]
    return report


def last_word(errors, status):
    words = errors.strip().splitlines() or [""]
    if status < 0:
        return f"killed by signal {-status}"
    return words[-1][:120] or f"exit status {status}"
