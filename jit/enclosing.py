"""Functions that an enclosing function makes, and keeps in a variable that inner functions share.

Problem: ``def paths(n): def walk(i): ... walk(i + 1) ...; return walk(0)`` makes a function at each call of `paths`. Versions belong to
function objects, and none of these lives long enough to get one.
Idea: what the variable holds is nearly always what the one statement has made that defines it. That is told from the enclosing function's bytecode
alone; where the variable is called, it is proven of the function at hand. Its body is compiled once, as a part of the enclosing function
(comprehensions.py), and takes the cells of its free variables as further arguments.
"""

from types import CodeType

from jit.decode import decode, slot_names

#: Items that instructions take from the stack which may stand in a function's annotations; BUILD_TUPLE takes its argument's number.
_TAKEN = {"LOAD_CONST": 0, "LOAD_FAST": 0, "LOAD_CLOSURE": 0, "LOAD_DEREF": 0, "LOAD_GLOBAL": 0, "LOAD_ATTR": 1, "BINARY_SUBSCR": 2, "BINARY_OP": 2}
#: Parts of a function, by MAKE_FUNCTION's flags.
DEFAULTS, KEYWORD_DEFAULTS, ANNOTATIONS, CLOSURE = 1, 2, 4, 8


class EnclosedFunction:
    """Facts of what was read from such a variable: probably a function of `code`, with these `defaults`, made by that of `owner`, a FunctionRecord."""

    __slots__ = ("code", "defaults", "owner")

    def __init__(self, code, defaults, owner):
        self.code, self.defaults, self.owner = code, defaults, owner


def enclosed_function(record, name):
    """What a variable that functions share probably holds where the code of `record` reads it.

    Args:
        record: FunctionRecord or None. name: of the variable.

    Returns:
        EnclosedFunction, or None if it is not known to be a function.
    """
    while record is not None and not record.is_shared:
        if name in record.code.co_cellvars:
            if record.made is None or record.made[0] is not record.code:
                record.made = record.code, functions_made(record.code)
            made = record.made[1].get(name)
            return None if made is None else EnclosedFunction(*made, record)
        if name not in record.code.co_freevars:
            return None
        record = record.enclosing
    return None


def functions_made(code):
    """The functions that a code object makes for the variables it shares with them, where nothing else is put there.

    Returns:
        dict: name -> (code, tuple of defaults, empty if they are no constants).
    """
    names, instructions = slot_names(code), decode(code)
    found = {}
    for index, instruction in enumerate(instructions):
        if instruction.operation == "STORE_DEREF":
            found.setdefault(names[instruction.argument], []).append(function_before(code, instructions, index))
    return {name: made[0] for name, made in found.items() if len(made) == 1 and made[0] is not None}


def function_before(code, instructions, index):
    """(code, defaults) of the function that is made right before an instruction, or None."""
    index -= 1
    parts = 0
    while index > 0 and instructions[index].operation == "SET_FUNCTION_ATTRIBUTE":
        parts |= instructions[index].argument
        index -= 1
    if index < 1 or instructions[index].operation != "MAKE_FUNCTION":
        return None
    parts |= instructions[index].argument
    made = constant(code, instructions[index - 1])
    if type(made) is not CodeType:
        return None
    defaults = ()
    if parts & DEFAULTS and not parts & KEYWORD_DEFAULTS:
        place = before_items(instructions, index - 1, 1 + bool(parts & CLOSURE) + bool(parts & ANNOTATIONS))
        defaults = None if place is None else constant(code, instructions[place])
    return made, defaults if type(defaults) is tuple else ()


def constant(code, instruction):
    """What an instruction loads, or None."""
    return code.co_consts[instruction.argument] if instruction.operation == "LOAD_CONST" else None


def before_items(instructions, index, count):
    """Index of the instruction before those, up to `index`, that push the topmost `count` items; None if it is not known."""
    while count and index >= 0:
        instruction = instructions[index]
        taken = instruction.argument if instruction.operation == "BUILD_TUPLE" else _TAKEN.get(instruction.operation)
        if taken is None:
            return None
        count += taken - 1
        index -= 1
    return index if index >= 0 else None
