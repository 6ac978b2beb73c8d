"""Functions in two namespaces: interpreted, and compiled."""

import os
import subprocess
import sys
import textwrap
from types import FunctionType

import jit

FOLDER = os.path.dirname(os.path.abspath(__file__))


def pair(source, **names):
    """(interpreted namespace, compiled namespace) of a source text."""
    made = []
    for compiled in (False, True):
        namespace = {"__builtins__": __builtins__, "__name__": "pair", "sys": sys, **names}
        exec(compile(textwrap.dedent(source), "<pair>", "exec"), namespace)
        if compiled:
            for item in list(namespace.values()):
                if isinstance(item, FunctionType) and item.__globals__ is namespace:
                    jit.jit(item)
        made.append(namespace)
    return made


def child(source, timeout=120, **environment):
    """Run a program in a fresh interpreter; returns its output. A crash fails the test with the child's own words."""
    path = os.pathsep.join([FOLDER, *filter(None, sys.path)])
    variables = dict(os.environ, PYTHONPATH=path, PYTHONFAULTHANDLER="1", **environment)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=timeout,
                          env=variables)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout.strip()
