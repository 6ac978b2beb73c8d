"""A function "made" of something that is no code object: handmade bytecode, which CPython itself does not survive running."""

import types

import pytest

import jit
from jit.dispatch import COMPILER
from jit.errors import Unsupported
from jit.types import INT


def outer(number):
    function = lambda: 1
    return function() + number


def test_it_is_refused():
    code = outer.__code__
    constants = tuple(frozenset({1}) if isinstance(item, types.CodeType) else item for item in code.co_consts)
    assert constants != code.co_consts
    function = jit.jit(types.FunctionType(code.replace(co_consts=constants), {}))
    with pytest.raises(Unsupported, match="of no code object"):
        COMPILER.compile(COMPILER.records[id(function)], function, (INT,), [None])
