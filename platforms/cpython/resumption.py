"""Generators that machine code resumes: their bytecode for exits, their state, and the slot through which CPython asks for the next item.

Code that runs a part of a generator takes the values out of the generator's own frame and gives them back at the next yield, so that in
between the generator is as the interpreter would have left it. Where compiled code leaves, the interpreter runs on in a frame of
its own (`resumable`): the generator's instructions at their own offsets, with the generator at the bottom of the operand stack; where they
would yield, `Suspender` gives the values back. A return ends that frame, and the caller of the part ends the generator.

Source: CPython Objects/genobject.c (gen_send_ex2, gen_iternext), Python/bytecodes.c and ceval.c (YIELD_VALUE, RETURN_VALUE).
"""

import ctypes
import functools
from sys import _getframe
from types import GeneratorType

from platforms import pages
from platforms.cpython import symbols
from platforms.cpython.exception_table import deepened
from platforms.cpython.generators import tail
from platforms.cpython.layout import layout
from platforms.cpython.observe import read
from platforms.cpython.opcodes import NUMBERS
from platforms.cpython.undisturbed import JA, JGE, JL, JMP, JNE, assemble, call, disp

L = layout()
#: Operands that the code needs beyond the generator's own.
_MORE_STACK = 5
_LARGEST = 255
#: Instructions that keep more about a suspended generator than variables and operands: exceptions being handled, other generators.
_REFUSED = frozenset({"PUSH_EXC_INFO", "SEND", "GET_YIELD_FROM_ITER", "GET_AWAITABLE", "BEFORE_WITH", "SETUP_ANNOTATIONS"})
#: What the state of a running generator is.
EXECUTING = 0
#: Of types: the slot; of the descriptor of a slot: the function in it.
_TYPE_ITERNEXT, _WRAPPED = 224, 48
#: Places in the table of codes; a code may lie in two of them.
PLACES = 2048
_increment = symbols.function("Py_IncRef", None, ctypes.py_object)
_decrement = symbols.function("Py_DecRef", None, ctypes.py_object)


class Resumable:
    """A generator's code, prepared.

    Attributes:
        code: what the interpreter runs after an exit.
        yields: offset of each yield, with its prefixes -> (offset behind it, operands then on the stack). resumes: of the beginning and the
        yields whose value is not used: offset behind them -> (offset where the generator goes on, operands then on the stack). ends: offset of an instruction that returns
        what is on top of the stack or None, or None if there is none.
    """

    __slots__ = ("code", "yields", "resumes", "ends")


def resumable(code, raw, depths):
    """Prepare a generator's code; None if it is not one that can be.

    Args:
        code: of a generator function or expression. raw: its raw instructions, see `decode.raw_instructions`. depths: of the operand
            stack, see `depths.depths`.
    """
    raw = list(raw)
    names = [name for _, _, name, _, _ in raw]
    if _REFUSED.intersection(names) or "RETURN_GENERATOR" not in names or len(code.co_consts) + names.count("YIELD_VALUE") > _LARGEST:
        return None
    made = Resumable()
    made.yields, made.resumes, made.ends = {}, {}, None
    units = bytearray(code.co_code)
    consts = list(code.co_consts)
    # What RETURN_GENERATOR leaves on the stack is counted in some versions only; behind the POP_TOP that follows there is nothing.
    begin = raw[names.index("RETURN_GENERATOR") + 1]
    nothing = depths.get(begin[4])
    if begin[2] != "POP_TOP" or nothing is None:
        return None
    for index, (start, own, name, argument, following) in enumerate(raw):
        if name == "RETURN_VALUE" or name == "RETURN_CONST" and made.ends is None and code.co_consts[argument] is None:
            made.ends = own
        if name != "YIELD_VALUE":
            continue
        if start not in depths or raw[index + 1][2] != "RESUME" or start != own or raw[index + 1][0] != following:
            return None
        depth = depths[start] - nothing - 1
        made.yields[start] = following, depth
        if raw[index + 2][2] == "POP_TOP":
            made.resumes[following] = raw[index + 2][4], depth
        distance = (len(units) - raw[index + 1][4]) // 2
        if distance >> 16:
            return None
        units[own:own + 2] = NUMBERS["EXTENDED_ARG"], distance >> 8
        units[own + 2:own + 4] = NUMBERS["JUMP_FORWARD"], distance & 255
        units += tail(depth + 2, len(consts))
        consts.append(Suspender(following))
    if not made.yields:
        return None
    made.resumes[begin[0]] = begin[4], 0
    made.code = code.replace(co_code=bytes(units), co_consts=tuple(consts), co_stacksize=code.co_stacksize + _MORE_STACK,
                             co_exceptiontable=deepened(code.co_exceptiontable))
    return made


class Suspender:
    """Gives a generator the values of the calling frame, as if it had yielded.

    Attributes:
        offset: behind the yield.
    """

    __slots__ = ("offset", "__weakref__")

    def __init__(self, offset):
        self.offset = offset

    def __call__(self, operands):
        """Returns the item.

        Args:
            operands: the generator, whose frame holds nothing, what is on its operand stack, the item.
        """
        generator, *stack, item = operands
        shown = _getframe(1)
        frame = read(id(shown) + L.frame_object_frame)
        target = id(generator) + L.generator_frame
        code = ctypes.cast(read(target + L.frame_code), ctypes.py_object).value
        count = read(id(code) + L.code_nlocalsplus, 4)
        source, into = frame + L.frame_localsplus, target + L.frame_localsplus
        for place in range(count):
            held = read(source + 8 * place)
            if held:
                _put(into + 8 * place, ctypes.cast(held, ctypes.py_object).value)
        for place, operand in enumerate(stack):
            _put(into + 8 * (count + place), operand)
        ctypes.c_uint32.from_address(target + L.frame_stacktop).value = count + len(stack)
        _write(target + L.frame_instruction, resume_word(code, self.offset))
        _hand_over(shown, frame, target)
        ctypes.c_int8.from_address(id(generator) + L.generator_state).value = L.generator_suspended  # from here on another thread may resume it
        return item


def _hand_over(shown, frame, target):
    """Let a frame object be the generator's, because somebody may keep it: with its reference, which the running frame holds."""
    old = read(target + L.frame_object)
    _write(target + L.frame_object, id(shown))
    _write(id(shown) + L.frame_object_frame, target)
    _write(frame + L.frame_object, 0)
    if old:
        _decrement(ctypes.cast(old, ctypes.py_object))


def _write(address, word):
    ctypes.c_uint64.from_address(address).value = word


def _put(address, item):
    """Let memory that holds nothing hold an object."""
    _increment(item)
    _write(address, id(item))


def resume_word(code, offset):
    """What a frame's instruction field holds when it is to go on at an offset."""
    return id(code) + L.code_adaptive + offset + L.instruction_resume_bias


# -- the slot ------------------------------------------------------------------------------------------


@functools.cache
def original():
    """The address of CPython's own gen_iternext; None if the slot does not look as it should."""
    found = read(id(GeneratorType) + _TYPE_ITERNEXT)
    return found if found and found == read(id(GeneratorType.__dict__["__next__"]) + _WRAPPED) else None


@functools.cache
def _table():
    """The address of the table: PLACES + 1 times (code, routine)."""
    size = (PLACES + 1) * 16 + pages.PAGE - 1 & -pages.PAGE
    address = pages.reserve(size)
    pages.protect(address, size, pages.READ | pages.WRITE)
    return address


@functools.cache
def lead():
    """Let generators ask the table for their next item; returns whether they do. It holds for as long as the process lives."""
    if original() is None:
        return False
    places = disp(PLACES - 1)
    code, _ = assemble([
        f"48 8B 87 {disp(L.generator_frame + L.frame_code)} 89 C1 C1 E9 04 81 E1 {places}",  # mov rax, [rdi + code]; mov ecx, eax; shr; and
        f"C1 E1 04 48 BA {disp(_table(), 8)} 48 01 CA",  # shl ecx, 4; mov rdx, table; add rdx, rcx
        "48 39 02", (JNE, "second"), "FF 62 08",  # cmp [rdx], rax; jmp [rdx + 8]
        "second:", "48 39 42 10", (JNE, "other"), "FF 62 18",
        "other:", f"48 B8 {disp(original(), 8)} FF E0",  # mov rax, original; jmp rax
    ])
    _write(id(GeneratorType) + _TYPE_ITERNEXT, pages.place(code))
    return True


def slot():
    """The address of what gives any generator's next item at present."""
    return read(id(GeneratorType) + _TYPE_ITERNEXT)


def _places(code):
    first = code >> 4 & PLACES - 1
    return [_table() + 16 * (first + number) for number in (0, 1)]


def set_routine(code, address):
    """Let a machine code function of one generator of this code give its next item. Returns False if there is no room.

    Args:
        code: address of the code object; it must live until `clear_routine`. address: of a C function like gen_iternext.
    """
    places = _places(code)
    place = next((place for place in places if read(place) == code), None) or next((place for place in places if not read(place)), None)
    if place is None:
        return False
    _write(place + 8, address)
    _write(place, code)
    return True


def clear_routine(code):
    """Undo `set_routine`."""
    for place in _places(code):
        if read(place) == code:
            _write(place, 0)


# -- a generator that waits ----------------------------------------------------------------------------


#: What a variable holds that is not bound.
UNBOUND = type("Unbound", (), {})()
#: Places for what a frame holds.
_ROOM = 1 << 9
_Places = ctypes.py_object * _ROOM


class Waiting:
    """A generator that waits, as it was at one moment.

    Attributes:
        function: whose call made it. offset: in its code, behind the yield (or the beginning) that it waits at. values: of its variables
        and of its operand stack.
    """

    __slots__ = ("function", "offset", "values")


def waiting(generator, code):
    """Look at a generator of this code; None if it runs or is over, or holds too much.

    In one go: the next moment another thread may finish it, which frees what its frame points to.
    """
    places = _Places()
    count = _copy()(id(generator), places, _ROOM - 2)
    if count < 0:
        return None
    start = ctypes.addressof(places)
    function, *values = (places[number] if read(start + 8 * number) else UNBOUND for number in (0, *range(2, count + 2)))
    for held in (function, *values):
        if held is not UNBOUND:
            _decrement(held)
    found = Waiting()
    found.function, found.offset, found.values = function, read(start + 8) - resume_word(code, 0), values
    return found


@functools.cache
def _copy():
    """int copy(generator, into, room): new references to the function and to what the frame holds, behind the two first words; the second is its instruction.

    Returns how many things the frame holds, or -1: it does not wait, or there is no room.
    """
    frame = L.generator_frame
    stacktop, localsplus = disp(frame + L.frame_stacktop), disp(frame + L.frame_localsplus)
    code, _ = assemble([
        "53 41 54 41 55",  # push rbx; push r12; push r13
        f"80 BF {disp(L.generator_state)} {disp(EXECUTING, 1)}", (JGE, "none"),  # cmp byte [rdi + state], EXECUTING
        f"44 8B AF {stacktop} 49 39 D5", (JA, "none"),  # mov r13d, [rdi + stacktop]; cmp r13, rdx
        "48 89 FB 49 89 F4",  # mov rbx, rdi; mov r12, rsi
        f"48 8B 83 {disp(frame + L.frame_instruction)} 49 89 44 24 08",  # mov rax, [rbx + instruction]; mov [r12 + 8], rax
        f"48 8B BB {disp(frame + L.frame_function)} 49 89 3C 24", call("Py_IncRef"),  # mov rdi, [rbx + function]; mov [r12], rdi
        "next:", "49 FF CD", (JL, "all"),  # dec r13; jl
        f"4A 8B BC EB {localsplus} 4B 89 7C EC 10", call("Py_IncRef"),  # mov rdi, [rbx + 8 * r13 + localsplus]; mov [r12 + 8 * r13 + 16], rdi
        (JMP, "next"),
        "all:", f"8B 83 {stacktop}", (JMP, "out"),  # mov eax, [rbx + stacktop]
        "none:", f"B8 {disp(-1)}",  # mov eax, -1
        "out:", "41 5D 41 5C 5B C3",  # pop r13; pop r12; pop rbx; ret
    ])
    return pages.routine(code, ctypes.c_int, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t)
