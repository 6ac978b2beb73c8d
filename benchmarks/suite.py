"""pyperformance's own benchmark files: fetched from the package index, listed, and run unchanged with a stub of pyperf."""

import compileall
import json
import os
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


def run(program, launcher, loops=None, values=None, **environment):
    """Run a program once, in a child process.

    Args:
        program: a Program. launcher: list of str that stands for `python`. loops, values: by benchmark's name; without
        loops it is calibrated. environment: variables to set.

    Returns:
        the stub's report, each benchmark with `whole`: seconds from its begin, that of the process for the first, to its
        end, that of the process for the last.

    Raises:
        Failed: the program failed.
    """
    with tempfile.TemporaryDirectory() as work:
        report = os.path.join(work, "report.json")
        plan = {"report": report, "launcher": launcher, "loops": loops or {}, "values": values or {}, "started": time.monotonic()}
        # Where the library has no lib2to3 any more, 2to3 would install the copy that comes with it.
        vendored = os.path.join(os.path.dirname(program.file), "vendor", "src")
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join([STUB, ROOT, vendored]), "PYTHONHASHSEED": "0",
                     "PYPERF_PLAN": json.dumps(plan), **environment}
        try:
            done = subprocess.run([*launcher, program.file, *program.options], cwd=work, env=variables, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=LONGEST_RUN)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {LONGEST_RUN} s") from None
        ended = time.monotonic()
        if done.returncode:
            raise Failed(last_word(done.stderr, done.returncode))
        try:
            with open(report) as file:
                return with_wholes(json.load(file), ended)
        except FileNotFoundError:
            raise Failed("measured nothing") from None


def with_wholes(report, ended):
    """The report, each benchmark with `whole`: the last ends with the process."""
    last = list(report.values())[-1]
    last["ended"] = ended
    for found in report.values():
        found["whole"] = found["ended"] - found["begun"]
    return report


def last_word(errors, status):
    words = errors.strip().splitlines() or [""]
    if status < 0:
        return f"killed by signal {-status}"
    return words[-1][:120] or f"exit status {status}"
