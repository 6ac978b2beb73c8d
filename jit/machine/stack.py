"""How deep compiled code may recurse: Python's limit and the C stack, in one counter.

A body counts r14d down and leaves below zero. The entry wrapper sets r14d to the levels Python still allows, but to no more
than the C stack can bear at the greatest frame size. Each thread's stack bounds are asked of pthreads and kept in a small
table, by the thread state's unique id. Others may take its place there, and a program that begins thread after thread comes back to its main thread
each time; that one's bounds, for which the C library reads /proc/self/maps, are kept besides.

Source: glibc nptl/pthread_getattr_np.c.
"""

import ctypes
from functools import lru_cache

from asm import (Assembler, eax, ecx, edi, edx, mem32, mem64, r14d, r15, rax, rbx, rcx, rdi, rdx, relative, rsi, rsp)
from jit.machine.arena import arena, placed
from platforms import pages
from platforms.cpython import symbols, threads
from platforms.cpython.layout import layout

L = layout()
FRAME_SHIFT = 12  # no body's frame is larger than 4096 bytes
RED_ZONE = 256 << 10  # bytes kept for C code; of a small stack only a quarter, for threads may have less than this in all
ENTRIES = 8
ENTRY_SIZE = 32  # id, low, high, zone
MAIN = ENTRIES * ENTRY_SIZE  # behind the table: pthread_self() of the main thread or 0, then as in an entry
_ATTRIBUTES = 64  # bytes of a pthread_attr_t are 56


@lru_cache(None)
def bounds_table():
    """Address of the table of stack bounds: ENTRIES times (thread id, low, high, where what is kept for C code begins), then those of the main thread."""
    return arena().allocate_data((ENTRIES + 1) * ENTRY_SIZE)


@lru_cache(None)
def _refresh_routine():
    """rcx = table entry: fill it for the calling thread (state in r15); keeps callee-saved registers. rsp must be aligned."""
    asm = Assembler(comments=False)
    limits = threads.stack_limits()

    def call(name):
        asm.call(relative(asm.constant(limits[name])))

    failed, known, done = asm.label("failed"), asm.label("known"), asm.label("done")
    main, own = bounds_table() + MAIN, mem64(rsp, _ATTRIBUTES + 16)
    asm.push(rbx)
    asm.sub(rsp, _ATTRIBUTES + 32)
    asm.mov(rbx, rcx)
    call("pthread_self")
    asm.mov(own, rax)
    asm.cmp(rax, relative(main))
    asm.je(known)
    asm.mov(rdi, rax)
    asm.mov(rsi, rsp)
    call("pthread_getattr_np")
    asm.test(eax, eax)
    asm.jnz(failed)
    asm.mov(rdi, rsp)
    asm.lea(rsi, mem64(rsp, _ATTRIBUTES))
    asm.lea(rdx, mem64(rsp, _ATTRIBUTES + 8))
    call("pthread_attr_getstack")
    asm.mov(rdi, rsp)
    call("pthread_attr_destroy")
    asm.mov(rax, mem64(rsp, _ATTRIBUTES))
    asm.mov(mem64(rbx, 8), rax)
    asm.mov(rcx, mem64(rsp, _ATTRIBUTES + 8))
    asm.mov(rdx, rcx)
    asm.add(rcx, rax)
    asm.mov(mem64(rbx, 16), rcx)
    asm.shr(rdx, 2)
    asm.mov(ecx, RED_ZONE)
    asm.cmp(rdx, rcx)
    asm.cmova(rdx, rcx)
    asm.add(rax, rdx)
    asm.mov(mem64(rbx, 24), rax)
    call("getpid")
    asm.mov(mem64(rsp, _ATTRIBUTES), rax)
    asm.mov(edi, threads.GETTID)
    call("syscall")
    asm.cmp(mem32(rsp, _ATTRIBUTES), eax)
    asm.jne(done)
    asm.mov(rax, own)
    asm.mov(relative(main), rax)
    for place in (8, 16, 24):
        asm.mov(rax, mem64(rbx, place))
        asm.mov(relative(main + place), rax)
    asm.bind(done)
    asm.mov(rax, mem64(r15, L.thread_id))
    asm.mov(mem64(rbx, 0), rax)
    asm.add(rsp, _ATTRIBUTES + 32)
    asm.pop(rbx)
    asm.ret()
    asm.bind(known)
    for place in (8, 16, 24):
        asm.mov(rax, relative(main + place))
        asm.mov(mem64(rbx, place), rax)
    asm.jmp(done)
    asm.bind(failed)
    # Without /proc the main thread's bounds cannot be had: no address is within these, so each entry counts as
    # running on an unknown stack.
    for place in (8, 16, 24):
        asm.mov(mem64(rbx, place), 0)
    asm.jmp(done)
    block = placed(asm, "jit::bounds of the stack")
    return block


def _emit_bounds(asm, outside):
    """rcx = the table's entry for the thread (state in r15), rdx = rsp; goes to `outside` if that is not in the thread's own stack."""
    look, unknown = asm.label("look"), asm.label("unknown")
    asm.bind(look)
    asm.mov(rax, mem64(r15, L.thread_id))
    asm.mov(rcx, rax)
    asm.and_(ecx, ENTRIES - 1)
    asm.shl(ecx, 5)
    asm.lea(rdx, relative(bounds_table()))
    asm.add(rcx, rdx)
    asm.cmp(mem64(rcx, 0), rax)
    asm.jne(unknown)
    asm.mov(rdx, rsp)
    asm.cmp(rdx, mem64(rcx, 16))
    asm.jae(outside)
    asm.cmp(rdx, mem64(rcx, 8))
    asm.jb(outside)
    with asm.cold():
        asm.bind(unknown)
        asm.call(_refresh_routine())
        asm.jmp(look)


@lru_cache(None)
def _room_routine():
    """A callable: bytes that are left of the running thread's C stack; what compiling wants if it is another stack."""
    asm = Assembler(comments=False)
    outside, out = asm.label("outside"), asm.label("out")
    asm.push(r15)
    asm.call(relative(asm.constant(symbols.address("PyThreadState_Get"))))
    asm.mov(r15, rax)
    _emit_bounds(asm, outside)
    asm.mov(rax, rdx)
    asm.sub(rax, mem64(rcx, 8))
    asm.bind(out)
    asm.pop(r15)
    asm.ret()
    asm.bind(outside)
    asm.mov(eax, RED_ZONE)
    asm.jmp(out)
    block = placed(asm, "jit::room on the stack")
    return pages.prototype(ctypes.c_uint64)(block)


def is_room():
    """Whether there is stack enough to compile: where there is not, calls are interpreted."""
    return _room_routine()() >= RED_ZONE


_MESSAGE = ctypes.create_string_buffer(b"maximum recursion depth exceeded")


def emit_stack_budget(asm, out):
    """r14d = levels this thread may still call; D in the wrapper's block at [rsp]. Too little stack: RecursionError.

    Args:
        out: label that returns rax from the wrapper. Clobbers rax, rcx, rdx and what C calls do.
    """
    known, outside, low = (asm.label(n) for n in ("known", "outside", "low"))
    _emit_bounds(asm, outside)
    asm.sub(rdx, mem64(rcx, 24))
    asm.jb(low)
    asm.shr(rdx, FRAME_SHIFT)
    asm.bind(known)
    asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
    asm.mov(r14d, eax)
    asm.cmp(eax, edx)
    asm.cmovg(r14d, edx)
    asm.sub(eax, r14d)
    asm.movsxd(rax, eax)
    asm.mov(mem64(rsp, 0), rax)
    with asm.cold():
        asm.bind(outside)
        # Another stack than the thread's own (a coroutine library's): assume a small one.
        asm.mov(edx, RED_ZONE >> FRAME_SHIFT)
        asm.jmp(known)
        asm.bind(low)
        asm.mov(rax, relative(asm.constant(symbols.address("PyExc_RecursionError"))))
        asm.mov(rdi, mem64(rax, 0))
        asm.mov(rsi, relative(asm.constant(ctypes.addressof(_MESSAGE))))
        asm.call(relative(asm.constant(symbols.address("PyErr_SetString"))))
        asm.xor(eax, eax)
        asm.jmp(out)
