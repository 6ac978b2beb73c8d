"""Machine code that looks up attributes in the dict of an instance: for instances that have one instead of an array of values.

    dict_attribute   rcx = instance whose type has a managed dictionary, rdx = name (an interned str)
                     -> rax = the attribute (borrowed), 0 if the dict has none, 1 if only CPython can tell; rcx, rdx are lost

The index is probed as CPython does, but keys are compared by identity: a key that is equal and not identical is CPython's business,
and cannot be told from another one, so the search goes on and ends with an answer of 1 if any such key had the same hash.
Source: CPython Objects/dictobject.c (unicodekeys_lookup_unicode), Include/internal/pycore_dict.h.
"""

from asm import ecx, eax, edx, mem8, mem16, mem32, mem64, r8, r9, r10, rax, rcx, rdi, rdx, relative, rsi
from platforms.cpython.layout import layout

L = layout()
UNICODE, SPLIT = 1, 2
PERTURB_SHIFT = 5
EMPTY, DUMMY = -1, -2
_SAVED = (rsi, rdi, r8, r9, r10)


def emit(asm):
    """Emit the routine; returns its label by name."""
    labels = {"dict_attribute": asm.label("dict_attribute")}
    asm.align(16)
    asm.comment("dict_attribute")
    asm.bind(labels["dict_attribute"])
    _Lookup(asm).emit()
    return labels


class _Lookup:
    """rsi = keys, rdi = dict, r8 = place in the index, r9 = perturbation, r10 = hash; rdx = name."""

    def __init__(self, asm):
        self.asm = asm
        self.absent, self.unknown, self.done, self.found = (asm.label(name) for name in ("absent", "unknown", "done", "found"))

    def emit(self):
        asm = self.asm
        for register in _SAVED:
            asm.push(register)
        self.emit_dict()
        asm.mov(rsi, mem64(rdi, L.dict_keys))
        asm.movzx(eax, mem8(rsi, L.keys_kind))
        asm.test(eax, eax)
        asm.jz(self.unknown)
        asm.mov(r10, mem64(rdx, L.unicode_hash))
        asm.mov(r9, r10)
        asm.mov(r8, r10)
        self.emit_probes()
        asm.bind(self.unknown)
        asm.mov(eax, 1)
        asm.jmp(self.done)
        asm.bind(self.absent)
        asm.xor(eax, eax)
        asm.bind(self.done)
        for register in reversed(_SAVED):
            asm.pop(register)
        asm.ret()

    def emit_dict(self):
        """rdi = the dict."""
        asm = self.asm
        if L.instance_dict is not None:
            asm.mov(rdi, mem64(rcx, L.instance_dict))
        else:
            asm.mov(rdi, mem64(rcx, L.instance_tagged))
            asm.test(rdi.r32, 1)
            asm.jnz(self.unknown)
        asm.test(rdi, rdi)
        asm.jz(self.absent)
        asm.mov(rax, relative(asm.constant(id(dict))))
        asm.cmp(mem64(rdi, L.ob_type), rax)
        asm.jne(self.unknown)

    def emit_probes(self):
        asm = self.asm
        again, other = asm.label("again"), asm.label("other_key")
        asm.bind(again)
        # Place in the index: the low bits.
        asm.movzx(ecx, mem8(rsi, L.keys_log2_size))
        asm.mov(eax, 1)
        asm.shl(rax, ecx.r8)
        asm.sub(rax, 1)
        asm.and_(r8, rax)
        self.emit_index()
        asm.cmp(rax, EMPTY)
        asm.je(self.absent)
        asm.jl(other)
        # rcx = address of the entry's key.
        asm.mov(rcx, rax)
        asm.shl(rcx, 4)
        asm.add(rcx, rsi)
        asm.push(rax)
        asm.push(rcx)
        asm.movzx(ecx, mem8(rsi, L.keys_log2_index_bytes))
        asm.mov(eax, 1)
        asm.shl(rax, ecx.r8)
        asm.pop(rcx)
        asm.lea(rcx, mem64(rcx, L.keys_indices, rax, 1))
        asm.pop(rax)
        asm.cmp(mem64(rcx, 0), rdx)
        asm.je(self.found)
        asm.mov(rcx, mem64(rcx, 0))
        asm.test(rcx, rcx)
        asm.jz(other)
        asm.cmp(mem64(rcx, L.unicode_hash), r10)
        asm.je(self.unknown)
        asm.bind(other)
        asm.shr(r9, PERTURB_SHIFT)
        asm.lea(r8, mem64(r8, 0, r8, 4))
        asm.lea(r8, mem64(r8, 1, r9, 1))
        asm.jmp(again)
        asm.bind(self.found)
        self.emit_value()

    def emit_index(self):
        """rax = entry number at place r8 of the index, whose items have 1, 2 or 4 bytes."""
        asm = self.asm
        one, two, have = asm.label("one_byte"), asm.label("two_bytes"), asm.label("have_entry")
        asm.movzx(eax, mem8(rsi, L.keys_log2_index_bytes))
        asm.sub(eax, ecx)
        asm.jz(one)
        asm.cmp(eax, 1)
        asm.je(two)
        asm.movsxd(rax, mem32(rsi, L.keys_indices, r8, 4))
        asm.jmp(have)
        asm.bind(two)
        asm.movsx(rax, mem16(rsi, L.keys_indices, r8, 2))
        asm.jmp(have)
        asm.bind(one)
        asm.movsx(rax, mem8(rsi, L.keys_indices, r8, 1))
        asm.bind(have)

    def emit_value(self):
        """rax = the value of entry rax, whose key is at rcx."""
        asm = self.asm
        split = asm.label("split")
        asm.cmp(mem8(rsi, L.keys_kind), SPLIT)
        asm.je(split)
        asm.mov(rax, mem64(rcx, 8))
        asm.jmp(self.done)
        asm.bind(split)
        asm.mov(rcx, mem64(rdi, L.dict_values))
        asm.test(rcx, rcx)
        asm.jz(self.unknown)
        asm.mov(rax, mem64(rcx, L.values_items, rax, 8))
        asm.jmp(self.done)
