"""Entry wrappers: from CPython's vectorcall protocol to compiled bodies.

A wrapper tests, in this order: the arguments' number, the function's code, tracing, the C stack; then version by version what
the version relies on and the arguments' types, unboxing as it tests. What fits nothing goes to the compiler (*miss*) or to
CPython's own vectorcall with the arguments untouched.

The wrapper's block at [rsp] while a body runs: +0 D (see machine/leave.py), +8 the function, which is held: callers need not
hold what they call (a signal handler may replace itself), and its machine code dies with it; +16 the arguments; from +24 on those
that the body has taken over, in case it wants the whole call to be interpreted.
Source: PEP 590 (vectorcall).
"""

from types import TracebackType

from asm import (Assembler, Memory, eax, ecx, edx, mem8, mem32, mem64, r12, r13, r14, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx,
                 relative, rsi, rsp, xmm0, xmm15)
from jit import perfmap, types
from jit.alive import Alive
from jit.argument_guards import ArgumentGuards
from jit.decode import parameter_count, takes_more
from jit.machine import arena, records, routines
from jit.machine.leave import C_STACK_UNITS
from jit.machine.refcounts import emit_decref, emit_incref
from jit.machine.rooms import Room
from jit.matching import ARGUMENTS, MATCHED_PARAMETERS, ArgumentMatching
from jit.matching_all import ENTER_ANEW, INTERPRET
from jit.machine.stack import emit_stack_budget
from jit.templates.calls import argument_registers
from platforms.cpython import entry, threads, undisturbed
from platforms.cpython.layout import layout

L = layout()
PUSHED = (rbx, rbp, r12, r13, r14, r15)
BLOCK = 24
FUNCTION = 8
#: Where ``__exit__`` has its traceback, as a function and as a method.
TRACEBACK_PLACES = (2, 3)


#: Every wrapper there is.
ENTRIES = Alive()


class Entry:
    """A wrapper in the arena; freed with this object.

    Attributes:
        address: where calls enter. versions: the Codes it leads to. keep: objects whose addresses it holds. refused: argument types that it
        leaves to the interpreter.
    """

    def __init__(self, address, versions, keep, refused=()):
        self.address = address
        self.versions = versions
        self.keep = keep
        self.refused = refused
        self.room = Room(arena().free_code, address)
        ENTRIES.note(self)

    def is_current(self, record):
        """Whether it knows all that the record has come to."""
        return self.versions == record.versions and list(self.refused) == list(record.refused)


class FunctionBlock:
    """A function record in the data arena; freed with this object, which every version of the function holds.

    Args:
        function: or None, see `records.write_function`.
    """

    def __init__(self, function, code):
        self.address = arena().allocate_data(records.FUNCTION_RECORD_SIZE)
        self.room = Room(arena().free_data, self.address)
        records.write_function(self.address, function, code)


def build(record, function, full):
    """An entry wrapper for the record's present versions.

    Args:
        full: no further version will be compiled; calls that fit none are interpreted.
    """
    asm = Assembler(comments=False)
    EntryEmitter(asm, record, function, full).emit()
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note(block, len(text), f"jit::entry of {function.__qualname__}")
    return Entry(block, list(record.versions), [record.code, record.miss], list(record.refused))


class EntryEmitter(ArgumentMatching, ArgumentGuards):
    """Emits one wrapper. rbx = function object, rbp = its arguments, r12 = nargsf, r15 = thread state."""

    def __init__(self, asm, record, function, full):
        self.asm = asm
        self.record = record
        self.code = record.code
        self.takes_more = takes_more(record.code)
        self.full = full
        self.block = BLOCK + 16 * ((max((len(code.taken) for code in record.versions), default=0) + 1) // 2)
        self.routines = routines()
        self.original = asm.label("original")
        self.miss = asm.label("miss")
        self.out = asm.label("out")
        self.called = asm.label("called")
        self.left = asm.label("left")

    def constant(self, value):
        return relative(self.asm.constant(value))

    def emit(self):
        asm = self.asm
        untouched, match, positional = asm.label("untouched"), asm.label("match"), asm.label("positional")
        if self.takes_more:
            asm.jmp(match)
        else:
            asm.test(rcx, rcx)
            asm.jnz(match)
            asm.lea(rax, mem64(rdx, 0, rdx, 1))
            asm.cmp(rax, 2 * self.code.co_argcount)
            asm.jne(match)
        asm.bind(positional)
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, self.block)
        asm.mov(rbx, rdi)
        asm.mov(rbp, rsi)
        asm.mov(r12, rdx)
        self.emit_thread_state()
        self.emit_tracing_check()
        asm.mov(rax, self.constant(id(self.record.code)))
        asm.cmp(mem64(rbx, L.function_code), rax)
        asm.jne(self.miss)
        emit_stack_budget(asm, self.out)
        self.emit_borrowed_check()
        for version in self.record.versions:
            self.emit_version(version)
        for kinds in self.record.refused:
            self.emit_refused(kinds)
        if self.full:
            asm.jmp(self.original)
        self.emit_miss()
        self.emit_out()
        asm.bind(self.original)
        if self.takes_more:
            self.emit_answer(INTERPRET)
        elif L.thread_c_recursion_remaining is not None:
            self.emit_call_interpreter()
        else:
            self.emit_leave_for(self.constant(entry.original_vectorcall()))
        asm.bind(untouched)
        asm.jmp(self.constant(entry.original_vectorcall()))
        with asm.cold():
            asm.bind(match)
            if parameter_count(self.code) > MATCHED_PARAMETERS:
                asm.jmp(untouched)
            elif self.takes_more:
                self.emit_match_all(positional, untouched)
            else:
                self.emit_match(positional, untouched)

    def emit_thread_state(self):
        asm = self.asm
        kind, where = threads.thread_state_source()
        if kind == "cell":
            asm.mov(rax, self.constant(where))
            asm.mov(r15, mem64(rax, 0))
        elif kind == "tls":
            asm.mov(r15, Memory(base=None, disp=where, size=8, segment="fs"))
        else:
            asm.call(self.constant(where))
            asm.mov(r15, rax)

    def emit_tracing_check(self):
        """A traced function is interpreted; on 3.12 and later a changed version is looked into by `miss`."""
        asm = self.asm
        check = threads.tracing_check()
        if check[0] == "cframe":
            asm.mov(rax, mem64(r15, check[1]))
            asm.cmp(mem8(rax, check[2]), 0)
            asm.jne(self.original)
            return
        from jit.machine.monitoring import version_cell
        trace, profile = threads.trace_functions()
        asm.mov(rax, mem64(r15, trace))
        asm.or_(rax, mem64(r15, profile))
        asm.jne(self.original)
        if check[0] == "interp_version":
            asm.mov(rax, self.constant(check[1]))
            asm.mov(rax, mem64(rax, 0))
        else:
            asm.mov(rax, mem64(r15, check[1]))
            asm.and_(rax, -256)
        asm.cmp(rax, relative(version_cell()))
        asm.jne(self.miss)

    def emit_borrowed_check(self):
        """Leave calls with a traceback to CPython: to ``__exit__`` it gives one that nobody holds (WITH_EXCEPT_START).

        It would die in the middle of the call if the exception lost it, as by ``exception.with_traceback(None)``.
        """
        asm = self.asm
        for number in TRACEBACK_PLACES:
            if any(len(code.types) > number and code.types[number] is types.OBJECT for code in self.record.versions):
                asm.mov(rax, mem64(rbp, 8 * number))
                asm.mov(rcx, self.constant(id(TracebackType)))
                asm.cmp(mem64(rax, L.ob_type), rcx)
                asm.je(self.original)

    def emit_version(self, code):
        asm = self.asm
        start, other = asm.label("version"), asm.label("other_version")
        asm.bind(start)
        record = code.version_record
        self.emit_words(code, start)
        for number, (kind, register) in enumerate(zip(code.types, argument_registers(code.types))):
            self.emit_argument(number, kind, register, other)
        asm.cmp(relative(record + records.ATTENTION), 0)
        asm.jne(self.miss)
        asm.add(relative(record + records.CALLS), 1)
        asm.mov(mem64(rsp, FUNCTION), rbx)
        asm.mov(mem64(rsp, ARGUMENTS), rbp)
        emit_incref(asm, rbx, rcx)
        held = [number for number, kind in enumerate(code.types) if code.foreign and kind.is_object and number not in code.taken]
        left = asm.label("left_with_arguments") if held or code.taken else self.left
        for number in held:
            asm.mov(rax, mem64(rbp, 8 * number))
            emit_incref(asm, rax, rcx)
        if code.taken:
            self.emit_take(code.taken)
        self.emit_run(code, left)
        if held or code.taken:
            self.emit_give_back(held, code.taken, left)
        asm.jmp(self.called)
        asm.bind(other)

    def emit_run(self, code, left):
        """Call a body, whose arguments are in their places; rax = its result, boxed. To `left` if it ended in the interpreter."""
        asm = self.asm
        asm.call(code.address)
        asm.marker(None)
        # Callouts have left the levels remaining at their depth in the interpreter's counter.
        asm.mov(ecx, mem32(rsp, 0))
        asm.add(ecx, r14d)
        asm.mov(mem32(r15, L.thread_recursion_remaining), ecx)
        asm.test(edx, edx)
        asm.jnz(left)
        self.emit_box_result(code)

    def emit_box_result(self, code):
        asm = self.asm
        if code.result is types.FLOAT:
            asm.movapd(xmm15, xmm0)
            asm.call(self.routines.box_float)
        elif code.result is types.INT:
            asm.call(self.routines.box_int)
        elif code.result is types.BOOL:
            self.emit_box_bool()

    def emit_words(self, code, start):
        """What the version relies on; if a word differs, `revalidate` looks closer."""
        asm = self.asm
        words = records.read_words(code.version_record)
        if not words:
            return
        changed = asm.label("changed")
        for place, (address, _, _) in enumerate(words):
            asm.mov(rax, self.constant(address))
            asm.mov(rcx, relative(records.expected_address(code.version_record, place)))
            asm.cmp(mem64(rax, 0), rcx)
            asm.jne(changed)
        with asm.cold():
            asm.bind(changed)
            asm.lea(rcx, relative(code.version_record))
            asm.call(self.routines.revalidate)
            asm.test(eax, eax)
            asm.jz(self.miss)
            asm.jmp(start)

    def emit_box_bool(self):
        asm = self.asm
        asm.mov(rcx, rax)
        asm.mov(rax, self.constant(id(False)))
        asm.test(rcx, rcx)
        asm.cmovne(rax, self.constant(id(True)))
        emit_incref(asm, rax, rcx)

    def emit_out(self):
        """Return rax to the caller of the wrapper; `called` lets go of the function first."""
        asm = self.asm
        last = asm.label("last_reference")
        self.emit_restart()
        asm.bind(self.called)
        asm.mov(rdi, mem64(rsp, FUNCTION))
        emit_decref(asm, rdi, last)
        asm.bind(self.out)
        asm.add(rsp, self.block)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        with asm.cold():
            asm.bind(last)
            asm.add(rsp, self.block)
            for register in reversed(PUSHED):
                asm.pop(register)
            asm.jmp(self.routines.drop_last)

    def emit_restart(self):
        """A body has left: edx = 2 if nothing had happened in it yet, so that CPython may make the call as it came."""
        asm = self.asm
        asm.bind(self.left)
        asm.cmp(edx, 2)
        asm.jne(self.called)
        asm.mov(rbx, mem64(rsp, FUNCTION))
        asm.mov(rbp, mem64(rsp, ARGUMENTS))
        asm.mov(r12, self.code.co_argcount)
        # The caller's reference stands: no code but the body's has run.
        emit_decref(asm, rbx, self.original)
        asm.jmp(self.original)

    def emit_answer(self, answer):
        """Tell `emit_match_all`, which has the arguments as they came, what to do with them."""
        asm = self.asm
        asm.mov(eax, answer)
        asm.add(rsp, self.block)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()

    def emit_call_interpreter(self):
        """Let CPython make the call, without its taking from the few levels of C that there are: from interpreted code it would have taken none.

        What these levels are for is looked after here: that there is stack enough.
        """
        asm = self.asm
        emit_stack_budget(asm, self.out)
        asm.mov(mem64(rsp, FUNCTION), rbx)
        emit_incref(asm, rbx, rcx)
        asm.add(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        asm.mov(rdi, rbx)
        asm.mov(rsi, rbp)
        asm.mov(rdx, r12)
        asm.xor(ecx, ecx)
        asm.call(self.constant(entry.original_vectorcall()))
        asm.sub(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        asm.jmp(self.called)

    def emit_leave_for(self, target):
        """Tail-jump with the wrapper's arguments as they came."""
        asm = self.asm
        asm.mov(rdi, rbx)
        asm.mov(rsi, rbp)
        asm.mov(rdx, r12)
        asm.xor(ecx, ecx)
        asm.add(rsp, self.block)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.jmp(target)

    def emit_miss(self):
        """Ask the compiler; True: enter the function anew, False: interpret this call."""
        asm = self.asm
        answered = asm.label("answered")
        asm.bind(self.miss)
        asm.mov(rdi, self.constant(id(self.record.miss)))
        asm.mov(rsi, rbp)
        asm.mov(rdx, r12)
        asm.shl(rdx, 1)
        asm.shr(rdx, 1)
        asm.xor(ecx, ecx)
        asm.call(self.constant(undisturbed.vectorcall()))
        asm.test(rax, rax)
        asm.jz(self.out)
        asm.mov(r13, rax)
        emit_decref(asm, rax, answered)
        asm.bind(answered)
        asm.cmp(r13, self.constant(id(True)))
        asm.jne(self.original)
        if self.takes_more:
            self.emit_answer(ENTER_ANEW)
        else:
            asm.mov(rax, mem64(rbx, L.function_vectorcall))
            self.emit_leave_for(rax)
