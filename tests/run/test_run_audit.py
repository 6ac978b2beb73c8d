"""Audit hooks: they see of a program what they see below python, and what one refuses is refused to the program alone."""

import pytest

from comparing import assert_same, run

WORK = """
import sys, time
class A:
    def __init__(self, x):
        self.x = x
    def get(self):
        return self.x
def f(n):
    s = 0
    for i in range(n):
        s += A(i).get() & 7
    return s
def generator():
    yield from range(10)
def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        f(1000), list(generator())
        def inner(n):
            for i in range(n):
                pass
        inner(1000)
"""
REFUSING = WORK + """
refused = tuple(sys.argv[2].split(","))
def hook(event, arguments):
    if event.startswith(refused):
        raise RuntimeError("not allowed: " + event)
sys.addaudithook(hook)
work(float(sys.argv[1]))
print(f(10))
try:
    f("a")
except TypeError as error:
    print(error)
"""
COUNTING = WORK + """
import collections, os, threading
seen = collections.Counter()
sys.addaudithook(hook=lambda event, arguments: seen.update([event]))
work(float(sys.argv[1]))
thread = threading.Thread(target=work, args=(0.2,))
thread.start()
thread.join()
time.sleep(0.1)  # 3.12's os.fork() warns of threads that the system has not forgotten yet
id(thread), f.__code__, sys._getframe()
child = os.fork()
if not child:
    f(1000)
    print(sorted(seen.items()), flush=True)
    os._exit(0)
os.waitpid(child, 0)
f(1000)
print(sorted(seen.items()))
"""
ADDING = """
import sys
told = []
for arguments, names in (((), {}), ((1, 2), {}), ((1,), {"hook": 2}), ((), {"other": 1}), ((None,), {})):
    try:
        print(sys.addaudithook(*arguments, **names))
    except TypeError as error:
        print(error)
def refuse(event, arguments):
    told.append(event)
    if event in ("sys.addaudithook", "mine"):
        raise RuntimeError("no more")
class Late:
    def __call__(self, *_):
        told.append("never")
class Tracing:
    __cantrace__ = True
    def __call__(self, *_):
        told.append("traced" if sys.gettrace() else "untraced")
sys.addaudithook(Tracing())
print(sys.addaudithook(refuse), sys.addaudithook(hook=Late()))
try:
    sys.audit("mine", 1)
except RuntimeError as error:
    print(error, [step.tb_lineno for step in [error.__traceback__, error.__traceback__.tb_next]])
print(told, sys.addaudithook.__name__, sys.addaudithook.__doc__[:30])
"""


def assert_same_in_time(options, seconds, *arguments, directory):
    """What the program prints does not depend on how long it works, which only the clock needs."""
    plain = run(["program.py", "0.02", *arguments], directory=directory)
    assert run(["program.py", str(seconds), *arguments], options, directory=directory) == plain
    assert plain[0] == 0
    return plain[1]


@pytest.mark.parametrize("refused", ["ctypes", "object", "builtins.id,cpython", "import", "marshal", "sys"])
def test_a_hook_that_refuses(tmp_path, refused):
    (tmp_path / "program.py").write_text(REFUSING)
    assert assert_same_in_time([], 0.8, refused, directory=tmp_path).startswith("29\n")


@pytest.mark.parametrize("refused", ["ctypes", "object", "builtins.id,cpython"])
def test_a_hook_that_refuses_eagerly(tmp_path, refused):
    (tmp_path / "program.py").write_text(REFUSING)
    assert assert_same_in_time(["--eager"], 0.1, refused, directory=tmp_path).startswith("29\n")


@pytest.mark.parametrize("options, seconds", [([], 0.8), (["--eager"], 0.1)], ids=["hot", "eager"])
def test_what_a_hook_sees(tmp_path, options, seconds):
    """Of a thread, of a fork, and of what dies, too."""
    (tmp_path / "program.py").write_text(COUNTING)
    assert_same_in_time(options, seconds, directory=tmp_path)


@pytest.mark.parametrize("options", [[], ["--eager"]], ids=["hot", "eager"])
def test_adding_hooks(tmp_path, options):
    """A wrong call is answered as ever; hooks may refuse further hooks, and ask to be traced."""
    (tmp_path / "program.py").write_text(ADDING)
    assert_same(["program.py"], options, directory=tmp_path)
