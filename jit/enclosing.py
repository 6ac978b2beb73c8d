"""Functions that an enclosing function makes, and keeps in a variable that inner functions share.

Problem: ``def paths(n): def walk(i): ... walk(i + 1) ...; return walk(0)`` makes a function at each call of `paths`. Versions belong to
function objects, and none of these lives long enough to get one.
Idea: what the variable holds is nearly always what the one statement has made that defines it. That is told from the enclosing function's bytecode
alone; where the variable is called, it is proven of the function at hand. Its body is compiled once, as a part of the enclosing function
(comprehensions.py), and takes the cells of its free variables as further arguments.
"""

from types import CodeType

from jit.decode import decode, slot_names


class EnclosedFunction:
    """Facts of what was read from such a variable: probably a function of `code`, made by that of `owner`, a FunctionRecord."""

    __slots__ = ("code", "owner")

    def __init__(self, code, owner):
        self.code, self.owner = code, owner


def enclosed_function(record, name):
    """What a variable that functions share probably holds where the code of `record` reads it.

    Args:
        record: FunctionRecord or None. name: of the variable.

    Returns:
        EnclosedFunction, or None if it is not known to be a function.
    """
    while record is not None and not record.is_shared:
        if name in record.code.co_cellvars:
            code = functions_made(record.code).get(name)
            return None if code is None else EnclosedFunction(code, record)
        if name not in record.code.co_freevars:
            return None
        record = record.enclosing
    return None


def functions_made(code):
    """The functions that a code object makes for the variables it shares with them: name -> code, where all that is put there is one function."""
    names, instructions = slot_names(code), decode(code)
    found = {}
    for index, instruction in enumerate(instructions):
        if instruction.operation == "STORE_DEREF" and instruction.argument < len(names):
            name, made = names[instruction.argument], function_before(code, instructions, index)
            found[name] = made if found.get(name, made) is made else None
    return {name: made for name, made in found.items() if made is not None}


def function_before(code, instructions, index):
    """The code of the function that is made right before an instruction, or None."""
    index -= 1
    while index > 0 and instructions[index].operation == "SET_FUNCTION_ATTRIBUTE":
        index -= 1
    if index < 1 or instructions[index].operation != "MAKE_FUNCTION" or instructions[index - 1].operation != "LOAD_CONST":
        return None
    made = code.co_consts[instructions[index - 1].argument]
    return made if type(made) is CodeType else None
