"""Compiled code as a C function: for teaching, for embedding, and for C code that calls back with the GIL held.

Problem: a body has conventions of its own (jit/entries.py) and stands only while what it relied on does.
Idea: a wrapper per version, between System V's conventions and the body's. Where the version does not hold any more, it
boxes the arguments and calls the function object; an argument that is not of its type raises.

The wrapper returns 0 where it leaves an exception set, and at once where one is set already: C code that calls back again
and again does not know. A ctypes PYFUNCTYPE object raises it when the C code has returned. It does not look whether
somebody traces: a native function may run compiled code under a debugger.
"""

import ctypes

from asm import (Assembler, eax, ecx, edx, mem32, mem64, r8, r9, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp, xmm0)
from jit import perfmap, types
from jit.api import available
from jit.decode import takes_more
from jit.entries import BLOCK, PUSHED, Entry, EntryEmitter
from jit.errors import Unsupported
from jit.machine import arena, records, routines
from jit.machine.refcounts import emit_decref, emit_incref
from jit.machine.stack import emit_stack_budget
from jit.templates.calls import argument_registers
from platforms import pages
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
_C_TYPES = {types.INT: ctypes.c_int64, types.FLOAT: ctypes.c_double, types.BOOL: ctypes.c_bool}
_UNBOXING = {types.INT: "PyLong_AsLongLong", types.FLOAT: "PyFloat_AsDouble", types.BOOL: "PyObject_IsTrue"}
_BOXING = {types.INT: "PyLong_FromLongLong", types.FLOAT: "PyFloat_FromDouble", types.BOOL: "PyBool_FromLong"}
_C_INTEGERS = (rdi, rsi, rdx, rcx, r8, r9)
# Above the block of all wrappers: the arguments as they came, six integers and eight doubles.
_INTEGERS, _FLOATS = BLOCK, BLOCK + 48
_FRAME = BLOCK + 112
#: Room in the block that a body does not use: the result while its object is let go.
_RESULT = 8


def native(function, argument_types):
    """See `jit.native`."""
    if not available():
        raise Unsupported(available().reason)
    from jit.arguments import type_of_kind
    for kind in argument_types:
        if not isinstance(kind, type):
            raise TypeError(f"argument types are classes such as int, float, bool or list, not {kind!r}")
    code = compiled_version(function, tuple(map(type_of_kind, argument_types)))
    wrapper = _NativeEmitter(function, code).made()
    result = _C_TYPES.get(code.result, ctypes.py_object)
    made = pages.prototype(result, *[_C_TYPES.get(kind, ctypes.py_object) for kind in code.types])(wrapper.address)
    made.wrapper = wrapper
    return made


def compiled_version(function, kinds, shapes=None):
    """The function's version for these argument types; compiled if there is none that holds.

    Args:
        kinds: tuple of Type. shapes: what the arguments' items probably are, Shape or None for each.

    Raises:
        Unsupported: it is not compiled. TypeError: the function takes another number of arguments.
    """
    from jit.attention import holds
    from jit.dispatch import COMPILER, VERSION_LIMIT
    count = function.__code__.co_argcount
    if takes_more(function.__code__):
        raise Unsupported("C passes neither keyword-only arguments nor *args and **kwargs")
    if sum(kind is not types.FLOAT for kind in kinds) > len(_C_INTEGERS):
        raise Unsupported("too many arguments")
    if len(kinds) != count:
        raise TypeError(f"{function.__qualname__} takes {count} argument{'s' if count != 1 else ''}, not {len(kinds)}")
    with COMPILER.lock:
        record = COMPILER.register(function)
        if function.__code__ is not record.code:
            COMPILER.code_replaced(record, function)
        if record.reason is not None:
            raise Unsupported(record.reason)
        code = record.version_for(kinds)
        if code is not None and not holds(code, function):
            COMPILER.note_unstable(record, code)
            COMPILER.discard(record, code)
            code = None
        if code is None:
            code = COMPILER.compile(record, function, kinds, shapes or [None] * count)
            if len(record.versions) < VERSION_LIMIT:
                record.refused.pop(kinds, None)
                COMPILER.add_version(record, code)
                COMPILER.install(record, function)
        return code


def _attention_handler(function, code):
    """What a wrapper calls where its version asks for attention: returns whether the version can go on.

    Exits are learnt from as usual, for calls that come from the interpreter; the native function stays at its version.
    """

    def attend():
        from jit.attention import holds
        from jit.dispatch import COMPILER
        with COMPILER.lock:
            if function.__code__ is not code_object or not holds(code, function):
                return False
            record = COMPILER.register(function)
            if COMPILER.attend(record)[1]:
                COMPILER.install(record, function)
            state = records.read_version(code.version_record)
            records.set_exit_limit(code.version_record, max(64, state.pressure * 8))
            records.clear_attention(code.version_record)
            return True

    code_object = function.__code__
    return attend


class _NativeEmitter(EntryEmitter):
    """Emits the wrapper of one version. rbx, rbp: free; r15: thread state."""

    def __init__(self, function, code):
        self.asm = asm = Assembler(comments=False)
        self.function = function
        self.version = code
        self.routines = routines()
        self.keep = [function, _attention_handler(function, code)]
        # A vector of boxed arguments behind a word that the callee may use (PEP 590), rounded to whole alignments of the stack.
        self.frame = _FRAME + (8 + 8 * len(code.types) + 15) // 16 * 16
        self.miss, self.out, self.failed = asm.label("miss"), asm.label("out"), asm.label("failed")

    def made(self):
        """The wrapper in the arena: an Entry, which keeps all it needs alive."""
        self.emit()
        asm = self.asm
        block = arena().allocate_code(asm.size_bound())
        text = asm.finish(block)
        arena().write_code(block, text)
        perfmap.note(block, len(text), f"jit::native entry of {self.function.__qualname__}")
        return Entry(block, [self.version], self.keep)

    def emit(self):
        asm, code = self.asm, self.version
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, self.frame)
        self.emit_save_arguments()
        self.emit_thread_state()
        self.call_symbol("PyErr_Occurred")
        asm.test(rax, rax)
        asm.jnz(self.failed)
        emit_stack_budget(asm, self.failed)
        self.emit_holds()
        self.emit_load_arguments()
        asm.add(relative(code.version_record + records.CALLS), 1)
        asm.call(code.address)
        asm.marker(None)
        asm.mov(ecx, mem32(rsp, 0))
        asm.add(ecx, r14d)
        asm.mov(mem32(r15, L.thread_recursion_remaining), ecx)
        asm.test(edx, edx)
        boxed, called = asm.label("boxed"), asm.label("called")
        asm.jnz(boxed)
        asm.bind(self.out)
        asm.add(rsp, self.frame)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        asm.bind(boxed)
        asm.cmp(edx, 2)
        asm.jne(called)
        for number, _, _, place in self.arguments():
            if number in code.taken:
                held = asm.label("caller_holds_it")
                asm.mov(rax, place)
                emit_decref(asm, rax, held)
                asm.bind(held)
        asm.bind(self.miss)
        self.emit_call_function()
        asm.bind(called)
        self.emit_unbox_result()
        asm.bind(self.failed)
        asm.xor(eax, eax)
        asm.pxor(xmm0, xmm0)
        asm.jmp(self.out)

    def arguments(self):
        """(number, Type, register of the body, where it was saved) for each argument."""
        integers = iter(range(_INTEGERS, _FLOATS, 8))
        floats = iter(range(_FLOATS, _FRAME, 8))
        for number, (kind, register) in enumerate(zip(self.version.types, argument_registers(self.version.types))):
            yield number, kind, register, mem64(rsp, next(floats if kind is types.FLOAT else integers))

    def emit_save_arguments(self):
        """Where C passes doubles, bodies expect them; integers and pointers come in other registers."""
        integers = iter(_C_INTEGERS)
        for _, kind, register, place in self.arguments():
            if kind is types.FLOAT:
                self.asm.movsd(place, register)
            else:
                self.asm.mov(place, next(integers))

    def emit_load_arguments(self):
        asm = self.asm
        for number, kind, register, place in self.arguments():
            if kind is types.FLOAT:
                asm.movsd(register, place)
                continue
            asm.mov(register, place)
            if kind is types.BOOL:
                asm.and_(register.r32, 1)
            elif kind.python is not None and not kind.unboxed:
                self.emit_type_guard(number, kind, register)
        for number, _, _, place in self.arguments():
            if number in self.version.taken:
                asm.mov(rax, place)
                emit_incref(asm, rax, rcx)

    def emit_type_guard(self, number, kind, register):
        asm = self.asm
        wrong = asm.label("wrong_type")
        asm.mov(rax, self.constant(id(kind.python)))
        asm.cmp(mem64(register, L.ob_type), rax)
        asm.jne(wrong)
        with asm.cold():
            asm.bind(wrong)
            self.emit_raise("PyExc_TypeError", f"argument {number + 1} must be exactly of type {kind.name}")
            asm.jmp(self.failed)

    def emit_holds(self):
        """The function has the code that was compiled, what the version relies on is as it was, and it needs no attention."""
        asm, start = self.asm, self.asm.label("words")
        asm.mov(rcx, self.constant(id(self.function)))
        asm.mov(rax, self.constant(id(self.function.__code__)))
        asm.cmp(mem64(rcx, L.function_code), rax)
        asm.jne(self.miss)
        asm.bind(start)
        self.emit_words(self.version, start)
        attention = asm.label("attention")
        asm.cmp(relative(self.version.version_record + records.ATTENTION), 0)
        asm.jne(attention)
        with asm.cold():
            asm.bind(attention)
            asm.mov(rdi, self.constant(id(self.keep[1])))
            self.call_symbol("PyObject_CallNoArgs")
            asm.test(rax, rax)
            asm.jz(self.failed)
            asm.mov(rbx, rax)
            asm.mov(rdi, rax)
            self.call_symbol("Py_DecRef")
            asm.cmp(rbx, self.constant(id(True)))
            asm.je(start)
            asm.jmp(self.miss)

    def emit_call_function(self):
        """rax = result of the function object, called as Python calls it, or NULL."""
        asm, count = self.asm, len(self.version.types)
        vector, unmade = _FRAME + 8, asm.label("no_argument")
        asm.xor(eax, eax)
        for number in range(count):
            asm.mov(mem64(rsp, vector + 8 * number), rax)
        for number, kind, _, place in self.arguments():
            if kind is types.FLOAT:
                asm.movsd(xmm0, place)
            else:
                asm.mov(rdi, place)
            self.call_symbol(_BOXING.get(kind, "Py_NewRef"))
            asm.mov(mem64(rsp, vector + 8 * number), rax)
            asm.test(rax, rax)
            asm.jz(unmade)
        asm.mov(rdi, self.constant(id(self.function)))
        asm.lea(rsi, mem64(rsp, vector))
        asm.mov(rdx, count | 1 << 63)
        asm.xor(ecx, ecx)
        self.call_symbol("PyObject_Vectorcall")
        asm.bind(unmade)
        asm.mov(rbx, rax)
        for number in range(count):
            asm.mov(rdi, mem64(rsp, vector + 8 * number))
            self.call_symbol("Py_DecRef")
        asm.mov(rax, rbx)

    def emit_unbox_result(self):
        """rax = the interpreter's result or NULL: turn it into the C result by the C-API, which raises what does not fit."""
        asm, result = self.asm, self.version.result
        asm.test(rax, rax)
        asm.jz(self.failed)
        if not result.unboxed:
            asm.jmp(self.out)
            return
        asm.mov(rbx, rax)
        asm.mov(rdi, rax)
        self.call_symbol(_UNBOXING[result])
        asm.mov(rbp, rax)
        asm.movsd(mem64(rsp, _RESULT), xmm0)
        asm.mov(rdi, rbx)
        self.call_symbol("Py_DecRef")
        asm.mov(rax, rbp)
        asm.movsd(xmm0, mem64(rsp, _RESULT))
        asm.jmp(self.out)

    def emit_raise(self, exception, message):
        asm = self.asm
        text = ctypes.create_string_buffer(message.encode())
        self.keep.append(text)
        asm.mov(rax, self.constant(symbols.address(exception)))
        asm.mov(rdi, mem64(rax, 0))
        asm.mov(rsi, self.constant(ctypes.addressof(text)))
        self.call_symbol("PyErr_SetString")

    def call_symbol(self, name):
        self.asm.call(self.constant(symbols.address(name)))
