"""The ten kernels: equal results compiled and interpreted, at ordinary and at hostile sizes and arguments."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

import jit
from jit import kernels
from jit.kernels import KERNELS

ROOT = pathlib.Path(__file__).resolve().parents[1]

HOSTILE = {
    "sumsq": [(0,), (1,), (-1,), (True,), (3.0,), (None,), ("9",), ()],
    "fib": [(0,), (1,), (-5,), (True,), (7.0,), (7.5,), (None,), ("x",), (1, 2)],
    "mandelbrot": [(0, 10), (1, 0), (1, 1), (-1, 5), (3, -1), (2.0, 5), (2, 4.5), (2, None)],
    "collatz": [(0,), (1,), (2,), (-3,), (2.5,), (None,)],
    "sieve_list": [(0,), (1,), (2,), (3,), (-1,), (True,), (1.0,), (None,)],
    "sieve_bytearray": [(bytearray(0),), (bytearray(1),), (bytearray(b"\1\1\1"),), (bytearray(b"\1" * 9),), ([1] * 9,),
                        ([True, 0, 2.5, None, "a"],), (b"\1" * 9,), ((1,) * 9,), (None,), (9,)],
    "spectral_norm": [(0, 1), (1, 0), (1, 1), (2, 3), (-1, 2), (2.0, 1), (2, None)],
    "fannkuch": [(0,), (-1,), (1,), (2,), (3,), (4.0,)],
    "matmul": [([], [], []), ([[]], [[]], [[]]), ([[2.0]], [[3.0]], [[0.0]]), ([[2]], [[3]], [[0]]),
               ([[2**40]], [[2**40]], [[0]]), ([[1.0, 2.0]], [[3.0]], [[0.0]]), ([[1.0], [2.0]], [[3.0]], [[0.0]]),
               ([["a"]], [[3]], [[0]]), ([[float("nan")]], [[-0.0]], [[0.0]]), ((((1.0,)),), [[3.0]], [[0.0]]),
               ([[float("inf"), 1.0]], [[0.0], [1]], [[None]]), (None, [[1.0]], [[1.0]])],
    "advance": [([], 0.01, 5), ([[0.0] * 7], 0.01, 3), ([[0.0] * 7, [0.0] * 7], 0.01, 3), ([[1] * 7, [2] * 7], 1, 2),
                ([[1.0] * 6, [2.0] * 6], 0.01, 1), ([[0.0] * 7, [1.0] * 7], 0.01, 0), ([[0.0] * 7, [1.0] * 7], 0.01, -1),
                ([[1e200] * 7, [-1e200] * 7], 0.01, 2), ([[0.0] * 7, [1.0] * 6 + ["m"]], 0.01, 2), ([None], 0.01, 1)],
}


def named(kernel):
    return kernel.name


@pytest.mark.parametrize("kernel", KERNELS, ids=named)
@pytest.mark.parametrize("scale", [0.001, 0.01, 0.1])
def test_results_are_equal(kernel, scale):
    """Floats to the last bit; also what is done to the arguments. The later calls run what the first one compiled."""
    interpreted, compiled = kernels.pair(kernel)
    for _ in range(4):
        expected_arguments, arguments = kernel.make_arguments(scale), kernel.make_arguments(scale)
        expected = interpreted(*expected_arguments)
        assert kernels.same((expected, expected_arguments), (compiled(*arguments), arguments))


@pytest.mark.parametrize("kernel", KERNELS, ids=named)
def test_hostile_arguments(kernel, both):
    """Values, exceptions and their traceback lines, each set of arguments in fresh copies."""
    for arguments in HOSTILE[kernel.name]:
        both(kernel.functions[0], *arguments, helpers=kernel.functions[1:])


def loop_over_object_or_int(n):
    r = n
    while r != 1:
        r -= 1
    i = 0
    while True:
        for i in range(r):
            pass
        r += 1
        if r > 5:
            return i


def test_range_of_what_is_an_object_on_one_path(both):
    """Found by fannkuch(None): a range iterator and an object met at a merge."""
    both(loop_over_object_or_int, None)


@pytest.mark.parametrize("kernel", KERNELS, ids=named)
def test_hostile_arguments_after_ordinary_ones(kernel):
    """The machine code is there already when arguments come that it was not made for."""
    from compare import outcome
    interpreted, compiled = kernels.pair(kernel)
    for arguments in [kernel.make_arguments(0.005), *HOSTILE[kernel.name], kernel.make_arguments(0.005)]:
        expected = outcome(interpreted, duplicate(arguments))
        assert expected == outcome(compiled, duplicate(arguments)), arguments


def duplicate(value):
    if type(value) in (list, tuple):
        return type(value)(map(duplicate, value))
    return bytearray(value) if type(value) is bytearray else value


@pytest.mark.parametrize("kernel", KERNELS, ids=named)
def test_kernels_are_compiled(kernel):
    if not jit.available():
        pytest.skip(jit.available().reason)
    _, compiled = kernels.pair(kernel)
    compiled(*kernel.make_arguments(0.01))
    assert jit.explain(compiled).state == "compiled"


@pytest.mark.parametrize("kernel", KERNELS, ids=named)
def test_pairs_share_nothing(kernel):
    """Both sides call copies of their own, and the functions of the module stay as they are."""
    interpreted, compiled = kernels.pair(kernel)
    assert interpreted is not compiled and interpreted.__globals__ is not compiled.__globals__
    for function in kernel.functions:
        assert jit.explain(function).state == "not decorated"
        assert jit.explain(interpreted.__globals__[function.__name__]).state == "not decorated"


def test_there_are_ten_with_targets():
    assert len({kernel.name for kernel in KERNELS}) == 10
    assert all(kernel.target > 1 for kernel in KERNELS)
    with pytest.raises(KeyError):
        kernels.find("nothing")


def test_same_tells_what_equality_does_not():
    assert kernels.same((1, [2.0]), (1, [2.0])) and kernels.same(float("nan"), float("nan"))
    for a, b in ((1, True), (1, 1.0), (0.0, -0.0), ([1], (1,)), ([1], [1, 2]), ([0.0], [-0.0])):
        assert not kernels.same(a, b)


def test_other_implementations_can_run_the_file():
    """Syntax of Python 3.9, and nothing of ours imported at the top."""
    tree = ast.parse((ROOT / "jit" / "kernels.py").read_text(), feature_version=(3, 9))
    modules = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in modules for alias in node.names} | {getattr(node, "module", None) for node in modules}
    assert not names & {"jit", "asm", "regalloc", "platforms"}


def test_importing_the_compiler_imports_no_kernels():
    program = "import jit, sys; jit.jit(lambda n: n + 1)(1); print('jit.kernels' in sys.modules)"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout == "False\n", done.stderr
