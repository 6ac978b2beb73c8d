"""A number was boxed as an argument for a version of the callee that there was not, and once more for another attempt at the same call: nobody dropped that."""

import sys

import jit
from jit import types
from jit.dispatch import COMPILER
from jit.errors import Unsupported


def callee(items, number):
    return len(items), number


def caller(items, number):
    return callee(items, number)


def test_each_box_is_dropped():
    for function in (caller, callee):
        jit.jit(function)
    for arguments in (([1], 1), ((1,), 1.5), ({1: 2}, 2)) * 3:  # versions of which there are several
        callee(*arguments)
    record = COMPILER.records[id(callee)]
    kinds = record.versions_kinds((types.exact(set), types.INT))
    assert kinds == (types.OBJECT, types.OBJECT) and record.version_for(kinds) is None
    record.refused[kinds] = Unsupported("for the test")
    for _ in range(3000):  # until free lists are full
        assert caller({1, 2}, 10**9) == (2, 10**9)
    assert jit.explain(caller).state == "compiled"
    before = sys.getallocatedblocks()
    for _ in range(1000):
        caller({1, 2}, 10**9)
    assert sys.getallocatedblocks() - before < 100
