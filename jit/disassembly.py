"""Source line, bytecode and machine instructions side by side."""

import linecache

from jit.decode import Instruction

HINT = "; machine code is shown in hex; for text: pip install purejit[dis]"


def function_text(function):
    """The listings of all versions of a decorated function, or why there are none."""
    from jit.report import explain
    explanation = explain(function)
    if not explanation.versions:
        return str(explanation)
    from jit.dispatch import COMPILER
    record = COMPILER.records[id(function)]
    return "\n\n".join(listing_text(code, function.__code__.co_filename) for code in record.versions)


def listing_text(code, filename=None):
    """One version's machine code in address order, with the source line and bytecode each part comes from."""
    disassembler = _disassembler()
    types = ", ".join(kind.name for kind in code.types)
    lines = [f"; ({types}) -> {code.result.name}, {code.size} bytes at {code.block:#x}"]
    if disassembler is None:
        lines.append(HINT)
    names = _names(code)
    last_line = None
    for start, end, comments in code.listing():
        for comment in comments:
            if isinstance(comment, Instruction):
                # Instructions that Python's compiler adds may belong to no line.
                if comment.line not in (None, last_line) and filename is not None:
                    last_line = comment.line
                    lines.append(f"{last_line:>5}  {linecache.getline(filename, last_line).strip()}")
                lines.append(f"       {comment}")
            else:
                lines.append(f"       ; {comment}")
                if comment == "constants":
                    lines.extend(_constants(code, start))
                    return "\n".join(lines)
        lines.extend(_machine(code, start, end, disassembler, names))
    return "\n".join(lines)


def _constants(code, start):
    for offset in range((start + 7) & -8, code.size - 7, 8):
        yield f"           {offset:#6x}  {int.from_bytes(code.bytes[offset:offset + 8], 'little'):#018x}"


def _machine(code, start, end, disassembler, names):
    data = code.bytes[start:end]
    if disassembler is None:
        for offset in range(0, len(data), 16):
            yield f"           {start + offset:#6x}  {data[offset:offset + 16].hex(' ')}"
        return
    for item in disassembler.disasm(data, code.block + start):
        operands = item.op_str
        if item.mnemonic in ("call", "jmp") and operands.startswith("0x"):
            operands = names.get(int(operands, 16), operands)
        yield f"           {item.address - code.block:#6x}  {item.mnemonic} {operands}"


def _names(code):
    """Names of addresses outside of the version."""
    from jit.machine import routines
    names = {address: name for name, address in vars(routines()).items()}
    names.update({cell.code.address: "compiled callee" for cell in code.callees})
    names[code.address] = "this body"
    return names


def _disassembler():
    try:
        import capstone
    except ImportError:
        return None
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
