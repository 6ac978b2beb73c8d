"""Keyword and default arguments, matched in machine code in front of an entry wrapper; and references to arguments."""

from asm import ecx, edx, mem64, r8, r9, r10, rax, rcx, rdi, rdx, rsi, rsp
from jit.machine.refcounts import emit_decref, emit_incref
from jit.matching_all import MatchingAll
from platforms.cpython.layout import layout

L = layout()
#: Functions of more parameters have keyword and default arguments matched by CPython, and run interpreted then.
MATCHED_PARAMETERS = 16


class ArgumentMatching(MatchingAll):
    """The part of EntryEmitter that makes a full positional array of whatever was passed."""

    def emit_match(self, positional, untouched):
        """Keyword and default arguments: make the full positional array on the stack and enter with that.

        Anything unusual (unknown, repeated or missing arguments, names that are not interned) is left to CPython with
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
        """Put each keyword argument in its parameter's place; names are compared by identity.

        Args:
            other_name: emits what is to be done with a name that is none of them, instead of failing.
        """
        asm = self.asm
        loop, done, stored = asm.label("keyword"), asm.label("keywords_done"), asm.label("stored")
        asm.test(rcx, rcx)
        asm.jz(done)
        asm.xor(r9.r32, r9.r32)
        asm.lea(r8, mem64(rsi, 0, r8, 8))
        asm.bind(loop)
        asm.cmp(r9, mem64(rcx, L.tuple_size))
        asm.jae(done)
        asm.mov(rax, mem64(rcx, L.tuple_items, r9, 8))
        asm.mov(r10, mem64(r8, 0, r9, 8))
        for number in range(self.code.co_posonlyargcount, len(names)):
            other = asm.label("other_name")
            asm.cmp(rax, self.constant(id(names[number])))
            asm.jne(other)
            asm.cmp(mem64(rsp, 8 * number), 0)
            asm.jne(fail)
            asm.mov(mem64(rsp, 8 * number), r10)
            asm.jmp(stored)
            asm.bind(other)
        if other_name is None:
            asm.jmp(fail)
        else:
            other_name(fail)
        asm.bind(stored)
        asm.add(r9, 1)
        asm.jmp(loop)
        asm.bind(done)

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

    def emit_give_back(self, held, left, place):
        """Drop the arguments with these numbers, of the array whose address is at [rsp + place]; from `left` on if the body has left.

        C code may call with references of others, which go when foreign code makes them: an iterator that ends by itself.
        """
        asm = self.asm
        ended = asm.label("ended")
        asm.bind(ended)
        for number in held:
            freed, dropped = asm.label("freed_argument"), asm.label("dropped_argument")
            asm.mov(rdi, mem64(rsp, place))
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
            for number in held:
                going_on = asm.label("caller_holds_it")
                asm.mov(rdi, mem64(rsp, place))
                asm.mov(rdi, mem64(rdi, 8 * number))
                emit_decref(asm, rdi, going_on)
                asm.bind(going_on)
            asm.jmp(self.left)
