"""The assembler: a method per mnemonic, labels, two code sections and a constant pool.

Code goes into a hot section and, inside `with a.cold():`, into a cold one. finish() lays
out hot code, cold code and constants one after the other and fills in the displacements
that were left open (fixups), because only then is it known where everything lies.

Speed: compiling is mostly assembling, and a compiler emits the same few thousand
instructions over and over. So every mnemonic has a memo from operands to bytes; a new
instruction goes through the encoder of its operands' shapes (encoder.py).

Invariants: a fixup is (position, target, reference): the 32 bits at `position` become the
target's address minus that of `reference`; both count from the section's start. Bytes in a
section never move within it, and branches always have 32-bit displacements.
"""

from operator import index
from struct import Struct
from struct import error as OutOfRange

from asm.encoder import branch_opcode, encoder_for, forms_of
from asm.encodings import BRANCHES, ROWS
from asm.operands import AssemblyError, Label

_MEMO_LIMIT = 2048  # instructions per mnemonic; addresses in immediates are endless

_write_int32 = Struct("<i").pack_into

# The recommended multi-byte nops (SDM volume 2, NOP), by length.
_NOPS = (
    *(b"", b"\x90", b"\x66\x90", b"\x0f\x1f\x00", b"\x0f\x1f\x40\x00", b"\x0f\x1f\x44\x00\x00"),
    *(b"\x66\x0f\x1f\x44\x00\x00", b"\x0f\x1f\x80\x00\x00\x00\x00"),
    *(b"\x0f\x1f\x84\x00\x00\x00\x00\x00", b"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00"),
)
_MARKER = _NOPS[7]


def _nops(length):
    return _NOPS[9] * (length // 9) + _NOPS[length % 9]


class Section:
    """Code that stays together."""

    __slots__ = ("buffer", "fixups", "comments", "alignment", "start")

    def __init__(self):
        self.buffer = bytearray()
        self.fixups = []  # (position, target, reference)
        self.comments = []  # (position, text)
        self.alignment = 1  # the greatest that was asked for
        self.start = None  # offset in the code, known at finish


class _Cold:
    """The context in which an assembler emits into its cold section."""

    __slots__ = ("assembler", "outer")

    def __init__(self, assembler):
        self.assembler = assembler

    def __enter__(self):
        self.outer = self.assembler.section
        self.assembler._enter(self.assembler.sections[1])

    def __exit__(self, *exception):
        self.assembler._enter(self.outer)


class Assembler:
    """Emits x86-64 instructions; see the package docstring for an example."""

    __slots__ = (
        *("section", "buffer", "fixups"),  # the current section, and its parts within reach
        *("sections", "labels", "constants", "recording", "_size"),
    )

    def __init__(self, comments=True):
        self.sections = (Section(), Section())  # hot, cold
        self.labels = []  # those that are bound
        self.constants = {}  # {bytes: Label}
        self.recording = comments
        self._size = None  # after finish
        self._enter(self.sections[0])

    def _enter(self, section):
        self.section, self.buffer, self.fixups = section, section.buffer, section.fixups

    def cold(self):
        """A context in which code goes to the cold section, after all hot code."""
        return _Cold(self)

    # Instructions by name; the mnemonics themselves are added below, from the table.

    def emit(self, mnemonic, *operands):
        """Emit the instruction with this mnemonic ("and" or, as methods must spell it, "and_")."""
        method = _METHODS.get(mnemonic)
        if method is None:
            raise TypeError(f"no instruction is called {mnemonic!r}")
        method(self, *operands)

    def jcc(self, condition, target):
        """Jump to `target` if `condition` ("e", "l", "o", ...) holds."""
        self.emit("j" + condition, target)

    def setcc(self, condition, destination):
        """Set a byte to whether `condition` holds."""
        self.emit("set" + condition, destination)

    def cmovcc(self, condition, destination, source):
        """Move if `condition` holds."""
        self.emit("cmov" + condition, destination, source)

    # Labels.

    def label(self, name="label"):
        """A new label, to be bound once."""
        return Label(name)

    def bind(self, label):
        """Let `label` mean the place that code is emitted to now."""
        if label.section is not None:
            raise AssemblyError(f"label {label.name} is bound twice")
        label.section, label.position = self.section, len(self.buffer)
        self.labels.append(label)

    # Data and padding.

    def align(self, alignment):
        """Pad with nops up to a multiple of `alignment`, a power of two."""
        if alignment < 1 or alignment & alignment - 1:
            raise AssemblyError(f"alignment {alignment} is not a power of two")
        self.section.alignment = max(self.section.alignment, alignment)
        self.buffer += _nops(-len(self.buffer) % alignment)

    def db(self, data):
        """Emit bytes as they are."""
        self.buffer += data

    def dq(self, value):
        """Emit a 64-bit integer, signed or unsigned."""
        self.buffer += _int64(value)

    def marker(self, target):
        """Emit a 7-byte nop whose displacement is `target` minus its own address; None: 0.

        Behind a call, its own address is the return address, so who walks the stack can
        find `target` from there.
        """
        position = len(self.buffer)
        self.buffer += _MARKER
        if target is not None:
            self.fixups.append((position + 3, _branch_target("marker", target), position))

    def constant(self, value):
        """The label of an 8-byte constant, given as bytes or as a 64-bit integer."""
        return self._constant(_int64(value) if isinstance(value, int) else bytes(value), 8)

    def constant16(self, value):
        """The label of a 16-byte constant at an address that is a multiple of 16."""
        return self._constant(bytes(value), 16)

    def _constant(self, value, size):
        if len(value) != size:
            raise AssemblyError(f"a constant of {len(value)} bytes instead of {size}")
        label = self.constants.get(value)
        if label is None:
            label = self.constants[value] = Label(f"constant {value.hex()}")
        return label

    # Comments.

    def comment(self, text):
        """Record a line for listings about the code that follows."""
        if self.recording:
            self.section.comments.append((len(self.buffer), text))

    def listing(self):
        """(offset, end offset, comments about it) of all code and data, in address order."""
        if self._size is None:
            raise AssemblyError("there is no listing before finish()")
        comments = {0: []}
        for section in self.sections:
            for position, text in section.comments:
                comments.setdefault(section.start + position, []).append(text)
        cold = self.sections[1]
        if self.constants:
            comments.setdefault(cold.start + len(cold.buffer), []).append("constants")
        starts = sorted(comments)
        return [(s, e, comments[s]) for s, e in zip(starts, [*starts[1:], self._size])]

    # Putting it together.

    def size_bound(self):
        """How many bytes finish() will return at most."""
        return self._lay_out()[2]

    def alignment(self):
        """What the address given to finish() must be a multiple of."""
        constants = max(map(len, self.constants), default=1)
        return max(constants, *[section.alignment for section in self.sections])

    def _lay_out(self):
        """Offsets of the cold section, of the constants, and of the end."""
        hot, cold = self.sections
        cold_start = _round_up(len(hot.buffer), cold.alignment)
        constants = cold_start + len(cold.buffer)
        if self.constants:
            constants = _round_up(constants, max(map(len, self.constants)))
        return cold_start, constants, constants + sum(map(len, self.constants))

    def finish(self, base_address):
        """The code, to be run at `base_address`; labels know their offsets afterwards."""
        if base_address % self.alignment():
            raise AssemblyError(f"{base_address:#x} is not aligned to {self.alignment()}")
        hot, cold = self.sections
        cold_start, constants_start, self._size = self._lay_out()
        hot.start, cold.start = 0, cold_start
        code = hot.buffer + _nops(cold_start - len(hot.buffer)) + cold.buffer
        code += b"\xcc" * (constants_start - len(code))
        offsets = {}
        for label in self.labels:
            offsets[label] = label.offset = label.section.start + label.position
        # The longer ones first, so that those after them are aligned as well.
        for value, label in sorted(self.constants.items(), key=lambda item: -len(item[0])):
            offsets[label] = label.offset = len(code)
            code += value
        for section in self.sections:
            _apply_fixups(code, section, offsets, base_address)
        return bytes(code)


def _apply_fixups(code, section, offsets, base_address):
    start = section.start
    for position, target, reference in section.fixups:
        origin = start + reference
        if type(target) is int:
            displacement = target - base_address - origin
        elif target in offsets:
            displacement = offsets[target] - origin
        else:
            raise AssemblyError(f"label {target.name} is used but not bound")
        try:
            _write_int32(code, start + position, displacement)
        except OutOfRange:
            message = f"{target!r} is out of reach: {displacement} bytes away"
            raise AssemblyError(message) from None


def _round_up(value, alignment):
    return (value + alignment - 1) & -alignment


def _int64(value):
    if not -(2**63) <= value < 2**64:
        raise AssemblyError(f"{value} does not fit in 64 bits")
    return (value & 2**64 - 1).to_bytes(8, "little")


def _no_form(mnemonic, operands):
    return TypeError(f"no form of {mnemonic} takes ({', '.join(map(repr, operands))})")


def _branch_target(mnemonic, target):
    if isinstance(target, Label):
        return target
    if hasattr(target, "__index__"):
        return index(target)
    raise _no_form(mnemonic, (target,))


def _plain_integers(mnemonic, operands):
    """The operands with int-like objects replaced by ints."""
    plain = tuple([o if hasattr(o, "shape") or not hasattr(o, "__index__") else index(o) for o in operands])
    if not all([hasattr(o, "shape") or type(o) is int for o in plain]):
        raise _no_form(mnemonic, operands)
    return plain


def _new_instruction(mnemonic, memo):
    """The function that encodes what the memo does not know, and notes fixups."""
    forms = []
    encoders = {}  # {shapes: encoder}

    def encoder_of(shapes, operands):
        if not forms:
            forms.extend(forms_of(mnemonic))
        encoder = encoder_for(forms, shapes)
        if encoder is None:
            raise _no_form(mnemonic, operands)
        encoders[shapes] = encoder
        return encoder

    def encode(assembler, operands):
        try:
            shapes = tuple([o.shape if type(o) is not int else "imm" for o in operands])
        except AttributeError:
            return encode(assembler, _plain_integers(mnemonic, operands))
        encoder = encoders.get(shapes) or encoder_of(shapes, operands)
        code = encoder(*operands)
        if type(code) is bytes:
            if len(memo) >= _MEMO_LIMIT:
                memo.clear()
            memo[operands] = code
            return code
        if code is None:
            raise _no_form(mnemonic, operands)
        code, trailing = code
        end = len(assembler.buffer) + len(code)
        operand = next(o for o in operands if type(o) is not int and o.shape.startswith("rip"))
        fixup = end - trailing - 4, operand.target, end - operand.offset
        assembler.fixups.append(fixup)
        return code

    return encode


def _instruction(mnemonic):
    """The method of an ordinary instruction."""
    memo = {}
    recall = memo.get
    encode = _new_instruction(mnemonic, memo)

    def emit(self, *operands):
        code = recall(operands)
        if code is None:
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
            target = _branch_target(mnemonic, target)
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
        self.buffer += _NOPS[operands[0]]

    return emit


def _method(mnemonic):
    if mnemonic == "nop":
        return _nop()
    return _branch(mnemonic) if mnemonic in BRANCHES else _instruction(mnemonic)


_KEYWORDS = ("and", "or", "not")
_METHODS = {mnemonic: _method(mnemonic) for mnemonic in ROWS}
for _mnemonic in _KEYWORDS:
    _METHODS[_mnemonic + "_"] = _METHODS[_mnemonic]
for _mnemonic, _emit in _METHODS.items():
    _emit.__name__ = _mnemonic
    setattr(Assembler, _mnemonic, _emit)
