"""Programs take functions out of sys and time, or put others there (tests of packages do); the compiler goes on with those it knows."""

import pytest

from compare import child

PROGRAM = """
import sys, time
import jit

def spoil(*_):
    raise AssertionError("the program's own function was called")

@jit.jit
def before(x):
    return len([x]) + x

before(1)
kept = {}
for module, names in ((sys, "_getframe getrefcount gettrace getprofile is_finalizing getswitchinterval setswitchinterval"),
                      (time, "perf_counter process_time thread_time monotonic clock_gettime_ns")):
    for name in names.split():
        kept[module, name] = getattr(module, name)
        if HOW == "deleted":
            delattr(module, name)
        else:
            setattr(module, name, spoil)

class Thing:
    def method(self, x):
        return x + 1

@jit.jit
def after(thing, n, function=str):
    total = 0
    for i in range(n):
        total += thing.method(i) + len(function(i))
    return total

@jit.jit
def produce(n):
    for i in range(n):
        yield i * 2

results = [after(Thing(), 50) for _ in range(5)], [before(x) for x in (1, 2.5, "a")[:2]], sum(produce(100))
for (module, name), function in kept.items():
    setattr(module, name, function)
print(results, [bool(jit.explain(function).versions) for function in (before, after)])
"""


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_the_compiler_goes_on(how):
    assert child(f"HOW = {how!r}\n{PROGRAM}", environment={"PYTHONWARNINGS": "error"}) == \
        "([1365, 1365, 1365, 1365, 1365], [2, 3.5], 9900) [True, True]\n"
