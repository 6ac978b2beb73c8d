"""The faults that selfcheck plants are real: each shows in its witness, which passes without it."""

import json
import os
import re
import subprocess
import sys

import pytest

from fuzz.faults import FAULTS
from fuzz.faults.planting import NoSuchPlace, replacing, replacing_item, rewriting
from fuzz.targets import TARGETS

LEAST = 34


def witnesses(*arguments):
    """name -> how its witness failed, or "", from one child process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.run([sys.executable, "-m", "fuzz.faults.witness", *arguments], capture_output=True, text=True, timeout=300,
                           env=environment)
    assert not child.returncode, child.stderr
    return json.loads(child.stdout)


@pytest.fixture(scope="module")
def planted():
    return witnesses("--plant")


@pytest.fixture(scope="module")
def without():
    return witnesses()


def test_there_are_many_of_all_kinds():
    assert len(FAULTS) >= LEAST
    assert len({fault.part for fault in FAULTS.values()}) >= 10
    assert {fault.target for fault in FAULTS.values()} == {"jit", "encoder", "allocator", "decoder"} < set(TARGETS)


def test_each_is_described():
    for name, fault in FAULTS.items():
        assert name == fault.name and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
        assert fault.explanation.endswith(".") and fault.witness.count("def main():") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_shows(name, planted):
    """A wrong result, an exception, a crash or a hang; but planting itself must succeed."""
    assert planted[name] and not planted[name].startswith("NOT PLANTED"), planted[name]


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_shows_without_it(name, without):
    assert without[name] == ""


SCRATCH = '''
TABLE = {"a": 1}
LIST = [[1, 2]]

def plain():
    return 1 + 2

def maker(n):
    def inner():
        return n + 10
    return inner

class Owner:
    def method(self):
        return "old"

twice = [maker(1), maker(2)]
'''


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A module of its own that faults are planted in."""
    (tmp_path / "faults_scratch.py").write_text(SCRATCH)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "faults_scratch", raising=False)
    import faults_scratch
    yield faults_scratch
    del sys.modules["faults_scratch"]


def test_functions_change_under_all_their_names(scratch):
    kept, first, second, method = scratch.plain, *scratch.twice, scratch.Owner().method
    rewriting("faults_scratch", "plain", ("1 + 2", "1 - 2"))()
    rewriting("faults_scratch", "maker", ("n + 10", "n - 10"))()
    rewriting("faults_scratch", "Owner.method", ("old", "new"))()
    assert (kept(), first(), second(), method()) == (-1, -9, -8, "new")
    assert scratch.maker(5)() == -5


def test_attributes_and_items_change(scratch):
    replacing("faults_scratch", "TABLE", lambda old: {**old, "b": 2})()
    replacing_item("faults_scratch", "LIST.0", 1, 5)()
    assert scratch.TABLE == {"a": 1, "b": 2} and scratch.LIST == [[1, 5]]


@pytest.mark.parametrize("plant", [
    rewriting("faults_scratch", "plain", ("3 + 4", "3")), rewriting("faults_scratch", "maker", ("n", "m")),
    rewriting("faults_scratch", "absent", ("1", "2")), rewriting("faults_scratch", "Owner.absent", ("1", "2")),
    rewriting("faults_scratch", "plain", ("1 + 2", "1 + \\\n 2")), replacing("faults_scratch", "ABSENT", lambda old: 1),
    replacing("faults_scratch", "TABLE", lambda old: old), replacing_item("faults_scratch", "TABLE", "z", 1),
    replacing_item("faults_scratch", "TABLE", "a", 1), replacing_item("faults_scratch", "LIST.0", 7, 1),
    replacing_item("faults_scratch", "ABSENT", "a", 1)])
def test_a_place_that_is_not_there_is_an_error(scratch, plant):
    with pytest.raises(NoSuchPlace):
        plant()
