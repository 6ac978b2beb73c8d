"""Code object -> the text that fuzz/assembling.py reads."""

from fuzz.assembling import AssemblyTextError
from jit.decode import exception_entries, raw_instructions
from platforms.cpython import opcodes


def disassemble(code):
    """The text of a code object; assembled again with `code` as the template, it behaves the same (columns are lost).

    Raises:
        AssemblyTextError: a jump or a handler leads into the middle of an instruction.
        jit.errors.Unsupported: the bytecode is cut off.
    """
    instructions = list(raw_instructions(code))
    starts = {start for start, *_ in instructions} | {instructions[-1][-1] if instructions else 0}
    targets = {}
    for start, own, name, argument, following in instructions:
        if name in opcodes.JUMPS:
            targets[start] = following + (-2 if name in opcodes.JUMPS_BACKWARD else 2) * argument
    entries = exception_entries(code)
    places = sorted({place for entry in entries for place in entry[:3]} | set(targets.values()))
    if not set(places) <= starts:
        raise AssemblyTextError("a jump into the middle of an instruction", 1)
    labels = {place: f"L{number}" for number, place in enumerate(places, 1)}
    lines = _header(code)
    for start, end, handler, depth, lasti in entries:
        lines.append(f"try {labels[start]} {labels[end]} {labels[handler]} depth {depth}{' lasti' * lasti}")
    lines += _body(code, instructions, labels, targets)
    return "\n".join(lines) + "\n"


def _header(code):
    lines = [f"args {code.co_argcount}", f"posonly {code.co_posonlyargcount}", f"kwonly {code.co_kwonlyargcount}",
             f"flags {code.co_flags}", f"stack {code.co_stacksize}", f"first {code.co_firstlineno}",
             f"qualname {code.co_qualname}"]
    for word, names in (("locals", code.co_varnames), ("cells", code.co_cellvars), ("free", code.co_freevars),
                        ("names", code.co_names)):
        if names:
            lines.append(" ".join((word, *names)))
    for index, value in enumerate(code.co_consts):
        plain = value is None or type(value) in (int, float, str, bytes, bool)
        lines.append(f"const {value!r}" if plain else f"const @{index}")
    return lines


def _body(code, instructions, labels, targets):
    lines = []
    positions = {start: line for start, _, line in code.co_lines()}
    for start, own, name, argument, following in instructions:
        for place in range(start, own + 2, 2):
            if place in positions:
                lines.append(f"line {'none' if positions[place] is None else positions[place]}")
        if start in labels:
            lines.append(f"{labels[start]}:")
        prefixes = (own - start) // 2
        needed = max(0, (argument.bit_length() + 7) // 8 - 1)
        lines += ["  EXTENDED_ARG 0"] * (prefixes - needed)
        operand = labels[targets[start]] if start in targets else _operand(code, name, argument)
        lines.append(f"  {name} {operand}")
    if instructions and instructions[-1][-1] in labels:
        lines.append(f"{labels[instructions[-1][-1]]}:")
    return lines


def _operand(code, name, argument):
    if name in ("LOAD_FAST", "STORE_FAST") and argument < len(code.co_varnames):
        return code.co_varnames[argument]
    if name == "LOAD_GLOBAL" and argument >> 1 < len(code.co_names):
        return "NULL+" * (argument & 1) + code.co_names[argument >> 1]
    if name == "LOAD_CONST" and argument < len(code.co_consts):
        return f"{argument} # {code.co_consts[argument]!r:.40}".splitlines()[0]
    return argument
