"""What a thread makes while it is apart comes from malloc, and dies like anything else."""

import os
import random
import subprocess
import sys
import threading

import pytest

from platforms.cpython.apart import APART, Apart, Hooks

HERE = f"import sys; sys.path.insert(0, {os.getcwd()!r})\nfrom platforms.cpython.apart import *\n"


def run(code, *options, **environment):
    """What a process of its own prints."""
    done = subprocess.run([sys.executable, *options, "-c", HERE + code], capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def made_by(function):
    """How many blocks came from malloc while it ran."""
    before = APART.hooks.made.value
    function()
    return APART.hooks.made.value - before


@pytest.fixture(autouse=True)
def known():
    with APART:
        pass
    assert APART.hooks is not None, "CPython's allocators are not known here"


def test_blocks_come_from_malloc_only_while_apart():
    def thousand():
        return [object() for _ in range(1000)]

    assert made_by(thousand) == 0
    with APART:
        assert made_by(thousand) >= 1000
    assert made_by(thousand) == 0


def test_the_allocators_are_as_before():
    def in_use():
        return [APART.hooks.in_use(domain) for domain in range(3)]

    before = in_use()
    with APART:
        assert in_use() == [ours.malloc for ours in APART.hooks.ours]
    assert in_use() == before == [theirs.malloc for theirs in APART.hooks.theirs]


def test_another_thread_makes_its_blocks_as_ever():
    made = []

    def other():
        with APART:  # in vain
            made.append(made_by(lambda: [object() for _ in range(1000)]))

    with APART:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert made_by(lambda: [object() for _ in range(1000)]) >= 1000
    assert made[0] < 500  # this one has made something to wait


def test_it_can_be_entered_again():
    with APART:
        with APART:
            pass
        assert made_by(object) > 0
    assert made_by(object) == 0


def test_an_exception_ends_it():
    with pytest.raises(ZeroDivisionError), APART:
        1 / 0
    assert (APART.owner, APART.is_installed, made_by(object)) == (0, False, 0)


def test_one_that_waited_in_vain_may_enter_within():
    """The outer one, which was refused, must not end what an inner one began."""
    apart, out, entered = Apart(), threading.Event(), threading.Event()

    def first():
        with apart:
            entered.set()
            out.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(10)
    with apart:
        assert apart.owner == thread.ident
        out.set()
        thread.join()
        with apart:
            assert apart.owner == threading.get_ident() and apart.is_installed
        assert apart.owner == 0


@pytest.mark.parametrize("make", [
    lambda: bytearray(1 << 62), lambda: bytearray((1 << 62) + 1), lambda: [0] * (1 << 59), lambda: bytes((1 << 63) - 64), lambda: "x" * (1 << 62), lambda: bytearray(1 << 50)])
def test_what_is_too_large_is_refused(make):
    with APART, pytest.raises(MemoryError):
        make()
    with pytest.raises(MemoryError):
        make()


def test_blocks_keep_what_is_in_them():
    """Made, grown, shrunk and dropped, here and there, by turns."""
    chance, kept = random.Random(7), []

    def step():
        kind = chance.randrange(6)
        if kind == 0 or len(kept) < 50:
            size = chance.choice((0, 1, 8, 30, 100, 470, 480, 500, 520, 700, 5000, 200_000))
            kept.append((bytearray(b"x" * size), [size] * size, {index: index for index in range(size % 300)}, str(size) * (size % 100)))
        elif kind == 1:
            kept.pop(chance.randrange(len(kept)))
        else:
            data, items, table, _ = chance.choice(kept)
            if kind < 4:
                data.extend(b"x" * chance.randrange(600))
                items.extend(items[:1] * chance.randrange(100))
                table.update({index: index for index in range(chance.randrange(200))})
            else:
                del data[len(data) // 2:], items[len(items) // 3:]

    for _ in range(1000):
        with APART:
            for _ in range(chance.randrange(5)):
                step()
        for _ in range(chance.randrange(5)):
            step()
    for data, items, table, _ in kept:
        assert data.count(b"x") == len(data)
        assert not items or items.count(items[0]) == len(items)
        assert all(key == value for key, value in table.items())


BALANCE = """
with APART: pass
def blocks():
    return sys.getallocatedblocks()
def difference(function):
    function()
    before = blocks()
    kept = function()
    return blocks() - before
def here():
    return [[str(index)] for index in range(10000, 20000)]
def there():
    with APART:
        return here()
here(), there()
print(difference(here), difference(there))
before = blocks()
kept = there()
del kept
print(abs(blocks() - before) < 200)  # what free lists of types have kept
"""


def test_blocks_are_counted():
    here, there, is_balanced = run(BALANCE)
    assert abs(int(here) - int(there)) < 300 and int(there) > 19_000 and is_balanced == "True"


@pytest.mark.parametrize("kind", ["malloc", "debug", "malloc_debug", "pymalloc_debug"])
def test_other_allocators_are_left_alone(kind):
    code = "with APART: print(APART.hooks, APART.is_installed, len([object() for _ in range(1000)]))\nprint(Hooks().are_known())"
    assert run(code, PYTHONMALLOC=kind) == ["None", "False", "1000", "False"]


TRACED = """
import tracemalloc
def traced():
    before = tracemalloc.get_traced_memory()[0]
    kept = [object() for _ in range(10000)]
    return tracemalloc.get_traced_memory()[0] - before > 160000
with APART: pass
tracemalloc.start()
with APART:
    print(APART.hooks.owner.value == 0, traced())
tracemalloc.stop()
with APART:
    print(APART.hooks.owner.value != 0)
    tracemalloc.start()
    print(traced())
print(traced())
made = APART.hooks.made.value
tracemalloc.stop()
kept = [object() for _ in range(10000)]
print(APART.hooks.made.value == made)
with APART:
    print(APART.hooks.owner.value != 0)
print([APART.hooks.in_use(domain) == APART.hooks.theirs[domain].malloc for domain in range(3)])
"""


def test_memory_may_be_traced_at_any_time():
    """What tracemalloc finds in use when it starts it puts back when it stops."""
    assert run(TRACED) == ["True"] * 7 + ["[True,", "True,", "True]"]


FORKED = """
import os, threading
entered, out = threading.Event(), threading.Event()
def other():
    with APART:
        entered.set()
        out.wait(60)
thread = threading.Thread(target=other)
thread.start()
entered.wait(60)
child = os.fork()
if not child:
    was = APART.owner == thread.ident
    APART.begin_in_child()
    with APART:
        is_own = APART.hooks.owner.value != 0 and APART.is_installed
    os._exit(was and is_own and not APART.owner and APART.hooks.in_use(2) == APART.hooks.theirs[2].malloc)
out.set()
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_begins_anew():
    assert run(FORKED, "-W", "ignore") == ["1"]


def test_the_thread_that_forks_stays_apart():
    code = "import os\nwith APART:\n    child = os.fork()\n    APART.begin_in_child()\n    if not child: os._exit(APART.is_installed)\n" \
           "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    assert run(code) == ["1"]


def test_allocators_that_do_not_do_what_is_expected_are_not_known():
    """One that ignores the size it is asked for: the block is not made in our way."""
    hooks = Hooks()
    assert hooks.are_known()
    hooks.ours[2].malloc = hooks.theirs[2].malloc
    assert not hooks.are_known()


def test_no_page_to_be_had(monkeypatch):
    def none(_):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("platforms.pages.place", none)
    apart = Apart()
    with apart:
        assert apart.hooks is None and not apart.is_installed
