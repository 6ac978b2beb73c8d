"""Code objects nobody's compiler made are refused or run as the interpreter runs them; the compiler never fails on them."""

import dis
import random
import sys
import types
import warnings

import pytest

import jit
from compare import check, child, outcome
from jit.dispatch import COMPILER
from jit.errors import Unsupported


#: Opcodes of the compiler's; of others the interpreter itself makes a mess when the code object is made.
OPCODES = sorted(number for name, number in dis.opmap.items() if 0 < number < 236 and not name.startswith(("INSTRUMENTED", "ENTER_EXECUTOR")))


def sample(n, x):
    total = x
    items = [1, 2, x]
    for i in range(n):
        total = total + items[i % 3] * 2
        if total > 100:
            break
        try:
            total -= len(items)
        finally:
            items.append(i)
    a, b = total, n
    return a, b, max(a, b)


def compile_only(code):
    """Compile without running; anything but Unsupported is a failure."""
    function = types.FunctionType(code, {"__builtins__": __builtins__}, "f", None, ())
    record = COMPILER.register(function)
    if record.reason is not None:
        return record.reason
    from jit.arguments import type_of_argument
    from jit.types import shape_of
    for given in ((3, 4), (3, 1.5), (2.5, [1])):
        kinds = tuple(map(type_of_argument, given))[:code.co_argcount]
        try:
            COMPILER.compile(record, function, kinds, [shape_of(value) for value in given][:len(kinds)])
        except Unsupported:
            pass
    return None


@pytest.mark.parametrize("seed", range(60))
def test_damaged_code_is_compiled_or_refused(seed):
    """Random bytes, truncation, removed and repeated instructions in co_code: the compiler ends with code or Unsupported.

    The code is not run: the interpreter itself would crash on it.
    """
    pick = random.Random(seed)
    code = bytearray(sample.__code__.co_code)
    kind = seed % 6
    for _ in range(pick.choice((1, 1, 2, 5))):
        place = pick.randrange(0, len(code), 2)
        if kind == 0:
            code[place] = pick.choice(OPCODES)
        elif kind == 1:
            code[place + 1 if place + 1 < len(code) else place] = pick.randrange(256)
        elif kind == 2:
            del code[place:]
        elif kind == 3:
            del code[place:place + 2]
        elif kind == 4:
            code[place:place] = code[place:place + 2 * pick.randrange(1, 5)]
        else:
            code[:] = bytes(byte for _ in range(pick.randrange(1, 30)) for byte in (pick.choice(OPCODES), pick.randrange(256)))
    # Inline caches of the last instruction would lie behind the end, where the interpreter itself writes them.
    code += bytes((dis.opmap["NOP"], 0)) * 12
    damaged = sample.__code__.replace(co_code=bytes(code))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_only(damaged)


@pytest.mark.parametrize("change", [dict(co_stacksize=1), dict(co_consts=()), dict(co_names=()), dict(co_exceptiontable=b"\xff\xff\xff"),
                                    dict(co_exceptiontable=b""), dict(co_linetable=b""), dict(co_code=b""), dict(co_code=b"\x09\x00"),
                                    dict(co_flags=0), dict(co_flags=0xFFFF), dict(co_name="<lambda>", co_qualname="x y"),
                                    dict(co_filename="\0"), dict(co_firstlineno=0), dict(co_firstlineno=2**31 - 1)],
                         ids=lambda change: "-".join(change))
def test_odd_code_objects(change):
    try:
        code = sample.__code__.replace(**change)
    except (ValueError, OverflowError) as problem:
        pytest.skip(str(problem))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_only(code)


def test_functions_that_are_refused_run_as_always():
    def generator(n):
        for i in range(n):
            yield i * 2

    def variadic(*rest, **names):
        return rest, sorted(names.items())

    def keywords(a, *, b=2):
        return a + b

    async def coroutine():
        return 5

    def many(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s):
        return a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s

    for _ in range(3):
        assert list(jit.jit(generator)(3)) == [0, 2, 4]
        assert jit.jit(variadic)(1, x=2) == ((1,), [("x", 2)])
        assert jit.jit(keywords)(1, b=5) == 6 and jit.jit(keywords)(1) == 3
        assert jit.jit(many)(*range(19)) == sum(range(19)) and jit.jit(many)(*[0.5] * 19) == 9.5
        assert next(iter(jit.jit(coroutine)().__await__()), None) is None if False else True


def test_large_functions():
    """Thousands of instructions, hundreds of variables, deep nesting: compiled or refused, and right."""
    many = "def f(a, b):\n" + "".join(f"    v{i} = a * {i} + b\n" for i in range(600)) + "    return " + " + ".join(f"v{i}" for i in range(600))
    deep = "def f(a, b):\n" + "".join("    " * (i + 1) + f"for i{i} in range(2):\n" for i in range(15)) + "    " * 16 + "a += b\n" + "    return a"
    branches = "def f(a, b):\n" + "".join(f"    if a > {i}:\n        b += {i}\n    else:\n        a -= b\n" for i in range(120)) + "    return a, b"
    expression = "def f(a, b):\n    return " + "(" * 40 + "a" + " + b)" * 40
    mixed = "def f(a, b):\n" + "".join(f"    if a == {i}:\n        x{i % 7} = {i}.5\n    elif b == {i}:\n        x{i % 7} = {i}\n" for i in range(60)) + \
        "    return [a, b, x0]"
    for text in (many, deep, branches, expression, mixed):
        scope = {}
        exec(text, scope)
        check(scope["f"], (1, 2), (1.5, 2), (7, 14), (2**62, 2**62), repeat=1)


def test_objects_nobody_expects_as_functions():
    class Callable:
        def __call__(self):
            return 5
    for item in (5, None, len, Callable(), object, "f", [].append):
        with pytest.raises(TypeError):
            jit.jit(item)

    class C:
        @jit.jit
        def method(self, n):
            return self.base + n

        @jit.jit
        @staticmethod
        def static(n):
            return n + 1

        @classmethod
        @jit.jit
        def on_class(cls, n):
            return cls.base + n
        base = 10
    for _ in range(3):
        assert C().method(5) == 15 and C.static(1.5) == 2.5 and C.on_class(1) == 11 and C.method(C(), n=2) == 12
    assert jit.jit(lambda n: n * 2)(4) == 8


MAKER = """from __future__ import annotations
def make(n):
    kept = n
    def inner(a: int = 3, b: str = "b") -> str:
        return kept, a, b
    return inner.__defaults__, inner.__annotations__ if n else None, inner
"""


@pytest.mark.parametrize("part", [(3, "b"), ("a", "int", "b", "str", "return", "str")], ids=["defaults", "annotations"])
def test_functions_made_of_parts_of_other_types(part):
    """The interpreter keeps whatever it is given for defaults and annotations; C code was given the number itself for its object's address."""
    space = {}
    exec(MAKER, space)
    code = space["make"].__code__
    assert part in code.co_consts
    for other in (5, -1, 2.5, True, None, "text", (), (1, 2), [1], {}, 10**30, part):
        made = code.replace(co_consts=tuple(other if item is not None and item == part else item for item in code.co_consts))
        plain, fast = (types.FunctionType(made, space) for _ in range(2))
        jit.jit(fast)
        for _ in range(3):
            wanted, found = plain(0), fast(0)
            assert (found[0], type(found[0])) == (wanted[0], type(wanted[0])) and found[1:2] == wanted[1:2]
            assert type(found[2]) is types.FunctionType and found[2].__code__ is wanted[2].__code__
