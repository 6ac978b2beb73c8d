"""faulthandler's watchdog looks at the frames without holding the interpreter, and takes for granted that of two in a row one at least is Python's.

A loop entered in a frame that C had called left two frames of such calls behind each other: 3.13 crashed, 3.12 showed one of them.
"""

import pathlib
import subprocess
import sys

import pytest

SCRIPT = """
import faulthandler, functools, sys, tempfile, time
sys.path.insert(0, {folder!r})
from entered import ENTERING, Hook
output = tempfile.TemporaryFile("w+")
#: Not before it runs compiled: where frames come and go, CPython's own watchdog may crash plain Python.
watch = functools.partial(faulthandler.dump_traceback_later, 0.05, repeat=True, file=output)
def spin(hook):
    i, end = 0, time.perf_counter() + 1.0
    while time.perf_counter() < end:
        i += 1
        if i < 10:
            hook()
        if i == 1000:
            watch()
    faulthandler.cancel_dump_traceback_later()
    return i > 1000
print({call}, ENTERING.trap.caught)
output.seek(0)
frames = [line.strip() for line in output if line.startswith("  ")]
print(len(frames) > 3, [frame for frame in frames if "spin" not in frame and "<module>" not in frame and "<lambda>" not in frame and "no Python frame" not in frame])
"""


@pytest.mark.parametrize("call", ["spin(Hook((3,)))", "list(map(spin, [Hook((3,))]))[0]", "functools.reduce(lambda _, f: f(Hook((3,))), [0, spin])"])
def test_frames_can_be_looked_at_in_the_middle_of_a_loop(call):
    script = SCRIPT.format(folder=str(pathlib.Path(__file__).parent), call=call)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))}, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 1\nTrue []\n", "")
