"""Code objects that no compiler writes are refused with a reason; the compiler itself does not fail on them."""

import dis
import types

import pytest

from jit.decode import decode
from jit.dispatch import COMPILER
from jit.errors import Unsupported
from jit.types import INT
from jit.unit import check_compilable
from platforms.cpython import opcodes

NOP = bytes((dis.opmap["NOP"], 0))


def add(a, b=1):
    return a + b


def units(*pairs):
    """Bytecode of (opcode name, argument) pairs, with their caches."""
    caches = opcodes.cache_entries()
    return b"".join(bytes((dis.opmap[name], argument)) + bytes(2 * caches[dis.opmap[name]]) for name, argument in pairs)


def compile_only(code, namespace=None, cells=()):
    """Compile for two ints, without running."""
    function = types.FunctionType(code, namespace or {"__builtins__": __builtins__}, "f", (1,), cells)
    record = COMPILER.register(function)
    if record.reason is not None:
        raise Unsupported(record.reason)
    return COMPILER.compile(record, function, (INT, INT), [None, None])


def replaced(*pairs, **fields):
    return add.__code__.replace(co_code=units(("RESUME", 0), *pairs, ("RETURN_VALUE", 0)) + NOP * 10, co_stacksize=20, **fields)


@pytest.mark.parametrize("pairs", [
    [("COPY", 0)], [("SWAP", 0)], [("LOAD_FAST", 0), ("SWAP", 3)],
    [("LOAD_FAST", 0), ("BUILD_MAP", 3)], [("LOAD_FAST", 0), ("BUILD_SET", 3)], [("LOAD_FAST", 0), ("BUILD_LIST", 3)],
    [("LOAD_FAST", 0), ("BUILD_TUPLE", 3)], [("LOAD_FAST", 0), ("BUILD_SLICE", 2)]], ids=repr)
def test_what_takes_more_than_the_stack_has_is_refused(pairs):
    with pytest.raises(Unsupported, match="underflow"):
        compile_only(replaced(*pairs))


@pytest.mark.parametrize("pair", [("LOAD_ATTR", 40), ("STORE_ATTR", 20), ("DELETE_ATTR", 20), ("IMPORT_NAME", 20), ("IMPORT_FROM", 20), ("STORE_GLOBAL", 20), ("LOAD_GLOBAL", 40),
                                  *([("LOAD_SUPER_ATTR", 80)] if "LOAD_SUPER_ATTR" in dis.opmap else [])], ids=repr)
def test_names_that_there_are_not_are_refused(pair):
    with pytest.raises(Unsupported, match="out of range"):
        compile_only(replaced(*3 * [("LOAD_FAST", 0)], pair, ("LOAD_FAST", 0)))


@pytest.mark.parametrize("pairs", [[("UNPACK_EX", 1)], [("GET_LEN", 0)], [("MATCH_SEQUENCE", 0)], [("MATCH_MAPPING", 0)], [("MATCH_KEYS", 0)], [("LOAD_FAST", 0), ("MATCH_KEYS", 0)],
                                   [("LOAD_FAST", 0), ("LOAD_FAST", 0), ("MATCH_CLASS", 0)], [("LOAD_FAST", 0), ("LIST_EXTEND", 1)], [("LOAD_FAST", 0), ("SET_UPDATE", 1)],
                                   [("IMPORT_FROM", 0)]], ids=repr)
def test_patterns_and_displays_of_nothing_are_refused(pairs):
    with pytest.raises(Unsupported, match="underflow"):
        compile_only(replaced(*pairs, co_names=("a",)))


@pytest.mark.parametrize("pairs", [[("LOAD_FAST", 0), ("UNPACK_EX", 0)], [("LOAD_FAST", 0), ("UNPACK_EX", 255)], [("LOAD_FAST", 0), ("GET_LEN", 0)],
                                   [("LOAD_FAST", 0), ("MATCH_SEQUENCE", 0)], [*2 * [("LOAD_FAST", 0)], ("MATCH_KEYS", 0)], [*3 * [("LOAD_FAST", 0)], ("MATCH_CLASS", 9)],
                                   [*3 * [("LOAD_FAST", 0)], ("LIST_EXTEND", 2)], [*2 * [("LOAD_FAST", 0)], ("SET_UPDATE", 1)], [("LOAD_FAST", 0), ("IMPORT_FROM", 0)],
                                   [("LOAD_CONST", 0), ("LOAD_CONST", 1), ("MATCH_KEYS", 0)], [("LOAD_CONST", 0), ("LOAD_CONST", 2), ("LOAD_CONST", 1), ("MATCH_CLASS", 1)],
                                   [("LOAD_CONST", 0), ("LOAD_CONST", 2), ("LOAD_CONST", 3), ("MATCH_CLASS", 1)], [("LOAD_CONST", 3), ("LOAD_CONST", 0), ("MATCH_KEYS", 0)],
                                   [("LOAD_CONST", 0), ("LOAD_CONST", 2), ("LOAD_CONST", 0), ("MATCH_CLASS", 0)], [("LOAD_CONST", 0), ("LOAD_CONST", 3), ("IMPORT_NAME", 0)]], ids=repr)
def test_patterns_and_displays_of_anything_are_no_error_of_the_compiler(pairs):
    """They leave where the interpreter has to raise, or are compiled."""
    try:
        compile_only(replaced(*pairs, co_names=("math",), co_consts=(5, ((), [], 1.5), int, {"a": 1})))
    except Unsupported as refused:
        assert refused.reason


def test_callees_without_a_return_are_not_inlined():
    callee = types.FunctionType(add.__code__.replace(co_code=units(("RESUME", 0), ("LOAD_FAST", 0), ("LOAD_FAST", 1)) + NOP), {}, "g")

    def caller(a, b):
        return g(a, b) + g(b, a)  # noqa: F821

    namespace = {"g": callee, "__builtins__": __builtins__}
    COMPILER.register(callee)
    assert compile_only(caller.__code__, namespace).size > 0


def test_constants_of_callees_need_not_be_hashable():
    callee = types.FunctionType(add.__code__.replace(co_consts=([], {})), {}, "g", (1,))

    def caller(a, b):
        return g(a, b)  # noqa: F821

    namespace = {"g": callee, "__builtins__": __builtins__}
    COMPILER.register(callee)
    assert compile_only(caller.__code__, namespace).size > 0


def test_another_number_of_cells_is_refused():
    code = replaced(("LOAD_FAST", 0), co_freevars=("x", "y"))
    code = code.replace(co_code=units(("COPY_FREE_VARS", 1)) + code.co_code)
    with pytest.raises(Unsupported, match="number of cells"):
        compile_only(code, cells=(types.CellType(1), types.CellType(2)))


def test_stacks_of_absurd_size_are_refused():
    with pytest.raises(Unsupported, match="too large"):
        check_compilable(add.__code__.replace(co_stacksize=2**20))
    function = types.FunctionType(add.__code__.replace(co_stacksize=2**20), {}, "f", (1,))
    COMPILER.register(function)
    assert function(2) == 3


@pytest.mark.skipif("KW_NAMES" not in dis.opmap, reason="calls name their keywords otherwise in this version")
def test_jumps_between_keyword_names_and_their_call_are_refused():
    names = add.__code__.replace(co_consts=(None, ("b",)))
    call = [("KW_NAMES", 1), *([("PRECALL", 2)] if "PRECALL" in dis.opmap else []), ("CALL", 2)]
    behind = units(*call[1:])
    body = units(("RESUME", 0), ("JUMP_FORWARD", 1), *call, ("RETURN_VALUE", 0)) + NOP
    assert behind in body
    with pytest.raises(Unsupported, match="middle of an instruction"):
        decode(names.replace(co_code=body))
    with pytest.raises(Unsupported, match="without a call"):
        decode(names.replace(co_code=units(("RESUME", 0), ("KW_NAMES", 1), ("LOAD_FAST", 0), ("RETURN_VALUE", 0))))


@pytest.mark.skipif("INSTRUMENTED_RESUME" not in dis.opmap, reason="tools put in no opcodes in this version")
def test_bytecode_cut_off_behind_an_opcode_of_tools_is_seen():
    """CPython writes behind the end of the bytecode when it is asked for such a code object's co_code."""
    cut = bytes((dis.opmap["INSTRUMENTED_RESUME"], 0)) + units(("LOAD_GLOBAL", 0))[:4]
    code = add.__code__.replace(co_code=cut)
    assert opcodes.is_cut_off(code)
    with pytest.raises(Unsupported, match="cut off"):
        decode(code)
