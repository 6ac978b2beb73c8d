"""Running `python -m jit` and other programs in child processes."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def environment(root=ROOT, **extra):
    """Variables of a child process that imports the packages in `root`."""
    others = [path for path in sys.path if path and pathlib.Path(path) != ROOT]
    return dict(os.environ, PYTHONPATH=os.pathsep.join([str(root), *others]), **extra)


def run(*arguments, root=ROOT, cwd=None, options=(), **extra):
    """`python -m jit` with these arguments, and options of python itself, to its end."""
    return subprocess.run([sys.executable, *options, "-m", "jit", *arguments], capture_output=True, text=True, cwd=cwd,
                          env=environment(root, **extra), timeout=120)


def run_text(text, **extra):
    """`python -c text`, to its end."""
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment(**extra), timeout=120)


def assert_one_line(done, *words, status=2):
    """It failed with one line on stderr that holds these words."""
    assert done.returncode == status, done
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr
