"""Forked children and their parents: what they may spend, and what a fork costs."""

from test_run_control import Clock, python


def test_a_child_has_time_of_its_own():
    """Its clock stands at 0: it neither waits until it has run as long as its parent, nor spends what its parent has left."""
    from jit.budget import GRANT, PATIENCE, Budget
    clock = Clock()
    budget = Budget(clock, clock)
    clock.now = 100.0
    budget.spent, budget.hot, budget.gaining = 0.1, 3.0, 2.0
    assert budget.allows()
    clock.now = 0.0
    budget.begin_in_child(100.0)
    assert not budget.allows()
    clock.now = PATIENCE
    assert not budget.allows()
    clock.now += GRANT + 0.01
    assert budget.allows()
    assert budget.allowance() < 2 * GRANT
    budget.hot = PATIENCE + 1.0
    assert budget.allowance() > 0.5


def test_a_child_compiles_what_is_hot_in_it():
    code = """
import jit, os
jit.enable()
any(map(f, [20_000] * 300))  # the parent's clock is far ahead of the child's
with jit.paused():
    work(3)
def g(n):
    s = 1
    for i in range(n):
        s += i & 7
    return s
child = os.fork()
if not child:
    tries = 0
    while jit.explain(g).state != "compiled" and time.process_time() < 2:
        any(map(g, [20_000] * 10))
    os._exit(jit.explain(g).state == "compiled")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code) == "1\n"


def test_a_child_does_not_spend_what_its_parent_has_earned():
    """Each of a pool's children compiled the same function, that the parent never called: twice their own time."""
    code = """
import jit, jit.hot, os
from jit.budget import BUDGET
jit.enable()
until_compiled()
jit.hot.DETECTOR.known(f.__code__).earned = 9.0
assert BUDGET.has_earned(f.__code__)
child = os.fork()
if not child:
    at_once = BUDGET.earned(f.__code__)
    with jit.paused():
        work(0.3)
    work(0.1)
    os._exit(at_once == 0 and BUDGET.sight(f.__code__) is not None and BUDGET.earned(f.__code__) < 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), BUDGET.earned(f.__code__))
"""
    assert python(code) == "1 9.0\n"


def test_a_child_that_ends_soon_is_not_looked_at():
    """Each page that it writes to is copied first: a sample takes milliseconds there."""
    code = """
import jit, jit.hot, os
jit.enable()
until_compiled()
detector, children = jit.hot.DETECTOR, []
for _ in range(20):
    samples, child = detector.samples, os.fork()
    if not child:
        work(0.01)
        os._exit(detector.samples - samples)
    children.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(sorted(children)[10])
"""
    assert python(code) == "0\n"


def test_a_sample_in_a_child_stands_for_no_negative_time():
    code = """
import jit, jit.hot, os
jit.enable()
work(1)
child = os.fork()
if not child:
    steps, detector = set(), jit.hot.DETECTOR
    while len(steps) < 5 and time.process_time() < 5:
        steps.add(detector.step)
    os._exit(len(steps) == 5 and min(steps) >= 0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code) == "1\n"


def test_the_clock_is_asked_for_once_for_each_fork():
    """Calls that ask for themselves again were made some 160 times for each fork, which took half a millisecond."""
    code = """
import jit, jit.hot, os
jit.enable()
work(0.05)
samples = []
detector = jit.hot.DETECTOR
sample = detector.sample
with jit.paused():
    restart = detector.restart
    detector.restart = lambda shown: (samples.append(1), restart(shown))
    for _ in range(10):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
    print(len(samples) <= 20, detector.sampler.running, detector.forking)
"""
    assert python(code) == "True True None\n"


def test_hooks_of_the_program_run_between():
    """They are Python code that is interrupted by the clock before os.fork() has looked for threads."""
    code = """
import jit, jit.hot, os, warnings
warnings.simplefilter("error")
jit.enable()
work(0.05)
running = []
def hook():
    for _ in range(50):
        work(0.0001)
    running.append(jit.hot.DETECTOR.sampler.running)
os.register_at_fork(after_in_parent=hook)
for _ in range(5):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    running.append(jit.hot.DETECTOR.sampler.running)
print(running[1::2])
"""
    assert python(code) == "[True, True, True, True, True]\n"
