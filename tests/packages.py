"""Test suites of real packages, plain and with every function compiled at its first call.

    python tests/packages.py                       all, in this interpreter
    python tests/packages.py attrs sympy --python PATH --write

Packages, and sources where only these hold the tests, come from the package index at fixed versions, into a virtual environment
of each interpreter version that is kept in the user's cache folder. Compared is what became of each test, by name; hypothesis's deadlines
are lifted both times, for what takes long is no outcome. Exit status 1 if anything differs.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import outcomes
from report import command_line, write_section
from suite import default_cache

#: Where the suites find the compiler, and plugins of pytest.
PATHS = os.pathsep.join((outcomes.ROOT, os.path.join(outcomes.ROOT, "tests", "plugins")))
#: What the suites run with.
TOOLS = ["pytest==8.4.2", "hypothesis==6.151.0"]


class Suite:
    """A package and its tests.

    Attributes:
        name: the package's. version: of it. tests: arguments of pytest. needs: other packages the tests want.
        source: whether the tests are in the source distribution and not installed.
    """

    def __init__(self, name, version, tests, needs=(), source=False):
        self.name = name
        self.version = version
        self.tests = tests
        self.needs = needs
        self.source = source


SUITES = [
    Suite("attrs", "25.4.0", ["tests"], ["cloudpickle"], source=True),
    Suite("more-itertools", "10.8.0", ["tests"], source=True),
    # Its tests are distributed nowhere; its documentation's examples are.
    Suite("sortedcontainers", "2.4.0", ["--doctest-modules", "--pyargs", "sortedcontainers"]),
    Suite("jinja2", "3.1.6", ["tests"], ["trio"], source=True),
    Suite("pyparsing", "3.2.5", ["tests/test_unit.py", "tests/test_simple_unit.py", "tests/test_util.py"], source=True),
    Suite("networkx", "3.4.2", ["--pyargs", "networkx.classes", "networkx.algorithms.shortest_paths", "networkx.algorithms.components",
                                "networkx.algorithms.centrality", "networkx.algorithms.flow", "networkx.algorithms.tree",
                                "networkx.algorithms.traversal"]),
    Suite("sympy", "1.14.0", ["--pyargs", "sympy.core"]),
]


def pip(python, *arguments):
    command = [python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"pip {' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1]}")


def environment(python, cache):
    """The interpreter of a virtual environment for an interpreter, and its version; made where it does not exist."""
    code = "import platform; print(platform.python_version())"
    version = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    folder = os.path.join(cache, f"packages-{version}")
    inside = os.path.join(folder, "bin", "python")
    if not os.path.exists(inside):
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip(inside, "install", *TOOLS)
    return inside, version


def prepare(suite, python, cache):
    """Install a package; returns the folder to run its tests in, None for an empty one."""
    pip(python, "install", f"{suite.name}=={suite.version}", *suite.needs)
    if not suite.source:
        return None
    folder = os.path.join(cache, "sources", f"{suite.name}-{suite.version}")
    if not os.path.isdir(folder):
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            pip(python, "download", "--no-deps", "--no-binary", suite.name, "-d", work, f"{suite.name}=={suite.version}")
            archive, = os.listdir(work)
            with tarfile.open(os.path.join(work, archive)) as file:
                file.extractall(work, filter="data")
            unpacked, = (name for name in os.listdir(work) if name != archive)
            os.rename(os.path.join(work, unpacked), folder)
    return folder


def command(python, launcher, suite):
    return [python, *launcher, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "unhurried",
            "--hypothesis-seed", "0", "--junitxml", "{report}", *suite.tests]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="PACKAGE", help="packages to run in place of all: " + ", ".join(
        suite.name for suite in SUITES))
    parser.add_argument("--python", action="append", metavar="PATH", help="the interpreter (this one; may be repeated)")
    parser.add_argument("--timeout", type=int, default=7200, help="seconds after which a suite is given up (7200)")
    parser.add_argument("--retries", type=int, default=0, help="how often a suite that differs is run again (0)")
    parser.add_argument("--cache", metavar="FOLDER", default=default_cache(), help="where downloads and environments are kept")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/COMPATIBILITY.md")
    options = parser.parse_args()
    unknown = set(options.names) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    return options


def main():
    options = parse()
    outcomes.end_with_children()
    different = 0
    for base in options.python or [sys.executable]:
        python, version = environment(base, options.cache)
        print(f"== CPython {version}", flush=True)
        results = outcomes.Results()
        for suite in SUITES:
            if options.names and suite.name not in options.names:
                continue
            folder = prepare(suite, python, options.cache)

            def once(launcher, suite=suite, folder=folder):
                return outcomes.run(command(python, launcher, suite), options.timeout, folder, PYTHONPATH=PATHS)

            results.add(f"{suite.name} {suite.version}", *outcomes.compare(lambda: once([]), lambda: once(outcomes.EAGER), options.retries))
        different += results.different
        print("\n" + results.text() + "\n")
        if options.write:
            parts = [f"## Packages' tests, CPython {version}\n\n    {command_line('tests')}", results.text()]
            section = "packages " + ".".join(version.split(".")[:2])
            write_section(section, "\n\n".join(parts), outcomes.DOCUMENT, outcomes.HEADING)
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
