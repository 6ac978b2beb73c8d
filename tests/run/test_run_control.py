"""enable, disable, paused; --stats; the budget; the start-up hook."""

import re
import subprocess
import sys

import pytest

from comparing import ROOT, environment, run

HOT = """
import time
def f(n):
    s = 0
    for i in range(n):
        s += i & 15
    return s
def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        f(20_000)
def until_compiled():  # when the clock finds it is up to the machine's load
    import jit
    end = time.perf_counter() + 60
    while jit.explain(f).state != "compiled" and time.perf_counter() < end:
        work(0.1)
def until_loaded():
    import jit.hot, time
    end = time.perf_counter() + 60
    while jit.hot.DETECTOR.compiler is None and time.perf_counter() < end:
        work(0.1)
"""


def python(code, **more):
    """stdout of a program that must succeed."""
    status, output, errors = run(["-c", HOT + code], None, **more)
    assert (status, errors) == (0, "")
    return output


def test_enable_finds_hot_functions():
    assert python("import jit\njit.enable()\nuntil_compiled()\nprint(jit.explain(f).state)\n") == "compiled\n"


def test_disable_hands_back_and_enable_takes_up_again():
    code = """
import jit
from platforms.cpython import entry
jit.enable()
while jit.explain(f).state != "compiled" or not entry.is_redirected(f):
    any(map(f, [20_000] * 20))  # not from code that is compiled itself, and calls f directly then
seen = [entry.is_redirected(f)]
jit.disable(); seen.append(entry.is_redirected(f)); work(0.1); seen.append(entry.is_redirected(f))
jit.enable(); seen.append(entry.is_redirected(f)); work(0.1)
print(seen, jit.explain(f).state)
"""
    assert python(code) == "[True, False, False, True] compiled\n"


def test_nothing_is_found_while_paused():
    code = """
import jit
jit.enable()
with jit.paused():
    with jit.paused(): work(0.1)
    work(1)
    print(jit.explain(f).state)
until_compiled()
print(jit.explain(f).state)
"""
    assert python(code) == "not decorated\ncompiled\n"


def test_eager_compiles_at_the_first_call():
    assert python("import jit, jit.report\njit.enable(eager=True)\nf(3)\nprint(jit.explain(f).state)\n") == "compiled\n"
    assert python("import jit, jit.report\njit.enable(eager=True)\ndef g(n): return f(n) + 1\ng(3)\n"
                  "print(jit.explain(g).state, jit.explain(f).state)\n") == "compiled compiled\n"


def test_eager_takes_no_resumed_generator_for_a_call():
    """One that was called while another function was looked at has deleted its argument meanwhile."""
    code = """
import sys, jit
made = []
def audit(event, arguments):
    if event == "object.__getattr__" and len(made) < 3:
        def generator(x):
            del x
            yield 1
            yield 2
        made.append(generator("x"))
        next(made[-1])
sys.addaudithook(audit)
jit.enable(eager=True)
def f(x): return x
f(1)
print([next(generator) for generator in made])
"""
    assert python(code) == "[2, 2, 2]\n"


def test_decorated_functions_are_not_touched_by_disable():
    code = "import jit\nf = jit.jit(f)\nf(3)\njit.enable()\njit.disable()\nf(3)\nprint(jit.explain(f).versions[0].calls)\n"
    assert python(code) == "2\n"


@pytest.mark.parametrize("threshold", [0, -1, "2", 1.5])
def test_wrong_thresholds(threshold):
    import jit
    with pytest.raises(ValueError, match="threshold"):
        jit.enable(threshold=threshold)


def test_where_nothing_is_compiled():
    code = "import jit\njit.enable()\nwith jit.paused(): work(0.05)\njit.disable()\nprint(bool(jit.available()))"
    assert python(code, JIT_DISABLE="1") == "False\n"


def test_stats_tell_shares_versions_and_times():
    status, output, errors = run(["-c", HOT + "until_compiled(); work(1.5)\nprint('output')"], ["--stats"])
    assert (status, output) == (0, "output\n")
    assert re.search(r"purejit: \d+ functions found, [1-9]\d* versions compiled", errors)
    assert re.search(r"\d+\.\d ms spent on compiling, .* in compiled code", errors)
    share, compiled = map(float, re.search(r"([\d.]+) % +(\d+) %  f \(<string>:3\)\n +f: compiled", errors).groups())
    assert share > 20 and compiled > 5  # of a machine that may be busy


def test_stats_of_a_program_that_decorates():
    """Nothing is hot, but something is compiled."""
    code = "import jit\n@jit.jit\ndef decorated(n):\n    return n + 1\nprint(decorated(1))\n"
    status, output, errors = run(["-c", code], ["--stats"])
    assert (status, output) == (0, "2\n")
    assert "1 functions found, 1 versions compiled" in errors and "decorated: compiled" in errors


def test_stats_of_a_short_program():
    status, output, errors = run(["-c", "print(1)"], ["--stats"])
    assert (status, output) == (0, "1\n")
    assert errors.startswith("purejit: nothing was compiled: nothing was hot")


def test_a_short_program_loads_no_compiler():
    """It would have to run for longer: no module of the compiler is there when it ends, nor what is needed to find out whether there may be one."""
    code = "work(0.1)\nimport sys\nprint(sorted({'jit.dispatch', 'asm', 'platforms.files'} & set(sys.modules)))"
    assert run(["-c", HOT + code], []) == (0, "[]\n", "")


@pytest.mark.parametrize("expression", ["[i & 15 for i in range(n)]", "{i & 15 for i in range(n)}", "{i: 0 for i in range(n)}", "sum(i & 15 for i in range(n))",
                                        "sum(map(lambda i: i & 15, range(n)))"])
def test_time_in_comprehensions_is_time_of_hot_code(expression):
    """On 3.11 they have frames of their own, and none is compiled by itself."""
    code = f"""
import jit, jit.hot
jit.enable()
def g(n):
    return {expression}
end = time.perf_counter() + 30
while jit.hot.DETECTOR.compiler is None and time.perf_counter() < end:
    g(20_000)
print(jit.hot.DETECTOR.compiler is not None)
"""
    assert python(code) == "True\n"


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_budget():
    from jit.budget import GRANT, PATIENCE, Budget
    clock = Clock()
    budget = Budget(clock, clock)
    assert budget.allows()
    budget.spent = GRANT + 1
    assert not budget.allows()
    budget.hot = PATIENCE + 1000
    assert budget.allows()
    budget.pauses = 1
    assert not budget.allows()
    with budget, budget:
        clock.now += 1
        assert budget.depth == 2
    assert budget.depth == 0 and budget.spent == GRANT + 2


def test_the_budget_follows_the_luck():
    from jit.budget import PATIENCE, Budget
    lucky, unlucky = Budget(), Budget()
    for budget in (lucky, unlucky):
        budget.note_hot(PATIENCE + 1)
    for _ in range(1000):
        lucky.note(True, 0.001)
        unlucky.note(False, 0.001)
    lucky.note_hot(10), unlucky.note_hot(10)
    assert lucky.hot == PATIENCE + 11 and unlucky.hot < PATIENCE + 3
    for _ in range(2000):
        unlucky.note(True, 0.001)
    unlucky.note_hot(10)
    assert unlucky.hot > PATIENCE + 10


def test_the_stake_follows_what_was_promised(monkeypatch):
    from jit import budget, errors
    clock = Clock()
    made = budget.Budget(clock, clock)
    monkeypatch.setattr(budget, "BUDGET", made)
    made.hot = budget.PATIENCE + 1
    whole = made.allowance()
    with budget.Work() as outer:
        clock.now += budget.HOPE / 4
        with budget.Work() as inner:
            clock.now += budget.HOPE / 2
            inner.promise = 1.0
        assert made.own_seconds() == pytest.approx(budget.HOPE / 4)
        clock.now += budget.HOPE / 4
        outer.promise = 0.0
    assert (outer.seconds, inner.seconds) == pytest.approx((budget.HOPE / 2, budget.HOPE / 2))
    stake = made.allowance() - budget.GRANT - budget.SHARE * clock.now
    assert stake == pytest.approx((whole - budget.GRANT) * made.trust())
    before = made.promised, made.worked
    with pytest.raises(errors.Unsupported), budget.Work():
        clock.now += 1
        raise errors.Unsupported("its types do not settle")
    assert (made.promised, made.worked) == before
    with pytest.raises(errors.Unsupported), budget.Work():
        clock.now += 1
        raise errors.NotWorthwhile("it calls out")
    assert (made.promised, made.worked) == (before[0], before[1] + 1)
    for promised, trust in ((0, 0), (budget.DOUBTED, 0), (budget.TRUSTED, 1), (1, 1), ((budget.DOUBTED + budget.TRUSTED) / 2, 0.5)):
        made.promised, made.worked = promised, 1.0
        assert made.trust() == pytest.approx(trust)


@pytest.mark.parametrize("length", (0.05, 0.1, 0.2, 0.5, 1.0, 5.0))
@pytest.mark.parametrize("step", (0.002, 0.005, 0.015))
@pytest.mark.parametrize("gains", (0.0, 0.5, 1.0))
def test_scripts_take_little_longer(length, step, gains):
    """Simulated: a script all of whose time is hot, in which there is always something to compile, `step` seconds of it at a time.

    What runs compiled, a growing part of it, is twice as fast. Starting takes 12 ms that the budget does not know of.
    """
    from jit.budget import BET, PATIENCE, Budget
    clock = Clock()
    budget = Budget(clock, clock)
    plain = compiled = 0.0
    while plain < length:
        clock.now += 0.001
        share = min(1.0, compiled / 0.1) * gains  # all is compiled after a tenth of a second
        plain += 0.001 * (1 + share)
        budget.note(False, 0.001 * (1 - share))
        budget.note(True, 0.001 * share)
        budget.note_hot(0.001 * (1 - share))
        if budget.allows():
            with budget:
                clock.now += step
            compiled += step
    staked = BET * max(0.0, length - PATIENCE)
    assert 0.012 + clock.now <= 1.05 * length + 0.020 + staked + step + 0.001


class Seen:
    earned = 0.0


def test_what_a_function_has_earned_is_its_own():
    from jit.budget import EARNED, OVERDRAFT, SECONDS_PER_BYTE, Budget
    clock = Clock()
    budget, seen = Budget(clock, clock), {}
    mine, other = test_budget.__code__, test_enable_finds_hot_functions.__code__
    budget.sight = seen.get
    budget.spent = 100.0
    cost = len(mine.co_code) * SECONDS_PER_BYTE
    assert not budget.has_earned(mine) and not budget.allows_for(mine)
    seen[mine] = Seen()
    seen[mine].earned = 0.9 * cost
    assert not budget.allows_for(mine) and budget.earned(mine) == 0.9 * cost
    seen[mine].earned = 3 * cost
    budget.pauses = 1
    assert not budget.has_earned(mine)
    budget.pauses = 0
    with budget:
        assert not budget.allows_for(other) and budget.is_overdrawn()
        assert budget.allows_for(mine, 1000.0) and budget.earned(mine) == 0.0 and not budget.is_overdrawn()
        clock.now += 2 * cost
        assert not budget.is_overdrawn()
        clock.now += 2 * cost + OVERDRAFT
        assert budget.is_overdrawn()
    assert budget.granted == 0.0 and not budget.allows_for(mine) and 0 < EARNED < 0.05
    budget.spent = 0.0
    seen[mine].earned = cost
    assert budget.allows_for(mine) and budget.earned(mine) == cost  # what is allowed anyway costs it nothing


def test_a_new_phase_is_compiled_though_the_budget_is_spent():
    """Much that promised nothing has been compiled; then a function is called again and again."""
    print_state = '''
import jit
jit.enable()
until_loaded()
from jit.budget import BUDGET
BUDGET.spent, BUDGET.worked, BUDGET.promised = BUDGET.spent + 1000.0, 1000.0, 1.0
def later(n):
    return sum([i & 15 for i in range(n)], 0)
end = time.perf_counter() + 60
while jit.explain(later).state != "compiled" and time.perf_counter() < end:
    later(20_000)
print(jit.explain(later).state, BUDGET.allows())
'''
    assert python(print_state) == "compiled False\n"


def test_what_takes_long_is_put_off():
    """Compiling a function compiles what it calls; in a program that has not run for long, some of that has to wait."""
    from jit.budget import OVERDRAFT, Budget
    clock = Clock()
    budget = Budget(clock, clock)
    with budget:
        assert not budget.is_overdrawn()
        clock.now += OVERDRAFT / 2
        assert not budget.is_overdrawn()
        clock.now += 2 * OVERDRAFT
        assert budget.is_overdrawn()
        budget.note_hot(10)
        assert not budget.is_overdrawn()
        budget.hot, budget.unlimited = 0.0, True
        assert not budget.is_overdrawn()


def test_threads_are_sampled_while_the_main_thread_waits():
    code = """
import jit, threading
jit.enable()
thread = threading.Thread(target=until_compiled); thread.start(); thread.join()
print(jit.explain(f).state)
"""
    assert python(code) == "compiled\n"


def test_start_up_hook(tmp_path):
    """Installed into a virtual environment, it serves any program there."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    interpreter = str(tmp_path / "venv" / "bin" / "python")

    def command(*arguments, **more):
        return subprocess.run([interpreter, *arguments], env=environment(**more), capture_output=True, text=True, cwd=tmp_path,
                              check=True)

    code = HOT + "import sys\njit = sys.modules.get('jit')\nif jit: until_compiled()\nprint(jit and jit.explain(f).state)"
    assert "not installed" in command("-m", "jit", "hook", "--show").stdout
    assert ": installed\nimport os;" in command("-m", "jit", "hook", "--install").stdout
    assert command("-c", code).stdout == "None\n"
    assert command("-c", code, JIT_ENABLE="0").stdout == "None\n"
    found = command("-c", code, JIT_ENABLE="1", JIT_STATS="1", PYTHONPATH="")
    assert found.stdout == "compiled\n" and "purejit: " in found.stderr
    assert "not installed" in command("-m", "jit", "hook", "--remove").stdout
    assert command("-c", "print(1)", JIT_ENABLE="1").stdout == "1\n"
    assert str(ROOT) not in command("-c", "import sys; print(sys.path)", PYTHONPATH="").stdout


def test_loading_evaluates_no_string():
    """CPython would forget that a KeyboardInterrupt is ending the program meanwhile, and change its exit status."""
    code = """
import _thread, sys
compiled = []
sys.addaudithook(lambda name, values: compiled.append(values[1]) if name == "compile" and _thread.get_ident() != main else None)
main = _thread.get_ident()
import jit
jit.enable(); until_loaded()
print("jit.dispatch" in sys.modules, [name for name in compiled if str(name).startswith("<")])
"""
    assert python(code) == "True []\n"


def test_loading_is_done_beside_the_main_thread():
    """There a signal handler could raise while a module is imported, and the exception be lost."""
    code = """
import _thread, sys
threads = set()
def hook(name, values):
    if name == "exec" and values[0].co_filename.endswith(("dispatch.py", "walk.py", "encodings.py")):
        threads.add(_thread.get_ident())
sys.addaudithook(hook)
import jit
jit.enable(); until_loaded()
print(len(threads), _thread.get_ident() in threads)
"""
    assert python(code) == "1 False\n"


def test_code_that_dies_when_modules_have_been_taken_down():
    """As in the interpreter's end, where a generator's code may outlive what is called when it dies: nothing is said of it."""
    code = """
import atexit
def take_down():
    import platforms.cpython.resumption as module
    module._places = None
    del globals()["numbers"]
atexit.register(take_down)  # called after what is registered later
import jit
@jit.jit
def numbers(n):
    for i in range(n):
        yield i
print(sum(sum(numbers(10)) for _ in range(50)))
"""
    assert python(code) == "2250\n"


def test_loading_collects_none_of_the_programs_garbage():
    """It happens in a thread of ours, which made so many objects that cycles were collected there, before the program asked for it."""
    code = """
import gc, jit, jit.hot
class Node: pass
def collected():
    gc.collect(1)
    for _ in range(100):
        node = Node()
        node.itself = node
    del node
    time.perf_counter()
    return gc.collect(1)
def seen():
    found = set()
    while jit.hot.DETECTOR.compiler is None:
        found.add(collected())
    for _ in range(2000):
        found.add(collected())
    return found
before = gc.isenabled(), sys.getswitchinterval()
jit.enable()
print(seen(), (gc.isenabled(), sys.getswitchinterval()) == before)
"""
    assert python("import sys" + code) == "{100} True\n"
