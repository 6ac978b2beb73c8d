"""JIT_DISABLE, JIT_DUMP, JIT_CHECK and JIT_PERF, in child processes."""

import os
import pathlib

import pytest

from command_line import run_text

ONE = "import jit\nf = jit.jit(lambda n: n + 1)\nprint(f(1))"


@pytest.mark.parametrize("name", ["JIT_DISABLE", "JIT_CHECK", "JIT_PERF"])
@pytest.mark.parametrize("value, complaint", [("", ""), ("0", ""), ("1", ""), ("yes", "is neither 0 nor 1; it is taken for 1\n")])
def test_flags(name, value, complaint):
    done = run_text(ONE + "\nimport os\nprint(jit.available().ok)\nprint(os.getpid())", **{name: value})
    result, available, process = done.stdout.splitlines()
    assert result == "2" and available == str(name != "JIT_DISABLE" or value in ("", "0"))
    assert done.stderr == (f"purejit: {name}='{value}' " if complaint else "") + complaint
    map_file = pathlib.Path(f"/tmp/perf-{process}.map")
    assert map_file.exists() == (name == "JIT_PERF" and value in ("1", "yes"))
    map_file.unlink(missing_ok=True)


def test_every_stage_is_dumped():
    text = "import jit\n@jit.jit\ndef f(n):\n    return n + 1\n@jit.jit\ndef other(n):\n    return n - 1\nf(1)\nother(1)"
    done = run_text(text, JIT_CHECK="1", JIT_DUMP="instructions,values, intervals,asm,exits", JIT_DUMP_ONLY="f")
    for part in ("LOAD_CONST", "BINARY_OP +(v1:int, 1)", "..", "exit 0", "prologue"):
        assert part in done.stderr
    assert "BINARY_OP -" not in done.stderr
    assert "BINARY_OP -" in run_text(text, JIT_DUMP="values").stderr


@pytest.mark.parametrize("settings, words", [
    ({"JIT_DUMP": "values,nonsense"}, "JIT_DUMP knows instructions, values, intervals, asm, exits, not nonsense"),
    ({"JIT_DUMP_ONLY": "f"}, "JIT_DUMP_ONLY does nothing without JIT_DUMP"),
    ({"JIT_DUMP": "asm", "JIT_DUMP_ONLY": "no.such"}, "'no.such'"),
])
def test_settings_that_print_nothing_are_complained_of(settings, words):
    done = run_text(ONE, **settings)
    complaints = [line for line in done.stderr.splitlines() if line.startswith("purejit: ")]
    assert done.stdout == "2\n" and len(complaints) == 1 and words in complaints[0]


PERF = '''
import gc, os, jit
from jit.machine.arena import arena
{program}
with open(f"/tmp/perf-{{os.getpid()}}.map") as file:
    lines = file.read().splitlines()
os.remove(file.name)
entries = [(int(start, 16), int(size, 16), name) for start, size, name in (line.split(" ", 2) for line in lines)]
names = [name for _, _, name in entries]
starts = dict((start, name) for start, _, name in entries)
{checks}
'''


def perf(program, checks):
    done = run_text(PERF.format(program=program, checks=checks), JIT_PERF="1")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_map_names_every_piece_of_code():
    perf("""
f = jit.jit(lambda n: n + 1)
@jit.jit
def total(rows):
    s = 0
    for row in rows:
        s += f(row)
    return s
assert total([1, 2, 3]) == 9
native = jit.native(f, int)
assert native(1) == 2
""", """
for address, size in arena()._code.used.items():
    assert address in starts, size
    assert sum(s for start, s, _ in entries if address <= start < address + size) > size // 2
assert any(name.startswith("py::total:") for name in names), names
for name in ("jit::exit_start", "jit::box_int", "jit::entry of total", "jit::native entry of <lambda>"):
    assert name in names, names
""")


def test_no_two_lines_of_the_map_cover_one_address():
    """Code of dead functions may be covered by that of later ones; what is still there keeps its name."""
    perf("""
def make(k):
    def function(n):
        return n + k
    function.__qualname__ = f"made{k}"
    jit.jit(function)
    assert function(1) == 1 + k
    return function
kept = [make(k) for k in range(5)]
for k in range(5, 40):
    make(k)
    gc.collect()
kept += [make(k) for k in range(40, 45)]
""", """
entries.sort()
assert all(start + size <= after for (start, size, _), (after, _, _) in zip(entries, entries[1:]))
for k in [*range(5), *range(40, 45)]:
    assert sum(f"py::made{k}:" in name for name in names) == 1, k
""")


def test_a_forked_child_has_its_own_map():
    perf("""
import warnings
warnings.simplefilter("ignore")  # a thread that has just ended may still be counted
f = jit.jit(lambda n: n + 1)
f(1)
child = os.fork()
if child == 0:
    g = jit.jit(lambda n: n - 1)
    g(1)
    with open(f"/tmp/perf-{os.getpid()}.map") as file:
        found = sum("py::<lambda>" in line for line in file)
    os.remove(file.name)
    os._exit(found)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
""", """
assert sum("py::<lambda>" in name for name in names) == 1
""")


def test_names_of_the_map_stay_on_their_lines():
    perf("""
def f(n):
    return n
f.__qualname__ = "two\\nlines \\udc80"
jit.jit(f)(1)
""", """
assert sum("two lines ?" in name for name in names) >= 2, names
""")


def test_a_map_that_cannot_be_written(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    done = run_text(f"import os\nos.symlink({str(victim)!r}, f'/tmp/perf-{{os.getpid()}}.map')\n" + ONE
                    + "\nprint(jit.jit(lambda n: n)(3))\nos.remove(f'/tmp/perf-{os.getpid()}.map')", JIT_PERF="1")
    assert done.stdout == "2\n3\n" and victim.read_text() == "untouched"
    assert len(done.stderr.splitlines()) == 1 and "no map for perf" in done.stderr
