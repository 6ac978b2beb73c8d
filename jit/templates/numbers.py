"""Arithmetic and comparison on int64 and 0/1.

Ints leave on overflow (the interpreter then makes the big integer), on division by zero and on negative shift counts.
Rounding and signs are Python's: Objects/longobject.c. Doubles: floats.py.
"""

from asm import al, cl, eax, edx, mem64, rax, rcx, rdx
from jit.template import template

#: Conditions of a signed comparison.
SIGNED = {"<": "l", "<=": "le", "==": "e", "!=": "ne", ">": "g", ">=": "ge"}


@template("BINARY_OP +", "left: int, right: int -- sum: int")
def add_overflow(asm, left, right, sum, exit):
    """A sum that needs more than 64 bits is left to the interpreter."""
    asm.mov(sum, left)
    asm.add(sum, right)
    asm.jo(exit)


@template("BINARY_OP -", "left: int, right: int -- difference: int")
def subtract_overflow(asm, left, right, difference, exit):
    asm.mov(difference, left)
    asm.sub(difference, right)
    asm.jo(exit)


@template("BINARY_OP *", "left: int, right: int -- product: int")
def multiply_overflow(asm, left, right, product, exit):
    if isinstance(left, int):
        left, right = right, left
    if isinstance(right, int):
        asm.imul(product, left, right)
    else:
        asm.mov(product, left)
        asm.imul(product, right)
    asm.jo(exit)


def _bitwise(mnemonic):
    def emit(asm, left, right, result):
        if result is right:
            left, right = right, left
        asm.mov(result, left)
        asm.emit(mnemonic, result, right)
    emit.__name__ = f"bitwise_{mnemonic}"
    return emit


for _symbol, _mnemonic in (("&", "and"), ("|", "or"), ("^", "xor")):
    template(f"BINARY_OP {_symbol}", "left: bool, right: bool -- result: bool")(_bitwise(_mnemonic))
    template(f"BINARY_OP {_symbol}", "left: int, right: int -- result: int")(_bitwise(_mnemonic))


def _divide(asm, left, right, exit):
    """rax, rdx = truncated quotient, remainder of left / rcx = right; leaves where idiv would trap."""
    asm.mov(rcx, right)
    if not isinstance(right, int):
        asm.test(rcx, rcx)
        asm.jz(exit)
        asm.cmp(rcx, -1)
        asm.je(exit)
    asm.mov(rax, left)
    asm.cqo()
    asm.idiv(rcx)


def _power_of_two(value):
    return isinstance(value, int) and value > 0 and value & value - 1 == 0


@template("BINARY_OP //", "left: int, right: int -- quotient: int")
def floor_divide_by_zero(asm, left, right, quotient, exit):
    """Rounds towards minus infinity: one less than idiv's quotient if the remainder has the other sign than the divisor."""
    if _power_of_two(right):
        asm.mov(quotient, left)
        if right > 1:
            asm.sar(quotient, right.bit_length() - 1)
        return
    if right == 0 or right == -1:
        asm.jmp(exit)
        return
    _divide(asm, left, right, exit)
    if isinstance(right, int) and right > 0:
        asm.sar(rdx, 63)
        asm.add(rax, rdx)
    else:
        done = asm.label("done")
        asm.test(rdx, rdx)
        asm.jz(done)
        asm.xor(rdx, rcx)
        asm.jns(done)
        asm.dec(rax)
        asm.bind(done)
    asm.mov(quotient, rax)


@template("BINARY_OP %", "left: int, right: int -- remainder: int")
def modulo_by_zero(asm, left, right, remainder, exit):
    """The remainder has the divisor's sign."""
    if _power_of_two(right):
        asm.mov(remainder, left)
        asm.and_(remainder, right - 1)
        return
    if right == 0 or right == -1:
        asm.jmp(exit)
        return
    _divide(asm, left, right, exit)
    if isinstance(right, int) and right > 0:
        asm.mov(rax, rdx)
        asm.sar(rax, 63)
        asm.and_(rax, rcx)
        asm.add(rdx, rax)
    else:
        done = asm.label("done")
        asm.test(rdx, rdx)
        asm.jz(done)
        asm.mov(rax, rdx)
        asm.xor(rax, rcx)
        asm.jns(done)
        asm.add(rdx, rcx)
        asm.bind(done)
    asm.mov(remainder, rdx)


@template("bit_length", "value: int -- length: int")
def bit_length(asm, value, length):
    """Of the absolute value: that of -2**63 is 2**63 as an unsigned number."""
    asm.mov(rax, value)
    asm.mov(rcx, rax)
    asm.neg(rcx)
    asm.cmovs(rcx, rax)
    asm.mov(rax, -1)
    asm.bsr(rcx, rcx)
    asm.cmove(rcx, rax)
    asm.lea(length, mem64(rcx, 1))


@template("BINARY_OP <<", "left: int, right: int -- result: int")
def shift_left_overflow(asm, left, right, result, exit):
    """Leaves unless shifting back gives the same number."""
    if isinstance(right, int):
        if not 0 <= right < 63:
            asm.jmp(exit)
            return
        asm.mov(result, left)
        asm.shl(result, right)
        asm.mov(rax, result)
        asm.sar(rax, right)
    else:
        asm.mov(rcx, right)
        asm.cmp(rcx, 63)
        asm.jae(exit)
        asm.mov(result, left)
        asm.shl(result, cl)
        asm.mov(rax, result)
        asm.sar(rax, cl)
    asm.cmp(rax, left)
    asm.jne(exit)


@template("BINARY_OP >>", "left: int, right: int -- result: int")
def shift_right_negative(asm, left, right, result, exit):
    if isinstance(right, int):
        if right < 0:
            asm.jmp(exit)
            return
        asm.mov(result, left)
        asm.sar(result, min(right, 63))
        return
    asm.mov(rcx, right)
    asm.test(rcx, rcx)
    asm.js(exit)
    asm.mov(eax, 63)
    asm.cmp(rcx, rax)
    asm.cmova(rcx, rax)
    asm.mov(result, left)
    asm.sar(result, cl)


@template("BINARY_OP **", "base: int, exponent: int -- power: int")
def power_overflow(asm, base, exponent, power, exit):
    """Binary exponentiation; a negative exponent (a float result) or an overflow leaves."""
    loop, skip, done = asm.label("square"), asm.label("skip"), asm.label("done")
    asm.mov(rcx, exponent)
    asm.test(rcx, rcx)
    asm.js(exit)
    asm.mov(rax, base)
    asm.mov(edx, 1)
    asm.bind(loop)
    asm.test(cl, 1)
    asm.jz(skip)
    asm.imul(rdx, rax)
    asm.jo(exit)
    asm.bind(skip)
    asm.shr(rcx, 1)
    asm.jz(done)
    asm.imul(rax, rax)
    asm.jo(exit)
    asm.jmp(loop)
    asm.bind(done)
    asm.mov(power, rdx)


@template("abs", "x: int -- result: int")
def abs_overflow(asm, x, result, exit):
    asm.mov(rax, x)
    asm.cqo()
    asm.xor(rax, rdx)
    asm.sub(rax, rdx)
    asm.jo(exit)
    asm.mov(result, rax)


def _integer_extreme(condition):
    def emit(asm, left, right, result):
        asm.mov(rax, left)
        asm.mov(rcx, right)
        asm.cmp(rcx, rax)
        asm.cmovcc(condition, rax, rcx)
        asm.mov(result, rax)
    return emit


for _name, _condition in (("min", "l"), ("max", "g")):
    _emit = _integer_extreme(_condition)
    _emit.__name__ = f"integer_{_name}"
    template(_name, "left: int, right: int -- result: int")(_emit)


@template("UNARY_NEGATIVE", "x: int -- result: int")
def negate_overflow(asm, x, result, exit):
    asm.mov(result, x)
    asm.neg(result)
    asm.jo(exit)


@template("UNARY_INVERT", "x: int -- result: int")
def invert(asm, x, result):
    asm.mov(result, x)
    asm.not_(result)


@template("bool_to_int", "x: bool -- result: int")
def bool_to_int(asm, x, result):
    asm.mov(result, x)


@template("not", "x: bool -- result: bool")
def negation(asm, x, result):
    asm.mov(result, x)
    asm.xor(result, 1)


@template("truth", "x: int -- result: bool")
def int_truth(asm, x, result):
    asm.xor(eax, eax)
    asm.cmp(x, 0)
    asm.setne(al)
    asm.mov(result, rax)


@template("COMPARE_OP", "left: int, right: int -- result: bool")
def compare_ints(asm, left, right, result, detail, emitter):
    condition = emitter.compare(left, right, SIGNED[detail], detail)
    asm.setcc(condition, al)
    asm.movzx(eax, al)
    asm.mov(result, rax)


@template("branch_compare", "left: int, right: int --", terminator=True)
def branch_on_ints(left, right, detail, emitter):
    emitter.branch(emitter.compare(left, right, SIGNED[detail], detail))


@template("branch_bool", "x: bool --", terminator=True)
def branch_on_bool(asm, x, emitter):
    asm.cmp(x, 0) if x.kind != "gpr" else asm.test(x, x)
    emitter.branch("ne")


@template("range_length", "start: int, stop: int, step: int -- length: int")
def range_length_zero_step(asm, start, stop, step, length, exit):
    """Items of a range, rangeobject.c: (span - 1) // |step| + 1, or 0; leaves where 64 bits do not hold a part."""
    down, divide, empty, done = (asm.label(name) for name in ("down", "divide", "empty", "done"))
    asm.mov(rcx, step)
    asm.test(rcx, rcx)
    asm.jz(exit)
    asm.js(down)
    asm.mov(rax, stop)
    asm.sub(rax, start)
    asm.jo(exit)
    asm.jmp(divide)
    asm.bind(down)
    asm.neg(rcx)
    asm.jo(exit)
    asm.mov(rax, start)
    asm.sub(rax, stop)
    asm.jo(exit)
    asm.bind(divide)
    asm.test(rax, rax)
    asm.jle(empty)
    asm.dec(rax)
    asm.cqo()
    asm.idiv(rcx)
    asm.inc(rax)
    asm.jmp(done)
    asm.bind(empty)
    asm.xor(eax, eax)
    asm.bind(done)
    asm.mov(length, rax)


@template("guard_range_end", "stop: int, step: int --")
def range_end_overflow(asm, stop, step, exit):
    asm.mov(rax, stop)
    asm.add(rax, step)
    asm.jo(exit)


@template("advance", "next: int, step: int -- following: int")
def advance(asm, next, step, following):
    """The next item of a range; behind the last one the sum may wrap, and is never used."""
    if following is step:
        next, step = step, next
    asm.mov(following, next)
    asm.add(following, step)


@template("decrement", "x: int -- result: int")
def decrement(asm, x, result):
    asm.mov(result, x)
    asm.sub(result, 1)


@template("branch_counter", "remaining: int --", terminator=True)
def branch_on_counter(asm, remaining, emitter):
    asm.cmp(remaining, 0)
    emitter.branch("ne")
