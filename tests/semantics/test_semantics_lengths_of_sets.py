"""``len(set(generator))``: the set dies unseen, by a shorter way; one that somebody has seen does not."""

import gc
import weakref

import pytest

import jit
from compare import assert_stays_compiled, check


def lengths(items, n):
    found = []
    for k in range(n):
        found.append((len(set(item + k for item in items)), len(set(item - k for item in items)) == len(set(item for item in items))))
    return found


def texts(items, n):
    return [len(set(f"{item}{k}" for item in items)) for k in range(n)]


def seen(items, n):
    found = []
    for k in range(n):
        found.append(len(kept := set(item for item in items)) + len(kept))
        kept.add(k)
        other = set(item for item in items)
        found.append((len(other), sorted(map(str, other)), len(kept)))
        found.append((set(item for item in items), len(set(item for item in items))))
        found.append([len(set(item for item in items)), set(item for item in items)][0])
    return found


@pytest.mark.parametrize("function", [lengths, texts, seen], ids=lambda function: function.__name__)
def test_the_same_as_interpreted(function):
    values = [0, 1, -1, True, 2 ** 31, 2 ** 62, 2 ** 63, -2 ** 63, 1.5, float("inf"), -0.0]
    check(function, (list(range(8)), 5), (values, 5), ([], 3), ([1] * 50, 3), (list(range(2000)), 2), (["a", 1], 2), ([None], 2), ([[]], 2), ((1, 2, 3), 4))


def test_the_set_is_freed():
    function = jit.jit(lambda items: len(set(item for item in items)))
    items = list(range(10 ** 6, 10 ** 6 + 8))
    for _ in range(5):
        assert function(items) == 8
    gc.collect()
    before = sum(type(item) is set for item in gc.get_objects())
    assert_stays_compiled(function, lambda: [function(items) for _ in range(1000)])
    assert sum(type(item) is set for item in gc.get_objects()) < before + 50  # a thousand were made


def test_what_is_added_later_is_finalised():
    log = []

    class Part:
        def __del__(self):
            log.append("finalised")

    names = {"Part": Part, "weakref": weakref}
    exec("def run(items):\n    kept = set(item for item in items)\n    size = len(kept)\n    kept.add(Part())\n    reference = weakref.ref(kept)\n"
         "    kept = None\n    return size, reference()", names)
    run = jit.jit(names["run"])
    for turn in range(4):
        assert run([1, 2, 3]) == (3, None) and len(log) == turn + 1
