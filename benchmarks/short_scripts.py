"""Short scripts: what `python -m jit run` costs where there is little or nothing to gain; a part of latency.py."""

import os
import resource
import subprocess
import sys

import suite
from report import table, verdict

#: Scripts by what they do; each repeats `step` until plain Python has computed for so long.
SCRIPTS = {
    "one loop": """
def step():
    total = 0
    for i in range(20_000):
        total += i & 15
""",
    "many functions": "\n".join(f"""
def f{n}(x, y):
    if x > y:
        return x - y + {n}
    return x * {n} % 7 + y
""" for n in range(40)) + """
def step():
    x = 1
    for _ in range(40):
        x = """ + "(".join(f"f{n}" for n in range(40)) + "(x" + ", 2)" * 40,
    "objects": """
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, other): return Point(self.x + other.x, self.y + other.y)
    def norm(self): return self.x * self.x + self.y * self.y
def step():
    total, one = Point(0, 0), Point(1, 2)
    for _ in range(2000):
        total = total + one
    return total.norm()
""",
    "strings, in C": """
import re
words = re.compile(r"[a-z]+")
def step():
    text = "the quick brown fox jumps over the lazy dog " * 100
    return sorted(set(words.findall(text.upper().lower())))
""",
}
SCRIPT_SECONDS = (0.05, 0.2, 1.0, 5.0)
#: Repetitions by which plain Python's time for one is found.
CALIBRATION = 300
SCRIPT_FACTOR, SCRIPT_MORE = 1.05, 0.020


def script_time(launcher, text, steps):
    """Seconds of the processor's time that a script takes, start-up included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    variables = {**os.environ, "PYTHONPATH": suite.ROOT}
    subprocess.run([*launcher, "-c", f"{text}\nfor _ in range({steps}): step()"], check=True, env=variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def scripts(rounds):
    """Scripts of several lengths; the length is chosen by what plain Python takes."""
    suite.compile_packages()
    plain, compiled = [sys.executable], [sys.executable, "-m", "jit", "run"]
    rows, met = [], 0
    for name, text in SCRIPTS.items():
        bare = min(script_time(plain, text, 0) for _ in range(3))
        each = (min(script_time(plain, text, CALIBRATION) for _ in range(3)) - bare) / CALIBRATION
        for seconds in SCRIPT_SECONDS:
            steps = max(1, round((seconds - bare) / each))
            repeats = max(1, min(rounds, round(4 / seconds)))
            slow, fast = (min(found) for found in zip(*[(script_time(plain, text, steps), script_time(compiled, text, steps))
                                                        for _ in range(repeats)]))
            within = fast <= SCRIPT_FACTOR * slow + SCRIPT_MORE
            met += within
            rows.append([name, f"{slow * 1e3:.0f}", f"{fast * 1e3:.0f}", f"{(fast - slow) * 1e3:+.0f}", f"{fast / slow:.2f}", verdict(within)])
    headings = ["script", "plain ms", "jit ms", "more", "ratio", f"at most {SCRIPT_FACTOR} and {SCRIPT_MORE * 1e3:.0f} ms"]
    return ("### Short scripts\n\nThe processor's time of whole processes, plain and under `python -m jit run`, start-up in; the least of "
            f"several runs.\n\n{table(headings, rows)}\n\n- within the bound: {met} of {len(rows)} ({verdict(met == len(rows))})")
