"""Programs whose audit hooks refuse what the compiler does: they run on interpreted."""

import pytest

from comparing import assert_same

PROGRAM = """
import sys, time
refused = tuple(sys.argv[1].split(","))
def hook(event, arguments):
    if event.startswith(refused):
        raise RuntimeError("not allowed: " + event)
sys.addaudithook(hook)
def f(n):
    s = 0
    for i in range(n):
        s += i & 7
    return s
end = time.perf_counter() + 1
while time.perf_counter() < end:
    f(1000)
print(f(10))
"""


@pytest.mark.parametrize("refused", ["ctypes", "object", "builtins.id,cpython", "import", "marshal", "sys"])
def test_a_hook_that_refuses(tmp_path, refused):
    (tmp_path / "program.py").write_text(PROGRAM)
    status, output, _ = assert_same(["program.py", refused], directory=tmp_path)
    assert (status, output) == (0, "29\n")
