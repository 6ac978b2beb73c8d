"""Keyword and default arguments, matched in machine code in front of an entry wrapper; and references to arguments."""

from types import CodeType

from asm import eax, ecx, edx, mem32, mem64, r8, r9, r10, r11, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp
from jit.machine.frames import emit_current_frame, emit_frame_slots
from jit.machine.refcounts import emit_decref, emit_incref
from jit.matching_all import MatchingAll
from platforms.cpython import symbols
from platforms.cpython.layout import layout
from platforms.cpython.opcodes import NULL_FIRST

L = layout()
#: Functions of more parameters have keyword and default arguments matched by CPython, and run interpreted then.
MATCHED_PARAMETERS = 16
#: In a wrapper's block, at [rsp] while a body runs: the array of arguments; those that the body takes over, one behind the other.
ARGUMENTS, TAKEN = 16, 24
#: What a comparison of texts keeps: an even number, so that the stack stays aligned.
_KEPT = (rax, rcx, rdx, rsi, rdi, r8, r9, r10)


class ArgumentMatching(MatchingAll):
    """The part of EntryEmitter that makes a full positional array of whatever was passed."""

    def emit_match(self, positional, untouched):
        """Keyword and default arguments: make the full positional array on the stack and enter with that.

        Anything unusual (unknown, repeated or missing arguments) is left to CPython with
        the arguments untouched, errors and their messages included. rdi, rsi, rdx, rcx stay as they came until then.
        """
        asm = self.asm
        code = self.code
        count = code.co_argcount
        names = code.co_varnames[:count]
        size = 8 * count + 16
        size += 8 if size % 16 == 0 else 0
        held, function = mem64(rsp, 8 * count), mem64(rsp, 8 * count + 8)
        fail = asm.label("unusual")
        asm.mov(rax, self.constant(id(self.record.code)))
        asm.cmp(mem64(rdi, L.function_code), rax)
        asm.jne(untouched)
        asm.sub(rsp, size)
        asm.lea(r8, mem64(rdx, 0, rdx, 1))
        asm.shr(r8, 1)
        asm.cmp(r8, count)
        asm.ja(fail)
        self.emit_place_positional(count)
        self.emit_match_names(names, fail)
        self.emit_match_defaults(count, held, fail)
        # This code dies with the function.
        asm.mov(function, rdi)
        emit_incref(asm, rdi, rax)
        asm.mov(rsi, rsp)
        asm.mov(edx, count)
        asm.xor(ecx, ecx)
        asm.call(positional)
        done, freed, last = asm.label("matched"), asm.label("freed"), asm.label("last_reference")
        asm.mov(rdi, held)
        asm.test(rdi, rdi)
        asm.jz(done)
        emit_decref(asm, rdi, freed)
        asm.bind(done)
        asm.mov(rdi, function)
        asm.add(rsp, size)
        emit_decref(asm, rdi, last)
        asm.ret()
        asm.bind(last)
        asm.jmp(self.routines.drop_last)
        asm.bind(freed)
        asm.call(self.routines.drop_last)
        asm.jmp(done)
        asm.bind(fail)
        asm.add(rsp, size)
        asm.jmp(untouched)

    def emit_match_names(self, names, fail, other_name=None):
        """Put each keyword argument in its parameter's place; names are compared by identity, then as texts: C code calls with names that are not
        interned (asyncio's tasks).

        Args:
            other_name: emits what is to be done with a name that is none of them, instead of comparing texts.
        """
        asm = self.asm
        loop, done, stored = asm.label("keyword"), asm.label("keywords_done"), asm.label("stored")
        places = {number: asm.label("place") for number in range(self.code.co_posonlyargcount, len(names))}
        asm.test(rcx, rcx)
        asm.jz(done)
        asm.xor(r9.r32, r9.r32)
        asm.lea(r8, mem64(rsi, 0, r8, 8))
        asm.bind(loop)
        asm.cmp(r9, mem64(rcx, L.tuple_size))
        asm.jae(done)
        asm.mov(rax, mem64(rcx, L.tuple_items, r9, 8))
        asm.mov(r10, mem64(r8, 0, r9, 8))
        for number, place in places.items():
            other = asm.label("other_name")
            asm.cmp(rax, self.constant(id(names[number])))
            asm.jne(other)
            asm.bind(place)
            asm.cmp(mem64(rsp, 8 * number), 0)
            asm.jne(fail)
            asm.mov(mem64(rsp, 8 * number), r10)
            asm.jmp(stored)
            asm.bind(other)
        if other_name is None:
            self._emit_compare_texts(names, places, fail)
        else:
            other_name(fail)
        asm.bind(stored)
        asm.add(r9, 1)
        asm.jmp(loop)
        asm.bind(done)

    def _emit_compare_texts(self, names, places, fail):
        """Go to the place of the parameter whose name has the text of rax, or to `fail`; the other registers stay as they are."""
        asm = self.asm
        compare = asm.label("compare_texts")
        asm.jmp(compare)
        with asm.cold():
            asm.bind(compare)
            asm.mov(r11, self.constant(id(str)))
            asm.cmp(mem64(rax, L.ob_type), r11)
            asm.jne(fail)
            for number, place in places.items():
                for register in _KEPT:
                    asm.push(register)
                asm.mov(rdi, rax)
                asm.mov(rsi, self.constant(id(names[number])))
                asm.call(self.constant(symbols.address("PyUnicode_Compare")))
                asm.test(eax, eax)
                for register in reversed(_KEPT):
                    asm.pop(register)
                asm.jz(place)
            asm.jmp(fail)

    def emit_match_defaults(self, count, held, fail):
        """Fill missing parameters from the function's present defaults, which are kept alive for the call."""
        asm = self.asm
        have, complete = asm.label("have_defaults"), asm.label("complete")
        asm.mov(r8, mem64(rdi, L.function_defaults))
        asm.mov(held, r8)
        asm.xor(r9.r32, r9.r32)
        asm.test(r8, r8)
        asm.jz(have)
        asm.mov(r9, mem64(r8, L.tuple_size))
        emit_incref(asm, r8, rax)
        asm.bind(have)
        missing = asm.label("missing")
        for number in range(count):
            given = asm.label("given")
            asm.cmp(mem64(rsp, 8 * number), 0)
            asm.jne(given)
            # Place among the defaults: number - count + their number.
            asm.lea(rax, mem64(r9, number - count))
            asm.test(rax, rax)
            asm.js(missing)
            asm.mov(rax, mem64(r8, L.tuple_items, rax, 8))
            asm.mov(mem64(rsp, 8 * number), rax)
            asm.bind(given)
        asm.jmp(complete)
        asm.bind(missing)
        asm.test(r8, r8)
        asm.jz(fail)
        emit_decref(asm, r8, fail)
        asm.jmp(fail)
        asm.bind(complete)

    def emit_take(self, taken):
        """Get the body references of its own to the arguments with these numbers, of the array at rbp; rax, rcx, rdx are lost.

        The interpreter calls with operands of its own, for the functions that it calls itself to take. C code may go on using its references.
        """
        asm = self.asm
        borrowed, done = asm.label("borrowed"), asm.label("have_references")
        for place, number in enumerate(taken):
            asm.mov(rax, mem64(rbp, 8 * number))
            asm.mov(mem64(rsp, TAKEN + 8 * place), rax)
        self.emit_operands_check(borrowed)
        asm.mov(rax, self.constant(id(None)))
        for number in taken:
            emit_incref(asm, rax, rcx)
            asm.mov(mem64(rbp, 8 * number), rax)
        asm.bind(done)
        with asm.cold():
            asm.bind(borrowed)
            for number in taken:
                asm.mov(rax, mem64(rbp, 8 * number))
                emit_incref(asm, rax, rcx)
            asm.jmp(done)

    def emit_operands_check(self, other):
        """Go to `other` unless the array at rbp is part of the current frame's operand stack, and is there for a call of the function rbx.

        C code that is called by the interpreter may hand its arguments on where they are (functools.partial); the operand below is what the
        interpreter calls.
        """
        asm, found = self.asm, self.asm.label("operands")
        emit_current_frame(asm, rdx, r15)
        asm.test(rdx, rdx)
        asm.jz(other)
        asm.mov(rcx, mem64(rdx, L.frame_code))
        asm.mov(rax, self.constant(id(CodeType)))  # an evaluation loop's own frame has None there (CPython 3.13)
        asm.cmp(mem64(rcx, L.ob_type), rax)
        asm.jne(other)
        emit_frame_slots(asm, rax, rcx)
        asm.lea(rax, mem64(rdx, 0, rax, 8))
        asm.cmp(rbp, rax)
        asm.jae(other)
        asm.mov(rax.r32, mem32(rcx, L.code_nlocalsplus))
        asm.lea(rax, mem64(rdx, L.frame_localsplus + 8, rax, 8))
        asm.cmp(rbp, rax)
        asm.jb(other)
        asm.cmp(mem64(rbp, -8), rbx)
        if NULL_FIRST:
            asm.jne(other)
            return
        asm.je(found)
        asm.cmp(mem64(rbp, -8), 0)
        asm.jne(other)
        asm.cmp(mem64(rbp, -16), rbx)
        asm.jne(other)
        asm.bind(found)

    def emit_give_back(self, held, taken, left):
        """Drop the arguments with these numbers, of the array whose address is at [rsp + ARGUMENTS]; from `left` on if the body has left.

        C code may call with references of others, which go when foreign code makes them: an iterator that ends by itself.
        Where the whole call is to be interpreted, those `taken` go back to where they came from.
        """
        asm = self.asm
        ended = asm.label("ended")
        asm.bind(ended)
        for number in held:
            freed, dropped = asm.label("freed_argument"), asm.label("dropped_argument")
            asm.mov(rdi, mem64(rsp, ARGUMENTS))
            asm.mov(rdi, mem64(rdi, 8 * number))
            emit_decref(asm, rdi, freed)
            asm.bind(dropped)
            with asm.cold():
                asm.bind(freed)
                asm.call(self.routines.drop_last)
                asm.jmp(dropped)
        with asm.cold():
            asm.bind(left)
            asm.cmp(edx, 2)
            asm.jne(ended)
            asm.mov(rcx, mem64(rsp, ARGUMENTS))
            for place, number in enumerate(taken):
                asm.mov(rax, mem64(rsp, TAKEN + 8 * place))
                asm.xchg(rax, mem64(rcx, 8 * number))
                self._emit_decref_held(rax)  # the argument, or None that took its place
            for number in held:
                asm.mov(rax, mem64(rcx, 8 * number))
                self._emit_decref_held(rax)
            asm.jmp(self.left)

    def _emit_decref_held(self, register):
        """Drop a reference that is not the last."""
        held = self.asm.label("held")
        emit_decref(self.asm, register, held)
        self.asm.bind(held)
