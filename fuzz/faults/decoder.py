"""From code objects to canonical instructions."""

from fuzz.faults.planting import Fault, rewriting

_PRELUDE = """
import dis
from jit.decode import decode, exception_entries

def compiled(text):
    names = {}
    exec(text, names)
    return names["f"].__code__

"""

FAULTS = [
    Fault("extended-argument-ignored", "decoder", "decoder",
          rewriting("jit.decode", "raw_instructions",
                    ("argument = argument << 8 | units[position + 1]", "argument = units[position + 1]")),
          "Arguments beyond 255 lose what their prefixes say.", _PRELUDE + """
def main():
    names = [f"name{number}" for number in range(300)]
    code = compiled("def f(a):\\n " + "\\n ".join(f"{name} = a" for name in names) + f"\\n return {names[-1]}")
    stores = [instruction.argument for instruction in decode(code) if instruction.operation == "STORE_FAST"]
    assert stores == list(range(1, 301)), stores[-1]
"""),
    Fault("forward-jump-one-unit-long", "decoder", "decoder",
          rewriting("jit.decode", "jump_offset", ("FOR_ITER_SKIP\n    return following + 2 * argument",
                                                   "FOR_ITER_SKIP\n    return following + 2 * argument + 2")),
          "Forward jumps lead one code unit too far.", _PRELUDE + """
def main():
    code = compiled("def f(a):\\n if a:\\n  return a + 1\\n return a")
    instructions = decode(code)
    wanted = {item.argval for item in dis.get_instructions(code) if item.opcode in dis.hasjrel}
    found = {instructions[item.target].offset for item in instructions if item.target is not None}
    assert wanted == found, (wanted, found)
"""),
    Fault("exception-table-depth-rounded-up", "decoder", "decoder",
          rewriting("jit.decode", "exception_entries", ("depth >> 1,", "depth + 1 >> 1,")),
          "Handlers that want the instruction's offset are given a stack that is one item too deep.", _PRELUDE + """
def main():
    code = compiled("def f(a):\\n with a:\\n  return 1\\n return 2")
    wanted = [(item.start, item.end, item.target, item.depth, int(item.lasti)) for item in dis._parse_exception_table(code)]
    ours = exception_entries(code)
    assert wanted == ours, (wanted, ours)
"""),
]
