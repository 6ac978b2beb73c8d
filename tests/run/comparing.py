"""Runs a program with plain python and below `python -m jit run`, and compares everything that can be seen from outside."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"


def environment(**more):
    """The environment of both runs: ours must be found from any directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JIT_", "COV"))}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"} | more


def run(arguments, options=None, directory=None, stdin=b"", python=(), timeout=60, **more):
    """Run a program.

    Args:
        arguments: what follows `python`. options: of `python -m jit run`, or None for plain python. python: of python itself.

    Returns:
        (exit status, stdout, stderr).
    """
    command = [sys.executable, *python, *([] if options is None else ["-m", "jit", "run", *options]), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=directory, env=environment(**more), timeout=timeout, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def assert_same(arguments, options=(), **how):
    """Both ways give the same output, messages and status; returns them."""
    plain, compiled = run(arguments, None, **how), run(arguments, options, **how)
    assert compiled == plain
    return plain
