"""Which dead objects can be freed without a frame around it: no code but CPython's own runs, and nobody can look.

Problem: freeing an instance of a Python class may run finalisers, of its own or of what only it holds; so the frames of all compiled
callers are built first, which costs more than the freeing.
Idea: classes that are compiled for are put into a table if that is all right (simple_classes.py); machine code looks there, and then at what the
instance holds, to a small depth. Each reference followed is a visit, the first visit is that of what
dies itself: an object with as many references as there were visits, when it is visited last, has one from elsewhere and cannot die.
"""

from asm import mem8, mem32, mem64, r8, r9, r10, rax, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.holders import HOLDERS, PLAIN, emit_go_to_kind
from jit.machine.simple_classes import ENTRIES, IS_LIST, NO_DICT, VALUES, table
from platforms.cpython import instances
from platforms.cpython.layout import layout

L = layout()
#: Visits, and levels, at most.
MOST_VISITED, DEEPEST = 24, 4
#: Places, less one, of the largest table of a set that is gone through: a frame takes less time than a larger one.
LARGEST_TABLE = 31
_SAVED = (rax, rcx, rdx, rsi, rdi, r8, r9, r10)


def emit_unless_harmless(asm, foreign):
    """Go to `foreign` unless the dead object in rax, an instance, can be freed without a frame. Keeps all registers."""
    visit, stop, go_on = asm.label("visit"), asm.label("stop"), asm.label("harmless")
    for register in _SAVED:
        asm.push(register)
    asm.mov(rsi, rax)
    asm.mov(r8.r32, MOST_VISITED)
    asm.mov(r9.r32, DEEPEST)
    asm.mov(r10, rsp)
    asm.call(visit)
    _restore(asm)
    asm.jmp(go_on)
    asm.bind(stop)
    asm.mov(rsp, r10)
    _restore(asm)
    asm.jmp(foreign)
    asm.bind(visit)
    _emit_visit(asm, visit, stop)
    asm.bind(go_on)


def _restore(asm):
    for register in reversed(_SAVED):
        asm.pop(register)


def _emit_visit(asm, visit, stop):
    """A subroutine: rsi = an object that may die. Goes to `stop` if its death may run foreign code."""
    done, items, is_list = (asm.label(name) for name in ("done", "items", "is_list"))
    asm.sub(r8.r32, 1)
    asm.js(stop)
    asm.mov(rdx, mem64(rsi, L.ob_type))
    for kind in PLAIN:
        asm.cmp(rdx, relative(asm.constant(id(kind))))
        asm.je(done)
    # The count is unsigned here: that of immortal objects is large, too.
    asm.mov(rax.r32, MOST_VISITED)
    asm.sub(rax.r32, r8.r32)
    asm.cmp(*(mem32(rsi, L.ob_refcnt), rax.r32) if L.immortal_refcounts else (mem64(rsi, L.ob_refcnt), rax))
    asm.jae(done)
    asm.sub(r9.r32, 1)
    asm.js(stop)
    asm.cmp(rdx, relative(asm.constant(id(tuple))))
    asm.jne(is_list)
    asm.mov(rdi, mem64(rsi, L.tuple_size))
    asm.lea(rsi, mem64(rsi, L.tuple_items))
    asm.bind(items)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.add(r9.r32, 1)
    asm.bind(done)
    asm.ret()
    asm.bind(is_list)
    instance, other, of_set, of_dict, visited = (asm.label(name) for name in ("instance", "other", "of_set", "of_dict", "visited"))
    holders = [asm.label(kind.__name__) for kind, _ in HOLDERS]
    asm.cmp(rdx, relative(asm.constant(id(list))))
    asm.jne(other)
    asm.mov(rdi, mem64(rsi, L.list_size))
    asm.mov(rsi, mem64(rsi, L.list_items))
    asm.jmp(items)
    asm.bind(other)
    emit_go_to_kind(asm, [(set, of_set), (frozenset, of_set), (dict, of_dict), *zip([kind for kind, _ in HOLDERS], holders)])
    asm.jmp(instance)
    asm.bind(of_set)
    _emit_set(asm, visit, stop)
    asm.jmp(visited)
    asm.bind(of_dict)
    _emit_dict(asm, visit, stop)
    asm.bind(visited)
    asm.add(r9.r32, 1)
    asm.ret()
    for (kind, offsets), label in zip(HOLDERS, holders):
        asm.bind(label)
        emit_unless_referred(asm, rsi, kind, stop)
        for offset in offsets:
            absent = asm.label("absent")
            asm.mov(rax, mem64(rsi, offset))
            asm.test(rax, rax)
            asm.jz(absent)
            # Most that functions hold are strings, or known everywhere.
            asm.cmp(mem64(rax, L.ob_refcnt), MOST_VISITED)
            asm.ja(absent)
            asm.mov(rdx, relative(asm.constant(id(str))))
            asm.cmp(mem64(rax, L.ob_type), rdx)
            asm.je(absent)
            asm.push(rsi)
            asm.mov(rsi, rax)
            asm.call(visit)
            asm.pop(rsi)
            asm.bind(absent)
        asm.jmp(visited)
    asm.bind(instance)
    _emit_instance(asm, visit, stop)
    asm.add(r9.r32, 1)
    asm.ret()


def _emit_items(asm, visit, load):
    """Visit rdi objects; `load` makes rsi the object of number rdi, from what rsi was."""
    again, skip, end = asm.label("again"), asm.label("skip"), asm.label("end")
    asm.bind(again)
    asm.sub(rdi, 1)
    asm.js(end)
    asm.push(rsi)
    load()
    asm.test(rsi, rsi)
    asm.jz(skip)
    asm.push(rdi)
    asm.call(visit)
    asm.pop(rdi)
    asm.bind(skip)
    asm.pop(rsi)
    asm.jmp(again)
    asm.bind(end)


def emit_unless_referred(asm, item, kind, referred):
    """Go to `referred` if there is a weak reference to `item`, which is of this builtin type: somebody may want to be told."""
    if instances.weak_offset(kind):
        asm.cmp(mem64(item, instances.weak_offset(kind)), 0)
        asm.jne(referred)


def _emit_table(asm, item, other):
    """rsi = where the places of a set or frozenset begin, rdi = their bytes; go to `other` if it is a large one, or is referred to weakly."""
    emit_unless_referred(asm, item, set, other)
    asm.mov(rdi, mem64(item, L.set_mask))
    asm.cmp(rdi, LARGEST_TABLE)
    asm.ja(other)
    asm.add(rdi, 1)
    asm.shl(rdi, 4)
    asm.mov(rsi, mem64(item, L.set_table))


def _emit_set(asm, visit, stop):
    """rsi = a set or frozenset, not a large one. Most of its entries are free, and most keys are ints or strings, which are passed by at once."""
    again, end = asm.label("again"), asm.label("end")
    _emit_table(asm, rsi, stop)
    asm.add(rdi, rsi)
    asm.mov(rcx, relative(asm.constant(id(int))))
    asm.mov(rdx, relative(asm.constant(id(str))))
    asm.bind(again)
    asm.cmp(rsi, rdi)
    asm.jae(end)
    asm.mov(rax, mem64(rsi, 0))
    asm.add(rsi, 16)
    asm.test(rax, rax)
    asm.jz(again)
    for plain in (rcx, rdx):
        asm.cmp(mem64(rax, L.ob_type), plain)
        asm.je(again)
    for register in (rcx, rdx, rdi, rsi):
        asm.push(register)
    asm.mov(rsi, rax)
    asm.call(visit)
    for register in (rsi, rdi, rdx, rcx):
        asm.pop(register)
    asm.jmp(again)
    asm.bind(end)


def emit_go_through_set(asm, harmless, look_deeper):
    """rax = a dead set or frozenset: go to `harmless` if no key of it dies but ints and strings, else to `look_deeper`. rcx, rdx, rsi, rdi are lost."""
    again = asm.label("place")
    _emit_table(asm, rax, look_deeper)
    asm.bind(again)
    asm.sub(rdi, 16)
    asm.js(harmless)
    asm.mov(rdx, mem64(rsi, 0, rdi, 1))
    asm.test(rdx, rdx)
    asm.jz(again)
    asm.cmp(mem64(rdx, L.ob_refcnt), 1)
    asm.jne(again)
    asm.mov(rcx, mem64(rdx, L.ob_type))
    for kind in (int, str):
        asm.cmp(rcx, relative(asm.constant(id(kind))))
        asm.je(again)
    asm.jmp(look_deeper)


def _emit_dict(asm, visit, stop):
    """rsi = a dict: its values and, unless it shares them, its keys."""
    split, general, done = (asm.label(name) for name in ("split", "keys_of_any_type", "dict_visited"))
    if L.dict_watcher_mask:
        asm.test(mem64(rsi, L.dict_version_tag), L.dict_watcher_mask)
        asm.jnz(stop)
    asm.mov(rdx, mem64(rsi, L.dict_keys))
    asm.mov(rdi, mem64(rdx, L.keys_entries_used))
    asm.mov(rax, mem64(rsi, L.dict_values))
    asm.test(rax, rax)
    asm.jnz(split)
    asm.movzx(rcx.r32, mem8(rdx, L.keys_log2_index_bytes))
    asm.mov(rax.r32, 1)
    asm.shl(rax, rcx.r8)
    asm.lea(rsi, mem64(rdx, L.keys_indices, rax, 1))
    asm.add(rdi, rdi)
    asm.cmp(mem8(rdx, L.keys_kind), 0)
    asm.je(general)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.jmp(done)
    asm.bind(general)

    def load():
        """Of each entry's three words the hash comes first: item 2 * n is key n, item 2 * n + 1 its value."""
        asm.mov(rax, rdi)
        asm.shr(rax, 1)
        asm.add(rax, rdi)
        asm.mov(rsi, mem64(rsi, 8, rax, 8))

    _emit_items(asm, visit, load)
    asm.jmp(done)
    asm.bind(split)
    asm.lea(rsi, mem64(rax, L.values_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.bind(done)


def _emit_instance(asm, visit, stop):
    """rsi = an instance of the class rdx: its slots, its items if it is a list, then its values."""
    no_list, no_items, is_tuple, end = (asm.label(name) for name in ("no_list", "no_items", "is_a_tuple", "no_values"))
    asm.mov(rcx, rdx)
    asm.shr(rcx, 4)
    asm.and_(rcx.r32, ENTRIES - 1)
    asm.shl(rcx.r32, 5)
    asm.lea(rax, relative(table()))
    asm.add(rcx, rax)
    asm.cmp(mem64(rcx, 0), rdx)
    asm.jne(stop)
    asm.mov(rax.r32, mem32(rdx, L.type_version_tag))
    asm.cmp(mem32(rcx, 8), rax.r32)
    asm.jne(stop)
    asm.movsxd(rax, mem32(rcx, 16))
    asm.test(rax, rax)
    asm.jz(no_list)
    asm.cmp(mem64(rsi, 0, rax, 1), 0)
    asm.jne(stop)
    asm.bind(no_list)
    asm.mov(rdi.r32, mem32(rcx, 12))
    asm.push(rcx)
    asm.push(rsi)
    asm.movsxd(rax, mem32(rcx, 24))
    asm.add(rsi, rax)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.pop(rsi)
    asm.pop(rcx)
    asm.cmp(mem32(rcx, 28), IS_LIST)
    asm.jb(no_items)
    asm.ja(is_tuple)
    asm.push(rcx)
    asm.push(rsi)
    asm.mov(rdi, mem64(rsi, L.list_size))
    asm.mov(rsi, mem64(rsi, L.list_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.pop(rsi)
    asm.pop(rcx)
    asm.bind(no_items)
    asm.cmp(mem32(rcx, 20), NO_DICT)
    asm.je(end)
    _emit_values(asm, visit, stop, end)
    asm.jmp(end)
    asm.bind(is_tuple)
    asm.mov(rdi, mem64(rsi, L.tuple_size))
    asm.lea(rsi, mem64(rsi, L.tuple_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.bind(end)


def _emit_values(asm, visit, stop, end):
    """rsi = an instance of a class with the entry rcx, which says that it may have a dict: its dict, if it has one, or its values."""
    no_dict = asm.label("no_dict")
    if L.instance_tagged is not None:
        asm.mov(rsi, mem64(rsi, L.instance_tagged))
        asm.test(rsi, rsi)
        asm.jz(end)
        asm.test(rsi.r8, 1)
        asm.jnz(no_dict)
    else:
        asm.mov(rax, mem64(rsi, L.instance_dict))
        asm.test(rax, rax)
        asm.jz(no_dict)
        asm.mov(rsi, rax)
    asm.call(visit)
    asm.jmp(end)
    asm.bind(no_dict)
    if L.instance_tagged is not None:
        asm.add(rsi, 1)
    if L.values_inline:
        asm.cmp(mem32(rcx, 20), VALUES)
        asm.jne(end)
        asm.mov(rax, mem64(rsi, L.ob_type))
        asm.add(rsi, mem64(rax, L.type_basicsize))
        asm.cmp(mem8(rsi, L.values_valid), 0)
        asm.je(stop)
    elif L.instance_tagged is None:
        asm.mov(rsi, mem64(rsi, L.instance_values))
        asm.test(rsi, rsi)
        asm.jz(end)
    asm.movzx(rdi.r32, mem8(rsi, L.values_size))

    def load():
        """The value whose number stands at that place of the order in which they were set, which lies behind the values or backwards before them."""
        if L.values_inline:
            asm.movzx(rax.r32, mem8(rsi, L.values_capacity))
            asm.lea(rax, mem64(rdi, 0, rax, 8))
            asm.movzx(rax.r32, mem8(rsi, L.values_items, rax, 1))
        else:
            asm.mov(rax, rdi)
            asm.neg(rax)
            asm.movzx(rax.r32, mem8(rsi, L.values_size - 1, rax, 1))
        asm.mov(rsi, mem64(rsi, L.values_items, rax, 8))

    _emit_items(asm, visit, load)
