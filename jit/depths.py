"""How much is on the operand stack before each instruction; CPython does not keep that while a frame runs.

Source: CPython Python/compile.c (stackdepth), Objects/exception_handling_notes.txt.
"""

from jit.decode import exception_entries, jump_offset, raw_instructions
from jit.errors import Unsupported
from platforms.cpython import opcodes


def depths(code):
    """Byte offset of each instruction that can be reached -> items on the stack before it.

    Raises:
        Unsupported: the code does not say.
    """
    instructions = {start: (name, argument, following) for start, _, name, argument, following in raw_instructions(code)}
    found = {}
    waiting = [(target, depth + 1 + lasti) for _, _, target, depth, lasti in exception_entries(code)] + [(0, 0)]
    while waiting:
        offset, depth = waiting.pop()
        if offset not in instructions:
            continue
        if offset in found:
            if found[offset] != depth:
                raise Unsupported("two depths of the stack")
            continue
        found[offset] = depth
        name, argument, following = instructions[offset]
        if name in opcodes.LEAVE:
            continue
        if name in opcodes.JUMPS:
            waiting.append((jump_offset(name, argument, following), depth + opcodes.stack_effect(name, argument, True)))
        if name not in opcodes.JUMPS_ALWAYS:
            waiting.append((following, depth + opcodes.stack_effect(name, argument, False)))
    return found
