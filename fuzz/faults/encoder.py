"""The assembler's encodings."""

from fuzz.faults.planting import Fault, replacing_item, rewriting

_PRELUDE = """
from asm import Assembler, dil, mem64, r12, r13, rax, rbx, rdx

def code(mnemonic, *operands):
    asm = Assembler()
    asm.emit(mnemonic, *operands)
    return asm.finish(0).hex()

"""

FAULTS = [
    Fault("displacement-128-in-8-bits", "encoder", "encoder",
          rewriting("asm.operands", "Memory._encode", ("-128 <= disp <= 127", "-128 <= disp <= 128"),
                    ('disp.to_bytes(1, "little", signed=True)', '(disp & 255).to_bytes(1, "little")')),
          "A displacement of 128 is encoded in 8 bits, which means -128.", _PRELUDE + """
def main():
    assert code("mov", rax, mem64(rbx, 127)) == "488b437f"
    assert code("mov", rax, mem64(rbx, 128)) == "488b8380000000", code("mov", rax, mem64(rbx, 128))
"""),
    Fault("rex-b-dropped-for-r12-base", "encoder", "encoder",
          rewriting("asm.operands", "Memory.__init__",
                    ("0 if base is None else base.rex", "0 if base is None or base.number == 12 else base.rex")),
          "An address with r12 as its base is encoded as one with rsp.", _PRELUDE + """
def main():
    assert code("mov", rax, mem64(r13, 8)) == "498b4508"
    assert code("mov", rax, mem64(r12, 8)) == "498b442408", code("mov", rax, mem64(r12, 8))
"""),
    Fault("sib-left-out-for-r12", "encoder", "encoder",
          rewriting("asm.operands", "Memory._encode",
                    ("self.index is None and low != 4", "self.index is None and base.number != 4")),
          "An address with r12 as its base lacks the SIB byte that rsp's has.", _PRELUDE + """
def main():
    assert code("mov", rax, mem64(r12, 8)) == "498b442408", code("mov", rax, mem64(r12, 8))
"""),
    Fault("immediate-of-32-bits-taken-for-unsigned", "encoder", "encoder",
          rewriting("asm.encoder", "Form.immediate_ranges",
                    ("ranges = [(least, -least - 1)]", "ranges = [(least, -least - 1 if width < 32 else 2**32 - 1)]")),
          "Immediates from 2**31 to 2**32 are encoded in 32 bits that the processor extends by their sign.", _PRELUDE + """
def main():
    assert code("add", rbx, 2**31 - 1) == "4881c3ffffff7f"
    try:
        found = code("add", rbx, 2**31)
    except TypeError:
        return
    raise AssertionError(found)
"""),
    Fault("setge-encoded-as-setg", "encoder", "encoder",
          rewriting("asm.encoder", "Form._opcode_byte", ("* self.number", '* (15 if self.mnemonic == "setge" else self.number)')),
          "setge sets its byte only for greater.", _PRELUDE + """
def main():
    assert code("setl", dil) == "400f9cc7"
    assert code("setge", dil) == "400f9dc7", code("setge", dil)
"""),
    Fault("byte-register-without-rex", "encoder", "encoder",
          replacing_item("asm.encoder", "_REX.0", 8, b""),
          "dil and its kind are encoded without REX, which means bh and its kind.", _PRELUDE + """
def main():
    assert code("sete", dil) == "400f94c7", code("sete", dil)
"""),
]
