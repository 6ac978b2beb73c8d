"""The code object that an emptied frame ends with.

Source: CPython Python/bytecodes.c (RETURN_VALUE, RERAISE), Objects/codeobject.c (_PyCode_CreateLineArray), Objects/locations.md.
"""

from opcode import opmap


#: Of two code units, in the function's first line, without columns. CPython writes one entry per unit that this table tells of.
_LINES = bytes((0x80 | 13 << 3 | 1, 0))
#: co_flags of functions with *args and **kwargs, which would be local variables.
_VARIADIC = 0x4 | 0x8


def shell(code):
    """A code object like another, of two instructions: at 0 return what is on the stack, at 2 raise it.

    It has no RESUME, so CPython takes its frames for incomplete and shows them to nobody.
    """
    text = bytes((opmap["RETURN_VALUE"], 0, opmap["RERAISE"], 0))
    return code.replace(co_code=text, co_flags=code.co_flags & ~_VARIADIC, co_stacksize=1, co_nlocals=0, co_varnames=(), co_cellvars=(), co_freevars=(), co_argcount=0,
                        co_posonlyargcount=0, co_kwonlyargcount=0, co_consts=(), co_names=(), co_exceptiontable=b"", co_linetable=_LINES)
