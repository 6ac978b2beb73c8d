"""Write reference.txt: the bytes of every case, as checked with GNU as and objdump.

    PYTHONPATH=. python tests/asm/record_reference.py

Run it after adding rows to the table. It refuses to record what binutils reads differently.
"""

from asm_cases import cases, encode, intel_text
from asm_oracles import commuted, gnu_assemble, objdump
from test_asm_encodings import REFERENCE


def record():
    """Check every case, then write the file."""
    instructions = [(encode(m, o).hex(), intel_text(m, o, memory)) for m, o, memory in cases()]
    ours = objdump(bytes.fromhex("".join(code for code, _ in instructions)))
    theirs = objdump(gnu_assemble([text for _, text in instructions]))
    assert len(instructions) == len(ours) == len(theirs)
    for (code, request), (read, text), (_, expected) in zip(instructions, ours, theirs):
        assert (code, commuted(text)) == (read, commuted(expected)), request
    with open(REFERENCE, "w", encoding="ascii") as file:
        file.writelines(f"{code} {text}\n" for code, text in instructions)
    print(f"{len(instructions)} instructions")


if __name__ == "__main__":
    record()
