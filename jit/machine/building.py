"""Machine code that builds an interpreter frame on the data stack, as a descriptor says.

Source: CPython Include/internal/pycore_frame.h, Python/pystate.c (push_chunk), Objects/rangeobject.c.
"""

from asm import eax, ecx, edx, mem32, mem64, r8, r9, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp, xmm0
from jit.machine import records as r
from jit.machine.refcounts import emit_incref
from platforms.cpython.layout import layout

L = layout()
CHUNK_SIZE = 16384
CHUNK_SPARE = 1000  # slots
#: Bytes of our own behind each frame.
BEHIND = 24
#: Where a wrapper's block names the function (jit/entries.py).
BLOCK_FUNCTION = 8
#: In the place of a frame's number of stack items: its locals are not in it yet. No code object allows so many.
SKETCHED = 0x5EE7C4ED


class BuildRoutines:
    """The part of FrameRoutines that makes frames."""

    def emit_build(self):
        """r12 = new frame on the data stack for descriptor rbx and save area rbp, not linked, without instruction pointer.

        edx on entry: 1 copy (owned references stay with the body), 0 move; r13 = the wrapper's block. eax on return:
        0, or 1 if memory ran out (some slots are then NULL and an exception is set).
        """
        asm = self.asm
        asm.align(16)
        asm.bind(self.build)
        asm.push(rdx)
        self.emit_allocate()
        asm.pop(rdx)
        asm.jmp(self.fill)

    def emit_sketch(self):
        """r12 = new frame like that of `build`, with all locals unbound: who wants to see them has it filled (see lookers.py).

        It holds no references. Lost: rax, rcx, rdx, rsi, rdi, r8, r9.
        """
        asm = self.asm
        loop, done = asm.label("locals"), asm.label("sketched")
        asm.align(16)
        asm.bind(self.sketch)
        asm.sub(rsp, 8)
        self.emit_allocate()
        asm.add(rsp, 8)
        asm.mov(eax, SKETCHED)
        asm.mov(mem64(r12, L.frame_stacktop), rax)
        asm.mov(rcx, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(rcx, r.N_LOCALS))
        asm.bind(loop)
        asm.sub(ecx, 1)
        asm.js(done)
        asm.mov(mem64(r12, L.frame_localsplus, rcx, 8), 0)
        asm.jmp(loop)
        asm.bind(done)
        asm.ret()

    def emit_allocate(self):
        """r12 = frame with all fields but stacktop and locals; behind it the wrapper's block (r13), the save area, the descriptor.

        The stack is aligned here. Lost: rax, rcx, rdx, rsi, rdi, r8, r9.
        """
        asm = self.asm
        slow, fill = asm.label("new_chunk"), asm.label("fields")
        asm.mov(r8, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(r8, r.FRAME_SLOTS))
        asm.mov(r12, mem64(r15, L.thread_datastack_top))
        asm.lea(rax, mem64(r12, BEHIND, rcx, 8))
        asm.cmp(rax, mem64(r15, L.thread_datastack_limit))
        asm.jae(slow)
        asm.bind(fill)
        asm.mov(mem64(r15, L.thread_datastack_top), rax)
        asm.mov(mem64(rax, -BEHIND), r13)
        asm.mov(mem64(rax, -BEHIND + 8), rbp)
        asm.mov(mem64(rax, -BEHIND + 16), rbx)
        known = asm.label("known")
        asm.mov(r9, mem64(r8, r.FUNCTION))
        asm.test(r9, r9)
        asm.jnz(known)
        asm.mov(r9, mem64(r13, BLOCK_FUNCTION))
        asm.bind(known)
        asm.mov(mem64(r12, L.frame_function), r9)
        asm.mov(rax, mem64(r8, r.CODE))
        asm.mov(mem64(r12, L.frame_code), rax)
        asm.mov(rax, mem64(r9, L.function_globals))
        asm.mov(mem64(r12, L.frame_globals), rax)
        asm.mov(rax, mem64(r9, L.function_builtins))
        asm.mov(mem64(r12, L.frame_builtins), rax)
        asm.mov(rax, mem64(r8, r.NAMESPACE))
        asm.mov(mem64(r12, L.frame_locals), rax)
        asm.xor(eax, eax)
        asm.mov(mem64(r12, L.frame_object), rax)
        asm.mov(mem64(r12, L.frame_previous), rax)
        with asm.cold():
            asm.bind(slow)
            self.emit_new_chunk(fill)

    def emit_fill(self):
        """Fill frame r12, allocated or sketched, for descriptor rbx and save area rbp; edx and eax as for `build`."""
        asm = self.asm
        loop, done = asm.label("entries"), asm.label("filled")
        asm.align(16)
        asm.bind(self.fill)
        asm.push(rbx)
        asm.push(r14)
        asm.push(r13)
        asm.sub(rsp, 48)
        asm.mov(mem64(rsp, 0), rdx)
        asm.mov(mem64(rsp, 8), 0)
        for field in (L.frame_function, L.frame_code):
            asm.mov(rax, mem64(r12, field))
            emit_incref(asm, rax, rcx)
        no_namespace = asm.label("no_namespace")
        asm.mov(rax, mem64(r12, L.frame_locals))
        asm.test(rax, rax)
        asm.jz(no_namespace)
        emit_incref(asm, rax, rcx)
        asm.bind(no_namespace)
        # One store for stacktop and the flags behind it: not an entry frame, owned by the thread.
        asm.mov(eax, mem32(rbx, r.STACKTOP))
        asm.mov(mem64(r12, L.frame_stacktop), rax)
        asm.lea(r13, mem64(r12, L.frame_localsplus))
        asm.lea(r14, mem64(rbx, r.ENTRIES))
        asm.mov(rbx.r32, mem32(rbx, r.N_ENTRIES))
        asm.shl(rbx, 4)
        asm.add(rbx, r14)
        asm.bind(loop)
        asm.cmp(r14, rbx)
        asm.jae(done)
        self.emit_entry(loop)
        asm.bind(done)
        asm.mov(rax, mem64(rsp, 8))
        asm.add(rsp, 48)
        asm.pop(r13)
        asm.pop(r14)
        asm.pop(rbx)
        asm.ret()

    def emit_entry(self, loop):
        """Produce one frame slot [r13] from the entry at r14."""
        asm = self.asm
        store, boxed, owned, pointer, null = (asm.label(name) for name in ("store", "boxed", "owned", "pointer", "null"))
        asm.mov(eax, mem32(r14, 0))
        asm.movsxd(rdx, mem32(r14, 4))
        kinds = {kind: asm.label(f"kind{kind}") for kind in range(16)}
        for kind in (r.INT, r.FLOAT, r.NULL, r.OWNED, r.BORROWED, r.CONST, r.IF, r.BOOL, r.RANGE_ITERATOR_STOP,
                     r.RANGE_ITERATOR, r.INT_CONSTANT, r.OWNED_OR_NULL, r.BORROWED_OR_NULL, r.TUPLE, r.MADE_FUNCTION, r.CLOSURE):
            asm.cmp(eax, kind)
            asm.je(kinds[kind])
        asm.ud2()

        asm.bind(kinds[r.INT])
        asm.mov(rdi, mem64(rbp, 0, rdx, 1))
        self.call("PyLong_FromLongLong")
        asm.jmp(boxed)
        asm.bind(kinds[r.INT_CONSTANT])
        asm.mov(rdi, mem64(r14, 8))
        self.call("PyLong_FromLongLong")
        asm.jmp(boxed)
        asm.bind(kinds[r.FLOAT])
        asm.movsd(xmm0, mem64(rbp, 0, rdx, 1))
        self.call("PyFloat_FromDouble")
        asm.bind(boxed)
        asm.test(rax, rax)
        asm.jnz(store)
        asm.mov(mem64(rsp, 8), 1)
        asm.jmp(store)

        asm.bind(kinds[r.BOOL])
        asm.mov(rcx, mem64(rbp, 0, rdx, 1))
        asm.mov(rax, self.pointer(id(False)))
        asm.test(rcx, rcx)
        asm.cmovne(rax, self.pointer(id(True)))
        asm.jmp(pointer)
        asm.bind(kinds[r.CONST])
        asm.mov(rax, mem64(r14, 8))
        asm.jmp(pointer)
        asm.bind(kinds[r.OWNED_OR_NULL])
        asm.bind(kinds[r.OWNED])
        asm.mov(rax, mem64(rbp, 0, rdx, 1))
        asm.cmp(mem64(rsp, 0), 0)
        asm.je(store)
        asm.test(rax, rax)
        asm.jz(store)
        asm.jmp(pointer)
        asm.bind(kinds[r.BORROWED_OR_NULL])
        asm.bind(kinds[r.BORROWED])
        asm.mov(rax, mem64(rbp, 0, rdx, 1))
        asm.test(rax, rax)
        asm.jz(store)
        asm.bind(pointer)
        emit_incref(asm, rax, rcx)
        asm.bind(store)
        asm.mov(mem64(r13, 0), rax)
        asm.add(r13, 8)
        asm.add(r14, 16)
        asm.jmp(loop)

        asm.bind(kinds[r.IF])
        asm.add(r14, 16)
        asm.cmp(mem64(rbp, 0, rdx, 1), 0)
        asm.jne(loop)
        asm.bind(kinds[r.NULL])
        asm.xor(eax, eax)
        asm.jmp(store)

        asm.bind(kinds[r.RANGE_ITERATOR])
        asm.bind(kinds[r.RANGE_ITERATOR_STOP])
        self.emit_range_iterator(store)
        asm.bind(kinds[r.TUPLE])
        self.emit_tuple(store)
        self.emit_function(store, kinds)

    def emit_tuple(self, store):
        """rax = new tuple of the last items produced; there is room for them, because they are unpacked in this place next."""
        asm = self.asm
        made, fill, drop, failed = (asm.label(name) for name in ("made", "fill", "drop_items", "no_memory_for_tuple"))
        asm.mov(rdi, mem64(r14, 8))
        asm.mov(mem64(rsp, 16), rdi)
        asm.shl(rdi, 3)
        asm.sub(r13, rdi)
        asm.mov(rdi, mem64(rsp, 16))
        self.call("PyTuple_New")
        asm.test(rax, rax)
        asm.jz(failed)
        asm.xor(ecx, ecx)
        asm.bind(fill)
        asm.cmp(rcx, mem64(rsp, 16))
        asm.je(made)
        asm.mov(rdx, mem64(r13, 0, rcx, 8))
        asm.mov(mem64(rax, L.tuple_items, rcx, 8), rdx)
        asm.add(rcx, 1)
        asm.jmp(fill)
        asm.bind(failed)
        asm.bind(drop)
        asm.sub(mem64(rsp, 16), 1)
        none_left = asm.label("none_left")
        asm.js(none_left)
        asm.mov(rcx, mem64(rsp, 16))
        asm.mov(rdi, mem64(r13, 0, rcx, 8))
        asm.call(self.xdecref)
        asm.jmp(drop)
        asm.bind(none_left)
        asm.xor(eax, eax)
        asm.mov(mem64(rsp, 8), 1)
        asm.bind(made)
        asm.jmp(store)

    def emit_function(self, store, kinds):
        """rax = new function of a code object, whose closure is the last item produced."""
        asm = self.asm
        failed, keep = asm.label("no_memory_for_function"), asm.label("closure_is_set")
        asm.bind(kinds[r.CLOSURE])
        asm.sub(r13, 8)
        self.emit_new_function()
        asm.mov(mem64(rsp, 16), rax)
        asm.test(rax, rax)
        asm.jz(keep)
        asm.mov(rdi, rax)
        asm.mov(rsi, mem64(r13, 0))
        asm.test(rsi, rsi)
        asm.jz(keep)
        self.call("PyFunction_SetClosure")
        asm.bind(keep)
        asm.mov(rdi, mem64(r13, 0))
        asm.call(self.xdecref)
        asm.mov(rax, mem64(rsp, 16))
        asm.test(rax, rax)
        asm.jnz(store)
        asm.bind(failed)
        asm.mov(mem64(rsp, 8), 1)
        asm.jmp(store)
        asm.bind(kinds[r.MADE_FUNCTION])
        self.emit_new_function()
        asm.test(rax, rax)
        asm.jnz(store)
        asm.jmp(failed)

    def emit_new_function(self):
        """rax = new function of the entry's code object, or NULL."""
        self.asm.mov(rdi, mem64(r14, 8))
        self.asm.mov(rsi, mem64(r12, L.frame_globals))
        self.call("PyFunction_New")

    def emit_range_iterator(self, store):
        """rax = new range_iterator from three sub-entries: next, remaining or stop, step."""
        asm = self.asm
        asm.mov(mem64(rsp, 40), rax)
        for number in range(3):
            constant, have = asm.label("constant"), asm.label("have")
            entry = 16 * (number + 1)
            asm.cmp(mem32(r14, entry), r.INT_CONSTANT)
            asm.je(constant)
            asm.movsxd(rdx, mem32(r14, entry + 4))
            asm.mov(rax, mem64(rbp, 0, rdx, 1))
            asm.jmp(have)
            asm.bind(constant)
            asm.mov(rax, mem64(r14, entry + 8))
            asm.bind(have)
            asm.mov(mem64(rsp, 16 + 8 * number), rax)
        asm.add(r14, 48)
        counted, down, divide, empty = (asm.label(name) for name in ("counted", "down", "divide", "empty"))
        asm.cmp(mem64(rsp, 40), r.RANGE_ITERATOR)
        asm.je(counted)
        asm.mov(rax, mem64(rsp, 24))
        asm.mov(rcx, mem64(rsp, 32))
        asm.mov(rdx, mem64(rsp, 16))
        asm.test(rcx, rcx)
        asm.js(down)
        asm.cmp(rdx, rax)
        asm.jge(empty)
        asm.sub(rax, rdx)
        asm.jmp(divide)
        asm.bind(down)
        asm.neg(rcx)
        asm.cmp(rax, rdx)
        asm.jge(empty)
        asm.sub(rdx, rax)
        asm.mov(rax, rdx)
        asm.bind(divide)
        asm.sub(rax, 1)
        asm.xor(edx, edx)
        asm.div(rcx)
        asm.add(rax, 1)
        asm.mov(mem64(rsp, 24), rax)
        asm.jmp(counted)
        asm.bind(empty)
        asm.mov(mem64(rsp, 24), 0)
        asm.bind(counted)
        asm.mov(rdi, self.pointer(id(type(iter(range(0))))))
        self.call("_PyObject_New")
        failed = asm.label("no_memory")
        asm.test(rax, rax)
        asm.jz(failed)
        if L.range_iterator_index is not None:
            asm.mov(mem64(rax, L.range_iterator_index), 0)
        for offset, number in ((L.range_iterator_start, 0), (L.range_iterator_len, 1), (L.range_iterator_step, 2)):
            asm.mov(rcx, mem64(rsp, 16 + 8 * number))
            asm.mov(mem64(rax, offset), rcx)
        asm.jmp(store)
        asm.bind(failed)
        asm.mov(mem64(rsp, 8), 1)
        asm.jmp(store)

    def emit_new_chunk(self, fill):
        """The data stack's chunk is full: r12 = frame at the start of a new one (pystate.c, push_chunk)."""
        asm = self.asm
        double, sized, first, linked, failed = (asm.label(n) for n in ("double", "sized", "first", "linked", "failed"))
        asm.lea(rcx, mem64(rcx, CHUNK_SPARE))
        asm.shl(rcx, 3)
        asm.mov(eax, CHUNK_SIZE)
        asm.bind(double)
        asm.cmp(rax, rcx)
        asm.jae(sized)
        asm.add(rax, rax)
        asm.jmp(double)
        asm.bind(sized)
        asm.push(rax)
        asm.sub(rsp, 8)
        asm.mov(rdi, self.pointer(self.allocator.context))
        asm.mov(rsi, rax)
        asm.call(self.pointer(self.allocator.allocate))
        asm.add(rsp, 8)
        asm.pop(rdx)
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(rsi, mem64(r15, L.thread_datastack_chunk))
        asm.mov(mem64(rax, L.chunk_previous), rsi)
        asm.mov(mem64(rax, L.chunk_size), rdx)
        asm.mov(mem64(rax, L.chunk_top), 0)
        asm.lea(r12, mem64(rax, L.chunk_data))
        asm.test(rsi, rsi)
        asm.jz(first)
        asm.mov(rcx, mem64(r15, L.thread_datastack_top))
        asm.sub(rcx, rsi)
        asm.sub(rcx, L.chunk_data)
        asm.shr(rcx, 3)
        asm.mov(mem64(rsi, L.chunk_top), rcx)
        asm.jmp(linked)
        asm.bind(first)
        asm.add(r12, 8)
        asm.bind(linked)
        asm.mov(mem64(r15, L.thread_datastack_chunk), rax)
        asm.add(rdx, rax)
        asm.mov(mem64(r15, L.thread_datastack_limit), rdx)
        asm.mov(r8, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(r8, r.FRAME_SLOTS))
        asm.lea(rax, mem64(r12, BEHIND, rcx, 8))
        asm.jmp(fill)
        asm.bind(failed)
        # No memory for a frame at all: nothing can be handed over, in the interpreter either.
        asm.lea(rdi, relative(asm.constant(b"memory!\0")))
        self.call("Py_FatalError")
        asm.ud2()
