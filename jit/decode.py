"""Code object -> canonical instructions.

Problem: bytecode has prefixes, inline caches, fused pairs and one spelling per version.
Idea: fold all of that away once; what is left is a flat list of `Instruction`, each knowing the byte
offsets at which the interpreter can take over before, during and after it.
Invariants: `offset` is always a boundary at which the frame can be resumed (never between KW_NAMES
and CALL, never inside a fused pair); instructions of one raw instruction share it.
"""

import weakref

from jit.errors import Unsupported
from platforms.cpython import exception_table, opcodes

_NAMES = opcodes.raw_names()
_CACHES = opcodes.cache_entries()


#: Code objects whose instructions are remembered: versions are compiled anew, and callees looked at for being inlined.
REMEMBERED = 512
_decoded = {}


class Instruction:
    """One canonical instruction.

    Attributes:
        operation: canonical name. argument: int, str or bool as the operation has it.
        offset: byte offset at which to resume *before* it. executing: byte offset the frame shows while it runs.
        following: byte offset of the next raw instruction. line: source line (int or None).
        target: index of the instruction jumped to, or None. last: last of its raw instruction.
        names: keyword names of a call (tuple of str) or (). site: names the place where types are observed. own: offset of its raw
        instruction in the code it belongs to.
    """

    __slots__ = ("operation", "argument", "offset", "executing", "following", "line", "target", "last", "names", "site", "own")

    def __init__(self, operation, argument, offset, executing, following, line):
        self.operation = operation
        self.argument = argument
        self.offset = offset
        self.executing = executing
        self.following = following
        self.line = line
        self.target = None
        self.last = True
        self.names = ()
        self.site = offset
        self.own = executing

    def standing_for(self, inner):
        """An instruction of a callee that is walked in the place of this call: at this offset, doing what `inner` does."""
        made = Instruction(inner.operation, inner.argument, self.offset, self.executing, self.following, self.line)
        made.target, made.names = inner.target, inner.names
        made.site = self.site, inner.site
        made.own = inner.own
        return made

    def copy(self):
        """Another one, alike."""
        made = Instruction(self.operation, self.argument, self.offset, self.executing, self.following, self.line)
        made.target, made.last, made.names, made.site, made.own = self.target, self.last, self.names, self.site, self.own
        return made

    def __repr__(self):
        where = "" if self.target is None else f" -> {self.target}"
        argument = "" if self.argument in (0, None) and where else f" {self.argument}"
        return f"{self.offset:5} {self.operation}{argument}{where}"


def raw_instructions(code):
    """Yield (offset of the first prefix, own offset, name, argument, following offset) per raw instruction.

    Raises:
        Unsupported: the bytecode is cut off or holds a number that is no opcode.
    """
    if opcodes.is_cut_off(code):
        raise Unsupported("bytecode is cut off")
    units = code.co_code
    size = len(units)
    position = start = argument = 0
    while position + 1 < size:
        number = units[position]
        name = _NAMES[number]
        argument = argument << 8 | units[position + 1]
        if name == "EXTENDED_ARG":
            position += 2
            if argument >= 1 << 24:
                raise Unsupported("argument of more than 32 bits")
            continue
        following = position + 2 + 2 * _CACHES[number]
        if following > size:
            raise Unsupported("bytecode is cut off")
        yield start, position, name, argument, following
        position = start = following
        argument = 0


def decode(code):
    """Decode a code object; what was decoded lately is remembered.

    Args:
        code: types.CodeType.

    Returns:
        list of `Instruction`, jumps resolved to indexes; not to be changed.

    Raises:
        Unsupported: malformed bytecode (jump out of range, fall off the end, unknown numbers).
    """
    known = _decoded.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    if len(_decoded) >= REMEMBERED:
        _decoded.clear()
    instructions = _decode(code)
    _decoded[id(code)] = weakref.ref(code), instructions
    return instructions


def _decode(code):
    """See `decode`."""
    lines = _line_starts(code)
    instructions, index_at, jumps = [], {}, []
    pending_names, named, resume, joined = (), False, None, set()
    for start, own, name, argument, following in raw_instructions(code):
        if resume is None:
            resume = start
        index_at[start] = len(instructions)
        if own in lines:
            line = lines[own]
        elif start == 0:
            line = code.co_firstlineno
        if named:
            # The names are for the call behind them: whoever jumps there calls without.
            joined.add(start)
            if name not in ("PRECALL", "CALL"):
                raise Unsupported("keyword names without a call", line, name)
        if name == "KW_NAMES":
            pending_names, named = _names_of(code, argument), True
            continue
        if name == "PRECALL":
            continue
        named = False
        if name == "CALL_KW":
            # The names are pushed by the instruction before: the two are one call.
            pending_names, resume = _names_below(code, instructions, line)
            joined.add(start)
        try:
            pieces = opcodes.canonical_form(name, argument)
        except IndexError:
            raise Unsupported("an argument is out of range", line, name) from None
        for operation, value in pieces:
            instruction = Instruction(operation, value, resume, own, following, line)
            instruction.last = False
            if name in opcodes.JUMPS:
                jumps.append((instruction, jump_offset(name, argument, following)))
            if operation == "CALL":
                instruction.names, pending_names = pending_names, ()
            instructions.append(instruction)
        if pieces:
            instructions[-1].last = True
        resume = None
    _check_operands(code, instructions)
    for instruction, offset in jumps:
        if offset not in index_at or offset in joined:
            raise Unsupported("jump into the middle of an instruction", instruction.line, instruction.operation)
        instruction.target = index_at[offset]
        if instruction.target >= len(instructions):
            raise Unsupported("jump past the end", instruction.line, instruction.operation)
    return instructions


_LOCALS = ("LOAD_FAST", "STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR", "LOAD_DEREF", "STORE_DEREF", "LOAD_CLOSURE", "MAKE_CELL")
_NAMES_USED = ("LOAD_GLOBAL", "STORE_GLOBAL", "LOAD_NAME", "STORE_NAME", "DELETE_NAME", "DELETE_GLOBAL", "LOAD_ATTR", "STORE_ATTR", "DELETE_ATTR", "LOAD_METHOD",
               "IMPORT_NAME", "IMPORT_FROM")


def _check_operands(code, instructions):
    """Arguments that are indexes must be in range; hostile code objects have others."""
    limits = {"LOAD_CONST": len(code.co_consts)}
    names = len(code.co_names)
    limits.update(dict.fromkeys(_LOCALS, local_count(code)), LOAD_SUPER_ATTR=names << 2, **dict.fromkeys(_NAMES_USED, names))
    for instruction in instructions:
        limit = limits.get(instruction.operation)
        if limit is not None and instruction.argument >= limit:
            raise Unsupported("an argument is out of range", instruction.line, instruction.operation)


VARARGS, VARKEYWORDS = 0x4, 0x8  # of co_flags


def parameter_count(code):
    """Parameters, which are the first locals: positional ones, keyword-only ones, *args, **kwargs."""
    return code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & VARARGS) + bool(code.co_flags & VARKEYWORDS)


def takes_more(code):
    """Whether a call's arguments are more than positions: there are keyword-only parameters, *args or **kwargs."""
    return bool(code.co_kwonlyargcount or code.co_flags & (VARARGS | VARKEYWORDS))


def slot_names(code):
    """Names of the slots of localsplus: locals, cells that are no arguments, free variables."""
    return *code.co_varnames, *(name for name in code.co_cellvars if name not in code.co_varnames), *code.co_freevars


def local_count(code):
    """Slots of localsplus."""
    return len(slot_names(code))


#: What changes which object a local names; MAKE_CELL, because a function inside may.
_REBINDS = frozenset({"STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR", "MAKE_CELL"})


def rebound(instructions):
    """The slots of locals that are bound anew, or deleted, somewhere in a list of Instructions."""
    return {instruction.argument for instruction in instructions if instruction.operation in _REBINDS}


def jump_offset(name, argument, following):
    """The byte offset a raw jump leads to."""
    if name in opcodes.JUMPS_BACKWARD:
        return following - 2 * argument
    if name == "FOR_ITER":
        return following + 2 * argument + 2 * opcodes.FOR_ITER_SKIP
    return following + 2 * argument


def _names_below(code, instructions, line):
    """Take back the load of a call's keyword names; returns (names, the load's offset)."""
    load = instructions.pop() if instructions else None
    if load is None or load.operation != "LOAD_CONST" or len(instructions) and not instructions[-1].last:
        raise Unsupported("keyword names are no constant", line, "CALL_KW")
    return _names_of(code, load.argument), load.offset


def _names_of(code, index):
    names = code.co_consts[index] if index < len(code.co_consts) else None
    if type(names) is not tuple or not all(type(name) is str for name in names):
        raise Unsupported("keyword names are no tuple of strings")
    return names


def _line_starts(code):
    """Byte offset -> line, for each offset that starts a new entry of the line table."""
    return {start: line for start, _, line in code.co_lines()}


def exception_entries(code):
    """Parse co_exceptiontable.

    Returns:
        list of (start, end, target, depth, lasti) in byte offsets (Objects/exception_handling_notes.txt).
    """
    try:
        return [(start * 2, (start + length) * 2, target * 2, depth >> 1, depth & 1)
                for start, length, target, depth in exception_table.entries(code.co_exceptiontable)]
    except ValueError as problem:
        raise Unsupported(str(problem)) from None
