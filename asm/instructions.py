"""The methods of the assembler that emit instructions, one per mnemonic.

Speed: compiling is mostly assembling, and a compiler emits the same few thousand
instructions over and over. So every mnemonic has a memo from operands to bytes; a new
instruction goes through the encoder of its operands' shapes (encoder.py), which is made
when these shapes are first seen. Most mnemonics are never used by a process, so what they
need is made at their first use, too.

Operands are looked up by equality: 1, True and 1.0 are the same to the memo, as they are
to Python, and mean the same instruction.
"""

from operator import index

from asm.encoder import branch_opcode, encoder_for, forms_of
from asm.encodings import BRANCHES, ROWS
from asm.operands import Label
from asm.sections import NOPS

_MEMO_LIMIT = 2048  # instructions per mnemonic; addresses in immediates are endless


def _no_form(mnemonic, operands):
    return TypeError(f"no form of {mnemonic} takes ({', '.join(map(repr, operands))})")


def branch_target(mnemonic, target):
    """The label or int that a displacement is to lead to."""
    if isinstance(target, Label):
        return target
    if hasattr(target, "__index__"):
        return index(target)
    raise _no_form(mnemonic, (target,))


def _plain_integers(mnemonic, operands):
    """The operands with int-like objects replaced by ints."""
    plain = []
    for operand in operands:
        if not hasattr(operand, "shape"):
            if not hasattr(operand, "__index__"):
                raise _no_form(mnemonic, operands)
            operand = index(operand)
        plain.append(operand)
    return tuple(plain)


def _shapes(operands):
    return tuple(["imm" if type(operand) is int else operand.shape for operand in operands])


def _new_instruction(mnemonic, memo):
    """The function that encodes what the memo does not know, and notes fixups."""
    forms = []
    encoders = {}  # {shapes: encoder}

    def new_encoder(shapes, operands):
        if not forms:
            forms.extend(forms_of(mnemonic))
        encoder = encoder_for(forms, shapes)
        if encoder is None:
            raise _no_form(mnemonic, operands)
        encoders[shapes] = encoder
        return encoder

    def encode(assembler, operands):
        try:
            if len(operands) == 2:  # nearly always, hence worth the shortcut
                first, second = operands
                shapes = first.shape, "imm" if type(second) is int else second.shape
            else:
                shapes = _shapes(operands)
        except AttributeError:
            operands = _plain_integers(mnemonic, operands)
            shapes = _shapes(operands)
        encoder = encoders.get(shapes) or new_encoder(shapes, operands)
        code = encoder(*operands)
        if type(code) is bytes:
            if len(memo) >= _MEMO_LIMIT:
                memo.clear()
            memo[operands] = code
            return code
        if code is None:
            raise _no_form(mnemonic, operands)
        code, trailing, relative = code
        end = len(assembler.buffer) + len(code)
        assembler.fixups.append((end - trailing - 4, relative.target, end - relative.offset))
        return code

    return encode


def _instruction(mnemonic):
    """The method of an ordinary instruction."""
    memo = {}
    recall = memo.get
    encode = None

    def emit(self, *operands):
        nonlocal encode
        code = recall(operands)
        if code is None:
            encode = encode or _new_instruction(mnemonic, memo)
            code = encode(self, operands)
        self.buffer += code

    return emit


def _branch(mnemonic):
    """The method of an instruction that takes a label or an address."""
    opcode = b""
    emit_indirect = _instruction(mnemonic)

    def emit(self, target):
        nonlocal opcode
        if type(target) is not Label:
            if hasattr(target, "shape"):
                return emit_indirect(self, target)
            target = branch_target(mnemonic, target)
        if not opcode:
            opcode = branch_opcode(mnemonic)
        buffer = self.buffer
        buffer += opcode
        end = len(buffer)
        self.fixups.append((end - 4, target, end))

    return emit


def _nop():
    """nop() and nop(rm), and nop(length) for the instruction of 1 to 9 bytes."""
    emit_form = _instruction("nop")

    def emit(self, *operands):
        if len(operands) != 1 or not isinstance(operands[0], int):
            return emit_form(self, *operands)
        if not 1 <= operands[0] <= 9:
            raise _no_form("nop", operands)
        self.buffer += NOPS[operands[0]]

    return emit


def _method(mnemonic):
    if mnemonic == "nop":
        return _nop()
    return _branch(mnemonic) if mnemonic in BRANCHES else _instruction(mnemonic)


def _named(name, method):
    method.__name__ = method.__qualname__ = name
    return method


METHODS = {mnemonic: _named(mnemonic, _method(mnemonic)) for mnemonic in ROWS}
for _keyword in ("and", "or", "not"):
    METHODS[_keyword + "_"] = METHODS[_keyword]
