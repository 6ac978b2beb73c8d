"""Each example prints the same compiled and interpreted, and its functions are compiled."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))


def output(name, **extra):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, sys.path)]), **extra)
    done = subprocess.run([sys.executable, str(ROOT / "examples" / name)], capture_output=True, text=True, env=environment,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    compiled = output(name, JIT_CHECK="1")
    assert compiled and "WRONG" not in compiled
    assert compiled == output(name, JIT_DISABLE="1")
