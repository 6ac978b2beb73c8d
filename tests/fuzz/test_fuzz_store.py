"""The file of corpus and findings: nothing finished is lost, and a file that is not sound is left as it is."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from fuzz.processes import ROOT
from fuzz.store import Store, StoreError, default_path

CASE = {"source": "x = 1\n", "calls": ["()"]}


def finding(store, signature="s", case=CASE, target="jit"):
    return store.add_finding(target, signature, "detail", case, [1, 2], "seed", "Python 3")


def test_findings(tmp_path):
    with Store(tmp_path / "a.sqlite") as store:
        assert finding(store) == (1, True)
        assert finding(store) == (1, False)
        assert finding(store, "other") == (2, True)
        assert finding(store, target="encoder") == (3, True)
        assert finding(store, case={"source": ""}) == (1, False)
    with Store(tmp_path / "a.sqlite") as store:
        first = store.finding(1)
        assert (first.case, first.count, first.state, first.recipe) == ({"source": ""}, 3, "new", [1, 2])
        store.set_state(1, "fixed")
        assert [found.number for found in store.findings("new")] == [2, 3]
        assert [found.number for found in store.findings(target="encoder")] == [3]
        assert store.finding(9) is None


def test_a_larger_case_replaces_nothing(tmp_path):
    with Store(tmp_path / "a.sqlite") as store:
        finding(store)
        finding(store, case={"source": "x" * 100})
        assert store.finding(1).case == CASE


def test_corpus(tmp_path):
    with Store(tmp_path / "a.sqlite") as store:
        assert store.add_corpus("jit", [5], ["a", "b"])
        assert not store.add_corpus("jit", [6], ["a"])
        assert store.add_corpus("jit", [7], ["b", "c"])
        assert store.add_corpus("encoder", [8], ["a"])
        assert [(entry.recipe, entry.features) for entry in store.corpus("jit")] == [([5], ["a", "b"]), ([7], ["c"])]
        assert store.features("jit") == {"a": 2, "b": 2, "c": 1}
        store.add_run("jit", 1, 2.5, 100)
        assert [(run.seed, run.programs) for run in store.runs()] == [("1", 100)]


def damaged_header(data):
    return b"SQLite format 3\0" + bytes(84) + data[100:]


def damaged_pages(data):
    return data[:4096] + bytes(range(256)) * 16 + data[8192:]


@pytest.mark.parametrize("damage", [
    lambda data: data[:700], lambda data: data[:len(data) // 2], damaged_header, damaged_pages,
    lambda data: b"once upon a time\n" * 50, lambda data: os.urandom(5000), lambda data: b"x",
], ids=["cut early", "cut in half", "header", "pages", "text", "noise", "one byte"])
def test_a_file_that_is_not_sound_is_left_as_it_is(tmp_path, damage):
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        for number in range(60):
            finding(store, f"s{number}", {"source": "y" * 200})
            store.add_corpus("jit", list(range(50)), [f"f{number}"])
    data = damage(path.read_bytes())
    path.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert path.read_bytes() == data and sorted(os.listdir(tmp_path)) == ["a.sqlite"]


def test_other_files(tmp_path):
    other = sqlite3.connect(tmp_path / "b.sqlite")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="no database of purejit"):
        Store(tmp_path / "b.sqlite")
    with Store(tmp_path / "c.sqlite") as store:
        store.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="another version"):
        Store(tmp_path / "c.sqlite")
    with pytest.raises(StoreError):
        Store(tmp_path)
    (tmp_path / "empty.sqlite").touch()
    with Store(tmp_path / "empty.sqlite") as store:
        assert store.findings() == []


WRITER = """
import sys
from fuzz.store import Store
number = 0
with Store(sys.argv[1]) as store:
    while True:
        number += 1
        store.add_finding("jit", f"{sys.argv[2]} {number}", "", {"n": number}, [], "", "")
        print(number, flush=True)
"""


def writer(path, name):
    return subprocess.Popen([sys.executable, "-c", WRITER, path, name], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_killed_at_any_moment(tmp_path):
    path = tmp_path / "a.sqlite"
    for turn in range(4):
        process = writer(path, f"turn {turn}")
        assert process.stdout.readline() == b"1\n"
        time.sleep(0.05 + 0.03 * turn)
        process.send_signal(signal.SIGKILL)
        done = [int(line) for line in process.stdout.read().split(b"\n") if line] or [1]
        process.wait()
        process.stdout.close()
        with Store(path) as store:
            kept = [found for found in store.findings() if found.signature.startswith(f"turn {turn}")]
            assert len(kept) in (done[-1], done[-1] + 1)


def test_two_writers_at_once(tmp_path):
    path = tmp_path / "a.sqlite"
    processes = [writer(path, name) for name in ("one", "two")]
    for process in processes:
        for _ in range(30):
            assert process.stdout.readline()
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
    with Store(path) as store:
        names = {found.signature.split()[0] for found in store.findings()}
        assert names == {"one", "two"} and len(store.findings()) >= 60


def test_default_path(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(default_path()) == "/somewhere/purejit/fuzz.sqlite"
