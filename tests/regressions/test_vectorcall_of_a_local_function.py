"""C code may give a function that was made in compiled code a vectorcall of its own, which calls obey (3.12 and later)."""

import ctypes
import sys

import pytest

from compare import copies

import jit


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no PyFunction_SetVectorcall")
def test_calls_obey_it():
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    other = kind(lambda function, arguments, count, names: "overridden")
    set_vectorcall = ctypes.PYFUNCTYPE(None, ctypes.py_object, ctypes.c_void_p)(("PyFunction_SetVectorcall", ctypes.pythonapi))
    address = ctypes.cast(other, ctypes.c_void_p)

    def f(number):
        def local(number):
            return number + 1
        before = local(number), local(number)
        if number > 5:
            set_vectorcall(local, address)
        return before, [local(number) for _ in range(3)], local(number)

    (plain,), (compiled,) = copies(f, namespace={"set_vectorcall": set_vectorcall, "address": address})
    for number in (1, 2, 3, 6, 1, 7, 8, 2) * 3:
        assert compiled(number) == plain(number)
    assert plain(7) == ((8, 8), 3 * ["overridden"], "overridden")
    assert jit.explain(compiled).state == "compiled"
