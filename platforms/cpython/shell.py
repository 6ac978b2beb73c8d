"""Code objects whose frames CPython shows to nobody: they have no RESUME, so it takes them for incomplete.

Source: CPython Python/bytecodes.c (RETURN_VALUE, RERAISE), Objects/codeobject.c (_PyCode_CreateLineArray), Objects/locations.md.
"""

from opcode import opmap


#: co_flags of functions with *args and **kwargs, which would be local variables.
_VARIADIC = 0x4 | 0x8


def shell(code):
    """What an emptied frame ends with, a code object like another, of two instructions: at 0 return what is on the stack, at 2 raise it."""
    return _like(code, ("RETURN_VALUE", 0), ("RERAISE", 0))


def poll(code):
    """A code object that lets all pending work in, as each jump back does, and returns None; 3.11 and 3.12."""
    return _like(code, ("JUMP_FORWARD", 2), ("LOAD_CONST", 0), ("RETURN_VALUE", 0), ("JUMP_BACKWARD", 3), constants=(None,))


def _like(code, *instructions, constants=()):
    text = bytes(byte for name, argument in instructions for byte in (opmap[name], argument))
    # All in the function's first line, without columns. CPython writes one entry per unit that this table tells of.
    lines = bytes((0x80 | 13 << 3 | len(instructions) - 1, 0))
    return code.replace(co_code=text, co_flags=code.co_flags & ~_VARIADIC, co_stacksize=1, co_nlocals=0, co_varnames=(), co_cellvars=(), co_freevars=(), co_argcount=0,
                        co_posonlyargcount=0, co_kwonlyargcount=0, co_consts=constants, co_names=(), co_exceptiontable=b"", co_linetable=lines)
