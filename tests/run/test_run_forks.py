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
    assert budget.spent - budget.allowance() < GRANT / 10
    clock.now = 0.1
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
