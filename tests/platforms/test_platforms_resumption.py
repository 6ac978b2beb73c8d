"""Generators' code for exits, and the table that leads to machine code."""

import gc
import sys

import pytest

from jit.decode import raw_instructions
from jit.depths import depths
from jit.errors import Unsupported
from platforms.cpython import resumption
from platforms.cpython.observe import read


def prepared(function):
    code = function.__code__
    try:
        return resumption.resumable(code, raw_instructions(code), depths(code))
    except Unsupported:  # its stack cannot be told
        return None


def plain(n):
    for i in range(n):
        yield i
        if i:
            x = yield -i
            print(x)


def delegating(n):
    yield from range(n)


def trying(n):
    try:
        yield n
    finally:
        print(n)


def within(thing):
    with thing:
        yield 1


def ordinary(n):
    return n


async def asking(n):
    return await n


def test_what_is_resumed():
    made = prepared(plain)
    assert len(made.yields) == 2 and {depth for _, depth in made.yields.values()} == {1}
    # From the beginning and from the first yield; what is sent to the second one is used.
    assert sorted(depth for _, depth in made.resumes.values()) == [0, 1]
    assert made.ends is not None
    code = plain.__code__
    assert (made.code.co_name, made.code.co_varnames, list(made.code.co_lines())[:3]) == (code.co_name, code.co_varnames, list(code.co_lines())[:3])
    assert made.code.co_code != code.co_code and len(made.code.co_consts) == len(code.co_consts) + 2


@pytest.mark.parametrize("function", [delegating, trying, within, ordinary, asking])
def test_what_is_not(function):
    assert prepared(function) is None


def test_the_slot_is_what_it_is_taken_for():
    assert resumption.original() is not None
    assert resumption.lead()
    assert list(plain(1)) == [0]


def test_the_table():
    """Codes are told by addresses; there are two places for each."""
    # Generators of other tests may have taken some: the first pair that is free.
    first = next(code for code in range(0x123456789000, 0x123456789000 + 16 * resumption.PLACES, 16) if not any(map(read, resumption._places(code))))
    others = [first + 16 * resumption.PLACES * number for number in range(3)]
    try:
        assert resumption.set_routine(others[0], 1 << 40) and resumption.set_routine(others[1], 1 << 41)
        assert not resumption.set_routine(others[2], 1 << 42)
        assert resumption.set_routine(others[0], 1 << 43)  # again
        resumption.clear_routine(others[0])
        assert resumption.set_routine(others[2], 1 << 42)
    finally:
        for code in others:
            resumption.clear_routine(code)
    assert list(plain(1)) == [0]


def holding(n):
    text = "x" * n
    for _ in range(2):
        yield text
    del text
    yield
    yield late
    late = n


def test_what_a_generator_holds_that_waits():
    code, generator, made = holding.__code__, holding(9), prepared(holding)
    found = resumption.waiting(generator, code)
    assert (found.function, found.values, made.resumes[found.offset][1]) == (holding, [9, *[resumption.UNBOUND] * 3], 0)
    del found
    text = next(generator)
    references = sys.getrefcount(text), sys.getrefcount(holding)
    found = resumption.waiting(generator, code)
    *variables, iterator = found.values
    assert (variables, list(iterator), made.resumes[found.offset][1]) == ([9, "x" * 9, 0, resumption.UNBOUND], [1], 1)
    del found, variables
    assert (sys.getrefcount(text), sys.getrefcount(holding)) == references
    assert next(generator) is None
    assert resumption.waiting(generator, code).values == [9, resumption.UNBOUND, 0, resumption.UNBOUND]


def test_a_generator_that_does_not_wait():
    def looking():
        yield resumption.waiting(generator, generator.gi_code)
    generator = looking()
    assert next(generator) is None
    assert resumption.waiting(generator, generator.gi_code).values[0].cell_contents is generator
    generator.close()
    assert resumption.waiting(generator, generator.gi_code) is None


def test_more_than_there_is_room_for():
    names = [f"x{number}" for number in range(600)]
    scope = {}
    exec(f"def many({', '.join(names[:200])}):\n    {' = '.join(names)} = 1\n    yield", scope)
    generator = scope["many"](*range(200))
    next(generator)
    assert resumption.waiting(generator, generator.gi_code) is None


def test_looking_leaves_no_garbage():
    generator = plain(2)
    resumption.waiting(generator, generator.gi_code)
    gc.collect()
    for _ in range(5):
        resumption.waiting(generator, generator.gi_code)
    assert gc.collect() == 0
