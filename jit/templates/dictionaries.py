"""Dictionaries with keys that are exact strings, machine ints, or objects that equal nothing else: looking up, asking, storing.

The key's family: ``..._text``, ``..._int`` or ``..._object``. `exit` is taken where only CPython can tell; see jit/machine/lookups.py.
"""

import ctypes

from asm import cl, ecx, mem8, mem64, rax, rbp, rcx, rdi, rdx, relative, rsi
from jit.machine.dictionaries import emit_refuse_relied
from jit.machine.lookups import FAMILIES
from jit.machine.refcounts import emit_decref, emit_incref
from jit.template import template
from platforms.cpython.layout import layout

L = layout()
#: The version of the next dictionary stored to here: CPython, which counts from 0, never comes to these.
_next_version = ctypes.c_uint64(1 << 63)


def emit_find(asm, emitter, routine, container, key, written=False):
    """rax = address of the value, or 0; leaves where it cannot be told, or where others must learn of what is `written`."""
    emitter.place([(rdi, container), (rsi, key)])
    if written:
        emit_refuse_relied(asm, rdi, rax, rcx, emitter.stub(emitter.operation.exit))
    asm.call(getattr(emitter.routines, routine))
    asm.cmp(rax, 1)
    asm.je(emitter.stub(emitter.operation.exit))


@template("guard_text_keys", "container: object --")
def guard_text_keys(asm, container, exit, emitter):
    """All keys are exact strings, or there are none; source: CPython Objects/dictobject.c (DictKeysKind)."""
    asm.mov(rax, mem64(emitter.register(container, rax), L.dict_keys))
    asm.cmp(mem8(rax, L.keys_kind), 0)
    asm.je(exit)


@template("guard_cloned", "container: object --")
def sparse_dict(asm, container, exit, emitter):
    """A copy takes the table as it is, or compares exact strings; source: CPython Objects/dictobject.c (PyDict_Copy)."""
    cloned = asm.label("cloned")
    base = emitter.register(container, rcx)
    asm.mov(rdx, mem64(base, L.dict_keys))
    asm.cmp(mem8(rdx, L.keys_kind), 0)
    asm.jne(cloned)
    asm.mov(rax, mem64(base, L.dict_used))  # where two thirds of the entries are used
    asm.lea(rax, mem64(rax, 0, rax, 2))
    asm.shr(rax, 1)
    asm.cmp(rax, mem64(rdx, L.keys_entries_used))
    asm.jb(exit)
    asm.bind(cloned)


def declare_contains(name, wanted, routine):
    """A template that asks whether a dictionary, or a set, has a key, which `routine` of jit/machine/lookups.py finds."""

    @template(name, f"container: object, key: {wanted} -- found: bool", clobbers="c")
    def contains(asm, container, key, found, emitter):
        emit_find(asm, emitter, routine, container, key)
        asm.seta(cl)
        asm.movzx(ecx, cl)
        asm.mov(found, rcx)


def _declare(kind, routine):
    wanted = "int" if kind == "int" else "object"

    @template(f"dict_item_{kind}", f"container: object, key: {wanted} -- item: object", clobbers="c")
    def dict_item(asm, container, key, item, detail, emitter):
        """`detail`: the exit for a key that is not there."""
        emit_find(asm, emitter, routine, container, key)
        asm.jb(emitter.mismatch_label())
        asm.mov(item, mem64(rax, 0))

    declare_contains(f"dict_contains_{kind}", wanted, routine)

    @template(f"dict_get_{kind}", f"container: object, key: {wanted}, default: object -- item: object", clobbers="c")
    def dict_get(asm, container, key, default, item, emitter):
        absent, done = asm.label("absent"), asm.label("found")
        emit_find(asm, emitter, routine, container, key)
        asm.jb(absent)
        asm.mov(rax, mem64(rax, 0))
        asm.bind(done)
        asm.mov(item, rax)
        with asm.cold():
            asm.bind(absent)
            asm.mov(rax, emitter.after_call("default"))
            asm.jmp(done)

    @template(f"dict_store_{kind}", f"container: object, key: {wanted}, value: object -- old: object", clobbers="c")
    def dict_store(asm, container, key, value, old, detail, emitter):
        """The reference to the old value becomes ours; None's, if there was none. `detail`: the value may be what gc tracks."""
        anew, done = asm.label("by_CPython"), asm.label("stored")
        emit_find(asm, emitter, routine, container, key, written=True)
        asm.jb(anew)
        asm.mov(rdi, emitter.after_call("container"))
        _may_replace(asm, anew, detail)
        asm.mov(rsi, emitter.after_call("value"))
        emit_incref(asm, rsi, rcx)
        asm.mov(rcx, mem64(rax, 0))
        asm.mov(mem64(rax, 0), rsi)
        asm.mov(old, rcx)
        asm.bind(done)
        with asm.cold():
            asm.bind(anew)
            _store_anew(asm, emitter, kind)
            asm.mov(old, rax)
            asm.jmp(done)


    @template(f"dict_delete_{kind}", f"container: object, key: {wanted} -- old: object", clobbers="c")
    def dict_delete(asm, container, key, old, emitter):
        """The reference to the value becomes ours. `mismatch`: there is no such key."""
        failed = asm.label("failed")
        emit_find(asm, emitter, routine, container, key, written=True)
        asm.jb(emitter.mismatch_label())
        asm.mov(rbp, mem64(rax, 0))
        emit_incref(asm, rbp, rcx)
        emit_change(asm, emitter, kind, "PyDict_DelItem", failed)
        asm.mov(old, rbp)
        with asm.cold():
            asm.bind(failed)
            # The dictionary still holds it.
            emit_decref(asm, rbp, failed)
            asm.jmp(emitter.throw_label())


def _may_replace(asm, anew, tracked):
    """Go to `anew`, if the dictionary in rdi is watched or shares its keys, or must be tracked; else give it a new version. rax is kept."""
    if L.dict_watcher_mask:
        asm.test(mem64(rdi, L.dict_version_tag), L.dict_watcher_mask)
        asm.jnz(anew)
    asm.cmp(mem64(rdi, L.dict_values), 0)
    asm.jne(anew)
    if tracked:
        asm.cmp(mem64(rdi, L.gc_next), 0)
        asm.je(anew)
    asm.mov(rdx, relative(asm.constant(ctypes.addressof(_next_version))))
    asm.mov(rcx, mem64(rdx, 0))
    asm.add(mem64(rdx, 0), L.dict_version_step)
    if L.dict_version_step > 1:
        asm.mov(rsi, mem64(rdi, L.dict_version_tag))
        asm.and_(rsi, L.dict_version_step - 1)
        asm.or_(rcx, rsi)
    asm.mov(mem64(rdi, L.dict_version_tag), rcx)


def _store_anew(asm, emitter, kind):
    """By PyDict_SetItem, which finds what has just been found: it compares no other keys. rax = what was there, or None, with a reference."""
    absent, have, done, failed = (asm.label(name) for name in ("absent", "have_old", "done", "failed"))
    asm.test(rax, rax)
    asm.jz(absent)
    asm.mov(rbp, mem64(rax, 0))
    asm.bind(have)
    emit_incref(asm, rbp, rcx)
    emit_change(asm, emitter, kind, "PyDict_SetItem", failed, value="value")
    asm.mov(rax, rbp)
    asm.jmp(done)
    asm.bind(absent)
    asm.mov(rbp, emitter.object(None))
    asm.jmp(have)
    asm.bind(failed)
    # The dictionary still holds it.
    emit_decref(asm, rbp, failed)
    asm.jmp(emitter.throw_label())
    asm.bind(done)


def emit_change(asm, emitter, kind, symbol, failed=None, value=None):
    """Call `symbol` with the container, the key as an object, and the input called `value`, if there is one.

    Args:
        failed: where to go without memory, if not to the exception exit.
    """
    failed = emitter.throw_label() if failed is None else failed
    asm.mov(rsi, emitter.after_call("key"))
    if kind == "int":
        asm.mov(rax, rsi)
        asm.call(emitter.routines.box_int)
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(rsi, rax)
    asm.mov(rdi, emitter.after_call("container"))
    if value is not None:
        asm.mov(rdx, emitter.after_call(value))
    if kind == "int":
        asm.push(rsi)
        asm.push(rsi)
    emitter.call_symbol(symbol)
    if kind == "int":
        asm.mov(rcx, rax)
        asm.pop(rdx)
        asm.pop(rdx)
        emit_drop_key(asm, emitter)
        asm.mov(rax, rcx)
    asm.test(rax.r32, rax.r32)
    asm.js(failed)


def emit_drop_key(asm, emitter):
    """Drop the int in rdx; rcx is kept."""
    freed, dropped = asm.label("freed"), asm.label("dropped")
    emit_decref(asm, rdx, freed)
    asm.jmp(dropped)
    asm.bind(freed)
    asm.mov(rax, rdx)
    asm.call(emitter.dealloc_plain)
    asm.bind(dropped)


for _family in FAMILIES:
    _declare(_family, f"find_{_family}")
