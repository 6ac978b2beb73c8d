"""Taking what the compiler's modules consist of out of the garbage collector's sight.

    hide(items, count, head): moves the objects, and all that they lead to by way of the types in FOLLOWED, to the end of the list at `head`

The list is the queue of those that have yet to be looked into, as in Cheney's copying collector; a flag of the collector's marks what is
there already. No Python code runs meanwhile. Functions are moved only if their globals have been: others are not ours.

Source: CPython Modules/gcmodule.c (visit_reachable, gc_list_move), Python/gc.c; Include/internal/pycore_gc.h (PREV_MASK_COLLECTING);
C. J. Cheney, A nonrecursive list compacting algorithm, CACM 13 (1970).
"""

import ctypes
import functools
import gc
import types

from asm import Assembler, dl, eax, edx, mem8, mem64, r8, r9, r10, r12, r13, r14, r15, rax, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.arena import arena, placed
from platforms import pages
from platforms.cpython import collector, symbols
from platforms.cpython.layout import layout
from platforms.pages import memmove

#: What objects in the list may be of, but is not followed: what others lead to is not ours.
ROOTS = (types.ModuleType, type)
FOLLOWED = (dict, list, tuple, set, frozenset, types.FunctionType, types.CellType, types.MethodType, types.GetSetDescriptorType,
            types.MemberDescriptorType, types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
            types.BuiltinFunctionType, functools._lru_cache_wrapper, staticmethod, classmethod, property, types.GenericAlias)
#: Py_tp_traverse in <typeslots.h>.
_TRAVERSE = 71
#: Flags in the link to the previous object: it has been finalised; a collection, or here this, has it in hand.
_FINALISED, _MARK = 1, 2
_NEXT, _PREVIOUS = 0, 8
_HEAD = collector.HEAD


def _table(more):
    """The address of pairs (type, its tp_traverse): ROOTS, then what is followed, then 0."""
    get_slot = symbols.function("PyType_GetSlot", ctypes.c_uint64, ctypes.py_object, ctypes.c_int)
    words = _words([word for kind in (*ROOTS, *FOLLOWED, *more) for word in (id(kind), get_slot(kind, _TRAVERSE))] + [0, 0])
    address = arena().allocate_data(len(words))
    memmove(address, words, len(words))
    return address


def _words(numbers):
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def hide(items, more, excepted):
    """Let the collector not find objects, nor what they lead to.

    Args:
        items: modules, classes and the dictionaries of modules. more: types of further objects that are followed. excepted: dictionaries that
        are not followed.
    """
    items = list(filter(gc.is_tracked, items))  # classes of C have no place for links in front of them
    _routine(more, tuple(map(id, excepted)))(_words(map(id, items)), len(items), collector.own_list())


def _routine(more, excepted):
    asm = Assembler(comments=False)
    visit, take = asm.label("visit"), asm.label("take")
    table = _table(more)
    _emit_hide(asm, table, visit, take)
    _emit_visit(asm, table + 16 * len(ROOTS), excepted, visit, take)
    _emit_take(asm, take)
    return pages.prototype(None, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64)(placed(asm, "jit::hide"))


def _emit_hide(asm, table, visit, take):
    root, scan, look, found, following, unmark, again, done = (asm.label(name) for name in (
        "root", "scan", "look", "found", "following", "unmark", "again", "done"))
    for register in (rbx, r12, r13, r14, r15):
        asm.push(register)
    asm.mov(r12, rdi)
    asm.mov(r13, rsi)
    asm.mov(r14, rdx)
    # A link of our own marks where the list ended before: the last object may be moved behind it.
    asm.sub(rsp, _HEAD)
    asm.mov(r15, rsp)
    asm.mov(rcx, mem64(r14, _PREVIOUS))
    asm.mov(mem64(r15, _NEXT), r14)
    asm.mov(mem64(r15, _PREVIOUS), rcx)
    asm.mov(mem64(rcx, _NEXT), r15)
    asm.mov(mem64(r14, _PREVIOUS), r15)
    asm.bind(root)
    asm.test(r13, r13)
    asm.je(scan)
    asm.mov(rdi, mem64(r12))
    asm.mov(rsi, r14)
    asm.call(take)
    asm.add(r12, 8)
    asm.sub(r13, 1)
    asm.jmp(root)

    asm.bind(scan)
    asm.mov(rbx, mem64(r15, _NEXT))
    asm.bind(look)
    asm.cmp(rbx, r14)
    asm.je(unmark)
    asm.lea(rdi, mem64(rbx, _HEAD))
    _emit_find(asm, table, found)
    asm.jmp(following)
    asm.bind(found)
    asm.lea(rsi, relative(visit))
    asm.mov(rdx, r14)
    asm.call(mem64(rcx, 8))
    asm.bind(following)
    asm.mov(rbx, mem64(rbx, _NEXT))
    asm.jmp(look)

    asm.bind(unmark)
    asm.mov(rbx, mem64(r15, _NEXT))
    asm.bind(again)
    asm.cmp(rbx, r14)
    asm.je(done)
    asm.and_(mem64(rbx, _PREVIOUS), ~_MARK)
    asm.mov(rbx, mem64(rbx, _NEXT))
    asm.jmp(again)
    asm.bind(done)
    asm.mov(rax, mem64(r15, _NEXT))
    asm.mov(rcx, mem64(r15, _PREVIOUS))
    asm.mov(mem64(rcx, _NEXT), rax)
    asm.and_(mem64(rax, _PREVIOUS), _FINALISED)
    asm.or_(mem64(rax, _PREVIOUS), rcx)
    asm.add(rsp, _HEAD)
    for register in (r15, r14, r13, r12, rbx):
        asm.pop(register)
    asm.ret()


def _emit_find(asm, table, found):
    """Go to `found` with rax = the type of the object rdi and rcx = its pair, if it is in the table."""
    find = asm.label("find")
    asm.mov(rax, mem64(rdi, layout().ob_type))
    asm.mov(rcx, table)
    asm.bind(find)
    asm.cmp(rax, mem64(rcx))
    asm.je(found)
    asm.add(rcx, 16)
    asm.cmp(mem64(rcx), 0)
    asm.jne(find)


def _emit_visit(asm, table, excepted, visit, take):
    """A visitproc: rdi = object, rsi = the list's head -> eax = 0."""
    found, not_ours = asm.label("of_a_kind"), asm.label("not_ours")
    asm.bind(visit)
    _emit_find(asm, table, found)
    asm.bind(not_ours)
    asm.xor(eax, eax)
    asm.ret()
    asm.bind(found)
    for address in excepted:
        asm.mov(rdx, address)
        asm.cmp(rdi, rdx)
        asm.je(not_ours)
    asm.mov(rdx, id(types.FunctionType))
    asm.cmp(rax, rdx)
    asm.jne(take)
    asm.mov(rdx, mem64(rdi, layout().function_globals))
    asm.test(mem8(rdx, _PREVIOUS - _HEAD), _MARK)
    asm.je(not_ours)


def _emit_take(asm, take):
    """rdi = object, rsi = the list's head -> eax = 0; the object is the last of the list, if it is in any and not in this one."""
    out = asm.label("out")
    asm.bind(take)
    asm.mov(rcx, mem64(rdi, _NEXT - _HEAD))
    asm.test(rcx, rcx)
    asm.je(out)
    asm.mov(rdx, mem64(rdi, _PREVIOUS - _HEAD))
    asm.test(dl, _MARK)
    asm.jne(out)
    asm.lea(rax, mem64(rdi, -_HEAD))
    asm.mov(r8, rdx)
    asm.and_(r8, ~(_FINALISED | _MARK))
    asm.mov(mem64(r8, _NEXT), rcx)
    asm.mov(r9, mem64(rcx, _PREVIOUS))
    asm.and_(r9, _FINALISED | _MARK)
    asm.or_(r9, r8)
    asm.mov(mem64(rcx, _PREVIOUS), r9)
    asm.mov(r10, mem64(rsi, _PREVIOUS))
    asm.mov(mem64(r10, _NEXT), rax)
    asm.mov(mem64(rax, _NEXT), rsi)
    asm.mov(mem64(rsi, _PREVIOUS), rax)
    asm.and_(edx, _FINALISED)
    asm.or_(rdx, _MARK)
    asm.or_(rdx, r10)
    asm.mov(mem64(rax, _PREVIOUS), rdx)
    asm.bind(out)
    asm.xor(eax, eax)
    asm.ret()
