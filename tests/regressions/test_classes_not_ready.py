"""A module in C may hand out objects of a class that it has never made ready: such a class has no bases until it is first looked into."""

import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("_testbuffer")


def test_compiled_before_its_first_attribute_is_read():
    text = """
        import _testbuffer
        import jit

        class Held:
            def __init__(self):
                self.array = _testbuffer.ndarray([1, 2], shape=[2])
            def read(self):
                return self.array.readonly, self.array.shape, self.array[0]

        jit.jit(Held.read)
        for _ in range(3):
            print(Held().read())
        print(jit.explain(Held.read))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True)
    assert done.stdout.startswith("(True, (2,), 1)\n" * 3) and "internal error" not in done.stdout + done.stderr
