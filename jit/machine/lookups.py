"""Machine code that looks keys up in dictionaries and sets, where that runs no code but CPython's.

    find_text   rdi = exact dict, rsi = exact str   -> rax = address of the value, 0 if there is none, 1 if only CPython can tell
    find_int    rdi = exact dict, rsi = int64       -> the same
    find_object   rdi = exact dict, rsi = object    -> the same; only CPython can tell if its type has a hash or a comparison of its own
    find_text_in_set, find_int_in_set, find_object_in_set: the same for an exact set or frozenset, of the entry

They obey the C calling convention. A key of another type with the same hash may bring its own comparison: then only CPython can tell.
Source: CPython Objects/dictobject.c (unicodekeys_lookup_unicode, dictkeys_lookup), Include/internal/pycore_dict.h; Objects/longobject.c (long_hash);
Objects/setobject.c (set_lookkey).
"""

from asm import eax, ecx, mem8, mem16, mem32, mem64, r8, r9, r10, r11, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.dictionaries import EMPTY, PERTURB_SHIFT, SPLIT
from platforms.cpython import instances, symbols
from platforms.cpython.layout import layout

L = layout()
#: Keys that are looked up: exact strings, machine ints, objects that equal nothing but themselves.
FAMILIES = ("text", "int", "object")
NAMES = tuple(f"find_{family}{where}" for family in FAMILIES for where in ("", "_in_set"))
#: sys.hash_info.modulus.
_MODULUS = (1 << 61) - 1
#: An entry of a table with keys of any type: hash, key, value.
_HASH, _KEY, _VALUE = 0, 8, 16
#: Entries of a set that are tried one after the other, besides the first.
LINEAR_PROBES = 9
_SAVED = (rcx, rdx, rsi, rdi, r8, r9, r10, r11)


def emit(asm, unbox_int):
    """Emit the routines; returns their labels by name.

    Args:
        unbox_int: label of that routine.
    """
    labels = {name: asm.label(name) for name in NAMES}
    for name in NAMES:
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        finder = _SetFinder if name.endswith("_in_set") else _Finder
        finder(asm, name.split("_")[1], unbox_int).emit()
    return labels


def _call(asm, name):
    asm.call(relative(asm.constant(symbols.address(name))))


class _Finder:
    """rsi = key, rdx = hash, r8 = keys, r9 = mask, r10 = perturbation, r11 = place in the index, rdi = entries, ebx = log2 of an index item's bytes.

    On the stack: the dict, rbp, rbx.

    Attributes:
        hash_place: of the hash in an entry. family: of FAMILIES.
    """

    hash_place = _HASH

    def __init__(self, asm, family, unbox_int):
        self.asm, self.family, self.unbox_int = asm, family, unbox_int
        self.absent, self.unknown, self.done = (asm.label(name) for name in ("absent", "unknown", "done"))

    def emit(self):
        asm = self.asm
        general = asm.label("keys_of_any_type")
        for register in (rbx, rbp, rdi):
            asm.push(register)
        self.emit_hash()
        self.emit_start()
        asm.cmp(mem8(r8, L.keys_kind), 0)
        asm.je(general)
        if self.family == "text":
            self.emit_probes(self.emit_compare_text, 0)
        else:
            asm.jmp(self.absent)
        asm.bind(general)
        self.emit_probes(self.emit_compare, _KEY)
        asm.bind(self.unknown)
        asm.mov(eax, 1)
        asm.jmp(self.done)
        asm.bind(self.absent)
        asm.xor(eax, eax)
        asm.bind(self.done)
        for register in (rdi, rbp, rbx):
            asm.pop(register)
        asm.ret()

    def emit_hash(self):
        """rdx = the key's hash."""
        {"text": self.emit_text_hash, "int": self.emit_int_hash, "object": self.emit_object_hash}[self.family]()

    def emit_compare(self, found, other):
        """See the family's."""
        {"text": self.emit_compare_any, "int": self.emit_compare_int, "object": self.emit_compare_object}[self.family](found, other)

    def emit_text_hash(self):
        """rdx = the string's hash, which is computed at its first use."""
        asm = self.asm
        known = asm.label("known")
        asm.mov(rdx, mem64(rsi, L.unicode_hash))
        asm.cmp(rdx, -1)
        asm.jne(known)
        asm.push(rdi)
        asm.push(rsi)
        asm.mov(rdi, rsi)
        _call(asm, "PyObject_Hash")
        asm.mov(rdx, rax)
        asm.pop(rsi)
        asm.pop(rdi)
        asm.bind(known)

    def emit_int_hash(self):
        """rdx = the int's remainder, with its sign, when divided by the modulus; -2 in the place of -1."""
        asm = self.asm
        fine, below = asm.label("not_minus_one"), asm.label("below_modulus")
        asm.mov(rcx, rsi)
        asm.sar(rcx, 63)
        asm.mov(rdx, rsi)
        asm.xor(rdx, rcx)
        asm.sub(rdx, rcx)
        asm.mov(rax, _MODULUS)
        asm.mov(r8, rdx)
        asm.shr(r8, 61)
        asm.and_(rdx, rax)
        asm.add(rdx, r8)
        asm.cmp(rdx, rax)
        asm.jb(below)
        asm.sub(rdx, rax)
        asm.bind(below)
        asm.xor(rdx, rcx)
        asm.sub(rdx, rcx)
        asm.cmp(rdx, -1)
        asm.jne(fine)
        asm.mov(rdx, -2)
        asm.bind(fine)

    def emit_object_hash(self):
        """rdx = hash of the key's address (CPython Python/pyhash.c, _Py_HashPointer), if its type has the slots of `object`."""
        asm = self.asm
        fine = asm.label("not_minus_one")
        asm.mov(rax, mem64(rsi, L.ob_type))
        for field, function in zip((L.type_hash, L.type_richcompare), instances.identity_slots()):
            asm.mov(rcx, relative(asm.constant(function)))
            asm.cmp(mem64(rax, field), rcx)
            asm.jne(self.unknown)
        asm.mov(rdx, rsi)
        asm.ror(rdx, 4)
        asm.cmp(rdx, -1)
        asm.jne(fine)
        asm.mov(rdx, -2)
        asm.bind(fine)

    def emit_start(self):
        asm = self.asm
        asm.mov(r8, mem64(rdi, L.dict_keys))
        asm.movzx(ecx, mem8(r8, L.keys_log2_size))
        asm.mov(r9.r32, 1)
        asm.shl(r9, ecx.r8)
        asm.sub(r9, 1)
        asm.mov(rbx.r32, ecx)
        asm.movzx(ecx, mem8(r8, L.keys_log2_index_bytes))
        asm.mov(rdi.r32, 1)
        asm.shl(rdi, ecx.r8)
        asm.lea(rdi, mem64(r8, L.keys_indices, rdi, 1))
        asm.sub(ecx, rbx.r32)
        asm.mov(rbx.r32, ecx)
        asm.cmp(ecx, 2)
        asm.ja(self.unknown)
        asm.mov(r10, rdx)
        asm.mov(r11, rdx)

    def emit_probes(self, compare, key):
        """`compare` is called with the entry's address in rcx and its key in rax, to go to `found`, on, or to `unknown`."""
        asm = self.asm
        again, other, found = asm.label("again"), asm.label("other_key"), asm.label("found")
        asm.bind(again)
        asm.and_(r11, r9)
        self.emit_index()
        asm.cmp(rax, EMPTY)
        asm.je(self.absent)
        asm.jl(other)
        if key:
            asm.lea(rax, mem64(rax, 0, rax, 2))
            asm.lea(rcx, mem64(rdi, 0, rax, 8))
        else:
            asm.shl(rax, 4)
            asm.lea(rcx, mem64(rdi, 0, rax, 1))
        asm.mov(rax, mem64(rcx, key))
        compare(found, other)
        asm.bind(other)
        asm.shr(r10, PERTURB_SHIFT)
        asm.lea(r11, mem64(r11, 0, r11, 4))
        asm.lea(r11, mem64(r11, 1, r10, 1))
        asm.jmp(again)
        asm.bind(found)
        if key:
            asm.lea(rax, mem64(rcx, _VALUE))
        else:
            self.emit_value()
        asm.cmp(mem64(rax, 0), 0)
        asm.je(self.absent)
        asm.jmp(self.done)

    def emit_index(self):
        """rax = entry number at place r11 of the index, whose items have 1, 2 or 4 bytes."""
        asm = self.asm
        one, two, have = asm.label("one_byte"), asm.label("two_bytes"), asm.label("have_entry")
        asm.cmp(rbx.r32, 1)
        asm.jb(one)
        asm.je(two)
        asm.movsxd(rax, mem32(r8, L.keys_indices, r11, 4))
        asm.jmp(have)
        asm.bind(two)
        asm.movsx(rax, mem16(r8, L.keys_indices, r11, 2))
        asm.jmp(have)
        asm.bind(one)
        asm.movsx(rax, mem8(r8, L.keys_indices, r11, 1))
        asm.bind(have)

    def emit_compare_text(self, found, other):
        """All keys are exact strings."""
        asm = self.asm
        asm.cmp(rax, rsi)
        asm.je(found)
        asm.cmp(mem64(rax, L.unicode_hash), rdx)
        asm.jne(other)
        self.emit_same_text(found)

    def emit_compare_any(self, found, other):
        asm = self.asm
        asm.cmp(rax, rsi)
        asm.je(found)
        asm.cmp(mem64(rcx, self.hash_place), rdx)
        asm.jne(other)
        asm.mov(rbp, relative(asm.constant(id(str))))
        asm.cmp(mem64(rax, L.ob_type), rbp)
        asm.jne(self.unknown)
        self.emit_same_text(found)

    def emit_same_text(self, found):
        """Strings of the same hash, in rax and rsi, are nearly always equal."""
        asm = self.asm
        for register in _SAVED:
            asm.push(register)
        asm.mov(rdi, rax)
        _call(asm, "PyUnicode_Compare")
        for register in reversed(_SAVED):
            asm.pop(register)
        asm.test(eax, eax)
        asm.jz(found)

    def emit_compare_object(self, found, other):
        asm = self.asm
        asm.cmp(rax, rsi)
        asm.je(found)
        asm.cmp(mem64(rcx, self.hash_place), rdx)
        asm.jne(other)
        asm.jmp(self.unknown)

    def emit_compare_int(self, found, other):
        asm = self.asm
        asm.cmp(mem64(rcx, self.hash_place), rdx)
        asm.jne(other)
        asm.mov(rbp, relative(asm.constant(id(int))))
        asm.cmp(mem64(rax, L.ob_type), rbp)
        asm.jne(self.unknown)
        asm.push(rcx)
        asm.push(rdx)
        asm.call(self.unbox_int)
        asm.mov(rbp, rdx)
        asm.pop(rdx)
        asm.pop(rcx)
        # An int beyond 64 bits is another one.
        asm.test(rbp.r32, rbp.r32)
        asm.jnz(other)
        asm.cmp(rax, rsi)
        asm.je(found)

    def emit_value(self):
        """rax = address of the value of the entry at rcx, where all keys are strings."""
        asm = self.asm
        have = asm.label("have_value")
        asm.lea(rax, mem64(rcx, 8))
        asm.cmp(mem8(r8, L.keys_kind), SPLIT)
        asm.jne(have)
        asm.mov(rdx, mem64(rsp, 0))
        asm.mov(rdx, mem64(rdx, L.dict_values))
        asm.test(rdx, rdx)
        asm.jz(self.unknown)
        asm.sub(rcx, rdi)
        asm.shr(rcx, 1)
        asm.lea(rax, mem64(rdx, L.values_items, rcx, 1))
        asm.bind(have)


class _SetFinder(_Finder):
    """rcx = entry, rax = its key, rsi = key, rdx = hash, r8 = table, r9 = mask, r10 = perturbation, r11 = place, edi = entries to try behind it."""

    hash_place = 8

    def emit(self):
        asm = self.asm
        again, following, alone, other, found = (asm.label(name) for name in ("again", "following", "alone", "other_key", "found"))
        for register in (rbx, rbp, rdi):
            asm.push(register)
        self.emit_hash()
        asm.mov(r8, mem64(rdi, L.set_table))
        asm.mov(r9, mem64(rdi, L.set_mask))
        asm.mov(r10, rdx)
        asm.mov(r11, rdx)
        asm.bind(again)
        asm.and_(r11, r9)
        asm.mov(rcx, r11)
        asm.shl(rcx, 4)
        asm.add(rcx, r8)
        asm.xor(rdi.r32, rdi.r32)
        asm.lea(rax, mem64(r11, LINEAR_PROBES))
        asm.cmp(rax, r9)
        asm.ja(alone)
        asm.mov(rdi.r32, LINEAR_PROBES)
        asm.bind(alone)
        asm.bind(following)
        asm.mov(rax, mem64(rcx, 0))
        asm.test(rax, rax)
        asm.jz(self.absent)
        # The hash of what stands for a deleted key is -1, which no key has.
        self.emit_compare(found, other)
        asm.bind(other)
        asm.add(rcx, 16)
        asm.sub(rdi.r32, 1)
        asm.jns(following)
        asm.shr(r10, PERTURB_SHIFT)
        asm.lea(r11, mem64(r11, 1, r11, 4))
        asm.add(r11, r10)
        asm.jmp(again)
        asm.bind(self.unknown)
        asm.mov(eax, 1)
        asm.jmp(self.done)
        asm.bind(self.absent)
        asm.xor(eax, eax)
        asm.jmp(self.done)
        asm.bind(found)
        asm.mov(rax, rcx)
        asm.bind(self.done)
        for register in (rdi, rbp, rbx):
            asm.pop(register)
        asm.ret()
