"""Keyword-only parameters, *args and **kwargs, matched in machine code in front of an entry wrapper.

The array of a call is made as for other functions (jit/matching.py), and behind the positional arguments stand the keyword-only ones, the tuple and
the dictionary. Unlike there, CPython could not make the call from that array: the arguments as they came are kept beside it.
Source: CPython Python/ceval.c (initialize_locals).
"""

from asm import eax, edx, mem64, r8, r9, r10, rax, rcx, rdi, rdx, relative, rsi, rsp
from jit.decode import VARARGS, VARKEYWORDS, parameter_count
from jit.machine.refcounts import emit_decref, emit_incref
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
#: What the wrapper gives back in the place of a result: the call is to be made by CPython, or to enter the function anew.
INTERPRET, ENTER_ANEW = 1, 2
#: What is kept behind the array: the call as it came, the defaults, a counter, the result, defaults of keyword-only parameters.
_FUNCTION, _ARGUMENTS, _NUMBER, _NAMES, _HELD, _PLACE, _RESULT, _KEYWORD_DEFAULTS = range(8)


class Matching:
    """The frame of one call: `slot(number)` of the array, `kept(place)`."""

    def __init__(self, code):
        self.code = code
        self.count = parameter_count(code)
        self.named = code.co_argcount + code.co_kwonlyargcount
        self.tuple = self.named if code.co_flags & VARARGS else None
        self.dictionary = self.count - 1 if code.co_flags & VARKEYWORDS else None
        self.size = 8 * (self.count + _KEYWORD_DEFAULTS + code.co_kwonlyargcount)
        self.size += 8 if self.size % 16 == 0 else 0

    def slot(self, number):
        return mem64(rsp, 8 * number)

    def kept(self, place):
        return mem64(rsp, 8 * (self.count + place))

    def keyword_default(self, number):
        """Where the default of a keyword-only parameter is held, or 0."""
        return self.kept(_KEYWORD_DEFAULTS + number - self.code.co_argcount)

    def owned(self):
        """Places whose references are the call's own; empty ones are 0."""
        yield from map(self.keyword_default, range(self.code.co_argcount, self.named))
        yield from map(self.slot, range(self.named, self.count))
        yield self.kept(_HELD)


class MatchingAll:
    """The part of EntryEmitter for such functions."""

    def emit_match_all(self, positional, untouched):
        """rdi, rsi, rdx, rcx as PEP 590 has them."""
        asm = self.asm
        frame = self.frame = Matching(self.code)
        fail, no_memory, let_go = asm.label("unusual"), asm.label("no_memory"), asm.label("let_go")
        asm.mov(rax, self.constant(id(self.record.code)))
        asm.cmp(mem64(rdi, L.function_code), rax)
        asm.jne(untouched)
        asm.sub(rsp, frame.size)
        for place, register in ((_FUNCTION, rdi), (_ARGUMENTS, rsi), (_NUMBER, rdx), (_NAMES, rcx)):
            asm.mov(frame.kept(place), register)
        self._emit_positional(fail)
        self.emit_match_names(self.code.co_varnames[:frame.named], fail, self._emit_other_name if frame.dictionary is not None else None)
        self._emit_keyword_defaults(fail)
        asm.mov(rdi, frame.kept(_FUNCTION))
        self.emit_match_defaults(self.code.co_argcount, frame.kept(_HELD), fail)
        for number in range(self.code.co_argcount, frame.named):
            self._emit_hold(frame.keyword_default(number))
        self._emit_hold(frame.kept(_FUNCTION))
        if frame.tuple is not None:
            self._emit_tuple(no_memory)
        if frame.dictionary is not None:
            self._emit_dictionary(no_memory)
        asm.mov(rsi, rsp)
        asm.mov(rdi, frame.kept(_FUNCTION))
        asm.mov(edx, frame.count)
        asm.call(positional)
        asm.bind(let_go)
        asm.mov(frame.kept(_RESULT), rax)
        self._emit_let_go()
        self._emit_end(untouched)
        asm.bind(no_memory)
        asm.xor(eax, eax)
        asm.jmp(let_go)
        asm.bind(fail)
        self._emit_reload()
        asm.jmp(untouched)

    def _emit_hold(self, place):
        """Take a reference to what is in a place, if anything is. The wrapper's code dies with the function: it is needed to the end."""
        asm = self.asm
        empty = asm.label("empty")
        asm.mov(rax, place)
        asm.test(rax, rax)
        asm.jz(empty)
        emit_incref(asm, rax, rcx)
        asm.bind(empty)

    def _emit_reload(self):
        """The call as it came."""
        for place, register in ((_FUNCTION, rdi), (_ARGUMENTS, rsi), (_NUMBER, rdx), (_NAMES, rcx)):
            self.asm.mov(register, self.frame.kept(place))
        self.asm.add(rsp, self.frame.size)

    def _emit_positional(self, fail):
        """Positional arguments in their places, 0 in all others; r8 = their number."""
        asm, frame, count = self.asm, self.frame, self.code.co_argcount
        asm.lea(r8, mem64(rdx, 0, rdx, 1))
        asm.shr(r8, 1)
        if frame.tuple is None:
            asm.cmp(r8, count)
            asm.ja(fail)
        asm.xor(r9.r32, r9.r32)
        self.emit_place_positional(count)
        for number in range(count, frame.count):
            asm.mov(frame.slot(number), r9)
        for number in range(count, frame.named):
            asm.mov(frame.keyword_default(number), r9)

    def emit_place_positional(self, count):
        """The first `count` slots of the array at rsp: the arguments at rsi, of which there are r8, and 0 for those that are missing."""
        asm = self.asm
        for number in range(count):
            absent = asm.label("absent")
            asm.xor(eax, eax)
            asm.cmp(r8, number)
            asm.jbe(absent)
            asm.mov(rax, mem64(rsi, 8 * number))
            asm.bind(absent)
            asm.mov(mem64(rsp, 8 * number), rax)

    def _emit_other_name(self, fail):
        """rax = the name of a keyword argument that is no parameter's object. It goes into the dictionary, unless it is equal to a parameter's.

        Names of the same hash are left to CPython. Positional-only parameters may have the name as well.
        """
        asm = self.asm
        asm.mov(rdx, self.constant(id(str)))
        asm.cmp(mem64(rax, L.ob_type), rdx)
        asm.jne(fail)
        asm.mov(rax, mem64(rax, L.unicode_hash))
        asm.cmp(rax, -1)
        asm.je(fail)
        for name in self.code.co_varnames[self.code.co_posonlyargcount:self.frame.named]:
            asm.cmp(rax, self.constant(hash(name)))
            asm.je(fail)

    def _emit_keyword_defaults(self, fail):
        """What is missing of keyword-only arguments, from the dictionary of their defaults."""
        asm, frame = self.asm, self.frame
        if not self.code.co_kwonlyargcount:
            return
        for number in range(self.code.co_argcount, frame.named):
            given = asm.label("given")
            asm.cmp(frame.slot(number), 0)
            asm.jne(given)
            asm.mov(rdi, frame.kept(_FUNCTION))
            asm.mov(rdi, mem64(rdi, L.function_kwdefaults))
            asm.test(rdi, rdi)
            asm.jz(fail)
            asm.mov(rax, self.constant(id(dict)))
            asm.cmp(mem64(rdi, L.ob_type), rax)
            asm.jne(fail)
            asm.mov(rsi, self.constant(id(self.code.co_varnames[number])))
            asm.call(self.routines.find_text)
            asm.cmp(rax, 1)
            asm.jbe(fail)
            asm.mov(rax, mem64(rax, 0))
            asm.mov(frame.slot(number), rax)
            asm.mov(frame.keyword_default(number), rax)
            asm.bind(given)

    def _emit_tuple(self, no_memory):
        """The positional arguments beyond the parameters."""
        asm, frame, count = self.asm, self.frame, self.code.co_argcount
        some, loop, done = asm.label("some"), asm.label("item"), asm.label("have_tuple")
        asm.mov(rdi, frame.kept(_NUMBER))
        asm.shl(rdi, 1)
        asm.shr(rdi, 1)
        asm.sub(rdi, count)
        asm.jns(some)
        asm.xor(rdi.r32, rdi.r32)
        asm.bind(some)
        asm.mov(frame.kept(_PLACE), rdi)
        self._emit_call("PyTuple_New")
        asm.test(rax, rax)
        asm.jz(no_memory)
        asm.mov(frame.slot(frame.tuple), rax)
        asm.mov(r8, frame.kept(_ARGUMENTS))
        asm.mov(r9, frame.kept(_PLACE))
        asm.bind(loop)
        asm.sub(r9, 1)
        asm.js(done)
        asm.mov(r10, mem64(r8, 8 * count, r9, 8))
        emit_incref(asm, r10, rcx)
        asm.mov(mem64(rax, L.tuple_items, r9, 8), r10)
        asm.jmp(loop)
        asm.bind(done)

    def _emit_dictionary(self, no_memory):
        """The keyword arguments that are no parameters', in their order."""
        asm, frame = self.asm, self.frame
        loop, following, done = asm.label("keyword"), asm.label("following"), asm.label("have_dictionary")
        self._emit_call("PyDict_New")
        asm.test(rax, rax)
        asm.jz(no_memory)
        asm.mov(frame.slot(frame.dictionary), rax)
        asm.xor(r9.r32, r9.r32)
        asm.mov(frame.kept(_PLACE), r9)
        asm.bind(loop)
        asm.mov(r9, frame.kept(_PLACE))
        asm.mov(rcx, frame.kept(_NAMES))
        asm.test(rcx, rcx)
        asm.jz(done)
        asm.cmp(r9, mem64(rcx, L.tuple_size))
        asm.jae(done)
        asm.mov(rsi, mem64(rcx, L.tuple_items, r9, 8))
        for name in self.code.co_varnames[self.code.co_posonlyargcount:frame.named]:
            asm.cmp(rsi, self.constant(id(name)))
            asm.je(following)
        asm.mov(rax, frame.kept(_NUMBER))
        asm.shl(rax, 1)
        asm.shr(rax, 1)
        asm.add(rax, r9)
        asm.mov(rdx, frame.kept(_ARGUMENTS))
        asm.mov(rdx, mem64(rdx, 0, rax, 8))
        asm.mov(rdi, frame.slot(frame.dictionary))
        self._emit_call("PyDict_SetItem")
        asm.test(eax, eax)
        asm.js(no_memory)
        asm.bind(following)
        asm.add(frame.kept(_PLACE), 1)
        asm.jmp(loop)
        asm.bind(done)

    def _emit_call(self, name):
        self.asm.call(relative(self.asm.constant(symbols.address(name))))

    def _emit_let_go(self):
        """Drop the references that the call held; slots may be empty where memory ran out."""
        asm, frame = self.asm, self.frame
        for place in frame.owned():
            freed, dropped = asm.label("freed"), asm.label("dropped")
            asm.mov(rdi, place)
            asm.test(rdi, rdi)
            asm.jz(dropped)
            emit_decref(asm, rdi, freed)
            asm.jmp(dropped)
            asm.bind(freed)
            asm.call(self.routines.drop_last)
            asm.bind(dropped)

    def _emit_end(self, untouched):
        """Return the result, or make the call as it came where the wrapper says so."""
        asm, frame = self.asm, self.frame
        again, last, reload = asm.label("as_it_came"), asm.label("last_reference"), asm.label("reload")
        asm.mov(rax, frame.kept(_RESULT))
        asm.mov(rdi, frame.kept(_FUNCTION))
        asm.lea(rdx, mem64(rax, -1))
        asm.cmp(rdx, ENTER_ANEW)
        asm.jb(again)
        asm.add(rsp, frame.size)
        emit_decref(asm, rdi, last)
        asm.ret()
        asm.bind(last)
        asm.jmp(self.routines.drop_last)
        asm.bind(again)
        # The caller's reference stands.
        emit_decref(asm, rdi, reload)
        asm.bind(reload)
        self._emit_reload()
        asm.cmp(rax, INTERPRET)
        asm.je(untouched)
        asm.jmp(mem64(rdi, L.function_vectorcall))
