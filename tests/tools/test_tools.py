"""The tools around the compiler: explain, disassemble, native, statistics, and the command line."""

import ctypes
import gc
import os
import subprocess
import sys

import pytest

import jit
from jit import kernels


def triangle(n):
    s = 0
    for i in range(n):
        s += i
    return s


def test_explain_tells_versions_and_exits():
    @jit.jit
    def add(a, b):
        return a + b

    assert jit.explain(add).state == "waiting"
    add(1, 2)
    add(2**62, 2**62)
    found = jit.explain(add)
    assert found.state == "compiled"
    assert found.versions[0].types == ("int", "int") and found.versions[0].result == "int"
    assert [exit.count for exit in found.versions[0].exits if exit.reason == "add overflow"] == [1]
    assert "add overflow" in str(found)


def test_explain_says_why_not():
    @jit.jit
    async def answer(n):
        return n

    with pytest.raises(StopIteration):
        answer(3).send(None)
    found = jit.explain(answer)
    assert (found.state, found.reason) == ("interpreted", "generators and coroutines are interpreted")
    assert jit.explain(triangle).state == "not decorated"


def test_explain_tells_of_generators():
    @jit.jit
    def generate(n):
        while n:
            n -= 1
            yield n

    assert jit.explain(generate).state == "interpreted"
    for _ in range(9):
        assert list(generate(3)) == [2, 1, 0]
    found = jit.explain(generate)
    assert found.state == "compiled" and not found.versions and sum(part.calls for part in found.parts) > 15
    assert "generators from line" in str(found) and "resumed" in str(found)


def test_jit_takes_functions_only():
    for wrong in (3, print, int, None):
        with pytest.raises(TypeError, match="Python function"):
            jit.jit(wrong)


def test_disassembly_shows_source_bytecode_and_code():
    @jit.jit
    def double(n):
        return n * 2

    double(3)
    text = jit.disassemble(double)
    assert "return n * 2" in text and "BINARY_OP *" in text
    pytest.importorskip("capstone")
    assert "imul" in text


@pytest.mark.parametrize("kernel", kernels.KERNELS, ids=lambda kernel: kernel.name)
def test_disassembly_of_kernels(kernel):
    """Python's compiler gives some instructions no line."""
    function = kernels.fresh(kernel, jit.jit)
    function(*kernel.make_arguments(0.01))
    text = jit.disassemble(function)
    assert f"def {function.__name__}" not in text and "RETURN_VALUE" in text and "None  " not in text


def test_disassembly_without_capstone(monkeypatch):
    @jit.jit
    def double(n):
        return n * 2

    double(3)
    monkeypatch.setitem(sys.modules, "capstone", None)
    text = jit.disassemble(double)
    assert "pip install purejit[dis]" in text and "BINARY_OP *" in text


def test_native_takes_and_gives_c_values():
    def scale(x, n, flag):
        return x * n if flag else x - n

    f = jit.native(scale, float, int, bool)
    assert f(2.5, 4, True) == 10.0
    assert f(2.5, 4, False) == -1.5
    g = jit.native(triangle, int)
    assert g(1000) == 499500


def test_native_raises():
    def divide(a, b):
        return a // b

    f = jit.native(divide, int, int)
    assert f(7, 2) == 3
    with pytest.raises(ZeroDivisionError):
        f(7, 0)
    with pytest.raises(OverflowError):
        f(-(2**63), -1)
    assert f(-7, 2) == -4


def load(address):
    return ctypes.c_int64.from_address(address).value


def compare(a, b):
    return int(load(a)) - int(load(b))


def test_native_as_a_callback_of_the_c_library():
    values = (ctypes.c_int64 * 50)(*[(i * 37) % 50 for i in range(50)])
    f = jit.native(compare, int, int)
    library = ctypes.PyDLL(None)
    library.qsort(values, ctypes.c_size_t(50), ctypes.c_size_t(8), f)
    assert list(values) == sorted(values)


def test_statistics_add_up():
    gc.collect()
    before = jit.statistics()

    @jit.jit
    def one(n):
        return n + 1

    one(1)
    after = jit.statistics()
    assert after.functions == before.functions + 1 and after.versions == before.versions + 1
    assert "versions compiled" in str(after)
