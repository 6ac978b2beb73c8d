"""The clock: what it shows stays alive while it is looked at."""

import subprocess
import sys

from platforms.cpython.sampler import Sampler

PROGRAM = """
import sys, threading, time
from types import CodeType, FunctionType
from platforms.cpython.sampler import Sampler

def look(shown):
    time.sleep(0.005)  # another thread runs, and what it executed is gone
    compiled, stacks = Sampler.stacks(shown)
    for thread, frames in stacks:
        for code, function, address in frames:
            assert type(code) is CodeType and (function is code or isinstance(function, FunctionType)) and type(address) is int
            seen.add(code.co_filename)

def work():
    end = time.monotonic() + 1
    number = 0
    while time.monotonic() < end:
        number += 1
        exec(compile("for i in range(3000): pass", "made", "exec"), {})

seen = set()
sampler = Sampler(look)
sampler.set_interval(0.001)
sampler.work(BY_ITSELF)
sampler.show_functions(True)
assert sampler.start()
if BY_ITSELF:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
else:
    work()
sampler.stop()
print("made" in seen)
"""


def run(by_itself):
    done = subprocess.run([sys.executable, "-c", PROGRAM.replace("BY_ITSELF", str(by_itself))], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_what_the_main_thread_runs():
    run(False)


def test_what_other_threads_run_lives_until_it_has_been_looked_at():
    run(True)


def test_stacks():
    frames = ("code", "function", 1), ("code", "code", 2)
    assert Sampler.stacks([1, 77, *frames[0], *frames[1], None, 78, None]) == (True, [(77, [*frames]), (78, [])])
    assert Sampler.stacks([0]) == (False, [])


DELAYS = """
import time
from platforms.cpython.sampler import Sampler

def look(shown):
    delays.append(sampler.delay)

def median_delay(work):
    del delays[:]
    assert sampler.start()
    end = time.process_time() + 20
    while len(delays) < 60 and time.process_time() < end:
        work()
    sampler.stop()
    return sorted(delays)[len(delays) // 2]

def bytecode():
    for number in range(1000):
        number & 7

delays = []
sampler = Sampler(look)
sampler.set_interval(0.002)
in_c = median_delay(lambda: sum(numbers) if (numbers := range(300_000)) else None)
print(in_c > 0.0005, median_delay(bytecode) < in_c / 2, in_c < 1)
"""


def test_long_calls_of_c_code_delay_it():
    done = subprocess.run([sys.executable, "-c", DELAYS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True True\n", "")
