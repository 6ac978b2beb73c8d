"""Generator expressions: code that collects instead of yielding, and generators that stand in the middle of their run.

The code that compiled code leaves into (`collecting`) has the generator's own instructions at their own offsets, but for four places:
it begins with a container at the bottom of the operand stack, where it would yield it returns what `Suspender` gives, and in the
end it returns the container.

Source: CPython Python/bytecodes.c and ceval.c (RETURN_GENERATOR, YIELD_VALUE), Objects/genobject.c.
"""

import ctypes
from collections import deque
from itertools import chain, repeat
from sys import _getframe
from types import FunctionType

from platforms.cpython.exception_table import deepened
from platforms.cpython.layout import layout
from platforms.cpython.observe import read
from platforms.cpython.opcodes import NULL_FIRST, NUMBERS, VERSION, cache_entries

#: Before 3.12 a StopIteration that leaves a generator becomes a RuntimeError outside of it.
CONVERTS_STOP_ITERATION = VERSION < (3, 12)
#: Operands that the code needs beyond the generator's own.
_MORE_STACK = 5
_LARGEST = 255

L = layout()
_increment = ctypes.pythonapi.Py_IncRef
_increment.argtypes = (ctypes.py_object,)
_increment.restype = None


class Collecting:
    """Code that collects.

    Attributes:
        code: the code object. generator: the generator expression's. yields, ends: offsets of the places where it would yield and return.
    """

    __slots__ = ("code", "generator", "yields", "ends")

    def __init__(self, code, generator, yields, ends):
        self.code = code
        self.generator = generator
        self.yields = yields
        self.ends = ends


def collecting(code, raw, into_list):
    """The code that collects what a generator expression yields, or None if that is not written as CPython's compiler does.

    Args:
        code: of the generator expression. raw: its raw instructions, see `decode.raw_instructions`. into_list: the container is a new list,
            else an empty tuple that nothing is put into.
    """
    raw = list(raw)
    names = [name for _, _, name, _, _ in raw]
    if any(names.count(name) != 1 for name in ("RETURN_GENERATOR", "YIELD_VALUE")) or \
            names.count("RETURN_VALUE") + names.count("RETURN_CONST") != 1 or len(code.co_consts) > _LARGEST - 2:
        return None
    first, yields = names.index("RETURN_GENERATOR"), names.index("YIELD_VALUE")
    last = names.index("RETURN_VALUE") if "RETURN_VALUE" in names else names.index("RETURN_CONST")
    if names[first + 1] != "POP_TOP" or names[yields + 1:yields + 3] != ["RESUME", "POP_TOP"] or not yields < last:
        return None
    if names[last] == "RETURN_VALUE" and names[last - 1] != "LOAD_CONST":
        return None
    try:
        table = deepened(code.co_exceptiontable)
    except ValueError:
        return None
    units = bytearray(code.co_code)
    consts = (*code.co_consts, (), None)

    def put(index, name, argument=0):
        units[raw[index][1]], units[raw[index][1] + 1] = NUMBERS[name], argument

    put(first, *(("BUILD_LIST", 0) if into_list else ("LOAD_CONST", len(consts) - 2)))
    put(first + 1, "NOP")
    offset = raw[yields][1]
    distance = (len(units) - raw[yields + 1][4]) // 2
    if distance >> 16:
        return None
    put(yields, "EXTENDED_ARG", distance >> 8)
    put(yields + 1, "JUMP_FORWARD", distance & 255)
    put(yields + 2, "NOP")
    if names[last] == "RETURN_VALUE":
        put(last - 1, "NOP")
    put(last, "RETURN_VALUE")
    depth = sum(name == "FOR_ITER" and start < offset < following + 2 * argument for start, _, name, argument, following in raw)
    units += tail(depth + 2, len(consts) - 1)
    suspend = Suspender(code, raw[yields][4])
    made = code.replace(co_code=bytes(units), co_consts=(*consts[:-1], suspend), co_stacksize=code.co_stacksize + _MORE_STACK,
                        co_exceptiontable=table)
    return Collecting(made, code, raw[yields][0], raw[last][0])


def tail(count, suspend):
    """Code that gives `count` operands to the constant of number `suspend`, in one tuple, and returns what it returns."""
    swap = ("SWAP", 2)
    callee = [("PUSH_NULL", 0), swap, ("LOAD_CONST", suspend), swap] if NULL_FIRST else \
        [("LOAD_CONST", suspend), swap, ("PUSH_NULL", 0), swap]
    call = [("PRECALL", 1)] if "PRECALL" in NUMBERS else []
    caches = cache_entries()
    units = bytearray()
    for name, argument in [("BUILD_TUPLE", count), *callee, *call, ("CALL", 1), ("RETURN_VALUE", 0)]:
        units += bytes((NUMBERS[name], argument)) + bytes(2 * caches[NUMBERS[name]])
    return units


class Suspender:
    """Makes the generator that stands where the calling frame would have yielded.

    Attributes:
        code: the generator expression's. offset: behind its yield.
    """

    __slots__ = ("code", "offset", "__weakref__")

    def __init__(self, code, offset):
        self.code = code
        self.offset = offset

    def __call__(self, operands):
        """An iterator over all that the generator has yielded and will yield.

        Args:
            operands: the container, the iterators of the generator's loops, the item to be yielded now.
        """
        collected, *iterators, item = operands
        frame = _getframe(1)
        generator = suspended(self.code, frame.f_globals, read(id(frame) + L.frame_object_frame), iterators, self.offset)
        items = deque((*collected, item))
        return chain(map(deque.popleft, repeat(items, len(items))), generator)  # which refers to nothing that it has handed out


def suspended(code, namespace, frame, iterators, offset):
    """A new generator in the state of an interpreter frame, as if it had yielded.

    Args:
        frame: address of a frame with the same variables. iterators: on the generator's operand stack. offset: behind the yield.
    """
    count = read(id(code) + L.code_nlocalsplus, 4)
    source = frame + L.frame_localsplus
    first = count - len(code.co_freevars)
    held = [ctypes.cast(read(source + 8 * place), ctypes.py_object).value if read(source + 8 * place) else None for place in range(count)]
    function = FunctionType(code, namespace, code.co_name, None, tuple(held[first:]))
    generator = function(held[0])
    target = id(generator) + L.generator_frame
    into = target + L.frame_localsplus
    for place in range(1, first):
        if read(source + 8 * place):
            _put(into + 8 * place, held[place])
    for place, iterator in enumerate(iterators):
        _put(into + 8 * (count + place), iterator)
    ctypes.c_uint32.from_address(target + L.frame_stacktop).value = count + len(iterators)
    ctypes.c_uint64.from_address(target + L.frame_instruction).value = id(code) + L.code_adaptive + offset + L.instruction_resume_bias
    ctypes.c_int8.from_address(id(generator) + L.generator_state).value = L.generator_suspended
    return generator


def _put(address, item):
    """Let memory that holds nothing hold an object."""
    _increment(item)
    ctypes.c_uint64.from_address(address).value = id(item)
