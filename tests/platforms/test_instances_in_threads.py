"""Looking at instances and dictionaries that another thread changes all the time: nothing is read that has been freed."""

import subprocess
import sys

SCRIPT = """
import sys, threading, time
from platforms import support
from platforms.cpython import dictionaries, instances
assert support().ok, support().reason

class Point:
    def __init__(self):
        self.x, self.y = [1], "text"

NAMES = ["x", "y", "z", *(f"name {number}" for number in range(40))]
points = [Point() for _ in range(3)]
shared = {"x": 1}
until = time.monotonic() + 1.5

def change():
    turn = 0
    while time.monotonic() < until:
        for point in points:
            turn += 1
            point.__dict__ = dict.fromkeys(NAMES[:turn % 40], turn)
            point.__dict__ = {"x": [turn], "y": turn}
            for name in NAMES:
                shared[name] = turn
            shared.clear()
        for turn in range(turn, turn + 30):
            made = points[turn % 3] = Point()
            made.x, made.y = [turn], [turn]
            if turn % 3:
                vars(made)["y"] = turn

def look():
    found = 0
    while time.monotonic() < until:
        for point in points:
            for number in range(3):
                is_there, item = instances.attribute(point, number)
                found += is_there and len([item])
            mapping = instances.mapping(point)
            assert mapping is None or type(mapping) is dict, mapping
            is_there, item = instances.dict_attribute(point, "y")
            assert not is_there or type(item) in (int, str, list), item
            for one in (mapping or shared, shared):
                for key in list(one):
                    number = dictionaries.entry_number(one, key)
                    hint = dictionaries.hint(one, key)
                    assert number is None or number < 100
                    assert hint is None or hint.number < 100
                absence = dictionaries.absence(one, "none of them")
                assert absence is None or all(other in NAMES for *_, other in absence.probes if other is not None)
    assert found
    print("looked")

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run) for run in (change, change, look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_what_changes_all_the_time():
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "looked\n"), done.stderr
