"""python -m fuzz, as a user runs it."""

import os
import subprocess
import sys

import pytest

from fuzz.coverage import Coverage, html_page, table, universe
from fuzz.processes import ROOT
from fuzz.running import versions
from fuzz.store import Store

CRASH = {"source": "import ctypes\ndef f(x):\n    y = x + 1\n    ctypes.string_at(0)\n    return y\n", "entry": "f", "calls": ["(1,)", "(2,)"],
         "code": "", "manner": "plain", "origin": [], "way": "compiled", "register": 1}
HARMLESS = {**CRASH, "source": "def f(x):\n    return x\n"}


def fuzz(*arguments, status=0):
    """Run a command; returns what it printed."""
    done = subprocess.run([sys.executable, "-m", "fuzz", *map(str, arguments)], capture_output=True, text=True, timeout=200,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == status, done
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout if status != 2 else done.stderr


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add_finding("jit", "compiled: crash: SIGSEGV", "it died", CRASH, [], "seed", versions())
        store.add_finding("jit", "compiled: result: int", "1 and 2", HARMLESS, [], "seed", versions())
    return path


def test_run_and_coverage(tmp_path):
    path, page = tmp_path / "b.sqlite", tmp_path / "page.html"
    printed = fuzz("run", "--target", "jit", "--count", 60, "--seed", "commands", "--database", path)
    assert "60 cases" in printed and "0 findings" in printed
    assert "again" not in fuzz("run", "--target", "allocator", "--seconds", 1, "--database", path)
    text = fuzz("coverage", "--database", path, "--html", page)
    assert "BINARY_OP" in text and "templates" in text
    assert page.read_text().startswith("<!DOCTYPE html>") and "BINARY_OP" in page.read_text()
    with Store(path) as store:
        assert [run.programs for run in store.runs()][0] == 60 and len(store.corpus("jit")) > 10


def test_findings_from_list_to_export(database, tmp_path):
    assert "crash: SIGSEGV" in fuzz("list", "--database", database)
    assert "no findings" in fuzz("list", "--state", "fixed", "--database", database)
    shown = fuzz("show", 1, "--database", database)
    assert "ctypes.string_at" in shown and "it died" in shown and "f(*(1,))" in shown
    assert "string_at" in fuzz("minimise", 1, "--seconds", 20, "--database", database)
    with Store(database) as store:
        assert len(store.finding(1).case["source"].splitlines()) < 5
    test = tmp_path / "test_exported.py"
    fuzz("export", 1, "--output", test, "--database", database)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(run, capture_output=True, env=environment).returncode == 1
    test.write_text(test.read_text().replace("ctypes.string_at(0)", "pass"))
    assert subprocess.run(run, capture_output=True, env=environment).returncode == 0


def test_replay(database):
    printed = fuzz("replay", "--database", database, status=1)
    assert "still there" in printed and "shows nothing" in printed
    assert "fixed" in fuzz("list", "--database", database)
    assert "shows nothing" in fuzz("replay", 2, "--database", database)


@pytest.mark.parametrize("arguments", [
    ["show", "9"], ["export", "9"], ["minimise", "9"], ["replay", "9"], ["run", "--target", "nothing"], ["run", "--seconds", "-1"],
    ["run", "--jobs", "0"], ["run", "--target", "interpreters"], ["run", "--against", "python3"], ["selfcheck", "no-such-fault"], ["nothing"], [],
    ["export", "1", "--output", "/nonexistent/x.py"],
])
def test_errors_are_one_line(database, arguments):
    where = ["--database", database] if arguments and arguments[0] != "nothing" else []
    text = fuzz(*arguments, *where, status=2)
    assert len(text.splitlines()) == 1 and text.startswith("python -m fuzz")


def test_a_damaged_file(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_text("no database")
    assert "left as it is" in fuzz("list", "--database", path, status=2)
    assert path.read_text() == "no database"


def test_help():
    for name in ("run", "replay", "list", "show", "minimise", "export", "coverage", "selfcheck"):
        assert "--database" in fuzz(name, "--help")


def test_coverage_of_nothing_and_of_all():
    nothing = Coverage(())
    assert nothing.reached("template") == 0 and nothing.total("template") > 100 and nothing.unreached("opcode")
    everything = Coverage([f"template:{name}:int" for name in universe("template")] + [f"guard:{name}:why" for name in universe("guard")] +
                          [f"exit:X:{name}" for name in universe("exit")] + [f"opcode:{name}" for name in universe("opcode")] +
                          ["types:BINARY_OP:int,int", "pair:a,b"])
    assert not any(everything.unreached(kind) for kind in ("template", "guard", "exit", "opcode"))
    assert "never reached" not in table(everything) and "never reached" not in html_page(everything)
    assert "BINARY_OP" in html_page(everything) and "int,int" in table(everything)
