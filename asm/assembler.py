"""The assembler: a method per mnemonic, labels, code sections and a constant pool.

Code goes into a hot section and, inside `with a.cold():`, into a cold one; inside that once
more, into one still colder, so that out-of-line code may have out-of-line parts. finish() lays
out the sections and the constants one after the other and fills in the displacements
that were left open (fixups), because only then is it known where everything lies.

Invariants: bytes never move within their section, and branches always have 32-bit
displacements, so what size_bound() says before finish() is exact.
"""

from asm.instructions import METHODS, branch_target
from asm.operands import AssemblyError, Label
from asm.sections import NOPS, Section, apply_fixups, nops, round_up

_MARKER = NOPS[7]


class _Cold:
    """The context in which an assembler emits into the next colder section."""

    __slots__ = ("assembler", "outer")

    def __init__(self, assembler):
        self.assembler = assembler

    def __enter__(self):
        sections = self.assembler.sections
        self.outer = self.assembler.section
        depth = sections.index(self.outer) + 1
        if depth == len(sections):
            sections.append(Section())
        self.assembler._enter(sections[depth])

    def __exit__(self, *exception):
        self.assembler._enter(self.outer)


class Assembler:
    """Emits x86-64 instructions; see the package docstring for an example."""

    __slots__ = (
        *("section", "buffer", "fixups"),  # the current section, and its parts within reach
        *("sections", "constants", "recording", "_size"),
    )

    def __init__(self, comments=True):
        self.sections = [Section(), Section()]  # hot, cold; colder ones on demand
        self.constants = {}  # {bytes: Label}
        self.recording = comments
        self._size = None  # after finish
        self._enter(self.sections[0])

    def _enter(self, section):
        self.section, self.buffer, self.fixups = section, section.buffer, section.fixups

    def cold(self):
        """A context in which code goes behind all code of the present section."""
        return _Cold(self)

    # Instructions by name; the mnemonics themselves are added below, from the table.

    def emit(self, mnemonic, *operands):
        """Emit the instruction with this mnemonic ("and" or, as methods must spell it, "and_")."""
        method = METHODS.get(mnemonic)
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
        if label.position is not None:
            raise AssemblyError(f"label {label.name} is bound twice")
        label.position = len(self.buffer)
        self.section.labels.append(label)

    # Data and padding.

    def align(self, alignment):
        """Pad with nops up to a multiple of `alignment`, a power of two."""
        if alignment < 1 or alignment & alignment - 1:
            raise AssemblyError(f"alignment {alignment} is not a power of two")
        self.section.alignment = max(self.section.alignment, alignment)
        self.buffer += nops(-len(self.buffer) % alignment)

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
            self.fixups.append((position + 3, branch_target("marker", target), position))

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
        last = self.sections[-1]
        if self.constants:
            comments.setdefault(last.start + len(last.buffer), []).append("constants")
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
        """Offsets of the sections (a list), of the constants, and of the end."""
        starts, end = [], 0
        for section in self.sections:
            starts.append(round_up(end, section.alignment))
            end = starts[-1] + len(section.buffer)
        if self.constants:
            end = round_up(end, max(map(len, self.constants)))
        return starts, end, end + sum(map(len, self.constants))

    def finish(self, base_address):
        """The code, to be run at `base_address`; labels know their offsets afterwards."""
        if base_address % self.alignment():
            raise AssemblyError(f"{base_address:#x} is not aligned to {self.alignment()}")
        starts, constants_start, self._size = self._lay_out()
        code = bytearray()
        for section, section.start in zip(self.sections, starts):
            code += nops(section.start - len(code)) + section.buffer
        code += b"\xcc" * (constants_start - len(code))
        offsets = {}
        for section in self.sections:
            for label in section.labels:
                offsets[label] = label.offset = section.start + label.position
        # The longer ones first, so that those after them are aligned as well.
        for value, label in sorted(self.constants.items(), key=lambda item: -len(item[0])):
            offsets[label] = label.offset = len(code)
            code += value
        for section in self.sections:
            apply_fixups(code, section, offsets, base_address)
        return bytes(code)


def _int64(value):
    if not -(2**63) <= value < 2**64:
        raise AssemblyError(f"{value} does not fit in 64 bits")
    return (value & 2**64 - 1).to_bytes(8, "little")


for _name, _method in METHODS.items():
    setattr(Assembler, _name, _method)
