"""What a frame holds when it reaches its n-th instruction: offset, locals, operand stack."""

import ctypes
import dis
import sys

from activations import NULL
from platforms.cpython.layout import layout

L = layout()
_ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
         "JUMP_BACKWARD_NO_INTERRUPT")


class Stop(BaseException):
    """Ends the run that was looked at."""


def stack_depths(code):
    """Operand stack depth before each reachable instruction, from the compiler's own table of effects."""
    instructions = list(dis.get_instructions(code))
    index = {found.offset: number for number, found in enumerate(instructions)}
    depths = {}
    work = [(instructions[0].offset, 0)]
    work += [(entry.target, entry.depth + 1 + bool(entry.lasti)) for entry in dis._parse_exception_table(code)]
    while work:
        offset, depth = work.pop()
        if offset in depths:
            continue
        depths[offset] = depth
        found = instructions[index[offset]]
        operation = dis.opmap[found.opname]
        argument = found.arg if operation >= dis.HAVE_ARGUMENT else None
        if operation in dis.hasjrel or operation in dis.hasjabs:
            work.append((found.argval, depth + dis.stack_effect(operation, argument, jump=True)))
        if found.opname not in _ENDS and index[offset] + 1 < len(instructions):
            following = instructions[index[offset] + 1].offset
            work.append((following, depth + dis.stack_effect(operation, argument, jump=False)))
    return depths


def not_resumable(code):
    """Offsets at which the interpreter holds state outside the frame: between KW_NAMES and CALL, and before it is complete."""
    found = set()
    inside = False
    first = 2 * ctypes.c_int.from_address(id(code) + L.code_first_traceable).value
    for instruction in dis.get_instructions(code):
        if inside or instruction.offset < first:
            found.add(instruction.offset)
        if instruction.opname == "KW_NAMES":
            inside = True
        elif instruction.opname == "CALL":
            inside = False
    return found


def _slots(frame, count):
    base = ctypes.c_uint64.from_address(id(frame) + L.frame_object_frame).value + L.frame_localsplus
    found = []
    for number in range(count):
        pointer = ctypes.c_uint64.from_address(base + 8 * number)
        found.append(ctypes.py_object.from_address(base + 8 * number).value if pointer.value else NULL)
    return found


def at_instruction(function, arguments, wanted, do):
    """Run function(*arguments); before its instruction number `wanted`, do(offset, locals, stack), and end the run.

    Returns False if the function ended before.
    """
    code = function.__code__
    count = ctypes.c_int.from_address(id(code) + L.code_nlocalsplus).value
    depths = stack_depths(code)
    seen = 0
    reached = False

    def look(frame, offset):
        nonlocal seen, reached
        seen += 1
        if seen != wanted + 1:
            return
        reached = True
        stop()
        if L.version == (3, 11):
            # While tracing, the frame's own stack pointer is stored; and PRECALL's effect is not told truly.
            pointer = ctypes.c_uint64.from_address(id(frame) + L.frame_object_frame).value
            depth = ctypes.c_int.from_address(pointer + L.frame_stacktop).value - count
        else:
            depth = depths[offset]
        slots = _slots(frame, count + depth)
        do(offset, slots[:count], slots[count:])
        raise Stop

    if L.version == (3, 11):
        def tracer(frame, event, argument):
            if frame.f_code is not code:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode":
                look(frame, frame.f_lasti)
            return tracer

        def stop():
            sys.settrace(None)
        sys.settrace(tracer)
    else:
        monitoring = sys.monitoring

        def callback(running, offset):
            if running is code:
                look(sys._getframe(1), offset)

        def stop():
            monitoring.set_local_events(4, code, 0)
        if monitoring.get_tool(4) is None:
            monitoring.use_tool_id(4, "tests/runtime")
        monitoring.register_callback(4, monitoring.events.INSTRUCTION, callback)
        monitoring.set_local_events(4, code, monitoring.events.INSTRUCTION)
    try:
        function(*arguments)
    except Stop:
        pass
    finally:
        stop()
        if L.version != (3, 11):
            monitoring.free_tool_id(4)
    return reached
